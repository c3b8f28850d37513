"""The recorder: typed tables of a run, as the schema in ``schema.csv`` declares them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model import texts
from model.columns import KINDS, Column, held, is_sequence, joined, length_of

if TYPE_CHECKING:
    import pandas

QUARTER = "quarter"
"""The column that every table begins with."""

Make = Callable[[], Mapping[str, Any]]
Digest = Callable[["Tables", int], Mapping[str, Any] | None]


@cache
def schema() -> tuple[Column, ...]:
    """All columns of all tables in order; read from ``model/schema.csv``, for recorder, store and docs."""
    text = files("model").joinpath("schema.csv").read_text(encoding="utf-8")
    columns = tuple(Column(**row) for row in csv.DictReader(text.splitlines()))
    for column in columns:
        if column.dtype not in KINDS:
            raise ValueError(
                f"schema.csv gives {column.table}.{column.column} the dtype {column.dtype!r}: "
                f"write one of {', '.join(KINDS)}."
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
    """What a run writes down, as blocks of rows; a block may be worked out only when somebody looks at it."""

    def __init__(self) -> None:
        self._tables = {table: _Table(table, columns) for table, columns in tables().items()}
        self._digests: dict[str, Digest] = {}

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

    def log(self, table: str, quarter: str, *values: Any) -> None:
        """Write one row of a quarter, values in the schema's order; they are checked when somebody looks at them."""
        self._table(table).log(quarter, values)

    def later(self, table: str, quarter: str, make: Make) -> None:
        """Write the rows of a quarter that ``make`` returns, as for ``extend``, when somebody looks at them.

        A column may be a function of its own that returns it, called when somebody looks at that column. What
        ``make`` needs of the market's state it must have copied: it is called after that has gone on.
        """
        self._table(table).blocks.append(_Later(self._table(table), quarter, make))

    def digest(self, table: str, make: Digest) -> None:
        """Let a table follow from others: when somebody looks, ``make`` adds the rows that it lacks.

        ``make`` is given the tables and the number of rows that are there, and returns more as for ``extend``, or None.
        """
        self._digests[table] = make

    def rows(self, table: str) -> int:
        """How many rows a table holds by now."""
        self._digest(table)
        return len(self._table(table))

    def since(self, table: str, row: int) -> dict[str, list[Any]]:
        """The rows of a table from a row on, as a list for each column: what a quarter has added, at its own cost."""
        self._digest(table)
        return self._table(table).tail(row)

    def tables(self) -> Tables:
        """What is recorded by now, to look at."""
        for table in self._digests:
            self._digest(table)
        return Tables({name: table.copy() for name, table in self._tables.items()})

    def frames(self) -> dict[str, pandas.DataFrame]:
        """All tables as DataFrames with the schema's columns in its order: str, float64, int64 and bool."""
        return dict(self.tables())

    def _digest(self, table: str) -> None:
        make = self._digests.get(table)
        if make is not None:
            known = Tables({name: known.copy() for name, known in self._tables.items()})
            fresh = make(known, len(self._table(table)))
            if fresh is not None:
                self.extend(table, fresh)

    def _table(self, table: str) -> _Table:
        try:
            return self._tables[table]
        except KeyError:
            raise ValueError(
                f"There is no table {table!r}: write one of {', '.join(self._tables)}."
            ) from None


class Tables(Mapping[str, "pandas.DataFrame"]):
    """The tables of a run: DataFrames by name, each made when it is first asked for; or columns as arrays."""

    def __init__(self, tables: Mapping[str, _Table]) -> None:
        self._tables = dict(tables)
        self._frames: dict[str, pandas.DataFrame] = {}

    @classmethod
    def of(cls, frames: Mapping[str, pandas.DataFrame]) -> Tables:
        """Tables given as DataFrames, with columns of the schema; those that are Tables already as they are."""
        if isinstance(frames, Tables):
            return frames
        found = cls({})
        for name, frame in frames.items():
            found._tables[name] = _Table(name, tables()[name])
            found._tables[name].blocks.append(_Framed(found._tables[name], frame))
            found._frames[name] = frame
        return found

    def __getitem__(self, table: str) -> pandas.DataFrame:
        if table not in self._frames:
            import pandas as pd  # a run that is only measured does not pay for it

            columns = {c.column: KINDS[c.dtype].words(self.column(table, c.column)) for c in tables()[table]}
            self._frames[table] = pd.DataFrame(columns, copy=False)
        return self._frames[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def rows(self, table: str, quarters: Sequence[str] | None = None) -> int:
        """How many rows a table has, of some quarters or of all."""
        known = self._tables[table]
        return len(known) if quarters is None else sum(known.count(quarter) for quarter in quarters)

    def quarters(self, table: str) -> list[str]:
        """The quarters of which a table has rows, in order."""
        return sorted(self._tables[table].by_quarter)

    def column(self, table: str, name: str, quarters: Sequence[str] | None = None) -> NDArray[Any]:
        """A column, of the rows of some quarters or of all: floats, whole numbers, booleans, or texts by number.

        The rows of quarters are in the quarters' order. Nobody may change the array.
        """
        return self._tables[table].column(name, quarters)

    def when(self, table: str, quarters: Sequence[str]) -> NDArray[np.int64]:
        """Which of some quarters each of their rows is of, shape (rows,), rows as in :meth:`column`."""
        return np.repeat(np.arange(len(quarters)), [self._tables[table].count(q) for q in quarters])

    def put(self, table: str, columns: Mapping[str, NDArray[Any]]) -> None:
        """Give other values to some columns, shape (rows,) each."""
        self._tables[table].put(columns)
        self._frames.pop(table, None)

    def only(self, names: Sequence[str]) -> Tables:
        """Some of the tables, worked out: they hold on to nothing else of the run."""
        return Tables({name: self._tables[name].whole() for name in names})


class _Table:
    """The blocks of one table, in the order in which they were written."""

    def __init__(self, name: str, columns: tuple[Column, ...]) -> None:
        self.name = name
        self.columns = {column.column: column for column in columns}
        self.blocks: list[_Block] = []
        self._whole: dict[str, NDArray[Any]] = {}
        self._by_quarter: dict[str, list[tuple[_Block, NDArray[np.intp] | None]]] | None = None

    def __len__(self) -> int:
        return sum(len(block) for block in self.blocks)

    def copy(self) -> _Table:
        copied = _Table(self.name, tuple(self.columns.values()))
        copied.blocks = self.blocks.copy()
        if copied.blocks and isinstance(copied.blocks[-1], _Rows):
            copied.blocks[-1] = copied.blocks[-1].copy()  # the one that may still grow
        return copied

    def add(self, row: Mapping[str, Any]) -> None:
        if row.keys() != self.columns.keys():
            raise self.mismatch(row)
        for name, column in self.columns.items():
            KINDS[column.dtype].one(column, row[name])
        self.log(str(row[QUARTER]), tuple(row[name] for name in self.columns if name != QUARTER))

    def extend(self, columns: Mapping[str, Any]) -> None:
        self.blocks.append(_Block.of(self, columns))

    def log(self, quarter: str, values: tuple[Any, ...]) -> None:
        last = self.blocks[-1] if self.blocks else None
        if not isinstance(last, _Rows) or last.quarter != quarter:
            last = _Rows(self, quarter)
            self.blocks.append(last)
        last.values.append(values)

    @property
    def by_quarter(self) -> dict[str, list[tuple[_Block, NDArray[np.intp] | None]]]:
        """The blocks with rows of each quarter, and which rows of them (None: all)."""
        if self._by_quarter is None:
            found: dict[str, list[tuple[_Block, NDArray[np.intp] | None]]] = {}
            for block in self.blocks:
                for quarter, places in block.places():
                    found.setdefault(quarter, []).append((block, places))
            self._by_quarter = found
        return self._by_quarter

    def column(self, name: str, quarters: Sequence[str] | None = None) -> NDArray[Any]:
        """As :meth:`Tables.column`."""
        dtype = self.columns[name].dtype
        if quarters is not None:
            found = [part for quarter in quarters for part in self.by_quarter.get(quarter, ())]
            return joined((b.column(name) if at is None else b.column(name)[at] for b, at in found), dtype)
        if name not in self._whole:
            self._whole[name] = joined((block.column(name) for block in self.blocks), dtype)
        return self._whole[name]

    def count(self, quarter: str) -> int:
        """How many rows there are of a quarter."""
        found = self.by_quarter.get(quarter, ())
        return sum(len(block) if at is None else len(at) for block, at in found)

    def tail(self, row: int) -> dict[str, list[Any]]:
        """The rows from a row on, as Python's own values."""
        start = len(self)
        left: list[_Block] = []
        for block in reversed(self.blocks):
            if start <= row:
                break
            start -= len(block)
            left.insert(0, block)
        found: dict[str, list[Any]] = {}
        for name, column in self.columns.items():
            values = joined((block.column(name) for block in left), column.dtype)[
                max(row - start, 0) :
            ].tolist()
            found[name] = [texts.text(number) for number in values] if column.dtype == "str" else values
        return found

    def put(self, columns: Mapping[str, NDArray[Any]]) -> None:
        whole = self.whole(columns)
        self.blocks, self._whole, self._by_quarter = whole.blocks, {}, None

    def whole(self, instead: Mapping[str, NDArray[Any]] | None = None) -> _Table:
        """The same as one block that is worked out, with other values of some columns."""
        made = _Table(self.name, tuple(self.columns.values()))
        values = {name: self.column(name) for name in self.columns} | dict(instead or {})
        made.blocks = [_Block(made, len(self), values)]
        return made

    def mismatch(self, row: Mapping[str, Any]) -> ValueError:
        missing = [name for name in self.columns if name not in row]
        unknown = [name for name in row if name not in self.columns]
        parts = [
            f"{word} {', '.join(names)}" for word, names in (("lacks", missing), ("adds", unknown)) if names
        ]
        return ValueError(
            f"A row of {self.name} {' and '.join(parts)}: give the columns of model/schema.csv."
        )


class _Block:
    """Some rows of a table, columns as they are held."""

    def __init__(self, table: _Table, rows: int, values: dict[str, NDArray[Any]]) -> None:
        self.columns = table.columns
        self._rows = rows
        self._held = values

    @classmethod
    def of(cls, table: _Table, columns: Mapping[str, Any]) -> _Block:
        """Checked columns."""
        rows = _rows_of(table, columns)
        return cls(table, rows, {n: held(c, columns[n], rows).copy() for n, c in table.columns.items()})

    def __len__(self) -> int:
        return self._rows

    def column(self, name: str) -> NDArray[Any]:
        """The whole column."""
        return self._held[name]

    def places(self) -> list[tuple[str, NDArray[np.intp] | None]]:
        """The quarters of the rows, each with its rows; None for all."""
        quarters = self.column(QUARTER)
        distinct = np.unique(quarters)
        if len(distinct) == 1:
            return [(texts.text(int(distinct[0])), None)]
        return [(texts.text(int(number)), np.flatnonzero(quarters == number)) for number in distinct]


class _Framed(_Block):
    """The rows of a DataFrame."""

    def __init__(self, table: _Table, frame: pandas.DataFrame) -> None:
        super().__init__(table, len(frame), {})
        self._frame = frame

    def column(self, name: str) -> NDArray[Any]:
        if name not in self._held:
            self._held[name] = KINDS[self.columns[name].dtype].read(self._frame[name])
        return self._held[name]


class _Later(_Block):
    """Rows of one quarter that are worked out when somebody looks at them, column by column."""

    def __init__(self, table: _Table, quarter: str, make: Make) -> None:
        self.table, self.columns, self.quarter = table, table.columns, quarter
        self._make: Make | None = make
        self._values: dict[str, Any] = {}
        self._held: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        self._open()
        return self._rows

    def column(self, name: str) -> NDArray[Any]:
        found = self._held.get(name)
        if found is None:
            self._open()
            value = self._values.pop(name)
            found = held(self.columns[name], value() if callable(value) else value, self._rows)
            self._held[name] = found
        return found

    def places(self) -> list[tuple[str, NDArray[np.intp] | None]]:
        return [(self.quarter, None)]

    def _open(self) -> None:
        if self._make is not None:
            values = {QUARTER: self.quarter, **self._make()}
            self._rows, self._values, self._make = _rows_of(self.table, values), values, None


class _Rows(_Block):
    """Rows of one quarter that came one by one."""

    def __init__(self, table: _Table, quarter: str) -> None:
        self.table, self.columns, self.quarter = table, table.columns, quarter
        self.values: list[tuple[Any, ...]] = []
        self._held: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.values)

    def copy(self) -> _Rows:
        copied = _Rows(self.table, self.quarter)
        copied.values = self.values.copy()
        return copied

    def column(self, name: str) -> NDArray[Any]:
        found = self._held.get(name)
        if found is None or len(found) < len(self):
            at = list(self.columns).index(name) - 1  # the quarter comes first and is not among the values
            values = [row[at] for row in self.values] if at >= 0 else self.quarter
            found = self._held[name] = held(self.columns[name], values, len(self))
        return found

    def places(self) -> list[tuple[str, NDArray[np.intp] | None]]:
        return [(self.quarter, None)]


def _rows_of(table: _Table, columns: Mapping[str, Any]) -> int:
    """How many rows columns are for. Raises ValueError where they are not those of the table, or differ."""
    if columns.keys() != table.columns.keys():
        raise table.mismatch(columns)
    lengths = {name: length_of(values) for name, values in columns.items() if is_sequence(values)}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"The columns of {table.name} need one length each, not {lengths}.")
    return next(iter(lengths.values()))
