"""How the columns of the recorded tables follow from the facts that are written down each quarter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import texts
from model.blocks import Derived, Facts
from model.capability import BenchmarkLink
from model.edges import KINDS, UNITS, Flows
from model.fleet import HOURS_PER_QUARTER
from model.ledger import Kind
from model.names import Names
from model.parameters import Parameters
from model.place import PURPOSES
from model.work import Work

FloatArray = NDArray[np.float64]

KIND = {kind: k for k, kind in enumerate(Kind)}
"""The number of each kind of payment: its column in what firms received and paid, shape (rows, kinds)."""

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

NO_COST = (Kind.FUNDING, Kind.POOLED_FUNDING, Kind.OPENING, Kind.CHIPS)
"""What is paid and is no cost: finance, and chips, which are an investment."""

DEAR = {"fleets": frozenset({"tokens_mtok"})}
"""Columns that take long to work out, by table."""


def _tokens(facts: Facts, _: Names) -> NDArray[Any]:
    """Mtok served on the units of each row, of one quarter."""
    (work,) = facts.each("work")
    at = facts["owner number"], facts["chip number"], facts["purpose number"]
    return np.asarray(work.tokens()[at])


def _of_pool(facts: Facts, numbers: Callable[[Work], FloatArray]) -> FloatArray:
    """Something of each fleet and purpose, (fleets, purposes, ...), for each row, shape (rows, ...)."""
    quarter = np.repeat(np.arange(len(facts.lengths)), facts.lengths)
    every = np.stack([numbers(work) for work in facts.each("work")])
    return np.asarray(every[quarter, facts["owner number"], facts["purpose number"]])


def _firms() -> dict[str, Derived]:
    def received(*kinds: Kind) -> Derived:
        chosen = [KIND[kind] for kind in kinds]
        return lambda facts, names: facts["received"][:, chosen].sum(axis=1)

    def paid(*kinds: Kind) -> Derived:
        chosen = [KIND[kind] for kind in kinds]
        return lambda facts, names: facts["paid"][:, chosen].sum(axis=1)

    return {
        "revenue_usd": received(*REVENUE.values()),
        **{column: received(kind) for column, kind in REVENUE.items()},
        "cost_usd": paid(*(kind for kind in Kind if kind not in NO_COST)),
        "chip_purchases_usd": paid(Kind.CHIPS),
        "research_usd": paid(Kind.RESEARCH_PEOPLE, Kind.TRAINING),
        "funding_usd": received(Kind.FUNDING, Kind.POOLED_FUNDING),
        "operating_margin": _margin,
        "capability": lambda facts, names: np.where(np.isfinite(facts["best"]), facts["best"], np.nan),
    }


def _margin(facts: Facts, _: Names) -> NDArray[Any]:
    revenue, cost = facts["revenue_usd"], facts["cost_usd"]
    return np.asarray(
        np.divide(revenue - cost, revenue, out=np.full_like(revenue, np.nan), where=revenue > 0.0)
    )


def _both(kinds: FloatArray) -> FloatArray:
    """Two columns added up, (rows, 2) to (rows,); many times as fast as a sum over so short an axis."""
    return np.asarray(kinds[:, 0] + kinds[:, 1])


def _of_flows(numbers: Callable[[Flows], NDArray[Any]]) -> Derived:
    """Something of every edge, in the order of the graph's rows."""
    return lambda facts, _: np.concatenate([numbers(flows) for flows in facts.each("flows")])


def _of_node(number: str) -> Derived:
    # All quarters share the list of nodes, which grows.
    return lambda facts, _: texts.numbers(facts.each("flows")[-1].names)[facts[number]]


def _link(p: Parameters) -> BenchmarkLink:
    return BenchmarkLink(p.mmlu_floor, p.mmlu_ceiling, p.mmlu_slope, p.mmlu_midpoint)


def _bound(p: Parameters) -> float:
    return p.inference_bytes_per_flop


def _hours_offered(p: Parameters) -> float:
    """Hours of a unit in the quarter at the ceiling of use."""
    return HOURS_PER_QUARTER * p.ceiling_utilisation


def _share_in(p: Parameters) -> float:
    """Of a blended price: a token out costs a fixed multiple of a token in, at the mix of 3 to 1."""
    return p.input_per_output / (p.input_per_output + p.output_price_ratio)


def _input_price(p: Parameters) -> float:
    """Price of input tokens over the blended price."""
    return (p.input_per_output + 1.0) * _share_in(p) / p.input_per_output


def _output_price(p: Parameters) -> float:
    """Price of output tokens over the blended price."""
    return (p.input_per_output + 1.0) * (1.0 - _share_in(p))


def _of_parameters(facts: Facts, number: Callable[[Parameters], float]) -> FloatArray:
    """A number that follows from the parameters of each quarter, shape (rows,)."""
    return np.repeat([number(p) for p in facts.each("parameters")], facts.lengths)


def _looked_up(
    facts: Facts,
    key: Callable[[Parameters], Any],
    column: Callable[[Any], NDArray[Any]],
    at: NDArray[np.int64],
) -> NDArray[Any]:
    """Values of a column that depends on the parameters of each quarter, of the things numbered ``at``, shape (rows,)."""
    keys = [key(p) for p in facts.each("parameters")]
    distinct = list(dict.fromkeys(keys))
    if len(distinct) == 1:
        return column(distinct[0])[at]
    which = np.repeat([distinct.index(each) for each in keys], facts.lengths)
    found: NDArray[Any] = np.stack([column(each) for each in distinct])[which, at]
    return found


def _of_model(name: str) -> Derived:
    return lambda facts, names: names.models(name)[facts["model number"]]


def _of_chip(name: str) -> Derived:
    return lambda facts, names: names.chips(name)[facts["chip number"]]


def _of_owner(name: str) -> Derived:
    return lambda facts, names: names.owners[name][facts["owner number"]]


def _of_seller(name: str) -> Derived:
    return lambda facts, names: names.firms[name][facts["seller number"]]


OF_MODEL = (
    "vendor",
    "tier",
    "generation",
    "origin",
    "sparse",
    "capability",
    "active_params_b",
    "total_params_b",
    "memory_gb",
)

CHIP: Mapping[str, Derived] = {
    # A place is one in an array of (fleets, chips, purposes), by row.
    "owner number": lambda facts, _: facts["place"] // (facts["chips"] * len(PURPOSES)),
    "chip number": lambda facts, _: facts["place"] // len(PURPOSES) % facts["chips"],
    "purpose number": lambda facts, _: facts["place"] % len(PURPOSES),
    **{name: _of_chip(name) for name in ("maker", "maker_origin", "product", "class", "inference_listed")},
    "inference_physical": lambda facts, names: _looked_up(
        facts, _bound, names.optimised, facts["chip number"]
    ),
    "purpose": lambda facts, names: names.purposes[facts["purpose number"]],
}
"""What the tables of chips and of fleets say of a chip."""

DERIVED: Mapping[str, Mapping[str, Derived]] = {
    "offers": {
        "model": _of_model("name"),
        **{name: _of_model(name) for name in OF_MODEL},
        "seller": _of_seller("name"),
        "seller_origin": _of_seller("origin"),
        "region": lambda facts, names: names.regions[facts["region number"]],
        "input_price_usd_per_mtok": lambda facts, _: (
            facts["price_usd_per_mtok"] * _of_parameters(facts, _input_price)
        ),
        "output_price_usd_per_mtok": lambda facts, _: (
            facts["price_usd_per_mtok"] * _of_parameters(facts, _output_price)
        ),
        "revenue_usd": lambda facts, _: facts["tokens_mtok"] * facts["price_usd_per_mtok"],
        "mmlu": lambda facts, names: _looked_up(facts, _link, names.scores, facts["model number"]),
    },
    "chips": {
        **CHIP,
        "buyer": _of_owner("name"),
        "buyer_region": _of_owner("region"),
        "value_usd": lambda facts, _: facts["units_delivered"] * facts["price paid"],
    },
    "fleets": {
        **CHIP,
        "owner": _of_owner("name"),
        "owner_origin": _of_owner("origin"),
        "region": _of_owner("region"),
        "hours_available": lambda facts, _: facts["units"] * _of_parameters(facts, _hours_offered),
        "hours_used": lambda facts, _: facts["units"] * _of_pool(facts, Work.hours_per_unit),
        "tokens_mtok": _tokens,
        "share of pool": lambda facts, _: facts["units"] / _of_pool(facts, Work.pools),
        "racks by cooling": lambda facts, _: _of_pool(facts, lambda work: work.racks),
        "ports by network": lambda facts, _: _of_pool(facts, lambda work: work.ports),
        "racks": lambda facts, _: _both(facts["racks by cooling"]) * facts["share of pool"],
        "liquid_racks": lambda facts, _: facts["racks by cooling"][:, 1] * facts["share of pool"],
        "ports": lambda facts, _: _both(facts["ports by network"]) * facts["share of pool"],
        "ethernet_ports": lambda facts, _: facts["ports by network"][:, 1] * facts["share of pool"],
    },
    "firms": _firms(),
    "edges": {
        "source number": _of_flows(lambda flows: flows.order[0][flows.slots[flows.rows]]),
        "target number": _of_flows(lambda flows: flows.target[flows.slots[flows.rows]]),
        "kind number": _of_flows(lambda flows: flows.kind[flows.slots[flows.rows]]),
        "source": _of_node("source number"),
        "target": _of_node("target number"),
        "kind": lambda facts, _: texts.numbers(KINDS)[facts["kind number"]],
        "unit": lambda facts, _: texts.numbers(UNITS[kind] for kind in KINDS)[facts["kind number"]],
        "units": _of_flows(lambda flows: flows.units[flows.rows]),
        "money_usd": _of_flows(lambda flows: flows.money[flows.rows]),
    },
    "segments": {"adoption": lambda facts, _: facts["adopters"] / facts["firms"]},
}
"""The columns that follow from facts, by table."""
