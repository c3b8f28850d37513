"""What a design of worlds gives: every claimed outcome at every point with every seed, through the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evidence.claims import Claim, by_id
from scenarios.batch import Batch, run
from scenarios.plan import Plan, members_of
from scenarios.runner import Failure, Job
from scenarios.store import DEFAULT
from scenarios.tables import METRICS
from studies.ensemble import job as market_job

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.setting import Setting
    from scenarios.progress import Progress


@dataclass(frozen=True)
class Evaluation:
    """Outcomes of a design of worlds, each with the same seeds: common random numbers.

    Attributes:
        points: what varies, by name, one world each.
        seeds: of every world.
        batch: where the runs are stored.
        by_chance: runs that were lost, as when a process died; the same command makes them again.
        table: outcome by claim id, shape (points, seeds); nan where it is undefined or the run failed.
        failed: whether the run ended in an error, shape (points, seeds).
    """

    points: tuple[Mapping[str, float], ...]
    seeds: tuple[int, ...]
    batch: Batch
    by_chance: tuple[Failure, ...]
    table: Mapping[str, NDArray[np.float64]]
    failed: NDArray[np.bool_]

    def values(self, name: str) -> NDArray[np.float64]:
        """The outcome of a claim's metric, shape (points, seeds), nan where undefined; or, of ``holds:CLAIM``,
        whether the claim holds (1, 0), nan where its metric is. Raises KeyError for what no run measured."""
        kind, _, claim = name.rpartition(":")
        found = self.table[claim]
        if kind != HOLDS:
            return found
        return verdicts_of(by_id()[claim], found)

    @cached_property
    def lost(self) -> float:
        """The share of runs that failed."""
        return float(self.failed.mean()) if self.failed.size else 0.0


HOLDS = "holds"
"""What stands before a claim's id, with a colon, where a study is about whether it holds and not about its value."""


def verdicts_of(claim: Claim, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Whether a claim holds at each of some values of its metric: 1, 0, or nan where the value is."""
    held = np.array([float(claim.holds(value)) for value in values.ravel().tolist()]).reshape(values.shape)
    return np.where(np.isnan(values), np.nan, held)


def evaluate(
    setting: Setting,
    points: Sequence[Mapping[str, float]],
    seeds: Sequence[int],
    out: str | Path = DEFAULT,
    *,
    sampled: str = "",
    workers: int | None = None,
    progress: Progress | None = None,
    job: Job | None = None,
) -> Evaluation:
    """Run a setting at every point of a design with every seed, into a store; what it has is not made again.

    Points that are equal share their runs. ``sampled`` says in words how the points were drawn.

    Raises StoreError when the store cannot be written to, Interrupted at Ctrl-C, after which the same call goes on.
    """
    job = job or market_job()
    distinct = list({tuple(sorted(point.items())): point for point in points}.values())
    members = members_of([(setting, "")], distinct, numbered=True)
    plan = Plan(members, tuple(seeds), 0, "headline", job.simulation, sampled, study=True)
    batch, by_chance = run(plan, job, out, workers=workers, progress=progress)
    places = {tuple(sorted(point.items())): place for place, point in enumerate(distinct)}
    table, failed = _tables(batch, plan)
    rows = [places[tuple(sorted(point.items()))] for point in points]
    return Evaluation(
        tuple(points),
        tuple(seeds),
        batch,
        by_chance,
        {name: values[rows] for name, values in table.items()},
        failed[rows],
    )


def _tables(batch: Batch, plan: Plan) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.bool_]]:
    """Outcomes by name and failures, shape (members, seeds)."""
    # Points of different words may be one world, as a default that is written out.
    place = {world: i for i, world in enumerate(dict.fromkeys(plan.ids))}
    column = {seed: j for j, seed in enumerate(plan.seeds)}
    shape = (len(place), len(column))
    rows = batch.rows(METRICS, dict.fromkeys(place, ""), plan.seeds)
    i = rows["world"].map(place).to_numpy(np.intp)
    j = rows["seed"].map(column).to_numpy(np.intp)
    measured = rows["metric"].to_numpy(str)
    value = rows["value"].to_numpy(np.float64)
    table = {}
    ended = np.zeros(shape, np.bool_)
    ended[i, j] = True
    for name in dict.fromkeys(measured.tolist()):
        of = measured == name
        table[name] = np.full(shape, np.nan)
        table[name][i[of], j[of]] = value[of]
    of_member = [place[world] for world in plan.ids]
    return {name: values[of_member] for name, values in table.items()}, ~ended[of_member]
