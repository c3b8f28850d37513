"""The quarter's work: what fleets are asked to do, what they can, and how a shortage is shared out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.fleet import HOURS_PER_QUARTER
from model.kernel import kernel
from model.memo import Memo
from model.place import CAPTIVE, DENSE, PURPOSES, SPARSE, TRAINING
from model.procurement import reassignment

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass
class Training:
    """Training hours that vendors buy this quarter, shape (buyers,) each, of those that train.

    ``vendor`` numbers the market's vendors, ``host`` the fleets; ``price`` is USD an hour (infinite where the fleet
    trains nothing); ``wanted`` and ``served`` are hours.
    """

    vendor: IntArray
    host: IntArray
    price: FloatArray
    wanted: FloatArray
    served: FloatArray


class Traffic:
    """What each fleet was asked to do and did in the last quarter of work.

    ``training`` hours that were bought, ``captive_hours`` served of the owners' own training and other work, (fleets, 2),
    ``work_rate`` reference work a chip hour of the pools, (fleets, purposes). ``services`` is what firms sold of them,
    USD, shape (firms,).
    """

    def __init__(self, market: Market) -> None:
        fleets, nobody = len(market.fleets), np.zeros(0)
        none = np.zeros(0, dtype=np.int64)
        self.training = Training(none, none, nobody, nobody, nobody)
        self.captive_hours = np.zeros((fleets, 2))
        self.work_rate = np.zeros((fleets, len(PURPOSES)))
        self.services = np.zeros(len(market.firms))
        self._rates: Memo[tuple[FloatArray, IntArray]] = Memo()
        self._hosts: Memo[IntArray] = Memo()

    def load(self, market: Market) -> None:
        """Put the quarter's work on all fleets: they serve what they can, and ration alike what they cannot."""
        p, fleets, book, demand = market.parameters, market.fleets, market.offers, market.demand
        lines, outlook = book.lines, market.outlook
        captive = np.array(market.captive.now())
        self.training = self._orders(market)
        rates, row = self._rates.of(lambda: _rates(market), lines, len(market.catalogue.chips))
        demanded, own = np.zeros((2, *fleets.use.shape))

        def reckon(which: NDArray[np.bool_]) -> None:
            _demanded(
                which, fleets.units, outlook.work, outlook.maturity, captive, rates, row,
                lines.purpose, lines.fleet, book.demanded, book.hours_per_mtok,
                self.training.host, self.training.wanted, demanded, own, self.work_rate,
            )  # fmt: skip

        _add_up(demand.demanded, book.demanded)
        reckon(np.ones(len(fleets), dtype=bool))
        short, firm = _short(
            fleets.units, demanded, HOURS_PER_QUARTER * p.target_utilisation, p.yielding_share
        )
        if short.any():
            # What other work leaves idle, and the part of it that gives way to paying customers, serves tokens
            # within the quarter.
            full = HOURS_PER_QUARTER * p.target_utilisation
            for fleet in np.flatnonzero(short).tolist():
                units = reassignment(fleets.units[fleet], firm[fleet], full, 1.0, outlook.suitability)
                fleets.units[fleet] = units
            reckon(short)
        smoothing = 1.0 if market.t == 0 else p.use_smoothing
        share = np.empty_like(demanded)
        _ration(
            fleets.units, demanded, own, self.work_rate, captive, HOURS_PER_QUARTER * p.ceiling_utilisation,
            HOURS_PER_QUARTER, smoothing, share, market.owners.work, fleets.hours_demanded, fleets.hours_used, fleets.use,
            self.captive_hours, self.training.host, self.training.wanted, self.training.served,
        )  # fmt: skip
        demand.served = np.empty_like(demand.demanded)
        _serve(demand.demanded, share, lines.fleet, lines.purpose, demand.served, book.served)

    def _orders(self, market: Market) -> Training:
        """What vendors would train for their budgets.

        Research rents by contract, at the full cost of the hour and the host's mark-up.
        """
        graph, vendors = market.graph, market.vendors.values()
        hosts = self._hosts.of(
            lambda: np.array([market.clouds[vendor.host()].fleet.number for vendor in vendors]),
            graph.compiled("hosting").version,
            graph.compiled("equity").version,
        )
        budget = np.array([vendor.training_budget if vendor.active else 0.0 for vendor in vendors])
        trains = np.flatnonzero(budget > 0.0)
        host, budget = hosts[trains], budget[trains]
        full = mean_over(market.fleets.units, market.hour_costs.full)[:, TRAINING]
        price = np.where(np.isnan(full), np.inf, full * (1.0 + market.parameters.hosting_markup))[host]
        wanted = np.where(price > 0.0, budget / price, 0.0)
        return Training(trains, host, price, wanted, np.zeros_like(wanted))


def _rates(market: Market) -> tuple[FloatArray, IntArray]:
    """Mtok a chip hour of the models on offer at full maturity, (models, chips), and the row of each offer's model."""
    models, numbers = list(market.catalogue.models.values()), market.offers.lines.model
    row = np.zeros(len(models), dtype=np.int64)
    offered = np.flatnonzero(np.bincount(numbers, minlength=len(models)))
    row[offered] = np.arange(len(offered))
    return market.catalogue.mtok_per_hour([models[number] for number in offered.tolist()]), row[numbers]


@kernel
def mean_over(units: Any, values: Any) -> Any:  # pragma: no cover - compiled
    """Mean of a number of the chips of each fleet over the units of each purpose, nan of an empty pool.

    ``units`` (fleets, chips, purposes), ``values`` (fleets, chips); the result (fleets, purposes).
    """
    fleets, chips, purposes = units.shape
    result = np.empty((fleets, purposes))
    for f in range(fleets):
        for w in range(purposes):
            count, total = 0.0, 0.0
            for c in range(chips):
                count += units[f, c, w]
                total += units[f, c, w] * values[f, c]
            result[f, w] = total / count if count > 0.0 else np.nan
    return result


@kernel
def _add_up(by_cell: Any, total: Any) -> None:  # pragma: no cover - compiled
    """Sum over the cells, (cells, offers), for each offer."""
    total[:] = 0.0
    for s in range(by_cell.shape[0]):
        for j in range(by_cell.shape[1]):
            total[j] += by_cell[s, j]


@kernel
def _demanded(
    which: Any, units: Any, work: Any, maturity: Any, captive: Any, mtok_per_hour: Any, row: Any,
    purpose: Any, fleet: Any, asked: Any, hours_per_mtok: Any, host: Any, wanted: Any, demanded: Any,
    own: Any, rate: Any,
) -> None:  # pragma: no cover - compiled  # fmt: skip
    """Chip hours wanted of each pool, those for the owner's other business, and the pools' rates of work.

    Of the fleets of ``which``; (fleets, purposes) each. ``asked`` Mtok of offers take ``hours_per_mtok`` on the chips
    that can serve them, or on the best where a fleet has none; ``wanted`` are vendors' training hours.
    """
    fleets, chips, purposes = units.shape
    for f in range(fleets):
        if not which[f]:
            continue
        for w in range(purposes):
            count, done = 0.0, 0.0
            inference = w in (DENSE, SPARSE)
            for c in range(chips):
                # Chips bought for dense and for sparse inference serve both.
                held = units[f, c, DENSE] + units[f, c, SPARSE] if inference else units[f, c, w]
                count += held
                done += held * work[c, w]
            rate[f, w] = done / count if count > 0.0 else 0.0
            own[f, w] = captive[f, w] / rate[f, w] if rate[f, w] > 0.0 and not inference else 0.0
            demanded[f, w] = 0.0
    for j in range(len(asked)):
        f, w, m = fleet[j], purpose[j], row[j]
        if not which[f] or not asked[j] > 0.0:
            continue
        useful, made, best = 0.0, 0.0, 0.0
        for c in range(chips):
            mtok = mtok_per_hour[m, c] * maturity[c, w]
            best = max(best, mtok)
            if mtok > 0.0:
                held = units[f, c, DENSE] + units[f, c, SPARSE]
                useful += held
                made += held * mtok
        hours_per_mtok[j] = useful / made if useful > 0.0 else 1.0 / best
        demanded[f, w] += asked[j] * hours_per_mtok[j]
    for f in range(fleets):
        if which[f]:
            for w in range(purposes):
                demanded[f, w] += own[f, w]
    for v in range(len(host)):
        if which[host[v]]:
            demanded[host[v], TRAINING] += wanted[v]


@kernel
def _short(units: Any, demanded: Any, hours: Any, yielding: Any) -> Any:  # pragma: no cover - compiled
    """Which fleets are short of hours for tokens at ``hours`` a unit, and the hours that each of their pools keeps.

    Other work keeps what it uses of its own chips, but for the share that gives way (``yielding``).
    """
    fleets, chips, purposes = units.shape
    short, firm = np.zeros(fleets, dtype=np.bool_), demanded.copy()
    for f in range(fleets):
        offered = np.zeros(purposes)
        for c in range(chips):
            for w in range(purposes):
                offered[w] += units[f, c, w]
        inference = (offered[DENSE] + offered[SPARSE]) * hours
        short[f] = demanded[f, DENSE] + demanded[f, SPARSE] > inference
        for w in (TRAINING, CAPTIVE):
            firm[f, w] = min(demanded[f, w], offered[w] * hours) * (1.0 - yielding)
    return short, firm


@kernel
def _ration(
    units: Any, demanded: Any, own: Any, rate: Any, captive: Any, ceiling: Any, hours: Any, smoothing: Any,
    share: Any, work: Any, hours_demanded: Any, hours_used: Any, use: Any, captive_hours: Any, host: Any,
    wanted: Any, served: Any,
) -> None:  # pragma: no cover - compiled  # fmt: skip
    """Share of the demand that each pool serves: all, or what its hours at the ``ceiling`` of use allow.

    Dense and sparse inference are one pool. ``work`` is the demand in reference units; captive work that no chip of
    the pool can do is still work: forecasts count it. ``use`` moves by ``smoothing`` towards this quarter's.
    """
    fleets, chips, purposes = units.shape
    for f in range(fleets):
        total, wants = np.zeros(purposes), demanded[f].copy()
        for c in range(chips):
            for w in range(purposes):
                total[w] += units[f, c, w]
        total[DENSE] = total[SPARSE] = total[DENSE] + total[SPARSE]
        wants[DENSE] = wants[SPARSE] = wants[DENSE] + wants[SPARSE]
        for w in range(purposes):
            offered = total[w] * ceiling
            share[f, w] = offered / wants[w] if wants[w] > offered else 1.0
            hours_demanded[f, w] = demanded[f, w]
            hours_used[f, w] = demanded[f, w] * share[f, w]
            installed = total[w] * hours
            now = wants[w] / installed if installed > 0.0 else 0.0
            use[f, w] += smoothing * (now - use[f, w])
            work[f, w] = demanded[f, w] * rate[f, w] if rate[f, w] > 0.0 else captive[f, w]
        captive_hours[f, 0] = own[f, TRAINING] * share[f, TRAINING]
        captive_hours[f, 1] = own[f, CAPTIVE] * share[f, CAPTIVE]
    for v in range(len(host)):
        served[v] = wanted[v] * share[host[v], TRAINING]


@kernel
def _serve(
    demanded: Any, share: Any, fleet: Any, purpose: Any, served: Any, total: Any
) -> None:  # pragma: no cover - compiled
    """What each cell gets of each offer, Mtok (cells, offers), and in total."""
    total[:] = 0.0
    for s in range(demanded.shape[0]):
        for j in range(demanded.shape[1]):
            served[s, j] = demanded[s, j] * share[fleet[j], purpose[j]]
            total[j] += served[s, j]
