"""Quarters as integers since 2022Q1, their length, and values at months between them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from functools import cache

from model.quotation import quoted

QUARTERS_PER_YEAR = 4
MONTHS_PER_YEAR = 12
MONTHS_PER_QUARTER = 3
DAYS_PER_YEAR = 365.25
HOURS_PER_YEAR = DAYS_PER_YEAR * 24.0

ORIGIN_YEAR = 2022
"""The year whose first quarter is quarter 0; earlier quarters are negative."""

_QUARTER = re.compile(r"(\d{4})Q([1-4])", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@cache
def index(quarter: str) -> int:
    """The number of a quarter written as ``"2024Q1"``; 2022Q1 is 0.

    Raises:
        ValueError: if the text is not a quarter.
    """
    match = _QUARTER.fullmatch(quarter)
    if match is None:
        raise ValueError(f"{quoted(quarter)} is not a quarter: write the year, Q and 1 to 4, as in '2024Q1'.")
    return QUARTERS_PER_YEAR * (int(match[1]) - ORIGIN_YEAR) + int(match[2]) - 1


@cache
def name(quarter: int) -> str:
    """The quarter of that number as text, ``name(8) == "2024Q1"``."""
    years, rest = divmod(quarter, QUARTERS_PER_YEAR)
    return f"{ORIGIN_YEAR + years:04d}Q{rest + 1}"


def year(quarter: int) -> int:
    """The calendar year that a quarter lies in, ``year(8) == 2024``."""
    return ORIGIN_YEAR + quarter // QUARTERS_PER_YEAR


def quarters_of(year: int) -> tuple[int, ...]:
    """The four quarters of a calendar year, ``quarters_of(2024) == (8, 9, 10, 11)``."""
    first = QUARTERS_PER_YEAR * (year - ORIGIN_YEAR)
    return tuple(range(first, first + QUARTERS_PER_YEAR))


def quarter_of_date(day: str) -> int:
    """The quarter that a date such as ``"2024-05-06"``, or a month such as ``"2024-05"``, lies in.

    Raises:
        ValueError: if the text is neither, or no such day exists.
    """
    try:
        when = date.fromisoformat(f"{day}-01" if _MONTH.fullmatch(day) else day)
    except ValueError:
        raise ValueError(
            f"{quoted(day)} is not a date: write year, month and day, as in '2024-05-06'."
        ) from None
    return QUARTERS_PER_YEAR * (when.year - ORIGIN_YEAR) + (when.month - 1) // MONTHS_PER_QUARTER


def at_month(series: Mapping[int, float], month: str) -> float:
    """The value of a quarterly series in a month, log-linear between the middles of quarters.

    A quarter's value stands for its middle month: ``at_month(series, "2024-08")`` is that of 2024Q3, and
    September lies a third of the way from it to 2024Q4, on a straight line in logs.

    Args:
        series: positive values by number of quarter; only those on either side of the month are read.
        month: as ``"2024-09"``.

    Returns:
        The value, in the unit of the series.

    Raises:
        ValueError: if the text is not a month, or a quarter beside it is missing or not positive.
    """
    match = _MONTH.fullmatch(month)
    if match is None:
        raise ValueError(f"{quoted(month)} is not a month: write the year and two digits, as in '2024-09'.")
    months = MONTHS_PER_YEAR * (int(match[1]) - ORIGIN_YEAR) + int(match[2]) - 1
    before, past = divmod(months - MONTHS_PER_QUARTER // 2, MONTHS_PER_QUARTER)
    low = _positive(series, before, month)
    if past == 0:
        return low
    high = _positive(series, before + 1, month)
    return low * math.exp(past / MONTHS_PER_QUARTER * math.log(high / low))


def _positive(series: Mapping[int, float], quarter: int, month: str) -> float:
    if quarter not in series:
        raise ValueError(
            f"{month} needs {name(quarter)}, which the series lacks: give the quarters on either side."
        )
    value = float(series[quarter])
    if not 0.0 < value < math.inf:
        raise ValueError(f"{month} needs a positive number in {name(quarter)}, not {value}: logs are taken.")
    return value
