"""What fleets did in one quarter, kept so that it can be worked out by chip when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.catalogue import Catalogue
from model.place import DENSE, SPARSE

if TYPE_CHECKING:
    from model.market import Market
    from model.offer import Lines

FloatArray = NDArray[np.float64]

INFERENCE = [DENSE, SPARSE]


@dataclass(frozen=True)
class Work:
    """The ``units`` (fleets, chips, purposes) of all fleets, the ``hours`` that pools worked (fleets, purposes), their
    ``racks`` by cooling and ``ports`` by network (fleets, purposes, 2), and the Mtok ``served`` of each offer, (offers,),
    as its ``lines`` say, with software of that ``maturity``, (chips, purposes)."""

    units: FloatArray
    hours: FloatArray
    racks: FloatArray
    ports: FloatArray
    served: FloatArray
    lines: Lines
    maturity: FloatArray
    catalogue: Catalogue

    @classmethod
    def of(cls, market: Market) -> Work:
        """Copied from the market as it is."""
        book, fleets = market.offers, market.fleets
        return cls(
            units=fleets.units.copy(),
            hours=fleets.hours_used.copy(),
            racks=fleets.racks.copy(),
            ports=fleets.ports.copy(),
            served=book.served.copy(),
            lines=book.lines,
            maturity=market.outlook.maturity,
            catalogue=market.catalogue,
        )

    def pools(self) -> FloatArray:
        """Units of each pool, shape (fleets, purposes)."""
        return np.asarray(self.units.sum(axis=1))

    def hours_per_unit(self) -> FloatArray:
        """Hours that each unit of a pool worked, (fleets, purposes): a pool works evenly, and inference is one pool."""
        pool, done = self.pools(), self.hours.copy()
        for held in (pool, done):
            held[:, INFERENCE] = held[:, INFERENCE].sum(axis=1, keepdims=True)
        return np.asarray(np.divide(done, pool, out=np.zeros_like(done), where=pool > 0.0))

    def tokens(self) -> FloatArray:
        """Mtok served on the units of each chip and purpose, shape (fleets, chips, purposes)."""
        sold = np.flatnonzero(self.served > 0.0)
        host, models = self.lines.fleet[sold], list(self.catalogue.models.values())
        # Of the chips of that quarter: others may have been launched since.
        chips = len(self.maturity)
        rate = self.catalogue.mtok_per_hour([models[number] for number in self.lines.model[sold]], chips)
        rate = rate * self.maturity[:, self.lines.purpose[sold]].T
        serving = self.units[:, :, INFERENCE].sum(axis=2)
        made = (rate * serving[host]).sum(axis=1)
        hours = np.divide(self.served[sold], made, out=np.zeros_like(made), where=made > 0.0)
        # Mtok that a unit of each chip made, (fleets, chips): the offers of a fleet added up.
        each = (host == np.arange(len(self.units))[:, None]) @ (rate * hours[:, None])
        result = np.zeros_like(self.units)
        result[:, :, INFERENCE] = self.units[:, :, INFERENCE] * each[:, :, None]
        return result
