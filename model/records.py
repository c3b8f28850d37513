"""The recorder: typed tables of a run, as the schema in ``schema.csv`` declares them."""

from __future__ import annotations

import csv
import math
from abc import ABC, abstractmethod
from array import array
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas

DTYPES = ("str", "float", "int", "bool")


class Column(NamedTuple):
    """One column of a recorded table, as the schema declares it."""

    table: str
    column: str
    dtype: str
    unit: str
    description: str


@cache
def schema() -> tuple[Column, ...]:
    """All columns of all tables in order; read from ``model/schema.csv``, for recorder, store and docs."""
    text = files("model").joinpath("schema.csv").read_text(encoding="utf-8")
    columns = tuple(Column(**row) for row in csv.DictReader(text.splitlines()))
    for column in columns:
        if column.dtype not in DTYPES:
            raise ValueError(
                f"schema.csv gives {column.table}.{column.column} the dtype {column.dtype!r}: "
                f"write one of {', '.join(DTYPES)}."
            )
    return columns


@cache
def tables() -> dict[str, tuple[Column, ...]]:
    """The columns of each table, in the schema's order."""
    grouped: dict[str, list[Column]] = {}
    for column in schema():
        grouped.setdefault(column.table, []).append(column)
    return {table: tuple(columns) for table, columns in grouped.items()}


class Recorder:
    """What a run writes down. Numbers go to growing typed arrays, texts are kept once each and numbered."""

    def __init__(self) -> None:
        self._tables = {table: _Table(table, columns) for table, columns in tables().items()}

    def add(self, table: str, /, **row: Any) -> None:
        """Write one row; a float may be nan where the schema lets it be empty.

        Raises:
            ValueError: if the table is unknown, a column is missing or unknown, or a value is not of its
                column's type; then nothing is written.
        """
        self._table(table).add(row)

    def extend(self, table: str, columns: Mapping[str, Any]) -> None:
        """Write many rows: an array or list for each column, all of one length, or one value for all rows.

        Raises:
            ValueError: as ``add``, and if the lengths differ; then nothing is written.
        """
        self._table(table).extend(columns)

    def rows(self, table: str) -> int:
        """How many rows a table holds by now."""
        return len(self._table(table))

    def since(self, table: str, row: int) -> dict[str, list[Any]]:
        """The rows of a table from a row on, as a list for each column: what a quarter has added, at its own cost."""
        return {name: store.tail(row) for name, store in self._table(table).columns.items()}

    def frames(self) -> dict[str, pandas.DataFrame]:
        """All tables as DataFrames with the schema's columns in its order: str, float64, int64 and bool."""
        import pandas as pd  # a run that is only stepped does not pay for it

        return {name: pd.DataFrame(table.arrays(), copy=False) for name, table in self._tables.items()}

    def _table(self, table: str) -> _Table:
        try:
            return self._tables[table]
        except KeyError:
            raise ValueError(
                f"There is no table {table!r}: write one of {', '.join(self._tables)}."
            ) from None


class _Table:
    """The columns of one table, which grow together."""

    def __init__(self, name: str, columns: tuple[Column, ...]) -> None:
        self.name = name
        self.columns = {column.column: _STORES[column.dtype](column) for column in columns}
        self._pairs = tuple(self.columns.items())

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())).data)

    def add(self, row: Mapping[str, Any]) -> None:
        if row.keys() != self.columns.keys():
            raise self._mismatch(row)
        values = [store.one(row[name]) for name, store in self._pairs]
        for (_, store), value in zip(self._pairs, values, strict=True):
            store.data.append(value)

    def extend(self, columns: Mapping[str, Any]) -> None:
        if columns.keys() != self.columns.keys():
            raise self._mismatch(columns)
        lengths = {name: len(values) for name, values in columns.items() if _is_sequence(values)}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"The columns of {self.name} need one length each, not {lengths}.")
        length = next(iter(lengths.values()))
        chunks = [
            store.many(columns[name]) if name in lengths else np.repeat(store.cell(columns[name]), length)
            for name, store in self._pairs
        ]
        for (_, store), chunk in zip(self._pairs, chunks, strict=True):
            store.data.frombytes(chunk.tobytes())

    def arrays(self) -> dict[str, Any]:
        return {name: store.values() for name, store in self._pairs}

    def _mismatch(self, row: Mapping[str, Any]) -> ValueError:
        missing = [name for name in self.columns if name not in row]
        unknown = [name for name in row if name not in self.columns]
        parts = [
            f"{word} {', '.join(names)}" for word, names in (("lacks", missing), ("adds", unknown)) if names
        ]
        return ValueError(
            f"A row of {self.name} {' and '.join(parts)}: give the columns of model/schema.csv."
        )


class _Store(ABC):
    """The values of one column. The standard library's arrays grow ahead of need and append fast."""

    code = "d"
    dtype: type[np.generic] = np.float64

    def __init__(self, column: Column) -> None:
        self.column = column
        self.data: array[Any] = array(self.code)

    @abstractmethod
    def one(self, value: Any) -> Any:
        """One checked value, as the array takes it."""

    def many(self, values: Any) -> NDArray[Any]:
        """Checked values, shape (rows,), of ``dtype``."""
        return np.array([self.one(value) for value in values], dtype=self.dtype)

    def cell(self, value: Any) -> NDArray[Any]:
        """One checked value as an array, shape (1,)."""
        return np.array([self.one(value)], dtype=self.dtype)

    def values(self) -> Any:
        """The whole column for a DataFrame."""
        return np.array(self.data, dtype=self.dtype)

    def tail(self, row: int) -> list[Any]:
        """The values from a row on, as Python's own."""
        return self.data[row:].tolist()

    def refuse(self, value: Any) -> ValueError:
        kind = self.column.dtype
        return ValueError(
            f"{self.column.table}.{self.column.column} cannot be {value!r}: write {_ARTICLE[kind]}."
        )


class _Floats(_Store):
    def one(self, value: Any) -> float:
        if isinstance(value, (float, int, np.floating, np.integer)) and not isinstance(value, bool):
            return float(value)
        raise self.refuse(value)

    def many(self, values: Any) -> NDArray[Any]:
        numbers = np.asarray(values)
        if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "fiu"):
            return super().many(values)
        return numbers.astype(np.float64)


class _Integers(_Store):
    code = "q"
    dtype = np.int64

    def many(self, values: Any) -> NDArray[Any]:
        if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype == np.int64:
            return values
        return super().many(values)

    def one(self, value: Any) -> int:
        if isinstance(value, (bool, np.bool_)) or not isinstance(
            value, (int, float, np.integer, np.floating)
        ):
            raise self.refuse(value)
        if not math.isfinite(value) or value != int(value) or not _LOWEST <= value <= _HIGHEST:
            raise self.refuse(value)
        return int(value)


class _Booleans(_Store):
    code = "b"
    dtype = np.int8

    def many(self, values: Any) -> NDArray[Any]:
        if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype == np.bool_:
            return values.astype(np.int8)
        return super().many(values)

    def one(self, value: Any) -> int:
        if isinstance(value, (bool, np.bool_)):
            return int(value)
        raise self.refuse(value)

    def values(self) -> Any:
        return super().values().astype(np.bool_)

    def tail(self, row: int) -> list[Any]:
        return [bool(value) for value in self.data[row:]]


class _Texts(_Store):
    code = "q"
    dtype = np.int64

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.numbers: dict[str, int] = {}

    def many(self, values: Any) -> NDArray[Any]:
        numbers = self.numbers
        try:
            return np.array([numbers[value] for value in values], dtype=np.int64)
        except (KeyError, TypeError):  # a text that is new, or something that is none
            return super().many(values)

    def one(self, value: Any) -> int:
        number = self.numbers.get(value) if isinstance(value, str) else None
        if number is None:
            if not isinstance(value, str):
                raise self.refuse(value)
            number = self.numbers.setdefault(value, len(self.numbers))
        return number

    def values(self) -> Any:
        import pandas as pd

        return pd.array(list(self.numbers), dtype="str").take(super().values())

    def tail(self, row: int) -> list[Any]:
        texts = list(self.numbers)
        return [texts[number] for number in self.data[row:]]


_STORES: dict[str, type[_Store]] = {"str": _Texts, "float": _Floats, "int": _Integers, "bool": _Booleans}
_LOWEST, _HIGHEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
_ARTICLE = {
    "str": "a text",
    "float": "a number, or nan where there is none",
    "int": "a whole number",
    "bool": "True or False",
}


def _is_sequence(values: Any) -> bool:
    if isinstance(values, str) or not hasattr(values, "__len__"):
        return False
    return bool(getattr(values, "ndim", 1))
