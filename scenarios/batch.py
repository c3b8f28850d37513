"""A batch in a store: what it asked for, its parts while it runs, and its tables afterwards."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.quotation import quoted
from model.setting import Setting
from scenarios import pack, parts, tables
from scenarios.cluster import connected
from scenarios.dispatch import run_tasks
from scenarios.folder import StoreError, as_store_error, hash_of, read_json, sync
from scenarios.journal import DATA, MANIFEST, MANIFEST_FORM, WORLDS, Journal
from scenarios.parts import PARTS
from scenarios.plan import DRAWS, Plan, kept_seeds
from scenarios.runner import Job
from scenarios.seeds import parse
from scenarios.store import CODE_FORM, DEFAULT, MARKER, Store
from scenarios.tables import Run
from scenarios.world import restore

if TYPE_CHECKING:
    import pandas as pd

    from scenarios.progress import Progress
    from scenarios.runner import Failure


class Interrupted(BaseException):
    """Ctrl-C during a batch, after what was made has been stored."""

    def __init__(self, done: int, planned: int) -> None:
        super().__init__(f"interrupted; {done} of {planned} runs are stored, the same command makes the rest")


def run(
    plan: Plan,
    job: Job,
    out: str | Path = DEFAULT,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> tuple[Batch, tuple[Failure, ...]]:
    """Make the runs of a plan that the store does not have, and return the batch and what failed by chance.

    Runs that are stored already, by this batch before an interruption or by another one, are not made again.

    Raises:
        StoreError: the store cannot be written to, the same batch is being run by another process, or the scheduler
            cannot be reached or is gone; what was made until then is stored.
        Interrupted: Ctrl-C; what was made until then is stored.
    """
    store = Store.make(out)
    by_chance: list[Failure] = []
    # A cluster that is not there leaves no batch behind.
    cluster = connected(scheduler) if scheduler is not None else contextlib.nullcontext()
    with as_store_error(store.path), cluster as client, Journal(store, plan) as journal:
        tasks = journal.missing()
        planned = journal.planned
        chunks = run_tasks(job, tasks, workers, client, progress, stored=planned - len(tasks))
        left = len(tasks)
        try:
            for chunk in chunks:
                by_chance += (failure for failure in chunk.failures if failure.by_chance)
                left -= len(chunk.places)
                journal.add(chunk)
        except KeyboardInterrupt:
            journal.flush()
            raise Interrupted(planned - left, planned) from None
        except (StoreError, BrokenPipeError):
            journal.flush()
            raise
        finally:
            chunks.close()
        if by_chance:
            # Not packed yet: the same command makes the lost runs, and the bytes are those of a batch without loss.
            journal.flush()
        else:
            journal.finish()
    return Batch(store, plan.name), tuple(by_chance)


def repair(store: Store) -> tuple[int, int]:
    """Drop what is damaged in a store, so that batches make it again: packs, and parts of unfinished batches.

    Returns the number of damaged files, and of other runs dropped since they lost a part. The parts of a batch that
    is running are left to it.
    """
    files, runs = store.repair()
    for folder in store.batches.glob(f"*/{PARTS}"):
        lock = store.lock_of(folder.parent.name)
        with as_store_error(store.path):
            if lock.take(wait=False):
                try:
                    files += parts.drop_damaged(folder.parent)
                finally:
                    lock.free()
    return files, runs


@dataclass(frozen=True)
class Batch:
    """A batch of a store, finished or not. Tables hold what is stored by now."""

    store: Store
    name: str

    @classmethod
    def open(cls, what: str | Path, store: str | Path = DEFAULT) -> Batch:
        """A batch by its folder, by a store's folder (the newest batch), or by the first letters of its name.

        Where several names begin so, it is the newest of them that is not a study's, if there is one. Raises StoreError
        when there is none.
        """
        path = Path(what)
        if (path / MANIFEST).is_file():
            return cls(
                Store(path.resolve().parents[1] if path.is_symlink() else path.parent.parent), path.name
            )
        if (path / MARKER).is_file():
            store, what = path, ""
        home = Store(store)
        found = [batch for batch in cls.all(home) if batch.name.startswith(str(what))]
        if not found:
            there = ", ".join(batch.name for batch in cls.all(home)[:SHOWN_NAMES]) or "no batch yet"
            raise StoreError(
                f"{home.path} has no batch {quoted(str(what))}; it has {there} (see `undercut ls`)"
            )
        return max(found, key=lambda batch: (not batch.of_study, (batch.path / MANIFEST).stat().st_mtime_ns))

    @classmethod
    def all(cls, store: Store) -> list[Batch]:
        """The batches of a store, by name."""
        if not store.batches.is_dir():  # whoever made the store was killed right then
            return []
        folders = sorted(folder for folder in store.batches.iterdir() if (folder / MANIFEST).is_file())
        return [cls(store, folder.name) for folder in folders]

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.store.batches / self.name

    @property
    def manifest(self) -> dict[str, Any]:
        """What was asked for, and the code that runs it, as stored."""
        found = read_json(self.path / MANIFEST, MANIFEST_FORM, self._mend)
        if found["batch"] != self.name:
            raise StoreError(f"{self.path / MANIFEST} is that of {found['batch']}; {self._mend}")
        return found

    @property
    def drawn(self) -> bool:
        """Whether its worlds are draws of a scenario, so that verdicts are pooled over them."""
        return str(self.manifest["asked"].get("design", "")).startswith(DRAWS)

    @property
    def of_study(self) -> bool:
        """Whether a study asked for it last; not so where its manifest cannot tell."""
        try:
            return bool(self.manifest["asked"].get("study"))
        except StoreError:  # whoever opens it hears of that
            return False

    @property
    def made_with(self) -> dict[str, Any]:
        """The code, libraries, processor and parameter table that its runs were made with."""
        code = self.manifest["code"]
        file = self.store.path / "code" / f"{code}.json"
        # A name within the folder, and no way out of it.
        found = read_json(file, CODE_FORM, self._mend) if code.isalnum() else {}
        if not found or found.pop("name") != code:
            raise StoreError(f"{file} is missing or damaged; {self._mend}")
        return found

    @property
    def _mend(self) -> str:
        return f"run the same command again, or remove the batch with `undercut rm {self.name}`"

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of every asked world."""
        return parse(self.manifest["asked"]["seeds"])

    @cached_property
    def _worlds(self) -> pd.DataFrame:
        import pandas as pd

        file, known = self.path / WORLDS, self.manifest["worlds"]
        if not file.is_file() or hash_of(file) != known:
            raise StoreError(f"{file} is missing or damaged; {self._mend}")
        frame = pd.read_parquet(file)
        for name in DATA:
            frame[name] = frame[name].map(json.loads)
        return frame.set_index("label", drop=False)

    def worlds(self) -> pd.DataFrame:
        """A row a world: ``label``, ``scenario``, ``world`` (its id), ``of`` and ``cause`` for counterfactuals,
        title, horizon, overrides and shocks, and a column for each parameter that varies."""
        return self._worlds.reset_index(drop=True)

    @cached_property
    def labels(self) -> list[str]:
        """The labels of the asked worlds, in order."""
        frame = self._worlds
        return [str(label) for label in frame["label"][frame["of"] == ""]]

    def setting(self, label: str) -> Setting:
        """The setting of a world by its label. Raises StoreError when the batch has no such world."""
        row = self._row(label)
        keys = ("name", "first", "record_from", "last", "overrides", "shocks", "notes")
        try:
            return restore({key: row[key] for key in keys})
        except (KeyError, TypeError, ValueError):
            raise StoreError(
                f"this version cannot make the world {label!r} of {self.name} again: another one stored it"
            ) from None

    def world(self, label: str) -> str:
        """The id of a world by its label. Raises StoreError when the batch has no such world."""
        self._check(label)
        return self._ids[label]

    @cached_property
    def _ids(self) -> dict[str, str]:
        frame = self._worlds
        return dict(zip(frame["label"], frame["world"], strict=True))

    def counterfactuals(self, label: str) -> dict[str, str]:
        """The worlds that a world is compared with: ids by cause."""
        return self._others.get(label, {})

    @cached_property
    def _others(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        frame = self._worlds
        for of, cause, world in zip(frame["of"], frame["cause"], frame["world"], strict=True):
            if of:
                found.setdefault(of, {})[cause] = world
        return found

    def table(self, name: str, label: str | None = None) -> pd.DataFrame:
        """A table of the asked worlds or of one of them, first ``scenario`` (the label), ``world`` and ``seed``.

        Only runs of this batch are in it, and full tables only of the seeds that it keeps. Raises StoreError
        when there is no such table or world.
        """
        import pandas as pd

        if name not in tables.stored_tables():
            raise StoreError(
                f"there is no table {quoted(name)}; write one of {', '.join(tables.stored_tables())}"
            )
        seeds = self.seeds
        if name in pack.FULL_BOOKS:
            seeds = seeds[: kept_seeds(self.manifest["asked"]["keep"], len(seeds))]
        ids = {known: self.world(known) for known in (self.labels if label is None else [label])}
        frame = self.rows(name, {world: known for known, world in ids.items()}, seeds)
        if len(set(ids.values())) == len(ids):
            return frame
        # Several labels come to one world: its rows stand under each of them.
        copies = [frame[frame["world"] == world].assign(scenario=known) for known, world in ids.items()]
        return pd.concat(copies, ignore_index=True)

    def rows(self, name: str, labels: Mapping[str, str], seeds: Sequence[int] | None = None) -> pd.DataFrame:
        """The rows of a table of some worlds, given their labels by id, in the order of these and of seeds."""
        import pandas as pd
        import pyarrow as pa

        due = self._due(name, labels)  # first: what is stored meanwhile is not missed
        # Parts before packs: what is packed meanwhile is in both then, and not in neither.
        unpacked = parts.read(self.store, self.path, name, labels)
        found = pack.once([self.store.read(name, labels), *unpacked])
        frame: pd.DataFrame = pa.concat_tables(found, promote_options="default").to_pandas()
        self._miss_none(name, due.difference(*map(tables.runs_of, found)))
        if seeds is not None:
            frame = frame[frame["seed"].isin(list(seeds))]
        places = {world: place for place, world in enumerate(labels)}
        order = pd.DataFrame({"w": frame["world"].map(places), "s": frame["seed"]}).sort_values(
            ["w", "s"], kind="stable"
        )
        frame = frame.loc[order.index].reset_index(drop=True)
        frame.insert(0, "scenario", frame["world"].map(labels).astype("str"))
        return frame

    def _due(self, name: str, worlds: Collection[str]) -> set[Run]:
        """The runs that must have rows in a table, since they are stored. Raises StoreError as :meth:`table` does."""
        if name in tables.full_tables():
            self._miss_none(tables.KEPT, self._kept(worlds) - self._listed(tables.KEPT, worlds))
            return self._full_of(name, worlds)
        if name == tables.KEPT:
            return self._kept(worlds)
        if name in (tables.METRICS, *tables.HEADLINE, tables.FAILURES):
            return self._listed(tables.RUNS, worlds, ok=name != tables.FAILURES)
        return set()

    def _miss_none(self, name: str, runs: set[Run]) -> None:
        """Raise StoreError where runs lack their rows of a table, as when a file has been deleted."""
        if missing := runs & set(self.planned()):
            raise StoreError(
                f"{self.store.path}: the rows of {len(missing)} runs are gone from the table {name}; "
                f"`undercut repair --store {self.store.path}` drops these runs, then run the batch again"
            )

    def _kept(self, worlds: Collection[str]) -> set[Run]:
        """The runs of some worlds of which a finished batch has all tables; of an unfinished one nobody can tell."""
        if (self.path / PARTS).exists():
            return set()
        seeds = self.seeds[: kept_seeds(self.manifest["asked"]["keep"], len(self.seeds))]
        asked = {(world, seed) for world in {*map(self.world, self.labels)} & {*worlds} for seed in seeds}
        return asked & self._listed(tables.RUNS, worlds, ok=True) - self._listed(tables.FAILURES, worlds)

    def _listed(self, book: str, worlds: Collection[str], ok: bool | None = None) -> set[Run]:
        """The runs of some worlds that a book names, in parts or packs; of RUNS those that ended well, or that failed."""
        import pyarrow.compute as pc

        found = [*parts.read(self.store, self.path, book, worlds), self.store.read(book, worlds)]
        if ok is not None:
            found = [rows.filter(pc.field("ok") == ok) for rows in found]
        return set[Run]().union(*map(tables.runs_of, found))

    def _full_of(self, name: str, worlds: Collection[str]) -> set[Run]:
        """The runs of some worlds that have rows in a table of those that are stored on request."""
        unpacked = parts.read(self.store, self.path, tables.KEPT, worlds)
        return self.store.full_of(name, worlds).union(*(tables.full_of(name, rows) for rows in unpacked))

    def frames(self, label: str) -> Iterator[tuple[int, dict[str, pd.DataFrame]]]:
        """The market's tables of each run of a world whose tables are all kept, with its seed, as a run gives them."""
        from model.records import tables as schema

        keys = ["scenario", "world", "seed"]
        found = {name: self.table(name, label) for name in schema()}
        kept = self.table(tables.KEPT, label)
        pieces = {name: dict(iter(frame.groupby("seed"))) for name, frame in found.items()}
        for seed in kept["seed"]:
            yield (
                int(seed),
                {
                    name: by_seed.get(seed, found[name].iloc[:0]).drop(columns=keys).reset_index(drop=True)
                    for name, by_seed in pieces.items()
                },
            )

    def planned(self) -> list[Run]:
        """Every run of the batch."""
        compared = self.manifest["asked"]["counterfactual_seeds"]
        frame = self.worlds()
        runs = {
            (world, seed): None
            for world, of in zip(frame["world"], frame["of"], strict=True)
            for seed in (self.seeds[:compared] if of else self.seeds)
        }
        return list(runs)

    def done(self) -> set[Run]:
        """The runs that are stored by now, failed ones among them; :attr:`complete` says whether that is all."""
        planned = self.planned()
        worlds = {world for world, _ in planned}
        unpacked = parts.read(self.store, self.path, tables.RUNS, worlds)
        there = set[Run]().union(*map(tables.runs_of, unpacked))
        return set(planned) & (there | self.store.runs(worlds))

    def failures(self) -> pd.DataFrame:
        """The runs that failed, counterfactuals among them: scenario, world, seed, reason, traceback."""
        frame = self.worlds()
        rows = self.rows(tables.FAILURES, dict(zip(frame["world"], frame["label"], strict=True)))
        planned = set(self.planned())
        mask = [run in planned for run in zip(rows["world"], rows["seed"], strict=True)]
        return rows[mask].reset_index(drop=True)

    @property
    def complete(self) -> bool:
        """Whether everything that it asked for has been made and packed."""
        return not (self.path / PARTS).exists() and self.done() == set(self.planned())

    @property
    def running(self) -> bool:
        """Whether a process is working on it now."""
        return self.store.lock_of(self.name).held()

    def remove(self) -> int:
        """Forget the batch and drop the runs that no other batch has; returns how many went.

        Raises StoreError when it is running, or the store cannot be written to.
        """
        lock = self.store.lock_of(self.name)
        with as_store_error(self.store.path):
            if not lock.take(wait=False):
                raise StoreError(f"{self.name} is being run by another process; stop it first")
            try:
                with self.store.lock:
                    self.store.recover()
                    others = (batch for batch in Batch.all(self.store) if batch.name != self.name)
                    gone = self.store.keep_only({run for batch in others for run in batch.planned()})
                    # Whatever ends this on the way leaves a batch that can be removed, or none.
                    (self.path / MANIFEST).unlink()
                    sync(self.path)
                    shutil.rmtree(self.path)
                lock.path.unlink()
            finally:
                lock.free()
        return gone

    def _row(self, label: str) -> Mapping[str, Any]:
        self._check(label)
        return {str(name): value for name, value in self._worlds.loc[label].items()}

    def _check(self, label: str) -> None:
        if label not in self._ids:
            from scenarios.scenario import nearest

            hint = nearest(label, self._ids) or f"write one of {', '.join([*self._ids][:SHOWN_NAMES])}"
            raise StoreError(f"batch {self.name} has no scenario {quoted(label)}; {hint}")


SHOWN_NAMES = 12
