"""Best responses: the prices that sellers would set on their offers, each given everyone else's.

A seller earns sum_k M_k q_k with margins M_k = stake_k (p_k - c_k) + upstream_k over every line. The
first-order conditions are solved in the form of Morrow and Skerlos (2011),

    p = c + Lambda^-1 ((K o Gamma')(p - c) + q),

and accepted only after a global one-price search per offer: with mixed tastes profits have several peaks.

    best_responses(buyers, price[J], setter[J], cost[J], stake[S,J], upstream[S,J], *, floor) -> Responses
    best_response(buyers, price[J], own[n], cost[J], stake[J], upstream[J], *, floor, start) -> Response
    search(buyers, price[J], offer, cost[J], stake[J], upstream[J], *, floor, points, capacity)
        -> (price, profit at it, profit now)
    compile_kernels()
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.buyers import Buyers, buyers, quantities
from model.climb import ACCEPTED, climb
from model.demand import Floats
from model.rivals import line_up
from model.search import GAIN, search_all

PRICE_FLOOR = 1e-9  # only keeps the logarithm defined; an economic floor is the caller's
TOLERANCE = 1e-11  # first-order residual relative to p + h; rounding in the sums leaves about 1e-14
ITERATIONS = 400  # plain iteration at alpha = 1.1 needs some 250, accelerated some 20
GRID_POINTS = 40  # of a quarterly search, over GRID_SPAN in markups
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
        return self.residual <= ACCEPTED and self.gain <= GAIN


@dataclass(frozen=True)
class Responses:
    """The best response of every seller of a price list to the posted prices; fields by seller as in ``Response``."""

    price: Floats  # (J,) each offer's as its seller would set it; the posted one where nobody decides
    profit: Floats  # (S,); 0 for a seller without an offer that anybody can buy
    residual: Floats  # (S,)
    gain: Floats  # (S,)
    iterations: NDArray[np.int64]  # (S,)


def best_responses(
    demand: Buyers,
    price: ArrayLike,
    setter: ArrayLike,
    cost: ArrayLike,
    stake: ArrayLike,
    upstream: ArrayLike,
    *,
    floor: ArrayLike = PRICE_FLOOR,
    start: ArrayLike | None = None,
    tolerance: float = TOLERANCE,
    iterations: int = ITERATIONS,
    points: int = GRID_POINTS,
    restarts: int = RESTARTS,
) -> Responses:
    """The prices that maximise each seller's profit at the target shares, all others' prices as posted.

    ``price`` (J,) is what is posted now, also the warm start unless ``start`` (J,) is given; ``setter`` (J,) the
    seller that decides each price, a row of ``stake`` and ``upstream``, or -1 where nobody does (an offer that
    nobody can buy keeps its price). ``cost`` (J,) resource cost of every offer; ``stake`` (S, J) each seller's row
    of the ownership matrix (kappa), positive on its own offers; ``upstream`` (S, J) what it earns on other lines
    per unit of each offer, weighted by kappa already; ``floor`` (J,) the lowest price allowed, above zero. All in
    one unit of money.

    Raises ValueError for a floor or price that is not positive, a number that is not finite, or a price decided without
    a stake in it.
    """
    offers = demand.value.shape[1]
    deciding = np.array(setter, np.int64)
    posted, costs, floors = (by_offer(v, offers) for v in (price, cost, floor))
    stakes, earned = _by_seller(stake, offers), _by_seller(upstream, offers)
    mine, moved = np.flatnonzero(deciding >= 0), posted.copy() if start is None else by_offer(start, offers)
    for name, numbers in (
        ("price", posted), ("start", moved), ("cost", costs), ("stake", stakes), ("upstream", earned)
    ):  # fmt: skip
        if not np.isfinite(numbers).all():  # a climb would take a residual that is nan for none
            raise ValueError(
                f"{name} must be finite; make an offer that cannot be served unavailable instead"
            )
    if not floors.min(initial=np.inf) > 0.0:
        raise ValueError("floor must be above zero: utility takes the logarithm of price")
    if not posted.min(initial=np.inf) > 0.0:
        raise ValueError(f"price must be above zero, got {posted.min():g}")
    if not stakes[deciding[mine], mine].min(initial=np.inf) > 0.0:
        raise ValueError("a seller must have a positive stake in every offer that it prices")
    moved[mine] = np.maximum(moved[mine], floors[mine])
    tastes, money = tastes_of(demand), (costs, stakes, earned, floors)
    sellers, unlimited = line_up(tastes, posted, deciding, money), np.full(offers, np.inf)
    active = np.ones(len(stakes), np.bool_)
    residual, count = climb(moved, active, sellers, tastes, money, float(tolerance), int(iterations))
    gain, profit, _ = search_all(moved, active, sellers, tastes, money, int(points), unlimited)
    for _ in range(restarts):
        active = active & (gain > 0.0)
        if not active.any():
            break
        # a search has moved some price of these: they climb on from there
        left, used = climb(moved, active, sellers, tastes, money, float(tolerance), int(iterations))
        better, most, _ = search_all(moved, active, sellers, tastes, money, int(points), unlimited)
        residual, gain, profit = (
            np.where(active, new, old) for new, old in ((left, residual), (better, gain), (most, profit))
        )
        count += used
    return Responses(moved, profit, residual, gain, count)


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
    """The best response of one seller: ``best_responses`` where nobody else decides.

    ``own`` (n,) are the offers it prices, ``stake`` and ``upstream`` (J,) its rows, ``start`` (n,) a first guess.
    """
    offers = demand.value.shape[1]
    mine, posted = np.array(own, np.int64), by_offer(price, offers)
    setter = np.full(offers, -1)
    setter[mine] = 0
    guess = posted.copy()
    if start is not None:
        guess[mine] = np.asarray(start, float)
    found = best_responses(
        demand, posted, setter, cost, by_offer(stake, offers)[None], by_offer(upstream, offers)[None],
        floor=floor, start=guess, tolerance=tolerance, iterations=iterations, points=points, restarts=restarts,
    )  # fmt: skip
    profit = float(found.profit[0])
    if not found.iterations[0]:
        margin = by_offer(stake, offers) * (found.price - by_offer(cost, offers)) + by_offer(upstream, offers)
        profit = float(margin @ quantities(demand, found.price))
    return Response(
        mine,
        found.price[mine],
        profit,
        float(found.residual[0]),
        float(found.gain[0]),
        int(found.iterations[0]),
    )


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
    left out. An offer that nobody can buy keeps its price.
    """
    offers = demand.value.shape[1]
    prices, setter = by_offer(price, offers), np.full(offers, -1)
    setter[offer] = 0
    tastes, limit = tastes_of(demand), np.full(offers, float(capacity))
    costs, stakes, earned, floors = (by_offer(v, offers) for v in (cost, stake, upstream, floor))
    money = (costs, stakes[None], earned[None], floors)
    sellers = line_up(tastes, prices, setter, money)
    _, _, found = search_all(prices, np.ones(1, np.bool_), sellers, tastes, money, int(points), limit)
    if not found.size:
        now = float((stakes * (prices - costs) + earned) @ quantities(demand, prices))
        return float(prices[offer]), now, now
    better, most, now = found[:, 0]
    return float(better), float(most), float(now)


def tastes_of(demand: Buyers) -> tuple[Any, ...]:
    """The fields of ``Buyers`` as the kernels read them; in the log form no kernel reads the tangent."""
    d = demand
    linear = d.tangent is not None
    tangent = d.nuisance if d.tangent is None else d.tangent
    return (
        d.alpha, d.mass, d.weights, d.value, d.nuisance, d.intensity, d.model, d.sigma1, d.sigma2, d.eta, linear,
        tangent,
    )  # fmt: skip


def mean_nuisance(demand: Buyers) -> Floats:
    """Mean h of each offer over types, (J,): residuals are measured relative to price + h."""
    return np.asarray(demand.weights @ demand.nuisance / demand.weights.sum())


def compile_kernels() -> None:
    """Have the kernels of best responses compiled and kept, half of what a run compiles, by two sellers of two offers."""
    two = np.ones(2)
    demand = buyers(2.0 * two, two, two, two, [0, 1], 0.5, 0.5)
    best_responses(demand, 2.0 * two, [0, 1], two, np.eye(2), np.zeros((2, 2)))


def by_offer(values: ArrayLike, offers: int) -> Floats:
    """A scalar or vector as a contiguous (J,) of floats."""
    # always a copy: a read-only view is another type to the compiler, and would be compiled for anew
    copy = np.empty(offers)
    copy[:] = values
    return copy


def _by_seller(values: ArrayLike, offers: int) -> Floats:
    """Rows (S, J) as a contiguous table of floats, which only a copy is where they are read-only or strided."""
    table = np.require(values, float, ["C", "W"])
    if table.ndim != 2 or table.shape[1] != offers:
        raise ValueError(
            f"stake and upstream have a row for each seller and a column for each of {offers} offers"
        )
    return table
