"""Charts of break points: distances to the break by parameter, and curves of probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.breaks.breaks import FLIPS
from studies.breaks.curve import EVEN
from studies.breaks.line import UP
from studies.phrase import PLAIN
from viz.chart import BLUE, GREY, VERMILION
from viz.inline import plain
from viz.study.rows import records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PARAMETERS = 14
"""Lines of one chart; the parameters that flip a claim first come first."""

WIDTH, HEAD, LINE = 9.5, 1.15, 0.3
"""Inches: of a chart, of its title and axis, and of a line."""

PANEL = (3.6, 2.5)
LETTERS = 44
"""Inches of one curve, and letters of its title's lines."""


def tornado(sides: pd.DataFrame, title: str) -> Figure:
    """How far each parameter may move before one claim flips.

    Args:
        sides: rows of one claim of the table ``sides``, two a parameter.
        title: the claim.
    """
    from matplotlib.figure import Figure

    first = sides.groupby("parameter", sort=False)["distance"].min().sort_values(kind="stable")
    names = [str(name) for name in first.index[:PARAMETERS]]
    drawn = Figure(figsize=(WIDTH, HEAD + LINE * len(names)), layout="constrained")
    panel = drawn.subplots()
    for place, name in enumerate(names):
        for row in records(sides[sides["parameter"] == name]):
            sign = 1.0 if row["side"] == UP else -1.0
            panel.plot([0.0, sign * row["reach"]], [place, place], color="#BBBBBB", linewidth=1.2, zorder=1)
            if row["status"] == FLIPS:
                _mark(panel, place, sign, row)
    panel.axvline(0.0, color=GREY, linewidth=1.0)
    left = len(first) - len(names)
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(len(names) - 0.5, -0.5)
    panel.grid(axis="y", visible=False)
    panel.set_xlabel(
        "movement from the default, in units of the parameter's range on its own scale"
        + (f" ({left} parameters further down left out)" if left else "")
    )
    panel.set_title(title, fontsize=11, wrap=True)
    return drawn


def _mark(panel: Axes, place: int, sign: float, row: dict[str, Any]) -> None:
    """The break and its interval; an arrow where chance leaves it open to the end of the range."""
    low, at = sign * row["distance_low"], sign * row["distance"]
    colour = BLUE if row["holds"] else VERMILION
    open_ = not row["sure"]
    high = sign * (row["reach"] if open_ else row["distance_high"])
    panel.plot(
        [low, high], [place, place], color=colour, linewidth=5, alpha=0.35, solid_capstyle="butt", zorder=2
    )
    if open_:
        panel.plot(
            high, place, marker=">" if sign > 0 else "<", color=colour, markersize=6, alpha=0.6, zorder=2
        )
    panel.plot(at, place, marker="o", color=colour, markersize=6, zorder=3)
    panel.annotate(
        f"{row['distance']:.2f}",
        (at, place),
        xytext=(0, 5),
        textcoords="offset points",
        ha="center",
        fontsize=8,
    )


def curves(points: pd.DataFrame, breaks: pd.DataFrame) -> Figure:
    """The probability of claims along the parameters that flip them.

    Args:
        points: the table ``curves``.
        breaks: rows of the table ``breaks``, one a panel.
    """
    import textwrap

    from matplotlib.figure import Figure

    columns = min(len(breaks), 3)
    lines = -(-len(breaks) // columns)
    drawn = Figure(figsize=(PANEL[0] * columns, PANEL[1] * lines + 0.3), layout="constrained")
    panels = drawn.subplots(lines, columns, squeeze=False, sharey=True)
    for panel in panels.ravel()[len(breaks) :]:
        panel.set_visible(False)
    for panel, row in zip(panels.ravel(), records(breaks), strict=False):
        own = points[(points["claim"] == row["claim"]) & (points["parameter"] == row["parameter"])]
        own = own.sort_values("value")
        panel.fill_between(
            own["value"], own["probability_low"], own["probability_high"], color=BLUE, alpha=0.18, linewidth=0
        )
        panel.plot(own["value"], own["probability"], color=BLUE, marker=".", linewidth=1.4)
        panel.axhline(EVEN, color=GREY, linewidth=1.0, linestyle="--")
        panel.axvline(row["default"], color=GREY, linewidth=1.2, linestyle=":")
        panel.axvline(row["value"], color=VERMILION, linewidth=1.4)
        panel.set_ylim(-0.03, 1.03)
        unit = "" if row["unit"] in PLAIN else f", {row['unit']}"
        panel.set_xlabel(plain(f"{row['parameter']}{unit}"), fontsize=9)
        panel.set_title("\n".join(textwrap.wrap(plain(str(row["statement"])), LETTERS)), fontsize=8.5)
        panel.tick_params(labelsize=8)
    for panel in panels[:, 0]:
        panel.set_ylabel("probability", fontsize=9)
    return drawn
