"""What a seller earns on everything at many prices of one line, all else fixed, compiled.

``people`` knows the rest: a row by type that the line reaches, of utility without price, what it falls by, h, units;
the other offers' log sum in the model and their mean margin; the same of the rest of the nest; mass,
eta (1 - sigma1) / alpha. ``model.search`` fills it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from model.elementary import exp_of_few, log
from model.kernel import lean
from model.rivals import FALL, FREE, NOWHERE, NUISANCE, UNITS

BISECTIONS = 60  # for the price at which demand just fits capacity
OTHERS, MEAN, LOG_REST, MEAN_REST, MASS, GROWTH = range(4, 10)
ROOM = 4  # rows that ``profits_at`` works on


@lean
def _merge(x: Any, other: Any, share: Any) -> None:  # pragma: no cover - compiled
    """Log sum of two nests into ``x``, and the first one's share of it."""
    for g in range(x.size):
        gap = x[g] - other
        small = exp_of_few(-abs(gap))
        # one division for both: the share, and log(1 + small) = 2 artanh(small / (2 + small)) as a series
        part = 1.0 / ((1.0 + small) * (2.0 + small))
        whole, s = part * (2.0 + small), part * (1.0 + small) * small
        q = s * s
        p = 1.0 / 25.0
        p = p * q + 1.0 / 23.0
        p = p * q + 1.0 / 21.0
        p = p * q + 1.0 / 19.0
        p = p * q + 1.0 / 17.0
        p = p * q + 1.0 / 15.0
        p = p * q + 1.0 / 13.0
        p = p * q + 1.0 / 11.0
        p = p * q + 1.0 / 9.0
        p = p * q + 1.0 / 7.0
        p = p * q + 1.0 / 5.0
        p = p * q + 1.0 / 3.0
        p = p * q + 1.0
        share[g] = whole if gap > 0.0 else small * whole
        x[g] = max(x[g], other) + 2.0 * s * p


@lean
def _earn(
    grid: Any, margin: Any, person: Any, nests: Any, linear: Any, work: Any, profit: Any
) -> None:  # pragma: no cover - compiled
    """Add to ``profit`` (G,) what one type brings at the prices ``grid``, at which its offer earns ``margin``."""
    sigma1, sigma2 = nests
    x, share, earned = work
    # what stays the same must be out of the loops: they are vectorised only if they read no array but rows
    free, fall, nuisance, units = person[FREE], person[FALL], person[NUISANCE], person[UNITS]
    others, mean, log_rest, mean_rest = person[OTHERS], person[MEAN], person[LOG_REST], person[MEAN_REST]
    mass, growth, flatten = person[MASS], person[GROWTH], 1.0 - sigma1
    shrink = (1.0 - sigma2) / (1.0 - sigma1)
    if linear:
        for g in range(x.size):
            x[g] = free - fall * grid[g]
    else:
        for g in range(x.size):
            x[g] = free - fall * log(grid[g] + nuisance)
    if others > NOWHERE:
        _merge(x, others, share)
        for g in range(x.size):
            earned[g] = mean + share[g] * (units * margin[g] - mean)
    else:
        for g in range(x.size):
            earned[g] = units * margin[g]
    for g in range(x.size):
        x[g] *= shrink
    if log_rest > NOWHERE:
        _merge(x, log_rest, share)
        for g in range(x.size):
            earned[g] = mean_rest + share[g] * (earned[g] - mean_rest)
    for g in range(x.size):
        profit[g] += earned[g] * mass * exp_of_few(growth * x[g]) / (1.0 + exp_of_few(-flatten * x[g]))


@lean
def profits_at(
    prices: Any, linear: Any, terms: Any, rest: Any, work: Any, out: Any
) -> None:  # pragma: no cover - compiled
    """Profit ``out`` (G,) at ``prices`` of one line; ``terms`` = its (cost, stake, upstream).

    ``rest`` = (how many rows ``people`` has, profit on types that cannot buy the line, people, nests); ``work`` has
    ``ROOM`` rows of G or more that are written over.
    """
    cost, stake, upstream = terms
    reached, elsewhere, people, nests = rest
    size = out.size
    margin, x, share, earned = work[0, :size], work[1, :size], work[2, :size], work[3, :size]
    for g in range(size):
        margin[g] = stake * (prices[g] - cost) + upstream
        out[g] = elsewhere
    for a in range(reached):
        _earn(prices, margin, people[a], nests, linear, (x, share, earned), out)


@lean
def price_that_fits(
    capacity: Any, low: Any, high: Any, rest: Any, linear: Any, bare: Any, work: Any
) -> Any:  # pragma: no cover - compiled
    """The lowest price from ``low`` on at which no more than ``capacity`` units are sold.

    ``bare`` is like ``people``, and written over, as are ``ROOM`` + 2 rows of ``work``.
    """
    reached, _, people, nests = rest
    for a in range(reached):
        for column in range(people.shape[1]):
            bare[a, column] = people[a, column]
        bare[a, MEAN] = bare[a, MEAN_REST] = 0.0
    # units sold are the profit of whoever earned one on the offer, at any price, and nothing else
    terms, alone = (0.0, 0.0, 1.0), (reached, 0.0, bare, nests)
    one, sold = work[ROOM, :1], work[ROOM + 1, :1]
    one[0] = low
    profits_at(one, linear, terms, alone, work, sold)
    if sold[0] <= capacity:
        return low
    low, high = np.log(low), np.log(high)
    for _ in range(BISECTIONS):
        one[0] = np.exp(0.5 * (low + high))
        profits_at(one, linear, terms, alone, work, sold)
        if sold[0] > capacity:
            low = 0.5 * (low + high)
        else:
            high = 0.5 * (low + high)
    return np.exp(high)
