"""Runs one world with one seed, and a list of such runs one after another."""

from __future__ import annotations

import gc
import time
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from model.setting import Setting
from scenarios.world import at

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Tables = Mapping[str, pd.DataFrame]
    Simulate = Callable[[Setting, int], Tables]
    Measure = Callable[[Mapping[str, pd.DataFrame]], dict[str, float]]


CHUNK_RUNS = 20
"""Runs handed to a worker and stored in the same form at once, so that short runs cost little beside themselves."""
SWEEP_SECONDS = 2.0
"""Time between two collections of garbage in a process that runs; each run leaves some ten megabytes."""
REPORT_SECONDS = 0.5
"""How long finished runs may wait for the rest of their chunk."""


def simulate(setting: Setting, seed: int) -> Tables:
    """Run the market to its last quarter and return its tables, each a DataFrame once somebody asks for it."""
    from model.market import Market

    market = Market(setting, seed)
    try:
        while not market.finished:
            market.step()
        return market.tables()
    finally:
        market.release()


def no_metrics(tables: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """Measure nothing: for callers that want tables alone."""
    return {}


@dataclass(frozen=True)
class Job:
    """How runs are made and measured; both must be functions that a worker can import."""

    simulate: Simulate = simulate
    measure: Measure = no_metrics

    @property
    def simulation(self) -> str:
        """The name of what simulates, a part of every run's name."""
        return f"{self.simulate.__module__}.{self.simulate.__qualname__}"


@dataclass(frozen=True)
class Task:
    """One run to make: its place in the plan, its world and seed, and which of its tables are missing."""

    place: int
    world: str
    base: Setting
    seed: int
    headline: bool = True
    full: bool = False
    varied: Mapping[str, float] = field(default_factory=dict)

    @property
    def setting(self) -> Setting:
        """The world to simulate: the base with what varies."""
        return at(self.base, self.varied)


@dataclass(frozen=True)
class Failure:
    """A run that ended in an error; one of chance (its process died) is worth another try."""

    world: str
    seed: int
    traceback: str
    by_chance: bool = False

    @property
    def reason(self) -> str:
        """The last line of the traceback."""
        return self.traceback.strip().splitlines()[-1]


@dataclass(frozen=True)
class Chunk:
    """What some runs gave: their places in the plan, stored tables by name, and the runs that failed."""

    places: tuple[int, ...] = ()
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Result:
    """What one run gave: its tables and metrics, or how it failed."""

    task: Task
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    failure: Failure | None = None


def run_task(job: Job, task: Task) -> Result:
    """Make one run; whatever it dies of is recorded and returned, never raised."""
    try:
        made = _made(job, task)
        return made if task.full else replace(made, frames=_headline(made.frames))
    except Exception as error:  # noqa: BLE001  whatever a run dies of, the batch goes on
        return _failed(task, error)


def replay(job: Job, task: Task) -> Result:
    """Make one run, up to the form in which it is stored, and raise what it dies of where it does."""
    result = _made(job, task)
    _to_chunk([result])
    return result


def _made(job: Job, task: Task) -> Result:
    frames = job.simulate(task.setting, task.seed)
    return Result(task, frames, job.measure(frames) if task.headline else {})


def _headline(frames: Tables) -> Tables:
    """The tables that are stored of every run: results wait for others, and should not hold what nobody will see."""
    from model import records
    from scenarios.tables import HEADLINE

    return frames.only(HEADLINE) if isinstance(frames, records.Tables) else frames


def to_chunk(results: Sequence[Result]) -> Chunk:
    """What several runs gave, in the stored form; a run whose tables do not fit the schema has failed."""
    try:
        return _to_chunk(results)
    except (ValueError, KeyError) as error:
        if len(results) == 1:
            return _to_chunk([_failed(results[0].task, error)])
        return join([to_chunk([result]) for result in results])


def _to_chunk(results: Sequence[Result]) -> Chunk:
    from scenarios import tables

    # A failure by chance leaves nothing in the store, so that the run is made again.
    stored = [result for result in results if result.failure is None or not result.failure.by_chance]
    well = [result for result in stored if result.failure is None]
    headline = {(r.task.world, r.task.seed): r for r in well if r.task.headline}
    full = {(r.task.world, r.task.seed): r for r in well if r.task.full}
    bad = [result.failure for result in stored if result.failure is not None]
    made: dict[str, pa.Table] = {}
    if headline:
        made[tables.METRICS] = tables.metrics_to_arrow({run: r.metrics for run, r in headline.items()})
        for name in tables.HEADLINE:
            made[name] = tables.to_arrow(name, {run: r.frames for run, r in headline.items()})
    if full:
        for name in tables.full_tables():
            made[name] = tables.to_arrow(name, {run: r.frames for run, r in full.items()})
        filled = {name: tables.runs_of(made[name]) for name in tables.full_tables()}
        empty = {run: ",".join(name for name, runs in filled.items() if run not in runs) for run in full}
        made[tables.KEPT] = tables.rows_to_arrow(tables.KEPT, [(*run, names) for run, names in empty.items()])
    if bad:
        made[tables.FAILURES] = tables.rows_to_arrow(
            tables.FAILURES, [(f.world, f.seed, f.reason, f.traceback) for f in bad]
        )
    if headline or bad:
        rows = [(*run, True) for run in headline] + [(f.world, f.seed, False) for f in bad]
        made[tables.RUNS] = tables.rows_to_arrow(tables.RUNS, rows)
    places = tuple(result.task.place for result in results)
    return Chunk(places, made, tuple(result.failure for result in results if result.failure is not None))


def _failed(task: Task, error: Exception) -> Result:
    # A run that ended well before can only have failed by chance now, as one that found no memory.
    by_chance = _of_the_machine(error) or not task.headline
    return Result(task, failure=Failure(task.world, task.seed, trace(error), by_chance))


def _of_the_machine(error: BaseException | None) -> bool:
    """Whether memory, disk or a library that cannot be loaded is behind an error, also where another one was made of it."""
    while error is not None:
        if isinstance(error, (MemoryError, OSError, ImportError)):
            return True
        error = error.__cause__ or error.__context__
    return False


def lost(task: Task, reason: str) -> Chunk:
    """The chunk of a run that was lost with its process; it leaves nothing in the store."""
    return to_chunk([Result(task, failure=Failure(task.world, task.seed, reason, by_chance=True))])


def join(chunks: Sequence[Chunk]) -> Chunk:
    """Several chunks as one, in their order."""
    import pyarrow as pa

    if len(chunks) == 1:
        return chunks[0]
    names = dict.fromkeys(name for chunk in chunks for name in chunk.tables)
    return Chunk(
        tuple(place for chunk in chunks for place in chunk.places),
        {name: pa.concat_tables([c.tables[name] for c in chunks if name in c.tables]) for name in names},
        tuple(failure for chunk in chunks for failure in chunk.failures),
    )


def run_chunk(job: Job, tasks: Sequence[Task]) -> Generator[Chunk, None, None]:
    """Make runs one after another and yield them joined, at least every so often."""
    held: list[Result] = []
    said = swept = time.monotonic()
    for task in tasks:
        held.append(run_task(job, task))
        if time.monotonic() - swept > SWEEP_SECONDS:
            gc.collect()  # a market refers to itself all over, and such garbage is collected late by itself
            swept = time.monotonic()
        if len(held) == CHUNK_RUNS or time.monotonic() - said > REPORT_SECONDS:
            yield to_chunk(held)
            held, said = [], time.monotonic()
    if held:
        yield to_chunk(held)


def trace(error: BaseException) -> str:
    """A traceback that names files within their packages: stored tables hold no path of a machine."""
    told = traceback.TracebackException.from_exception(error)
    seen: list[traceback.TracebackException] = [told]
    for part in seen:
        for frame in part.stack:
            frame.filename = _within_package(frame.filename)
        seen += [
            other for other in (part.__cause__, part.__context__) if other is not None and other not in seen
        ]
    return "".join(told.format())


def _within_package(filename: str) -> str:
    """The last part of a file's path, from its package on: ``model/market.py``, ``numpy/linalg/linalg.py``."""
    path = Path(filename)
    for mark in ("site-packages", "dist-packages"):
        if mark in path.parts:
            return Path(*path.parts[path.parts.index(mark) + 1 :]).as_posix()
    return Path(*path.parts[-2:]).as_posix()
