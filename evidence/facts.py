"""Reads the tables of this folder: rows of text, constants with units, and the names that firms and models
go by."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType


class EvidenceError(ValueError):
    """A table of evidence that cannot be read, or that contradicts itself."""


@cache
def rows(table: str) -> tuple[Mapping[str, str], ...]:
    """The rows of ``evidence/<table>.csv`` as text by column, ``table`` being a path such as
    ``"articles/hosting"``.

    Raises:
        EvidenceError: the table does not exist, or a row has more or fewer cells than the header.
    """
    file = resources.files("evidence").joinpath(*f"{table}.csv".split("/"))
    if not file.is_file():
        raise EvidenceError(f"there is no table evidence/{table}.csv")
    lines = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"))))
    header, body = lines[0], lines[1:]
    for number, line in enumerate(body, start=2):
        if len(line) != len(header):
            raise EvidenceError(
                f"evidence/{table}.csv line {number} has {len(line)} cells where its header has "
                f"{len(header)}: quote a text that holds a comma"
            )
    return tuple(MappingProxyType(dict(zip(header, line, strict=True))) for line in body)


@lru_cache(maxsize=1)
def constants() -> Mapping[str, float]:
    """The numbers that definitions of metrics need, by name, in the units of ``evidence/constants.csv``."""
    return MappingProxyType({row["name"]: float(row["value"]) for row in rows("constants")})


@lru_cache(maxsize=1)
def _names() -> Mapping[tuple[str, str], tuple[str, ...]]:
    return MappingProxyType(
        {
            (row["kind"], row["word"]): tuple(name.strip() for name in row["recorded"].split(";"))
            for row in rows("names")
        }
    )


def recorded(kind: str, word: str) -> tuple[str, ...]:
    """What the recorded tables call a firm or model that the articles call ``word``.

    ``kind`` is ``vendor``, ``cloud``, ``chipmaker``, ``model``, ``sector`` or ``institution``; see
    ``evidence/names.csv``.

    Raises:
        EvidenceError: no row of that table has this kind and word.
    """
    try:
        return _names()[kind, word]
    except KeyError:
        known = ", ".join(sorted(w for k, w in _names() if k == kind))
        raise EvidenceError(f"evidence/names.csv has no {kind} called {word!r}; it has {known}") from None


def knows(kind: str, word: str) -> bool:
    """Whether ``evidence/names.csv`` has a name of this kind."""
    return (kind, word) in _names()
