"""Shares over the quarters: accelerators in China beside the claims on them, and who sells the tokens of a region."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from evidence.claims import Claim, by_id
from evidence.period import period
from viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION
from viz.live.frame import OWN, Frame, finite
from viz.option.palette import BAND, CYCLE, GHOST, YELLOW, Option, base, legend, line, quarters

NVIDIA = {
    "NVIDIA, all units": ("nvidia_share_china_units_all", BLUE, "solid"),
    "NVIDIA, AI-class": ("nvidia_share_china_units_ai", VERMILION, "dashed"),
}
DOMESTIC = ("Chinese makers, all units", GREEN, "solid")
CLAIMED = ("p1-nvidia-2023", "p1-nvidia-2027")
HALF = 0.5
SHOWN_SELLERS = 8
"""Sellers with a colour of their own; the others are one."""

AREAS = (*CYCLE[:6], YELLOW, GREY)
"""Their colours: the palette without black, which is heavy as an area."""

PALE = "#cccccc"
"""The colour of the others."""

OTHERS = "others"


def chips(frames: Sequence[Frame], ghost: Sequence[Frame], names: Sequence[str]) -> Option:
    """NVIDIA's and Chinese makers' shares of the accelerators delivered in China, with the claims' bands."""
    series = []
    for name, (column, colour, dash) in NVIDIA.items():
        series.append(line(name, _headline(frames, names, column), colour, dash=dash))
    name, colour, dash = DOMESTIC
    series.append(
        line(name, _spread(frames, names, [domestic(frame) for frame in frames]), colour, dash=dash)
    )
    shown = [*NVIDIA, name]
    if ghost:
        ghostly = "NVIDIA, all units, without what was fired"
        column = NVIDIA["NVIDIA, all units"][0]
        series.append(line(ghostly, _headline(ghost, names, column), GHOST, dash="dashed"))
        shown.append(ghostly)
    series[0] |= {
        "markArea": bands([by_id()[claim] for claim in CLAIMED], names),
        "markLine": {
            "silent": True,
            "symbol": "none",
            "label": {"formatter": "half", "position": "insideStartTop", "fontSize": 10},
            "lineStyle": {"color": GHOST, "type": "dotted"},
            "data": [{"yAxis": HALF}],
        },
    }
    return base(
        tooltip={
            "trigger": "axis",
            "confine": True,
            "valueFormatter": "=share",
            "textStyle": {"fontSize": 11},
        },
        legend=legend(shown),
        xAxis=quarters(names),
        yAxis={"type": "value", "min": 0, "max": 1, "axisLabel": {"formatter": "=share", "fontSize": 10}},
        series=series,
    )


def domestic(frame: Frame) -> float | None:
    """Chinese makers' share of all accelerators delivered in China in a quarter; None without deliveries."""
    every = sum(units for _, units, _ in frame.deliveries.values())
    home = sum(units for origin, units, _ in frame.deliveries.values() if origin == "CN")
    return home / every if every > 0.0 else None


def clouds(frames: Sequence[Frame], names: Sequence[str], region: str) -> Option:
    """Clouds' and venues' shares of the revenue of the tokens that they host for a region, stacked to one.

    What vendors sell through their own interfaces is left out. A cloud keeps its place and its colour while the run
    goes on, whoever is ahead.
    """
    totals: dict[str, float] = {}
    hosted = [
        {name: revenue for name, revenue in frame.sales.get(region, {}).items() if name != OWN}
        for frame in frames
    ]
    for sales in hosted:
        for seller, revenue in sales.items():
            totals[seller] = totals.get(seller, 0.0) + revenue
    ordered = sorted((name for name in totals if totals[name] > 0.0), key=lambda name: (-totals[name], name))
    firms = frames[-1].firms
    at_home = {name for name, row in firms.items() if row["region"] == region}
    places = sorted(
        {name for name in firms if firms[name]["kind"] == "cloud"} | {*totals},
        key=lambda name: (name not in at_home, name),
    )
    own = [name for name in places if name in ordered[:SHOWN_SELLERS]]
    colours = _colours(own, places)
    series = []
    for seller in [*own, *([OTHERS] if len(ordered) > len(own) else [])]:
        values = []
        for sales in hosted:
            whole = sum(sales.values())
            part = sales.get(seller, 0.0)
            if seller == OTHERS:
                part = sum(revenue for name, revenue in sales.items() if name not in own)
            values.append(part / whole if whole > 0.0 else None)
        colour = colours.get(seller, PALE)
        made = line(seller, _spread(frames, names, values), colour, width=0.5, stack="sales")
        series.append({**made, "areaStyle": {"color": colour, "opacity": 0.75}})
    return base(
        tooltip={
            "trigger": "axis",
            "confine": True,
            "order": "valueDesc",
            "valueFormatter": "=share",
            "textStyle": {"fontSize": 11},
        },
        legend=legend([str(each["name"]) for each in series], filled=True),
        xAxis=quarters(names),
        yAxis={"type": "value", "min": 0, "max": 1, "axisLabel": {"formatter": "=share", "fontSize": 10}},
        series=series,
    )


def _colours(shown: Sequence[str], places: Sequence[str]) -> dict[str, str]:
    """A colour for each seller by its place among all, or the next one that is free."""
    free = list(AREAS)
    found: dict[str, str] = {}
    for name in shown:
        wanted = AREAS[places.index(name) % len(AREAS)]
        found[name] = free.pop(free.index(wanted) if wanted in free else 0)
    return found


def bands(claims: Sequence[Claim], names: Sequence[str]) -> Option:
    """What articles claim, as boxes over the quarters that they speak of."""
    boxes = []
    for claim in claims:
        last = period(claim.period).end
        of = [quarter for quarter in last.quarters if quarter in names]
        if not of:
            continue
        # A claim on one quarter would have no width: its box reaches a quarter to either side.
        start, end = names.index(of[0]), names.index(of[-1])
        if start == end:
            start, end = max(start - 1, 0), min(end + 1, len(names) - 1)
        boxes.append(
            [
                {
                    "name": f"claimed {_percent(claim.figure)}",
                    "xAxis": names[start],
                    "yAxis": max(claim.claimed_low, 0.0),
                },
                {
                    "xAxis": names[min(end + 1, len(names) - 1)] if start == end else of[-1],
                    "yAxis": min(claim.claimed_high, 1.0),
                },
            ]
        )
    return {
        "silent": True,
        "itemStyle": {"color": BAND, "borderColor": ORANGE, "borderWidth": 0.5},
        "label": {"fontSize": 10, "position": "insideTopLeft", "color": "#333"},
        "data": boxes,
    }


def _percent(figure: str) -> str:
    """A claimed share as the axis has it: ``"0.8 to 0.9"`` is 80 to 90 %."""
    return re.sub(r"\d+(\.\d+)?", lambda found: f"{100 * float(found[0]):g}", figure) + " %"


def _headline(frames: Sequence[Frame], names: Sequence[str], column: str) -> list[float | None]:
    return _spread(frames, names, [finite(frame.headline[column]) for frame in frames])


def _spread(
    frames: Sequence[Frame], names: Sequence[str], values: Sequence[float | None]
) -> list[float | None]:
    """Values of frames at the places of their quarters on the axis."""
    found: Mapping[str, float | None] = dict(zip((frame.quarter for frame in frames), values, strict=True))
    return [found.get(name) for name in names]
