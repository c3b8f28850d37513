"""PAWN indices: how far knowing a parameter moves the whole distribution of an outcome, for any shape of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scenarios.design import unit_points
from scenarios.plan import PlanError
from scenarios.store import DEFAULT
from studies.counted import Told, counted
from studies.evaluation import Evaluation, evaluate
from studies.holding import undefined_note
from studies.sensitivity import units as shared
from studies.sensitivity.ranking import MEASURES, most_note, ranked
from studies.sensitivity.shape import shape
from studies.sensitivity.units import (
    PARAMETER,
    Units,
    apart,
    constant,
    derived,
    half_widths,
    kept,
    level,
    values_of,
    whole,
)
from studies.study import Study

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.setting import Setting
    from scenarios.runner import Job
    from studies.sensitivity.units import Display
    from studies.space import Space

SLICES = 10
"""Intervals of a parameter, of equal probability; Pianosi and Wagener (2018) find ten to be enough."""

LEAST_IN_SLICE = 5
"""Points of a slice, below which its distribution is no more than a few steps."""

LEAST_POINTS = SLICES * LEAST_IN_SLICE
RESAMPLES = 100
"""Resamples and permutations; each costs as much as the estimate."""

SAMPLE, BOOTSTRAP, DUMMY = range(3)
"""What seeds are drawn for."""

WHAT = "points"


def distances(
    y: NDArray[np.intp], slices: NDArray[np.intp], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Kolmogorov and Smirnov's distance between the distribution in each slice and in all, shape (SLICES,).

    As SALib's, but with weights, so that a resample costs no sorting.

    Args:
        y: ranks of outcomes among their different values, shape (runs,).
        slices: the slice of each run; :data:`SLICES` is beyond the last.
        weights: how often each run counts.

    Returns:
        Distances between 0 and 1; nan for a slice without runs.
    """
    ranks = int(y.max()) + 1
    place = slices * ranks + y
    counts = np.bincount(place, weights, (SLICES + 1) * ranks).reshape(SLICES + 1, ranks)
    steps = counts.cumsum(axis=1)
    whole_of = steps.sum(axis=0) / steps[:, -1].sum()
    totals = steps[:SLICES, -1:]
    inside = np.divide(steps[:SLICES], totals, out=np.full((SLICES, ranks), np.nan), where=totals > 0.0)
    return np.asarray(np.abs(inside - whole_of).max(axis=1))


def sliced(x: NDArray[np.float64]) -> NDArray[np.intp]:
    """The slice of each value of a parameter, by quantiles of the sample; the largest value is beyond, as in SALib."""
    edges = np.quantile(x, np.arange(0.0, 1.0 + 1.0 / SLICES, 1.0 / SLICES))
    return np.asarray(np.searchsorted(edges, x, side="right") - 1, np.intp)


def indices(
    x: NDArray[np.float64], y: NDArray[np.float64], units: Units, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Median and largest distance over the slices of each parameter, with half-widths of their intervals.

    SALib's PAWN index from a sample of any kind (Pianosi and Wagener, Environmental Modelling & Software 67 (2015) 1-11
    and 108 (2018) 197-207). Distances are above zero by chance alone, so each is to be compared with that of a dummy: the
    same outcomes with their points shuffled. Intervals are from the standard deviation over resamples of points.

    Args:
        x: points of the unit cube, shape (points, parameters).
        y: outcomes, shape (points, seeds), all finite: every run counts, a resample takes a point with all its seeds.
        units: the parameters.
        seed: of the bootstrap and the dummy.

    Returns:
        ``median``, ``median_conf``, ``maximum``, ``maximum_conf``, shape (parameters,), and ``dummy_median``,
        ``dummy_maximum``, shape (), which a parameter without influence stays below with the interval's level.
    """
    points, seeds = y.shape
    with apart():
        from SALib.analyze import pawn as analysis

        # Its seed does nothing but reseed the global generator.
        found = analysis.analyze(units.problem(), np.repeat(x, seeds, axis=0), y.ravel(), S=SLICES)
    ranks = np.unique(y.ravel(), return_inverse=True)[1].reshape(-1)
    rng = np.random.default_rng(derived(seed, BOOTSTRAP))
    drawn = [np.bincount(rng.integers(points, size=points), minlength=points) for _ in range(RESAMPLES)]
    result = {key: np.asarray(found[key], np.float64) for key in ("median", "maximum")}
    spread = np.empty((2, x.shape[1]))
    for axis in range(x.shape[1]):
        slices = np.repeat(sliced(x[:, axis]), seeds)
        each = [distances(ranks, slices, np.repeat(weights, seeds)) for weights in drawn]
        spread[0, axis] = np.nanmedian(each, axis=1).std(ddof=1)
        spread[1, axis] = np.nanmax(each, axis=1).std(ddof=1)
    result["median_conf"], result["maximum_conf"] = half_widths() * spread
    rng = np.random.default_rng(derived(seed, DUMMY))
    slices, once = sliced(x[:, 0]), np.ones(points * seeds)
    dummy = [distances(ranks, np.repeat(rng.permutation(slices), seeds), once) for _ in range(RESAMPLES)]
    result["dummy_median"] = np.asarray(np.quantile(np.nanmedian(dummy, axis=1), level()))
    result["dummy_maximum"] = np.asarray(np.quantile(np.nanmax(dummy, axis=1), level()))
    return result


def pawn(
    setting: Setting,
    space: Space,
    outcomes: Sequence[str],
    seeds: Sequence[int],
    out: str | Path = DEFAULT,
    *,
    samples: int = 512,
    seed: int = 0,
    workers: int | None = None,
    progress: Display | None = None,
    job: Job | None = None,
    told: Told | None = None,
) -> tuple[Study, tuple[Evaluation, ...]]:
    """Rank the parameters of a space by how far knowing them moves the distribution of outcomes over all runs.

    Args:
        setting: the world around which the parameters vary.
        space: the parameters.
        outcomes: names that :meth:`studies.evaluation.Evaluation.values` takes.
        seeds: the same at every point.
        out: the store.
        samples: points of a Latin hypercube, however many parameters there are.
        seed: of the design and the bootstrap.
        workers, progress, job: as of :func:`studies.evaluation.evaluate`.
        told: hears how many outcomes are analysed.

    Raises:
        PlanError: too few points are asked for or whole.
        StoreError, Interrupted: as :func:`studies.evaluation.evaluate` does.
    """
    if samples < LEAST_POINTS:
        raise PlanError(
            f"--samples {samples}: {SLICES} slices of each parameter need {LEAST_POINTS} points at least"
        )
    units = Units(space, PARAMETER)
    x = unit_points("lhs", samples, len(space), derived(seed, SAMPLE))
    found = evaluate(
        setting,
        space.points(x),
        seeds,
        out,
        sampled=f"Latin hypercube of {samples}, seed {seed}",
        workers=workers,
        progress=progress() if progress else None,
        job=job,
    )
    rows: list[dict[str, object]] = []
    shapes: list[dict[str, object]] = []
    undefined, flat, lost = [], [], {}
    for name in counted("outcomes", outcomes, told):
        values = values_of(found, name)
        there = whole(values, 1)
        lost[name] = (int((~there).sum()), samples)
        y = kept(values, there, 1)
        shapes.append({"outcome": name, **shape(y.ravel())})
        estimate = None
        if there.sum() < LEAST_POINTS:
            undefined.append(name)
        elif constant(y):
            flat.append(name)
        else:
            estimate = indices(x[there], y, units, seed)
        rows += _rows(name, estimate, units)
    shared.refuse_empty(undefined, outcomes, WHAT, LEAST_POINTS, found.lost)
    frame = pd.DataFrame(rows)
    tables = {
        "effects": frame,
        "ranking": ranked(frame, MEASURES["pawn"]),
        "shape": pd.DataFrame(shapes),
        "outcomes": pd.DataFrame(shared.labels(outcomes, scaled=False)),
    }
    asked: dict[str, Any] = shared.about(setting, units, seeds, outcomes)
    asked |= {"samples": samples, "seed": seed}
    notes = [
        shared.seeds_note(
            seeds, "every run counts, so that chance between seeds is part of the distributions"
        ),
        *shared.lost_note(WHAT, lost, int(found.failed.sum()), found.failed.size),
        *undefined_note(found, outcomes),
        *shared.silent_note(undefined, flat, WHAT, LEAST_POINTS),
        *_size_note(frame),
    ]
    title = (
        f"Distributions of {len(outcomes)} outcome{'s' * (len(outcomes) > 1)} over {len(units)} parameters"
    )
    made = Study("pawn", title, asked, tables, (found.batch.name,))
    return replace(made, notes=(*notes, *most_note(made))), (found,)


def _rows(
    outcome: str, found: dict[str, NDArray[np.float64]] | None, units: Units
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for place, unit in enumerate(units.names):
        row: dict[str, object] = {"outcome": outcome, "unit": unit}
        for key in ("median", "maximum"):
            value, half, dummy = (
                (np.nan, np.nan, np.nan)
                if found is None
                else (found[key][place], found[f"{key}_conf"][place], float(found[f"dummy_{key}"]))
            )
            row |= {
                key: value,
                f"{key}_low": value - half,
                f"{key}_high": value + half,
                f"{key}_dummy": dummy,
            }
        # One slice that differs is influence enough: the largest distance screens (Pianosi and Wagener 2015).
        row["clear"] = max(row["maximum"] - row["maximum_dummy"], 0.0) if found is not None else np.nan  # type: ignore[operator]
        row["influential"] = bool(found is not None and row["maximum"] > row["maximum_dummy"])  # type: ignore[operator]
        rows.append(row)
    return rows


def _size_note(frame: pd.DataFrame) -> list[str]:
    """How far above a dummy the most influential parameter is, at the outcome where that is least."""
    known = frame.dropna(subset=["maximum"])
    if known.empty:
        return []
    clear = known.groupby("outcome", sort=False)["influential"].sum()
    count = known["unit"].nunique()
    said = [
        f"A parameter counts as influential where its largest distance is above that of a dummy; of {count} without "
        f"influence about {(1.0 - level()) * count:.0f} would get there by chance, for each outcome."
    ]
    none = [str(name) for name in clear[clear == 0].index]
    if none:
        said.append(
            f"No parameter is clear of a dummy for {shared.some_of(none)}: take more --samples; "
            "distances of a dummy shrink with their root."
        )
    return said
