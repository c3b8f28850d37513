"""The report on causes: a waterfall from no cause to all for each predicted change, and who carries NVIDIA's decline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from studies.causes import DECLINE, LEVEL, LOG_FALL, RIVALS
from viz.chart import BLUE, GREY, VERMILION
from viz.inline import inline, plain
from viz.number import number, signed
from viz.page import Section, heading, listing, paragraph, picture, table
from viz.study.rows import records

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from studies.study import Study

Row = dict[str, Any]

WIDTH_INCHES, ROW_INCHES, FRAME_INCHES = 9.0, 0.36, 1.1
BAR = 0.62
PAIRS_SHOWN = 6
CLEAR, OPEN = "", ", which chance between seeds leaves open"


def sections(study: Study) -> list[Section]:
    """Who carries the decline, then each outcome with its waterfall and its table."""
    outcomes = records(study.tables["outcomes"])
    parts = records(study.tables["attribution"]) if "attribution" in study.tables else []
    pairs = records(study.tables["interactions"]) if "interactions" in study.tables else []
    rivals = records(study.tables["rivals"]) if "rivals" in study.tables else []
    found = [_answer(outcomes, parts, rivals)]
    for outcome in outcomes:
        own = [row for row in parts if row["outcome"] == outcome["outcome"]]
        if own:
            near = [row for row in pairs if row["outcome"] == outcome["outcome"]]
            found.append(_outcome(outcome, own, near))
    undefined = [row for row in outcomes if not any(p["outcome"] == row["outcome"] for p in parts)]
    if undefined:
        said = listing(f"{row['quantity']} ({row['outcome']})" for row in undefined)
        found.append(
            Section("undefined", "What no seed can tell", [paragraph("Undefined in some coalition:"), said])
        )
    return found


def title_of(cause: str) -> str:
    """The name of a cause as people write it."""
    return cause.replace("_", " ")


def _answer(outcomes: Sequence[Row], parts: Sequence[Row], rivals: Sequence[Row]) -> Section:
    content = [
        paragraph(
            "Each change is the outcome with every cause on less that with none. A cause's part is its Shapley value: "
            "what it adds on average over all orders in which causes can be turned on, so that the parts sum to the change. "
            "Intervals are Student's over seeds, of Shapley values seed by seed."
        )
    ]
    decline = next((row for row in rivals if row["outcome"] == DECLINE), None)
    if decline is not None:
        content += [
            heading("Is NVIDIA's decline the architecture's doing or the export rules'?"),
            paragraph(verdict(decline, parts)),
        ]
    content += [heading("What carries each change"), listing(_sentence(row, parts) for row in outcomes)]
    return Section("answer", "What causes how much", content)


def verdict(rival: Row, parts: Sequence[Row]) -> str:
    """The answer to the first article's central assertion, from the parts of the two causes in NVIDIA's decline."""
    own = {row["cause"]: row for row in parts if row["outcome"] == rival["outcome"]}
    one, other = (own[cause] for cause in RIVALS)
    first = max(own.values(), key=lambda row: row["value"])
    said = f"Of the fall of NVIDIA's share by units, {_role(one)}, and {_role(other)}. "
    if rival["low"] <= 0.0 <= rival["high"]:
        said += "These runs cannot tell which of the two carries more."
    elif max(one["low"], other["low"]) <= 0.0:
        said += "Neither of the two carries it."
    elif rival["low"] > 0.0:
        said += "The architecture carries more of it than the export rules."
    else:
        said += "The export rules carry more of it than the architecture."
    if first["cause"] not in RIVALS and first["low"] > 0.0:
        said += f" What carries most is {title_of(first['cause'])}, with {_points(first)}."
    return said


def _role(row: Row) -> str:
    """What a cause does to the fall, in words."""
    name = title_of(row["cause"])
    if row["low"] > 0.0:
        return f"{name} carry {_points(row)}"
    if row["high"] < 0.0:
        return f"{name} work against it, by {_points(row)}"
    return f"{name} have no part that is clear of nought, {_points(row)}"


def _points(row: Row) -> str:
    low, high = (
        signed(100.0 * row[key]) if math.isfinite(row[key]) else "unbounded" for key in ("low", "high")
    )
    return f"{signed(100.0 * row['value'])} points ({low} to {high})"


def _sentence(outcome: Row, parts: Sequence[Row]) -> str:
    """The largest parts of one outcome in words."""
    own = sorted(
        (row for row in parts if row["outcome"] == outcome["outcome"]), key=lambda row: -abs(row["value"])
    )
    if not own:
        return f"{outcome['quantity']}: undefined in some coalition with every seed."
    largest = ", ".join(
        f"{title_of(row['cause'])} {signed(row['value'])}{CLEAR if _clear(row) else OPEN}" for row in own[:3]
    )
    return (
        f"{outcome['quantity']}: from {number(outcome['none'])} without any cause to {number(outcome['all'])} with all"
        f"{_scale(outcome)}; the largest parts are {largest}."
    )


def _clear(row: Row) -> bool:
    return bool(row["low"] > 0.0 or row["high"] < 0.0)


def _scale(outcome: Row) -> str:
    if outcome["scale"] == LEVEL:
        return "" if outcome["unit"] in ("1", "") else f" {outcome['unit']}"
    of = "price against that of the base year" if outcome["scale"] == LOG_FALL else "ratio"
    return f" (logs of the {of}: a part of -0.69 halves it)"


def _outcome(outcome: Row, parts: Sequence[Row], pairs: Sequence[Row]) -> Section:
    name = str(outcome["outcome"])
    ordered = sorted(parts, key=lambda row: -abs(row["value"]))
    counted = f"{outcome['seeds']} seeds" + (f", {outcome['lost']} more undefined" if outcome["lost"] else "")
    rows = [
        {
            "cause": title_of(row["cause"]),
            "value": signed(row["value"]),
            "interval": f"{signed(row['low'])} to {signed(row['high'])}",
            "alone": signed(row["alone"]),
            "last": signed(row["last"]),
        }
        for row in ordered
    ]
    headings = {
        "cause": "Cause", "value": "Part", "interval": "Interval", "alone": "Alone", "last": "Lost without it"
    }  # fmt: skip
    content = [
        picture(
            inline(waterfall(outcome, ordered), f"waterfall-{name}", f"Waterfall of {name} over causes"),
            f"{outcome['quantity']}{_scale(outcome)}; {counted}.",
        ),
        table(headings, rows, numbers="value interval alone last"),
    ]
    if pairs:
        content.append(
            paragraph(
                "Pairs that do most together beyond the sum of what each does (Shapley interaction): "
                + "; ".join(
                    f"{title_of(row['one'])} with {title_of(row['other'])} {signed(row['value'])}"
                    for row in pairs[:PAIRS_SHOWN]
                )
                + "."
            )
        )
    return Section(name, str(outcome["quantity"]), content, flows=True)


def waterfall(outcome: Row, parts: Sequence[Row]) -> Figure:
    """Bars from the outcome with no cause to that with all, the largest part first, with intervals of the parts."""
    from matplotlib.figure import Figure

    rows = len(parts) + 2
    drawn = Figure(figsize=(WIDTH_INCHES, FRAME_INCHES + ROW_INCHES * rows), layout="constrained")
    panel = drawn.subplots()
    level = float(outcome["none"])
    panel.barh(0, level, BAR, color=GREY)
    for place, row in enumerate(parts, start=1):
        value = float(row["value"])
        panel.barh(
            place,
            value,
            BAR,
            left=level,
            color=BLUE if value >= 0.0 else VERMILION,
            hatch="" if _clear(row) else "//",
            edgecolor="white",
        )
        panel.plot([level, level], [place - 1, place], color="black", linewidth=0.6)
        if math.isfinite(row["low"]):
            panel.plot(
                [level + row["low"], level + row["high"]], [place, place], color="black", linewidth=1.4
            )
        level += value
    panel.plot([level, level], [rows - 2, rows - 1], color="black", linewidth=0.6)
    panel.barh(rows - 1, float(outcome["all"]), BAR, color=GREY)
    panel.axvline(0.0, color="black", linewidth=0.8)
    panel.set_yticks(
        range(rows), ["no cause", *(plain(title_of(row["cause"])) for row in parts), "all causes"]
    )
    panel.invert_yaxis()
    panel.set_xlabel(
        plain(
            f"{outcome['unit'] if outcome['scale'] == LEVEL else outcome['scale']}; hatched: not clear of nought"
        )
    )
    return drawn
