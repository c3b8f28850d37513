"""The quarter's payments: every token, hour, service and watt is paid for along the graph and through the ledger."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.audit import Audit
from model.catalogue import SECONDS_PER_HOUR
from model.contracts import SOLD_AS, Bill, Contracts, Firms
from model.fleet import HOURS_PER_QUARTER
from model.kernel import kernel
from model.ledger import NUMBER, Kind
from model.memo import Memo
from model.place import CAPTIVE, DENSE, SPARSE, TRAINING

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FLOP_PER_PETAFLOP = 1e15


def settle(market: Market) -> None:
    """The seventh event: everything is paid, and the books are checked."""
    market.settlement.settle(market)


class Settlement:
    """Who pays whom, as numbers, and what firms earned by it in the last quarter.

    What every firm sells to every segment goes from ``source`` to ``target`` (nodes of the graph), (firms x segments,).
    ``units`` are the Mtok, ``lasting`` those that bring a relationship (not sold at cost), (firms, segments);
    ``margin`` of firms on tokens, and that which their open models brought their owners, (2, firms).
    """

    def __init__(self, market: Market) -> None:
        ledger, graph, nodes, count = market.ledger, market.graph, market.nodes, len(market.firms)
        self._firms = firms = Firms(market)
        self._owner = np.array([market.firm_number[fleet.owner] for fleet in market.fleets])
        self._vendor = np.flatnonzero(firms.vendors)
        self._node_of_cell = np.argmax(market.node_of_cell, axis=0)
        self._region_of_node = np.argmax(market.region_of_node, axis=0)
        self.source = np.repeat(firms.node, len(nodes))
        self.target = np.tile([graph.number(name) for name in nodes], count)
        payer, payee = (
            np.tile([ledger.index(name) for name in nodes], count),
            firms.account.repeat(len(nodes)),
        )
        utilities, staff, other = (ledger.index(name) for name in ("utilities", "staff", "other business"))
        owners = firms.account[self._owner]
        self._tokens = Bill.of(
            *((payer, payee, kind) for kind in SOLD_AS), (firms.account, utilities, Kind.NETWORK)
        )
        self._services = Bill.of((payer, payee, Kind.SERVICES), (firms.account, staff, Kind.SERVICE_STAFF))
        self._running = Bill.of(
            (other, owners, Kind.CAPTIVE), (other, owners, Kind.CAPTIVE),
            (owners, utilities, Kind.POWER), (owners, staff, Kind.STAFF),
        )  # fmt: skip
        self.units, self.lasting, self._paid = np.zeros((3, count, len(nodes)))
        self.margin = np.zeros((2, count))
        self._maker = np.zeros(0, dtype=np.int64)
        self._contracts: Memo[Contracts] = Memo()
        self._parents: Memo[IntArray] = Memo()
        self._audit = Audit(market)

    def settle(self, market: Market) -> None:
        """Pay for a quarter, part by part, and check it."""
        self._pay_tokens(market)
        self._pay_training(market)
        self._pay_services(market)
        self._pay_running(market)
        self._add_up_margins(market)
        self._audit.check(market)

    def _makers(self, market: Market) -> IntArray:
        """The firm that makes each model of the catalogue, shape (models,)."""
        models, known = market.catalogue.models, len(self._maker)
        if known < len(models):
            new = islice(models.values(), known, None)
            self._maker = np.append(self._maker, [market.firm_number[model.vendor] for model in new])
        return self._maker

    def _pay_tokens(self, market: Market) -> None:
        """Segments pay sellers; resellers pass the vendor's part on, and others the fee of who computes for them."""
        ledger, graph, p, book = market.ledger, market.graph, market.parameters, market.offers
        lines, bill = book.lines, self._tokens
        contracts = self._contracts.of(lambda: Contracts.of(lines, self._makers(market), self._firms), lines)
        parent = self._parents.of(lambda: _parents(market), graph.compiled("equity").version)
        passed_on, hours = np.zeros((2, len(book)))
        _sell(
            market.demand.served, self._node_of_cell, book.served, book.price, book.unit_cost, book.transfer,
            book.resource, book.hours_per_mtok, lines.seller, lines.setter, lines.host, lines.open_weights,
            lines.at_cost, contracts.sold_as, contracts.maker, parent, p.serving_overhead_usd_per_mtok,
            p.margin_smoothing, book.expected_margin, self.units, self.lasting, self._paid,
            bill.amounts[: -len(parent)].reshape(len(SOLD_AS), *self.units.shape), bill.parts[-1], passed_on, hours,
            self.margin,
        )  # fmt: skip
        bill.pay(ledger)
        graph.flow_many("tokens", self.source, self.target, self.units.ravel(), self._paid.ravel())
        contracts.bill.amounts[:] = passed_on[contracts.linked]
        contracts.bill.pay(ledger)
        graph.flow_many(
            "hosting", contracts.sources, contracts.targets, hours[contracts.linked], contracts.bill.amounts
        )

    def _pay_training(self, market: Market) -> None:
        """Vendors pay for training hours."""
        traffic, graph, training = market.traffic, market.graph, market.traffic.training
        vendor, owner = self._vendor[training.vendor], self._owner[training.host]
        money, flop = _train(training.served, training.price, training.host, traffic.work_rate)
        for name, done in zip([market.firm_names[v] for v in vendor.tolist()], flop.tolist(), strict=True):
            market.vendors[name].train(done)
        sources, targets = self._firms.node[owner], self._firms.node[vendor]
        for n in graph.lacking("hosting", sources, targets, training.served).tolist():
            host, name = market.firm_names[owner[n]], market.firm_names[vendor[n]]
            graph.permit(host, name, "hosting", role="training")
        kinds = np.full(len(money), NUMBER[Kind.TRAINING])
        market.ledger.enter(self._firms.account[vendor], self._firms.account[owner], kinds, money)
        graph.flow_many("hosting", sources, targets, training.served, money)

    def _pay_services(self, market: Market) -> None:
        """Applications buy fine-tuning, retrieval, security and integration from those who serve them."""
        p, graph, bill = market.parameters, market.graph, self._services
        effort = np.array([firm.service_effort for firm in market.firms.values()])
        market.service_value = market.service_value.copy()
        money, staff = bill.parts
        _serve(
            self.units, self.lasting, effort, market.applications(), market.demand.demanded, self._node_of_cell,
            market.population.region_of_cell, self._region_of_node, p.service_usd_per_application,
            p.service_effort_start, p.service_elasticity, p.service_contested_share, p.service_margin,
            market.service_customers, market.service_value, money.reshape(self.units.shape), staff,
            market.traffic.services,
        )  # fmt: skip
        for n in graph.lacking("services", self.source, self.target, money).tolist():
            seller, node = divmod(n, len(market.nodes))
            graph.permit(market.firm_names[seller], market.nodes[node], "services")
        bill.pay(market.ledger)
        graph.flow_many("services", self.source, self.target, money, money)

    def _pay_running(self, market: Market) -> None:
        """Power and staff of every fleet, idle hours cost too; owners' other businesses pay for captive work."""
        fleets, costs = market.fleets, market.hour_costs
        _run(
            fleets.units, fleets.hours_used, HOURS_PER_QUARTER, market.traffic.captive_hours,
            market.parameters.captive_markup, costs.full, costs.working_power, costs.idle_power, costs.avoidable,
            costs.standing, *self._running.parts,
        )  # fmt: skip
        self._running.pay(market.ledger)

    def _add_up_margins(self, market: Market) -> None:
        """What each seller's lines brought: on tokens, on services, and what its models brought their owners."""
        services = (market.traffic.services * market.parameters.service_margin).tolist()
        for firm, token, owners, service in zip(
            market.firms.values(), *self.margin.tolist(), services, strict=True
        ):
            firm.token_margin, firm.owners_margin, firm.service_margin = token, owners, service


def _parents(market: Market) -> IntArray:
    """The number of each firm's parent, shape (firms,)."""
    return np.array(
        [market.firm_number.get(market.parent_of(name), -1) for name in market.firms], dtype=np.int64
    )


@kernel
def _sell(
    served: Any, cell_node: Any, sold: Any, price: Any, unit_cost: Any, transfer: Any, resource: Any, hours_per_mtok: Any,
    seller: Any, setter: Any, host: Any, open_weights: Any, at_cost: Any, sold_as: Any, maker: Any, parent: Any,
    overhead: Any, smoothing: Any, expected_margin: Any, units: Any, lasting: Any, paid: Any, money: Any, network: Any,
    passed_on: Any, hours: Any, margin: Any,
) -> None:  # pragma: no cover - compiled  # fmt: skip
    """Add up the sales of all offers, ``served`` (cells, offers), as explained in ``Settlement``.

    ``money`` by ``SOLD_AS``, firm and segment and ``paid`` in all, ``network`` of the tokens of each firm; of each offer
    the ``hours`` and what the seller has ``passed_on`` for them; USD.
    """
    firms, nodes = units.shape
    for i in range(firms):
        network[i] = margin[0, i] = margin[1, i] = 0.0
        for n in range(nodes):
            units[i, n] = lasting[i, n] = paid[i, n] = 0.0
            for kind in range(len(money)):
                money[kind, i, n] = 0.0
    bought = np.zeros((nodes, len(sold)))
    for s in range(len(cell_node)):
        node = bought[cell_node[s]]
        for j in range(len(sold)):
            node[j] += served[s, j]
    for j in range(len(sold)):
        if sold[j] > 0.0:
            i, kind, relationship = seller[j], sold_as[j], 0.0 if at_cost[j] else 1.0
            for n in range(nodes):
                tokens = bought[n, j]
                units[i, n] += tokens
                money[kind, i, n] += tokens * price[j]
                lasting[i, n] += tokens * relationship
    for i in range(firms):
        for n in range(nodes):
            network[i] += units[i, n] * overhead
            for kind in range(len(money)):
                paid[i, n] += money[kind, i, n]
    for j in range(len(sold)):
        if not sold[j] > 0.0:
            continue
        hours[j] = sold[j] * hours_per_mtok[j]
        if seller[j] != setter[j]:
            passed_on[j] = max(price[j] - transfer[j], 0.0) * sold[j]
        elif seller[j] != host[j]:
            passed_on[j] = (transfer[j] - overhead) * sold[j]
        each = price[j] - unit_cost[j]
        margin[0, setter[j]] += each * sold[j]
        if host[j] != setter[j]:
            margin[0, host[j]] += (transfer[j] - resource[j]) * sold[j]
        if open_weights[j] and parent[maker[j]] == setter[j]:
            margin[1, maker[j]] += each * sold[j]
        expected_margin[j] += smoothing * (each - expected_margin[j])


@kernel
def _train(served: Any, price: Any, host: Any, work_rate: Any) -> Any:  # pragma: no cover - compiled
    """What training hours cost, USD, and the training compute that they are, FLOP; (buyers,) each."""
    money, flop = np.zeros(len(served)), np.zeros(len(served))
    for v in range(len(served)):
        if served[v] > 0.0:  # a host without a training chip has no price for it either
            money[v] = served[v] * price[v]
            flop[v] = served[v] * SECONDS_PER_HOUR * work_rate[host[v], TRAINING] * FLOP_PER_PETAFLOP
    return money, flop


@kernel
def service_shares(
    before: Any, weight: Any, sells: Any, contested: Any
) -> Any:  # pragma: no cover - compiled
    """Firms' shares of each segment's services, shape (firms, nodes): those of the firms that sell.

    Integration is a relationship: only the ``contested`` part of it is up for choice in a quarter, and goes by
    ``weight``, the tokens of a seller and its effort on services; the rest stays as it was, ``before``. Who does not
    sell now has no part in it, and finds its own again when it does.
    """
    share = before.copy()
    for n in range(before.shape[1]):
        total, kept = 0.0, 0.0
        for i in range(len(sells)):
            if sells[i]:
                total += weight[i, n]
                kept += before[i, n]
        for i in range(len(sells)):
            if sells[i]:
                chosen = weight[i, n] / total if total > 0.0 else 0.0
                stayed = before[i, n] / kept if kept > 0.0 else chosen
                share[i, n] = (1.0 - contested) * stayed + contested * chosen
    return share


@kernel
def _serve(
    units: Any, lasting: Any, effort: Any, applications: Any, demanded: Any, cell_node: Any, cell_region: Any,
    node_region: Any, usd: Any, effort_start: Any, elasticity: Any, contested: Any, margin: Any, customers: Any,
    value: Any, money: Any, staff: Any, earned: Any,
) -> None:  # pragma: no cover - compiled  # fmt: skip
    """What segments spend on services of each firm, ``money`` (firms, nodes), and what of it goes to ``staff``, USD.

    ``applications`` by cell take ``usd`` each at the starting effort. ``customers`` are the firms' shares so far, which
    change, and ``value`` is what services bring a Mtok that was asked for, USD by region: it stays where none was.
    """
    firms, nodes = units.shape
    sells, weight = np.zeros(firms, dtype=np.bool_), np.zeros((firms, nodes))
    money[:], staff[:], earned[:] = 0.0, 0.0, 0.0
    for i in range(firms):
        for n in range(nodes):
            sells[i] |= lasting[i, n] > 0.0
            # Chipmakers, who sell none, have no effort either.
            weight[i, n] = lasting[i, n] * effort[i] if lasting[i, n] > 0.0 else 0.0
    if not sells.any():
        return
    spend, spent, asked = np.zeros(nodes), np.zeros(len(value)), np.zeros((len(value), demanded.shape[1]))
    for s in range(len(applications)):
        spend[cell_node[s]] += applications[s] * usd
        region = asked[cell_region[s]]
        for j in range(len(region)):
            region[j] += demanded[s, j]
    share = service_shares(customers, weight, sells, contested)
    for n in range(nodes):
        tokens, behind = 0.0, 0.0
        for i in range(firms):
            tokens += units[i, n]
            behind += weight[i, n]
        # Mean effort behind the tokens of a segment: more effort finds more to sell.
        mean = behind / tokens if tokens > 0.0 else 0.0
        spend[n] *= (mean / effort_start) ** elasticity
        spent[node_region[n]] += spend[n]
        for i in range(firms):
            customers[i, n] = share[i, n]
            if sells[i]:
                money[i, n] = share[i, n] * spend[n]
                earned[i] += money[i, n]
    for i in range(firms):
        staff[i] = earned[i] * (1.0 - margin)
    for r in range(len(value)):
        # By what was asked for: a shortage does not make a customer dearer.
        tokens = asked[r].sum()
        value[r] = spent[r] / tokens if tokens > 0.0 else value[r]


@kernel
def _run(
    units: Any, hours_used: Any, hours: Any, captive_hours: Any, markup: Any, full: Any, working_power: Any,
    idle_power: Any, avoidable: Any, standing: Any, own_training: Any, captive: Any, power: Any, staff: Any,
) -> None:  # pragma: no cover - compiled  # fmt: skip
    """What each fleet's captive work brings and what its power and staff cost, USD (fleets,).

    Costs are USD an hour, (fleets, chips): ``working`` hours and all that are installed cost something. A pool works
    evenly, and dense and sparse inference are one pool. Captive work pays the full cost of its pool and a ``markup``.
    """
    fleets, chips, purposes = units.shape
    for f in range(fleets):
        pool, done, cost = np.zeros(purposes), hours_used[f].copy(), np.zeros(purposes)
        for c in range(chips):
            for w in range(purposes):
                pool[w] += units[f, c, w]
                cost[w] += units[f, c, w] * full[f, c]
        own_training[f] = captive[f] = power[f] = 0.0
        if captive_hours[f, 0] > 0.0:
            own_training[f] = captive_hours[f, 0] * (cost[TRAINING] / pool[TRAINING] * (1.0 + markup))
        if captive_hours[f, 1] > 0.0:
            captive[f] = captive_hours[f, 1] * (cost[CAPTIVE] / pool[CAPTIVE] * (1.0 + markup))
        pool[DENSE] = pool[SPARSE] = pool[DENSE] + pool[SPARSE]
        done[DENSE] = done[SPARSE] = done[DENSE] + done[SPARSE]
        everything = 0.0
        for c in range(chips):
            working, installed = 0.0, 0.0
            for w in range(purposes):
                working += units[f, c, w] * (done[w] / pool[w] if pool[w] > 0.0 else 0.0)
                installed += units[f, c, w]
            installed *= hours
            power[f] += working * working_power[f, c] + installed * idle_power[f, c]
            everything += working * avoidable[f, c] + installed * standing[f, c]
        staff[f] = max(everything - power[f], 0.0)
