"""The recorded tables of one run, cut by quarter, so that a metric reads like its definition."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from evidence.period import Quarters
from model import headline, indices, texts
from model.records import Tables, tables

if TYPE_CHECKING:
    from pandas import DataFrame

Column = NDArray[Any]
Mask = NDArray[np.bool_]
Wanted = str | bool | tuple[str, ...]
Kept = TypeVar("Kept")


class Rows:
    """Some rows of a table. What is asked of them is worked out once: many claims begin with the same rows."""

    def __init__(self, whole: _Whole, places: NDArray[np.intp] | None) -> None:
        """``places`` are those of the rows among the ``whole`` ones, None for all."""
        self._whole = whole
        self._places = places
        self._groups: dict[str, tuple[list[str], NDArray[np.int64]]] = {}
        self._columns: dict[str, Column] = {}
        self._totals: dict[str, float] = {}
        self._found: dict[object, Rows] = {}

    def __len__(self) -> int:
        return self._whole.rows if self._places is None else len(self._places)

    def held(self, column: str) -> Column:
        """A column of these rows as tables hold it, texts by number, shape (rows,)."""
        found = self._columns.get(column)
        if found is None:
            found = self._whole.column(column)
            if self._places is not None:
                found = found[self._places]
            self._columns[column] = found
        return found

    def __getitem__(self, column: str) -> Column:
        """A column of these rows: objects where it holds text, booleans or numbers otherwise, shape (rows,)."""
        found = self.held(column)
        return texts.words(found) if self._whole.is_text(column) else found

    @property
    def when(self) -> NDArray[np.int64]:
        """Which of the quarters each row is of, shape (rows,)."""
        return self._whole.when if self._places is None else self._whole.when[self._places]

    def each(self, column: str) -> NDArray[np.int64]:
        """Numbers that are equal where a text column and the quarter are, shape (rows,)."""
        return self.held(column) * len(self._whole.quarters) + self.when

    def has(self, column: str, wanted: Wanted) -> Mask:
        """Where a column equals the wanted value; a tuple means any of them."""
        values = self.held(column)
        if isinstance(wanted, bool):
            return np.asarray(values if wanted else ~values)
        return texts.among(values, *((wanted,) if isinstance(wanted, str) else wanted))

    def where(self, **wanted: Wanted) -> Rows:
        """The rows whose columns equal the wanted values; a tuple means any of them.

        A keyword may end in an underscore, for columns that are words of Python (``class_``).
        """
        return self._kept_once(wanted, True)

    def without(self, **unwanted: Wanted) -> Rows:
        """The rows that :meth:`where` would leave out."""
        return self._kept_once(unwanted, False)

    def _kept_once(self, wanted: Mapping[str, Wanted], kept: bool) -> Rows:
        key = (kept, *wanted.items())
        found = self._found.get(key)
        if found is None:
            masks = [self.has(name.removesuffix("_"), value) for name, value in wanted.items()]
            mask = masks[0] if masks else np.ones(len(self), dtype=bool)
            for other in masks[1:]:
                mask = mask & other
            found = self._found[key] = self.keep(mask if kept else ~mask)
        return found

    def keep(self, mask: Mask) -> Rows:
        """The rows of a mask, shape (rows,)."""
        at = mask.nonzero()[0]
        return Rows(self._whole, at if self._places is None else self._places[at])

    def total(self, column: str) -> float:
        """The sum of a column, 0 without rows, nan when a value is."""
        if column not in self._totals:
            self._totals[column] = float(self.held(column).sum())
        return self._totals[column]

    def mean(self, column: str) -> float:
        """The plain mean of a column; nan without rows."""
        return self.total(column) / len(self) if len(self) else math.nan

    def weighted(self, column: str, weight: str) -> float:
        """The mean of a column weighted by another; the plain mean where all weights are zero; nan without
        rows."""
        total = self.total(weight)
        return float(self.held(column) @ self.held(weight)) / total if total > 0.0 else self.mean(column)

    def names(self, column: str) -> tuple[str, ...]:
        """The distinct values of a text column, sorted."""
        return tuple(sorted(self.groups(column)[0]))

    def groups(self, column: str) -> tuple[list[str], NDArray[np.int64]]:
        """The distinct values of a text column in order of appearance, and which of them each row has, shape (rows,)."""
        if column not in self._groups:
            self._groups[column] = texts.distinct(self.held(column))
        return self._groups[column]


class _Whole:
    """All rows of a table in some quarters, column by column."""

    def __init__(self, run: Tables, table: str, quarters: Quarters) -> None:
        self._run, self._table, self.quarters = run, table, quarters
        self._columns: dict[str, Column] = {}
        self.rows = run.rows(table, quarters)

    def column(self, name: str) -> Column:
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._run.column(self._table, name, self.quarters)
        return found

    def is_text(self, name: str) -> bool:
        return _dtypes(self._table)[name] == "str"

    @cached_property
    def when(self) -> NDArray[np.int64]:
        return self._run.when(self._table, self.quarters)


class Record:
    """The tables of one run, which follow ``model/schema.csv``: as DataFrames, or as the run recorded them."""

    def __init__(self, run: Mapping[str, DataFrame]) -> None:
        self._run = Tables.of(run)
        self._rows: dict[tuple[str, Quarters], Rows] = {}
        self._kept: dict[object, Any] = {}

    def rows(self, table: str, quarters: Quarters) -> Rows:
        """The rows of a table in some quarters. Raises KeyError when the run did not record it."""
        key = (table, quarters)
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = Rows(_Whole(self._run, table, quarters), None)
        return found

    @cached_property
    def quarters(self) -> Quarters:
        """The quarters on record, in order."""
        return tuple(self._run.quarters("quarters"))

    @cached_property
    def known(self) -> frozenset[str]:
        """The same as a set."""
        return frozenset(self.quarters)

    def panel(self) -> indices.Panel:
        """The offers of all quarters, each the same from quarter to quarter."""
        return headline.panel(self._run, self.quarters)

    def kept(self, key: object, make: Callable[[], Kept]) -> Kept:
        """What ``make`` returns, made once for each key."""
        if key not in self._kept:
            self._kept[key] = make()
        kept: Kept = self._kept[key]
        return kept


@cache
def _dtypes(table: str) -> Mapping[str, str]:
    return {column.column: column.dtype for column in tables()[table]}


def ratio(above: float, below: float) -> float:
    """A quotient; nan when the denominator is zero or either is nan."""
    return above / below if below != 0.0 else math.nan


def log(value: float) -> float:
    """The natural logarithm; nan where there is none."""
    return math.log(value) if value > 0.0 else math.nan
