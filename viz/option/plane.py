"""Points and curves over two measured axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from viz.live.frame import finite
from viz.option.palette import Option, base, legend


class Point(NamedTuple):
    """A point, and what hovering over it says."""

    x: float
    y: float
    lines: Sequence[str]


class Axis(NamedTuple):
    """An axis: what it measures, the function of chart.vue that writes its numbers, and its ends where they are fixed."""

    name: str
    form: str = "=short"
    low: float | None = None
    high: float | None = None
    log: bool = False

    def option(self, gap: int) -> Option:
        """The axis, its name ``gap`` pixels from it."""
        return {
            "type": "log" if self.log else "value",
            "name": self.name,
            "nameLocation": "middle",
            "nameGap": gap,
            "nameTextStyle": {"fontSize": 11},
            "axisLabel": {"formatter": self.form, "fontSize": 10, "hideOverlap": True},
            "min": self.low,
            "max": self.high,
            "scale": True,
        }


def points(name: str, colour: str, rows: Sequence[Point], *, symbol: str = "circle", size: int = 8) -> Option:
    """A series of points."""
    hollow = symbol.startswith("empty")
    return {
        "id": name,
        "name": name,
        "type": "scatter",
        "symbol": symbol,
        "symbolSize": size,
        "itemStyle": {"color": colour, **({} if hollow else {"opacity": 0.85})},
        "data": _data(rows),
    }


def curve(
    name: str,
    colour: str,
    rows: Sequence[Point],
    *,
    dash: str = "solid",
    dots: bool = True,
    width: float = 1.6,
) -> Option:
    """A series of points joined in their order."""
    return {
        "id": name,
        "name": name,
        "type": "line",
        "symbolSize": 5,
        "showSymbol": dots,
        "lineStyle": {"color": colour, "type": dash, "width": width},
        "itemStyle": {"color": colour},
        "data": _data(rows),
    }


def marks(*, x: Sequence[tuple[float, str, str]] = (), y: Sequence[tuple[float, str, str]] = ()) -> Option:
    """Lines at places of an axis, each with its colour and dash, for a series' ``markLine``."""
    data = [
        {key: place, "lineStyle": {"color": colour, "type": dash, "width": 1.3}}
        for key, lines in (("xAxis", x), ("yAxis", y))
        for place, colour, dash in lines
    ]
    return {"silent": True, "symbol": "none", "label": {"show": False}, "data": data}


def option(x: Axis, y: Axis, series: Sequence[Option], shown: Sequence[str] = ()) -> Option:
    """The chart of some series; ``shown`` are those in the legend."""
    return base(
        tooltip={"trigger": "item", "confine": True, "formatter": "=node", "textStyle": {"fontSize": 11}},
        grid={"left": 38, "right": 22, "top": 14, "bottom": 26, "containLabel": True},
        **({"legend": legend(shown, filled=True)} if shown else {}),
        xAxis=x.option(24),
        yAxis=y.option(46),
        series=list(series),
    )


def _data(rows: Sequence[Point]) -> list[dict[str, Any]]:
    return [{"value": [finite(row.x), finite(row.y)], "lines": list(row.lines)} for row in rows]
