"""The day's payment: every token, hour, service and watt is paid for along the graph and through the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from model.audit import Audit
from model.catalogue import SECONDS_PER_HOUR
from model.fleet import HOURS_PER_QUARTER
from model.ledger import NUMBER, Kind
from model.memo import Memo
from model.offer import Lines
from model.place import CAPTIVE, DENSE, SPARSE, TRAINING
from model.traffic import mean_over

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FLOP_PER_PETAFLOP = 1e15
SOLD_AS = (Kind.TOKENS, Kind.HOSTING, Kind.PARTNER_HOSTING)
"""What segments pay sellers for: a vendor's own tokens, an open model's, a partner's."""


@dataclass(frozen=True)
class Contracts:
    """What is passed on of each offer's revenue, shape (offers,) each.

    ``sold_as`` is a position in ``SOLD_AS``, ``maker`` the firm whose model it is. A hosting edge leads from ``giver`` to
    the seller (-1: the seller does all itself); along it a royalty or the fee for computing (``paid_as``, a number of
    a kind) is paid, or nothing (-1).
    """

    sold_as: IntArray
    maker: IntArray
    giver: IntArray
    paid_as: IntArray

    @classmethod
    def of(cls, lines: Lines, maker: IntArray, vendors: BoolArray) -> Contracts:
        """Those of the offers on the list; ``maker`` by offer, ``vendors`` says which firms sell their own tokens."""
        resold, hosted = lines.seller != lines.setter, lines.seller != lines.host
        giver = np.where(resold, lines.setter, np.where(hosted, lines.host, maker))
        giver[giver == lines.seller] = -1
        paid_as = np.where(resold, NUMBER[Kind.ROYALTY], np.where(hosted, NUMBER[Kind.COMPUTE], -1))
        on_own_account = np.where(resold, SOLD_AS.index(Kind.PARTNER_HOSTING), SOLD_AS.index(Kind.HOSTING))
        sold_as = np.where(vendors[lines.seller], SOLD_AS.index(Kind.TOKENS), on_own_account)
        return cls(sold_as, maker, giver, paid_as)


class Settlement:
    """Who pays whom: the accounts and nodes of firms, segments and fleets, as numbers.

    ``payer``, ``payee`` (accounts), ``source`` and ``target`` (nodes of the graph) are those of what every segment
    buys of every firm, shape (firms x segments,); ``all_...`` the same for each kind of ``SOLD_AS``.
    """

    def __init__(self, market: Market) -> None:
        ledger, graph, firms, nodes = market.ledger, market.graph, list(market.firms), market.nodes
        self.account = np.array([ledger.index(name) for name in firms])
        self.node = np.array([graph.number(name) for name in firms])
        self.hosts = [fleet.owner for fleet in market.fleets]
        self.fleet_firm = np.array([market.firm_number[name] for name in self.hosts])
        self.cell_node = np.argmax(market.node_of_cell, axis=0)
        self.node_region = np.argmax(market.region_of_node, axis=0)
        self.payee, self.source = (np.repeat(of_firm, len(nodes)) for of_firm in (self.account, self.node))
        self.payer = np.tile([ledger.index(name) for name in nodes], len(firms))
        self.target = np.tile([graph.number(name) for name in nodes], len(firms))
        self.all_payers, self.all_payees = (np.tile(ends, len(SOLD_AS)) for ends in (self.payer, self.payee))
        self.all_kinds = np.repeat([NUMBER[kind] for kind in SOLD_AS], len(self.payer))
        self.utilities, self.staff, self.other_business = (
            ledger.index(name) for name in ("utilities", "staff", "other business")
        )
        self._kinds: dict[tuple[Kind, int], IntArray] = {}
        self.vendors = np.array([name in market.vendors for name in firms])
        self.vendor_firm = np.flatnonzero(self.vendors)
        self._maker = np.zeros(0, dtype=np.int64)
        self._contracts: Memo[Contracts] = Memo()
        self._parents: Memo[IntArray] = Memo()
        self._audit = Audit(market)

    def kinds(self, kind: Kind, count: int) -> IntArray:
        """The number of a kind, as often as needed."""
        known = self._kinds.get((kind, count))
        if known is None:
            self._kinds[kind, count] = known = np.full(count, NUMBER[kind])
        return known

    def makers(self, market: Market) -> IntArray:
        """The firm that makes each model of the catalogue, shape (models,)."""
        models, known = market.catalogue.models, len(self._maker)
        if known < len(models):
            new = islice(models.values(), known, None)
            self._maker = np.append(self._maker, [market.firm_number[model.vendor] for model in new])
        return self._maker

    def settle(self, market: Market) -> None:
        """The seventh event."""
        sales = self._pay_tokens(market)
        self._pay_hours(market)
        self._pay_services(market, sales)
        self._pay_running(market)
        self._add_up_margins(market, sales)
        self._audit.check(market)

    def _pay_tokens(self, market: Market) -> Sales:
        """Segments pay sellers; resellers pass the vendor's part on."""
        ledger, graph, p, book = market.ledger, market.graph, market.parameters, market.offers
        lines, overhead = book.lines, p.serving_overhead_usd_per_mtok
        contracts = self._contracts.of(
            lambda: Contracts.of(lines, self.makers(market)[lines.model], self.vendors), lines
        )
        parent = self._parents.of(lambda: _parents(market), graph.compiled("equity").version)
        sales = Sales.empty(len(self.account), len(market.nodes), len(book))
        _sell(
            market.demand.served, self.cell_node, book.served, book.price, book.unit_cost, book.transfer,
            book.resource, lines.seller, lines.setter, lines.host, lines.open_weights, lines.at_cost,
            contracts.sold_as, contracts.maker, contracts.paid_as == NUMBER[Kind.ROYALTY],
            contracts.paid_as == NUMBER[Kind.COMPUTE], parent, overhead, p.margin_smoothing, book.expected_margin,
            sales.units, sales.money, sales.lasting, sales.passed_on, sales.margin, sales.owners_margin,
        )  # fmt: skip
        ledger.enter(self.all_payers, self.all_payees, self.all_kinds, sales.money.ravel())
        graph.flow_many(
            "tokens", self.source, self.target, sales.units.ravel(), sales.money.sum(axis=0).ravel()
        )
        network = sales.units.sum(axis=1) * overhead
        ledger.enter(
            self.account,
            np.full_like(self.account, self.utilities),
            self.kinds(Kind.NETWORK, network.size),
            network,
        )
        linked = np.flatnonzero((contracts.giver >= 0) & (book.served > 0.0))
        seller, giver, money = lines.seller[linked], contracts.giver[linked], sales.passed_on[linked]
        hours = book.served[linked] * book.hours_per_mtok[linked]
        graph.flow_many("hosting", self.node[giver], self.node[seller], hours, money)
        paid = money != 0.0
        ledger.enter(
            self.account[seller[paid]],
            self.account[giver[paid]],
            contracts.paid_as[linked[paid]],
            money[paid],
        )
        return sales

    def _pay_hours(self, market: Market) -> None:
        """Vendors pay for training hours; owners' other businesses pay for captive work."""
        p, traffic, graph = market.parameters, market.traffic, market.graph
        training = traffic.training
        vendor, owner = self.vendor_firm[training.vendor], self.fleet_firm[training.host]
        petaflop = training.served * SECONDS_PER_HOUR * traffic.work_rate[training.host, TRAINING]
        for number, done in zip(vendor.tolist(), (petaflop * FLOP_PER_PETAFLOP).tolist(), strict=True):
            market.vendors[market.firm_names[number]].train(done)
        # A host without a training chip has no price for it either.
        money = np.multiply(
            training.served, training.price, out=np.zeros_like(training.price), where=training.served > 0.0
        )
        sources, targets = self.node[owner], self.node[vendor]
        for n in graph.lacking("hosting", sources, targets, training.served).tolist():
            host, name = market.firm_names[owner[n]], market.firm_names[vendor[n]]
            if not graph.permitted(host, name, "hosting"):
                graph.permit(host, name, "hosting", role="training")
        market.ledger.enter(
            self.account[vendor], self.account[owner], self.kinds(Kind.TRAINING, len(vendor)), money
        )
        graph.flow_many("hosting", sources, targets, training.served, money)
        price = mean_over(market.fleets.units, market.hour_costs.full)[:, [TRAINING, CAPTIVE]]
        captive = np.multiply(
            traffic.captive_hours, price * (1.0 + p.captive_markup), out=np.zeros_like(price),
            where=traffic.captive_hours > 0.0,
        )  # fmt: skip
        owners = np.repeat(self.account[self.fleet_firm], 2)
        market.ledger.enter(
            np.full_like(owners, self.other_business),
            owners,
            self.kinds(Kind.CAPTIVE, captive.size),
            captive.ravel(),
        )

    def _pay_services(self, market: Market, sales: Sales) -> None:
        """Applications buy fine-tuning, retrieval, security and integration from those who serve them."""
        p, ledger, graph = market.parameters, market.ledger, market.graph
        market.traffic.services[:] = 0.0
        effort = np.array([firm.service_effort for firm in market.firms.values()])
        weight = sales.lasting * effort[:, None]
        sellers = sales.lasting.any(axis=1)
        if not sellers.any():
            return
        tokens = sales.units.sum(axis=0)
        # Mean effort behind the tokens of a segment: more effort finds more to sell.
        mean_effort = np.divide(
            weight[sellers].sum(axis=0), tokens, out=np.zeros_like(tokens), where=tokens > 0.0
        )
        applications = np.bincount(self.cell_node, weights=market.applications(), minlength=len(tokens))
        spend = (
            applications
            * p.service_usd_per_application
            * (mean_effort / p.service_effort_start) ** p.service_elasticity
        )
        # By what was asked for: a shortage does not make a customer dearer.
        asked = market.region_of_cell @ market.demand.demanded.sum(axis=1)
        spent = market.region_of_node @ spend
        market.service_value = np.divide(spent, asked, out=market.service_value.copy(), where=asked > 0.0)
        share = service_shares(market.service_customers[sellers], weight[sellers], p.service_contested_share)
        market.service_customers[sellers] = share
        money = np.zeros_like(weight)
        money[sellers] = share * spend
        flat = money.ravel()
        for n in graph.lacking("services", self.source, self.target, flat).tolist():
            seller, node = divmod(n, len(tokens))
            graph.permit(market.firm_names[seller], market.nodes[node], "services")
        ledger.enter(self.payer, self.payee, self.kinds(Kind.SERVICES, flat.size), flat)
        graph.flow_many("services", self.source, self.target, flat, flat)
        earned = money.sum(axis=1)
        market.traffic.services[:] = earned
        ledger.enter(
            self.account, np.full_like(self.account, self.staff), self.kinds(Kind.SERVICE_STAFF, earned.size),
            earned * (1.0 - p.service_margin),
        )  # fmt: skip

    def _pay_running(self, market: Market) -> None:
        """Power and staff of every fleet: idle hours cost too."""
        fleets, costs = market.fleets, market.hour_costs
        power, everything = _running(
            fleets.units, fleets.hours_used, HOURS_PER_QUARTER, costs.working_power, costs.idle_power,
            costs.avoidable, costs.standing,
        )  # fmt: skip
        owners = self.account[self.fleet_firm]
        for to, kind, money in (
            (self.utilities, Kind.POWER, power),
            (self.staff, Kind.STAFF, np.maximum(everything - power, 0.0)),
        ):
            market.ledger.enter(owners, np.full_like(owners, to), self.kinds(kind, len(owners)), money)

    def _add_up_margins(self, market: Market, sales: Sales) -> None:
        """What each seller's lines brought: on tokens, on services, and what its models brought their owners."""
        services = (market.traffic.services * market.parameters.service_margin).tolist()
        for firm, token, owners, service in zip(
            market.firms.values(), sales.margin.tolist(), sales.owners_margin.tolist(), services, strict=True
        ):
            firm.token_margin, firm.owners_margin, firm.service_margin = token, owners, service


@dataclass(frozen=True)
class Sales:
    """The quarter's tokens: Mtok ``units`` of each firm to each segment and the ``money`` paid for them.

    Shapes (firms, nodes) and (``SOLD_AS``, firms, nodes). ``lasting`` are the units that bring a relationship, those not
    sold at cost. Of what sellers earned they ``passed_on`` by offer, (offers,). ``margin`` by firm, (firms,), and
    ``owners_margin`` that its open models brought its owner; USD.
    """

    units: FloatArray
    money: FloatArray
    lasting: FloatArray
    passed_on: FloatArray
    margin: FloatArray
    owners_margin: FloatArray

    @classmethod
    def empty(cls, firms: int, nodes: int, offers: int) -> Sales:
        """Nothing sold yet."""
        units, lasting = np.zeros((2, firms, nodes))
        margin, owners_margin = np.zeros((2, firms))
        return cls(
            units, np.zeros((len(SOLD_AS), firms, nodes)), lasting, np.zeros(offers), margin, owners_margin
        )


def _parents(market: Market) -> IntArray:
    """The number of each firm's parent, shape (firms,)."""
    return np.array(
        [market.firm_number.get(market.parent_of(name), -1) for name in market.firms], dtype=np.int64
    )


def service_shares(before: FloatArray, weight: FloatArray, contested: float) -> FloatArray:
    """Sellers' shares of each segment's services, shape (sellers, nodes).

    Integration is a relationship: only the ``contested`` part of it is up for choice in a quarter, and goes by
    ``weight``, the tokens of a seller and its effort on services; the rest stays as it was, ``before``.
    """
    total, kept = weight.sum(axis=0), before.sum(axis=0)
    chosen = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0.0)
    stayed = np.divide(before, kept, out=chosen.copy(), where=kept > 0.0)
    return np.asarray((1.0 - contested) * stayed + contested * chosen)


@njit(cache=True, nogil=True, error_model="numpy")
def _sell(
    served: Any, cell_node: Any, sold: Any, price: Any, unit_cost: Any, transfer: Any, resource: Any,
    seller: Any, setter: Any, host: Any, open_weights: Any, at_cost: Any, sold_as: Any, maker: Any,
    royalty: Any, fee: Any, parent: Any, overhead: Any, smoothing: Any, expected_margin: Any, units: Any,
    money: Any, lasting: Any, passed_on: Any, margin: Any, owners_margin: Any,
) -> None:  # pragma: no cover - compiled  # fmt: skip
    """Add up the sales of all offers, ``served`` (cells, offers); the results are fields of ``Sales``."""
    for s in range(served.shape[0]):
        n = cell_node[s]
        for j in range(served.shape[1]):
            if sold[j] > 0.0:
                i, tokens = seller[j], served[s, j]
                units[i, n] += tokens
                money[sold_as[j], i, n] += tokens * price[j]
                if not at_cost[j]:
                    lasting[i, n] += tokens
    for j in range(len(sold)):
        if not sold[j] > 0.0:
            continue
        if royalty[j]:
            passed_on[j] = max(price[j] - transfer[j], 0.0) * sold[j]
        elif fee[j]:
            passed_on[j] = (transfer[j] - overhead) * sold[j]
        each = price[j] - unit_cost[j]
        margin[setter[j]] += each * sold[j]
        if host[j] != setter[j]:
            margin[host[j]] += (transfer[j] - resource[j]) * sold[j]
        if open_weights[j] and parent[maker[j]] == setter[j]:
            owners_margin[maker[j]] += each * sold[j]
        expected_margin[j] += smoothing * (each - expected_margin[j])


@njit(cache=True, nogil=True, error_model="numpy")
def _running(
    units: Any,
    hours_used: Any,
    hours: Any,
    working_power: Any,
    idle_power: Any,
    avoidable: Any,
    standing: Any,
) -> Any:  # pragma: no cover - compiled
    """What each fleet's power and everything cost, USD (fleets,): its working hours, and all that it is installed for.

    Costs are USD an hour, (fleets, chips). A pool works evenly, and dense and sparse inference are one pool.
    """
    fleets, chips, purposes = units.shape
    power, everything = np.zeros(fleets), np.zeros(fleets)
    for f in range(fleets):
        pool, done = np.zeros(purposes), hours_used[f].copy()
        for c in range(chips):
            for w in range(purposes):
                pool[w] += units[f, c, w]
        pool[DENSE] = pool[SPARSE] = pool[DENSE] + pool[SPARSE]
        done[DENSE] = done[SPARSE] = done[DENSE] + done[SPARSE]
        for c in range(chips):
            working, installed = 0.0, 0.0
            for w in range(purposes):
                working += units[f, c, w] * (done[w] / pool[w] if pool[w] > 0.0 else 0.0)
                installed += units[f, c, w]
            installed *= hours
            power[f] += working * working_power[f, c] + installed * idle_power[f, c]
            everything[f] += working * avoidable[f, c] + installed * standing[f, c]
    return power, everything
