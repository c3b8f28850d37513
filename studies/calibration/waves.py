"""Waves of runs that a calibration learns from: each is drawn where the emulators of all before hold points likely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scenarios.design import unit_points
from scenarios.plan import PlanError
from studies.calibration.emulator import LEAST_POINTS, emulators
from studies.calibration.likelihood import CUTOFF, Likelihood, between_seeds
from studies.calibration.observables import Observable, values
from studies.calibration.tempering import sample
from studies.evaluation import evaluate

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from model.setting import Setting
    from scenarios.progress import Progress
    from scenarios.runner import Job
    from studies.counted import Told
    from studies.evaluation import Evaluation
    from studies.space import Space

    Array = NDArray[np.float64]

CLOUD = 4000
"""Points of the prior on which is measured how much of it is not ruled out."""

MOST_UNDEFINED = 0.2
"""An observable that is undefined at a larger share of the points is left out: it would be fitted to a selection."""


@dataclass(frozen=True)
class Design:
    """How much a calibration runs and draws.

    Attributes:
        points: of each wave.
        waves: how many, the first over the prior.
        seeds: common to all points.
        chance_seeds: seeds with which the defaults and the first points of a wave are run to tell what is chance; the
            first of them are those of all points.
        chance_points: how many points besides the defaults.
        draws: from the posterior, that are kept.
        particles: draws with which the posterior is explored.
        random: the seed of designs and draws, which no run sees.
    """

    points: int = 150
    waves: int = 3
    seeds: int = 2
    chance_seeds: int = 12
    chance_points: int = 3
    draws: int = 300
    particles: int = 1000
    random: int = 0

    def __post_init__(self) -> None:
        if self.points < LEAST_POINTS:
            raise PlanError(f"--points {self.points} are too few to fit; give at least {LEAST_POINTS}")
        for name in ("waves", "seeds", "draws"):
            if getattr(self, name) < 1:
                raise PlanError(f"--{name} {getattr(self, name)}: give at least 1")
        if self.chance_seeds < max(2, self.seeds):
            raise PlanError(
                f"--chance-seeds {self.chance_seeds} do not tell chance from the rest; give at least "
                f"{max(2, self.seeds)}"
            )

    def generator(self, *purpose: int) -> np.random.Generator:
        """A source of chance for a purpose of its own."""
        return np.random.default_rng([self.random, *purpose])


@dataclass(frozen=True)
class Wave:
    """Points that were run, and what they gave.

    Attributes:
        unit: the points, shape (points, parameters), in the unit cube.
        found: their runs.
        given: observables, shape (points, seeds, observables).
        chance: runs with more seeds, of the defaults first.
        likelihood: by the emulators of this wave and all before.
        allowed: the share of the prior that is not ruled out, each observable within the cut-off.
        nearest: the smallest over the prior of the largest implausibility of a point.
    """

    unit: Array
    found: Evaluation
    given: Array
    chance: Evaluation
    likelihood: Likelihood
    allowed: float
    nearest: float


@dataclass(frozen=True)
class Waves:
    """All waves, and the observables that enough of their points define."""

    waves: tuple[Wave, ...]
    observables: tuple[Observable, ...]
    left_out: tuple[tuple[Observable, float], ...]

    @property
    def likelihood(self) -> Likelihood:
        """That of all runs."""
        return self.waves[-1].likelihood

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """All runs."""
        return tuple(each for wave in self.waves for each in (wave.found, wave.chance))


Run = Callable[[Sequence[dict[str, float]], Sequence[int], str], "Evaluation"]


def runner(
    setting: Setting,
    out: str | Path,
    workers: int | None,
    progress: Callable[[], Progress] | None,
    job: Job | None,
) -> Run:
    """What runs points with seeds into a store, and says in words how they were drawn."""

    def run(points: Sequence[dict[str, float]], seeds: Sequence[int], sampled: str) -> Evaluation:
        shown = progress() if progress is not None else None
        return evaluate(
            setting, points, seeds, out, sampled=sampled, workers=workers, progress=shown, job=job
        )

    return run


def waves(
    run: Run,
    space: Space,
    asked: Sequence[Observable],
    design: Design,
    others: Array | None = None,
    told: Told | None = None,
) -> Waves:
    """Run the first wave over the prior and each later one where points are likely, and learn from all of them.

    ``others`` is the covariance of the observables that what is not varied could add, shape (observables, observables).
    ``told`` hears how many emulators of a wave are fitted.

    Raises PlanError when too few points define any observable.
    """
    seeds = range(1, design.seeds + 1)
    made: list[Wave] = []
    units: list[Array] = []
    kept: tuple[Observable, ...] = tuple(asked)
    left_out: tuple[tuple[Observable, float], ...] = ()
    for number in range(design.waves):
        if made:
            unit = _next(made[-1].likelihood, len(space), design, number)
        else:
            unit = unit_points("lhs", design.points, len(space), design.random)
        points = space.points(unit)
        found = run(points, seeds, f"calibration, wave {number + 1}")
        few: list[dict[str, float]] = [{}, *points[: design.chance_points]]
        chance = run(few, range(1, design.chance_seeds + 1), f"calibration, chance of wave {number + 1}")
        units.append(unit)
        if not made:
            kept, left_out = _defined(asked, found, chance)
        places = [place for place, each in enumerate(asked) if each in kept]
        given = values(found.table, kept)
        whole = [*(wave.given for wave in made), given]
        by_luck = values(chance.table, kept)
        outputs = mean_over_seeds(np.concatenate(whole) - luck_of(by_luck, design.seeds))
        likelihood = Likelihood(
            emulators(np.concatenate(units), outputs, told),
            np.zeros(len(kept)),
            np.array([each.variance for each in kept]),
            between_seeds(by_luck),
            design.chance_seeds,
            np.zeros((len(kept), len(kept))) if others is None else others[np.ix_(places, places)],
        )
        cloud = unit_points("sobol", CLOUD, len(space), design.random)
        worst = likelihood.implausibility(cloud).max(1)
        made.append(
            Wave(unit, found, given, chance, likelihood, float((worst <= CUTOFF).mean()), float(worst.min()))
        )
    return Waves(tuple(made), kept, left_out)


def mean_over_seeds(given: Array) -> Array:
    """The mean of what is defined, shape (points, observables); nan where no seed defines it."""
    known = np.isfinite(given)
    total = np.where(known, given, 0.0).sum(1)
    return np.where(known.any(1), total / np.maximum(known.sum(1), 1), np.nan)


def luck_of(told: Array, seeds: int) -> Array:
    """How far each of the first seeds lies from the mean over all of them, averaged over points.

    Common seeds carry the same luck to every point, which no number of points averages out: what the runs that tell
    chance say of it is taken off, and that of all their seeds remains.

    Args:
        told: observables of these runs, shape (points, seeds, observables), nan where undefined.
        seeds: with how many seeds, the first ones, all other points are run.

    Returns:
        Shape (seeds, observables).
    """
    return mean_over_points(told[:, :seeds] - mean_over_seeds(told)[:, None])


def mean_over_points(given: Array) -> Array:
    """The mean of what is defined, shape (seeds, observables); 0 where no point defines it."""
    known = np.isfinite(given)
    found: Array = np.where(known, given, 0.0).sum(0) / np.maximum(known.sum(0), 1)
    return found


def _next(likelihood: Likelihood, dimensions: int, design: Design, number: int) -> Array:
    """Points of the next wave: draws from the posterior so far, whose emulators widen where they know little."""
    count = max(design.points, design.draws)
    draws = sample(likelihood, dimensions, count, design.generator(number))
    return draws.unit[spread_out(count, design.points)]


def spread_out(count: int, wanted: int) -> NDArray[np.intp]:
    """Places of some of several draws, evenly spaced: copies of one draw stand side by side."""
    return np.floor((np.arange(wanted) + 0.5) * count / wanted).astype(np.intp)


def _defined(
    asked: Sequence[Observable], found: Evaluation, chance: Evaluation
) -> tuple[tuple[Observable, ...], tuple[tuple[Observable, float], ...]]:
    """The observables that enough points of the prior define, and the others with the share that does not."""
    undefined = np.isnan(mean_over_seeds(values(found.table, asked)))
    # A point all of whose runs failed says nothing of an observable: it is counted as failed.
    ran = np.atleast_1d(~found.failed.all(1))
    if ran.sum() < LEAST_POINTS:
        raise PlanError(f"{int(ran.sum())} of {len(ran)} points ran to their end, too few to fit")
    shares = undefined[ran].mean(0)
    seen = (np.isfinite(values(chance.table, asked)).sum(1) > 1).any(0)
    good = (shares <= MOST_UNDEFINED) & seen
    if not good.any():
        raise PlanError(
            "no observable is defined at enough of the points; give more --points or other parameters"
        )
    kept = tuple(each for each, is_good in zip(asked, good, strict=True) if is_good)
    rest = [(o, float(s)) for o, s, is_good in zip(asked, shares, good, strict=True) if not is_good]
    return kept, tuple(rest)


def observed_as(likelihood: Likelihood, observed: Array) -> Likelihood:
    """The same likelihood of other observations."""
    return replace(likelihood, observed=observed)
