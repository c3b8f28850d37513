"""Packs: the rows of many runs in one Parquet file, in an order that does not depend on who made them when."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios import tables
from scenarios.folder import PARTIAL, StoreError, sync

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from scenarios.tables import Run

HEADLINE_BOOKS = (tables.METRICS, *tables.HEADLINE, tables.FAILURES, tables.RUNS)
FULL_BOOKS = (*tables.full_tables(), tables.KEPT)
LAYERS = (HEADLINE_BOOKS, FULL_BOOKS)
"""Tables that are written together; the last of each says which runs are there."""

RUNS_A_PACK = {HEADLINE_BOOKS: 2000, FULL_BOOKS: 100}
RUNS_A_GROUP = {HEADLINE_BOOKS: 100, FULL_BOOKS: 5}
"""Runs in one file and in one row group of it: what a reader must load to see one run."""

MERGED_ROWS = 50_000
"""Rows of one row group where small packs are merged."""

PARTS_IN_MEMORY = 4


def writer(table: str, file: Path) -> pq.ParquetWriter:
    """A writer of a stored table, as every part and pack is written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    form = tables.arrow_schema(table)
    # Floats hardly repeat: a dictionary of them costs a quarter more room than none.
    repeated = [field.name for field in form if not pa.types.is_floating(field.type)]
    return pq.ParquetWriter(file, form, compression="zstd", use_dictionary=repeated, write_page_checksum=True)


def write_table(table: str, file: Path, rows: pa.Table) -> None:
    """Write rows as one row group."""
    with writer(table, file) as out:
        out.write_table(rows.combine_chunks(), row_group_size=max(1, rows.num_rows))


def write_packs(
    parts: Mapping[str, Sequence[Path]], order: Sequence[Run], stored: Mapping[str, set[Run]], folder: Path
) -> Iterator[Path]:
    """Write the runs of parts that the store does not have as packs under temporary names, and yield these.

    Args:
        parts: files by table; a run's rows of a layer lie in parts of the same number.
        order: the order of runs in packs, that of the plan.
        stored: runs that the store has, by the last table of each layer.
        folder: the store's folder of tables.
    """
    for layer in LAYERS:
        book = layer[-1]
        there = {run for file in parts[book] for run in runs_in(file)}
        fresh = [run for run in order if run in there and run not in stored[book]]
        for table in layer:
            reader = _Parts(parts[table])
            for number, runs in enumerate(_split(fresh, RUNS_A_PACK[layer])):
                target = folder / table / f".{number:06d}-new{PARTIAL}"
                target.parent.mkdir(parents=True, exist_ok=True)
                if _write(table, target, (reader.rows(group) for group in _split(runs, RUNS_A_GROUP[layer]))):
                    sync(target)
                    yield target


def write_merged(table: str, files: Sequence[Path], target: Path) -> None:
    """Write the rows of several packs as one, in their order."""
    import pyarrow.parquet as pq

    def groups() -> Iterator[list[pa.Table]]:
        held: list[pa.Table] = []
        for file in files:
            with pq.ParquetFile(file) as source:
                for number in range(source.num_row_groups):
                    held.append(source.read_row_group(number))
                    if sum(rows.num_rows for rows in held) >= MERGED_ROWS:
                        yield held
                        held = []
        yield held

    _write(table, target, groups())
    sync(target)


def write_wanted(table: str, file: Path, target: Path, wanted: set[Run]) -> tuple[int, int]:
    """Copy the rows of wanted runs to another file; returns rows before and after. Nothing is written for none.

    A pack that loses nothing is not copied either.
    """
    import pyarrow.parquet as pq

    runs = set(runs_in(file))
    with pq.ParquetFile(file) as source:
        before = source.metadata.num_rows
        if runs <= wanted:
            return before, before
        after = 0
        if runs & wanted:
            kept = ([source.read_row_group(g)] for g in range(source.num_row_groups))
            after = _write(table, target, ([s for t in group for s in _wanted(t, wanted)] for group in kept))
            sync(target)
    return before, after


def _wanted(rows: pa.Table, wanted: set[Run]) -> list[pa.Table]:
    return [rows.slice(start, length) for run, start, length in tables.spans(rows) if run in wanted]


def _write(table: str, target: Path, groups: Iterable[Sequence[pa.Table]]) -> int:
    """Write each group of pieces as a row group; returns the number of rows, and leaves no empty file."""
    import pyarrow as pa

    written = 0
    out = None
    try:
        for pieces in groups:
            if not pieces:
                continue
            rows = pa.concat_tables(pieces).combine_chunks()
            if rows.num_rows:
                out = out or writer(table, target)
                out.write_table(rows, row_group_size=rows.num_rows)
                written += rows.num_rows
    finally:
        if out is not None:
            out.close()
    return written


class _Parts:
    """The parts of one table, of which a few are in memory."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = files
        self.loaded: OrderedDict[int, tuple[pa.Table, dict[Run, tuple[int, int]]]] = OrderedDict()
        self.place: dict[Run, int] = {}
        for i, file in enumerate(files):
            self.place.update(dict.fromkeys(runs_in(file), i))

    def rows(self, runs: Sequence[Run]) -> list[pa.Table]:
        """The rows of runs, in their order; a run may have none."""
        found = []
        for run in runs:
            if run in self.place:
                rows, spans = self._load(self.place[run])
                found.append(rows.slice(*spans[run]))
        return found

    def _load(self, number: int) -> tuple[pa.Table, dict[Run, tuple[int, int]]]:
        import pyarrow.parquet as pq

        if number not in self.loaded:
            if len(self.loaded) == PARTS_IN_MEMORY:
                self.loaded.popitem(last=False)
            rows = pq.read_table(self.files[number], partitioning=None)
            self.loaded[number] = rows, {run: (start, length) for run, start, length in tables.spans(rows)}
        self.loaded.move_to_end(number)
        return self.loaded[number]


def runs_in(file: Path) -> list[Run]:
    """The runs of a part or pack, in their order. Raises StoreError for one that cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(file, columns=["world", "seed"], partitioning=None)
    except (pa.ArrowException, OSError):
        raise StoreError(
            f"{file} is damaged; `undercut repair` drops it, then run the same command again"
        ) from None
    return [run for run, _, _ in tables.spans(rows)]


def readable(file: Path) -> bool:
    """Whether a part can be read from its first byte to its last, as it was written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.read_table(file, partitioning=None, page_checksum_verification=True)
    except (pa.ArrowException, OSError):
        return False
    return True


def once(found: Iterable[pa.Table]) -> list[pa.Table]:
    """The rows of each run from the first of some tables that has it: while packs replace others, both are there."""
    seen: set[Run] = set()
    kept = []
    for rows in found:
        runs = tables.spans(rows)
        if seen.isdisjoint(run for run, _, _ in runs):
            kept.append(rows)
        else:
            kept += [rows.slice(start, length) for run, start, length in runs if run not in seen]
        seen.update(run for run, _, _ in runs)
    return kept


def _split(runs: Sequence[Run], size: int) -> list[Sequence[Run]]:
    return [runs[start : start + size] for start in range(0, len(runs), size)]
