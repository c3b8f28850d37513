"""The kinds of columns of recorded tables: what each takes, and how it is held."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model import texts

if TYPE_CHECKING:
    import pandas


class Column(NamedTuple):
    """One column of a recorded table, as the schema declares it."""

    table: str
    column: str
    dtype: str
    unit: str
    description: str


class Kind(ABC):
    """How values of one dtype of the schema are checked and held, as an array of ``dtype``."""

    dtype: type[np.generic]
    article: str

    @abstractmethod
    def one(self, column: Column, value: Any) -> Any:
        """One checked value. Raises ValueError for what the column cannot hold."""

    def many(self, column: Column, values: Any) -> NDArray[Any]:
        """Checked values, shape (rows,)."""
        return np.array([self.one(column, value) for value in values], dtype=self.dtype)

    def read(self, series: pandas.Series[Any]) -> NDArray[Any]:
        """What a column of a DataFrame holds."""
        return np.asarray(series.to_numpy(dtype=self.dtype))

    def refuse(self, column: Column, value: Any) -> ValueError:
        """What to say of a value that the column cannot hold."""
        return ValueError(f"{column.table}.{column.column} cannot be {value!r}: write {self.article}.")


class _Floats(Kind):
    dtype = np.float64
    article = "a number, or nan where there is none"

    def one(self, column: Column, value: Any) -> float:
        if isinstance(value, (float, int, np.floating, np.integer)) and not isinstance(value, bool):
            return float(value)
        raise self.refuse(column, value)

    def many(self, column: Column, values: Any) -> NDArray[Any]:
        found = np.asarray(values)
        if found.ndim != 1 or (found.size and found.dtype.kind not in "fiu"):
            return super().many(column, values)
        return found.astype(np.float64, copy=False)


class _Integers(Kind):
    dtype = np.int64
    article = "a whole number"

    def one(self, column: Column, value: Any) -> int:
        if isinstance(value, (bool, np.bool_)) or not isinstance(
            value, (int, float, np.integer, np.floating)
        ):
            raise self.refuse(column, value)
        if not math.isfinite(value) or value != int(value) or not _LOWEST <= value <= _HIGHEST:
            raise self.refuse(column, value)
        return int(value)

    def many(self, column: Column, values: Any) -> NDArray[Any]:
        if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype == np.int64:
            return values
        return super().many(column, values)


class _Booleans(Kind):
    dtype = np.bool_
    article = "True or False"

    def one(self, column: Column, value: Any) -> bool:
        if isinstance(value, (bool, np.bool_)):
            return bool(value)
        raise self.refuse(column, value)

    def many(self, column: Column, values: Any) -> NDArray[Any]:
        if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype == np.bool_:
            return values
        return super().many(column, values)


class _Texts(Kind):
    """Texts are held by their numbers (``model/texts.py``)."""

    dtype = np.int64
    article = "a text"

    def one(self, column: Column, value: Any) -> int:
        if isinstance(value, str):
            return texts.number(value)
        raise self.refuse(column, value)

    def many(self, column: Column, values: Any) -> NDArray[Any]:
        if isinstance(values, texts.Codes):
            return values.numbers
        found = texts.known(values)
        return super().many(column, values) if found is None else found

    def read(self, series: pandas.Series[Any]) -> NDArray[Any]:
        which, found = series.factorize(use_na_sentinel=False)
        return np.asarray(texts.numbers(str(text) for text in found)[which])


KINDS: dict[str, Kind] = {"str": _Texts(), "float": _Floats(), "int": _Integers(), "bool": _Booleans()}
_LOWEST, _HIGHEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def is_sequence(values: Any) -> bool:
    """Whether these are values of many rows, and not one value for all of them."""
    if isinstance(values, texts.Codes):
        return True
    if isinstance(values, str) or not hasattr(values, "__len__"):
        return False
    return bool(getattr(values, "ndim", 1))


def length_of(values: Any) -> int:
    """How many rows values of many rows are for."""
    return len(values.numbers) if isinstance(values, texts.Codes) else len(values)


def held(column: Column, values: Any, rows: int) -> NDArray[Any]:
    """Checked values of ``rows`` rows as they are held: an array or list, or one value for all.

    Raises ValueError for what the column cannot hold, and for another number of values.
    """
    kind = KINDS[column.dtype]
    if not is_sequence(values):
        return np.full(rows, kind.one(column, values), dtype=kind.dtype)
    found = kind.many(column, values)
    if len(found) != rows:
        raise ValueError(f"{column.table}.{column.column} has {len(found)} values for {rows} rows.")
    return found


def joined(parts: Iterable[NDArray[Any]], dtype: str) -> NDArray[Any]:
    """Parts of a column one after the other; a single part as it is."""
    found = list(parts)
    if len(found) == 1:
        return found[0]
    return np.concatenate(found) if found else np.zeros(0, dtype=KINDS[dtype].dtype)
