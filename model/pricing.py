"""Prices: Nash-Bertrand equilibrium with ownership, and the rule by which posted prices follow a target.

One implementation for tokens and for chips (see ``model.buyers`` for what an offer and a unit are).

    equilibrium(alpha[I], beta[I], weights[I], capability[J], model[J], sigma1, sigma2, cost[J],
                ownership[J,J], *, h, eta, volume, home, capacity, upstream[J,J], intensity, tangent, floor,
                ...) -> Equilibrium
    best_response(buyers, price[J], own[n], cost[J], stake[J], upstream[J], *, floor, start) -> Response
    partial_adjustment(posted, target, speed, threshold, cap) -> (new, at_cap)
    effective_cost(cost, delta, rho, expected_margin, *, deepest_subsidy) -> cost
    derivatives(buyers, price) -> dq/dp (J, J)     profit(buyers, price, cost, stake, upstream) -> float
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.buyers import Buyers, buyers, choices, consumption, derivatives, profit, quantities, slopes
from model.climb import ASTRAY, LONGEST_STEP, UNDERFLOW
from model.demand import Floats
from model.response import (
    PRICE_FLOOR,
    Response,
    Responses,
    best_response,
    best_responses,
    mean_nuisance,
    search,
)
from model.search import GAIN

__all__ = [
    "Buyers",
    "Equilibrium",
    "Response",
    "Responses",
    "best_response",
    "best_responses",
    "buyers",
    "derivatives",
    "effective_cost",
    "equilibrium",
    "partial_adjustment",
    "profit",
    "quantities",
]


EQUILIBRIUM_TOLERANCE = 1e-11  # first-order residual relative to p + h, a tenth of what is promised
EQUILIBRIUM_ITERATIONS = (
    4000  # a market takes 20 to 200; more means that the map circles, and damping comes next
)
EQUILIBRIUM_MEMORY = 8  # past steps in the acceleration (Walker and Ni 2011)
EQUILIBRIUM_POINTS = 160  # of the global search: steps of 5 to 7 % in the markup
EQUILIBRIUM_RESTARTS = 5  # climbs from a better peak before saying that none was found
TURNS = 15  # rounds of sellers answering each other, between two climbs
SETTLED = 1e-6  # change of log price in a round that ends them; the climb does the rest
DAMPING = 0.7  # of the first-order map: at 1 price wars of close substitutes overshoot
# A seller that answers others settles for more, ACCEPTED of model.climb: they answer again, an equilibrium is an end.
PROMISED = 1e-10  # the residual of what is called an equilibrium


@dataclass(frozen=True)
class Equilibrium:
    """Nash-Bertrand prices, (J,) each; what has a unit has that of ``cost`` or ``volume``."""

    prices: Floats
    shares: Floats  # mean over types (by weight) of choice probabilities, outside option included
    quantities: Floats  # units demanded: sum_i w_i V_i s_ij intensity_ij
    shadow_price: Floats  # of capacity, money per unit; zero where capacity is slack or not given
    residual: float  # largest first-order residual (or excess over capacity), relative to p + h (or capacity)
    gain: float  # relative profit of the best one-price deviation; zero when the search found none
    iterations: int
    restarts: int  # how often the search left a lower peak

    @property
    def converged(self) -> bool:
        """First-order conditions hold and no offer has a profitable one-price deviation."""
        return self.residual <= PROMISED and self.gain <= GAIN


def equilibrium(
    alpha: ArrayLike,
    beta: ArrayLike,
    weights: ArrayLike,
    capability: ArrayLike,
    model: ArrayLike,
    sigma1: float,
    sigma2: float,
    cost: ArrayLike,
    ownership: ArrayLike,
    *,
    h: ArrayLike = 0.0,
    eta: float = 0.0,
    volume: ArrayLike | None = None,
    home: ArrayLike | None = None,
    capacity: ArrayLike | None = None,
    upstream: ArrayLike | None = None,
    intensity: ArrayLike | None = None,
    reference_log_inclusive: ArrayLike = 0.0,
    tangent: ArrayLike | None = None,
    floor: ArrayLike = PRICE_FLOOR,
    start: ArrayLike | None = None,
    tolerance: float = EQUILIBRIUM_TOLERANCE,
    iterations: int = EQUILIBRIUM_ITERATIONS,
    damping: float = DAMPING,
    points: int = EQUILIBRIUM_POINTS,
    restarts: int = EQUILIBRIUM_RESTARTS,
) -> Equilibrium:
    """Prices at which no seller gains by changing one.

    By type of consumer, (I,): ``alpha``, ``beta`` tastes, ``weights``, ``volume``. By offer, (J,):
    ``capability``, ``model`` (labels), ``cost`` per unit. ``ownership`` K (J, J): [j, k] is the weight that
    the setter of price j puts on the profit of offer k; 1 on the diagonal. ``home`` (I, J), minus infinity
    where not available; ``h`` a scalar, (I,) or (I, J). ``capacity`` (J,): the most that can be sold of
    each offer, whose shadow price joins its cost until demand fits. ``upstream`` (J, J): [j, k] is the
    money that the setter of j earns on other lines per unit of k. ``tangent``: where utility is linear in price, the
    price + h at which it touches the log form. ``floor``: the lowest price, above zero.
    ``start`` (J,): first guess.

    The setter of j sees margins M_jk = K_jk (p_k - c_k) + upstream_jk, and prices solve

        p_j = max(floor_j, c_j + (K_jj q_j + sum_k Gamma_kj M_jk - Lambda_jj upstream_jj) / (K_jj Lambda_jj))

    (Morrow and Skerlos 2011, fixed point zeta), damped and accelerated; then each offer's price is searched
    over a log grid, and where another price pays, sellers answer each other in turn and the iteration starts
    again. Raises ValueError for inputs outside their range (alpha of 1 or less among them); warns, with
    ``converged`` false, where no equilibrium in pure strategies was found.
    """
    demand = buyers(
        alpha, beta, weights, capability, model, sigma1, sigma2,
        h=h, eta=eta, volume=volume, home=home, intensity=intensity,
        reference_log_inclusive=reference_log_inclusive, tangent=tangent,
    )  # fmt: skip
    offers = demand.value.shape[1]
    setter = _Setters(demand, cost, ownership, upstream, capacity, floor)
    reached = np.isfinite(demand.value) & (demand.intensity > 0.0) & (demand.mass > 0.0)[:, None]
    sold: NDArray[np.bool_] = np.asarray(reached.any(axis=0))
    first = (
        np.maximum(1.5 * np.abs(setter.cost) + 0.5 * mean_nuisance(demand), 1e-6) if start is None else start
    )
    price = np.maximum(np.array(np.broadcast_to(np.asarray(first, float), (offers,))), setter.floor)
    price[~sold] = np.maximum(setter.cost, setter.floor)[~sold]
    count, climbs, gain, residual = 0, 0, np.inf, np.inf
    for climbs in range(restarts + 1):
        price, residual, used = setter.climb(price, sold, tolerance, iterations, damping)
        count += used
        gain, better = setter.deviate(price, sold, points)
        if gain == 0.0:
            break
        if climbs < restarts:
            price = setter.take_turns(better, sold)
    choice = choices(demand, price)
    found = Equilibrium(
        prices=price,
        shares=np.asarray(demand.weights @ choice.share / demand.weights.sum()),
        quantities=np.asarray(consumption(demand, choice) @ (choice.share * demand.intensity)),
        shadow_price=setter.shadow,
        residual=residual,
        gain=gain,
        iterations=count,
        restarts=climbs,
    )
    if not found.converged:
        warnings.warn(
            f"no equilibrium in pure strategies found: first-order residual {residual:.2g}, best deviation "
            f"gains {gain:.2g} of profit after {climbs} restarts and {count} iterations",
            RuntimeWarning,
            stacklevel=2,
        )
    return found


class _Setters:
    """The sellers' side of a market: costs, margins over all lines, capacity, and the first-order map."""

    def __init__(
        self,
        demand: Buyers,
        cost: ArrayLike,
        ownership: ArrayLike,
        upstream: ArrayLike | None,
        capacity: ArrayLike | None,
        floor: ArrayLike,
    ) -> None:
        offers = demand.value.shape[1]
        self.demand = demand
        self.cost = np.array(np.broadcast_to(np.asarray(cost, float), (offers,)))
        self.stake = np.ascontiguousarray(ownership, float)
        self.upstream = (
            np.zeros((offers, offers)) if upstream is None else np.ascontiguousarray(upstream, float)
        )
        self.floor = np.array(np.broadcast_to(np.asarray(floor, float), (offers,)))
        limit = np.inf if capacity is None else np.asarray(capacity, float)
        self.capacity = np.array(np.broadcast_to(limit, (offers,)))
        self.shadow = np.zeros(offers)
        self.nuisance = mean_nuisance(demand)
        for name, table in (("ownership", self.stake), ("upstream", self.upstream)):
            if table.shape != (offers, offers) or not np.isfinite(table).all():
                raise ValueError(f"{name} must be ({offers}, {offers}) and finite, got shape {table.shape}")
        if not np.isfinite(self.cost).all():
            raise ValueError("cost must be finite: make an offer that cannot be served unavailable instead")
        if not (np.diag(self.stake) > 0.0).all():
            raise ValueError(
                "ownership needs a positive diagonal: a setter of a price must have a stake in it"
            )
        if not (self.floor > 0.0).all():
            raise ValueError("floor must be above zero: utility takes the logarithm of price")
        if not (self.capacity > 0.0).all():
            raise ValueError(
                "capacity must be above zero: make an offer that cannot be served unavailable instead"
            )

    @property
    def raised_cost(self) -> Floats:
        """Cost with the shadow price of capacity."""
        return self.cost + self.shadow

    def goal(self, price: Floats) -> Floats:
        """The prices that the first-order conditions ask for at ``price``; updates the shadow prices."""
        choice = choices(self.demand, price)
        own, cross = slopes(self.demand, price, choice)
        sold = consumption(self.demand, choice) @ (choice.share * self.demand.intensity)
        stake, earned = np.diag(self.stake), np.diag(self.upstream)
        margin = self.stake * (price - self.raised_cost) + self.upstream
        seen = own > UNDERFLOW
        slope = np.where(seen, own, 1.0)
        pulled = np.einsum("kj,jk->j", cross, margin)
        # the own shadow price is taken out again: it is what is solved for
        pulled += np.diag(cross) * stake * self.shadow
        free = self.cost - earned / stake + (sold + pulled / stake) / slope
        free = np.where(seen, np.maximum(free, self.floor), price / 2.0)
        self.shadow = np.zeros_like(price)
        limited = seen & np.isfinite(self.capacity) & (sold > UNDERFLOW)
        if not limited.any():
            return np.asarray(free)
        # Newton in logs towards the price at which demand just fits
        steep = (own - np.diag(cross))[limited]
        reach = (price + self.nuisance)[limited]
        elasticity = steep * reach / sold[limited]
        excess = np.log(sold[limited] / self.capacity[limited])
        fits = reach * np.exp(excess / elasticity) - self.nuisance[limited]
        bound = fits > free[limited]
        missing = own[limited] * (price - free)[limited] / steep
        self.shadow[limited] = np.where(bound, np.maximum(0.0, missing), 0.0)
        free[limited] = np.maximum(fits, free[limited])
        return np.asarray(free)

    def deviate(self, price: Floats, sold: NDArray[np.bool_], points: int) -> tuple[float, Floats]:
        """The largest relative gain from changing one price, and prices with every gainful change made."""
        gain, better = 0.0, price.copy()
        for j in np.flatnonzero(sold).tolist():
            cost = self.raised_cost
            cost[j] = self.cost[j]  # its own capacity binds as a limit on what it can sell, not as a cost
            found, most, now = search(
                self.demand, price, j, cost, self.stake[j], self.upstream[j],
                floor=self.floor, points=points, capacity=self.capacity[j],
            )  # fmt: skip
            if most - now > GAIN * abs(now):
                gain = max(gain, (most - now) / max(abs(now), most - now))
                better[j] = found
        return gain, better

    def take_turns(self, price: Floats, sold: NDArray[np.bool_]) -> Floats:
        """Let sellers answer each other in turn: where simultaneous moves overshoot, turns often settle."""
        price = price.copy()
        rows = np.hstack([self.stake, self.upstream])
        _, seller = np.unique(rows, axis=0, return_inverse=True)
        for _ in range(TURNS):
            before = price.copy()
            for f in range(int(seller.max()) + 1):
                own = np.flatnonzero((seller.ravel() == f) & sold)
                if own.size:
                    price[own] = best_response(
                        self.demand, price, own, self.raised_cost, self.stake[own[0]], self.upstream[own[0]],
                        floor=self.floor,
                    ).price  # fmt: skip
            if np.abs(np.log(price / before)).max() < SETTLED:
                break
        return price

    def climb(
        self, price: Floats, sold: NDArray[np.bool_], tolerance: float, iterations: int, damping: float
    ) -> tuple[Floats, float, int]:
        """Iterate to the first-order conditions in logs: (prices, residual, iterations)."""
        price, floor = price.copy(), self.floor[sold]
        steps: list[Floats] = []
        falls: list[Floats] = []
        z_old, f_old, last, residual, count = floor, floor, np.inf, 0.0, 0
        if not sold.any():
            return price, residual, count
        for count in range(1, iterations + 1):
            shadow = self.shadow
            goal = self.goal(price)
            scale = price + self.nuisance
            gap = np.maximum(np.abs(goal - price), np.abs(self.shadow - shadow))
            residual = float((gap / scale)[sold].max())
            if residual <= tolerance:
                break
            z = np.log(price[sold])
            f = np.clip(np.log(goal[sold]) - z, -LONGEST_STEP, LONGEST_STEP)
            norm = float(f @ f)
            if norm > ASTRAY * last:
                steps, falls = [], []
            elif count > 1:
                steps, falls = (
                    [z - z_old, *steps][:EQUILIBRIUM_MEMORY],
                    [f - f_old, *falls][:EQUILIBRIUM_MEMORY],
                )
            z_old, f_old, last = z, f, norm
            move = damping * f
            if steps:
                mix = np.linalg.lstsq(np.array(falls).T, f, rcond=1e-12)[0]
                move = move - mix @ (np.array(steps) + damping * np.array(falls))
            move = np.clip(move, -LONGEST_STEP, LONGEST_STEP)
            price[sold] = np.maximum(np.exp(z + move), floor)
        return price, residual, count


def partial_adjustment(
    posted: ArrayLike, target: ArrayLike, speed: float, threshold: float, cap: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Move posted prices part of the way to their target, in logs: (new prices, whether the cap bound).

    A price moves where the gap ``|ln(target/posted)|`` exceeds ``threshold`` (the change is then worth
    posting), by ``speed`` (0..1) of the gap and by at most ``cap`` (log points a quarter). Prices must be
    above zero.
    """
    old, goal = np.asarray(posted, float), np.asarray(target, float)
    if not ((old > 0.0).all() and (goal > 0.0).all()):
        raise ValueError("posted and target prices must be above zero")
    gap = np.log(goal / old)
    wanted = np.where(np.abs(gap) > threshold, speed * gap, 0.0)
    return np.asarray(old * np.exp(np.clip(wanted, -cap, cap))), np.asarray(np.abs(wanted) > cap)


def effective_cost(
    cost: ArrayLike,
    delta: float,
    rho: ArrayLike,
    expected_margin: ArrayLike,
    *,
    deepest_subsidy: ArrayLike = np.inf,
) -> Floats:
    """Cost less the value of a customer who stays: c - delta rho/(1 - delta rho) * expected margin.

    A unit sold now brings ``rho`` units next quarter, ``rho^2`` after, each earning ``expected_margin``
    (money per unit) and discounted by ``delta`` a quarter (Klemperer 1995 reviews such switching-cost
    prices). ``deepest_subsidy`` (money per unit) is how far cash and owners let a seller go below cost.
    """
    kept = delta * np.asarray(rho, float)
    if not ((kept >= 0.0).all() and (kept < 1.0).all()):
        raise ValueError("delta * rho must lie in [0, 1): a customer kept for ever has no finite value")
    worth = kept / (1.0 - kept) * np.asarray(expected_margin, float)
    return np.asarray(np.asarray(cost, float) - np.minimum(worth, deepest_subsidy))
