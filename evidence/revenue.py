"""Metrics of the size of the market and of the service layer: revenue, tokens, applications, effort."""

from __future__ import annotations

from evidence.facts import recorded
from evidence.period import Moment, Period, Quarters
from evidence.prices import WESTERN
from evidence.record import Record, log, ratio
from evidence.registry import metric
from model.calendar import DAYS_PER_YEAR, QUARTERS_PER_YEAR

DAYS_PER_QUARTER = DAYS_PER_YEAR / QUARTERS_PER_YEAR


def _sum(record: Record, moment: Moment, column: str) -> float:
    return moment.value(lambda quarters: record.rows("quarters", quarters).total(column))


def _mean(record: Record, moment: Moment, column: str) -> float:
    return moment.value(lambda quarters: record.rows("quarters", quarters).mean(column))


@metric("USD", "quarters")
def china_market(record: Record, period: Period, subject: str) -> float:
    """API tokens, hosting and services paid for by enterprises in China, summed over the period."""
    return _sum(record, period.end, "china_llm_market_usd")


@metric("ratio", "quarters", change=True)
def china_market_growth(record: Record, period: Period, subject: str) -> float:
    """The China LLM market at the end over that at the start."""
    return ratio(*(_sum(record, moment, "china_llm_market_usd") for moment in (period.end, period.since)))


@metric("Mtok", "quarters")
def china_tokens(record: Record, period: Period, subject: str) -> float:
    """Tokens served to enterprises in China, summed over the period."""
    return _sum(record, period.end, "china_tokens_mtok")


@metric("Mtok/day", "quarters")
def china_tokens_a_day(record: Record, period: Period, subject: str) -> float:
    """Tokens served to enterprises in China a day."""
    return _sum(record, period.end, "china_tokens_mtok") / (len(period.end.quarters) * DAYS_PER_QUARTER)


@metric("applications", "quarters")
def china_applications(record: Record, period: Period, subject: str) -> float:
    """Deployed LLM applications of enterprises in China, mean over the period's quarters."""
    return _mean(record, period.end, "china_applications")


@metric("ratio", "quarters", change=True)
def china_applications_growth(record: Record, period: Period, subject: str) -> float:
    """Deployed applications in China at the end over those at the start."""
    return ratio(*(_mean(record, moment, "china_applications") for moment in (period.end, period.since)))


@metric("log points", "quarters", change=True)
def china_applications_log_growth(record: Record, period: Period, subject: str) -> float:
    """Log of deployed applications in China at the end less log of those at the start."""
    end, start = (_mean(record, moment, "china_applications") for moment in (period.end, period.since))
    return log(end) - log(start)


def _service_share(record: Record, moment: Moment, subject: str) -> float:
    above, below = {
        "China": ("china_services_usd", "china_llm_market_usd"),
        "world": ("services_usd", "market_revenue_usd"),
    }[subject]
    return ratio(_sum(record, moment, above), _sum(record, moment, below))


@metric("share", "quarters", ("China", "world"))
def service_share(record: Record, period: Period, subject: str) -> float:
    """Share of the service layer (fine-tuning, retrieval, security, integration) in tokens, hosting and
    services."""
    return _service_share(record, period.end, subject)


@metric("share", "quarters", ("China", "world"), change=True)
def service_share_rise(record: Record, period: Period, subject: str) -> float:
    """Rise of service_share from the start to the end."""
    return _service_share(record, period.end, subject) - _service_share(record, period.since, subject)


def _effort(record: Record, moment: Moment, subject: str) -> float:
    def value(quarters: Quarters) -> float:
        rows = record.rows("firms", quarters).where(kind="vendor", active=True)
        if subject == "Western vendors":
            return rows.where(origin=WESTERN).mean("service_effort")
        if subject == "Chinese vendors":
            return rows.where(origin="CN").mean("service_effort")
        return rows.where(firm=recorded("vendor", subject)).mean("service_effort")

    return moment.value(value)


EFFORT = "'Western vendors', 'Chinese vendors' or a vendor of names.csv"


@metric("share", "firms", open_subject=EFFORT)
def service_effort(record: Record, period: Period, subject: str) -> float:
    """Share of product effort on the service layer: plain mean over the vendors in business."""
    return _effort(record, period.end, subject)


@metric("share", "firms", open_subject=EFFORT, change=True)
def service_effort_rise(record: Record, period: Period, subject: str) -> float:
    """Rise of service_effort from the start to the end."""
    return _effort(record, period.end, subject) - _effort(record, period.since, subject)


@metric("share", "firms", change=True)
def western_service_revenue_rise(record: Record, period: Period, subject: str) -> float:
    """Rise of services in the revenue from tokens and services of Western vendors."""

    def share(quarters: Quarters) -> float:
        rows = record.rows("firms", quarters).where(kind="vendor", origin=WESTERN)
        services = rows.total("revenue_services_usd")
        return ratio(services, services + rows.total("revenue_api_usd") + rows.total("revenue_royalty_usd"))

    return period.end.value(share) - period.since.value(share)


@metric("log points", "offers", change=True)
def reseller_squeeze(record: Record, period: Period, subject: str) -> float:
    """How far the margin of a software vendor that resells OpenAI's flagship narrows: the fall of the log
    of what its customers could pay instead (lowest posted price above zero of an open offer at least as
    capable as OpenAI's cheapest offer of the quarter) over OpenAI's unit value of flagships. Positive:
    squeezed."""

    def room(quarter: str) -> float:
        rows = record.rows("offers", (quarter,))
        openai = rows.where(vendor=recorded("vendor", "OpenAI"))
        flagships = openai.where(tier="flagship")
        if not len(openai):
            return float("nan")
        opened = rows.where(open_weights=True)
        able = opened.keep(
            (opened["capability"] >= openai["capability"].min()) & (opened["price_usd_per_mtok"] > 0.0)
        )
        lowest = float(able["price_usd_per_mtok"].min()) if len(able) else float("nan")
        return log(lowest) - log(ratio(flagships.total("revenue_usd"), flagships.total("tokens_mtok")))

    def mean(quarters: Quarters) -> float:
        return sum(room(quarter) for quarter in quarters) / len(quarters)

    return period.since.value(mean) - period.end.value(mean)
