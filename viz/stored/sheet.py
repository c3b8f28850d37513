"""Tables as the browser takes them (``viz/ui/sheet.vue``): columns, rows that can be searched, filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from viz.live.frame import finite

Plain = dict[str, Any]


class Column(NamedTuple):
    """A column: its title, and whether it holds numbers."""

    title: str
    numeric: bool = False


class Filter(NamedTuple):
    """A choice among the values that rows have under ``key``; an empty value stands for all of them."""

    key: str
    title: str
    options: Mapping[str, str]
    chosen: str = ""


def cell(text: str, *small: str, kind: str = "", by: float | None = None) -> Plain:
    """A cell: its text, smaller lines below it, a class of style.css, and the number to sort by instead of the text."""
    return {"text": text, "small": [line for line in small if line], "kind": kind, "by": finite(by)}


def row(name: str, cells: Sequence[Plain | str], more: str = "", **keys: str) -> Plain:
    """A row by the name under which it opens; searched are its cells and ``more``, filtered its ``keys``."""
    full = [cell(each) if isinstance(each, str) else each for each in cells]
    words = " ".join([name, more, *(" ".join([each["text"], *each["small"]]) for each in full)])
    return {"name": name, "cells": full, "search": words.lower(), "keys": keys}


def sheet(columns: Sequence[Column], rows: Iterable[Plain], filters: Sequence[Filter] = ()) -> Plain:
    """The whole table."""
    return {
        "columns": [column._asdict() for column in columns],
        "rows": list(rows),
        "filters": [{**each._asdict(), "options": list(each.options.items())} for each in filters],
    }
