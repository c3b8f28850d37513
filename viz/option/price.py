"""Prices of models in a region on a log axis, a line for each vendor's tier, broken where a generation follows."""

from __future__ import annotations

from collections.abc import Sequence

from viz.live.frame import Frame, Price, finite
from viz.option.palette import BLACK, GHOST, ORIGINS, Option, base, legend, line, quarters

PAID = {
    "China": "price_china_usd_per_mtok",
    "Asia-Pacific": "price_asia_pacific_usd_per_mtok",
    "North America": "price_north_america_usd_per_mtok",
    "Europe and rest": "price_europe_usd_per_mtok",
}
"""The recorded unit value of each region."""

TIERS = ("flagship", "small", "both")
MEAN, WITHOUT = "mean price paid", "mean without what was fired"


def option(
    frames: Sequence[Frame], ghost: Sequence[Frame], names: Sequence[str], region: str, tier: str
) -> Option:
    """The cheapest offer of every model of a tier in a region over the quarters so far.

    A point is quarter, price, and the places of its model and its seller in the lists ``models`` and ``sellers``.

    Args:
        frames: the quarters shown, in order.
        ghost: the same quarters without what was fired, or none.
        names: every quarter of the run.
        region: of the buyers.
        tier: one of ``TIERS``.
    """
    place = {name: x for x, name in enumerate(names)}
    models_told: dict[tuple[str, str], int] = {}
    sellers: dict[str, int] = {}
    products: dict[tuple[str, str], dict[str, list[list[float]]]] = {}
    origins: dict[str, str] = {}
    launches: dict[tuple[str, str], list[list[float]]] = {}
    for x, frame in ((place[frame.quarter], frame) for frame in frames):
        for price in frame.prices:
            if price.region != region or tier not in (price.tier, TIERS[-1]):
                continue
            origins[price.vendor] = price.origin
            key = (price.vendor, price.tier)
            about = models_told.setdefault((price.model, _about(price)), len(models_told))
            point = [x, price.price, about, sellers.setdefault(price.seller, len(sellers))]
            models = products.setdefault(key, {})
            if price.model not in models and frame is not frames[0]:
                launches.setdefault(key, []).append(point)
            models.setdefault(price.model, []).append(point)
    series = []
    for (vendor, of), models in sorted(products.items()):
        word, colour = ORIGINS.get(origins[vendor], ("other", GHOST))
        data: list[Sequence[float | None]] = []
        for points in models.values():
            data += [*points, [points[-1][0], None]]
        made = line(
            f"{vendor} {of}",
            data,
            colour,
            dash="solid" if of == TIERS[0] else "dotted",
            width=1.2,
            connectNulls=False,
        )
        # The legend tells origins, which are few, instead of models.
        series.append(
            {**made, "name": word, "opacity": 0.8, "symbolSize": 4, "showSymbol": True, "symbol": "circle"}
        )
        if starts := launches.get((vendor, of)):
            series.append(
                {
                    "id": f"{vendor} {of} launches",
                    "name": word,
                    "type": "scatter",
                    "symbol": "pin",
                    "symbolSize": 13,
                    "itemStyle": {"color": colour},
                    "data": starts,
                }
            )
    paid = [[place[frame.quarter], finite(frame.headline[PAID[region]])] for frame in frames]
    tip = {"formatter": "{a}"}
    series.append(line(MEAN, paid, BLACK, width=3, z=5, tooltip=tip))
    shown = [MEAN, *dict.fromkeys(ORIGINS[o][0] for o in ORIGINS if o in origins.values())]
    if ghost:
        without = [[place[frame.quarter], finite(frame.headline[PAID[region]])] for frame in ghost]
        series.append(line(WITHOUT, without, GHOST, dash="dashed", width=2.5, z=4, tooltip=tip))
        shown.append(WITHOUT)
    return base(
        tooltip={"trigger": "item", "confine": True, "formatter": "=offer", "textStyle": {"fontSize": 11}},
        legend=legend(shown),
        xAxis=quarters(names),
        yAxis={
            "type": "log",
            "axisLabel": {"formatter": "=price", "fontSize": 10},
        },
        models=list(models_told),
        sellers=list(sellers),
        series=series,
    )


def _about(price: Price) -> str:
    return f"{price.vendor}, {'open weights' if price.open_weights else 'proprietary'}"
