"""How much of an outcome's variance is mere chance between seeds: a two-way analysis of variance, points by seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWS = 2000
"""Draws behind an interval: its ends are then known to a hundredth of the level or so."""

Share = tuple[float, float, float]
"""An estimate with the low and high end of its interval."""

UNKNOWN: Share = (np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Chance:
    """Shares of the variance of one run's outcome, whose parameters and whose seed are both drawn at random.

    Attributes:
        points, seeds: how many points of the parameters were run with how many common seeds.
        parameters: what the parameters do in the mean over seeds.
        common: what a seed does at every point alike; it moves no sensitivity index.
        interaction: what a seed does at one point and not at another; it moves them.
        chance: common and interaction together: what no knowledge of the parameters takes away.
        mean: of the variance over points of the mean over ``averaged`` seeds, the share that is still interaction.
        averaged: over how many seeds the study takes means.
    """

    points: int
    seeds: int
    averaged: int
    parameters: Share = UNKNOWN
    common: Share = UNKNOWN
    interaction: Share = UNKNOWN
    chance: Share = UNKNOWN
    mean: Share = UNKNOWN


def decompose(values: NDArray[np.float64], averaged: int, level: float, seed: int) -> Chance:
    """The two-way random-effects analysis of variance of points and common seeds, one run a cell.

    y[p, s] = mean + parameters[p] + common[s] + interaction[p, s]. With mean squares MP, MS and ME, the variances are
    estimated as (MP - ME) / seeds, (MS - ME) / points and ME, and taken as 0 where that is negative (Searle, Casella and
    McCulloch, Variance Components, 1992, chapter 4). Intervals resample the points, which are many and need not be
    normal, and draw MS (seeds - 1) / chi-square for the seeds, which are few: a generalised confidence interval
    (Weerahandi, Journal of the American Statistical Association 88 (1993) 899-905), wide with few seeds as it must be.

    Args:
        values: outcomes, shape (points, seeds), all finite; points are drawn independently.
        averaged: over how many seeds the study takes means.
        level: of the intervals, between 0 and 1.
        seed: of the draws.

    Returns:
        Shares, unknown (nan) with fewer than two points or seeds, or where nothing varies.
    """
    points, seeds = values.shape
    # Rounding of what is the same everywhere is no variance.
    if points < 2 or seeds < 2 or not np.ptp(values) > np.finfo(float).eps * np.abs(values).max():
        return Chance(points, seeds, averaged)
    of_points, of_seeds = values.mean(axis=1), values.mean(axis=0)
    left = values - of_points[:, None] - of_seeds + values.mean()
    MS = points * of_seeds.var(ddof=1)

    rng = np.random.default_rng(seed)
    drawn = rng.integers(points, size=(DRAWS, points))
    # The first row is the estimate, the others are draws.
    rows = np.vstack([np.arange(points), drawn])
    MP = seeds * of_points[rows].var(axis=1, ddof=1)
    ME = (left**2).sum(axis=1)[rows].sum(axis=1) / ((points - 1) * (seeds - 1))
    spread = np.concatenate([[1.0], (seeds - 1) / rng.chisquare(seeds - 1, DRAWS)])

    parameters = np.maximum(MP - ME, 0.0) / seeds
    common = np.maximum(MS * spread - ME, 0.0) / points
    whole = parameters + common + ME
    of_mean = parameters + ME / averaged
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)

    def share(part: NDArray[np.float64], of: NDArray[np.float64]) -> Share:
        known = of > 0.0
        found = np.divide(part, of, out=np.full_like(part, np.nan), where=known)
        low, high = np.nanquantile(found[1:], tails)
        # Truncation at zero can leave the estimate just outside.
        return float(found[0]), float(min(low, found[0])), float(max(high, found[0]))

    return Chance(
        points,
        seeds,
        averaged,
        share(parameters, whole),
        share(common, whole),
        share(ME, whole),
        share(common + ME, whole),
        share(ME / averaged, of_mean),
    )
