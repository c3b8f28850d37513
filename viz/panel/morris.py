"""Charts of a screening: how far each parameter moves an outcome, and whether alike everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.sensitivity.units import GROUP
from viz.chart import BLUE, GREY
from viz.number import number
from viz.option import plane
from viz.option.panel import Panel
from viz.option.plane import Axis, Point
from viz.panel.sensitivity import Choices, bars, outcomes, unit_of
from viz.study.rows import records
from viz.study.sensitivity import Bars, of_outcome, top

if TYPE_CHECKING:
    import pandas as pd

    from studies.study import Study

SIZES = Bars("mu_star", "mu*", BLUE)


def choices(study: Study) -> Choices:
    """The outcomes."""
    return outcomes(study, "mu_star")


def panels(study: Study, outcome: str) -> list[Panel]:
    """Sizes of effects, and sizes against spread where parameters move one by one."""
    frame, unit = of_outcome(study.tables["effects"], outcome), unit_of(study, outcome)
    made = [
        bars(
            "sizes",
            "How far it moves",
            "mean size of elementary effects over the whole range",
            top(frame, "mu_star"),
            (SIZES,),
            f"mu* ({unit})",
        )
    ]
    return made if study.asked["by"] == GROUP else [*made, _plane(frame, unit)]


def _plane(frame: pd.DataFrame, unit: str) -> Panel:
    shown = records(frame.dropna(subset=["mu_star", "sigma"]))
    rows = [
        Point(
            row["mu_star"],
            row["sigma"],
            [
                str(row["unit"]),
                f"mu* {number(row['mu_star'])} ({number(row['mu_star_low'])} to {number(row['mu_star_high'])})",
                f"sigma {number(row['sigma'])} ({number(row['sigma_low'])} to {number(row['sigma_high'])})",
                f"mean effect with its sign {number(row['mu'])}",
            ],
        )
        for row in shown
    ]
    reach = max((max(row.x, row.y) for row in rows), default=0.0)
    even = plane.curve(
        "sigma = mu*",
        GREY,
        [Point(end, end, ["sigma = mu*"]) for end in (0.0, reach)],
        dash="dashed",
        dots=False,
    )
    return Panel(
        "plane",
        "Alike everywhere?",
        "right: matters; above the line: the effect depends on where it is measured",
        plane.option(
            Axis(f"mu* ({unit})", low=0.0),
            Axis("sigma, spread of effects", low=0.0),
            [plane.points("parameters", BLUE, rows), even],
            ["parameters", "sigma = mu*"],
        ),
        420,
    )
