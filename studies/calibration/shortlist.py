"""Which parameters the observations could tell something about: each alone from one end of its range to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from studies.calibration.observables import Observable, values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studies.calibration.waves import Run
    from studies.evaluation import Evaluation
    from studies.space import Space

ENDS = (0.05, 0.95)
"""The quantiles of a parameter's distribution between which it is moved."""


@dataclass(frozen=True)
class Shortlist:
    """How far each parameter moves the observables, alone, all others at their defaults.

    Attributes:
        names: parameters, in the order of the space.
        effects: change of each observable over the standard deviation of its error and discrepancy, shape (parameters,
            observables); nan where a run failed or is undefined.
        observables: their ids.
        evaluation: the runs.
    """

    names: tuple[str, ...]
    effects: NDArray[np.float64]
    observables: tuple[str, ...]
    evaluation: Evaluation

    @property
    def influence(self) -> NDArray[np.float64]:
        """The root of the sum of squared effects of each parameter, shape (parameters,); undefined effects are 0."""
        found: NDArray[np.float64] = np.sqrt(np.square(np.nan_to_num(self.effects)).sum(1))
        return found

    def first(self, count: int) -> tuple[str, ...]:
        """The parameters of the largest influence, the largest first."""
        order = np.argsort(-self.influence, kind="stable")[:count]
        return tuple(self.names[place] for place in order)

    def others(self, fitted: Sequence[str], asked: Sequence[Observable]) -> NDArray[np.float64]:
        """The variance that all parameters but the fitted ones could add to each observable, shape (observables,).

        Each is taken as linear in the quantiles of its prior, so that a change d between quantiles p and q is a variance of
        (d / (q - p))^2 / 12; an undefined effect counts as none.
        """
        rest = np.array([name not in fitted for name in self.names])
        slopes = np.nan_to_num(self.effects[rest]) / (ENDS[1] - ENDS[0])
        found: NDArray[np.float64] = np.square(slopes).sum(0) / 12.0 * [each.variance for each in asked]
        return found

    def table(self) -> pd.DataFrame:
        """A row a parameter, the largest influence first, with the observable that it moves most."""
        rows = []
        for place in np.argsort(-self.influence, kind="stable"):
            row = self.effects[place]
            most = int(np.argmax(np.nan_to_num(np.abs(row))))
            rows.append(
                {
                    "parameter": self.names[place],
                    "influence": float(self.influence[place]),
                    "most_moved": self.observables[most],
                    "effect": float(row[most]),
                    "undefined": int(np.isnan(row).sum()),
                }
            )
        return pd.DataFrame(rows)


def shortlist(space: Space, asked: Sequence[Observable], seeds: Sequence[int], run: Run) -> Shortlist:
    """Move each parameter of a space alone from end to end (:data:`ENDS`), with the same seeds; two worlds each.

    One at a time tells nothing of interactions, and of a response that turns only what its ends differ by.
    """
    ends = [space.values(np.full((1, len(space)), share))[0] for share in ENDS]
    points = [{name: float(end[place])} for place, name in enumerate(space.names) for end in ends]
    found = run(points, seeds, "calibration, each parameter alone at both ends")
    given = values(found.table, asked)
    # Paired by seed: what a seed adds at both ends cancels.
    change = _mean(given[1::2] - given[0::2])
    spread = np.sqrt([each.variance for each in asked])
    return Shortlist(space.names, change / spread, tuple(each.id for each in asked), found)


def _mean(paired: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over seeds, shape (parameters, observables), nan where none is defined."""
    known = np.isfinite(paired)
    total = np.where(known, paired, 0.0).sum(1)
    return np.where(known.any(1), total / np.maximum(known.sum(1), 1), np.nan)
