"""Every scenario of the library runs to the end, and moves what its notes say it moves, in the direction they say."""

from __future__ import annotations

import copy
import re
from functools import cache

import pandas as pd
import pytest

from model import calendar
from model.market import Market
from model.records import schema
from scenarios.scenario import library, load, names

FEW = {"enterprises": 100}
BEFORE_ALL = "2025Q1"
"""No scenario of the library has a shock before it."""

YEARS = {"2026": calendar.quarters_of(2026), "2027": calendar.quarters_of(2027)}

UP, DOWN, SAME, ZERO = 1, -1, 0, None

CLAIMS = {
    "posterior": (),
    "backer_capture": (),
    "consortium": (("deepseek_share_china_tokens", "2027", UP),),
    "consortium_breakup": (("deepseek_share_china_tokens", "2027", UP),),
    "controls_lifted": (
        ("nvidia_share_china_value_all", "2027", UP),
        ("nvidia_share_china_units_all", "2027", DOWN),
        ("china_chip_units_all", "2027", DOWN),
        ("price_china_usd_per_mtok", "2027", DOWN),
    ),
    "deepseek_closes": (("deepseek_share_china_tokens", "2027", DOWN),),
    "deepseek_foundation": (("deepseek_share_china_tokens", "2027", UP),),
    "demand_boom": (
        ("tokens_mtok", "2026", UP),
        ("h100_rental_usd_per_hour", "2026", UP),
        ("price_usd_per_mtok", "2026", UP),
        ("adoption", "2026", DOWN),
        ("china_chip_units_all", "2026", UP),
    ),
    "demand_bust": (
        ("tokens_mtok", "2026", DOWN),
        ("h100_rental_usd_per_hour", "2026", DOWN),
        ("price_usd_per_mtok", "2026", DOWN),
        ("china_chip_units_all", "2027", DOWN),
        ("nvidia_share_china_units_all", "2027", DOWN),
        ("services_usd", "2027", UP),
    ),
    "dense_comeback": (
        ("price_usd_per_mtok", "2027", UP),
        ("tokens_mtok", "2027", DOWN),
        ("price_index_constant_quality", "2027", UP),
    ),
    "domestic_chip_mandate": (("nvidia_share_china_units_all", "2027", DOWN),),
    "domestic_software_stall": (
        ("nvidia_share_china_ordered_units_all", "2026", UP),
        ("nvidia_share_china_value_all", "2026", UP),
        ("china_tokens_mtok", "2027", DOWN),
    ),
    "foundry_shortfall": (("nvidia_share_china_units_all", "2026", UP),),
    "frontier_jump": (
        ("price_western_usd_per_mtok", "2026", UP),
        ("price_gap_origins", "2026", UP),
        ("open_share_tokens", "2026", DOWN),
    ),
    "full_chip_ban": (
        ("nvidia_share_china_units_all", "2026", ZERO),
        ("nvidia_share_china_units_all", "2027", ZERO),
        ("china_chip_units_all", "2026", DOWN),
        ("china_tokens_mtok", "2027", DOWN),
    ),
    "funding_drought": (
        ("h100_rental_usd_per_hour", "2026", DOWN),
        ("tokens_mtok", "2027", DOWN),
        ("price_usd_per_mtok", "2026", DOWN),
    ),
    "hosting_at_cost": (
        ("price_china_usd_per_mtok", "2026", DOWN),
        ("price_open_usd_per_mtok", "2026", DOWN),
        ("china_tokens_mtok", "2026", UP),
        ("chinese_cloud_share_apac_open_ex_china", "2026", UP),
    ),
    "minimum_price": (
        ("price_china_usd_per_mtok", "2026", UP),
        ("china_tokens_mtok", "2026", DOWN),
        ("adoption", "2027", DOWN),
    ),
    "model_export_rules": (("tokens_mtok", "2027", DOWN),),
    "no_export_controls": (
        ("nvidia_share_china_value_all", "2026", UP),
        ("nvidia_share_china_units_all", "2026", DOWN),
        ("china_chip_units_all", "2026", DOWN),
        ("china_tokens_mtok", "2026", UP),
    ),
    "no_open_weights": (("tokens_mtok", "2026", DOWN), ("adoption", "2026", DOWN)),
    "nvidia_china_discount": (
        ("nvidia_share_china_ordered_units_all", "2026", UP),
        ("nvidia_share_china_units_all", "2026", UP),
        ("price_china_usd_per_mtok", "2026", DOWN),
    ),
    "open_weights_export_ban": (
        ("price_gap_origins", "2026", DOWN),
        ("chinese_cloud_share_apac_open_ex_china", "2026", UP),
    ),
    "power_price_shock": (("price_usd_per_mtok", "2026", UP), ("tokens_mtok", "2027", DOWN)),
    "price_war": (
        ("price_north_america_usd_per_mtok", "2026", DOWN),
        ("price_asia_pacific_usd_per_mtok", "2026", DOWN),
        ("open_share_tokens", "2026", UP),
    ),
    "regional_copies": (("price_asia_pacific_usd_per_mtok", "2027", DOWN),),
    "sovereignty_blocs": (
        ("price_dispersion_regions", "2026", UP),
        ("open_share_tokens", "2026", UP),
        ("tokens_mtok", "2026", DOWN),
        ("adoption", "2026", DOWN),
    ),
    "western_clouds_match": (("price_open_usd_per_mtok", "2026", SAME),),
    "western_open_frontier": (
        ("open_share_tokens", "2026", UP),
        ("price_gap_origins", "2026", DOWN),
        ("price_china_usd_per_mtok", "2027", UP),
    ),
}
"""What the notes of a scenario claim against the baseline, means over the quarters of a year."""

HARDLY = 0.02
"""What the notes mean by not moving."""


@cache
def trunk() -> Market:
    """The baseline before any shock of the library."""
    market = Market(load("baseline", FEW), seed=1)
    while market.quarter != BEFORE_ALL:
        market.step()
    return market


@cache
def quarters(name: str) -> pd.DataFrame:
    """The headlines of a scenario; those without other parameters share their past."""
    setting = load(name, FEW)
    if setting.parameters.overridden == FEW:
        market = copy.deepcopy(trunk())
        market.shocks = list(setting.shocks)
    else:
        market = Market(setting, seed=1)
    tables = market.run()
    assert market.quarter == "2029Q1"
    return tables["quarters"].set_index("quarter")


@pytest.mark.parametrize("name", names())
def test_a_scenario_runs_to_the_end_and_is_another_world_than_the_baseline(name):
    found = quarters(name)
    assert list(found.index[[0, -1]]) == ["2023Q1", "2028Q4"]
    changed = not found.equals(quarters("baseline"))
    assert changed == (name != "baseline")


@pytest.mark.parametrize(
    ("name", "column", "year", "sign"),
    [(name, *claim) for name, claims in CLAIMS.items() for claim in claims],
)
def test_a_scenario_moves_what_its_notes_say_in_the_direction_they_say(name, column, year, sign):
    when = [calendar.name(t) for t in YEARS[year]]
    with_it, without = quarters(name).loc[when, column].mean(), quarters("baseline").loc[when, column].mean()
    if sign is ZERO:
        assert with_it == 0.0
    elif sign == SAME:
        assert with_it == pytest.approx(without, rel=HARDLY)
    else:
        assert sign * (with_it - without) > 0.0


def test_what_is_claimed_is_claimed_in_the_notes():
    notes = {scenario.name: " ".join(scenario.notes.split()) for scenario in library()}
    assert sorted(CLAIMS) == sorted(set(notes) - {"baseline"})
    unsaid = [
        (name, column)
        for name, claims in CLAIMS.items()
        for column, _, _ in claims
        if name not in OLDER and f"`{column}`" not in notes[name]
    ]
    assert unsaid == []


OLDER = ("backer_capture", "consortium", "model_export_rules")
"""Scenarios whose notes speak in words."""


def test_what_notes_write_as_code_is_recorded_or_is_a_name_of_the_library():
    known = {column.column for column in schema()} | set(names())
    keys = {"recalled", "waiver = true", 'by = "value"', 'cost = "resource"'}
    tables = {column.table for column in schema()}
    for scenario in library():
        words = set(re.findall(r"`([^`]+)`", scenario.notes)) - keys
        assert words <= known | tables, scenario.name


def test_no_shock_of_the_library_comes_before_the_worlds_part():
    for name in names():
        assert all(shock.quarter >= BEFORE_ALL for shock in load(name).shocks)


def test_a_past_that_is_shared_is_the_past_of_a_run_of_its_own():
    alone = Market(load("minimum_price", FEW), seed=1).run()["quarters"].set_index("quarter")
    assert quarters("minimum_price").equals(alone)
