"""What the reports of screening and variance share: names of outcomes, bars with intervals, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

import numpy as np

from evidence.claims import by_id
from studies.evaluation import HOLDS
from viz.chart import BLUE, GREY, VERMILION
from viz.inline import inline, plain
from viz.number import number
from viz.page import Cell, Section, details, element, picture, spans, table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from studies.study import Study

DRAWN = 8
"""Outcomes that are drawn; of the others there are tables to open."""

SHOWN = 15
"""Units in a chart: those that matter most for its outcome."""

LISTED = 20
"""Lines of a table before the others fold away."""

WIDTH_INCHES, HEIGHT_INCHES, INCHES_A_UNIT = 10.0, 1.2, 0.36


@dataclass(frozen=True)
class Bars:
    """One estimate of every unit: a column with its ``_low`` and ``_high``, and how it is drawn."""

    column: str
    label: str
    colour: str
    hatch: str = ""


TOTAL = Bars("total", "total: alone and with others", BLUE)
FIRST = Bars("first", "first order: alone", VERMILION, "////")


def outcomes(study: Study) -> list[str]:
    """The outcomes of a study, in order."""
    return [str(name) for name in study.tables["outcomes"]["outcome"]]


def named(study: Study, outcome: str) -> str:
    """An outcome in words."""
    rows = study.tables["outcomes"].set_index("outcome")
    said = str(rows.loc[outcome, "statement"])
    return f"Whether it holds: {said}" if outcome.startswith(f"{HOLDS}:") else said


def cell(study: Study, outcome: str) -> Cell:
    """An outcome as a table has it: in words, with its name and unit below."""
    unit = str(study.tables["outcomes"].set_index("outcome").loc[outcome, "unit"])
    return [named(study, outcome), element("small", f"{outcome}, {unit}")]


def of_outcome(frame: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """The rows of an outcome."""
    return frame[frame["outcome"] == outcome]


def known(study: Study, measure: str) -> list[str]:
    """Outcomes that have estimates, the predictions first."""
    effects = study.tables["effects"].dropna(subset=[measure])
    there = set(effects["outcome"])
    return sorted((name for name in outcomes(study) if name in there), key=lambda name: not _predicted(name))


def _predicted(outcome: str) -> bool:
    claim = by_id().get(outcome.rpartition(":")[2])
    return claim is not None and claim.kind == "prediction"


def notes(study: Study) -> Element:
    """What a reader must know, as a list."""
    return element("ul", *(element("li", *spans(note)) for note in study.notes))


def folded(
    headings: Mapping[str, str], lines: Sequence[Mapping[str, Cell]], numbers: str = ""
) -> list[Element]:
    """A table whose first lines are shown and whose others open."""
    made = [table(headings, lines[:LISTED], numbers=numbers)]
    if len(lines) > LISTED:
        said = f"The other {len(lines) - LISTED} outcomes"
        made.append(details(said, table(headings, lines[LISTED:], numbers=numbers)))
    return made


def top(frame: pd.DataFrame, measure: str, count: int = SHOWN) -> pd.DataFrame:
    """The units that matter most, the first one first."""
    return frame.dropna(subset=[measure]).sort_values(measure, ascending=False, kind="stable").head(count)


def span(row: pd.Series, column: str) -> str:
    """An estimate with its interval."""
    return f"{number(row[column])} ({number(row[f'{column}_low'])} to {number(row[f'{column}_high'])})"


def percent(value: float) -> str:
    """A share as a percentage; nothing below zero, which is an error of the estimate alone."""
    return f"{100.0 * max(value, 0.0):.0f} %"


def bars(
    frame: pd.DataFrame,
    kinds: Sequence[Bars],
    axis: str,
    name: str,
    label: str,
    mark: tuple[float, str] | None = None,
) -> Element:
    """Horizontal bars with intervals, one group a unit, the first row on top.

    Args:
        frame: a row a unit, in the order to draw.
        kinds: estimates, drawn side by side.
        axis: what the axis measures.
        name: unique on the page.
        label: what the picture shows.
        mark: a value to mark on the axis, and what it is.
    """
    from matplotlib.figure import Figure

    drawn = Figure(
        figsize=(WIDTH_INCHES, HEIGHT_INCHES + INCHES_A_UNIT * max(len(frame), 3)), layout="constrained"
    )
    panel = drawn.subplots()
    places = np.arange(len(frame))[::-1]
    thick = 0.8 / len(kinds)
    for i, kind in enumerate(kinds):
        value = frame[kind.column].to_numpy(float)
        low, high = frame[f"{kind.column}_low"].to_numpy(float), frame[f"{kind.column}_high"].to_numpy(float)
        panel.barh(
            places + 0.4 - thick * (i + 0.5),
            value,
            thick,
            color="white" if kind.hatch else kind.colour,
            edgecolor=kind.colour,
            hatch=kind.hatch,
            alpha=0.85,
            xerr=[np.maximum(value - low, 0.0), np.maximum(high - value, 0.0)],
            error_kw={"ecolor": GREY, "capsize": 2, "linewidth": 1.2},
            label=kind.label,
        )
    if mark is not None:
        panel.axvline(mark[0], color=GREY, linestyle="--", linewidth=1.5, label=mark[1])
    panel.axvline(0.0, color="black", linewidth=0.8)
    finish(panel, places, [str(unit) for unit in frame["unit"]], axis)
    if len(kinds) > 1 or mark is not None:
        panel.legend(loc="lower right")
    return picture(inline(drawn, name, label))


def finish(panel: Axes, places: np.ndarray, units: Sequence[str], axis: str) -> None:
    """Names of units on the left, and what the axis measures."""
    panel.set_yticks(places, [plain(unit) for unit in units])
    panel.set_ylim(places.min() - 0.6, places.max() + 0.6)
    panel.set_xlabel(axis)
    panel.grid(axis="y", visible=False)


def ranking(study: Study) -> Section:
    """Which units matter most over all outcomes."""
    frame = study.tables["ranking"]
    rows: list[dict[str, Cell]] = [
        {
            "rank": str(row["rank"]),
            "unit": str(row["unit"]),
            "score": number(row["score"]),
            "outcome": cell(study, str(row["outcome"])),
        }
        for _, row in frame.head(LISTED).iterrows()
    ]
    what = str(study.asked["by"])
    content = [
        element(
            "p",
            f"The score of a {what} is its measure by the largest of any {what} for the same outcome, taken where that is "
            f"highest: 1 decides an outcome, 0 touches none. Shown are {len(rows)} of {len(frame)}.",
        ),
        table(
            {
                "unit": what.capitalize(),
                "rank": "Rank",
                "score": "Score",
                "outcome": "The outcome that it moves most",
            },
            rows,
            numbers="rank score",
        ),
    ]
    return Section("ranking", f"Which {what}s matter most", content)


def empty(study: Study, measure: str) -> list[Element]:
    """A sentence on outcomes without estimates."""
    without = [name for name in outcomes(study) if name not in set(known(study, measure))]
    if not without:
        return []
    return [
        element(
            "p",
            f"No estimate for {len(without)} of {len(outcomes(study))} outcomes, which are the same everywhere or defined "
            f"too rarely: {', '.join(without)}.",
        )
    ]
