"""The audit of a quarter: the identities of DESIGN section 4 beside those of the ledger. A broken one stops the run.

Arrays are looked through for anything that could be wrong; only if there is, it is looked for by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.edges import CODE
from model.fleet import HOURS_PER_QUARTER
from model.identities import (
    SINGLE,
    TOLERANCE,
    chips_balance,
    edges_carry_ledger,
    hours_balance,
    nothing_nan,
    nothing_negative,
    shares_sum_to_one,
    tokens_balance,
    within_capacity,
)
from model.kernel import kernel
from model.ledger import NUMBER, Kind
from model.place import CAPTIVE, DENSE, PURPOSES, SPARSE, TRAINING

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]

EDGES = {
    "tokens": (Kind.TOKENS, Kind.HOSTING, Kind.PARTNER_HOSTING),
    "hosting": (Kind.COMPUTE, Kind.TRAINING, Kind.ROYALTY),
    "chips": (Kind.CHIPS,),
    "services": (Kind.SERVICES,),
}
"""Which payments flow along which edges of the graph."""

POOLS = (TRAINING, CAPTIVE, DENSE)
"""Purposes with hours of their own; sparse inference is counted with dense."""


class Audit:
    """What stays the same from quarter to quarter about the accounts of a market."""

    def __init__(self, market: Market) -> None:
        graph = market.graph
        self._node = np.array([graph.number(a) if a in graph else -1 for a in market.ledger.accounts])
        self._edge = np.full(len(NUMBER), -1)
        for edge, kinds in EDGES.items():
            self._edge[[NUMBER[kind] for kind in kinds]] = CODE[edge]
        self._carrying = np.isin(np.arange(len(CODE)), [CODE[edge] for edge in EDGES])
        self._fleets = np.array([graph.number(fleet.owner) for fleet in market.fleets])
        self._makers = np.array([graph.number(name) for name in market.chipmakers])

    def check(self, market: Market) -> None:
        """Stop the run if anything is wrong.

        Raises:
            BrokenIdentity: with what should hold, where it does not and by how much.
        """
        if not (
            self._tokens(market)
            and self._money(market)
            and self._work(market)
            and self._chips(market)
            and self._shares(market)
        ):
            find(market)

    def _tokens(self, market: Market) -> bool:
        book, demand = market.offers, market.demand
        return bool(_tokens_agree(book.served, book.price, demand.demanded, demand.served, TOLERANCE))

    def _money(self, market: Market) -> bool:
        slots = market.graph.slots
        return bool(
            _edges_agree(
                *market.ledger.journal(),
                self._edge,
                self._carrying,
                self._node,
                slots.at,
                slots.kind[: slots.count],
                slots.money,
                TOLERANCE,
            )
        )

    def _work(self, market: Market) -> bool:
        fleets, book, traffic = market.fleets, market.offers, market.traffic
        held = (fleets.units, fleets.racks, *fleets.pipeline)
        return all(_nothing_negative(array.ravel()) for array in held) and bool(
            _hours_agree(
                fleets.units,
                fleets.hours_used,
                HOURS_PER_QUARTER * market.parameters.ceiling_utilisation,
                traffic.captive_hours,
                traffic.training.host,
                traffic.training.served,
                book.lines.fleet,
                book.served,
                book.hours_per_mtok,
                TOLERANCE,
            )
        )

    def _chips(self, market: Market) -> bool:
        slots = market.graph.slots
        makers = self._makers[market.catalogue.chips.maker]
        code = CODE["chips"]
        return bool(
            _chips_agree(
                market.fleets.delivered,
                makers,
                self._fleets,
                slots.at[code],
                slots.kind[: slots.count] == code,
                slots.units,
                TOLERANCE,
            )
        )

    def _shares(self, market: Market) -> bool:
        population = market.population
        return bool(_shares_agree(population.adoption, population.portfolio.T, SINGLE))


def find(market: Market) -> None:
    """Look for what is wrong by name.

    Raises:
        BrokenIdentity: if an identity does not hold.
    """
    quarter, demand, fleets = market.quarter, market.demand, market.fleets
    names = [" ".join(offer.key) for offer in market.offers]
    tokens_balance(quarter, market.offers.served, demand.served.sum(axis=0), labels=names)
    nothing_negative(quarter, demanded=demand.demanded, served=demand.served)
    nothing_nan(quarter, prices=market.offers.price, demanded=demand.demanded)
    for edge, kinds in EDGES.items():
        money, wanted = market.graph.money(edge), market.ledger.between(*kinds)
        edges_carry_ledger(quarter, money, wanted, identity=f"the {edge} edges carry the ledger")
    ceiling = market.parameters.ceiling_utilisation
    for fleet in fleets:
        held = {"units": fleet.units, "orders": fleet.on_order(), "racks": fleet.racks}
        nothing_negative(quarter, TOLERANCE, **{f"{what} of {fleet.owner}": a for what, a in held.items()})
        available = fleet.hours_available(ceiling)
        within_capacity(quarter, _pooled(fleet.hours_used), _pooled(available), labels=list(PURPOSES))
    used = [_pooled(fleet.hours_used)[list(POOLS)] for fleet in fleets]
    hours_balance(quarter, used, _hours_served(market), labels=list(market.clouds))
    shipped, received = market.graph.units("chips"), _chips_received(market)
    pairs = list({**shipped, **received})
    sent, got = ([side.get(pair, 0.0) for pair in pairs] for side in (shipped, received))
    chips_balance(quarter, sent, got, labels=[" to ".join(pair) for pair in pairs])
    adoption, portfolio = market.population.adoption, market.population.portfolio
    whole = np.ones_like(adoption)
    within_capacity(quarter, adoption, whole, SINGLE, identity="nobody adopts for more than all of its work")
    # A portfolio is empty until something can be bought.
    buys = portfolio.any(axis=1)
    shares_sum_to_one(quarter, portfolio if buys.all() else portfolio[buys], SINGLE)


def _pooled(hours: FloatArray) -> FloatArray:
    """The same with dense and sparse inference added up in both places."""
    pooled = hours.copy()
    pooled[[DENSE, SPARSE]] = hours[[DENSE, SPARSE]].sum()
    return pooled


def _hours_served(market: Market) -> FloatArray:
    """Chip hours of all work that each fleet served, shape (fleets, pools)."""
    traffic, book = market.traffic, market.offers
    hours = np.zeros((len(market.fleets), len(POOLS)))
    hours[:, :2] += traffic.captive_hours
    np.add.at(hours[:, 0], traffic.training.host, traffic.training.served)
    sold = book.served > 0.0
    np.add.at(hours[:, 2], book.lines.fleet[sold], book.served[sold] * book.hours_per_mtok[sold])
    return hours


def _chips_received(market: Market) -> dict[tuple[str, str], float]:
    """Chips that fleets installed this quarter, by (maker, buyer)."""
    received: dict[tuple[str, str], float] = {}
    for fleet in market.fleets:
        for chip, units in zip(market.catalogue.chips, fleet.delivered.sum(axis=1).tolist(), strict=False):
            pair = chip.spec.maker, fleet.owner
            received[pair] = received.get(pair, 0.0) + units
    return received


@kernel
def _near(left: Any, right: Any, tolerance: Any) -> Any:  # pragma: no cover - compiled
    """Whether two numbers agree; nan and infinity never do."""
    return abs(left - right) <= tolerance * max(abs(left), abs(right)) and abs(left) < np.inf


@kernel
def _nothing_negative(flat: Any) -> Any:  # pragma: no cover - compiled
    """Whether all numbers are finite and none is below zero."""
    fine = True
    for number in flat:
        fine &= 0.0 <= number < np.inf
    return fine


@kernel
def _tokens_agree(
    sold: Any, price: Any, demanded: Any, served: Any, tolerance: Any
) -> Any:  # pragma: no cover - compiled
    """Tokens sold of each offer are those that the cells got; nothing is negative or unknown."""
    cells, offers = served.shape
    bought, fine = np.zeros(offers), True
    for s in range(cells):
        for j in range(offers):
            bought[j] += served[s, j]
            fine &= (0.0 <= served[s, j] < np.inf) & (0.0 <= demanded[s, j] < np.inf)
    for j in range(offers):
        fine &= _near(sold[j], bought[j], tolerance) and abs(price[j]) < np.inf
    return fine


@kernel
def _edges_agree(
    payers: Any, payees: Any, kinds: Any, amounts: Any, edge: Any, carrying: Any, node: Any, at: Any,
    kind: Any, money: Any, tolerance: Any,
) -> Any:  # pragma: no cover - compiled  # fmt: skip
    """Every edge carries what the ledger says was paid along it, ``edge`` by kind of payment, and nothing more.

    ``node`` is the graph's number of each account (-1 outside it), ``kind`` and ``money`` are those of the edges' slots.
    """
    paid, carried, booked = np.zeros(len(kind)), np.zeros(len(carrying)), np.zeros(len(carrying))
    for n in range(len(amounts)):
        e = edge[kinds[n]]
        if e < 0:
            continue
        source, target = node[payees[n]], node[payers[n]]
        slot = at[e, source, target] if source >= 0 and target >= 0 else -1
        if slot < 0:
            return False
        paid[slot] += amounts[n]
        booked[e] += amounts[n]
    for slot in range(len(kind)):
        if carrying[kind[slot]]:
            carried[kind[slot]] += money[slot]
            if not _near(paid[slot], money[slot], tolerance):
                return False
    fine = True
    for e in range(len(carrying)):
        fine &= _near(carried[e], booked[e], tolerance)
    return fine


@kernel
def _hours_agree(
    units: Any, hours_used: Any, ceiling: Any, captive_hours: Any, host: Any, trained: Any, fleet: Any,
    sold: Any, hours_per_mtok: Any, tolerance: Any,
) -> Any:  # pragma: no cover - compiled  # fmt: skip
    """No fleet worked beyond its capacity, and each worked the hours of what it served."""
    fleets, chips, purposes = units.shape
    worked = np.zeros((fleets, purposes))
    for f in range(fleets):
        worked[f, TRAINING], worked[f, CAPTIVE] = captive_hours[f, 0], captive_hours[f, 1]
    for v in range(len(host)):
        worked[host[v], TRAINING] += trained[v]
    for j in range(len(fleet)):
        if sold[j] > 0.0:
            worked[fleet[j], DENSE] += sold[j] * hours_per_mtok[j]
    for f in range(fleets):
        offered, used = np.zeros(purposes), hours_used[f].copy()
        for c in range(chips):
            for w in range(purposes):
                offered[w] += units[f, c, w] * ceiling
        for hours in (offered, used):
            hours[DENSE] += hours[SPARSE]
        for w in (TRAINING, CAPTIVE, DENSE):
            room = tolerance * offered[w]
            if not (0.0 <= used[w] <= offered[w] + room and _near(used[w], worked[f, w], tolerance)):
                return False
    return True


@kernel
def _chips_agree(
    delivered: Any, maker: Any, owner: Any, at: Any, chips: Any, units: Any, tolerance: Any
) -> Any:  # pragma: no cover - compiled
    """What fleets installed, (fleets, chips, purposes), is what was shipped to them along the edges of ``chips``."""
    received = np.zeros(len(chips))
    for f in range(delivered.shape[0]):
        for c in range(delivered.shape[1]):
            for w in range(delivered.shape[2]):
                if delivered[f, c, w] != 0.0:
                    slot = at[maker[c], owner[f]]
                    if slot < 0:
                        return False
                    received[slot] += delivered[f, c, w]
    fine = True
    for slot in range(len(chips)):
        fine &= not chips[slot] or _near(units[slot], received[slot], tolerance)
    return fine


@kernel
def _shares_agree(adoption: Any, columns: Any, tolerance: Any) -> Any:  # pragma: no cover - compiled
    """Nobody adopts for more than all of its work, and portfolios, by offer (J, I), sum to one or are empty."""
    fine, total, lowest = True, np.empty(BLOCK), np.empty(BLOCK, np.float32)
    for start in range(0, len(adoption), BLOCK):
        end = min(start + BLOCK, len(adoption))
        size = end - start
        total[:size], lowest[:size] = 0.0, np.float32(0.0)
        for j in range(len(columns)):
            column = columns[j, start:end]
            for b in range(size):
                total[b] += column[b]
            for b in range(size):
                lowest[b] = min(lowest[b], column[b])
        for b in range(size):
            # Unknown shares make an unknown total, which is not near one.
            fine &= lowest[b] >= 0.0 and (total[b] == 0.0 or abs(total[b] - 1.0) <= tolerance)
            fine &= 0.0 <= adoption[start + b] <= 1.0 + tolerance
    return fine


BLOCK = 256  # enterprises whose sums stay in the first-level cache
