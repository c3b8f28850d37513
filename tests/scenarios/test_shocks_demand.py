"""Shocks to work and its costs: swings of demand, the price of power."""

from __future__ import annotations

import numpy as np
import pytest

from agents.intervention import Swing
from scenarios.shocks import DemandSwing, PowerPrice
from tests.scenarios.branches import branch

QUARTER = "2026Q1"


def headline(market, column, quarter="2026Q3"):
    quarters = market.frames()["quarters"].set_index("quarter")
    return float(quarters.loc[quarter, column])


def test_a_swing_goes_evenly_in_logs_and_stays():
    swing = Swing(8.0, start=10, quarters=3, regions=(0,), bought=True)
    assert [float(np.exp(swing.log_factor(t))) for t in (9, 10, 11, 12, 20)] == pytest.approx([1, 2, 4, 8, 8])


def test_a_boom_raises_tokens_and_the_rental_of_hours_and_a_bust_lowers_them():
    def world(*shocks):
        market = branch(QUARTER, *shocks, quarters=4)
        return headline(market, "tokens_mtok"), headline(market, "h100_rental_usd_per_hour")

    free = world()
    boom, bust = world(DemandSwing(QUARTER, 10.0)), world(DemandSwing(QUARTER, 0.1))
    assert bust[0] < 0.2 * free[0] < free[0] < 4.0 * free[0] < boom[0]
    assert bust[1] < free[1] < boom[1]


def test_work_of_the_owners_fills_their_fleets_and_is_no_work_of_enterprises():
    free, more = (
        branch(QUARTER, quarters=1),
        branch(QUARTER, DemandSwing(QUARTER, 2.0, work="owners"), quarters=1),
    )
    more.step()
    free.step()
    for name, owner in free.clouds.items():
        at = free.captive.number[name]
        assert more.captive.now()[at] == pytest.approx(2.0 * free.captive.now()[at])
        assert more.captive.plan(3)[at] == pytest.approx(2.0 * free.captive.plan(3)[at])
        assert more.clouds[name].name == owner.name
    assert np.array_equal(more.population.weight_at(more), free.population.weight_at(free))


def test_a_swing_of_one_region_leaves_the_work_of_others_alone():
    free = branch(QUARTER, quarters=2)
    swung = branch(QUARTER, DemandSwing(QUARTER, 3.0, regions=("China",)), quarters=2)
    here = free.population.region == 0
    ratio = swung.population.weight_at(swung) / free.population.weight_at(free)
    assert ratio[here] == pytest.approx(3.0)
    assert ratio[~here] == pytest.approx(1.0)


def test_a_demand_that_has_not_begun_is_not_foreseen():
    free, later = (
        branch(QUARTER, quarters=2),
        branch(QUARTER, DemandSwing("2026Q4", 9.0, work="both"), quarters=2),
    )
    assert free.frames()["chips"].equals(later.frames()["chips"])
    assert np.array_equal(free.captive.plan(4), later.captive.plan(4))


def test_dear_power_is_paid_where_it_is_dear_and_raises_the_cost_of_tokens_there():
    free, dear = (
        branch(QUARTER, *shocks, quarters=2)
        for shocks in ((), (PowerPrice(QUARTER, 4.0, ("North America", "Asia-Pacific")),))
    )
    for name, factor in (("AWS", 4.0), ("Alibaba", 1.0)):
        now, before = dear.clouds[name].fleet, free.clouds[name].fleet
        assert now.power_usd_per_kwh == pytest.approx(factor * before.power_usd_per_kwh)
        hour, old = dear.hour_costs.of(now), free.hour_costs.of(before)
        assert hour.working_power == pytest.approx(factor * old.working_power)
    cost = {offer.key: offer.full_cost for offer in free.offers if offer.host == "AWS"}
    assert cost
    assert all(o.full_cost > cost[o.key] for o in dear.offers if o.host == "AWS" and o.key in cost)


def test_dear_power_everywhere_means_dearer_and_fewer_tokens():
    free, dear = branch(QUARTER, quarters=4), branch(QUARTER, PowerPrice(QUARTER, 5.0), quarters=4)
    assert headline(dear, "price_usd_per_mtok") > headline(free, "price_usd_per_mtok")
    assert headline(dear, "tokens_mtok") < headline(free, "tokens_mtok")
