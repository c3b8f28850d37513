"""How far the analysis of a study is, once its runs are made: told part by part, for a display."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Part = TypeVar("Part")

Told = Callable[[str, int, int], None]
"""Takes what the parts are, as "outcomes", how many are done, and of how many."""


def counted(what: str, parts: Sequence[Part], told: Told | None) -> Iterator[Part]:
    """The parts in order; before the first one and after each, how many are done is told."""
    if told is not None:
        told(what, 0, len(parts))
    for done, part in enumerate(parts, start=1):
        yield part
        if told is not None:
            told(what, done, len(parts))
