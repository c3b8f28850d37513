"""The start: firms, fleets and edges of the facts, and work of owners' other businesses."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import Mock

import numpy as np
import pytest

from agents import founding
from model import calendar
from model.market import Market
from model.parameters import ParameterError, table
from model.place import CAPTIVE, DENSE, SPARSE, TRAINING


@pytest.fixture(scope="module")
def market(small: Callable[..., Market]) -> Market:
    return small()


def test_every_firm_of_the_facts_has_an_account_with_its_cash_and_a_node(market):
    rows = market.parameters.facts("firms")
    assert len(rows) == len(market.firms)
    for row in rows:
        name = str(row["firm"])
        assert market.firms[name].cash == pytest.approx(max(float(row["cash_usd"]), 0.0))
        assert name in market.graph


def test_founding_fleets_hold_the_chips_of_the_facts(market):
    held: dict[tuple[str, str], float] = {}
    for row in market.parameters.facts("fleets"):
        key = str(row["owner"]), str(row["chip"])
        held[key] = held.get(key, 0.0) + float(row["units"])
    for name, cloud in market.clouds.items():
        assert (cloud.fleet.units >= 0.0).all()
        for chip in market.catalogue.chips:
            units = float(cloud.fleet.units[chip.index].sum())
            assert units == pytest.approx(held.get((name, chip.name), 0.0), rel=1e-9)


def test_a_sliver_of_the_founding_fleets_serves_language_models(market):
    p = market.parameters
    total = sum(float(c.fleet.units.sum()) for c in market.clouds.values())
    serving = sum(float(c.fleet.units[:, [DENSE, SPARSE]].sum()) for c in market.clouds.values())
    assert serving == pytest.approx(p.initial_inference_share * total, rel=1e-6)


def test_captive_work_passes_through_the_levels_of_the_facts_and_goes_on_growing_ever_slower(market):
    p, alibaba = market.parameters, market.captive.number["Alibaba"]
    levels = {(row["owner"], row["workload"]): row for row in p.facts("captive")}
    row = levels["Alibaba", "training"]
    at = [
        market.captive.trend(calendar.index(q))[alibaba, TRAINING]
        for q in ("2022Q1", "2023Q1", "2024Q1", "2025Q1")
    ]
    ratio = [float(row[f"level_{year}q1"]) for year in (2022, 2023, 2024, 2025)]
    np.testing.assert_allclose(np.array(at) / at[0], np.array(ratio) / ratio[0])
    later = [
        market.captive.trend(calendar.index(f"{year}Q1"))[alibaba, CAPTIVE] for year in range(2025, 2029)
    ]
    growth = np.diff(np.log(later))
    assert (growth > 0.0).all() and (np.diff(growth) < 0.0).all()
    assert (market.captive.trend(0)[alibaba, [DENSE, SPARSE]] == 0.0).all()


def test_dated_relations_begin_and_end_in_their_quarters(small):
    world = small(last="2024Q4")
    node = "North America/finance"
    while not world.finished:
        began = world.t >= calendar.index("2023Q1")
        quarter = world.quarter
        world.step()
        assert world.graph.permitted("Anthropic", node, "tokens") == began, quarter
        assert world.graph.permitted("AWS", "Anthropic", "hosting") == (quarter >= "2023Q4"), quarter
    assert not world.graph.permitted("OpenAI", "China/finance", "tokens")
    assert world.parent_of("Alibaba Qwen") == "Alibaba"
    assert world.parent_of("OpenAI") == "OpenAI"


def test_a_maker_without_capacity_at_the_start_is_named_with_what_to_add(small, monkeypatch):
    known = founding._capacities(small().parameters)
    late = {quarter: units for quarter, units in known["NVIDIA"].items() if quarter > 0}
    for given in (late, {}):
        monkeypatch.setattr(founding, "_capacities", Mock(return_value={**known, "NVIDIA": given}))
        with pytest.raises(ParameterError, match=r"nothing of NVIDIA in 2022Q1: add a row"):
            small()


def test_no_maker_starts_with_negative_capacity_whatever_a_study_draws(small):
    known = table()
    extreme = {
        name: cell.high if "ai_units" in name else cell.low
        for name, cell in known.items()
        if name.startswith("capacity.NVIDIA") and "units" in name and cell.low < cell.high
    }
    assert extreme
    world = small(**extreme)
    for given in world.chipmakers["NVIDIA"].given_capacity.values():
        assert min(given.values()) >= 0.0
