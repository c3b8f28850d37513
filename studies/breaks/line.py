"""A parameter's way from its default to the ends of its range: where to look along it, and how far a value is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from scenarios.design import at_quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.parameters import Parameter

UP, DOWN = "up", "down"
SIDES = (UP, DOWN)
"""From the default to the high end of the range, and to the low end."""

SHARES = 4001
"""Quantiles at which a distribution is tabled: shares of it are known to a quarter of a thousandth."""

WHOLE = ("integer", "switch")
"""Distributions over whole numbers."""


@dataclass(frozen=True)
class Line:
    """The values of one parameter while all others stay.

    Values are laid out evenly on the parameter's own scale, logarithmic where its distribution is log-uniform: steps
    that are even on a linear scale would jump over most of a range of several powers of ten.

    Attributes:
        parameter: what varies.
        default: where it stands in the world that is asked about; within the range.
    """

    parameter: Parameter
    default: float

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.parameter.name

    @property
    def whole(self) -> bool:
        """Whether only whole numbers make sense."""
        return self.parameter.distribution in WHOLE

    def end(self, side: str) -> float:
        """The end of the range on a side."""
        return self.parameter.high if side == UP else self.parameter.low

    def grid(self, side: str, steps: int) -> list[float]:
        """Values from the default outward, without it, to the end of the range.

        No two neighbours are further apart than the whole range over ``steps``, on the parameter's scale; whole
        numbers may be, where they lie wider. Empty where the default is the end.
        """
        start, end = self._place(self.default), self._place(self.end(side))
        pieces = math.ceil(round(steps * abs(end - start), PRECISION))
        places = np.linspace(start, end, pieces + 1)[1:]
        values = [*(self._value(float(place)) for place in places[:-1]), self.end(side)] if pieces else []
        return [value for value in dict.fromkeys(values) if value != self.default]

    def between(self, one: float, other: float, share: float = 0.5) -> float:
        """The value at a share of the way from one to another, on the parameter's scale."""
        a, b = self._place(one), self._place(other)
        return self._value(a + share * (b - a))

    def distance(self, value: float) -> float:
        """How far a value is from the default, in units of the range on the parameter's own scale."""
        return self.gap(self.default, value)

    def gap(self, one: float, other: float) -> float:
        """How far two values are apart, in units of the range on the parameter's own scale."""
        return abs(self._place(one) - self._place(other))

    def mass(self, value: float) -> float:
        """The share of the parameter's distribution between its default and a value."""
        return abs(self._quantile(value) - self._quantile(self.default))

    @cached_property
    def _tabled(self) -> NDArray[np.float64]:
        return at_quantiles(self.parameter, np.linspace(0.0, 1.0, SHARES))

    def _quantile(self, value: float) -> float:
        places = (np.searchsorted(self._tabled, value, side) for side in ("left", "right"))
        return float(sum(places)) / (2.0 * SHARES)

    @property
    def _logarithmic(self) -> bool:
        return self.parameter.distribution == "loguniform"

    def _place(self, value: float) -> float:
        """Where a value lies between 0, the low end, and 1, the high end, on the parameter's scale."""
        low, high = self.parameter.low, self.parameter.high
        if self._logarithmic:
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)

    def _value(self, place: float) -> float:
        low, high = self.parameter.low, self.parameter.high
        value = low * (high / low) ** place if self._logarithmic else low + (high - low) * place
        if self.whole:
            value = float(math.floor(value + 0.5))
        return min(max(value, low), high)


PRECISION = 9
"""Decimals to which a count of steps is taken, so that rounding adds none."""
