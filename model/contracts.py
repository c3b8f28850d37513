"""What firms owe each other for their offers, and bills whose payers and payees stay the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.kernel import kernel
from model.ledger import NUMBER, Kind, Ledger
from model.offer import Lines

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SOLD_AS = (Kind.TOKENS, Kind.HOSTING, Kind.PARTNER_HOSTING)
"""What segments pay sellers for: a vendor's own tokens, an open model's, a partner's."""


@dataclass(frozen=True)
class Bill:
    """Payments whose payers, payees and kinds stay the same while their ``amounts``, USD, are filled in anew.

    They come in parts; ``ends`` says where each of them ends.
    """

    payers: IntArray
    payees: IntArray
    kinds: IntArray
    amounts: FloatArray
    ends: tuple[int, ...] = ()

    @classmethod
    def of(cls, *parts: tuple[IntArray | int, IntArray | int, Kind]) -> Bill:
        """Of parts, each with a payer and a payee account, numbers or arrays, and a kind."""
        sides = [np.broadcast_arrays(payers, payees, NUMBER[kind]) for payers, payees, kind in parts]
        payers, payees, kinds = (np.concatenate(side) for side in zip(*sides, strict=True))
        ends = np.cumsum([len(side[0]) for side in sides]).tolist()
        return cls(payers, payees, kinds, np.zeros(len(payers)), tuple(ends))

    @property
    def parts(self) -> list[FloatArray]:
        """The amounts of each part, live."""
        return [self.amounts[start:end] for start, end in zip((0, *self.ends), self.ends, strict=False)]

    def pay(self, ledger: Ledger) -> None:
        """Pay it."""
        ledger.enter(self.payers, self.payees, self.kinds, self.amounts)


@dataclass(frozen=True)
class Contracts:
    """What is passed on of the offers' revenue, while nobody else stands behind them.

    ``sold_as`` is a position in ``SOLD_AS``, ``maker`` the firm whose model it is, (offers,) each. Sellers of the offers
    ``linked`` do not do all themselves: something comes to them along a hosting edge from ``sources`` to ``targets``
    (nodes), for which they owe the ``bill``: a royalty, the fee for computing or, of open weights, nothing.
    """

    sold_as: IntArray
    maker: IntArray
    linked: IntArray
    sources: IntArray
    targets: IntArray
    bill: Bill

    @classmethod
    def of(cls, lines: Lines, maker_of: IntArray, firms: Firms) -> Contracts:
        """Those of the offers on the list; ``maker_of`` each model of the catalogue."""
        maker = maker_of[lines.model]
        sold_as, paid_as, giver = _contracts(
            lines.seller,
            lines.setter,
            lines.host,
            maker,
            firms.vendors,
            SOLD_AS.index(Kind.TOKENS),
            SOLD_AS.index(Kind.HOSTING),
            SOLD_AS.index(Kind.PARTNER_HOSTING),
            NUMBER[Kind.ROYALTY],
            NUMBER[Kind.COMPUTE],
        )
        linked = np.flatnonzero(giver != lines.seller)
        seller, giver = lines.seller[linked], giver[linked]
        bill = Bill(firms.account[seller], firms.account[giver], paid_as[linked], np.zeros(len(linked)))
        return cls(sold_as, maker, linked, firms.node[giver], firms.node[seller], bill)


class Firms:
    """The firms of a market as numbers: their accounts, their nodes in the graph, and which are vendors, (firms,) each."""

    def __init__(self, market: Market) -> None:
        names = list(market.firms)
        self.account = np.array([market.ledger.index(name) for name in names])
        self.node = np.array([market.graph.number(name) for name in names])
        self.vendors = np.array([name in market.vendors for name in names])


@kernel
def _contracts(
    seller: Any, setter: Any, host: Any, maker: Any, vendors: Any, tokens: Any, hosting: Any, partner: Any,
    royalty: Any, fee: Any,
) -> Any:  # pragma: no cover - compiled  # fmt: skip
    """What each offer is sold as, what its seller pays and to whom, (offers,) each; kinds as numbers."""
    sold_as, paid_as, giver = np.full_like(seller, hosting), np.full_like(seller, fee), maker.copy()
    for j in range(len(seller)):
        if seller[j] != setter[j]:
            sold_as[j], paid_as[j], giver[j] = partner, royalty, setter[j]
        elif seller[j] != host[j]:
            giver[j] = host[j]
        if vendors[seller[j]]:
            sold_as[j] = tokens
    return sold_as, paid_as, giver
