"""Charts of a study of variance: total and first-order indices of one outcome, and what is chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viz.number import number
from viz.option.panel import Panel
from viz.panel.sensitivity import Choices, bars, outcomes
from viz.study.sensitivity import FIRST, TOTAL, of_outcome, percent, top

if TYPE_CHECKING:
    from studies.study import Study


def choices(study: Study) -> Choices:
    """The outcomes."""
    return outcomes(study, "total")


def panels(study: Study, outcome: str) -> list[Panel]:
    """The indices of an outcome."""
    check = of_outcome(study.tables["convergence"], outcome).iloc[0]
    chance = of_outcome(study.tables["chance"], outcome).iloc[0]
    enough = "the sample is enough" if check["enough"] else "the sample is too small"
    said = f"{enough}: the widest interval is {number(check['width'])}"
    if chance["chance"] == chance["chance"]:
        said += f"; of one run\u2019s variance {percent(chance['chance'])} is chance between seeds"
    frame = top(of_outcome(study.tables["effects"], outcome), "total")
    return [
        bars(
            "indices",
            "Share of variance",
            said,
            frame,
            (TOTAL, FIRST),
            "share of variance, with interval",
            wide=True,
        )
    ]
