"""Other forms of the mechanisms as agents use them: myopic sellers, plain and linear choice of chips, fixed expectations."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import procurement, rebate
from agents.seller import price_list
from model.place import FORMS
from tests.agents.test_procurement import P, by_chip, needs

FACTS = "2024Q4"


@pytest.fixture(scope="module")
def worlds(small):
    """The default and one with fixed expectations, half a year after the facts. Tests leave them as they find them."""
    pair = small(last="2025Q2"), small(last="2025Q2", adaptive_expectations=0.0)
    for world in pair:
        world.run()
    return pair


def costs(world) -> tuple[np.ndarray, np.ndarray]:
    """What sellers reckon with, and resource or transfer cost, of every line that can be served."""
    known = price_list(world).cost
    cost = world.offers.unit_cost
    served = np.isfinite(cost)
    return known[served], np.maximum(cost[served], world.parameters.price_floor_usd_per_mtok)


def test_a_myopic_seller_does_not_count_on_the_customers_who_stay(worlds):
    ahead = copy.deepcopy(worlds[0])
    reckoned, cost = costs(ahead)
    assert (reckoned <= cost * (1.0 + 1e-12)).all()
    assert (reckoned < 0.99 * cost).mean() > 0.3
    ahead.set_parameter("forward_prices", 0.0)
    myopic, same = costs(ahead)
    np.testing.assert_array_equal(same, cost)
    np.testing.assert_allclose(myopic, cost, rtol=1e-12)


def test_without_nests_one_more_chip_in_a_range_wins_its_maker_another_share():
    three = by_chip(needs([20_000.0] * 3, [0, 0, 1]), [10_000.0] * 3, nested_logit=0.0)
    assert three[:2].sum() / three.sum() == pytest.approx(2.0 / 3.0, rel=1e-12)


@given(st.floats(2_000.0, 30_000.0), st.floats(5_000.0, 60_000.0))
def test_under_linear_price_chips_are_chosen_by_surplus_over_value(price, value):
    opex = 4000.0
    units = by_chip(needs([value], [0], opex=opex), [price], log_price=0.0)
    # The work that is bought, at 0.01 units for a unit of work, of a need of 1e6.
    share = 1.0 / (1.0 + np.exp(-P.chip_alpha * (1.0 - (price + opex) / value)))
    assert units[0] == pytest.approx(1e6 * 0.01 * share, rel=1e-9)


def test_a_discount_is_worth_what_it_takes_off_the_price_under_linear_price_too(worlds):
    world = copy.deepcopy(worlds[0])
    world.set_parameter("log_price", 0.0)
    world.graph.permit("NVIDIA", "Alibaba", "chips", **{rebate.TERM: 0.25})
    world.interventions.rebates.add("NVIDIA")
    asked = procurement.chip_needs(world)
    alibaba = world.clouds["Alibaba"].fleet.number
    price, row = world.catalogue.chips.price[asked.chips], asked.buyer.tolist().index(alibaba)
    weighed = procurement.decide_chips(rebate.applied(world, asked), price, world.parameters)
    paid = procurement.decide_chips(
        asked, rebate.paid(world, world.catalogue.chips.price)[alibaba, asked.chips], world.parameters
    )
    posted = procurement.decide_chips(asked, price, world.parameters)
    np.testing.assert_allclose(weighed[row], paid[row], rtol=1e-9)
    assert not np.allclose(weighed[row], posted[row], rtol=1e-3)


def test_fixed_expectations_do_not_move_after_a_shock_and_adaptive_ones_do(worlds):
    for world, moves in zip(worlds, (True, False), strict=True):
        owners, p = world.owners, world.parameters
        before, seen = copy.deepcopy(owners.expect), owners.expect.level.copy()
        assert (seen > 0.0).any()
        planned = owners.expect.ahead(2, p.trend_damping)
        owners.observe(100.0 * seen, not p.adaptive_expectations, p)
        now = owners.expect.ahead(1, p.trend_damping)
        assert np.allclose(now, planned, rtol=1e-9) is not moves
        owners.expect = before


def test_of_work_that_is_new_a_fixed_expectation_keeps_the_first_sight(worlds):
    owners, p = worlds[1].owners, worlds[1].parameters
    before = copy.deepcopy(owners.expect)
    owners.expect.level[:, 0] = owners.expect.growth[:, 0] = 0.0
    for seen in (50.0, 70.0):
        owners.observe(np.full_like(owners.work, seen), True, p)
        assert owners.expect.level[:, 0] == pytest.approx(50.0)
        assert owners.expect.ahead(3, 0.85)[:, 0] == pytest.approx(50.0)
    owners.expect = before


def test_history_to_2024_is_the_same_whatever_is_expected_after_it(worlds):
    tables = [world.frames()["quarters"] for world in worlds]
    past = [frame[frame["quarter"] <= FACTS] for frame in tables]
    assert len(past[0]) == 8
    assert past[0].equals(past[1])
    assert not tables[0].equals(tables[1])


@pytest.mark.parametrize("name", [name for name in FORMS if name != "adaptive_expectations"])
def test_each_form_makes_a_difference_and_keeps_every_identity(small, name):
    # Identities of money, tokens and chips are checked in every quarter of the run.
    default, other = small(last="2023Q4"), small(last="2023Q4", **{name: 0.0})
    prices = [world.run()["quarters"]["price_usd_per_mtok"].to_numpy() for world in (default, other)]
    assert np.isfinite(prices[1]).all()
    assert not np.allclose(prices[0], prices[1], rtol=1e-3)
    np.testing.assert_array_equal(default.population.alpha, other.population.alpha)
