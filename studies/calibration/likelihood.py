"""How likely observations are at points of the unit cube, by emulators, chance between seeds, errors and discrepancy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from studies.calibration.emulator import Emulator, predict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CUTOFF = 3.0
"""An implausibility above this rules a point out: Pukelsheim's three-sigma rule (American Statistician 48, 1994)."""


@dataclass(frozen=True)
class Likelihood:
    """Observations given a point are normal around what the emulators say there (Vernon, Goldstein and Bower 2010).

    Their covariance is the sum of: the emulators' variance at the point; ``chance`` x (1 + 1 / ``seeds``), because what
    was observed is one draw of chance, and the emulated mean carries the luck of so many seeds, the same at all points;
    ``unfitted``; and ``errors``.

    Attributes:
        emulators: one for each observable.
        observed: values, shape (observables,).
        errors: variances of observation and discrepancy together, shape (observables,).
        chance: covariance between seeds at a point, shape (observables, observables).
        seeds: over how many common seeds the emulated means are, or to which their luck was corrected.
        unfitted: covariance of what parameters that are not fitted could add, shape (observables, observables): one of
            them moves several observables together, which no number of observables averages out.
    """

    emulators: Sequence[Emulator]
    observed: Array
    errors: Array
    chance: Array
    seeds: int
    unfitted: Array

    @property
    def shared(self) -> Array:
        """The covariance of all that observables have in common at a point: chance, and what is not fitted."""
        found: Array = self.luck + self.unfitted
        return found

    @property
    def luck(self) -> Array:
        """The covariance of one new draw of chance around the emulated mean."""
        return self.chance * (1.0 + 1.0 / self.seeds)

    def __call__(self, unit: Array) -> Array:
        """The log of the likelihood at points, shape (points,)."""
        mean, variance = predict(self.emulators, unit)
        return self.of(mean, variance)

    def of(self, mean: Array, variance: Array) -> Array:
        """The same from means and variances of the emulators, both of shape (points, observables)."""
        lower = np.linalg.cholesky(self.covariance(variance))
        white = np.linalg.solve(lower, (self.observed - mean)[:, :, None])[:, :, 0]
        logs = np.log(np.einsum("nkk->nk", lower)).sum(1)
        found: Array = -0.5 * np.square(white).sum(1) - logs - 0.5 * len(self.observed) * np.log(2.0 * np.pi)
        return found

    def covariance(self, variance: Array) -> Array:
        """The covariance of observations at points with these variances of the emulators, shape (points, k, k)."""
        whole = np.repeat((self.shared + np.diag(self.errors))[None], len(variance), axis=0)
        places = np.arange(len(self.observed))
        whole[:, places, places] += variance
        return whole

    def implausibility(self, unit: Array) -> Array:
        """How many standard deviations each observable lies from its observation, shape (points, observables)."""
        mean, variance = predict(self.emulators, unit)
        spread = np.sqrt(variance + np.diag(self.shared) + self.errors)
        found: Array = np.abs(mean - self.observed) / spread
        return found

    def replicated(self, unit: Array, generator: np.random.Generator) -> Array:
        """Observations as the model would make them at points, with all errors: shape (points, observables)."""
        mean, variance = predict(self.emulators, unit)
        lower = np.linalg.cholesky(self.covariance(variance))
        white = generator.standard_normal(mean.shape)
        found: Array = mean + np.einsum("nkj,nj->nk", lower, white)
        return found

    def conditional(self, unit: Array) -> tuple[Array, Array]:
        """Mean and variance of each observable at points, given the observations of all others (both points, k)."""
        mean, variance = predict(self.emulators, unit)
        precision = np.linalg.inv(self.covariance(variance))
        own = np.einsum("nkk->nk", precision)
        pulled = np.einsum("nkj,nj->nk", precision, self.observed - mean)
        return self.observed - pulled / own, 1.0 / own

    def without(self, place: int) -> Likelihood:
        """The likelihood of all observables but one."""
        kept = [other for other in range(len(self.observed)) if other != place]
        return replace(
            self,
            emulators=[self.emulators[other] for other in kept],
            observed=self.observed[kept],
            errors=self.errors[kept],
            chance=self.chance[np.ix_(kept, kept)],
            unfitted=self.unfitted[np.ix_(kept, kept)],
        )


def between_seeds(values: Array) -> Array:
    """The covariance of observables between seeds at a point, pooled over points.

    Args:
        values: shape (points, seeds, observables), nan where undefined; each point with several seeds.

    Returns:
        Shape (observables, observables), positive semidefinite; a pair that is never defined together has 0.

    Raises:
        ValueError: an observable is defined with two seeds at no point, so that its chance cannot be told.
    """
    known = np.isfinite(values)
    if not (known.sum(1) > 1).any(0).all():
        raise ValueError("chance between seeds needs a point where each observable is defined with two seeds")
    count = known.sum(1, keepdims=True)
    mean = np.where(known, values, 0.0).sum(1, keepdims=True) / np.maximum(count, 1)
    centred = np.where(known & (count > 1), values - mean, 0.0)
    products = np.einsum("psk,psl->kl", centred, centred)
    both = (known & (count > 1)).astype(float)
    pairs = np.einsum("psk,psl->kl", both, both)
    points = np.einsum("pk,pl->kl", both.max(1), both.max(1))
    free = np.maximum(pairs - points, 1.0)
    found, vectors = np.linalg.eigh(products / free)
    # Where observables are undefined in different runs the sums need not fit together: what is below zero is noise.
    whole: Array = (vectors * np.maximum(found, 0.0)) @ vectors.T
    return whole
