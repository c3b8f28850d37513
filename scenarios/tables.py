"""The form in which tables are stored: the columns of model/schema.csv as Arrow, with their units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from model.records import Column, tables

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ARROW_TYPES = {"str": "string", "float": "double", "int": "int64", "bool": "bool"}


KEYS = (
    Column("", "scenario", "str", "", "name of the scenario"),
    Column("", "seed", "int", "", "seed of the run"),
)
"""The columns that come before a table's own when several runs are stored together."""

METRICS = "metrics"
METRIC_COLUMNS = (
    Column(METRICS, "metric", "str", "", "id of the claim whose metric it is, see `undercut show claims`"),
    Column(METRICS, "value", "float", "see claim", "value in the run; missing where the run cannot tell"),
)


def columns_of(table: str) -> tuple[Column, ...]:
    """The columns of a stored table, keys first. Raises KeyError when there is no such table."""
    return (*KEYS, *(METRIC_COLUMNS if table == METRICS else tables()[table]))


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


def to_arrow(table: str, frame: pd.DataFrame, scenario: str, seed: int) -> pa.Table:
    """One run's table with the scenario and the seed in front, in the stored form.

    Raises ValueError, naming the table, when its columns are not those of the schema or hold other types.
    """
    import pyarrow as pa

    expected = [column.column for column in columns_of(table)[len(KEYS) :]]
    missing = [name for name in expected if name not in frame.columns]
    strange = [str(name) for name in frame.columns if name not in expected]
    if missing or strange:
        raise ValueError(
            f"table {table!r} lacks {missing or 'nothing'} and has {strange or 'nothing'} besides"
        )
    form = arrow_schema(table)
    arrays = [
        pa.array([scenario] * len(frame), form.field(0).type),
        pa.array([seed] * len(frame), form.field(1).type),
    ]
    for field in list(form)[len(KEYS) :]:
        try:
            arrays.append(pa.Array.from_pandas(frame[field.name], type=field.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise ValueError(f"table {table!r}, column {field.name!r}: {error}") from None
    return pa.table([_whole(array) for array in arrays], schema=form)


def metrics_to_arrow(metrics: Mapping[str, float], scenario: str, seed: int) -> pa.Table:
    """One run's metrics in the stored form, sorted by name; what is not a number is stored as missing."""
    import pyarrow as pa

    names = sorted(metrics)
    values = [None if math.isnan(metrics[name]) else float(metrics[name]) for name in names]
    form = arrow_schema(METRICS)
    return pa.table([[scenario] * len(names), [seed] * len(names), names, values], schema=form)


def _whole(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """An array in one piece, so that the bytes on disk do not depend on how a frame was put together."""
    import pyarrow as pa

    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
