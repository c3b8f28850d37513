"""Tests of model/indices.py: hand-computed cases and the identities that price indices must obey."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import indices

FACTOR = 0.37
QUARTERS = 4


def tidy(seed=1, offers=6, quarters=QUARTERS):
    """Random matched offers: quarter, offer, price, tokens, capability, one row an offer and quarter."""
    rng = np.random.default_rng(seed)
    when = np.repeat(np.arange(quarters), offers)
    ids = np.tile(np.arange(offers) * 7, quarters)
    price = np.exp(rng.normal(0.0, 1.0, when.size))
    tokens = np.exp(rng.normal(3.0, 1.0, when.size))
    capability = np.tile(24.0 + rng.normal(0.0, 1.0, offers), quarters)
    return when, ids, price, tokens, capability


def chained_fisher(when, ids, price, tokens, quarters):
    return indices.chained_fisher(indices.panel(when, ids, price, tokens, price, quarters))


def fixed_basket(when, ids, price, tokens, base, quarters):
    return indices.fixed_basket(indices.panel(when, ids, price, tokens, price, quarters), base)


def chained_hedonic(when, ids, price, tokens, capability, quarters):
    return indices.chained_hedonic(indices.panel(when, ids, price, tokens, capability, quarters))


def constant_quality(when, region, price, capability, reference, quarters, regions):
    panel = indices.panel(when, range(len(when)), price, price, capability, quarters)
    return indices.constant_quality(panel, region, reference, regions)


def test_unit_value_is_revenue_over_tokens():
    assert indices.unit_value([2.0, 10.0], [30.0, 10.0]) == pytest.approx(4.0)
    assert math.isnan(indices.unit_value([2.0], [0.0]))
    assert math.isnan(indices.unit_value([], []))


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_no_index_depends_on_the_unit_of_tokens(unit):
    when, ids, price, tokens, capability = tidy()
    for index in (
        lambda tokens: indices.unit_value(price, tokens),
        lambda tokens: chained_fisher(when, ids, price, tokens, QUARTERS),
        lambda tokens: fixed_basket(when, ids, price, tokens, 1, QUARTERS),
        lambda tokens: chained_hedonic(when, ids, price, tokens, capability, QUARTERS),
    ):
        np.testing.assert_allclose(index(unit * tokens), index(tokens), rtol=1e-9)


def test_a_shift_to_cheap_models_lowers_the_unit_value_and_no_matched_index():
    price, before, after = [10.0, 1.0], [9.0, 1.0], [1.0, 9.0]
    assert indices.unit_value(price, after) < indices.unit_value(price, before)
    assert indices.fisher(price, before, price, after) == 1.0


def test_fisher_of_two_offers_by_hand():
    # Laspeyres (1*10 + 4*5)/(2*10 + 5*5) = 30/45, Paasche (1*20 + 4*5)/(2*20 + 5*5) = 40/65.
    old, new, q0, q1 = [2.0, 5.0], [1.0, 4.0], [10.0, 5.0], [20.0, 5.0]
    assert indices.laspeyres(old, new, q0) == pytest.approx(30.0 / 45.0)
    assert indices.paasche(old, new, q1) == pytest.approx(40.0 / 65.0)
    assert indices.fisher(old, q0, new, q1) == pytest.approx(math.sqrt(30.0 / 45.0 * 40.0 / 65.0))


positive = st.floats(0.01, 100.0)
market = st.lists(st.tuples(positive, positive, positive, positive), min_size=1, max_size=8)


@settings(deadline=None, derandomize=True)
@given(market)
def test_fisher_lies_between_laspeyres_and_paasche(rows):
    p0, q0, p1, q1 = np.array(rows).T
    bounds = sorted([indices.laspeyres(p0, p1, q0), indices.paasche(p0, p1, q1)])
    assert bounds[0] * (1.0 - 1e-12) <= indices.fisher(p0, q0, p1, q1) <= bounds[1] * (1.0 + 1e-12)


@settings(deadline=None, derandomize=True)
@given(market)
def test_fisher_backwards_undoes_fisher_forwards(rows):
    p0, q0, p1, q1 = np.array(rows).T
    assert indices.fisher(p0, q0, p1, q1) * indices.fisher(p1, q1, p0, q0) == pytest.approx(1.0)


@settings(deadline=None, derandomize=True)
@given(market, st.floats(0.01, 10.0))
def test_proportional_change_of_all_prices_is_the_change_of_each_pair_index(rows, factor):
    p0, q0, quality, q1 = np.array(rows).T
    assert indices.laspeyres(p0, factor * p0, q0) == pytest.approx(factor)
    assert indices.paasche(p0, factor * p0, q1) == pytest.approx(factor)
    assert indices.fisher(p0, q0, factor * p0, q1) == pytest.approx(factor)
    assert indices.hedonic_factor(p0, q0, quality, factor * p0, q0, quality) == pytest.approx(factor)
    assert indices.unit_value(factor * p0, q0) == pytest.approx(factor * indices.unit_value(p0, q0))
    assert indices.dispersion(factor * p0) == pytest.approx(indices.dispersion(p0), abs=1e-9)


def test_proportional_decline_gives_the_same_path_in_every_index_over_time():
    when, ids, price, tokens, capability = tidy()
    base_price = price[: price.size // QUARTERS]
    falling = np.tile(base_price, QUARTERS) * FACTOR**when
    path = FACTOR ** np.arange(QUARTERS)
    np.testing.assert_allclose(chained_fisher(when, ids, falling, tokens, QUARTERS), path)
    np.testing.assert_allclose(fixed_basket(when, ids, falling, tokens, [0], QUARTERS), path)
    same_tokens = np.tile(tokens[: base_price.size], QUARTERS)
    hedonic = chained_hedonic(when, ids, falling, same_tokens, capability, QUARTERS)
    np.testing.assert_allclose(hedonic, path)
    lowest = constant_quality(when, ids % 2, falling, capability, capability.min(), QUARTERS, 2)
    np.testing.assert_allclose(indices.constant_quality_index(lowest), path)


def test_no_index_depends_on_the_order_of_its_rows():
    when, ids, price, tokens, capability = tidy()
    for seed in range(5):
        o = np.random.default_rng(seed).permutation(when.size)
        for one, other in (
            (
                chained_fisher(when, ids, price, tokens, QUARTERS),
                chained_fisher(when[o], ids[o], price[o], tokens[o], QUARTERS),
            ),
            (
                fixed_basket(when, ids, price, tokens, [1, 2], QUARTERS),
                fixed_basket(when[o], ids[o], price[o], tokens[o], [1, 2], QUARTERS),
            ),
            (
                chained_hedonic(when, ids, price, tokens, capability, QUARTERS),
                chained_hedonic(when[o], ids[o], price[o], tokens[o], capability[o], QUARTERS),
            ),
            (
                constant_quality(when, ids % 2, price, capability, 24.0, QUARTERS, 2),
                constant_quality(when[o], ids[o] % 2, price[o], capability[o], 24.0, QUARTERS, 2),
            ),
        ):
            np.testing.assert_array_equal(one, other)


def test_the_fixed_basket_weighs_offers_by_what_was_bought_in_the_base():
    # Base: 10 of A at 2 and 30 of B at 1, worth 50. Then A at 1 and B at 1: 40.
    when, ids = [0, 0, 1, 1], [5, 9, 5, 9]
    index = fixed_basket(when, ids, [2.0, 1.0, 1.0, 1.0], [10.0, 30.0, 99.0, 1.0], [0], 2)
    np.testing.assert_allclose(index, [1.0, 0.8])


def test_an_offer_that_leaves_is_carried_at_its_last_price_and_one_not_yet_there_at_its_first():
    # Base quarter 1: 10 of A at 2, 10 of B at 4. A leaves after it; B enters in it.
    when, ids = [0, 1, 1, 2], [1, 1, 2, 2]
    index = fixed_basket(when, ids, [3.0, 2.0, 4.0, 1.0], [5.0, 10.0, 10.0, 10.0], [1], 3)
    np.testing.assert_allclose(index, [70.0 / 60.0, 1.0, 30.0 / 60.0])


def test_a_basket_of_which_nothing_is_on_sale_has_no_price():
    # A leaves after quarter 1 and B after quarter 2; C was never in the basket; B comes back in quarter 4.
    when, ids = [0, 0, 1, 1, 2, 3, 4], [1, 2, 1, 2, 2, 3, 2]
    price = [2.0, 2.0, 2.0, 1.0, 1.0, 9.0, 3.0]
    index = fixed_basket(when, ids, price, [10.0] * 7, [0], 6)
    np.testing.assert_allclose(index, [1.0, 0.75, 0.75, np.nan, 1.25, np.nan])


def test_the_pooled_base_has_level_one():
    # Two base quarters: 10 at 3 and 30 at 1 cost 60 for a basket of 40, unit value 1.5.
    index = fixed_basket([0, 1, 2], [1, 1, 1], [3.0, 1.0, 0.75], [10.0, 30.0, 50.0], [0, 1], 3)
    np.testing.assert_allclose(index, [2.0, 1.0 / 1.5, 0.5])
    np.testing.assert_allclose(indices.rebase([1.0, 0.5, 0.25], [0, 1]), [4.0 / 3.0, 2.0 / 3.0, 1.0 / 3.0])


def test_a_base_without_sales_has_no_index():
    assert np.isnan(fixed_basket([0, 1], [1, 1], [1.0, 2.0], [0.0, 5.0], [0], 2)).all()


def test_a_new_cheap_model_does_not_move_the_matched_index_in_the_quarter_of_its_entry():
    when, ids = [0, 1, 1, 2, 2], [1, 1, 2, 1, 2]
    price, tokens = [10.0, 10.0, 1.0, 10.0, 0.5], [5.0, 5.0, 50.0, 1.0, 50.0]
    index = chained_fisher(when, ids, price, tokens, 3)
    assert index[1] == 1.0
    assert index[2] == pytest.approx(indices.fisher([10.0, 1.0], [5.0, 50.0], [10.0, 0.5], [1.0, 50.0]))


def test_a_chain_starts_with_the_first_sale_and_ends_where_nothing_matches():
    index = chained_fisher([1, 2, 3], [1, 1, 2], [4.0, 2.0, 1.0], [1.0, 1.0, 1.0], 4)
    assert math.isnan(index[0])
    np.testing.assert_allclose(index[1:3], [1.0, 0.5])
    assert math.isnan(index[3])
    assert np.isnan(chained_fisher([], [], [], [], 2)).all()


def test_a_panel_of_some_rows_is_the_panel_of_these_rows_alone():
    when, ids, price, tokens, capability = tidy()
    kept = np.random.default_rng(3).random(when.size) < 0.7
    order = np.random.default_rng(4).permutation(when.size)
    whole = indices.panel(when[order], ids[order], price[order], tokens[order], capability[order], QUARTERS)
    part = whole.of(kept[order][whole.order])
    alone = indices.panel(when[kept], ids[kept], price[kept], tokens[kept], capability[kept], QUARTERS)
    for index in (indices.chained_fisher, indices.chained_hedonic, lambda of: indices.fixed_basket(of, [1])):
        np.testing.assert_array_equal(index(part), index(alone))


def test_an_offer_listed_twice_in_a_quarter_is_refused():
    with pytest.raises(ValueError, match="offer 3 appears twice in quarter 1"):
        chained_fisher([0, 1, 1], [3, 3, 3], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0], 2)
    with pytest.raises(ValueError, match="twice"):
        fixed_basket([0, 0], [3, 3], [1.0, 1.0], [1.0, 1.0], [0], 1)


def test_hedonic_finds_the_fall_that_hides_behind_better_models():
    # ln price = -20 + 0.8 capability, then 40 % lower at every capability, with all models one unit better.
    capability = np.array([23.0, 24.0, 25.5])
    price0, price1 = np.exp(-20.0 + 0.8 * capability), 0.6 * np.exp(-20.0 + 0.8 * (capability + 1.0))
    assert indices.unit_value(price1, [1, 1, 1]) > indices.unit_value(price0, [1, 1, 1])
    found = indices.hedonic_factor(price0, [1, 2, 3], capability, price1, [3, 1, 2], capability + 1.0)
    assert found == pytest.approx(0.6)


def test_hedonic_is_the_time_dummy_of_weighted_least_squares():
    rng = np.random.default_rng(3)
    n0, n1 = 7, 9
    price, tokens = np.exp(rng.normal(size=n0 + n1)), np.exp(rng.normal(size=n0 + n1))
    capability = 24.0 + rng.normal(size=n0 + n1)
    late = np.arange(n0 + n1) >= n0
    weight = np.where(late, tokens / tokens[late].sum(), tokens / tokens[~late].sum())
    design = np.column_stack([np.ones(n0 + n1), capability, late])
    root = np.sqrt(weight)
    solution = np.linalg.lstsq(design * root[:, None], np.log(price) * root, rcond=None)[0]
    found = indices.hedonic_factor(
        price[~late], tokens[~late], capability[~late], price[late], tokens[late], capability[late]
    )
    assert found == pytest.approx(math.exp(solution[2]))


def test_hedonic_knows_when_price_and_quality_cannot_be_told_apart():
    assert math.isnan(indices.hedonic_factor([1.0], [1.0], [24.0], [2.0], [1.0], [25.0]))
    assert indices.hedonic_factor([1.0], [1.0], [24.0], [2.0], [1.0], [24.0]) == pytest.approx(2.0)
    assert math.isnan(indices.hedonic_factor([], [], [], [2.0], [1.0], [24.0]))
    assert math.isnan(indices.hedonic_factor([1.0], [0.0], [24.0], [2.0], [1.0], [24.0]))


def test_free_and_unsold_offers_do_not_enter_the_hedonic_regression():
    base = ([1.0, 3.0], [2.0, 1.0], [24.0, 25.0])
    later = ([0.5, 1.5], [2.0, 1.0], [24.0, 25.0])
    crowded = ([0.5, 1.5, 0.0, 9.0], [2.0, 1.0, 5.0, 0.0], [24.0, 25.0, 24.0, 20.0])
    assert indices.hedonic_factor(*base, *later) == pytest.approx(0.5)
    assert indices.hedonic_factor(*base, *crowded) == indices.hedonic_factor(*base, *later)


def test_constant_quality_takes_the_cheapest_offer_that_is_good_enough():
    assert indices.price_at_quality([0.1, 2.0, 5.0], [23.0, 24.0, 26.0], 24.0) == 2.0
    assert math.isnan(indices.price_at_quality([0.1], [23.0], 24.0))
    when, where = [0, 0, 1, 1, 1], [0, 1, 0, 0, 1]
    table = constant_quality(when, where, [4, 9, 3, 2, 1], [25, 25, 25, 24, 23], 24, 2, 2)
    np.testing.assert_array_equal(table, [[4.0, 9.0], [2.0, np.nan]])


def test_a_higher_reference_never_has_a_lower_price():
    when, ids, price, _, capability = tidy(offers=12)
    references = np.linspace(capability.min(), capability.max(), 9)
    tables = [constant_quality(when, ids % 2, price, capability, r, QUARTERS, 2) for r in references]
    for low, high in pairwise(tables):
        served = ~np.isnan(high)
        assert np.all(low[served] <= high[served])


def test_a_region_that_becomes_served_does_not_move_the_constant_quality_index():
    table = np.array([[np.nan, np.nan], [8.0, np.nan], [4.0, np.nan], [4.0, 1.0], [2.0, 1.0]])
    index = indices.constant_quality_index(table)
    assert math.isnan(index[0])
    np.testing.assert_allclose(index[1:], [1.0, 0.5, 0.5, 0.5 * 3.0 / 5.0])
    assert np.isnan(indices.constant_quality_index(np.full((2, 2), np.nan))).all()


def test_dispersion_is_the_deviation_of_log_prices_and_falls_to_nothing_as_regions_converge():
    assert indices.dispersion([1.0, math.e**2]) == pytest.approx(1.0)
    assert indices.dispersion([3.0, 3.0, 3.0]) == 0.0
    assert indices.dispersion([1.0, np.nan, 0.0, math.e**2]) == pytest.approx(1.0)
    assert math.isnan(indices.dispersion([np.nan]))
    apart = np.array([1.0, 2.0, 5.0, 9.0])
    spread = [indices.dispersion(apart**share) for share in (1.0, 0.5, 0.0)]
    assert spread == sorted(spread, reverse=True)
