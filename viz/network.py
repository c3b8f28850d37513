"""The supply graph of one quarter: who sells to whom, in tiers, with lines as wide as the money."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION
from viz.fan import ChartError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TIERS = ("chipmaker", "cloud", "vendor", "buyers")
TITLES = ("Chipmakers", "Clouds and venues", "Model vendors", "Buyers, by region")
KINDS: Mapping[str, tuple[str, str, Any]] = {
    "chips": ("chips", BLUE, "-"),
    "hosting": ("hosting and inference hours", ORANGE, "-"),
    "tokens": ("tokens", VERMILION, "-"),
    "services": ("services", GREEN, "-"),
    "equity": ("stakes, without a payment", GREY, "--"),
}
"""Kinds of edges: what the legend calls them, colour and dashes."""

SIZE_INCHES = (12.0, 9.0)
WIDEST_POINTS = 14.0
THINNEST_POINTS = 0.4
STAKE_POINTS = 1.1
SEEN_SHARE = 1e-4
"""A payment below this share of the largest one is not drawn."""

USD_PER_BILLION = 1e9
BOW = 0.42
"""How far a line leaves its tier before it turns, as a share of the distance between tiers."""

ASIDE = {"tokens": 0.006, "services": -0.006}
"""How far above a node the lines of a kind end, so that one does not cover the other; the panel is 1 high."""

Edge = tuple[str, str, str]
"""Source, target and kind."""


@dataclass(frozen=True)
class Graph:
    """A quarter's graph: where each node stands (tier, and height from 0 to 1), and money by edge, USD.

    Buyers are the segments of a region together. Equity edges have a stake between 0 and 1 instead of money.
    """

    places: Mapping[str, tuple[int, float]]
    money: Mapping[Edge, float]
    stakes: Mapping[Edge, float]


def graph(edges: pd.DataFrame, firms: pd.DataFrame, quarter: str) -> Graph:
    """The graph of one quarter of one run.

    Args:
        edges: the table ``edges`` of one run.
        firms: the table ``firms`` of the same run.
        quarter: such as ``"2026Q4"``.

    Raises ChartError when the quarter is not on record.
    """
    rows = edges[edges["quarter"] == quarter]
    if rows.empty:
        known = sorted(edges["quarter"].unique())
        said = f"it has {known[0]} to {known[-1]}" if known else "it has none"
        raise ChartError(f"quarter {quarter} is not in this run; {said}")
    now = firms[firms["quarter"] == quarter]
    home = {
        str(f): (str(kind), str(region))
        for f, kind, region in zip(now["firm"], now["kind"], now["region"], strict=True)
    }
    money: dict[Edge, float] = {}
    stakes: dict[Edge, float] = {}
    columns = (rows[name] for name in ("source", "target", "kind", "money_usd", "units"))
    for source, target, kind, paid, units in zip(*columns, strict=True):
        buyer = str(target) if str(target) in home else str(target).partition("/")[0]
        home.setdefault(buyer, (TIERS[-1], buyer))
        home.setdefault(str(source), (TIERS[1], ""))
        edge = (str(source), buyer, str(kind))
        if kind == "equity":
            stakes[edge] = float(units)
        else:
            money[edge] = money.get(edge, 0.0) + float(paid)
    named = {node for edge in (*money, *stakes) for node in edge[:2]}
    return Graph(_places({name: home[name] for name in home if name in named}), money, stakes)


def figure(shown: Graph, title: str) -> Figure:
    """The drawing of a graph."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=SIZE_INCHES, layout="constrained")
    panel = drawn.subplots()
    panel.set_axis_off()
    panel.set_xlim(-0.42, len(TIERS) - 1 + 0.42)
    panel.set_ylim(-0.03, 1.07)
    largest = max(shown.money.values(), default=0.0)
    for edge, paid in sorted(shown.money.items(), key=lambda item: -item[1]):
        if paid > SEEN_SHARE * largest:
            _line(panel, shown, edge, _width(paid, largest), 0.45)
    for edge in sorted(shown.stakes):
        _line(panel, shown, edge, STAKE_POINTS, 0.8)
    for name, (tier, height) in sorted(shown.places.items()):
        _node(panel, name, tier, height)
    for tier, text in enumerate(TITLES):
        panel.text(tier, 1.04, text, ha="center", va="bottom", fontweight="bold")
    _legend(panel, shown, largest)
    panel.set_title(title)
    return drawn


def totals(shown: Graph) -> dict[str, float]:
    """Money by kind of edge, USD in the quarter."""
    found = dict.fromkeys((kind for kind in KINDS if kind != "equity"), 0.0)
    for (_, _, kind), paid in shown.money.items():
        found[kind] = found.get(kind, 0.0) + paid
    return found


def _places(home: Mapping[str, tuple[str, str]]) -> dict[str, tuple[int, float]]:
    """Tier and height of each node: by region, and within it in the order of the records, the same in every run."""
    found = {}
    for tier, kind in enumerate(TIERS):
        members = sorted((name for name in home if home[name][0] == kind), key=lambda name: home[name][1])
        for place, name in enumerate(members):
            found[name] = (tier, 1.0 - (place + 0.5) / len(members))
    return found


def _line(panel: Axes, shown: Graph, edge: Edge, width: float, alpha: float) -> None:
    """A curve from seller to buyer; within a tier it bows to the side."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    (x0, y0), (x1, y1) = (shown.places[name] for name in edge[:2])
    aside = ASIDE.get(edge[2], 0.0)
    y0, y1 = y0 + aside, y1 + aside
    _, colour, dashes = KINDS[edge[2]]
    bow = BOW * (x1 - x0) if x0 != x1 else BOW * min(abs(y1 - y0) + 0.2, 1.0)
    ends = [(x0, y0), (x0 + bow, y0), (x1 - bow if x0 != x1 else x1 + bow, y1), (x1, y1)]
    path = Path(ends, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    panel.add_patch(
        PathPatch(path, fill=False, edgecolor=colour, linewidth=width, linestyle=dashes, alpha=alpha)
    )


def _node(panel: Axes, name: str, tier: int, height: float) -> None:
    panel.plot(tier, height, "o", color="black", markersize=4)
    side = {0: ("right", -0.03), len(TIERS) - 1: ("left", 0.03)}.get(tier, ("center", 0.0))
    panel.annotate(
        name,
        (tier + side[1], height),
        xytext=(0, 0 if side[1] else 9),
        textcoords="offset points",
        ha=side[0],
        va="center",
        fontsize=9,
        bbox={"facecolor": "white", "alpha": 0.8, "pad": 0.8, "linewidth": 0.0},
    )


def _legend(panel: Axes, shown: Graph, largest: float) -> None:
    """What the colours are, with the money of each kind, and how wide an amount is."""
    from matplotlib.lines import Line2D

    handles = []
    for kind, amount in totals(shown).items():
        label, colour, dashes = KINDS[kind]
        said = f"{label}: {amount / USD_PER_BILLION:.3g} bn USD"
        handles.append(Line2D([], [], color=colour, linestyle=dashes, linewidth=4, alpha=0.6, label=said))
    if shown.stakes:
        label, colour, dashes = KINDS["equity"]
        handles.append(Line2D([], [], color=colour, linestyle=dashes, linewidth=STAKE_POINTS, label=label))
    for amount in _examples(largest):
        said = f"{amount / USD_PER_BILLION:g} bn USD"
        handles.append(
            Line2D([], [], color="black", alpha=0.3, linewidth=_width(amount, largest), label=said)
        )
    panel.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=4)


def _examples(largest: float) -> Sequence[float]:
    """Three round amounts up to the largest, a hundredfold apart in all."""
    if not largest > 0.0:
        return ()
    top = 10.0 ** math.floor(math.log10(largest))
    return (top, top / 10.0, top / 100.0)


def _width(paid: float, largest: float) -> float:
    """Points; the root of money, so that a line a hundred times as rich is ten times as wide."""
    return max(WIDEST_POINTS * math.sqrt(paid / largest), THINNEST_POINTS)
