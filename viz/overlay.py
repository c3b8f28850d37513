"""Several worlds in one figure: the median of each over seeds, with its 5 to 95 % band."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION
from viz.fan import LEVELS, fan

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LOOKS = (
    (BLUE, "-"),
    (VERMILION, "--"),
    (GREEN, "-."),
    (ORANGE, ":"),
    ("#CC79A7", (0, (5, 1, 1, 1, 1, 1))),
    (GREY, (0, (8, 3))),
)
"""Colour and dashes of each world; as many worlds can be told apart."""

USD_PER_BILLION, SHARE_PER_PERCENT = 1e9, 0.01
PANELS = (
    ("price_china_usd_per_mtok", "Price paid in China, USD/Mtok (log)", 1.0),
    ("price_north_america_usd_per_mtok", "Price paid in North America, USD/Mtok (log)", 1.0),
    ("china_llm_market_usd", "China's LLM market, bn USD a quarter", USD_PER_BILLION),
    ("nvidia_share_china_units_ai", "NVIDIA, of AI-class units in China, %", SHARE_PER_PERCENT),
    ("deepseek_share_china_revenue", "DeepSeek, of token revenue in China, %", SHARE_PER_PERCENT),
    ("open_share_tokens", "Open-weights models, of tokens, %", SHARE_PER_PERCENT),
)
"""Headline columns, what the panel is called, and the size of its unit."""

SIZE_INCHES = (12.0, 10.0)


def figure(worlds: Mapping[str, pd.DataFrame]) -> Figure:
    """Six headline series of several worlds: tables ``quarters`` by label, at most as many as there are LOOKS.

    Raises ValueError for more.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    if len(worlds) > len(LOOKS):
        raise ValueError(f"{len(worlds)} worlds cannot be told apart; draw {len(LOOKS)} at most")
    drawn = Figure(figsize=SIZE_INCHES, layout="constrained")
    panels = drawn.subplots(3, 2).ravel()
    quarters = sorted({str(quarter) for frame in worlds.values() for quarter in frame["quarter"]})
    places = {quarter: place for place, quarter in enumerate(quarters)}
    for panel, (column, title, unit) in zip(panels, PANELS, strict=True):
        for (label, frame), (colour, dashes) in zip(worlds.items(), LOOKS, strict=False):
            levels = fan(frame, column) / unit
            x = [places[str(quarter)] for quarter in levels.index]
            panel.fill_between(
                x, levels[LEVELS[0]], levels[LEVELS[-1]], color=colour, alpha=0.12, linewidth=0
            )
            panel.plot(x, levels[LEVELS[2]], color=colour, linestyle=dashes, linewidth=1.8, label=label)
        if unit == 1.0:
            panel.set_yscale("log")
            panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            panel.yaxis.set_major_formatter("{x:g}")
            panel.yaxis.set_minor_formatter("")
        else:
            panel.set_ylim(bottom=0.0)
        firsts = [place for quarter, place in places.items() if quarter.endswith("Q1")]
        panel.set_xticks(firsts, [quarters[place][:4] for place in firsts])
        panel.set_title(title)
    handles, labels = panels[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 3))
    return drawn
