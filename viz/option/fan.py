"""Fans over the quarters: the median of an ensemble with its middle half and its 5 to 95 % interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evidence.claims import Claim
from viz.option.palette import Option, base, legend, line, quarters
from viz.option.share import bands
from viz.option.supply import usd

Levels = Sequence[float | None]
"""The quantiles of one quarter, from the lowest to the highest (``viz.fan.LEVELS``); None where there is none."""

OUTER, INNER = 0.13, 0.24
"""How opaque the interval and the middle half are."""


@dataclass(frozen=True)
class Fan:
    """One fan: its name, its look, and the levels of each quarter of the axis."""

    name: str
    colour: str
    dash: str
    levels: Sequence[Levels]


@dataclass(frozen=True)
class Scale:
    """How an axis counts: ``form`` names the function of chart.vue that writes its labels."""

    form: str
    words: Callable[[float], str]
    log: bool = False
    most: float | None = None


SCALES: Mapping[str, Scale] = {
    "price": Scale("=price", lambda value: f"${value:.3g}", log=True),
    "share": Scale("=share", lambda value: f"{100 * value:.1f} %", most=1.0),
    "usd": Scale("=usd", usd),
}


def option(fans: Sequence[Fan], names: Sequence[str], scale: str, claimed: Sequence[Claim] = ()) -> Option:
    """The chart of some fans.

    Args:
        fans: what to draw, each with a level for every quarter.
        names: the quarters.
        scale: ``"price"`` (logarithmic), ``"share"`` (0 to 1) or ``"usd"``.
        claimed: claims whose bands are drawn as boxes; only for shares.
    """
    form = SCALES[scale]
    series: list[Option] = []
    for place, fan in enumerate(fans):
        levels = [_drawn(each, form.log) for each in fan.levels]
        middle = [each[2] for each in levels]
        # The median comes first, since the legend looks like the first series of a name; z draws it on top.
        series.append(line(fan.name, middle, fan.colour, dash=fan.dash, z=4, emphasis={"disabled": True}))
        series += _band(fan, f"{fan.name} 5 to 95 %", levels, (0, 4), OUTER, place)
        series += _band(fan, f"{fan.name} middle half", levels, (1, 3), INNER, place)
    if claimed and series:
        series[0]["markArea"] = bands(claimed, names)
    axis: Option = {"axisLabel": {"formatter": form.form, "fontSize": 10}}
    axis |= {"type": "log"} if form.log else {"type": "value", "min": 0, "max": form.most}
    return base(
        tooltip={"trigger": "axis", "confine": True, "formatter": "=column", "textStyle": {"fontSize": 11}},
        legend=legend([fan.name for fan in fans]),
        xAxis=quarters(names),
        yAxis=axis,
        about=[[name, *(_words(fan, place, form) for fan in fans)] for place, name in enumerate(names)],
        series=series,
    )


def _band(
    fan: Fan, name: str, levels: Sequence[Levels], ends: tuple[int, int], opacity: float, place: int
) -> list[Option]:
    """Two stacked lines that cannot be seen, with the space between them filled."""
    low, high = ends
    stack: Option = {"stack": f"{name} {place}", "silent": True, "emphasis": {"disabled": True}, "z": 2}
    # Of the fan's own name, so that the legend hides all of it.
    floor = {
        **line(f"{name} from", [each[low] for each in levels], fan.colour, width=0.0, **stack),
        "name": fan.name,
    }
    space = [_less(each[high], each[low]) for each in levels]
    body = {**line(f"{name} to", space, fan.colour, width=0.0, **stack), "name": fan.name}
    for each in (floor, body):
        each["lineStyle"] = {"opacity": 0.0}
        each["symbol"] = "none"
    return [floor, {**body, "areaStyle": {"color": fan.colour, "opacity": opacity}}]


def _drawn(levels: Levels, log: bool) -> Levels:
    """The levels of a quarter as an axis can show them: all or none, and above zero on a log axis."""
    if any(level is None or (log and level <= 0.0) for level in levels):
        return [None] * len(levels)
    return levels


def _less(high: float | None, low: float | None) -> float | None:
    return None if high is None or low is None else high - low


def _words(fan: Fan, place: int, scale: Scale) -> str:
    found = [level for level in fan.levels[place] if level is not None]
    if len(found) < len(fan.levels[place]):
        return f"{fan.name}: –"
    low, lower, middle, upper, high = map(scale.words, found)
    return f"{fan.name}: {middle} (half {lower} to {upper}; 5 to 95 % {low} to {high})"
