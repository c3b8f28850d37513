"""Metrics of the price of inference: levels, falls by four kinds of average, convergence, margins on
tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from evidence.facts import constants
from evidence.period import Moment, Period, Quarters
from evidence.record import Record, Rows, Wanted, log, ratio
from evidence.registry import metric
from model import calendar, indices

CHINESE = "CN"
WESTERN = ("US", "EU")

SCOPES: Mapping[str, Mapping[str, Wanted]] = {
    "world": {},
    "China": {"region": "China"},
    "Asia-Pacific with China": {"region": ("China", "Asia-Pacific")},
    "Asia-Pacific without China": {"region": "Asia-Pacific"},
    "North America": {"region": "North America"},
    "Chinese models": {"origin": CHINESE},
    "Western models": {"origin": WESTERN},
    "Chinese open": {"origin": CHINESE, "open_weights": True},
    "Western proprietary": {"origin": WESTERN, "open_weights": False},
    "Western proprietary flagship": {"origin": WESTERN, "open_weights": False, "tier": "flagship"},
}
"""Which offers a price is taken over, by the origin of the model or the region of the buyer."""

RECORDED_INDICES = {
    "fixed basket": "price_index_fixed_basket",
    "Fisher": "price_index_fisher",
    "constant quality": "price_index_constant_quality",
    "hedonic": "price_index_hedonic",
}
AVERAGES = ("unit value", *RECORDED_INDICES)
REGIONAL = ("China", "Asia-Pacific with China", "Asia-Pacific without China", "North America")
FALLS = (
    *(f"{average}, world" for average in AVERAGES),
    *(f"{average}, {scope}" for scope in REGIONAL for average in ("unit value", "fixed basket", "Fisher")),
    *(f"unit value, {scope}" for scope in SCOPES if scope != "world" and scope not in REGIONAL),
)


def offers(record: Record, quarters: Quarters, scope: str) -> Rows:
    """The offers of a scope. Raises KeyError for an unknown one."""
    return record.rows("offers", quarters).where(**SCOPES[scope])


def revenue_over_tokens(rows: Rows) -> float:
    """Unit value of some offers, USD/Mtok; nan when nothing was sold."""
    return ratio(rows.total("revenue_usd"), rows.total("tokens_mtok"))


def offer_index(record: Record, average: str, scope: str) -> Mapping[int, float]:
    """A fixed-basket or chained Fisher index of the matched offers of one scope, by number of quarter."""

    def build() -> Mapping[int, float]:
        quarters = record.quarters
        panel = record.kept("panel of offers", record.panel)
        every, kept = record.rows("offers", quarters), np.ones(len(panel.order), dtype=bool)
        for column, wanted in SCOPES[scope].items():
            kept &= every.has(column, wanted)
        chosen = panel.of(kept[panel.order])
        if average == "Fisher":
            series = indices.chained_fisher(chosen)
        else:
            names = {calendar.name(q) for q in calendar.quarters_of(int(constants()["basket_year"]))}
            base = [i for i, quarter in enumerate(quarters) if quarter in names]
            series = indices.fixed_basket(chosen, base)
        return {calendar.index(quarter): float(series[i]) for i, quarter in enumerate(quarters)}

    return record.kept(("offer index", average, scope), build)


def level(record: Record, moment: Moment, average: str, scope: str) -> float:
    """The price level of a scope: USD/Mtok as unit value, else an index (pooled quarters: their mean)."""
    if average == "unit value":
        return moment.value(lambda quarters: revenue_over_tokens(offers(record, quarters, scope)))
    if scope == "world":
        column = RECORDED_INDICES[average]
        return moment.value(lambda quarters: record.rows("quarters", quarters).mean(column))
    series = offer_index(record, average, scope)
    return moment.value(lambda quarters: float(np.mean([series[calendar.index(q)] for q in quarters])))


def _levels(record: Record, period: Period, subject: str) -> tuple[float, float]:
    average, _, scope = subject.partition(", ")
    return level(record, period.since, average, scope), level(record, period.end, average, scope)


@metric("USD/Mtok", "offers", tuple(SCOPES))
def unit_value(record: Record, period: Period, subject: str) -> float:
    """Revenue over tokens served, pooled, of the offers of the subject, blended 3 input to 1 output."""
    return level(record, period.end, "unit value", subject)


@metric("share", ("offers", "quarters"), FALLS, change=True)
def price_fall(record: Record, period: Period, subject: str) -> float:
    """1 less the price at the end over the price at the start. Unit value: revenue over tokens, pooled.
    Fixed basket: Laspeyres on the basket of 2024; Fisher: chained, of matched offers; constant quality:
    lowest posted price at the reference capability; hedonic: adjacent-period regression. Indices of a
    pooled period are means."""
    start, end = _levels(record, period, subject)
    return 1.0 - ratio(end, start)


@metric("log points", ("offers", "quarters"), FALLS, change=True)
def price_log_fall(record: Record, period: Period, subject: str) -> float:
    """Log of the price at the start less log of the price at the end, averages as in price_fall."""
    start, end = _levels(record, period, subject)
    return log(start) - log(end)


@metric("share", "offers", change=True)
def price_fall_lead_of_asia(record: Record, period: Period, subject: str) -> float:
    """Fall of the unit value in Asia-Pacific with China less its fall in North America."""
    asia = price_fall(record, period, "unit value, Asia-Pacific with China")
    return asia - price_fall(record, period, "unit value, North America")


@metric("ratio", "quarters", ("unit value", "quality adjusted"), change=True)
def regional_dispersion(record: Record, period: Period, subject: str) -> float:
    """Standard deviation over the four regions of log price at the end over that at the start, of unit
    values or of the price at the reference capability; pooled periods are means of their quarters.
    Below 1: convergence."""
    column = {
        "unit value": "price_dispersion_regions",
        "quality adjusted": "price_dispersion_quality_adjusted",
    }[subject]

    def spread(moment: Moment) -> float:
        return moment.value(lambda quarters: record.rows("quarters", quarters).mean(column))

    return ratio(spread(period.end), spread(period.since))


def _gap(record: Record, moment: Moment) -> float:
    west, china = (
        level(record, moment, "unit value", scope) for scope in ("Western models", "Chinese models")
    )
    return log(ratio(west, china))


@metric("log points", "offers")
def origin_gap(record: Record, period: Period, subject: str) -> float:
    """Log unit value of Western models less log unit value of Chinese models, all buyers."""
    return _gap(record, period.end)


@metric("ratio", "offers", change=True)
def origin_gap_ratio(record: Record, period: Period, subject: str) -> float:
    """Size of the log gap between Western and Chinese unit values at the end over its size at the start."""
    return ratio(abs(_gap(record, period.end)), abs(_gap(record, period.since)))


def newest(rows: Rows) -> Rows:
    """Of some offers, those of each vendor's newest generation on sale."""
    generation = rows["generation"]
    vendors, vendor = rows.groups("vendor")
    latest = np.zeros(len(vendors), dtype=np.int64)
    np.maximum.at(latest, vendor, generation)
    return rows.keep(generation == latest[vendor])


def posted(rows: Rows) -> float:
    """Typical posted price of some offers, USD/Mtok: geometric mean over vendors of their offers' geometric
    mean.

    Free offers are left out, since they have no logarithm; nan when nothing is left.
    """
    priced = rows.keep(rows["price_usd_per_mtok"] > 0.0)
    vendors, vendor = priced.groups("vendor")
    if not vendors:
        return math.nan
    means = np.bincount(vendor, np.log(priced["price_usd_per_mtok"])) / np.bincount(vendor)
    return math.exp(float(means.mean()))


@metric("ratio", "offers", ("flagship unit value", "unit value", "posted flagship"))
def western_premium(record: Record, period: Period, subject: str) -> float:
    """Price of Western proprietary models over that of Chinese open models. Flagship unit value: Western
    flagships against all Chinese open models, revenue over tokens; unit value: all tiers of both;
    posted flagship: posted prices of each vendor's newest flagship, equal weights to vendors and to
    pooled quarters (in logs)."""
    if subject == "posted flagship":

        def one(quarter: str) -> float:
            west = newest(offers(record, (quarter,), "Western proprietary flagship"))
            china = newest(offers(record, (quarter,), "Chinese open").where(tier="flagship"))
            return log(ratio(posted(west), posted(china)))

        return period.end.value(lambda quarters: math.exp(float(np.mean([one(q) for q in quarters]))))
    west = "Western proprietary flagship" if subject == "flagship unit value" else "Western proprietary"
    over = level(record, period.end, "unit value", west)
    return ratio(over, level(record, period.end, "unit value", "Chinese open"))


@metric("ratio", "offers")
def price_floor_ratio(record: Record, period: Period, subject: str) -> float:
    """Lowest posted price of a Chinese open model over the lowest of a Western proprietary model, free
    offers left out; pooled quarters by the mean of logs. Below 1: the Chinese floor undercuts the
    Western one."""

    def floor(quarter: str, scope: str) -> float:
        prices = offers(record, (quarter,), scope)["price_usd_per_mtok"]
        paid = prices[prices > 0.0]
        return float(paid.min()) if paid.size else math.nan

    def logs(quarters: Quarters) -> float:
        gaps = [log(ratio(floor(q, "Chinese open"), floor(q, "Western proprietary"))) for q in quarters]
        return math.exp(float(np.mean(gaps)))

    return period.end.value(logs)


def _at_score(record: Record, quarters: Quarters, score: float) -> float:
    rows = record.rows("offers", quarters)
    reached = rows.keep((rows["mmlu"] >= score) & (rows["price_usd_per_mtok"] > 0.0))["price_usd_per_mtok"]
    return float(reached.min()) if reached.size else math.nan


SCORES = {"GPT-3 class": "gpt3_mmlu", "GPT-3.5 class": "gpt35_mmlu", "GPT-4 class": "gpt4_mmlu"}


@metric("USD/Mtok", "offers", tuple(SCORES))
def lowest_price_at_score(record: Record, period: Period, subject: str) -> float:
    """Lowest posted price above zero of any offer whose MMLU reaches that of the subject."""
    score = constants()[SCORES[subject]]
    return period.end.value(lambda quarters: _at_score(record, quarters, score))


@metric("fold a year", "offers", tuple(SCORES), change=True)
def yearly_fall_at_score(record: Record, period: Period, subject: str) -> float:
    """How many times the lowest price at the subject's MMLU falls in a year, from the start to the end."""
    score = constants()[SCORES[subject]]
    start, end = (
        moment.value(lambda quarters: _at_score(record, quarters, score))
        for moment in (period.since, period.end)
    )
    quarters = calendar.index(period.end.last) - calendar.index(period.since.last)
    return math.exp(log(ratio(start, end)) * calendar.QUARTERS_PER_YEAR / quarters)


@metric("share", "offers", ("world", "China"), change=True)
def token_margin_fall(record: Record, period: Period, subject: str) -> float:
    """Fall, in share of revenue, of the margin on tokens: revenue less full cost of the tokens, over
    revenue."""

    def margin(moment: Moment) -> float:
        return moment.value(lambda quarters: margin_on_cost(offers(record, quarters, subject)))

    return margin(period.since) - margin(period.end)


def margin_on_cost(rows: Rows) -> float:
    """Token revenue less the full cost of the tokens served, over revenue; nan without revenue."""
    served = rows.keep(rows["tokens_mtok"] > 0.0)
    cost = float(served["full_cost_usd_per_mtok"] @ served["tokens_mtok"])
    return ratio(served.total("revenue_usd") - cost, served.total("revenue_usd"))
