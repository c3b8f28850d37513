"""What a model can do and how research moves it: latent capability, benchmark link, compute, spillover."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.calendar import QUARTERS_PER_YEAR

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


def capability(flop: ArrayLike, efficiency: ArrayLike) -> Array:
    """Latent capability: log10 of FLOP and the log10 algorithmic efficiency with which they were used.

    Effective compute is the FLOP that the algorithms of the base year would have needed (Ho et al. 2024, arXiv
    2403.05812).
    """
    return np.asarray(np.log10(flop) + np.asarray(efficiency, dtype=np.float64))


def active_params_from_compute(flop: ArrayLike, tokens_per_parameter: ArrayLike) -> Array:
    """Active parameters in billions of a model trained on so many tokens a parameter.

    C = 6 N D with D = ratio x N gives N = sqrt(C / (6 ratio)); the ratio is 20 at the training optimum of
    Hoffmann et al. (2022) and far above it for models meant to be served cheaply.
    """
    ratio = np.asarray(tokens_per_parameter, dtype=np.float64)
    params = np.sqrt(np.asarray(flop, dtype=np.float64) / (FLOP_PER_PARAMETER_AND_TOKEN * ratio))
    return np.asarray(params / BILLION, dtype=np.float64)


def dense_equivalent(total_params: float, active_params: float) -> float:
    """Parameters of the dense model of equal quality: the geometric mean of total and active, same unit."""
    return math.sqrt(total_params * active_params)


def spillover(own: float, public: float, rate: float) -> float:
    """What a quarter of reading others' work adds to log10 algorithmic efficiency.

    The share ``rate`` (0 to 1) of the gap from ``own`` to the ``public`` frontier, both log10; one at or ahead
    of it learns nothing (Nelson and Phelps 1966).
    """
    return rate * max(public - own, 0.0)


def efficiency_growth(
    people: float, most_people: float, yearly_growth: float, returns: float, fastest: float
) -> float:
    """What a quarter of a vendor's own research adds to log10 algorithmic efficiency.

    ``yearly_growth`` is the factor a year of the vendor with ``most_people``. Returns to ``people`` diminish
    (``returns`` below 1: Jones 1995, Bloom et al. 2020), and nobody is more than ``fastest`` times as fast.
    """
    speed = (people / most_people) ** returns if people > 0.0 else 0.0
    return float(np.log10(yearly_growth)) / QUARTERS_PER_YEAR * min(speed, fastest)
