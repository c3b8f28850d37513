"""The day's work and its payment: fleets do what they can, and every token, hour, service and watt is paid for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from model.catalogue import SECONDS_PER_HOUR
from model.fleet import HOURS_PER_QUARTER, Fleet
from model.hosting import delivered_rates, hours_per_mtok, purpose_of
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
from model.ledger import Kind
from model.offer import Offer
from model.place import CAPTIVE, DENSE, PURPOSES, SPARSE, TRAINING
from model.procurement import reassignment

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]


class Host(Protocol):
    """Who runs a fleet: what is asked of it, in reference units of work by purpose, is kept in ``work``."""

    name: str
    fleet: Fleet
    work: FloatArray


FLOP_PER_PETAFLOP = 1e15
INFERENCE = (DENSE, SPARSE)


@dataclass
class Training:
    """Training hours that a vendor bought on one fleet this quarter, at USD an hour."""

    host: str
    wanted: float
    price: float
    served: float = 0.0


@dataclass
class Traffic:
    """What each fleet was asked to do and did this quarter.

    ``training`` by vendor, ``host_of`` where each trains; ``captive_hours`` by owner, chip hours served of training
    and other work, (2,); ``services`` sold by seller, USD.
    """

    training: dict[str, Training] = field(default_factory=dict)
    captive_hours: dict[str, FloatArray] = field(default_factory=dict)
    services: dict[str, float] = field(default_factory=dict)
    host_of: dict[str, str] | None = None

    def load(self, market: Market, owner: Host, offers: Sequence[Offer]) -> FloatArray:
        """Put the quarter's work on one fleet; returns the share served by purpose, shape (purposes,)."""
        p, fleet = market.parameters, owner.fleet
        captive = market.captive_work(owner.name)
        demanded, own, rate = self._demanded(market, owner, offers, captive)
        if _pooled(demanded)[DENSE] > _pooled(fleet.hours_available(p.target_utilisation))[DENSE]:
            # What other work leaves idle, and the part of it that gives way to paying customers, serves tokens
            # within the quarter.
            firm = demanded.copy()
            other = [TRAINING, CAPTIVE]
            kept = np.minimum(demanded, fleet.hours_available(p.target_utilisation))[other]
            firm[other] = kept * (1.0 - p.yielding_share)
            full = HOURS_PER_QUARTER * p.target_utilisation
            fleet.units = reassignment(fleet.units, firm, full, 1.0, market.outlook.suitability)
            demanded, own, rate = self._demanded(market, owner, offers, captive)
        available = fleet.hours_available(p.ceiling_utilisation)
        share = _shares(demanded, available)
        fleet.hours_demanded, fleet.hours_used = demanded, demanded * share
        total = _pooled(fleet.units.sum(axis=0)) * HOURS_PER_QUARTER
        use = np.divide(_pooled(demanded), total, out=np.zeros_like(total), where=total > 0.0)
        fleet.use = use if market.t == 0 else fleet.use + p.use_smoothing * (use - fleet.use)
        # Captive work that no chip of the pool can do is still work: forecasts count it.
        owner.work = np.where(rate > 0.0, demanded * rate, captive)
        self.captive_hours[owner.name] = (own * share)[[TRAINING, CAPTIVE]]
        for order in self._orders(market, owner):
            order.served = order.wanted * float(share[TRAINING])
        return share

    def _demanded(
        self, market: Market, owner: Host, offers: Sequence[Offer], captive: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Chip hours wanted of each pool, those for the owner's other business, and the pools' rates of work."""
        demanded = np.zeros(len(PURPOSES))
        wanted = [offer for offer in offers if offer.demanded > 0.0]
        rates = delivered_rates([offer.model for offer in wanted], market.catalogue, market.outlook.maturity)
        hours = hours_per_mtok(owner.fleet.inference_units(), rates).tolist()
        for offer, each in zip(wanted, hours, strict=True):
            offer.hours_per_mtok = each
            demanded[purpose_of(offer.model)] += offer.demanded * each
        rate = pool_rates(market, owner)
        own = np.divide(captive, rate, out=np.zeros_like(captive), where=rate > 0.0)
        own[[DENSE, SPARSE]] = 0.0
        demanded += own
        for order in self._orders(market, owner):
            demanded[TRAINING] += order.wanted
        return demanded, own, rate

    def _orders(self, market: Market, owner: Host) -> list[Training]:
        if self.host_of is None:
            training = [v for v in market.vendors.values() if v.active and v.training_budget > 0.0]
            self.host_of = {vendor.name: vendor.host() for vendor in training}
        mine = [vendor for vendor, host in self.host_of.items() if host == owner.name]
        for vendor in mine:
            if vendor not in self.training:
                price = training_price(market, owner)
                budget = market.vendors[vendor].training_budget
                wanted = budget / price if np.isfinite(price) and price > 0 else 0.0
                self.training[vendor] = Training(owner.name, wanted, price)
        return [self.training[vendor] for vendor in mine]


def pool_rates(market: Market, owner: Host) -> FloatArray:
    """Mean reference work a chip hour of the fleet's pools, shape (purposes,); 0 of an empty pool."""
    units = owner.fleet.units.copy()
    units[:, INFERENCE] = owner.fleet.inference_units()[:, None]
    total = units.sum(axis=0)
    work = (units * market.outlook.work).sum(axis=0)
    return np.asarray(np.divide(work, total, out=np.zeros_like(work), where=total > 0.0))


def training_price(market: Market, owner: Host) -> float:
    """USD of a training hour: research rents by contract, at the full cost of the hour and the host's mark-up."""
    if owner.fleet.units[:, TRAINING].sum() <= 0.0:
        return float("inf")
    return owner.fleet.mean_over(market.hour_costs.of(owner.fleet).full, TRAINING) * (
        1.0 + market.parameters.hosting_markup
    )


def _pooled(hours: FloatArray) -> FloatArray:
    """The same with dense and sparse inference added up in both places."""
    pooled = hours.copy()
    pooled[list(INFERENCE)] = hours[list(INFERENCE)].sum()
    return pooled


def _shares(demanded: FloatArray, available: FloatArray) -> FloatArray:
    """Share of the demand served by purpose: all, or what the pool's hours allow."""
    wanted, offered = _pooled(demanded), _pooled(available)
    return np.divide(offered, wanted, out=np.ones_like(wanted), where=wanted > offered)


def settle(market: Market) -> None:
    """The seventh event."""
    _pay_tokens(market)
    _pay_hours(market)
    _pay_services(market)
    _pay_running(market)
    _add_up_margins(market)
    check(market)


def _add_up_margins(market: Market) -> None:
    """What each seller's lines brought: on tokens, on services, and what its models brought their owners."""
    for firm in [*market.vendors.values(), *market.clouds.values()]:
        firm.token_margin = firm.owners_margin = 0.0
        firm.service_margin = market.traffic.services.get(firm.name, 0.0) * market.parameters.service_margin
    parent = {name: market.parent_of(name) for name in market.vendors}
    for offer in market.offers:
        if offer.served <= 0.0:
            continue
        setter, host = market.firms[offer.setter], market.clouds[offer.host]
        earned = (offer.price - offer.unit_cost) * offer.served
        setter.token_margin += earned
        if host is not setter:
            host.token_margin += (offer.transfer - offer.resource) * offer.served
        maker = market.vendors[offer.model.vendor]
        if offer.model.open_weights and parent[maker.name] == offer.setter:
            maker.owners_margin += earned


def _kind(offer: Offer) -> Kind:
    if offer.channel == "api":
        return Kind.TOKENS
    return Kind.HOSTING if offer.setter == offer.seller else Kind.PARTNER_HOSTING


def _accounts(market: Market, sellers: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Accounts of the segments (1, nodes) and of sellers (sellers, 1), that pay and are paid as a matrix."""
    nodes = np.array([market.ledger.index(node) for node in market.nodes], dtype=np.int64)
    firms = np.array([market.ledger.index(seller) for seller in sellers], dtype=np.int64)
    return nodes[None, :], firms[:, None]


def _pay_tokens(market: Market) -> None:
    """Segments pay sellers; resellers pass the vendor's part on."""
    ledger, graph, p = market.ledger, market.graph, market.parameters
    offers = market.offers.offers
    sold = market.node_of_cell @ market.demand.served
    sellers = list(dict.fromkeys(offer.seller for offer in offers if offer.served > 0.0))
    row = {seller: i for i, seller in enumerate(sellers)}
    units = np.zeros((len(sellers), len(market.nodes)))
    money = {kind: np.zeros_like(units) for kind in EDGES["tokens"]}
    for j, offer in enumerate(offers):
        if offer.served > 0.0:
            units[row[offer.seller]] += sold[:, j]
            money[_kind(offer)][row[offer.seller]] += sold[:, j] * offer.price
    for kind, paid in money.items():
        ledger.pay_many(*_accounts(market, sellers), kind, paid)
    graph.flow_between(sellers, market.nodes, "tokens", units, np.sum(list(money.values()), axis=0))
    overhead = units.sum(axis=1) * p.serving_overhead_usd_per_mtok
    ledger.pay_many(
        [ledger.index(seller) for seller in sellers], ledger.index("utilities"), Kind.NETWORK, overhead
    )
    for offer in offers:
        if offer.served <= 0.0:
            continue
        hours = offer.served * offer.hours_per_mtok
        if offer.seller != offer.setter:
            royalty = max(offer.price - offer.transfer, 0.0) * offer.served
            ledger.pay(offer.seller, offer.setter, Kind.ROYALTY, royalty)
            graph.flow(offer.setter, offer.seller, "hosting", hours, royalty)
        elif offer.host != offer.seller:
            fee = (offer.transfer - p.serving_overhead_usd_per_mtok) * offer.served
            ledger.pay(offer.seller, offer.host, Kind.COMPUTE, fee)
            graph.flow(offer.host, offer.seller, "hosting", hours, fee)
        elif offer.model.vendor != offer.seller:
            graph.flow(offer.model.vendor, offer.seller, "hosting", hours, 0.0)
        margin = offer.price - offer.unit_cost
        offer.expected_margin += p.margin_smoothing * (margin - offer.expected_margin)


def _pay_hours(market: Market) -> None:
    """Vendors pay for training hours; owners' other businesses pay for captive work."""
    p = market.parameters
    for name, order in market.traffic.training.items():
        if order.served <= 0.0:
            market.vendors[name].train(0.0)  # a host without a training chip has no price for it either
            continue
        money = order.served * order.price
        market.ledger.pay(name, order.host, Kind.TRAINING, money)
        if not market.graph.permitted(order.host, name, "hosting"):
            market.graph.permit(order.host, name, "hosting", role="training")
        market.graph.flow(order.host, name, "hosting", order.served, money)
        rate = pool_rates(market, market.clouds[order.host])[TRAINING]
        market.vendors[name].train(order.served * SECONDS_PER_HOUR * rate * FLOP_PER_PETAFLOP)
    for name, hours in market.traffic.captive_hours.items():
        costs, fleet = market.hour_costs.of(market.clouds[name].fleet), market.clouds[name].fleet
        for done, purpose in zip(hours, (TRAINING, CAPTIVE), strict=True):
            if done > 0.0:
                price = fleet.mean_over(costs.full, purpose) * (1.0 + p.captive_markup)
                market.ledger.pay("other business", name, Kind.CAPTIVE, done * price)


def _pay_services(market: Market) -> None:
    """Applications buy fine-tuning, retrieval, security and integration from those who serve them."""
    p, offers = market.parameters, market.offers.offers
    applications = market.node_of_cell @ market.applications()
    sold = market.node_of_cell @ market.demand.served
    pull: dict[str, FloatArray] = {}
    for j, offer in enumerate(offers):
        if offer.served > 0.0 and not offer.at_cost:
            effort = market.firms[offer.seller].service_effort
            pull[offer.seller] = pull.get(offer.seller, 0.0) + sold[:, j] * effort
    if not pull:
        return
    sellers, weight = list(pull), np.array(list(pull.values()))
    tokens = sold.sum(axis=1)
    # Mean effort behind the tokens of a segment: more effort finds more to sell.
    effort = np.divide(weight.sum(axis=0), tokens, out=np.zeros_like(tokens), where=tokens > 0.0)
    spend = (
        applications
        * p.service_usd_per_application
        * (effort / p.service_effort_start) ** p.service_elasticity
    )
    # By what was asked for: a shortage does not make a customer dearer.
    asked = market.region_of_cell @ market.demand.demanded.sum(axis=1)
    spent = market.region_of_node @ spend
    market.service_value = np.divide(spent, asked, out=market.service_value.copy(), where=asked > 0.0)
    before = np.array([market.service_customers.get(seller, np.zeros_like(tokens)) for seller in sellers])
    share = service_shares(before, weight, p.service_contested_share)
    market.service_customers.update(zip(sellers, share, strict=True))
    money = share * spend
    for i, n in np.argwhere(money > 0.0):
        if not market.graph.permitted(sellers[i], market.nodes[n], "services"):
            market.graph.permit(sellers[i], market.nodes[n], "services")
    market.ledger.pay_many(*_accounts(market, sellers), Kind.SERVICES, money)
    market.graph.flow_between(sellers, market.nodes, "services", money, money)
    for seller, earned in zip(sellers, money.sum(axis=1).tolist(), strict=True):
        market.traffic.services[seller] = earned
        market.ledger.pay(seller, "staff", Kind.SERVICE_STAFF, earned * (1.0 - p.service_margin))


def service_shares(before: FloatArray, weight: FloatArray, contested: float) -> FloatArray:
    """Sellers' shares of each segment's services, shape (sellers, nodes).

    Integration is a relationship: only the ``contested`` part of it is up for choice in a quarter, and goes by
    ``weight``, the tokens of a seller and its effort on services; the rest stays as it was, ``before``.
    """
    total, kept = weight.sum(axis=0), before.sum(axis=0)
    chosen = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0.0)
    stayed = np.divide(before, kept, out=chosen.copy(), where=kept > 0.0)
    return np.asarray((1.0 - contested) * stayed + contested * chosen)


def _pay_running(market: Market) -> None:
    """Power and staff of every fleet: idle hours cost too."""
    for name, owner in market.clouds.items():
        costs, fleet = market.hour_costs.of(owner.fleet), owner.fleet
        installed = fleet.units.sum(axis=1) * HOURS_PER_QUARTER
        working = fleet.units @ fleet.hours_per_unit()
        power = float(working @ costs.working_power + installed @ costs.idle_power)
        everything = float(working @ costs.avoidable + installed @ costs.standing)
        market.ledger.pay(name, "utilities", Kind.POWER, power)
        market.ledger.pay(name, "staff", Kind.STAFF, max(everything - power, 0.0))


EDGES = {
    "tokens": (Kind.TOKENS, Kind.HOSTING, Kind.PARTNER_HOSTING),
    "hosting": (Kind.COMPUTE, Kind.TRAINING, Kind.ROYALTY),
    "chips": (Kind.CHIPS,),
    "services": (Kind.SERVICES,),
}
"""Which payments flow along which edges of the graph."""


def check(market: Market) -> None:
    """The identities of DESIGN section 4 beside those of the ledger: a broken one stops the run."""
    quarter, demand = market.quarter, market.demand
    names = [" ".join(offer.key) for offer in market.offers]
    sold = market.offers.served
    tokens_balance(quarter, sold, demand.served.sum(axis=0), labels=names)
    nothing_negative(quarter, demanded=demand.demanded, served=demand.served)
    nothing_nan(quarter, prices=market.offers.price, demanded=demand.demanded)
    for edge, kinds in EDGES.items():
        money, wanted = market.graph.money(edge), market.ledger.between(*kinds)
        edges_carry_ledger(quarter, money, wanted, identity=f"the {edge} edges carry the ledger")
    ceiling = market.parameters.ceiling_utilisation
    for name, owner in market.clouds.items():
        held = {"units": owner.fleet.units, "orders": owner.fleet.on_order(), "racks": owner.fleet.racks}
        nothing_negative(quarter, TOLERANCE, **{f"{what} of {name}": array for what, array in held.items()})
        available = owner.fleet.hours_available(ceiling)
        within_capacity(quarter, _pooled(owner.fleet.hours_used), _pooled(available), labels=list(PURPOSES))
    used = [_pooled(owner.fleet.hours_used)[list(POOLS)] for owner in market.clouds.values()]
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


POOLS = (TRAINING, CAPTIVE, DENSE)
"""Purposes with hours of their own; sparse inference is counted with dense."""


def _hours_served(market: Market) -> FloatArray:
    """Chip hours of all work that each fleet served, shape (clouds, pools)."""
    row = {name: i for i, name in enumerate(market.clouds)}
    hours = np.zeros((len(row), len(POOLS)))
    for name, own in market.traffic.captive_hours.items():
        hours[row[name], :2] += own
    for order in market.traffic.training.values():
        hours[row[order.host], 0] += order.served
    for offer in market.offers:
        if offer.served > 0.0:
            hours[row[offer.host], 2] += offer.served * offer.hours_per_mtok
    return hours


def _chips_received(market: Market) -> dict[tuple[str, str], float]:
    """Chips that fleets installed this quarter, by (maker, buyer)."""
    received: dict[tuple[str, str], float] = {}
    for name, owner in market.clouds.items():
        for chip, units in zip(
            market.catalogue.chips, owner.fleet.delivered.sum(axis=1).tolist(), strict=False
        ):
            pair = chip.spec.maker, name
            received[pair] = received.get(pair, 0.0) + units
    return received
