"""Charts of a study of causes: a waterfall from no cause to all, and what causes do together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viz.chart import BLUE, GREY, VERMILION
from viz.number import signed
from viz.option import span
from viz.option.panel import Panel
from viz.option.span import Span
from viz.panel.sensitivity import Choices
from viz.study.causes import Row, clear, title_of, unit_of
from viz.study.rows import records

if TYPE_CHECKING:
    from studies.study import Study

PAIRS = 12
NOT_CLEAR = "not clear of nought"


def choices(study: Study) -> Choices:
    """The outcomes whose change is shared out."""
    if "attribution" not in study.tables:
        return []
    shared = set(study.tables["attribution"]["outcome"])
    return [
        (row["outcome"], f"{row['quantity']} ({row['outcome']})")
        for row in records(study.tables["outcomes"])
        if row["outcome"] in shared
    ]


def panels(study: Study, outcome: str) -> list[Panel]:
    """The waterfall of an outcome, and its interactions."""
    whole = next(row for row in records(study.tables["outcomes"]) if row["outcome"] == outcome)
    frame = study.tables["attribution"]
    parts = sorted(records(frame[frame["outcome"] == outcome]), key=lambda row: -abs(row["value"]))
    pairs = study.tables.get("interactions")
    near = [] if pairs is None else records(pairs[pairs["outcome"] == outcome])[:PAIRS]
    made = [_waterfall(whole, parts)]
    return [*made, _together(whole, near)] if near else made


def _waterfall(whole: Row, parts: list[Row]) -> Panel:
    given = whole.get("given", "")
    names = [
        f"only {title_of(given)}" if given else "none of them",
        *(title_of(row["cause"]) for row in parts),
        "all",
    ]
    level = float(whole["none"])
    ends = [Span(0, 0.0, level, None, None, [names[0], signed(level)])]
    rows: dict[bool, list[Span]] = {True: [], False: []}
    for place, row in enumerate(parts, start=1):
        value = float(row["value"])
        rows[value >= 0.0].append(
            Span(
                place,
                level,
                level + value,
                level + row["low"],
                level + row["high"],
                [
                    f"{names[place]}: {signed(value)} ({signed(row['low'])} to {signed(row['high'])})",
                    f"alone {signed(row['alone'])}, lost without it {signed(row['last'])}",
                    *([] if clear(row) else [NOT_CLEAR]),
                ],
                hollow=not clear(row),
            )
        )
        level += value
    ends.append(
        Span(len(names) - 1, 0.0, float(whole["all"]), None, None, ["all of them", signed(whole["all"])])
    )
    series = [
        span.spans("outcome", GREY, ends),
        span.spans("adds", BLUE, rows[True]),
        span.spans("takes away", VERMILION, rows[False]),
    ]
    return Panel(
        "waterfall",
        "What causes how much",
        f"Shapley values with intervals over {whole['seeds']} seeds; an outline is {NOT_CLEAR}",
        span.option(names, unit_of(whole), series),
        span.height(len(names)),
    )


def _together(whole: Row, pairs: list[Row]) -> Panel:
    names = [f"{title_of(row['one'])} with {title_of(row['other'])}" for row in pairs]
    rows = [
        Span(
            place,
            0.0,
            row["value"],
            row["low"],
            row["high"],
            [names[place], f"{signed(row['value'])} ({signed(row['low'])} to {signed(row['high'])})"],
            hollow=not clear(row),
        )
        for place, row in enumerate(pairs)
    ]
    return Panel(
        "together",
        "What acts together",
        "Shapley interactions: beyond (+) or short of (-) the sum of what each does",
        span.option(names, unit_of(whole), [span.spans("interaction", BLUE, rows)]),
        span.height(len(names)),
    )
