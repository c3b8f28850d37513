"""The climb of prices: second derivatives against finite differences, and the solution against the conditions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.buyers import derivatives, quantities
from model.climb import ALIKE, OTHER, _bend, _cross, _evaluate, climb
from model.response import best_response, by_offer, tastes_of
from model.rivals import line_up
from tests.model.test_pricing import Market


def posed(seed, linear, eta):
    """A market in which seller 0 decides, in the kernels' form: (demand, price, own, stake, upstream, arguments)."""
    market, rng = Market(seed, eta=eta), np.random.default_rng(seed)
    touch = 1.0 + np.asarray(market.options["h"])[:, None] if linear else None
    demand = market.demand(intensity=rng.lognormal(0.0, 0.4, (6, 14)), tangent=touch)
    price, upstream = market.cost * rng.uniform(1.2, 2.0, 14), rng.uniform(0.0, 0.3, 14)
    stake = np.ascontiguousarray(market.kappa[0, market.seller])
    setter = np.where(market.seller == 0, 0, -1)
    money = (market.cost, stake[None], upstream[None], by_offer(1e-9, 14))
    sellers = line_up(tastes_of(demand), price, setter, money)
    return demand, price, sellers[2], stake, upstream, (sellers, tastes_of(demand), money)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 300), st.booleans(), st.sampled_from([0.0, 0.5]))
def test_newtons_method_has_the_second_derivatives_of_profit(seed, linear, eta):
    demand, price, own, stake, upstream, (sellers, tastes, money) = posed(seed, linear, eta)
    cost, sigma1, sigma2 = money[0], tastes[7], tastes[8]
    _, _, _, place, count, who, weight, rows = sellers[:8]

    def gradient(moved):
        full = price.copy()
        full[own] = moved
        margin = stake * (full - cost) + upstream
        return (stake * quantities(demand, full) + margin @ derivatives(demand, full))[own]

    lines, types, nests = own.size, weight.shape[1], (1.0 / (1.0 - sigma2), 1.0 / (1.0 - sigma1))
    state = tuple(np.empty((lines, types)) for _ in range(6))
    people, turns = np.zeros((8, types)), np.empty((9, lines, types))
    people[0] = weight[0]
    people[1, : count[0]] = eta * (1.0 - sigma1) / demand.alpha[who[0, : count[0]]]
    margin = stake[own] * (price[own] - cost[own]) + upstream[own]
    _evaluate(price[own], 0, sellers, tastes, margin, state, people)
    bent = [
        _bend(k, place[k], rows, count[0], margin, stake[own[k]], nests, 0.0 if linear else 1.0, state, people, turns)
        for k in range(lines)
    ]  # fmt: skip
    for k in range(lines):
        step = np.zeros(lines)
        step[k] = 1e-5 * price[own[k]]
        slope = (gradient(price[own] + step) - gradient(price[own] - step)) / (2.0 * step[k])
        second = [
            _cross(k, j, ALIKE if place[k] == place[j] else OTHER, count[0], turns)[0] + (bent[k][0] if j == k else 0.0)
            for j in range(lines)
        ]  # fmt: skip
        np.testing.assert_allclose(second, slope, atol=1e-6 * np.abs(slope).max())


@pytest.mark.parametrize("linear", [False, True])
def test_the_climb_ends_where_the_derivative_of_profit_is_zero_and_takes_few_iterations(linear):
    for seed in range(12):
        demand, price, own, stake, upstream, (sellers, tastes, money) = posed(seed, linear, 0.4)
        moved = price.copy()
        residual, count = climb(moved, np.ones(1, np.bool_), sellers, tastes, money, 1e-11, 400)
        assert residual[0] <= 1e-11
        assert count[0] <= 15
        margin = stake * (moved - money[0]) + upstream
        sold = quantities(demand, moved)[own]
        assert (
            np.abs(stake[own] * sold + (margin @ derivatives(demand, moved))[own]).max() < 1e-8 * sold.max()
        )


def test_a_line_at_its_floor_stays_there_while_others_climb():
    demand, price, own, stake, upstream, (_, _, money) = posed(3, False, 0.0)
    floor = np.full(14, 1e-6)
    floor[own[0]] = 40.0
    found = best_response(demand, price, own, money[0], stake, upstream, floor=floor)
    assert found.converged
    assert found.price[0] == 40.0
    assert (found.price[1:] < 40.0).all()
