"""Boxes in the space of parameters: which worlds lie in one, how well it tells cases apart, what each limit is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOW, HIGH = "low", "high"
Limit = tuple[int, str]
"""A limit of a box: the parameter's column, and which end."""

SIGNIFICANT = 0.05
"""A limit whose quasi-p value is above this may be chance, and is dropped (Bryant and Lempert 2010)."""


@dataclass(frozen=True)
class Box:
    """Lower and upper limits of each parameter, both inside; infinite where there is none. Shape (parameters,)."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def whole(cls, dimensions: int) -> Box:
        """The box without a limit."""
        return cls(np.full(dimensions, -np.inf), np.full(dimensions, np.inf))

    def holds(self, x: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which worlds, shape (worlds, parameters), lie in the box: shape (worlds,)."""
        return np.asarray(((self.low <= x) & (x <= self.high)).all(axis=1))

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits that there are, by column."""
        return tuple(
            (column, side)
            for column in range(len(self.low))
            for side, there in ((LOW, self.low), (HIGH, self.high))
            if np.isfinite(there[column])
        )

    @property
    def dimensions(self) -> int:
        """How many parameters have a limit."""
        return len({column for column, _ in self.limits})

    def at(self, limit: Limit) -> float:
        """The value of a limit."""
        column, side = limit
        return float((self.low if side == LOW else self.high)[column])

    def without(self, limit: Limit) -> Box:
        """The box with one limit dropped."""
        column, side = limit
        low, high = self.low.copy(), self.high.copy()
        if side == LOW:
            low[column] = -np.inf
        else:
            high[column] = np.inf
        return Box(low, high)


@dataclass(frozen=True)
class Measures:
    """How a box tells cases of interest from others.

    Attributes:
        n, k: worlds in the box, and cases among them.
        worlds, cases: all of them.
    """

    n: int
    k: int
    worlds: int
    cases: int

    @property
    def coverage(self) -> float:
        """The share of all cases that lie in the box: what information retrieval calls recall."""
        return self.k / self.cases if self.cases else float("nan")

    @property
    def density(self) -> float:
        """The share of cases among the worlds in the box: precision."""
        return self.k / self.n if self.n else float("nan")

    @property
    def mass(self) -> float:
        """The share of all worlds that lie in the box."""
        return self.n / self.worlds if self.worlds else float("nan")

    @property
    def phi(self) -> float:
        """The correlation of lying in the box and being a case, 0 where one of them does not vary.

        The phi coefficient (Matthews, Biochimica et Biophysica Acta 405 (1975) 442-451, equation 5): it weighs coverage
        against density, and does so alike where cases are rare and where they are many.
        """
        spread = self.n * (self.worlds - self.n) * self.cases * (self.worlds - self.cases)
        return (self.k * self.worlds - self.n * self.cases) / math.sqrt(spread) if spread else 0.0


def measures(box: Box, x: NDArray[np.float64], y: NDArray[np.bool_]) -> Measures:
    """Coverage, density and mass of a box over worlds, shape (worlds, parameters), of which some are cases."""
    inside = box.holds(x)
    return Measures(int(inside.sum()), int(y[inside].sum()), len(y), int(y.sum()))


def quasi_p(box: Box, limit: Limit, x: NDArray[np.float64], y: NDArray[np.bool_]) -> float:
    """How likely a box would have as many cases by chance if one of its limits were idle.

    The one-sided binomial test of Bryant and Lempert (Technological Forecasting and Social Change 77 (2010) 34-49):
    the probability of at least k cases in n worlds at the rate of cases in the box without the limit. On the worlds
    from which the box was peeled it is too small, since the limit was chosen for them; hence "quasi". On fresh worlds
    it is a p-value.
    """
    from scipy.stats import binom

    own, wider = measures(box, x, y), measures(box.without(limit), x, y)
    if not own.n:
        return 1.0
    return float(binom.sf(own.k - 1, own.n, wider.density))


def reduced(box: Box, x: NDArray[np.float64], y: NDArray[np.bool_], level: float = SIGNIFICANT) -> Box:
    """The box without the limits that are not significant: the least significant is dropped until all are."""
    while box.limits:
        worst = max(box.limits, key=lambda limit: quasi_p(box, limit, x, y))
        if quasi_p(box, worst, x, y) <= level:
            return box
        box = box.without(worst)
    return box


def covered(boxes: Sequence[Box], x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which worlds lie in one of several boxes: shape (worlds,)."""
    inside = np.zeros(len(x), np.bool_)
    for box in boxes:
        inside |= box.holds(x)
    return inside
