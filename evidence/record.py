"""The recorded tables of one run, cut by quarter, so that a metric reads like its definition."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from evidence.period import Quarters

if TYPE_CHECKING:
    from pandas import DataFrame

Column = NDArray[Any]
Wanted = str | bool | tuple[str, ...]
Kept = TypeVar("Kept")


class Table:
    """One recorded table as columns, each read from the data frame when first asked for."""

    def __init__(self, name: str, frame: DataFrame) -> None:
        self.name = name
        self._frame = frame
        self._columns: dict[str, Column] = {}
        self._places = {
            str(quarter): np.asarray(places, dtype=np.int64)
            for quarter, places in frame.groupby("quarter", sort=True).indices.items()
        }

    def column(self, name: str) -> Column:
        """A column: objects where it holds text, booleans or floats otherwise. Raises KeyError without it."""
        if name not in self._columns:
            series = self._frame[name]
            kind = series.dtype.kind if isinstance(series.dtype, np.dtype) else "O"
            self._columns[name] = series.to_numpy(dtype={"b": bool, "f": float, "i": float}.get(kind, object))
        return self._columns[name]

    def quarters(self) -> Quarters:
        """The quarters that have rows, in order."""
        return tuple(self._places)

    def rows(self, quarters: Quarters) -> Rows:
        """The rows of some quarters."""
        places = [self._places[quarter] for quarter in quarters if quarter in self._places]
        return Rows(self, np.concatenate(places) if places else np.zeros(0, dtype=np.int64))


class Rows:
    """Some rows of a table."""

    def __init__(self, table: Table, places: NDArray[np.int64]) -> None:
        self._table = table
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, column: str) -> Column:
        """A column of these rows, shape (rows,)."""
        values: Column = self._table.column(column)[self._places]
        return values

    def where(self, **wanted: Wanted) -> Rows:
        """The rows whose columns equal the wanted values; a tuple means any of them.

        A keyword may end in an underscore, for columns that are words of Python (``class_``).
        """
        keep = np.ones(len(self), dtype=bool)
        for name, value in wanted.items():
            column = self[name.removesuffix("_")]
            any_of = np.zeros(len(self), dtype=bool)
            for one in value if isinstance(value, tuple) else (value,):
                any_of |= (column == one).astype(bool)
            keep &= any_of
        return self.keep(keep)

    def without(self, **unwanted: Wanted) -> Rows:
        """The rows that :meth:`where` would leave out."""
        dropped = self.where(**unwanted)
        return Rows(self._table, np.setdiff1d(self._places, dropped._places, assume_unique=True))

    def keep(self, mask: NDArray[np.bool_]) -> Rows:
        """The rows of a mask, shape (rows,)."""
        return Rows(self._table, self._places[mask])

    def total(self, column: str) -> float:
        """The sum of a column, 0 without rows, nan when a value is."""
        return float(self[column].sum())

    def mean(self, column: str) -> float:
        """The plain mean of a column; nan without rows."""
        return float(self[column].mean()) if len(self) else math.nan

    def weighted(self, column: str, weight: str) -> float:
        """The mean of a column weighted by another; the plain mean where all weights are zero; nan without
        rows."""
        weights = self[weight]
        return (
            ratio(float(self[column] @ weights), float(weights.sum()))
            if weights.sum() > 0.0
            else self.mean(column)
        )

    def names(self, column: str) -> tuple[str, ...]:
        """The distinct values of a text column, sorted."""
        return tuple(sorted({str(value) for value in self[column]}))


class Record:
    """The tables of one run, as data frames following ``model/schema.csv``."""

    def __init__(self, tables: Mapping[str, DataFrame]) -> None:
        self._frames = tables
        self._tables: dict[str, Table] = {}
        self._rows: dict[tuple[str, Quarters], Rows] = {}
        self._kept: dict[object, Any] = {}

    def table(self, name: str) -> Table:
        """One table. Raises KeyError when the run did not record it."""
        if name not in self._tables:
            self._tables[name] = Table(name, self._frames[name])
        return self._tables[name]

    def rows(self, table: str, quarters: Quarters) -> Rows:
        """The rows of a table in some quarters."""
        key = (table, quarters)
        if key not in self._rows:
            self._rows[key] = self.table(table).rows(quarters)
        return self._rows[key]

    def quarters(self) -> Quarters:
        """The quarters on record."""
        return self.table("quarters").quarters()

    def kept(self, key: object, make: Callable[[], Kept]) -> Kept:
        """What ``make`` returns, made once for each key."""
        if key not in self._kept:
            self._kept[key] = make()
        kept: Kept = self._kept[key]
        return kept


def ratio(above: float, below: float) -> float:
    """A quotient; nan when the denominator is zero or either is nan."""
    return above / below if below != 0.0 else math.nan


def log(value: float) -> float:
    """The natural logarithm; nan where there is none."""
    return math.log(value) if value > 0.0 else math.nan
