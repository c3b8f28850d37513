"""From the names of scenarios to a stored and judged batch: what `undercut run` and `undercut.run` do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenarios import batch as store
from scenarios.batch import Batch
from scenarios.plan import KEEP_DEFAULT, Plan
from scenarios.store import DEFAULT
from studies.ensemble import ENTERPRISES, Values, drawn, job, overrides, plan, seeds_of, settled

if TYPE_CHECKING:
    from scenarios.design import Point
    from scenarios.progress import Progress
    from scenarios.runner import Failure

__all__ = [
    "ENTERPRISES",
    "carry_out",
    "drawn",
    "job",
    "overrides",
    "plan",
    "pooled_rows",
    "run",
    "seeds_of",
    "settled",
    "verdict_rows",
    "verdicts",
]


def run(
    scenarios: str | Path | Sequence[str | Path] = "baseline",
    seeds: int | str | Sequence[int] = 8,
    *,
    overrides: Values | None = None,
    design: Sequence[Point] = ({},),
    compared: int | None = None,
    keep: str = KEEP_DEFAULT,
    out: str | Path = DEFAULT,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> Batch:
    """Run scenarios over seeds into a store, and return the batch: tables and metrics of every run.

    >>> import undercut
    >>> batch = undercut.run(["baseline", "consortium"], seeds=8)
    >>> batch.table("quarters")      # a DataFrame with scenario, world and seed in front
    >>> undercut.verdicts(batch, "baseline")

    Runs that the store has already are not made again; after an interruption the same call makes the rest.

    Args:
        scenarios: names of the library or paths of TOML files.
        seeds: how many, or which, in words as ``"1,2,5-8"`` or as numbers.
        overrides: values of parameters by name, for all scenarios.
        design: values of parameters that vary, one world a point: see :mod:`scenarios.design`; ``overrides`` gives
            none of them a value.
        compared: how many of the seeds, the first ones, to run also in the worlds that claims about causes
            compare with; 0 leaves such claims untested. By default 8 for one world, 0 for several.
        keep: of which runs all tables are stored: ``"all"``, ``"headline"``, or ``"sample:N"``.
        out: the folder of the store.
        workers: processes, by default one a processor. In a script, call this under
            ``if __name__ == "__main__":``, because workers import the script.
        scheduler: the address of a Dask scheduler to run on instead.
        progress: what to show; nothing by default.

    Raises:
        ScenarioError, ParameterError, SeedsError, DesignError, PlanError, StoreError: what is wrong with the
            arguments and how to mend it. A run that fails raises nothing: see :meth:`Batch.failures`.
    """
    names = [scenarios] if isinstance(scenarios, (str, Path)) else list(scenarios)
    planned = plan(names, seeds, overrides=overrides, design=design, compared=compared, keep=keep)
    made, _ = carry_out(planned, out, workers=workers, scheduler=scheduler, progress=progress)
    return made


def carry_out(
    planned: Plan,
    out: str | Path = DEFAULT,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> tuple[Batch, tuple[Failure, ...]]:
    """Make what the store lacks of a plan; returns the batch and the runs that failed by chance."""
    return store.run(planned, job(), out, workers=workers, scheduler=scheduler, progress=progress)


def verdicts(batch: Batch, label: str | None = None) -> list[dict[str, Any]]:
    """Verdicts on every claim in one world of a batch (by default its first), as plain data."""
    from evidence.ensemble import verdicts as judge

    chosen = label or batch.labels[0]
    return [verdict.row() for verdict in judge(batch, [chosen])[chosen]]


def verdict_rows(batch: Batch, labels: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The same of several worlds (by default every asked one), with the label of each in ``scenario``."""
    from evidence.ensemble import verdicts as judge

    return [
        {"scenario": label, **verdict.row()}
        for label, found in judge(batch, labels).items()
        for verdict in found
    ]


def pooled_rows(batch: Batch) -> list[dict[str, Any]]:
    """Verdicts over all worlds of a batch together, as when these are draws from one distribution."""
    from studies.calibration.pooled import verdicts as pooled

    return [verdict.row() for verdict in pooled(batch)]
