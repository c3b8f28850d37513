"""Proportions of pairs: how often one thing holds less how often another does, with an interval."""

from __future__ import annotations

import math

from evidence.judge import wilson


def paired_proportions(
    both: int, first: int, second: int, neither: int, level: float
) -> tuple[float, float, float]:
    """The difference of two proportions of the same pairs, the first less the second, with its interval.

    Squares and adds the distances to the Wilson limits of each proportion, with a term for their correlation that
    is corrected for continuity: method 10 of Newcombe, Statistics in Medicine 17 (1998) 2635-2650, which Fagerland,
    Lydersen and Laake recommend, ibid. 33 (2014) 2850-2875. It stays within -1 and 1, and does not shrink to
    nothing where all pairs agree, as Wald's interval does.

    Args:
        both: pairs in which both hold.
        first: pairs in which only the first holds.
        second: pairs in which only the second holds.
        neither: pairs in which none does.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: there are no pairs, or a count is negative.
    """
    pairs = both + first + second + neither
    if pairs == 0 or min(both, first, second, neither) < 0:
        raise ValueError(f"{(both, first, second, neither)} are no counts of pairs")
    p1, p2 = (both + first) / pairs, (both + second) / pairs
    low1, high1 = wilson(both + first, pairs, level)
    low2, high2 = wilson(both + second, pairs, level)
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    excess = float(both * neither - first * second)
    if excess > 0.0:
        excess = max(excess - pairs / 2.0, 0.0)
    correlation = excess / math.sqrt(margins) if margins else 0.0
    below = _added(p1 - low1, high2 - p2, correlation)
    above = _added(high1 - p1, p2 - low2, correlation)
    change = (first - second) / pairs
    return change, max(change - below, -1.0), min(change + above, 1.0)


def _added(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(one**2 - 2.0 * correlation * one * other + other**2, 0.0))
