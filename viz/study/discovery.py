"""The report on scenario discovery: in which worlds a claim fails, in words, boxes and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from model.parameters import SWITCH_UNIT
from studies.discovery.box import LOW, SIGNIFICANT
from studies.discovery.findings import TEST, TRAIN
from studies.discovery.search import EVERYWHERE, FEW, FOUND, NONE, NOWHERE
from studies.phrase import amount, phrase
from viz.inline import inline
from viz.page import Cell, Section, details, element, heading, listing, paragraph, picture, table
from viz.study.boxes import ranges, scatter, tradeoff
from viz.study.rows import records

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import pandas as pd

    from studies.study import Study

SMALLEST = 0.001
"""A probability below this is written as such."""

LIMITS_SHOWN = 12
"""Limits of a box that are listed at once; the others fold away."""


def sections(study: Study) -> Sequence[Section]:
    """What the study found: a section a claim, and how to read it."""
    return [*(_claim(study, row) for row in records(study.tables["claims"])), _reading(study)]


def _of(study: Study, name: str, claim: str) -> pd.DataFrame:
    frame = study.tables[name]
    return frame[frame["claim"] == claim] if len(frame) else frame


def _claim(study: Study, row: dict[str, Any]) -> Section:
    claim = row["claim"]
    content = [paragraph(element("strong", answer(study, row))), paragraph(_counts(row))]
    boxes = _of(study, "boxes", claim)
    if len(boxes):
        content += _boxes(study, row, boxes)
    leaves = _of(study, "leaves", claim)
    if row["status"] in (FOUND, NONE):
        content += _tree(leaves, row["where"])
    return Section(f"claim-{claim}", row["statement"], content)


def answer(study: Study, row: dict[str, Any]) -> str:
    """What came of one claim, in a sentence."""
    where, statement = row["where"], f"\u201c{row['statement']}\u201d"
    sought = f"{where} in {row['cases']} of {row['worlds']} worlds"
    if row["status"] == NOWHERE:
        return (
            f"{statement} {where} in none of {row['worlds']} worlds over these ranges, and by the interval in at most "
            f"{_percent(row['rate_high'])} of them. There is nothing to discover."
        )
    if row["status"] == EVERYWHERE:
        return (
            f"{statement} {where} in all {row['worlds']} worlds over these ranges, and by the interval in at least "
            f"{_percent(row['rate_low'])} of them. There is nothing to tell apart."
        )
    if row["status"] == FEW:
        return f"{statement} {sought}: too few of one kind to describe where."
    if row["status"] == NONE:
        return f"{statement} {sought}, but no limit on a parameter tells them apart beyond chance."
    if row["status"] != FOUND:
        return f"{statement} is undefined in most seeds of every world."
    first = records(_of(study, "boxes", row["claim"]))[0]
    return (
        f"{statement} {where} when {first['words']}. It {where} in {_percent(first[f'density_{TEST}'])} of fresh worlds "
        f"like that (in {_percent(row['rate'])} of all), which are {_percent(first[f'coverage_{TEST}'])} of the worlds in "
        f"which it {where}."
    )


def _counts(row: dict[str, Any]) -> str:
    said = [
        f"It {row['where']} in {row['cases']} of {row['worlds']} worlds ({_percent(row['rate'])}, interval "
        f"{_percent(row['rate_low'])} to {_percent(row['rate_high'])})"
    ]
    if row["disagree"]:
        said.append(f"in {row['disagree']} worlds the seeds do not all agree, and the majority is taken")
    if row["undefined"]:
        said.append(
            f"{row['undefined']} further worlds, where it is undefined in half of the runs or more, are left out"
        )
    if row["lost"]:
        said.append(f"{row['lost']} further worlds, where every run failed, are left out")
    return "; ".join(said) + "."


def _boxes(study: Study, row: dict[str, Any], boxes: pd.DataFrame) -> list[Element]:
    claim, where = row["claim"], row["where"]
    rows: list[dict[str, Cell]] = []
    for each in records(boxes):
        cells: dict[str, Cell] = {"words": f"{each['box']}: {each['words']}"}
        for name in (TRAIN, TEST):
            for what in ("coverage", "density"):
                low, high = each[f"{what}_{name}_low"], each[f"{what}_{name}_high"]
                interval = element("small", f"{_percent(low)} to {_percent(high)}")
                cells[f"{what}_{name}"] = [_percent(each[f"{what}_{name}"]), interval]
        cells["mass"] = _percent(each[f"mass_{TEST}"])
        rows.append(cells)
    headings = {
        "words": f"It {where} when",
        f"coverage_{TRAIN}": "Coverage, peeled",
        f"density_{TRAIN}": "Density, peeled",
        f"coverage_{TEST}": "Coverage, fresh",
        f"density_{TEST}": "Density, fresh",
        "mass": "Mass, fresh",
    }
    numbers = " ".join(key for key in headings if key != "words")
    content = [table(headings, rows, "Boxes", numbers, {"words": 0.46})]
    last = records(boxes)[-1]
    if len(boxes) > 1:
        content.append(
            paragraph(
                f"Together, on fresh worlds: coverage {_percent(last[f'together_coverage_{TEST}'])}, density "
                f"{_percent(last[f'together_density_{TEST}'])}."
            )
        )
    for number in boxes["box"]:
        content += _box(study, claim, int(number), where)
    return content


def _box(study: Study, claim: str, number: int, where: str) -> list[Element]:
    """The pictures and the limits of one box."""
    limits = _of(study, "limits", claim)
    limits = limits[limits["box"] == number]
    path = _of(study, "trajectory", claim)
    path = path[path["box"] == number]
    kept = limits[limits["kept"].astype(bool)]
    name = f"{claim}-{number}"
    content = [heading(f"Box {number}")]
    drawn = inline(
        ranges(kept), f"ranges-{name}", f"The limits of box {number} in the ranges of their parameters"
    )
    content.append(
        picture(drawn, "The box in the range of each parameter: inside the bar the claim " + where + ".")
    )
    if kept["parameter"].nunique() > 1:
        drawn = inline(
            scatter(study.tables["worlds"], claim, kept), f"scatter-{name}", f"Worlds and box {number}"
        )
        content.append(
            picture(
                drawn,
                f"All judged worlds over the two parameters with the most significant limits: filled where the claim "
                f"{where}. The rectangle is the box in these two.",
            )
        )
    drawn = inline(tradeoff(path), f"tradeoff-{name}", "Coverage against density of all boxes of the peeling")
    picked = int(path.loc[path["picked"].astype(bool), "step"].iloc[0])
    content.append(
        picture(
            drawn,
            "The peeling, box by box, from all worlds at the right: each box without the limits that are not significant. "
            f"The chosen one is number {picked}; the option --box takes another.",
        )
    )
    rows = [
        _limit(each) for each in records(limits.sort_values(["kept", "quasi_p"], ascending=[False, True]))
    ]
    headings = {
        "parameter": "Parameter",
        "limit": "Limit",
        "quasi_p": "Quasi-p, peeled",
        "p_fresh": "p, fresh",
        "again": "Again in halves",
        "kept": "In the words",
    }
    content.append(table(headings, rows[:LIMITS_SHOWN], "Limits", "quasi_p p_fresh again"))
    if rows[LIMITS_SHOWN:]:
        more = table(headings, rows[LIMITS_SHOWN:], numbers="quasi_p p_fresh again")
        content.append(details(f"{len(rows) - LIMITS_SHOWN} more limits", more))
    every = [
        {
            "step": str(each["step"]),
            "dimensions": str(each["dimensions"]),
            **{key: _percent(each[key]) for key in ("coverage_peeled", "density_peeled")},
            **{key: _percent(each[key]) for key in ("coverage_fresh", "density_fresh")},
            "phi": f"{each['phi_peeled']:.2f}",
        }
        for each in records(path)
    ]
    headings = {
        "step": "Box of the peeling",
        "dimensions": "Parameters with a limit",
        "coverage_peeled": "Coverage, peeled",
        "density_peeled": "Density, peeled",
        "coverage_fresh": "Coverage, fresh",
        "density_fresh": "Density, fresh",
        "phi": "phi",
    }
    content.append(details("Every box of the peeling", table(headings, every, numbers=" ".join(headings))))
    return content


def _limit(row: dict[str, Any]) -> dict[str, Cell]:
    kept = bool(row["kept"])
    unconfirmed = kept and not row["p_fresh"] <= SIGNIFICANT
    return {
        "parameter": [phrase(row["parameter"], row["description"]), element("small", row["parameter"])],
        "limit": _bound(row),
        "quasi_p": _probability(row["quasi_p"]),
        "p_fresh": _probability(row["p_fresh"]),
        "again": f"{_percent(row['again_by_coverage'])}, {_percent(row['again_by_density'])}",
        "kept": "dropped: not significant"
        if not kept
        else "yes, not confirmed on fresh worlds"
        if unconfirmed
        else "yes",
    }


def _bound(row: dict[str, Any]) -> str:
    if row["unit"] == SWITCH_UNIT:
        return "on" if row["side"] == LOW else "off"
    return f"{'above' if row['side'] == LOW else 'below'} {amount(row['value'], row['unit'])}"


def _tree(leaves: pd.DataFrame, where: str) -> list[Element]:
    """What the tree says beside the boxes."""
    content = [heading("What a tree says (CART)")]
    if leaves.empty:
        said = f"No leaf of the pruned tree has a majority of worlds in which it {where}."
        return [*content, paragraph(said)]
    keys = ("coverage_peeled", "density_peeled", "coverage_fresh", "density_fresh")
    rows: list[dict[str, Cell]] = [
        {"words": each["words"] or "always", **{key: _percent(each[key]) for key in keys}}
        for each in records(leaves)
    ]
    headings = {
        "words": f"It {where} when",
        "coverage_peeled": "Coverage, peeled",
        "density_peeled": "Density, peeled",
        "coverage_fresh": "Coverage, fresh",
        "density_fresh": "Density, fresh",
    }
    numbers = " ".join(key for key in headings if key != "words")
    return [*content, table(headings, rows, numbers=numbers, widths={"words": 0.5})]


def _reading(study: Study) -> Section:
    asked = study.asked
    return Section(
        "reading",
        "How to read this",
        [
            listing(
                [
                    f"{asked['points']} worlds were drawn over the ranges of {len(asked['over'])} parameters "
                    f"({asked['method']}), each with the same seeds ({len(asked['seeds'])}). The claim fails in a world "
                    "where it holds in no more than half of the runs that ended; in one that leaves its metric undefined it "
                    "does not hold, as in a verdict.",
                    "Boxes were sought in one half of the worlds (peeled) and tried on the other, a sample of its own "
                    "(fresh): the fresh figures are the honest ones, the peeled ones flatter.",
                    f"Coverage: of all worlds in which the claim {asked['where']}, the share in the box. Density: of all "
                    f"worlds in the box, the share in which it {asked['where']}. Mass: the share of all worlds in the box.",
                    "The chosen box is the one of the peeling in which lying in the box goes most closely with the claim's "
                    "fate (largest phi coefficient on the peeled half).",
                    f"A limit whose quasi-p value is above {asked['significant']:g} is dropped from the box: without it, as "
                    "many cases would not be surprising. On fresh worlds it is a p-value. A limit that is not confirmed "
                    "there is marked.",
                    "Again in halves: how often the parameter is limited when the peeling is repeated on random halves, "
                    "among boxes of like coverage and of like density.",
                    "A box says where, not why; and its worlds are as likely as the ranges and distributions in the "
                    "parameter table say.",
                ]
            )
        ],
    )


def _percent(share: float) -> str:
    return "" if share != share else f"{100.0 * share:.0f} %"


def _probability(value: float) -> str:
    return f"< {SMALLEST:g}" if value < SMALLEST else f"{value:.3f}"
