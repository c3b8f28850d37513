"""Texts as numbers: each text is numbered once in a process, so that tables hold and compare whole numbers.

The numbers say which texts are equal and nothing else: they depend on what the process saw first, so nothing that is
stored or summed may follow their order.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


class Codes(NamedTuple):
    """Texts by their numbers, shape (rows,)."""

    numbers: IntArray


_number: dict[str, int] = {}
_texts: list[str] = []
_lock = threading.Lock()


def number(text: str) -> int:
    """The number of a text."""
    known = _number.get(text)
    if known is None:
        with _lock:
            known = _number.get(text)
            if known is None:
                _texts.append(str(text))
                known = _number[_texts[-1]] = len(_texts) - 1
    return known


def numbers(texts: Iterable[str]) -> IntArray:
    """The numbers of texts, shape (texts,)."""
    given = list(texts)
    found = known(given)
    return np.array([number(text) for text in given], dtype=np.int64) if found is None else found


def known(values: Iterable[Any]) -> IntArray | None:
    """The numbers of texts, shape (values,); None if one of them is new, or no text."""
    try:
        return np.array([_number[value] for value in values], dtype=np.int64)
    except (KeyError, TypeError):  # what cannot be hashed is no text either
        return None


def codes(texts: Iterable[str]) -> Codes:
    """Texts as a column of a table takes them."""
    return Codes(numbers(texts))


def text(number: int) -> str:
    """The text of a number."""
    return _texts[number]


def words(numbers: IntArray) -> NDArray[Any]:
    """The texts of numbers, shape (rows,), as objects."""
    found, which = distinct(numbers)
    return np.array([*found, ""], dtype=object)[which]


def distinct(numbers: IntArray) -> tuple[list[str], IntArray]:
    """The texts that occur in order of appearance, and which of them stands in each row, shape (rows,)."""
    found, which = by_appearance(numbers)
    return [_texts[one] for one in found.tolist()], which


def by_appearance(numbers: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct numbers in order of appearance, none of them large, and which of them each row has, (rows,)."""
    backwards = np.arange(len(numbers))[::-1]
    first = np.full(int(numbers.max(initial=-1)) + 1, -1)
    first[numbers[backwards]] = backwards  # of several, what is written last stays: the first row
    found = np.flatnonzero(first >= 0)
    found = found[np.argsort(first[found])]
    place = np.zeros(len(first), dtype=np.int64)
    place[found] = np.arange(len(found))
    return found, place[numbers]


def among(column: IntArray, *wanted: str) -> NDArray[np.bool_]:
    """Whether each text, given by number, is one of those that are wanted, shape (rows,)."""
    if len(wanted) > FEW:
        hit = np.zeros(len(_texts) + len(wanted), dtype=bool)
        hit[numbers(wanted)] = True
        return np.asarray(hit[column])
    found = np.zeros(len(column), dtype=bool) if not wanted else column == number(wanted[0])
    for other in wanted[1:]:
        found |= column == number(other)
    return np.asarray(found)


FEW = 4
"""Up to so many texts it is faster to compare with each of them."""


def positions(column: IntArray, order: Sequence[str]) -> IntArray:
    """Where each text, given by number, stands in a list that has it, shape (rows,)."""
    asked = numbers(order)  # first, since it may add to the texts
    place = np.zeros(len(_texts), dtype=np.int64)
    place[asked] = np.arange(len(order))
    return np.asarray(place[column])
