"""Metrics of the contest among vendors in China: shares, DeepSeek's rise, its research and its income."""

from __future__ import annotations

from evidence.facts import recorded
from evidence.hosting import BACKERS, MANAGED
from evidence.period import Moment, Period, Quarters
from evidence.prices import CHINESE
from evidence.record import Record, Rows, ratio
from evidence.registry import metric
from evidence.revenue import DAYS_PER_QUARTER

WEIGHTS = {"tokens": "tokens_mtok", "revenue": "revenue_usd"}


def _china(record: Record, quarters: Quarters) -> Rows:
    return record.rows("offers", quarters).where(region="China")


def _share(record: Record, moment: Moment, subject: str) -> float:
    vendor, weight = subject.split(", ")

    def value(quarters: Quarters) -> float:
        rows = _china(record, quarters)
        column = WEIGHTS[weight]
        return ratio(rows.where(vendor=recorded("vendor", vendor)).total(column), rows.total(column))

    return moment.value(value)


VENDOR_SHARE = "'VENDOR, tokens' or 'VENDOR, revenue', the vendor from names.csv"


@metric("share", "offers", open_subject=VENDOR_SHARE)
def vendor_share_china(record: Record, period: Period, subject: str) -> float:
    """Share of a vendor's models, whoever serves them, in tokens or token revenue in China."""
    return _share(record, period.end, subject)


@metric("ratio", "offers", open_subject=VENDOR_SHARE, change=True)
def vendor_share_growth(record: Record, period: Period, subject: str) -> float:
    """A vendor's share in China at the end over that at the start."""
    return ratio(_share(record, period.end, subject), _share(record, period.since, subject))


@metric("share", "offers", open_subject=VENDOR_SHARE, change=True)
def vendor_share_fall(record: Record, period: Period, subject: str) -> float:
    """Fall of a vendor's share in China from the start to the end."""
    return _share(record, period.since, subject) - _share(record, period.end, subject)


@metric("ratio", "offers", ("ERNIE + Qwen", "largest rival"))
def deepseek_token_lead(record: Record, period: Period, subject: str) -> float:
    """Tokens of DeepSeek's models in China over those of ERNIE and Qwen together, or of the largest other
    vendor."""
    rows = _china(record, period.end.quarters)
    deepseek = recorded("vendor", "DeepSeek")
    own = rows.where(vendor=deepseek).total("tokens_mtok")
    if subject == "ERNIE + Qwen":
        rivals = (*recorded("vendor", "ERNIE"), *recorded("vendor", "Qwen"))
        return ratio(own, rows.where(vendor=rivals).total("tokens_mtok"))
    others = rows.without(vendor=deepseek)
    return ratio(
        own, max((others.where(vendor=v).total("tokens_mtok") for v in others.names("vendor")), default=0.0)
    )


@metric("share", "offers")
def deepseek_share_of_open_tokens(record: Record, period: Period, subject: str) -> float:
    """Share of DeepSeek's models in the tokens of open models in China."""
    rows = _china(record, period.end.quarters).where(open_weights=True)
    return ratio(
        rows.where(vendor=recorded("vendor", "DeepSeek")).total("tokens_mtok"), rows.total("tokens_mtok")
    )


@metric("Mtok", "offers")
def deepseek_tokens_abroad(record: Record, period: Period, subject: str) -> float:
    """Tokens of DeepSeek's models, whoever serves them, bought outside China."""
    rows = record.rows("offers", period.end.quarters).where(vendor=recorded("vendor", "DeepSeek"))
    return rows.without(region="China").total("tokens_mtok")


@metric("share", "offers")
def largest_backer_share(record: Record, period: Period, subject: str) -> float:
    """Largest share of one of Huawei, Tencent and Alibaba in the tokens of DeepSeek's models that the
    three host in China."""
    rows = _china(record, period.end.quarters).where(channel=MANAGED, vendor=recorded("vendor", "DeepSeek"))
    tokens = [rows.where(seller=recorded("cloud", cloud)).total("tokens_mtok") for cloud in BACKERS]
    return ratio(max(tokens), sum(tokens))


@metric("ratio", "firms", change=True)
def deepseek_research_ratio(record: Record, period: Period, subject: str) -> float:
    """DeepSeek's research spending relative to that of all Chinese vendors, at the end over the start.
    Below 1: it falls behind."""

    def part(quarters: Quarters) -> float:
        rows = record.rows("firms", quarters).where(kind="vendor", origin=CHINESE)
        own = rows.where(firm=recorded("vendor", "DeepSeek"))
        return ratio(own.total("research_usd"), rows.total("research_usd"))

    return ratio(period.end.value(part), period.since.value(part))


@metric("share", "firms")
def deepseek_api_dependence(record: Record, period: Period, subject: str) -> float:
    """Share of its own API in DeepSeek's revenue."""
    rows = record.rows("firms", period.end.quarters).where(firm=recorded("vendor", "DeepSeek"), kind="vendor")
    return ratio(rows.total("revenue_api_usd"), rows.total("revenue_usd"))


@metric("Mtok/day", "offers", open_subject="a vendor of names.csv")
def vendor_tokens_a_day(record: Record, period: Period, subject: str) -> float:
    """Tokens a day of a vendor's models in China, enterprises only."""
    rows = _china(record, period.end.quarters).where(vendor=recorded("vendor", subject))
    return rows.total("tokens_mtok") / (len(period.end.quarters) * DAYS_PER_QUARTER)
