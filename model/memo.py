"""A value that is worked out again only when something that it rests on has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """The last value, and what it rested on."""

    def __init__(self) -> None:
        self._known: tuple[tuple[object, ...], T] | None = None

    def of(self, make: Callable[[], T], *rests: object) -> T:
        """What ``make`` gives, or gave when ``rests`` were the same objects or equal ones.

        What may change in place is always equal to itself: pass a version of it, or a copy.
        """
        known = self._known
        if known is None or known[0] != rests:
            self._known = known = (rests, make())
        return known[1]
