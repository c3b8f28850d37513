"""What is in a store: its batches, their failures, removing them, and writing their tables elsewhere."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.quotation import quoted
from scenarios import tables
from scenarios.batch import Batch
from scenarios.folder import PARTIAL, StoreError, as_store_error
from scenarios.store import Store
from undercut.hint import command
from undercut.text import Field, console, print_table

if TYPE_CHECKING:
    import pandas as pd

    from scenarios.runner import Failure

CLAIMS = "claims"
WORLDS = "worlds"
FORMS = ("csv", "parquet")
NAMES_SHOWN = 4

FIELDS = (
    Field("batch", "batch"),
    Field("asked", "scenarios", 4),
    Field("worlds", "worlds", number=True),
    Field("seeds", "seeds", 2),
    Field("runs", "runs", number=True),
    Field("state", "state"),
    Field("code", "code", wide=True),
)


def batches(store: str | Path) -> list[dict[str, Any]]:
    """The batches of a store, a row each: what they asked for and how far they have come."""
    rows = []
    for batch in Batch.all(Store(store)):
        asked, planned, done = batch.manifest["asked"], len(batch.planned()), len(batch.done())
        failed = len(batch.failures())
        state = "running" if batch.running else "complete" if batch.complete else "interrupted"
        rows.append(
            {
                "batch": batch.name,
                "scenarios": asked["scenarios"],
                "worlds": asked["worlds"],
                "seeds": asked["seeds"],
                "runs": planned,
                "done": done,
                "failed": failed,
                "state": state,
                "code": batch.manifest["code"],
            }
        )
    return rows


def print_batches(rows: Sequence[dict[str, Any]], store: str | Path) -> None:
    """Print the batches of a store as a table, with the room that the store takes."""
    shown = []
    for row in rows:
        names = row["scenarios"][:NAMES_SHOWN]
        more = f" and {len(row['scenarios']) - len(names)} more" if len(row["scenarios"]) > len(names) else ""
        failed = f", {row['failed']} failed" if row["failed"] else ""
        done = str(row["runs"]) if row["done"] == row["runs"] else f"{row['done']} of {row['runs']}"
        shown.append({**row, "asked": ", ".join(names) + more, "runs": done, "state": row["state"] + failed})
    print_table(shown, FIELDS, f"Batches in {store}")
    size = Store(store).size() / BYTES_PER_MB
    console().print(
        f"{len(rows)} batch{'' if len(rows) == 1 else 'es'}, {size:.1f} MB. `undercut rm BATCH` removes one."
    )


BYTES_PER_MB = 1e6


def removed(names: Sequence[str], store: str | Path) -> Iterator[str]:
    """Remove batches by their full names, and say what went. Raises StoreError before anything is removed."""
    there = {batch.name: batch for batch in Batch.all(Store(store))}
    for name in names:
        if name not in there:
            from scenarios.scenario import nearest

            hint = nearest(name, there) or "`undercut ls` lists them"
            raise StoreError(f"{store} has no batch called {quoted(name)} in full; {hint}")
    for name in dict.fromkeys(names):
        gone = there[name].remove()
        yield f"removed {name} and {gone} runs; runs that other batches asked for stay"


def write(batch: Batch, folder: Path, wanted: str, form: str) -> Iterator[tuple[Path, int]]:
    """Write tables of a batch into a new or empty folder; yields each file with its number of rows.

    Besides the stored tables there are ``claims``, the verdicts of every world, and ``worlds``. Raises StoreError
    for an unknown table or form, a folder that is not empty, and damage, after which the folder has no file.
    """
    known = (CLAIMS, WORLDS, *tables.stored_tables())
    names = [name.strip() for name in wanted.split(",") if name.strip()] or list(known)
    for name in names:
        if name not in known:
            raise StoreError(f"there is no table {quoted(name)}; write some of {', '.join(known)}")
    if form not in FORMS:
        raise StoreError(f"--format {quoted(form)}: write {' or '.join(FORMS)}")
    written = []
    with as_store_error(folder), _filling(folder) as partial:
        for name in names:
            frame = _frame(batch, name)
            file = f"{name}.{form}"
            if form == "csv":
                frame.to_csv(partial / file, index=False)
            else:
                frame.to_parquet(partial / file, index=False)
            written.append((folder / file, len(frame)))
    yield from written


@contextlib.contextmanager
def _filling(folder: Path) -> Iterator[Path]:
    """A folder for files that appear in a new or empty ``folder`` when the block ends well, and else are gone."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise StoreError(f"{folder} is not empty; give --out a new folder")
    partial = folder / PARTIAL
    try:
        partial.mkdir()
        yield partial
        for file in sorted(partial.iterdir()):
            file.replace(folder / file.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if made and not any(folder.iterdir()):
            folder.rmdir()


def _frame(batch: Batch, name: str) -> pd.DataFrame:
    import pandas as pd

    if name == WORLDS:
        from scenarios.folder import to_json
        from scenarios.journal import DATA

        frame = batch.worlds()
        for column in DATA:
            frame[column] = frame[column].map(to_json)
        return frame
    if name == CLAIMS:
        from undercut.batch import verdict_rows

        return pd.DataFrame([{**row, "worlds": " ".join(row["worlds"])} for row in verdict_rows(batch)])
    return batch.table(name)


def failures(batch: Batch, by_chance: Sequence[Failure] = ()) -> list[str]:
    """Lines on the runs of a batch that failed: how many, the first, and how to make it again alone."""
    stored = batch.failures()
    lines = []
    if len(stored):
        first = stored.iloc[0]
        count = f"{len(stored)} run{'s' if len(stored) > 1 else ''} failed"
        lines.append(f"{count}; the first, {first['scenario']}, seed {first['seed']}: {first['reason']}")
        store, which = batch.store.path, ["--scenario", first["scenario"], "--seed", str(first["seed"])]
        lines.append(f"make it again alone with: {command(store, 'replay', batch.name, *which)}")
        exported = command(store, "export", batch.name, "--tables", "failures")
        lines.append(f"all of them, with tracebacks: {exported}")
    if by_chance:
        lines.append(
            f"{len(by_chance)} run{'s were' if len(by_chance) > 1 else ' was'} lost ({by_chance[0].reason}); "
            "the same command tries again"
        )
    return lines
