"""The mathematics of buying chips: forecasts, needs, rationing, and spare chips that change their work."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.fleet import HOURS_PER_QUARTER
from model.place import CAPTIVE, DENSE, PURPOSES, SPARSE, TRAINING
from model.procurement import Expectation, moved, needed_work, reassignment, suitability, swap, swapped

W = len(PURPOSES)
HOURS = 1000.0
# Fleets that have been retired and moved for years hold everything from dust to a million cards.
holdings = st.one_of(st.just(0.0), st.floats(1e-18, 1e-9), st.floats(0.1, 1e6))
fleets = arrays(float, (5, W), elements=holdings)
suits = arrays(float, (5, W), elements=st.one_of(st.just(0.0), st.floats(1e-6, 1.0)))
hours = arrays(float, W, elements=st.one_of(st.just(0.0), st.floats(1e-9, 1e10)))
rates = st.floats(0.1, 1.0)
works = st.floats(1e-3, 1e12)

# ----------------------------------------------------------------------------------------------- forecasts


def belief(level: float = 0.0, growth: float = 0.0) -> Expectation:
    """Of one series."""
    return Expectation(np.array([level]), np.array([growth]))


def test_a_steady_series_is_expected_to_stay():
    seen = belief(5.0)
    for _ in range(10):
        seen.learn(np.array([5.0]), 0.5, 0.3, 0.7)
    assert seen.level == pytest.approx(5.0) and seen.growth == pytest.approx(0.0)
    assert seen.ahead(4, 0.85) == pytest.approx(5.0)


def test_a_growing_series_is_expected_to_grow_more_slowly_the_further_ahead():
    seen, value = belief(1.0), 1.0
    for _ in range(40):
        value *= 1.1
        seen.learn(np.array([value]), 0.5, 0.3, 0.7)
    assert seen.growth == pytest.approx(math.log(1.1), rel=0.01)
    ahead = [float(seen.ahead(k, 0.85)[0]) for k in range(5)]
    growth = np.diff(np.log(ahead))
    assert (growth > 0.0).all() and (np.diff(growth) < 0.0).all()
    assert seen.ahead(3, 1.0) == pytest.approx(seen.level * 1.1**3, rel=0.05)


@given(
    st.lists(works, min_size=1, max_size=20), st.floats(0.1, 1.0), st.floats(0.1, 1.0), st.floats(0.1, 1.0)
)
def test_expected_growth_stays_within_its_bound(series, level_weight, growth_weight, bound):
    seen = belief()
    for value in series:
        seen.learn(np.array([value]), level_weight, growth_weight, bound)
        assert abs(seen.growth[0]) <= bound * (1.0 + 1e-12)
        assert 0.0 < seen.level[0] < math.inf


def test_what_has_ended_is_expected_to_stay_away():
    seen = belief(level=5.0, growth=0.3)
    seen.learn(np.zeros(1), 0.5, 0.3, 0.7)
    assert seen.ahead(4, 0.85) == 0.0
    seen.learn(np.array([2.0]), 0.5, 0.3, 0.7)
    assert (seen.level[0], seen.growth[0]) == (2.0, 0.0)


@given(arrays(float, 6, elements=st.one_of(st.just(0.0), works)))
def test_series_side_by_side_are_learnt_as_each_alone(seen):
    together = Expectation(np.array([0.0, 1.0, 2.0] * 2), np.array([0.0, 0.1, -0.2] * 2))
    alone = [belief(*pair) for pair in zip(together.level, together.growth, strict=True)]
    together.learn(seen, 0.5, 0.3, 0.7)
    for each, value in zip(alone, seen, strict=True):
        each.learn(np.array([value]), 0.5, 0.3, 0.7)
    np.testing.assert_array_equal(together.level, np.ravel([each.level for each in alone]))
    np.testing.assert_array_equal(together.growth, np.ravel([each.growth for each in alone]))


# --------------------------------------------------------------------------------------------------- needs


@given(works, works, st.floats(0.4, 1.0), st.floats(0.1, 1.0))
def test_nothing_is_bought_where_there_is_enough_and_never_more_than_the_gap(
    forecast, capacity, target, speed
):
    need = float(needed_work(np.array([forecast]), np.array([capacity]), target, speed)[0])
    gap = forecast / target - capacity
    assert need == pytest.approx(speed * max(gap, 0.0))


# -------------------------------------------------------------------------------------------- spare chips

# Rounding leaves less than nothing of the second chip, and next to nothing of the others: what is then picked in
# proportion must not be many times what there is.
DUST = np.zeros((5, W))
DUST[:4, CAPTIVE] = [0.699, 39.536, 0.052, 0.109]
DUST[4, CAPTIVE] = 10.0 * DUST.sum()
DUSTY = np.zeros((5, W))
DUSTY[:4, DENSE] = [0.21233, 0.01338, 0.00019, 0.00045]
ALL_FOR_TOKENS = np.array([0.0, 1e12, 0.0, 0.0])


@given(fleets, hours, rates, suits)
@example(DUST, ALL_FOR_TOKENS, 1.0, DUSTY)
def test_chips_that_change_their_work_are_neither_made_nor_lost(units, needed, rate, suit):
    moved = reassignment(units, needed, HOURS, rate, suit)
    assert (moved >= 0.0).all()
    np.testing.assert_allclose(moved.sum(axis=1), units.sum(axis=1), rtol=1e-9, atol=1e-9)


@given(fleets, hours, rates, suits)
def test_only_spare_chips_move_and_only_to_work_that_is_short(units, needed, rate, suit):
    moved = reassignment(units, needed, HOURS, rate, suit)
    offered, after = units.sum(axis=0) * HOURS, moved.sum(axis=0) * HOURS
    slack = 1e-9 * (offered.sum() + 1.0)
    short = offered < needed
    assert (after[short] >= offered[short] - slack).all()
    assert (after[short] <= needed[short] + slack).all()
    assert (after[~short] <= offered[~short] + slack).all()
    assert (after[~short] >= needed[~short] - slack).all()


@given(fleets, hours, rates)
def test_a_chip_never_moves_to_work_that_it_cannot_do(units, needed, rate):
    suit = np.ones((5, W))
    suit[0, TRAINING] = suit[1, CAPTIVE] = 0.0
    moved = reassignment(units, needed, HOURS, rate, suit)
    assert moved[0, TRAINING] <= units[0, TRAINING] * (1.0 + 1e-12)
    assert moved[1, CAPTIVE] <= units[1, CAPTIVE] * (1.0 + 1e-12)


def test_the_chips_that_suit_a_work_best_go_to_it_first():
    units = np.zeros((5, W))
    units[:2, CAPTIVE] = 100.0
    suit = np.ones((5, W))
    suit[1, DENSE] = 0.25
    needed = np.array([0.0, 50.0, 0.0, 100.0]) * HOURS
    moved = reassignment(units, needed, HOURS, 1.0, suit)
    assert moved[:, DENSE].sum() == pytest.approx(50.0)
    assert moved[0, DENSE] == pytest.approx(4.0 * moved[1, DENSE])


@given(fleets, suits, rates)
def test_chips_that_are_swapped_are_neither_made_nor_lost(units, suit, rate):
    after = swap(units, suit, rate)
    assert (after >= 0.0).all()
    np.testing.assert_allclose(after.sum(axis=1), units.sum(axis=1), rtol=1e-9, atol=1e-9)
    serving = [DENSE, SPARSE]
    assert after[:, serving].sum() == pytest.approx(units[:, serving].sum(), rel=1e-9, abs=1e-9)


def test_tokens_get_the_chips_that_serve_them_best():
    units = np.zeros((5, W))
    units[0, DENSE], units[1, CAPTIVE] = 50.0, 100.0
    suit = np.ones((5, W))
    suit[0, [DENSE, SPARSE]] = 0.1
    after = swap(units, suit, 1.0)
    assert after[1, DENSE] > 0.0
    assert after[:, DENSE].sum() == pytest.approx(50.0)
    assert after[0, CAPTIVE] == pytest.approx(after[1, DENSE])


def test_a_fleet_that_serves_no_tokens_swaps_nothing():
    units = np.zeros((5, W))
    units[0, TRAINING] = 10.0
    np.testing.assert_array_equal(swap(units, np.ones((5, W)), 1.0), units)


@given(
    arrays(float, (5, W), elements=st.floats(1e-6, 1e6)),
    arrays(float, 5, elements=st.floats(10.0, 1e5)),
    st.floats(0.5, 4.0),
)
def test_the_chip_that_works_cheapest_suits_a_work_best(work, cost, sharpness):
    suit = suitability(work, cost, sharpness)
    merit = work / cost[:, None]
    assert ((suit >= 0.0) & (suit <= 1.0)).all()
    np.testing.assert_allclose(suit.max(axis=0), 1.0)
    for w in range(W):
        best = merit[:, w].argmax()
        assert suit[best, w] == pytest.approx(1.0)
        assume(len(set(merit[:, w])) == 5)
        assert (np.argsort(suit[:, w], kind="stable")[-1]) == best


@given(arrays(float, (3, 5, W), elements=holdings), arrays(float, (3, W), elements=works), suits, rates)
def test_fleets_move_their_chips_as_each_alone(units, expected, suit, rate):
    work = 1.0 + np.arange(5.0 * W).reshape(5, W)
    together = moved(units, expected, work, suit, rate, 0.6)
    for f in range(3):
        count, pool = units[f].sum(axis=0), (units[f] * work).sum(axis=0)
        whole = units[f].sum(axis=1) @ work / max(count.sum(), 1.0)
        speed = np.where(count > 0.0, pool / np.where(count > 0.0, count, 1.0), whole)
        needed = np.divide(expected[f], speed, out=np.zeros(W), where=speed > 0.0)
        level = max(0.6, needed.sum() / max(count.sum() * HOURS_PER_QUARTER, 1.0))
        alone = reassignment(units[f], needed, HOURS_PER_QUARTER * level, rate, suit)
        np.testing.assert_allclose(together[f], alone, rtol=1e-6, atol=1e-9 * (count.sum() + 1.0))
    after = swapped(units, suit, rate)
    for f in range(3):
        np.testing.assert_array_equal(after[f], swap(units[f], suit, rate))
