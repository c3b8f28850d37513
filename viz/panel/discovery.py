"""Charts of scenario discovery: boxes in the ranges of their parameters, the worlds in them, and the peeling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model.parameters import SWITCH_UNIT
from studies.discovery.box import HIGH, LOW
from studies.discovery.cases import CASE, OTHER
from studies.discovery.findings import TEST, TRAIN
from studies.phrase import amount, phrase
from viz.chart import BLUE, GREY, VERMILION
from viz.number import number
from viz.option import plane, span
from viz.option.palette import Option
from viz.option.panel import Panel
from viz.option.plane import Axis, Point
from viz.option.span import Span
from viz.panel.sensitivity import Choices
from viz.study.boxes import ends_of, label_of, logarithmic, share_of
from viz.study.rows import records
from viz.study.sensitivity import percent

if TYPE_CHECKING:
    import pandas as pd

    from studies.study import Study

HALVES = {TRAIN: ("peeled worlds", BLUE, "solid"), TEST: ("fresh worlds", VERMILION, "dashed")}


def choices(study: Study) -> Choices:
    """The claims for which a box was found."""
    if "boxes" not in study.tables or not len(study.tables["boxes"]):
        return []
    found = set(study.tables["boxes"]["claim"])
    return [
        (row["claim"], f"{row['statement']} ({row['claim']})")
        for row in records(study.tables["claims"])
        if row["claim"] in found
    ]


def panels(study: Study, claim: str) -> list[Panel]:
    """The boxes of a claim."""
    if not claim:
        return []
    boxes, limits, path = (_of(study, name, claim) for name in ("boxes", "limits", "trajectory"))
    made = []
    for box in records(boxes):
        own = limits[(limits["box"] == box["box"]) & limits["kept"].astype(bool)]
        where = f"it {study.asked['where']} when {box['words'] or 'always'}"
        made.append(_ranges(box, own, where))
        if own["parameter"].nunique() > 1:
            made.append(_worlds(study, claim, box, own))
        made.append(_peeling(box, path[path["box"] == box["box"]]))
    return made


def _of(study: Study, name: str, claim: str) -> pd.DataFrame:
    frame = study.tables[name]
    return frame[frame["claim"] == claim]


def _ranges(box: dict[str, Any], limits: pd.DataFrame, where: str) -> Panel:
    names = list(dict.fromkeys(limits["parameter"]))
    whole, inside = [], []
    for place, name in enumerate(names):
        own = records(limits[limits["parameter"] == name])
        ends = {LOW: 0.0, HIGH: 1.0} | {row["side"]: share_of(row, row["value"]) for row in own}
        row = own[0]
        said = [
            phrase(name, row["description"]),
            f"{amount(row['low'], '')} to {amount(row['high'], row['unit'])}",
        ]
        said += [f"in the box {_bound(each)}; p on fresh worlds {number(each['p_fresh'])}" for each in own]
        whole.append(Span(place, 0.0, 1.0, None, None, said))
        inside.append(Span(place, ends[LOW], ends[HIGH], None, None, said))
    both = "; ".join(
        f"{name} {percent(box[f'coverage_{half}'])} and {percent(box[f'density_{half}'])}"
        for half, (name, _, _) in HALVES.items()
    )
    series = [
        span.spans("range", "#dddddd", whole, thick=0.4),
        span.spans("box", VERMILION, inside, thick=0.4),
    ]
    return Panel(
        f"ranges-{box['box']}",
        f"Box {box['box']}: {where}",
        f"coverage and density: {both}",
        span.option(names, "place in the parameter\u2019s range", series, form="=share", min=0.0, max=1.0),
        span.height(len(names)),
    )


def _bound(row: dict[str, Any]) -> str:
    if row["unit"] == SWITCH_UNIT:
        return "on" if row["side"] == LOW else "off"
    return f"{'above' if row['side'] == LOW else 'below'} {amount(row['value'], row['unit'])}"


def _worlds(study: Study, claim: str, box: dict[str, Any], limits: pd.DataFrame) -> Panel:
    first, second = list(dict.fromkeys(limits.sort_values("quasi_p", kind="stable")["parameter"]))[:2]
    worlds, state = study.tables["worlds"], f"state:{claim}"
    series: list[Option] = []
    for kind, name, colour, symbol in (
        (OTHER, "other worlds", BLUE, "emptyCircle"),
        (CASE, "worlds of interest", VERMILION, "rect"),
    ):
        rows = [
            Point(a, b, [name, f"{first} {number(a)}", f"{second} {number(b)}"])
            for a, b in worlds.loc[worlds[state] == kind, [first, second]].itertuples(index=False)
        ]
        series.append(plane.points(name, colour, rows, symbol=symbol, size=6))
    (left, right), (bottom, top) = (ends_of(limits, name) for name in (first, second))
    series[0]["markArea"] = {
        "silent": True,
        "itemStyle": {"color": "transparent", "borderColor": "#000000", "borderWidth": 2},
        "data": [[{"coord": [left, bottom]}, {"coord": [right, top]}]],
    }
    return Panel(
        f"worlds-{box['box']}",
        f"Worlds and box {box['box']}",
        "over the two parameters with the most significant limits",
        plane.option(
            _axis(limits, first), _axis(limits, second), series, ["other worlds", "worlds of interest"]
        ),
        400,
    )


def _axis(limits: pd.DataFrame, name: str) -> Axis:
    row = records(limits[limits["parameter"] == name])[0]
    return Axis(label_of(limits, name), low=row["low"], high=row["high"], log=logarithmic(row))


def _peeling(box: dict[str, Any], path: pd.DataFrame) -> Panel:
    series: list[Option] = []
    for half, (name, colour, dash) in HALVES.items():
        rows = [
            Point(
                row[f"coverage_{half}"],
                row[f"density_{half}"],
                [
                    f"box {row['step']} of the peeling, {row['dimensions']} parameters with a limit",
                    f"{name}: coverage {percent(row[f'coverage_{half}'])}, density {percent(row[f'density_{half}'])}",
                    *(["the chosen one"] if row["picked"] else []),
                ],
            )
            for row in records(path)
        ]
        series.append(plane.curve(name, colour, rows, dash=dash))
    chosen = [
        Point(row[f"coverage_{half}"], row[f"density_{half}"], ["the chosen box", name])
        for row in records(path[path["picked"].astype(bool)])
        for half, (name, _, _) in HALVES.items()
    ]
    series.append(plane.points("the chosen box", GREY, chosen, symbol="emptyCircle", size=16))
    return Panel(
        f"peeling-{box['box']}",
        f"The peeling to box {box['box']}",
        "from all worlds at the right, box by box",
        plane.option(
            Axis("coverage: share of all worlds of interest in the box", "=share", 0.0, 1.0),
            Axis("density: share of interest in the box", "=share", 0.0, 1.0),
            series,
            [str(each["name"]) for each in series],
        ),
        400,
    )
