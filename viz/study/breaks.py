"""The report on break points: which claim is fragile to which parameter, and how far each may move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from model.parameters import SWITCH_UNIT
from studies.breaks.breaks import FLIPS, STAYS
from studies.breaks.curve import DECIDED, UNDECIDED, UNDEFINED
from studies.breaks.line import UP
from studies.phrase import amount, phrase
from viz.inline import inline, plain
from viz.number import number
from viz.page import Cell, Content, Section, details, element, listing, paragraph, picture, table
from viz.study.rows import records
from viz.study.tornado import curves, tornado

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import pandas as pd

    from studies.study import Study

SHOWN, FOLDED = 30, 300
"""Rows of the ranking that are shown at once, and further ones that fold away."""

DRAWN, CURVES = 8, 6
"""Claims that have a chart, and pairs of claim and parameter whose whole curve is drawn: the most fragile ones."""

NAMED = 40
"""Names that a list gives before it counts."""

STANDS = {
    DECIDED: "decided",
    UNDECIDED: "already undecided at the default",
    UNDEFINED: "undefined at the default",
}


def sections(study: Study) -> Sequence[Section]:
    """What the study found: the answer in words, the ranking, charts, each claim, what flips nothing."""
    ranked, claims = study.tables["breaks"], study.tables["claims"]
    flips = ranked[ranked["status"] == FLIPS]
    found = [_answer(study, flips, claims)]
    if len(flips):
        found += [_ranking(flips), _charts(study, flips)]
    return [*found, _claims(claims, ranked), _reading(study)]


def _answer(study: Study, flips: pd.DataFrame, claims: pd.DataFrame) -> Section:
    standing = claims["standing"].value_counts().to_dict()
    decided = standing.get(DECIDED, 0)
    runs = int(claims["runs"].max())
    said = [f"Claims that are decided at the defaults, over {runs} seeds: {decided} of {len(claims)}"]
    said += [
        f"{standing[state]} are {STANDS[state]}" for state in (UNDECIDED, UNDEFINED) if state in standing
    ]
    content = [paragraph("; ".join(said) + ".")]
    if decided and flips.empty:
        content.append(
            paragraph(
                element("strong", "No claim flips within the range of any parameter"),
                f" that was moved, one at a time: {_names(study.asked['over'])}.",
            )
        )
    if len(flips):
        sure = flips[flips["sure"].astype(bool)]
        said = [f"Decided claims that flip within the range of some parameter: {flips['claim'].nunique()}, "]
        said.append(f"in {len(flips)} pairs of claim and parameter, {len(sure)} of them beyond chance. ")
        found = (
            "The most fragile beyond chance: "
            if len(sure)
            else "None of them is beyond chance; the nearest: "
        )
        first = records((sure if len(sure) else flips).head(1))[0]
        content.append(paragraph("".join(said) + found, element("strong", sentence(first))))
    return Section("answer", "How far each assumption may move", content)


def sentence(row: dict[str, Any]) -> str:
    """A break in words."""
    became = "no longer holds" if row["holds"] else "comes to hold"
    sure = (
        f"between {_amount(row, 'value_low')} and {_amount(row, 'value_high')}"
        if row["sure"]
        else (f"from {_amount(row, 'value_low')} on, if at all")
    )
    return (
        f"\u201c{row['statement']}\u201d {became} once \u201c{phrase(row['parameter'], row['description'])}\u201d "
        f"({row['parameter']}) goes {row['side']} from {_amount(row, 'default')} to {_amount(row, 'value')}, "
        f"{row['distance']:.2f} of its range away; chance puts the flip {sure}."
    )


def _ranking(flips: pd.DataFrame) -> Section:
    rows = [_row(row) for row in records(flips.head(SHOWN + FOLDED))]
    headings = {
        "claim": "Claim",
        "now": "At the default",
        "parameter": "Parameter",
        "moves": "Flips when it goes",
        "distance": "Distance, in ranges",
        "mass": "Prior on the way",
    }
    widths = {"claim": 0.31, "now": 0.09, "parameter": 0.26, "moves": 0.14, "distance": 0.12, "mass": 0.08}
    content = [table(headings, rows[:SHOWN], numbers="distance mass", widths=widths)]
    if rows[SHOWN:]:
        said = f"{len(rows) - SHOWN} more"
        content.append(details(said, table(headings, rows[SHOWN:], numbers="distance mass", widths=widths)))
    if len(flips) > SHOWN + FOLDED:
        content.append(
            paragraph(f"{len(flips) - SHOWN - FOLDED} more are in the table `breaks` of the stored study.")
        )
    return Section("ranking", "Ranked by fragility", content)


def _row(row: dict[str, Any]) -> dict[str, Cell]:
    arrow = "\u2191" if row["side"] == UP else "\u2193"
    moves: list[Content] = [f"{arrow} {_amount(row, 'default')} to {_amount(row, 'value')}"]
    if row["unit"] != SWITCH_UNIT:
        moves.append(element("small", _within(row)))
    elif not row["sure"]:
        moves.append(element("small", "undecided there"))
    if row["undefined"]:
        moves.append(element("small", f"undefined there in {row['undefined']} seeds, counted as not holding"))
    high = f"{row['distance_high']:.2f}" if row["sure"] else "\u2026"
    return {
        "claim": [row["statement"], element("small", row["claim"])],
        "now": "holds" if row["holds"] else "fails",
        "parameter": [phrase(row["parameter"], row["description"]), element("small", row["parameter"])],
        "moves": moves,
        "distance": [f"{row['distance']:.3f}", element("small", f"{row['distance_low']:.2f} to {high}")],
        # A switch is not drawn from a distribution.
        "mass": "" if row["unit"] == SWITCH_UNIT else f"{100.0 * row['mass']:.0f} %",
    }


def _within(row: dict[str, Any]) -> str:
    if row["sure"]:
        return f"surely between {_amount(row, 'value_low')} and {_amount(row, 'value_high')}"
    return f"from {_amount(row, 'value_low')} on; undecided to the end of the range"


def _charts(study: Study, flips: pd.DataFrame) -> Section:
    sides = study.tables["sides"]
    content: list[Element] = []
    for place, claim in enumerate(list(dict.fromkeys(flips["claim"]))[:DRAWN]):
        of = sides[sides["claim"] == claim]
        statement = str(of["statement"].iloc[0])
        label = f"How far each parameter may move before this flips: {statement}"
        content.append(picture(inline(tornado(of, plain(statement)), f"tornado{place}", label)))
    content.append(
        paragraph(
            "Each line is a parameter's range around its default, which is 0. A mark is where the claim flips, its bar "
            "where chance puts the flip; a bar with an arrow is undecided to the end of the range. A line without a mark: "
            "the claim does not flip within the range."
        )
    )
    label = "The probability of claims along the parameters that flip them"
    content.append(picture(inline(curves(study.tables["curves"], flips.head(CURVES)), "curves", label)))
    content.append(
        paragraph(
            "The probability that a claim holds, with its interval, at every value that was run: the pairs that head the "
            "ranking. The dotted line is the default, the solid one the break."
        )
    )
    return Section("charts", "In pictures", content)


def _claims(claims: pd.DataFrame, ranked: pd.DataFrame) -> Section:
    rows: list[dict[str, Cell]] = []
    by_claim = {str(claim): rows_ for claim, rows_ in ranked.groupby("claim")}
    for row in records(claims.sort_values("distance", kind="stable")):
        interval = f"{row['probability_low']:.2f} to {row['probability_high']:.2f}"
        cells: dict[str, Cell] = {
            "claim": [row["statement"], element("small", row["claim"])],
            "probability": [f"{row['probability']:.2f}", element("small", interval)],
            "fate": _fate(row, by_claim.get(row["claim"])),
        }
        rows.append(cells)
    headings = {"claim": "Claim", "probability": "Probability at the default", "fate": "What flips it"}
    return Section(
        "claims",
        "Claim by claim",
        [table(headings, rows, numbers="probability", widths={"claim": 0.4, "probability": 0.13})],
    )


def _fate(row: dict[str, Any], pairs: pd.DataFrame | None) -> Cell:
    """What moves one claim, in words."""
    if row["standing"] != DECIDED or pairs is None:
        return STANDS[row["standing"]]
    stay = pairs[pairs["status"] == STAYS]
    said: list[Content] = []
    if row["flipped_by"]:
        said.append(f"{row['flipped_by']} of {row['parameters']} parameters, first {row['nearest']} ")
        said.append(f"({row['distance']:.2f} of its range).")
    else:
        said.append("Nothing: it does not flip within the range of any.")
    surely = [str(name) for name in stay["parameter"][stay["sure"].astype(bool)]]
    if surely and row["flipped_by"]:
        said.append(element("small", f"does not flip within the range of {_names(surely)}"))
    doubtful = [
        f"{each['parameter']} ({each['side']}, from {_amount(each, 'value_low')} on)"
        for each in records(stay[~stay["sure"].astype(bool)])
    ]
    if doubtful:
        said.append(element("small", f"does not flip, but chance leaves it open: {_names(doubtful)}"))
    return said


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _amount(row: dict[str, Any], key: str) -> str:
    return amount(row[key], row["unit"])


def _reading(study: Study) -> Section:
    ranked, asked = study.tables["breaks"], study.asked
    stay = ranked[ranked["status"] == STAYS]["gap"]
    widest = number(stay.max(), 2) if len(stay) else number(1.0 / asked["steps"], 2)
    return Section(
        "reading",
        "How to read this",
        [
            listing(
                [
                    "One parameter moves at a time, all others stay at their defaults: a flip that needs two of them is "
                    "the matter of scenario discovery.",
                    "A claim flips where the share of seeds in which it holds crosses one half; seeds are the same at "
                    "every value (common random numbers). A seed in which the metric is undefined counts as one in which "
                    "the claim does not hold, as in a verdict.",
                    "The distance is on the parameter's own scale, logarithmic where its distribution is "
                    "log-uniform: 1 is its whole range from low to high. Beside it stands the share of the "
                    "parameter's prior distribution that lies between the default and the break.",
                    "The interval has all values where chance leaves the claim undecided: Wilson's interval of the "
                    "probability contains one half there.",
                    f"The grid has steps of at most 1/{asked['steps']} of the range (widest where nothing flips: "
                    f"{widest}), and the bracket nearest to the default is halved up to {asked['rounds']} times. "
                    "What flips and flips back between two neighbouring values of the grid goes unseen.",
                ]
            )
        ],
    )
