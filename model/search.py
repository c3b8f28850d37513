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

# ``tastes``, ``money`` and ``sellers`` are those of ``model.rivals``, with the rows of its lines.
FREE, FALL, REACH, UNITS, OPEN = range(5)
# ``people``, what the profit of one price needs by type, a row each: utility without price, what it falls by, h,
# units; the other offers' log sum in the model and their mean margin; the same of the rest of the nest; mass,
# eta (1 - sigma1) / alpha
OTHERS, MEAN, LOG_REST, MEAN_REST, MASS, GROWTH = range(4, 10)
fast = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})


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


@fast
def _merge(x: Any, other: Any, share: Any) -> None:  # pragma: no cover - compiled
    """Log sum of two nests into ``x``, and the first one's share of it."""
    for g in range(x.size):
        small = _exp(-abs(x[g] - other))
        whole = 1.0 / (1.0 + small)
        share[g] = whole if x[g] > other else small * whole
        x[g] = max(x[g], other) + _log(1.0 + small)


@fast
def _earn(
    grid: Any, margin: Any, person: Any, nests: Any, linear: Any, work: Any, profit: Any
) -> None:  # pragma: no cover - compiled
    """Add to ``profit`` (G,) what one type brings at the prices ``grid``, at which its offer earns ``margin``."""
    sigma1, sigma2 = nests
    x, share, earned = work
    if linear:
        for g in range(x.size):
            x[g] = person[FREE] - person[FALL] * grid[g]
    else:
        for g in range(x.size):
            x[g] = person[FREE] - person[FALL] * _log(grid[g] + person[REACH])
    if person[OTHERS] > NOWHERE:
        _merge(x, person[OTHERS], share)
        for g in range(x.size):
            earned[g] = person[MEAN] + share[g] * (person[UNITS] * margin[g] - person[MEAN])
    else:
        for g in range(x.size):
            earned[g] = person[UNITS] * margin[g]
    for g in range(x.size):
        x[g] *= (1.0 - sigma2) / (1.0 - sigma1)
    if person[LOG_REST] > NOWHERE:
        _merge(x, person[LOG_REST], share)
        for g in range(x.size):
            earned[g] = person[MEAN_REST] + share[g] * (earned[g] - person[MEAN_REST])
    mass, growth, flatten = person[MASS], person[GROWTH], 1.0 - sigma1
    for g in range(x.size):
        profit[g] += earned[g] * mass * _exp(growth * x[g]) / (1.0 + _exp(-flatten * x[g]))


@fast
def _pool(
    t: Any, but: Any, s: Any, sellers: Any, x: Any, margin: Any, sigma: Any, level: Any, mean: Any
) -> None:  # pragma: no cover - compiled
    """Log sum and mean margin of slot ``t`` without line ``but``, into rows (I,)."""
    begin, _, _, place, count, _, _, rows, log_sum, means, _, _, _ = sellers
    types = count[s]
    top, total = sigma
    for a in range(types):
        top[a] = log_sum[t, a]
    for k in range(begin[s], begin[s + 1]):
        if place[k] == t and k != but:
            for a in range(types):
                top[a] = max(top[a], x[k, a])
    for a in range(types):
        total[a] = _exp(log_sum[t, a] - top[a])
        mean[a] = total[a] * means[t, a]
    for k in range(begin[s], begin[s + 1]):
        if place[k] == t and k != but:
            for a in range(types):
                share = _exp(x[k, a] - top[a]) * rows[OPEN, k, a]
                total[a] += share
                mean[a] += share * rows[UNITS, k, a] * margin[k]
    for a in range(types):
        mean[a] /= total[a]
        level[a] = max(top[a] + _log(total[a]), NOWHERE)


@fast
def _set_apart(
    k: Any, s: Any, sellers: Any, tastes: Any, x: Any, margin: Any, slots: Any, people: Any
) -> Any:  # pragma: no cover - compiled
    """What the profit of one line needs, all else as it is: fills ``people``, a row by type; (rows, the profit on others).

    ``slots`` holds log sum and mean margin of each model of the seller.
    """
    alpha, _, _, _, _, _, _, sigma1, sigma2, eta, _, _ = tastes
    _, first, _, place, count, who, weight, rows, _, _, log_rest, mean_rest, beside = sellers
    levels, means = slots
    types, shrink = count[s], (1.0 - sigma2) / (1.0 - sigma1)
    others, mean, top, total = np.empty(types), np.empty(types), np.empty(types), np.empty(types)
    _pool(place[k], k, s, sellers, x, margin, (top, total), others, mean)
    rest, earned = np.empty(types), np.empty(types)
    top[:] = log_rest[s, :types]
    for t in range(first[s], first[s + 1]):
        if t != place[k]:
            for a in range(types):
                top[a] = max(top[a], levels[t, a] * shrink)
    for a in range(types):
        rest[a] = _exp(log_rest[s, a] - top[a])
        earned[a] = rest[a] * mean_rest[s, a]
    for t in range(first[s], first[s + 1]):
        if t != place[k]:
            for a in range(types):
                part = _exp(levels[t, a] * shrink - top[a])
                rest[a] += part
                earned[a] += part * means[t, a]
    reached, elsewhere = 0, beside[s]
    for a in range(types):
        growth = eta * (1.0 - sigma1) / alpha[who[s, a]]
        log_all, average = top[a] + np.log(rest[a]), earned[a] / rest[a]
        if rows[OPEN, k, a] > 0.0:
            people[reached, FREE], people[reached, FALL] = rows[FREE, k, a], rows[FALL, k, a]
            people[reached, REACH], people[reached, UNITS] = rows[REACH, k, a], rows[UNITS, k, a]
            people[reached, OTHERS], people[reached, MEAN] = others[a], mean[a]
            people[reached, LOG_REST], people[reached, MEAN_REST] = max(log_all, NOWHERE), average
            people[reached, MASS], people[reached, GROWTH] = weight[s, a], growth
            reached += 1
        elif weight[s, a] > 0.0:
            own = others[a] * shrink
            high = max(own, log_all)
            small = np.exp(-abs(own - log_all))
            share = 1.0 / (1.0 + small) if own > log_all else small / (1.0 + small)
            level = high + np.log(1.0 + small)
            average += share * (mean[a] - average)
            volume = weight[s, a] * np.exp(growth * level)
            elsewhere += average * volume / (1.0 + np.exp((sigma1 - 1.0) * level))
    return reached, elsewhere


@fast
def _profits(
    grid: Any, reached: Any, elsewhere: Any, people: Any, nests: Any, linear: Any, terms: Any, out: Any
) -> None:  # pragma: no cover - compiled
    """Profit ``out`` (G,) at the prices ``grid`` of one line; ``terms`` = its (cost, stake, upstream)."""
    cost, stake, upstream = terms
    margin, x, share, earned = (
        np.empty(grid.size), np.empty(grid.size), np.empty(grid.size), np.empty(grid.size)
    )  # fmt: skip
    for g in range(grid.size):
        margin[g] = stake * (grid[g] - cost) + upstream
        out[g] = elsewhere
    for a in range(reached):
        _earn(grid, margin, people[a], nests, linear, (x, share, earned), out)


@fast
def _fitting(
    capacity: Any, low: Any, high: Any, reached: Any, people: Any, nests: Any, linear: Any
) -> Any:  # pragma: no cover - compiled
    """The lowest price from ``low`` on at which no more than ``capacity`` units are sold."""
    bare, one, sold = people.copy(), np.empty(1), np.empty(1)
    bare[:, MEAN] = 0.0
    bare[:, MEAN_REST] = 0.0
    one[0] = low
    # units sold are the profit of whoever earned one on the offer, at any price, and nothing else
    _profits(one, reached, 0.0, bare, nests, linear, (0.0, 0.0, 1.0), sold)
    if sold[0] <= capacity:
        return low
    low, high = np.log(low), np.log(high)
    for _ in range(BISECTIONS):
        one[0] = np.exp(0.5 * (low + high))
        _profits(one, reached, 0.0, bare, nests, linear, (0.0, 0.0, 1.0), sold)
        if sold[0] > capacity:
            low = 0.5 * (low + high)
        else:
            high = 0.5 * (low + high)
    return np.exp(high)


@fast
def _grid(price: Any, base: Any, lowest: Any, points: Any) -> Any:  # pragma: no cover - compiled
    """Prices to look at, in order: markups over ``base`` on a log grid, and close to the price itself."""
    wide, local, grid = np.empty(points), np.empty(LOCAL_POINTS), np.empty(points + LOCAL_POINTS)
    # what a unit must bring before it adds to profit; markups above it are searched on a log grid
    first = np.log(THIN_MARKUP * max(base, price / GRID_SPAN))
    pace = (np.log(GRID_SPAN * max(base, price)) - first) / (points - 1)
    for g in range(points):
        wide[g] = first + pace * g
    for g in range(points):
        wide[g] = max(base + _exp(wide[g]), lowest)
    # where a second peak may hide between two wide steps
    for g in range(LOCAL_POINTS):
        local[g] = max(price * _exp(LOCAL_SPAN * (2.0 * g / (LOCAL_POINTS - 1) - 1.0)), lowest)
    w, c = 0, 0
    for g in range(grid.size):
        if c == LOCAL_POINTS or (w < points and wide[w] < local[c]):
            grid[g] = wide[w]
            w += 1
        else:
            grid[g] = local[c]
            c += 1
    return grid


@fast
def _search(
    price: Any, floor: Any, points: Any, capacity: Any, terms: Any, rest: Any, linear: Any
) -> Any:  # pragma: no cover - compiled
    """Best price of one line, all else fixed: (price, profit at it, profit now)."""
    cost, stake, upstream = terms
    reached, elsewhere, people, nests = rest
    base = max(cost - upstream / stake, floor)
    lowest = floor
    if capacity < np.inf:
        highest = 2.0 * GRID_SPAN * max(base, price)
        lowest = _fitting(capacity, lowest, highest, reached, people, nests, linear)
    grid = _grid(price, base, lowest, points)
    last = grid.size - 1
    trial, profits = np.empty(grid.size + 2), np.empty(grid.size + 2)
    trial[: grid.size], trial[last + 1], trial[last + 2] = grid, lowest, price
    _profits(trial, reached, elsewhere, people, nests, linear, terms, profits)
    best_price, best, now = lowest, profits[last + 1], profits[last + 2]
    for g in range(grid.size):
        if profits[g] > best:
            best_price, best = grid[g], profits[g]
    one, found = np.empty(1), np.empty(1)
    for g in range(grid.size):
        if (g > 0 and profits[g] < profits[g - 1]) or (g < last and profits[g] < profits[g + 1]):
            continue
        if profits[g] < now - COARSE * abs(now):
            continue  # far below what it earns: no better peak hides between the points
        left_price, right_price = grid[max(g - 1, 0)], grid[min(g + 1, last)]
        if left_price <= price <= right_price and profits[g] <= now:
            continue  # the peak it stands on
        low, high = np.log(left_price), np.log(right_price)
        for _ in range(REFINEMENTS):
            a, b = low + (1.0 - GOLDEN) * (high - low), low + GOLDEN * (high - low)
            p, q = max(np.exp(a), lowest), max(np.exp(b), lowest)
            one[0] = p
            _profits(one, reached, elsewhere, people, nests, linear, terms, found)
            left = found[0]
            one[0] = q
            _profits(one, reached, elsewhere, people, nests, linear, terms, found)
            right = found[0]
            if left > best:
                best_price, best = p, left
            if right > best:
                best_price, best = q, right
            if left >= right:
                high = b
            else:
                low = a
    return best_price, best, now


@fast
def _feel(p: Any, k: Any, rows: Any, count: Any, linear: Any, x: Any) -> None:  # pragma: no cover - compiled
    """Utility of line ``k`` at price ``p``, into row ``k``."""
    for a in range(count):
        if linear:
            x[k, a] = rows[FREE, k, a] - rows[FALL, k, a] * p
        else:
            x[k, a] = rows[FREE, k, a] - rows[FALL, k, a] * _log(p + rows[REACH, k, a])


@fast
def search_all(
    moved: Any, active: Any, sellers: Any, tastes: Any, money: Any, points: Any, capacity: Any
) -> Any:  # pragma: no cover - compiled
    """Search each line of each ``active`` (S,) seller in turn, moving ``moved`` (J,) where another price pays.

    Returns the largest relative gain of each seller (S,), its profit now (S,), and by line the best price found and
    profit at it and now, (3, N).
    """
    begin, first, own, place, count, _, _, rows, log_sum, _, _, _, _ = sellers
    cost, stake, upstream, floor = money
    _, _, _, _, _, _, _, sigma1, sigma2, _, linear, _ = tastes
    lines, types = log_sum.shape
    x, levels, means = np.empty((lines, types)), np.empty((lines, types)), np.empty((lines, types))
    margin, found, people = np.empty(lines), np.empty((3, lines)), np.empty((types, 10))
    gain, profit = np.zeros(begin.size - 1), np.zeros(begin.size - 1)
    top, total = np.empty(types), np.empty(types)
    for s in range(begin.size - 1):
        if not active[s]:
            continue
        for k in range(begin[s], begin[s + 1]):
            j = own[k]
            margin[k] = stake[s, j] * (moved[j] - cost[j]) + upstream[s, j]
            _feel(moved[j], k, rows, count[s], linear, x)
        for t in range(first[s], first[s + 1]):
            _pool(t, -1, s, sellers, x, margin, (top, total), levels[t], means[t])
        for k in range(begin[s], begin[s + 1]):
            j = own[k]
            terms = (cost[j], stake[s, j], upstream[s, j])
            reached, elsewhere = _set_apart(k, s, sellers, tastes, x, margin, (levels, means), people)
            rest = (reached, elsewhere, people, (sigma1, sigma2))
            better, most, now = _search(moved[j], floor[j], points, capacity[j], terms, rest, linear)
            found[0, k], found[1, k], found[2, k], profit[s] = better, most, now, now
            if most - now > GAIN * abs(now):
                gain[s] = max(gain[s], (most - now) / max(abs(now), most - now))
                moved[j], profit[s] = better, most
                margin[k] = stake[s, j] * (better - cost[j]) + upstream[s, j]
                _feel(better, k, rows, count[s], linear, x)
                _pool(place[k], -1, s, sellers, x, margin, (top, total), levels[place[k]], means[place[k]])
    return gain, profit, found
