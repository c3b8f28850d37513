"""Vendors: research within their means, launches, sizes, openness and money."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.vendor import (
    Purse,
    RaiseTerms,
    architectures,
    decide_architecture,
    decide_draw,
    decide_foundation,
    decide_launch,
    decide_openness,
    decide_raise,
    decide_research,
    decide_size,
    growth_of_funding,
)
from model import calendar
from model.market import Market
from model.parameters import Parameters
from model.serving import Architecture
from model.setting import Setting

money = st.floats(0.0, 1e10)
signed = st.floats(-1e10, 1e10)
capabilities = st.floats(22.0, 30.0)
PURSE = Purse(reinvested=0.8, drawdown_quarters=8.0)


@given(money, signed, money, signed, st.floats(0.0, 1e9))
def test_research_stays_within_a_vendors_means_and_rises_with_each_of_them(plan, margin, support, cash, more):
    spent = decide_research(plan, margin, support, cash, PURSE)
    means = support + max(margin, 0.0) + max(cash, 0.0) / PURSE.drawdown_quarters
    assert 0.0 <= spent <= means * (1.0 + 1e-12)
    assert decide_research(plan + more, margin, support, cash, PURSE) >= spent
    assert decide_research(plan, margin + more, support, cash, PURSE) >= spent
    assert decide_research(plan, margin, support + more, cash, PURSE) >= spent
    assert decide_research(plan, margin, support, cash + more, PURSE) >= spent


def test_a_vendor_without_margin_owner_or_cash_does_no_research():
    assert decide_research(1e8, -5e6, 0.0, -1e6, PURSE) == 0.0
    assert decide_research(1e8, 0.0, 0.0, 8e6, PURSE) == pytest.approx(1e6)


@given(money, money, signed, signed)
def test_nobody_draws_more_than_was_committed_nor_more_than_the_plan_lacks(committed, plan, margin, cash):
    drawn = decide_draw(committed, plan, margin, cash, PURSE)
    assert 0.0 <= drawn <= committed
    own = margin + max(cash, 0.0) / PURSE.drawdown_quarters
    assert drawn <= max(plan - own, 0.0)


TERMS = RaiseTerms(runway=4.0, quarters=6.0, gap=0.8, appetite=1.0)


@given(signed, signed, money, st.floats(0.0, 2.0))
def test_investors_pay_only_a_vendor_that_is_short_and_near_the_frontier(cash, loss, plan, gap):
    raised = decide_raise(cash, loss, plan, gap, TERMS)
    assert raised in (0.0, TERMS.appetite * TERMS.quarters * plan)
    if loss <= 0.0 or gap > TERMS.gap or cash >= TERMS.runway * loss:
        assert raised == 0.0


def test_a_vendor_with_a_short_runway_raises_and_one_far_behind_cannot():
    assert decide_raise(cash=10.0, loss=5.0, plan=100.0, gap=0.1, terms=TERMS) == 600.0
    assert decide_raise(cash=30.0, loss=5.0, plan=100.0, gap=0.1, terms=TERMS) == 0.0
    assert decide_raise(cash=10.0, loss=5.0, plan=100.0, gap=0.9, terms=TERMS) == 0.0


@given(
    capabilities, capabilities, st.integers(0, 20), st.floats(0.1, 0.8), st.integers(1, 4), st.integers(4, 12)
)
def test_nothing_is_launched_that_is_no_better_than_what_is_on_sale(
    prospect, current, waited, step, shortest, longest
):
    launched = decide_launch(prospect, current, waited, step, shortest, longest)
    if prospect <= current or waited < shortest:
        assert not launched
    if launched:
        assert decide_launch(prospect + 1.0, current, waited, step, shortest, longest)
        assert decide_launch(prospect, current, waited + 1, step, shortest, longest)


def test_a_vendor_launches_for_a_step_or_when_its_product_is_old():
    assert decide_launch(25.3, 25.0, waited=2, step=0.3, shortest=2, longest=6)
    assert not decide_launch(25.2, 25.0, waited=3, step=0.3, shortest=2, longest=6)
    assert decide_launch(25.01, 25.0, waited=6, step=0.3, shortest=2, longest=6)


@given(st.floats(1.0, 2000.0))
def test_a_mixture_of_equal_quality_uses_less_and_holds_more(dense_b):
    p = Parameters.resolve({})
    dense, sparse = architectures(dense_b, p)
    assert not dense.sparse and sparse.sparse
    assert sparse.active_params_b < dense.active_params_b < sparse.total_params_b
    assert math.sqrt(sparse.active_params_b * sparse.total_params_b) == pytest.approx(dense_b)
    assert sparse.total_params_b / sparse.active_params_b == pytest.approx(p.sparsity_ratio)
    assert sparse.kv_bytes_per_token < dense.kv_bytes_per_token


def test_the_architecture_that_is_cheaper_on_the_fleet_is_built():
    dense, sparse = Architecture(70.0, 70.0, 3e5), Architecture(20.0, 240.0, 7e4, 0.5)
    assert decide_architecture(dense, sparse, dense_cost=2.0, sparse_cost=1.0) is sparse
    assert decide_architecture(dense, sparse, dense_cost=1.0, sparse_cost=2.0) is dense
    assert decide_architecture(dense, sparse, dense_cost=1.0, sparse_cost=1.0) is dense


tastes = st.floats(1.0, 5.0)


@given(tastes, tastes, tastes, st.floats(0.01, 0.1))
def test_vendors_overtrain_smaller_models_for_buyers_who_look_at_the_price(alpha, more, beta, penalty):
    low, high = sorted((alpha, more))
    few = decide_size(low, beta, penalty, optimum=20.0, most=2000.0)
    many = decide_size(high, beta, penalty, optimum=20.0, most=2000.0)
    assert 20.0 <= few <= many <= 2000.0


def test_the_size_of_a_model_balances_the_quality_lost_against_the_cost_of_serving():
    alpha, beta, penalty = 2.0, 5.0, 0.03

    def utility(ratio: float) -> float:
        lost = penalty * math.log(ratio / 20.0) ** 2
        return -beta * lost + alpha * 0.5 * math.log(ratio)

    best = decide_size(alpha, beta, penalty, optimum=20.0, most=1e9)
    assert all(utility(best) >= utility(best * factor) for factor in (0.5, 0.9, 0.99, 1.01, 1.1, 2.0))


shares = st.floats(0.0, 1.0)


@given(shares, st.floats(-1e9, 1e9), money, shares, shares, st.floats(0.01, 1.0))
def test_owners_who_gain_and_lagging_never_speak_against_opening(stance, margin, gain, lost, gap, more):
    if decide_openness(stance, margin, gain, lost, gap):
        assert decide_openness(stance + more, margin, gain, lost, gap)
        assert decide_openness(stance, margin, gain + 1e6, lost, gap)
        if margin > 0.0:
            assert decide_openness(stance, margin, gain, lost, gap + more)


def test_a_leader_that_lives_on_its_interface_stays_closed_and_one_that_sells_clouds_opens():
    assert not decide_openness(stance=0.0, own_margin=100.0, owners_gain=0.0, lost_share=0.5, gap=0.0)
    assert decide_openness(stance=0.0, own_margin=100.0, owners_gain=60.0, lost_share=0.5, gap=0.0)
    assert decide_openness(stance=0.0, own_margin=100.0, owners_gain=0.0, lost_share=0.5, gap=0.8)
    assert not decide_openness(stance=0.0, own_margin=0.0, owners_gain=0.0, lost_share=0.5, gap=0.8)


@given(st.integers(0, 6), money, money)
def test_a_foundation_takes_several_backers_to_whom_neutral_hosts_matter_more(backers, neutrality, control):
    assert decide_foundation(backers, neutrality, control) == (backers > 1 and neutrality > control)


@pytest.fixture(scope="module")
def market() -> Market:
    world = Market(Setting("x", Parameters.resolve({"enterprises": 60}), last="2025Q4"), seed=1)
    world.run()
    return world


def test_money_for_research_grows_at_its_rate_to_the_end_of_the_facts_and_fades_afterwards(market):
    now = market.t
    try:
        market.t = calendar.index("2023Q1")
        assert growth_of_funding(market) == pytest.approx(1.0)
        market.t = calendar.index("2024Q1")
        assert growth_of_funding(market) == pytest.approx(1.0 + market.parameters.funding_growth)
        levels = []
        for quarter in ("2025Q1", "2026Q1", "2027Q1", "2028Q1"):
            market.t = calendar.index(quarter)
            levels.append(growth_of_funding(market))
        growth = [later / sooner for sooner, later in pairwise(levels)]
        assert growth == sorted(growth, reverse=True) and growth[-1] > 1.0
    finally:
        market.t = now


def test_every_vendor_sells_a_flagship_and_a_small_model(market):
    for vendor in market.vendors.values():
        if vendor.active:
            assert {model.tier for model in vendor.models} == {"flagship", "small"}, vendor.name


def test_generations_are_numbered_and_get_better(market):
    decided = [model for model in market.catalogue.models.values() if not model.given]
    assert decided
    for model in decided:
        before = [
            m
            for m in market.catalogue.models.values()
            if (m.vendor, m.tier) == (model.vendor, model.tier) and m.number < model.number
        ]
        assert model.generation > max(m.generation for m in before)
        assert model.launched > market.facts_end
        if model.tier == "flagship":
            assert model.capability > max(m.capability for m in before)


def test_training_compute_adds_up_and_dates(market):
    vendor, p = market.vendors["DeepSeek"], market.parameters
    before = vendor.programme.flop
    try:
        vendor.train(1e24)
        after = vendor.programme.flop
        assert after == pytest.approx(before * p.training_carry_over + 1e24 * p.final_run_share)
        vendor.train(0.0)
        assert vendor.programme.flop == pytest.approx(after * p.training_carry_over)
    finally:
        vendor.programme.flop = before


def test_a_vendor_that_leaves_sells_nothing_more_and_its_open_weights_stay():
    world = Market(Setting("x", Parameters.resolve({"enterprises": 60}), last="2024Q4"), seed=1)
    while world.quarter != "2024Q2":
        world.step()
    deepseek, openai = world.vendors["DeepSeek"], world.vendors["OpenAI"]
    opened = {model.name for model in deepseek.models if model.open_weights}
    assert opened
    deepseek.leave()
    openai.leave()
    world.step()
    assert not any(o.seller == "OpenAI" or o.model.vendor == "OpenAI" for o in world.offers)
    assert not any(o.seller == "DeepSeek" for o in world.offers)
    assert {o.model.name for o in world.offers if o.model.vendor == "DeepSeek"} <= opened
    assert any(o.model.vendor == "DeepSeek" and o.served > 0.0 for o in world.offers)
    exits = world.frames()["events"].query("kind == 'exit'")
    assert set(exits["firm"]) == {"DeepSeek", "OpenAI"}
