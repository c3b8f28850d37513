"""The climb of each seller's prices to its first-order conditions, compiled.

Far from them the fixed point of Morrow and Skerlos (2011) is iterated with acceleration, which finds its way; close to
them Newton's method with the second derivatives of profit takes over, which needs three steps where that takes ten.
``model.response`` is the door.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from model.elementary import exp, log
from model.kernel import contracted, lean, lean_reordered
from model.rivals import FALL, FREE, NUISANCE, OPEN, UNITS

MEMORY = 5  # past steps in the acceleration (Walker and Ni 2011): more gains little for ten prices
RIDGE = 1e-14  # of the largest squared step: keeps nearly parallel steps from dividing by zero
ASTRAY = 4.0  # growth of the squared residual at which the acceleration forgets its past steps
UNDERFLOW = 1e-280  # demand slopes below this carry no information
NEAR = 0.05  # the residual at which Newton's method takes over
HALVED = 0.5  # of the residual must be gone after a step of it, or it is given up
LONGEST_STEP = 1.0  # in log price: keeps a first guess far away from emptying the market
ACCEPTED = 1e-9  # a residual that counts as solved

# ``tastes``, ``money`` and ``sellers`` are those of ``model.rivals``, with its letters and the rows of its lines.
# ``people``, what an evaluation knows by type, (8, I) (not the table that ``model.search`` and ``model.profit`` call so):
# mass, eta (1 - sigma1) / alpha, the highest log sum and the sum of the nest over it, mean margin in the nest,
# consumption over the sum of the nest, 1 less the elasticity of consumption in the nest, and by how much that rises with
# the log of the nest
MASS, GROWTH, HIGH, WHOLE, AVERAGE, BOUGHT, STIFF, BEND = range(8)
# ``turns``, which Newton's method fills, (9, N, I): three rows each of the first and of the second factors of what the
# price of one line does to the first-order condition of another
CONDITION, OTHER, ALIKE = 0, 3, 6


@lean
def _feel(
    p: Any, k: Any, rows: Any, count: Any, linear: Any, x: Any, pace: Any
) -> None:  # pragma: no cover - compiled
    """Utility of line ``k`` at price ``p`` and what it falls by with a unit of price, into rows ``k``."""
    for a in range(count):
        if linear:
            x[k, a] = rows[FREE, k, a] - rows[FALL, k, a] * p
            pace[k, a] = rows[FALL, k, a]
        else:
            x[k, a] = rows[FREE, k, a] - rows[FALL, k, a] * log(p + rows[NUISANCE, k, a])
            pace[k, a] = rows[FALL, k, a] / (p + rows[NUISANCE, k, a])


@lean_reordered
def _condition(
    k: Any, t: Any, rows: Any, count: Any, nests: Any, state: Any, people: Any
) -> Any:  # pragma: no cover - compiled
    """Units sold of line ``k``, Lambda and sum_j Gamma_jk M_j."""
    x, pace, _, earned, part, _ = state
    near, far = nests
    sold, slope, pulled = 0.0, 0.0, 0.0
    for a in range(count):
        flow = people[BOUGHT, a] * x[k, a] * part[t, a]
        fall = flow * pace[k, a]
        sold += flow * rows[UNITS, k, a]
        slope += fall * rows[UNITS, k, a]
        pulled += fall * (far * people[STIFF, a] * people[AVERAGE, a] + (near - far) * earned[t, a])
    return sold, slope, pulled / near


@lean
def _evaluate(
    p: Any, s: Any, sellers: Any, tastes: Any, margin: Any, state: Any, people: Any
) -> None:  # pragma: no cover - compiled
    """Shares at the prices of seller ``s``, of which each line earns ``margin`` a unit.

    Fills ``state``: a line's share of its model, pace, and by slot total, mean margin and part of consumption; and
    ``people`` by type.
    """
    _, _, _, _, _, _, _, sigma1, sigma2, _, linear, _ = tastes
    begin, first, _, place, count, _, _, rows, log_sum, mean, log_rest, mean_rest, _ = sellers
    x, pace, total, earned, part, top = state
    near, far, types = 1.0 / (1.0 - sigma2), 1.0 / (1.0 - sigma1), count[s]
    for t in range(first[s], first[s + 1]):
        for a in range(types):
            top[t, a] = log_sum[t, a]
    for k in range(begin[s], begin[s + 1]):
        _feel(p[k], k, rows, types, linear, x, pace)
        for a in range(types):
            top[place[k], a] = max(top[place[k], a], x[k, a])
    for t in range(first[s], first[s + 1]):
        for a in range(types):
            total[t, a] = exp(log_sum[t, a] - top[t, a])
            earned[t, a] = total[t, a] * mean[t, a]
    for k in range(begin[s], begin[s + 1]):
        t = place[k]
        for a in range(types):
            x[k, a] = exp(x[k, a] - top[t, a]) * rows[OPEN, k, a]
            total[t, a] += x[k, a]
            earned[t, a] += x[k, a] * rows[UNITS, k, a] * margin[k]
    for a in range(types):
        people[HIGH, a] = log_rest[s, a]
    for t in range(first[s], first[s + 1]):
        for a in range(types):
            part[t, a] = (top[t, a] + log(total[t, a])) * (far / near)
            people[HIGH, a] = max(people[HIGH, a], part[t, a])
            total[t, a] = 1.0 / total[t, a]
            earned[t, a] *= total[t, a]
    for a in range(types):
        people[WHOLE, a] = exp(log_rest[s, a] - people[HIGH, a])
        people[AVERAGE, a] = people[WHOLE, a] * mean_rest[s, a]
    for t in range(first[s], first[s + 1]):
        for a in range(types):
            part[t, a] = exp(part[t, a] - people[HIGH, a])
            people[WHOLE, a] += part[t, a]
            people[AVERAGE, a] += part[t, a] * earned[t, a]
            part[t, a] *= total[t, a]
    for a in range(types):
        level = people[HIGH, a] + log(people[WHOLE, a])
        adoption = 1.0 / (1.0 + exp((sigma1 - 1.0) * level))
        volume = people[MASS, a] * adoption * exp(people[GROWTH, a] * level)
        people[BOUGHT, a] = volume / people[WHOLE, a]
        people[AVERAGE, a] /= people[WHOLE, a]
        people[STIFF, a] = 1.0 - (1.0 - adoption) * (1.0 - sigma1) - people[GROWTH, a]
        people[BEND, a] = adoption * (1.0 - adoption) * (1.0 - sigma1) ** 2


@lean_reordered
def _bend(
    k: Any,
    t: Any,
    rows: Any,
    count: Any,
    margin: Any,
    stake: Any,
    nests: Any,
    curved: Any,
    state: Any,
    people: Any,
    turns: Any,
) -> Any:  # pragma: no cover - compiled
    """What moves the first-order condition of line ``k`` of slot ``t`` with prices: fills ``turns`` (9, N, I).

    The second derivative of profit in the prices of two lines is a sum over types of products, a factor of one line
    (CONDITION) and one of the other (OTHER, or ALIKE in the same model). Returns what its own price adds to that, and
    to the derivative of Lambda.

    Profit rises with the price p_k of a line by the sum over types of

        flow_k (stake units_k - pace_k adds_k),

    where flow_k is consumption through the line, pace_k what its utility falls by and adds_k what profit gains, a unit
    of that flow, with a unit more of utility: the margin of the line over that of its model, and ``shrink`` times that
    of the model over ``stiff`` times that of the nest. With another price p_j flow_k and adds_k move:

        row      of k (CONDITION)                          of j (OTHER, ALIKE)
        first    flow_k (stake units_k - pace_k adds_k)    d ln flow_k / d p_j
        second   flow_k pace_k                             - d adds_k / d p_j
        third    flow_k pace_k units_k, that of Lambda     the first times units_j

    ``tests/model/test_climb.py`` compares them with finite differences.
    """
    x, pace, total, earned, part, _ = state
    shrink = nests[1] / nests[0]
    second, steeper = 0.0, 0.0
    for a in range(count):
        units, average, stiff = rows[UNITS, k, a], people[AVERAGE, a], people[STIFF, a]
        over = units * margin[k] - earned[t, a]
        adds = over + shrink * (earned[t, a] - stiff * average)
        flow = people[BOUGHT, a] * x[k, a] * part[t, a]
        turns[CONDITION, k, a] = flow * (stake * units - pace[k, a] * adds)
        turns[CONDITION + 1, k, a] = flow * pace[k, a]
        turns[CONDITION + 2, k, a] = flow * pace[k, a] * units
        # a unit less of its utility: the nest shrinks by so much, and less is drawn from others in its model
        nest = shrink * x[k, a] * part[t, a] / people[WHOLE, a]
        model = (1.0 - shrink) * x[k, a] * total[t, a]
        lost = stiff * (over + shrink * (earned[t, a] - average)) + shrink * people[BEND, a] * average
        turns[OTHER, k, a] = nest * stiff * pace[k, a]
        turns[OTHER + 1, k, a] = nest * (stiff * stake * units - pace[k, a] * lost)
        turns[OTHER + 2, k, a] = turns[OTHER, k, a] * units
        turns[ALIKE, k, a] = turns[OTHER, k, a] + model * pace[k, a]
        turns[ALIKE + 1, k, a] = turns[OTHER + 1, k, a] + model * (stake * units - pace[k, a] * over)
        turns[ALIKE + 2, k, a] = turns[ALIKE, k, a] * units
        slope = flow * pace[k, a] * pace[k, a] * (1.0 + curved / rows[FALL, k, a])
        second += slope * adds - 2.0 * flow * pace[k, a] * stake * units
        steeper -= slope * units
    return second, steeper


@lean_reordered
def _cross(k: Any, j: Any, kind: Any, count: Any, turns: Any) -> Any:  # pragma: no cover - compiled
    """Second derivative of profit in the prices of lines ``k`` and ``j``, and that of Lambda of each in the other's.

    flow_k pace_k (d ln flow_k / d p_j) is the same with k and j exchanged, which gives the last of the three.
    """
    second, steeper_k, steeper_j = 0.0, 0.0, 0.0
    for a in range(count):
        second += (
            turns[CONDITION, k, a] * turns[kind, j, a] + turns[CONDITION + 1, k, a] * turns[kind + 1, j, a]
        )
        steeper_k += turns[CONDITION + 2, k, a] * turns[kind, j, a]
        steeper_j += turns[CONDITION + 1, k, a] * turns[kind + 2, j, a]
    return second, steeper_k, steeper_j


@lean
def _solve(a: Any, b: Any, n: Any) -> None:  # pragma: no cover - compiled
    """Solve a x = b in place by elimination with pivots, for the few equations of the acceleration."""
    for c in range(n):
        pivot = c
        for r in range(c + 1, n):
            if abs(a[r, c]) > abs(a[pivot, c]):
                pivot = r
        if a[pivot, c] == 0.0:
            b[c] = 0.0
            continue
        for q in range(n):
            a[c, q], a[pivot, q] = a[pivot, q], a[c, q]
        b[c], b[pivot] = b[pivot], b[c]
        for r in range(c + 1, n):
            f = a[r, c] / a[c, c]
            for q in range(c, n):
                a[r, q] -= f * a[c, q]
            b[r] -= f * b[c]
    for c in range(n - 1, -1, -1):
        if a[c, c] == 0.0:
            b[c] = 0.0
            continue
        for q in range(c + 1, n):
            b[c] -= a[c, q] * b[q]
        b[c] /= a[c, c]


@contracted
def _step(
    s: Any,
    p: Any,
    goals: Any,
    slopes: Any,
    sellers: Any,
    margin: Any,
    stakes: Any,
    floors: Any,
    nests: Any,
    curved: Any,
    state: Any,
    people: Any,
) -> Any:  # pragma: no cover - compiled
    """Newton's step (n,) in log prices towards the first-order conditions of seller ``s``.

    Profit rises with a price p by stake Lambda (goal - p), and it is goal - p that is brought to zero. Lines at their
    floor stay there.
    """
    begin, _, _, place, count, _, _, rows, _, _, _, _, _ = sellers
    start, n, turns = begin[s], begin[s + 1] - begin[s], np.empty((9, rows.shape[1], rows.shape[2]))
    a, b = np.zeros((n, n)), np.empty(n)
    for k in range(start, start + n):
        own = _bend(k, place[k], rows, count[s], margin, stakes[k], nests, curved, state, people, turns)
        b[k - start] = goals[k] - p[k]
        for j in range(start, k + 1):
            kind = ALIKE if place[k] == place[j] else OTHER
            second, steeper_k, steeper_j = _cross(k, j, kind, count[s], turns)
            if j == k:
                second, steeper_k, steeper_j = second + own[0], steeper_k + own[1], steeper_j + own[1]
            a[k - start, j - start] = (b[k - start] * steeper_k - second / stakes[k]) / slopes[k] * p[j]
            a[j - start, k - start] = (b[j - start] * steeper_j - second / stakes[j]) / slopes[j] * p[k]
    for k in range(n):
        if goals[start + k] <= floors[start + k] and p[start + k] <= floors[start + k]:
            a[k, :] = 0.0
            a[:, k] = 0.0
            a[k, k] = 1.0
            b[k] = 0.0
    _solve(a, b, n)
    return b


@contracted
def _accelerate(
    z: Any, f: Any, steps: Any, falls: Any, known: Any, out: Any
) -> None:  # pragma: no cover - compiled
    """Anderson acceleration (Walker and Ni 2011): combine past steps so that their residuals cancel."""
    n = z.size
    a = np.zeros((known, known))
    b = np.zeros(known)
    size = 0.0
    for r in range(known):
        for c in range(r + 1):
            for k in range(n):
                a[r, c] += falls[r, k] * falls[c, k]
            a[c, r] = a[r, c]
        size = max(size, a[r, r])
        for k in range(n):
            b[r] += falls[r, k] * f[k]
    for r in range(known):
        a[r, r] += RIDGE * size
    _solve(a, b, known)
    for k in range(n):
        out[k] = z[k] + f[k]
        for r in range(known):
            out[k] -= b[r] * (steps[r, k] + falls[r, k])


@lean
def _goals(
    s: Any,
    p: Any,
    sellers: Any,
    tastes: Any,
    money: Any,
    margin: Any,
    floors: Any,
    nests: Any,
    state: Any,
    people: Any,
    goals: Any,
    slopes: Any,
) -> None:  # pragma: no cover - compiled
    """The prices ``goals`` (N,) that first-order conditions ask for at prices ``p`` (N,) of seller ``s``.

    Fills ``slopes`` (N,) with Lambda and ``margin`` (N,) with what lines earn a unit, and what ``_evaluate`` fills.
    """
    begin, _, own, place, count, _, _, rows = sellers[:8]
    cost, stake, upstream, _ = money
    for k in range(begin[s], begin[s + 1]):
        margin[k] = stake[s, own[k]] * (p[k] - cost[own[k]]) + upstream[s, own[k]]
    _evaluate(p, s, sellers, tastes, margin, state, people)
    for k in range(begin[s], begin[s + 1]):
        j = own[k]
        sold, slopes[k], pulled = _condition(k, place[k], rows, count[s], nests, state, people)
        if slopes[k] > UNDERFLOW:
            goal = cost[j] - upstream[s, j] / stake[s, j] + (sold + pulled / stake[s, j]) / slopes[k]
        else:
            goal = p[k] / 2.0  # so dear that demand underflows: come back
        goals[k] = max(goal, floors[k])


@contracted
def climb(
    moved: Any, active: Any, sellers: Any, tastes: Any, money: Any, tolerance: Any, limit: Any
) -> Any:  # pragma: no cover - compiled
    """Iterate the prices of each ``active`` (S,) seller to its first-order conditions, the others' as posted.

    ``moved`` (J,) holds first guesses and takes the prices of sellers that are solved. Returns residuals (S,) and
    iterations (S,), both zero for a seller that is not active.
    """
    alpha, _, weights, _, nuisance, _, _, sigma1, sigma2, eta, linear, _ = tastes
    _, stake, _, floor = money
    begin, _, own, _, count, who, weight = sellers[:7]
    lines, types, nests = own.size, weight.shape[1], (1.0 / (1.0 - sigma2), 1.0 / (1.0 - sigma1))
    x, pace, top = np.empty((lines, types)), np.empty((lines, types)), np.empty((lines, types))
    total, earned, part = np.empty((lines, types)), np.empty((lines, types)), np.empty((lines, types))
    state, people = (x, pace, total, earned, part, top), np.empty((8, types))
    p, margin, mean_h = np.empty(lines), np.empty(lines), np.zeros(lines)
    goals, slopes, stakes, floors = np.empty(lines), np.empty(lines), np.empty(lines), np.empty(lines)
    curved = 0.0 if linear else 1.0
    for k in range(lines):
        p[k], floors[k] = moved[own[k]], floor[own[k]]
        for i in range(alpha.size):
            mean_h[k] += weights[i] * nuisance[i, own[k]]
        mean_h[k] /= weights.sum()
    residuals, iterations = np.zeros(begin.size - 1), np.zeros(begin.size - 1, np.int64)
    for s in range(begin.size - 1):
        n, start = begin[s + 1] - begin[s], begin[s]
        if n == 0 or not active[s]:
            continue
        for k in range(start, start + n):
            stakes[k] = stake[s, own[k]]
        for a in range(count[s]):
            people[MASS, a], people[GROWTH, a] = weight[s, a], eta * (1.0 - sigma1) / alpha[who[s, a]]
        z, f, z_old, f_old, out = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
        steps, falls = np.zeros((MEMORY, n)), np.zeros((MEMORY, n))
        known, last, residual, trusted, newton = 0, np.inf, np.inf, True, False
        for iteration in range(limit):
            _goals(s, p, sellers, tastes, money, margin, floors, nests, state, people, goals, slopes)
            before, residual, norm, flattest = residual, 0.0, 0.0, np.inf
            for k in range(start, start + n):
                flattest = min(flattest, slopes[k])
                residual = max(residual, abs(goals[k] - p[k]) / (p[k] + mean_h[k]))
                z[k - start] = np.log(p[k])
                f[k - start] = min(max(np.log(goals[k] / p[k]), -LONGEST_STEP), LONGEST_STEP)
                norm += f[k - start] * f[k - start]
            iterations[s] = iteration + 1
            if residual <= tolerance:
                break
            trusted = trusted and not (newton and residual > HALVED * before)
            newton = trusted and residual <= NEAR and flattest > UNDERFLOW
            if newton:
                step = _step(
                    s, p, goals, slopes, sellers, margin, stakes, floors, nests, curved, state, people
                )
                for k in range(start, start + n):
                    move = min(max(step[k - start], -LONGEST_STEP), LONGEST_STEP)
                    p[k] = max(p[k] * np.exp(move), floors[k])
                known, last = 0, np.inf
                continue
            if norm > ASTRAY * last:
                known = 0
            elif last < np.inf:
                known = min(known + 1, MEMORY)
                for r in range(known - 1, 0, -1):
                    steps[r] = steps[r - 1]
                    falls[r] = falls[r - 1]
                steps[0] = z - z_old
                falls[0] = f - f_old
            last = norm
            _accelerate(z, f, steps, falls, known, out)
            for k in range(n):
                z_old[k] = z[k]
                f_old[k] = f[k]
                move = min(max(out[k] - z[k], -LONGEST_STEP), LONGEST_STEP)
                p[start + k] = max(np.exp(z[k] + move), floors[start + k])
        residuals[s] = residual
        if residual <= ACCEPTED:  # a climb that strayed is forgotten
            for k in range(start, start + n):
                moved[own[k]] = p[k]
    return residuals, iterations
