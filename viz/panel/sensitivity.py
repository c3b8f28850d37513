"""What the charts of screening and variance share: outcomes to choose from, and bars with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from viz.number import number
from viz.option import span
from viz.option.palette import Option
from viz.option.panel import Panel
from viz.option.span import Span
from viz.study.rows import records
from viz.study.sensitivity import Bars, known, named

if TYPE_CHECKING:
    import pandas as pd

    from studies.study import Study

SEVERAL = 1.35
"""Times the height of a line where it has several bars."""

Choices = list[tuple[str, str]]
"""What can be chosen of a study, and its words."""


def outcomes(study: Study, measure: str) -> Choices:
    """The outcomes that have estimates."""
    return [(name, f"{named(study, name)} ({name})") for name in known(study, measure)]


def unit_of(study: Study, outcome: str) -> str:
    """The unit of an outcome."""
    return str(study.tables["outcomes"].set_index("outcome").loc[outcome, "unit"])


def bars(
    name: str,
    title: str,
    subtitle: str,
    frame: pd.DataFrame,
    kinds: Sequence[Bars],
    axis: str,
    rules: Sequence[Option] = (),
    *,
    wide: bool = False,
) -> Panel:
    """A line a unit, a bar with its interval for each kind of estimate; what is hatched in print is an outline here."""
    rows, thick = records(frame), 0.8 / len(kinds)
    series = [
        span.spans(
            kind.label,
            kind.colour,
            [
                Span(
                    place,
                    0.0,
                    row[kind.column],
                    row[f"{kind.column}_low"],
                    row[f"{kind.column}_high"],
                    [str(row["unit"]), *(_said(row, each) for each in kinds)],
                    hollow=bool(kind.hatch),
                )
                for place, row in enumerate(rows)
            ],
            shift=thick * (i + 0.5) - 0.4,
            thick=thick * 0.9,
        )
        for i, kind in enumerate(kinds)
    ]
    drawn = span.option([str(row["unit"]) for row in rows], axis, [*series, *rules])
    lines = len(rows) * (1.0 if len(kinds) == 1 else SEVERAL)
    return Panel(name, title, subtitle, drawn, span.height(lines), wide)


def _said(row: dict[str, object], kind: Bars) -> str:
    value, low, high = (number(row[f"{kind.column}{end}"]) for end in ("", "_low", "_high"))
    return f"{kind.label}: {value} ({low} to {high})"
