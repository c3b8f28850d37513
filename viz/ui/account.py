"""What the page says of one firm: its accounts, its largest flows, and what it decided so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model.records import schema
from viz.live.frame import Event, Flow, Frame, finite
from viz.option.supply import short, usd

ABOUT = ("quarter", "kind", "region", "origin", "active")
OPENED = "weights opened"
LONG = 1e5
"""From here on a number is told in thousands or more."""

SHOWN_FLOWS, SHOWN_DECISIONS = 10, 200


def account(frames: Sequence[Frame], firm: str) -> dict[str, Any] | None:
    """Plain data on a firm as of the last of some frames; None where the firm is not there."""
    last = frames[-1]
    row = last.firms.get(firm)
    if row is None:
        return None
    flows = sorted(
        (flow for flow in last.flows if firm in (flow.source, flow.target)), key=lambda flow: -flow.money
    )
    events = [event for frame in reversed(frames) for event in reversed(frame.events) if event.firm == firm]
    return {
        "name": firm,
        "quarter": last.quarter,
        "about": f"{row['kind']} in {row['region']}" + ("" if row["active"] else ", no longer in business"),
        "accounts": _accounts(row),
        "trade": [_trade(flow, firm) for flow in flows if flow.money > 0.0][:SHOWN_FLOWS],
        "decisions": [[event.quarter, words(event)] for event in events[:SHOWN_DECISIONS]],
    }


def words(event: Event) -> str:
    """An event as a line without its quarter and firm."""
    subject = event.subject if event.subject != event.firm else ""
    if event.kind == "price move" and finite(event.value) is not None:
        return f"{event.kind} of {event.subject}: {100 * event.value:+.0f} %"
    number = finite(event.value)
    if event.kind == OPENED:
        return f"{event.kind} {subject}"  # its number is the capability, which the launch says
    size = "" if number is None else short(number) if abs(number) >= LONG else f"{number:,.4g}"
    said = ": ".join(text for text in (event.note, size) if text)
    return f"{event.kind} {subject}".strip() + (f", {said}" if said else "")


def _accounts(row: Mapping[str, Any]) -> list[list[str]]:
    units = {column.column: column.unit for column in schema() if column.table == "firms"}
    rows = []
    for name, value in row.items():
        number = None if name in ABOUT else finite(value)
        if number is None or (number == 0.0 and name.startswith("revenue_")):
            continue
        unit = units[name]
        said = (
            usd(number)
            if unit == "USD"
            else f"{100 * number:,.1f} %"
            if unit == "share"
            else f"{short(number) if abs(number) >= LONG else f'{number:,.4g}'} {unit}"
        )
        rows.append([name.removesuffix("_usd").replace("_", " "), said])
    return rows


def _trade(flow: Flow, firm: str) -> list[str]:
    other = f"to {flow.target}" if flow.source == firm else f"from {flow.source}"
    units = "" if flow.unit == "USD" else f", {short(flow.units)} {flow.unit}"
    return [f"{flow.kind} {other}{units}", usd(flow.money)]
