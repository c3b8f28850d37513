"""Which worlds are cases of what is sought, as a claim that fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studies.evaluation import HOLDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studies.evaluation import Evaluation

FAILS, HOLDS_THERE = "fails", "holds"
WHERES = (FAILS, HOLDS_THERE)
"""What is sought: worlds in which a claim fails, or in which it holds."""

CASE, OTHER, UNDEFINED, LOST = "case", "other", "undefined", "lost"
"""A world: the claim does there what is sought, or not; it is undefined in half of its seeds or more; no seed ended."""

MAJORITY = 0.5
"""A claim fails in a world where it holds in no more than this share of the seeds."""


@dataclass(frozen=True)
class Half:
    """Judged worlds of one half: parameters, shape (worlds, parameters), and whether each is a case."""

    x: NDArray[np.float64]
    y: NDArray[np.bool_]


def states(found: Evaluation, claim: str, where: str) -> tuple[list[str], NDArray[np.float64]]:
    """What each world is, and the share of its seeds in which the claim holds, where that is defined.

    A claim fails in a world where it holds in no more than half of the seeds in which it is defined.
    """
    lost = np.full(found.failed.shape, np.nan)
    held = found.values(f"{HOLDS}:{claim}") if claim in found.table else lost
    ended = (~found.failed).sum(axis=1)
    defined = (~np.isnan(held)).sum(axis=1)
    share = np.divide(np.nansum(held, axis=1), defined, out=np.full(len(held), np.nan), where=defined > 0)
    sought = share > MAJORITY if where == HOLDS_THERE else share <= MAJORITY
    known = np.where(2 * defined > ended, np.where(sought, CASE, OTHER), UNDEFINED)
    return [str(each) for each in np.where(ended == 0, LOST, known)], share
