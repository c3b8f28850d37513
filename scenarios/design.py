"""Designs over parameters: a full grid, and samples that fill the plausible ranges of many at once."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from model.parameters import Parameter, declared, scalars
from model.quotation import brief, quoted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Point = dict[str, float]
"""Values of the parameters that vary, by name."""

METHODS = ("lhs", "sobol", "random")
NUMERICAL = ("enterprises", "consumer_groups")
"""Parameters that set the fineness of the computation, not the world."""

UPPER = 0.975
"""The quantile that the high end of a normal parameter stands for."""

MOST_POINTS = 1_000_000
_SAMPLE = re.compile(r"([a-z]+):(\d{1,18})(?::(\d{1,18}))?", re.ASCII)


class DesignError(ValueError):
    """A design that cannot be read; the message says how to write it."""


def grid(texts: Iterable[str]) -> list[Point]:
    """All combinations of the values of ``"name=1,2,3"`` texts, the last one varying fastest.

    Raises DesignError for a text that is none, or a name that comes twice; ParameterError for a parameter that
    does not exist or cannot take a value.
    """
    axes: dict[str, list[float]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip()
        if not equals or not values.strip():
            raise DesignError(
                f"--grid {quoted(text)}: write a parameter and its values, as alpha_mean=1.5,2,2.5"
            )
        if name in axes:
            raise DesignError(f"--grid gives {name} twice; write all its values in one")
        axes[name] = _values(name, values)
    count = 1
    for found in axes.values():
        count *= len(found)
    if count > MOST_POINTS:
        raise DesignError(f"the grid has {count:,} points, more than {MOST_POINTS:,}; give fewer values")
    return [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]


def sample(text: str, over: Sequence[str] = (), settled: Collection[str] = ()) -> list[Point]:
    """The points of a sample ``"lhs:256"``, ``"sobol:256"`` or ``"random:256"``; ``"lhs:256:7"`` has a seed of its own.

    Args:
        text: method, number of points and, optionally, the seed of the design (0 by default).
        over: names of parameters; by default every scalar that has a range and is neither a switch nor a matter
            of numerical resolution, nor among those that are settled.
        settled: names that have a value already; ``over`` may name them nonetheless.

    Each parameter is drawn from its distribution in the parameter table, between its low and high: uniform,
    log-uniform, triangular with the mode at its default, normal around the default truncated at both (they are
    its 2.5 and 97.5 % points), whole numbers and switches with equal weights. Latin hypercube (McKay, Beckman and
    Conover 1979) and scrambled Sobol points (Owen 1998) are those of ``scipy.stats.qmc``.

    Raises:
        DesignError: the text is none, or nothing varies.
        ParameterError: a parameter does not exist.
    """
    match = _SAMPLE.fullmatch(text.strip())
    if match is None or match[1] not in METHODS or not int(match[2]):
        raise DesignError(
            f"--sample {quoted(text)}: write a method and a number, as lhs:256; methods: {', '.join(METHODS)}"
        )
    count = int(match[2])
    if count > MOST_POINTS:
        raise DesignError(f"--sample {quoted(text)}: that is more than {MOST_POINTS:,} points")
    axes = varied(over, settled)
    unit = unit_points(match[1], count, len(axes), int(match[3] or 0))
    columns = [at_quantiles(p, unit[:, i]) for i, p in enumerate(axes)]
    return [
        {p.name: float(column[row]) for p, column in zip(axes, columns, strict=True)} for row in range(count)
    ]


def varied(over: Sequence[str] = (), settled: Collection[str] = ()) -> list[Parameter]:
    """The parameters that a design varies: those named, or all of :func:`drawn` that have no value yet.

    Raises DesignError where nothing varies, or a named one cannot; ParameterError for one that does not exist.
    """
    found = [declared(name) for name in over] or [p for p in drawn() if p.name not in settled]
    if not found:
        raise DesignError("every parameter with a range has a value already; name some with --over")
    fixed = [p.name for p in found if not p.low < p.high]
    if fixed:
        raise DesignError(f"{fixed[0]} has no range to sample; leave it out of --over")
    twice = [p.name for p in found if found.count(p) > 1]
    if twice:
        raise DesignError(f"--over names {twice[0]} twice")
    return found


def refuse_overlap(points: Iterable[Mapping[str, float]], overrides: Mapping[str, object]) -> None:
    """Raise DesignError when a design varies a parameter that is given one value for all of its worlds."""
    for name in overrides:
        if any(name in point for point in points):
            raise DesignError(
                f"{name} is given one value, {brief(str(overrides[name]))}, and varied by the design too; "
                "leave one of them out"
            )


def drawn() -> list[Parameter]:
    """The scalars of the parameter table that a sample varies unless it is told which."""
    return [
        p
        for p in scalars().values()
        if p.distribution not in ("fixed", "switch") and p.low < p.high and p.name not in NUMERICAL
    ]


def unit_points(method: str, count: int, dimensions: int, seed: int) -> NDArray[np.float64]:
    """Points of a design in the unit cube, shape (count, dimensions)."""
    import numpy as np
    from scipy.stats import qmc

    if method == "random":
        return np.random.default_rng(seed).random((count, dimensions))
    if method == "lhs":
        return np.asarray(qmc.LatinHypercube(dimensions, rng=seed).random(count))
    import warnings

    with warnings.catch_warnings():  # balance is lost unless the number is a power of two: said in --help
        warnings.simplefilter("ignore", UserWarning)
        return np.asarray(qmc.Sobol(dimensions, rng=seed).random(count))


def at_quantiles(parameter: Parameter, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of a parameter at quantiles of its distribution, shape as ``shares``."""
    import numpy as np
    from scipy import stats

    low, high, mode = parameter.low, parameter.high, parameter.default
    width = high - low
    if parameter.distribution == "loguniform":
        values = low * (high / low) ** shares
    elif parameter.distribution in ("integer", "switch"):
        values = np.minimum(low + np.floor(shares * (width + 1.0)), high)
    elif parameter.distribution == "triangular":
        values = stats.triang.ppf(shares, (mode - low) / width, low, width)
    elif parameter.distribution == "normal":
        spread = width / (2.0 * stats.norm.ppf(UPPER))
        values = stats.truncnorm.ppf(shares, (low - mode) / spread, (high - mode) / spread, mode, spread)
    else:
        values = low + width * shares
    return np.clip(values, low, high)


def _values(name: str, text: str) -> list[float]:
    parameter = declared(name)
    values = [parameter.accept(part.strip()) for part in text.split(",") if part.strip()]
    if not values:
        raise DesignError(f"--grid {name}={brief(text)}: write its values, as alpha_mean=1.5,2,2.5")
    if len(set(values)) < len(values):
        raise DesignError(f"--grid gives {name} the same value twice")
    return values
