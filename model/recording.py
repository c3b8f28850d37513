"""What is written down each quarter: one row an offer and region, chip, fleet, firm, segment and edge, and the headlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model import headline
from model.capability import BenchmarkLink, score
from model.fleet import HOURS_PER_QUARTER
from model.ledger import Kind
from model.place import PURPOSES, REGIONS

if TYPE_CHECKING:
    import pandas

    from model.market import Market

FloatArray = NDArray[np.float64]

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

FINANCE = (Kind.FUNDING, Kind.POOLED_FUNDING, Kind.STAKES, Kind.OPENING, Kind.DIVIDENDS)


def record(market: Market) -> None:
    """The ninth event; nothing is written before the first recorded quarter."""
    if market.t < market.record_from:
        return
    _offers(market)
    _chips(market)
    _fleets(market)
    _firms(market)
    _segments(market)
    _edges(market)
    market.recorder.add("quarters", quarter=market.quarter, **headline.of(market))


def frames(market: Market) -> dict[str, pandas.DataFrame]:
    """All tables; the price indices, which need the base year, are filled in from the recorded offers."""
    tables = market.recorder.frames()
    headline.fill_indices(tables, market.parameters)
    return tables


def _offers(market: Market) -> None:
    p = market.parameters
    link = BenchmarkLink(p.mmlu_floor, p.mmlu_ceiling, p.mmlu_slope, p.mmlu_midpoint)
    served = market.region_of_cell @ market.demand.served
    demanded = market.region_of_cell @ market.demand.demanded
    rows: dict[str, list[Any]] = {name: [] for name in OFFER_COLUMNS}
    # A token out costs a fixed multiple of a token in, at the mix of 3 to 1.
    share_in = p.input_per_output / (p.input_per_output + p.output_price_ratio)
    blend = p.input_per_output + 1.0
    for j, offer in enumerate(market.offers):
        if not np.isfinite(offer.unit_cost):
            continue
        model = offer.model
        value = float(score(model.capability, link))
        price_in = offer.price * blend * share_in / p.input_per_output
        price_out = offer.price * blend * (1.0 - share_in)
        seller_origin = market.firms[offer.seller].origin
        for region in offer.regions:
            row = (
                model.name, model.vendor, model.tier, model.generation, model.origin, model.open_weights,
                model.architecture.sparse, offer.channel, offer.seller, seller_origin, REGIONS[region],
                offer.price, price_in, price_out, offer.unit_cost, offer.full_cost,
                float(served[region, j]), float(demanded[region, j]), float(served[region, j]) * offer.price,
                model.capability, value, model.architecture.active_params_b, model.architecture.total_params_b,
                model.memory_gb,
            )  # fmt: skip
            for name, cell in zip(OFFER_COLUMNS, row, strict=True):
                rows[name].append(cell)
    if rows["model"]:
        market.recorder.extend("offers", {"quarter": market.quarter, **rows})


OFFER_COLUMNS = (
    "model", "vendor", "tier", "generation", "origin", "open_weights", "sparse", "channel", "seller",
    "seller_origin", "region", "price_usd_per_mtok", "input_price_usd_per_mtok", "output_price_usd_per_mtok",
    "unit_cost_usd_per_mtok", "full_cost_usd_per_mtok", "tokens_mtok", "tokens_demanded_mtok", "revenue_usd",
    "capability", "mmlu", "active_params_b", "total_params_b", "memory_gb",
)  # fmt: skip


def _chips(market: Market) -> None:
    bound = market.parameters.inference_bytes_per_flop
    for owner in market.clouds.values():
        active = np.argwhere((owner.wanted > 0.0) | (owner.delivered > 0.0))
        for index, w in active:
            chip = market.catalogue.chips[index]
            units = float(owner.delivered[index, w])
            market.recorder.add(
                "chips",
                **{
                    "quarter": market.quarter,
                    "maker": chip.spec.maker,
                    "maker_origin": chip.spec.origin,
                    "product": chip.name,
                    "buyer": owner.name,
                    "buyer_region": owner.region,
                    "class": chip.grade,
                    "inference_listed": chip.inference_listed,
                    "inference_physical": chip.inference_physical(bound),
                    "purpose": PURPOSES[w],
                    "units_ordered": float(owner.wanted[index, w]),
                    "units_delivered": units,
                    "value_usd": units * owner.paid.get(chip.name, 0.0),
                },
            )


def _fleets(market: Market) -> None:
    p = market.parameters
    bound = p.inference_bytes_per_flop
    for owner in market.clouds.values():
        fleet = owner.fleet
        available = fleet.units * HOURS_PER_QUARTER * p.ceiling_utilisation
        used = _used(fleet.units, fleet.hours_used)
        tokens = _tokens(market, owner.name)
        pool = fleet.units.sum(axis=0)
        for index, w in np.argwhere(fleet.units >= p.least_units_recorded):
            chip = market.catalogue.chips[index]
            share = fleet.units[index, w] / pool[w]
            market.recorder.add(
                "fleets",
                **{
                    "quarter": market.quarter,
                    "owner": owner.name,
                    "owner_origin": owner.origin,
                    "region": owner.region,
                    "maker": chip.spec.maker,
                    "maker_origin": chip.spec.origin,
                    "product": chip.name,
                    "class": chip.grade,
                    "inference_listed": chip.inference_listed,
                    "inference_physical": chip.inference_physical(bound),
                    "purpose": PURPOSES[w],
                    "units": float(fleet.units[index, w]),
                    "hours_available": float(available[index, w]),
                    "hours_used": float(used[index, w]),
                    "tokens_mtok": float(tokens[index, w]),
                    "racks": float(fleet.racks[w].sum() * share),
                    "liquid_racks": float(fleet.racks[w, 1] * share),
                    "ports": float(fleet.ports[w].sum() * share),
                    "ethernet_ports": float(fleet.ports[w, 1] * share),
                },
            )


def _used(units: FloatArray, hours: FloatArray) -> FloatArray:
    """Hours used by chip and purpose: a pool works evenly, and inference is one pool, shape (chips, purposes)."""
    pool, done = units.sum(axis=0), hours.copy()
    inference = [PURPOSES.index("dense"), PURPOSES.index("sparse")]
    pool[inference], done[inference] = pool[inference].sum(), done[inference].sum()
    return np.asarray(units * np.divide(done, pool, out=np.zeros_like(done), where=pool > 0.0))


def _tokens(market: Market, owner: str) -> FloatArray:
    """Mtok served by chip and purpose of the chip on one fleet, shape (chips, purposes)."""
    fleet = market.clouds[owner].fleet
    both = fleet.inference_units()
    result = np.zeros_like(fleet.units)
    for offer in market.offers:
        if offer.host != owner or offer.served <= 0.0:
            continue
        purpose = PURPOSES.index("sparse" if offer.model.architecture.sparse else "dense")
        rate = market.catalogue.mtok_per_hour(offer.model) * market.outlook.maturity[:, purpose]
        weight = both * rate
        by_chip = np.divide(offer.served * rate, weight.sum(), out=np.zeros_like(rate), where=weight.sum() > 0.0)
        for w in (PURPOSES.index("dense"), PURPOSES.index("sparse")):
            result[:, w] += fleet.units[:, w] * by_chip
    return result


def _firms(market: Market) -> None:
    ledger = market.ledger
    for name, firm in market.firms.items():
        kind = type(firm).__name__.lower()
        received, paid = ledger.received_by_kind(name), ledger.paid_by_kind(name)
        revenue = {column: float(received.get(line, 0.0)) for column, line in REVENUE.items()}
        total = sum(revenue.values())
        chips = float(paid.get(Kind.CHIPS, 0.0))
        cost = float(sum(amount for line, amount in paid.items() if line not in FINANCE and line != Kind.CHIPS))
        best = getattr(firm, "best", float("nan"))
        market.recorder.add(
            "firms",
            quarter=market.quarter,
            firm=name,
            kind=kind,
            region=firm.region,
            origin=firm.origin,
            active=firm.active,
            cash_usd=firm.cash,
            revenue_usd=total,
            **revenue,
            cost_usd=cost,
            chip_purchases_usd=chips,
            research_usd=float(paid.get(Kind.RESEARCH_PEOPLE, 0.0) + paid.get(Kind.TRAINING, 0.0)),
            funding_usd=float(received.get(Kind.FUNDING, 0.0) + received.get(Kind.POOLED_FUNDING, 0.0)),
            operating_margin=(total - cost) / total if total > 0.0 else float("nan"),
            capability=float(best) if np.isfinite(best) else float("nan"),
            service_effort=float(getattr(firm, "service_effort", float("nan"))),
        )


def _segments(market: Market) -> None:
    cells = market.population.cells
    spend = market.demand.served @ market.offers.array("price")
    tokens = market.demand.served.sum(axis=1)
    applications = market.applications()
    # Services are sold to segments of a region and sector; sizes share them by their applications.
    by_node = np.zeros(len(market.nodes))
    for _, target, kind, _, _, money in market.graph.rows():
        if kind == "services":
            by_node[market.node_number[target]] += money
    of_node = market.node_of_cell.argmax(axis=0)
    total = np.bincount(of_node, weights=applications, minlength=len(by_node))[of_node]
    services = np.divide(by_node[of_node] * applications, total, out=np.zeros_like(total), where=total > 0.0)
    market.recorder.extend(
        "segments",
        {
            "quarter": market.quarter,
            "region": [REGIONS[c.region] for c in cells],
            "sector": [c.sector for c in cells],
            "size": [c.size for c in cells],
            "firms": [c.firms for c in cells],
            "adoption": np.array([a / c.firms for a, c in zip(market.demand.adopters, cells, strict=True)]),
            "tokens_mtok": tokens,
            "spend_usd": spend,
            "services_usd": services,
            "applications": applications,
        },
    )


def _edges(market: Market) -> None:
    rows = list(market.graph.rows())
    market.recorder.extend(
        "edges",
        {
            "quarter": market.quarter,
            "source": [r.source for r in rows],
            "target": [r.target for r in rows],
            "kind": [str(r.kind) for r in rows],
            "units": [r.units for r in rows],
            "unit": [r.unit for r in rows],
            "money_usd": [r.money for r in rows],
        },
    )
