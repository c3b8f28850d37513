"""Functions with known sensitivity, as simulations: the studies meet them on the path that runs the market.

Parameters of the table stand for their arguments: the value of one between its low and high is the argument
between the ends of its range. The outcome is that of the claim :data:`CLAIM`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd

from model.parameters import Parameters, table
from model.setting import Setting
from scenarios.runner import Job
from tests.scenarios import toys

AXES = ("sigma2", "eta", "adoption_rate", "price_adjustment")
"""Parameters with a uniform distribution that stand for arguments."""

CLAIM = "p1-nvidia-2027"
"""The claim whose metric is the function's value."""


def ishigami(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1 on [-pi, pi]^3 (Ishigami and Homma 1990); the seed adds nothing."""
    x = arguments(setting, -math.pi, math.pi)
    return tables_of(math.sin(x[0]) + 7.0 * math.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * math.sin(x[0]))


def sobol_g(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The product of (|4 x - 2| + a) / (1 + a) on the unit cube (Saltelli and Sobol 1995), a in :data:`G`."""
    x = arguments(setting, 0.0, 1.0)
    return tables_of(math.prod((abs(4.0 * v - 2.0) + a) / (1.0 + a) for v, a in zip(x, G, strict=True)))


def linear(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The sum of :data:`SLOPES` times x - 1/2 on the unit cube, and normal noise of the seed."""
    x = arguments(setting, 0.0, 1.0)
    noise = float(np.random.default_rng(seed).normal(0.0, NOISE))
    return tables_of(sum(b * (v - 0.5) for b, v in zip(SLOPES, x, strict=True)) + noise)


def fails_in_a_corner(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The linear function, which breaks an identity where the first argument is above 0.9."""
    if arguments(setting, 0.0, 1.0)[0] > 0.9:
        raise ArithmeticError("tokens sold are not tokens bought")
    return linear(setting, seed)


def measure(tables: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """The function's value as the outcome of the claim."""
    return {CLAIM: float(tables["quarters"]["adoption"].iloc[0])}


JOBS = {each.__name__: Job(each, measure) for each in (ishigami, sobol_g, linear, fails_in_a_corner)}

G = (0.0, 1.0, 4.5, 9.0)
SLOPES = (4.0, 2.0, 1.0, 0.0)
NOISE = 0.5

ISHIGAMI = {"first": (0.3139, 0.4424, 0.0), "total": (0.5576, 0.4424, 0.2437)}
"""Known indices of the first three axes."""


def g_indices() -> dict[str, tuple[float, ...]]:
    """Known indices of the g-function: the variance of a factor is 1 / (3 (1 + a)^2)."""
    v = [1.0 / (3.0 * (1.0 + a) ** 2) for a in G]
    whole = math.prod(1.0 + each for each in v) - 1.0
    return {
        "first": tuple(each / whole for each in v),
        "total": tuple(each / (1.0 + each) * (1.0 + whole) / whole for each in v),
    }


def linear_indices() -> tuple[float, ...]:
    """Shares of variance of the linear function over its axes, without the noise of the seed."""
    of = [b**2 for b in SLOPES]
    return tuple(each / sum(of) for each in of)


def arguments(setting: Setting, low: float, high: float) -> list[float]:
    """What the parameters of a setting stand for."""
    known = table()
    shares = [(setting.parameters[n] - known[n].low) / (known[n].high - known[n].low) for n in AXES]
    return [low + (high - low) * share for share in shares]


def tables_of(value: float) -> dict[str, pd.DataFrame]:
    """Tables of the schema that carry a value."""
    frames = dict(_blank())
    frames["quarters"] = frames["quarters"].assign(adoption=value)
    return frames


@cache
def _blank() -> dict[str, pd.DataFrame]:
    return toys.plain(Setting("toy", Parameters.resolve({}), (), "2023Q1", "2023Q1", "2023Q1"), 1)
