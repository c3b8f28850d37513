"""Charts of break points: the most fragile pairs, how far each parameter may move, and curves of probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.breaks.breaks import FLIPS
from studies.breaks.curve import EVEN
from studies.breaks.line import UP
from studies.phrase import PLAIN, amount, phrase
from viz.chart import BLUE, GREY, VERMILION
from viz.figures import SKY
from viz.number import number
from viz.option import plane, span
from viz.option.panel import Panel
from viz.option.plane import Axis, Point
from viz.option.span import Span
from viz.panel.sensitivity import Choices
from viz.study.breaks import sentence
from viz.study.rows import records
from viz.study.tornado import PARAMETERS

if TYPE_CHECKING:
    import pandas as pd

    from studies.study import Study

PAIRS = 20
CURVES = 4
"""The most fragile parameters of a claim, whose curves are drawn."""

DISTANCE = "movement from the default, in units of the parameter's range on its own scale"


def choices(study: Study) -> Choices:
    """The claims that flip, the most fragile first."""
    flips = _flips(study).drop_duplicates("claim")
    return [(row["claim"], f"{row['statement']} ({row['claim']})") for row in records(flips)]


def panels(study: Study, claim: str) -> list[Panel]:
    """The most fragile pairs of all, and what moves one claim."""
    flips = _flips(study)
    first = [_fragile(flips.head(PAIRS))] if len(flips) else []
    if not claim:
        return first
    sides, curves = (_of(study.tables[name], claim) for name in ("sides", "curves"))
    own = records(flips[flips["claim"] == claim].drop_duplicates("parameter").head(CURVES))
    return [*first, _tornado(sides), *(_curve(curves, row) for row in own)]


def _flips(study: Study) -> pd.DataFrame:
    ranked = study.tables["breaks"]
    return ranked[ranked["status"] == FLIPS]


def _of(frame: pd.DataFrame, claim: str) -> pd.DataFrame:
    return frame[frame["claim"] == claim]


def _fragile(flips: pd.DataFrame) -> Panel:
    names, rows = [], []
    for place, row in enumerate(records(flips)):
        names.append(f"{row['claim']}: {row['parameter']}")
        high = row["distance_high"] if row["sure"] else None
        rows.append(
            Span(
                place,
                0.0,
                row["distance"],
                row["distance_low"],
                high,
                [sentence(row)],
                hollow=not row["sure"],
            )
        )
    return Panel(
        "fragile",
        "The most fragile",
        "claim and parameter, over all claims; an outline is not beyond chance",
        span.option(
            names,
            "distance to the break, in ranges of the parameter",
            [span.spans("distance", BLUE, rows)],
            room=span.WIDE_NAME_PIXELS,
        ),
        span.height(len(names)),
        wide=True,
    )


def _tornado(sides: pd.DataFrame) -> Panel:
    nearest = sides.groupby("parameter", sort=False)["distance"].min().sort_values(kind="stable")
    names = [str(name) for name in nearest.index[:PARAMETERS]]
    ranges, found = [], []
    for place, name in enumerate(names):
        for row in records(sides[sides["parameter"] == name]):
            sign = 1.0 if row["side"] == UP else -1.0
            end = sign * row["reach"]
            what = phrase(row["parameter"], row["description"])
            said = f"{what}: from {amount(row['low'], '')} to {amount(row['high'], row['unit'])}"
            ranges.append(
                Span(place, 0.0, end, None, None, [name, said, f"at {amount(row['default'], '')} by default"])
            )
            if row["status"] == FLIPS:
                high = sign * row["distance_high"] if row["sure"] else end
                low, high = sorted((sign * row["distance_low"], high))
                found.append(Span(place, None, sign * row["distance"], low, high, [sentence(row)]))
    left = len(nearest) - len(names)
    return Panel(
        "tornado",
        "How far each parameter may move",
        "dots: where the claim flips, with the interval that chance leaves; pale: the range"
        + (f"; {left} parameters further down left out" if left else ""),
        span.option(
            names,
            DISTANCE,
            [
                span.spans("range", "#dddddd", ranges, thick=0.3),
                span.spans("flips", VERMILION, found, dot=True),
                span.rule(0.0, "default", dash="solid"),
            ],
        ),
        span.height(len(names)),
        wide=True,
    )


def _curve(curves: pd.DataFrame, row: dict[str, Any]) -> Panel:
    own = curves[curves["parameter"] == row["parameter"]].sort_values("value")
    unit = "" if row["unit"] in PLAIN else f", {row['unit']}"
    points = [
        Point(
            each["value"],
            each["probability"],
            [
                f"{row['parameter']} {amount(each['value'], row['unit'])}",
                f"probability {number(each['probability'])} "
                f"({number(each['probability_low'])} to {number(each['probability_high'])}), {each['runs']} runs",
            ],
        )
        for each in records(own)
    ]
    line = plane.curve("probability", BLUE, points)
    line["markLine"] = plane.marks(
        x=[(row["default"], GREY, "dotted"), (row["value"], VERMILION, "solid")], y=[(EVEN, GREY, "dashed")]
    )
    ends = [
        plane.curve(
            end.replace("_", " "),
            SKY,
            [
                Point(each["value"], each[end], point.lines)
                for each, point in zip(records(own), points, strict=True)
            ],
            dash="dashed",
            dots=False,
            width=1.0,
        )
        for end in ("probability_low", "probability_high")
    ]
    return Panel(
        f"curve-{row['parameter']}",
        row["parameter"],
        "dotted: the default; solid: the break; thin lines: the interval over seeds",
        plane.option(
            Axis(f"{phrase(row['parameter'], row['description'])}{unit}"),
            Axis("probability that it holds", low=0.0, high=1.0),
            [*ends, line],
        ),
    )
