"""A quarter as a screen shows it: plain numbers and texts, cut from the records of a running market."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from model.market import Market

Rows = Mapping[str, Sequence[Any]]
"""Rows of a recorded table, a list for each column."""

TABLES = ("quarters", "offers", "chips", "firms", "edges", "events")
"""The recorded tables that a frame is cut from."""

CHINA = "China"
API = "api"


class Price(NamedTuple):
    """The cheapest offer of a model in a region: who sells it and for how much, blended USD a million tokens."""

    model: str
    vendor: str
    origin: str
    tier: str
    open_weights: bool
    region: str
    price: float
    seller: str
    tokens: float


class Flow(NamedTuple):
    """What flowed along an edge in the quarter; ``target`` is a firm or a region of buyers."""

    source: str
    target: str
    kind: str
    units: float
    unit: str
    money: float


class Event(NamedTuple):
    """A line of the log."""

    quarter: str
    kind: str
    firm: str
    subject: str
    value: float
    note: str


@dataclass(frozen=True)
class Frame:
    """One recorded quarter.

    Attributes:
        quarter: as ``"2024Q1"``.
        headline: the row of the table ``quarters``, numbers by column; price indices, which need the whole
            base year, are missing.
        prices: the cheapest offer of each model in each region.
        sales: token revenue of the quarter in USD, by region and seller; vendors' own interfaces are summed under
            ``OWN``.
        deliveries: accelerators delivered in China, by maker: origin, units of all classes, AI-class units.
        firms: the row of each firm in the table ``firms``.
        flows: what flowed along the edges.
        events: the log of the quarter.
        settled: values of the claims whose period ended with the quarter, by claim id, nan where undefined; empty
            until they are known.
    """

    quarter: str
    headline: Mapping[str, float]
    prices: tuple[Price, ...]
    sales: Mapping[str, Mapping[str, float]]
    deliveries: Mapping[str, tuple[str, float, float]]
    firms: Mapping[str, Mapping[str, Any]]
    flows: tuple[Flow, ...]
    events: tuple[Event, ...]
    settled: Mapping[str, float] = field(default_factory=dict)


OWN = "vendors' own interfaces"


def cut(market: Market, since: Mapping[str, int]) -> Frame:
    """The last recorded quarter of a market, given how many rows of each table there were before it."""
    rows = {table: market.recorder.since(table, since[table]) for table in TABLES}
    headline = {name: values[0] for name, values in rows["quarters"].items()}
    quarter = headline.pop("quarter")
    return Frame(
        quarter=quarter,
        headline=headline,
        prices=tuple(_prices(rows["offers"])),
        sales=_sales(rows["offers"]),
        deliveries=_deliveries(rows["chips"]),
        firms={str(row.pop("firm")): row for row in _each(rows["firms"])},
        flows=tuple(_flows(rows["edges"])),
        events=tuple(Event(**row) for row in _each(rows["events"])),
    )


def counts(market: Market) -> dict[str, int]:
    """How many rows each table has by now."""
    return {table: market.recorder.rows(table) for table in TABLES}


def _each(rows: Rows) -> Iterable[dict[str, Any]]:
    return (dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True))


def _prices(offers: Rows) -> Iterable[Price]:
    best: dict[tuple[str, str], Price] = {}
    names = (
        "model",
        "vendor",
        "origin",
        "tier",
        "open_weights",
        "region",
        "price_usd_per_mtok",
        "seller",
        "tokens_mtok",
    )
    for values in zip(*(offers[name] for name in names), strict=True):
        price = Price(*values)
        key = (price.model, price.region)
        if key not in best or price.price < best[key].price:
            best[key] = price
    return best.values()


def _sales(offers: Rows) -> dict[str, dict[str, float]]:
    sales: dict[str, dict[str, float]] = {}
    names = ("region", "channel", "seller", "revenue_usd")
    for region, channel, seller, revenue in zip(*(offers[name] for name in names), strict=True):
        of = sales.setdefault(region, {})
        name = OWN if channel == API else seller
        of[name] = of.get(name, 0.0) + revenue
    return sales


def _deliveries(chips: Rows) -> dict[str, tuple[str, float, float]]:
    found: dict[str, tuple[str, float, float]] = {}
    names = ("maker", "maker_origin", "buyer_region", "class", "units_delivered")
    for maker, origin, region, grade, units in zip(*(chips[name] for name in names), strict=True):
        if region == CHINA:
            _, every, ai = found.get(maker, ("", 0.0, 0.0))
            found[maker] = (origin, every + units, ai + (units if grade == "ai" else 0.0))
    return found


def _flows(edges: Rows) -> Iterable[Flow]:
    """Edges with the segments of a region as one buyer."""
    found: dict[tuple[str, str, str], Flow] = {}
    names = ("source", "target", "kind", "units", "unit", "money_usd")
    for source, target, kind, units, unit, money in zip(*(edges[name] for name in names), strict=True):
        buyer = target.partition("/")[0]
        before = found.get((source, buyer, kind))
        if before is not None:
            units, money = units + before.units, money + before.money
        found[source, buyer, kind] = Flow(source, buyer, kind, units, unit, money)
    return found.values()


def finite(value: float | None) -> float | None:
    """A number as JSON can hold it: None for what is not finite."""
    return value if value is not None and math.isfinite(value) else None
