"""What chips did in a quarter: all that was sold was made on some chip, and more of it on faster ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.market import Market
from model.place import CAPTIVE, DENSE, SPARSE, TRAINING
from model.work import Work
from scenarios.scenario import load


@pytest.fixture(scope="module")
def work() -> Work:
    market = Market(replace(load("baseline", {"enterprises": 60}), last="2024Q2"), seed=1)
    market.run()
    return Work.of(market)


def test_tokens_of_all_chips_of_a_fleet_are_those_that_it_served(work):
    made = work.tokens()
    sold = np.bincount(work.lines.fleet, weights=work.served, minlength=len(work.units))
    able = work.units[:, :, [DENSE, SPARSE]].sum(axis=(1, 2)) > 0.0
    assert sold[able].sum() > 0.0
    np.testing.assert_allclose(made.sum(axis=(1, 2))[able], sold[able], rtol=1e-9)
    assert (made[:, :, [TRAINING, CAPTIVE]] == 0.0).all()


def test_each_offer_is_made_on_all_chips_of_its_fleet_in_proportion_to_their_speed(work):
    j = int(np.argmax(work.served))
    alone = replace(work, served=np.where(np.arange(len(work.served)) == j, work.served, 0.0))
    fleet, model = work.lines.fleet[j], list(work.catalogue.models.values())[work.lines.model[j]]
    rate = work.catalogue.mtok_per_hour([model], len(work.maturity))[0]
    rate = rate * work.maturity[:, work.lines.purpose[j]]
    serving = work.units[fleet][:, [DENSE, SPARSE]].sum(axis=1)
    made = alone.tokens()[fleet].sum(axis=1)
    np.testing.assert_allclose(made, work.served[j] * rate * serving / (rate * serving).sum())


def test_a_pool_works_evenly_and_inference_is_one_pool(work):
    hours, units = work.hours_per_unit(), work.pools()
    np.testing.assert_allclose(units, work.units.sum(axis=1))
    np.testing.assert_array_equal(hours[:, DENSE], hours[:, SPARSE])
    both = units[:, DENSE] + units[:, SPARSE]
    np.testing.assert_allclose(
        hours[:, DENSE] * both, np.where(both > 0.0, work.hours[:, [DENSE, SPARSE]].sum(axis=1), 0.0)
    )
    owns = units[:, TRAINING] > 0.0
    np.testing.assert_allclose((hours * units)[owns, TRAINING], work.hours[owns, TRAINING])
