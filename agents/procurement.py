"""Buying chips: what each buyer needs, the orders of a quarter, what makers accept, and what arrives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents import mandate, rebate
from agents.cloud import Cloud
from agents.outlook import value_of_work
from agents.policy import may_buy
from model.buyers import Buyers, buyers, choices
from model.cost import WATTS_PER_KW, shadow_rental
from model.fleet import HOURS_PER_QUARTER
from model.form import chip_nests
from model.hosting import life_hours, with_surroundings
from model.ledger import Kind
from model.parameters import Parameters
from model.place import PURPOSES
from model.procurement import needed_work, ration, swap

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]

TINY = 1e-12


@dataclass(frozen=True)
class ChipNeeds:
    """The procurement table of one quarter: a row for each buyer and purpose, a column for each chip on sale.

    ``need`` (rows,) is work to buy for, in reference units a quarter; ``home`` (rows, chips) alpha times the
    log value of the work that a chip does over its life, with taste and qualification, -inf where it cannot
    be bought; ``opex`` (rows, chips) what a chip costs over its life beside its price, USD; ``units_per_work``
    (rows, chips) chips that one unit of work a quarter takes; ``maker`` (chips,) the nests; ``worth`` (rows, chips)
    the value of the work of a chip over its life, USD, at which linear utility touches the log form.
    """

    buyer: list[str]
    purpose: NDArray[np.int64]
    chips: NDArray[np.int64]
    maker: NDArray[np.int64]
    need: FloatArray
    home: FloatArray
    opex: FloatArray
    units_per_work: FloatArray
    worth: FloatArray

    def as_buyers(self, p: Parameters) -> Buyers:
        """The same as demand that a chipmaker prices against."""
        return buyers(
            np.full(len(self.need), p.chip_alpha),
            np.zeros(len(self.need)),
            self.need,
            np.zeros(len(self.chips)),
            self.maker,
            *chip_nests(p),
            h=self.opex,
            home=self.home,
            intensity=self.units_per_work,
            tangent=None if p.log_price else np.where(self.worth > 0.0, self.worth, 1.0),
        )


def decide_chips(needs: ChipNeeds, price: FloatArray, p: Parameters) -> FloatArray:
    """Units of each chip to order for each need, shape (rows, chips).

    A nested logit, maker above chip, on the cost of a unit of work against the value of having it done, in logs
    unless utility is linear in price; the outside good is to wait. The same demand system as for tokens
    (``model/demand.py``).
    """
    if not len(needs.need):
        return np.zeros((0, len(price)))
    chosen = choices(needs.as_buyers(p), price)
    return np.asarray(needs.need[:, None] * chosen.share * needs.units_per_work)


def chip_needs(market: Market) -> ChipNeeds:
    """Every buyer's needs and what each chip is to it, at this quarter's forecasts and before its prices."""
    p = market.parameters
    on_sale = np.array(
        [c.index for m in market.chipmakers.values() for c in m.on_sale() if m.active], dtype=np.int64
    )
    on_sale.sort()
    chips = [market.catalogue.chips[j] for j in on_sale]
    makers = list(market.chipmakers)
    maker = np.array([makers.index(chip.spec.maker) for chip in chips], dtype=np.int64)
    work = market.outlook.work[on_sale]
    tdp_kw = market.catalogue.column("tdp_w")[on_sale] / WATTS_PER_KW
    hours = life_hours(p)
    value = value_of_work(market)
    buyer: list[str] = []
    purpose: list[int] = []
    need: list[float] = []
    home: list[FloatArray] = []
    opex: list[FloatArray] = []
    worth: list[FloatArray] = []
    for owner in market.clouds.values():
        forecast, capacity = owner.forecast(), owner.capacity()
        needed = needed_work(forecast, capacity, p.target_utilisation, p.order_speed)
        eligible = may_buy(market, owner.name, chips)
        taste = owner.tastes(makers)[maker]
        fleet = owner.fleet
        beside = with_surroundings(tdp_kw * hours * fleet.pue * fleet.power_usd_per_kwh, p)
        for w in range(len(PURPOSES)):
            useful = eligible & (work[:, w] > 0.0)
            if needed[w] <= 0.0 or not useful.any():
                continue
            # An hour of a short fleet earns the rental that its expected use makes (``model/cost.py``).
            use = forecast[w] / max(capacity[w], TINY)
            rental = shadow_rental(use, 1.0, p.target_utilisation, p.rental_convexity)
            with np.errstate(divide="ignore"):
                log_value = np.log(value[w] * hours * work[:, w]) + np.log(
                    min(float(rental), p.rental_ceiling)
                )
            buyer.append(owner.name)
            purpose.append(w)
            need.append(float(needed[w]))
            home.append(np.where(useful, p.chip_alpha * log_value + taste, -np.inf))
            opex.append(np.asarray(beside))
            worth.append(np.exp(log_value))
    rows = len(need)
    index = np.array(purpose, dtype=np.int64)
    with np.errstate(divide="ignore"):
        per_work = 1.0 / (work[:, index].T * HOURS_PER_QUARTER * p.target_utilisation)
    return ChipNeeds(
        buyer=buyer,
        purpose=index,
        chips=on_sale,
        maker=maker,
        need=np.array(need),
        home=np.array(home).reshape(rows, len(chips)),
        opex=np.array(opex).reshape(rows, len(chips)),
        units_per_work=np.where(np.isfinite(per_work), per_work, 0.0).reshape(rows, len(chips)),
        worth=np.array(worth).reshape(rows, len(chips)),
    )


def procure(market: Market) -> None:
    """The fourth event: old fleet retires, deliveries arrive, orders are placed and rationed, spare chips move."""
    p = market.parameters
    needs: ChipNeeds = market.needs
    chips = market.catalogue.chips
    fleets = market.fleets
    fleets.retire(p.retirement_rate)
    fleets.wanted[:] = fleets.delivered[:] = 0.0
    arrived, due = fleets.receive()
    for owner in market.clouds.values():
        _receive(market, owner, arrived[owner.fleet.number], due[owner.fleet.number])
    price = np.array([chips[j].price for j in needs.chips])
    orders, shipped = _order(market, rebate.applied(market, needs), price)
    paid = rebate.paid(market, needs, price)
    placed, bill = np.zeros_like(fleets.units), np.zeros_like(fleets.paid)
    for row, (name, w) in enumerate(zip(needs.buyer, needs.purpose, strict=True)):
        number = market.clouds[name].fleet.number
        fleets.wanted[number, needs.chips, w] += orders[row]
        placed[number, needs.chips, w] = shipped[row]
        bill[number, needs.chips] += shipped[row] * paid[row]
    fleets.place(placed, bill, int(p.lead_time_quarters))
    for owner in market.clouds.values():
        _move_spare(market, owner)


def _order(market: Market, needs: ChipNeeds, price: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Orders of first choice and what makers accept, both in units, shape (rows, chips).

    Makers ration by capacity; what a maker cannot deliver goes to the next choice of its buyers.
    """
    p, chips = market.parameters, market.catalogue.chips
    groups = {
        (name, grade): np.array(
            [k for k, j in enumerate(needs.chips) if chips[j].spec.maker == name and chips[j].grade == grade],
            dtype=np.int64,
        )
        for name, maker in market.chipmakers.items()
        for grade in maker.capacity
    }
    left = {key: market.chipmakers[key[0]].capacity[key[1]] for key in groups}
    first = np.zeros_like(needs.home)
    shipped = np.zeros_like(needs.home)
    need, home = needs.need.copy(), needs.home.copy()
    asked = np.zeros_like(need)
    for choice in range(int(p.order_rounds)):
        wanted = mandate.orders(
            market, replace(needs, need=need, home=home), price, choice == 0, decide_chips
        )
        for key, own in groups.items():
            sent, load = ration(wanted[:, own], np.ones(len(own)), left[key])
            shipped[:, own] += sent
            left[key] -= float(sent.sum())
            if choice == 0:
                market.chipmakers[key[0]].load[key[1]] = load
            if load >= 1.0:
                home[:, own] = -np.inf
        if choice == 0:
            first = wanted
            # Those who chose to wait go on waiting: only what was ordered and refused looks further.
        work = np.divide(
            wanted, needs.units_per_work, out=np.zeros_like(wanted), where=needs.units_per_work > 0.0
        )
        done = np.divide(
            shipped, needs.units_per_work, out=np.zeros_like(wanted), where=needs.units_per_work > 0.0
        )
        if choice == 0:
            asked = work.sum(axis=1)
        need = np.maximum(asked - done.sum(axis=1), 0.0)
        if not (need > 0.0).any() or not np.isfinite(home).any():
            break
    return first, mandate.accepted(market, needs, price, shipped)


def _receive(market: Market, owner: Cloud, arrived: FloatArray, due: FloatArray) -> None:
    """Pay for what has arrived, (chips, purposes), ``due`` USD by chip; what a rule has caught is never delivered."""
    fleet = owner.fleet
    count = arrived.sum(axis=1)
    price = np.divide(due, count, out=np.zeros_like(due), where=count > 0.0)
    rows = np.flatnonzero(arrived.sum(axis=1) > 0.0)
    chips = [market.catalogue.chips[index] for index in rows]
    permitted = may_buy(market, owner.name, chips, on_order=True)
    for index, chip, legal in zip(rows, chips, permitted, strict=True):
        if not legal:
            fleet.units[index] -= arrived[index]
            continue
        fleet.delivered[index] = arrived[index]
        units = float(arrived[index].sum())
        maker = chip.spec.maker
        fleet.paid[index] = price[index]
        market.ledger.pay(owner.name, maker, Kind.CHIPS, units * price[index])
        market.graph.flow(maker, owner.name, "chips", units, units * price[index])
        market.ledger.pay(maker, "suppliers", Kind.CHIP_MAKING, units * chip.unit_cost)
        market.chipmakers[maker].made += units
    if fleet.delivered.any():
        market.ledger.pay(owner.name, "suppliers", Kind.RACKS, owner.install(fleet.delivered, price))
        delivered = dict.fromkeys((chip.spec.maker for chip in market.catalogue.chips), 0.0)
        by_chip = fleet.delivered.sum(axis=1)
        for index in np.flatnonzero(by_chip):
            delivered[market.catalogue.chips[index].spec.maker] += float(by_chip[index])
        owner.qualify(delivered)


def _move_spare(market: Market, owner: Cloud) -> None:
    """Spare chips change to the work that is expected to be short of them next quarter."""
    p = market.parameters
    fleet = owner.fleet
    expected = np.array([e.ahead(1, p.trend_damping) for e in owner.expect]) + market.captive_plan(
        owner.name, 0
    )
    fleet.units = owner.moved(fleet.units, expected, p.reassignment_rate)
    fleet.units = swap(fleet.units, market.outlook.suitability, p.reassignment_rate)
