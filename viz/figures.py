"""The articles' own figures, drawn from the tidy frames of ``evidence.figures``: a function a figure."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, ParamSpec

from evidence.claims import by_id
from viz.chart import BLUE, DOTS_PER_INCH, GREEN, GREY, ORANGE, STYLE, VERMILION
from viz.fan import ChartError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Drawing = ParamSpec("Drawing")

SKY, PURPLE = "#56B4E9", "#CC79A7"  # Okabe and Ito's palette again
USD_PER_MILLION, USD_PER_BILLION = 1e6, 1e9
CHIPS_PER_SERVER = 8
"""Chips that the drawing of a rack puts in a row; the article's picture has a server of eight."""

LEAST_BILLION = 1e-4
"""Where the axis of revenue ends, billion USD: a hundred thousand dollars."""

LETTERS = 24
"""How much of a claimed text a label has room for."""

COSTS = {
    "fees": ("API or hosting fees", VERMILION),
    "depreciation": ("depreciation and interest", BLUE),
    "power": ("power", ORANGE),
    "cooling": ("cooling", SKY),
    "network": ("network", GREY),
    "staff": ("staff", PURPLE),
}
WORKLOADS = {
    "open inference": ("open-model inference", BLUE),
    "proprietary API": ("proprietary-model API", VERMILION),
    "training": ("training infrastructure", ORANGE),
    "other": ("other: services", GREEN),
}


def save(drawn: Figure, out: str | Path) -> None:
    """Write a figure into a file whose ending says the format (PNG, SVG or PDF), the same bytes each time.

    Raises ChartError for an ending that Matplotlib does not know, or a file that cannot be written.
    """
    import matplotlib

    path = Path(out)
    ending = path.suffix.removeprefix(".").lower()
    if ending not in drawn.canvas.get_supported_filetypes():
        raise ChartError(f"{path} has no ending that says what to draw; end it in .png, .svg or .pdf")
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(ending)
    try:
        with matplotlib.rc_context(STYLE):
            drawn.savefig(path, dpi=DOTS_PER_INCH, metadata=metadata)
    except OSError as error:
        raise ChartError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None


def _styled(draw: Callable[Drawing, Figure]) -> Callable[Drawing, Figure]:
    """Draws in the house style. Raises ChartError without Matplotlib."""

    @wraps(draw)
    def styled(*arguments: Drawing.args, **options: Drawing.kwargs) -> Figure:
        try:
            import matplotlib
        except ImportError:
            raise ChartError(
                "drawing needs Matplotlib: write `make install`, or install Undercut with its extra `ui`"
            ) from None
        with matplotlib.rc_context(STYLE):
            return draw(*arguments, **options)

    return styled


def _new(width: float, height: float, widths: Sequence[int] = (1,)) -> tuple[Figure, list[Axes]]:
    """A figure, inches, with panels side by side, as wide as their shares."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(width, height), layout="constrained")
    return drawn, list(drawn.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0])


@_styled
def tco(costs: pd.DataFrame, title: str, claimed: tuple[float, float] | None = None) -> Figure:
    """Cumulative cost of each option by year, in bars split by component, with the interval of the total.

    ``costs`` is ``evidence.figures.tco.cost`` over runs: medians, whose parts are scaled to the median total.
    ``claimed`` is the article's band of the share saved by self-hosting.
    """
    drawn, (panel,) = _new(10.0, 5.6)
    options = list(dict.fromkeys(costs["option"]))
    years = sorted(costs["year"].unique())
    width = 0.8 / len(options)
    labelled: set[str] = set()
    for o, option in enumerate(options):
        for year in years:
            rows = costs[(costs["option"] == option) & (costs["year"] == year)].set_index("component")
            amount = rows["cumulative_usd"] / USD_PER_MILLION
            low, high = (
                float(rows[f"cumulative_usd{end}"]["total"]) / USD_PER_MILLION for end in ("_low", "_high")
            )
            parts = amount.drop("total")
            parts = parts * (amount["total"] / parts.sum() if parts.sum() > 0.0 else 1.0)
            place, base = year + (o - (len(options) - 1) / 2) * width, 0.0
            for component, (label, colour) in COSTS.items():
                if parts[component] > 0.0:
                    name = "_" if component in labelled else label
                    panel.bar(
                        place,
                        parts[component],
                        0.92 * width,
                        base,
                        color=colour,
                        label=name,
                        edgecolor="white",
                    )
                    labelled.add(component)
                    base += parts[component]
            panel.errorbar(
                place, base, [[max(base - low, 0.0)], [max(high - base, 0.0)]], color=GREY, capsize=3
            )
            panel.annotate(
                option.replace(" ", "\n"),
                (place, max(base, high)),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=GREY,
            )
    panel.set_title(title)
    panel.set_ylabel("cumulative cost, million USD")
    panel.set_xticks(years, [f"after year {year}" for year in years])
    panel.margins(y=0.16)
    panel.grid(axis="x", visible=False)
    panel.legend(loc="upper left")
    if claimed is not None:
        _saving(panel, costs, years[-1], width, claimed)
    return drawn


def _saving(panel: Axes, costs: pd.DataFrame, year: int, width: float, claimed: tuple[float, float]) -> None:
    """A hatched box where the last bar, one's own chips, would end if it saved what is claimed."""
    from matplotlib.patches import Rectangle

    options = list(dict.fromkeys(costs["option"]))
    totals = costs[(costs["component"] == "total") & (costs["year"] == year)].set_index("option")
    api = float(totals["cumulative_usd"][options[0]]) / USD_PER_MILLION
    low, high = sorted(api * (1.0 - share) for share in claimed)
    left = year + (len(options) - 1) / 2 * width + 0.5 * width
    box = Rectangle((left, low), 0.3 * width, high - low, fill=False, hatch="////", edgecolor=GREY)
    panel.add_patch(box)
    panel.annotate(
        f"claim: {100 * claimed[0]:.0f} to {100 * claimed[1]:.0f} %\nless than the API",
        (left, high),
        xytext=(2, 4),
        textcoords="offset points",
        fontsize=8,
        color=GREY,
    )
    panel.set_xlim(right=left + 1.3 * width)


@_styled
def racks(installed: pd.DataFrame, claimed: Mapping[str, Mapping[str, str]], title: str) -> Figure:
    """A training rack beside an inference rack, a square a chip, with what the article's picture shows below.

    ``installed`` is ``evidence.figures.rack.racks`` over runs; the frame of a rack is blue as far up as racks
    of its kind are cooled by liquid.
    """
    kinds = [kind for kind in claimed if kind in set(installed["kind"])]
    drawn, panels = _new(9.0, 6.4, [1] * len(kinds))
    found = {row["kind"]: row for row in installed.to_dict("records")}
    for panel, kind in zip(panels, kinds, strict=True):
        _rack(panel, found[kind], claimed[kind])
        panel.set_title(f"{kind.capitalize()} rack")
    drawn.suptitle(title, fontsize=STYLE["font.size"], x=0.01, ha="left")
    return drawn


def _rack(panel: Axes, rack: Mapping[Hashable, Any], claimed: Mapping[str, str]) -> None:
    from matplotlib.patches import Rectangle

    panel.set_axis_off()
    count = 0 if rack["chips_per_rack"] != rack["chips_per_rack"] else round(rack["chips_per_rack"])
    height = max(-(-count // CHIPS_PER_SERVER), 1)
    for chip in range(count):
        corner = (chip % CHIPS_PER_SERVER + 0.15, chip // CHIPS_PER_SERVER + 0.15)
        panel.add_patch(Rectangle(corner, 0.7, 0.7, color=ORANGE))
    for server in range(height):
        panel.add_patch(
            Rectangle((0, server), CHIPS_PER_SERVER, 1, fill=False, edgecolor=GREY, linewidth=0.8)
        )
    liquid = 0.0 if rack["liquid_share"] != rack["liquid_share"] else float(rack["liquid_share"])
    for side in (-0.35, CHIPS_PER_SERVER + 0.1):
        panel.add_patch(Rectangle((side, 0), 0.25, height, fill=False, edgecolor=GREY, linewidth=0.8))
        panel.add_patch(Rectangle((side, 0), 0.25, height * liquid, color=SKY))
    lines = [
        f"{rack['chips_per_rack']:.0f} chips, most often {rack['main_chip']}",
        f"{rack['kw_per_rack']:.1f} kW a rack",
        f"links of {rack['link_gb_per_s']:.0f} GB/s a chip",
        f"Ethernet {100 * rack['ethernet_share']:.0f} %, InfiniBand {100 * (1 - rack['ethernet_share']):.0f} % of ports",
        f"{100 * liquid:.0f} % cooled by liquid (blue), the rest by air",
        f"{rack['racks']:,.0f} racks installed",
    ]
    panel.text(0, -0.25, "In the run\n" + "\n".join(lines), va="top", fontsize=10, linespacing=1.4)
    article = "\n".join(f"{name}: {text}" for name, text in claimed.items())
    panel.text(0, -3.1, f"In the article\n{article}", va="top", fontsize=10, linespacing=1.4, color=GREY)
    panel.set_xlim(-0.6, CHIPS_PER_SERVER + 0.6)
    panel.set_ylim(-5.1, max(height, 4) + 0.3)


@_styled
def workloads(revenue: pd.DataFrame, claimed: Mapping[str, float], title: str) -> Figure:
    """Revenue by workload: shares by year beside the article's, with growth on the year before; and its level.

    ``revenue`` is ``evidence.figures.workload.workloads`` over runs.
    """
    drawn, (panel, levels) = _new(15.0, 5.6, (3, 2))
    years = list(dict.fromkeys(revenue["year"]))
    _levels(levels, revenue, years)
    _shares(panel, 0, claimed, {})
    for place, year in enumerate(years, start=1):
        rows = revenue[revenue["year"] == year].set_index("workload")
        _shares(panel, place, rows["share"].to_dict(), rows["growth_share"].to_dict())
        total, growth = rows.loc["all", "revenue_usd"] / USD_PER_BILLION, rows.loc["all", "growth_share"]
        change = "" if growth != growth else f"\n{100 * growth:+.0f} %"
        panel.annotate(f"{total:.1f} bn USD{change}", (place, 1.02), ha="center", va="bottom", fontsize=9)
    panel.annotate("undated", (0, 1.02), ha="center", va="bottom", fontsize=9, color=GREY)
    panel.set_xticks(range(len(years) + 1), ["article", *years])
    panel.set_ylim(0.0, 1.14)
    panel.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0", "25 %", "50 %", "75 %", "100 %"])
    panel.grid(axis="x", visible=False)
    panel.set_title("Share of revenue, and growth on the year before")
    drawn.suptitle(title, fontsize=STYLE["font.size"], x=0.01, ha="left")
    handles, labels = panel.get_legend_handles_labels()
    first = dict(zip(labels, handles, strict=True))
    drawn.legend(first.values(), first.keys(), loc="outside lower center", ncols=len(first), frameon=False)
    return drawn


def _levels(panel: Axes, revenue: pd.DataFrame, years: Sequence[str]) -> None:
    """Revenue by year, billion USD on a log scale, with the interval over runs."""
    for name, (_, colour) in WORKLOADS.items():
        rows = revenue[revenue["workload"] == name].set_index("year").loc[list(years)]
        amount, low, high = (
            rows[f"revenue_usd{end}"].to_numpy() / USD_PER_BILLION for end in ("", "_low", "_high")
        )
        panel.plot(years, amount.clip(LEAST_BILLION), color=colour, marker="o")
        panel.fill_between(
            years, low.clip(LEAST_BILLION), high.clip(LEAST_BILLION), color=colour, alpha=0.15, linewidth=0
        )
    panel.set_yscale("log")
    panel.set_ylim(bottom=LEAST_BILLION)
    panel.yaxis.set_major_formatter("{x:g}")
    panel.set_title("Revenue, billion USD a year (log scale)")


def _shares(panel: Axes, place: int, shares: Mapping[str, float], growth: Mapping[str, float]) -> None:
    total = sum(shares.get(name, 0.0) for name in WORKLOADS)
    base = 0.0
    for name, (label, colour) in WORKLOADS.items():
        share = shares.get(name, 0.0) / total if total > 0.0 else 0.0
        panel.bar(place, share, 0.84, base, color=colour, label=label, alpha=0.9, edgecolor="white")
        change = growth.get(name, float("nan"))
        if share >= 0.06:
            text = f"{100 * share:.0f} %" + ("" if change != change else f"  {100 * change:+.0f} %")
            panel.annotate(text, (place, base + share / 2), ha="center", va="center", fontsize=8)
        base += share


@_styled
def ratios(cells: pd.DataFrame, titles: Mapping[str, str], title: str) -> Figure:
    """The model's figures over the claimed ones, one dot a cell of the articles' tables, on a log scale.

    ``cells`` is ``evidence.figures.article.beside`` over runs; a cell without a number on either side is left
    out, and one whose figure is a bound (above or below) is drawn hollow.
    """
    known = cells[(cells["claim"] != "") & (cells["claimed_value"] > 0.0) & (cells["model"] > 0.0)]
    drawn, (panel,) = _new(10.0, 1.6 + 0.24 * len(known))
    colours = dict(zip(titles, (BLUE, VERMILION, GREEN, ORANGE), strict=False))
    names: list[str] = []
    for place, (_, cell) in enumerate(known.iterrows()):
        colour, ratio = colours[cell["table"]], cell["model"] / cell["claimed_value"]
        low, high = (max(cell[f"model{end}"], 0.0) / cell["claimed_value"] for end in ("_low", "_high"))
        panel.plot([low, high], [place, place], color=colour, linewidth=2, alpha=0.5, solid_capstyle="butt")
        claim = by_id()[cell["claim"]]
        exact = not (math.isinf(claim.claimed_low) or math.isinf(claim.claimed_high))
        first = titles[cell["table"]] not in panel.get_legend_handles_labels()[1]
        label = titles[cell["table"]] if first else "_"
        panel.plot(ratio, place, "o", color=colour, mfc=colour if exact else "white", label=label)
        names.append(
            f"{cell['row']}: {cell['quantity']}, claimed {shorten(cell['claimed'], LETTERS, placeholder='...')}"
        )
    panel.axvline(1.0, color=GREY, linewidth=1)
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter("{x:g}")
    panel.set_yticks(range(len(names)), names, fontsize=9)
    panel.set_ylim(len(names) - 0.5, -0.5)
    panel.set_xlabel("the model's figure over the claimed one (log scale)")
    drawn.suptitle(title, fontsize=STYLE["axes.titlesize"], fontweight="bold", x=0.01, ha="left")
    drawn.legend(loc="outside lower center", ncols=2, frameon=False)
    return drawn
