"""The journal of a batch that runs: what comes back becomes parts, and the parts become packs at the end."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from scenarios import pack, tables
from scenarios.folder import PARTIAL, SEAL, Form, StoreError, hash_of, replacing, sealed, write_json
from scenarios.parts import PARTS, drop_damaged, parts_of, runs_of
from scenarios.plan import Plan
from scenarios.runner import Chunk, Task, join
from scenarios.store import SUFFIX, Store

MANIFEST = "manifest.json"
WORLDS = f"worlds{SUFFIX}"
MANIFEST_FORM: Form = {
    SEAL: str,
    "batch": str,
    "code": str,
    "worlds": str,
    "asked": {
        "scenarios": list,
        "worlds": int,
        "seeds": str,
        "counterfactual_seeds": int,
        "keep": str,
        "design": str,
    },
}
PART_RUNS = 200
PART_BYTES = 64_000_000
PART_SECONDS = 5.0
"""A part is written when it holds so many runs or bytes, or after so long: what a crash can cost."""

TEXTS = (
    "label",
    "scenario",
    "of",
    "cause",
    "world",
    "title",
    "name",
    "first",
    "record_from",
    "last",
    "notes",
)
DATA = ("overrides", "shocks", "varied")
"""Columns of the table of worlds: text, and JSON."""


class Journal:
    """The journal of one batch: it holds the batch's lock, collects results into parts and packs them at the end."""

    def __init__(self, store: Store, plan: Plan) -> None:
        self.store, self.plan = store, plan
        self.path = store.batches / plan.name
        self.lock = store.lock_of(plan.name)
        self.held: list[Chunk] = []
        self.held_runs = self.held_bytes = 0
        self.since = time.monotonic()
        self.number = 0
        self.planned = 0

    def __enter__(self) -> Journal:
        if not self.lock.take(wait=False):
            raise StoreError(
                f"the same batch, {self.plan.name}, is being run into {self.store.path} by another process; "
                "wait for it, or give --out another store"
            )
        with self.store.lock:
            self.store.recover()
            (self.path / PARTS).mkdir(parents=True, exist_ok=True)
            for leaving in (self.path / PARTS).glob(f".*{PARTIAL}"):
                leaving.unlink()
            drop_damaged(self.path)
            # Titles and notes may have changed since the same worlds were asked for.
            with replacing(self.path / WORLDS) as partial:
                _write_worlds(self.plan, partial)
            # Anew each time: the batch that was asked for last is the newest.
            code = self.store.record_code()
            worlds = hash_of(self.path / WORLDS)
            manifest = {"batch": self.plan.name, "asked": self.plan.asked(), "code": code, "worlds": worlds}
            write_json(self.path / MANIFEST, sealed(manifest))
        numbers = [int(file.name.partition("-")[0]) for file in (self.path / PARTS).glob(f"*{SUFFIX}")]
        self.number = max(numbers, default=-1) + 1
        return self

    def __exit__(self, *_: object) -> None:
        self.lock.free()

    def missing(self) -> list[Task]:
        """The runs to make, in the order of the plan."""
        runs = list(self.plan.runs())
        self.planned = len(runs)
        parts = parts_of(self.path)
        worlds = set(self.plan.ids)
        there = self.store.runs(worlds) | runs_of(parts[tables.RUNS])
        full = self.store.runs(worlds, tables.KEPT) | runs_of(parts[tables.KEPT])
        ended = self.store.runs(worlds, tables.FAILURES) | runs_of(parts[tables.FAILURES])
        tasks: list[Task] = []
        for place, world, seed, kept in runs:
            headline = (world, seed) not in there
            all_tables = kept and (world, seed) not in full and (world, seed) not in ended
            if headline or all_tables:
                member = self.plan.members[place]
                tasks.append(Task(len(tasks), world, member.base, seed, headline, all_tables, member.varied))
        return tasks

    def add(self, chunk: Chunk) -> None:
        """Hold results, and write a part once there are enough."""
        self.held.append(chunk)
        self.held_runs += len(chunk.places)
        self.held_bytes += sum(table.nbytes for table in chunk.tables.values())
        if (
            self.held_runs >= PART_RUNS
            or self.held_bytes >= PART_BYTES
            or time.monotonic() - self.since >= PART_SECONDS
        ):
            self.flush()

    def flush(self) -> None:
        """Write what is held as one part; the table that says which runs are there comes last."""
        if self.held:
            chunk = join(self.held)
            for layer in reversed(pack.LAYERS):
                for name in layer:
                    if name in chunk.tables:
                        with replacing(self.path / PARTS / f"{self.number:06d}-{name}{SUFFIX}") as partial:
                            pack.write_table(name, partial, chunk.tables[name])
        # Nothing is held before there is a new number, or Ctrl-C in between would write the same runs twice.
        self.held, self.held_runs, self.held_bytes, self.since = [], 0, 0, time.monotonic()
        self.number += 1

    def finish(self) -> None:
        """Pack all parts into the store and clear them."""
        self.flush()
        with self.store.lock:
            self.store.recover()
            order = [(world, seed) for _, world, seed, _ in self.plan.runs()]
            stored = {book: self.store.runs(self.plan.ids, book) for book in (tables.RUNS, tables.KEPT)}
            packs = list(pack.write_packs(parts_of(self.path), order, stored, self.store.path / "tables"))
            self.store.commit(packs)
            self.store.merge()
        shutil.rmtree(self.path / PARTS)


def _write_worlds(plan: Plan, file: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = plan.rows()
    columns: dict[str, pa.Array] = {
        name: pa.array([row[name] for row in rows], pa.string()) for name in TEXTS
    }
    for name in DATA:
        columns[name] = pa.array([json.dumps(row[name], sort_keys=True) for row in rows], pa.string())
    for name in dict.fromkeys(name for row in rows for name in row["varied"]):
        columns[name] = pa.array([row["varied"].get(name) for row in rows], pa.float64())
    pq.write_table(pa.table(columns), file, compression="zstd")
