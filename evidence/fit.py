"""Compares runs with every dated observation to the end of 2024 that the model can produce."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from evidence.facts import rows
from evidence.judge import quantiles
from evidence.metrics import METRICS, Tables, evaluate_metric
from evidence.products import BLENDED, INPUT
from evidence.record import Record
from model import calendar

LOG = "log"
DIFFERENCE = "difference"
PRICES = "list prices"
HOME = {"CN": "China"}
ABROAD = "North America"
"""Where a list price is compared: Chinese vendors' in China; Western list prices are global."""


@dataclass(frozen=True)
class Observation:
    """A dated fact with its bounds (equal for one figure, infinite where one side is open)."""

    id: str
    group: str
    subject: str
    period: str
    low: float
    high: float
    unit: str
    scale: str
    source: str
    note: str

    def error(self, value: float) -> float:
        """How far a value lies outside the bounds: log of the ratio to the nearer one, or the difference; 0
        inside.

        nan when the value is undefined, or has no logarithm.
        """
        nearest = min(max(value, self.low), self.high)
        if math.isnan(value):
            return math.nan
        if self.scale == DIFFERENCE:
            return value - nearest
        return math.log(value / nearest) if value > 0.0 else math.nan


@dataclass(frozen=True)
class Comparison:
    """An observation beside what runs say: median, 5 and 95 % quantiles over seeds, and the median's error.

    Numbers are None where no run defines them; ``undefined`` counts those runs.
    """

    id: str
    group: str
    subject: str
    period: str
    observed_low: float | None
    observed_high: float | None
    unit: str
    median: float | None
    low: float | None
    high: float | None
    error: float | None
    scale: str
    seeds: int
    undefined: int
    source: str
    note: str

    def row(self) -> dict[str, object]:
        """Plain data for JSON."""
        return asdict(self)


def compare(runs: Iterable[Tables]) -> list[Comparison]:
    """Every observation beside the recorded tables of runs (one scenario, several seeds), in the tables'
    order."""
    values: dict[str, list[float]] = {}
    for tables in runs:
        for name, value in observe(tables).items():
            values.setdefault(name, []).append(value)
    return [_comparison(observation, values.get(observation.id, [])) for observation in observations()]


def observe(tables: Tables) -> dict[str, float]:
    """What one run says on each observation, by id; nan where the run cannot tell."""
    record = Record(tables)
    values = {
        row["id"]: evaluate_metric(record, row["metric"], row["period"], row["subject"])
        for row in rows("targets")
        if row["metric"]
    }
    return values | {_price_id(row): _posted(record, row) for row in _panel()}


def observations() -> tuple[Observation, ...]:
    """The observations that are compared: those of ``targets.csv`` with a metric, then the panel of list
    prices."""
    facts = {(row["quantity"], row["period"]): row["source_and_definition"] for row in rows("observations")}
    dated = [
        Observation(
            id=row["id"],
            group=row["quantity"],
            subject=row["subject"],
            period=row["period"],
            low=float(row["observed_low"]) if row["observed_low"] else -math.inf,
            high=float(row["observed_high"]) if row["observed_high"] else math.inf,
            unit=METRICS[row["metric"]].unit,
            scale=row["scale"],
            source=facts[row["quantity"], row["observed_period"]],
            note=row["note"],
        )
        for row in rows("targets")
        if row["metric"]
    ]
    return (*dated, *(_listed(row) for row in _panel()))


def not_compared() -> tuple[tuple[str, str], ...]:
    """What no run can be compared with, each with the reason: observations first, then list prices."""
    facts = [(row["id"], row["note"]) for row in rows("targets") if not row["metric"]]
    prices = [(_price_id(row), row["mapping_note"]) for row in rows("prices") if row["compared"] != "1"]
    return (*facts, *prices)


def root_mean_square(comparisons: Sequence[Comparison], group: str = PRICES) -> float:
    """Root mean square of the log errors of a group; nan when none is defined."""
    errors = [c.error for c in comparisons if c.group == group and c.scale == LOG and c.error is not None]
    return math.sqrt(sum(error * error for error in errors) / len(errors)) if errors else math.nan


def _panel() -> list[Mapping[str, str]]:
    return [row for row in rows("prices") if row["compared"] == "1"]


def _price_id(row: Mapping[str, str]) -> str:
    return f"{row['model']} {row['date']}"


def _price(row: Mapping[str, str]) -> tuple[str, float]:
    """The column to compare and the observed price: blended where both list prices are known, else input."""
    blended = row["blended_3to1_usd_per_m"]
    return (BLENDED, float(blended)) if blended else (INPUT, float(row["input_usd_per_m"]))


def _listed(row: Mapping[str, str]) -> Observation:
    column, price = _price(row)
    what = "input price" if column == INPUT else "price blended 3 to 1"
    return Observation(
        id=_price_id(row),
        group=PRICES,
        subject=f"{row['product']}, {what}",
        period=calendar.name(calendar.quarter_of_date(row["date"])),
        low=price,
        high=price,
        unit="USD/Mtok",
        scale=LOG if price > 0.0 else DIFFERENCE,
        source=row["source"],
        note=row["mapping_note"],
    )


def _posted(record: Record, row: Mapping[str, str]) -> float:
    """The run's posted price of the product in the quarter of the observation, on its vendor's API where it
    has one.

    A product that the run does not sell under its name is compared by its vendor's newest generation of the
    tier.
    """
    quarter = calendar.name(calendar.quarter_of_date(row["date"]))
    region = HOME.get(row["origin"], ABROAD)
    offers = record.rows("offers", (quarter,)).where(
        vendor=row["vendor_recorded"], tier=row["tier"], region=region
    )
    named = offers.where(model=row["product"])
    if not len(named) and len(offers):
        named = offers.keep(offers["generation"] == offers["generation"].max())
    own = named.where(channel="api")
    return (own if len(own) else named).weighted(_price(row)[0], "tokens_mtok")


def _comparison(observation: Observation, values: Sequence[float]) -> Comparison:
    median, low, high = quantiles(values)
    error = math.nan if median is None else observation.error(median)
    return Comparison(
        id=observation.id,
        group=observation.group,
        subject=observation.subject,
        period=observation.period,
        observed_low=observation.low if math.isfinite(observation.low) else None,
        observed_high=observation.high if math.isfinite(observation.high) else None,
        unit=observation.unit,
        median=median,
        low=low,
        high=high,
        error=None if math.isnan(error) else error,
        scale=observation.scale,
        seeds=len(values),
        undefined=sum(math.isnan(value) for value in values),
        source=observation.source,
        note=observation.note,
    )
