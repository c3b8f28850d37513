"""Fans and boxes as options for ECharts."""

import json
import math

import pandas as pd
import pytest

from evidence.claims import by_id
from viz.option import fan, year
from viz.option.fan import Fan
from viz.stored import course

NAMES = ["2027Q3", "2027Q4"]
LEVELS: list[list[float | None]] = [[1.0, 2.0, 3.0, 4.0, 5.0], [None] * 5]


def series(option, name):
    return next(each for each in option["series"] if each["id"] == name)


def plain(option):
    """The option as the browser gets it, which has no nan."""
    return json.loads(json.dumps(option, allow_nan=False))


def test_a_fan_has_its_median_and_two_stacked_bands():
    option = plain(fan.option([Fan("world", "#000000", "solid", LEVELS)], NAMES, "usd"))
    assert series(option, "world")["data"] == [3.0, None]
    for band, low, space in (("5 to 95 %", 1.0, 4.0), ("middle half", 2.0, 2.0)):
        floor, body = (series(option, f"world {band} {end}") for end in ("from", "to"))
        assert (floor["data"], body["data"]) == ([low, None], [space, None])
        assert floor["stack"] == body["stack"]
        assert "areaStyle" in body
        assert "areaStyle" not in floor
    assert option["series"][0]["id"] == "world"
    assert {each["name"] for each in option["series"]} == {"world"}


def test_fans_of_two_worlds_do_not_stack_on_one_another():
    pair = [Fan(name, "#000000", "solid", LEVELS) for name in ("a", "b")]
    option = fan.option(pair, NAMES, "share")
    stacks = [each["stack"] for each in option["series"] if "stack" in each]
    assert len(set(stacks)) == 4
    assert all(stacks.count(stack) == 2 for stack in stacks)


def test_a_log_axis_draws_nothing_that_is_not_above_zero():
    levels = [[0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 2.0, 3.0, 4.0]]
    option = plain(fan.option([Fan("world", "#000000", "solid", levels)], NAMES, "price"))
    assert option["yAxis"]["type"] == "log"
    assert series(option, "world")["data"] == [None, 2.0]
    # What is not drawn can still be read.
    assert "$2" in option["about"][0][1]


def test_the_tooltip_tells_every_level_of_a_quarter():
    option = fan.option(
        [Fan("world", "#000000", "solid", [[0.1, 0.2, 0.3, 0.4, 0.5], [None] * 5])], NAMES, "share"
    )
    assert option["about"] == [
        ["2027Q3", "world: 30.0 % (half 20.0 % to 40.0 %; 5 to 95 % 10.0 % to 50.0 %)"],
        ["2027Q4", "world: –"],
    ]


def test_claims_are_boxes_over_their_quarters():
    claim = by_id()["p1-nvidia-2027"]
    option = plain(fan.option([Fan("world", "#000000", "solid", LEVELS)], NAMES, "share", [claim]))
    assert len(option["series"][0]["markArea"]["data"]) == 1
    assert option["yAxis"]["max"] == 1.0


def test_years_have_boxes_and_claims_behind_them():
    boxes = {"world": ("#0072B2", LEVELS)}
    option = plain(year.option(boxes, ["2024", "2029"], [by_id()["market-2024"], by_id()["market-2026"]]))
    box = series(option, "world")
    assert box["data"][0]["value"] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert box["data"][0]["lines"][:2] == ["world, 2024", "5 %: $1"]
    assert box["data"][1] == "-"
    claim = by_id()["market-2024"]
    low, span = (series(option, f"claimed {end}")["data"] for end in ("from", "to"))
    assert low == [claim.claimed_low, None]
    assert low[0] + span[0] == pytest.approx(claim.claimed_high)


@pytest.fixture
def quarters():
    """The table of three seeds over two quarters, with a series that is missing in one and one that never is there."""
    rows = [(seed, name, float(seed), math.nan) for name in NAMES for seed in (1, 2, 3)]
    frame = pd.DataFrame(rows, columns=["seed", "quarter", "price", "nothing"])
    frame.loc[frame["quarter"] == "2027Q4", "price"] = math.nan
    return frame


def test_levels_are_quantiles_over_seeds_and_none_where_there_is_no_value(quarters):
    assert course.levels(quarters, "price", [*NAMES, "2028Q1"]) == [
        pytest.approx([1.1, 1.5, 2.0, 2.5, 2.9]),
        [None] * 5,
        (None,) * 5,
    ]
    assert course.levels(quarters, "nothing", NAMES) == [[None] * 5] * 2
