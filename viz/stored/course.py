"""How the headline series of stored worlds run: panels of fans, of two worlds over one another or of one alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from evidence.claims import by_id
from viz.chart import BLUE, CLAIMS, GREEN, NVIDIA, ORANGE, PRICES, SHARES, VERMILION
from viz.fan import LEVELS, fan, yearly
from viz.live.frame import finite
from viz.option import fan as fans
from viz.option import year
from viz.option.fan import Fan, Levels
from viz.option.panel import Panel

if TYPE_CHECKING:
    import pandas as pd

LOOKS = ((BLUE, "solid"), (VERMILION, "dashed"), (GREEN, "dotted"), (ORANGE, "solid"))
DASHES = {"-": "solid", "--": "dashed", "-.": "dotted"}
"""What Matplotlib's dashes are in ECharts."""

NONE: Levels = (None,) * len(LEVELS)


class Series(NamedTuple):
    """A headline column that two worlds are compared in; ``claims`` are drawn as boxes."""

    column: str
    title: str
    unit: str
    scale: str
    claims: Sequence[str] = ()


COMPARED = (
    Series("price_usd_per_mtok", "Price paid, world", "USD/Mtok, log axis", "price"),
    Series("price_china_usd_per_mtok", "Price paid in China", "USD/Mtok, log axis", "price"),
    Series(
        "nvidia_share_china_units_all",
        "NVIDIA in China, all units",
        "of accelerators delivered",
        "share",
        CLAIMS["nvidia"],
    ),
    Series("nvidia_share_china_units_ai", "NVIDIA in China, AI-class", "of accelerators delivered", "share"),
    Series(
        "chinese_cloud_share_apac_open",
        "Chinese clouds in Asia",
        "of the tokens of open models",
        "share",
        ("p2-asia",),
    ),
    Series(
        "deepseek_share_china_revenue", "DeepSeek in China", "of token revenue", "share", CLAIMS["shares"][1:]
    ),
    Series("open_share_tokens", "Open-weights models", "of tokens, world", "share"),
    Series("market_revenue_usd", "Size of the market", "USD a quarter, world", "usd"),
)
SIZE = Series(
    "china_llm_market_usd",
    "China's LLM market",
    "USD a year: tokens, hosting and services",
    "usd",
    CLAIMS["size"],
)


def compared(worlds: Mapping[str, pd.DataFrame]) -> list[Panel]:
    """Each headline series of some worlds over one another, given their tables ``quarters`` by label."""
    names = quarters_of(worlds.values())
    made = []
    for series in COMPARED:
        drawn = [
            Fan(label, colour, dash, levels(frame, series.column, names))
            for (label, frame), (colour, dash) in zip(worlds.items(), LOOKS, strict=False)
        ]
        claimed = [by_id()[claim] for claim in series.claims]
        made.append(
            Panel(
                series.column,
                series.title,
                series.unit + ("; boxes are claims" if claimed else ""),
                fans.option(drawn, names, series.scale, claimed),
            )
        )
    return [*made, sizes(worlds)]


def alone(frame: pd.DataFrame) -> list[Panel]:
    """The panels of a report for one world: prices, NVIDIA's share, who serves, and the size of the market."""
    names = quarters_of([frame])

    def panel(name: str, title: str, unit: str, scale: str, of: Mapping[str, tuple[str, str, str]]) -> Panel:
        drawn = [
            Fan(label, colour, DASHES[dash], levels(frame, column, names))
            for column, (label, colour, dash) in of.items()
        ]
        claimed = [by_id()[claim] for claim in CLAIMS.get(name, ())]
        return Panel(name, title, unit, fans.option(drawn, names, scale, claimed))

    boxes = "; boxes are the articles' claims"
    return [
        panel("prices", "Price of inference paid", "USD/Mtok, log axis, by region", "price", PRICES),
        panel("nvidia", "NVIDIA in China", f"share of accelerators delivered{boxes}", "share", NVIDIA),
        panel("shares", "Who serves the tokens", f"shares{boxes}", "share", SHARES),
        sizes({"the model": frame}),
    ]


def sizes(worlds: Mapping[str, pd.DataFrame]) -> Panel:
    """China's market by year, a box over the seeds of each world."""
    sums = {label: yearly(frame, SIZE.column) for label, frame in worlds.items()}
    years = sorted({int(each) for frame in sums.values() for each in frame["year"]})
    boxes = {}
    for (label, frame), (colour, _) in zip(sums.items(), LOOKS, strict=False):
        grouped = frame.groupby("year")[SIZE.column]
        columns = [grouped.quantile(level) for level in LEVELS]
        found = {each: [finite(float(column[each])) for column in columns] for each in columns[0].index}
        boxes[label] = (colour, [found.get(each, NONE) for each in years])
    claimed = [by_id()[claim] for claim in SIZE.claims]
    option = year.option(boxes, [str(each) for each in years], claimed)
    return Panel(
        "size", f"{SIZE.title} by year", f"{SIZE.unit}; boxes are 5 to 95 %, bars behind them claims", option
    )


def levels(frame: pd.DataFrame, column: str, names: Sequence[str]) -> list[Levels]:
    """The quantiles over seeds of a column in each of some quarters; None where no seed has a value."""
    table = fan(frame, column)
    found = {
        str(quarter): [finite(float(value)) for value in row]
        for quarter, row in zip(table.index, table.to_numpy(), strict=True)
    }
    return [found.get(name, NONE) for name in names]


def quarters_of(frames: Iterable[pd.DataFrame]) -> list[str]:
    """Every quarter of some tables, in order."""
    return sorted({str(quarter) for frame in frames for quarter in frame["quarter"].unique()})
