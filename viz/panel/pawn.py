"""Charts of a study of distributions: how far each parameter moves that of an outcome, beside a dummy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viz.option.panel import Panel
from viz.option.span import rule
from viz.panel.sensitivity import Choices, bars, outcomes
from viz.study.pawn import MAXIMUM, MEDIAN
from viz.study.sensitivity import of_outcome, top

if TYPE_CHECKING:
    from studies.study import Study


def choices(study: Study) -> Choices:
    """The outcomes."""
    return outcomes(study, "median")


def panels(study: Study, outcome: str) -> list[Panel]:
    """The distances of an outcome's distributions."""
    frame = top(of_outcome(study.tables["effects"], outcome), "maximum")
    return [
        bars(
            "distances",
            "Distance of distributions",
            "Kolmogorov and Smirnov\u2019s, where a parameter lies in one slice of its range",
            frame,
            (MAXIMUM, MEDIAN),
            "distance, with interval",
            [rule(float(frame["maximum_dummy"].iloc[0]), "largest of a dummy")],
            wide=True,
        )
    ]
