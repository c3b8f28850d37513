"""The world of the demand benchmark: a random population and its offers, from which every variant starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.demand import new_portfolio

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

OFFERS, MODELS, SEGMENTS = 24, 12, 32
SIGMA1, SIGMA2, ETA = 0.3, 0.8, 0.5
ADOPTION_RATE, PORTFOLIO_RATE = 0.2, 0.35
REFERENCE = 0.0
"""ln B_ref"""


@dataclass
class World:
    """A random population and its offers; the numbers only have to be plausible."""

    alpha: Singles
    beta: Singles
    nuisance: Singles
    weight: Singles
    segment: NDArray[np.int32]
    capability: NDArray[np.float64]
    price: NDArray[np.float64]
    offset: Singles
    model: NDArray[np.int64]
    adoption: Singles
    portfolio: Singles

    @classmethod
    def draw(cls, enterprises: int, seed: int = 1, offers: int = OFFERS, models: int = MODELS) -> World:
        """Draw a world of ``enterprises`` in SEGMENTS segments, and its offers."""
        rng = np.random.default_rng(seed)

        def single(values: NDArray[np.float64]) -> Singles:
            return values.astype(np.float32)

        offset = single(rng.normal(-2.0, 0.7, (SEGMENTS, offers)))
        offset[rng.random((SEGMENTS, offers)) < 0.1] = -np.inf
        return cls(
            alpha=single(1.3 + rng.gamma(2.0, 0.3, enterprises)),
            beta=single(rng.lognormal(0.0, 0.3, enterprises)),
            nuisance=single(rng.lognormal(-2.0, 0.5, enterprises)),
            weight=single(rng.lognormal(3.0, 1.0, enterprises)),
            segment=np.sort(rng.integers(0, SEGMENTS, enterprises)).astype(np.int32),
            capability=rng.normal(0.0, 0.6, offers),
            price=single(rng.lognormal(0.0, 1.0, offers)).astype(np.float64),
            offset=offset,
            model=rng.permutation(np.arange(offers) % models),
            adoption=np.zeros(enterprises, np.float32),
            portfolio=new_portfolio(enterprises, offers),
        )
