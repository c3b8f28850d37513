"""Clouds: what they expect, which models they host, how racks are cooled and wired, whom they join."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cloud import (
    decide_consortium,
    decide_cooling,
    decide_hosting,
    decide_network,
)
from model.parameters import Parameters
from model.place import CAPTIVE, PURPOSES, TRAINING

LAST = "2023Q4"

P = Parameters.resolve({})
values = st.lists(st.one_of(st.floats(-50.0, 50.0), st.just(-np.inf)), min_size=1, max_size=8)


@given(values, st.integers(1, 5), st.floats(0.0, 2.0), st.randoms())
def test_a_cloud_hosts_what_it_can_serve_up_to_its_slots(value, slots, loyalty, random):
    hosted = np.array([random.random() < 0.5 for _ in value])
    chosen = decide_hosting(np.array(value), hosted, slots, loyalty)
    able = np.isfinite(value)
    assert not (chosen & ~able).any()
    assert chosen.sum() == min(slots, able.sum())
    best_left_out = max(
        (v + loyalty * h for v, h, c in zip(value, hosted, chosen, strict=True) if not c), default=-np.inf
    )
    worst_taken = min(
        (v + loyalty * h for v, h, c in zip(value, hosted, chosen, strict=True) if c), default=np.inf
    )
    assert worst_taken >= best_left_out


def test_loyalty_keeps_a_model_that_is_slightly_worse_and_no_longer():
    running = np.array([True, False])
    assert decide_hosting(np.array([1.0, 1.2]), running, 1, loyalty=0.3).tolist() == [True, False]
    assert decide_hosting(np.array([1.0, 1.4]), running, 1, loyalty=0.3).tolist() == [False, True]


@given(st.floats(1.0, 200.0), st.floats(1.0, 200.0), st.floats(15.0, 40.0), st.floats(2.0, 15.0))
def test_denser_racks_are_cooled_by_liquid_more_often(one, other, limit, width):
    thin, dense = sorted((one, other))
    assert 0.0 <= decide_cooling(thin, limit, width) <= decide_cooling(dense, limit, width) <= 1.0
    assert decide_cooling(limit, limit, width) == pytest.approx(0.5)


@given(st.floats(0.0, 2.0), st.floats(0.0, 2.0), st.floats(0.2, 1.5), st.floats(0.1, 1.0))
def test_ethernet_wins_where_infiniband_is_worth_less_than_it_costs(gain, more, premium, width):
    low, high = sorted((gain, more))
    assert decide_network(low, premium, width) >= decide_network(high, premium, width)
    assert decide_network(premium, premium, width) == pytest.approx(0.5)


def test_training_is_wired_with_infiniband_more_than_serving_is():
    training = decide_network(P.infiniband_gain_training, P.infiniband_premium, P.network_choice_width)
    serving = decide_network(P.infiniband_gain_inference, P.infiniband_premium, P.network_choice_width)
    assert training < 0.5 < serving


money = st.floats(0.0, 1e9)


@given(money, money, st.floats(-2.0, 2.0), money, money)
def test_a_dearer_model_of_ones_own_never_speaks_against_sharing(own, shared, gain, worth, more):
    if decide_consortium(own, shared, gain, worth):
        assert decide_consortium(own + more, shared, gain, worth)
    else:
        assert not decide_consortium(own, shared + more, gain, worth)


def test_a_cloud_shares_a_better_model_that_it_could_not_afford_alone():
    assert decide_consortium(own_cost=100.0, shared_cost=40.0, capability_gain=0.1, value_of_capability=50.0)
    assert not decide_consortium(
        own_cost=10.0, shared_cost=40.0, capability_gain=0.1, value_of_capability=50.0
    )
    assert decide_consortium(own_cost=10.0, shared_cost=40.0, capability_gain=1.0, value_of_capability=50.0)


def test_what_a_cloud_can_do_counts_what_is_on_its_way_and_what_will_have_retired(market):
    cloud = market.clouds["AWS"]
    fleet, p = cloud.fleet, market.parameters
    assert fleet.on_order().sum() > 0.0
    before = cloud.capacity()
    waiting = fleet.on_order()
    for orders in fleet.pipeline:
        orders[:] = 0.0
    try:
        alone = cloud.capacity()
        assert alone.sum() < before.sum()
        today = (fleet.units * market.outlook.work).sum(axis=0)[[TRAINING, CAPTIVE]]
        assert (today > 0.0).all()
        total = cloud.moved(fleet.units, cloud.forecast(), 0.5).sum(axis=1)
        np.testing.assert_allclose(total, fleet.units.sum(axis=1), rtol=1e-9)
        assert (cloud.moved(fleet.units, cloud.forecast(), 0.5) >= 0.0).all()
        assert 0.0 < p.retirement_rate < 1.0
    finally:
        fleet.pipeline[-1][:] = waiting


def test_a_maker_earns_qualification_with_its_deliveries_and_never_more_than_all(market):
    cloud = market.clouds["Tencent"]
    known = dict(cloud.qualification)
    cloud.qualification = {}
    start = market.parameters.qualification_start
    try:
        for _ in range(200):
            cloud.qualify({"NVIDIA": 900.0, "Cambricon": 100.0, "AMD": 0.0})
        assert 0.99 < cloud.qualification["NVIDIA"] <= 1.0
        assert cloud.qualification["AMD"] == start
        cloud.qualification = {}
        cloud.qualify({"NVIDIA": 900.0, "Cambricon": 100.0, "AMD": 0.0})
        assert cloud.qualification["NVIDIA"] > cloud.qualification["Cambricon"] > start
    finally:
        cloud.qualification = known


def test_makers_in_favour_are_qualified_rare_in_the_fleet_and_safe(market):
    cloud, makers = market.clouds["Alibaba"], ["NVIDIA", "AMD", "Huawei Ascend"]
    cloud.qualification, known = dict.fromkeys(makers, 0.5), cloud.qualification
    try:
        equal = dict(zip(makers, cloud.tastes(makers), strict=True))
        assert equal["Huawei Ascend"] > equal["NVIDIA"]  # its supply hangs on nobody's rules, and it is rare
        cloud.qualification["AMD"] = 1.0
        assert dict(zip(makers, cloud.tastes(makers), strict=True))["AMD"] > equal["AMD"]
    finally:
        cloud.qualification = known


def test_racks_of_an_installation_hold_its_chips_and_cost_money(market):
    cloud = market.clouds["GCP"]
    fleet = cloud.fleet
    racks, ports = fleet.racks.copy(), fleet.ports.copy()
    try:
        delivered = np.zeros_like(fleet.units)
        delivered[market.chip_index["H100"], TRAINING] = 320.0
        price = np.array([chip.price for chip in market.catalogue.chips])
        cost = cloud.install(delivered, price)
        p = market.parameters
        assert cost > 320.0 * price[market.chip_index["H100"]] * p.server_share
        assert (fleet.ports - ports).sum() == pytest.approx(320.0)
        added = (fleet.racks - racks).sum()
        assert added >= 320.0 / p.chips_per_rack * (1.0 - 1e-9)
        assert ((fleet.racks - racks)[[w for w in range(len(PURPOSES)) if w != TRAINING]] == 0.0).all()
    finally:
        fleet.racks, fleet.ports = racks, ports
