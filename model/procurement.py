"""The mathematics of buying chips: forecasts, needs, orders over chips, rationing and spare fleets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass
class Expectation:
    """What a buyer believes about one series: its level and its damped growth a quarter.

    Holt's exponential smoothing with a damped trend (Gardner and McKenzie 1985), in logs. Damping keeps
    lead times and fast growth from making a cobweb.
    """

    level: float = 0.0
    growth: float = 0.0

    def learn(self, seen: float, level_weight: float, growth_weight: float, growth_bound: float) -> None:
        """Move level and growth part of the way to what was seen; growth stays within its bound."""
        if self.level <= 0.0 or seen <= 0.0:
            self.level, self.growth = max(seen, 0.0), 0.0
            return
        before = self.level
        self.level = float(np.exp((1 - level_weight) * (np.log(before) + self.growth) + level_weight * np.log(seen)))
        step = np.clip(np.log(self.level / before), -growth_bound, growth_bound)
        self.growth = float((1 - growth_weight) * self.growth + growth_weight * step)

    def ahead(self, quarters: int, damping: float) -> float:
        """The forecast ``quarters`` ahead with the trend damped by ``damping`` each quarter."""
        trend = sum(damping**k for k in range(1, quarters + 1))
        return float(self.level * np.exp(self.growth * trend))


def needed_work(forecast: FloatArray, capacity: FloatArray, target_use: float, speed: float) -> FloatArray:
    """Work that has to be bought for, in the units of ``forecast``, shape (purposes,).

    The gap between the capacity that would serve the forecast at the target use and what is installed or
    on order and will not have retired, closed by ``speed`` of it a quarter (Sterman 1989 on why the
    supply line must be counted).
    """
    return np.asarray(speed * np.maximum(forecast / target_use - capacity, 0.0))


def ration(orders: FloatArray, weight: FloatArray, capacity: float) -> tuple[FloatArray, float]:
    """What a maker ships when orders exceed what it can make.

    Args:
        orders: units wanted, shape (buyers, chips).
        weight: capacity that one unit of each chip takes, shape (chips,).
        capacity: capacity of the quarter, in the units of ``weight``.

    Returns:
        Units shipped, shape (buyers, chips): every order is cut by the same share. And the load: wanted
        capacity over capacity.
    """
    wanted = float((orders * weight).sum())
    if wanted <= 0.0:
        return np.zeros_like(orders), 0.0
    if capacity <= 0.0:
        return np.zeros_like(orders), np.inf
    return orders * min(1.0, capacity / wanted), wanted / capacity


def reassignment(units: FloatArray, hours_needed: FloatArray, hours_per_unit: float, rate: float) -> FloatArray:
    """Move spare chips to the work that is short of them.

    Args:
        units: installed units, shape (chips, purposes).
        hours_needed: chip hours each purpose is expected to take, shape (purposes,).
        hours_per_unit: hours that a unit offers at the target use.
        rate: share of the spare units that may change their work in a quarter.

    Returns:
        Units after the move, shape (chips, purposes); every chip's total is unchanged.
    """
    offered = units.sum(axis=0) * hours_per_unit
    spare = np.maximum(offered - hours_needed, 0.0)
    short = np.maximum(hours_needed - offered, 0.0)
    if spare.sum() <= 0.0 or short.sum() <= 0.0:
        return units
    moved_hours = min(rate * spare.sum(), short.sum())
    give = np.divide(spare, offered, out=np.zeros_like(spare), where=offered > 0) * moved_hours / spare.sum()
    leaving = units * give
    return np.asarray(units - leaving + np.outer(leaving.sum(axis=1), short / short.sum()))
