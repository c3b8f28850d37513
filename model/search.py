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
VECTOR = 4  # prices are looked at in fours, as the processor takes them
TO_INTEGER = 1.5 * 2.0**52  # added to a number, it leaves the nearest integer in the last bits

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
    shifted = x * 1.4426950408889634 + TO_INTEGER
    n = shifted - TO_INTEGER
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
    exponent = np.float64(shifted).view(np.int64) << 52
    return np.int64(np.float64(p).view(np.int64) + exponent).view(np.float64)


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
        gap = x[g] - other
        small = _exp(-abs(gap))
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


@fast
def _earn(
    grid: Any, margin: Any, person: Any, nests: Any, linear: Any, work: Any, profit: Any
) -> None:  # pragma: no cover - compiled
    """Add to ``profit`` (G,) what one type brings at the prices ``grid``, at which its offer earns ``margin``."""
    sigma1, sigma2 = nests
    x, share, earned = work
    # what stays the same must be out of the loops: they are vectorised only if they read no array but rows
    free, fall, reach, units = person[FREE], person[FALL], person[REACH], person[UNITS]
    others, mean, log_rest, mean_rest = person[OTHERS], person[MEAN], person[LOG_REST], person[MEAN_REST]
    mass, growth, flatten = person[MASS], person[GROWTH], 1.0 - sigma1
    shrink = (1.0 - sigma2) / (1.0 - sigma1)
    if linear:
        for g in range(x.size):
            x[g] = free - fall * grid[g]
    else:
        for g in range(x.size):
            x[g] = free - fall * _log(grid[g] + reach)
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
def _divide(
    s: Any, sellers: Any, nests: Any, slots: Any, growth: Any, nest: Any
) -> None:  # pragma: no cover - compiled
    """How each type's demand divides at the prices as they are, and what the seller earns on it: fills ``nest``.

    ``nest`` holds ``parts`` (slots, I) of the nest, the part ``rest`` (I,) of the models of others, both over that of
    the best, whose log is ``top`` (I,), and the profit ``now`` (I,).
    """
    _, first, _, _, count, _, weight, _, _, _, log_rest, mean_rest, _ = sellers
    levels, means = slots
    parts, rest, top, now = nest
    sigma1, sigma2 = nests
    types, shrink = count[s], (1.0 - sigma2) / (1.0 - sigma1)
    for a in range(types):
        top[a] = log_rest[s, a]
    for t in range(first[s], first[s + 1]):
        for a in range(types):
            top[a] = max(top[a], levels[t, a] * shrink)
    whole, earned = np.empty(types), np.empty(types)
    for a in range(types):
        rest[a] = _exp(log_rest[s, a] - top[a]) if log_rest[s, a] > NOWHERE else 0.0
        whole[a] = rest[a]
        earned[a] = rest[a] * mean_rest[s, a]
    for t in range(first[s], first[s + 1]):
        for a in range(types):
            parts[t, a] = _exp(levels[t, a] * shrink - top[a]) if levels[t, a] > NOWHERE else 0.0
            whole[a] += parts[t, a]
            earned[a] += parts[t, a] * means[t, a]
    for a in range(types):
        level = top[a] + _log(whole[a])
        volume = weight[s, a] * _exp(growth[a] * level)
        now[a] = earned[a] / whole[a] * volume / (1.0 + _exp((sigma1 - 1.0) * level))


@fast
def _set_apart(
    k: Any,
    s: Any,
    sellers: Any,
    x: Any,
    margin: Any,
    slots: Any,
    growth: Any,
    nest: Any,
    work: Any,
    people: Any,
) -> Any:  # pragma: no cover - compiled
    """What the profit of one line needs, all else as it is: fills ``people``, a row by type that it reaches.

    ``slots`` holds log sum and mean margin of each model of the seller, ``nest`` what ``_divide`` fills. Returns how
    many rows there are, and the profit on types that cannot buy the line.
    """
    _, first, _, place, count, _, weight, rows, _, _, _, mean_rest, beside = sellers
    _, means = slots
    parts, strange, top, now = nest
    others, mean, rest, earned, high, total = work
    _pool(place[k], k, s, sellers, x, margin, (high, total), others, mean)
    for a in range(count[s]):
        rest[a] = strange[a]
        earned[a] = strange[a] * mean_rest[s, a]
    for t in range(first[s], first[s + 1]):
        if t != place[k]:
            for a in range(count[s]):
                rest[a] += parts[t, a]
                earned[a] += parts[t, a] * means[t, a]
    for a in range(count[s]):
        earned[a] = earned[a] / rest[a] if rest[a] > 0.0 else 0.0
        rest[a] = top[a] + _log(rest[a]) if rest[a] > 0.0 else NOWHERE
    reached, elsewhere = 0, beside[s]
    for a in range(count[s]):
        if rows[OPEN, k, a] * weight[s, a] > 0.0:
            people[reached, FREE], people[reached, FALL] = rows[FREE, k, a], rows[FALL, k, a]
            people[reached, REACH], people[reached, UNITS] = rows[REACH, k, a], rows[UNITS, k, a]
            people[reached, OTHERS], people[reached, MEAN] = others[a], mean[a]
            people[reached, LOG_REST], people[reached, MEAN_REST] = rest[a], earned[a]
            people[reached, MASS], people[reached, GROWTH] = weight[s, a], growth[a]
            reached += 1
        else:
            elsewhere += now[a]
    return reached, elsewhere


@fast
def _profits(
    prices: Any, linear: Any, terms: Any, rest: Any, out: Any
) -> None:  # pragma: no cover - compiled
    """Profit ``out`` (G,) at ``prices`` of one line; ``terms`` = its (cost, stake, upstream).

    ``rest`` = (how many rows ``people`` has, profit on types that cannot buy the line, people, nests).
    """
    cost, stake, upstream = terms
    reached, elsewhere, people, nests = rest
    margin, x, share, earned = (
        np.empty(out.size),
        np.empty(out.size),
        np.empty(out.size),
        np.empty(out.size),
    )
    for g in range(out.size):
        margin[g] = stake * (prices[g] - cost) + upstream
        out[g] = elsewhere
    for a in range(reached):
        _earn(prices, margin, people[a], nests, linear, (x, share, earned), out)


@fast
def _fitting(
    capacity: Any, low: Any, high: Any, rest: Any, linear: Any
) -> Any:  # pragma: no cover - compiled
    """The lowest price from ``low`` on at which no more than ``capacity`` units are sold."""
    reached, _, people, nests = rest
    bare, one, sold = people.copy(), np.empty(1), np.empty(1)
    bare[:, MEAN] = 0.0
    bare[:, MEAN_REST] = 0.0
    # units sold are the profit of whoever earned one on the offer, at any price, and nothing else
    terms, alone = (0.0, 0.0, 1.0), (reached, 0.0, bare, nests)
    one[0] = low
    _profits(one, linear, terms, alone, sold)
    if sold[0] <= capacity:
        return low
    low, high = np.log(low), np.log(high)
    for _ in range(BISECTIONS):
        one[0] = np.exp(0.5 * (low + high))
        _profits(one, linear, terms, alone, sold)
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
def _refine(
    low: Any,
    high: Any,
    count: Any,
    lowest: Any,
    best_price: Any,
    best: Any,
    terms: Any,
    rest: Any,
    linear: Any,
) -> Any:  # pragma: no cover - compiled
    """Golden section between the logs of prices ``low`` and ``high`` of ``count`` peaks at once: best price, profit."""
    size = -(-2 * count // VECTOR) * VECTOR
    trial, profits = np.full(size, lowest), np.empty(size)
    left, right = np.empty(count), np.empty(count)
    for h in range(count):
        trial[2 * h] = max(np.exp(low[h] + (1.0 - GOLDEN) * (high[h] - low[h])), lowest)
        trial[2 * h + 1] = max(np.exp(low[h] + GOLDEN * (high[h] - low[h])), lowest)
    _profits(trial, linear, terms, rest, profits)
    for h in range(count):
        left[h], right[h] = profits[2 * h], profits[2 * h + 1]
    for g in range(2 * count):
        if profits[g] > best:
            best_price, best = trial[g], profits[g]
    size = -(-count // VECTOR) * VECTOR
    trial, profits, leftward = np.full(size, lowest), np.empty(size), np.empty(count, np.bool_)
    for _ in range(REFINEMENTS - 1):
        for h in range(count):
            leftward[h] = left[h] >= right[h]
            if leftward[h]:
                high[h] = low[h] + GOLDEN * (high[h] - low[h])
                right[h] = left[h]
                trial[h] = max(np.exp(low[h] + (1.0 - GOLDEN) * (high[h] - low[h])), lowest)
            else:
                low[h] += (1.0 - GOLDEN) * (high[h] - low[h])
                left[h] = right[h]
                trial[h] = max(np.exp(low[h] + GOLDEN * (high[h] - low[h])), lowest)
        _profits(trial, linear, terms, rest, profits)
        for h in range(count):
            if leftward[h]:
                left[h] = profits[h]
            else:
                right[h] = profits[h]
            if profits[h] > best:
                best_price, best = trial[h], profits[h]
    return best_price, best


@fast
def _search(
    price: Any, floor: Any, points: Any, capacity: Any, terms: Any, rest: Any, linear: Any
) -> Any:  # pragma: no cover - compiled
    """Best price of one line, all else fixed: (price, profit at it, profit now)."""
    cost, stake, upstream = terms
    base = max(cost - upstream / stake, floor)
    lowest = floor
    if capacity < np.inf:
        lowest = _fitting(capacity, lowest, 2.0 * GRID_SPAN * max(base, price), rest, linear)
    grid = _grid(price, base, lowest, points)
    last = grid.size - 1
    size = -(-(grid.size + 2) // VECTOR) * VECTOR
    trial, profits = np.full(size, price), np.empty(size)
    trial[: grid.size], trial[last + 1] = grid, lowest
    _profits(trial, linear, terms, rest, profits)
    best_price, best, now = lowest, profits[last + 1], profits[last + 2]
    for g in range(grid.size):
        if profits[g] > best:
            best_price, best = grid[g], profits[g]
    low, high, peaks = np.empty(grid.size), np.empty(grid.size), 0
    for g in range(grid.size):
        if (g > 0 and profits[g] < profits[g - 1]) or (g < last and profits[g] < profits[g + 1]):
            continue
        if profits[g] < now - COARSE * abs(now):
            continue  # far below what it earns: no better peak hides between the points
        before, after = max(g - 1, 0), min(g + 1, last)
        if profits[g] - min(profits[before], profits[after]) <= GAIN * abs(now):
            continue  # a flat stretch, where it sells next to nothing: no gain between its points would count
        left, right = grid[before], grid[after]
        if left <= price <= right and profits[g] <= now:
            continue  # the peak it stands on
        low[peaks], high[peaks] = np.log(left), np.log(right)
        peaks += 1
    if peaks > 0:
        best_price, best = _refine(low, high, peaks, lowest, best_price, best, terms, rest, linear)
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
    begin, first, own, place, count, who, _, rows, log_sum, _, _, _, _ = sellers
    cost, stake, upstream, floor = money
    alpha, _, _, _, _, _, _, sigma1, sigma2, eta, linear, _ = tastes
    lines, types = log_sum.shape
    x, levels, means = np.empty((lines, types)), np.empty((lines, types)), np.empty((lines, types))
    margin, found, people = np.empty(lines), np.empty((3, lines)), np.empty((types, 10))
    gain, profit, slots = np.zeros(begin.size - 1), np.zeros(begin.size - 1), (levels, means)
    top, total, growth, nests = np.empty(types), np.empty(types), np.empty(types), (sigma1, sigma2)
    nest = (np.empty((lines, types)), np.empty(types), np.empty(types), np.empty(types))
    work = (np.empty(types), np.empty(types), np.empty(types), np.empty(types), top, total)
    for s in range(begin.size - 1):
        if not active[s]:
            continue
        for a in range(count[s]):
            growth[a] = eta * (1.0 - sigma1) / alpha[who[s, a]]
        for k in range(begin[s], begin[s + 1]):
            j = own[k]
            margin[k] = stake[s, j] * (moved[j] - cost[j]) + upstream[s, j]
            _feel(moved[j], k, rows, count[s], linear, x)
        for t in range(first[s], first[s + 1]):
            _pool(t, -1, s, sellers, x, margin, (top, total), levels[t], means[t])
        _divide(s, sellers, nests, slots, growth, nest)
        for k in range(begin[s], begin[s + 1]):
            j, t = own[k], place[k]
            terms = (cost[j], stake[s, j], upstream[s, j])
            reached, elsewhere = _set_apart(k, s, sellers, x, margin, slots, growth, nest, work, people)
            rest = (reached, elsewhere, people, nests)
            found[:, k] = _search(moved[j], floor[j], points, capacity[j], terms, rest, linear)
            better, most, before = found[0, k], found[1, k], found[2, k]
            profit[s] = before
            if most - before > GAIN * abs(before):
                gain[s] = max(gain[s], (most - before) / max(abs(before), most - before))
                moved[j], profit[s] = better, most
                margin[k] = stake[s, j] * (better - cost[j]) + upstream[s, j]
                _feel(better, k, rows, count[s], linear, x)
                _pool(t, -1, s, sellers, x, margin, (top, total), levels[t], means[t])
                _divide(s, sellers, nests, slots, growth, nest)
    return gain, profit, found
