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
from model.ledger import Kind
from model.order import choose, place_orders
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
    on_sale = np.flatnonzero(active[catalogue.chips.maker] & (catalogue.chips.until > market.t))
    maker = catalogue.chips.maker[on_sale]
    work = market.outlook.work[on_sale].T
    hours = life_hours(p)
    forecast = cloud.forecast(market)
    capacity = cloud.capacity(market, forecast)
    needed = needed_work(forecast, capacity, p.target_utilisation, p.order_speed)
    useful = may_buy(market)[:, None, on_sale] & (work > 0.0)
    owner, purpose = np.nonzero((needed > 0.0) & useful.any(axis=2))
    # An hour of a short fleet earns the rental that its expected use makes (``model/cost.py``).
    use = (forecast / np.maximum(capacity, TINY))[owner, purpose]
    rental = shadow_rental(use, 1.0, p.target_utilisation, p.rental_convexity)
    rental = np.minimum(rental, p.rental_ceiling)[:, None]
    worth = (value_of_work(market)[:, None] * hours * work)[purpose] * rental
    with np.errstate(divide="ignore"):
        home = p.chip_alpha * np.log(worth) + cloud.tastes(market)[owner][:, maker]
        per_work = 1.0 / (work * HOURS_PER_QUARTER * p.target_utilisation)
    tdp_kw = catalogue.column("tdp_w")[on_sale] / WATTS_PER_KW
    power = tdp_kw * hours * (fleets.pue * fleets.power_usd_per_kwh)[:, None]
    return ChipNeeds(
        buyer=owner,
        purpose=purpose,
        chips=on_sale,
        maker=_without_gaps(maker),
        need=needed[owner, purpose],
        home=np.where(useful[owner, purpose], home, -np.inf),
        opex=np.asarray(with_surroundings(power, p))[owner],
        units_per_work=np.where(work > 0.0, per_work, 0.0)[purpose],
        worth=worth,
    )


def _without_gaps(maker: IntArray) -> IntArray:
    """The numbers of those makers that have a chip in a table, from 0 and without gaps, shape (chips,)."""
    return np.asarray((np.cumsum(np.bincount(maker) > 0) - 1)[maker])


def procure(market: Market) -> None:
    """The fourth event: old fleet retires, deliveries arrive, orders are placed and rationed, spare chips move."""
    p, fleets, needs = market.parameters, market.fleets, market.needs
    fleets.retire(p.retirement_rate)
    _receive(market)
    price = market.catalogue.chips.price
    orders, shipped = _order(market, rebate.applied(market, needs), price[needs.chips])
    row = (needs.buyer[:, None], needs.chips, needs.purpose[:, None])
    placed = np.zeros_like(fleets.units)
    fleets.wanted[:] = 0.0
    fleets.wanted[row], placed[row] = orders, shipped
    fleets.place(placed, placed.sum(axis=2) * rebate.paid(market, price), int(p.lead_time_quarters))
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
    line = (chips.maker * len(GRADES) + chips.grade)[needs.chips]
    capacity = np.array([maker.capacity[grade] for maker in makers for grade in GRADES])
    home, home_later = mandate.weighed(market, needs, price, decide_chips)
    first, shipped, load = place_orders(
        needs.need,
        home,
        home_later,
        *_terms(needs, p),
        price,
        (p.chip_alpha, *chip_nests(p)),
        line,
        capacity,
        int(p.order_rounds),
    )
    for maker, of_grade in zip(makers, load.reshape(-1, len(GRADES)).tolist(), strict=True):
        maker.load = dict(zip(GRADES, of_grade, strict=True))
    return first, mandate.accepted(market, needs, price, shipped)


def _receive(market: Market) -> None:
    """Install and pay for what arrives; what a rule has caught is never delivered."""
    p, fleets, catalogue, ledger = market.parameters, market.fleets, market.catalogue, market.ledger
    chips, makers = catalogue.chips, list(market.chipmakers.values())
    arrived, due = fleets.receive()
    legal = may_buy(market, on_order=True)
    fleets.units -= np.where(legal[:, :, None], 0.0, arrived)
    fleets.delivered = np.where(legal[:, :, None], arrived, 0.0)
    count = fleets.delivered.sum(axis=2)
    if not count.any():
        return
    bill = np.where(count > 0.0, due, 0.0)
    price = np.divide(bill, count, out=np.zeros_like(bill), where=count > 0.0)
    np.copyto(fleets.paid, price, where=count > 0.0)
    of_maker = (chips.maker[:, None] == np.arange(len(makers))).astype(np.float64)
    units, money = count @ of_maker, bill @ of_maker
    owners = np.array([ledger.index(name) for name in market.clouds])
    sellers = np.array([ledger.index(maker.name) for maker in makers])
    suppliers = ledger.index("suppliers")
    ledger.pay_many(owners[:, None], sellers, Kind.CHIPS, money)
    ledger.pay_many(sellers, suppliers, Kind.CHIP_MAKING, (count * chips.unit_cost).sum(axis=0) @ of_maker)
    racks = cloud.install(fleets, fleets.delivered, price, catalogue.column("tdp_w"), p)
    ledger.pay_many(owners, suppliers, Kind.RACKS, racks)
    edges = chip_edges(market)
    goods, paid = np.zeros((2, len(edges.edges)))
    goods[edges.at[edges.permitted]] = units[edges.permitted]
    paid[edges.at[edges.permitted]] = money[edges.permitted]
    market.graph.add_flows(edges.edges, goods, paid)
    for maker, made in zip(makers, units.sum(axis=0).tolist(), strict=True):
        maker.made += made
    market.owners.qualify(units, p)
