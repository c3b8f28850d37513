"""The charts of the live page in Mesa's own SolaraViz with Matplotlib images, for benchmarks/step_to_paint.py.

Each figure is drawn from the same frames, with the drawing code of our reports where it has it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import mesa
import solara
from matplotlib.figure import Figure
from mesa.visualization import SolaraViz
from mesa.visualization.utils import update_counter

from model.market import Market
from scenarios.scenario import load
from viz.live import frame
from viz.live.frame import OWN, Frame, finite
from viz.network import Graph, figure
from viz.option.palette import ORIGINS, REGIONS
from viz.option.price import PAID
from viz.option.share import domestic
from viz.option.supply import positions

ENTERPRISES = int(os.environ.get("UNDERCUT_BENCH_ENTERPRISES", "1000"))
SIZE = (6.0, 3.6)
REGION = "China"


class Watched(Market):
    """The market, which keeps the frames of its quarters; it starts at the first recorded one."""

    def __init__(self) -> None:
        self.shown: list[Frame] = []
        super().__init__(load("baseline", {"enterprises": float(ENTERPRISES)}), seed=1)
        while self.t < self.record_from:
            super().step()
        self.step()

    def step(self) -> None:
        """One quarter and its frame."""
        before = frame.counts(self)
        super().step()
        self.shown.append(frame.cut(self, before))


def supply(frames: list[Frame]) -> Figure:
    """The supply graph, as reports draw it."""
    now = frames[-1]
    tiers = ("chipmaker", "cloud", "vendor", "buyers")
    kinds = {name: str(row["kind"]) for name, row in now.firms.items()} | dict.fromkeys(REGIONS, tiers[-1])
    places = {
        name: (tiers.index(kinds[name]), 1.0 - y / 560.0)
        for name, (_, y) in positions(now.firms, list(REGIONS)).items()
    }
    flows = [flow for flow in now.flows if flow.source in places and flow.target in places]
    money = {(f.source, f.target, f.kind): f.money for f in flows if f.kind != "equity"}
    stakes = {(f.source, f.target, f.kind): f.units for f in flows if f.kind == "equity"}
    return figure(Graph(places, money, stakes), now.quarter)


def prices(frames: list[Frame]) -> Figure:
    """Cheapest offers of flagships and the mean price paid."""
    drawn, panel = _panel(frames)
    lines: dict[str, tuple[str, list[int], list[float]]] = {}
    for x, each in enumerate(frames):
        for price in each.prices:
            if price.region == REGION and price.tier == "flagship":
                _, xs, ys = lines.setdefault(price.model, (price.origin, [], []))
                xs.append(x)
                ys.append(price.price)
    for origin, xs, ys in lines.values():
        panel.plot(xs, ys, color=ORIGINS[origin][1], linewidth=1, marker=".")
    panel.plot([each.headline[PAID[REGION]] for each in frames], color="black", linewidth=3)
    panel.set_yscale("log")
    return drawn


def chips(frames: list[Frame]) -> Figure:
    """NVIDIA's and Chinese makers' shares."""
    drawn, panel = _panel(frames)
    for column in ("nvidia_share_china_units_all", "nvidia_share_china_units_ai"):
        panel.plot([each.headline[column] for each in frames])
    panel.plot([domestic(each) for each in frames])
    return drawn


def clouds(frames: list[Frame]) -> Figure:
    """Clouds' shares of hosted tokens."""
    drawn, panel = _panel(frames)
    names = sorted({name for each in frames for name in each.sales.get(REGION, {}) if name != OWN})
    rows = []
    for name in names:
        sales = [each.sales.get(REGION, {}) for each in frames]
        totals = [sum(v for key, v in of.items() if key != OWN) for of in sales]
        rows.append(
            [of.get(name, 0.0) / whole if whole else 0.0 for of, whole in zip(sales, totals, strict=True)]
        )
    if rows:
        panel.stackplot(range(len(frames)), rows)
    return drawn


def size(frames: list[Frame]) -> Figure:
    """Revenue of the world and of China."""
    drawn, panel = _panel(frames)
    for column in ("market_revenue_usd", "china_llm_market_usd", "services_usd"):
        panel.plot([finite(each.headline[column]) for each in frames])
    return drawn


def _panel(frames: list[Frame]) -> tuple[Figure, Any]:
    drawn = Figure(figsize=SIZE, layout="constrained")
    panel = drawn.subplots()
    panel.set_title(frames[-1].quarter)
    return drawn, panel


def _component(draw: Callable[[list[Frame]], Figure]) -> Callable[[mesa.Model], Any]:
    """A component of SolaraViz, as Mesa's make_plot_component makes them."""

    @solara.component
    def Shown(model: Watched) -> None:  # noqa: N802
        update_counter.get()
        solara.FigureMatplotlib(draw(model.shown), format="png", bbox_inches="tight")

    return lambda model: Shown(model)


Page = SolaraViz(
    Watched(),
    components=[(_component(draw), 0) for draw in (supply, prices, chips, clouds, size)],
    name="Market",
)
