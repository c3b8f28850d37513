"""What an article's dates mean in quarters: "by 2027" is its last quarter, "in 2024" four quarters pooled."""

import math

import pytest

from evidence.metrics import evaluate_metric
from evidence.period import moment, period
from evidence.record import Record
from tests.evidence.handmade import frames, offer, rows


@pytest.mark.parametrize(
    ("text", "quarters"),
    [
        ("2024Q2", ("2024Q2",)),
        ("2024", ("2024Q1", "2024Q2", "2024Q3", "2024Q4")),
        ("by 2027", ("2027Q4",)),
        ("by 2025Q3", ("2025Q3",)),
        ("2023H1", ("2023Q1", "2023Q2")),
        ("2023H2", ("2023Q3", "2023Q4")),
        ("2024-05", ("2024Q2",)),
        ("2024-01", ("2023Q4", "2024Q1")),
        ("2024-09", ("2024Q3", "2024Q4")),
        ("2024-12", ("2024Q4", "2025Q1")),
    ],
)
def test_a_date_of_an_article_is_a_set_of_quarters(text: str, quarters: tuple[str, ...]) -> None:
    assert moment(text).quarters == quarters


@pytest.mark.parametrize("text", ["", "Q2 2024", "2024Q5", "by 2024-05", "soon", "2024-13", "by 2023H1"])
def test_a_date_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        moment(text)


def test_a_change_needs_two_moments_in_order() -> None:
    change = period("2024 -> by 2027")
    assert change.since.quarters[0] == "2024Q1"
    assert change.end.last == "2027Q4"
    assert len(change.span) == 16
    with pytest.raises(ValueError, match="backward"):
        period("2025 -> 2024")
    with pytest.raises(ValueError, match="two moments"):
        _ = period("2024").since


def test_a_month_lies_log_linearly_between_the_middles_of_quarters() -> None:
    levels = {"2024Q3": 8.0, "2024Q4": 1.0}
    # October is two thirds of the way from mid-August to mid-November: 8 ** (1 / 3) = 2.
    assert moment("2024-10").value(lambda quarters: levels[quarters[0]]) == pytest.approx(2.0)
    assert moment("2024-09").value(lambda quarters: levels[quarters[0]]) == pytest.approx(4.0)


def test_a_month_beside_a_quarter_without_a_price_is_undefined() -> None:
    assert math.isnan(moment("2024-10").value(lambda quarters: math.nan))
    assert math.isnan(moment("2024-10").value(lambda quarters: 0.0))


def test_a_year_is_pooled_and_not_averaged() -> None:
    cheap = offer("2024Q1", 1.0, tokens=99.0, region="China")
    dear = offer("2024Q2", 101.0, tokens=1.0, region="China")
    record = Record(frames({"offers": cheap + dear}))
    assert evaluate_metric(record, "unit_value", "2024", "China") == pytest.approx(2.0)


def test_by_a_year_is_its_last_quarter_alone() -> None:
    offers = offer("2027Q1..2027Q3", 100.0, region="China") + offer("2027Q4", 1.0, region="China")
    record = Record(frames({"offers": offers}))
    assert evaluate_metric(record, "unit_value", "by 2027", "China") == 1.0
    assert evaluate_metric(record, "unit_value", "2027", "China") == pytest.approx(301.0 / 4.0)


def test_a_run_that_ends_early_leaves_later_claims_undefined() -> None:
    tables = frames({"quarters": rows("..", china_llm_market_usd=1.0)})
    tables["quarters"] = tables["quarters"][tables["quarters"]["quarter"] <= "2025Q4"]
    record = Record(tables)
    assert evaluate_metric(record, "china_market", "2025", "") == 4.0
    assert math.isnan(evaluate_metric(record, "china_market", "2026", ""))
    assert math.isnan(evaluate_metric(record, "china_market_growth", "2024 -> 2026", ""))
