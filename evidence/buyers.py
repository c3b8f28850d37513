"""Metrics of adoption by the buyers that were priced out: small firms, education, government."""

from __future__ import annotations

from evidence.facts import recorded
from evidence.period import Moment, Period
from evidence.record import Record, Rows, ratio
from evidence.registry import metric

PRICED_OUT = ("small firms", "education", "government")


def _members(rows: Rows, subject: str) -> Rows:
    small = rows.has("size", "small")
    if subject == "small firms":
        return rows.keep(small)
    if subject != "all three":
        return rows.where(sector=recorded("sector", subject))
    sectors = (*recorded("sector", "education"), *recorded("sector", "government"))
    return rows.keep(rows.has("sector", sectors) | small)


def _adoption(rows: Rows) -> float:
    return ratio(float(rows["adoption"] @ rows["firms"]), rows.total("firms"))


def _of(record: Record, moment: Moment, subject: str) -> float:
    return moment.value(lambda quarters: _adoption(_members(record.rows("segments", quarters), subject)))


@metric("ratio", "segments", PRICED_OUT, change=True)
def adoption_catch_up(record: Record, period: Period, subject: str) -> float:
    """Growth of adoption among the subject over its growth among all enterprises, weighted by firms, all
    regions. Above 1: the subject adopts faster than the rest."""
    own = ratio(_of(record, period.end, subject), _of(record, period.since, subject))
    everyone = [
        moment.value(lambda quarters: _adoption(record.rows("segments", quarters)))
        for moment in (period.end, period.since)
    ]
    return ratio(own, ratio(*everyone))


@metric("share", "segments", (*PRICED_OUT, "all three"), change=True)
def adoption_rise(record: Record, period: Period, subject: str) -> float:
    """Rise of adoption (share of potential workload on LLMs, weighted by firms) among the subject, all
    regions."""
    return _of(record, period.end, subject) - _of(record, period.since, subject)
