"""Tables of a run as they grow: blocks of rows, and facts from which columns are worked out when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model import texts
from model.columns import KINDS, Column, held, is_sequence, joined, length_of

if TYPE_CHECKING:
    import pandas

QUARTER = "quarter"
"""The column that every table begins with."""

Derived = Callable[["Facts", Any], NDArray[Any]]
"""A column as it follows from facts, and from what stands behind their numbers."""


class Table:
    """The blocks of one table, in the order in which they were written."""

    def __init__(self, name: str, columns: tuple[Column, ...]) -> None:
        self.name = name
        self.columns = {column.column: column for column in columns}
        self.blocks: list[Block] = []
        self._whole: dict[str, NDArray[Any]] = {}
        self.derived: Mapping[str, Derived] = {}
        self.names: Any = None
        self.dear: frozenset[str] = frozenset()
        self._spans: dict[tuple[str, ...], slice | None] = {}

    def __len__(self) -> int:
        return sum(len(block) for block in self.blocks)

    def copy(self) -> Table:
        """The same, which does not grow with it."""
        copied = Table(self.name, tuple(self.columns.values()))
        copied.blocks, copied.dear = self.blocks.copy(), self.dear
        copied.derived, copied.names = self.derived, self.names
        if copied.blocks and isinstance(copied.blocks[-1], (Rows, Facts)):
            copied.blocks[-1] = copied.blocks[-1].copy()  # the one that may still grow
        return copied

    def add(self, row: Mapping[str, Any]) -> None:
        """As :meth:`Recorder.add`."""
        if row.keys() != self.columns.keys():
            raise self.mismatch(row)
        for name, column in self.columns.items():
            KINDS[column.dtype].one(column, row[name])
        self.log(str(row[QUARTER]), tuple(row[name] for name in self.columns if name != QUARTER))

    def extend(self, columns: Mapping[str, Any]) -> None:
        """As :meth:`Recorder.extend`."""
        self.blocks.append(Block.of(self, columns))

    def log(self, quarter: str, values: tuple[Any, ...]) -> None:
        """As :meth:`Recorder.log`."""
        last = self.blocks[-1] if self.blocks else None
        if not isinstance(last, Rows) or last.quarter != quarter:
            last = Rows(self, quarter)
            self.blocks.append(last)
        last.values.append(values)

    def put(self, quarter: str, rows: int, facts: Mapping[str, Any]) -> None:
        """As :meth:`Recorder.put`."""
        last = self.blocks[-1] if self.blocks else None
        if not isinstance(last, Facts):
            last = Facts(self)
            self.blocks.append(last)
        last.put(quarter, rows, facts)

    @cached_property
    def by_quarter(self) -> dict[str, list[tuple[Block, NDArray[np.intp] | None]]]:
        """The blocks with rows of each quarter, and which rows of them (None: all)."""
        found: dict[str, list[tuple[Block, NDArray[np.intp] | None]]] = {}
        for block in self.blocks:
            for quarter, places in block.places():
                found.setdefault(quarter, []).append((block, places))
        return found

    def column(self, name: str, quarters: Sequence[str] | None = None) -> NDArray[Any]:
        """As :meth:`Tables.column`."""
        dtype = self.columns[name].dtype
        if quarters is not None:
            rows = None if name in self.dear else self.span(tuple(quarters))
            if rows is not None:
                return self.column(name)[rows]
            found = [(quarter, *part) for quarter in quarters for part in self.by_quarter.get(quarter, ())]
            return joined((block.some(name, quarter, at) for quarter, block, at in found), dtype)
        if name not in self._whole:
            self._whole[name] = joined((block.column(name) for block in self.blocks), dtype)
        return self._whole[name]

    def words(self, name: str) -> tuple[list[str], NDArray[np.int64]]:
        """As :meth:`Tables.words`. Texts of single rows, as notes, are all different and are not numbered for it."""
        single = [block for block in self.blocks if isinstance(block, Rows)]
        if len(single) < len(self.blocks):
            return texts.distinct(self.column(name))
        found: dict[str, int] = {}
        which = [found.setdefault(str(text), len(found)) for block in single for text in block.raw(name)]
        return list(found), np.array(which, dtype=np.int64)

    def span(self, quarters: tuple[str, ...]) -> slice | None:
        """The rows of some quarters, where they lie together in the quarters' order."""
        if quarters not in self._spans:
            there = [quarter for quarter in quarters if quarter in self.by_quarter]
            ends = [self._ends[quarter] for quarter in there if quarter in self._ends]
            together = len(ends) == len(there) and all(one[1] == other[0] for one, other in pairwise(ends))
            self._spans[quarters] = slice(ends[0][0], ends[-1][1]) if ends and together else None
        return self._spans[quarters]

    @cached_property
    def _ends(self) -> dict[str, tuple[int, int]]:
        """The first row of each quarter and the one after its last, of quarters whose rows lie together."""
        found: dict[str, tuple[int, int]] = {}
        apart: set[str] = set()
        start = 0
        for block in self.blocks:
            for quarter, at in block.places():
                first, last = (0, len(block)) if at is None else (int(at[0]), int(at[-1]) + 1)
                if quarter in found or (at is not None and last - first > len(at)):
                    apart.add(quarter)
                found[quarter] = start + first, start + last
            start += len(block)
        return {quarter: ends for quarter, ends in found.items() if quarter not in apart}

    def count(self, quarter: str) -> int:
        """How many rows there are of a quarter."""
        found = self.by_quarter.get(quarter, ())
        return sum(len(block) if at is None else len(at) for block, at in found)

    def tail(self, row: int) -> dict[str, list[Any]]:
        """The rows from a row on, as Python's own values."""
        start = len(self)
        left: list[Block] = []
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

    def whole(self, instead: Mapping[str, NDArray[Any]] | None = None) -> Table:
        """The same as one block that is worked out, with other values of some columns."""
        made = Table(self.name, tuple(self.columns.values()))
        values = {name: self.column(name) for name in self.columns} | dict(instead or {})
        made.blocks = [Block(made, len(self), values)]
        return made

    def mismatch(self, row: Mapping[str, Any]) -> ValueError:
        """What to say of columns that are not those of the table."""
        missing = [name for name in self.columns if name not in row]
        unknown = [name for name in row if name not in self.columns]
        parts = [
            f"{word} {', '.join(names)}" for word, names in (("lacks", missing), ("adds", unknown)) if names
        ]
        return ValueError(
            f"A row of {self.name} {' and '.join(parts)}: give the columns of model/schema.csv."
        )


class Block:
    """Some rows of a table, columns as they are held."""

    def __init__(self, table: Table, rows: int, values: dict[str, NDArray[Any]]) -> None:
        self.columns = table.columns
        self._rows = rows
        self._held = values

    @classmethod
    def of(cls, table: Table, columns: Mapping[str, Any]) -> Block:
        """Checked columns."""
        rows = _rows_of(table, columns)
        return cls(table, rows, {n: held(c, columns[n], rows).copy() for n, c in table.columns.items()})

    def __len__(self) -> int:
        return self._rows

    def column(self, name: str) -> NDArray[Any]:
        """The whole column."""
        return self._held[name]

    def some(self, name: str, quarter: str, at: NDArray[np.intp] | None) -> NDArray[Any]:
        """A column of the rows of a quarter, which are at these places (None: all)."""
        return self.column(name) if at is None else self.column(name)[at]

    def places(self) -> list[tuple[str, NDArray[np.intp] | None]]:
        """The quarters of the rows, each with its rows; None for all."""
        quarters = self.column(QUARTER)
        distinct = np.unique(quarters)
        if len(distinct) == 1:
            return [(texts.text(int(distinct[0])), None)]
        return [(texts.text(int(number)), np.flatnonzero(quarters == number)) for number in distinct]


class Framed(Block):
    """The rows of a DataFrame."""

    def __init__(self, table: Table, frame: pandas.DataFrame) -> None:
        super().__init__(table, len(frame), {})
        self._frame = frame

    def column(self, name: str) -> NDArray[Any]:
        """The whole column."""
        if name not in self._held:
            self._held[name] = KINDS[self.columns[name].dtype].read(self._frame[name])
        return self._held[name]


class Facts(Block):
    """Facts of many quarters, and the columns that follow from them."""

    def __init__(self, table: Table) -> None:
        self.table, self.columns = table, table.columns
        self.quarters: list[str] = []
        """The quarters, in order."""
        self.lengths: list[int] = []
        """How many rows each of them has."""
        self._parts: dict[str, list[Any]] = {}
        self._held: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        return sum(self.lengths)

    def put(self, quarter: str, rows: int, facts: Mapping[str, Any]) -> None:
        """Add those of a quarter."""
        self.quarters.append(quarter)
        self.lengths.append(rows)
        for name, part in facts.items():
            self._parts.setdefault(name, []).append(part)
        self._held.clear()

    def copy(self, start: int = 0, stop: int | None = None) -> Facts:
        """The same of some of its quarters, by number."""
        some = Facts(self.table)
        some.quarters, some.lengths = self.quarters[start:stop], self.lengths[start:stop]
        some._parts = {name: parts[start:stop] for name, parts in self._parts.items()}
        return some

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A fact or a column, shape (rows, ...)."""
        found = self._held.get(name)
        if found is None:
            if name in self.table.derived:
                found = self.table.derived[name](self, self.table.names)
            elif name == QUARTER:
                found = np.repeat(texts.numbers(self.quarters), self.lengths)
            else:
                parts = [part() if callable(part) else part for part in self._parts[name]]
                found = np.concatenate(parts) if np.ndim(parts[0]) else np.repeat(parts, self.lengths)
            self._held[name] = found
        return found

    def each(self, name: str) -> list[Any]:
        """A fact as it was written down, quarter by quarter."""
        return self._parts[name]

    def column(self, name: str) -> NDArray[Any]:
        """The whole column."""
        if name in self.table.dear:
            return joined((self.part(name, quarter) for quarter in self.quarters), self.columns[name].dtype)
        return self[name]

    def some(self, name: str, quarter: str, at: NDArray[np.intp] | None) -> NDArray[Any]:
        """As of any block."""
        if name in self.table.dear:
            return self.part(name, quarter)
        return super().some(name, quarter, at)

    def part(self, name: str, quarter: str) -> NDArray[Any]:
        """A column of one quarter, worked out from its facts alone."""
        at = self.quarters.index(quarter)
        key = f"{name} {quarter}"
        if key not in self._held:
            self._held[key] = self.copy(at, at + 1)[name]
        return self._held[key]

    def places(self) -> list[tuple[str, NDArray[np.intp] | None]]:
        """The quarters of the rows, each with its rows."""
        ends = np.cumsum(self.lengths)
        return [
            (quarter, np.arange(end - rows, end))
            for quarter, rows, end in zip(self.quarters, self.lengths, ends.tolist(), strict=True)
            if rows
        ]


class Rows(Block):
    """Rows of one quarter that came one by one."""

    def __init__(self, table: Table, quarter: str) -> None:
        self.table, self.columns, self.quarter = table, table.columns, quarter
        self.values: list[tuple[Any, ...]] = []
        self._held: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.values)

    def copy(self) -> Rows:
        """The same, which does not grow with it."""
        copied = Rows(self.table, self.quarter)
        copied.values = self.values.copy()
        return copied

    def column(self, name: str) -> NDArray[Any]:
        """The whole column."""
        found = self._held.get(name)
        if found is None or len(found) < len(self):
            found = self._held[name] = held(self.columns[name], self.raw(name), len(self))
        return found

    def raw(self, name: str) -> list[Any]:
        """The values of a column as they came."""
        at = list(self.columns).index(name) - 1  # the quarter comes first and is not among the values
        return [row[at] for row in self.values] if at >= 0 else [self.quarter] * len(self)

    def places(self) -> list[tuple[str, NDArray[np.intp] | None]]:
        """Its quarter, with all rows."""
        return [(self.quarter, None)]


def _rows_of(table: Table, columns: Mapping[str, Any]) -> int:
    """How many rows columns are for. Raises ValueError where they are not those of the table, or differ."""
    if columns.keys() != table.columns.keys():
        raise table.mismatch(columns)
    lengths = {name: length_of(values) for name, values in columns.items() if is_sequence(values)}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"The columns of {table.name} need one length each, not {lengths}.")
    return next(iter(lengths.values()))
