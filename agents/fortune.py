"""Chance in demand: the luck of vendors' models with buyers, and the business cycle of the work itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.parameters import Parameters
from model.place import REGIONS


def _next(
    state: NDArray[np.float64], persistence: float, spread: float, stream: np.random.Generator
) -> NDArray[np.float64]:
    """An AR(1) process of mean zero a quarter on; its stationary ``spread`` stays what it is."""
    fresh = stream.standard_normal(state.shape)
    return np.asarray(persistence * state + spread * np.sqrt(1.0 - persistence**2) * fresh)


class Luck:
    """xi: the unobserved quality of a vendor's models in a region, an AR(1) process in utils."""

    def __init__(self, vendors: list[str], p: Parameters, stream: np.random.Generator) -> None:
        self._stream = stream
        self._persistence, self._spread = p.luck_persistence, p.luck_spread
        self._xi = self._spread * stream.standard_normal((len(vendors), len(REGIONS)))

    def draw(self) -> None:
        """Go on by a quarter."""
        self._xi = _next(self._xi, self._persistence, self._spread, self._stream)

    @property
    def xi(self) -> NDArray[np.float64]:
        """xi of the models of each vendor, in the order of the vendors given, shape (vendors, regions)."""
        return self._xi


class Business:
    """Factors on the workload of enterprises and on captive work, by region: log AR(1) around one.

    ``tokens`` is the factor on the enterprises' workload and ``captive`` that on the owners' other work, shape
    (regions,); ``version`` counts the draws.
    """

    def __init__(self, p: Parameters, stream: np.random.Generator) -> None:
        self._stream = stream
        self._persistence, self._spread = p.business_persistence, p.business_spread
        self._log = np.zeros((2, len(REGIONS)))
        self.tokens, self.captive = np.exp(self._log)
        self.version = 0

    def draw(self) -> None:
        """Go on by a quarter."""
        self._log = _next(self._log, self._persistence, self._spread, self._stream)
        self.tokens, self.captive = np.exp(self._log)
        self.version += 1
