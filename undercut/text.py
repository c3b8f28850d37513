"""Plain tables for people: they fill the width of the terminal, wrap long cells and survive a pipe."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from viz.number import number, signed

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Field", "console", "number", "print_record", "print_table", "signed", "width"]

WIDTH = 120
"""Columns to fill where there is no terminal to ask."""

NARROW = 100
"""Below this many columns a table leaves out what it can."""


@dataclass(frozen=True)
class Field:
    """A column of a printed table: key of the row, heading, share of the spare width, and where it goes.

    ``number`` aligns to the right and never wraps, ``brief`` is cut to one line, ``wide`` is left out on a
    narrow terminal. A column without a share of the width is as wide as it needs to be.
    """

    key: str
    heading: str
    ratio: int = 0
    number: bool = False
    wide: bool = False
    brief: bool = False


def width() -> int:
    """Columns of the terminal, of COLUMNS, or 120 where there is neither."""
    return shutil.get_terminal_size((WIDTH, 0)).columns


def console() -> Console:
    """Where tables go: standard output, with colours on a terminal only."""
    from rich.console import Console

    return Console(file=sys.stdout, width=width(), highlight=False, emoji=False, markup=False)


def print_table(rows: Iterable[Mapping[str, Any]], fields: Sequence[Field], title: str = "") -> None:
    """Print rows as a table with a heading line."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console()
    shown = [field for field in fields if not field.wide or out.width >= NARROW]
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), expand=any(f.ratio for f in shown)
    )
    if title:
        out.print(Text(title, style="bold"))
    for field in shown:
        table.add_column(
            Text(field.heading),
            justify="right" if field.number else "left",
            no_wrap=field.brief or not field.ratio,
            ratio=field.ratio or None,
            overflow="ellipsis" if field.brief else "fold",
        )
    for row in rows:
        table.add_row(*(Text(_cell(row.get(field.key))) for field in shown))
    out.print(table)


def print_record(row: Mapping[str, Any]) -> None:
    """Print one row with a line a key, for reading it whole."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in row.items():
        table.add_row(Text(key, style="bold"), Text(_cell(value)))
    console().print(table)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)
