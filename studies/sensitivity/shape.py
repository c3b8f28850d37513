"""Whether variance is a fair measure of how uncertain an outcome is: the shape of its distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from studies.sensitivity.units import ROUNDING, some_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

SKEW, KURTOSIS = 2.0, 7.0
"""Skewness and excess kurtosis beyond which a distribution is far from normal (Curran, West and Finch, Psychological
Methods 1 (1996) 16-29)."""

FEW_VALUES = 10
"""An outcome with fewer different values is a class rather than an amount."""


def shape(values: NDArray[np.float64]) -> dict[str, object]:
    """Skewness, excess kurtosis, number of different values, and whether that is far from normal.

    Args:
        values: of independent runs, one dimension; those that are not finite do not count.
    """
    from scipy import stats

    found = values[np.isfinite(values)]
    different = len(np.unique(found))
    flat = different < 2 or float(np.ptp(found)) <= ROUNDING * float(np.abs(found).max())
    skew = np.nan if flat else float(stats.skew(found))
    kurtosis = np.nan if flat else float(stats.kurtosis(found))
    far = not flat and (abs(skew) > SKEW or kurtosis > KURTOSIS or different < FEW_VALUES)
    return {"skew": skew, "kurtosis": kurtosis, "different": different, "far": far}


def shape_note(shapes: pd.DataFrame) -> list[str]:
    """The sentence that sends a reader to PAWN, where variance is a poor measure."""
    far = [str(name) for name in shapes["outcome"][shapes["far"].astype(bool)]]
    if not far:
        return []
    return [
        f"Far from normal (skewness beyond {SKEW:g}, excess kurtosis beyond {KURTOSIS:g}, or fewer than {FEW_VALUES} "
        f"values): {some_of(far)}. Variance tells half of their story; `undercut study pawn` compares whole distributions."
    ]
