"""The compiled kernels of the best response: sums over rivals, climb to first-order conditions, search.

They are in one file because a cached kernel is compiled again only when its own file changes.
``model.response`` is their door.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

MEMORY = 5  # past steps in the acceleration (Walker and Ni 2011): more gains little for ten prices
RIDGE = 1e-14  # of the largest squared step: keeps nearly parallel steps from dividing by zero
ASTRAY = 4.0  # growth of the squared residual at which the acceleration forgets its past steps
UNDERFLOW = 1e-280  # demand slopes below this carry no information
LONGEST_STEP = 1.0  # in log price: keeps a first guess far away from emptying the market
GRID_SPAN = 60.0  # the search reaches this many times the price or the cost
THIN_MARKUP = 0.004  # and starts at this markup on cost, where hosts of one model compete
COARSE = 0.3  # a peak on the grid this much below the profit now hides no better one between its points
REFINEMENTS = 24  # golden sections: a bracket of two grid steps shrinks to 1e-5 of itself
GOLDEN = 0.6180339887498949
BISECTIONS = 60  # for the price at which demand just fits capacity
GAIN = 1e-9  # relative profit gain that counts as a deviation; below it is rounding

# What belongs together is passed as tuples: ``tastes`` = (alpha, mass, value, nuisance, intensity, model,
# sigma1, sigma2, eta) of Buyers, ``money`` = (cost, stake, upstream, floor) by offer, ``rest`` = what
# ``_rivals`` returns.


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def utilities(tastes: Any, price: Any, offers: Any, out: Any) -> None:  # pragma: no cover - compiled
    """Utility over (1 - sigma2) of the listed offers, into columns of ``out`` (I, J)."""
    alpha, _, value, nuisance, _, _, _, sigma2, _ = tastes
    for i in range(value.shape[0]):
        for j in offers:
            if value[i, j] > -np.inf:
                out[i, j] = (value[i, j] - alpha[i] * np.log(price[j] + nuisance[i, j])) / (1.0 - sigma2)
            else:
                out[i, j] = -np.inf


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _rivals(x: Any, price: Any, own: Any, tastes: Any, money: Any) -> Any:  # pragma: no cover - compiled
    """Sum up what a seller does not move: by type, in each of its models and over all other models.

    Returns ``place`` (n,), the slot of each own offer's model; ``log_sum`` and ``mean`` (I, slots), the
    rivals' log sum and mean margin per unit of consumption in that model; ``log_rest`` and ``mean_rest``
    (I,), the same of the nest without the seller's models.
    """
    _, _, _, _, intensity, model, sigma1, sigma2, _ = tastes
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
    for i in range(types):
        for m in range(models):
            top[m] = -np.inf
            total[m] = 0.0
            earned[m] = 0.0
        for j in range(offers):
            if not mine[j] and x[i, j] > top[model[j]]:
                top[model[j]] = x[i, j]
        for j in range(offers):
            if not mine[j] and x[i, j] > -np.inf:
                e = np.exp(x[i, j] - top[model[j]])
                total[model[j]] += e
                earned[model[j]] += e * intensity[i, j] * margin[j]
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
def _evaluate(
    p: Any, own: Any, rest: Any, tastes: Any, money: Any, slope: Any, sold: Any, pulled: Any
) -> Any:  # pragma: no cover - compiled
    """Profit at own prices ``p``; writes Lambda, q and sum_k Gamma_kj M_k of each own offer (n,)."""
    alpha, mass, value, nuisance, intensity, _, sigma1, sigma2, eta = tastes
    cost, stake, upstream, _ = money
    place, log_sum, mean, log_rest, mean_rest = rest
    types, n, touched = alpha.size, own.size, log_sum.shape[1]
    near, far = 1.0 / (1.0 - sigma2), 1.0 / (1.0 - sigma1)
    shrink = far / near
    e = np.empty(n)
    top = np.empty(touched)
    total = np.empty(touched)
    earned = np.empty(touched)
    part = np.empty(touched)
    for k in range(n):
        slope[k] = 0.0
        sold[k] = 0.0
        pulled[k] = 0.0
    profit = 0.0
    for i in range(types):
        for t in range(touched):
            top[t] = log_sum[i, t]
        for k in range(n):
            j = own[k]
            if value[i, j] > -np.inf:
                e[k] = (value[i, j] - alpha[i] * np.log(p[k] + nuisance[i, j])) * near
                top[place[k]] = max(top[place[k]], e[k])
            else:
                e[k] = -np.inf
        for t in range(touched):
            if log_sum[i, t] > -np.inf:
                total[t] = np.exp(log_sum[i, t] - top[t])
                earned[t] = total[t] * mean[i, t]
            else:
                total[t] = 0.0
                earned[t] = 0.0
        for k in range(n):
            if e[k] > -np.inf:
                e[k] = np.exp(e[k] - top[place[k]])
                total[place[k]] += e[k]
                earned[place[k]] += (
                    e[k] * intensity[i, own[k]] * (stake[own[k]] * (p[k] - cost[own[k]]) + upstream[own[k]])
                )
            else:
                e[k] = 0.0
        highest = log_rest[i]
        for t in range(touched):
            if total[t] > 0.0:
                part[t] = (top[t] + np.log(total[t])) * shrink
                earned[t] /= total[t]
                highest = max(highest, part[t])
            else:
                part[t] = -np.inf
        if highest == -np.inf:
            continue
        whole = np.exp(log_rest[i] - highest)
        average = whole * mean_rest[i]
        for t in range(touched):
            part[t] = np.exp(part[t] - highest)
            whole += part[t]
            average += part[t] * earned[t]
        average /= whole
        log_inclusive = highest + np.log(whole)
        adoption = 1.0 / (1.0 + np.exp(-(1.0 - sigma1) * log_inclusive))
        bought = mass[i] * adoption
        if eta != 0.0:
            bought *= np.exp(eta * (1.0 - sigma1) / alpha[i] * log_inclusive)
        profit += bought * average
        for k in range(n):
            if e[k] > 0.0:
                j = own[k]
                inside = e[k] / total[place[k]]
                within = inside * part[place[k]] / whole
                flow = bought / (p[k] + nuisance[i, j])
                sold[k] += bought * within * intensity[i, j]
                slope[k] += flow * within * intensity[i, j] * alpha[i] * near
                pulled[k] += (
                    flow
                    * within
                    * (
                        (alpha[i] * (adoption + far - 1.0) - eta) * average
                        + alpha[i] * (near - far) * earned[place[k]]
                    )
                )
    return profit


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _solve(a: Any, b: Any, n: Any) -> None:  # pragma: no cover
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


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _accelerate(z: Any, f: Any, steps: Any, falls: Any, known: Any, out: Any) -> None:  # pragma: no cover
    """Anderson acceleration (Walker and Ni 2011): combine past steps so that their residuals cancel."""
    n = z.size
    a = np.zeros((known, known))
    b = np.zeros(known)
    size = 0.0
    for r in range(known):
        for c in range(known):
            for k in range(n):
                a[r, c] += falls[r, k] * falls[c, k]
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


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _climb(
    p: Any, own: Any, rest: Any, tastes: Any, money: Any, reach: Any, tolerance: Any, limit: Any
) -> Any:  # pragma: no cover - compiled
    """Iterate own prices ``p`` (in place) to their first-order conditions; gives residual and iterations."""
    cost, stake, upstream, floor = money
    n = own.size
    slope, sold, pulled = np.empty(n), np.empty(n), np.empty(n)
    z, f, z_old, f_old, out = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    steps, falls = np.zeros((MEMORY, n)), np.zeros((MEMORY, n))
    known, count, last, residual = 0, 0, np.inf, np.inf
    for iteration in range(limit):
        _evaluate(p, own, rest, tastes, money, slope, sold, pulled)
        residual, norm = 0.0, 0.0
        for k in range(n):
            j = own[k]
            if slope[k] > UNDERFLOW:
                goal = cost[j] - upstream[j] / stake[j] + (sold[k] + pulled[k] / stake[j]) / slope[k]
            else:
                goal = p[k] / 2.0  # so dear that demand underflows: come back
            goal = max(goal, floor[j])
            residual = max(residual, abs(goal - p[k]) / (p[k] + reach[j]))
            z[k] = np.log(p[k])
            f[k] = min(max(np.log(goal) - z[k], -LONGEST_STEP), LONGEST_STEP)
            norm += f[k] * f[k]
        count = iteration + 1
        if residual <= tolerance:
            break
        if norm > ASTRAY * last:
            known = 0
        elif iteration > 0:
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
            p[k] = max(np.exp(z[k] + move), floor[own[k]])
    return residual, count


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _profit_alone(p: Any, j: Any, rest: Any, tastes: Any, margin: Any) -> Any:  # pragma: no cover - compiled
    """Profit when the one price that moves is ``p`` of offer ``j``, which then earns ``margin`` a unit."""
    alpha, mass, value, nuisance, intensity, _, sigma1, sigma2, eta = tastes
    _, log_sum, mean, log_rest, mean_rest = rest
    shrink = (1.0 - sigma2) / (1.0 - sigma1)
    profit = 0.0
    for i in range(alpha.size):
        inner, earned = log_sum[i, 0], mean[i, 0]
        if value[i, j] > -np.inf:
            x = (value[i, j] - alpha[i] * np.log(p + nuisance[i, j])) / (1.0 - sigma2)
            unit = intensity[i, j] * margin
            if x > inner:
                other = np.exp(inner - x)
                earned = (unit + other * earned) / (1.0 + other)
                inner = x + np.log(1.0 + other)
            else:
                other = np.exp(x - inner)
                earned = (earned + other * unit) / (1.0 + other)
                inner += np.log(1.0 + other)
        inner *= shrink
        if inner > log_rest[i]:
            other = np.exp(log_rest[i] - inner)
            earned = (earned + other * mean_rest[i]) / (1.0 + other)
            inner += np.log(1.0 + other)
        elif log_rest[i] > -np.inf:
            other = np.exp(inner - log_rest[i])
            earned = (mean_rest[i] + other * earned) / (1.0 + other)
            inner = log_rest[i] + np.log(1.0 + other)
        bought = mass[i] / (1.0 + np.exp(-(1.0 - sigma1) * inner))
        if eta != 0.0 and inner > -np.inf:
            bought *= np.exp(eta * (1.0 - sigma1) / alpha[i] * inner)
        profit += bought * earned
    return profit


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _sold_alone(p: Any, j: Any, rest: Any, tastes: Any) -> Any:  # pragma: no cover - compiled
    """Units of offer ``j`` sold at price ``p``: the profit of whoever earned one on it and nothing else."""
    place, log_sum, mean, log_rest, mean_rest = rest
    nothing = (place, log_sum, np.zeros_like(mean), log_rest, np.zeros_like(mean_rest))
    return _profit_alone(p, j, nothing, tastes, 1.0)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def search_price(
    j: Any, price: Any, x: Any, tastes: Any, money: Any, points: Any, capacity: Any
) -> Any:  # pragma: no cover - compiled
    """Best price of offer ``j``, all else fixed: (price, profit at it, profit now)."""
    cost, stake, upstream, floor = money
    rest = _rivals(x, price, np.array([j]), tastes, money)
    # what a unit must bring before it adds to profit; markups above it are searched on a log grid
    base = max(cost[j] - upstream[j] / stake[j], floor[j])
    first = np.log(THIN_MARKUP * max(base, price[j] / GRID_SPAN))
    pace = (np.log(GRID_SPAN * max(base, price[j])) - first) / (points - 1)
    lowest = floor[j]
    if capacity < np.inf and _sold_alone(lowest, j, rest, tastes) > capacity:
        low, high = np.log(lowest), np.log(2.0 * GRID_SPAN * max(base, price[j]))
        for _ in range(BISECTIONS):
            if _sold_alone(np.exp(0.5 * (low + high)), j, rest, tastes) > capacity:
                low = 0.5 * (low + high)
            else:
                high = 0.5 * (low + high)
        lowest = np.exp(high)

    now = _profit_alone(price[j], j, rest, tastes, stake[j] * (price[j] - cost[j]) + upstream[j])
    best_price = lowest
    best = _profit_alone(lowest, j, rest, tastes, stake[j] * (lowest - cost[j]) + upstream[j])
    profits = np.empty(points)
    for g in range(points):
        p = max(base + np.exp(first + pace * g), lowest)
        profits[g] = _profit_alone(p, j, rest, tastes, stake[j] * (p - cost[j]) + upstream[j])
        if profits[g] > best:
            best_price, best = p, profits[g]
    for g in range(points):
        if (g > 0 and profits[g] < profits[g - 1]) or (g < points - 1 and profits[g] < profits[g + 1]):
            continue
        if profits[g] < now - COARSE * abs(now):
            continue  # far below what it earns: no better peak hides between the points
        low, high = first + pace * (g - 1), first + pace * (g + 1)
        if base + np.exp(low) <= price[j] <= base + np.exp(high) and profits[g] <= now:
            continue  # the peak it stands on
        for _ in range(REFINEMENTS):
            a, b = low + (1.0 - GOLDEN) * (high - low), low + GOLDEN * (high - low)
            p, q = max(base + np.exp(a), lowest), max(base + np.exp(b), lowest)
            left = _profit_alone(p, j, rest, tastes, stake[j] * (p - cost[j]) + upstream[j])
            right = _profit_alone(q, j, rest, tastes, stake[j] * (q - cost[j]) + upstream[j])
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
def respond(
    price: Any,
    own: Any,
    tastes: Any,
    money: Any,
    reach: Any,
    tolerance: Any,
    limit: Any,
    points: Any,
    restarts: Any,
) -> Any:  # pragma: no cover - compiled
    """Climb, search, restart from what the search found; ``price`` is changed in place at ``own``."""
    x = np.empty(tastes[2].shape)
    utilities(tastes, price, np.arange(price.size), x)
    rest = _rivals(x, price, own, tastes, money)
    p = price[own]
    iterations, residual, gain, profit = 0, np.inf, np.inf, 0.0
    for _ in range(restarts + 1):
        residual, used = _climb(p, own, rest, tastes, money, reach, tolerance, limit)
        iterations += used
        price[own] = p
        gain = 0.0
        for k in range(own.size):
            utilities(tastes, price, own, x)
            better, most, profit = search_price(own[k], price, x, tastes, money, points, np.inf)
            if most - profit > GAIN * abs(profit):
                gain = max(gain, (most - profit) / max(abs(profit), most - profit))
                price[own[k]] = better
        if gain == 0.0:
            break
        p = price[own]
    return residual, gain, iterations, profit
