"""Quarters, dates and months."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import calendar

quarters = st.integers(min_value=-200, max_value=200)


def test_the_burn_in_starts_at_quarter_zero_and_the_forecasts_end_seven_years_later() -> None:
    assert calendar.index("2022Q1") == 0
    assert calendar.index("2023Q1") == 4
    assert calendar.index("2028Q4") == 27
    assert calendar.index("2020Q2") == -7


@given(quarters)
def test_every_quarter_has_one_name(quarter: int) -> None:
    assert calendar.index(calendar.name(quarter)) == quarter


@given(quarters)
def test_the_name_of_a_quarter_carries_its_year(quarter: int) -> None:
    assert calendar.name(quarter).startswith(f"{calendar.year(quarter)}Q")


@given(st.integers(min_value=1990, max_value=2060))
def test_a_year_is_its_four_quarters(year: int) -> None:
    assert [calendar.name(quarter) for quarter in calendar.quarters_of(year)] == [
        f"{year}Q1",
        f"{year}Q2",
        f"{year}Q3",
        f"{year}Q4",
    ]


@pytest.mark.parametrize(
    ("day", "quarter"),
    [
        ("2024-05-06", "2024Q2"),
        ("2023-10-17", "2023Q4"),
        ("2024-03-31", "2024Q1"),
        ("2024-04-01", "2024Q2"),
        ("2021-12-31", "2021Q4"),
        ("2024-05", "2024Q2"),
        ("2024-12", "2024Q4"),
    ],
)
def test_a_launch_date_falls_in_its_quarter(day: str, quarter: str) -> None:
    assert calendar.name(calendar.quarter_of_date(day)) == quarter


def test_a_quarter_stands_for_its_middle_month() -> None:
    prices = {8: 4.0, 9: 3.0, 10: 2.0, 11: 1.0}
    assert calendar.at_month(prices, "2024-02") == 4.0
    assert calendar.at_month(prices, "2024-11") == 1.0


def test_september_lies_a_third_of_the_way_to_the_next_quarter_in_logs() -> None:
    prices = {calendar.index("2024Q3"): 8.0, calendar.index("2024Q4"): 1.0}
    assert calendar.at_month(prices, "2024-09") == pytest.approx(4.0, rel=1e-14)
    assert calendar.at_month(prices, "2024-10") == pytest.approx(2.0, rel=1e-14)


def test_january_lies_between_two_years() -> None:
    prices = {calendar.index("2023Q4"): 8.0, calendar.index("2024Q1"): 1.0}
    assert calendar.at_month(prices, "2024-01") == pytest.approx(2.0, rel=1e-14)


@given(st.floats(min_value=1e-3, max_value=1e3), st.floats(min_value=-0.5, max_value=0.5))
def test_a_price_that_falls_at_a_constant_rate_does_so_from_month_to_month(level: float, rate: float) -> None:
    prices = {quarter: level * math.exp(rate * quarter) for quarter in range(8, 13)}
    months = ["2024-02", "2024-03", "2024-04", "2024-05", "2024-06", "2024-07", "2024-08"]
    values = [calendar.at_month(prices, month) for month in months]
    for before, after in pairwise(values):
        assert math.log(after / before) == pytest.approx(rate / 3, abs=1e-12)


@pytest.mark.parametrize("text", ["2024-Q1", "2024Q5", "24Q1", "2024q1", "Q1 2024", "2024Q1 ", "", "२०२४Q1"])
def test_a_quarter_that_is_none_is_refused_with_the_form_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="2024Q1"):
        calendar.index(text)


@pytest.mark.parametrize("text", ["2024-13-01", "2024-02-30", "6 May 2024", "2024", "2024Q2"])
def test_a_date_that_is_none_is_refused_with_the_form_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="2024-05-06"):
        calendar.quarter_of_date(text)


@pytest.mark.parametrize("text", ["2024-9", "2024-00", "2024-13", "September 2024", "2024-09-01"])
def test_a_month_that_is_none_is_refused_with_the_form_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="2024-09"):
        calendar.at_month({10: 1.0, 11: 1.0}, text)


def test_a_month_at_the_edge_of_a_series_says_which_quarter_is_missing() -> None:
    with pytest.raises(ValueError, match="2022Q4"):
        calendar.at_month({4: 1.0}, "2023-01")
    assert calendar.at_month({4: 1.0}, "2023-02") == 1.0


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan, math.inf])
def test_no_log_is_taken_of_a_price_that_has_none(price: float) -> None:
    with pytest.raises(ValueError, match="2024Q4"):
        calendar.at_month({10: 1.0, 11: price}, "2024-10")
