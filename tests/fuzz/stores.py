"""A store that came to harm: every reading of it is a sentence, or what the unharmed store says."""

from __future__ import annotations

import atexit
import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from unittest import mock

import pandas as pd

from model.setting import Setting
from scenarios import batch
from scenarios.batch import Batch
from scenarios.journal import Journal
from scenarios.runner import Job
from scenarios.store import Store
from scenarios.tables import stored_tables
from studies.study import Study
from tests.fuzz.damage import Damage
from tests.scenarios import toys
from tests.scenarios.stores import plan_of
from undercut.batch import verdict_rows
from undercut.stored import batches
from viz.network import KINDS


def simulation(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """Two quarters at random, for speed; the fragile seed fails."""
    frames = {name: frame.head(2) for name, frame in toys.one_fails(setting, seed).items()}
    return {**frames, "edges": frames["edges"].assign(kind=next(iter(KINDS)))}


Said = dict[tuple[str, str], str | list[str]]
"""What readings give, by batch and reading."""


@cache
def whole(packed: bool) -> tuple[Path, Said]:
    """An unharmed store of two batches, with packs or with parts alone; and what it says."""
    folder = tempfile.mkdtemp(prefix="undercut-fuzz-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    job, store = Job(simulation, toys.every_claim), Path(folder, "s")
    asked = plan_of(job, ("baseline", "consortium"), (1, 2, 3), causes=("export_rules",), compared=1)
    with mock.patch.object(Journal, "finish", Journal.finish if packed else Journal.flush):
        batch.run(plan_of(job, seeds=(2, 4)), job, store, workers=1)
        batch.run(asked, job, store, workers=1)
    study = (
        Study("fuzzed", "A study", {}, {"numbers": pd.DataFrame({"a": [1.0, 2.0]})}).write(Store(store)).name
    )
    known = [(row["batch"], what) for row in batches(store) for what in READINGS] + [(study, STUDY)]
    return store, {(name, what): reading(store, name, what) for name, what in known}


def lines(frame: pd.DataFrame) -> list[str]:
    """A frame as text that is equal where every bit is: the columns with their types, then a line a row."""
    return [str(dict(frame.dtypes)), *frame.to_csv(index=False).splitlines()]


def settings(of: Batch) -> list[str]:
    """What the worlds of a batch are."""
    return [repr((of.world(label), of.setting(label), of.counterfactuals(label))) for label in of.labels]


READINGS: dict[str, Callable[[Batch], str | list[str]]] = {
    "settings": settings,
    "worlds": lambda of: lines(of.worlds()),
    "made with": lambda of: json.dumps(of.made_with, sort_keys=True),
    "verdicts": lambda of: json.dumps(verdict_rows(of), default=str),
    "failures": lambda of: lines(of.failures()),
    **{name: lambda of, name=name: lines(of.table(name)) for name in stored_tables()},  # type: ignore[misc]
}
"""What commands and pages read of a batch."""


STUDY = "study"


def reading(store: Path, name: str, what: str) -> str | list[str]:
    """One reading of a batch of a store, or of a study."""
    if what == STUDY:
        found = Study.open(name, Store(store))
        return [found.title, *lines(found.tables["numbers"])]
    return READINGS[what](Batch.open(name, store))


def lacks(store: Path, name: str) -> bool:
    """Whether a batch of a store says that it lacks runs; a study never does."""
    of = Batch.open(name, store)
    return of.done() < set(of.planned())


QUICK = (
    "ls --store={store}",
    "claims --store={store} --all",
    "compare --batch={store}",
    "export --store={store} --out={out}",
    "study ls --store={store}",
    "study report fuzzed --store={store} --html={out}.html",
    "repair --store={store}",
)
COMMANDS = (*QUICK, "plot --store={store} --out={out}.svg", "report --store={store} --out={out}.html")
"""Commands on a store; those that draw take seconds."""


@contextlib.contextmanager
def harmed(sound: Path, given: list[Damage]) -> Iterator[tuple[Path, list[str]]]:
    """A copy of a store that came to harm, and what befell it."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "s")
        shutil.copytree(sound, store)
        yield store, [each.hit(store) for each in given]


def listing(store: Path) -> list[tuple[str, int]]:
    """Every file but locks, with its size."""
    files = (file for file in store.rglob("*") if not file.name.endswith("lock"))
    return sorted((str(file.relative_to(store)), file.lstat().st_size) for file in files)
