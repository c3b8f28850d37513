"""The report of a study of distributions: how far each parameter moves that of an outcome, beside a dummy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from viz.chart import BLUE, VERMILION
from viz.number import number
from viz.page import Cell, Section, details, element, paragraph, table
from viz.study.sensitivity import (
    DRAWN,
    Bars,
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
    from studies.study import Study

LEADERS = 3
MEDIAN = Bars("median", "median over slices", BLUE)
MAXIMUM = Bars("maximum", "largest of the slices", VERMILION, "////")


def sections(study: Study) -> Sequence[Section]:
    """The overview, the ranking, and each outcome."""
    there = known(study, "median")
    drawn = [_outcome(study, name, place) for place, name in enumerate(there[:DRAWN])]
    made = [_overview(study, there), ranking(study), *drawn]
    if len(there) > DRAWN:
        rest = [details(f"{named(study, name)} ({name})", _rows(study, name)) for name in there[DRAWN:]]
        made.append(Section("rest", f"The other {len(there) - DRAWN} outcomes", rest))
    return made


def _overview(study: Study, there: Sequence[str]) -> Section:
    lines: list[dict[str, Cell]] = []
    shapes = study.tables["shape"].set_index("outcome")
    for name in there:
        frame = of_outcome(study.tables["effects"], name)
        found = top(frame[frame["influential"].astype(bool)], "maximum", LEADERS)
        lines.append(
            {
                "outcome": cell(study, name),
                "leaders": "; ".join(f"{row['unit']} {number(row['maximum'])}" for _, row in found.iterrows())
                or "none is clear of a dummy",
                "count": f"{int(frame['influential'].sum())} of {len(frame)}",
                "skew": number(shapes.loc[name, "skew"]),
            }
        )
    headings = {
        "outcome": "Outcome",
        "leaders": "Largest distances, of those clear of a dummy",
        "count": "Influential",
        "skew": "Skewness",
    }
    content: list[Element] = [
        paragraph(element("b", _answer(study, there))),
        paragraph(
            "The distance is Kolmogorov and Smirnov’s: how far the distribution of an outcome, where a parameter lies "
            "in one tenth of its range, is from the distribution over all, between 0 and 1; for whether a claim holds it "
            "is the change of its probability. By chance alone it is above zero, hence the dummy: the same outcomes with "
            f"their points shuffled. Intervals hold with {percent(study.asked['interval_level'])}."
        ),
        notes(study),
        *folded(headings, lines, "count skew"),
        *empty(study, "median"),
    ]
    return Section("overview", "What the study says", content, flows=True)


def _answer(study: Study, there: Sequence[str]) -> str:
    if not there:
        return "No outcome varies enough to be analysed."
    row = top(of_outcome(study.tables["effects"], there[0]), "maximum", 1).iloc[0]
    if not row["influential"]:
        return (
            f"No parameter moves the distribution of “{named(study, there[0])}” more than chance alone does."
        )
    return (
        f"Knowing {row['unit']} moves the distribution of “{named(study, there[0])}” most: by {number(row['median'])} in "
        f"the median tenth of its range, and by {number(row['maximum'])} in the tenth that differs most."
    )


def _outcome(study: Study, name: str, place: int) -> Section:
    frame = top(of_outcome(study.tables["effects"], name), "maximum")
    count = int(of_outcome(study.tables["effects"], name)["influential"].sum())
    content = [
        paragraph(f"{name}. {count} parameter{'s are' if count != 1 else ' is'} clear of a dummy."),
        bars(
            frame,
            (MAXIMUM, MEDIAN),
            "distance of distributions, with interval",
            f"bars{place}",
            f"Distances of distributions of {name}",
            (float(frame["maximum_dummy"].iloc[0]), "largest of a dummy"),
        ),
        _rows(study, name),
    ]
    return Section(f"outcome{place}", named(study, name), content)


def _rows(study: Study, name: str) -> Element:
    frame = of_outcome(study.tables["effects"], name)
    lines: list[dict[str, Cell]] = [
        {
            "unit": str(row["unit"]),
            "median": span(row, "median"),
            "maximum": span(row, "maximum"),
            "influential": "yes" if row["influential"] else "",
        }
        for _, row in top(frame, "maximum", len(frame)).iterrows()
    ]
    headings = {
        "unit": "Parameter",
        "median": "Median distance",
        "maximum": "Largest distance",
        "influential": "Influential",
    }
    return details("All figures", table(headings, lines, numbers="median maximum"))
