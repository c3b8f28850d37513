"""Runs are held against dated observations to the end of 2024, each with the size of the miss."""

import json
import math

import pytest

from evidence.facts import rows as facts
from evidence.fit import PRICES, Comparison, compare, not_compared, observations, observe, root_mean_square
from evidence.metrics import METRICS
from model import calendar
from tests.evidence.cases_chips import share
from tests.evidence.handmade import World, frames, offer, rows

TURBO = {
    "model": "gpt-4-turbo",
    "vendor": "OpenAI",
    "tier": "flagship",
    "generation": 5,
    "region": "North America",
}


def found(world: World, *more: World) -> dict[str, Comparison]:
    return {c.id: c for c in compare([frames(world), *(frames(other) for other in more)])}


def test_the_miss_of_a_price_is_the_log_of_its_ratio_to_the_list() -> None:
    row = found({"offers": offer("2023Q4", 30.0, **TURBO)})["gpt-4-1106-preview 2023-11-06"]
    assert (row.observed_low, row.observed_high, row.median) == (15.0, 15.0, 30.0)
    assert row.error == pytest.approx(math.log(2.0))
    assert row.period == "2023Q4"


def test_a_model_that_the_run_does_not_sell_is_compared_by_tier() -> None:
    offers = offer("2023Q4", 5.0, **{**TURBO, "model": "something else", "generation": 4})
    offers += offer("2023Q4", 30.0, **{**TURBO, "model": "another"})
    assert observe(frames({"offers": offers}))["gpt-4-1106-preview 2023-11-06"] == 30.0


def test_a_chinese_list_price_is_compared_in_china_and_a_western_one_abroad() -> None:
    v2 = {"model": "deepseek-v2", "vendor": "DeepSeek", "tier": "flagship", "generation": 2}
    offers = offer("2024Q2", 0.2, region="China", **v2) + offer("2024Q2", 9.0, region="North America", **v2)
    assert observe(frames({"offers": offers}))["deepseek-v2 2024-05-06"] == pytest.approx(0.2)


def test_a_price_that_is_listed_for_input_alone_is_compared_with_the_input_price() -> None:
    doubao = {"model": "doubao-pro", "vendor": "ByteDance Doubao", "tier": "flagship", "region": "China"}
    offers = offer("2024Q2", 5.0, **{**doubao, "input_price_usd_per_mtok": 0.2222})
    row = found({"offers": offers})["doubao-pro-32k 2024-05-15"]
    assert row.error == pytest.approx(math.log(2.0), abs=1e-3)


def test_inside_the_bounds_of_an_observation_there_is_no_miss() -> None:
    given = rows("2023", h100_rental_usd_per_hour=10.0) + rows("2024Q1", h100_rental_usd_per_hour=5.7)
    result = found({"quarters": given})
    assert result["h100-rental-2023"].error == 0.0
    assert result["h100-rental-2024q1"].error == pytest.approx(math.log(2.0))


def test_a_one_sided_observation_is_missed_from_below_only() -> None:
    def cards(units: float) -> World:
        return {"chips": rows("2023Q1", buyer_region="China", units_delivered=units)}

    assert found(cards(1e6))["cards-2023h1"].error == 0.0
    assert found(cards(250_000.0))["cards-2023h1"].error == pytest.approx(-math.log(2.0))


def test_a_share_is_missed_by_a_difference() -> None:
    given = share("2023Q1", 80.0)["chips"] + share("2023Q2", 80.0)["chips"]
    row = found({"chips": given})["nvidia-share-2023h1"]
    assert row.error == pytest.approx(-0.1)
    assert row.scale == "difference"


def test_several_seeds_give_a_median_and_an_interval() -> None:
    worlds = [{"offers": offer("2023Q4", price, **TURBO)} for price in (10.0, 15.0, 40.0)]
    row = found(*worlds)["gpt-4-1106-preview 2023-11-06"]
    assert (row.median, row.seeds, row.undefined) == (15.0, 3, 0)
    assert row.low == pytest.approx(10.5)
    assert row.high == pytest.approx(37.5)
    assert row.error == 0.0


def test_what_a_run_cannot_say_is_reported_and_not_scored() -> None:
    result = list(found({"offers": offer("2023Q4", 30.0, **TURBO)}).values())
    missing = next(row for row in result if row.id == "deepseek-v2 2024-05-06")
    assert missing.error is None
    assert missing.undefined == 1
    assert root_mean_square(result) == pytest.approx(math.log(2.0))
    assert math.isnan(root_mean_square([missing]))
    json.dumps([row.row() for row in result], allow_nan=False)


def test_no_observation_is_later_than_2024() -> None:
    assert max(row["date"] for row in facts("prices")) < "2025"
    for observation in observations():
        assert observation.period.split(" -> ")[-1] < "2025", observation.id


def test_every_observation_is_compared_or_says_why_not() -> None:
    keys = {(row["quantity"], row["observed_period"]) for row in facts("targets")}
    assert keys == {(row["quantity"], row["period"]) for row in facts("observations")}
    assert all(reason for _, reason in not_compared())
    compared = {o.id for o in observations()}
    assert compared.isdisjoint(name for name, _ in not_compared())
    assert len([o for o in observations() if o.group == PRICES]) >= 30
    assert {row["metric"] for row in facts("targets") if row["metric"]} <= set(METRICS)


def test_a_list_price_is_mapped_to_a_launch_of_its_vendor_and_tier() -> None:
    launches = {row["model"]: row for row in facts("launches")}
    for row in facts("prices"):
        if row["compared"] == "1":
            launch = launches[row["product"]]
            assert (launch["vendor"], launch["tier"]) == (row["vendor_recorded"], row["tier"])
            assert calendar.index(launch["quarter"]) <= calendar.quarter_of_date(row["date"]), row["model"]
