"""One figure of a stored run: prices, NVIDIA's share, shares and size of the market, beside the claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence.claims import Claim, by_id
from evidence.period import period
from viz.fan import LEVELS, ChartError, fan, yearly

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from scenarios.batch import Batch

# Okabe and Ito's palette (2008), which people with any colour vision can tell apart.
BLUE, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"

PRICES = {
    "price_north_america_usd_per_mtok": ("North America", BLUE, "-"),
    "price_europe_usd_per_mtok": ("Europe and rest", GREEN, "--"),
    "price_asia_pacific_usd_per_mtok": ("Asia-Pacific", ORANGE, "-."),
    "price_china_usd_per_mtok": ("China", VERMILION, "-"),
}
NVIDIA = {
    "nvidia_share_china_units_all": ("all accelerators", BLUE, "-"),
    "nvidia_share_china_units_ai": ("AI-class only", VERMILION, "--"),
}
SHARES = {
    "chinese_cloud_share_apac_open": ("Chinese clouds, of open models in Asia", BLUE, "-"),
    "deepseek_share_china_revenue": ("DeepSeek, of token revenue in China", VERMILION, "--"),
}
CLAIMS = {
    "nvidia": ("p1-nvidia-2023", "p1-nvidia-2027"),
    "shares": ("p2-asia", "deepseek-share-2024", "deepseek-share-2025", "deepseek-share-2026"),
    "size": ("market-2024", "market-2025", "market-2026"),
}
SIZE_INCHES = (12.0, 8.0)
DOTS_PER_INCH = 150
USD_PER_BILLION = 1e9
HEADROOM = 1.1
"""How far an axis reaches beyond its highest box, so that the box's label fits."""

STYLE: Any = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "svg.hashsalt": "undercut",
}


def draw(batch: Batch, label: str, out: str | Path) -> None:
    """Draw one world of a batch into a file whose ending says the format (PNG, SVG or PDF).

    Raises ChartError when Matplotlib is missing, the ending is none that it knows, the file cannot be
    written, or no run of it is stored; raises StoreError when there is no such world or a file is damaged.
    """
    path = Path(out)
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise ChartError(
            "drawing needs Matplotlib: write `make install`, or install Undercut with its extra `ui`"
        ) from None
    known = FigureCanvasBase.get_supported_filetypes()
    ending = path.suffix.removeprefix(".").lower()
    if ending not in known:
        raise ChartError(f"{path} has no ending that says what to draw; end it in .png, .svg or .pdf")
    quarters = batch.table("quarters", label)
    if quarters.empty:
        raise ChartError(f"no run of {label} in {batch.name} has ended well; there is nothing to draw")
    drawn = figure(quarters, label)
    # A date in the file would make two drawings of one run differ.
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(ending)
    try:
        with matplotlib.rc_context(STYLE):
            drawn.savefig(path, dpi=DOTS_PER_INCH, metadata=metadata)
    except OSError as error:
        raise ChartError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None


def figure(quarters: pd.DataFrame, scenario: str) -> Figure:
    """The figure of a table ``quarters`` with a column ``seed``: four panels with fans over seeds."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=SIZE_INCHES, layout="constrained")
        panels = drawn.subplots(2, 2)
        names = sorted(quarters["quarter"].unique())
        _prices(panels[0, 0], quarters)
        _shares(panels[0, 1], quarters, NVIDIA, CLAIMS["nvidia"])
        panels[0, 1].set_title("NVIDIA's share of accelerators delivered in China")
        _shares(panels[1, 0], quarters, SHARES, CLAIMS["shares"])
        panels[1, 0].set_title("Who serves the tokens")
        _size(panels[1, 1], quarters)
        for panel in (panels[0, 0], panels[0, 1], panels[1, 0]):
            _years(panel, names)
        seeds = quarters["seed"].nunique()
        drawn.suptitle(
            f"Scenario {scenario}, {seeds} seed{'s' if seeds > 1 else ''}: median, middle half and 5 to 95 % "
            "of runs; boxes are the articles' claims",
            fontsize=STYLE["font.size"],
            x=0.01,
            ha="left",
        )
    return drawn


def _prices(panel: Axes, quarters: pd.DataFrame) -> None:
    _fans(panel, quarters, PRICES)
    panel.set_yscale("log")
    panel.yaxis.set_major_formatter("{x:g}")
    panel.set_title("Price of inference paid, by region")
    panel.set_ylabel("USD per million tokens (log scale)")
    panel.legend(loc="best")


def _shares(panel: Axes, quarters: pd.DataFrame, series: Series, claimed: Sequence[str]) -> None:
    _fans(panel, quarters, series)
    panel.set_ylim(0.0, 1.0)
    panel.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    places = {quarter: i for i, quarter in enumerate(sorted(quarters["quarter"].unique()))}
    for name in claimed:
        _box(panel, by_id()[name], places)
    panel.legend(loc="best")


def _size(panel: Axes, quarters: pd.DataFrame) -> None:
    sums = yearly(quarters, "china_llm_market_usd")
    years = sorted(sums["year"].unique())
    low, _, middle, _, high = (
        sums.groupby("year")["china_llm_market_usd"].quantile(level).loc[years] / USD_PER_BILLION
        for level in LEVELS
    )
    panel.bar(
        years,
        middle,
        color=BLUE,
        alpha=0.7,
        width=0.6,
        yerr=[middle - low, high - middle],
        ecolor=GREY,
        label="model",
    )
    for name in CLAIMS["size"]:
        claim = by_id()[name]
        year = int(claim.period)
        if year in years:
            _rectangle(panel, year - 0.4, year + 0.4, claim, USD_PER_BILLION)
    panel.set_ylim(top=HEADROOM * panel.get_ylim()[1])
    panel.set_title("China's LLM market: tokens, hosting and services")
    panel.set_ylabel("billion USD a year")
    panel.set_xticks(years)
    panel.grid(axis="x", visible=False)


Series = Mapping[str, tuple[str, str, str]]


def _fans(panel: Axes, quarters: pd.DataFrame, series: Series) -> None:
    """A median line, a darker middle half and a lighter 5-95 % band for each column."""
    for column, (label, colour, dashes) in series.items():
        levels = fan(quarters, column)
        places = range(len(levels))
        low, lower, middle, upper, high = (levels[level].to_numpy() for level in LEVELS)
        panel.fill_between(places, low, high, color=colour, alpha=0.12, linewidth=0)
        panel.fill_between(places, lower, upper, color=colour, alpha=0.2, linewidth=0)
        panel.plot(places, middle, color=colour, linestyle=dashes, linewidth=2, label=label)


def _box(panel: Axes, claim: Claim, places: Mapping[str, int]) -> None:
    """The band of a claim over the quarters that it speaks of, where these are on the axis."""
    spoken = [places[quarter] for quarter in period(claim.period).end.quarters if quarter in places]
    if spoken:
        _rectangle(panel, spoken[0] - 0.5, spoken[-1] + 0.5, claim, 1.0)


def _rectangle(panel: Axes, left: float, right: float, claim: Claim, unit: float) -> None:
    """A hatched box from the low to the high of a claim; an open side runs to the edge of the panel."""
    from matplotlib.patches import Rectangle

    bottom, top = panel.get_ylim()
    low, high = max(claim.claimed_low / unit, bottom), claim.claimed_high / unit
    high = min(high, top) if high == float("inf") else high
    panel.add_patch(
        Rectangle(
            (left, low), right - left, high - low, fill=False, hatch="////", edgecolor=GREY, linewidth=1.2
        )
    )
    panel.set_ylim(bottom, max(top, high))
    panel.annotate(
        _short(claim),
        (right, min(high, panel.get_ylim()[1])),
        xytext=(0, 3),
        fontsize=9,
        color=GREY,
        ha="right",
        textcoords="offset points",
        bbox={"facecolor": "white", "alpha": 0.7, "pad": 1.0, "linewidth": 0.0},
    )


def _short(claim: Claim) -> str:
    """The claimed figure as the article gives it, with the year."""
    figures = claim.claimed.replace("..", " to ")
    if claim.unit == "share":
        figures = " to ".join(f"{100 * float(part):.0f}" for part in figures.split(" to ")) + " %"
    elif claim.unit == "USD":
        figures = f"{float(figures) / USD_PER_BILLION:.1f} bn"
    sign = {"below": "< ", "above": "> "}.get(claim.tolerance.kind, "")
    return f"claim: {sign}{figures}"


def _years(panel: Axes, quarters: Sequence[str]) -> None:
    """A tick at the first quarter of each year."""
    firsts = [i for i, quarter in enumerate(quarters) if quarter.endswith("Q1")]
    panel.set_xticks(firsts, [quarters[i][:4] for i in firsts])
    panel.set_xlim(-0.5, len(quarters) - 0.5)
