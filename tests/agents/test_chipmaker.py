"""Chipmakers: capacity, its shadow price, the next chip, prices and software."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.chipmaker import (
    Progress,
    decide_capacity,
    decide_chip_prices,
    decide_next_chip,
    decide_scarcity,
    learn_to_make,
    mean_unit_costs,
    progress_of,
)
from agents.software import starting_maturity
from model.chip import GRADES
from model.parameters import Parameters
from model.place import DENSE, TRAINING
from model.pricing import buyers
from model.serving import ChipSpec

loads = st.floats(0.0, 1e6)
shares = st.floats(0.0, 1.0)
PROGRESS = Progress(tflops=1.6, bandwidth=1.4, memory=1.25, interconnect=1.3, power=1.2, cost=1.2)
H20 = ChipSpec("H20", "NVIDIA", "US", "2024Q1", 148.0, 296.0, 96.0, 4.0, 900.0, 400.0)


@given(st.floats(1.0, 1e7), loads, loads, st.floats(0.5, 1.0), shares)
def test_a_longer_order_book_never_means_less_capacity(capacity, load, more, target, growth):
    low, high = sorted((load, more))
    few = decide_capacity(capacity, low, target, growth)
    many = decide_capacity(capacity, high, target, growth)
    assert few <= many


@given(st.floats(1.0, 1e7), loads, st.floats(0.5, 1.0), shares)
def test_capacity_is_never_scrapped_and_grows_no_faster_than_foundries_allow(capacity, load, target, growth):
    after = decide_capacity(capacity, load, target, growth)
    assert capacity <= after <= capacity * math.exp(growth) * (1.0 + 1e-12)


def test_a_maker_builds_until_its_order_book_fills_the_target_load():
    assert decide_capacity(100.0, 0.99, target_load=0.9, fastest_growth=1.0) == pytest.approx(110.0)
    assert decide_capacity(100.0, 0.9, target_load=0.9, fastest_growth=1.0) == 100.0
    assert decide_capacity(100.0, math.inf, target_load=0.9, fastest_growth=math.log(2.0)) == pytest.approx(
        200.0
    )
    assert decide_capacity(0.0, 5.0, target_load=0.9, fastest_growth=1.0) == 0.0


@given(st.floats(0.0, 40.0), loads, loads, st.floats(0.01, 1.0), st.floats(1.0, 40.0))
def test_more_orders_never_make_capacity_less_scarce(scarcity, load, more, speed, ceiling):
    low, high = sorted((load, more))
    few, many = (decide_scarcity(scarcity, each, speed, ceiling) for each in (low, high))
    assert 0.0 <= few <= many <= ceiling


@given(st.floats(0.0, 10.0), st.floats(0.01, 1.0))
def test_scarcity_rises_with_excess_orders_and_falls_with_spare_capacity(scarcity, speed):
    assert decide_scarcity(scarcity, 2.0, speed, 100.0) > scarcity
    assert decide_scarcity(scarcity, 1.0, speed, 100.0) == pytest.approx(scarcity, abs=1e-12)
    assert decide_scarcity(scarcity + 0.1, 0.5, speed, 100.0) < scarcity + 0.1
    assert decide_scarcity(scarcity, 0.0, speed, 100.0) == 0.0


def test_a_maker_without_a_single_order_has_no_scarcity_left_to_charge_for():
    scarcity = 5.0
    for _ in range(200):
        scarcity = decide_scarcity(scarcity, 0.8, 0.3, 15.0)
    assert scarcity == 0.0


@given(st.floats(0.25, 5.0))
def test_the_next_chip_is_better_by_the_years_that_it_took(years):
    after = decide_next_chip(H20, years, PROGRESS, math.inf, "next", "2026Q1")
    assert after.bf16_tflops == pytest.approx(H20.bf16_tflops * PROGRESS.tflops**years)
    assert after.int8_tops / after.bf16_tflops == pytest.approx(H20.int8_tops / H20.bf16_tflops)
    assert after.memory_gb == pytest.approx(H20.memory_gb * PROGRESS.memory**years)
    assert after.bandwidth_tbs == pytest.approx(H20.bandwidth_tbs * PROGRESS.bandwidth**years)
    assert after.tdp_w == pytest.approx(H20.tdp_w * PROGRESS.power**years)
    assert (after.name, after.maker, after.release) == ("next", "NVIDIA", "2026Q1")


@given(st.floats(0.25, 5.0), st.floats(10.0, 2000.0))
def test_a_chip_made_for_a_restricted_market_stays_below_the_cap_while_its_memory_grows(years, cap):
    after = decide_next_chip(H20, years, PROGRESS, cap, "next", "2026Q1")
    # A cap below the chip on sale binds new chips at what is sold already.
    assert after.bf16_tflops <= max(cap, H20.bf16_tflops) * (1.0 + 1e-12)
    assert after.bf16_tflops >= H20.bf16_tflops
    assert after.memory_gb > H20.memory_gb and after.bandwidth_tbs > H20.bandwidth_tbs


def test_a_maker_prices_above_cost_and_charges_for_scarce_capacity():
    demand = buyers(
        np.full(2, 3.0), np.zeros(2), np.array([1.0, 2.0]), np.zeros(3), np.array([0, 0, 1]), 0.3, 0.6
    )
    price, stake = np.array([10.0, 10.0, 10.0]), np.array([[1.0, 1.0, 0.0]])
    setter, cost = np.array([0, 0, -1]), np.array([4.0, 4.0, 4.0])
    plenty = decide_chip_prices(demand, price, setter, cost, stake, 0.01)
    short = decide_chip_prices(demand, price, setter, 2.0 * cost, stake, 0.01)
    assert (plenty[:2] > 4.0).all()
    assert (short[:2] > plenty[:2]).all()
    assert plenty[2] == short[2] == 10.0


def test_software_matures_with_the_chips_that_are_installed(small):
    market = small()
    p = market.parameters
    for maker in market.chipmakers.values():
        maker.installed = 0.0
        first = maker.maturity(p)
        assert first[DENSE] == pytest.approx(starting_maturity(p, maker.name))
        assert first[TRAINING] <= first[DENSE]
        levels = []
        for installed in (1e4, 1e5, 1e6, 1e8):
            maker.installed = installed
            levels.append(maker.maturity(p)[DENSE])
        assert levels == sorted(levels) and levels[-1] <= 1.0
        assert levels[-1] > first[DENSE]
        still = Parameters.resolve({"domestic_learning": 0})
        learns = not maker.domestic
        assert (maker.maturity(still)[DENSE] > first[DENSE]) == learns


def test_chinese_makers_advance_at_the_pace_of_the_processes_open_to_them():
    p = Parameters.resolve({})
    here, there = progress_of(p, domestic=True), progress_of(p, domestic=False)
    assert (here.tflops, there.tflops) == (p.chip_tflops_growth_domestic, p.chip_tflops_growth)
    assert (here.bandwidth, there.bandwidth) == (p.chip_bandwidth_growth_domestic, p.chip_bandwidth_growth)
    assert (here.memory, there.memory) == (p.chip_memory_growth_domestic, p.chip_memory_growth)
    assert here.interconnect == there.interconnect and here.power == there.power


def test_nvidias_software_is_the_most_mature_at_the_start():
    p = Parameters.resolve({})
    others = ("AMD", "Huawei Ascend", "Cambricon", "Hygon", "Google TPU")
    assert all(starting_maturity(p, "NVIDIA") > starting_maturity(p, other) for other in others)


def test_capacity_costs_what_the_makers_own_chips_on_sale_cost_to_make(small):
    market = small(last="2024Q4")
    market.run()
    for maker, means in zip(market.chipmakers.values(), mean_unit_costs(market), strict=True):
        for grade, mean in zip(GRADES, means, strict=True):
            sold = [chip for chip in maker.chips if chip.until > market.t and chip.grade == grade]
            costs = [chip.unit_cost for chip in sold]
            assert mean == pytest.approx(np.mean(costs) if costs else 0.0)


def test_each_doubling_of_output_after_the_facts_cuts_unit_costs_by_the_learning_rate(small):
    market = small(domestic_learning=0.0)
    chips, p = market.catalogue.chips, market.parameters
    nvidia, ascend = (list(market.chipmakers).index(name) for name in ("NVIDIA", "Huawei Ascend"))
    market.t = market.facts_end
    for maker in market.chipmakers.values():
        maker.made = 1e6
    learn_to_make(market)
    np.testing.assert_array_equal(chips.unit_cost, chips.first_cost)
    market.t += 1
    for maker in market.chipmakers.values():
        maker.made = 4e6
    learn_to_make(market)
    of_nvidia, of_ascend = chips.maker == nvidia, chips.maker == ascend
    np.testing.assert_allclose(
        chips.unit_cost[of_nvidia], chips.first_cost[of_nvidia] * (1.0 - p.chip_learning_rate) ** 2
    )
    np.testing.assert_array_equal(chips.unit_cost[of_ascend], chips.first_cost[of_ascend])  # learning is off
