"""Other forms of the mechanisms: plain logit and linear price in demand and prices, and expectations that are fixed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import lambertw

from model import form
from model.buyers import buyers, choices
from model.demand import price_term, shares
from model.parameters import Parameters
from model.place import FORMS
from model.pricing import best_response, derivatives, equilibrium, profit, quantities
from model.procurement import Expectation
from tests.model.test_demand import SINGLE, Population
from tests.model.test_pricing import Market, dense_gain

REFERENCE = 1.0
MARKETS = st.tuples(st.integers(0, 400), st.booleans(), st.booleans())
"""A seed, whether offers are nested, and whether utility is linear in price."""


def drawn(seed, nested, linear, eta=0.4):
    """A random market under a combination of forms, and the option that makes utility linear."""
    market = Market(seed, eta=eta, sigma=(0.3, 0.6) if nested else (0.0, 0.0))
    touch = REFERENCE + np.asarray(market.options["h"])[:, None] if linear else None
    return market, {"tangent": touch}


def lone(alpha: float, attraction: float, cost: float, tangent: float | None) -> float:
    """The price of one seller of one offer to one type, in plain logit."""
    found = equilibrium([alpha], [1.0], [1.0], [attraction], [0], 0.0, 0.0, [cost], [[1.0]], tangent=tangent)
    assert found.converged
    return float(found.prices[0])


# --- closed forms


@settings(max_examples=40, deadline=None)
@given(st.floats(0.6, 6.0), st.floats(-4.0, 4.0), st.floats(0.05, 5.0), st.floats(0.2, 5.0))
def test_a_lone_sellers_markup_under_linear_price_is_the_closed_form(alpha, attraction, cost, tangent):
    # p - c = 1 / (a (1 - s)) with a = alpha / t; solved with Lambert's W (Aravindakshan and Ratchford 2011)
    a = alpha / tangent
    odds = attraction - alpha * (math.log(tangent) - 1.0) - a * cost - 1.0
    expected = cost + (1.0 + float(lambertw(math.exp(odds)).real)) / a
    assert lone(alpha, attraction, cost, tangent) == pytest.approx(expected, rel=1e-9)


@given(st.floats(0.1, 3.0), st.floats(0.1, 3.0))
def test_a_linear_markup_is_in_dollars_and_a_log_markup_in_shares_of_cost(cost, more):
    # With hardly a buyer, 1 - s is 1: the markup is t / alpha whatever the cost, or cost / (alpha - 1).
    alpha, rare, tangent = 2.5, -14.0, 0.8
    for each in (cost, cost + more):
        assert lone(alpha, rare, each, tangent) - each == pytest.approx(tangent / alpha, rel=1e-3)
        assert lone(alpha, rare - 10.0, each, None) / each == pytest.approx(alpha / (alpha - 1.0), rel=1e-3)


def own_elasticity(price: float, tangent: float | None, h: float) -> tuple[float, float]:
    """Own-price elasticity of the first of three offers without nests, and its share."""
    demand = buyers(
        [2.0], [1.0], [1.0], [0.2, 0.1, 0.4], [0, 1, 2], 0.0, 0.0, h=h, home=-1.0, tangent=tangent
    )
    at = np.array([price, 0.9, 1.3])
    sold = quantities(demand, at)
    return float(-derivatives(demand, at)[0, 0] * price / sold[0]), float(choices(demand, at).share[0, 0])


@given(st.floats(0.05, 4.0), st.floats(0.0, 0.3))
def test_the_elasticity_grows_with_the_price_under_linear_price_and_is_constant_in_logs(price, h):
    tangent = REFERENCE + h
    found, share = own_elasticity(price, tangent, h)
    assert found == pytest.approx(2.0 * price / tangent * (1.0 - share), rel=1e-9)
    dearer, share_of_dearer = own_elasticity(1.5 * price, tangent, h)
    assert dearer / (1.0 - share_of_dearer) == pytest.approx(1.5 * found / (1.0 - share), rel=1e-9)
    found, share = own_elasticity(price, None, 0.0)
    assert found == pytest.approx(2.0 * (1.0 - share), rel=1e-9)


@given(st.floats(0.05, 20.0), st.floats(0.0, 0.5))
def test_both_forms_agree_in_level_and_elasticity_at_the_reference_price(at, h):
    tastes = ([2.0, 1.4], [1.0, 0.8], h, [0.1, 0.3], np.array([at, at]), -0.5, [0, 1], 0.2, 0.6)
    np.testing.assert_allclose(shares(*tastes, linear_at=at).share, shares(*tastes).share, rtol=1e-12)
    slopes = [
        derivatives(
            buyers(
                [2.0, 1.4], [1.0, 0.8], [0.5, 0.5], [0.1, 0.3], [0, 1], 0.2, 0.6, h=h, eta=0.4, tangent=touch
            ),
            np.array([at, at]),
        )
        for touch in (None, at + h)
    ]
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-12)


def test_the_linear_term_never_exceeds_what_a_concave_logarithm_allows():
    reach = np.geomspace(0.01, 50.0, 200)
    assert (price_term(reach, 1.3) >= np.log(reach)).all()
    assert np.ptp(np.diff(price_term(np.linspace(0.1, 9.0, 50), 1.3))) < 1e-12


def test_in_plain_logit_a_twin_takes_from_all_alike_and_in_nests_from_its_double():
    # Red bus and blue bus: a second host of the first model.
    tastes = ([2.0], [1.0], 0.0, [0.0, 0.0, 0.0], np.ones(3), np.array([[0.0, 0.0, -np.inf]]), [0, 1, 0])
    open_ = (*tastes[:5], np.zeros((1, 3)), tastes[6])
    for sigmas, alike in (((0.0, 0.0), True), ((0.2, 0.8), False)):
        before, after = shares(*tastes, *sigmas).share[0], shares(*open_, *sigmas).share[0]
        lost = after[:2] / before[:2]
        assert math.isclose(lost[0], lost[1], rel_tol=1e-12) is alike
        assert lost[0] <= lost[1] * (1.0 + 1e-12)


# --- every combination


@settings(max_examples=40, deadline=None)
@given(MARKETS)
def test_a_best_response_satisfies_its_first_order_conditions_under_every_form(drawn_market):
    market, options = drawn(*drawn_market)
    rng = np.random.default_rng(drawn_market[0])
    demand = market.demand(intensity=rng.lognormal(0.0, 0.4, (6, 14)), **options)
    upstream = rng.uniform(0.0, 0.3, 14)
    price = market.cost * rng.uniform(1.2, 2.0, 14)
    own = np.flatnonzero(market.seller == 0)
    stake = market.ownership[own[0]]
    found = best_response(demand, price, own, market.cost, stake, upstream, floor=1e-3)
    assert found.converged
    price[own] = found.price
    margin = stake * (price - market.cost) + upstream
    sold = quantities(demand, price)
    # Marginal profit of each price over what it takes in: zero, or below it where the floor holds the price.
    marginal = (sold[own] + margin @ derivatives(demand, price)[:, own]) / sold[own]
    free = price[own] > 1e-3
    assert np.abs(marginal[free]).max(initial=0.0) < 1e-9
    assert (marginal[~free] <= 0.0).all()
    assert found.profit == pytest.approx(profit(demand, price, market.cost, stake, upstream), rel=1e-11)


@settings(max_examples=15, deadline=None)
@given(MARKETS)
def test_nobody_gains_by_leaving_an_equilibrium_under_any_form(drawn_market):
    market, options = drawn(*drawn_market)
    found = market.solve(**options)
    assert found.converged
    for j in (0, 7):
        gain = dense_gain(
            market.demand(**options), found.prices, market.cost, market.ownership[j], j, points=120
        )
        assert gain < 1e-9


@given(MARKETS, st.floats(0.7, 0.99))
def test_shares_sum_to_one_and_fall_in_their_own_price_under_every_form(drawn_market, cut):
    market, options = drawn(*drawn_market)
    demand = market.demand(**options)
    price = market.cost * 1.5
    before = choices(demand, price)
    np.testing.assert_allclose(before.share.sum(axis=1), before.adoption, rtol=1e-12)
    np.testing.assert_allclose(before.within.sum(axis=1), 1.0, rtol=1e-12)
    price[2] *= cut
    after = choices(demand, price)
    open_ = np.isfinite(demand.value)
    assert (after.share[:, 2] >= before.share[:, 2]).all()
    others = np.delete(after.share, 2, axis=1) <= np.delete(before.share, 2, axis=1) * (1.0 + 1e-12)
    assert others.all()
    assert not after.share[~open_].any()


@pytest.mark.parametrize("nested", [True, False])
def test_derivatives_match_finite_differences_under_linear_price(nested):
    market, options = drawn(3, nested, True)
    demand, price = market.demand(**options), market.cost * 1.4
    numeric = np.empty((14, 14))
    for k in range(14):
        change = np.zeros(14)
        change[k] = 1e-6 * price[k]
        numeric[:, k] = (quantities(demand, price + change) - quantities(demand, price - change)) / (
            2 * change[k]
        )
    found = derivatives(demand, price)
    np.testing.assert_allclose(found, numeric, rtol=1e-6, atol=1e-8 * np.abs(found).max())


@pytest.mark.parametrize(("sigma1", "sigma2"), [(0.0, 0.0), (0.3, 0.8)])
def test_the_compiled_step_buys_what_the_reference_says_under_linear_price(sigma1, sigma2):
    world = Population(seed=4)
    world.run(sigma1=sigma1, sigma2=sigma2, eta=0.6, reference=0.25, linear_at=0.7)
    choice = shares(
        world.alpha, world.beta, world.nuisance, world.capability, world.price, world.offset[world.segment],
        world.model, sigma1, sigma2, linear_at=0.7,
    )  # fmt: skip
    volume = world.weight * np.exp(0.6 * (1 - sigma1) / world.alpha * (choice.log_inclusive - 0.25))
    expected = np.zeros_like(world.tokens)
    np.add.at(expected, world.segment, volume[:, None] * choice.share)
    np.testing.assert_allclose(world.adoption, choice.adoption, rtol=2 * SINGLE)
    np.testing.assert_allclose(world.tokens, expected, rtol=3 * SINGLE, atol=1e-7 * expected.max())


def test_a_capacity_binds_under_linear_price_too():
    found = equilibrium(
        [2.0], [1.0], [1.0], [1.0], [0], 0.0, 0.0, [0.3], [[1.0]], tangent=1.0, capacity=[0.1]
    )
    assert found.quantities[0] == pytest.approx(0.1, rel=1e-9)
    expected = brentq(lambda p: 1.0 / (1.0 + math.exp(-1.0 + 2.0 * (p - 1.0))) - 0.1, 0.3, 9.0, xtol=1e-14)
    assert found.prices[0] == pytest.approx(expected, rel=1e-9)


def test_a_tangent_of_nothing_is_refused_and_a_small_alpha_has_a_price_under_it():
    tastes = ([0.8], [1.0], [1.0], [0.0], [0], 0.0, 0.0)
    with pytest.raises(ValueError, match="tangent must be above zero"):
        buyers(*tastes, tangent=0.0)
    with pytest.raises(ValueError, match="no best price exists"):
        buyers(*tastes)
    assert lone(0.8, 0.0, 1.0, 1.0) > 1.0 / 0.8


# --- switches and expectations


def test_the_switches_are_on_by_default_and_change_no_number():
    p = Parameters.resolve({})
    assert [p[name] for name in FORMS] == [1.0] * len(FORMS)
    assert form.token_nests(p) == (p.sigma1, p.sigma2)
    assert form.chip_nests(p) == (p.chip_sigma1, p.chip_sigma2)
    assert form.linear_at(p) is None
    other = Parameters.resolve(dict.fromkeys(FORMS, 0.0))
    assert form.token_nests(other) == form.chip_nests(other) == (0.0, 0.0)
    assert form.linear_at(other) == other.linear_price_reference == REFERENCE


@given(st.floats(0.1, 1e6), st.floats(-0.5, 0.7), st.floats(0.5, 1.0), st.integers(1, 8))
def test_an_expectation_that_is_held_goes_along_the_path_that_it_was(level, growth, damping, quarters):
    fixed = Expectation(np.full(2, level), np.full(2, growth))
    then = [fixed.ahead(k, damping) for k in range(1, quarters + 3)]
    for _ in range(quarters):
        fixed.hold(damping, np.array([True, False]))
    now = [fixed.level, fixed.ahead(1, damping), fixed.ahead(2, damping)]
    np.testing.assert_allclose(np.array(now)[:, 0], np.array(then)[quarters - 1 :, 0], rtol=1e-9)
    assert (fixed.level[1], fixed.growth[1]) == (level, growth)


def test_after_a_shock_fixed_expectations_stay_and_adaptive_ones_move():
    beliefs, fixed = Expectation(np.full(2, 10.0), np.full(2, 0.1)), np.array([True, False])
    planned = beliefs.ahead(3, 0.85)
    beliefs.learn(np.full(2, 100.0), 0.5, 0.3, 0.7, held=fixed)
    beliefs.hold(0.85, fixed)
    now = beliefs.ahead(2, 0.85)
    assert now[0] == pytest.approx(planned[0], rel=1e-12)
    assert now[1] > 2.0 * planned[1]
