"""Sobol indices: which share of an outcome's variance each parameter or subject takes, alone and with others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scenarios.plan import PlanError
from scenarios.store import DEFAULT
from studies.counted import Told, counted
from studies.evaluation import Evaluation, evaluate
from studies.holding import undefined_note
from studies.scale import scale_note
from studies.sensitivity import units as shared
from studies.sensitivity.chance import Chance, decompose
from studies.sensitivity.convergence import converged, convergence_note
from studies.sensitivity.ranking import ranked
from studies.sensitivity.shape import shape, shape_note
from studies.sensitivity.units import (
    RESAMPLES,
    Units,
    apart,
    constant,
    derived,
    explained,
    kept,
    level,
    whole,
)
from studies.study import Study

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from model.setting import Setting
    from scenarios.runner import Job
    from studies.sensitivity.units import Display
    from studies.space import Space

LEAST_BLOCKS = 8
"""Fewer whole base samples give no estimate: a bootstrap of so few says nothing."""

CHANCE_POINTS = 32
"""At so many points chance is measured where it takes more seeds than the study has."""

CHANCE_SEEDS = 8
"""With so many seeds: fewer leave the variance between seeds unknown to a factor of ten and more."""

TOLERANCE = 0.1
"""The width of an interval up to which an index is taken as known; Sarrazin, Pianosi and Wagener (Environmental
Modelling & Software 79 (2016) 135-152) take 0.05, at four times the runs."""

SAMPLE, BOOTSTRAP, DRAWS = range(3)
"""What seeds are drawn for."""

WHAT = "base samples"


@dataclass(frozen=True)
class Design:
    """A Saltelli sample: ``base`` blocks of a row of A, rows of A with one unit from B, and a row of B.

    Where pairs are asked for, rows of B with one unit from A stand between (Saltelli, Computer Physics Communications
    145 (2002) 280-297).
    """

    units: Units
    base: int
    pairs: bool
    seed: int

    def __post_init__(self) -> None:
        if self.base < LEAST_BLOCKS or self.base & (self.base - 1):
            near = max(2 ** round(np.log2(max(self.base, 1))), LEAST_BLOCKS)
            raise PlanError(
                f"--base {self.base}: Sobol points are balanced at powers of two from {LEAST_BLOCKS} on; write {near}"
            )
        if len(self.units) < 2:
            raise PlanError(
                "one unit alone takes all of the variance; name two parameters with --over, or --by parameter"
            )

    @property
    def size(self) -> int:
        """Points of a block."""
        return (2 if self.pairs else 1) * len(self.units) + 2

    def points(self) -> NDArray[np.float64]:
        """Points of the unit cube, shape (base x size, parameters): scrambled Sobol points, crossed by SALib."""
        with apart():
            from SALib.sample import sobol as sample

            drawn = sample.sample(
                self.units.problem(),
                self.base,
                calc_second_order=self.pairs,
                scramble=True,
                seed=derived(self.seed, SAMPLE),
            )
        return np.asarray(drawn, np.float64)

    @property
    def independent(self) -> NDArray[np.intp]:
        """The rows of A and B, which are independent points of the space."""
        first = np.arange(self.base) * self.size
        return np.sort(np.concatenate([first, first + self.size - 1]))


def indices(
    y: NDArray[np.float64], design: Design, resamples: int = RESAMPLES
) -> dict[str, NDArray[np.float64]]:
    """First-order, total and, where the design has pairs, second-order indices with half-widths of their intervals.

    SALib's estimators: first order by Saltelli et al. and total by Jansen (both in Saltelli et al., Computer Physics
    Communications 181 (2010) 259-270), second order by Saltelli (2002), intervals from the standard deviation over
    bootstrap resamples of whole blocks (Archer, Saltelli and Sobol, Journal of Statistical Computation and Simulation
    58 (1997) 99-120). They are estimates: one near zero can come out below it.

    Args:
        y: outcomes of whole blocks, shape (blocks x size,), all finite and not constant.
        design: where they come from.
        resamples: of the bootstrap.

    Returns:
        ``S1``, ``S1_conf``, ``ST``, ``ST_conf``, shape (units,); ``S2``, ``S2_conf``, shape (units, units).

    Raises:
        ValueError: a value is not finite, of which SALib would make zeros everywhere.
    """
    if not np.isfinite(y).all():
        raise ValueError("indices need finite outcomes")
    with apart():
        from SALib.analyze import sobol as analysis

        found = analysis.analyze(
            design.units.problem(),
            y,
            calc_second_order=design.pairs,
            num_resamples=resamples,
            conf_level=level(),
            seed=derived(design.seed, BOOTSTRAP),
        )
    return {name: np.asarray(found[name], np.float64) for name in found}


def sobol(
    setting: Setting,
    space: Space,
    outcomes: Sequence[str],
    seeds: Sequence[int],
    out: str | Path = DEFAULT,
    *,
    base: int = 256,
    by: str = shared.PARAMETER,
    pairs: bool = False,
    tolerance: float = TOLERANCE,
    chance_seeds: int = CHANCE_SEEDS,
    seed: int = 0,
    workers: int | None = None,
    progress: Display | None = None,
    job: Job | None = None,
    told: Told | None = None,
) -> tuple[Study, tuple[Evaluation, ...]]:
    """Decompose the variance of outcomes over the ranges of a space, the mean over common seeds being what is explained.

    Args:
        setting: the world around which the parameters vary.
        space: the parameters.
        outcomes: names that :meth:`studies.evaluation.Evaluation.values` takes.
        seeds: the same at every point.
        out: the store.
        base: base samples, a power of two; the design has base x (units + 2) points, or base x (2 units + 2) with pairs.
        by: ``"parameter"`` or ``"group"``, the subjects of the table.
        pairs: whether to estimate second-order indices.
        tolerance: the width of an interval up to which an index is taken as known.
        chance_seeds: with how many seeds chance is measured; where the study has fewer, more are run at some points.
        seed: of the design and the bootstrap.
        workers, progress, job: as of :func:`studies.evaluation.evaluate`; a display is made for each batch.
        told: hears how many outcomes are analysed.

    Raises:
        PlanError: the design makes no sense, or too few base samples are whole.
        StoreError, Interrupted: as :func:`studies.evaluation.evaluate` does.
    """
    units = Units(space, by)
    design = Design(units, base, pairs, seed)
    points = space.points(design.points())
    options: dict[str, Any] = {"workers": workers, "job": job}

    def run(some: Sequence[Any], over: Sequence[int], drawn: str) -> Evaluation:
        shown = progress() if progress else None
        return evaluate(setting, some, over, out, sampled=drawn, progress=shown, **options)

    words = f"Saltelli, base {base}, by {by}{', pairs' if pairs else ''}, seed {seed}"
    found = run(points, seeds, words)
    parts = [found]
    places = design.independent
    if len(seeds) < chance_seeds:
        places = places[:CHANCE_POINTS]
        more = tuple(range(max(seeds) + 1, max(seeds) + 1 + chance_seeds - len(seeds)))
        parts.append(run([points[i] for i in places], (*seeds, *more), f"the first points of {words}"))

    effects, seconds, state = _analysed(found, outcomes, design, told)
    shared.refuse_empty(state["undefined"], outcomes, WHAT, LEAST_BLOCKS, found.lost)
    check = converged(effects, state["whole"], base, design.size * len(seeds), tolerance)
    shapes = pd.DataFrame(
        [{"outcome": name, **shape(explained(found, name)[design.independent].ravel())} for name in outcomes]
    )
    ranking = ranked(effects, "total")
    tables = {
        "effects": effects,
        "ranking": ranking,
        "convergence": check,
        "chance": _chance(parts[-1], None if len(parts) > 1 else places, outcomes, len(seeds), seed, told),
        "shape": shapes,
        "outcomes": pd.DataFrame(shared.labels(outcomes, scaled=True)),
        **({"pairs": seconds} if pairs else {}),
    }
    asked = shared.about(setting, units, seeds, outcomes) | {
        "base": base,
        "pairs": pairs,
        "tolerance": tolerance,
        "chance_seeds": chance_seeds,
        "seed": seed,
    }
    batches = tuple(each.batch.name for each in parts)
    notes = [
        shared.seeds_note(seeds, _explained(seeds, chance_seeds)),
        *shared.lost_note(WHAT, state["lost"], int(found.failed.sum()), found.failed.size),
        *undefined_note(found, outcomes),
        *scale_note(outcomes),
        *_chance_note(parts[1:]),
        *shared.silent_note(state["undefined"], state["flat"], WHAT, LEAST_BLOCKS),
        *convergence_note(check, base, tolerance),
        *shape_note(shapes),
    ]
    title = f"Variance of {len(outcomes)} outcome{'s' * (len(outcomes) > 1)} over {len(units)} {by}s"
    made = Study("sobol", title, asked, tables, batches, tuple(notes))
    return made, tuple(parts)


def _explained(seeds: Sequence[int], chance_seeds: int) -> str:
    if len(seeds) > 1:
        return "indices explain the mean over them, and their spread over single seeds stands beside them"
    said = "indices are those of a world with that luck, and "
    if chance_seeds > 1:
        return f"{said}the chance share says how much another seed could change"
    return f"{said}--chance-seeds {CHANCE_SEEDS} would say how much another seed could change"


def _chance_note(parts: Sequence[Evaluation]) -> list[str]:
    """The sentence on runs that failed beyond those of the design."""
    failed, runs = sum(int(each.failed.sum()) for each in parts), sum(each.failed.size for each in parts)
    if not failed:
        return []
    return [f"{failed} of {runs} runs that measure chance failed; it is measured at the points without them."]


def _analysed(
    found: Evaluation, outcomes: Sequence[str], design: Design, told: Told | None
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """A row an outcome and unit, one a pair, and what became of each outcome."""
    rows: list[dict[str, object]] = []
    pairs: list[dict[str, object]] = []
    state: dict[str, Any] = {"undefined": [], "flat": [], "lost": {}, "whole": {}}
    for name in counted("outcomes", outcomes, told):
        values = explained(found, name)
        blocks = whole(values, design.size)
        state["lost"][name] = (int((~blocks).sum()), design.base)
        state["whole"][name] = int(blocks.sum())
        values = kept(values, blocks, design.size)
        estimate, spread = None, None
        if blocks.sum() < LEAST_BLOCKS:
            state["undefined"].append(name)
        elif constant(values.mean(axis=1)):
            state["flat"].append(name)
        else:
            estimate = indices(values.mean(axis=1), design)
            spread = _over_seeds(values, design)
        rows += _rows(name, estimate, spread, design.units)
        if estimate is not None and design.pairs:
            pairs += _pairs(name, estimate, design.units)
    return pd.DataFrame(rows), pd.DataFrame(pairs), state


def _rows(
    outcome: str,
    found: dict[str, NDArray[np.float64]] | None,
    spread: NDArray[np.float64] | None,
    units: Units,
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for place, unit in enumerate(units.names):
        row: dict[str, object] = {"outcome": outcome, "unit": unit}
        for key, name in (("S1", "first"), ("ST", "total")):
            value, half = (
                (np.nan, np.nan) if found is None else (found[key][place], found[f"{key}_conf"][place])
            )
            row |= {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
        low, high = (np.nan, np.nan) if spread is None else spread[:, place]
        rows.append(row | {"total_least_seed": low, "total_most_seed": high})
    return rows


def _pairs(outcome: str, found: dict[str, NDArray[np.float64]], units: Units) -> list[dict[str, object]]:
    value, half = found["S2"], found["S2_conf"]
    return [
        {
            "outcome": outcome,
            "unit": units.names[i],
            "other": units.names[j],
            "second": value[i, j],
            "second_low": value[i, j] - half[i, j],
            "second_high": value[i, j] + half[i, j],
        }
        for i in range(len(units))
        for j in range(i + 1, len(units))
    ]


def _over_seeds(values: NDArray[np.float64], design: Design) -> NDArray[np.float64] | None:
    """The least and the most total index over single seeds, shape (2, units); None with one seed."""
    if values.shape[1] < 2:
        return None
    few = 2  # of the bootstrap, which is not asked here
    each = [indices(y, design, few)["ST"] for y in values.T if not constant(y)]
    return np.array([np.min(each, axis=0), np.max(each, axis=0)]) if each else None


def _chance(
    found: Evaluation,
    places: NDArray[np.intp] | None,
    outcomes: Sequence[str],
    averaged: int,
    seed: int,
    told: Told | None,
) -> pd.DataFrame:
    """A row an outcome: the shares of :class:`studies.sensitivity.chance.Chance`, with ``_low`` and ``_high``."""
    rows = []
    for name in counted("outcomes for chance", outcomes, told):
        values = explained(found, name)
        values = values if places is None else values[places]
        values = values[np.isfinite(values).all(axis=1)]
        parts: Chance = decompose(values, averaged, level(), derived(seed, DRAWS))
        row: dict[str, object] = {"outcome": name, "points": parts.points, "seeds": parts.seeds}
        for key in ("parameters", "common", "interaction", "chance", "mean"):
            value, low, high = getattr(parts, key)
            row |= {key: value, f"{key}_low": low, f"{key}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)
