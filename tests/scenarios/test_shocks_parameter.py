"""A shock may set what is read anew every quarter, and what is not, is known by watching runs."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from model.market import Market
from model.parameters import Parameters, scalars
from model.setting import Setting
from scenarios.shocks import FOUNDING, HALFWAY, SetParameter
from tests.scenarios.branches import branch

FREE = [name for name, row in scalars().items() if row.low < row.high]
"""What a study or a scenario can change at all."""

Tables = tuple[pd.DataFrame, ...]

SETTABLE = [name for name in FREE if name not in FOUNDING | HALFWAY]

THERE_ALREADY = {
    "open_weights", "sparse_architectures", "export_rules", "suitability_sharpness", "chips_per_rack",
    "air_cooling_limit_kw", "air_cooling_width_kw", "infiniband_premium", "infiniband_gain_training",
    "infiniband_gain_inference", "network_choice_width", "shared_expert_share", "server_power_share",
    "target_utilisation",
}  # fmt: skip
"""Settable parameters that also shaped what was there at the start: models, chips, racks and the work of fleets. Setting
them changes what comes and leaves what is."""

SAMPLE_FOUNDING = ("alpha_floor", "compute_efficiency", "luck_spread", "initial_price_small", "node_chips")
SAMPLE_SETTABLE = ("sigma2", "lead_time_quarters")


def other(name: str) -> float:
    """Another value that the parameter can take, well away from its default."""
    row = scalars()[name]
    if row.distribution in ("integer", "switch"):
        return row.high if row.default != row.high else row.low
    above = row.default + (row.high - row.default) / 2.0
    return above if above != row.default else (row.low + row.default) / 2.0


@cache
def run(name: str = "", at_start: bool = False) -> Tables:
    """What a small world records with one parameter changed: for the whole run, or by a shock before anything happens."""
    overrides, shocks = {"enterprises": 56.0}, []
    if name and at_start:
        shocks = [SetParameter("2022Q1", name, other(name))]
    elif name:
        overrides[name] = other(name)
    setting = Setting("x", Parameters.resolve(overrides), tuple(shocks), last="2025Q3")
    tables = Market(setting, seed=1).run()
    return tuple(tables[table] for table in sorted(tables))


def same(one: Tables, two: Tables) -> bool:
    return all(a.equals(b) for a, b in zip(one, two, strict=True))


def later(name: str = "") -> Tables:
    """What is recorded when a parameter is set after the facts have ended."""
    market = branch("2026Q1")
    if name:
        market.set_parameter(name, other(name))
    for _ in range(3):
        market.step()
    tables = market.frames()
    return tuple(tables[table] for table in sorted(tables))


def test_the_lists_name_parameters_and_none_twice():
    assert scalars().keys() >= FOUNDING
    assert scalars().keys() >= HALFWAY
    assert not FOUNDING & HALFWAY
    assert set(SETTABLE) >= THERE_ALREADY


@pytest.mark.parametrize("name", SAMPLE_FOUNDING)
def test_a_parameter_of_the_founding_set_later_does_nothing(name):
    assert same(later(name), later())


@pytest.mark.parametrize("name", SAMPLE_SETTABLE)
def test_a_parameter_that_can_be_set_means_the_same_set_at_the_start_as_given_at_the_start(name):
    assert same(run(name), run(name, at_start=True))
    assert not same(later(name), later())


@pytest.mark.parametrize("name", ["alpha_mean", "nuisance_usd_per_mtok"])
def test_a_parameter_that_is_built_in_and_read_again_would_be_obeyed_by_halves(name):
    assert not same(run(name), run(name, at_start=True))
    assert not same(later(name), later())


@pytest.mark.slow
@pytest.mark.parametrize("name", FREE)
def test_every_parameter_is_on_the_right_list(name):
    if name in FOUNDING:
        assert same(later(name), later())
    elif name not in HALFWAY and name not in THERE_ALREADY:
        assert same(run(name), run(name, at_start=True))
    else:
        assert not same(run(name), run(name, at_start=True))


def test_a_switch_of_architectures_set_later_is_about_new_models_only():
    market = branch("2026Q1", SetParameter("2026Q1", "sparse_architectures", 0.0), quarters=4)
    new = [m for m in market.catalogue.models.values() if m.launched >= market.t - 4]
    old = [m for v in market.vendors.values() for m in v.models if m not in new]
    assert new
    assert not any(model.architecture.sparse for model in new)
    assert any(model.architecture.sparse for model in old)
