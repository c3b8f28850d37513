"""The ledger: double entry for every payment, and the identities of money at the end of the quarter."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model import calendar
from model.identities import TOLERANCE, BrokenIdentity, check_equal
from model.journal import agree, audit, enter

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


class Kind(StrEnum):
    """What a payment is for; the payee's line of revenue and the payer's line of cost."""

    TOKENS = "tokens"
    """Tokens that a vendor sells through its own API."""
    HOSTING = "hosting"
    """Tokens of an open model that a host sells."""
    PARTNER_HOSTING = "partner_hosting"
    """Tokens of a proprietary model that a partner's cloud sells."""
    COMPUTE = "compute"
    """Inference hours that a cloud sells to a vendor."""
    TRAINING = "training"
    """Training hours that a cloud sells to a vendor."""
    CAPTIVE = "captive"
    """Work for the owner's other business, at a transfer price."""
    CHIPS = "chips"
    CHIP_MAKING = "chip_making"
    """What a chipmaker pays foundries and suppliers."""
    ROYALTY = "royalty"
    """Royalties and revenue shares to a model's maker."""
    SERVICES = "services"
    """Fine-tuning, retrieval, security and integration on top of tokens."""
    SERVICE_STAFF = "service_staff"
    POWER = "power"
    STAFF = "staff"
    NETWORK = "network"
    CAPACITY = "capacity"
    """A chipmaker's outlay for capacity."""
    RACKS = "racks"
    """Racks and their cooling."""
    RESEARCH_PEOPLE = "research_people"
    FUNDING = "funding"
    """Capital from owners and investors."""
    POOLED_FUNDING = "pooled_funding"
    """Contributions of a consortium's or foundation's members."""
    OPENING = "opening"
    """Cash that a firm begins with."""


NUMBER: dict[str, int] = {kind: i for i, kind in enumerate(Kind)}
"""The number of each kind in arrays."""

ROOM = 1024
"""Payments that the journal has room for at first."""

_KINDS = tuple(Kind)
_WIDTH = len(_KINDS)


class Flow(NamedTuple):
    """All that one account paid another for one thing in the quarter, USD."""

    payer: str
    payee: str
    kind: Kind
    amount: float


class Ledger:
    """Accounts by name, and the payments of the current quarter.

    Every account starts at zero and moves by payments only, so all balances together are always zero. Outside
    accounts (segments, utilities, suppliers, investors) need not be above zero; a firm's may be below it too:
    what follows is decided by the rules of finance, not here.
    """

    def __init__(
        self,
        firms: Iterable[str],
        outside: Iterable[str],
        quarter: str = calendar.name(0),
        tolerance: float = TOLERANCE,
    ) -> None:
        """Open accounts for firms and the outside world; ``quarter`` is the first, ``tolerance`` relative."""
        self.quarter = calendar.index(quarter)
        self.tolerance = tolerance
        self.accounts: list[str] = []
        self.firms: list[str] = []
        self.outside: list[str] = []
        self._index: dict[str, int] = {}
        self._turnover = 0.0
        # Typed arrays of the standard library: they grow ahead of need, and reading or writing one number is cheaper
        # than in a numpy array.
        self._balance, self._opening = array("d"), array("d")
        self._received, self._paid = array("d"), array("d")
        # The journal: payer, payee and kind of each payment, and what was paid, with room behind the last.
        self._who, self._amounts, self._count = np.zeros((3, ROOM), dtype=np.int64), np.zeros(ROOM), 0
        for name in firms:
            self.open(name)
        for name in outside:
            self.open(name, outside=True)

    def open(self, name: str, outside: bool = False) -> int:
        """Open an account with nothing on it and return its index.

        Raises:
            ValueError: if the name has an account already.
        """
        if name in self._index:
            raise ValueError(f"{name} has an account already: open it once.")
        self._index[name] = number = len(self.accounts)
        self.accounts.append(name)
        (self.outside if outside else self.firms).append(name)
        self._balance.append(0.0)
        self._opening.append(0.0)
        self._received.extend([0.0] * _WIDTH)
        self._paid.extend([0.0] * _WIDTH)
        return number

    def index(self, name: str) -> int:
        """The index of an account, for ``pay_many``; ValueError if there is none."""
        try:
            return self._index[name]
        except KeyError:
            raise ValueError(f"{name!r} has no account: open it with ledger.open({name!r}).") from None

    def __contains__(self, name: str) -> bool:
        return name in self._index

    def pay(self, payer: str, payee: str, kind: Kind, amount: float) -> None:
        """Move ``amount`` USD from payer to payee; zero is no payment.

        Raises:
            ValueError: if the amount is negative, nan or infinite, payer and payee are the same, or an
                account or the kind does not exist.
        """
        try:
            i, j, k = self._index[payer], self._index[payee], NUMBER[kind]
        except KeyError:
            raise self._stranger(payer, payee, kind) from None
        amount = float(amount)
        if not 0.0 < amount < math.inf:
            if amount == 0.0:
                return
            raise ValueError(self._refusal(payer, payee, kind, amount))
        if i == j:
            raise ValueError(f"{payer} cannot pay itself for {kind}: leave the payment out.")
        if (n := self._count) == len(self._amounts):
            self._make_room(1)
        who = self._who
        who[0, n], who[1, n], who[2, n], self._amounts[n] = i, j, k, amount
        self._count = n + 1
        self._balance[i] -= amount
        self._balance[j] += amount
        self._paid[i * _WIDTH + k] += amount
        self._received[j * _WIDTH + k] += amount

    def pay_many(self, payers: ArrayLike, payees: ArrayLike, kind: Kind, amounts: ArrayLike) -> None:
        """Make many payments of one kind: indices of accounts and amounts in USD, broadcast to one shape.

        ``pay_many(segments[None, :], sellers[:, None], Kind.TOKENS, money)`` pays a whole matrix.

        Raises:
            ValueError: as ``pay``; then nothing is paid.
        """
        if kind not in NUMBER:
            raise self._stranger("", "", kind)
        i, j, money = np.broadcast_arrays(
            np.asarray(payers, dtype=np.int64),
            np.asarray(payees, dtype=np.int64),
            np.asarray(amounts, dtype=np.float64),
        )
        self.enter(i.ravel(), j.ravel(), np.full(money.size, NUMBER[kind]), money.ravel())

    def enter(self, payers: IntArray, payees: IntArray, kinds: IntArray, amounts: FloatArray) -> None:
        """Make many payments: accounts, kinds (their ``NUMBER``) and USD, contiguous arrays of shape (payments,) each.

        Raises:
            ValueError: as ``pay``; then nothing is paid.
        """
        self._make_room(len(amounts))
        self._count, wrong = enter(
            payers, payees, kinds, amounts, self._who, self._amounts, self._count, _WIDTH,
            np.frombuffer(self._balance), np.frombuffer(self._paid), np.frombuffer(self._received),
        )  # fmt: skip
        if wrong >= 0:
            raise ValueError(
                self._wrong(*(column[wrong].item() for column in (payers, payees, kinds, amounts)))
            )

    def _make_room(self, payments: int) -> None:
        """See that the journal has room for so many more."""
        while self._count + payments > len(self._amounts):
            self._who = np.concatenate([self._who, np.zeros_like(self._who)], axis=1)
            self._amounts = np.concatenate([self._amounts, np.zeros_like(self._amounts)])

    def balance(self, name: str) -> float:
        """Cash on the account now, USD; payments of the current quarter included."""
        return self._balance[self.index(name)]

    def balances(self) -> FloatArray:
        """Cash on every account now, USD, by index; a copy."""
        return np.array(self._balance)

    def received(self, name: str, *kinds: Kind) -> float:
        """What the account received this quarter, USD: for the given kinds, or for all."""
        return self._total(self._received, name, kinds)

    def paid(self, name: str, *kinds: Kind) -> float:
        """What the account paid this quarter, USD: for the given kinds, or for all."""
        return self._total(self._paid, name, kinds)

    def received_by_kind(self, name: str) -> dict[Kind, float]:
        """What the account received this quarter by kind, USD; kinds with nothing are left out."""
        return self._by_kind(self._received, name)

    def paid_by_kind(self, name: str) -> dict[Kind, float]:
        """What the account paid this quarter by kind, USD; kinds with nothing are left out."""
        return self._by_kind(self._paid, name)

    def flows(self) -> list[Flow]:
        """The payments of the quarter, summed by payer, payee and kind, in order of accounts and kinds."""
        payers, payees, kinds, amounts = self.journal()
        size = len(self.accounts)
        codes, which = np.unique((payers * size + payees) * _WIDTH + kinds, return_inverse=True)
        totals = np.bincount(which, weights=amounts, minlength=len(codes))
        return [
            Flow(
                self.accounts[code // _WIDTH // size],
                self.accounts[code // _WIDTH % size],
                _KINDS[code % _WIDTH],
                total,
            )
            for code, total in zip(codes.tolist(), totals.tolist(), strict=True)
        ]

    def between(self, *kinds: Kind) -> dict[tuple[str, str], float]:
        """What each payee got from each payer this quarter for the given kinds, USD, by (payee, payer)."""
        payers, payees, which, amounts = self.journal()
        asked = np.zeros(_WIDTH, dtype=bool)
        asked[[NUMBER[kind] for kind in kinds]] = True
        chosen = asked[which]
        size = len(self.accounts)
        pairs = (payees * size + payers)[chosen]
        totals = np.bincount(pairs, weights=amounts[chosen], minlength=size * size)
        return {
            (self.accounts[pair // size], self.accounts[pair % size]): float(totals[pair])
            for pair in np.flatnonzero(totals).tolist()
        }

    def tables(self) -> tuple[FloatArray, FloatArray]:
        """What each account received and paid this quarter by kind, USD (accounts, kinds) each; copies."""
        shape = len(self.accounts), _WIDTH
        return np.array(self._received).reshape(shape), np.array(self._paid).reshape(shape)

    def journal(self) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
        """The payments of the quarter: payers, payees, kinds and USD, as in ``enter``; live."""
        payers, payees, kinds = self._who[:, : self._count]
        return payers, payees, kinds, self._amounts[: self._count]

    def close(self) -> None:
        """Check the quarter's identities from its single payments, then start the next quarter.

        Raises:
            BrokenIdentity: if money in is not money out over the whole market, or an account's balance or its
                totals by kind are not what its payments make them; the quarter then stays open.
        """
        size = len(self.accounts)
        received, paid = self.tables()
        balance, made = self.balances(), audit(*self.journal(), np.array(self._opening), _WIDTH)
        turnover = made[-1]
        if not agree(paid, received, balance, *made, self._turnover + turnover, self.tolerance):
            self._find(paid, received, balance, *made)
        # Errors of rounding are relative to all money that ever moved, not to what is left on the accounts.
        self._turnover += turnover
        self._opening = self._balance[:]
        self._received, self._paid = (array("d", bytes(8 * size * _WIDTH)) for _ in range(2))
        self._count = 0
        self.quarter += 1

    def _find(
        self,
        paid: FloatArray,
        received: FloatArray,
        balance: FloatArray,
        made_paid: FloatArray,
        made_received: FloatArray,
        expected: FloatArray,
        moved: FloatArray,
        turnover: float,
    ) -> None:
        """Look for what does not agree with what single payments made; arguments as the results of ``audit``."""
        by_kind = "what an account {} by kind is the sum of its payments"
        for side, line, made in (("paid", paid, made_paid), ("received", received, made_received)):
            self._compare(by_kind.format(side), line, made)
            total = math.fsum(line.ravel().tolist())
            self._check(f"money {side} is the turnover of the market", total, turnover, turnover)
        self._compare("an account's balance moves by its payments", balance, expected, moved)
        ever, left = self._turnover + turnover, math.fsum(balance.tolist())
        self._check("money in equals money out over the whole market", left, 0.0, ever)

    def _compare(self, identity: str, left: FloatArray, right: FloatArray, scale: ArrayLike = 0.0) -> None:
        """``check_equal`` by account."""
        check_equal(identity, calendar.name(self.quarter), left, right, self.tolerance, self.accounts, scale)

    def _check(self, identity: str, left: float, right: float, scale: float, where: str = "") -> None:
        if not abs(left - right) <= self.tolerance * scale:
            raise BrokenIdentity(identity, calendar.name(self.quarter), left - right, where)

    def _total(self, line: array[float], name: str, kinds: tuple[Kind, ...]) -> float:
        start = self.index(name) * _WIDTH
        if not kinds:
            return sum(line[start : start + _WIDTH])
        return sum(line[start + NUMBER[kind]] for kind in kinds)

    def _by_kind(self, line: array[float], name: str) -> dict[Kind, float]:
        start = self.index(name) * _WIDTH
        return {kind: line[start + k] for k, kind in enumerate(_KINDS) if line[start + k] != 0.0}

    def _wrong(self, payer: int, payee: int, kind: int, amount: float) -> str:
        """What is wrong about a payment that cannot be made, by numbers."""
        size = len(self.accounts)
        if not (0 <= payer < size and 0 <= payee < size):
            return f"There are {size} accounts: take their indices from ledger.index(name)."
        if not 0 <= kind < _WIDTH:
            return f"There are {_WIDTH} kinds of payment: take their numbers from NUMBER[kind]."
        names = self.accounts[payer], self.accounts[payee], _KINDS[kind]
        if not 0.0 <= amount < math.inf:
            return self._refusal(*names, amount)
        return f"{names[0]} cannot pay itself for {names[2]}: leave the payment out."

    def _refusal(self, payer: str, payee: str, kind: str, amount: float) -> str:
        return (
            f"{payer} cannot pay {payee} {amount} USD for {kind} in {calendar.name(self.quarter)}: "
            "pay a finite amount of at least 0, and the other way round if it is owed the other way."
        )

    def _stranger(self, payer: str, payee: str, kind: str) -> ValueError:
        if kind not in NUMBER:
            return ValueError(f"{kind!r} is no kind of payment: write one of {', '.join(_KINDS)}.")
        name = payer if payer not in self._index else payee
        return ValueError(f"{name!r} has no account: open it with ledger.open({name!r}).")
