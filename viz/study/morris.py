"""The report of a screening: which parameters or groups move outcomes, and whether alike everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from studies.sensitivity.units import GROUP
from viz.chart import BLUE, GREY
from viz.inline import inline, plain
from viz.number import number
from viz.page import Cell, Section, details, element, paragraph, picture, table
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
    import pandas as pd

    from studies.study import Study

LEADERS = 3
LABELLED = 8
"""Parameters that are named in the plane."""

SIZE_INCHES = (10.0, 5.2)
OFFSETS = (6, -12)
"""Points above or below a mark, in turn, so that names of neighbours do not cover each other."""


def sections(study: Study) -> Sequence[Section]:
    """The overview, the ranking, and each outcome."""
    there = known(study, "mu_star")
    drawn = [_outcome(study, name, place) for place, name in enumerate(there[:DRAWN])]
    made = [_overview(study, there), ranking(study), *drawn]
    if len(there) > DRAWN:
        rest = [details(f"{named(study, name)} ({name})", _rows(study, name)) for name in there[DRAWN:]]
        made.append(Section("rest", f"The other {len(there) - DRAWN} outcomes", rest))
    return made


def _overview(study: Study, there: Sequence[str]) -> Section:
    what = str(study.asked["by"])
    lines: list[dict[str, Cell]] = []
    for name in there:
        of = top(of_outcome(study.tables["effects"], name), "mu_star", LEADERS)
        leaders = [
            f"{row['unit']} {number(row['mu_star'])}" for _, row in of.iterrows() if row["mu_star"] > 0.0
        ]
        lines.append({"outcome": cell(study, name), "leaders": "; ".join(leaders)})
    content: list[Element] = [
        paragraph(element("b", _answer(study, there))),
        paragraph(
            f"An elementary effect is how far an outcome moves when a {what} alone moves by two thirds of its range, scaled "
            "to the whole range. The mean of its sizes over many places, mu*, says how much the "
            f"{what} matters; the standard deviation, sigma, whether it matters alike everywhere. Intervals hold with "
            f"{percent(study.asked['interval_level'])}."
        ),
        notes(study),
        *folded({"outcome": "Outcome", "leaders": "Largest mu*, in the unit of the outcome"}, lines),
        *empty(study, "mu_star"),
    ]
    return Section("overview", "What the study says", content, flows=True)


def _answer(study: Study, there: Sequence[str]) -> str:
    if not there:
        return "No outcome varies enough to be analysed."
    leading = [str(unit) for unit in study.tables["ranking"]["unit"].head(LEADERS)]
    row = top(of_outcome(study.tables["effects"], there[0]), "mu_star", 1).iloc[0]
    said = f"“{named(study, there[0])}” is moved most by {row['unit']}: by {number(row['mu_star'])} over its range."
    if len(there) > 1:
        said += f" Over all {len(there)} outcomes the most influential are {', '.join(leading)}."
    return said


def _outcome(study: Study, name: str, place: int) -> Section:
    frame = of_outcome(study.tables["effects"], name)
    unit = str(study.tables["outcomes"].set_index("outcome").loc[name, "unit"])
    kind = Bars("mu_star", "mu*", BLUE)
    content = [
        paragraph(f"{name}. {_straight(frame)}"),
        bars(
            top(frame, "mu_star"),
            (kind,),
            f"mu*, the mean size of effects over the whole range ({plain(unit)})",
            f"bars{place}",
            f"Mean sizes of elementary effects on {name}",
        ),
    ]
    if study.asked["by"] != GROUP:
        content.append(_plane(frame, name, unit, place))
    return Section(f"outcome{place}", named(study, name), [*content, _rows(study, name)])


def _straight(frame: pd.DataFrame) -> str:
    """Whether the leading effects are alike everywhere."""
    leading = top(frame, "mu_star", LEADERS).dropna(subset=["sigma"])
    bent = [str(row["unit"]) for _, row in leading.iterrows() if row["sigma"] > row["mu_star"] > 0.0]
    if leading.empty:
        return "Parameters of a group move together, up and down, so that only the size of effects has a meaning."
    if not bent:
        return "The leading effects are much alike wherever they are measured."
    return f"How far {', '.join(bent)} matters depends on where it is measured: on its own value or on other parameters."


def _plane(frame: pd.DataFrame, name: str, unit: str, place: int) -> Element:
    """Mean size against spread: to the right matters, high up depends on the rest."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=SIZE_INCHES, layout="constrained")
    panel = drawn.subplots()
    shown = frame.dropna(subset=["mu_star", "sigma"])
    x, y = shown["mu_star"].to_numpy(float), shown["sigma"].to_numpy(float)
    panel.errorbar(
        x,
        y,
        xerr=x - shown["mu_star_low"].to_numpy(float),
        yerr=y - shown["sigma_low"].to_numpy(float),
        fmt="o",
        color=BLUE,
        ecolor=GREY,
        elinewidth=0.8,
        markersize=5,
    )
    for i, (_, row) in enumerate(top(shown, "mu_star", LABELLED).iterrows()):
        panel.annotate(
            plain(str(row["unit"])),
            (row["mu_star"], row["sigma"]),
            xytext=(6, OFFSETS[i % 2]),
            textcoords="offset points",
            fontsize=9,
        )
    reach = max(float(x.max(initial=0.0)), float(y.max(initial=0.0)))
    panel.plot([0.0, reach], [0.0, reach], color=GREY, linestyle="--", linewidth=1.0, label="sigma = mu*")
    panel.set_xlabel(f"mu*, mean size of effects ({plain(unit)})")
    panel.set_ylabel("sigma, their spread")
    panel.legend(loc="upper left")
    caption = (
        "To the right: matters much. Above the dashed line: the effect changes size or sign with where it is measured. "
        f"Named are the first {LABELLED}."
    )
    return picture(
        inline(drawn, f"plane{place}", f"Mean size and spread of elementary effects on {name}"), caption
    )


def _rows(study: Study, name: str) -> Element:
    frame = of_outcome(study.tables["effects"], name)
    alone = frame["sigma"].notna().any()
    several = frame["mu_star_least_seed"].notna().any()
    lines: list[dict[str, Cell]] = []
    for _, row in top(frame, "mu_star", len(frame)).iterrows():
        line: dict[str, Cell] = {"unit": str(row["unit"]), "mu_star": span(row, "mu_star")}
        if alone and row["sigma"] == row["sigma"]:
            line |= {"sigma": span(row, "sigma"), "mu": number(row["mu"])}
        if several:
            line["seeds"] = f"{number(row['mu_star_least_seed'])} to {number(row['mu_star_most_seed'])}"
        lines.append(line)
    headings = {"unit": str(study.asked["by"]).capitalize(), "mu_star": "mu*"}
    headings |= {"sigma": "sigma", "mu": "Mean effect, with its sign"} if alone else {}
    headings |= {"seeds": "mu*, over single seeds"} if several else {}
    return details("All figures", table(headings, lines, numbers="mu_star sigma mu seeds"))
