"""Metrics of accelerators in Chinese data centres: who supplies them, for which work, and what runs on
them."""

from __future__ import annotations

from evidence.facts import recorded
from evidence.period import Moment, Period, Quarters
from evidence.prices import CHINESE
from evidence.record import Record, Rows, ratio
from evidence.registry import metric

AI_CLASS = "ai"
MID_RANGE = "mid-range"
INFERENCE = ("dense", "sparse")
READINGS = {
    "units, all": ("units_delivered", False),
    "value, all": ("value_usd", False),
    "units, AI": ("units_delivered", True),
    "value, AI": ("value_usd", True),
    "ordered units, all": ("units_ordered", False),
    "ordered units, AI": ("units_ordered", True),
}
"""Column of the ``chips`` table, and whether only AI-class chips count. All is IDC's reading, AI is Epoch's;
ordered units are demand before makers' rationing."""

LISTS = {"listed": "inference_listed", "physical": "inference_physical"}
"""Inference-optimised by the first article's list, or by bandwidth per FLOP."""


def purchases(record: Record, quarters: Quarters, ai_only: bool = False) -> Rows:
    """Chips bought for data centres in China."""
    rows = record.rows("chips", quarters).where(buyer_region="China")
    return rows.where(class_=AI_CLASS) if ai_only else rows


def _nvidia(record: Record, moment: Moment, reading: str) -> float:
    column, ai_only = READINGS[reading]

    def value(quarters: Quarters) -> float:
        rows = purchases(record, quarters, ai_only)
        return ratio(rows.where(maker=recorded("chipmaker", "NVIDIA")).total(column), rows.total(column))

    return moment.value(value)


@metric("share", "chips", tuple(READINGS))
def nvidia_share(record: Record, period: Period, subject: str) -> float:
    """NVIDIA's share of accelerators bought for data centres in China: units or value delivered, or units
    ordered before rationing; of all data-centre classes (IDC) or of the AI class (Epoch)."""
    return _nvidia(record, period.end, subject)


@metric("share", "chips", tuple(READINGS), change=True)
def nvidia_share_fall(record: Record, period: Period, subject: str) -> float:
    """Fall of NVIDIA's share from the start to the end, read as in nvidia_share."""
    return _nvidia(record, period.since, subject) - _nvidia(record, period.end, subject)


@metric("units", "chips", ("AI", "all"))
def nvidia_units(record: Record, period: Period, subject: str) -> float:
    """NVIDIA accelerators delivered in China: of the AI class, or of all classes."""
    rows = purchases(record, period.end.quarters, subject == "AI")
    return rows.where(maker=recorded("chipmaker", "NVIDIA")).total("units_delivered")


@metric("units", "chips", ("AI", "all"))
def chip_units(record: Record, period: Period, subject: str) -> float:
    """Accelerators of all makers delivered in China: of the AI class, or of all classes."""
    return purchases(record, period.end.quarters, subject == "AI").total("units_delivered")


@metric("share", "chips", change=True)
def nvidia_top_dependency_fall(record: Record, period: Period, subject: str) -> float:
    """Fall of the share of NVIDIA's AI-class chips in all accelerator units delivered in China."""

    def share(quarters: Quarters) -> float:
        rows = purchases(record, quarters)
        top = rows.where(maker=recorded("chipmaker", "NVIDIA"), class_=AI_CLASS)
        return ratio(top.total("units_delivered"), rows.total("units_delivered"))

    return period.since.value(share) - period.end.value(share)


def _inference_share(record: Record, moment: Moment, which: str) -> float:
    def value(quarters: Quarters) -> float:
        rows = purchases(record, quarters)
        chosen = rows.where(**{LISTS[which]: True})
        return ratio(chosen.total("units_delivered"), rows.total("units_delivered"))

    return moment.value(value)


@metric("share", "chips", tuple(LISTS))
def inference_chip_share(record: Record, period: Period, subject: str) -> float:
    """Share of inference-optimised chips in all accelerator units delivered in China: by the first
    article's list (L40S class, inference ASICs and their like), or by bandwidth per FLOP."""
    return _inference_share(record, period.end, subject)


@metric("share", "chips", tuple(LISTS), change=True)
def inference_chip_share_rise(record: Record, period: Period, subject: str) -> float:
    """Rise of inference_chip_share from the start to the end."""
    return _inference_share(record, period.end, subject) - _inference_share(record, period.since, subject)


@metric("share", "fleets", tuple(LISTS))
def sparse_work_on_inference_chips(record: Record, period: Period, subject: str) -> float:
    """Share of inference-optimised chips in the hours of sparse inference in China less their share in the
    hours of dense inference."""

    def share(quarters: Quarters, purpose: str) -> float:
        rows = record.rows("fleets", quarters).where(region="China", purpose=purpose)
        chosen = rows.where(**{LISTS[subject]: True})
        return ratio(chosen.total("hours_used"), rows.total("hours_used"))

    return share(period.end.quarters, "sparse") - share(period.end.quarters, "dense")


def _domestic(rows: Rows, column: str) -> float:
    return ratio(rows.where(maker_origin=CHINESE).total(column), rows.total(column))


def _domestic_inference(record: Record, moment: Moment) -> float:
    return moment.value(
        lambda quarters: _domestic(purchases(record, quarters).where(purpose=INFERENCE), "units_ordered")
    )


@metric("share", "chips")
def domestic_inference_share(record: Record, period: Period, subject: str) -> float:
    """Domestic makers' share of the units ordered in China for dense and sparse inference, before
    rationing."""
    return _domestic_inference(record, period.end)


@metric("share", "chips", change=True)
def domestic_inference_share_rise(record: Record, period: Period, subject: str) -> float:
    """Rise of domestic_inference_share from the start to the end."""
    return _domestic_inference(record, period.end) - _domestic_inference(record, period.since)


@metric("share", "chips")
def domestic_inference_lead(record: Record, period: Period, subject: str) -> float:
    """Domestic makers' share of units ordered in China for inference less their share of those for
    training."""
    training = purchases(record, period.end.quarters).where(purpose="training")
    return _domestic_inference(record, period.end) - _domestic(training, "units_ordered")


@metric("share", "chips")
def domestic_share(record: Record, period: Period, subject: str) -> float:
    """Domestic makers' share of all accelerator units delivered in China."""
    return _domestic(purchases(record, period.end.quarters), "units_delivered")


@metric("share", "chips", open_subject="a chipmaker of names.csv")
def share_of_domestic_ai_chips(record: Record, period: Period, subject: str) -> float:
    """A maker's share of the AI-class units of domestic makers delivered in China."""
    rows = purchases(record, period.end.quarters, ai_only=True).where(maker_origin=CHINESE)
    return ratio(
        rows.where(maker=recorded("chipmaker", subject)).total("units_delivered"),
        rows.total("units_delivered"),
    )


@metric("share", "chips", change=True)
def training_chip_share_fall(record: Record, period: Period, subject: str) -> float:
    """Fall of the share of training in the value of all accelerators delivered, world."""

    def share(quarters: Quarters) -> float:
        rows = record.rows("chips", quarters)
        return ratio(rows.where(purpose="training").total("value_usd"), rows.total("value_usd"))

    return period.since.value(share) - period.end.value(share)


LOCAL = (
    "inclusive, tokens",
    "inclusive, hours",
    "without NVIDIA, tokens",
    "without NVIDIA, hours",
    "inclusive, captive",
)


@metric("share", "fleets", LOCAL)
def domestic_or_mid_range_inference(record: Record, period: Period, subject: str) -> float:
    """Share of inference in data centres in China that runs on domestic chips or mid-range ones, by
    enterprise tokens or by chip hours of dense and sparse inference. Inclusive: any domestic chip, or
    any maker's mid-range chip; without NVIDIA: the same less NVIDIA's parts; inclusive, captive: hours
    with the owners' captive work."""
    how, _, weight = subject.partition(", ")
    purposes = (*INFERENCE, "captive") if weight == "captive" else INFERENCE
    column = "tokens_mtok" if weight == "tokens" else "hours_used"
    rows = record.rows("fleets", period.end.quarters).where(region="China", purpose=purposes)
    local = rows.has("maker_origin", CHINESE) | rows.has("class", MID_RANGE)
    if how == "without NVIDIA":
        local &= ~rows.has("maker", recorded("chipmaker", "NVIDIA"))
    return ratio(rows.keep(local).total(column), rows.total(column))


@metric("USD/h", "quarters")
def h100_rental(record: Record, period: Period, subject: str) -> float:
    """Rental of one H100 hour in Western clouds, mean of the period's quarters."""
    return period.end.value(
        lambda quarters: record.rows("quarters", quarters).mean("h100_rental_usd_per_hour")
    )


@metric("share", "fleets")
def inference_share_of_compute(record: Record, period: Period, subject: str) -> float:
    """Share of dense and sparse inference in the chip hours used for inference and training, world."""
    rows = record.rows("fleets", period.end.quarters)
    inference = rows.where(purpose=INFERENCE).total("hours_used")
    return ratio(inference, inference + rows.where(purpose="training").total("hours_used"))
