"""Estimates beside their names: on each line a bar, its interval and perhaps a mark, the first line on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from viz.live.frame import finite
from viz.option.palette import GHOST, Option, base, legend

FRAME_PIXELS, LINE_PIXELS = 74, 22
"""Height of a chart without its lines, and of a line."""

LEAST_LINES = 5
NAME_PIXELS, WIDE_NAME_PIXELS = 210, 420
"""Longer names are cut, on a panel and on one that takes a row; the hover text has them whole."""


class Span(NamedTuple):
    """One estimate: its line from the top, its bar, its interval, and what hovering says; None draws nothing."""

    place: int
    start: float | None
    end: float | None
    low: float | None
    high: float | None
    lines: Sequence[str]
    hollow: bool = False


def spans(
    name: str,
    colour: str,
    rows: Sequence[Span],
    *,
    shift: float = 0.0,
    thick: float = 0.66,
    dot: bool = False,
) -> Option:
    """A series of estimates.

    Args:
        name: in the legend.
        colour: of bars and intervals.
        rows: what to draw; a ``hollow`` bar is an outline.
        shift: how far below the middle of its line, in lines.
        thick: of a bar, in lines.
        dot: mark ``end`` by a dot, with the interval as a thick line, in place of a bar.
    """
    return {
        "id": name,
        "name": name,
        "type": "custom",
        "renderItem": "=dot" if dot else "=span",
        "clip": True,
        "itemStyle": {"color": colour},
        "encode": {"x": [1, 2, 3, 4], "y": 0},
        "data": [
            {
                "value": [
                    row.place,
                    *(None if each is None else finite(each) for each in row[1:5]),
                    shift,
                    thick,
                    int(row.hollow),
                ],
                "lines": list(row.lines),
            }
            for row in rows
        ],
    }


def rule(x: float, text: str, *, dash: str = "dashed") -> Option:
    """A line across all lines at ``x``, with its name beside it."""
    return {
        "id": f"rule {text}",
        "name": "",
        "type": "scatter",
        "silent": True,
        "data": [],
        "markLine": {
            "silent": True,
            "symbol": "none",
            "label": {"formatter": text, "position": "start", "distance": 2, "fontSize": 10},
            "lineStyle": {"color": GHOST, "type": dash, "width": 1.2},
            "data": [{"xAxis": x}],
        },
    }


def option(
    names: Sequence[str],
    axis: str,
    series: Sequence[Option],
    *,
    form: str = "=short",
    room: int = NAME_PIXELS,
    **ends: float,
) -> Option:
    """The chart of some series over named lines.

    Args:
        names: of the lines, from the top.
        axis: what the axis below measures.
        series: from :func:`spans` and :func:`rule`.
        form: the function of chart.vue that writes the axis' numbers.
        room: pixels for a name.
        ends: ``min`` and ``max`` of the axis, where they are fixed.
    """
    shown = [str(each["name"]) for each in series if each["name"]]
    return base(
        tooltip={"trigger": "item", "confine": True, "formatter": "=node", "textStyle": {"fontSize": 11}},
        grid={"left": 8, "right": 22, "top": 22, "bottom": 26, "containLabel": True},
        **({"legend": legend(shown, filled=True)} if len(shown) > 1 else {}),
        xAxis={
            "type": "value",
            "name": axis,
            "nameLocation": "middle",
            "nameGap": 24,
            "nameTextStyle": {"fontSize": 11},
            "axisLabel": {"formatter": form, "fontSize": 10, "hideOverlap": True},
            "scale": False,
            **ends,
        },
        yAxis={
            "type": "category",
            "data": list(names),
            "inverse": True,
            "axisLabel": {"fontSize": 10, "width": room, "overflow": "truncate", "interval": 0},
            "axisTick": {"show": False},
        },
        series=list(series),
    )


def height(lines: float) -> int:
    """Pixels of a chart with so many lines."""
    return FRAME_PIXELS + round(LINE_PIXELS * max(lines, LEAST_LINES))
