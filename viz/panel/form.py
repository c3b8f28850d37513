"""Charts of a study of forms: what becomes of the verdicts, and the probabilities of the claims that move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from studies.form import DEFAULT, EVEN, FLIPS, HALF
from viz.number import number
from viz.option import span
from viz.option.palette import BLACK, Option
from viz.option.panel import Panel
from viz.option.span import Span
from viz.panel.sensitivity import Choices
from viz.study.form import LOOKS, MARKERS, STEP, by_default, worst_of
from viz.study.rows import records

if TYPE_CHECKING:
    import pandas as pd

    from studies.study import Study


INK = {
    "show": True,
    "fontSize": 10,
    "color": "#000000",
    "textBorderColor": "#ffffff",
    "textBorderWidth": 2,
}
"""Of numbers on bars, whatever their colour."""


def choices(study: Study) -> Choices:
    """Nothing to choose."""
    return []


def panels(study: Study, _: str) -> list[Panel]:
    """The fates of the verdicts, and the claims that move."""
    verdicts, changes, forms = (study.tables[name] for name in ("verdicts", "changes", "forms"))
    default = by_default(verdicts)
    moved = [
        claim
        for claim, fate in worst_of(changes).items()
        if fate in (FLIPS, EVEN) and not default[claim]["past"]
    ]
    made = [_fates(forms)]
    return [*made, _chances(verdicts, moved, default)] if moved else made


def _fates(forms: pd.DataFrame) -> Panel:
    others = records(forms[forms["form"] != DEFAULT])
    names = [str(row["form"]) for row in others]
    series: list[Option] = []
    for fate, (colour, hatch) in LOOKS.items():
        if not any(int(row[fate]) for row in others):
            continue
        look: Option = {"color": colour, "borderColor": "#ffffff"}
        if hatch:
            look["decal"] = {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 5], "rotation": 0.785}
        series.append(
            {
                "id": fate,
                "name": fate,
                "type": "bar",
                "stack": "verdicts",
                "itemStyle": look,
                "label": {
                    "show": True,
                    "fontSize": 10,
                    "color": "#000000",
                    "textBorderColor": "#ffffff",
                    "textBorderWidth": 2,
                },
                "data": [
                    {"value": int(row[fate]) or None, "lines": [f"{row['form']}: {row[fate]} verdicts", fate]}
                    for row in others
                ],
            }
        )
    return Panel(
        "fates",
        "What becomes of the verdicts",
        "under each form of the mechanisms, against the default",
        span.option(names, "verdicts", series),
        span.height(2 * len(names)),
        wide=True,
    )


def _chances(verdicts: pd.DataFrame, claims: Sequence[str], default: dict[str, dict[str, Any]]) -> Panel:
    place = {claim: row for row, claim in enumerate(claims)}
    shown = verdicts[verdicts["claim"].isin(place)]
    forms = [DEFAULT, *(form for form in dict.fromkeys(shown["form"]) if form != DEFAULT)]
    colours = [BLACK, *(colour for colour, _ in MARKERS)]
    looks = {
        form: (colour, STEP * (at - (len(forms) - 1) / 2.0))
        for at, (form, colour) in enumerate(zip(forms, colours, strict=False))
    }
    series = [
        span.spans(
            form,
            colour,
            [_chance(place[row["claim"]], row) for row in records(shown[shown["form"] == form])],
            shift=shift,
            dot=True,
        )
        for form, (colour, shift) in looks.items()
    ]
    return Panel(
        "chances",
        "Claims that reach or cross one half",
        "on what follows 2024, under some form; lines are intervals over seeds",
        span.option(
            [str(default[claim]["statement"]) for claim in claims],
            "probability that the claim holds",
            [*series, span.rule(HALF, "one half")],
            room=span.WIDE_NAME_PIXELS,
            min=0.0,
            max=1.0,
        ),
        span.height(2 * len(claims)),
        wide=True,
    )


def _chance(place: int, row: dict[str, Any]) -> Span:
    value, low, high = (row[f"probability{end}"] for end in ("", "_low", "_high"))
    said = f"{row['form']}: {number(value)} ({number(low)} to {number(high)}), {row['word']}"
    return Span(place, None, value, low, high, [str(row["statement"]), said])
