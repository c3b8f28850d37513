"""Global search over one price, all others fixed, compiled: first-order conditions are not an equilibrium.

With mixed tastes profit has several peaks. ``model.response`` is the door.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from model.elementary import exp_of_few, log
from model.kernel import contracted, lean
from model.profit import (
    GROWTH,
    LOG_REST,
    MASS,
    MEAN,
    MEAN_REST,
    OTHERS,
    ROOM,
    price_that_fits,
    profits_at,
)
from model.rivals import FALL, FREE, NOWHERE, NUISANCE, OPEN, UNITS, VECTOR

GRID_SPAN = 60.0  # the search reaches this many times the price or the cost
THIN_MARKUP = 0.004  # and starts at this markup on cost, where hosts of one model compete
LOCAL_POINTS = 16  # of the search close to the price
LOCAL_SPAN = 0.35  # log points that they reach to either side: steps of 5 %
COARSE = 0.3  # a peak on the grid this much below the profit now hides no better one between its points
REFINEMENTS = 24  # golden sections: a bracket of two grid steps shrinks to 1e-5 of itself
GOLDEN = 0.6180339887498949
GAIN = 1e-9  # relative profit gain that counts as a deviation; below it is rounding

# Rows of the ``desk`` on which one line is searched, after those that ``profits_at`` works on. It is made once: for each
# line anew, arrays would take as long as what is worked out on them.
GRID, WIDE, LOCAL, TRIAL, PROFITS, LOW, HIGH, LEFT, RIGHT, LEFTWARD, DESK = range(ROOM, ROOM + 11)

# ``tastes``, ``money`` and ``sellers`` are those of ``model.rivals``, with its letters; ``people`` is that of
# ``model.profit``. Prices are looked at in fours (``VECTOR``), of which the last may be filled up.


@lean
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
        total[a] = exp_of_few(log_sum[t, a] - top[a])
        mean[a] = total[a] * means[t, a]
    for k in range(begin[s], begin[s + 1]):
        if place[k] == t and k != but:
            for a in range(types):
                share = exp_of_few(x[k, a] - top[a]) * rows[OPEN, k, a]
                total[a] += share
                mean[a] += share * rows[UNITS, k, a] * margin[k]
    for a in range(types):
        mean[a] /= total[a]
        level[a] = max(top[a] + log(total[a]), NOWHERE)


@lean
def _divide(
    s: Any, sellers: Any, nests: Any, slots: Any, growth: Any, nest: Any
) -> None:  # pragma: no cover - compiled
    """How each type's demand divides at the prices as they are, and what the seller earns on it: fills ``nest``.

    ``nest`` holds ``parts`` (slots, I) of the nest, the part ``rest`` (I,) of the models of others, both over that of
    the best, whose log is ``top`` (I,), the profit ``now`` (I,), and two rows (I,) to work on.
    """
    _, first, _, _, count, _, weight, _, _, _, log_rest, mean_rest, _ = sellers
    levels, means = slots
    parts, rest, top, now, whole, earned = nest
    sigma1, sigma2 = nests
    types, shrink = count[s], (1.0 - sigma2) / (1.0 - sigma1)
    for a in range(types):
        top[a] = log_rest[s, a]
    for t in range(first[s], first[s + 1]):
        for a in range(types):
            top[a] = max(top[a], levels[t, a] * shrink)
    for a in range(types):
        rest[a] = exp_of_few(log_rest[s, a] - top[a]) if log_rest[s, a] > NOWHERE else 0.0
        whole[a] = rest[a]
        earned[a] = rest[a] * mean_rest[s, a]
    for t in range(first[s], first[s + 1]):
        for a in range(types):
            parts[t, a] = exp_of_few(levels[t, a] * shrink - top[a]) if levels[t, a] > NOWHERE else 0.0
            whole[a] += parts[t, a]
            earned[a] += parts[t, a] * means[t, a]
    for a in range(types):
        level = top[a] + log(whole[a])
        volume = weight[s, a] * exp_of_few(growth[a] * level)
        now[a] = earned[a] / whole[a] * volume / (1.0 + exp_of_few((sigma1 - 1.0) * level))


@lean
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
    parts, strange, top, now, _, _ = nest
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
        rest[a] = top[a] + log(rest[a]) if rest[a] > 0.0 else NOWHERE
    reached, elsewhere = 0, beside[s]
    for a in range(count[s]):
        if rows[OPEN, k, a] * weight[s, a] > 0.0:
            people[reached, FREE], people[reached, FALL] = rows[FREE, k, a], rows[FALL, k, a]
            people[reached, NUISANCE], people[reached, UNITS] = rows[NUISANCE, k, a], rows[UNITS, k, a]
            people[reached, OTHERS], people[reached, MEAN] = others[a], mean[a]
            people[reached, LOG_REST], people[reached, MEAN_REST] = rest[a], earned[a]
            people[reached, MASS], people[reached, GROWTH] = weight[s, a], growth[a]
            reached += 1
        else:
            elsewhere += now[a]
    return reached, elsewhere


@lean
def _lay_out(
    price: Any, base: Any, lowest: Any, points: Any, desk: Any
) -> None:  # pragma: no cover - compiled
    """Prices to look at, in order: markups over ``base`` on a log grid, and close to the price itself."""
    wide, local, grid = desk[WIDE], desk[LOCAL], desk[GRID, : points + LOCAL_POINTS]
    # what a unit must bring before it adds to profit; markups above it are searched on a log grid
    first = np.log(THIN_MARKUP * max(base, price / GRID_SPAN))
    pace = (np.log(GRID_SPAN * max(base, price)) - first) / (points - 1)
    for g in range(points):
        wide[g] = first + pace * g
    for g in range(points):
        wide[g] = max(base + exp_of_few(wide[g]), lowest)
    # where a second peak may hide between two wide steps
    for g in range(LOCAL_POINTS):
        local[g] = max(price * exp_of_few(LOCAL_SPAN * (2.0 * g / (LOCAL_POINTS - 1) - 1.0)), lowest)
    w, c = 0, 0
    for g in range(grid.size):
        if c == LOCAL_POINTS or (w < points and wide[w] < local[c]):
            grid[g] = wide[w]
            w += 1
        else:
            grid[g] = local[c]
            c += 1


@lean
def _refine(
    count: Any, lowest: Any, best_price: Any, best: Any, terms: Any, rest: Any, linear: Any, desk: Any
) -> Any:  # pragma: no cover - compiled
    """Golden section between the logs of prices ``LOW`` and ``HIGH`` of ``count`` peaks at once: best price, profit."""
    low, high, left, right = desk[LOW], desk[HIGH], desk[LEFT], desk[RIGHT]
    size = -(-2 * count // VECTOR) * VECTOR
    trial, profits = desk[TRIAL, :size], desk[PROFITS, :size]
    for h in range(size):
        trial[h] = lowest
    for h in range(count):
        trial[2 * h] = max(np.exp(low[h] + (1.0 - GOLDEN) * (high[h] - low[h])), lowest)
        trial[2 * h + 1] = max(np.exp(low[h] + GOLDEN * (high[h] - low[h])), lowest)
    profits_at(trial, linear, terms, rest, desk, profits)
    for h in range(count):
        left[h], right[h] = profits[2 * h], profits[2 * h + 1]
    for g in range(2 * count):
        if profits[g] > best:
            best_price, best = trial[g], profits[g]
    size = -(-count // VECTOR) * VECTOR
    trial, profits, leftward = desk[TRIAL, :size], desk[PROFITS, :size], desk[LEFTWARD]
    for h in range(count, size):
        trial[h] = lowest
    for _ in range(REFINEMENTS - 1):
        for h in range(count):
            leftward[h] = left[h] >= right[h]
            if leftward[h] > 0.0:
                high[h] = low[h] + GOLDEN * (high[h] - low[h])
                right[h] = left[h]
                trial[h] = max(np.exp(low[h] + (1.0 - GOLDEN) * (high[h] - low[h])), lowest)
            else:
                low[h] += (1.0 - GOLDEN) * (high[h] - low[h])
                left[h] = right[h]
                trial[h] = max(np.exp(low[h] + GOLDEN * (high[h] - low[h])), lowest)
        profits_at(trial, linear, terms, rest, desk, profits)
        for h in range(count):
            if leftward[h] > 0.0:
                left[h] = profits[h]
            else:
                right[h] = profits[h]
            if profits[h] > best:
                best_price, best = trial[h], profits[h]
    return best_price, best


@lean
def _search(
    price: Any,
    floor: Any,
    points: Any,
    capacity: Any,
    terms: Any,
    rest: Any,
    linear: Any,
    bare: Any,
    desk: Any,
) -> Any:  # pragma: no cover - compiled
    """Best price of one line, all else fixed: (price, profit at it, profit now)."""
    cost, stake, upstream = terms
    base = max(cost - upstream / stake, floor)
    lowest = floor
    if capacity < np.inf:
        lowest = price_that_fits(
            capacity, lowest, 2.0 * GRID_SPAN * max(base, price), rest, linear, bare, desk
        )
    _lay_out(price, base, lowest, points, desk)
    grid = desk[GRID, : points + LOCAL_POINTS]
    last = grid.size - 1
    size = -(-(grid.size + 2) // VECTOR) * VECTOR
    # the grid, the lowest price, and the price as it is to the end
    trial, profits = desk[TRIAL, :size], desk[PROFITS, :size]
    for g in range(size):
        trial[g] = grid[g] if g <= last else price
    trial[last + 1] = lowest
    profits_at(trial, linear, terms, rest, desk, profits)
    best_price, best, now = lowest, profits[last + 1], profits[last + 2]
    for g in range(grid.size):
        if profits[g] > best:
            best_price, best = grid[g], profits[g]
    low, high, peaks = desk[LOW], desk[HIGH], 0
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
        best_price, best = _refine(peaks, lowest, best_price, best, terms, rest, linear, desk)
    return best_price, best, now


@lean
def _feel(p: Any, k: Any, rows: Any, count: Any, linear: Any, x: Any) -> None:  # pragma: no cover - compiled
    """Utility of line ``k`` at price ``p``, into row ``k``."""
    for a in range(count):
        if linear:
            x[k, a] = rows[FREE, k, a] - rows[FALL, k, a] * p
        else:
            x[k, a] = rows[FREE, k, a] - rows[FALL, k, a] * log(p + rows[NUISANCE, k, a])


@lean
def _search_lines(
    s: Any,
    moved: Any,
    sellers: Any,
    money: Any,
    capacity: Any,
    points: Any,
    linear: Any,
    state: Any,
    found: Any,
) -> Any:  # pragma: no cover - compiled
    """Search the lines of seller ``s`` in turn, moving ``moved`` where another price pays: its gain, its profit now."""
    begin, first, own, place, count, _, _, rows, _, _, _, _, _ = sellers
    cost, stake, upstream, floor = money
    x, margin, people, bare, slots, growth, nests, nest, work, desk = state
    levels, means = slots
    _, _, _, _, top, total = work
    for k in range(begin[s], begin[s + 1]):
        j = own[k]
        margin[k] = stake[s, j] * (moved[j] - cost[j]) + upstream[s, j]
        _feel(moved[j], k, rows, count[s], linear, x)
    for t in range(first[s], first[s + 1]):
        _pool(t, -1, s, sellers, x, margin, (top, total), levels[t], means[t])
    _divide(s, sellers, nests, slots, growth, nest)
    gain, profit = 0.0, 0.0
    for k in range(begin[s], begin[s + 1]):
        j, t = own[k], place[k]
        terms = (cost[j], stake[s, j], upstream[s, j])
        reached, elsewhere = _set_apart(k, s, sellers, x, margin, slots, growth, nest, work, people)
        rest = (reached, elsewhere, people, nests)
        better, most, before = _search(
            moved[j], floor[j], points, capacity[j], terms, rest, linear, bare, desk
        )
        found[0, k], found[1, k], found[2, k] = better, most, before
        profit = before
        if most - before > GAIN * abs(before):
            gain = max(gain, (most - before) / max(abs(before), most - before))
            moved[j], profit = better, most
            margin[k] = stake[s, j] * (better - cost[j]) + upstream[s, j]
            _feel(better, k, rows, count[s], linear, x)
            _pool(t, -1, s, sellers, x, margin, (top, total), levels[t], means[t])
            _divide(s, sellers, nests, slots, growth, nest)
    return gain, profit


@contracted
def search_all(
    moved: Any, active: Any, sellers: Any, tastes: Any, money: Any, points: Any, capacity: Any
) -> Any:  # pragma: no cover - compiled
    """Search each line of each ``active`` (S,) seller in turn, moving ``moved`` (J,) where another price pays.

    Returns the largest relative gain of each seller (S,), its profit now (S,), and by line the best price found and
    profit at it and now, (3, N), which are not filled for sellers that are not active.
    """
    begin, _, _, _, count, who, _, _, log_sum, _, _, _, _ = sellers
    alpha, _, _, _, _, _, _, sigma1, sigma2, eta, linear, _ = tastes
    lines, types = log_sum.shape
    gain, profit, found = np.zeros(begin.size - 1), np.zeros(begin.size - 1), np.empty((3, lines))
    slots, growth = (np.empty((lines, types)), np.empty((lines, types))), np.empty(types)
    nest = (
        np.empty((lines, types)), np.empty(types), np.empty(types), np.empty(types), np.empty(types), np.empty(types)
    )  # fmt: skip
    work = (
        np.empty(types),
        np.empty(types),
        np.empty(types),
        np.empty(types),
        np.empty(types),
        np.empty(types),
    )
    desk = np.empty((DESK, 2 * (points + LOCAL_POINTS + VECTOR)))
    x, margin, people, bare = (
        np.empty((lines, types)),
        np.empty(lines),
        np.empty((types, 10)),
        np.empty((types, 10)),
    )
    state = (x, margin, people, bare, slots, growth, (sigma1, sigma2), nest, work, desk)
    for s in range(begin.size - 1):
        if active[s]:
            for a in range(count[s]):
                growth[a] = eta * (1.0 - sigma1) / alpha[who[s, a]]
            gain[s], profit[s] = _search_lines(
                s, moved, sellers, money, capacity, points, linear, state, found
            )
    return gain, profit, found
