"""Builds the recorded tables of a run by hand: a few rows that matter, everything else at zero."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pandas as pd

from model import calendar
from model.records import tables as schema_tables

Row = dict[str, Any]
Lines = list[Row]
World = dict[str, Lines]

FIRST, LAST = "2023Q1", "2028Q4"
RECORDED = tuple(calendar.name(q) for q in range(calendar.index(FIRST), calendar.index(LAST) + 1))
ZERO: Mapping[str, Any] = {"float": 0.0, "int": 0, "str": "", "bool": False}
TYPES = {"float": "float64", "int": "int64", "str": "str", "bool": "bool"}


@dataclass(frozen=True)
class Case:
    """A run made by hand, the runs it is compared with, and the metric's value worked out by hand."""

    value: float
    world: World
    others: dict[str, World] = field(default_factory=dict)


Cases = dict[str, tuple[Case, Case]]
"""For each claim a case where it holds and one where it fails."""


def quarters(when: str) -> tuple[str, ...]:
    """``"2024"``, ``"2024Q1"``, ``"2024Q1..2025Q2"``, ``"..2025Q2"``, ``"2025Q3.."`` or ``".."``."""
    if ".." in when:
        start, end = when.split("..")
        return tuple(q for q in RECORDED if (start or FIRST) <= q <= (end or LAST))
    return tuple(q for q in RECORDED if q == when or q.startswith(f"{when}Q"))


def rows(when: str, **values: Any) -> Lines:
    """The same row in every quarter of ``when``."""
    return [{"quarter": quarter, **values} for quarter in quarters(when)]


def offer(when: str, price: Any, tokens: Any = 1.0, **values: Any) -> Lines:
    """An offer at one price: its revenue follows."""
    prices: Row = {"price_usd_per_mtok": price, "input_price_usd_per_mtok": price}
    defaults: Row = {"model": "a model", "vendor": "a vendor", "seller": "a seller", "channel": "api"}
    return rows(
        when, **{**defaults, **prices, "tokens_mtok": tokens, "revenue_usd": price * tokens, **values}
    )


def path(change: str, before: Any, after: Any, **values: Any) -> Lines:
    """One offer that costs ``before`` until the quarter before ``change`` and ``after`` from then on."""
    earlier = calendar.name(calendar.index(change) - 1)
    return [*offer(f"..{earlier}", before, **values), *offer(f"{change}..", after, **values)]


def frames(world: World) -> dict[str, pd.DataFrame]:
    """The tables of a world with all columns of the schema; every quarter is on record."""
    headline: dict[str, Row] = {quarter: {"quarter": quarter} for quarter in RECORDED}
    for row in world.get("quarters", []):
        headline[str(row["quarter"])].update(row)
    full = {**world, "quarters": list(headline.values())}
    return {table: frame(table, full[table]) if table in full else empty(table) for table in schema_tables()}


def frame(table: str, given: Lines) -> pd.DataFrame:
    """Rows of one table with every column of the schema, in its types."""
    columns = schema_tables()[table]
    unknown = {name for row in given for name in row} - {column.column for column in columns}
    assert not unknown, f"{table} has no column {unknown}"
    return pd.DataFrame(
        {
            column.column: pd.Series(
                [row.get(column.column, ZERO[column.dtype]) for row in given], dtype=TYPES[column.dtype]
            )
            for column in columns
        }
    )


@cache
def empty(table: str) -> pd.DataFrame:
    """A table without rows."""
    return frame(table, [])


def together(*worlds: World) -> World:
    """Several worlds as one."""
    result: World = {}
    for world in worlds:
        for table, given in world.items():
            result.setdefault(table, []).extend(given)
    return result


def joined(parts: Iterable[Lines]) -> Lines:
    """Lists of rows one after another."""
    return [row for part in parts for row in part]


def log(value: float) -> float:
    """The natural logarithm, for values worked out by hand."""
    return math.log(value)
