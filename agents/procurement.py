"""Buying chips: what each buyer needs, the orders of a quarter, what makers accept, and what arrives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents import cloud, mandate, rebate
from agents.outlook import value_of_work
from agents.policy import chip_edges, may_buy
from model.buyers import Buyers
from model.chip import GRADES
from model.cost import WATTS_PER_KW, shadow_rental
from model.fleet import HOURS_PER_QUARTER
from model.form import chip_nests
from model.hosting import life_hours, with_surroundings
from model.order import choose, place_orders, tabulate
from model.parameters import Parameters
from model.procurement import moved, needed_work, swapped

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TINY = 1e-12


@dataclass(frozen=True)
class ChipNeeds:
    """The procurement table of one quarter: a row for each buyer and purpose, a column for each chip on sale.

    ``buyer`` (rows,) numbers the owners of fleets, ``chips`` (chips,) the catalogue's. ``need`` (rows,) is work to buy
    for, in reference units a quarter; ``home`` (rows, chips) alpha times the log value of the work that a chip does
    over its life, with taste and qualification, -inf where it cannot be bought; ``opex`` (rows, chips) what a chip
    costs over its life beside its price, USD; ``units_per_work`` (rows, chips) chips that one unit of work a quarter
    takes; ``maker`` (chips,) the nests, numbered without gaps; ``worth`` (rows, chips) the value of the work of a chip
    over its life, USD, at which linear utility touches the log form.
    """

    buyer: IntArray
    purpose: IntArray
    chips: IntArray
    maker: IntArray
    need: FloatArray
    home: FloatArray
    opex: FloatArray
    units_per_work: FloatArray
    worth: FloatArray

    def as_buyers(self, p: Parameters) -> Buyers:
        """The same as demand that a chipmaker prices against."""
        sigma1, sigma2 = chip_nests(p)
        return Buyers(
            alpha=np.full(len(self.need), p.chip_alpha),
            mass=self.need,
            weights=self.need,
            value=self.home,
            nuisance=self.opex,
            intensity=self.units_per_work,
            model=self.maker,
            sigma1=sigma1,
            sigma2=sigma2,
            eta=0.0,
            tangent=None if p.log_price else self.tangent(),
        )

    def tangent(self) -> FloatArray:
        """Price and opex at which linear utility touches the log form, USD, 1 where a chip does no work."""
        return np.where(self.worth > 0.0, self.worth, 1.0)


def decide_chips(needs: ChipNeeds, price: FloatArray, p: Parameters) -> FloatArray:
    """Units of each chip to order for each need, shape (rows, chips).

    A nested logit, maker above chip, on the cost of a unit of work against the value of having it done, in logs
    unless utility is linear in price; the outside good is to wait. The same demand system as for tokens
    (``model/demand.py``).
    """
    return np.asarray(
        choose(needs.need, needs.home, *_terms(needs, p), price, (p.chip_alpha, *chip_nests(p)))
    )


def _terms(needs: ChipNeeds, p: Parameters) -> tuple[FloatArray, FloatArray, bool, FloatArray, IntArray]:
    """What the kernels of ``model/order.py`` read of needs beside ``need`` and ``home``."""
    linear = not p.log_price
    return needs.opex, needs.tangent() if linear else needs.worth, linear, needs.units_per_work, needs.maker


def chip_needs(market: Market) -> ChipNeeds:
    """Every buyer's needs and what each chip is to it, at this quarter's forecasts and before its prices."""
    p, catalogue, fleets = market.parameters, market.catalogue, market.fleets
    active = np.array([maker.active for maker in market.chipmakers.values()])
    on_sale = np.flatnonzero(active[catalogue.chips.maker] & catalogue.chips.on_sale(market.t))
    hours = life_hours(p)
    forecast = cloud.forecast(market)
    capacity = cloud.capacity(market, forecast)
    # An hour of a short fleet earns the rental that its expected use makes (``model/cost.py``).
    use = forecast / np.maximum(capacity, TINY)
    rental = shadow_rental(use, 1.0, p.target_utilisation, p.rental_convexity)
    watts = catalogue.column("tdp_w")[on_sale]
    power = watts / WATTS_PER_KW * hours * (fleets.pue * fleets.power_usd_per_kwh)[:, None]
    buyer, purpose, need, home, opex, per_work, worth, nest = tabulate(
        needed_work(forecast, capacity, p.target_utilisation, p.order_speed),
        may_buy(market)[:, on_sale],
        market.outlook.work[on_sale],
        value_of_work(market) * hours,
        np.minimum(rental, p.rental_ceiling),
        cloud.tastes(market),
        catalogue.chips.maker[on_sale],
        np.asarray(with_surroundings(power, p)),
        p.chip_alpha,
        HOURS_PER_QUARTER * p.target_utilisation,
    )
    return ChipNeeds(
        buyer=buyer,
        purpose=purpose,
        chips=on_sale,
        maker=nest,
        need=need,
        home=home,
        opex=opex,
        units_per_work=per_work,
        worth=worth,
    )


def procure(market: Market) -> None:
    """The fourth event: old fleet retires, deliveries arrive, orders are placed and rationed, spare chips move."""
    p, fleets, needs = market.parameters, market.fleets, market.needs
    fleets.retire(p.retirement_rate)
    _receive(market)
    price = market.catalogue.chips.price
    orders, shipped = _order(market, rebate.applied(market, needs), price[needs.chips])
    placed, count = fleets.ask(needs.buyer, needs.purpose, needs.chips, orders, shipped)
    fleets.place(placed, count * rebate.paid(market, price), int(p.lead_time_quarters))
    # Spare chips change to the work that is expected to be short of them next quarter.
    expected = cloud.expected(market, 1, planned=0)
    work, suitability = market.outlook.work, market.outlook.suitability
    fleets.units = moved(fleets.units, expected, work, suitability, p.reassignment_rate, p.target_utilisation)
    fleets.units = swapped(fleets.units, suitability, p.reassignment_rate)


def _order(market: Market, needs: ChipNeeds, price: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Orders of first choice and what makers accept, both in units, shape (rows, chips).

    Makers ration by capacity; what a maker cannot deliver goes to the next choice of its buyers.
    """
    p, chips, makers = market.parameters, market.catalogue.chips, market.chipmakers.values()
    process = chips.process[needs.chips]
    capacity = np.array([maker.capacity[grade] for maker in makers for grade in GRADES])
    home, home_later = mandate.weighed(market, needs, price, decide_chips)
    first, shipped, load = place_orders(
        needs.need,
        home,
        home_later,
        *_terms(needs, p),
        price,
        (p.chip_alpha, *chip_nests(p)),
        process,
        capacity,
        int(p.order_rounds),
    )
    for maker, of_grade in zip(makers, load.reshape(-1, len(GRADES)).tolist(), strict=True):
        maker.load = dict(zip(GRADES, of_grade, strict=True))
    return first, mandate.accepted(market, needs, price, shipped)


def _receive(market: Market) -> None:
    """Install and pay for what arrives; what a rule has caught is never delivered."""
    p, fleets, catalogue, trade = market.parameters, market.fleets, market.catalogue, chip_edges(market)
    makers, chips = market.chipmakers.values(), catalogue.chips
    legal, tdp_w = may_buy(market, on_order=True), catalogue.column("tdp_w")
    came = fleets.deliver(legal, chips.maker, len(makers), chips.unit_cost, tdp_w)
    if not came.count.any():
        return
    bill = market.chip_trade.bill
    bill.parts[0][:], bill.parts[1][:] = came.price.ravel(), came.make
    bill.parts[2][:] = cloud.install(fleets, came.count, came.watts, came.value, p)
    bill.pay(market.ledger)
    goods, paid = np.zeros((2, len(trade.edges)))
    goods[trade.at[trade.permitted]] = came.units[trade.permitted]
    paid[trade.at[trade.permitted]] = came.price[trade.permitted]
    market.graph.add_flows(trade.edges, goods, paid)
    for maker, made in zip(makers, came.units.sum(axis=0).tolist(), strict=True):
        maker.made += made
    market.owners.qualify(came.units, p)
