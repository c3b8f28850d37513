"""Charts of scenario discovery: a box in the ranges of its parameters, its worlds, and the peeling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from model.parameters import SWITCH_UNIT
from studies.discovery.box import HIGH, LOW
from studies.discovery.cases import CASE, OTHER
from studies.discovery.findings import TEST, TRAIN
from studies.phrase import PLAIN
from viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION
from viz.inline import plain
from viz.study.rows import records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEAD, LINE = 8.5, 0.9, 0.45
"""Inches: of the chart of ranges, of its axis, and of a line."""

SQUARE = (6.2, 4.8)
"""Inches of a scatter plot and of a trade-off."""

COLOURS = ("#000000", BLUE, GREEN, ORANGE, "#CC79A7", "#56B4E9")
"""Of boxes with no limit, with limits on one parameter, on two, and so on; Okabe and Ito's."""

WIDE = 100.0
"""A range whose ends differ by this factor is drawn on a logarithmic axis."""


def ranges(limits: pd.DataFrame) -> Figure:
    """The limits of a box, rows of the table ``limits``, each in the range of its parameter."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(limits["parameter"]))
    drawn = Figure(figsize=(WIDTH, HEAD + LINE * len(names)), layout="constrained")
    panel = drawn.subplots()
    for place, name in enumerate(names):
        own = records(limits[limits["parameter"] == name])
        ends = {LOW: 0.0, HIGH: 1.0} | {row["side"]: share_of(row, row["value"]) for row in own}
        panel.plot([0.0, 1.0], [place, place], color="#DDDDDD", linewidth=9, solid_capstyle="butt", zorder=1)
        panel.plot(
            [ends[LOW], ends[HIGH]],
            [place, place],
            color=VERMILION,
            linewidth=9,
            solid_capstyle="butt",
            zorder=2,
        )
        for row in own:
            panel.annotate(
                f"{row['value']:.3g}"
                if row["unit"] != SWITCH_UNIT
                else "on"
                if row["side"] == LOW
                else "off",
                (ends[row["side"]], place),
                xytext=(0, 8),
                textcoords="offset points",
                ha="center",
                fontsize=9,
            )
        for end, side in ((0.0, "right"), (1.0, "left")):
            text = f"{own[0]['low' if end == 0.0 else 'high']:.3g}"
            gap = (-6 if side == "right" else 6, 0)
            panel.annotate(
                text,
                (end, place),
                xytext=gap,
                textcoords="offset points",
                ha=side,
                va="center",
                color=GREY,
                fontsize=9,
            )
    panel.set_yticks(range(len(names)), [plain(label_of(limits, name)) for name in names])
    panel.set_ylim(len(names) - 0.5, -0.7)
    panel.set_xlim(-0.1, 1.1)
    panel.set_xticks([])
    panel.grid(visible=False)
    panel.spines[["bottom", "left"]].set_visible(False)
    panel.tick_params(length=0)
    return drawn


def scatter(worlds: pd.DataFrame, claim: str, limits: pd.DataFrame) -> Figure:
    """Judged worlds over the two parameters whose limits are the most significant, with the box.

    Args:
        worlds: the table ``worlds``.
        claim: whose states are shown.
        limits: the limits that were kept, of two parameters at least.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    first, second = list(dict.fromkeys(limits.sort_values("quasi_p", kind="stable")["parameter"]))[:2]
    drawn = Figure(figsize=SQUARE, layout="constrained")
    panel = drawn.subplots()
    state = worlds[f"state:{claim}"]
    for kind, look in (
        (OTHER, {"facecolors": "none", "edgecolors": BLUE, "label": "other worlds", "marker": "o"}),
        (CASE, {"color": VERMILION, "label": "worlds of interest", "marker": "s"}),
    ):
        own = worlds[state == kind]
        panel.scatter(own[first], own[second], s=16, linewidths=0.8, alpha=0.8, **look)  # type: ignore[arg-type]
    sides = [ends_of(limits, name) for name in (first, second)]
    (left, right), (bottom, top) = sides
    panel.add_patch(
        Rectangle((left, bottom), right - left, top - bottom, fill=False, linewidth=2.0, zorder=4)
    )
    _axis(panel, "x", limits, first)
    _axis(panel, "y", limits, second)
    drawn.legend(*panel.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return drawn


def tradeoff(path: pd.DataFrame) -> Figure:
    """Coverage against density of the boxes of one peeling, on the peeled and on the fresh half."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=SQUARE, layout="constrained")
    panel = drawn.subplots()
    panel.plot(
        path[f"coverage_{TEST}"],
        path[f"density_{TEST}"],
        color=GREY,
        linewidth=1.0,
        linestyle="--",
        label="fresh worlds",
    )
    panel.plot(
        path[f"coverage_{TRAIN}"], path[f"density_{TRAIN}"], color=GREY, linewidth=1.0, label="peeled worlds"
    )
    for count, own in path.groupby("dimensions"):
        # Beyond the palette, boxes of many parameters share its last colour.
        colour = COLOURS[min(int(str(count)), len(COLOURS) - 1)]
        label = f"{count} parameter{'' if count == 1 else 's'} with a limit"
        panel.scatter(
            own[f"coverage_{TRAIN}"], own[f"density_{TRAIN}"], color=colour, s=30, zorder=3, label=label
        )
    picked = path[path["picked"].astype(bool)]
    for name, marker in ((TRAIN, "o"), (TEST, "D")):
        panel.scatter(
            picked[f"coverage_{name}"],
            picked[f"density_{name}"],
            s=130,
            facecolors="none",
            edgecolors=VERMILION,
            linewidths=2.0,
            marker=marker,
            zorder=4,
            label=f"chosen, {name}",
        )
    panel.set_xlim(0.0, 1.04)
    panel.set_ylim(0.0, 1.04)
    panel.set_xlabel("coverage: share of all worlds of interest in the box")
    panel.set_ylabel("density: share of interest in the box")
    drawn.legend(*panel.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return drawn


def share_of(row: dict[str, Any], value: float) -> float:
    """Where a value lies in a parameter's range, on the scale that it is drawn on."""
    low, high = row["low"], row["high"]
    if logarithmic(row):
        return float(math.log(value / low) / math.log(high / low))
    return float((value - low) / (high - low))


def logarithmic(row: dict[str, Any]) -> bool:
    """Whether a parameter of a limit is drawn on a logarithmic axis."""
    return bool(row["low"] > 0.0 and row["high"] >= WIDE * row["low"])


def ends_of(limits: pd.DataFrame, name: str) -> tuple[float, float]:
    """Where a box begins and ends in one parameter."""
    own = records(limits[limits["parameter"] == name])
    ends = {LOW: own[0]["low"], HIGH: own[0]["high"]} | {row["side"]: row["value"] for row in own}
    return ends[LOW], ends[HIGH]


def _axis(panel: Axes, which: str, limits: pd.DataFrame, name: str) -> None:
    row = records(limits[limits["parameter"] == name])[0]
    label = plain(label_of(limits, name))
    margin = 0.02 * (row["high"] - row["low"])
    if which == "x":
        panel.set_xlabel(label)
        panel.set_xlim(row["low"] - margin, row["high"] + margin)
    else:
        panel.set_ylabel(label)
        panel.set_ylim(row["low"] - margin, row["high"] + margin)
    if logarithmic(row):
        (panel.set_xscale if which == "x" else panel.set_yscale)("log")


def label_of(limits: pd.DataFrame, name: str) -> str:
    """A parameter with its unit."""
    unit = str(limits.loc[limits["parameter"] == name, "unit"].iloc[0])
    return name if unit in PLAIN else f"{name}, {unit}"
