"""A finished study in a store: what was asked, the batches that it rests on, and its tables."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from model.quotation import quoted
from scenarios.folder import (
    PARTIAL,
    SEAL,
    Form,
    StoreError,
    as_store_error,
    hash_of,
    read_json,
    sealed,
    sync,
    write_json,
)
from scenarios.store import Store
from scenarios.version import results_hash
from scenarios.world import digest

if TYPE_CHECKING:
    import pandas as pd

FOLDER, FILE = "studies", "study.json"
FORM: Form = {
    **dict.fromkeys(("kind", "title", "code", SEAL), str),
    **dict.fromkeys(("batches", "tables", "digests", "notes"), list),
    "asked": dict,
}
"""What stands in the file of a study; ``digests`` are those of the files of its tables."""

DIGITS = 8
MEND = "run the study again"


class Kept(dict[str, Any]):
    """What a folder holds of a study, by name; whoever reads what it lacks raises StoreError."""

    def __init__(self, folder: Path, content: Mapping[str, Any]) -> None:
        super().__init__(content)
        self.folder = folder

    def __missing__(self, name: str) -> NoReturn:
        raise StoreError(f"{self.folder} has no {name!r}, which its study needs; {MEND}")


@dataclass(frozen=True)
class Study:
    """What a study found.

    Attributes:
        kind: the command that makes it, as ``"sobol"``.
        title: what it is about, a line.
        asked: its arguments, as plain data, from which the same study can be made again.
        tables: DataFrames by name; the report, the browser and pandas read these.
        batches: names of the batches that it rests on.
        notes: sentences that a reader must know: failed runs, samples that are too small, what was assumed.
    """

    kind: str
    title: str
    asked: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    batches: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    code: str = field(default_factory=results_hash)

    @property
    def name(self) -> str:
        """Its kind and a hash of what was asked and of the runs that answered."""
        return f"{self.kind}-{digest([dict(self.asked), list(self.batches)])[:DIGITS]}"

    def write(self, store: Store) -> Path:
        """Store it, in place of an earlier one of the same name; returns its folder. Raises StoreError."""
        folder = store.path / FOLDER / self.name
        made = folder.with_name(f".{self.name}{PARTIAL}")
        with as_store_error(store.path), store.lock:
            shutil.rmtree(made, ignore_errors=True)  # of who was killed here
            made.mkdir(parents=True)
            for name, frame in self.tables.items():
                frame.to_parquet(made / f"{name}.parquet", index=False)
                sync(made / f"{name}.parquet")
            content = {
                "kind": self.kind,
                "title": self.title,
                "asked": dict(self.asked),
                "batches": list(self.batches),
                "tables": list(self.tables),
                "digests": [hash_of(made / f"{name}.parquet") for name in self.tables],
                "notes": list(self.notes),
                "code": self.code,
            }
            write_json(made / FILE, sealed(content))
            if folder.exists():
                shutil.rmtree(folder)
            made.replace(folder)
            sync(folder.parent)
        return folder

    @classmethod
    def open(cls, name: str | Path, store: Store) -> Study:
        """A study by its folder, or by the first letters of its name in a store; of several, the newest.

        Raises StoreError when there is none, or its files are damaged.
        """
        folder = Path(name)
        if not (folder / FILE).is_file():
            found = [each for each in folders(store) if each.name.startswith(str(name))]
            if not found:
                there = ", ".join(each.name for each in folders(store)[:4]) or "no study yet"
                raise StoreError(f"{store.path} has no study {quoted(str(name))}; it has {there}")
            folder = max(found, key=lambda each: (each / FILE).stat().st_mtime_ns)
        return cls._read(folder)

    @classmethod
    def _read(cls, folder: Path) -> Study:
        import pandas as pd

        content = head(folder)
        names, digests = [str(name) for name in content["tables"]], content["digests"]
        if len(names) != len(digests):
            raise StoreError(f"{folder / FILE} is damaged; {MEND}")
        tables = {}
        for name, known in zip(names, digests, strict=True):
            file = folder / f"{Path(name).name}.parquet"
            if not file.is_file() or hash_of(file) != known:
                raise StoreError(f"{file} is missing or damaged; {MEND}")
            try:
                tables[name] = pd.read_parquet(file)
            except (OSError, ValueError):  # sealed by whoever put it there
                raise StoreError(f"{file} is no table; {MEND}") from None
        return cls(
            content["kind"],
            content["title"],
            Kept(folder, content["asked"]),
            Kept(folder, tables),
            tuple(map(str, content["batches"])),
            tuple(map(str, content["notes"])),
            content["code"],
        )


def head(folder: Path) -> dict[str, Any]:
    """What the file of a study says, without its tables. Raises StoreError when it is damaged."""
    return read_json(folder / FILE, FORM, MEND)


def folders(store: Store) -> Sequence[Path]:
    """The folders of the studies of a store, by name."""
    home = store.path / FOLDER
    if not home.is_dir():
        return []
    whole = (path for path in home.iterdir() if path.suffix != PARTIAL and (path / FILE).is_file())
    return sorted(whole)
