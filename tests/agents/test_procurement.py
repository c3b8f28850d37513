"""Buying chips: how orders spread over chips and makers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.procurement import ChipNeeds, decide_chips
from model.parameters import Parameters
from model.place import DENSE

P = Parameters.resolve({})
prices = st.floats(500.0, 50_000.0)


def needs(value: list[float], maker: list[int], opex: float = 4000.0, need: float = 1e6) -> ChipNeeds:
    """One buyer with one purpose; ``value`` is what the work of each chip is worth over its life, USD."""
    chips = len(value)
    with np.errstate(divide="ignore"):
        home = P.chip_alpha * np.log(np.array([value]))
    return ChipNeeds(
        buyer=np.array([0]),
        purpose=np.array([DENSE]),
        chips=np.arange(chips),
        maker=np.array(maker),
        need=np.array([need]),
        home=home,
        opex=np.full((1, chips), opex),
        units_per_work=np.full((1, chips), 0.01),
        worth=np.array([value]),
    )


def by_chip(table: ChipNeeds, price: list[float], **overrides: float) -> np.ndarray:
    p = Parameters.resolve(overrides) if overrides else P
    return np.asarray(decide_chips(table, np.array(price, dtype=float), p)[0])


@given(st.lists(prices, min_size=3, max_size=3))
def test_orders_never_exceed_the_work_to_be_done(price):
    table = needs([20_000.0, 20_000.0, 30_000.0], [0, 0, 1])
    units = by_chip(table, price)
    assert (units >= 0.0).all()
    assert (units / 0.01).sum() <= 1e6 * (1.0 + 1e-12)


@given(st.lists(prices, min_size=3, max_size=3), st.floats(1.01, 3.0))
def test_a_dearer_chip_is_ordered_less_and_the_others_no_less(price, factor):
    table = needs([20_000.0, 20_000.0, 30_000.0], [0, 0, 1])
    before = by_chip(table, price)
    after = by_chip(table, [price[0] * factor, *price[1:]])
    assert after[0] < before[0]
    assert (after[1:] >= before[1:] * (1.0 - 1e-12)).all()


def test_identical_chips_of_identical_makers_get_equal_shares():
    units = by_chip(needs([20_000.0] * 4, [0, 1, 2, 3]), [10_000.0] * 4)
    np.testing.assert_allclose(units, units[0])


def test_one_more_chip_in_a_range_does_not_win_its_maker_another_share():
    two = by_chip(needs([20_000.0, 20_000.0], [0, 1]), [10_000.0] * 2)
    three = by_chip(needs([20_000.0] * 3, [0, 0, 1]), [10_000.0] * 3)
    before = two[0] / two.sum()
    after = three[:2].sum() / three.sum()
    assert before == pytest.approx(0.5)
    # Without nests it would be two thirds; the closer substitutes a maker's own chips are, the less.
    assert before < after < 2.0 / 3.0
    close = by_chip(needs([20_000.0] * 3, [0, 0, 1]), [10_000.0] * 3, chip_sigma2=0.9)
    assert close[:2].sum() / close.sum() < after


def test_a_chip_that_may_not_be_bought_is_not_ordered_and_its_share_goes_to_others():
    free = by_chip(needs([20_000.0, 20_000.0, 20_000.0], [0, 1, 2]), [10_000.0] * 3)
    barred = by_chip(needs([0.0, 20_000.0, 20_000.0], [0, 1, 2]), [10_000.0] * 3)
    assert barred[0] == 0.0
    assert (barred[1:] > free[1:]).all()


def test_lifting_rules_on_american_chips_never_lowers_their_share_at_given_prices():
    maker, price = [0, 0, 1, 2], [10_000.0, 12_000.0, 9_000.0, 5_000.0]
    barred = by_chip(needs([0.0, 15_000.0, 0.0, 18_000.0], maker), price)
    free = by_chip(needs([30_000.0, 15_000.0, 25_000.0, 18_000.0], maker), price)
    assert free[:3].sum() / free.sum() > barred[:3].sum() / barred.sum()


def test_dear_chips_make_buyers_wait():
    cheap = by_chip(needs([20_000.0], [0]), [5_000.0])
    dear = by_chip(needs([20_000.0], [0]), [50_000.0])
    assert dear[0] < 0.2 * cheap[0]


def test_without_needs_nothing_is_ordered():
    nobody = np.zeros(0, int)
    none = ChipNeeds(
        nobody, nobody, np.arange(2), np.array([0, 1]), np.zeros(0), *(np.zeros((0, 2)) for _ in range(4))
    )
    assert decide_chips(none, np.array([1.0, 2.0]), P).shape == (0, 2)
