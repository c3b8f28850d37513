"""Metrics of events: consortia, foundations, copies abroad, and firms in distress."""

from __future__ import annotations

from evidence.facts import recorded
from evidence.period import Period, Quarters
from evidence.record import Record, Rows
from evidence.registry import metric


def _until(record: Record, table: str, last: str) -> Rows:
    quarters: Quarters = tuple(quarter for quarter in record.quarters if quarter <= last)
    return record.rows(table, quarters)


@metric("0/1", "events", open_subject="'KIND of NAME': an event kind and an institution of names.csv")
def event_by(record: Record, period: Period, subject: str) -> float:
    """1 when an event of the kind, by or about one of the names, is recorded up to the end of the period,
    else 0."""
    kind, _, about = subject.partition(" of ")
    names = recorded("institution", about)
    rows = _until(record, "events", period.end.last).where(kind=kind)
    return float(len(rows.where(firm=names)) + len(rows.where(subject=names)) > 0)


@metric("0/1", ("events", "firms"), open_subject="a vendor of names.csv")
def in_distress_by(record: Record, period: Period, subject: str) -> float:
    """1 when the vendor exits, or ends a quarter without cash, up to the end of the period, else 0."""
    names = recorded("vendor", subject)
    exits = _until(record, "events", period.end.last).where(kind="exit", firm=names)
    rows = _until(record, "firms", period.end.last).where(firm=names)
    return float(len(exits) > 0 or bool((rows["cash_usd"] < 0.0).any()) or len(rows.where(active=False)) > 0)
