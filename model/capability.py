"""What a model can do and how research moves it: latent capability, benchmark link, compute, spillover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FLOP_PER_PARAMETER_AND_TOKEN = 6.0  # forward 2, backward 4 (Kaplan et al. 2020)
BILLION = 1e9

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BenchmarkLink:
    """Logistic link of a benchmark: floor, ceiling (percent), slope (per log10), midpoint (log10 FLOP).

    Raises ValueError for a ceiling at or below the floor, or a slope that is not positive.
    """

    floor: float
    ceiling: float
    slope: float
    midpoint: float

    def __post_init__(self) -> None:
        if not self.floor < self.ceiling:
            raise ValueError(f"floor ({self.floor}) must be below the ceiling ({self.ceiling})")
        if self.slope <= 0.0:
            raise ValueError(f"slope must be positive, got {self.slope}")


def score(capability: ArrayLike, link: BenchmarkLink) -> Array:
    """Benchmark score in percent of a latent capability (log10 effective FLOP), elementwise.

    floor + (ceiling - floor) / (1 + exp(-slope (capability - midpoint))); Owen (2024), "How predictable is
    language model benchmark performance?", arXiv 2401.04757.
    """
    above = np.asarray(capability, dtype=np.float64) - link.midpoint
    return link.floor + (link.ceiling - link.floor) / (1.0 + np.exp(-link.slope * above))


def capability_from_score(percent: ArrayLike, link: BenchmarkLink, margin: float) -> Array:
    """Latent capability of a benchmark score in percent, elementwise; the inverse of ``score``.

    Scores nearer to the floor or ceiling than ``margin`` (a share of the range, in (0, 0.5)) say almost
    nothing about capability and are moved there first, so that the answer is finite.
    """
    if not 0.0 < margin < 0.5:  # half of the range from either end leaves nothing
        raise ValueError(f"margin must lie in (0, 0.5), got {margin}")
    share = (np.asarray(percent, dtype=np.float64) - link.floor) / (link.ceiling - link.floor)
    share = np.clip(share, margin, 1.0 - margin)
    return link.midpoint + np.log(share / (1.0 - share)) / link.slope


def quality_ratio(capability: ArrayLike, reference: ArrayLike, link: BenchmarkLink) -> Array:
    """Benchmark score of one model over that of another, as in "85 to 95 % of benchmark performance"."""
    return score(capability, link) / score(reference, link)


def training_flop(spend_usd: ArrayLike, cost_usd_per_flop: ArrayLike) -> Array:
    """Physical FLOP that a training budget buys."""
    return np.asarray(spend_usd, dtype=np.float64) / np.asarray(cost_usd_per_flop, dtype=np.float64)


def effective_compute(flop: ArrayLike, algorithmic_efficiency: ArrayLike) -> Array:
    """FLOP that the algorithms of the base year would have needed (Ho et al. 2024, arXiv 2403.05812)."""
    return np.asarray(flop, dtype=np.float64) * np.asarray(algorithmic_efficiency, dtype=np.float64)


def capability(flop: ArrayLike, algorithmic_efficiency: ArrayLike) -> Array:
    """Latent capability, log10 of effective FLOP."""
    return np.log10(effective_compute(flop, algorithmic_efficiency))


def active_params_from_compute(flop: ArrayLike, tokens_per_parameter: ArrayLike) -> Array:
    """Active parameters in billions of a model trained on so many tokens a parameter.

    C = 6 N D with D = ratio x N gives N = sqrt(C / (6 ratio)); the ratio is 20 at the training optimum of
    Hoffmann et al. (2022) and far above it for models meant to be served cheaply.
    """
    ratio = np.asarray(tokens_per_parameter, dtype=np.float64)
    params = np.sqrt(np.asarray(flop, dtype=np.float64) / (FLOP_PER_PARAMETER_AND_TOKEN * ratio))
    return np.asarray(params / BILLION, dtype=np.float64)


def dense_equivalent(total_params: ArrayLike, active_params: ArrayLike) -> Array:
    """Parameters of the dense model of equal quality: the geometric mean of total and active, same unit."""
    return np.sqrt(np.asarray(total_params, dtype=np.float64) * np.asarray(active_params, dtype=np.float64))


def spillover(own: ArrayLike, public_frontier: ArrayLike, rate: ArrayLike) -> Array:
    """Algorithmic efficiency after learning from what others publish, elementwise.

    Closes the share ``rate`` (0 to 1, a period) of the log gap to the public frontier; one at or ahead of it
    learns nothing (Nelson and Phelps 1966).
    """
    mine = np.asarray(own, dtype=np.float64)
    gap = np.maximum(np.asarray(public_frontier, dtype=np.float64) / mine, 1.0)
    return np.asarray(mine * gap ** np.asarray(rate, dtype=np.float64))


def efficiency_growth(
    people: ArrayLike,
    reference_people: float,
    reference_growth: float,
    returns: float,
    efficiency: ArrayLike = 1.0,
    fishing_out: float = 0.0,
) -> Array:
    """Log growth of algorithmic efficiency in a period from research people, elementwise.

    g = g_ref (people / reference)^returns x efficiency^-fishing_out: diminishing returns to people at a time
    (``returns`` below 1) and over time (``fishing_out``); Jones (1995), Bloom et al. (2020).
    """
    crowd = np.asarray(people, dtype=np.float64) / reference_people
    difficulty = np.asarray(efficiency, dtype=np.float64) ** fishing_out
    return np.asarray(reference_growth * crowd**returns / difficulty)


def advance(efficiency: ArrayLike, log_growth: ArrayLike) -> Array:
    """Efficiency after one period of log growth."""
    return np.asarray(efficiency, dtype=np.float64) * np.exp(np.asarray(log_growth, dtype=np.float64))
