"""Work on fleets: the compiled steps against the same in plain arithmetic, one fleet and one pool at a time."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import traffic
from model.fleet import HOURS_PER_QUARTER
from model.hosting import delivered_rates
from model.market import Market
from model.parameters import Parameters
from model.place import CAPTIVE, DENSE, PURPOSES, SPARSE, TRAINING
from model.setting import Setting

FLEETS, CHIPS = 3, 5
QUARTERS = 9  # by then all kinds of sellers have opened
CEILING = 0.8 * HOURS_PER_QUARTER


def drawn(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def units(chance: np.random.Generator) -> np.ndarray:
    """Chips of fleets, some of whose pools are empty."""
    found = chance.lognormal(3.0, 2.0, (FLEETS, CHIPS, len(PURPOSES)))
    return np.asarray(found * (chance.random((FLEETS, 1, len(PURPOSES))) < 0.8))


def pooled(hours: np.ndarray) -> np.ndarray:
    both = hours.copy()
    both[[DENSE, SPARSE]] = hours[[DENSE, SPARSE]].sum()
    return both


@given(st.integers(0, 10_000))
def test_a_mean_over_a_pool_weighs_by_its_units(seed):
    chance = drawn(seed)
    held, cost = units(chance), chance.random((FLEETS, CHIPS))
    found = traffic.mean_over(held, cost)
    for f in range(FLEETS):
        for w in range(len(PURPOSES)):
            if held[f, :, w].any():
                assert found[f, w] == pytest.approx(np.average(cost[f], weights=held[f, :, w]))
            else:
                assert np.isnan(found[f, w])


@given(st.integers(0, 10_000))
def test_a_pool_serves_all_or_what_its_hours_allow(seed):
    chance = drawn(seed)
    held, vendors = units(chance), 4
    demanded = chance.lognormal(11.0, 3.0, (FLEETS, len(PURPOSES)))
    own = demanded * 0.25 * np.isin(np.arange(len(PURPOSES)), [TRAINING, CAPTIVE])
    rate, captive = chance.random((2, FLEETS, len(PURPOSES))) * (held.sum(axis=1) > 0.0)
    host, wanted = chance.integers(0, FLEETS, vendors), chance.random(vendors)
    share, work, hours_demanded, hours_used = np.zeros((4, FLEETS, len(PURPOSES)))
    use, before = np.full((2, FLEETS, len(PURPOSES)), 0.5)
    captive_hours, served = np.zeros((FLEETS, 2)), np.zeros(vendors)
    traffic._ration(
        held, demanded, own, rate, captive, CEILING, HOURS_PER_QUARTER, 0.25, share, work, hours_demanded,
        hours_used, use, captive_hours, host, wanted, served,
    )  # fmt: skip
    for f in range(FLEETS):
        wants, offered = pooled(demanded[f]), pooled(held[f].sum(axis=0)) * CEILING
        np.testing.assert_allclose(share[f], np.minimum(1.0, offered / wants))
        assert (pooled(hours_used[f]) <= offered * (1.0 + 1e-12)).all()
        now = np.divide(wants, offered / 0.8, out=np.zeros_like(wants), where=offered > 0.0)
        np.testing.assert_allclose(use[f], before[f] + 0.25 * (now - before[f]))
        np.testing.assert_allclose(work[f], np.where(rate[f] > 0.0, demanded[f] * rate[f], captive[f]))
        np.testing.assert_allclose(captive_hours[f], (own * share)[f][[TRAINING, CAPTIVE]])
    np.testing.assert_array_equal(hours_demanded, demanded)
    np.testing.assert_allclose(served, wanted * share[host, TRAINING])


@given(st.integers(0, 10_000))
def test_other_work_keeps_the_chips_that_it_uses_but_for_what_gives_way(seed):
    chance = drawn(seed)
    held = units(chance)
    demanded = chance.lognormal(11.0, 3.0, (FLEETS, len(PURPOSES)))
    short, firm = traffic._short(held, demanded, CEILING, 0.3)
    for f in range(FLEETS):
        offered = held[f].sum(axis=0) * CEILING
        assert short[f] == (pooled(demanded[f])[DENSE] > pooled(offered)[DENSE])
        for w in (TRAINING, CAPTIVE):
            assert firm[f, w] == pytest.approx(0.7 * min(demanded[f, w], offered[w]))
        np.testing.assert_array_equal(firm[f, [DENSE, SPARSE]], demanded[f, [DENSE, SPARSE]])


class Open(Market):
    """A market whose last quarter stays open, before anybody learns from it."""

    def learn(self) -> None:
        if self.t < QUARTERS:
            super().learn()

    def close_quarter(self) -> None:
        if self.t < QUARTERS:
            super().close_quarter()


@pytest.fixture(scope="module")
def market() -> Market:
    found = Open(Setting("small", Parameters.resolve({"enterprises": 60})), seed=1)
    while found.t < QUARTERS:
        found.step()
    found.step()
    return found


def test_hours_of_tokens_are_those_of_the_chips_that_can_serve_the_model(market):
    book, lines = market.offers, market.offers.lines
    served = [offer for offer in book if offer.demanded > 0.0]
    assert len(served) > 10
    for offer in served:
        rate = delivered_rates([offer.model], market.catalogue, market.outlook.maturity)
        units, (rate,) = market.clouds[offer.host].fleet.inference_units(), rate
        assert offer.hours_per_mtok == pytest.approx(units[rate > 0.0].sum() / (units @ rate), rel=1e-12)
    demanded = np.bincount(
        lines.fleet, weights=book.demanded * book.hours_per_mtok, minlength=len(market.fleets)
    )
    tokens = market.fleets.hours_demanded[:, [DENSE, SPARSE]].sum(axis=1)
    np.testing.assert_allclose(tokens, demanded)


def test_hours_of_a_model_that_no_chip_of_the_fleet_serves_are_those_of_the_best_chip(market):
    world = copy.deepcopy(market)
    j = int(np.argmax(world.offers.demanded))
    world.fleets.units[world.offers.lines.fleet[j]] = 0.0
    world.traffic.load(world)
    model = list(world.offers)[j].model
    rate = delivered_rates([model], world.catalogue, world.outlook.maturity)
    assert world.offers.demanded[j] > 0.0
    assert world.offers.hours_per_mtok[j] == pytest.approx(1.0 / rate.max(), rel=1e-12)


def test_what_is_demanded_of_a_fleet_is_tokens_captive_work_and_training(market):
    traffic_, fleets = market.traffic, market.fleets
    trained = np.bincount(traffic_.training.host, weights=traffic_.training.served, minlength=len(fleets))
    np.testing.assert_allclose(fleets.hours_used[:, TRAINING], trained + traffic_.captive_hours[:, 0])
    np.testing.assert_allclose(fleets.hours_used[:, CAPTIVE], traffic_.captive_hours[:, 1])
    budget = [vendor.training_budget for vendor in market.vendors.values()]
    spent = traffic_.training.wanted * traffic_.training.price
    np.testing.assert_allclose(spent, np.array(budget)[traffic_.training.vendor])
