"""Morris screening: elementary effects of each parameter or subject, at a cost of a few runs for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scenarios.plan import PlanError
from scenarios.store import DEFAULT
from studies.counted import Told, counted
from studies.evaluation import Evaluation, evaluate
from studies.holding import undefined_note
from studies.scale import scale_note
from studies.sensitivity import units as shared
from studies.sensitivity.ranking import most_note, ranked
from studies.sensitivity.units import (
    RESAMPLES,
    Units,
    apart,
    constant,
    derived,
    explained,
    half_widths,
    kept,
    level,
    whole,
)
from studies.study import Study

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.setting import Setting
    from scenarios.runner import Job
    from studies.sensitivity.units import Display
    from studies.space import Space

LEVELS = 4
"""Levels of the grid on which trajectories run, with steps of two thirds of the range (Morris 1991)."""

LEAST_TRAJECTORIES = 4
"""Fewer whole trajectories give no estimate."""

SAMPLE, BOOTSTRAP = range(2)
"""What seeds are drawn for."""

WHAT = "trajectories"


@dataclass(frozen=True)
class Design:
    """Trajectories over the grid: each begins somewhere and moves every unit once, in an order of its own."""

    units: Units
    trajectories: int
    seed: int

    def __post_init__(self) -> None:
        if self.trajectories < LEAST_TRAJECTORIES:
            raise PlanError(
                f"--trajectories {self.trajectories}: an interval needs {LEAST_TRAJECTORIES} at least; 10 to 50 are usual"
            )

    @property
    def size(self) -> int:
        """Points of a trajectory."""
        return len(self.units) + 1

    def points(self) -> NDArray[np.float64]:
        """Points of the unit cube, shape (trajectories x size, parameters), by SALib.

        A unit of several parameters moves all of them at once, each up or down as it falls (Campolongo, Cariboni and
        Saltelli, Environmental Modelling & Software 22 (2007) 1509-1518).
        """
        with apart():
            from SALib.sample import morris as sample

            drawn = sample.sample(
                self.units.problem(), self.trajectories, num_levels=LEVELS, seed=derived(self.seed, SAMPLE)
            )
        return np.asarray(drawn, np.float64)


def effects(
    x: NDArray[np.float64], y: NDArray[np.float64], design: Design, resamples: int = RESAMPLES
) -> dict[str, NDArray[np.float64]]:
    """Mean, mean size and spread of elementary effects of each unit: what a full range of it would change.

    SALib's: ``mu``, the mean (Morris, Technometrics 33 (1991) 161-174), ``mu_star``, the mean of absolute values
    (Campolongo et al. 2007), ``sigma``, the standard deviation, large where the effect is not linear or depends on
    other parameters. Of a unit of several parameters, which move in both directions, mu and sigma mean nothing and are nan.

    Args:
        x: points of whole trajectories, shape (trajectories x size, parameters).
        y: their outcomes, shape (trajectories x size,), all finite.
        design: where they come from.
        resamples: of the bootstrap over trajectories.

    Returns:
        ``mu``, ``mu_star``, ``sigma``, and ``mu_star_conf``, ``sigma_conf``, half-widths of intervals from the standard
        deviation over resamples; shape (units,).

    Raises:
        ValueError: a value is not finite.
    """
    if not np.isfinite(y).all():
        raise ValueError("effects need finite outcomes")
    with apart():
        from SALib.analyze import morris as analysis

        found = analysis.analyze(
            design.units.problem(),
            x,
            y,
            num_resamples=resamples,
            conf_level=level(),
            num_levels=LEVELS,
            seed=derived(design.seed, BOOTSTRAP),
        )
    named = {key: np.ma.filled(np.ma.asarray(found[key], np.float64), np.nan) for key in KEYS}
    alone = np.array([len(design.units.members(unit)) == 1 for unit in design.units.names])
    named["mu"] = np.where(alone, named["mu"], np.nan)
    # SALib resamples mean sizes alone.
    of = elementary(x, y, design)
    rng = np.random.default_rng(derived(design.seed, BOOTSTRAP))
    drawn = of[rng.integers(len(of), size=(resamples, len(of)))]
    named["sigma_conf"] = np.where(
        alone, half_widths() * drawn.std(axis=1, ddof=1).std(axis=0, ddof=1), np.nan
    )
    return named


KEYS = ("mu", "mu_star", "sigma", "mu_star_conf")


def elementary(x: NDArray[np.float64], y: NDArray[np.float64], design: Design) -> NDArray[np.float64]:
    """Elementary effects, shape (trajectories, units): change of the outcome by the step of the unit.

    Of a unit of several parameters the sign is that of its first one's step.
    """
    first = [design.units.of.index(unit) for unit in design.units.names]
    steps = np.diff(x.reshape(-1, design.size, x.shape[1])[:, :, first], axis=1)
    changes = np.diff(y.reshape(-1, design.size), axis=1)
    # In each trajectory a unit moves at one step only.
    at = np.abs(steps).argmax(axis=1)
    moved = np.take_along_axis(steps, at[:, None, :], axis=1)[:, 0, :]
    return np.asarray(np.take_along_axis(changes, at, axis=1) / moved)


def morris(
    setting: Setting,
    space: Space,
    outcomes: Sequence[str],
    seeds: Sequence[int],
    out: str | Path = DEFAULT,
    *,
    trajectories: int = 20,
    by: str = shared.PARAMETER,
    seed: int = 0,
    workers: int | None = None,
    progress: Display | None = None,
    job: Job | None = None,
    told: Told | None = None,
) -> tuple[Study, tuple[Evaluation, ...]]:
    """Screen the parameters of a space by the mean size of their elementary effects on the mean over common seeds.

    Args:
        setting: the world around which the parameters vary.
        space: the parameters.
        outcomes: names that :meth:`studies.evaluation.Evaluation.values` takes.
        seeds: the same at every point.
        out: the store.
        trajectories: the design has trajectories x (units + 1) points.
        by: ``"parameter"`` or ``"group"``, the subjects of the table.
        seed: of the design and the bootstrap.
        workers, progress, job: as of :func:`studies.evaluation.evaluate`.
        told: hears how many outcomes are analysed.

    Raises:
        PlanError: the design makes no sense, or too few trajectories are whole.
        StoreError, Interrupted: as :func:`studies.evaluation.evaluate` does.
    """
    units = Units(space, by)
    design = Design(units, trajectories, seed)
    x = design.points()
    found = evaluate(
        setting,
        space.points(x),
        seeds,
        out,
        sampled=f"Morris, {trajectories} trajectories, by {by}, seed {seed}",
        workers=workers,
        progress=progress() if progress else None,
        job=job,
    )
    rows: list[dict[str, object]] = []
    undefined, flat, lost = [], [], {}
    for name in counted("outcomes", outcomes, told):
        values = explained(found, name)
        blocks = whole(values, design.size)
        lost[name] = (int((~blocks).sum()), trajectories)
        y, points = kept(values, blocks, design.size), kept(x, blocks, design.size)
        estimate, each = None, None
        if blocks.sum() < LEAST_TRAJECTORIES:
            undefined.append(name)
        elif constant(y.mean(axis=1)):
            flat.append(name)
        else:
            estimate = effects(points, y.mean(axis=1), design)
            each = np.array([np.abs(elementary(points, of, design)).mean(axis=0) for of in y.T])
        rows += _rows(name, estimate, each, units)
    shared.refuse_empty(undefined, outcomes, WHAT, LEAST_TRAJECTORIES, found.lost)
    frame = pd.DataFrame(rows)
    ranking = ranked(frame, "mu_star")
    tables = {
        "effects": frame,
        "ranking": ranking,
        "outcomes": pd.DataFrame(shared.labels(outcomes, scaled=True)),
    }
    asked: dict[str, Any] = shared.about(setting, units, seeds, outcomes)
    asked |= {"trajectories": trajectories, "seed": seed}
    notes = [
        shared.seeds_note(seeds, "effects are those on the mean over them"),
        *shared.lost_note(WHAT, lost, int(found.failed.sum()), found.failed.size),
        *undefined_note(found, outcomes),
        *scale_note(outcomes),
        *shared.silent_note(undefined, flat, WHAT, LEAST_TRAJECTORIES),
        *_order_note(frame),
    ]
    title = f"Screening of {len(units)} {by}s for {len(outcomes)} outcome{'s' * (len(outcomes) > 1)}"
    made = Study("morris", title, asked, tables, (found.batch.name,))
    return replace(made, notes=(*notes, *most_note(made))), (found,)


def _rows(
    outcome: str,
    found: dict[str, NDArray[np.float64]] | None,
    each: NDArray[np.float64] | None,
    units: Units,
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for place, unit in enumerate(units.names):
        row: dict[str, object] = {"outcome": outcome, "unit": unit}
        value = {key: np.nan if found is None else found[key][place] for key in (*KEYS, "sigma_conf")}
        row["mu"] = value["mu"]
        for key in ("mu_star", "sigma"):
            half = value[f"{key}_conf"]
            row |= {key: value[key], f"{key}_low": value[key] - half, f"{key}_high": value[key] + half}
        few = each is None or len(each) < 2
        row["mu_star_least_seed"] = np.nan if few or each is None else each[:, place].min()
        row["mu_star_most_seed"] = np.nan if few or each is None else each[:, place].max()
        rows.append(row)
    return rows


def _order_note(frame: pd.DataFrame) -> list[str]:
    """Whether the order of units is known: of how many outcomes the first two have intervals apart."""
    apart_, known = 0, 0
    for _, of in frame.groupby("outcome", sort=False):
        top = of.dropna(subset=["mu_star"]).nlargest(2, "mu_star")
        if len(top) < 2:
            continue
        known += 1
        apart_ += bool(top["mu_star_low"].iloc[0] > top["mu_star_high"].iloc[1])
    if not known:
        return []
    return [
        f"For {apart_} of {known} outcomes the most influential unit is clear of the second one beyond both intervals; "
        "elsewhere read the first ones as a class, or take more --trajectories: intervals shrink with their root."
    ]
