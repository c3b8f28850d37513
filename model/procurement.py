"""The mathematics of fleets: what owners expect, what they have to buy for, and spare chips that change their work.

What loops over fleets and chips is compiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.fleet import HOURS_PER_QUARTER
from model.kernel import kernel
from model.place import CAPTIVE, DENSE, SPARSE, TRAINING

FloatArray = NDArray[np.float64]

PASSES = 3
"""Passes in which what a full pick leaves over goes to the next best chips."""


@dataclass
class Expectation:
    """What buyers believe about series of numbers: their level and their damped growth a quarter, of one shape.

    Holt's exponential smoothing with a damped trend (Gardner and McKenzie 1985), in logs. Damping keeps
    lead times and fast growth from making a cobweb.
    """

    level: FloatArray
    growth: FloatArray

    def learn(
        self,
        seen: FloatArray,
        level_weight: float,
        growth_weight: float,
        growth_bound: float,
        held: NDArray[np.bool_] | None = None,
    ) -> None:
        """Move level and growth part of the way to what was seen; growth stays within its bound.

        Of a series that is new, or has ended, the level is what was seen. Those ``held`` stay as they are.
        """
        known = (self.level > 0.0) & (seen > 0.0)
        before, now = np.log(np.where(known, self.level, 1.0)), np.log(np.where(known, seen, 1.0))
        level = (1 - level_weight) * (before + self.growth) + level_weight * now
        step = np.minimum(np.maximum(level - before, -growth_bound), growth_bound)
        growth = (1 - growth_weight) * self.growth + growth_weight * step
        moves = True if held is None else ~held
        np.copyto(self.level, np.where(known, np.exp(level), np.maximum(seen, 0.0)), where=moves)
        np.copyto(self.growth, np.where(known, growth, 0.0), where=moves)

    def hold(self, damping: float, held: NDArray[np.bool_]) -> None:
        """Go a quarter along the path that was expected, whatever was seen: a belief that is never revised."""
        np.multiply(self.growth, damping, out=self.growth, where=held)
        np.multiply(self.level, np.exp(self.growth), out=self.level, where=held)

    def ahead(self, quarters: int, damping: float) -> FloatArray:
        """The forecast ``quarters`` ahead with the trend damped by ``damping`` each quarter."""
        trend = sum(damping**k for k in range(1, quarters + 1))
        return np.asarray(self.level * np.exp(self.growth * trend))


def needed_work(forecast: FloatArray, capacity: FloatArray, target_use: float, speed: float) -> FloatArray:
    """Work that has to be bought for, in the units of ``forecast``, of its shape.

    The gap between the capacity that would serve the forecast at the target use and what is installed or
    on order and will not have retired, closed by ``speed`` of it a quarter (Sterman 1989 on why the
    supply line must be counted).
    """
    return np.asarray(speed * np.maximum(forecast / target_use - capacity, 0.0))


@kernel
def moved(
    units: Any, expected: Any, work: Any, suitability: Any, rate: Any, target_use: Any
) -> Any:  # pragma: no cover - compiled
    """Fleets after spare chips went to the work that is short of them, shape (fleets, chips, purposes).

    Args:
        units: installed units, shape (fleets, chips, purposes).
        expected: work a quarter, reference units, shape (fleets, purposes).
        work: reference units that a chip does in an hour, shape (chips, purposes).
        suitability: as in :func:`reassignment`.
        rate: share of the spare chips that may move.
        target_use: share of its hours that a chip is meant to work.
    """
    result = np.empty_like(units)
    fleets, chips, purposes = units.shape
    for f in range(fleets):
        count, pool, whole = np.zeros(purposes), np.zeros(purposes), np.zeros(purposes)
        for c in range(chips):
            held = 0.0
            for w in range(purposes):
                count[w] += units[f, c, w]
                pool[w] += units[f, c, w] * work[c, w]
                held += units[f, c, w]
            for w in range(purposes):
                whole[w] += held * work[c, w]
        everything, wanted, hours = 0.0, 0.0, np.zeros(purposes)
        for w in range(purposes):
            everything += count[w]
        for w in range(purposes):
            # Work that no chip of its own pool does yet is reckoned at what the whole fleet would do.
            own = count[w] > 0.0 and pool[w] > 0.0
            speed = pool[w] / count[w] if own else whole[w] / max(everything, 1.0)
            hours[w] = expected[f, w] / speed if speed > 0.0 else 0.0
            wanted += hours[w]
        # With all pools short, chips go where they are short the most.
        level = max(target_use, wanted / max(everything * HOURS_PER_QUARTER, 1.0))
        after = reassignment(units[f], hours, HOURS_PER_QUARTER * level, rate, suitability)
        # An assignment of the whole array takes a second longer to compile.
        for c in range(chips):
            for w in range(purposes):
                result[f, c, w] = after[c, w]
    return result


@kernel
def swapped(units: Any, suitability: Any, rate: Any) -> Any:  # pragma: no cover - compiled
    """Fleets after the :func:`swap` of each of them, shape (fleets, chips, purposes)."""
    result = np.empty_like(units)
    for f in range(units.shape[0]):
        after = swap(units[f], suitability, rate)
        for c in range(units.shape[1]):
            for w in range(units.shape[2]):
                result[f, c, w] = after[c, w]
    return result


@kernel
def reassignment(
    units: Any, hours_needed: Any, hours_per_unit: Any, rate: Any, suitability: Any
) -> Any:  # pragma: no cover - compiled
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
    chips, purposes = units.shape
    result = units.copy()
    spare, short = np.zeros(purposes), np.zeros(purposes)
    all_spare, all_short = 0.0, 0.0
    for w in range(purposes):
        offered = 0.0
        for c in range(chips):
            offered += units[c, w]
        offered *= hours_per_unit
        spare[w] = max(offered - hours_needed[w], 0.0)
        short[w] = max(hours_needed[w] - offered, 0.0)
        all_spare += spare[w]
        all_short += short[w]
    if all_spare <= 0.0 or all_short <= 0.0:
        return result
    moving = min(rate * all_spare, all_short) / hours_per_unit
    leaving = np.empty(chips)
    for donor in range(purposes):
        for taker in range(purposes):
            if spare[donor] > 0.0 and short[taker] > 0.0:
                part = moving * spare[donor] / all_spare * short[taker] / all_short
                _pick(result[:, donor], suitability[:, taker], part, leaving)
                for c in range(chips):
                    result[c, donor] -= leaving[c]
                    result[c, taker] += leaving[c]
    return result


@kernel
def swap(units: Any, suitability: Any, rate: Any) -> Any:  # pragma: no cover - compiled
    """Exchange the chips that serve tokens for others of the fleet that suit it better, unit for unit.

    Token services are small beside a fleet's other work and pay best, so they get the chips that suit them;
    what they give up goes to the work that it can do. Arguments as in ``reassignment``; totals of chips and the units
    that serve tokens are unchanged.
    """
    chips = units.shape[0]
    result = units.copy()
    dense, sparse = 0.0, 0.0
    for c in range(chips):
        dense += units[c, DENSE]
        sparse += units[c, SPARSE]
    if dense + sparse <= 0.0:
        return result
    serving, other, held, suits = np.empty(chips), np.empty(chips), np.empty(chips), np.empty(chips)
    for c in range(chips):
        serving[c] = units[c, DENSE] + units[c, SPARSE]
        other[c] = units[c, TRAINING] + units[c, CAPTIVE]
        held[c] = serving[c] + other[c]
        suits[c] = (suitability[c, DENSE] * dense + suitability[c, SPARSE] * sparse) / (dense + sparse)
    wanted = np.empty(chips)
    _pick(held, suits, dense + sparse, wanted)
    all_taken, all_given = 0.0, 0.0
    taken, given = np.empty(chips), np.empty(chips)
    for c in range(chips):
        change = rate * (wanted[c] - serving[c])
        # Rounding may want a hair more of a chip than there is.
        taken[c] = min(max(change, 0.0), other[c])
        given[c] = max(-change, 0.0)
        all_taken += taken[c]
        all_given += given[c]
    exchanged = min(all_taken, all_given)
    if exchanged <= 0.0:
        return result
    lent_training, lent_captive, gone_dense, gone_sparse = 0.0, 0.0, 0.0, 0.0
    for c in range(chips):
        taken[c] *= exchanged / all_taken
        given[c] *= exchanged / all_given
        if other[c] > 0.0:
            training = taken[c] * (units[c, TRAINING] / other[c])
            captive = taken[c] * (units[c, CAPTIVE] / other[c])
            result[c, TRAINING] -= training
            result[c, CAPTIVE] -= captive
            lent_training += training
            lent_captive += captive
        if serving[c] > 0.0:
            result[c, DENSE] -= given[c] * (units[c, DENSE] / serving[c])
            result[c, SPARSE] -= given[c] * (units[c, SPARSE] / serving[c])
            gone_dense += given[c] * (units[c, DENSE] / serving[c])
            gone_sparse += given[c] * (units[c, SPARSE] / serving[c])
    for c in range(chips):
        # What the service gives up goes back to the lenders, but to training only chips that can train.
        training = lent_training if suitability[c, TRAINING] > 0.0 else 0.0
        captive = lent_captive if suitability[c, CAPTIVE] > 0.0 else 0.0
        if training + captive <= 0.0:
            captive = 1.0
        result[c, TRAINING] += given[c] * training / (training + captive)
        result[c, CAPTIVE] += given[c] * captive / (training + captive)
        result[c, DENSE] += taken[c] * gone_dense / exchanged
        result[c, SPARSE] += taken[c] * gone_sparse / exchanged
        for w in range(units.shape[1]):
            result[c, w] = max(result[c, w], 0.0)
    return result


@kernel
def _pick(units: Any, suitability: Any, amount: Any, chosen: Any) -> None:  # pragma: no cover - compiled
    """Choose ``amount`` of the units, shape (chips,), in proportion to their suitability, no more than there are."""
    for c in range(units.size):
        chosen[c] = 0.0
    for _ in range(PASSES):
        total = 0.0
        for c in range(units.size):
            total += (units[c] - chosen[c]) * suitability[c]
        if total <= 0.0 or amount <= 0.0:
            break
        scale, used = amount / total, 0.0
        for c in range(units.size):
            left = units[c] - chosen[c]
            weight = left * suitability[c]
            taken = min(weight * scale if weight != 0.0 else 0.0, left)
            used += taken
            chosen[c] = min(chosen[c] + taken, units[c])  # rounding may sum to a hair more
        amount -= used


def suitability(work: FloatArray, cost: FloatArray, sharpness: float) -> FloatArray:
    """How readily chips go to each work: its comparative cost, shape (chips, purposes).

    ``work`` a chip hour in reference units (chips, purposes) over the ``cost`` of the hour (chips,), relative to
    the best chip for that work, to the power ``sharpness``.
    """
    merit = work / cost[:, None]
    best = merit.max(axis=0)
    return np.asarray(np.divide(merit, best, out=np.zeros_like(merit), where=best > 0.0) ** sharpness)
