"""Which parameters matter most over several outcomes, so that a screening says what a closer study should vary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from scenarios.plan import PlanError
from studies.sensitivity.units import GROUP, some_of

if TYPE_CHECKING:
    from studies.study import Study

MEASURES = {"morris": "mu_star", "sobol": "total", "pawn": "clear"}
"""What each kind of study ranks by: a column of its table ``effects``."""

TOP = 20
"""How many units a closer study takes from a screening, unless it is told."""


def ranked(effects: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Units by influence: ``rank``, ``unit``, ``score`` and ``outcome``, the one on which its score rests.

    The score is the largest over outcomes of the unit's measure by the largest measure of any unit for that outcome:
    one that decides a single outcome scores 1, however little it does to others. Equal scores are in order of
    their sum over outcomes, then of the table.

    Args:
        effects: columns ``outcome``, ``unit`` and the measure, which is nan where an outcome has no estimate.
        measure: its name.
    """
    wide = effects.pivot(index="unit", columns="outcome", values=measure)
    wide = wide.loc[list(dict.fromkeys(effects["unit"])), list(dict.fromkeys(effects["outcome"]))]
    top = wide.max()
    shares = (wide / top.where(top > 0.0)).dropna(axis=1, how="all").fillna(0.0)
    if shares.empty:
        return pd.DataFrame({"rank": [], "unit": [], "score": [], "outcome": []})
    frame = pd.DataFrame(
        {"score": shares.max(axis=1), "sum": shares.sum(axis=1), "outcome": shares.idxmax(axis=1)}
    )
    frame = frame.sort_values(["score", "sum"], ascending=False, kind="stable").reset_index()
    frame.insert(0, "rank", range(1, len(frame) + 1))
    return frame[["rank", "unit", "score", "outcome"]]


def most(study: Study, top: int, outcomes: Sequence[str] = ()) -> tuple[str, ...]:
    """The parameters of the most influential units of a study, in order of the table.

    Of a study by group, they are all parameters of the first ``top`` groups. Only the outcomes that are named count, of
    those that the study has; where it has none of them, or none are named, all count.

    Raises PlanError for a study that ranks nothing.
    """
    from studies.space import Space

    measure = MEASURES.get(study.kind)
    if measure is None:
        raise PlanError(f"{study.name} ranks no parameters; --from takes a study of {', '.join(MEASURES)}")
    effects = study.tables["effects"]
    ours = effects[effects["outcome"].isin(list(outcomes))]
    found = ranked(ours if len(ours) else effects, measure)["unit"].tolist()[:top]
    if not found:
        raise PlanError(f"no outcome of {study.name} could be analysed; it names no parameters")
    space = Space.over(study.asked["over"])
    of = space.groups if study.asked["by"] == GROUP else space.names
    return tuple(name for name, unit in zip(space.names, of, strict=True) if unit in found)


def most_note(study: Study) -> list[str]:
    """The sentence that says which units matter most, and how a closer study takes them on."""
    units = [str(unit) for unit in study.tables["ranking"]["unit"]]
    if not units:
        return []
    closer = (
        f"morris --by parameter --from {study.name} --top 5` looks into the first five"
        if study.asked["by"] == GROUP
        else f"sobol --from {study.name} --top {min(len(units), TOP)}` decomposes their variance"
    )
    return [f"Most influential over these outcomes: {some_of(units)}. `undercut study {closer}."]
