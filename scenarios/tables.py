"""The form in which tables are stored: the columns of model/schema.csv as Arrow, with their units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from model.records import Column, tables

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ARROW_TYPES = {"str": "string", "float": "double", "int": "int64", "bool": "bool"}

WORLD = Column("", "world", "str", "", "hash of the world's resolved inputs and of the code")
SEED = Column("", "seed", "int", "", "seed of the run; with the world it names the run")
KEYS = (WORLD, SEED)
"""The columns that come first in every stored table."""

RUNS, KEPT, METRICS, FAILURES = "runs", "kept", "metrics", "failures"

BOOKS: Mapping[str, tuple[Column, ...]] = {
    RUNS: (Column(RUNS, "ok", "bool", "", "whether the run came to its end"),),
    KEPT: (),
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


def to_arrow(table: str, frame: pd.DataFrame, world: str, seed: int) -> pa.Table:
    """One run's table with the world and the seed in front, in the stored form.

    Raises ValueError, naming the table, when its columns are not those of the schema or hold other types.
    """
    import pyarrow as pa

    form = arrow_schema(table)
    expected = form.names[len(KEYS) :]
    if list(frame.columns) != expected:
        missing = [name for name in expected if name not in frame.columns]
        strange = [str(name) for name in frame.columns if name not in expected]
        if missing or strange:
            raise ValueError(
                f"table {table!r} lacks {missing or 'nothing'} and has {strange or 'nothing'} besides"
            )
    arrays = [pa.repeat(pa.scalar(world), len(frame)), pa.repeat(pa.scalar(seed, pa.int64()), len(frame))]
    for field in list(form)[len(KEYS) :]:
        try:
            arrays.append(pa.Array.from_pandas(frame[field.name], type=field.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise ValueError(f"table {table!r}, column {field.name!r}: {error}") from None
    return pa.Table.from_arrays(arrays, schema=form)


def metrics_to_arrow(metrics: Mapping[str, float], world: str, seed: int) -> pa.Table:
    """One run's metrics in the stored form, sorted by name; what is not a number is stored as missing."""
    names = sorted(metrics)
    values = [None if math.isnan(metrics[name]) else float(metrics[name]) for name in names]
    return rows_to_arrow(
        METRICS, [(world, seed, name, value) for name, value in zip(names, values, strict=True)]
    )


def rows_to_arrow(table: str, rows: Sequence[tuple[object, ...]]) -> pa.Table:
    """Rows, keys first, in the stored form."""
    import pyarrow as pa

    form = arrow_schema(table)
    columns = list(zip(*rows, strict=True)) or [()] * len(form)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, form, strict=True)]
    return pa.Table.from_arrays(arrays, schema=form)
