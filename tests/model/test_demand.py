"""Demand: nested logit against its formulas, and the compiled step against the double-precision reference."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from model import elementary
from model.demand import Choice, groups_of, new_portfolio, remap_portfolio, shares, step
from model.population import MOST_GROWTH

SINGLE = 2e-5  # relative: single precision, utilities of some tens over 1 - sigma2


def one_buyer(price, *, alpha=2.0, model=(0, 0, 1), sigma1=0.3, sigma2=0.8, h=0.0, home=-0.5) -> Choice:
    return shares([alpha], [1.0], h, [0.2, 0.1, 0.4], price, home, list(model), sigma1, sigma2)


class Population:
    """A small random population with its offers and state, ready for the compiled step."""

    def __init__(self, seed=0, enterprises=900, offers=11, models=5, segments=6, sort=True):
        rng = np.random.default_rng(seed)
        self.alpha = (1.3 + rng.gamma(2.0, 0.3, enterprises)).astype(np.float32)
        self.beta = rng.lognormal(0.0, 0.3, enterprises).astype(np.float32)
        self.nuisance = rng.lognormal(-2.0, 0.5, enterprises).astype(np.float32)
        self.weight = rng.lognormal(3.0, 1.0, enterprises).astype(np.float32)
        segment = rng.integers(0, segments, enterprises).astype(np.int32)
        self.segment = np.sort(segment) if sort else segment
        self.capability = 25.0 + rng.normal(0.0, 0.6, offers)
        self.price = rng.lognormal(0.0, 1.0, offers).astype(np.float32).astype(float)
        self.offset = (rng.normal(-26.0, 0.7, (segments, offers))).astype(np.float32)
        self.offset[rng.random((segments, offers)) < 0.15] = -np.inf
        self.model = rng.integers(10, 10 + models, offers)
        self.adoption = np.zeros(enterprises, np.float32)
        self.portfolio = new_portfolio(enterprises, offers)
        self.tokens = np.empty((segments, offers))
        self.volume = np.empty(enterprises, np.float32)
        self.adopters = np.empty(segments)

    def run(
        self, *, sigma1=0.3, sigma2=0.8, eta=0.6, reference=0.0, adoption_rate=1.0, portfolio_rate=1.0, **more
    ):
        step(
            self.alpha, self.beta, self.nuisance, self.weight, self.segment, self.capability, self.price,
            self.offset, self.model, sigma1, sigma2, eta, reference, adoption_rate, portfolio_rate,
            self.adoption, self.portfolio, self.tokens,
            adopters_out=self.adopters, volume_out=self.volume, **more,
        )  # fmt: skip

    def reference(self, *, sigma1=0.3, sigma2=0.8) -> Choice:
        return shares(
            self.alpha, self.beta, self.nuisance, self.capability, self.price, self.offset[self.segment],
            self.model, sigma1, sigma2,
        )  # fmt: skip


def test_without_nests_choice_is_plain_logit():
    choice = one_buyer([1.0, 0.5, 2.0], sigma1=0.0, sigma2=0.0)
    odds = [math.exp(c - 0.5) / p**2 for c, p in ((0.2, 1.0), (0.1, 0.5), (0.4, 2.0))]
    assert choice.share[0] == pytest.approx([x / (1 + sum(odds)) for x in odds], rel=1e-13)


def test_nested_choice_follows_its_formulas_by_hand():
    s1, s2, h = 0.3, 0.8, 0.05
    u = [c - 0.5 - 2.0 * math.log(p + h) for c, p in ((0.2, 1.0), (0.1, 0.9), (0.4, 1.1))]
    inner = [math.exp(x / (1 - s2)) for x in u]
    first, second = inner[0] + inner[1], inner[2]
    power = (1 - s2) / (1 - s1)
    whole = first**power + second**power
    adoption = whole ** (1 - s1) / (1 + whole ** (1 - s1))
    choice = one_buyer([1.0, 0.9, 1.1], h=h)
    assert choice.adoption[0] == pytest.approx(adoption, rel=1e-13)
    assert choice.log_inclusive[0] == pytest.approx(math.log(whole), rel=1e-12)
    assert choice.within_model[0] == pytest.approx([inner[0] / first, inner[1] / first, 1.0], rel=1e-12)
    assert choice.share[0, 0] == pytest.approx(adoption * first**power / whole * inner[0] / first, rel=1e-12)


def slope(of, price, moved, step_size=1e-5):
    """Derivative of ``of(choice)`` with respect to the log of the prices listed in ``moved``."""
    price = np.array(price)
    shift = np.zeros_like(price)
    shift[list(moved)] = step_size
    return (of(one_buyer(price * np.exp(shift))) - of(one_buyer(price * np.exp(-shift)))) / (2 * step_size)


def test_market_elasticity_is_alpha_times_the_outside_share():
    price = [1.0, 0.8, 1.3]
    expected = -2.0 * (1.0 - one_buyer(price).adoption[0])
    assert slope(lambda c: math.log(c.adoption[0]), price, (0, 1, 2)) == pytest.approx(expected, rel=1e-7)


def test_models_substitute_with_elasticity_alpha_over_one_less_sigma1():
    # the ratio of two models' shares answers their relative price; both hosts of the first model move
    ratio = slope(lambda c: math.log(c.share[0, 0] / c.share[0, 2]), [1.0, 0.8, 1.3], (0, 1))
    assert ratio == pytest.approx(-2.0 / (1.0 - 0.3), rel=1e-7)


def test_hosts_of_one_model_substitute_with_elasticity_alpha_over_one_less_sigma2():
    ratio = slope(lambda c: math.log(c.share[0, 0] / c.share[0, 1]), [1.0, 0.8, 1.3], (0,))
    assert ratio == pytest.approx(-2.0 / (1.0 - 0.8), rel=1e-6)


@pytest.mark.parametrize(("sigma1", "sigma2"), [(0.5, 0.4), (-0.1, 0.3), (0.3, 1.0)])
def test_nests_out_of_order_are_refused(sigma1, sigma2):
    with pytest.raises(ValueError, match="sigma1 <= sigma2"):
        one_buyer([1.0, 1.0, 1.0], sigma1=sigma1, sigma2=sigma2)


def test_an_unavailable_offer_is_never_chosen_and_a_buyer_without_offers_stays_outside():
    home = np.array([[0.0, -np.inf, 0.0], [-np.inf, -np.inf, -np.inf]])
    choice = shares([2.0, 2.0], [1.0, 1.0], 0.0, [0.0, 9.0, 0.0], [1.0, 1.0, 1.0], home, [0, 0, 1], 0.2, 0.5)
    assert choice.share[0, 1] == 0.0
    assert choice.within[0].sum() == pytest.approx(1.0)
    assert choice.adoption[1] == 0.0
    assert not choice.share[1].any()
    assert not choice.within[1].any()


@given(st.integers(0, 10_000), st.floats(0.0, 0.6), st.floats(0.0, 0.35), st.floats(0.7, 0.99))
def test_a_dearer_offer_loses_share_to_every_other_and_to_the_outside(seed, sigma1, more, cut):
    rng = np.random.default_rng(seed)
    arguments = (
        1.1 + rng.gamma(1.0, 1.0, 3), rng.lognormal(0.0, 0.3, 3),
        rng.lognormal(-2.0, 0.5, 3), rng.normal(0.0, 0.5, 5),
    )  # fmt: skip
    price, home, model = rng.lognormal(0.0, 0.7, 5), rng.normal(0.0, 0.5, (3, 5)), rng.integers(0, 3, 5)
    before = shares(*arguments, price, home, model, sigma1, sigma1 + more)
    price[2] *= cut
    after = shares(*arguments, price, home, model, sigma1, sigma1 + more)
    assert (after.share[:, 2] >= before.share[:, 2]).all()
    assert (np.delete(after.share, 2, axis=1) <= np.delete(before.share, 2, axis=1) * (1 + 1e-12)).all()
    assert (after.adoption >= before.adoption * (1 - 1e-12)).all()


@njit(error_model="numpy", fastmath={"contract"})
def log2_all(x, out):
    for k in range(x.size):
        out[k] = elementary.log2(x[k])


@njit(error_model="numpy", fastmath={"contract"})
def exp2_all(x, out):
    for k in range(x.size):
        out[k] = elementary.exp2(x[k])


def test_the_inline_logarithm_and_exponential_are_those_of_numpy():
    x = np.geomspace(1e-30, 1e30, 200_001).astype(np.float32)
    out = np.empty_like(x)
    log2_all(x, out)
    assert np.abs(out - np.log2(x.astype(float))).max() < 4e-6  # rounding of numbers near 100
    near = np.linspace(0.4, 3.0, 100_001).astype(np.float32)
    out = np.empty_like(near)
    log2_all(near, out)
    assert np.abs(out - np.log2(near.astype(float))).max() < 3e-7
    y = np.linspace(-100.0, 100.0, 200_001).astype(np.float32)
    out = np.empty_like(y)
    exp2_all(y, out)
    assert np.abs(out / np.exp2(y.astype(float)) - 1.0).max() < 3e-7


@pytest.mark.parametrize("sort", [True, False], ids=["sorted segments", "mixed segments"])
@pytest.mark.parametrize(("sigma1", "sigma2"), [(0.0, 0.0), (0.0, 0.7), (0.3, 0.3), (0.4, 0.9)])
def test_the_compiled_step_buys_what_the_reference_says(sigma1, sigma2, sort):
    world = Population(sort=sort)
    world.run(sigma1=sigma1, sigma2=sigma2, eta=0.6, reference=0.25)
    choice = world.reference(sigma1=sigma1, sigma2=sigma2)
    volume = world.weight * np.exp(0.6 * (1 - sigma1) / world.alpha * (choice.log_inclusive - 0.25))
    expected = np.zeros_like(world.tokens)
    np.add.at(expected, world.segment, volume[:, None] * choice.share)
    seen = choice.within > 1e-12
    np.testing.assert_allclose(world.adoption, choice.adoption, rtol=SINGLE)
    np.testing.assert_allclose(world.portfolio[seen], choice.within[seen], rtol=3 * SINGLE)
    np.testing.assert_allclose(world.volume, volume, rtol=SINGLE)
    np.testing.assert_allclose(world.tokens, expected, rtol=SINGLE, atol=1e-9 * expected.max())


def test_the_order_of_offers_does_not_matter():
    world, other = Population(seed=3), Population(seed=3)
    order = np.random.default_rng(1).permutation(11)
    other.capability, other.price, other.model = (
        other.capability[order],
        other.price[order],
        other.model[order],
    )
    other.offset = np.ascontiguousarray(other.offset[:, order])
    world.run()
    other.run()
    np.testing.assert_allclose(other.tokens, world.tokens[:, order], rtol=1e-5, atol=1e-9)


def test_the_same_quarter_gives_the_same_bytes():
    first, second = Population(seed=5), Population(seed=5)
    for world in (first, second):
        for _ in range(3):
            world.run(adoption_rate=0.2, portfolio_rate=0.3)
    assert first.tokens.tobytes() == second.tokens.tobytes()
    assert first.portfolio.tobytes() == second.portfolio.tobytes()
    assert first.adoption.tobytes() == second.adoption.tobytes()


def test_adoption_and_portfolios_move_by_their_own_rates():
    world = Population(seed=1)
    world.run()
    settled = world.portfolio.copy()
    world.price = world.price * np.linspace(0.5, 1.5, 11)
    before = world.adoption.copy()
    choice = world.reference()
    world.run(adoption_rate=0.1, portfolio_rate=0.4)
    np.testing.assert_allclose(world.adoption, before + 0.1 * (choice.adoption - before), rtol=SINGLE)
    np.testing.assert_allclose(world.portfolio, 0.6 * settled + 0.4 * choice.within, atol=SINGLE)


def test_inertia_delays_shares_but_the_long_run_is_the_target():
    world = Population(seed=2)
    for _ in range(200):
        world.run(adoption_rate=0.1, portfolio_rate=0.2)
    choice = world.reference()
    np.testing.assert_allclose(world.adoption, choice.adoption, rtol=5 * SINGLE)
    np.testing.assert_allclose(world.portfolio, choice.within, atol=5 * SINGLE)


def test_a_stationary_world_is_stationary():
    world = Population(seed=2)
    world.run()
    before = world.tokens.copy()
    world.run(adoption_rate=0.3, portfolio_rate=0.3)
    np.testing.assert_allclose(world.tokens, before, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 1000), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 0.6), st.floats(0.0, 0.35)
)
def test_portfolios_sum_to_one_and_adoption_stays_a_share(seed, adoption_rate, portfolio_rate, sigma1, more):
    world = Population(seed=seed, enterprises=60)
    for _ in range(3):
        world.run(
            sigma1=sigma1, sigma2=sigma1 + more, adoption_rate=adoption_rate, portfolio_rate=portfolio_rate
        )
    served = np.isfinite(world.offset[world.segment]).any(axis=1)
    assert np.abs(world.portfolio.sum(axis=1)[served] - 1.0).max() < 1e-6
    assert not world.portfolio[~served].any()
    assert (world.adoption >= 0.0).all()
    assert (world.adoption <= 1.0).all()
    assert np.isfinite(world.tokens).all()
    total = world.volume.astype(float) * world.adoption
    assert world.tokens.sum() == pytest.approx(float(total.sum()), rel=1e-5)


def test_without_any_offer_adoption_fades_and_nothing_is_bought():
    world = Population(seed=4)
    world.run()
    before = world.adoption.copy()
    gone = world.segment == 2
    world.offset[2] = -np.inf
    world.run(adoption_rate=0.25, portfolio_rate=0.5)
    np.testing.assert_allclose(world.adoption[gone], 0.75 * before[gone], rtol=1e-6)
    assert not world.tokens[2].any()
    assert not world.portfolio[gone].any()
    assert world.tokens[3].any()
    world.offset[2] = world.offset[3]
    world.run(adoption_rate=0.25, portfolio_rate=0.5)
    np.testing.assert_allclose(world.portfolio[gone], world.reference().within[gone], atol=SINGLE)


def test_an_offer_that_a_rule_takes_away_leaves_its_buyers_to_the_others():
    world = Population(seed=6)
    world.offset[1] = -26.0
    world.run()
    held = world.portfolio.copy()
    world.offset[1, 4] = -np.inf
    world.run(portfolio_rate=0.0)
    inside = world.segment == 1
    others = np.delete(held, 4, axis=1)[inside]
    assert not world.portfolio[inside, 4].any()
    expected = others / others.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.delete(world.portfolio, 4, axis=1)[inside], expected, rtol=1e-5)


def test_a_closed_column_is_shared_out_and_a_new_one_starts_empty():
    world = Population(seed=7, offers=4)
    world.offset[:] = -26.0
    world.run()
    moved = remap_portfolio(world.portfolio, [2, -1, 0, 1], 5)
    assert moved.shape == (900, 5)
    np.testing.assert_allclose(moved.sum(axis=1), 1.0, rtol=1e-6)
    assert not moved[:, 3:].any()
    kept = world.portfolio[:, 0] / (1.0 - world.portfolio[:, 1])
    np.testing.assert_allclose(moved[:, 2], kept, rtol=1e-5)


def test_whoever_held_only_closed_offers_starts_anew():
    portfolio = new_portfolio(2, 2)
    portfolio[:] = [[1.0, 0.0], [0.5, 0.5]]
    moved = remap_portfolio(portfolio, [-1, 0], 1)
    assert moved.tolist() == [[0.0], [1.0]]


@pytest.mark.parametrize("share", [1e-25, 1e-39, 1e-44])
@pytest.mark.parametrize("closed", [True, False])
def test_next_to_nothing_that_is_held_of_the_last_offer_is_no_infinite_portfolio(share, closed):
    """One over a share below the normal numbers does not fit into single precision."""
    world = Population(seed=2)
    world.portfolio[:, 0], world.portfolio[:, 1] = share, 1.0
    if closed:
        world.portfolio = remap_portfolio(world.portfolio, [0] + [-1] * 10, 11)
        assert set(np.unique(world.portfolio[:, 0])) == ({1.0} if share > 1e-30 else {0.0})
    world.offset[:, 0], world.offset[:, 1:] = -26.0, -np.inf
    world.run(portfolio_rate=0.3)
    assert (np.abs(world.portfolio[:, 0] - 1.0) < 1e-6).all()
    assert np.isfinite(world.tokens).all()


@pytest.mark.parametrize("mapping", [[0, 0, 1, 2], [0, 1, 2], [0, 1, 2, 9]])
def test_a_mapping_that_merges_or_loses_columns_is_refused(mapping):
    with pytest.raises(ValueError, match="a column of its own"):
        remap_portfolio(new_portfolio(3, 4), mapping, 4)


def test_volume_answers_the_price_level_with_elasticity_eta():
    world = Population(seed=8)
    world.nuisance[:] = 0.0
    world.run(eta=0.7)
    before = world.volume.astype(float)
    world.price = world.price * 0.8
    world.run(eta=0.7)
    np.testing.assert_allclose(np.log(world.volume / before), -0.7 * math.log(0.8), rtol=1e-3)


def test_volume_stays_finite_however_far_utility_has_come_since_the_reference():
    """Utility linear in price can gain hundreds when prices fall; consumption grows 2^40-fold at most."""
    world, known = Population(seed=8), Population(seed=8)
    known.run()
    world.run(reference=-1000.0)
    assert np.isfinite(world.tokens).all()
    at_most = world.weight.astype(float) * 2.0**MOST_GROWTH
    np.testing.assert_allclose(world.volume, at_most, rtol=1e-5)
    assert (world.tokens[known.tokens > 0.0] > known.tokens[known.tokens > 0.0]).all()


def test_each_segment_has_a_reference_of_its_own():
    world, others = Population(seed=9), [Population(seed=9) for _ in range(6)]
    by_segment = np.linspace(-1.0, 1.0, 6)
    world.run(reference=by_segment)
    for s, other in enumerate(others):
        other.run(reference=by_segment[s])
        assert world.tokens[s].tobytes() == other.tokens[s].tobytes()


def test_growth_of_a_segment_is_growth_of_its_enterprises_volume():
    world, other = Population(seed=9), Population(seed=9)
    growth = np.linspace(0.5, 2.0, 6).astype(np.float32)
    world.run(growth=growth)
    other.weight = other.weight * growth[other.segment]
    other.run()
    assert world.tokens.tobytes() == other.tokens.tobytes()
    assert world.volume.tobytes() == other.volume.tobytes()


@pytest.mark.parametrize("linear_at", [None, 0.7])
@pytest.mark.parametrize("enterprises", [6, 90, 900])
def test_segments_buy_alike_in_one_block_and_each_alone(enterprises, linear_at):
    """Six segments, the first three and the last three of one reach, share blocks; alone none does."""
    world = Population(seed=12, enterprises=enterprises)
    world.segment = np.sort(np.arange(enterprises, dtype=np.int32) % 6)
    world.offset[:] = np.random.default_rng(0).normal(-26.0, 0.7, (6, 11))
    world.offset[:3, [2, 7]] = world.offset[3:, [0, 7, 8]] = -np.inf
    apart = [copy.deepcopy(world) for _ in range(6)]
    for _ in range(3):
        world.run(adoption_rate=0.4, portfolio_rate=0.3, linear_at=linear_at)
        for s, alone in enumerate(apart):
            alone.offset[np.arange(6) != s] = -np.inf
            alone.run(adoption_rate=0.4, portfolio_rate=0.3, linear_at=linear_at)
            mine = world.segment == s
            assert alone.portfolio[mine].tobytes() == world.portfolio[mine].tobytes()
            assert alone.adoption[mine].tobytes() == world.adoption[mine].tobytes()
            np.testing.assert_allclose(alone.tokens[s], world.tokens[s], rtol=1e-12)


def test_adopters_count_the_real_firms_behind_each_enterprise():
    world = Population(seed=10)
    firms = np.random.default_rng(0).integers(1, 500, 900).astype(np.float32)
    world.run(firms=firms)
    expected = np.bincount(world.segment, weights=firms * world.adoption.astype(float), minlength=6)
    np.testing.assert_allclose(world.adopters, expected, rtol=1e-6)


def test_wrong_arrays_are_refused_with_the_mend():
    world = Population()
    world.portfolio = np.zeros((900, 11), np.float32)
    with pytest.raises(ValueError, match="new_portfolio"):
        world.run()
    world = Population()
    world.segment = world.segment + np.int32(1)
    with pytest.raises(ValueError, match="segment must lie in"):
        world.run()
    world = Population()
    with pytest.raises(ValueError, match="reference_log_inclusive"):
        world.run(reference=[0.0, 1.0])
    world.tokens = np.empty((2, 2))
    with pytest.raises(ValueError, match="tokens_out"):
        world.run()


@pytest.mark.parametrize("labels", [[3, 1, 3], [0, 2, 2], [1, 2, 1], ["b", "a", "b"], [0, 1, 1], []])
def test_models_are_numbered_from_nought_without_gaps_in_the_order_of_their_labels(labels):
    order = sorted(set(labels))
    assert groups_of(labels).tolist() == [order.index(label) for label in labels]
