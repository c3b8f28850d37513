"""What is written down each quarter: one row an offer and region, chip, fleet, firm, segment and edge, and the headlines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model import headline
from model.capability import BenchmarkLink, score
from model.fleet import HOURS_PER_QUARTER
from model.hosting import delivered_rates
from model.ledger import Kind
from model.place import DENSE, PURPOSES, REGIONS, SPARSE

if TYPE_CHECKING:
    import pandas

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
    rows = [
        (j, region) for j, o in enumerate(market.offers) if np.isfinite(o.unit_cost) for region in o.regions
    ]
    if not rows:
        return
    offers = [market.offers.offers[j] for j, _ in rows]
    models = [offer.model for offer in offers]
    architectures = [model.architecture for model in models]
    region, column = [region for _, region in rows], [j for j, _ in rows]
    served = (market.region_of_cell @ market.demand.served)[region, column]
    demanded = (market.region_of_cell @ market.demand.demanded)[region, column]
    price = np.array([offer.price for offer in offers])
    capability = np.array([model.capability for model in models])
    # A token out costs a fixed multiple of a token in, at the mix of 3 to 1.
    share_in = p.input_per_output / (p.input_per_output + p.output_price_ratio)
    blend = p.input_per_output + 1.0
    market.recorder.extend(
        "offers",
        {
            "quarter": market.quarter,
            "model": [model.name for model in models],
            "vendor": [model.vendor for model in models],
            "tier": [model.tier for model in models],
            "generation": np.array([model.generation for model in models], dtype=np.int64),
            "origin": [model.origin for model in models],
            "open_weights": np.array([model.open_weights for model in models]),
            "sparse": np.array([architecture.sparse for architecture in architectures]),
            "channel": [offer.channel for offer in offers],
            "seller": [offer.seller for offer in offers],
            "seller_origin": [market.firms[offer.seller].origin for offer in offers],
            "region": [REGIONS[r] for r in region],
            "price_usd_per_mtok": price,
            "input_price_usd_per_mtok": price * blend * share_in / p.input_per_output,
            "output_price_usd_per_mtok": price * blend * (1.0 - share_in),
            "unit_cost_usd_per_mtok": [offer.unit_cost for offer in offers],
            "full_cost_usd_per_mtok": [offer.full_cost for offer in offers],
            "tokens_mtok": served,
            "tokens_demanded_mtok": demanded,
            "revenue_usd": served * price,
            "capability": capability,
            "mmlu": score(capability, link),
            "active_params_b": [architecture.active_params_b for architecture in architectures],
            "total_params_b": [architecture.total_params_b for architecture in architectures],
            "memory_gb": [model.memory_gb for model in models],
        },
    )


def _chip_columns(market: Market, index: IntArray) -> dict[str, Any]:
    """What the tables of chips and of fleets say of a chip, for the chips of ``index``, shape (rows,)."""
    chips = market.catalogue.chips
    bound = market.parameters.inference_bytes_per_flop
    return {
        "maker": _names([chip.spec.maker for chip in chips], index),
        "maker_origin": _names([chip.spec.origin for chip in chips], index),
        "product": _names([chip.name for chip in chips], index),
        "class": _names([chip.grade for chip in chips], index),
        "inference_listed": np.array([chip.inference_listed for chip in chips])[index],
        "inference_physical": np.array([chip.inference_physical(bound) for chip in chips])[index],
    }


def _names(names: Sequence[str], index: IntArray) -> NDArray[np.object_]:
    return np.array(names, dtype=object)[index]


def _chips(market: Market) -> None:
    owners = list(market.clouds.values())
    wanted = market.fleets.wanted
    delivered = market.fleets.delivered
    paid = market.fleets.paid
    who, index, purpose = at = np.nonzero((wanted > 0.0) | (delivered > 0.0))
    market.recorder.extend(
        "chips",
        {
            "quarter": market.quarter,
            **_chip_columns(market, index),
            "buyer": _names([owner.name for owner in owners], who),
            "buyer_region": _names([owner.region for owner in owners], who),
            "purpose": _names(PURPOSES, purpose),
            "units_ordered": wanted[at],
            "units_delivered": delivered[at],
            "value_usd": delivered[at] * paid[who, index],
        },
    )


def _fleets(market: Market) -> None:
    p = market.parameters
    owners = list(market.clouds.values())
    fleets = [owner.fleet for owner in owners]
    units = market.fleets.units
    who, index, purpose = at = np.nonzero(units >= p.least_units_recorded)
    racks = market.fleets.racks[who, purpose]
    ports = market.fleets.ports[who, purpose]
    share = units[at] / units.sum(axis=1)[who, purpose]
    market.recorder.extend(
        "fleets",
        {
            "quarter": market.quarter,
            "owner": _names([owner.name for owner in owners], who),
            "owner_origin": _names([owner.origin for owner in owners], who),
            "region": _names([owner.region for owner in owners], who),
            **_chip_columns(market, index),
            "purpose": _names(PURPOSES, purpose),
            "units": units[at],
            "hours_available": units[at] * HOURS_PER_QUARTER * p.ceiling_utilisation,
            "hours_used": np.array([fleet.units * fleet.hours_per_unit() for fleet in fleets])[at],
            "tokens_mtok": _tokens(market, units)[at],
            "racks": racks.sum(axis=1) * share,
            "liquid_racks": racks[:, 1] * share,
            "ports": ports.sum(axis=1) * share,
            "ethernet_ports": ports[:, 1] * share,
        },
    )


def _tokens(market: Market, units: FloatArray) -> FloatArray:
    """Mtok served by owner, chip and purpose of the chip; ``units`` is by the same, (owners, chips, purposes)."""
    offers = [offer for offer in market.offers if offer.served > 0.0]
    number = {name: i for i, name in enumerate(market.clouds)}
    host = np.array([number[offer.host] for offer in offers], dtype=np.int64)
    rate = delivered_rates([offer.model for offer in offers], market.catalogue, market.outlook.maturity)
    serving = units[:, :, DENSE] + units[:, :, SPARSE]
    made = (rate * serving[host]).sum(axis=1)
    served = np.array([offer.served for offer in offers])
    hours = np.divide(served, made, out=np.zeros_like(made), where=made > 0.0)
    by_chip = np.zeros_like(serving)
    np.add.at(by_chip, host, rate * hours[:, None])
    result = np.zeros_like(units)
    for w in (DENSE, SPARSE):
        result[:, :, w] = units[:, :, w] * by_chip
    return result


def _firms(market: Market) -> None:
    ledger = market.ledger
    rows: list[dict[str, Any]] = []
    for name, firm in market.firms.items():
        kind = type(firm).__name__.lower()
        received, paid = ledger.received_by_kind(name), ledger.paid_by_kind(name)
        revenue = {column: float(received.get(line, 0.0)) for column, line in REVENUE.items()}
        total = sum(revenue.values())
        chips = float(paid.get(Kind.CHIPS, 0.0))
        cost = float(
            sum(amount for line, amount in paid.items() if line not in FINANCE and line != Kind.CHIPS)
        )
        best = getattr(firm, "best", float("nan"))
        rows.append(
            {
                "firm": name,
                "kind": kind,
                "region": firm.region,
                "origin": firm.origin,
                "active": firm.active,
                "cash_usd": firm.cash,
                "revenue_usd": total,
                **revenue,
                "cost_usd": cost,
                "chip_purchases_usd": chips,
                "research_usd": float(paid.get(Kind.RESEARCH_PEOPLE, 0.0) + paid.get(Kind.TRAINING, 0.0)),
                "funding_usd": float(
                    received.get(Kind.FUNDING, 0.0) + received.get(Kind.POOLED_FUNDING, 0.0)
                ),
                "operating_margin": (total - cost) / total if total > 0.0 else float("nan"),
                "capability": float(best) if np.isfinite(best) else float("nan"),
                "service_effort": float(getattr(firm, "service_effort", float("nan"))),
            }
        )
    columns = {column: [row[column] for row in rows] for column in rows[0]}
    market.recorder.extend("firms", {"quarter": market.quarter, **columns})


def _segments(market: Market) -> None:
    cells = market.population.cells
    spend = market.demand.served @ market.offers.price
    tokens = market.demand.served.sum(axis=1)
    applications = market.applications()
    # Services are sold to segments of a region and sector; sizes share them by their applications.
    by_node = np.zeros(len(market.nodes))
    for (_, node), money in market.graph.money("services").items():
        by_node[market.node_number[node]] += money
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
    names = ("source", "target", "kind", "units", "unit", "money_usd")
    columns = dict(zip(names, market.graph.columns(), strict=True))
    market.recorder.extend("edges", {"quarter": market.quarter, **columns})
