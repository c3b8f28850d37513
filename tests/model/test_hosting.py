"""What an hour and a million tokens cost on a fleet: power, rentals in a shortage, and what chips cost to replace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents import rebate
from model.hosting import hour_costs, purpose_of, replacement_prices, token_costs
from model.market import Market
from model.place import DENSE, PURPOSES, SPARSE
from scenarios.scenario import load

SMALL = replace(load("baseline", {"enterprises": 60}), last="2023Q2")


@pytest.fixture(scope="module")
def market() -> Market:
    made = Market(SMALL, seed=1)
    made.run()
    return made


def costs(market, use):
    """Costs of hours where every pool of every fleet has been used so much."""
    fleets = market.fleets
    hours = fleets.use.copy(), fleets.hours_demanded.copy()
    fleets.use[:], fleets.hours_demanded[:] = use, 0.0
    try:
        return hour_costs(fleets, market.catalogue, rebate.replacements(market), market.parameters)
    finally:
        fleets.use[:], fleets.hours_demanded[:] = hours


def test_the_rental_is_the_user_cost_at_the_target_and_no_more_than_its_ceiling(market):
    p = market.parameters
    np.testing.assert_allclose(costs(market, p.target_utilisation).rental_factor, 1.0)
    just = p.target_utilisation * p.rental_ceiling ** (1.0 / p.rental_convexity)
    np.testing.assert_allclose(costs(market, just).rental_factor, p.rental_ceiling)
    assert (costs(market, 0.99 * just).rental_factor < p.rental_ceiling).all()
    for short in (just, 100.0 * just, np.inf):
        np.testing.assert_allclose(costs(market, short).rental_factor, p.rental_ceiling)


def test_a_chip_that_works_and_one_that_idles_share_the_power_of_the_rack(market):
    found = costs(market, 0.5)
    chips, fleets, p = market.catalogue.chips, market.fleets, market.parameters
    kw = np.array([chip.spec.tdp_w for chip in chips]) / 1000.0 * (1.0 + p.server_power_share)
    bill = kw * (fleets.pue * fleets.power_usd_per_kwh)[:, None]
    np.testing.assert_allclose(found.working_power + found.idle_power, bill)
    np.testing.assert_allclose(found.idle_power, p.idle_power_share * bill)


def test_tokens_cost_the_hours_that_they_take_at_what_an_hour_costs(market):
    models = list(market.catalogue.models.values())[:3]
    units = np.zeros(len(market.catalogue.chips))
    units[market.chip_index["H100"]] = 1000.0
    rate = np.tile(np.linspace(1.0, 2.0, len(units)), (len(models), 1))
    fleet = market.clouds["AWS"].fleet
    hour = costs(market, market.parameters.target_utilisation).of(fleet)
    found, h100 = token_costs(units, hour, models, rate), market.chip_index["H100"]
    np.testing.assert_allclose(found.hours, 1.0 / rate[:, h100])
    np.testing.assert_allclose(found.resource, found.hours * (hour.avoidable + hour.user)[h100])
    np.testing.assert_allclose(found.full, found.hours * hour.full[h100])
    short = replace(hour, rental_factor=np.full(len(PURPOSES), 3.0))
    dear = token_costs(units, short, models, rate)
    np.testing.assert_allclose(dear.resource - found.resource, 2.0 * found.hours * hour.user[h100])


def test_a_chip_off_the_market_is_replaced_at_a_price_that_falls_every_year(market):
    chips, decline = market.catalogue.chips, 0.2
    ends = int(chips.until.min())
    gone = np.asarray(chips.until) == ends
    assert gone.any()
    for years in (0, 1, 3):
        price = replacement_prices(market.catalogue, ends + 4 * years, decline)
        np.testing.assert_allclose(price[gone], chips.price[gone] * 0.8**years)
    later = replacement_prices(market.catalogue, ends + 4, decline)
    on_sale = np.asarray(chips.until) >= ends + 4
    np.testing.assert_array_equal(later[on_sale], chips.price[on_sale])


def test_sparse_models_are_served_by_a_pool_of_their_own(market):
    pools = {
        sparse: {
            purpose_of(model)
            for model in market.catalogue.models.values()
            if model.architecture.sparse is sparse
        }
        for sparse in (False, True)
    }
    assert pools == {False: {DENSE}, True: {SPARSE}}
