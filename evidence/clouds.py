"""Metrics of clouds as firms: revenue, its make-up, margins, concentration, and what Western clouds
choose."""

from __future__ import annotations

import math

import numpy as np

from evidence.facts import constants, recorded
from evidence.hosting import MANAGED, cloud_rows, match_ratio
from evidence.period import Moment, Period, Quarters
from evidence.prices import CHINESE, WESTERN, margin_on_cost
from evidence.record import Record, Rows, ratio
from evidence.registry import metric

AI_LINES = (
    "revenue_api_usd",
    "revenue_open_hosting_usd",
    "revenue_partner_hosting_usd",
    "revenue_compute_usd",
    "revenue_training_usd",
    "revenue_services_usd",
)
INFERENCE_LINES = ("revenue_open_hosting_usd", "revenue_partner_hosting_usd", "revenue_compute_usd")
LINES = {"AI": AI_LINES, "inference": INFERENCE_LINES}


def _clouds(record: Record, quarters: Quarters, origin: str | tuple[str, ...]) -> Rows:
    return cloud_rows(record, quarters).where(origin=origin)


def _lines(rows: Rows, lines: tuple[str, ...]) -> float:
    return sum(rows.total(line) for line in lines)


@metric("ratio", "firms", open_subject="'CLOUD AI' or 'CLOUD inference'", change=True)
def cloud_revenue_growth(record: Record, period: Period, subject: str) -> float:
    """A cloud's revenue at the end over that at the start. AI: tokens sold and hosted, hours sold to
    vendors for inference and training, services; inference: tokens hosted and inference hours. Captive
    work is left out."""
    cloud, kind = subject.rsplit(" ", 1)

    def revenue(moment: Moment) -> float:
        rows = record.rows("firms", moment.quarters).where(firm=recorded("cloud", cloud), kind="cloud")
        return _lines(rows, LINES[kind])

    return ratio(revenue(period.end), revenue(period.since))


@metric("share", "firms", open_subject="a cloud of names.csv", change=True)
def open_part_of_growth(record: Record, period: Period, subject: str) -> float:
    """Hosting of open models as a share of the growth of a cloud's AI revenue (lines as in
    cloud_revenue_growth); nan when the revenue did not grow."""

    def revenue(moment: Moment, lines: tuple[str, ...]) -> float:
        rows = record.rows("firms", moment.quarters).where(firm=recorded("cloud", subject), kind="cloud")
        return _lines(rows, lines)

    total, hosted = (
        revenue(period.end, lines) - revenue(period.since, lines)
        for lines in (AI_LINES, ("revenue_open_hosting_usd",))
    )
    return ratio(hosted, total) if total > 0.0 else math.nan


def groups(record: Record, quarters: Quarters) -> tuple[str, ...]:
    """Chinese clouds and the firms that they own more than half of, as names."""
    clouds = _clouds(record, quarters, CHINESE).names("firm")
    stakes = record.rows("edges", quarters).where(kind="equity", source=clouds)
    owned = stakes.keep(stakes["units"] > constants()["majority_stake"]).names("target")
    return tuple(sorted({*clouds, *owned}))


WORKLOADS = ("open inference", "proprietary API", "training", "other")


@metric("share", ("firms", "offers", "edges"), WORKLOADS)
def workload_share(record: Record, period: Period, subject: str) -> float:
    """Share of a workload in the AI revenue of Chinese clouds with the firms that they own: tokens of
    open models, tokens of proprietary models, training hours, and services as other. Inference hours
    sold to vendors are left out, since they are an input to those vendors' tokens; captive work is left
    out."""

    def value(quarters: Quarters) -> float:
        members = groups(record, quarters)
        sold = record.rows("offers", quarters).where(seller=members)
        firms = record.rows("firms", quarters).where(firm=members)
        revenue = {
            "open inference": sold.where(open_weights=True).total("revenue_usd"),
            "proprietary API": sold.where(open_weights=False).total("revenue_usd"),
            "training": firms.where(kind="cloud").total("revenue_training_usd"),
            "other": firms.total("revenue_services_usd"),
        }
        return ratio(revenue[subject], sum(revenue.values()))

    return period.end.value(value)


@metric("share", "offers", ("with China", "without China"))
def chinese_clouds_apac_share(record: Record, period: Period, subject: str) -> float:
    """Chinese clouds' managed endpoints as a share of the tokens of open models that enterprises in Asia-
    Pacific buy, through every channel; Asia-Pacific with or without China."""
    regions = ("China", "Asia-Pacific") if subject == "with China" else ("Asia-Pacific",)

    def value(quarters: Quarters) -> float:
        rows = record.rows("offers", quarters).where(region=regions, open_weights=True)
        ours = rows.where(channel=MANAGED, seller_origin=CHINESE)
        return ratio(ours.total("tokens_mtok"), rows.total("tokens_mtok"))

    return period.end.value(value)


def _hosting_margin(record: Record, moment: Moment, cloud: str | tuple[str, ...]) -> float:
    def value(quarters: Quarters) -> float:
        rows = record.rows("offers", quarters).where(channel=MANAGED, open_weights=True, seller=cloud)
        return margin_on_cost(rows)

    return moment.value(value)


def _western_names(record: Record, quarters: Quarters) -> tuple[str, ...]:
    return _clouds(record, quarters, WESTERN).names("firm")


@metric("share", ("offers", "firms"), change=True)
def western_hosting_margin_fall(record: Record, period: Period, subject: str) -> float:
    """Fall of Western clouds' margin on open models that they host (revenue less full cost, over revenue)."""
    clouds = _western_names(record, period.since.quarters)
    return _hosting_margin(record, period.since, clouds) - _hosting_margin(record, period.end, clouds)


def _differentiated(record: Record, moment: Moment, cloud: str | tuple[str, ...]) -> float:
    rows = record.rows("firms", moment.quarters).where(firm=cloud, kind="cloud")
    above = _lines(rows, ("revenue_partner_hosting_usd", "revenue_services_usd"))
    return ratio(above, above + rows.total("revenue_open_hosting_usd"))


@metric("share", "firms", change=True)
def western_differentiation_rise(record: Record, period: Period, subject: str) -> float:
    """Rise of proprietary hosting and services in Western clouds' revenue from hosting and services."""
    clouds = _western_names(record, period.since.quarters)
    return _differentiated(record, period.end, clouds) - _differentiated(record, period.since, clouds)


@metric("share", ("offers", "firms"), change=True)
def western_clouds_that_chose(record: Record, period: Period, subject: str) -> float:
    """Share of Western clouds that match or differentiate. Match: at the end, prices of open models in
    Asia-Pacific within a tenth of Chinese clouds' for the same models, at a lower hosting margin than
    at the start. Differentiate: a larger share of proprietary hosting and services in hosting and
    services revenue than at the start."""
    clouds = _western_names(record, period.since.quarters)
    chosen = [_matches(record, period, (c,)) or _differentiates(record, period, (c,)) for c in clouds]
    return float(np.mean(chosen)) if chosen else math.nan


def _matches(record: Record, period: Period, cloud: tuple[str, ...]) -> bool:
    near = match_ratio(record, period.end.quarters, cloud) <= constants()["matched_price_ratio"]
    return near and _hosting_margin(record, period.end, cloud) < _hosting_margin(record, period.since, cloud)


def _differentiates(record: Record, period: Period, cloud: tuple[str, ...]) -> bool:
    return _differentiated(record, period.end, cloud) > _differentiated(record, period.since, cloud)


@metric("share", "firms", change=True)
def cloud_margin_resilience(record: Record, period: Period, subject: str) -> float:
    """Change of the operating margin of Chinese clouds less the change of that of Chinese vendors; margins
    pooled, revenue less cost over revenue, captive work included for clouds."""

    def margin(moment: Moment, kind: str) -> float:
        rows = record.rows("firms", moment.quarters).where(kind=kind, origin=CHINESE)
        rows = rows.without(firm=recorded("venue", "all"))
        return ratio(rows.total("revenue_usd") - rows.total("cost_usd"), rows.total("revenue_usd"))

    clouds, vendors = (margin(period.end, kind) - margin(period.since, kind) for kind in ("cloud", "vendor"))
    return clouds - vendors


@metric("USD", ("firms", "edges"), change=True)
def group_surplus(record: Record, period: Period, subject: str) -> float:
    """Revenue less cost and chips bought of Chinese clouds with the firms that they own, summed over all
    quarters from the start to the end."""
    firms = record.rows("firms", period.span)
    clouds = _clouds(record, period.span, CHINESE)
    stakes = record.rows("edges", period.span).where(kind="equity")
    majority = stakes.keep(stakes["units"] > constants()["majority_stake"])
    # A firm is of the groups in the quarters in which it is a cloud itself or a cloud of that quarter owns it.
    owned = majority.keep(np.isin(majority.each("source"), clouds.each("firm")))
    members = np.union1d(clouds.each("firm"), owned.each("target"))
    rows = firms.keep(np.isin(firms.each("firm"), members))
    return rows.total("revenue_usd") - rows.total("cost_usd") - rows.total("chip_purchases_usd")


@metric("index", "quarters")
def concentration(record: Record, period: Period, subject: str) -> float:
    """Herfindahl index of sellers' shares of token revenue in China, mean of pooled quarters."""
    return period.end.value(lambda quarters: record.rows("quarters", quarters).mean("hhi_china_tokens"))


@metric("index", "quarters", change=True)
def concentration_rise(record: Record, period: Period, subject: str) -> float:
    """Change of the Herfindahl index of sellers' shares of token revenue in China."""
    end, start = (
        moment.value(lambda quarters: record.rows("quarters", quarters).mean("hhi_china_tokens"))
        for moment in (period.end, period.since)
    )
    return end - start


@metric("ratio", "firms", open_subject="a Chinese cloud of names.csv")
def lead_among_chinese_clouds(record: Record, period: Period, subject: str) -> float:
    """A Chinese cloud's revenue from inference (tokens hosted, inference hours) and training over that of the
    largest of its Chinese rivals."""
    lines = (*INFERENCE_LINES, "revenue_training_usd")
    rows = _clouds(record, period.end.quarters, CHINESE)
    own = recorded("cloud", subject)
    rivals = [_lines(rows.where(firm=firm), lines) for firm in rows.names("firm") if firm not in own]
    return ratio(_lines(rows.where(firm=own), lines), max(rivals)) if rivals else math.nan


@metric("share", "fleets", open_subject="a cloud of names.csv")
def captive_share(record: Record, period: Period, subject: str) -> float:
    """Share of captive work in the chip hours that a cloud uses."""
    rows = record.rows("fleets", period.end.quarters).where(owner=recorded("cloud", subject))
    return ratio(rows.where(purpose="captive").total("hours_used"), rows.total("hours_used"))


@metric("share", ("offers", "firms"), open_subject="Chinese labs of names.csv joined by +", change=True)
def labs_that_responded(record: Record, period: Period, subject: str) -> float:
    """Share of Chinese labs that, by the end, sell DeepSeek's models (under their cloud's name) or put a
    larger share of effort into the service layer than at the start."""
    labs = subject.split(" + ")
    answered = []
    for lab in labs:
        sellers = recorded("lab", lab)
        hosts = record.rows("offers", period.end.quarters).where(
            vendor=recorded("vendor", "DeepSeek"), seller=sellers
        )
        before, after = (
            record.rows("firms", moment.quarters)
            .where(firm=recorded("vendor", lab), kind="vendor")
            .mean("service_effort")
            for moment in (period.since, period.end)
        )
        answered.append(len(hosts) > 0 or after > before)
    return float(np.mean(answered))
