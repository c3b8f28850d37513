"""Chance in demand: the luck of vendors' models with buyers, and the business cycle of the work itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.parameters import Parameters
from model.place import REGIONS


class Luck:
    """xi: the unobserved quality of a vendor's models in a region, an AR(1) process in utils."""

    def __init__(self, vendors: list[str], p: Parameters, stream: np.random.Generator) -> None:
        self._index = {name: i for i, name in enumerate(vendors)}
        self._stream = stream
        self._persistence, self._spread = p.luck_persistence, p.luck_spread
        self._xi = self._spread * stream.standard_normal((len(vendors), len(REGIONS)))

    def draw(self) -> None:
        """Go on by a quarter; the stationary spread stays what it is."""
        fresh = self._stream.standard_normal(self._xi.shape)
        self._xi = self._persistence * self._xi + self._spread * np.sqrt(1.0 - self._persistence**2) * fresh

    def of(self, vendor: str, region: int) -> float:
        """xi of a vendor's models in a region."""
        return float(self._xi[self._index[vendor], region])


class Business:
    """Factors on the workload of enterprises and on captive work, by region: log AR(1) around one."""

    def __init__(self, p: Parameters, stream: np.random.Generator) -> None:
        self._stream = stream
        self._persistence, self._spread = p.business_persistence, p.business_spread
        self._log = np.zeros((2, len(REGIONS)))

    def draw(self) -> None:
        """Go on by a quarter."""
        fresh = self._stream.standard_normal(self._log.shape)
        self._log = self._persistence * self._log + self._spread * np.sqrt(1.0 - self._persistence**2) * fresh

    @property
    def tokens(self) -> NDArray[np.float64]:
        """Factor on the enterprises' workload, shape (regions,)."""
        return np.asarray(np.exp(self._log[0]))

    @property
    def captive(self) -> NDArray[np.float64]:
        """Factor on the owners' other work, shape (regions,)."""
        return np.asarray(np.exp(self._log[1]))
