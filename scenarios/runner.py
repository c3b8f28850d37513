"""Runs one scenario over many seeds, in one process or several, and hands results on in order of seed."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from model.setting import Setting
from scenarios.progress import Progress, Silent

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Tables = dict[str, pd.DataFrame]
    Simulate = Callable[[Setting, int], Tables]
    Measure = Callable[[Tables, Mapping[str, Tables]], dict[str, float]]


def simulate(setting: Setting, seed: int) -> Tables:
    """Run the market to its last quarter and return its tables as DataFrames by name."""
    from model.market import Market

    return Market(setting, seed).run()


def no_metrics(tables: Tables, counterfactuals: Mapping[str, Tables]) -> dict[str, float]:
    """Measure nothing: for callers that want tables alone."""
    return {}


@dataclass(frozen=True)
class Job:
    """What every seed of a batch has in common; it is sent to each worker once.

    ``worlds`` are counterfactuals by name (see :mod:`scenarios.counterfactual`): each seed is run again in
    each of them, and ``measure`` sees those tables beside the seed's own; they never leave the worker. They
    cost a run each: ``compared`` names the seeds that are worth it, all of them when it is None.
    ``simulate`` and ``measure`` must be functions that a worker can import. Without ``keep_tables`` only the
    metrics come back.
    """

    setting: Setting
    worlds: tuple[tuple[str, Setting], ...] = ()
    compared: frozenset[int] | None = None
    simulate: Simulate = simulate
    measure: Measure = no_metrics
    keep_tables: bool = True

    def worlds_of(self, seed: int) -> tuple[tuple[str, Setting], ...]:
        """The counterfactual worlds that a seed is run in."""
        return self.worlds if self.compared is None or seed in self.compared else ()


@dataclass(frozen=True)
class Failure:
    """A run that ended in an error: its seed, its counterfactual world ("" for none), the traceback."""

    seed: int
    world: str
    traceback: str

    @property
    def reason(self) -> str:
        """The last line of the traceback."""
        return self.traceback.strip().splitlines()[-1]


@dataclass(frozen=True)
class Outcome:
    """What one seed gave: its tables in the stored form, its metrics, and the runs that failed.

    A seed whose own run failed has neither tables nor metrics; one whose counterfactual failed lacks only
    the metrics that need it.
    """

    seed: int
    tables: dict[str, pa.Table] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the seed's own run ended well."""
        return all(failure.world for failure in self.failures)


def run_seed(job: Job, seed: int) -> Outcome:
    """Run one seed and its counterfactuals; an error in any of them is caught and recorded."""
    from scenarios.tables import to_arrow

    failures: list[Failure] = []
    counterfactuals: dict[str, Tables] = {}
    try:
        frames = job.simulate(job.setting, seed)
        for world, setting in job.worlds_of(seed):
            try:
                counterfactuals[world] = job.simulate(setting, seed)
            except Exception:  # noqa: BLE001  whatever a run dies of, the batch goes on
                failures.append(Failure(seed, world, traceback.format_exc()))
        metrics = job.measure(frames, counterfactuals)
        kept = frames if job.keep_tables else {}
        tables = {name: to_arrow(name, frame, job.setting.name, seed) for name, frame in kept.items()}
    except Exception:  # noqa: BLE001  whatever a run dies of, the batch goes on
        return Outcome(seed, failures=(Failure(seed, "", traceback.format_exc()), *failures))
    return Outcome(seed, tables, metrics, tuple(failures))


def run_job(
    job: Job, seeds: Sequence[int], workers: int | None = None, progress: Progress | None = None
) -> Generator[Outcome, None, None]:
    """Run every seed and yield the outcomes in the order of ``seeds``, each as soon as its turn has come.

    ``workers`` is the number of processes (default: one a processor; never more than seeds); 1 runs in this
    process. Seeds are independent, so the outcomes do not depend on it. A seed that fails, or whose worker
    dies twice, comes back as an outcome with its failure. Closing the generator ends the workers.
    """
    seeds = list(dict.fromkeys(seeds))
    workers = min(workers or os.cpu_count() or 1, len(seeds))
    with progress or Silent() as shown:
        runs = {seed: 1 + len(job.worlds_of(seed)) for seed in seeds}
        shown.start(len(seeds), sum(runs.values()))
        if workers <= 1:
            shown.ready()
            outcomes: Generator[Outcome, None, None] = (run_seed(job, seed) for seed in seeds)
        else:
            from scenarios.workers import run_in_workers

            outcomes = run_in_workers(job, seeds, workers, shown)
        waiting: dict[int, Outcome] = {}
        turn = 0
        with contextlib.closing(outcomes):
            for outcome in outcomes:
                shown.advance(
                    outcome.seed, runs[outcome.seed], [failure.reason for failure in outcome.failures]
                )
                waiting[outcome.seed] = outcome
                while turn < len(seeds) and seeds[turn] in waiting:
                    yield waiting.pop(seeds[turn])
                    turn += 1
