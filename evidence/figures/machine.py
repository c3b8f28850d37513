"""What a buyer can get to serve a model: chips on sale in a run, their prices, and what they make an hour."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from evidence.record import Record, ratio
from model import calendar
from model.capability import dense_equivalent
from model.catalogue import SECONDS_PER_HOUR, TOKENS_PER_MTOK
from model.parameters import ParameterError, Parameters
from model.serving import Architecture, ChipSpec, ServingTechnology, serving_table

MATURITY = "software_maturity_"


class WorkloadError(ParameterError):
    """A workload that cannot be priced in this run; the message says what to write instead."""


@dataclass(frozen=True)
class Machine:
    """One chip that a buyer could serve a model on: where its price is from, and what it makes.

    ``price_usd`` a chip, ``mtok_per_hour`` of a busy chip as software delivers it online, ``chips`` of one
    replica, ``maturity`` the share of the physics that its maker's software delivers.
    """

    spec: ChipSpec
    price_usd: float
    priced_in: str
    maturity: float
    mtok_per_hour: float
    chips: int


def technology(p: Parameters, input_per_output: float) -> ServingTechnology:
    """How models are served, with the parameters of the run but for the mix of input and output tokens."""
    values = {field.name: getattr(p, field.name) for field in fields(ServingTechnology)}
    counts = {name: int(values[name]) for name in ("node_chips", "max_chips")}
    return ServingTechnology(**{**values, **counts, "input_per_output": input_per_output})


def architecture(p: Parameters, params_b: float, active_b: float | None = None) -> Architecture:
    """An open model of that size, billions of parameters; dense unless it uses fewer a token than it has.

    Its cache is that of a grouped-query model of equal dense size, a mixture's is latent (``agents/vendor.py``).
    Raises WorkloadError for sizes that contradict each other.
    """
    active = params_b if active_b is None else active_b
    if not 0.0 < active <= params_b:
        raise WorkloadError(
            f"a model of {params_b:g} billion parameters cannot use {active:g} billion a token: write more "
            "than 0 and at most its size"
        )
    sparse = active < params_b
    cache = p.cache_bytes_per_token * math.sqrt(
        dense_equivalent(params_b, active) / p.cache_reference_params_b
    )
    return Architecture(
        active,
        params_b,
        cache * (p.latent_attention_share if sparse else 1.0),
        p.shared_expert_share if sparse else 1.0,
    )


def specification(p: Parameters, chip: str) -> ChipSpec:
    """A chip as ``evidence/chips.csv`` has it. Raises WorkloadError when it has none of that name."""
    facts = {str(row["chip"]): row for row in p.facts("chips")}
    if chip not in facts:
        raise WorkloadError(f"evidence/chips.csv has no chip {chip!r}; it has {', '.join(facts)}")
    row = {**facts[chip], "name": chip}
    return ChipSpec(**{field.name: row[field.name] for field in fields(ChipSpec)})  # type: ignore[arg-type]


def maturity(record: Record, p: Parameters, maker: str, origin: str, quarter: str) -> float:
    """Share of a chip's physics that its maker's software delivers to inference in a quarter.

    The law of ``agents/chipmaker.py``: the gap to one closes with the units that stood installed when the
    quarter before ended, which the table ``fleets`` has from the first recorded quarter on.
    """
    name = f"{MATURITY}{maker.lower().replace(' ', '_')}"
    start = p[name] if name in p else p[f"{MATURITY}captive"]
    learns = p.domestic_learning if origin == "CN" else 1.0
    before = calendar.name(calendar.index(quarter) - 1)
    seen = before if len(record.rows("fleets", (before,))) else quarter
    installed = record.rows("fleets", (seen,)).where(maker=maker).total("units")
    return 1.0 - (1.0 - start) * math.exp(-learns * installed / p.software_scale_units)


def price_of(record: Record, p: Parameters, chip: str, region: str, quarter: str) -> tuple[float, str]:
    """What buyers of a region last paid for a chip by a quarter, USD, and when; else its first list price."""
    for seen in reversed([name for name in record.quarters if name <= quarter]):
        rows = record.rows("chips", (seen,)).where(product=chip, buyer_region=region)
        price = ratio(rows.total("value_usd"), rows.total("units_delivered"))
        if price > 0.0:
            return price, f"paid in {region} in {seen}"
    listed = next(float(row["list_price_usd"]) for row in p.facts("chips") if row["chip"] == chip)
    return listed, f"list price: none was delivered in {region} by {quarter}"


def on_sale(record: Record, p: Parameters, region: str, quarter: str) -> tuple[str, ...]:
    """Chips of the facts that reached buyers of a region in a quarter, without those of a maker's own house."""
    rows = record.rows("chips", (quarter,)).where(buyer_region=region)
    delivered = set(rows.keep(rows["units_delivered"] > p.least_units_recorded).names("product"))
    own = {str(row["chip"]) for row in p.facts("chips") if str(row["captive_owner"]) not in ("", "nan")}
    known = (str(row["chip"]) for row in p.facts("chips"))
    return tuple(chip for chip in known if chip in delivered - own)


def machines(
    record: Record, p: Parameters, model: Architecture, mix: float, region: str, quarter: str, chip: str = ""
) -> tuple[Machine, ...]:
    """The chips that can serve a model and that a region's buyers get in a quarter, or the one named.

    ``mix`` is input tokens for each output token. Raises WorkloadError when none can serve it.
    """
    names = (chip,) if chip else on_sale(record, p, region, quarter)
    specs = [specification(p, name) for name in names]
    table = serving_table(specs, [model], technology(p, mix))
    online = p.online_efficiency * SECONDS_PER_HOUR / TOKENS_PER_MTOK
    found = []
    for i, spec in enumerate(specs):
        rate = float(table.tokens_per_second_per_chip[0, i])
        if rate <= 0.0:
            continue
        grown = maturity(record, p, spec.maker, spec.origin, quarter)
        price, priced_in = price_of(record, p, spec.name, region, quarter)
        count = int(table.chips_per_replica[0, i])
        found.append(Machine(spec, price, priced_in, grown, rate * online * grown, count))
    if not found:
        what = chip or f"no chip delivered in {region} in {quarter}"
        raise WorkloadError(
            f"{what} {'cannot' if chip else 'can'} serve a model of {model.total_params_b:g} billion parameters "
            "within the latency target: choose a smaller model, or another chip with --chip"
        )
    return tuple(found)
