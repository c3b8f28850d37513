"""The report of a study of variance: what each parameter or group takes of it, how sure that is, and what is chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from viz.number import number
from viz.page import Cell, Section, details, element, heading, paragraph, spans, table
from viz.study.sensitivity import (
    DRAWN,
    FIRST,
    TOTAL,
    bars,
    cell,
    empty,
    folded,
    known,
    named,
    notes,
    of_outcome,
    percent,
    ranking,
    span,
    top,
)

if TYPE_CHECKING:
    import pandas as pd

    from studies.study import Study

LEADERS = 3
"""Units that a line of the overview names."""

LEAST_TOTAL = 0.01
"""A unit below a hundredth of the variance is not named."""

PAIRS = 10


def sections(study: Study) -> Sequence[Section]:
    """The overview, the ranking, and each outcome."""
    there = known(study, "total")
    drawn = [_outcome(study, name, place) for place, name in enumerate(there[:DRAWN])]
    made = [_overview(study, there), ranking(study), *drawn]
    if len(there) > DRAWN:
        rest = [details(f"{named(study, name)} ({name})", *_rows(study, name)) for name in there[DRAWN:]]
        made.append(Section("rest", f"The other {len(there) - DRAWN} outcomes", rest))
    return made


def _overview(study: Study, there: Sequence[str]) -> Section:
    what = str(study.asked["by"])
    lines: list[dict[str, Cell]] = []
    for name in there:
        of = top(of_outcome(study.tables["effects"], name), "total", LEADERS)
        leaders = [
            f"{row['unit']} {percent(row['total'])}"
            for _, row in of.iterrows()
            if row["total"] >= LEAST_TOTAL
        ]
        check, chance = _row(study, "convergence", name), _row(study, "chance", name)
        lines.append(
            {
                "outcome": cell(study, name),
                "leaders": "; ".join(leaders),
                "width": [
                    number(check["width"]),
                    element("small", "enough" if check["enough"] else "too small"),
                ],
                "chance": _share(chance, "chance"),
                "shape": "far from normal" if _row(study, "shape", name)["far"] else "",
            }
        )
    headings = {
        "outcome": "Outcome",
        "leaders": "Largest total indices",
        "width": "Widest interval",
        "chance": "Of one run’s variance, chance between seeds",
        "shape": "Distribution",
    }
    content: list[Element] = [
        paragraph(element("b", _answer(study, there))),
        paragraph(
            f"A total index is the share of an outcome\u2019s variance that would be left if all but this {what} were "
            f"known; a first-order index is the share that would go if it alone were known. Where the total is larger, "
            f"the {what} acts together with others. Totals may add up to more than 100 %. Intervals hold with "
            f"{percent(study.asked['interval_level'])}."
        ),
        notes(study),
        *folded(headings, lines, "width"),
        *empty(study, "total"),
    ]
    return Section("overview", "What the study says", content, flows=True)


def _answer(study: Study, there: Sequence[str]) -> str:
    """The answer in a sentence."""
    if not there:
        return "No outcome varies enough to be analysed."
    first = there[0]
    row = top(of_outcome(study.tables["effects"], first), "total", 1).iloc[0]
    said = (
        f"For “{named(study, first)}”, {row['unit']} matters most: {percent(row['total'])} of the variance "
        f"involves it, {percent(row['first'])} is its own."
    )
    if len(there) > 1:
        leading = study.tables["ranking"]["unit"].head(LEADERS).tolist()
        said += f" Over all {len(there)} outcomes the first ones are {', '.join(map(str, leading))}."
    enough = study.tables["convergence"].set_index("outcome").loc[list(there), "enough"].astype(bool)
    if not enough.all():
        said += f" The sample is too small for {int((~enough).sum())} of {len(there)}: read their order with care."
    return said


def _outcome(study: Study, name: str, place: int) -> Section:
    frame = top(of_outcome(study.tables["effects"], name), "total")
    drawn = bars(
        frame,
        (TOTAL, FIRST),
        "share of variance, with interval",
        f"bars{place}",
        f"Total and first-order indices for {name}",
    )
    return Section(f"outcome{place}", named(study, name), [*_words(study, name), drawn, *_rows(study, name)])


def _words(study: Study, name: str) -> list[Element]:
    """Whether the sample was enough, and what is chance, in words."""
    check, chance = _row(study, "convergence", name), _row(study, "chance", name)
    tolerance = study.asked["tolerance"]
    if check["enough"]:
        said = f"The sample is enough: no interval of a total index is wider than {number(tolerance)}."
    elif check["contradiction"]:
        said = (
            f"The sample is too small: the first-order index of {check['contradiction']} is above its total beyond both "
            "intervals, which cannot be."
        )
    elif check["needed"] == 0:
        said = (
            f"The sample is far too small: the interval of {check['widest']} is {number(check['width'])} wide, more than "
            "all variance there is; how much more is needed cannot be said yet."
        )
    else:
        said = (
            f"The sample is too small: the interval of {check['widest']} is {number(check['width'])} wide, more than "
            f"{number(tolerance)}; about {check['needed']:,} base samples, {check['needed_runs']:,} runs, would do."
        )
    words = [paragraph(f"{name}. {said}"), paragraph(_chance_words(chance, study))]
    if _row(study, "shape", name)["far"]:
        words.append(
            paragraph(*spans("Its distribution is far from normal: compare with `undercut study pawn`."))
        )
    return words


def _chance_words(chance: pd.Series, study: Study) -> str:
    if chance["chance"] != chance["chance"]:
        return "How much is chance between seeds is not known: that takes two seeds at least, and values that vary."
    return (
        f"Chance: of the variance of a single run, {_share(chance, 'chance')} is chance between seeds, of which "
        f"{_share(chance, 'common')} is the same in every world and {_share(chance, 'interaction')} falls out "
        f"differently in each. Of what is decomposed here, {_share(chance, 'mean')} is still chance. Measured with "
        f"{chance['seeds']} common seeds at {chance['points']} points."
    )


def _share(row: pd.Series, key: str) -> str:
    if row[key] != row[key]:
        return ""
    return f"{percent(row[key])} ({percent(row[f'{key}_low'])} to {percent(row[f'{key}_high'])})"


def _rows(study: Study, name: str) -> list[Element]:
    """The figures of an outcome."""
    frame = top(of_outcome(study.tables["effects"], name), "total", len(study.tables["effects"]))
    several = frame["total_least_seed"].notna().any()
    lines: list[dict[str, Cell]] = []
    for _, row in frame.iterrows():
        line: dict[str, Cell] = {
            "unit": str(row["unit"]),
            "total": span(row, "total"),
            "first": span(row, "first"),
        }
        if several:
            line["seeds"] = f"{number(row['total_least_seed'])} to {number(row['total_most_seed'])}"
        lines.append(line)
    headings = {"unit": str(study.asked["by"]).capitalize(), "total": "Total", "first": "First order"}
    headings |= {"seeds": "Total, over single seeds"} if several else {}
    made: list[Element] = [details("All figures", table(headings, lines, numbers="total first seeds"))]
    if "pairs" in study.tables:
        made += _pairs(of_outcome(study.tables["pairs"], name), float(study.asked["interval_level"]))
    return made


def _pairs(frame: pd.DataFrame, level: float) -> list[Element]:
    """Pairs that act together beyond chance, the strongest first."""
    clear = frame[frame["second_low"] > 0.0].sort_values("second", ascending=False, kind="stable")
    if clear.empty:
        return [
            paragraph(f"None of {len(frame)} pairs has a second-order index whose interval is above zero.")
        ]
    lines: list[dict[str, Cell]] = [
        {"pair": f"{row['unit']} with {row['other']}", "second": span(row, "second")}
        for _, row in clear.head(PAIRS).iterrows()
    ]
    said = (
        f"{len(clear)} of {len(frame)} pairs take a share together, beyond what each takes alone, whose interval is "
        f"above zero. Were there none, some {(1.0 - level) / 2.0 * len(frame):.0f} would be by chance."
    )
    return [
        heading("What acts together"),
        paragraph(said),
        table({"pair": "Pair", "second": "Second order"}, lines, numbers="second"),
    ]


def _row(study: Study, name: str, outcome: str) -> pd.Series:
    return of_outcome(study.tables[name], outcome).iloc[0]
