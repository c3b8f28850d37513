"""The supply graph of a quarter: firms stand still in tiers, lines are as wide as the root of the money."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from viz.live.frame import Flow, Frame
from viz.option.palette import GHOST, REGIONS, RELATIONS, Option, base

KINDS = ("chipmaker", "cloud", "vendor", "buyers")
TITLES = ("Chipmakers", "Clouds and venues", "Model vendors", "Buyers, by region")
SHAPES: Mapping[str, str] = {
    "chipmaker": "rect",
    "cloud": "circle",
    "vendor": "diamond",
    "buyers": "roundRect",
}
LEGEND = (
    *((f"\u2501 {name}", RELATIONS[name]) for name in ("chips", "hosting", "tokens", "services")),
    ("\u2505 stakes", RELATIONS["equity"]),
    *((f"\u25cf {region}", colour) for region, colour in REGIONS.items()),
)
"""What the colours mean: of lines the relation, of firms the region."""

WIDTH, HEIGHT = 1000.0, 560.0
WIDEST, THINNEST = 12.0, 0.4
LARGEST, SMALLEST = 26.0, 8.0
SEEN_SHARE = 1e-3
"""A payment below this share of the largest one of the quarter is not drawn."""

STAKE_WIDTH = 1.0
USD_PER_BILLION = 1e9


def option(frame: Frame, focus: str = "") -> Option:
    """The graph of a frame; the edges of a firm in ``focus`` stand out."""
    regions = list(REGIONS)
    places = positions(frame.firms, regions)
    largest = max((flow.money for flow in frame.flows), default=0.0)
    received: dict[str, float] = {}
    spent: dict[str, float] = {}
    for flow in frame.flows:
        received[flow.source] = received.get(flow.source, 0.0) + flow.money
        spent[flow.target] = spent.get(flow.target, 0.0) + flow.money
    most = max((*received.values(), *(spent.get(region, 0.0) for region in regions)), default=0.0)
    nodes = []
    for name, (x, y) in places.items():
        kind, region = _about(name, frame.firms)
        money = spent.get(name, 0.0) if kind == KINDS[-1] else received.get(name, 0.0)
        nodes.append(
            {
                "id": name,
                "name": name,
                "x": x,
                "y": y,
                "symbol": SHAPES[kind],
                "symbolSize": SMALLEST + (LARGEST - SMALLEST) * _root(money, most),
                "itemStyle": {
                    "color": REGIONS.get(region, GHOST),
                    "borderColor": "#000" if name == focus else "#fff",
                    "borderWidth": 2 if name == focus else 0.5,
                },
                "label": {"position": "left" if kind == KINDS[0] else "right"},
                "lines": [
                    name,
                    f"{kind}, {region}",
                    f"{'pays' if kind == KINDS[-1] else 'is paid'} {usd(money)} in {frame.quarter}",
                ],
            }
        )
    links = [_link(flow, largest, focus) for flow in frame.flows if _seen(flow, places, largest)]
    return base(
        tooltip={"confine": True, "formatter": "=node", "textStyle": {"fontSize": 11}},
        graphic=[
            *(
                _text(f"tier-{place}", title, f"{3 + 26.5 * place}%", "bold 12px sans-serif", top=6)
                for place, title in enumerate(TITLES)
            ),
            *(
                _text(f"kind-{place}", name, f"{left}%", "11px sans-serif", colour, bottom=4)
                for place, (left, (name, colour)) in enumerate(zip(_lefts(), LEGEND, strict=True))
            ),
        ],
        series=[
            {
                "id": "supply",
                "type": "graph",
                "layout": "none",
                "left": 112,
                "right": 130,
                "top": 40,
                "bottom": 24,
                "data": nodes,
                "links": links,
                "roam": False,
                "label": {"show": True, "fontSize": 10, "color": "#222"},
                "labelLayout": {"hideOverlap": False},
                "edgeSymbol": ["none", "none"],
                "emphasis": {"focus": "adjacency", "lineStyle": {"opacity": 0.9}},
            }
        ],
    )


def positions(
    firms: Mapping[str, Mapping[str, object]], regions: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Where each firm and region stands: a column a tier, in it by region and then by name; the same every quarter."""
    order = {region: place for place, region in enumerate(regions)}
    tiers: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for name in sorted(firms, key=lambda name: (order.get(str(firms[name]["region"]), len(order)), name)):
        tiers[str(firms[name]["kind"])].append(name)
    tiers[KINDS[-1]] = list(regions)
    found: dict[str, tuple[float, float]] = {}
    for column, kind in enumerate(KINDS):
        names = tiers[kind]
        for place, name in enumerate(names):
            found[name] = (WIDTH * column / (len(KINDS) - 1), HEIGHT * (place + 0.5) / len(names))
    return found


def short(amount: float) -> str:
    """An amount in three digits that matter, with k, M, B or T for thousands to trillions."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(amount) >= size:
            return f"{float(f'{amount / size:.3g}'):g}{unit}"
    return f"{amount:.3g}"


def usd(money: float) -> str:
    """Money in words that fit a label."""
    return f"{'-' if money < 0.0 else ''}${short(abs(money))}"


def traded(flow: Flow) -> str:
    """How much of what a flow is, and what it costs."""
    return usd(flow.money) if flow.unit == "USD" else f"{short(flow.units)} {flow.unit}, {usd(flow.money)}"


def _lefts() -> list[float]:
    """Where the words of the legend begin, in per cent of the width: each takes its share by its length."""
    sizes = [len(name) + 3 for name, _ in LEGEND]
    return [round(1 + 98 * sum(sizes[:place]) / sum(sizes), 1) for place in range(len(sizes))]


def _text(name: str, text: str, left: str, font: str, colour: str = "#000", **place: int) -> Option:
    style = {"text": text, "font": font, "fill": colour}
    return {"id": name, "type": "text", "silent": True, "left": left, "style": style, **place}


def _about(name: str, firms: Mapping[str, Mapping[str, object]]) -> tuple[str, str]:
    if name in firms:
        return str(firms[name]["kind"]), str(firms[name]["region"])
    return KINDS[-1], name


def _seen(flow: Flow, places: Mapping[str, object], largest: float) -> bool:
    if flow.source not in places or flow.target not in places:
        return False
    return flow.kind == "equity" or flow.money > SEEN_SHARE * largest


def _link(flow: Flow, largest: float, focus: str) -> Option:
    stake = flow.kind == "equity"
    width = STAKE_WIDTH if stake else THINNEST + (WIDEST - THINNEST) * _root(flow.money, largest)
    said = f"a stake of {100 * flow.units:.3g} %" if stake else traded(flow)
    faded = focus and focus not in (flow.source, flow.target)
    return {
        "source": flow.source,
        "target": flow.target,
        "lineStyle": {
            "color": RELATIONS.get(flow.kind, GHOST),
            "width": width,
            "type": "dashed" if stake else "solid",
            "opacity": 0.06 if faded else 0.55,
            "curveness": 0.18,
        },
        "lines": [f"{flow.source} \u2192 {flow.target}", f"{flow.kind}: {said}"],
    }


def _root(money: float, largest: float) -> float:
    return math.sqrt(max(money, 0.0) / largest) if largest > 0.0 else 0.0
