"""Orders of chips: choice as in the demand system, rationing by process, and where refused orders go."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.buyers import buyers, choices
from model.order import choose, place_orders, ration, tabulate

ROWS, CHIPS = 4, 5
NEST = np.array([0, 0, 1, 2, 2])
ALPHA, SIGMA1, SIGMA2 = 3.0, 0.3, 0.6
TASTES = (ALPHA, SIGMA1, SIGMA2)
utilities = arrays(float, (ROWS, CHIPS), elements=st.one_of(st.just(-np.inf), st.floats(10.0, 40.0)))
needs = arrays(float, ROWS, elements=st.one_of(st.just(0.0), st.floats(1.0, 1e6)))
prices = arrays(float, CHIPS, elements=st.floats(500.0, 50_000.0))
capacities = arrays(float, 3, elements=st.one_of(st.just(0.0), st.floats(1e-3, 1e4)))
OPEX = np.linspace(1e3, 5e3, ROWS * CHIPS).reshape(ROWS, CHIPS)
PER_WORK = np.linspace(0.01, 0.5, ROWS * CHIPS).reshape(ROWS, CHIPS)
TANGENT = np.linspace(2e3, 3e4, ROWS * CHIPS).reshape(ROWS, CHIPS)


@given(needs, utilities, prices, st.booleans())
def test_buyers_of_chips_choose_as_the_demand_system_says(need, home, price, linear):
    units = choose(need, home, OPEX, TANGENT, linear, PER_WORK, NEST, price, TASTES)
    demand = buyers(
        np.full(ROWS, ALPHA), np.zeros(ROWS), np.ones(ROWS), np.zeros(CHIPS), NEST, SIGMA1, SIGMA2,
        h=OPEX, home=home, intensity=PER_WORK, tangent=TANGENT if linear else None,
    )  # fmt: skip
    expected = need[:, None] * choices(demand, price).share * PER_WORK
    np.testing.assert_allclose(units, expected, rtol=1e-9, atol=1e-300)


@given(
    arrays(float, (3, 2), elements=st.one_of(st.just(0.0), st.floats(1.0, 1e6))),
    arrays(bool, (3, CHIPS)),
    arrays(float, (CHIPS, 2), elements=st.one_of(st.just(0.0), st.floats(1e-3, 1e3))),
    arrays(np.int64, CHIPS, elements=st.integers(0, 3)),
)
def test_needs_have_a_row_for_whoever_must_buy_and_finds_a_chip_of_use(needed, allowed, work, maker):
    value, rental = np.array([2.0, 3.0]), np.linspace(0.5, 2.0, 6).reshape(3, 2)
    taste, opex = np.linspace(-1.0, 1.0, 12).reshape(3, 4), OPEX[:3]
    found = tabulate(needed, allowed, work, value, rental, taste, maker, opex, ALPHA, 100.0)
    buyer, purpose, need, home, beside, per_work, worth, nest = found
    useful = allowed[:, None, :] & (work.T > 0.0)
    rows = np.nonzero((needed > 0.0) & useful.any(axis=2))
    np.testing.assert_array_equal(np.array([buyer, purpose]), np.array(rows))
    np.testing.assert_array_equal(need, needed[rows])
    np.testing.assert_array_equal(beside, opex[buyer])
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(worth, (value[:, None] * work.T)[purpose] * rental[rows][:, None])
        utility = ALPHA * np.log(worth) + taste[buyer][:, maker]
        units = 1.0 / (work.T * 100.0)
    np.testing.assert_allclose(home, np.where(useful[rows], utility, -np.inf))
    np.testing.assert_allclose(per_work, np.where(work.T > 0.0, units, 0.0)[purpose])
    assert sorted(set(nest.tolist())) == list(range(len(set(maker.tolist()))))
    np.testing.assert_array_equal(nest[:, None] == nest, maker[:, None] == maker)


units_wanted = st.one_of(st.just(0.0), st.floats(1e-9, 1e6))


@given(arrays(float, (2, 3), elements=units_wanted), arrays(float, 2, elements=units_wanted))
def test_a_maker_ships_no_more_than_it_can_make_and_cuts_all_orders_on_a_process_alike(orders, capacity):
    process = np.array([0, 0, 1])
    shipped, load = ration(orders, process, capacity)
    for k in range(2):
        asked, sent = orders[:, process == k], shipped[:, process == k]
        wanted = float(asked.sum())
        assert float(sent.sum()) <= min(capacity[k], wanted) * (1.0 + 1e-12)
        assert (sent <= asked).all()
        if wanted == 0.0:
            assert load[k] == 0.0
        elif capacity[k] == 0.0:
            assert load[k] == math.inf and (sent == 0.0).all()
        else:
            assert load[k] == pytest.approx(wanted / capacity[k])
            np.testing.assert_allclose(sent, asked * min(1.0, capacity[k] / wanted))


@given(needs, utilities, prices, capacities, st.integers(1, 4))
def test_orders_that_are_refused_look_further_and_no_process_makes_more_than_it_can(
    need, home, price, capacity, rounds
):
    args = (OPEX, TANGENT, False, PER_WORK, NEST, price, TASTES)
    first, shipped, load = place_orders(need, home, home, *args, NEST, capacity, rounds)
    np.testing.assert_array_equal(first, choose(need, home, *args))
    np.testing.assert_array_equal(load, ration(first, NEST, capacity)[1])
    once = ration(first, NEST, capacity)[0]
    assert (shipped >= once * (1.0 - 1e-12)).all()
    made = np.bincount(NEST, weights=shipped.sum(axis=0), minlength=3)
    assert (made <= capacity * (1.0 + 1e-9) + 1e-9).all()
    # Nobody gets more work done than was ordered at first.
    done, asked = (shipped / PER_WORK).sum(axis=1), (first / PER_WORK).sum(axis=1)
    assert (done <= asked * (1.0 + 1e-9)).all()
    if (load < 1.0).all():
        np.testing.assert_array_equal(shipped, first)


def test_what_is_refused_goes_to_the_next_choice_at_the_utility_of_later_choices():
    need, home = np.array([100.0]), np.array([[30.0, 10.0]])
    args = (
        np.full((1, 2), 1e3), np.ones((1, 2)), False, np.ones((1, 2)), np.array([0, 1]), np.full(2, 1e3), TASTES
    )  # fmt: skip
    process, capacity = np.array([0, 1]), np.array([0.0, 1e9])
    barred = np.array([[30.0, -np.inf]])
    _, shipped, _ = place_orders(need, home, barred, *args, process, capacity, 3)
    ordered = choose(need, home, *args)
    assert shipped[0, 1] == pytest.approx(ordered[0, 1])
    _, shipped, _ = place_orders(need, home, home, *args, process, capacity, 3)
    assert shipped[0, 1] > 2.0 * ordered[0, 1]
