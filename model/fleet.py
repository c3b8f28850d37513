"""The accelerators that the owners run: what is installed, on order, and in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.calendar import HOURS_PER_YEAR, QUARTERS_PER_YEAR
from model.kernel import kernel
from model.place import DENSE, PURPOSES, SPARSE

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

HOURS_PER_QUARTER = HOURS_PER_YEAR / QUARTERS_PER_YEAR


class Fleets:
    """All fleets side by side, so that what is reckoned for each of them is reckoned for all at once.

    ``units`` installed, ``wanted`` (orders of first choice) and ``delivered`` this quarter have shape (fleets, chips,
    purposes). ``pipeline[k]``, of the same shape, arrives in ``k + 1`` quarters and costs ``bills[k]``, USD (fleets,
    chips); ``paid`` is the last price of each chip, (fleets, chips). Of the last quarter, (fleets, purposes):
    ``hours_demanded`` and ``hours_used`` in chip hours, ``use`` the hours demanded over those that its chips have (above
    one in a shortage; dense and sparse inference share one pool, and so one number). ``racks`` counts air and liquid
    cooled ones, ``ports`` InfiniBand and Ethernet, (fleets, purposes, 2). By fleet: ``power_usd_per_kwh``, ``pue``,
    ``cost_of_capital`` a year.
    """

    def __init__(self, owners: Sequence[tuple[str, int, str]], chips: int) -> None:
        """Empty fleets of ``owners``, each with its region and origin, with room for ``chips``."""
        count, purposes = len(owners), len(PURPOSES)
        self.units, self.wanted, self.delivered = np.zeros((3, count, chips, purposes))
        self.paid = np.zeros((count, chips))
        self.pipeline: list[FloatArray] = []
        self.bills: list[FloatArray] = []
        self.hours_demanded, self.hours_used, self.use = np.zeros((3, count, purposes))
        self.racks, self.ports = np.zeros((2, count, purposes, 2))
        self.power_usd_per_kwh, self.cost_of_capital = np.zeros((2, count))
        self.pue = np.ones(count)
        self._fleets = [Fleet(self, number, *owner) for number, owner in enumerate(owners)]

    def __iter__(self) -> Iterator[Fleet]:
        return iter(self._fleets)

    def __len__(self) -> int:
        return len(self._fleets)

    def widen(self, chips: int) -> None:
        """Make room for chips that were launched since."""
        missing = chips - self.units.shape[1]
        if missing <= 0:
            return

        def wider(array: FloatArray) -> FloatArray:
            return np.concatenate([array, np.zeros((len(array), missing, *array.shape[2:]))], axis=1)

        self.units, self.wanted, self.delivered = map(wider, (self.units, self.wanted, self.delivered))
        self.paid = wider(self.paid)
        self.pipeline = [wider(orders) for orders in self.pipeline]
        self.bills = [wider(due) for due in self.bills]

    def on_order(self) -> FloatArray:
        """Units ordered and not yet delivered, shape (fleets, chips, purposes)."""
        return np.asarray(sum(self.pipeline, np.zeros_like(self.units)))

    def inference_units(self) -> FloatArray:
        """Units that serve tokens, bought for dense or sparse models, shape (fleets, chips)."""
        return np.asarray(self.units[:, :, DENSE] + self.units[:, :, SPARSE])

    def serving_units(self, ceiling: float) -> FloatArray:
        """Units that serve tokens, or could if none does yet: what other work leaves idle, shape (fleets, chips)."""
        serving = self.inference_units()
        idle = np.maximum(1.0 - self.use / ceiling, 0.0)
        for fleet in np.flatnonzero(serving.sum(axis=1) <= 0.0):
            serving[fleet] = self.units[fleet] @ idle[fleet]
        return np.asarray(serving)

    def mean_use(self) -> FloatArray:
        """Hours demanded of each whole fleet in the last quarter over all its hours, shape (fleets,)."""
        total = self.units.sum(axis=(1, 2)) * HOURS_PER_QUARTER
        done = self.hours_demanded.sum(axis=1)
        return np.asarray(np.divide(done, total, out=np.zeros_like(total), where=total > 0.0))

    def ask(
        self, buyer: IntArray, purpose: IntArray, chips: IntArray, orders: FloatArray, shipped: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Note the orders of first choice; what was shipped, (fleets, chips, purposes), and of each chip, (fleets, chips).

        ``orders`` and ``shipped`` are units of each of some ``chips`` for each row of a ``buyer`` and a ``purpose``,
        shape (rows, chips).
        """
        placed, count = np.zeros_like(self.units), np.zeros_like(self.paid)
        _ask(buyer, purpose, chips, orders, shipped, self.wanted, placed, count)
        return placed, count

    def place(self, orders: FloatArray, due: FloatArray, lead: int) -> None:
        """Put shipped orders, (fleets, chips, purposes), on their way; they arrive after ``lead`` quarters.

        Their price is that of the order: ``due``, USD (fleets, chips), is paid when they arrive.
        """
        while len(self.pipeline) < lead:
            self.pipeline.append(np.zeros_like(self.units))
            self.bills.append(np.zeros_like(self.paid))
        self.pipeline[lead - 1] += orders
        self.bills[lead - 1] += due

    def receive(self) -> tuple[FloatArray, FloatArray]:
        """Install what arrives this quarter; returns it, (fleets, chips, purposes), and what is due, (fleets, chips)."""
        if not self.pipeline:
            return np.zeros_like(self.units), np.zeros_like(self.paid)
        arrived, due = self.pipeline.pop(0), self.bills.pop(0)
        self.units += arrived
        return arrived, due

    def deliver(
        self, legal: BoolArray, maker: IntArray, makers: int, unit_cost: FloatArray, tdp_w: FloatArray
    ) -> Delivery:
        """Take delivery of what arrives this quarter where it is ``legal``, (fleets, chips); the rest is lost.

        ``maker`` numbers the maker of each chip, ``unit_cost`` is USD and ``tdp_w`` rated power in W, (chips,) each.
        """
        arrived, due = self.receive()
        return Delivery(
            *_deliver(
                arrived, due, legal, maker, makers, unit_cost, tdp_w, self.units, self.delivered, self.paid
            )
        )

    def units_by_maker(self, maker: IntArray, makers: int) -> FloatArray:
        """Units installed of each maker's chips, shape (fleets, makers); ``maker`` numbers that of each chip."""
        return np.asarray(_by_maker(self.units, maker, makers))

    def retire(self, share: float) -> None:
        """Take ``share`` of every chip out of service; racks leave with the chips in them."""
        self.units -= self.units * share
        self.racks *= 1.0 - share
        self.ports *= 1.0 - share


@dataclass(frozen=True)
class Delivery:
    """What was delivered in a quarter: ``units`` and their ``price``, USD, by maker, shape (fleets, makers).

    What it cost to ``make``, USD, (makers,). By purpose, (fleets, purposes): ``count`` of chips, their rated power,
    ``watts``, and what was paid for them, ``value``, USD.
    """

    units: FloatArray
    price: FloatArray
    make: FloatArray
    count: FloatArray
    watts: FloatArray
    value: FloatArray


@kernel
def _ask(
    buyer: Any, purpose: Any, chips: Any, orders: Any, shipped: Any, wanted: Any, placed: Any, count: Any
) -> None:  # pragma: no cover - compiled
    """Write down orders and what was shipped of them, by row, where they belong."""
    wanted[:] = 0.0
    for i in range(len(buyer)):
        f, w = buyer[i], purpose[i]
        for j in range(len(chips)):
            c = chips[j]
            wanted[f, c, w] = orders[i, j]
            placed[f, c, w] = shipped[i, j]
            count[f, c] += shipped[i, j]


@kernel
def _deliver(
    arrived: Any,
    due: Any,
    legal: Any,
    maker: Any,
    makers: Any,
    unit_cost: Any,
    tdp_w: Any,
    units: Any,
    delivered: Any,
    paid: Any,
) -> Any:  # pragma: no cover - compiled
    """The numbers of a :class:`Delivery`; writes ``delivered`` and ``paid``, takes what is not legal off ``units``."""
    fleets, chips, purposes = arrived.shape
    bought, money, make = np.zeros((fleets, makers)), np.zeros((fleets, makers)), np.zeros(makers)
    count, watts, value = (
        np.zeros((fleets, purposes)),
        np.zeros((fleets, purposes)),
        np.zeros((fleets, purposes)),
    )
    delivered[:] = 0.0
    for f in range(fleets):
        for c in range(chips):
            total = 0.0
            for w in range(purposes):
                total += arrived[f, c, w]
            if total <= 0.0:
                continue
            if not legal[f, c]:
                for w in range(purposes):
                    units[f, c, w] -= arrived[f, c, w]
                continue
            paid[f, c] = due[f, c] / total
            bought[f, maker[c]] += total
            money[f, maker[c]] += due[f, c]
            make[maker[c]] += total * unit_cost[c]
            for w in range(purposes):
                some = arrived[f, c, w]
                delivered[f, c, w] = some
                count[f, w] += some
                watts[f, w] += some * tdp_w[c]
                value[f, w] += some * paid[f, c]
    return bought, money, make, count, watts, value


@kernel
def _by_maker(units: Any, maker: Any, makers: Any) -> Any:  # pragma: no cover - compiled
    """Units of each maker's chips, shape (fleets, makers)."""
    result = np.zeros((len(units), makers))
    for f in range(units.shape[0]):
        for c in range(units.shape[1]):
            for w in range(units.shape[2]):
                result[f, maker[c]] += units[f, c, w]
    return result


class _Part:
    """One fleet's part of an array of all fleets, live."""

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, fleet: Fleet, _: type) -> FloatArray:
        part: FloatArray = getattr(fleet._all, self._name)[fleet.number]
        return part

    def __set__(self, fleet: Fleet, value: FloatArray) -> None:
        getattr(fleet._all, self._name)[fleet.number] = value


class _Number:
    """One fleet's number of an array of all fleets."""

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, fleet: Fleet, _: type) -> float:
        return float(getattr(fleet._all, self._name)[fleet.number])

    def __set__(self, fleet: Fleet, value: float) -> None:
        getattr(fleet._all, self._name)[fleet.number] = value


class Fleet:
    """What one owner runs: a view of its part of :class:`Fleets`, where the fields are explained.

    Shapes lack the first axis: ``units`` is (chips, purposes).
    """

    units = _Part()
    wanted = _Part()
    delivered = _Part()
    paid = _Part()
    hours_demanded = _Part()
    hours_used = _Part()
    use = _Part()
    racks = _Part()
    ports = _Part()
    power_usd_per_kwh = _Number()
    pue = _Number()
    cost_of_capital = _Number()

    def __init__(self, fleets: Fleets, number: int, owner: str, region: int, origin: str) -> None:
        self._all = fleets
        self.number = number
        self.owner = owner
        self.region = region
        self.origin = origin

    @property
    def pipeline(self) -> list[FloatArray]:
        """Its orders on their way, shape (chips, purposes) each."""
        return [orders[self.number] for orders in self._all.pipeline]

    def on_order(self) -> FloatArray:
        """Units ordered and not yet delivered, shape (chips, purposes)."""
        return np.sum(self.pipeline, axis=0) if self._all.pipeline else np.zeros_like(self.units)

    def inference_units(self) -> FloatArray:
        """Units that serve tokens, bought for dense or sparse models, shape (chips,)."""
        return np.asarray(self.units[:, DENSE] + self.units[:, SPARSE])

    def hours_available(self, ceiling: float) -> FloatArray:
        """Chip hours that the quarter offers to each purpose at the ceiling of use, shape (purposes,)."""
        return np.asarray(self.units.sum(axis=0) * HOURS_PER_QUARTER * ceiling)
