"""Metrics of hosting: what clouds ask for open models, at what margin, and where the models run."""

from __future__ import annotations

import math

import numpy as np

from evidence.facts import constants, recorded
from evidence.period import Moment, Period, Quarters
from evidence.prices import CHINESE, WESTERN, margin_on_cost, newest, posted
from evidence.products import list_price
from evidence.record import Record, Rows, log, ratio
from evidence.registry import metric
from model import calendar

MANAGED = "managed"
BACKERS = ("Huawei", "Tencent", "Alibaba")
"""The three clouds of the second article."""


def cloud_rows(record: Record, quarters: Quarters) -> Rows:
    """The clouds among the firms, without lessors' halls and buyers' own."""
    return record.rows("firms", quarters).where(kind="cloud").without(firm=recorded("venue", "all"))


def _hosted(record: Record, quarters: Quarters, cloud: str, region: str) -> Rows:
    rows = record.rows("offers", quarters).where(
        channel=MANAGED, seller=recorded("cloud", cloud), open_weights=True
    )
    priced = rows.where(region=region)
    return priced.keep(priced["price_usd_per_mtok"] > 0.0)


def _log_price(rows: Rows) -> float:
    return float(np.log(rows["price_usd_per_mtok"]).mean())


def _same_models(ours: Rows, theirs: Rows) -> float:
    """Mean log price gap over the models that both host; nan without one."""
    common = sorted(set(ours.names("model")) & set(theirs.names("model")))
    gaps = [_log_price(ours.where(model=model)) - _log_price(theirs.where(model=model)) for model in common]
    return float(np.mean(gaps)) if gaps else math.nan


def _similar_sizes(ours: Rows, theirs: Rows) -> float:
    """Mean log price gap between each of our models and their model nearest in total parameters, if near
    enough."""
    limit = math.log(constants()["similar_size_factor"])
    gaps = []
    for model in ours.names("model"):
        own = ours.where(model=model)
        distance = np.abs(np.log(theirs["total_params_b"]) - math.log(own.mean("total_params_b")))
        if distance.size and distance.min() <= limit:
            gaps.append(_log_price(own) - _log_price(theirs.keep(distance == distance.min())))
    return float(np.mean(gaps)) if gaps else math.nan


@metric(
    "share",
    "offers",
    open_subject="'CLOUD in REGION / CLOUD in REGION'; with ', similar size' matched by size, not by model",
)
def hosting_discount(record: Record, period: Period, subject: str) -> float:
    """1 less the managed price of open models at the first cloud over that at the second: geometric mean
    over the models that both post, or over pairs nearest in total parameters within a factor of two.
    Free offers are left out; pooled quarters by the mean of logs."""
    pair, _, how = subject.partition(", ")
    (cloud, region), (rival, there) = (side.split(" in ") for side in pair.split(" / "))

    def value(quarters: Quarters) -> float:
        match = _similar_sizes if how else _same_models
        gaps = [
            match(_hosted(record, (q,), cloud, region), _hosted(record, (q,), rival, there)) for q in quarters
        ]
        return math.exp(float(np.mean(gaps)))

    return 1.0 - period.end.value(value)


def _deepseek(record: Record, quarters: Quarters, clouds: tuple[str, ...]) -> Rows:
    sellers = tuple(name for cloud in clouds for name in recorded("cloud", cloud))
    rows = record.rows("offers", quarters).where(channel=MANAGED, region="China", seller=sellers)
    return rows.where(vendor=recorded("vendor", "DeepSeek"))


@metric(
    "USD/Mtok",
    "offers",
    open_subject="'DeepSeek-V2 at CLOUD', or 'DeepSeek at CLOUD': its newest flagship there",
)
def hosting_price(record: Record, period: Period, subject: str) -> float:
    """Posted blended price of a DeepSeek model at one cloud in China, weighted by tokens; nan when not
    hosted."""
    model, cloud = subject.split(" at ")

    def value(quarters: Quarters) -> float:
        rows = _deepseek(record, quarters, (cloud,))
        kept = (
            newest(rows.where(tier="flagship"))
            if model == "DeepSeek"
            else rows.where(model=recorded("model", model))
        )
        return kept.weighted("price_usd_per_mtok", "tokens_mtok")

    return period.end.value(value)


@metric("USD/Mtok", "offers")
def lowest_hosting_price(record: Record, period: Period, subject: str) -> float:
    """Lowest posted blended price in China of DeepSeek's newest flagship at Huawei, Tencent or Alibaba."""

    def value(quarters: Quarters) -> float:
        prices = newest(_deepseek(record, quarters, BACKERS).where(tier="flagship"))["price_usd_per_mtok"]
        return float(prices.min()) if prices.size else math.nan

    return period.end.value(value)


@metric("ratio", "offers", ("three clouds", *BACKERS))
def hosting_price_over_cost(record: Record, period: Period, subject: str) -> float:
    """Revenue from hosting DeepSeek models in China over the full cost of the tokens, of one of the three
    clouds or all of them. 1 is at cost, below 1 is subsidised."""
    clouds = BACKERS if subject == "three clouds" else (subject,)

    def value(quarters: Quarters) -> float:
        rows = _deepseek(record, quarters, clouds)
        served = rows.keep(rows["tokens_mtok"] > 0.0)
        return ratio(
            served.total("revenue_usd"), float(served["full_cost_usd_per_mtok"] @ served["tokens_mtok"])
        )

    return period.end.value(value)


@metric("ratio", "offers", BACKERS)
def hosting_price_relative(record: Record, period: Period, subject: str) -> float:
    """Posted price of DeepSeek's newest flagship at one of the three clouds over the geometric mean of
    those of the other two that host it."""

    def value(quarters: Quarters) -> float:
        prices = {
            cloud: posted(newest(_deepseek(record, quarters, (cloud,)).where(tier="flagship")))
            for cloud in BACKERS
        }
        own = prices.pop(subject)
        rivals = [log(price) for price in prices.values() if not math.isnan(price)]
        return ratio(own, math.exp(float(np.mean(rivals)))) if rivals else math.nan

    return period.end.value(value)


VENUES = {"public cloud": (MANAGED,), "colocation": ("colocation",), "on-premises": ("on-premises",)}
WITH_API = ", vendors' API counted as cloud"


@metric("share", "offers", (*VENUES, *(f"{venue}{WITH_API}" for venue in VENUES)))
def open_venue_share(record: Record, period: Period, subject: str) -> float:
    """Where open models run for enterprises in China, by tokens: managed endpoints of public clouds,
    colocation, on-premises. The vendors' own APIs are left out, or counted as public cloud."""
    venue, _, with_api = subject.partition(",")

    def value(quarters: Quarters) -> float:
        rows = record.rows("offers", quarters).where(region="China", open_weights=True)
        channels = {
            name: (*kinds, "api") if with_api and name == "public cloud" else kinds
            for name, kinds in VENUES.items()
        }
        tokens = {name: rows.where(channel=kinds).total("tokens_mtok") for name, kinds in channels.items()}
        return ratio(tokens[venue], sum(tokens.values()))

    return period.end.value(value)


@metric("share", ("offers", "firms"))
def clouds_part_of_open_revenue(record: Record, period: Period, subject: str) -> float:
    """Share of clouds in the revenue from tokens of Chinese open models in China (the rest: vendors' own
    APIs and the buyers' own venues)."""

    def value(quarters: Quarters) -> float:
        clouds = cloud_rows(record, quarters).names("firm")
        rows = record.rows("offers", quarters).where(region="China", origin=CHINESE, open_weights=True)
        return ratio(
            rows.where(seller=clouds, channel=MANAGED).total("revenue_usd"), rows.total("revenue_usd")
        )

    return period.end.value(value)


@metric("share", ("offers", "firms"))
def proprietary_hosting_premium(record: Record, period: Period, subject: str) -> float:
    """Western clouds' margin on proprietary models less their margin on open models that they host:
    revenue less full cost of the tokens, over revenue, all regions."""

    def value(quarters: Quarters) -> float:
        rows = record.rows("offers", quarters).where(channel=MANAGED, seller_origin=WESTERN)
        closed, opened = rows.where(open_weights=False), rows.where(open_weights=True)
        return margin_on_cost(closed) - margin_on_cost(opened)

    return period.end.value(value)


@metric("share", "offers", ("prices held", "prices followed"))
def self_hosting_saving(record: Record, period: Period, subject: str) -> float:
    """What a Chinese firm saves over three years by running a Chinese open flagship on its own premises
    instead of buying OpenAI's flagship: 1 less the full cost of on-premises tokens (amortised capital,
    power, network, staff; token-weighted mean in China in the starting quarter) over the API's posted
    price. Both are linear in tokens, so the 10 million queries a day cancel. Held: the starting
    quarter's API price for three years; followed: the mean of the API's prices over the three years."""
    rows = record.rows("offers", period.end.quarters).where(
        region="China", channel="on-premises", tier="flagship", open_weights=True, origin=CHINESE
    )
    own = rows.weighted("full_cost_usd_per_mtok", "tokens_mtok")
    first = calendar.index(period.end.quarters[0])
    years = int(constants()["ownership_years"]) if subject == "prices followed" else 0
    quarters = tuple(calendar.name(first + q) for q in range(max(years * calendar.QUARTERS_PER_YEAR, 1)))
    prices = [list_price(record, Moment(quarter, (quarter,)), "OpenAI flagship") for quarter in quarters]
    return 1.0 - ratio(own, float(np.mean(prices)))


def match_ratio(record: Record, quarters: Quarters, western: tuple[str, ...] = ()) -> float:
    """Western over Chinese clouds' managed prices of the open models that both host in Asia-Pacific.

    Geometric mean over those models, free offers left out; of all Western clouds or the named ones. nan
    without a model in common.
    """
    rows = record.rows("offers", quarters).where(channel=MANAGED, open_weights=True, region="Asia-Pacific")
    priced = rows.keep(rows["price_usd_per_mtok"] > 0.0)
    ours = priced.where(seller=western) if western else priced.where(seller_origin=WESTERN)
    return math.exp(_same_models(ours, priced.where(seller_origin=CHINESE)))


@metric("ratio", "offers")
def western_match_ratio(record: Record, period: Period, subject: str) -> float:
    """Western over Chinese clouds' managed prices of the same open models in Asia-Pacific without China,
    geometric mean over the models that both sides host there."""
    return period.end.value(lambda quarters: match_ratio(record, quarters))
