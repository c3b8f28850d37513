"""Draws from a posterior on the unit cube by a sequence of tempered ones: a sequential Monte Carlo sampler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    LogLikelihood = Callable[[Array], Array]

KEPT = 0.5
"""The effective share of draws that a step to the next temperature keeps (Del Moral, Doucet and Jasra 2006)."""

STEP = 2.38
"""Scale of a random walk, over the root of the dimensions (Roberts, Gelman and Gilks 1997)."""

WANTED = 0.25
"""The share of moves that are taken to which the walk's scale is adapted, near the best of Roberts and others."""

MOVED = 4.0
"""Draws are moved until each has moved so often, on average, which undoes the copies of the resampling."""

MOST_SWEEPS = 40
"""No temperature takes more sweeps of moves than this."""

TEMPERATURES = 200
"""More temperatures than this mean a likelihood that no sample from the prior can reach."""

BISECTIONS = 60
"""Halvings in the search for the next temperature; the last is below the rounding of a double."""


@dataclass(frozen=True)
class Draws:
    """Equally weighted draws from a posterior.

    Attributes:
        unit: the draws, shape (draws, dimensions), in the unit cube.
        log_likelihood: of each, shape (draws,).
        log_evidence: the log of the likelihood averaged over the prior.
        temperatures: how many steps it took from the prior.
        taken: the share of the last temperature's moves that were taken.
        settled: whether the draws of every temperature moved often enough (:data:`MOVED`).
    """

    unit: Array
    log_likelihood: Array
    log_evidence: float
    temperatures: int
    taken: float
    settled: bool


def sample(
    log_likelihood: LogLikelihood, dimensions: int, count: int, generator: np.random.Generator
) -> Draws:
    """Draw from a posterior whose prior is uniform on the unit cube.

    Starts with a Latin hypercube over the prior and raises the likelihood to powers from 0 to 1, each as large as
    keeps :data:`KEPT` of the draws; at each power draws are resampled and moved by a random walk. It walks in normal
    quantiles of the coordinates, where the prior is standard normal and the cube has no faces to run into.

    Args:
        log_likelihood: of points, shape (points, dimensions), each a number; -inf where it is nothing.
        dimensions: of the cube.
        count: how many draws.
        generator: where chance comes from.

    Raises:
        ValueError: no point of the prior has a likelihood.
    """
    from scipy.special import ndtr, ndtri
    from scipy.stats import qmc

    def at(normal: Array) -> Array:
        return log_likelihood(ndtr(normal))

    unit = np.asarray(qmc.LatinHypercube(dimensions, rng=generator).random(count))
    value = log_likelihood(unit)
    if not np.isfinite(value).any():
        raise ValueError("no point of the prior has a likelihood above nothing")
    normal = ndtri(unit)
    power, evidence, steps, taken, scale, settled = 0.0, 0.0, 0, 1.0, 1.0, True
    while power < 1.0 and steps < TEMPERATURES:
        raised = _next(power, value)
        logs = (raised - power) * value
        top = float(logs.max())
        weights = np.exp(logs - top)
        evidence += top + float(np.log(weights.mean()))
        places = _resampled(weights / weights.sum(), generator)
        normal, value, power, steps = normal[places], value[places], raised, steps + 1
        normal, value, taken, scale, moved = _moved(at, normal, value, power, scale, generator)
        settled = settled and moved
    return Draws(ndtr(normal), value, evidence, steps, taken, settled and power >= 1.0)


def effective(weights: Array) -> float:
    """How many equally weighted draws some weights are worth (Kish 1965)."""
    return float(weights.sum() ** 2 / np.square(weights).sum())


def _next(power: float, value: Array) -> float:
    """The largest power up to 1 that keeps enough of the draws."""

    def kept(raised: float) -> float:
        logs = (raised - power) * value
        return effective(np.exp(logs - logs.max())) / len(value)

    if kept(1.0) >= KEPT:
        return 1.0
    low, high = power, 1.0
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if kept(middle) >= KEPT else (low, middle)
    return max(low, float(np.nextafter(power, 2.0)))


def _resampled(weights: Array, generator: np.random.Generator) -> NDArray[np.intp]:
    """Places of draws, as often as their weights say (systematic resampling)."""
    count = len(weights)
    at = (generator.random() + np.arange(count)) / count
    places: NDArray[np.intp] = np.minimum(np.searchsorted(np.cumsum(weights), at), count - 1)
    return places


def _moved(
    log_likelihood: LogLikelihood,
    normal: Array,
    value: Array,
    power: float,
    scale: float,
    generator: np.random.Generator,
) -> tuple[Array, Array, float, float, bool]:
    """Draws after random walks with the covariance of all, the share of moves taken, and the scale at the end."""
    count, dimensions = normal.shape
    covariance = np.atleast_2d(np.cov(normal.T)) + np.eye(dimensions) * np.finfo(float).eps
    root = np.linalg.cholesky(covariance) * STEP / np.sqrt(dimensions)
    moved, share = 0.0, 0.0
    for _ in range(MOST_SWEEPS):
        proposed = normal + scale * generator.standard_normal((count, dimensions)) @ root.T
        new = log_likelihood(proposed)
        prior = 0.5 * (np.square(normal).sum(1) - np.square(proposed).sum(1))
        accept = np.log(generator.random(count)) < power * (new - value) + prior
        normal = np.where(accept[:, None], proposed, normal)
        value = np.where(accept, new, value)
        share = float(accept.mean())
        moved += share
        scale *= float(np.exp(share - WANTED))
        if moved >= MOVED:
            return normal, value, share, scale, True
    return normal, value, share, scale, False
