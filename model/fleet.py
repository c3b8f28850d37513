"""The accelerators that one owner runs: what is installed, on order, and in use."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.calendar import HOURS_PER_YEAR, QUARTERS_PER_YEAR
from model.place import DENSE, PURPOSES, SPARSE

FloatArray = NDArray[np.float64]

HOURS_PER_QUARTER = HOURS_PER_YEAR / QUARTERS_PER_YEAR


@dataclass
class Fleet:
    """Units by chip and purpose, shape (chips, purposes), with orders on their way.

    ``pipeline[k]`` arrives in ``k + 1`` quarters. Of the last quarter, by purpose: ``hours_demanded`` and
    ``hours_used`` in chip hours, ``use`` the demand over all hours (above one in a shortage; dense and sparse
    inference share one pool). ``racks`` counts air and liquid cooled ones, ``ports`` InfiniBand and Ethernet.
    """

    owner: str
    region: int
    origin: str
    power_usd_per_kwh: float
    pue: float
    cost_of_capital: float
    units: FloatArray
    pipeline: list[FloatArray] = field(default_factory=list)
    hours_demanded: FloatArray = field(default_factory=lambda: np.zeros(len(PURPOSES)))
    hours_used: FloatArray = field(default_factory=lambda: np.zeros(len(PURPOSES)))
    use: FloatArray = field(default_factory=lambda: np.zeros(len(PURPOSES)))
    racks: FloatArray = field(default_factory=lambda: np.zeros((len(PURPOSES), 2)))
    ports: FloatArray = field(default_factory=lambda: np.zeros((len(PURPOSES), 2)))

    def on_order(self) -> FloatArray:
        """Units ordered and not yet delivered, shape (chips, purposes)."""
        return np.sum(self.pipeline, axis=0) if self.pipeline else np.zeros_like(self.units)

    def inference_units(self) -> FloatArray:
        """Units that serve tokens, bought for dense or sparse models, shape (chips,)."""
        return np.asarray(self.units[:, DENSE] + self.units[:, SPARSE])

    def serving_units(self, ceiling: float) -> FloatArray:
        """Units that serve tokens, or could if none does yet: what other work leaves idle, shape (chips,)."""
        serving = self.inference_units()
        if serving.sum() > 0.0:
            return serving
        return np.asarray(self.units @ np.maximum(1.0 - self.use / ceiling, 0.0))

    def mean_use(self) -> float:
        """Hours demanded of the whole fleet in the last quarter over all its hours."""
        total = float(self.units.sum()) * HOURS_PER_QUARTER
        return float(self.hours_demanded.sum()) / total if total > 0.0 else 0.0

    def widen(self, chips: int) -> None:
        """Make room for chips that were launched since."""
        missing = chips - self.units.shape[0]
        if missing > 0:
            none = np.zeros((missing, len(PURPOSES)))
            self.units = np.concatenate([self.units, none])
            self.pipeline = [np.concatenate([orders, none]) for orders in self.pipeline]

    def place(self, orders: FloatArray, lead: int) -> None:
        """Put shipped orders, shape (chips, purposes), on their way; they arrive after ``lead`` quarters."""
        while len(self.pipeline) < lead:
            self.pipeline.append(np.zeros_like(self.units))
        self.pipeline[lead - 1] += orders

    def receive(self) -> FloatArray:
        """Install what arrives this quarter and return it, shape (chips, purposes)."""
        if not self.pipeline:
            return np.zeros_like(self.units)
        arrived = self.pipeline.pop(0)
        self.units += arrived
        return arrived

    def retire(self, share: float) -> None:
        """Take ``share`` of every chip out of service."""
        self.units -= self.units * share

    def hours_available(self, ceiling: float) -> FloatArray:
        """Chip hours that the quarter offers to each purpose at the ceiling of use, shape (purposes,)."""
        return np.asarray(self.units.sum(axis=0) * HOURS_PER_QUARTER * ceiling)

    def hours_per_unit(self) -> FloatArray:
        """Hours that each unit of a pool worked, shape (purposes,): a pool works evenly, and inference is one pool."""
        pool, done = self.units.sum(axis=0), self.hours_used.copy()
        inference = [DENSE, SPARSE]
        pool[inference], done[inference] = pool[inference].sum(), done[inference].sum()
        return np.asarray(np.divide(done, pool, out=np.zeros_like(done), where=pool > 0.0))

    def mean_over(self, values: FloatArray, purpose: int) -> float:
        """Mean of a chip attribute, shape (chips,), over the units of one purpose; nan of an empty pool."""
        units = self.units[:, purpose]
        total = units.sum()
        return float(units @ values[: len(units)] / total) if total > 0 else float("nan")

    def add_racks(self, purpose: int, air: float, liquid: float, infiniband: float, ethernet: float) -> None:
        """Install racks (air and liquid cooled) and network ports (InfiniBand and Ethernet)."""
        self.racks[purpose] += (air, liquid)
        self.ports[purpose] += (infiniband, ethernet)

    def retire_racks(self, share: float) -> None:
        """Racks leave with the chips in them."""
        self.racks *= 1.0 - share
        self.ports *= 1.0 - share
