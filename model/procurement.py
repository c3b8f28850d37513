"""The mathematics of buying chips: forecasts, needs, orders over chips, rationing and spare fleets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.place import CAPTIVE, DENSE, SPARSE, TRAINING

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
        self.level = float(
            np.exp((1 - level_weight) * (np.log(before) + self.growth) + level_weight * np.log(seen))
        )
        step = np.clip(np.log(self.level / before), -growth_bound, growth_bound)
        self.growth = float((1 - growth_weight) * self.growth + growth_weight * step)

    def hold(self, damping: float) -> None:
        """Go a quarter along the path that was expected, whatever was seen: a belief that is never revised."""
        self.growth *= damping
        self.level = float(self.level * np.exp(self.growth))

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


def reassignment(
    units: FloatArray, hours_needed: FloatArray, hours_per_unit: float, rate: float, suitability: FloatArray
) -> FloatArray:
    """Move spare chips to the work that is short of them, those that suit it best first.

    Args:
        units: installed units, shape (chips, purposes).
        hours_needed: chip hours each purpose is expected to take, shape (purposes,).
        hours_per_unit: hours that a unit offers at the intended use.
        rate: share of the spare units that may change their work in a quarter.
        suitability: how readily each chip goes to each work, 0 where it cannot do it, shape (chips, purposes).

    Returns:
        Units after the move, shape (chips, purposes); every chip's total is unchanged.
    """
    offered = units.sum(axis=0) * hours_per_unit
    spare = np.maximum(offered - hours_needed, 0.0)
    short = np.maximum(hours_needed - offered, 0.0)
    if spare.sum() <= 0.0 or short.sum() <= 0.0:
        return units
    moved = min(rate * spare.sum(), short.sum()) / hours_per_unit
    result = units.copy()
    for donor in np.flatnonzero(spare):
        for taker in np.flatnonzero(short):
            part = moved * spare[donor] / spare.sum() * short[taker] / short.sum()
            leaving = _pick(result[:, donor], suitability[:, taker], part)
            result[:, donor] -= leaving
            result[:, taker] += leaving
    return result


def swap(units: FloatArray, suitability: FloatArray, rate: float) -> FloatArray:
    """Exchange the chips that serve tokens for others of the fleet that suit it better, unit for unit.

    Token services are small beside a fleet's other work and pay best, so they get the chips that suit them;
    what they give up goes to the work that it can do. Arguments as in ``reassignment``; totals of chips and the units
    that serve tokens are unchanged.
    """
    serving = [DENSE, SPARSE]
    other = [TRAINING, CAPTIVE]
    size = units[:, serving].sum(axis=0)
    if size.sum() <= 0.0:
        return units
    suits = suitability[:, serving] @ (size / size.sum())
    pool = units[:, serving].sum(axis=1)
    wanted = _pick(units.sum(axis=1), suits, float(size.sum()))
    change = rate * (wanted - pool)
    held = units[:, other].sum(axis=1)
    # Rounding may want a hair more of a chip than there is.
    taken, given = np.clip(change, 0.0, held), np.maximum(-change, 0.0)
    swapped = min(taken.sum(), given.sum())
    if swapped <= 0.0:
        return units
    taken, given = taken * (swapped / taken.sum()), given * (swapped / given.sum())
    result = units.copy()
    from_whom = np.divide(
        units[:, other], held[:, None], out=np.zeros((len(pool), 2)), where=held[:, None] > 0.0
    )
    leaving = taken[:, None] * from_whom
    result[:, other] -= leaving
    # What the service gives up goes back to the lenders, but to training only chips that can train.
    back = np.where(suitability[:, other] > 0.0, leaving.sum(axis=0), 0.0)
    back[back.sum(axis=1) <= 0.0, other.index(CAPTIVE)] = 1.0
    result[:, other] += given[:, None] * back / back.sum(axis=1, keepdims=True)
    share = np.divide(
        units[:, serving], pool[:, None], out=np.zeros((len(pool), 2)), where=pool[:, None] > 0.0
    )
    result[:, serving] -= given[:, None] * share
    result[:, serving] += taken[:, None] * (given[:, None] * share).sum(axis=0) / given.sum()
    return np.maximum(result, 0.0)


def _pick(units: FloatArray, suitability: FloatArray, amount: float) -> FloatArray:
    """``amount`` of the units, shape (chips,), in proportion to their suitability, no more than there are."""
    chosen = np.zeros_like(units)
    for _ in range(PASSES):
        left = units - chosen
        weight = left * suitability
        total = weight.sum()
        if total <= 0.0 or amount <= 0.0:
            break
        taken = np.minimum(weight * (amount / total), left)
        amount -= taken.sum()
        chosen = np.minimum(chosen + taken, units)  # rounding may sum to a hair more
    return chosen


PASSES = 3
"""Passes in which what a full pick leaves over goes to the next best chips."""


def suitability(work: FloatArray, cost: FloatArray, sharpness: float) -> FloatArray:
    """How readily chips go to each work: its comparative cost, shape (chips, purposes).

    ``work`` a chip hour in reference units (chips, purposes) over the ``cost`` of the hour (chips,), relative to
    the best chip for that work, to the power ``sharpness``.
    """
    merit = work / cost[:, None]
    best = merit.max(axis=0)
    return np.asarray(np.divide(merit, best, out=np.zeros_like(merit), where=best > 0.0) ** sharpness)
