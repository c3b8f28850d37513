"""Prices: Nash-Bertrand against closed forms, other software, finite differences and brute force."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

from model.buyers import choices
from model.climb import climb
from model.ownership import kappa, ownership_matrix
from model.pricing import (
    Buyers,
    best_response,
    best_responses,
    buyers,
    derivatives,
    effective_cost,
    equilibrium,
    partial_adjustment,
    profit,
    quantities,
)
from model.response import search
from model.rivals import line_up
from model.search import search_all

GOLDEN = json.loads(Path(__file__).with_name("pyblp_golden.json").read_text())
SETTLED = 1e-10


class Market:
    """A random market: tastes by type, offers of several sellers with stakes in each other."""

    def __init__(self, seed: int, *, types=6, offers=14, models=5, sellers=4, eta=0.0, sigma=(0.3, 0.6)):
        rng = np.random.default_rng(seed)
        self.alpha = 1.5 + rng.gamma(2.0, 0.5, types)
        self.beta = rng.lognormal(0.0, 0.3, types)
        self.weights = rng.dirichlet(np.full(types, 4.0))
        self.capability = rng.normal(0.0, 0.6, offers)
        self.model = rng.integers(0, models, offers)
        self.sigma = sigma
        self.cost = rng.lognormal(0.0, 0.3, offers)
        self.seller = rng.permutation(np.arange(offers) % sellers)
        names = [f"firm {f}" for f in range(sellers)]
        stakes = [(names[0], names[1], 0.1, 0.25), ("fund", names[2], 0.2, 0.2), ("fund", names[3], 0.2, 0.2)]
        self.kappa = kappa(names, stakes)
        self.ownership = ownership_matrix(self.kappa, self.seller)
        home = rng.normal(0.0, 0.4, (types, offers))
        home[rng.random((types, offers)) < 0.1] = -np.inf
        home[0] = 0.0  # every offer has a buyer
        self.options: dict[str, Any] = {
            "h": rng.lognormal(-2.0, 0.5, types), "eta": eta, "home": home,
            "volume": rng.lognormal(0.0, 0.5, types),
        }  # fmt: skip

    @property
    def tastes(self) -> dict[str, Any]:
        return {
            "alpha": self.alpha, "beta": self.beta, "weights": self.weights, "capability": self.capability,
            "model": self.model, "sigma1": self.sigma[0], "sigma2": self.sigma[1],
        }  # fmt: skip

    def solve(self, **options):
        known = {**self.tastes, "cost": self.cost, "ownership": self.ownership}
        return equilibrium(**{**known, **self.options, **options})

    def demand(self, **options) -> Buyers:
        return buyers(**{**self.tastes, **self.options, **options})


def lone_offer(alpha, attraction, cost, *, h=0.0, eta=0.0, sigma=(0.0, 0.0)):
    """One seller, one offer, one type whose odds of buying are exp(attraction) (p + h)^-alpha."""
    return equilibrium(
        [alpha], [1.0], [1.0], [attraction], [0], sigma[0], sigma[1], [cost], [[1.0]], h=h, eta=eta
    )


def rivals(alpha, attraction, cost, ownership=None, *, model=None, sigma=(0.0, 0.0)):
    """One homogeneous type and one offer a seller, unless told otherwise."""
    n = len(cost)
    owners = np.eye(n) if ownership is None else ownership
    labels = range(n) if model is None else model
    return equilibrium([alpha], [1.0], [1.0], attraction, list(labels), sigma[0], sigma[1], cost, owners)


# --- closed forms and other software


@pytest.mark.parametrize(("attraction", "cost", "h"), [(0.0, 1.0, 0.0), (1.5, 0.3, 0.0), (-2.0, 0.1, 0.05)])
def test_a_monopolist_with_alpha_two_charges_the_closed_form(attraction, cost, h):
    # (p + h) / (p - c) = alpha (1 - s); with alpha = 2 and C = c + h: p + h = C + sqrt(C^2 + e^attraction)
    expected = -h + (cost + h) + math.sqrt((cost + h) ** 2 + math.exp(attraction))
    found = lone_offer(2.0, attraction, cost, h=h)
    assert found.prices[0] == pytest.approx(expected, rel=1e-10)
    assert found.residual < SETTLED


@settings(max_examples=40, deadline=None)
@given(
    st.floats(1.15, 6.0), st.floats(-4.0, 4.0), st.floats(0.05, 5.0), st.floats(0.0, 0.8), st.floats(0.0, 1.0)
)
def test_a_lone_offer_solves_its_scalar_condition_whatever_the_nests(alpha, attraction, cost, sigma, eta):
    found = lone_offer(alpha, attraction, cost, eta=eta, sigma=(sigma, sigma))

    def condition(price: float) -> float:
        outside = 1.0 / (1.0 + math.exp(attraction - alpha * math.log(price)))
        return float((alpha * outside + eta) * (price - cost) - price)

    assert found.prices[0] == pytest.approx(brentq(condition, cost, 1e6, xtol=1e-14, rtol=1e-14), rel=1e-9)


@pytest.mark.parametrize("count", [2, 5, 12])
def test_alike_sellers_in_plain_logit_match_the_closed_form(count):
    alpha, cost = 2.5, 0.4

    def condition(price: float) -> float:
        share = 1.0 / (count + math.exp(alpha * math.log(price)))
        return float(price / (price - cost) - alpha * (1.0 - share))

    expected = brentq(condition, cost * 1.0001, 100.0, xtol=1e-14, rtol=1e-14)
    found = rivals(alpha, np.zeros(count), np.full(count, cost))
    np.testing.assert_allclose(found.prices, expected, rtol=1e-10)


@pytest.mark.parametrize(
    "market",
    GOLDEN,
    ids=lambda m: f"{'linear' if m['linear'] else 'log'} price, seed {m['seed']}, sigma1 {m['sigma1']:.2f}",
)
def test_prices_agree_with_pyblp(market):
    inputs = ("alpha", "beta", "weights", "capability", "model", "sigma1", "sigma2", "cost", "ownership")
    home, tangent = np.array(market["home"]), None
    if market["linear"]:
        # The tangent at a price of 1 is alpha (1 - p); pyblp's utility is -alpha p.
        home, tangent = home - np.array(market["alpha"])[:, None], 1.0
    found = equilibrium(*(market[name] for name in inputs), home=home, tangent=tangent)
    np.testing.assert_allclose(found.prices, market["prices"], rtol=1e-9)
    np.testing.assert_allclose(found.shares, market["shares"], rtol=1e-9)


# --- first-order conditions and derivatives


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("eta", [0.0, 0.4])
def test_the_residual_is_negligible_on_random_markets(seed, eta):
    market = Market(seed, eta=eta)
    found = market.solve()
    assert found.converged
    assert found.residual < SETTLED
    # and by the definition: marginal profit of each price, in units of its own sales
    margin = market.ownership * (found.prices - market.cost)
    slopes = derivatives(market.demand(), found.prices)
    marginal = found.quantities + np.einsum("kj,jk->j", slopes, margin)
    assert np.abs(marginal / found.quantities).max() < 1e-8


@pytest.mark.parametrize("seed", range(4))
def test_derivatives_match_finite_differences(seed):
    market = Market(seed, eta=0.5)
    rng = np.random.default_rng(seed)
    demand = market.demand(
        intensity=rng.lognormal(0.0, 0.5, (6, 14)),
        h=rng.lognormal(-2.0, 0.5, (6, 14)),
        reference_log_inclusive=0.3,
    )
    price = market.cost * rng.uniform(1.1, 2.0, 14)
    numeric = np.empty((14, 14))
    for k in range(14):
        change = np.zeros(14)
        change[k] = 1e-6 * price[k]
        numeric[:, k] = (quantities(demand, price + change) - quantities(demand, price - change)) / (
            2 * change[k]
        )
    found = derivatives(demand, price)
    np.testing.assert_allclose(found, numeric, rtol=1e-6, atol=1e-8 * np.abs(found).max())


def test_volume_and_choice_come_from_one_potential():
    # dq_j/du_k is symmetric type by type, so q is the gradient of one function of utilities
    market = Market(3, eta=0.7)
    demand = market.demand(h=0.08)
    price = market.cost * 1.4
    table = derivatives(demand, price) * (price + 0.08)
    np.testing.assert_allclose(table, table.T, rtol=1e-10, atol=1e-14)


def test_volume_is_the_slope_of_the_surplus_that_choice_implies():
    # F(I) = integral of e^(eta I / alpha) S(I) over the inclusive value I, and q_j = dF/du_j
    alpha, eta, sigma = 2.0, 0.6, (0.3, 0.7)
    tastes = ([alpha], [1.0], [1.0], [0.3, 0.1, -0.2], [0, 0, 1], *sigma)

    def surplus(price):
        value = 0.7 * choices(buyers(*tastes), price).log_inclusive[0]
        return quad(lambda x: math.exp(eta * x / alpha) / (1.0 + math.exp(-x)), -30.0, value, epsabs=1e-13)[0]

    price = np.array([0.9, 1.1, 0.8])
    sold = quantities(buyers(*tastes, eta=eta), price)
    for j in range(3):
        change = np.zeros(3)
        change[j] = 1e-4
        slope = (surplus(price * np.exp(-change)) - surplus(price * np.exp(change))) / (2e-4 * alpha)
        assert sold[j] == pytest.approx(slope, rel=1e-6)


# --- deviations


def dense_gain(demand, price, cost, stake, j, points=600):
    """Largest relative gain over a dense log grid of the price of ``j``, by the NumPy profit alone."""
    now = profit(demand, price, cost, stake)
    trial, best = price.copy(), -np.inf
    for p in np.geomspace(0.05 * min(price[j], cost[j]), 40.0 * max(price[j], cost[j]), points):
        trial[j] = p
        best = max(best, profit(demand, trial, cost, stake))
    return best / now - 1.0


@pytest.mark.parametrize("seed", range(4))
def test_no_offer_has_a_profitable_one_price_deviation(seed):
    market = Market(seed, eta=0.3)
    found = market.solve()
    for j in range(14):
        gain = dense_gain(market.demand(), found.prices, market.cost, market.ownership[j], j, points=150)
        assert gain < 1e-9


def two_peaks():
    """A seller between many thrifty buyers and a few who hardly mind the price: two peaks of profit."""
    tastes: dict[str, Any] = {
        "alpha": [9.0, 1.4], "beta": [1.0, 1.0], "weights": [0.8, 0.2], "capability": [0.0], "model": [0],
        "sigma1": 0.0, "sigma2": 0.0, "home": [[4.0], [3.0]],
    }  # fmt: skip
    demand, cost = buyers(**tastes), np.array([0.5])
    grid = np.geomspace(0.5, 100.0, 8_000)
    profits = np.array([profit(demand, np.array([p]), cost) for p in grid])
    peaks = np.flatnonzero((profits[1:-1] > profits[:-2]) & (profits[1:-1] > profits[2:])) + 1
    lower, higher = peaks[np.argsort(profits[peaks])]
    return tastes, demand, cost, grid[lower], grid[higher], profits[higher]


def test_a_first_order_condition_can_be_a_lower_peak_and_is_left():
    _, demand, cost, lower, higher, most = two_peaks()
    first = best_response(demand, [lower], [0], cost, restarts=0)
    assert first.residual < SETTLED  # the climb ends on the lower peak
    assert first.gain > 0.1  # and the search sees the higher one
    for start in (lower, higher):
        found = best_response(demand, [start], [0], cost)
        assert found.converged
        assert found.price[0] == pytest.approx(higher, rel=1e-3)
        assert found.profit >= most


def test_an_equilibrium_leaves_the_lower_peak_too():
    tastes, _, cost, lower, higher, _ = two_peaks()
    found = equilibrium(**tastes, cost=cost, ownership=[[1.0]], start=[lower])
    assert found.restarts >= 1
    assert found.prices[0] == pytest.approx(higher, rel=1e-3)


def test_a_market_without_an_equilibrium_in_pure_strategies_says_so():
    # two hosts of one model, each with captive buyers who hardly mind the price, and a crowd that takes the
    # cheaper: undercutting pays until the captives are worth more, then the price jumps back (Varian 1980)
    home = [[0.0, -np.inf], [-np.inf, 0.0], [6.0, 6.0]]
    with pytest.warns(RuntimeWarning, match="no equilibrium in pure strategies"):
        found = equilibrium(
            [1.5, 1.5, 6.0],
            [1.0] * 3,
            [0.4, 0.4, 0.2],
            [0.0, 0.0],
            [0, 0],
            0.0,
            0.97,
            [0.2, 0.2],
            np.eye(2),
            home=home,
        )
    assert not found.converged
    assert found.gain > 1e-6


# --- best response and dynamics


@pytest.mark.parametrize("seed", range(4))
def test_the_compiled_response_satisfies_the_numpy_conditions(seed):
    market = Market(seed, eta=0.3)
    rng = np.random.default_rng(seed)
    demand = market.demand(intensity=rng.lognormal(0.0, 0.4, (6, 14)))
    upstream = rng.uniform(0.0, 0.3, 14)
    price = market.cost * rng.uniform(1.2, 2.0, 14)
    own = np.flatnonzero(market.seller == 0)
    stake = market.ownership[own[0]]
    found = best_response(demand, price, own, market.cost, stake, upstream)
    assert found.converged
    price[own] = found.price
    margin = stake * (price - market.cost) + upstream
    sold = quantities(demand, price)
    marginal = sold[own] + margin @ derivatives(demand, price)[:, own]
    assert np.abs(marginal / sold[own]).max() < 1e-8
    assert found.profit == pytest.approx(profit(demand, price, market.cost, stake, upstream), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_at_the_equilibrium_nobody_wants_to_move(seed):
    market = Market(seed, eta=0.3)
    found = market.solve()
    for f in range(4):
        own = np.flatnonzero(market.seller == f)
        answer = best_response(market.demand(), found.prices, own, market.cost, market.ownership[own[0]])
        np.testing.assert_allclose(answer.price, found.prices[own], rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_quarterly_best_responses_settle_at_the_equilibrium(seed):
    market = Market(seed)
    demand, price = market.demand(), market.cost * 3.0
    for _ in range(90):
        target = price.copy()
        for f in range(4):
            own = np.flatnonzero(market.seller == f)
            target[own] = best_response(demand, price, own, market.cost, market.ownership[own[0]]).price
        price, _ = partial_adjustment(price, target, speed=0.5, threshold=0.0, cap=0.3)
    np.testing.assert_allclose(price, market.solve().prices, rtol=1e-8)


def test_an_empty_price_list_has_empty_answers():
    """As in a world whose vendors are all out of business."""
    demand = buyers([2.0], [1.0], [1.0], [], [], 0.3, 0.8, home=np.empty((1, 0)))
    found = best_responses(demand, [], [], [], np.empty((3, 0)), np.empty((3, 0)))
    assert found.price.shape == (0,)
    assert found.profit.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("seed", range(4))
def test_all_sellers_answer_at_once_as_each_answers_alone(seed):
    market = Market(seed, eta=0.3)
    rng = np.random.default_rng(seed)
    demand = market.demand(intensity=rng.lognormal(0.0, 0.4, (6, 14)))
    price, upstream = market.cost * rng.uniform(1.2, 2.0, 14), rng.uniform(0.0, 0.3, (4, 14))
    setter = np.where(rng.random(14) < 0.8, market.seller, -1)
    stake = market.kappa[:, market.seller]
    together = best_responses(demand, price, setter, market.cost, stake, upstream)
    assert (together.price[setter < 0] == price[setter < 0]).all()
    for f in range(4):
        own = np.flatnonzero(setter == f)
        alone = best_response(demand, price, own, market.cost, stake[f], upstream[f])
        np.testing.assert_array_equal(together.price[own], alone.price)
        assert together.profit[f] == alone.profit
        assert together.iterations[f] == alone.iterations


def test_where_the_response_starts_does_not_matter():
    market = Market(1)
    own = np.flatnonzero(market.seller == 2)
    arguments = (market.demand(), market.cost * 1.5, own, market.cost, market.ownership[own[0]])
    cold = best_response(*arguments, start=np.full(own.size, 200.0))
    warm = best_response(*arguments, start=cold.price)
    np.testing.assert_allclose(warm.price, cold.price, rtol=1e-9)
    assert warm.iterations < cold.iterations


def test_an_offer_that_nobody_can_buy_keeps_its_price():
    home = np.array([[0.0, -np.inf]])
    demand = buyers([2.0], [1.0], [1.0], [0.0, 0.0], [0, 1], 0.2, 0.5, home=home)
    found = best_response(demand, [1.0, 7.0], [0, 1], 0.5)
    assert found.price[1] == 7.0
    assert found.price[0] == pytest.approx(0.5 + math.sqrt(0.25 + 1.0), rel=1e-9)
    earned = profit(demand, found.price, np.full(2, 0.5))
    assert search(demand, found.price, 1, 0.5) == pytest.approx((7.0, earned, earned))
    whole = equilibrium(
        [2.0], [1.0], [1.0], [0.0, 0.0], [0, 1], 0.2, 0.5, [0.5, 0.5], np.ones((2, 2)), home=home
    )
    assert whole.quantities[1] == 0.0
    assert whole.prices[0] == pytest.approx(found.price[0], rel=1e-9)


# --- what the economics says


@settings(max_examples=40, deadline=None)
@given(
    st.floats(1.2, 5.0),
    st.lists(st.tuples(st.floats(-3.0, 3.0), st.floats(0.1, 3.0)), min_size=2, max_size=5),
)
def test_a_merger_of_rivals_in_plain_logit_never_lowers_their_prices(alpha, offers):
    attraction, cost = zip(*offers, strict=True)
    apart = rivals(alpha, attraction, cost)
    together = np.eye(len(cost))
    together[:2, :2] = 1.0
    merged = rivals(alpha, attraction, cost, together)
    assume(apart.converged and merged.converged)
    assert (merged.prices >= apart.prices * (1.0 - 1e-9)).all()


def test_a_merger_that_matters_raises_prices_visibly():
    apart = rivals(2.0, [1.0, 1.0, 0.0], [0.3, 0.3, 0.3])
    together = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert (
        rivals(2.0, [1.0, 1.0, 0.0], [0.3, 0.3, 0.3], together).prices[:2] > 1.05 * apart.prices[:2]
    ).all()


def test_a_stake_in_a_rival_softens_competition():
    apart = rivals(2.0, [1.0, 1.0], [0.3, 0.3])
    stake = np.array([[1.0, 0.4], [0.0, 1.0]])
    assert rivals(2.0, [1.0, 1.0], [0.3, 0.3], stake).prices[0] > apart.prices[0]


def test_substitutable_hosting_drives_an_open_model_to_its_serving_cost():
    # three clouds host one open model at unit cost; a proprietary model stays outside that nest
    markups = []
    for sigma2 in (0.3, 0.6, 0.8, 0.9, 0.95, 0.98, 0.995):
        found = rivals(2.0, [0.0, 0.0, 0.0, 0.5], np.ones(4), model=[0, 0, 0, 1], sigma=(0.3, sigma2))
        assert found.converged
        markups.append(found.prices[0] - 1.0)
    assert (np.diff(markups) < 0.0).all()
    assert markups[-1] < 0.005
    assert markups[0] > 0.3


def test_the_proprietary_model_keeps_its_margin_while_hosting_becomes_a_commodity():
    loose = rivals(2.0, [0.0, 0.0, 0.0, 0.5], np.ones(4), model=[0, 0, 0, 1], sigma=(0.3, 0.35))
    tight = rivals(2.0, [0.0, 0.0, 0.0, 0.5], np.ones(4), model=[0, 0, 0, 1], sigma=(0.3, 0.98))
    assert tight.prices[3] - 1.0 > 20.0 * (tight.prices[0] - 1.0)
    assert tight.prices[3] < loose.prices[3]


def test_whoever_earns_on_what_lies_below_prices_lower():
    # owning the chip under the tokens removes the double margin
    alone = lone_offer(2.0, 0.0, 1.0)
    integrated = equilibrium([2.0], [1.0], [1.0], [0.0], [0], 0.0, 0.0, [1.0], [[1.0]], upstream=[[0.4]])
    assert integrated.prices[0] == pytest.approx(lone_offer(2.0, 0.0, 0.6).prices[0], rel=1e-9)
    assert integrated.prices[0] < alone.prices[0]


def test_giving_the_model_away_stops_at_the_floor():
    found = equilibrium(
        [2.0], [1.0], [1.0], [0.0], [0], 0.0, 0.0, [0.5], [[1.0]], h=0.2, upstream=[[3.0]], floor=0.01
    )
    assert found.converged
    assert found.prices[0] == 0.01


def test_a_royalty_on_rivals_hosting_raises_the_owners_own_price():
    # what the owner earns when buyers go elsewhere is an opportunity cost of selling itself
    costs, attraction = [0.3, 0.3], [1.0, 1.0]
    free = equilibrium([2.0], [1.0], [1.0], attraction, [0, 0], 0.2, 0.7, costs, np.eye(2))
    upstream = np.array([[0.0, 0.1], [0.0, 0.0]])
    paid = equilibrium([2.0], [1.0], [1.0], attraction, [0, 0], 0.2, 0.7, costs, np.eye(2), upstream=upstream)
    assert paid.prices[0] > free.prices[0]


def test_the_unit_that_a_thing_is_sold_in_does_not_matter():
    # a chip that needs four hours for what another does in one, priced by the hour
    market = Market(2, eta=0.4)
    base = market.solve()
    hours = np.ones(14)
    hours[5] = 4.0
    h = np.broadcast_to(market.options["h"][:, None], (6, 14)) / hours
    home = market.options["home"] - market.alpha[:, None] * np.log(hours)
    market.cost = market.cost / hours
    found = market.solve(h=h, home=home, intensity=np.broadcast_to(hours, (6, 14)))
    np.testing.assert_allclose(found.prices * hours, base.prices, rtol=1e-8)
    np.testing.assert_allclose(found.quantities / hours, base.quantities, rtol=1e-8)


# --- capacity


@pytest.mark.parametrize("seed", range(4))
def test_demand_fits_scarce_capacity_and_its_shadow_price_says_why(seed):
    market = Market(seed, eta=0.2)
    free = market.solve()
    capacity = np.full(14, np.inf)
    capacity[::3] = 0.6 * free.quantities[::3]
    found = market.solve(capacity=capacity)
    assert found.converged
    assert (found.quantities <= capacity * (1.0 + 1e-9)).all()
    assert (found.shadow_price[::3] > 0.0).all()
    assert not np.delete(found.shadow_price, np.arange(0, 14, 3)).any()
    assert (found.prices[::3] > free.prices[::3]).all()
    # the same prices follow from the shadow price as a cost
    market.cost = market.cost + found.shadow_price
    again = market.solve()
    np.testing.assert_allclose(again.prices, found.prices, rtol=1e-7)


def test_slack_capacity_changes_nothing():
    market = Market(5)
    free = market.solve()
    found = market.solve(capacity=2.0 * free.quantities)
    np.testing.assert_allclose(found.prices, free.prices, rtol=1e-9)
    assert not found.shadow_price.any()


# --- posting, locked-in customers and refusals


def test_a_posted_price_moves_part_of_the_way_in_logs():
    new, at_cap = partial_adjustment([1.0, 1.0], [4.0, 0.25], speed=0.5, threshold=0.1, cap=10.0)
    np.testing.assert_allclose(new, [2.0, 0.5])
    assert not at_cap.any()


def test_a_change_not_worth_posting_is_not_posted():
    new, _ = partial_adjustment([1.0, 1.0], [1.04, 1.06], speed=1.0, threshold=0.05, cap=1.0)
    np.testing.assert_allclose(new, [1.0, 1.06])


def test_a_change_at_the_cap_is_reported():
    new, at_cap = partial_adjustment([1.0, 1.0], [100.0, 1.1], speed=1.0, threshold=0.0, cap=0.5)
    np.testing.assert_allclose(new, [math.exp(0.5), 1.1])
    assert at_cap.tolist() == [True, False]
    with pytest.raises(ValueError, match="above zero"):
        partial_adjustment([1.0], [0.0], speed=1.0, threshold=0.0, cap=0.5)


def test_a_customer_who_stays_is_worth_selling_to_below_cost():
    assert effective_cost(1.0, 0.95, 0.8, 0.0) == 1.0
    assert effective_cost(1.0, 0.5, 0.5, 0.3) == pytest.approx(1.0 - 0.25 / 0.75 * 0.3)
    assert effective_cost(1.0, 0.99, 0.99, 0.5, deepest_subsidy=0.2) == pytest.approx(0.8)
    with pytest.raises(ValueError, match="no finite value"):
        effective_cost(1.0, 1.0, 1.0, 0.1)


def test_a_taste_of_one_or_less_is_refused_and_one_near_it_warned_of():
    with pytest.raises(ValueError, match="keep every alpha above 1"):
        lone_offer(1.0, 0.0, 1.0)
    with pytest.warns(RuntimeWarning, match="close to 1"):
        found = lone_offer(1.05, -3.0, 1.0)
    assert found.prices[0] > 15.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lone_offer(1.2, 0.0, 1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sigma": (0.5, 0.3)}, "sigma1 <= sigma2"),
        ({"weights": np.full(6, -1.0)}, "weights must not be negative"),
        ({"ownership": np.eye(3)}, "ownership must be"),
        ({"ownership": np.zeros((14, 14))}, "positive diagonal"),
        ({"capability": np.full(14, np.nan)}, "capability must be a vector of finite numbers"),
        ({"cost": np.full(14, np.inf)}, "cost must be finite"),
    ],
)
def test_impossible_markets_are_refused(change, message):
    market = Market(0)
    for name, value in change.items():
        setattr(market, name, value)
    with pytest.raises(ValueError, match=message):
        market.solve()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"floor": 0.0}, "floor must be above zero"),
        ({"capacity": 0.0}, "capacity must be above zero"),
        ({"h": -1.0}, "must not be negative"),
        ({"home": np.zeros((2, 14))}, r"home must broadcast to \(6, 14\)"),
        ({"intensity": np.nan}, "intensity holds NaN"),
    ],
)
def test_impossible_options_are_refused(option, message):
    with pytest.raises(ValueError, match=message):
        Market(0).solve(**option)


def test_a_seller_needs_a_stake_in_what_it_prices():
    demand = Market(0).demand()
    with pytest.raises(ValueError, match="positive stake"):
        best_response(demand, np.ones(14), [0], 0.5, stake=0.0)
    with pytest.raises(ValueError, match="price must be above zero"):
        best_response(demand, np.zeros(14), [0], 0.5)


@pytest.mark.parametrize("unknown", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["price", "cost", "stake", "upstream", "start"])
def test_a_number_that_is_not_finite_is_refused_and_not_called_a_solution(name, unknown):
    numbers: dict[str, Any] = {"price": np.ones(14), "cost": np.full(14, 0.5), "start": np.ones(1)}
    numbers |= {"stake": np.ones(14), "upstream": np.zeros(14)}
    numbers[name][0] = unknown
    with pytest.raises(ValueError, match=f"{name} must be finite"):
        best_response(Market(0).demand(), own=[0], **numbers)


def test_read_only_and_strided_inputs_need_no_kernel_of_their_own():
    # a compilation costs seconds: every caller must meet the same signature
    market = Market(0)
    own = np.flatnonzero(market.seller == 1)
    best_response(market.demand(), market.cost * 1.5, own, market.cost)
    compiled = len(line_up.signatures), len(climb.signatures), len(search_all.signatures)
    frozen = market.cost.copy()
    frozen.setflags(write=False)
    strided = np.repeat(frozen, 2)[::2]
    for name in ("alpha", "beta", "weights", "capability"):
        getattr(market, name).setflags(write=False)
    best_response(market.demand(), strided, np.repeat(own, 2)[::2], frozen, market.ownership[own[0]], 0.0)
    assert (len(line_up.signatures), len(climb.signatures), len(search_all.signatures)) == compiled
