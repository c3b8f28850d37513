"""The recorder: typed tables of a run, as the schema in ``schema.csv`` declares them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.blocks import Derived, Framed, Table
from model.columns import KINDS, Column

if TYPE_CHECKING:
    import pandas

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
    """What a run writes down: rows, and facts from which columns are worked out when somebody looks at them."""

    def __init__(self) -> None:
        self._tables = {table: Table(table, columns) for table, columns in tables().items()}
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

    def derive(
        self,
        table: str,
        columns: Mapping[str, Derived],
        names: Any = None,
        dear: frozenset[str] = frozenset(),
    ) -> None:
        """Say how columns of a table follow from the facts that :meth:`put` writes down, by name.

        Each is called when somebody looks at it, with the facts of all quarters together and with ``names``, which
        stand behind numbers; it returns texts by number, and what the schema says of the others. Those that are
        ``dear`` are called with the facts of one quarter at a time, of quarters that are looked at.
        """
        known = self._table(table)
        known.derived, known.names, known.dear = columns, names, dear

    def put(self, table: str, quarter: str, rows: int, facts: Mapping[str, Any]) -> None:
        """Write down the facts of a quarter of which somebody may look at ``rows`` rows later.

        A fact is an array with a row for each, one value for all of them, or a function that returns either when
        somebody looks. They must be copies: they are looked at after the market has gone on.
        """
        self._table(table).put(quarter, rows, facts)

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
        found = self._seen()
        for table in self._digests:
            self._digest(table, found)
        return found

    def frames(self) -> dict[str, pandas.DataFrame]:
        """All tables as DataFrames with the schema's columns in its order: str, float64, int64 and bool."""
        return dict(self.tables())

    def _seen(self) -> Tables:
        """What is written down by now."""
        return Tables({name: table.copy() for name, table in self._tables.items()})

    def _digest(self, table: str, seen: Tables | None = None) -> None:
        """Add the rows that a table lacks, here and in what is ``seen``: columns worked out for it are kept there."""
        make = self._digests.get(table)
        if make is not None:
            known = self._seen() if seen is None else seen
            fresh = make(known, len(self._table(table)))
            if fresh is not None:
                self.extend(table, fresh)
                known.renew(table, self._table(table).copy())

    def _table(self, table: str) -> Table:
        try:
            return self._tables[table]
        except KeyError:
            raise ValueError(
                f"There is no table {table!r}: write one of {', '.join(self._tables)}."
            ) from None


class Tables(Mapping[str, "pandas.DataFrame"]):
    """The tables of a run: DataFrames by name, each made when it is first asked for; or columns as arrays."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = dict(tables)
        self._frames: dict[str, pandas.DataFrame] = {}

    @classmethod
    def of(cls, frames: Mapping[str, pandas.DataFrame]) -> Tables:
        """Tables given as DataFrames, with columns of the schema; those that are Tables already as they are."""
        if isinstance(frames, Tables):
            return frames
        found = cls({})
        for name, frame in frames.items():
            found._tables[name] = Table(name, tables()[name])
            found._tables[name].blocks.append(Framed(found._tables[name], frame))
            found._frames[name] = frame
        return found

    def __getitem__(self, table: str) -> pandas.DataFrame:
        if table not in self._frames:
            import pandas as pd  # a run that is only measured does not pay for it

            columns: dict[str, Any] = {}
            for column in tables()[table]:
                if column.dtype == "str":
                    found, which = self.words(table, column.column)
                    columns[column.column] = pd.array(found, dtype="str").take(which)
                else:
                    columns[column.column] = self.column(table, column.column)
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

    def words(self, table: str, name: str) -> tuple[list[str], NDArray[np.int64]]:
        """The texts that occur in a column in order of appearance, and which of them each row has, shape (rows,)."""
        return self._tables[table].words(name)

    def when(self, table: str, quarters: Sequence[str]) -> NDArray[np.int64]:
        """Which of some quarters each of their rows is of, shape (rows,), rows as in :meth:`column`."""
        return np.repeat(np.arange(len(quarters)), [self._tables[table].count(q) for q in quarters])

    def put(self, table: str, columns: Mapping[str, NDArray[Any]]) -> None:
        """Give other values to some columns, shape (rows,) each."""
        self.renew(table, self._tables[table].whole(columns))

    def renew(self, name: str, table: Table) -> None:
        """Put another table in the place of one."""
        self._tables[name] = table
        self._frames.pop(name, None)

    def only(self, names: Sequence[str]) -> Tables:
        """Some of the tables, worked out: they hold on to nothing else of the run."""
        return Tables({name: self._tables[name].whole() for name in names})
