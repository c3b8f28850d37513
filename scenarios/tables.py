"""The form in which tables are stored: the columns of model/schema.csv as Arrow, with their units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from model.columns import Column
from model.records import Tables, tables

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Run = tuple[str, int]
"""A run: its world and its seed."""

ARROW_TYPES = {"str": "string", "float": "double", "int": "int64", "bool": "bool"}

WORLD = Column("", "world", "str", "", "hash of the world's resolved inputs and of the code")
SEED = Column("", "seed", "int", "", "seed of the run; with the world it names the run")
KEYS = (WORLD, SEED)
"""The columns that come first in every stored table."""

RUNS, KEPT, METRICS, FAILURES = "runs", "kept", "metrics", "failures"

BOOKS: Mapping[str, tuple[Column, ...]] = {
    RUNS: (Column(RUNS, "ok", "bool", "", "whether the run came to its end"),),
    KEPT: (Column(KEPT, "empty", "str", "", "tables of which it has no rows, with commas"),),
    METRICS: (
        Column(
            METRICS, "metric", "str", "", "id of the claim whose outcome it is, see `undercut show claims`"
        ),
        Column(METRICS, "value", "float", "see claim", "outcome in this world; missing where it cannot tell"),
    ),
    FAILURES: (
        Column(FAILURES, "reason", "str", "", "last line of the traceback"),
        Column(FAILURES, "traceback", "str", "", "where the run ended, in files of the packages"),
    ),
}
"""The tables beside those of the market: which runs are stored, whose full tables are, metrics, failures."""

HEADLINE = ("quarters",)
"""The market's tables that are stored of every run; the others only where they are asked for."""


def full_tables() -> tuple[str, ...]:
    """The market's tables that are stored only on request."""
    return tuple(name for name in tables() if name not in HEADLINE)


def stored_tables() -> tuple[str, ...]:
    """Every table of a store."""
    return (*BOOKS, *tables())


def columns_of(table: str) -> tuple[Column, ...]:
    """The columns of a stored table, keys first. Raises KeyError when there is no such table."""
    return (*KEYS, *(BOOKS[table] if table in BOOKS else tables()[table]))


@cache
def arrow_schema(table: str) -> pa.Schema:
    """The Arrow schema of a stored table; each field carries its unit and description as metadata."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field(
                column.column,
                pa.type_for_alias(ARROW_TYPES[column.dtype]),
                metadata={"unit": column.unit, "description": column.description},
            )
            for column in columns_of(table)
        ]
    )


def to_arrow(table: str, runs: Mapping[Run, Mapping[str, pd.DataFrame]]) -> pa.Table:
    """A table of several runs, given by all their tables, with world and seed in front, in the stored form.

    Raises ValueError, naming the table, when its columns are not those of the schema or hold other types.
    """
    import pyarrow as pa

    form = arrow_schema(table)
    recorded = [of for of in runs.values() if isinstance(of, Tables)]
    if len(recorded) == len(runs):
        rows = [of.rows(table) for of in recorded]
        columns = [_column(table, column, recorded) for column in tables()[table]]
    else:
        rows = [len(of[table]) for of in runs.values()]
        columns = _columns(table, [of[table] for of in runs.values()])
    keys = _keys(dict(zip(runs, rows, strict=True)))
    return pa.Table.from_arrays([*keys, *columns], schema=form)


def _column(table: str, column: Column, runs: Sequence[Tables]) -> pa.Array:
    """A column of several runs as they recorded it; numbers that are not there are stored as missing."""
    import numpy as np
    import pyarrow as pa

    if column.dtype != "str":
        return pa.array(np.concatenate([of.column(table, column.column) for of in runs]), from_pandas=True)
    found = [of.words(table, column.column) for of in runs]
    return pa.concat_arrays([pa.array(words, pa.string()).take(pa.array(which)) for words, which in found])


def _columns(table: str, frames: Sequence[pd.DataFrame]) -> list[pa.Array]:
    """The columns of DataFrames, one after the other. Raises ValueError as :func:`to_arrow`."""
    import pandas as pd
    import pyarrow as pa

    form = pa.schema(list(arrow_schema(table))[len(KEYS) :])
    for frame in frames:
        if list(frame.columns) != form.names and set(frame.columns) != set(form.names):
            missing = [name for name in form.names if name not in frame.columns]
            strange = [str(name) for name in frame.columns if name not in form.names]
            raise ValueError(
                f"table {table!r} lacks {missing or 'nothing'} and has {strange or 'nothing'} besides"
            )
    whole = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    try:
        return list(
            pa.Table.from_pandas(whole[form.names], schema=form, preserve_index=False, nthreads=1).columns
        )
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(f"table {table!r}: {error}") from None


def metrics_to_arrow(metrics: Mapping[Run, Mapping[str, float]]) -> pa.Table:
    """Metrics of several runs in the stored form, sorted by name; what is not a number is stored as missing."""
    import pyarrow as pa

    names = [name for found in metrics.values() for name in sorted(found)]
    values = [float(found[name]) for found in metrics.values() for name in sorted(found)]
    keys = _keys({run: len(found) for run, found in metrics.items()})
    columns = [pa.array(names, pa.string()), pa.array(values, pa.float64(), from_pandas=True)]
    return pa.Table.from_arrays([*keys, *columns], schema=arrow_schema(METRICS))


def spans(rows: pa.Table) -> list[tuple[Run, int, int]]:
    """Each run of a table with the first of its rows and their number; a run's rows lie together."""
    import numpy as np

    if not rows.num_rows:
        return []
    worlds = rows["world"].combine_chunks().dictionary_encode()
    seeds = rows["seed"].to_numpy()
    codes = worlds.indices.to_numpy()
    starts = np.flatnonzero(np.r_[True, (codes[1:] != codes[:-1]) | (seeds[1:] != seeds[:-1])])
    ends = np.r_[starts[1:], rows.num_rows]
    names = worlds.dictionary.to_pylist()
    return [
        ((names[codes[start]], int(seeds[start])), int(start), int(end - start))
        for start, end in zip(starts, ends, strict=True)
    ]


def runs_of(rows: pa.Table) -> set[Run]:
    """The runs that have rows in a table."""
    return {run for run, _, _ in spans(rows)}


def full_of(table: str, kept: pa.Table) -> set[Run]:
    """The runs of rows of ``kept`` that have rows in a table."""
    rows = kept.to_pydict()
    return {
        (world, seed)
        for world, seed, empty in zip(rows["world"], rows["seed"], rows["empty"], strict=True)
        if table not in empty.split(",")
    }


def rows_to_arrow(table: str, rows: Sequence[tuple[object, ...]]) -> pa.Table:
    """Rows, keys first, in the stored form."""
    import pyarrow as pa

    form = arrow_schema(table)
    columns = list(zip(*rows, strict=True)) or [()] * len(form)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, form, strict=True)]
    return pa.Table.from_arrays(arrays, schema=form)


def _keys(lengths: Mapping[Run, int]) -> tuple[pa.Array, pa.Array]:
    """The columns ``world`` and ``seed`` of runs with so many rows each."""
    import numpy as np
    import pyarrow as pa

    counts = np.fromiter(lengths.values(), np.int64, len(lengths))
    places = pa.array(np.repeat(np.arange(len(lengths)), counts))
    worlds = pa.array([world for world, _ in lengths], pa.string()).take(places)
    return worlds, pa.array(np.repeat(np.array([seed for _, seed in lengths], np.int64), counts))
