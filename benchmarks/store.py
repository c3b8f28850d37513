"""The store: runs and megabytes a second written and read, by one process.

Runs are made beforehand: one real run, whose numbers are drawn anew around its own for every seed, so that they take
the room of real ones. Times are those of turning tables into the stored form, of writing parts and packs durably, and
of reading a table back as a DataFrame; what is read must be what was written. Megabytes are those of the Arrow tables
in memory.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.sides import plan_of
from benchmarks.table import Line, Row
from benchmarks.turns import Disagreement, say
from model.records import Tables, tables
from scenarios import runner
from scenarios.batch import Batch
from scenarios.journal import Journal
from scenarios.runner import CHUNK_RUNS, Chunk, Result, to_chunk
from scenarios.store import Store
from scenarios.tables import HEADLINE, METRICS
from undercut import batch

ENTERPRISES = 500
RUNS, QUICK_RUNS = {"headline": 2000, "all": 60}, {"headline": 200, "all": 20}
REPEATS = 3
SPREAD = 0.1
"""How far numbers are drawn around those of the real run, relative."""
MB, KB = 1e6, 1e3


@cache
def one_run() -> tuple[Tables, dict[str, float]]:
    """The tables and metrics of a run."""
    found = runner.simulate(plan_of("baseline", [1], ENTERPRISES).members[0].base, 1)
    metrics = batch.job().measure(found)
    return Tables.of(found).only(list(found)), metrics


def drawn(frames: Tables, names: Sequence[str], seed: int) -> Tables:
    """Some of the tables with other numbers."""
    chance, found = np.random.default_rng(seed), frames.only(names)
    for name in names:
        floats = [column.column for column in tables()[name] if column.dtype == "float"]
        factors = 1.0 + SPREAD * chance.standard_normal((len(floats), frames.rows(name)))
        numbers = {
            column: frames.column(name, column) * factor
            for column, factor in zip(floats, factors, strict=True)
        }
        found.put(name, numbers)
    return found


def written(keep: str, runs: int, folder: Path) -> tuple[dict[str, float], Batch, float]:
    """Seconds by what is done to write so many runs, the batch, and its megabytes in memory."""
    frames, metrics = one_run()
    names = stored(keep)
    plan = plan_of("baseline", range(1, runs + 1), ENTERPRISES, keep)
    store = Store.make(folder)
    taken = {"into the stored form": 0.0, "parts and packs written": 0.0}
    size = 0
    with Journal(store, plan) as journal:
        tasks = journal.missing()
        for first in range(0, runs, CHUNK_RUNS):
            results = [
                Result(task, drawn(frames, names, task.seed), metrics)
                for task in tasks[first : first + CHUNK_RUNS]
            ]
            chunk, seconds = _timed(to_chunk, results)
            taken["into the stored form"] += seconds
            size += _bytes(chunk)
            taken["parts and packs written"] += _timed(journal.add, chunk)[1]
        taken["parts and packs written"] += _timed(journal.finish)[1]
    return taken, Batch(store, plan.name), size / MB


def stored(keep: str) -> tuple[str, ...]:
    """The market's tables that are stored of every run."""
    return tuple(tables()) if keep == "all" else HEADLINE


def _bytes(chunk: Chunk) -> int:
    return sum(table.nbytes for table in chunk.tables.values())


def _timed(call: Any, *arguments: Any) -> tuple[Any, float]:
    began = time.perf_counter()
    found = call(*arguments)
    return found, time.perf_counter() - began


def read(made: Batch, keep: str) -> tuple[float, float, int]:
    """Seconds to read all tables of a batch back, their megabytes as DataFrames, and the rows."""
    seconds, size, count = 0.0, 0, 0
    for name in (METRICS, *stored(keep)):
        frame, taken = _timed(made.table, name)
        seconds, size, count = seconds + taken, size + int(frame.memory_usage().sum()), count + len(frame)
        if name in HEADLINE:
            _check(name, frame, made.seeds[-1])
    return seconds, size / MB, count


def _check(name: str, frame: pd.DataFrame, seed: int) -> None:
    expected = drawn(one_run()[0], [name], seed)[name]
    found = frame[frame["seed"] == seed].drop(columns=["scenario", "world", "seed"]).reset_index(drop=True)
    if not found.equals(expected.astype(found.dtypes.to_dict())):
        raise Disagreement("what was read is not what was written")


def measure(quick: bool) -> Iterator[Line]:
    """Headlines only, then all tables."""
    for keep, runs in (QUICK_RUNS if quick else RUNS).items():
        say(f"--keep {keep}, {runs:,} runs")
        paces: dict[tuple[str, str], list[float]] = {}
        for _ in range(1 if quick else REPEATS):
            with tempfile.TemporaryDirectory() as folder:
                taken, made, mb = written(keep, runs, Path(folder) / "store")
                on_disk = made.store.size()
                seconds, read_mb, count = read(made, keep)
            taken["all of that"] = sum(taken.values())
            for what, spent in taken.items():
                paces.setdefault((what, "runs a second"), []).append(runs / spent)
            paces.setdefault(("all of that", "MB a second"), []).append(mb / taken["all of that"])
            paces.setdefault(("on disk", "kB a run"), []).append(on_disk / KB / runs)
            paces.setdefault(("read back", "runs a second"), []).append(runs / seconds)
            paces.setdefault(("read back", "MB a second"), []).append(read_mb / seconds)
            paces.setdefault(("read back", "rows a second"), []).append(count / seconds)
        for (what, unit), values in paces.items():
            yield Row(what, f"--keep {keep}, {runs:,} runs", unit, tuple(values))
