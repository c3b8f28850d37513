"""Enterprises: a population of columns that stands for the firms of the facts, and views of its rows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from agents.enterprise import Enterprise, Population, cells, consume
from model.chance import Chance
from model.market import Market
from model.parameters import Parameters
from model.place import REGIONS
from model.setting import Setting


def population(size: int = 600, seed: int = 1, **overrides: float) -> Population:
    return Population(Parameters.resolve(overrides), size, Chance(seed).stream("traits"))


def setting(**overrides: float) -> Setting:
    return Setting("x", Parameters.resolve({"enterprises": 60, **overrides}), last="2023Q4")


@pytest.fixture(scope="module")
def market() -> Market:
    world = Market(setting(), seed=3)
    world.run()
    return world


# ------------------------------------------------------------------------------------------------- columns


def test_every_segment_of_the_facts_has_rows_and_larger_ones_have_more():
    people = population()
    count = np.bincount(people.cell, minlength=len(people.cells))
    assert count.min() >= 1 and count.sum() == 600
    value = np.array([c.firms * c.workload_mtok for c in people.cells])
    assert count[value.argmax()] == count.max()
    # By the square root of their work: a segment of four times the work has about twice the rows.
    assert np.corrcoef(count, np.sqrt(value))[0, 1] > 0.99


def test_rows_stand_for_all_firms_and_all_work_however_many_there_are():
    totals = []
    for size in (60, 600, 6000):
        people = population(size)
        totals.append([np.bincount(people.cell, weights=getattr(people, c)) for c in ("firms", "workload")])
    facts = cells(Parameters.resolve({}))
    np.testing.assert_allclose(totals[0][0], [c.firms for c in facts], rtol=1e-5)
    np.testing.assert_allclose(totals[0][1], [c.firms * c.workload_mtok for c in facts], rtol=1e-5)
    for other in totals[1:]:
        np.testing.assert_allclose(other, totals[0], rtol=1e-5)


def test_too_few_rows_for_the_segments_say_how_many_it_takes():
    segments = len(cells(Parameters.resolve({})))
    with pytest.raises(ValueError, match=f"write {segments} or more"):
        population(segments - 1)


@pytest.mark.parametrize("spread", [0.05, 0.3, 0.6])
def test_no_taste_for_a_low_price_is_near_one_where_prices_explode(spread):
    people = population(6000, alpha_mean=1.6, taste_spread=spread)
    floor = Parameters.resolve({})["alpha_floor"]
    assert people.alpha.min() >= np.float32(floor) > 1.1
    assert (people.beta > 0.0).all() and (people.nuisance > 0.0).all()


def test_tastes_scatter_by_their_spread_around_the_means_of_their_segments():
    narrow, wide = (population(6000, taste_spread=s) for s in (0.05, 0.6))
    mean: dict[str, list[float]] = {"narrow": [], "wide": []}
    for name, people in (("narrow", narrow), ("wide", wide)):
        for cell, place in enumerate(people.cells):
            mine = people.alpha[people.cell == cell]
            if len(mine) >= 100:
                wanted = Parameters.resolve({})["alpha_mean"] * place.alpha_factor
                mean[name].append(float(mine.mean()) / wanted)
    assert np.mean(mean["narrow"]) == pytest.approx(1.0, abs=0.05)
    assert np.std(wide.alpha) > np.std(narrow.alpha)


def test_types_that_sellers_know_of_keep_work_and_mean_tastes():
    people = population()
    types = people.types(3)
    assert types.weight.sum() == pytest.approx(float(people.workload.sum()), rel=1e-5)
    np.testing.assert_allclose(types.mixture.sum(axis=1), 1.0)
    for column in ("alpha", "beta", "nuisance"):
        theirs = float(types.weight @ getattr(types, column)) / types.weight.sum()
        assert theirs == pytest.approx(np.average(getattr(people, column), weights=people.workload), rel=1e-4)
    assert len(types.weight) <= 3 * 2 * len(REGIONS)
    assert {people.cells[cell].region for cell in types.cell} == set(range(len(REGIONS)))
    finer = people.types(10)
    assert finer.alpha.std() > types.alpha.std()


def test_potential_work_grows_by_its_trend_and_the_trend_fades():
    market = Market(setting(business_spread=0.0, workload_growth=0.5), seed=1)
    total = []
    for year in range(5):
        market.t = market.record_from + 4 * year
        total.append(float(market.population.weight_at(market).sum()))
    assert total[0] == pytest.approx(float(market.population.workload.sum()), rel=1e-5)
    growth = [later / sooner for sooner, later in pairwise(total)]
    assert all(rate > 1.0 for rate in growth) and growth == sorted(growth, reverse=True)
    assert growth[0] < 1.5


# --------------------------------------------------------------------------------------------------- views


def test_an_enterprise_is_a_view_of_its_row(market):
    people = market.population
    for row in (0, 17, len(people) - 1):
        view = market.enterprises[row]
        assert isinstance(view, Enterprise)
        assert view.alpha == people.alpha[row]
        assert view.beta == people.beta[row]
        assert view.firms == people.firms[row]
        assert view.adoption == people.adoption[row]
        assert view.cell is people.cells[people.cell[row]]
        assert sum(view.portfolio.values()) == pytest.approx(float(people.portfolio[row].sum()))
        assert list(view.portfolio.values()) == sorted(view.portfolio.values(), reverse=True)
        assert all(market.offers.get(key) is not None for key in view.portfolio)
    before = people.adoption[3]
    try:
        people.adoption[3] = 0.125
        assert market.enterprises[3].adoption == 0.125
    finally:
        people.adoption[3] = before


def test_enterprises_are_counted_from_either_end_and_run_out(market):
    size = len(market.enterprises)
    assert size == 60
    assert market.enterprises[-1].row == size - 1
    assert [view.row for view in market.enterprises] == list(range(size))
    for row in (size, -size - 1):
        with pytest.raises(
            IndexError, match=f"enterprise {row} does not exist: there are {size}, numbered from 0"
        ):
            market.enterprises[row]


def test_a_population_makes_no_agents_of_its_own(market):
    expected = set(market.firms.values()) | set(market.states.values())
    assert set(market.agents) == expected
    _ = [market.enterprises[i] for i in range(len(market.enterprises))]
    assert set(market.agents) == expected
    larger = Market(setting(enterprises=600), seed=3)
    assert len(larger.enterprises) == 600
    assert len(larger.agents) == len(expected)


# --------------------------------------------------------------------------------------------------- demand


def test_adoption_rises_from_none_and_applications_follow_it():
    market = Market(setting(), seed=3)
    market.step()
    first = market.demand.adopters.copy()
    assert (first >= 0.0).all() and first.sum() > 0.0
    while not market.finished:
        market.step()
    firms = np.array([c.firms for c in market.population.cells])
    assert (market.demand.adopters <= firms * (1.0 + 1e-5)).all()
    assert market.demand.adopters.sum() > first.sum()
    p = market.parameters
    full = [
        p.applications_large if c.size == "large" else p.applications_small for c in market.population.cells
    ]
    np.testing.assert_allclose(market.applications(), market.demand.adopters * full)


def test_a_higher_price_everywhere_means_less_adoption_and_less_volume():
    tokens, adopters = [], []
    for factor in (1.0, 3.0):
        market = Market(setting(luck_spread=0.0, business_spread=0.0), seed=3)
        while market.quarter != "2023Q3":
            market.step()
        for offer in market.offers:
            offer.price *= factor
        market.open_quarter()
        consume(market)
        tokens.append(float(market.demand.demanded.sum()))
        adopters.append(float(market.demand.adopters.sum()))
    assert tokens[1] < tokens[0]
    assert adopters[1] < adopters[0]


def test_a_short_fleet_rations_all_its_customers_alike():
    market = Market(setting(), seed=3)
    while market.quarter != "2023Q3":
        market.step()
    azure = market.clouds["Azure"].fleet
    azure.units[:] *= 1e-6
    market.step()
    served, asked = market.demand.served, market.demand.demanded
    hosted = [j for j, offer in enumerate(market.offers) if offer.host == "Azure" and offer.demanded > 0.0]
    assert hosted
    share = served[:, hosted].sum(axis=0) / asked[:, hosted].sum(axis=0)
    assert share.max() < 1.0
    for j in hosted:
        bought = asked[:, j] > 0.0
        np.testing.assert_allclose(
            (served[:, j] / asked[:, j].clip(1e-300))[bought], served[:, j].sum() / asked[:, j].sum()
        )
