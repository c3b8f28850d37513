"""Clouds: what they expect, which models they host, how racks are cooled and wired, whom they join."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import cloud
from agents.cloud import (
    Owners,
    decide_consortium,
    decide_cooling,
    decide_hosting,
    decide_network,
)
from model.fleet import Fleets
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


def test_what_is_cooled_by_liquid_costs_the_premium_and_what_is_cooled_by_air_does_not():
    count, watts = np.zeros((2, 1, len(PURPOSES)))
    count[0, TRAINING], watts[0, TRAINING] = 100.0, 100.0 * 700.0

    def cost(premium):
        fleets = Fleets([("somebody", 0, "US")], 1)
        p = P.changed({"liquid_cooling_premium": premium})
        return float(cloud.install(fleets, count, watts, np.zeros_like(count), p)[0]), fleets.racks[
            0, TRAINING
        ]

    (plain, racks), (dear, _) = cost(0.2), cost(1.2)
    liquid = racks[1] / racks.sum()
    assert 0.1 < liquid < 0.9
    assert dear - plain == pytest.approx(100.0 * P.cooling_usd_per_chip * liquid)


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
    fleet, p = market.clouds["AWS"].fleet, market.parameters
    assert fleet.on_order().sum() > 0.0
    forecast = cloud.forecast(market)
    before = cloud.capacity(market, forecast)
    waiting = fleet.on_order()
    for orders in fleet.pipeline:
        orders[:] = 0.0
    try:
        alone = cloud.capacity(market, forecast)
        assert alone[fleet.number].sum() < before[fleet.number].sum()
        others = np.arange(len(alone)) != fleet.number
        np.testing.assert_array_equal(alone[others], before[others])
        today = (fleet.units * market.outlook.work).sum(axis=0)[[TRAINING, CAPTIVE]]
        assert (today > 0.0).all()
        assert 0.0 < p.retirement_rate < 1.0
    finally:
        fleet.pipeline[-1][:] = waiting


def test_a_maker_earns_qualification_with_its_deliveries_and_never_more_than_all(market):
    p = market.parameters
    delivered = np.array([[900.0, 100.0, 0.0], [0.0, 0.0, 0.0]])
    owners = Owners(2, 3)
    owners.qualify(delivered, p)
    much, little, none = owners.qualified(p)[0]
    assert much > little > none == p.qualification_start
    for _ in range(200):
        owners.qualify(delivered, p)
    much, _, none = owners.qualified(p)[0]
    assert 0.99 < much <= 1.0
    assert none == p.qualification_start
    assert np.isnan(owners.qualification[1]).all()  # who got nothing has learnt nothing


def test_makers_in_favour_are_qualified_rare_in_the_fleet_and_safe(market):
    alibaba, makers = market.clouds["Alibaba"].fleet.number, list(market.chipmakers)
    nvidia, amd, ascend = (makers.index(name) for name in ("NVIDIA", "AMD", "Huawei Ascend"))
    known = market.owners.qualification.copy()
    try:
        market.owners.qualification[:] = 0.5
        equal = cloud.tastes(market)[alibaba]
        assert equal[ascend] > equal[nvidia]  # its supply hangs on nobody's rules, and it is rare
        market.owners.qualification[alibaba, amd] = 1.0
        assert cloud.tastes(market)[alibaba, amd] > equal[amd]
    finally:
        market.owners.qualification[:] = known


def test_racks_of_an_installation_hold_its_chips_and_cost_money(market):
    p, h100 = market.parameters, market.chip_index["H100"]
    fleets = Fleets((("GCP", 0, "US"), ("AWS", 0, "US")), len(market.catalogue.chips))
    count = np.zeros((2, len(PURPOSES)))
    count[0, TRAINING] = 320.0
    price = market.catalogue.chips[h100].price
    watts = count * market.catalogue.chips[h100].spec.tdp_w
    cost = cloud.install(fleets, count, watts, count * price, p)
    assert cost[0] > 320.0 * price * p.server_share
    assert fleets.ports.sum() == pytest.approx(320.0)
    assert fleets.racks.sum() >= 320.0 / p.chips_per_rack * (1.0 - 1e-9)
    assert fleets.racks[0, TRAINING].sum() == fleets.racks.sum()
    assert cost[1] == 0.0


def test_what_rounding_leaves_of_an_owners_own_work_is_no_work_of_customers(small):
    market = small()
    for rounding in (0.0, 1e-13):
        market.owners.work[:] = market.captive.now() * (1.0 + rounding)
        market.owners.expect.level[:] = 1e6
        cloud.learn(market)
        assert not market.owners.expect.level.any()
    market.owners.work[:] = market.captive.now() * 1.01
    cloud.learn(market)
    assert (market.owners.expect.level > 0.0).any()
