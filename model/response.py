"""Best response: the prices that one seller would set on its offers, given everyone else's.

A seller earns sum_k M_k q_k with margins M_k = stake_k (p_k - c_k) + upstream_k over every line. The
first-order conditions are solved in the form of Morrow and Skerlos (2011), p = c + Lambda^-1((K o Gamma')(p
- c) + q), and accepted only after a global one-price search per offer: with mixed tastes profits have
several peaks.

    best_response(buyers, price[J], own[n], cost[J], stake[J], upstream[J], *, floor, start) -> Response
    search(buyers, price[J], offer, cost[J], stake[J], upstream[J], *, floor, points)
        -> (price, profit at it, profit now)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from model.buyers import Buyers
from model.demand import Floats

PRICE_FLOOR = 1e-9  # only keeps the logarithm defined; an economic floor is the caller's
TOLERANCE = 1e-11  # first-order residual relative to p + h; rounding in the sums leaves about 1e-14
ITERATIONS = 400  # plain iteration at alpha = 1.1 needs some 250, accelerated some 20
MEMORY = 5  # past steps in the acceleration (Walker and Ni 2011): more gains little for ten prices
ASTRAY = 4.0  # growth of the squared residual at which the acceleration forgets its past steps
UNDERFLOW = 1e-280  # demand slopes below this carry no information
LONGEST_STEP = 1.0  # in log price: keeps a first guess far away from emptying the market
GRID_POINTS = 40  # of a quarterly search, over GRID_SPAN in markups
GRID_SPAN = 60.0  # the search reaches this many times the price or the cost
THIN_MARKUP = 0.004  # and starts at this markup on cost, where hosts of one model compete
REFINEMENTS = 24  # golden sections: a bracket of two grid steps shrinks to 1e-5 of itself
GOLDEN = 0.6180339887498949
COARSE = 0.3  # a grid whose best point earns this much less than now hides no better peak between its points
GAIN = 1e-9  # relative profit gain that counts as a deviation; below it is rounding
RESTARTS = 12  # climbs from a better peak before giving up


@dataclass(frozen=True)
class Response:
    """One seller's best response."""

    own: NDArray[np.int64]  # (n,) the offers it prices
    price: Floats  # (n,) their best prices
    profit: float  # what it earns at them, on all lines, money per period
    residual: float  # largest first-order residual, relative to p + h
    gain: float  # relative profit of the best one-price deviation that is left
    iterations: int

    @property
    def converged(self) -> bool:
        """Whether first-order conditions hold and no one-price deviation pays."""
        return self.residual <= 1e-9 and self.gain <= GAIN


# The kernels pass what belongs together as tuples: ``tastes`` = (alpha, mass, value, nuisance, intensity,
# model, sigma1, sigma2, eta) of Buyers, ``money`` = (cost, stake, upstream, floor), ``rest`` = what
# ``_rivals`` sums up.


@njit(cache=True, nogil=True)
def _utilities(tastes: Any, price: Any, offers: Any, out: Any) -> None:  # pragma: no cover - compiled
    """Utility over (1 - sigma2) of the listed offers, into columns of ``out`` (I, J)."""
    alpha, _, value, nuisance, _, _, _, sigma2, _ = tastes
    for i in range(value.shape[0]):
        for j in offers:
            if value[i, j] > -np.inf:
                out[i, j] = (value[i, j] - alpha[i] * np.log(price[j] + nuisance[i, j])) / (1.0 - sigma2)
            else:
                out[i, j] = -np.inf


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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
        a[r, r] += 1e-14 * size  # keeps nearly parallel steps from dividing by zero
    _solve(a, b, known)
    for k in range(n):
        out[k] = z[k] + f[k]
        for r in range(known):
            out[k] -= b[r] * (steps[r, k] + falls[r, k])


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _search(
    j: Any, price: Any, x: Any, tastes: Any, money: Any, points: Any
) -> Any:  # pragma: no cover - compiled
    """Best price of offer ``j``, all else fixed: (price, profit at it, profit now); ``x`` from _utilities."""
    cost, stake, upstream, floor = money
    own = np.array([j])
    rest = _rivals(x, price, own, tastes, money)
    slope, sold, pulled, trial = np.empty(1), np.empty(1), np.empty(1), np.empty(1)
    trial[0] = price[j]
    now = _evaluate(trial, own, rest, tastes, money, slope, sold, pulled)
    trial[0] = floor[j]
    best_price, best = floor[j], _evaluate(trial, own, rest, tastes, money, slope, sold, pulled)
    # what a unit must bring before it adds to profit; markups above it are searched on a log grid
    base = max(cost[j] - upstream[j] / stake[j], floor[j])
    first = np.log(THIN_MARKUP * max(base, price[j] / GRID_SPAN))
    pace = (np.log(GRID_SPAN * max(base, price[j])) - first) / (points - 1)
    peak = first
    for g in range(points):
        trial[0] = base + np.exp(first + pace * g)
        profit = _evaluate(trial, own, rest, tastes, money, slope, sold, pulled)
        if profit > best:
            best_price, best, peak = trial[0], profit, first + pace * g
    if best <= now * (1.0 - COARSE) and now > 0.0:
        return best_price, best, now  # nowhere near what it earns: no need to refine
    low, high = peak - pace, peak + pace
    for _ in range(REFINEMENTS):
        a, b = low + (1.0 - GOLDEN) * (high - low), low + GOLDEN * (high - low)
        trial[0] = base + np.exp(a)
        left = _evaluate(trial, own, rest, tastes, money, slope, sold, pulled)
        if left > best:
            best_price, best = trial[0], left
        trial[0] = base + np.exp(b)
        right = _evaluate(trial, own, rest, tastes, money, slope, sold, pulled)
        if right > best:
            best_price, best = trial[0], right
        if left >= right:
            high = b
        else:
            low = a
    return best_price, best, now


@njit(cache=True, nogil=True)
def _respond(
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
    _utilities(tastes, price, np.arange(price.size), x)
    rest = _rivals(x, price, own, tastes, money)
    p = price[own]
    iterations, residual, gain, profit = 0, np.inf, np.inf, 0.0
    for _ in range(restarts + 1):
        residual, used = _climb(p, own, rest, tastes, money, reach, tolerance, limit)
        iterations += used
        price[own] = p
        gain = 0.0
        for k in range(own.size):
            _utilities(tastes, price, own, x)
            better, most, profit = _search(own[k], price, x, tastes, money, points)
            if most - profit > GAIN * abs(profit):
                gain = max(gain, (most - profit) / max(abs(profit), most - profit))
                price[own[k]] = better
        if gain == 0.0:
            break
        p = price[own]
    return residual, gain, iterations, profit


def best_response(
    demand: Buyers,
    price: ArrayLike,
    own: ArrayLike,
    cost: ArrayLike,
    stake: ArrayLike = 1.0,
    upstream: ArrayLike = 0.0,
    *,
    floor: ArrayLike = PRICE_FLOOR,
    start: ArrayLike | None = None,
    tolerance: float = TOLERANCE,
    iterations: int = ITERATIONS,
    points: int = GRID_POINTS,
    restarts: int = RESTARTS,
) -> Response:
    """The prices that maximise one seller's profit at the target shares, all others' prices given.

    ``price`` (J,) is what is posted now, also the warm start unless ``start`` (n,) is given; ``own`` (n,)
    the offers it prices. ``cost`` (J,) resource cost of every offer; ``stake`` (J,) the seller's row of the
    ownership matrix (kappa), positive on its own; ``upstream`` (J,) what it earns on other lines per unit
    of each offer, weighted by kappa already; ``floor`` (J,) the lowest price allowed, above zero. All in
    one unit of money.

    Raises ValueError for a floor or price that is not positive or an own offer without a stake.
    """
    offers = demand.value.shape[1]
    prices = np.array(np.broadcast_to(np.asarray(price, float), (offers,)))
    mine = np.asarray(own, np.int64)
    costs, stakes, earned, floors = (_row(v, offers) for v in (cost, stake, upstream, floor))
    if not (floors > 0.0).all():
        raise ValueError("floor must be above zero: utility takes the logarithm of price")
    if not (prices > 0.0).all():
        raise ValueError(f"price must be above zero, got {prices.min():g}")
    if not (stakes[mine] > 0.0).all():
        raise ValueError("a seller must have a positive stake in every offer that it prices")
    if start is not None:
        prices[mine] = np.asarray(start, float)
    prices[mine] = np.maximum(prices[mine], floors[mine])
    if mine.size == 0:
        return Response(mine, prices[mine], 0.0, 0.0, 0.0, 0)
    residual, gain, count, profit = _respond(
        prices, mine, tastes_of(demand), (costs, stakes, earned, floors), reach_of(demand),
        float(tolerance), int(iterations), int(points), int(restarts),
    )  # fmt: skip
    return Response(mine, prices[mine], profit, residual, gain, count)


def search(
    demand: Buyers,
    price: Floats,
    offer: int,
    cost: ArrayLike,
    stake: ArrayLike = 1.0,
    upstream: ArrayLike = 0.0,
    *,
    floor: ArrayLike = PRICE_FLOOR,
    points: int = GRID_POINTS,
) -> tuple[float, float, float]:
    """The best single price of one offer, all else fixed: (that price, profit at it, profit now).

    Arguments as in ``best_response``; a log grid of ``points`` markups, then golden section around the best.
    """
    offers = demand.value.shape[1]
    tastes = tastes_of(demand)
    x = np.empty(demand.value.shape)
    _utilities(tastes, price, np.arange(offers), x)
    money = tuple(_row(v, offers) for v in (cost, stake, upstream, floor))
    better, most, now = _search(int(offer), price, x, tastes, money, int(points))
    return float(better), float(most), float(now)


def tastes_of(demand: Buyers) -> tuple[Any, ...]:
    """The fields of ``Buyers`` as the kernels read them."""
    d = demand
    return d.alpha, d.mass, d.value, d.nuisance, d.intensity, d.model, d.sigma1, d.sigma2, d.eta


def reach_of(demand: Buyers) -> Floats:
    """Mean h of each offer over types, (J,): residuals are measured relative to price + h."""
    return np.asarray(demand.weights @ demand.nuisance / demand.weights.sum())


def _row(values: ArrayLike, offers: int) -> Floats:
    return np.ascontiguousarray(np.broadcast_to(np.asarray(values, float), (offers,)))
