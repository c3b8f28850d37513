"""Curves of a claim's probability along the lines of parameters, and where they cross one half."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from evidence.judge import wilson
from studies.evaluation import HOLDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studies.breaks.line import Line
    from studies.evaluation import Evaluation

Key = tuple[str, float]
"""A parameter and one of its values."""

AT_DEFAULT: Key = ("", 0.0)
"""The point at which nothing is moved."""

EVEN = 0.5
"""The probability at which a claim is as likely to hold as not."""

UNDECIDED, UNDEFINED, DECIDED = "undecided", "undefined", "decided"
"""How a claim stands at the default; of the first two, nothing can flip."""

interval = lru_cache(maxsize=None)(wilson)
"""Wilson's interval; the same few counts come again and again."""


@dataclass(frozen=True)
class Crossing:
    """Where a probability crosses one half, as places on the way outward from the default, which is place 0.

    Attributes:
        inner, outer: the neighbours between which it crosses first; ``outer`` is None where it crosses nowhere.
        safe: the last place up to which every interval leaves one half out, on the default's side.
        sure: the first place beyond the crossing whose interval leaves one half out, on the other side; None where
            there is none.
    """

    inner: int
    outer: int | None
    safe: int
    sure: int | None


def crossing(held: Sequence[int], ended: Sequence[int], level: float) -> Crossing:
    """Where the share of runs in which a claim holds first crosses one half, outward from the default.

    The interval of the place inverts a test at each place: it holds the places at which Wilson's interval of the
    probability contains one half, or at which a nearer one does. A share of exactly one half has crossed.

    Args:
        held: runs in which the claim holds, by place, the default first.
        ended: runs that ended, by place, at least one each.
        level: of the intervals, between 0 and 1.
    """
    share = [k / n for k, n in zip(held, ended, strict=True)]
    side = math.copysign(1.0, share[0] - EVEN)
    crossed = [(p - EVEN) * side <= 0.0 for p in share]
    bounds = [interval(k, n, level) for k, n in zip(held, ended, strict=True)]
    open_ = [low <= EVEN <= high for low, high in bounds]
    doubtful = next((i for i, (a, b) in enumerate(zip(crossed, open_, strict=True)) if a or b), len(share))
    safe = max(doubtful - 1, 0)
    if not any(crossed):
        return Crossing(len(share) - 1, None, safe, None)
    outer = crossed.index(True)
    sure = next((i for i in range(outer, len(share)) if crossed[i] and not open_[i]), None)
    return Crossing(outer - 1, outer, safe, sure)


@dataclass
class Curves:
    """What was run so far: for each value of each parameter, and the default, how often each claim held.

    ``held`` and ``undefined`` count runs by claim and point, ``ended`` runs by point. Point 0 is the default.
    """

    claims: tuple[str, ...]
    places: dict[Key, int] = field(default_factory=dict)
    held: list[NDArray[np.int64]] = field(default_factory=list)
    undefined: list[NDArray[np.int64]] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)

    def add(self, found: Evaluation, keys: Sequence[Key]) -> None:
        """Take up runs at some values; the default comes first, as AT_DEFAULT."""
        lost = np.full(found.failed.shape, np.nan)
        of = [found.values(f"{HOLDS}:{claim}") if claim in found.table else lost for claim in self.claims]
        for row, key in enumerate(keys):
            self.places[key] = len(self.ended)
            well = ~found.failed[row]
            self.ended.append(int(well.sum()))
            self.held.append(np.array([np.nansum(values[row]) for values in of]).astype(np.int64))
            self.undefined.append(np.array([(np.isnan(values[row]) & well).sum() for values in of]))

    def way(self, line: Line, side: str) -> tuple[list[float], list[int]]:
        """The values on a side of the default, outward, and their points; the default first, without lost points."""
        outward = 1.0 if line.end(side) >= line.default else -1.0
        beyond = [
            (value, place)
            for (name, value), place in self.places.items()
            if name == line.name and (value - line.default) * (line.end(side) - line.default) > 0.0
            if self.ended[place]
        ]
        beyond.sort(key=lambda found: outward * found[0])
        return [line.default, *(v for v, _ in beyond)], [0, *(place for _, place in beyond)]

    def crossing(self, claim: int, places: Sequence[int], level: float) -> Crossing:
        """Where a claim's probability crosses one half on a way."""
        return crossing([int(self.held[p][claim]) for p in places], [self.ended[p] for p in places], level)

    def share(self, claim: int, place: int) -> float:
        """The share of runs at a point in which a claim holds."""
        return float(self.held[place][claim]) / self.ended[place]

    def standing(self, claim: int, level: float) -> str:
        """Whether a claim is decided at the default, undecided or undefined there."""
        if 2 * int(self.undefined[0][claim]) >= self.ended[0]:
            return UNDEFINED
        low, high = interval(int(self.held[0][claim]), self.ended[0], level)
        return UNDECIDED if low <= EVEN <= high else DECIDED
