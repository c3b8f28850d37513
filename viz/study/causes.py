"""The report on causes: a waterfall from no cause to all for each predicted change, and who carries NVIDIA's decline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evidence.claims import by_id
from evidence.facts import constants
from studies.causes import DECLINE, RIVALS
from studies.scale import LEVEL, LOG_FALL
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
CLEAR, OPEN = "", " (chance between seeds leaves it open)"
WHOSE = {"sparse_architectures": "the architecture's", "export_rules": "the export rules'"}
"""The rivals as the first article's assertion has them."""


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
    rest = [row for row in outcomes if not any(p["outcome"] == row["outcome"] for p in parts)]
    if rest:
        said = listing(f"{row['quantity']} ({row['outcome']}): {_why(row)}." for row in rest)
        found.append(Section("undefined", "What cannot be shared out", [said]))
    return found


def _why(outcome: Row) -> str:
    """Why nothing of an outcome is shared out."""
    if int(outcome["seeds"]):
        return f"it does not exist without {outcome['given']}, and no other cause plays"
    return "undefined in some coalition with every seed, so that no part of it can be told"


def title_of(cause: str) -> str:
    """The name of a cause as people write it."""
    return cause.replace("_", " ")


def _answer(outcomes: Sequence[Row], parts: Sequence[Row], rivals: Sequence[Row]) -> Section:
    level = f"{100.0 * constants()['interval_level']:.0f} %"
    content = [
        paragraph(
            "Each change is the outcome with all of these causes on less that with none of them. A cause's part is its "
            "Shapley value: what it adds on average over all orders of turning causes on, so that the parts sum to the "
            f"change. Intervals are Student's over seeds, of Shapley values seed by seed, and hold with {level}: each for "
            f"itself, so that of {len(parts)} parts some {(1.0 - constants()['interval_level']) * len(parts):.0f} would be "
            "clear of nought by luck if none did anything."
        )
    ]
    # Every reading of the fall of NVIDIA's share gets an answer: of what was ordered, of what was delivered.
    readings = [row for row in rivals if _metric(row) == by_id()[DECLINE].metric]
    if readings:
        content.append(heading("Is NVIDIA's decline the architecture's doing or the export rules'?"))
        named = {row["outcome"]: row for row in outcomes}
        content += [paragraph(verdict(row, named[row["outcome"]], parts)) for row in readings]
    content += [heading("What carries each change"), listing(_sentence(row, parts) for row in outcomes)]
    return Section("answer", "What causes how much", content)


def _metric(row: Row) -> str:
    name = str(row["outcome"])
    return by_id()[name].metric if name in by_id() else ""


def verdict(rival: Row, outcome: Row, parts: Sequence[Row]) -> str:
    """The answer to the first article's central assertion, for one reading of the fall of NVIDIA's share.

    A cause carries the fall where its part is clear of nought, and more of it than its rival where the difference of the
    two, seed by seed, is; where intervals do not say so, they cannot tell.
    """
    own = {row["cause"]: row for row in parts if row["outcome"] == rival["outcome"]}
    one, other = (own[cause] for cause in RIVALS)
    none, whole = (signed(100.0 * outcome[key]) for key in ("none", "all"))
    said = f"{outcome['quantity']}: {none} points with none of these causes, {whole} with all. "
    said += f"Of it {_role(one)}, and {_role(other)}. {_weighed(rival, one, other)}"
    first = max(own.values(), key=lambda row: row["value"])
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


def _weighed(rival: Row, one: Row, other: Row) -> str:
    """Which of two causes carries more, as far as the intervals tell: what is not clear of nought may still carry some."""
    for more, less, clear in ((one, other, rival["low"] > 0.0), (other, one, rival["high"] < 0.0)):
        if more["low"] > 0.0 and (clear or less["high"] < 0.0):
            return f"More of the decline is {WHOSE[more['cause']]} doing than {WHOSE[less['cause']]}."
    back = [WHOSE[row["cause"]] for row in (one, other) if row["high"] < 0.0]
    if len(back) == len(RIVALS):
        return "Neither of the two carries it."
    if back:
        left = one if one["high"] >= 0.0 else other
        most = number(100.0 * left["high"])
        return f"The decline is not {back[0]} doing, and at most {most} points of it can be {WHOSE[left['cause']]}."
    return f"These runs cannot tell which of the two carries more.{_more_seeds(rival)}"


def _more_seeds(row: Row) -> str:
    """How many seeds would tell, where that can be said."""
    needed = float(row.get("needed", math.nan))
    if math.isnan(needed):
        return ""
    return f" {_seeds(needed)} would, if difference and spread stay as they are."


def _seeds(needed: float) -> str:
    return f"About {needed:.0f} seeds" if math.isfinite(needed) else "Only more than a thousand seeds"


def _points(row: Row) -> str:
    low, high = (
        signed(100.0 * row[key]) if math.isfinite(row[key]) else "unbounded" for key in ("low", "high")
    )
    return f"{signed(100.0 * row['value'])} points ({low} to {high})"


def _sentence(outcome: Row, parts: Sequence[Row]) -> str:
    """The largest parts of one outcome in words: of a ratio as the factors by which they multiply it."""
    own = sorted(
        (row for row in parts if row["outcome"] == outcome["outcome"]), key=lambda row: -abs(row["value"])
    )
    if not own:
        return f"{outcome['quantity']}: {_why(outcome)}."
    level = outcome["scale"] == LEVEL
    part = signed if level else _factor
    largest = ", ".join(
        f"{title_of(row['cause'])} {part(row['value'])}{CLEAR if clear(row) else OPEN}" for row in own[:3]
    )
    none, whole = (number(outcome[key]) if level else _factor(outcome[key]) for key in ("none", "all"))
    return (
        f"{outcome['quantity']}: from {none} with {_start(outcome)} to {whole} with all{_scale(outcome)}; "
        f"the largest parts are {largest}."
    )


def _factor(value: object) -> str:
    """What a log multiplies by."""
    return f"×{number(math.exp(float(value)))}"  # type: ignore[arg-type]


def _start(outcome: Row) -> str:
    """What is on where the sharing out begins."""
    given = outcome.get("given", "")
    return (
        f"only {given.replace('_', ' ')}, without which it does not exist," if given else "none of the causes"
    )


def clear(row: Row) -> bool:
    """Whether the interval of a part is on one side of nought."""
    return bool(row["low"] > 0.0 or row["high"] < 0.0)


def _scale(outcome: Row) -> str:
    if outcome["scale"] == LEVEL:
        return "" if outcome["unit"] in ("1", "") else f" ({outcome['unit']})"
    return " (times the base year's price)" if outcome["scale"] == LOG_FALL else ""


def _outcome(outcome: Row, parts: Sequence[Row], pairs: Sequence[Row]) -> Section:
    name = str(outcome["outcome"])
    ordered = sorted(parts, key=lambda row: -abs(row["value"]))
    counted = _counted(outcome)
    level = outcome["scale"] == LEVEL
    rows = [
        {
            "cause": title_of(row["cause"]),
            "value": signed(row["value"]),
            "interval": f"{signed(row['low'])} to {signed(row['high'])}",
            "alone": signed(row["alone"]),
            "last": signed(row["last"]),
            "factor": _factor(row["value"]),
            "needed": "" if clear(row) else _few(row),
        }
        for row in ordered
    ]
    headings = {
        "cause": "Cause", "value": "Part", "interval": "Interval", **({} if level else {"factor": "Factor"}),
        "alone": "Alone", "last": "Lost without it", "needed": "Seeds to tell it from nought",
    }  # fmt: skip
    content = [
        picture(
            inline(waterfall(outcome, ordered), f"waterfall-{name}", f"Waterfall of {name} over causes"),
            f"{outcome.get('definition', outcome['quantity'])}: {unit_of(outcome)}, from {_start(outcome)} to all; "
            f"{counted}.",
        ),
        table(headings, rows, numbers="value interval factor alone last needed"),
    ]
    if pairs:
        content.append(
            paragraph(
                "Pairs that do most beyond (+) or short of (-) the sum of what each does (Shapley interaction): "
                + "; ".join(
                    f"{title_of(row['one'])} with {title_of(row['other'])} {signed(row['value'])}"
                    f"{CLEAR if clear(row) else OPEN}"
                    for row in pairs[:PAIRS_SHOWN]
                )
                + "."
            )
        )
    return Section(name, str(outcome["quantity"]), content, flows=True)


def _counted(outcome: Row) -> str:
    seeds = f"{outcome['seeds']} {'seed' if outcome['seeds'] == 1 else 'seeds'}"
    return seeds + (f", {outcome['lost']} more without a value" if outcome["lost"] else "")


def _few(row: Row) -> str:
    needed = float(row.get("needed", math.nan))
    if math.isnan(needed):
        return ""
    return f"{needed:.0f}" if math.isfinite(needed) else "> 1,000"


def unit_of(outcome: Row) -> str:
    """What an outcome is counted in."""
    return str(outcome["unit"] if outcome["scale"] == LEVEL else outcome["scale"])


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
            hatch="" if clear(row) else "//",
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
    # Bars would otherwise end at the frame, which cuts intervals off.
    panel.use_sticky_edges = False
    panel.autoscale_view()
    panel.set_yticks(
        range(rows),
        [
            f"only {title_of(given)}" if (given := outcome.get("given", "")) else "none of them",
            *(plain(title_of(row["cause"])) for row in parts),
            "all of them",
        ],
    )
    panel.invert_yaxis()
    panel.set_xlabel(plain(f"{unit_of(outcome)}; hatched: not clear of nought"))
    return drawn
