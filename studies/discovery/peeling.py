"""PRIM, the patient rule induction method, by EMA Workbench's analysis on plain arrays."""

from __future__ import annotations

import warnings
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scenarios.plan import PlanError
from studies.discovery.box import Box, measures

if TYPE_CHECKING:
    from numpy.typing import NDArray

PEEL, PASTE, LEAST_MASS = 0.05, 0.05, 0.05
"""Shares of a box that are cut off or put back at once, and of all worlds the least that a box may have: small steps,
"patient" (Friedman and Fisher 1999, section 14.6), and the defaults of EMA Workbench."""

REPEATS, HALF = 10, 0.5
"""How often the peeling is repeated on a random half of the worlds, as Bryant and Lempert (2010) do."""


def trajectory(x: NDArray[np.float64], y: NDArray[np.bool_]) -> list[Box]:
    """The boxes of PRIM, from all worlds to the last peel and paste.

    Friedman and Fisher, Statistics and Computing 9 (1999) 123-143, as Kwakkel and Jaxa-Rozen (Environmental Modelling &
    Software 79 (2016) 311-321) implement it: a peel maximises the gain in density over the loss of mass. Nothing in it
    is drawn at random.

    Args:
        x: parameters, shape (worlds, parameters). Whole numbers go in as any others: limits then fall between them.
        y: cases, shape (worlds,), neither all nor none.

    Raises:
        PlanError: EMA Workbench is missing.
    """
    prim = _prim()
    # Version 2.5 wants the least density of a box, 3.0 has no such thing: no box of the trajectory is below the mean.
    least: dict[str, Any] = (
        {"threshold": float(y.mean())} if "threshold" in signature(prim).parameters else {}
    )
    names = [str(column) for column in range(x.shape[1])]
    frame = pd.DataFrame(x, columns=names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = prim(frame, y, peel_alpha=PEEL, paste_alpha=PASTE, mass_min=LEAST_MASS, **least).find_box()
    whole_low, whole_high = x.min(axis=0), x.max(axis=0)
    boxes = []
    for limits in found.box_lims:
        low, high = limits[names].to_numpy(np.float64)
        boxes.append(Box(np.where(low > whole_low, low, -np.inf), np.where(high < whole_high, high, np.inf)))
    return boxes


def repeated(
    x: NDArray[np.float64], y: NDArray[np.bool_], box: Box, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How often each parameter has a limit when PRIM is run again on random halves of the worlds.

    Of each repetition the box counts whose coverage is nearest to the given one's, and the one whose density is: both
    of shape (parameters,), shares of the repetitions in which both kinds of world were left (Bryant and Lempert 2010).
    """
    rng = np.random.default_rng(seed)
    target = measures(box, x, y)
    by_coverage, by_density = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    made = 0
    for _ in range(REPEATS):
        some = rng.choice(len(y), int(HALF * len(y)), replace=False)
        if y[some].all() or not y[some].any():
            continue
        made += 1
        boxes = trajectory(x[some], y[some])
        of = [measures(each, x[some], y[some]) for each in boxes]
        for counts, gaps in (
            (by_coverage, [abs(m.coverage - target.coverage) for m in of]),
            (by_density, [abs(m.density - target.density) for m in of]),
        ):
            near = boxes[int(np.argmin(gaps))]
            counts[list({column for column, _ in near.limits})] += 1.0
    return by_coverage / max(made, 1), by_density / max(made, 1)


def _prim() -> Any:
    """EMA Workbench's PRIM, without what importing it warns of: evaluators that are not used here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from ema_workbench.analysis import Prim
        except ImportError:
            raise PlanError(
                "this study needs EMA Workbench: write `make install`, or install Undercut with its extra `study`"
            ) from None
    return Prim
