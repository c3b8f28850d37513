"""Quantiles of an ensemble over time: the numbers behind every fan that is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The 5-95 % interval, the middle half, and the median."""


class ChartError(ValueError):
    """A chart that cannot be drawn or stored; the message says why and what to do."""


def fan(frame: pd.DataFrame, column: str, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
    """Quantiles over seeds of one column in each quarter.

    Args:
        frame: one row a seed and quarter, with columns ``seed``, ``quarter`` and ``column``.
        column: the series.
        levels: quantiles, as shares.

    Returns:
        Quarters in order by level, shape (quarters, levels); runs where the value is missing do not count.
    """
    wide = frame.pivot(index="quarter", columns="seed", values=column).sort_index()
    result = wide.quantile(list(levels), axis=1).T
    result.columns = list(levels)
    return result


def yearly(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The yearly sums of one column by seed, for whole years only: columns ``seed``, ``year``, ``column``."""
    years = frame.assign(year=frame["quarter"].str[:4].astype(int))
    grouped = years.groupby(["seed", "year"], sort=True)[column]
    whole = grouped.count() == grouped.count().max()
    return grouped.sum()[whole].reset_index()
