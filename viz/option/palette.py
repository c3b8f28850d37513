"""Colours and what all charts of the pages share. The palette is Okabe and Ito's (2008), for any colour vision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION
from viz.figures import PURPLE, SKY

Option = dict[str, Any]

BLACK, YELLOW = "#000000", "#F0E442"
CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK, YELLOW, GREY)
REGIONS: Mapping[str, str] = {
    "China": VERMILION,
    "Asia-Pacific": ORANGE,
    "North America": BLUE,
    "Europe and rest": GREEN,
}
ORIGINS: Mapping[str, tuple[str, str]] = {
    "US": ("American", BLUE),
    "CN": ("Chinese", VERMILION),
    "EU": ("European", GREEN),
}
RELATIONS: Mapping[str, str] = {
    "chips": BLUE,
    "hosting": ORANGE,
    "tokens": VERMILION,
    "services": GREEN,
    "equity": GREY,
}
GHOST = "#777777"
BAND = "rgba(204,121,167,0.22)"
"""What an article claims: purple, which no line has."""

TEXT = {"fontFamily": "DejaVu Sans, Verdana, Arial, sans-serif", "fontSize": 11}


def base(**parts: Any) -> Option:
    """An option with what every chart has: no animation, one font, room for labels."""
    return {
        "animation": False,
        "textStyle": TEXT,
        "grid": {"left": 58, "right": 18, "top": 34, "bottom": 26},
        "tooltip": {"confine": True, "appendToBody": False, "textStyle": {"fontSize": 11}},
        "aria": {"enabled": True},
        **parts,
    }


def legend(names: Sequence[str], *, filled: bool = False) -> Option:
    """A legend on top, in as many rows as it takes: chart.vue lets the grid begin below them.

    It shows the stroke of each line, or its colour alone where areas or boxes are ``filled``.
    """
    look: Option = {"icon": "roundRect"} if filled else {"itemStyle": {"opacity": 0}}
    return {
        "type": "plain",
        "top": 0,
        "left": 0,
        "padding": 5,
        "data": list(names),
        "textStyle": {"fontSize": 11},
        "itemWidth": 14 if filled else 26,
        "itemHeight": 12,
        "itemGap": 8,
        **look,
    }


def quarters(names: Sequence[str]) -> Option:
    """An axis of quarters, from the first to the last of the run, so that it stands still while the run goes on."""
    return {
        "type": "category",
        "data": list(names),
        "boundaryGap": False,
        "axisLabel": {"fontSize": 10, "hideOverlap": True},
        "axisTick": {"show": False},
    }


def line(
    name: str, data: Sequence[Any], colour: str, *, dash: str = "solid", width: float = 2.0, **more: Any
) -> Option:
    """A line over the quarters; None where there is no value. A single value is a dot, since no line leads to it."""
    return {
        "id": name,
        "name": name,
        "type": "line",
        "data": list(data),
        "showSymbol": sum(value is not None for value in data) == 1,
        "lineStyle": {"color": colour, "type": dash, "width": width},
        "itemStyle": {"color": colour},
        "emphasis": {"focus": "series"},
        **more,
    }
