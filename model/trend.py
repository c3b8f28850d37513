"""Trends of years: growth whose rate fades."""

from __future__ import annotations

import math


def faded_growth(rate: float, fade: float, years: float) -> float:
    """What growth adds in ``years``, in the unit of ``rate`` times years.

    The rate is ``rate`` a year at the start and fades by ``fade`` (above zero, log points) a year:
    the integral of rate e^(-fade s) over s from 0 to ``years``.
    """
    return rate * (1.0 - math.exp(-fade * years)) / fade
