"""The report on other forms of the mechanisms: which conclusions survive, claim by claim and form by form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from evidence.facts import constants
from evidence.judge import LIKELY, OPEN, UNLIKELY, UNTESTED
from studies.form import DEFAULT, EVEN, FATES, FLIPS, HALF, SAME, SURVIVES, UNDEFINED, UNJUDGED
from viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION
from viz.inline import inline, plain
from viz.number import number, signed
from viz.page import Cell, Section, details, element, heading, listing, paragraph, picture, table
from viz.study.rows import records

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from studies.study import Study

SIGNS = {LIKELY: "\u25b2", OPEN: "\u25cf", UNLIKELY: "\u25bd", UNTESTED: "\u2013"}
"""A sign for each class of verdict, as in the report on a batch: nothing is told by colour alone."""

LOOKS = {
    SAME: (BLUE, ""),
    SURVIVES: ("#56B4E9", "//"),
    EVEN: ("#DDDDDD", ""),
    FLIPS: (VERMILION, "xx"),
    UNDEFINED: (ORANGE, ".."),
    UNJUDGED: (GREY, ""),
}
"""Colour and hatching of each fate."""

MARKERS = ((VERMILION, "s"), (GREEN, "^"), (ORANGE, "D"), ("#CC79A7", "v"), (GREY, "X"))
"""Colour and marker of each alternative."""

WIDTH_INCHES, ROW_INCHES, FRAME_INCHES = 11.0, 0.34, 1.5
LONGEST = 74
"""Letters of a statement beside a chart."""

STEP = 0.13
"""Rows between the markers of two forms of one claim."""


def sections(study: Study) -> list[Section]:
    """The answer in words, the fates of the verdicts, the table of claims by forms, and how far metrics move."""
    verdicts, changes, forms = (study.tables[name] for name in ("verdicts", "changes", "forms"))
    return [
        _answer(verdicts, changes, forms),
        _pictures(verdicts, changes, forms),
        _claims(verdicts, changes),
        _metrics(verdicts, changes),
    ]


# ------------------------------------------------------------------------------------------ in words


def _answer(verdicts: pd.DataFrame, changes: pd.DataFrame, forms: pd.DataFrame) -> Section:
    default = by_default(verdicts)
    worst = worst_of(changes)
    kept = [claim for claim, fate in worst.items() if fate in (SAME, SURVIVES)]
    turned = [claim for claim, fate in worst.items() if fate == FLIPS]
    hold = sum(own["probability"] > HALF for own in default.values())
    content = [
        paragraph(
            f"Of {len(default)} claims {hold} hold in more than half of the runs by default. The verdicts on "
            f"{len(kept)} keep their side of one half under every other form, alone and together; {len(turned)} change "
            f"sides under at least one, {sum(fate == UNDEFINED for fate in worst.values())} lose their value under one, "
            f"and {sum(fate == EVEN for fate in worst.values())} are no worse than even in one."
        ),
        listing(_of_form(row, int(forms.iloc[0]["past_hold"])) for row in records(forms)[1:]),
    ]
    ahead = [claim for claim, own in default.items() if not own["past"]]
    hanging = [claim for claim in turned if claim in ahead]
    content.append(heading("Conclusions on what follows 2024 that hang on the form"))
    content.append(
        paragraph("Unsure: the interval over seeds of one of the two probabilities holds one half.")
    )
    content.append(
        listing(_hanging(default[claim], verdicts, changes) for claim in hanging)
        if hanging
        else paragraph("None changes sides.")
    )
    borne = [claim for claim in ahead if claim in kept and default[claim]["probability"] > HALF]
    failing = [claim for claim in ahead if claim in kept and default[claim]["probability"] < HALF]
    content.append(heading(f"Claims on what follows 2024 that are borne out under every form ({len(borne)})"))
    content.append(
        listing(_named(default[claim], changes) for claim in borne) if borne else paragraph("None.")
    )
    content.append(
        details(
            f"Claims on what follows 2024 that fail under every form ({len(failing)})",
            listing(_named(default[claim], changes) for claim in failing) if failing else paragraph("None."),
        )
    )
    return Section("answer", "Which conclusions survive", content)


def worst_of(changes: pd.DataFrame) -> dict[str, str]:
    """By claim, what becomes of its verdict under the form that is hardest on it."""
    order = {fate: place for place, fate in enumerate((SAME, SURVIVES, UNJUDGED, EVEN, UNDEFINED, FLIPS))}
    by_claim = changes.groupby("claim", sort=False)["fate"]
    return {str(claim): max(fates, key=order.__getitem__) for claim, fates in by_claim}


def _of_form(row: dict[str, Any], past_default: int) -> Element:
    """A line on one form: what it does to verdicts, and how it stands to the past."""
    failed = f" {row['failed']} of {row['runs']} runs failed." if row["failed"] else ""
    sure = f", {row['clear_flips']} of them beyond chance between seeds" if row[FLIPS] else ""
    return element(
        "span",
        element("strong", str(row["form"])),
        f": {row[FLIPS] or 'no'} verdicts change sides{sure}; {row[EVEN]} are even, {row[UNDEFINED]} lose their value, "
        f"{row[SURVIVES]} keep their side in another word, {row[SAME]} are the same. It bears out {row['past_hold']} of "
        f"{row['past_claims']} claims on the time to 2024, the default {past_default}.{failed}",
    )


def _hanging(own: dict[str, Any], verdicts: pd.DataFrame, changes: pd.DataFrame) -> Element:
    """A claim that changes sides, with its probability by default and under each form that turns it."""
    claim = own["claim"]
    turning = changes[(changes["claim"] == claim) & (changes["fate"] == FLIPS)]
    held = {row["form"]: row["probability"] for row in records(verdicts[verdicts["claim"] == claim])}
    turned = ", ".join(
        f"{held[row['form']]:.2f} with {row['form']}{'' if row['clear'] else ' (unsure)'}"
        for row in records(turning)
    )
    return element(
        "span",
        f"{own['statement']}: probability {held[DEFAULT]:.2f} by default, {turned} ",
        element("small", claim),
    )


def _named(own: dict[str, Any], changes: pd.DataFrame) -> Element:
    """A claim that keeps its side, and the forms in which chance between seeds leaves a doubt of it."""
    claim = own["claim"]
    doubted = changes[(changes["claim"] == claim) & ~changes["clear"]]["form"]
    doubt = f"(unsure with {', '.join(doubted)}) " if len(doubted) else ""
    return element("span", f"{own['statement']} {doubt}", element("small", claim))


def by_default(verdicts: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The default's verdicts by claim."""
    return {row["claim"]: row for row in records(verdicts[verdicts["form"] == DEFAULT])}


# ------------------------------------------------------------------------------------------ in pictures


def _pictures(verdicts: pd.DataFrame, changes: pd.DataFrame, forms: pd.DataFrame) -> Section:
    content = [
        picture(
            inline(fates(forms), "fates", "What becomes of the verdicts under each form, as stacked bars"),
            "What becomes of the verdicts. "
            + "; ".join(f"{name}: {said}" for name, said in FATES.items() if forms[name].sum())
            + ".",
        )
    ]
    moved = [claim for claim, fate in worst_of(changes).items() if fate in (FLIPS, EVEN)]
    default = by_default(verdicts)
    ahead = [claim for claim in moved if not default[claim]["past"]]
    if ahead:
        content.append(
            picture(
                inline(
                    chances(verdicts, ahead),
                    "chances",
                    "Probability of claims by default and under each form",
                ),
                "Claims on what follows 2024 whose probability reaches or crosses one half under some form. The bar is the "
                "interval of the default over seeds.",
            )
        )
    return Section("pictures", "At a glance", content)


def fates(forms: pd.DataFrame) -> Figure:
    """Stacked bars: how many verdicts meet each fate under each alternative."""
    from matplotlib.figure import Figure

    others = forms[forms["form"] != DEFAULT]
    drawn = Figure(
        figsize=(WIDTH_INCHES, FRAME_INCHES + 2.0 * ROW_INCHES * len(others)), layout="constrained"
    )
    panel = drawn.subplots()
    left = [0] * len(others)
    for fate, (colour, hatch) in LOOKS.items():
        counts = [int(count) for count in others[fate]]
        if not any(counts):
            continue
        panel.barh(
            range(len(others)), counts, left=left, color=colour, hatch=hatch, edgecolor="white", label=fate
        )
        for place, (start, count) in enumerate(zip(left, counts, strict=True)):
            if count:
                ink = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
                panel.text(
                    start + count / 2.0, place, str(count), ha="center", va="center", fontsize=9, bbox=ink
                )
        left = [start + count for start, count in zip(left, counts, strict=True)]
    panel.set_yticks(range(len(others)), list(others["form"]))
    panel.invert_yaxis()
    panel.grid(visible=False, axis="y")
    panel.set_xlabel("verdicts")
    drawn.legend(loc="outside lower center", ncols=len(LOOKS))
    return drawn


def chances(verdicts: pd.DataFrame, claims: Sequence[str]) -> Figure:
    """Probabilities of claims, a row each: the default with its interval, and a marker for each alternative."""
    from matplotlib.figure import Figure

    drawn = Figure(
        figsize=(WIDTH_INCHES, FRAME_INCHES + 1.4 * ROW_INCHES * len(claims)), layout="constrained"
    )
    panel = drawn.subplots()
    place = {claim: row for row, claim in enumerate(claims)}
    shown = verdicts[verdicts["claim"].isin(place)]
    own = shown[shown["form"] == DEFAULT]
    rows = [place[claim] for claim in own["claim"]]
    reach = [own["probability"] - own["probability_low"], own["probability_high"] - own["probability"]]
    panel.errorbar(
        own["probability"], rows, xerr=reach, fmt="o", color="black", capsize=3, label=DEFAULT, zorder=3
    )
    others = [form for form in dict.fromkeys(shown["form"]) if form != DEFAULT]
    for number_, (form, (colour, marker)) in enumerate(zip(others, MARKERS, strict=False)):
        each = shown[shown["form"] == form]
        shift = STEP * (number_ - (len(others) - 1) / 2.0)
        at = [place[claim] + shift for claim in each["claim"]]
        panel.plot(each["probability"], at, marker, color=colour, markersize=7, linestyle="none", label=form)
    panel.axvline(HALF, color="black", linewidth=1.0, linestyle="--")
    named = own.set_index("claim")["statement"]
    panel.set_yticks(range(len(claims)), [plain(_short(str(named[claim]))) for claim in claims])
    panel.set_ylim(len(claims) - 0.5, -0.5)
    panel.set_xlim(-0.03, 1.03)
    panel.set_xlabel("probability that the claim holds")
    drawn.legend(loc="outside lower center", ncols=len(others) + 1)
    return drawn


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rsplit(" ", 1)[0] + " \u2026"


# ------------------------------------------------------------------------------------------ in tables


def _claims(verdicts: pd.DataFrame, changes: pd.DataFrame) -> Section:
    """Claims by forms: the word with its sign and probability, and what became of the verdict."""
    worst = worst_of(changes)
    level = f"{100 * constants()['interval_level']:.0f} %"
    content = [
        paragraph(
            f"The word and probability of each verdict, with its {level} interval over seeds; below it what became of the "
            "verdict against the default, and the change of probability in pairs of runs of one seed."
        )
    ]
    first = verdicts[verdicts["form"] == DEFAULT]
    for title, past in (("On what follows 2024", False), ("On the time to 2024", True)):
        of = first[first["past"] == past]["claim"]
        moved = [claim for claim in of if worst.get(claim) not in (SAME, None)]
        still = [claim for claim in of if worst.get(claim) in (SAME, None)]
        content.append(heading(title))
        if moved:
            content.append(_by_form(verdicts, changes, moved))
        if still:
            content.append(
                details(
                    f"{len(still)} verdicts that every form gives in the same word",
                    _by_form(verdicts, changes, still),
                )
            )
    return Section("claims", "Claims by forms", content)


def _by_form(verdicts: pd.DataFrame, changes: pd.DataFrame, claims: Sequence[str]) -> Element:
    headings = {"claim": "Claim", "claimed": "The article"}
    headings |= {form: form.capitalize() for form in dict.fromkeys(verdicts["form"])}
    found = {(row["claim"], row["form"]): row for row in records(verdicts)}
    became = {(row["claim"], row["form"]): row for row in records(changes)}
    rows: list[dict[str, Cell]] = []
    for claim in claims:
        own = found[claim, DEFAULT]
        cells: dict[str, Cell] = {
            "claim": [str(own["statement"]), element("small", f"{claim}, {own['kind']}")],
            "claimed": [str(own["claimed"]), element("small", str(own["unit"]))],
        }
        for form in headings:
            if (claim, form) in found:
                cells[form] = _verdict(found[claim, form], became.get((claim, form)))
        rows.append(cells)
    return table(headings, rows)


def _verdict(verdict: dict[str, Any], change: dict[str, Any] | None) -> list[str | Element]:
    kind = str(verdict["standing"])
    said: list[str | Element] = [element("span", f"{SIGNS[kind]} {verdict['word']}", class_=kind)]
    chance, low, high = (float(verdict[f"probability{end}"]) for end in ("", "_low", "_high"))
    if not math.isnan(chance):
        said.append(element("small", f"{chance:.2f} ({low:.2f} to {high:.2f})"))
    if change is None or change["fate"] == SAME:
        return said
    fate = str(change["fate"])
    unsure = "" if change["clear"] or fate not in (FLIPS, SURVIVES) else ", unsure"
    mark: list[str | Element] = [element("strong", fate) if fate in (FLIPS, UNDEFINED) else fate, unsure]
    moved = float(change["probability_change"])
    if fate != UNDEFINED and not math.isnan(moved):
        ends = (float(change[f"probability_change_{end}"]) for end in ("low", "high"))
        mark.append(f" {moved:+.2f} ({' to '.join(f'{end:+.2f}' for end in ends)})")
    said.append(element("small", *mark))
    return said


def _metrics(verdicts: pd.DataFrame, changes: pd.DataFrame) -> Section:
    """How far the claimed amounts move under each alternative, whatever becomes of the verdict."""
    first = by_default(verdicts)
    moving = changes[(changes["metric_change_low"] > 0.0) | (changes["metric_change_high"] < 0.0)]
    level = f"{100 * constants()['interval_level']:.0f} %"
    content: list[Element] = [
        paragraph(
            "The mean difference of the claimed amount against the default, seed by seed, where its "
            f"{level} interval (Student's t) leaves zero out: {len(moving)} of {len(changes)} do, and some by chance."
        )
    ]
    headings = {"claim": "Claimed amount", "unit": "Unit", "default": "Median by default", "change": "Change"}
    for form in dict.fromkeys(changes["form"]):
        rows: list[dict[str, Cell]] = []
        for row in records(moving[moving["form"] == form]):
            own = first[row["claim"]]
            ends = " to ".join(signed(row[f"metric_change_{end}"]) for end in ("low", "high"))
            rows.append(
                {
                    "claim": [str(own["statement"]), element("small", str(row["claim"]))],
                    "unit": str(own["unit"]),
                    "default": number(own["median"]),
                    "change": [
                        signed(row["metric_change"]),
                        element("small", f"{ends}; {row['defined_pairs']} pairs"),
                    ],
                }
            )
        if rows:
            content.append(
                details(
                    f"{form.capitalize()}: {len(rows)} amounts move",
                    table(headings, rows, numbers="default change"),
                )
            )
    return Section("metrics", "How far the claimed amounts move", content)
