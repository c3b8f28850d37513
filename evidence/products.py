"""Metrics of named models and tiers: list prices, benchmark scores, memory and active parameters."""

from __future__ import annotations

import math

import numpy as np

from evidence.facts import knows, recorded
from evidence.period import Moment, Period, Quarters
from evidence.prices import SCOPES, newest, posted
from evidence.record import Record, Rows, log, ratio
from evidence.registry import metric

BLENDED = "price_usd_per_mtok"
INPUT = "input_price_usd_per_mtok"
OUTPUT = "output_price_usd_per_mtok"
FLAGSHIP = " flagship"
PRODUCT = "a model of names.csv, or 'VENDOR flagship': the newest generation of the vendor's flagship on sale"
PAIR = "'A / B' or 'A + B / C', each a model of names.csv or 'VENDOR flagship'; + takes the geometric mean"


def product(record: Record, quarters: Quarters, subject: str) -> Rows:
    """The offers of a named model, or of a vendor's newest flagship: its own API where it sells one, else
    all."""
    rows = record.rows("offers", quarters)
    if knows("model", subject):
        rows = rows.where(model=recorded("model", subject))
    else:
        rows = newest(rows.where(vendor=recorded("vendor", subject.removesuffix(FLAGSHIP)), tier="flagship"))
    own = rows.where(channel="api")
    return own if len(own) else rows


def list_price(record: Record, moment: Moment, subject: str, column: str = BLENDED) -> float:
    """Posted price of a product, weighted by tokens over offers and pooled quarters; nan when not on sale."""
    if subject.endswith(FLAGSHIP):
        # The newest generation is found quarter by quarter, so pooled quarters are averaged.
        def mean(quarters: Quarters) -> float:
            prices = [product(record, (q,), subject).weighted(column, "tokens_mtok") for q in quarters]
            return float(np.mean(prices))

        return moment.value(mean)
    return moment.value(lambda quarters: product(record, quarters, subject).weighted(column, "tokens_mtok"))


@metric("USD/Mtok", "offers", open_subject=PRODUCT)
def list_price_blended(record: Record, period: Period, subject: str) -> float:
    """Posted price of the product, blended 3 input to 1 output, on its vendor's API (where none, over its
    hosts), weighted by tokens."""
    return list_price(record, period.end, subject)


@metric("USD/Mtok", "offers", open_subject=PRODUCT)
def list_price_input(record: Record, period: Period, subject: str) -> float:
    """Posted price of input tokens of the product, averaged as in list_price_blended."""
    return list_price(record, period.end, subject, INPUT)


@metric("USD/Mtok", "offers", open_subject=PRODUCT)
def list_price_output(record: Record, period: Period, subject: str) -> float:
    """Posted price of output tokens of the product, averaged as in list_price_blended."""
    return list_price(record, period.end, subject, OUTPUT)


def _relative(record: Record, moment: Moment, subject: str, column: str) -> float:
    above, _, below = subject.partition(" / ")
    logs = [log(list_price(record, moment, one, column)) for one in above.split(" + ")]
    return math.exp(float(np.mean(logs)) - log(list_price(record, moment, below, column)))


@metric("ratio", "offers", open_subject=PAIR)
def list_price_ratio(record: Record, period: Period, subject: str) -> float:
    """Blended posted price of one product over that of another."""
    return _relative(record, period.end, subject, BLENDED)


@metric("ratio", "offers", open_subject=PAIR)
def input_price_ratio(record: Record, period: Period, subject: str) -> float:
    """Posted input price of one product over that of another."""
    return _relative(record, period.end, subject, INPUT)


def _vendor_unit_value(record: Record, moment: Moment, subject: str) -> float:
    vendor = recorded("vendor", subject.removesuffix(" flagship unit value"))

    def value(quarters: Quarters) -> float:
        rows = record.rows("offers", quarters).where(vendor=vendor, tier="flagship")
        return ratio(rows.total("revenue_usd"), rows.total("tokens_mtok"))

    return moment.value(value)


def _start_and_end(record: Record, period: Period, subject: str) -> tuple[float, float]:
    if subject.endswith(" flagship unit value"):
        return _vendor_unit_value(record, period.since, subject), _vendor_unit_value(
            record, period.end, subject
        )
    return list_price(record, period.since, subject), list_price(record, period.end, subject)


FALLING = f"{PRODUCT}; or 'VENDOR flagship unit value': revenue over tokens of all its flagships"


@metric("share", "offers", open_subject=FALLING, change=True)
def list_price_fall(record: Record, period: Period, subject: str) -> float:
    """1 less the product's blended posted price (or flagship unit value) at the end over that at the
    start."""
    start, end = _start_and_end(record, period, subject)
    return 1.0 - ratio(end, start)


@metric("log points", "offers", open_subject=FALLING, change=True)
def list_price_log_fall(record: Record, period: Period, subject: str) -> float:
    """Log of the product's posted price (or flagship unit value) at the start less log of that at the end."""
    start, end = _start_and_end(record, period, subject)
    return log(start) - log(end)


@metric("percent", "offers", open_subject="a model of names.csv")
def benchmark_score(record: Record, period: Period, subject: str) -> float:
    """MMLU of a named model while it is on sale."""
    return period.end.value(lambda quarters: product(record, quarters, subject).mean("mmlu"))


@metric("ratio", "offers", open_subject="'A / B', each a model of names.csv")
def benchmark_ratio(record: Record, period: Period, subject: str) -> float:
    """MMLU of one model over that of another; each the last score it had on sale by the end of the period."""
    names = tuple(quarter for quarter in record.quarters if quarter <= period.end.last)
    above, below = subject.split(" / ")
    return ratio(product(record, names, above).mean("mmlu"), product(record, names, below).mean("mmlu"))


def _best(rows: Rows) -> float:
    return float(rows["mmlu"].max()) if len(rows) else math.nan


@metric("ratio", "offers", ("best", "weighted by tokens"))
def open_benchmark_ratio(record: Record, period: Period, subject: str) -> float:
    """MMLU of Chinese open models over that of Western proprietary flagships: of the best on sale of each,
    or the means weighted by tokens (Western flagships, Chinese open models of all tiers). Pooled
    quarters are averaged."""

    def one(quarter: str) -> float:
        rows = record.rows("offers", (quarter,))
        china, west = (
            rows.where(**SCOPES["Chinese open"]),
            rows.where(**SCOPES["Western proprietary flagship"]),
        )
        if subject == "best":
            return ratio(_best(china), _best(west))
        return ratio(china.weighted("mmlu", "tokens_mtok"), west.weighted("mmlu", "tokens_mtok"))

    return period.end.value(lambda quarters: float(np.mean([one(q) for q in quarters])))


def _class(record: Record, quarters: Quarters, subject: str) -> Rows:
    if subject == "Western proprietary flagship":
        return record.rows("offers", quarters).where(**SCOPES[subject])
    return product(record, quarters, subject)


def _model_mean(rows: Rows, column: str) -> float:
    """Mean over models, each once: a model with more hosts is not heavier."""
    values = [float(rows.where(model=model)[column].mean()) for model in rows.names("model")]
    return float(np.mean(values)) if values else math.nan


@metric("GB", "offers", open_subject="'Western proprietary flagship' or a model of names.csv")
def replica_memory(record: Record, period: Period, subject: str) -> float:
    """High-bandwidth memory of one replica: mean over the models of the subject on sale."""
    return period.end.value(lambda quarters: _model_mean(_class(record, quarters, subject), "memory_gb"))


@metric("ratio", "offers", open_subject="a model of names.csv")
def active_parameter_ratio(record: Record, period: Period, subject: str) -> float:
    """Active parameters of a model over the mean of Western proprietary flagships on sale: compute a
    token."""

    def value(quarters: Quarters) -> float:
        west = _model_mean(_class(record, quarters, "Western proprietary flagship"), "active_params_b")
        return ratio(_model_mean(_class(record, quarters, subject), "active_params_b"), west)

    return period.end.value(value)


@metric("share", "offers")
def sparse_share_chinese_open(record: Record, period: Period, subject: str) -> float:
    """Share of mixture-of-experts models in the tokens of Chinese open models, all buyers."""

    def value(quarters: Quarters) -> float:
        rows = record.rows("offers", quarters).where(**SCOPES["Chinese open"])
        return ratio(rows.where(sparse=True).total("tokens_mtok"), rows.total("tokens_mtok"))

    return period.end.value(value)


@metric("ratio", "offers", ("ERNIE + Qwen",))
def deepseek_price_ratio(record: Record, period: Period, subject: str) -> float:
    """Posted price in China of DeepSeek's newest flagship over that of ERNIE's and Qwen's (geometric
    mean), each over all its sellers, free offers left out."""

    def value(quarters: Quarters) -> float:
        rows = record.rows("offers", quarters).where(region="China", tier="flagship")
        own = posted(newest(rows.where(vendor=recorded("vendor", "DeepSeek"))))
        rivals = posted(
            newest(rows.where(vendor=(*recorded("vendor", "ERNIE"), *recorded("vendor", "Qwen"))))
        )
        return ratio(own, rivals)

    return period.end.value(value)
