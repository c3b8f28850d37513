"""What our runner costs beside the runs: batches of runs that return ready tables."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from evidence.claims import claims
from model import calendar
from model.columns import Column
from model.records import Tables, tables
from model.setting import Setting
from scenarios import batch
from scenarios.plan import Plan, members_of
from scenarios.progress import Silent
from scenarios.runner import Job
from scenarios.scenario import load

SCENARIO = "baseline"
QUARTER = "quarter"
LARGEST = 9


@dataclass(frozen=True)
class Overhead:
    """A batch of trivial runs: seconds until workers were ready and from then on, processor seconds of the parent."""

    runs: int
    start_up: float
    taken: float
    in_parent: float


def simulate(setting: Setting, seed: int) -> Tables:
    """Tables of the schema, made once a process."""
    return _tables(setting.record_from, setting.last)


@cache
def _tables(first: str, last: str) -> Tables:
    chance = np.random.default_rng(1)
    quarters = [calendar.name(q) for q in range(calendar.index(first), calendar.index(last) + 1)]

    def values(column: Column) -> object:
        if column.column == QUARTER:
            return quarters
        if column.dtype == "float":
            return chance.random(len(quarters))
        numbers = chance.integers(0, LARGEST, len(quarters))
        return {"int": numbers, "bool": numbers > 0, "str": numbers.astype(str)}[column.dtype]

    return Tables.of(
        {
            name: pd.DataFrame({column.column: values(column) for column in columns})
            for name, columns in tables().items()
        }
    )


def measure(frames: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """A number for each claim, made once a process."""
    return _metrics()


@cache
def _metrics() -> dict[str, float]:
    chance = np.random.default_rng(1)
    return {claim.id: float(chance.random()) for claim in claims()}


class _Ready(Silent):
    at = processor = 0.0

    def ready(self) -> None:
        self.at, self.processor = time.perf_counter(), time.process_time()


def overhead(runs: int, workers: int) -> Overhead:
    """Run trivial runs into a store of their own."""
    job, shown = Job(simulate, measure), _Ready()
    plan = Plan(
        members_of([(load(SCENARIO), SCENARIO)]), tuple(range(1, runs + 1)), 0, "headline", job.simulation
    )
    with tempfile.TemporaryDirectory() as store:
        began = time.perf_counter()
        made, failures = batch.run(plan, job, store, workers=workers, progress=shown)
        ended, processor = time.perf_counter(), time.process_time()
        if failures or len(made.store.runs()) != runs:
            raise RuntimeError("not every trivial run was stored")
    return Overhead(runs, shown.at - began, ended - shown.at, processor - shown.processor)
