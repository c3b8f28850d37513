"""Whether a claim holds, run by run, by one rule for all studies: the rule of a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evidence.claims import by_id
from studies.evaluation import HOLDS, verdicts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studies.evaluation import Evaluation


def holding(found: Evaluation, claim: str) -> NDArray[np.float64]:
    """Whether a claim holds in each run, shape (points, seeds): 1 or 0, nan where the run failed.

    A run that ends without a value of the claim's metric is one in which it does not hold, as in a verdict
    (:class:`evidence.judge.Verdict`). A metric that no run defines has no verdict, and nan everywhere.
    """
    values = found.table.get(claim, np.full(found.failed.shape, np.nan))
    if np.isnan(values).all():
        return np.full(found.failed.shape, np.nan)
    return np.where(found.failed, np.nan, np.nan_to_num(verdicts_of(by_id()[claim], values)))


def undefined(found: Evaluation, claim: str) -> NDArray[np.bool_]:
    """Which runs end without a value of a claim's metric, shape (points, seeds); one that failed is none of them."""
    values = found.table.get(claim, np.full(found.failed.shape, np.nan))
    return np.asarray(np.isnan(values) & ~found.failed)


def outcome_of(found: Evaluation, name: str) -> NDArray[np.float64]:
    """The value of a claim's metric in each run, nan where it is undefined; or, of ``holds:CLAIM``, :func:`holding`.

    Shape (points, seeds), nan where the run failed, and throughout where no run measured it.
    """
    kind, _, claim = name.rpartition(":")
    if kind == HOLDS:
        return holding(found, claim)
    return found.table.get(claim, np.full(found.failed.shape, np.nan))


def undefined_note(found: Evaluation, outcomes: Sequence[str]) -> list[str]:
    """The sentence on claims whose metric some runs leave undefined, where it is asked whether they hold."""
    asked = [name for name in outcomes if name.startswith(f"{HOLDS}:")]
    counts = {name: int(undefined(found, name.rpartition(":")[2]).sum()) for name in asked}
    ended = int((~found.failed).sum())
    some = {name: count for name, count in counts.items() if 0 < count < ended}
    if not some:
        return []
    worst = max(some, key=lambda name: some[name])
    return [
        f"A run that leaves a claim's metric undefined is one in which the claim does not hold, as in a verdict. That "
        f"touches {len(some)} of {len(asked)} claims, most of all {worst}: {some[worst]} of {ended} runs. What decides "
        "whether there is a value then decides whether it holds."
    ]
