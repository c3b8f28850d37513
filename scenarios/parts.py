"""The parts of a batch: results that are not packed yet, as a running batch writes them and anybody reads them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios import pack
from scenarios.store import SUFFIX, Store
from scenarios.tables import Run

if TYPE_CHECKING:
    import pyarrow as pa

PARTS = "parts"


def parts_of(batch: Path) -> dict[str, list[Path]]:
    """The parts of an unfinished batch by table, those that were written whole."""
    found: dict[str, list[Path]] = {}
    for layer in pack.LAYERS:
        whole = {file.name.partition("-")[0] for file in (batch / PARTS).glob(f"[0-9]*-{layer[-1]}{SUFFIX}")}
        for name in layer:
            files = sorted((batch / PARTS).glob(f"[0-9]*-{name}{SUFFIX}"))
            found[name] = [file for file in files if file.name.partition("-")[0] in whole]
    return found


def runs_of(files: Sequence[Path]) -> set[Run]:
    """The runs of some parts."""
    return {run for file in files for run in pack.runs_in(file)}


def read(store: Store, batch: Path, table: str, worlds: Collection[str]) -> list[pa.Table]:
    """The rows of a table, of some worlds, in the parts of a batch of a store.

    A part that vanishes on the way was packed meanwhile: who reads parts first and packs afterwards misses nothing,
    and takes each run once (:func:`scenarios.pack.once`). Raises StoreError for a part that cannot be read.
    """
    found = []
    for file in parts_of(batch)[table]:
        with contextlib.suppress(FileNotFoundError):
            found.append(store.load(table, file, worlds))
    return found


def drop_damaged(batch: Path) -> int:
    """Delete each part that cannot be read, with the other tables of its runs, so that these are made again.

    Returns how many files were damaged. Needs the lock of the batch.
    """
    bad = [file for file in (batch / PARTS).glob(f"[0-9]*-*{SUFFIX}") if not pack.readable(file)]
    for number in {file.name.partition("-")[0] for file in bad}:
        for layer in pack.LAYERS:
            for name in reversed(layer):  # first what says that the others are there
                (batch / PARTS / f"{number}-{name}{SUFFIX}").unlink(missing_ok=True)
    return len(bad)
