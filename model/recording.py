"""What is written down each quarter: one row an offer and region, chip, fleet, firm, segment and edge, and the headlines.

A quarter copies what will have changed by the next one; columns are made of it when somebody looks at them, since most
of what a run could tell is never asked for. So nothing that is called later may look at the market itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model import headline, texts
from model.capability import BenchmarkLink
from model.fleet import HOURS_PER_QUARTER
from model.ledger import Kind
from model.names import Names
from model.records import Tables
from model.texts import Codes
from model.work import Work

if TYPE_CHECKING:
    from model.market import Market

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

REVENUE = {
    "revenue_api_usd": Kind.TOKENS,
    "revenue_open_hosting_usd": Kind.HOSTING,
    "revenue_partner_hosting_usd": Kind.PARTNER_HOSTING,
    "revenue_compute_usd": Kind.COMPUTE,
    "revenue_training_usd": Kind.TRAINING,
    "revenue_captive_usd": Kind.CAPTIVE,
    "revenue_chips_usd": Kind.CHIPS,
    "revenue_royalty_usd": Kind.ROYALTY,
    "revenue_services_usd": Kind.SERVICES,
}

FINANCE = (Kind.FUNDING, Kind.POOLED_FUNDING, Kind.OPENING)


class Recording:
    """The record of one market: the recorder, and the names behind its numbers."""

    def __init__(self, market: Market) -> None:
        self.recorder = market.recorder
        self.names = Names(
            market.catalogue, market.firms, list(market.clouds.values()), market.population.cells
        )
        self._facts: list[headline.Facts] = []
        self._channels: tuple[object, IntArray] = (None, np.zeros(0, dtype=np.int64))
        self.recorder.digest("quarters", self._headlines)

    def write(self, market: Market) -> None:
        """The ninth event; nothing is written before the first recorded quarter."""
        if market.t < market.record_from:
            return
        self._offers(market)
        self._chips(market)
        self._fleets(market)
        self._firms(market)
        services = _services(market)
        self._segments(market, services)
        self._edges(market)
        self._facts.append(headline.Facts.of(market, services))

    def tables(self, market: Market) -> Tables:
        """All tables; the price indices, which need the base year, are worked out from the recorded offers."""
        found = self.recorder.tables()
        headline.fill_indices(found, market.parameters)
        return found

    def _headlines(self, tables: Tables, known: int) -> dict[str, Any] | None:
        """The headlines of the quarters that the recorder does not have yet, if any; it has ``known``."""
        facts = self._facts[known:]
        return headline.columns(tables, facts) if facts else None

    def _offers(self, market: Market) -> None:
        book, names, p = market.offers, self.names, market.parameters
        lines = book.lines
        at, region = np.nonzero(lines.reach & np.isfinite(book.unit_cost)[:, None])
        model, seller = lines.model[at], lines.seller[at]
        price, unit_cost, full_cost = book.price[at], book.unit_cost[at], book.full_cost[at]
        served = (market.region_of_cell @ market.demand.served)[region, at]
        demanded = (market.region_of_cell @ market.demand.demanded)[region, at]
        channels = self._channel(book.offers, lines)
        link = BenchmarkLink(p.mmlu_floor, p.mmlu_ceiling, p.mmlu_slope, p.mmlu_midpoint)
        # A token out costs a fixed multiple of a token in, at the mix of 3 to 1.
        share_in = p.input_per_output / (p.input_per_output + p.output_price_ratio)
        per_input = (p.input_per_output + 1.0) * share_in / p.input_per_output
        per_output = (p.input_per_output + 1.0) * (1.0 - share_in)

        def of_model(name: str) -> Callable[[], Any]:
            return lambda: names.models(name)[model]

        def text_of_model(name: str) -> Callable[[], Codes]:
            return lambda: Codes(names.models(name)[model])

        def columns() -> dict[str, Any]:
            return {
                "model": text_of_model("name"),
                "vendor": text_of_model("vendor"),
                "tier": text_of_model("tier"),
                "generation": of_model("generation"),
                "origin": text_of_model("origin"),
                "open_weights": lambda: lines.open_weights[at],
                "sparse": of_model("sparse"),
                "channel": lambda: Codes(channels[at]),
                "seller": lambda: Codes(names.firms["name"][seller]),
                "seller_origin": lambda: Codes(names.firms["origin"][seller]),
                "region": lambda: Codes(names.regions[region]),
                "price_usd_per_mtok": price,
                "input_price_usd_per_mtok": lambda: price * per_input,
                "output_price_usd_per_mtok": lambda: price * per_output,
                "unit_cost_usd_per_mtok": unit_cost,
                "full_cost_usd_per_mtok": full_cost,
                "tokens_mtok": served,
                "tokens_demanded_mtok": demanded,
                "revenue_usd": lambda: served * price,
                "capability": of_model("capability"),
                "mmlu": lambda: names.scores(link)[model],
                "active_params_b": of_model("active_params_b"),
                "total_params_b": of_model("total_params_b"),
                "memory_gb": of_model("memory_gb"),
            }

        self.recorder.later("offers", market.quarter, columns)

    def _channel(self, offers: Sequence[Any], lines: object) -> IntArray:
        """The channel of each offer, worked out again when the lines of the book have changed."""
        if self._channels[0] is not lines:
            self._channels = (lines, texts.numbers(offer.channel for offer in offers))
        return self._channels[1]

    def _chips(self, market: Market) -> None:
        fleets, names, bound = market.fleets, self.names, market.parameters.inference_bytes_per_flop
        at = np.flatnonzero((fleets.wanted > 0.0) | (fleets.delivered > 0.0))
        ordered, delivered = fleets.wanted.ravel()[at], fleets.delivered.ravel()[at]
        paid = fleets.paid.copy()

        def columns() -> dict[str, Any]:
            who, chip, purpose = np.unravel_index(at, (*paid.shape, len(names.purposes)))
            return {
                **_of_chips(names, chip, bound),
                "buyer": lambda: Codes(names.owners["name"][who]),
                "buyer_region": lambda: Codes(names.owners["region"][who]),
                "purpose": lambda: Codes(names.purposes[purpose]),
                "units_ordered": ordered,
                "units_delivered": delivered,
                "value_usd": lambda: delivered * paid[who, chip],
            }

        self.recorder.later("chips", market.quarter, columns)

    def _fleets(self, market: Market) -> None:
        fleets, names, p = market.fleets, self.names, market.parameters
        work = Work.of(market)
        racks, ports = fleets.racks.copy(), fleets.ports.copy()
        least, hours = p.least_units_recorded, HOURS_PER_QUARTER * p.ceiling_utilisation

        def columns() -> dict[str, Any]:
            who, chip, purpose = at = np.nonzero(work.units >= least)
            units = work.units[at]
            pool = who, purpose
            share = units / work.pools()[pool]
            return {
                "owner": lambda: Codes(names.owners["name"][who]),
                "owner_origin": lambda: Codes(names.owners["origin"][who]),
                "region": lambda: Codes(names.owners["region"][who]),
                **_of_chips(names, chip, p.inference_bytes_per_flop),
                "purpose": lambda: Codes(names.purposes[purpose]),
                "units": units,
                "hours_available": lambda: units * hours,
                "hours_used": lambda: units * work.hours_per_unit()[pool],
                "tokens_mtok": lambda: work.tokens()[at],
                "racks": lambda: racks[pool].sum(axis=1) * share,
                "liquid_racks": lambda: racks[pool][:, 1] * share,
                "ports": lambda: ports[pool].sum(axis=1) * share,
                "ethernet_ports": lambda: ports[pool][:, 1] * share,
            }

        self.recorder.later("fleets", market.quarter, columns)

    def _firms(self, market: Market) -> None:
        ledger, firms, names = market.ledger, market.firms.values(), self.names.firms
        received, paid = (
            _by_kind(ledger.received_by_kind, market.firms),
            _by_kind(ledger.paid_by_kind, market.firms),
        )
        active = np.array([firm.active for firm in firms])
        cash = np.array([firm.cash for firm in firms])
        best = np.array([getattr(firm, "best", np.nan) for firm in firms], dtype=np.float64)
        effort = np.array([firm.service_effort for firm in firms])

        def columns() -> dict[str, Any]:
            revenue = {column: received[:, _KIND[line]] for column, line in REVENUE.items()}
            total = received[:, [_KIND[line] for line in REVENUE.values()]].sum(axis=1)
            cost = paid[:, [k for line, k in _KIND.items() if line not in (*FINANCE, Kind.CHIPS)]].sum(axis=1)
            return {
                "firm": Codes(names["name"]),
                "kind": Codes(names["kind"]),
                "region": Codes(names["region"]),
                "origin": Codes(names["origin"]),
                "active": active,
                "cash_usd": cash,
                "revenue_usd": total,
                **revenue,
                "cost_usd": cost,
                "chip_purchases_usd": paid[:, _KIND[Kind.CHIPS]],
                "research_usd": lambda: paid[:, [_KIND[Kind.RESEARCH_PEOPLE], _KIND[Kind.TRAINING]]].sum(
                    axis=1
                ),
                "funding_usd": lambda: received[:, [_KIND[Kind.FUNDING], _KIND[Kind.POOLED_FUNDING]]].sum(
                    axis=1
                ),
                "operating_margin": lambda: np.divide(
                    total - cost, total, out=np.full_like(total, np.nan), where=total > 0.0
                ),
                "capability": lambda: np.where(np.isfinite(best), best, np.nan),
                "service_effort": effort,
            }

        self.recorder.later("firms", market.quarter, columns)

    def _segments(self, market: Market, services: FloatArray) -> None:
        cells, demand, names = market.population.cells, market.demand, self.names.cells
        spend, tokens = demand.served @ market.offers.price, demand.served.sum(axis=1)
        applications, adopters = market.applications(), demand.adopters.copy()
        # Services are sold to segments of a region and sector; sizes share them by their applications.
        of_node = market.node_of_cell.argmax(axis=0)

        def columns() -> dict[str, Any]:
            total = np.bincount(of_node, weights=applications, minlength=len(services))[of_node]
            part = np.divide(
                services[of_node] * applications, total, out=np.zeros_like(total), where=total > 0.0
            )
            firms = np.array([cell.firms for cell in cells], dtype=np.float64)
            return {
                "region": Codes(names["region"]),
                "sector": Codes(names["sector"]),
                "size": Codes(names["size"]),
                "firms": firms,
                "adoption": adopters / firms,
                "tokens_mtok": tokens,
                "spend_usd": spend,
                "services_usd": part,
                "applications": applications,
            }

        self.recorder.later("segments", market.quarter, columns)

    def _edges(self, market: Market) -> None:
        source, target, kind, units, unit, money = market.graph.columns()

        def columns() -> dict[str, Any]:
            return {
                "source": source,
                "target": target,
                "kind": kind,
                "units": units,
                "unit": unit,
                "money_usd": money,
            }

        self.recorder.later("edges", market.quarter, columns)


def _of_chips(names: Names, chip: IntArray, bound: float) -> dict[str, Callable[[], Any]]:
    """What the tables of chips and of fleets say of a chip, for the chips of ``chip``, shape (rows,)."""

    def text(name: str) -> Callable[[], Codes]:
        return lambda: Codes(names.chips(name)[chip])

    return {
        "maker": text("maker"),
        "maker_origin": text("maker_origin"),
        "product": text("product"),
        "class": text("class"),
        "inference_listed": lambda: names.chips("inference_listed")[chip],
        "inference_physical": lambda: names.optimised(bound)[chip],
    }


def _services(market: Market) -> FloatArray:
    """What segments paid for services, USD (nodes,)."""
    sold = np.zeros(len(market.nodes))
    for (_, node), money in market.graph.money("services").items():
        sold[market.node_number[node]] += money
    return sold


_KIND = {kind: k for k, kind in enumerate(Kind)}


def _by_kind(of: Callable[[str], dict[Kind, float]], firms: Collection[str]) -> FloatArray:
    """What the ledger says of each firm by kind of payment, USD (firms, kinds)."""
    table = np.zeros((len(firms), len(_KIND)))
    for row, firm in zip(table, firms, strict=True):
        for kind, amount in of(firm).items():
            row[_KIND[kind]] = amount
    return table
