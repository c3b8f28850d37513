"""When a claim speaks of: a quarter, a month, a year, or the change between two of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from model import calendar

ARROW = "->"
_YEAR = re.compile(r"\d{4}", re.ASCII)
_HALF = re.compile(r"(\d{4})H([12])", re.ASCII)
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_BY = "by "

Quarters = tuple[str, ...]


@dataclass(frozen=True)
class Moment:
    """A stretch of quarters to pool, or a month between two quarters.

    ``quarters`` are names such as ``"2024Q1"``, in order; ``month`` is empty unless the moment is a month.
    """

    text: str
    quarters: Quarters
    month: str = ""

    def value(self, measure: Callable[[Quarters], float]) -> float:
        """What ``measure`` says of the pooled quarters; of a month, log-linear between the mid-quarters
        beside it.

        A month is nan where a quarter beside it is nan, zero or negative, since logs are taken.
        """
        if not self.month:
            return measure(self.quarters)
        series = {calendar.index(quarter): measure((quarter,)) for quarter in self.quarters}
        try:
            return calendar.at_month(series, self.month)
        except ValueError:
            return math.nan

    @property
    def last(self) -> str:
        """The last of its quarters."""
        return self.quarters[-1]


@dataclass(frozen=True)
class Period:
    """One moment, or a change from ``start`` to ``end``."""

    text: str
    end: Moment
    start: Moment | None = None

    @property
    def since(self) -> Moment:
        """The moment from which a change is judged.

        Raises:
            ValueError: the period is a single moment.
        """
        if self.start is None:
            raise ValueError(f"a change needs two moments: write {self.text!r} as 'start {ARROW} end'")
        return self.start

    @property
    def needed(self) -> Quarters:
        """Every quarter that must be on record to judge it."""
        return (*(self.start.quarters if self.start else ()), *self.end.quarters)

    @property
    def span(self) -> Quarters:
        """Every quarter from its first to its last."""
        first = calendar.index(self.needed[0])
        return tuple(calendar.name(q) for q in range(first, calendar.index(self.end.last) + 1))


@cache
def moment(text: str) -> Moment:
    """Read ``"2024Q2"``, ``"2024"`` (four quarters pooled), ``"2023H1"``, ``"2024-10"`` (a month), ``"by
    2027"`` (its last quarter) or ``"by 2025Q3"``.

    Raises:
        ValueError: the text is none of these.
    """
    body = text.removeprefix(_BY)
    by = body != text
    half = _HALF.fullmatch(body)
    if _YEAR.fullmatch(body):
        names = tuple(calendar.name(q) for q in calendar.quarters_of(int(body)))
        return Moment(text, names[-1:] if by else names)
    if half and not by:
        names = tuple(calendar.name(q) for q in calendar.quarters_of(int(half[1])))
        middle = len(names) // 2
        return Moment(text, names[:middle] if half[2] == "1" else names[middle:])
    if _MONTH.fullmatch(body) and not by:
        return Moment(text, _beside(body), body)
    return Moment(text, (calendar.name(calendar.index(body)),))


@cache
def period(text: str) -> Period:
    """Read one moment, or two joined by ``->`` as in ``"2024 -> by 2027"``.

    Raises:
        ValueError: a moment cannot be read, or the change does not run forward.
    """
    start, arrow, end = (part.strip() for part in text.partition(ARROW))
    if not arrow:
        return Period(text, moment(start))
    result = Period(text, moment(end), moment(start))
    if calendar.index(result.since.quarters[0]) > calendar.index(result.end.quarters[0]):
        raise ValueError(f"{text!r} runs backward")
    return result


def _beside(month: str) -> Quarters:
    """The quarter or the two quarters whose middles lie on either side of a month."""
    own = calendar.quarter_of_date(month)
    position = (int(month.partition("-")[2]) - 1) % calendar.MONTHS_PER_QUARTER
    middle = calendar.MONTHS_PER_QUARTER // 2
    if position == middle:
        return (calendar.name(own),)
    pair = (own - 1, own) if position < middle else (own, own + 1)
    return tuple(calendar.name(q) for q in pair)
