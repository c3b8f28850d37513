"""Amounts of whole years: a box a year over the seeds, beside what articles claim of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from evidence.claims import Claim
from viz.chart import ORANGE
from viz.fan import LEVELS
from viz.option.fan import Levels
from viz.option.palette import BAND, Option, base, legend
from viz.option.supply import usd

CLAIMED = "claimed"
MEDIAN = 0.5
CLAIM_WIDTH = "55%"
CLAIM_LOOK = {"color": BAND, "borderColor": ORANGE, "borderWidth": 0.5}


def option(
    boxes: Mapping[str, tuple[str, Sequence[Levels]]], years: Sequence[str], claims: Sequence[Claim] = ()
) -> Option:
    """Boxes of some worlds over the years, in USD.

    Args:
        boxes: colour, and the levels of each year (5 %, quarter, median, three quarters, 95 %), by the name of a world.
        years: the years, such as ``"2025"``.
        claims: claims on a year, as wide bars behind the boxes.
    """
    series: list[Option] = []
    of = {
        claim.period: claim for claim in claims if claim.period in years and math.isfinite(claim.claimed_high)
    }
    if of:
        low = [of[year].claimed_low if year in of else None for year in years]
        span = [of[year].claimed_high - of[year].claimed_low if year in of else None for year in years]
        bar = {"type": "bar", "stack": CLAIMED, "barWidth": CLAIM_WIDTH, "silent": True, "name": CLAIMED}
        series.append({**bar, "id": "claimed from", "data": low, "itemStyle": {"color": "transparent"}})
        series.append({**bar, "id": "claimed to", "data": span, "itemStyle": CLAIM_LOOK})
    for name, (colour, levels) in boxes.items():
        data = [
            {"value": list(each), "lines": _words(name, year, each)} if None not in each else "-"
            for year, each in zip(years, levels, strict=True)
        ]
        look = {"color": f"{colour}33", "borderColor": colour, "borderWidth": 1.5}
        series.append(
            {
                "id": name,
                "name": name,
                "type": "boxplot",
                "data": data,
                "itemStyle": look,
                "boxWidth": [8, 34],
            }
        )
    return base(
        tooltip={"trigger": "item", "confine": True, "formatter": "=node", "textStyle": {"fontSize": 11}},
        legend={
            **legend((), filled=True),
            "data": [*([{"name": CLAIMED, "itemStyle": CLAIM_LOOK}] if of else []), *boxes],
        },
        xAxis={"type": "category", "data": list(years), "axisLabel": {"fontSize": 10}},
        yAxis={"type": "value", "min": 0, "axisLabel": {"formatter": "=usd", "fontSize": 10}},
        series=series,
    )


def _words(name: str, year: str, levels: Levels) -> list[str]:
    said = [
        f"{'median' if level == MEDIAN else f'{100 * level:.0f} %'}: {usd(value or 0.0)}"
        for level, value in zip(LEVELS, levels, strict=True)
    ]
    return [f"{name}, {year}", *said]
