"""Bayesian calibration on observations to the end of 2024: history matching by waves, then a posterior by emulators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evidence.facts import constants
from scenarios.plan import PlanError
from studies.calibration import observables
from studies.calibration.likelihood import CUTOFF
from studies.calibration.observables import Observable, to_the_last, values
from studies.calibration.posterior import held_out, levels, parameters, predicted
from studies.calibration.ranks import THINNED, ranks, uniformity
from studies.calibration.shortlist import Shortlist, shortlist
from studies.calibration.tempering import Draws, sample
from studies.calibration.waves import Design, Waves, luck_of, mean_over_seeds, runner, spread_out, waves
from studies.counted import Told
from studies.space import Space
from studies.study import Study

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from model.setting import Setting
    from scenarios.progress import Progress
    from scenarios.runner import Job
    from studies.evaluation import Evaluation

    Array = NDArray[np.float64]

KIND = "calibration"

NEVER = ("workload_scale",)
"""Parameters that no shortlist takes: a unit of account, whose range of twelve decades is no judgement and whose effect
is that of ``llm_constant`` and the sizes of ``evidence/segments.csv``."""

LEAST_EXPLAINED = 0.5
"""An emulator that explains less of the variance than this is named in a note."""

DRAWING, PREDICTING, HOLDING, BOOTSTRAP, CHECKING = 101, 102, 103, 104, 105
"""Purposes of chance, each with a stream of its own."""


@dataclass(frozen=True)
class Calibration:
    """What a calibration found: the study, the waves of runs, the posterior, and all runs that it rests on."""

    study: Study
    space: Space
    learned: Waves
    posterior: Draws
    evaluations: tuple[Evaluation, ...]


def calibrate(
    setting: Setting,
    space: Space,
    out: str | Path,
    design: Design | None = None,
    *,
    asked: Sequence[Observable] = (),
    among: int = 0,
    checks: int = 0,
    met: int = 0,
    about: Any = None,
    workers: int | None = None,
    progress: Callable[[], Progress] | None = None,
    job: Job | None = None,
    told: Told | None = None,
) -> Calibration:
    """Fit parameters to observations, and say what these tell, what they do not, and how far to trust it.

    Args:
        setting: the world whose parameters are fitted; its runs end with the last observation.
        space: the parameters.
        out: the store.
        design: how much is run and drawn.
        asked: observables; by default all of ``observables.csv``.
        among: fit only so many parameters of the space, those that move the observables most when each is moved
            alone; what the others could add is then an error of the observables. By default all.
        checks: simulation-based calibration with so many truths (:func:`studies.calibration.ranks.ranks`).
        met: run so many of the posterior's draws, and compare with what the emulators said of them.
        about: what the study says that it was asked; by default its design.
        workers, progress, job: how runs are made, and what makes a display of them.
        told: hears how far the analysis is between them.

    Raises:
        PlanError, DesignError: what was asked makes no sense.
        StoreError, Interrupted: as :func:`studies.evaluation.evaluate` does; the same call goes on.
    """
    design = design or Design()
    chosen, job = tuple(asked) or observables.observables(), job or observables.job()
    short = to_the_last(setting)
    run = runner(short, out, workers, progress, job)
    list_, others = None, np.zeros((len(chosen), len(chosen)))
    if among and among < len(space):
        list_ = shortlist(_listable(space), chosen, range(1, design.seeds + 1), run)
        names = list_.first(among)
        space, others = Space.over(names), list_.others(names, chosen)
    learned = waves(run, space, chosen, design, others, told)
    likelihood = learned.likelihood
    count = max(design.draws, design.particles)
    drawn = sample(likelihood, len(space), count, design.generator(DRAWING))
    unit = drawn.unit[spread_out(count, design.draws)]
    hand = values(learned.waves[-1].chance.table, learned.observables)[0]
    over_prior = mean_over_seeds(learned.waves[0].given)
    tables = {
        "parameters": parameters(space, drawn.unit, design.generator(BOOTSTRAP)),
        "observables": predicted(
            learned.observables, likelihood, over_prior, drawn.unit, hand, design.generator(PREDICTING)
        ),
        "held_out": held_out(learned.observables, likelihood, drawn.unit, design.generator(HOLDING)),
        "waves": _of_waves(learned, design),
        "draws": pd.DataFrame(space.values(unit), columns=list(space.names)),
        "quantiles": pd.DataFrame(unit, columns=list(space.names)),
    }
    evaluations = [*(list_.evaluations if list_ else ()), *learned.evaluations]
    notes = _notes(learned, drawn, list_, len(space), design)
    if list_ is not None:
        tables["shortlist"] = list_.table()
    if met:
        found = run(
            space.points(unit[spread_out(design.draws, met)]), range(1, design.seeds + 1), "draws met"
        )
        evaluations.append(found)
        tables["met"], said = _met(learned, unit[spread_out(design.draws, met)], found)
        notes.append(said)
    if checks:
        tables["ranks"], made, lost = ranks(run, space, learned, design, checks, CHECKING, told)
        evaluations += made
        tables["uniformity"] = uniformity(tables["ranks"])
        if lost:
            notes.append(
                f"{lost} of {checks} truths of the check were left out: their runs failed or left an observable undefined."
            )
    notes += _failures(evaluations)
    study = Study(
        KIND,
        f"Calibration of {len(space)} parameters on {len(learned.observables)} observables to {observables.LAST}",
        about or {"scenario": setting.name, "over": list(space.names), **asdict(design)},
        tables,
        tuple(dict.fromkeys(each.batch.name for each in evaluations)),
        tuple(notes),
    )
    return Calibration(study, space, learned, drawn, tuple(evaluations))


def _listable(space: Space) -> Space:
    return Space(tuple(p for p in space.parameters if p.name not in NEVER))


def _of_waves(learned: Waves, design: Design) -> pd.DataFrame:
    rows = []
    for number, wave in enumerate(learned.waves, start=1):
        rows.append(
            {
                "wave": number,
                "points": len(wave.unit),
                "seeds": design.seeds,
                "failed": int(wave.found.failed.sum()),
                "explained": float(np.median([each.explained for each in wave.likelihood.emulators])),
                "allowed": wave.allowed,
                "nearest": wave.nearest,
            }
        )
    return pd.DataFrame(rows)


def _met(learned: Waves, unit: Array, found: Evaluation) -> tuple[pd.DataFrame, str]:
    """Draws that were run beside what the emulators said of them: a row a draw and observable."""
    from scipy.special import ndtri

    from studies.calibration.emulator import predict

    tail = levels()[0]
    mean, variance = predict(learned.likelihood.emulators, unit)
    told = values(learned.waves[-1].chance.table, learned.observables)
    given = values(found.table, learned.observables)
    made = mean_over_seeds(given - luck_of(told, given.shape[1]))
    half = -float(ndtri(tail)) * np.sqrt(variance)
    rows = [
        {
            "draw": draw,
            "observable": each.id,
            "emulated": float(mean[draw, place]),
            "emulated_low": float(mean[draw, place] - half[draw, place]),
            "emulated_high": float(mean[draw, place] + half[draw, place]),
            "run": float(made[draw, place]),
        }
        for draw in range(len(unit))
        for place, each in enumerate(learned.observables)
    ]
    known = np.isfinite(made)
    inside = float((np.abs(made - mean) <= half)[known].mean()) if known.any() else np.nan
    level = constants()["interval_level"]
    return pd.DataFrame(rows), (
        f"{len(unit)} draws of the posterior were run: {inside:.0%} of their observables lie in the emulators' "
        f"{level:.0%} intervals, after the luck of their seeds."
    )


def _notes(learned: Waves, drawn: Draws, listed: Shortlist | None, width: int, design: Design) -> list[str]:
    notes = [
        "The parameters that are not fitted stay at their defaults, which are the hand calibration; "
        + (
            "what moving them alone could add is an error of the observables, but the draws do not vary them."
            if listed is not None
            else "what they could add is in no error."
        ),
        f"Chance: seeds 1 to {design.seeds} at every point; {design.chance_seeds} seeds at {design.chance_points + 1} "
        "points tell how far seeds differ, and that is an error of every observable, as of one draw of chance.",
    ]
    if listed is not None and listed.unknown:
        notes.append(
            f"What {', '.join(listed.unknown)} do to some observable could not be measured: runs failed or left it "
            "undefined towards an end of the range. It counts as nothing in the choice of what is fitted: name these with "
            "--over if they may matter."
        )
    for each, share in learned.left_out:
        notes.append(f"{each.id} is left out: {share:.0%} of the points of the prior leave it undefined.")
    poor = [
        o.id
        for o, e in zip(learned.observables, learned.likelihood.emulators, strict=True)
        if not e.explained >= LEAST_EXPLAINED
    ]
    if poor:
        notes.append(
            f"Emulators explain less than {LEAST_EXPLAINED:.0%} of {', '.join(poor)}: what they leave open is an error; "
            "more --points would narrow it."
        )
    if not drawn.settled:
        notes.append(
            "The sampler did not move its draws often enough: treat the posterior with care, or draw more."
        )
    enough = 10 * width
    if sum(len(wave.unit) for wave in learned.waves) < enough:
        notes.append(
            f"Fewer points than ten a parameter, {enough} in all, are a small sample for emulators (Loeppky, Sacks and "
            "Welch 2009): give more --points."
        )
    nearest = learned.waves[-1].nearest
    if nearest > CUTOFF:
        notes.append(
            f"No point of the prior looked at meets every observable within {CUTOFF:g} standard deviations (the "
            f"nearest has {nearest:.1f}): the model cannot give all of them at once, and the posterior is a compromise."
        )
    return notes


def _failures(evaluations: Sequence[Evaluation]) -> list[str]:
    failed = sum(int(each.failed.sum()) for each in evaluations)
    made = sum(each.failed.size for each in evaluations)
    if not failed:
        return []
    return [
        f"{failed} of {made} runs failed: a point is emulated by its other seeds, and left out where all of them failed."
    ]


def check(design: Design, space: Space, among: int, checks: int = 0) -> None:
    """Raise PlanError where a design is too small for the parameters and the checks that are asked for."""
    if checks and design.draws < THINNED:
        raise PlanError(f"--draws {design.draws} are too few for --checks; give at least {THINNED}")
    width = min(among or len(space), len(space))
    if design.points <= width:
        raise PlanError(
            f"--points {design.points} are no more than the {width} parameters; give more points, or fewer parameters"
        )
