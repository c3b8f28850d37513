"""The store: one folder of Parquet tables that many batches share, and the batches that are in it.

::

    runs/
      undercut.json              what this folder is
      tables/<table>/<hash>.parquet   packs: rows of many runs, named by their content
      batches/<batch>/           what each batch asked for; its parts while it runs
      code/<hash>.json           the code, the libraries and the parameter table that runs were made with

A pack is written under a temporary name, and a batch's packs appear together: their renames are first written
down, so that whoever comes next finishes what a dying process began.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenarios import tables, version
from scenarios.folder import (
    HASH_LETTERS,
    PARTIAL,
    SEAL,
    Form,
    Lock,
    StoreError,
    as_store_error,
    hash_of,
    read_json,
    sealed,
    sync,
    write_json,
)
from scenarios.tables import Run

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 3
DEFAULT = Path("runs")
MARKER = "undercut.json"
FOLDERS = ("tables", "batches", "code", "studies")
COMMIT = "commit.json"
LOCK = "lock"
SUFFIX = ".parquet"
COMMIT_FORM: Form = {"rename": list, "delete": list}
CODE_FORM: Form = {
    **dict.fromkeys(("name", "undercut", "python", "processor", SEAL), str),
    **dict.fromkeys(("code", "libraries", "parameters"), dict),
}
"""What stands in the file of a code; its own name too, so that two of them cannot change places."""

SMALL_BYTES = 8_000_000
READ_TRIES = 5
MANY_PACKS = 64
"""So many packs of a table below so many bytes are merged."""


class Store:
    """A store that exists. Raises StoreError, when made, for a folder that holds none."""

    def __init__(self, path: str | Path = DEFAULT) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            elsewhere = "" if self.path == DEFAULT else f" --out {path}"
            raise StoreError(f"there is no store {path}; `undercut run baseline{elsewhere}` would make one")
        if not (self.path / MARKER).is_file():
            raise StoreError(
                f"{path} is not an Undercut store (it has no {MARKER}); give the folder of --out"
            )
        mend = f'write {{"format": {FORMAT}}} into it if this is a store, or give another folder'
        found = read_json(self.path / MARKER, {"format": int}, mend)["format"]
        if found != FORMAT:
            raise StoreError(
                f"{path} is a store of format {found}, this version writes {FORMAT}; give --out another folder"
            )
        self._refuse_links()
        self.lock = Lock(self.path / LOCK)

    def _refuse_links(self) -> None:
        """Raise StoreError for a folder of the store that is a link: who writes here would write elsewhere."""
        for name in FOLDERS:
            home = self.path / name
            inner = home.iterdir() if home.is_dir() and not home.is_symlink() else ()
            link = next((each for each in (home, *inner) if each.is_symlink() and each.is_dir()), None)
            if link is not None:
                raise StoreError(
                    f"{link} is a link to another folder; put the folder itself there, or remove it"
                )

    @classmethod
    def make(cls, path: str | Path = DEFAULT) -> Store:
        """The store in a folder, made where there is none or an empty one.

        Raises StoreError for a folder that holds something else or cannot be written to.
        """
        folder = Path(path)
        with as_store_error(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / MARKER).exists():
                # Another batch may be making the same store right now.
                known = {LOCK, f".{MARKER}{PARTIAL}", MARKER}
                if any(file.name not in known for file in folder.iterdir()):
                    raise StoreError(
                        f"{folder} is not empty and no Undercut store; give --out another folder"
                    )
                with Lock(folder / LOCK):
                    if not (folder / MARKER).exists():
                        write_json(folder / MARKER, {"format": FORMAT, "what": "a store of Undercut runs"})
            store = cls(folder)
            store.batches.mkdir(exist_ok=True)
            return store

    @property
    def batches(self) -> Path:
        """The folder of batches."""
        return self.path / "batches"

    def lock_of(self, batch: str) -> Lock:
        """The lock that whoever works on a batch holds."""
        return Lock(self.batches / f".{batch}.lock")

    def packs(self, table: str) -> list[Path]:
        """The files of a table, in order of name; what is not named as a pack is none of ours."""
        files = (self.path / "tables" / table).glob(f"{'[0-9a-f]' * HASH_LETTERS}{SUFFIX}")
        return sorted(file for file in files if file.is_file())

    def read(
        self, table: str, worlds: Collection[str] | None = None, columns: list[str] | None = None
    ) -> pa.Table:
        """The rows of a table, of some worlds or of all, in the order of packs; ``columns`` hold the keys at least.

        Raises StoreError, naming the file, for a pack that cannot be read.
        """
        import pyarrow as pa

        from scenarios.pack import once

        for _ in range(READ_TRIES):
            # Another process may merge or remove packs between the listing and the reading.
            with contextlib.suppress(FileNotFoundError):
                found = once(self.load(table, file, worlds, columns) for file in self.packs(table))
                form = tables.arrow_schema(table)
                empty = (
                    form if columns is None else pa.schema([form.field(c) for c in columns])
                ).empty_table()
                return pa.concat_tables([empty, *found], promote_options="default")
        raise StoreError(f"{self.path} is being changed all the time; try again when its batches are done")

    def load(
        self, table: str, file: Path, worlds: Collection[str] | None = None, columns: list[str] | None = None
    ) -> pa.Table:
        """The rows of one file of a table, of some worlds or of all.

        Raises FileNotFoundError when it is gone, StoreError when it cannot be read.
        """
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        wanted = None if worlds is None else pc.field("world").isin(pa.array(sorted(worlds), pa.string()))
        form = tables.arrow_schema(table)
        try:
            rows = pq.read_table(
                file, columns=columns, filters=wanted, partitioning=None, page_checksum_verification=True
            )
            if rows.schema.equals(form if columns is None else pa.schema([form.field(c) for c in columns])):
                return rows
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError):
            pass
        raise StoreError(
            f"{file} is damaged; `undercut repair --store {self.path}` drops it, then run the batch again"
        )

    def runs(self, worlds: Collection[str] | None = None, table: str = tables.RUNS) -> set[Run]:
        """The runs that are stored, of some worlds or of all; with table ``kept``, those with all tables."""
        return tables.runs_of(self.read(table, worlds, ["world", "seed"]))

    def full_of(self, table: str, worlds: Collection[str] | None = None) -> set[Run]:
        """The runs of some worlds or of all that have rows in a table of those that are stored on request."""
        return tables.full_of(table, self.read(tables.KEPT, worlds))

    def record_code(self) -> str:
        """Write down once what runs are made with now; returns the name under which it stands."""
        from model.parameters import Parameters

        name = version.results_hash()[:16]
        folder = self.path / "code"
        folder.mkdir(exist_ok=True)
        try:
            read_json(folder / f"{name}.json", CODE_FORM)
        except StoreError:
            content: dict[str, Any] = {
                "name": name,
                "undercut": version.release(),
                "code": {"sha256": version.source_hash(), **version.commit()},
                **version.surroundings(),
                "parameters": dict(Parameters.resolve({})),
            }
            write_json(folder / f"{name}.json", sealed(content))
        return name

    # -------------------------------------------------------------------------------------- changing it, locked

    def recover(self) -> None:
        """Finish a commit that was interrupted, and clear what an unfinished one left. Needs the lock."""
        commit = self.path / COMMIT
        if commit.exists():
            mend = f"`undercut repair --store {self.path}` drops what it began"
            plan = read_json(commit, COMMIT_FORM, mend)
            if not _ours(plan):
                raise StoreError(f"{commit} names what is no pack of this store; {mend}")
            self._carry_out(plan)
        for partial in (self.path / "tables").glob(f"*/.*{PARTIAL}"):
            partial.unlink(missing_ok=True)

    def commit(self, fresh: Iterable[Path], gone: Iterable[Path] = ()) -> None:
        """Give new packs the names of their content and delete old ones, all or nothing. Needs the lock."""
        renames = [
            [self._inside(file), self._inside(file.with_name(f"{hash_of(file)}{SUFFIX}"))] for file in fresh
        ]
        kept = {final for _, final in renames}
        deletes = [name for name in map(self._inside, gone) if name not in kept]
        plan: dict[str, list[Any]] = {"rename": renames, "delete": deletes}
        if renames or deletes:
            # The new packs last before anything speaks of them, or a loss of power could leave the plan alone.
            self._sync_folders(partial for partial, _ in renames)
            write_json(self.path / COMMIT, plan)
            self._carry_out(plan)

    def _carry_out(self, plan: dict[str, list[Any]]) -> None:
        for partial, final in plan["rename"]:
            if (self.path / partial).exists():
                (self.path / partial).replace(self.path / final)
        if all((self.path / final).exists() for _, final in plan["rename"]):
            for name in plan["delete"]:
                (self.path / name).unlink(missing_ok=True)
        self._sync_folders([*(final for _, final in plan["rename"]), *plan["delete"]])
        (self.path / COMMIT).unlink()
        sync(self.path)  # a plan that came back would find other files under its temporary names

    def _sync_folders(self, names: Iterable[str]) -> None:
        for folder in sorted({(self.path / name).parent for name in names}):
            sync(folder)

    def _inside(self, file: Path) -> str:
        return file.relative_to(self.path).as_posix()

    def keep_only(self, wanted: set[Run]) -> int:
        """Drop every row of runs that are not wanted; returns how many runs went. Needs the lock."""
        from scenarios.pack import write_wanted

        gone = len(self.runs() - wanted)
        fresh, old = [], []
        for table in tables.stored_tables():
            for file in self.packs(table):
                target = file.with_name(f".{file.stem}-kept{PARTIAL}")
                rows, left = write_wanted(table, file, target, wanted)
                if left < rows:
                    old.append(file)
                if 0 < left < rows:
                    fresh.append(target)
        self.commit(fresh, old)
        return gone

    def merge(self) -> None:
        """Make one pack of many small ones, so that small batches do not pile up files. Needs the lock."""
        from scenarios.pack import write_merged

        fresh, old = [], []
        for table in tables.stored_tables():
            small = [file for file in self.packs(table) if file.stat().st_size < SMALL_BYTES]
            if len(small) >= MANY_PACKS:
                fresh.append(small[0].with_name(f".merged{PARTIAL}"))
                write_merged(table, small, fresh[-1])
                old += small
        self.commit(fresh, old)

    def damaged(self) -> list[Path]:
        """The packs whose content is not what their name says."""
        return [
            file
            for table in tables.stored_tables()
            for file in self.packs(table)
            if hash_of(file) != file.stem
        ]

    def repair(self) -> tuple[int, int]:
        """Delete damaged packs, and what else is stored of their runs, so that batches make them again.

        Returns the number of packs deleted, and of other runs dropped since they lost a part.
        """
        with as_store_error(self.path), self.lock:
            try:
                self.recover()
            except StoreError:
                (self.path / COMMIT).unlink()
                self.recover()
            bad = self.damaged()
            self.commit((), bad)
            return len(bad), self.keep_only(self._complete())

    def _complete(self) -> set[Run]:
        """The runs of which every table that there should be is there."""
        done = self.runs()
        failed = self.runs(table=tables.FAILURES)
        whole = set.intersection(*(self.runs(table=name) for name in (tables.METRICS, *tables.HEADLINE)))
        lost = set[Run]().union(
            *(self.full_of(name) - self.runs(table=name) for name in tables.full_tables())
        )
        return {run for run in done - lost if run in failed or run in whole}

    def size(self) -> int:
        """Bytes of all files of the store."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())


_FRESH = re.compile(rf"tables/\w+/\.[\w-]+{re.escape(PARTIAL)}", re.ASCII)
_PACK = re.compile(rf"tables/\w+/[0-9a-f]{{{HASH_LETTERS}}}{re.escape(SUFFIX)}", re.ASCII)


def _ours(plan: dict[str, list[Any]]) -> bool:
    """Whether a commit renames and deletes packs of the store alone, and no file elsewhere."""
    renames = plan["rename"]
    if not all(isinstance(names, list) and len(names) == 2 for names in renames):
        return False
    pairs = [(_FRESH, fresh) for fresh, _ in renames] + [(_PACK, final) for _, final in renames]
    pairs += [(_PACK, name) for name in plan["delete"]]
    return all(isinstance(name, str) and form.fullmatch(name) for form, name in pairs)
