"""Best response: the prices that one seller would set on its offers, given everyone else's.

A seller earns sum_k M_k q_k with margins M_k = stake_k (p_k - c_k) + upstream_k over every line. The
first-order conditions are solved in the form of Morrow and Skerlos (2011),

    p = c + Lambda^-1 ((K o Gamma')(p - c) + q),

and accepted only after a global one-price search per offer: with mixed tastes profits have several peaks.

    best_response(buyers, price[J], own[n], cost[J], stake[J], upstream[J], *, floor, start) -> Response
    search(buyers, price[J], offer, cost[J], stake[J], upstream[J], *, floor, points, capacity)
        -> (price, profit at it, profit now)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.buyers import Buyers, quantities
from model.climb import climb
from model.demand import Floats
from model.search import GAIN, rivals, search_all, search_price, utilities

PRICE_FLOOR = 1e-9  # only keeps the logarithm defined; an economic floor is the caller's
TOLERANCE = 1e-11  # first-order residual relative to p + h; rounding in the sums leaves about 1e-14
ITERATIONS = 400  # plain iteration at alpha = 1.1 needs some 250, accelerated some 20
GRID_POINTS = 40  # of a quarterly search, over GRID_SPAN in markups
RESTARTS = 12  # climbs from a better peak before giving up
ACCEPTED = 1e-9  # a residual that counts as solved


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
        return self.residual <= ACCEPTED and self.gain <= GAIN


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
    the offers it prices (one that nobody can buy keeps its price). ``cost`` (J,) resource cost of every
    offer; ``stake`` (J,) the seller's row of the ownership matrix (kappa), positive on its own;
    ``upstream`` (J,) what it earns on other lines per unit of each offer, weighted by kappa already;
    ``floor`` (J,) the lowest price allowed, above zero. All in one unit of money.

    Raises ValueError for a floor or price that is not positive or an own offer without a stake.
    """
    offers = demand.value.shape[1]
    prices = np.array(np.broadcast_to(np.asarray(price, float), (offers,)))
    mine = np.array(own, np.int64)
    costs, stakes, earned, floors = (by_offer(v, offers) for v in (cost, stake, upstream, floor))
    if not (floors > 0.0).all():
        raise ValueError("floor must be above zero: utility takes the logarithm of price")
    if not (prices > 0.0).all():
        raise ValueError(f"price must be above zero, got {prices.min():g}")
    if not (stakes[mine] > 0.0).all():
        raise ValueError("a seller must have a positive stake in every offer that it prices")
    if start is not None:
        prices[mine] = np.asarray(start, float)
    prices[mine] = np.maximum(prices[mine], floors[mine])
    # an offer that nobody can buy has no best price: it keeps the one it has
    reached = np.isfinite(demand.value) & (demand.intensity > 0.0) & (demand.mass > 0.0)[:, None]
    moving = mine[reached[:, mine].any(axis=0)]
    if moving.size == 0:
        margin = stakes * (prices - costs) + earned
        return Response(mine, prices[mine], float(margin @ quantities(demand, prices)), 0.0, 0.0, 0)
    tastes, money, reach = tastes_of(demand), (costs, stakes, earned, floors), reach_of(demand)
    x = np.empty(demand.value.shape)
    utilities(tastes, prices, np.arange(offers), x)
    rest = rivals(x, prices, moving, tastes, money)
    count, residual, gain, profit = 0, np.inf, np.inf, 0.0
    for _ in range(restarts + 1):
        trial = prices[moving]
        residual, used = climb(trial, moving, rest, tastes, money, reach, float(tolerance), int(iterations))
        count += used
        if residual <= ACCEPTED:
            prices[moving] = trial
        # A climb that strayed is forgotten; the search goes on from the prices before it.
        gain, profit = search_all(moving, prices, tastes, money, int(points))
        if gain == 0.0:
            break
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
    capacity: float = np.inf,
) -> tuple[float, float, float]:
    """The best single price of one offer, all else fixed: (that price, profit at it, profit now).

    Arguments as in ``best_response``; a log grid of ``points`` markups, then golden section around every
    peak of it that may pay. Prices at which more than ``capacity`` units would be sold of the offer are
    left out.
    """
    offers = demand.value.shape[1]
    tastes = tastes_of(demand)
    x, prices = np.empty(demand.value.shape), np.array(price, float)
    utilities(tastes, prices, np.arange(offers), x)
    money = tuple(by_offer(v, offers) for v in (cost, stake, upstream, floor))
    better, most, now = search_price(int(offer), prices, x, tastes, money, int(points), float(capacity))
    return float(better), float(most), float(now)


def tastes_of(demand: Buyers) -> tuple[Any, ...]:
    """The fields of ``Buyers`` as the kernels read them; in the log form no kernel reads the tangent."""
    d = demand
    linear = d.tangent is not None
    tangent = d.nuisance if d.tangent is None else d.tangent
    return (
        d.alpha, d.mass, d.value, d.nuisance, d.intensity, d.model, d.sigma1, d.sigma2, d.eta, linear, tangent
    )  # fmt: skip


def reach_of(demand: Buyers) -> Floats:
    """Mean h of each offer over types, (J,): residuals are measured relative to price + h."""
    return np.asarray(demand.weights @ demand.nuisance / demand.weights.sum())


def by_offer(values: ArrayLike, offers: int) -> Floats:
    """A scalar or vector as a contiguous (J,) of floats."""
    # always a copy: a read-only view is another type to the compiler, and would be compiled for anew
    return np.array(np.broadcast_to(np.asarray(values, float), (offers,)))
