"""An ensemble of one figure: the median of every number over runs, with its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from evidence.facts import constants
from model.parameters import Parameters

if TYPE_CHECKING:
    from pandas import DataFrame

Tables = Mapping[str, "DataFrame"]
"""The tables of one run by name, as ``Market.run`` returns them."""

Run = tuple[Parameters, Tables]
"""The parameters of one run, and its tables."""

LOW, HIGH = "_low", "_high"
"""What the columns of an interval are called after: ``usd``, ``usd_low``, ``usd_high``."""

RUNS = "runs"


CLAIMED = "claimed_value"
"""The column of what an article says: a number that no run changes."""


def over_runs(
    runs: Iterable[Run],
    figure: Callable[[Parameters, Tables], DataFrame],
    group: Sequence[str] | None = None,
) -> DataFrame:
    """A figure of every run of an ensemble, as :func:`spread` puts it. Raises ValueError without a run."""
    return spread([figure(parameters, tables) for parameters, tables in runs], group)


def spread(frames: Sequence[DataFrame], group: Sequence[str] | None = None) -> DataFrame:
    """Tidy frames of several runs as one: each number becomes its median, with low and high beside it.

    Rows are matched by ``group``, by default every column that is no float, and stand in the order in which
    they first appear; with an empty group all rows are one. Texts that are not matched are listed, each once.
    The interval is that of ``interval_level`` (5 to 95 %). Numbers that a run lacks (nan) do not count; ``runs``
    is how many runs have the row. Medians of parts need not add up to the median of the whole: read sums from
    rows of their own.

    Raises:
        ValueError: there is no frame.
    """
    if not frames:
        raise ValueError("there is no run to draw a figure from: give one seed at least")
    columns = list(frames[0].columns)
    numbers = [name for name in columns if frames[0][name].dtype.kind == "f" and name != CLAIMED]
    keys = [name for name in columns if name not in numbers] if group is None else list(group)
    tail = (1.0 - constants()["interval_level"]) / 2.0
    stacked = pd.concat(list(frames), ignore_index=True)
    groups = stacked.groupby(keys or (lambda _: 0), sort=False, dropna=False)
    result = pd.DataFrame({RUNS: groups.size()})
    for name in columns:
        if name in numbers:
            result[name] = groups[name].median()
            result[f"{name}{LOW}"] = groups[name].quantile(tail)
            result[f"{name}{HIGH}"] = groups[name].quantile(1.0 - tail)
        elif name not in keys:
            result[name] = groups[name].agg(lambda texts: ", ".join(dict.fromkeys(map(str, texts))))
    order = [part for name in columns for part in _with_interval(name, numbers)]
    return result.reset_index()[[*order, RUNS]]


def _with_interval(name: str, numbers: Sequence[str]) -> tuple[str, ...]:
    return (name, f"{name}{LOW}", f"{name}{HIGH}") if name in numbers else (name,)
