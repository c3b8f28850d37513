"""Vendors: launches, sizes, openness, and leaving."""

import copy
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.vendor import (
    architectures,
    decide_architecture,
    decide_launch,
    decide_openness,
    decide_size,
)
from model.parameters import Parameters
from model.serving import Architecture

LAST = "2025Q4"

capabilities = st.floats(22.0, 30.0)


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


shares, money = st.floats(0.0, 1.0), st.floats(0.0, 1e10)


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


def test_a_vendor_that_leaves_sells_nothing_more_and_its_open_weights_stay(small):
    world = small(last="2024Q4")
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


def test_a_flagship_of_the_facts_says_how_efficient_its_compute_was(market):
    """Capability is log10 of effective compute: of training compute times algorithmic efficiency."""
    vendor = copy.deepcopy(market).vendors["DeepSeek"]
    given = next(m for m in vendor.models if m.tier == "flagship")
    vendor.programme.flop, vendor.programme.efficiency = 1e24, 0.0
    vendor.launch_given(given)
    assert vendor.programme.efficiency == pytest.approx(given.capability - 24.0)
