"""Captive work: the plan is today's work at once, and fades back to its trend."""

import numpy as np
import pytest

from agents.captive import KNOT_QUARTERS
from model.trend import faded_growth


def test_plans_start_from_todays_business_and_fade_to_the_trend(small):
    world = small(last="2023Q2")
    for _ in range(3):
        world.step()
    captive, p = world.captive, world.parameters
    region = [cloud.fleet.region for cloud in world.clouds.values()]
    luck = world.business.captive[region]
    for ahead in (0, 1, 6):
        fading = captive.plan(ahead) / np.maximum(captive.trend(world.t + ahead), 1e-300)
        busy = captive.trend(world.t + ahead) > 0.0
        expected = np.repeat((luck ** (p.business_persistence**ahead))[:, None], busy.shape[1], axis=1)
        np.testing.assert_allclose(fading[busy], expected[busy])
    np.testing.assert_array_equal(captive.now(), captive.plan(0))
    assert [cloud.fleet.number for cloud in world.clouds.values()] == list(captive.number.values())


def test_work_follows_a_new_draw_of_business_and_changed_parameters(small):
    world = small(last="2023Q2")
    before = world.captive.now()
    world.business.draw()
    assert not np.array_equal(world.captive.now(), before)
    drawn = world.captive.now()
    world.set_parameter("target_utilisation", 0.9 * world.parameters.target_utilisation)
    np.testing.assert_allclose(world.captive.now(), 0.9 * drawn)


def test_the_trend_goes_on_beyond_the_horizon(small):
    world = small(last="2023Q2")
    near, far = world.captive.trend(world.last + 1), world.captive.trend(world.last + 20)
    assert (far >= near).all() and far.sum() > near.sum()


def test_after_the_facts_the_trend_grows_by_the_year_and_its_growth_fades(small):
    world = small(last="2028Q4")
    p, last = world.parameters, KNOT_QUARTERS[-1]
    level = [world.captive.trend(last + 4 * years).sum() for years in range(4)]
    rate, fade = np.log1p(p.captive_growth), p.captive_growth_fade
    for years in range(4):
        assert np.log(level[years] / level[0]) == pytest.approx(faded_growth(rate, fade, years))
