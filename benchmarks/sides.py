"""The two sides of the batch benchmark, one round of each: our runner into a store, and ``mesa.batch_run``.

Both log their clocks (:mod:`benchmarks.clock`) from every process, which costs microseconds a run. A round is
meant to have a process of its own, so that memory is that of the round.
"""

from __future__ import annotations

import inspect
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import mesa
import numpy as np
import pandas as pd

from agents import enterprise
from benchmarks.clock import CLOCK, FOLDER, Note, Spent, note, notes, peak_mb, since, total
from benchmarks.object_market import ObjectMarket, recorded, setting_of
from model import calendar, recording
from model.market import Market
from model.setting import Setting
from scenarios import batch, pack, runner, workers
from scenarios.plan import Plan
from scenarios.progress import Silent
from scenarios.runner import Job
from scenarios.store import Store
from scenarios.workers import one_thread_each
from undercut import batch as undercut_batch

HANDS = 2
"""Worker processes of both sides."""
STEPS = 1000
"""More quarters than any run has: a run ends itself."""

FOUND, DEMAND, MARKET, RECORD, METRICS = "founding", "demand step", "rest of market", "recording", "metrics"
CONVERT, WRITE, PACK, WAIT = "to Arrow", "writing parts", "packing", "waiting for workers"
COLLECT = "collecting"

CALLED, BEGIN, END, CONVERTED, REPORTED = "called", "begin", "end", "converted", "reported"


@dataclass(frozen=True)
class Round:
    """What one round of one side gave. Times in seconds, memory in MB.

    ``in_workers`` sums the clocks of the workers from their first run on, ``in_parent`` is the parent's from then
    on; ``idle`` is what workers spent before their first run and after their last while the round went on.
    ``runs_took`` holds the wall seconds of each run. Memory: the peaks of the parent and of the fullest worker, and by
    how much a run leaves that worker fuller, when it has warmed up.
    """

    runs: int
    start_up: float
    taken: float
    in_workers: Spent
    in_parent: Spent
    idle: float
    runs_took: list[float]
    parent_mb: float
    worker_mb: float
    worker_grows_mb: float
    quarters: dict[int, pd.DataFrame]


# ------------------------------------------------------------------------------------------------------- ours


def simulate(setting: Setting, seed: int) -> Mapping[str, pd.DataFrame]:
    """:func:`scenarios.runner.simulate`, timed."""
    _time_conversion()
    note(BEGIN)
    places = (
        (Market, "__init__", FOUND),
        (Market, "step", MARKET),
        (enterprise, "step", DEMAND),
        (recording.Recording, "write", RECORD),
        (recording.Recording, "tables", RECORD),
    )
    with CLOCK.timing(*places):
        return runner.simulate(setting, seed)


def measure(frames: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """What the runner measures of a run, timed."""
    with CLOCK.on(METRICS):
        measured = undercut_batch.job().measure(frames)
    note(END)
    return measured


@cache
def _time_conversion() -> None:
    """Time the conversion of runs in this process from now on: it follows the runs that it belongs to."""
    convert = CLOCK.timed(CONVERT, runner.to_chunk)

    def noted(results: Sequence[runner.Result]) -> runner.Chunk:
        chunk = convert(results)
        note(CONVERTED)
        return chunk

    runner.to_chunk = noted


class Watching(Silent):
    """Notes when the workers are ready, and the parent's clock and memory at every report."""

    def __init__(self) -> None:
        self.ready_at = 0.0

    def ready(self) -> None:
        """The first run starts."""
        self.ready_at = time.monotonic()
        note(BEGIN)

    def advance(self, runs: int, failures: Sequence[tuple[str, int, str]]) -> None:
        """Runs were stored or are held for the next part."""
        if failures:
            raise RuntimeError(f"a run failed: {failures[0]}")
        note(REPORTED)


def plan_of(scenario: str, seeds: Sequence[int], enterprises: int, keep: str = "headline") -> Plan:
    """A scenario over some seeds, without counterfactual worlds."""
    overrides = {undercut_batch.ENTERPRISES: float(enterprises)}
    return undercut_batch.plan([scenario], seeds, overrides=overrides, compared=0, keep=keep)


def ours(scenario: str, seeds: Sequence[int], enterprises: int, compared: Sequence[int] = ()) -> Round:
    """A batch in our runner, into a store of its own; headline tables of some seeds come along."""
    plan, watch = plan_of(scenario, seeds, enterprises), Watching()
    places = (
        (workers, "wait", WAIT),
        (pack, "write_table", WRITE),
        (pack, "runs_in", PACK),
        (pack, "_write", PACK),
        (Store, "commit", PACK),
        (Store, "merge", PACK),
    )
    with _logged() as folder, tempfile.TemporaryDirectory() as store, CLOCK.timing(*places):
        began = time.monotonic()
        made, _ = batch.run(plan, Job(simulate, measure), store, workers=HANDS, progress=watch)
        ended = time.monotonic()
        note(END)
        quarters = made.table("quarters")
        tables = {seed: quarters[quarters["seed"] == seed].reset_index(drop=True) for seed in compared}
        return _round(len(seeds), began, watch.ready_at, ended, notes(folder), tables)


# ----------------------------------------------------------------------------------------------------- Mesa's


class TimedObjectMarket(ObjectMarket):
    """The reference, timed. The first of a process runs two quarters before, as the first of our workers does."""

    def __init__(self, seed: int, scenario: str, enterprises: int) -> None:
        _warm(scenario, enterprises)
        note(BEGIN)
        with CLOCK.on(FOUND):
            super().__init__(seed, scenario, enterprises)

    def step(self) -> None:
        """One quarter."""
        with CLOCK.on(MARKET):
            super().step()
        if not self.running:
            note(END)

    def step_enterprises(self, *args: object, **kwargs: object) -> None:
        """Demand, with what is prepared for it."""
        with CLOCK.on(DEMAND):
            super().step_enterprises(*args, **kwargs)  # type: ignore[arg-type]

    def report(self) -> None:
        """The headline in Mesa's collector."""
        with CLOCK.on(COLLECT):
            super().report()


@cache
def _warm(scenario: str, enterprises: int) -> None:
    setting = setting_of(scenario, enterprises)
    last = calendar.name(calendar.index(setting.first) + 1)
    Market(replace(setting, record_from=setting.first, last=last)).run()


def mesas(scenario: str, seeds: Sequence[int], enterprises: int, compared: Sequence[int] = ()) -> Round:
    """The same runs through ``mesa.batch_run``, its processes with one thread each as ours."""
    # Mesa from 3.4 on has a name of its own for seeds, and gives the model none where they come as a parameter.
    by_rng = "rng" in inspect.signature(mesa.batch_run).parameters
    given: dict[str, Any] = {} if by_rng else {"seed": list(seeds)}
    asked: dict[str, Any] = {"rng": list(seeds)} if by_rng else {}
    with _logged() as folder:
        began = time.monotonic()
        note(CALLED)
        with one_thread_each():
            rows = mesa.batch_run(
                TimedObjectMarket,
                {"scenario": scenario, "enterprises": enterprises, **given},
                number_processes=HANDS,
                data_collection_period=1,
                max_steps=STEPS,
                display_progress=False,
                **asked,
            )
        ended = time.monotonic()
        note(END)
        readings = notes(folder)
    ready = min(note.at for process in readings for note in process if note.event == BEGIN)
    whole, setting = pd.DataFrame(rows), setting_of(scenario, enterprises)
    tables = {seed: recorded(whole[whole["seed"] == seed], setting) for seed in compared}
    return _round(len(seeds), began, ready, ended, readings, tables)


# ----------------------------------------------------------------------------------------------- reading the log


@contextmanager
def _logged() -> Iterator[Path]:
    """Let this process and those that it starts log into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER] = folder
        try:
            yield Path(folder)
        finally:
            del os.environ[FOLDER]


def _round(
    runs: int,
    began: float,
    ready: float,
    ended: float,
    processes: Sequence[Sequence[Note]],
    quarters: dict[int, pd.DataFrame],
) -> Round:
    in_workers: Spent = {}
    in_parent: Spent = {}
    took, busy = [], 0.0
    parent_mb, fullest = peak_mb(), (0.0, [0.0])
    for process in processes:
        if process[0].process == os.getpid():
            in_parent = since(process[0].spent, process[-1].spent)
            continue
        late = [reading for reading in process if reading.at >= ready]
        if not late:
            continue
        spent = since(late[0].spent, late[-1].spent)
        in_workers = total([in_workers, spent])
        busy += late[-1].at - late[0].at
        starts = [reading.at for reading in late if reading.event == BEGIN]
        ends = [reading.at for reading in late if reading.event == END]
        took += [end - start for start, end in zip(starts, ends, strict=True)]
        after = [reading.memory_mb for reading in late if reading.event == END]
        fullest = max(fullest, (late[-1].peak_mb, after))
    return Round(
        runs=runs,
        start_up=ready - began,
        taken=ended - ready,
        in_workers=in_workers,
        in_parent=in_parent,
        idle=HANDS * (ended - ready) - busy,
        runs_took=took,
        parent_mb=parent_mb,
        worker_mb=fullest[0],
        worker_grows_mb=_growth(fullest[1]),
        quarters=quarters,
    )


def _growth(readings: Sequence[float]) -> float:
    """The slope of a worker's memory over the later half of its runs."""
    later = readings[len(readings) // 2 :]
    return float(np.polyfit(range(len(later)), later, 1)[0]) if len(later) > 1 else float("nan")
