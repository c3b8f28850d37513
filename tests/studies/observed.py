"""A simulation with known posteriors: three observables of four arguments, each with normal noise of the seed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from model.setting import Setting
from scenarios.runner import Job
from studies.calibration.observables import Observable
from tests.studies.functions import arguments, tables_of

NAMES = ("adoption", "tokens_mtok", "price_usd_per_mtok")
"""Headline columns that carry the observables."""

NOISE = (0.10, 0.05, 0.10)
"""What a seed adds to each of them, as a standard deviation."""


def response(x: np.ndarray) -> np.ndarray:
    """The observables without luck: two linear in one argument each, one in two; the last argument does nothing."""
    return np.array(
        [2.0 * (x[0] - 0.5), 1.5 * (x[1] - 0.5), (x[0] - 0.5) + 2.0 * (x[2] - 0.5) + 0.5 * x[2] ** 2]
    )


def simulate(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The response at a setting and the luck of a seed."""
    luck = np.random.default_rng(seed).normal(0.0, NOISE)
    values = response(np.array(arguments(setting, 0.0, 1.0))) + luck
    frames = tables_of(0.0)
    frames["quarters"] = frames["quarters"].assign(**dict(zip(NAMES, values.tolist(), strict=True)))
    return frames


def fails_in_a_corner(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The same, which breaks an identity where the first argument is above 0.9."""
    if arguments(setting, 0.0, 1.0)[0] > 0.9:
        raise ArithmeticError("tokens sold are not tokens bought")
    return simulate(setting, seed)


def measure(tables: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """The observables by the names of their columns."""
    return {name: float(tables["quarters"][name].iloc[0]) for name in NAMES}


JOB, FRAGILE = Job(simulate, measure), Job(fails_in_a_corner, measure)


def observables(
    observed: np.ndarray, error: float = 0.05, discrepancy: float = 0.05
) -> tuple[Observable, ...]:
    """The three of them, as they were observed."""
    return tuple(
        Observable(name, name, (name,), "difference", (float(value),), error, discrepancy)
        for name, value in zip(NAMES, observed, strict=True)
    )
