"""Global search over one price, all others fixed, compiled: first-order conditions are not an equilibrium.

With mixed tastes profit has several peaks. Every kernel that these call is in this file, because a cached
kernel is compiled again only when its own file changes. ``model.response`` is the door.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

GRID_SPAN = 60.0  # the search reaches this many times the price or the cost
THIN_MARKUP = 0.004  # and starts at this markup on cost, where hosts of one model compete
LOCAL_POINTS = 16  # of the search close to the price
LOCAL_SPAN = 0.35  # log points that they reach to either side: steps of 5 %
COARSE = 0.3  # a peak on the grid this much below the profit now hides no better one between its points
REFINEMENTS = 24  # golden sections: a bracket of two grid steps shrinks to 1e-5 of itself
GOLDEN = 0.6180339887498949
BISECTIONS = 60  # for the price at which demand just fits capacity
GAIN = 1e-9  # relative profit gain that counts as a deviation; below it is rounding
NOTHING = -200.0  # log of a share that is none; products of several stay clear of slow subnormal numbers
NOWHERE = -1e30  # the log sum of an empty nest

# What belongs together is passed as tuples: ``tastes`` = (alpha, mass, value, nuisance, intensity, model,
# sigma1, sigma2, eta, linear, tangent) of Buyers, ``money`` = (cost, stake, upstream, floor) by offer, ``rest`` = what
# ``_rivals`` returns.


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _exp(x: Any) -> Any:  # pragma: no cover - compiled
    """Exponential for -200 to 200, Taylor's series to degree 11: vectorised in a loop, errors 1e-14."""
    x = min(max(x, NOTHING), -NOTHING)
    n = np.int32(x * 1.4426950408889634 + (0.5 if x >= 0.0 else -0.5))
    r = x - n * 0.693147180369123816490
    r = r - n * 1.90821492927058770002e-10
    p = 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * np.int64((np.int64(n) + 1023) << 52).view(np.float64)


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _log(x: Any) -> Any:  # pragma: no cover - compiled
    """Logarithm of a positive normal number, the series of 2 artanh((m - 1)/(m + 1)), errors 1e-14."""
    bits = np.float64(x).view(np.int64)
    n = (bits - 0x3FE6A09E667F3BCD) >> 52
    m = np.int64(bits - (n << 52)).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    p = 1.0 / 17.0
    p = p * q + 1.0 / 15.0
    p = p * q + 1.0 / 13.0
    p = p * q + 1.0 / 11.0
    p = p * q + 1.0 / 9.0
    p = p * q + 1.0 / 7.0
    p = p * q + 1.0 / 5.0
    p = p * q + 1.0 / 3.0
    p = p * q + 1.0
    return 2.0 * s * p + np.int32(n) * 0.6931471805599453


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def utilities(tastes: Any, price: Any, offers: Any, out: Any) -> None:  # pragma: no cover - compiled
    """Utility over (1 - sigma2) of the listed offers, into columns of ``out`` (I, J)."""
    alpha, _, value, nuisance, _, _, _, sigma2, _, linear, tangent = tastes
    for i in range(value.shape[0]):
        for j in offers:
            if linear and value[i, j] > -np.inf:
                t = tangent[i, j]
                fall = np.log(t) + (price[j] + nuisance[i, j] - t) / t
                out[i, j] = (value[i, j] - alpha[i] * fall) / (1.0 - sigma2)
            elif value[i, j] > -np.inf:
                out[i, j] = (value[i, j] - alpha[i] * np.log(price[j] + nuisance[i, j])) / (1.0 - sigma2)
            else:
                out[i, j] = -np.inf


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def rivals(x: Any, price: Any, own: Any, tastes: Any, money: Any) -> Any:  # pragma: no cover - compiled
    """Sum up what a seller does not move: by type, in each of its models and over all other models.

    Returns ``place`` (n,), the slot of each own offer's model; ``log_sum`` and ``mean`` (I, slots), the
    rivals' log sum and mean margin per unit of consumption in that model; ``log_rest`` and ``mean_rest``
    (I,), the same of the nest without the seller's models.
    """
    _, _, _, _, intensity, model, sigma1, sigma2, _, _, _ = tastes
    cost, stake, upstream, _ = money
    types, offers = x.shape
    models = model.max() + 1
    shrink = (1.0 - sigma2) / (1.0 - sigma1)
    margin = stake * (price - cost) + upstream
    mine = np.zeros(offers, np.bool_)
    slot = np.full(models, -1, np.int64)
    place = np.empty(own.size, np.int64)
    touched = 0
    for k in range(own.size):
        mine[own[k]] = True
        if slot[model[own[k]]] < 0:
            slot[model[own[k]]] = touched
            touched += 1
        place[k] = slot[model[own[k]]]
    log_sum, mean = np.empty((types, touched)), np.empty((types, touched))
    log_rest, mean_rest = np.empty(types), np.empty(types)
    top = np.empty(models)
    total = np.empty(models)
    earned = np.empty(models)
    below = np.empty(offers)
    for i in range(types):
        for m in range(models):
            top[m] = -np.inf
            total[m] = 0.0
            earned[m] = 0.0
        for j in range(offers):
            if not mine[j] and x[i, j] > top[model[j]]:
                top[model[j]] = x[i, j]
        for j in range(offers):
            below[j] = x[i, j] - top[model[j]] if not mine[j] and x[i, j] > -np.inf else NOTHING
        for j in range(offers):
            below[j] = _exp(below[j])
        for j in range(offers):
            if not mine[j] and x[i, j] > -np.inf:
                total[model[j]] += below[j]
                earned[model[j]] += below[j] * intensity[i, j] * margin[j]
        highest = -np.inf
        for m in range(models):
            if total[m] > 0.0:
                earned[m] /= total[m]
                total[m] = top[m] + np.log(total[m])
            else:
                total[m] = -np.inf
            if slot[m] >= 0:
                log_sum[i, slot[m]] = total[m]
                mean[i, slot[m]] = earned[m]
            else:
                total[m] *= shrink
                highest = max(highest, total[m])
        rest = 0.0
        weighted = 0.0
        if highest > -np.inf:
            for m in range(models):
                if slot[m] < 0 and total[m] > -np.inf:
                    e = np.exp(total[m] - highest)
                    rest += e
                    weighted += e * earned[m]
        if rest > 0.0:
            log_rest[i] = highest + np.log(rest)
            mean_rest[i] = weighted / rest
        else:
            log_rest[i] = -np.inf
            mean_rest[i] = 0.0
    return place, log_sum, mean, log_rest, mean_rest


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _line_up(j: Any, rest: Any, tastes: Any) -> Any:  # pragma: no cover - compiled
    """What the profit of one price needs, a row each, types in columns, no infinities; then scratch."""
    alpha, mass, value, nuisance, intensity, _, sigma1, sigma2, eta, linear, tangent = tastes
    _, log_sum, mean, log_rest, mean_rest = rest
    rows = np.empty((13, alpha.size))
    for i in range(alpha.size):
        rows[0, i] = max(value[i, j] / (1.0 - sigma2), NOWHERE)
        rows[1, i] = alpha[i] / (1.0 - sigma2)
        rows[2, i] = nuisance[i, j]
        rows[3, i] = max(log_sum[i, 0], NOWHERE)
        rows[4, i] = intensity[i, j]
        rows[5, i] = mean[i, 0]
        rows[6, i] = max(log_rest[i], NOWHERE)
        rows[7, i] = mean_rest[i]
        rows[8, i] = mass[i]
        rows[9, i] = eta * (1.0 - sigma1) / alpha[i]
        if linear:  # utility at price zero, and its slope
            t = tangent[i, j]
            free = value[i, j] - alpha[i] * (np.log(t) + (nuisance[i, j] - t) / t)
            rows[0, i] = max(free / (1.0 - sigma2), NOWHERE)
            rows[1, i] = alpha[i] / t / (1.0 - sigma2)
    return rows


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _merge(x: Any, other: Any, share: Any) -> None:  # pragma: no cover - compiled
    """Log sum of two nests into ``x``, and the first one's share of it."""
    for i in range(x.size):
        small = _exp(-abs(x[i] - other[i]))
        whole = 1.0 / (1.0 + small)
        share[i] = whole if x[i] > other[i] else small * whole
        x[i] = max(x[i], other[i]) + _log(1.0 + small)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _average(share: Any, first: Any, second: Any) -> None:  # pragma: no cover - compiled
    """``first`` becomes the mean of both, weighted by the share of the first."""
    for i in range(first.size):
        first[i] = second[i] + share[i] * (first[i] - second[i])


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _buy(x: Any, power: Any, mass: Any, flatten: Any, earned: Any) -> None:  # pragma: no cover - compiled
    for i in range(x.size):
        earned[i] *= mass[i] * _exp(power[i] * x[i]) / (1.0 + _exp(-flatten * x[i]))


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def _sum(row: Any) -> Any:  # pragma: no cover - compiled
    total = 0.0
    for i in range(row.size):
        total += row[i]
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _profit_alone(
    p: Any, margin: Any, rows: Any, sigma1: Any, sigma2: Any, linear: Any
) -> Any:  # pragma: no cover - compiled
    """Profit when one price moves, to ``p``, and its offer then earns ``margin`` a unit."""
    value, alpha, nuisance, intensity = rows[0], rows[1], rows[2], rows[4]
    x, share, earned = rows[10], rows[11], rows[12]
    if linear:
        for i in range(x.size):
            x[i] = value[i] - alpha[i] * p
    else:
        for i in range(x.size):
            x[i] = value[i] - alpha[i] * _log(p + nuisance[i])
    _merge(x, rows[3], share)
    for i in range(x.size):
        x[i] *= (1.0 - sigma2) / (1.0 - sigma1)
        earned[i] = intensity[i] * margin
    _average(share, earned, rows[5])
    _merge(x, rows[6], share)
    _average(share, earned, rows[7])
    _buy(x, rows[9], rows[8], 1.0 - sigma1, earned)
    return _sum(earned)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _sold_alone(
    p: Any, rows: Any, sigma1: Any, sigma2: Any, linear: Any
) -> Any:  # pragma: no cover - compiled
    """Units sold at price ``p``: the profit of whoever earned one on the offer and nothing else."""
    bare = rows.copy()
    bare[5], bare[7] = 0.0, 0.0
    return _profit_alone(p, 1.0, bare, sigma1, sigma2, linear)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def search_price(
    j: Any, price: Any, x: Any, tastes: Any, money: Any, points: Any, capacity: Any
) -> Any:  # pragma: no cover - compiled
    """Best price of offer ``j``, all else fixed: (price, profit at it, profit now)."""
    cost, stake, upstream, floor = money
    rest = rivals(x, price, np.array([j]), tastes, money)
    rows, sigma1, sigma2, linear = _line_up(j, rest, tastes), tastes[6], tastes[7], tastes[9]
    # what a unit must bring before it adds to profit; markups above it are searched on a log grid
    base = max(cost[j] - upstream[j] / stake[j], floor[j])
    first = np.log(THIN_MARKUP * max(base, price[j] / GRID_SPAN))
    pace = (np.log(GRID_SPAN * max(base, price[j])) - first) / (points - 1)
    lowest = floor[j]
    if capacity < np.inf and _sold_alone(lowest, rows, sigma1, sigma2, linear) > capacity:
        low, high = np.log(lowest), np.log(2.0 * GRID_SPAN * max(base, price[j]))
        for _ in range(BISECTIONS):
            if _sold_alone(np.exp(0.5 * (low + high)), rows, sigma1, sigma2, linear) > capacity:
                low = 0.5 * (low + high)
            else:
                high = 0.5 * (low + high)
        lowest = np.exp(high)

    # and close to the price itself, where a second peak may hide between two wide steps
    grid = np.empty(points + LOCAL_POINTS)
    for g in range(points):
        grid[g] = base + np.exp(first + pace * g)
    for g in range(LOCAL_POINTS):
        grid[points + g] = price[j] * np.exp(LOCAL_SPAN * (2.0 * g / (LOCAL_POINTS - 1) - 1.0))
    grid = np.sort(np.maximum(grid, lowest))

    now = _profit_alone(price[j], stake[j] * (price[j] - cost[j]) + upstream[j], rows, sigma1, sigma2, linear)
    best_price = lowest
    best = _profit_alone(lowest, stake[j] * (lowest - cost[j]) + upstream[j], rows, sigma1, sigma2, linear)
    profits = np.empty(grid.size)
    for g in range(grid.size):
        p = grid[g]
        profits[g] = _profit_alone(p, stake[j] * (p - cost[j]) + upstream[j], rows, sigma1, sigma2, linear)
        if profits[g] > best:
            best_price, best = p, profits[g]
    last = grid.size - 1
    for g in range(grid.size):
        if (g > 0 and profits[g] < profits[g - 1]) or (g < last and profits[g] < profits[g + 1]):
            continue
        if profits[g] < now - COARSE * abs(now):
            continue  # far below what it earns: no better peak hides between the points
        left_price, right_price = grid[max(g - 1, 0)], grid[min(g + 1, last)]
        if left_price <= price[j] <= right_price and profits[g] <= now:
            continue  # the peak it stands on
        low, high = np.log(left_price), np.log(right_price)
        for _ in range(REFINEMENTS):
            a, b = low + (1.0 - GOLDEN) * (high - low), low + GOLDEN * (high - low)
            p, q = max(np.exp(a), lowest), max(np.exp(b), lowest)
            left = _profit_alone(p, stake[j] * (p - cost[j]) + upstream[j], rows, sigma1, sigma2, linear)
            right = _profit_alone(q, stake[j] * (q - cost[j]) + upstream[j], rows, sigma1, sigma2, linear)
            if left > best:
                best_price, best = p, left
            if right > best:
                best_price, best = q, right
            if left >= right:
                high = b
            else:
                low = a
    return best_price, best, now


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def search_all(
    own: Any, price: Any, tastes: Any, money: Any, points: Any
) -> Any:  # pragma: no cover - compiled
    """Search each own offer in turn, moving ``price`` where another pays: (largest relative gain, profit)."""
    x = np.empty(tastes[2].shape)
    utilities(tastes, price, np.arange(price.size), x)
    gain, profit = 0.0, 0.0
    for k in range(own.size):
        better, most, profit = search_price(own[k], price, x, tastes, money, points, np.inf)
        if most - profit > GAIN * abs(profit):
            gain = max(gain, (most - profit) / max(abs(profit), most - profit))
            price[own[k]] = better
            utilities(tastes, price, own[k : k + 1], x)
    return gain, profit
