"""The climb of one seller's prices to its first-order conditions, compiled.

Every kernel that this one calls is in this file, because a cached kernel is compiled again only when its own
file changes. ``model.response`` is the door.
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

# What belongs together is passed as tuples: ``tastes`` = (alpha, mass, value, nuisance, intensity, model,
# sigma1, sigma2, eta, linear, tangent) of Buyers, ``money`` = (cost, stake, upstream, floor) by offer, ``rest`` = what
# ``_rivals`` returns.


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _tangent(reach: Any, at: Any) -> Any:  # pragma: no cover - compiled
    """The tangent of the logarithm at ``at``, in its place where utility is linear in price."""
    return np.log(at) + (reach - at) / at


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _evaluate(
    p: Any, own: Any, rest: Any, tastes: Any, money: Any, slope: Any, sold: Any, pulled: Any
) -> Any:  # pragma: no cover - compiled
    """Profit at own prices ``p``; writes Lambda, q and sum_k Gamma_kj M_k of each own offer (n,)."""
    alpha, mass, value, nuisance, intensity, _, sigma1, sigma2, eta, linear, tangent = tastes
    cost, stake, upstream, _ = money
    place, log_sum, mean, log_rest, mean_rest = rest
    types, n, touched = alpha.size, own.size, log_sum.shape[1]
    near, far = 1.0 / (1.0 - sigma2), 1.0 / (1.0 - sigma1)
    shrink = far / near
    e, pace = np.empty(n), np.empty(n)
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
                pace[k] = p[k] + nuisance[i, j]
                if linear:
                    e[k] = (value[i, j] - alpha[i] * _tangent(pace[k], tangent[i, j])) * near
                    pace[k] = tangent[i, j]
                else:
                    e[k] = (value[i, j] - alpha[i] * np.log(pace[k])) * near
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
                flow = bought / pace[k]
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
def climb(
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
