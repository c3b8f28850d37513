"""Which worlds are cases of what is sought, as a claim that fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studies.holding import holding, undefined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studies.evaluation import Evaluation

FAILS, HOLDS_THERE = "fails", "holds"
WHERES = (FAILS, HOLDS_THERE)
"""What is sought: worlds in which a claim fails, or in which it holds."""

CASE, OTHER, UNDEFINED, LOST = "case", "other", "undefined", "lost"
"""A world: the claim does there what is sought, or not; it is undefined in half of its runs or more; no run ended."""

MAJORITY = 0.5
"""A claim fails in a world where it holds in no more than this share of the runs that ended."""


@dataclass(frozen=True)
class Half:
    """Judged worlds of one half: parameters, shape (worlds, parameters), and whether each is a case."""

    x: NDArray[np.float64]
    y: NDArray[np.bool_]


def states(found: Evaluation, claim: str, where: str) -> tuple[list[str], NDArray[np.float64]]:
    """What each world is, and the share of its runs that ended in which the claim holds, nan where none did.

    A claim fails in a world where it holds in no more than half of these runs; in one that leaves its metric undefined
    it does not hold. A world that leaves it undefined in half of them or more is told apart: it neither fails nor holds.
    """
    ended = (~found.failed).sum(axis=1)
    held = np.nansum(holding(found, claim), axis=1)
    share = np.divide(held, ended, out=np.full(len(held), np.nan), where=ended > 0)
    sought = share > MAJORITY if where == HOLDS_THERE else share <= MAJORITY
    known = np.where(
        2 * undefined(found, claim).sum(axis=1) < ended, np.where(sought, CASE, OTHER), UNDEFINED
    )
    return [str(each) for each in np.where(ended == 0, LOST, known)], share
