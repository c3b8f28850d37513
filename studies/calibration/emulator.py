"""Emulators: Gaussian processes that say what runs would give at any point of the unit cube, and how surely."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studies.counted import Told, counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LENGTHS = (0.2, 30.0)
"""Bounds of a length scale, in widths of the prior: from a fifth, which so few points can resolve, to none at all."""

VARIANCES = (1e-4, 30.0)
"""Bounds of the other variances, in those of the outputs."""

NOISE = (1e-5, 1.0)
"""Bounds of the variance that no smooth function explains: steps of whole numbers, seeds that react to a point."""

LEAST_POINTS = 8
"""With fewer points than this nothing is fitted."""

SMOOTHNESS = 2.5
"""Of the Matern covariance: twice differentiable paths (Rasmussen and Williams 2006, section 4.2)."""


@dataclass(frozen=True)
class Emulator:
    """A Gaussian process for one output: a linear trend, a Matern part with a length for each input, and noise.

    The covariance of two inputs u, v of the unit cube is a (u - 1/2).(v - 1/2) + b + c Matern(u, v; lengths), and
    ``noise`` on the diagonal, times the square of ``spread``.

    Attributes:
        inputs: the points that were run, shape (points, inputs).
        outputs: what they gave, shape (points,).
    """

    inputs: Array
    outputs: Array
    centre: float
    spread: float
    trend: float
    level: float
    rough: float
    lengths: Array
    noise: float
    weights: Array
    inverse: Array

    @classmethod
    def fit(cls, inputs: Array, outputs: Array) -> Emulator:
        """The emulator of greatest marginal likelihood, found by scikit-learn from one fixed start.

        Points whose output is nan are left out. Raises ValueError when fewer than :data:`LEAST_POINTS` remain.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern, WhiteKernel

        known = np.isfinite(outputs)
        inputs, outputs = inputs[known], outputs[known]
        if len(outputs) < LEAST_POINTS:
            raise ValueError(f"{len(outputs)} points are too few to fit; at least {LEAST_POINTS} are needed")
        centre, spread = float(outputs.mean()), float(outputs.std()) or 1.0
        width = inputs.shape[1]
        linear = ConstantKernel(1.0, VARIANCES) * DotProduct(1.0, "fixed")
        smooth = ConstantKernel(0.5, VARIANCES) * Matern(np.full(width, 2.0), LENGTHS, SMOOTHNESS)
        kernel = linear + smooth + WhiteKernel(0.05, NOISE)
        # Distances within the cube only matter from its centre for the trend.
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", ConvergenceWarning
            )  # a length at its bound is an input without effect
            found = GaussianProcessRegressor(kernel, alpha=0.0, n_restarts_optimizer=0).fit(
                inputs - 0.5, (outputs - centre) / spread
            )
        fitted = found.kernel_
        first, white = fitted.k1, fitted.k2
        trend = float(first.k1.k1.constant_value)
        return cls._of(
            inputs,
            outputs,
            centre,
            spread,
            trend,
            trend * float(first.k1.k2.sigma_0) ** 2,
            float(first.k2.k1.constant_value),
            np.atleast_1d(first.k2.k2.length_scale),
            float(white.noise_level),
        )

    @classmethod
    def _of(
        cls,
        inputs: Array,
        outputs: Array,
        centre: float,
        spread: float,
        trend: float,
        level: float,
        rough: float,
        lengths: Array,
        noise: float,
    ) -> Emulator:
        covariance = _covariance(inputs, inputs, trend, level, rough, lengths)
        covariance[np.diag_indices_from(covariance)] += noise
        inverse = np.linalg.inv(covariance)
        inverse = 0.5 * (inverse + inverse.T)
        weights = inverse @ ((outputs - centre) / spread)
        return cls(inputs, outputs, centre, spread, trend, level, rough, lengths, noise, weights, inverse)

    def predict(self, unit: Array) -> tuple[Array, Array]:
        """Mean and variance of what a point would give, averaged over the seeds of the design, both (points,).

        The variance holds the noise: what a smooth function of the inputs leaves open.
        """
        cross = _covariance(unit, self.inputs, self.trend, self.level, self.rough, self.lengths)
        offset = unit - 0.5
        own = self.trend * np.einsum("ij,ij->i", offset, offset) + self.level + self.rough + self.noise
        variance = own - np.einsum("ij,ij->i", cross @ self.inverse, cross)
        return self.centre + self.spread * (cross @ self.weights), self.spread**2 * np.maximum(
            variance, self.noise
        )

    def left_out(self) -> tuple[Array, Array]:
        """Mean and variance at each point that was run from all others (Rasmussen and Williams 2006, eq. 5.12)."""
        own = np.diag(self.inverse)
        mean = (self.outputs - self.centre) / self.spread - self.weights / own
        return self.centre + self.spread * mean, self.spread**2 / own

    @property
    def explained(self) -> float:
        """The share of the outputs' variance that the others predict, point by point left out (Q2); at most 1."""
        errors = self.outputs - self.left_out()[0]
        total = float(np.square(self.outputs - self.outputs.mean()).sum())
        return 1.0 - float(np.square(errors).sum()) / total if total > 0.0 else np.nan

    def coverage(self, level: float) -> float:
        """The share of points that lie in the interval of a level that all others give them."""
        from scipy.special import ndtri

        mean, variance = self.left_out()
        half = float(ndtri((1.0 + level) / 2.0)) * np.sqrt(variance)
        return float((np.abs(self.outputs - mean) <= half).mean())


def emulators(inputs: Array, outputs: Array, told: Told | None = None) -> tuple[Emulator, ...]:
    """An emulator for each column of outputs, shape (points, outputs); nan where a run gave none."""
    places = counted("emulators", range(outputs.shape[1]), told)
    return tuple(Emulator.fit(inputs, outputs[:, place]) for place in places)


def predict(models: Sequence[Emulator], unit: Array) -> tuple[Array, Array]:
    """Means and variances of all outputs at some points, both of shape (points, outputs)."""
    found = [model.predict(unit) for model in models]
    return np.column_stack([mean for mean, _ in found]), np.column_stack([var for _, var in found])


def _covariance(one: Array, other: Array, trend: float, level: float, rough: float, lengths: Array) -> Array:
    """The covariance without noise between two sets of points, shape (points of one, points of the other)."""
    a, b = one / lengths, other / lengths
    squared = np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None, :] - 2.0 * (a @ b.T)
    distance = np.sqrt(5.0 * np.maximum(squared, 0.0))
    matern = (1.0 + distance + np.square(distance) / 3.0) * np.exp(-distance)
    found: Array = trend * ((one - 0.5) @ (other - 0.5).T) + level + rough * matern
    return found
