"""Which parameters the observations could tell something about: each alone from one end of its range to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from studies.calibration.observables import Observable, values
from studies.space import Space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studies.calibration.waves import Run
    from studies.evaluation import Evaluation

ENDS, INNER = (0.05, 0.95), (0.25, 0.75)
"""The quantiles of a parameter's distribution between which it is moved; and those where a run at an end has no value."""


@dataclass(frozen=True)
class Shortlist:
    """How far each parameter moves the observables, alone, all others at their defaults.

    Attributes:
        names: parameters, in the order of the space.
        effects: change of each observable from end to end, over the standard deviation of its error and discrepancy, shape
            (parameters, observables); nan where it has no value at an end, nor further in.
        observables: their ids.
        evaluations: the runs.
    """

    names: tuple[str, ...]
    effects: NDArray[np.float64]
    observables: tuple[str, ...]
    evaluations: tuple[Evaluation, ...]

    @property
    def influence(self) -> NDArray[np.float64]:
        """The root of the sum of squared effects of each parameter, shape (parameters,); unknown ones are left out."""
        found: NDArray[np.float64] = np.sqrt(np.square(np.nan_to_num(self.effects)).sum(1))
        return found

    @property
    def unknown(self) -> tuple[str, ...]:
        """Parameters of which some effect could not be measured: they may matter more than their influence says."""
        gone = np.atleast_1d(np.isnan(self.effects).any(1))
        return tuple(name for name, is_gone in zip(self.names, gone.tolist(), strict=True) if is_gone)

    def first(self, count: int) -> tuple[str, ...]:
        """The parameters of the largest influence, the largest first."""
        order = np.argsort(-self.influence, kind="stable")[:count]
        return tuple(self.names[place] for place in order)

    def others(self, fitted: Sequence[str], asked: Sequence[Observable]) -> NDArray[np.float64]:
        """The covariance that all parameters but the fitted ones could add, shape (observables, observables).

        Each is taken as linear in the quantiles of its prior, so that changes d and e of two observables between quantiles
        p and q are a covariance of d e / (q - p)^2 / 12; an unknown effect counts as none (:attr:`unknown`).
        """
        rest = np.array([name not in fitted for name in self.names])
        spread = np.sqrt([each.variance for each in asked])
        slopes = np.nan_to_num(self.effects[rest]) / (ENDS[1] - ENDS[0]) * spread
        found: NDArray[np.float64] = slopes.T @ slopes / 12.0
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

    What an end leaves without a value is measured further in (:data:`INNER`) and scaled up as if it were linear: a
    parameter that makes runs fail at its end is none that does nothing. One at a time tells nothing of interactions,
    and of a response that turns only what its ends differ by.
    """
    change, found = _moved(space, asked, seeds, run, ENDS, "each parameter alone at both ends")
    evaluations, gone = [found], np.atleast_1d(np.isnan(change).any(1))
    if gone.any():
        some = Space(tuple(p for p, is_gone in zip(space.parameters, gone.tolist(), strict=True) if is_gone))
        nearer, found = _moved(
            some, asked, seeds, run, INNER, "parameters whose end leaves no value, further in"
        )
        nearer = nearer * (ENDS[1] - ENDS[0]) / (INNER[1] - INNER[0])
        change[gone] = np.where(np.isnan(change[gone]), nearer, change[gone])
        evaluations.append(found)
    spread = np.sqrt([each.variance for each in asked])
    return Shortlist(space.names, change / spread, tuple(each.id for each in asked), tuple(evaluations))


def _moved(
    space: Space,
    asked: Sequence[Observable],
    seeds: Sequence[int],
    run: Run,
    quantiles: tuple[float, float],
    words: str,
) -> tuple[NDArray[np.float64], Evaluation]:
    """The change of each observable as each parameter moves alone, shape (parameters, observables), and the runs."""
    ends = [space.values(np.full((1, len(space)), share))[0] for share in quantiles]
    points = [{name: float(end[place])} for place, name in enumerate(space.names) for end in ends]
    found = run(points, seeds, f"calibration, {words}")
    given = values(found.table, asked)
    # Paired by seed: what a seed adds at both ends cancels.
    return _mean(given[1::2] - given[0::2]), found


def _mean(paired: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over seeds, shape (parameters, observables), nan where none is defined."""
    known = np.isfinite(paired)
    total = np.where(known, paired, 0.0).sum(1)
    return np.where(known.any(1), total / np.maximum(known.sum(1), 1), np.nan)
