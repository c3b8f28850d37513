"""On which scale an outcome is explained: causes of a ratio multiply, so their logs add."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evidence.claims import Claim, by_id
from evidence.metrics import METRICS
from studies.evaluation import HOLDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL, LOG, LOG_FALL = "as it is", "log of the ratio", "log of the price ratio"

FALL = "price_fall"
"""The metric that says by which share a price has fallen."""

RATIO = "ratio"
"""The unit of metrics that divide one amount by another of the same kind."""


def claim_of(name: str) -> Claim:
    """The claim of an outcome, which is its metric, or whether it holds."""
    return by_id()[name.rpartition(":")[2]]


def scale_of(name: str) -> str:
    """The scale of an outcome; whether a claim holds is a probability, and stays as it is."""
    if name.startswith(HOLDS):
        return LEVEL
    metric = claim_of(name).metric
    if metric == FALL:
        return LOG_FALL
    return LOG if METRICS[metric].unit == RATIO else LEVEL


def on_scale(values: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    """Outcomes on a scale of the above, shape as given; nan where a log has no value."""
    if scale == LEVEL:
        return values
    ratio = 1.0 - values if scale == LOG_FALL else values
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(ratio)
    return np.where(np.isfinite(logs), logs, np.nan)


def scale_note(outcomes: Sequence[str]) -> list[str]:
    """The sentence on outcomes that are explained in logs."""
    logs = [name for name in outcomes if scale_of(name) != LEVEL]
    if not logs:
        return []
    return [
        f"{len(logs)} of {len(outcomes)} outcomes are ratios or falls of a price and explained in logs (a fall as the log "
        "of the later price over the earlier one). A ratio of nought has none and counts as undefined."
    ]
