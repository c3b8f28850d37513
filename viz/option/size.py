"""The size of the market over the quarters."""

from __future__ import annotations

from collections.abc import Sequence

from viz.chart import ORANGE, VERMILION
from viz.live.frame import Frame, finite
from viz.option.palette import BLACK, GHOST, Option, base, legend, line, quarters

LINES = {
    "world": ("market_revenue_usd", BLACK, "solid"),
    "China, services included": ("china_llm_market_usd", VERMILION, "solid"),
    "services, world": ("services_usd", ORANGE, "dashed"),
}
WITHOUT = "world, without what was fired"


def option(frames: Sequence[Frame], ghost: Sequence[Frame], names: Sequence[str]) -> Option:
    """Revenue a quarter, USD, of the world and of China."""

    def series(name: str, of: Sequence[Frame], column: str, colour: str, dash: str) -> Option:
        found = {frame.quarter: finite(frame.headline[column]) for frame in of}
        return line(name, [found.get(quarter) for quarter in names], colour, dash=dash)

    made = [series(name, frames, *how) for name, how in LINES.items()]
    if ghost:
        made.append(series(WITHOUT, ghost, LINES["world"][0], GHOST, "dashed"))
    return base(
        tooltip={"trigger": "axis", "confine": True, "valueFormatter": "=usd", "textStyle": {"fontSize": 11}},
        legend=legend([str(each["name"]) for each in made]),
        xAxis=quarters(names),
        yAxis={"type": "value", "axisLabel": {"formatter": "=usd", "fontSize": 10}},
        series=made,
    )
