"""Metrics of what stands around the chips in Chinese data centres: cooling and network."""

from __future__ import annotations

from evidence.chips import INFERENCE
from evidence.facts import recorded
from evidence.period import Moment, Period, Quarters
from evidence.prices import CHINESE
from evidence.record import Record, Rows, ratio
from evidence.registry import metric

WITH_CAPTIVE = (*INFERENCE, "captive")


def _hyperscale(record: Record, quarters: Quarters) -> Rows:
    rows = record.rows("fleets", quarters).where(owner_origin=CHINESE, region="China")
    return rows.without(owner=recorded("venue", "all"))


def _liquid(rows: Rows) -> float:
    return ratio(rows.total("liquid_racks"), rows.total("racks"))


def _liquid_at(record: Record, moment: Moment) -> float:
    return moment.value(lambda quarters: _liquid(_hyperscale(record, quarters)))


@metric("share", "fleets")
def liquid_cooled_share(record: Record, period: Period, subject: str) -> float:
    """Share of liquid-cooled racks in the accelerator racks of Chinese clouds in China."""
    return _liquid_at(record, period.end)


@metric("share", "fleets", change=True)
def liquid_cooled_share_rise(record: Record, period: Period, subject: str) -> float:
    """Rise of liquid_cooled_share from the start to the end."""
    return _liquid_at(record, period.end) - _liquid_at(record, period.since)


@metric("share", "fleets", ("inference", "inference and captive"), change=True)
def inference_part_of_liquid_racks(record: Record, period: Period, subject: str) -> float:
    """Share of inference in the growth of liquid-cooled racks of Chinese clouds in China: racks bought for
    dense and sparse inference, with or without captive work; nan when they did not grow. Both moments
    are single quarters."""
    purposes = INFERENCE if subject == "inference" else WITH_CAPTIVE
    after, before = (_hyperscale(record, moment.quarters) for moment in (period.end, period.since))
    growth = after.total("liquid_racks") - before.total("liquid_racks")
    part = after.where(purpose=purposes).total("liquid_racks") - before.where(purpose=purposes).total(
        "liquid_racks"
    )
    return ratio(part, growth) if growth > 0.0 else float("nan")


@metric("share", "fleets")
def liquid_lead_of_inference(record: Record, period: Period, subject: str) -> float:
    """Liquid-cooled share of the racks of dense and sparse inference less that of training racks, Chinese
    clouds."""
    rows = _hyperscale(record, period.end.quarters)
    return _liquid(rows.where(purpose=INFERENCE)) - _liquid(rows.where(purpose="training"))


@metric("share", "fleets", change=True)
def ethernet_share_rise(record: Record, period: Period, subject: str) -> float:
    """Rise of the Ethernet share of the network ports of racks of dense and sparse inference in China."""

    def share(quarters: Quarters) -> float:
        rows = record.rows("fleets", quarters).where(region="China", purpose=INFERENCE)
        return ratio(rows.total("ethernet_ports"), rows.total("ports"))

    return period.end.value(share) - period.since.value(share)
