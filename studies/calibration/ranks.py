"""Simulation-based calibration: does a posterior cover parameters that made the data as often as it says?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scenarios.design import unit_points
from studies.calibration.observables import values
from studies.calibration.tempering import sample
from studies.calibration.waves import Design, Run, Waves, observed_as, spread_out
from studies.counted import Told, counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studies.evaluation import Evaluation
    from studies.space import Space

    Array = NDArray[np.float64]

THINNED = 39
"""Draws among which a truth is ranked: of 40 equally likely ranks the middle 20 are 50 % and the middle 36 are 90 %."""

MOST_BINS = 8
A_BIN = 5
"""A bin of a chi-square test wants to expect as many (Cochran 1954)."""


def ranks(
    run: Run,
    space: Space,
    learned: Waves,
    design: Design,
    count: int,
    purpose: int,
    told: Told | None = None,
) -> tuple[pd.DataFrame, tuple[Evaluation, ...], int]:
    """Ranks of truths among draws from the posteriors of data that they made (Talts et al. 2018, algorithm 1).

    Truths are drawn from the prior and run with seeds that no emulator has seen; errors and discrepancy are drawn and
    added; the posterior of those data is drawn with the emulators of the calibration. If everything is right the ranks
    are uniform: emulators, chance between seeds and sampler are tested together.

    Returns:
        A row a truth and parameter: ``truth`` (number), ``parameter``, ``value_at`` (quantile of the truth in the
        prior), ``rank`` from 0 to ``draws``; the runs; how many truths were left out as their runs failed or left an
        observable undefined.
    """
    generator = design.generator(purpose)
    unit = unit_points("lhs", count, len(space), design.random + purpose)
    points = space.points(unit)
    # Each has a seed of its own: with a common one, all would be lucky together.
    seeds = range(design.chance_seeds + 1, design.chance_seeds + 1 + count)
    found = [run([at], (seed,), "calibration, a truth") for seed, at in zip(seeds, points, strict=True)]
    given = np.concatenate([values(each.table, learned.observables)[:, 0] for each in found])
    likelihood = learned.likelihood
    errors = np.linalg.cholesky(likelihood.unfitted + np.diag(likelihood.errors))
    noise = generator.standard_normal(given.shape) @ errors.T
    rows, lost = [], 0
    for truth in counted("truths of the check", range(count), told):
        if not np.isfinite(given[truth]).all():
            lost += 1
            continue
        asked = observed_as(likelihood, given[truth] + noise[truth])
        drawn = sample(asked, len(space), design.draws, design.generator(purpose, truth))
        thin = drawn.unit[spread_out(design.draws, THINNED)]
        below = (thin < unit[truth]).sum(0)
        rows += [
            {"truth": truth, "parameter": name, "value_at": float(at), "rank": int(rank), "draws": THINNED}
            for name, at, rank in zip(space.names, unit[truth], below, strict=True)
        ]
    columns = ["truth", "parameter", "value_at", "rank", "draws"]
    return pd.DataFrame(rows, columns=columns), tuple(found), lost


def bins_of(truths: int, draws: int = THINNED) -> int:
    """Into how many bins ranks go: each has as many of the ``draws + 1`` ranks, so that all are equally likely.

    The most that expect :data:`A_BIN` truths each, up to :data:`MOST_BINS`, and at least two.
    """
    most = min(MOST_BINS, truths // A_BIN)
    return max((bins for bins in range(2, most + 1) if (draws + 1) % bins == 0), default=2)


def uniformity(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a parameter: chi-square test of its ranks against equal chances, and cover of its central half and 90 %.

    ``p_value`` is small where ranks are not uniform, in the bins of :func:`bins_of`.
    """
    from scipy.stats import chisquare

    rows = []
    for name, of in frame.groupby("parameter", sort=False):
        places = (of["rank"].to_numpy() + 0.5) / (of["draws"].to_numpy() + 1)
        bins = bins_of(len(of), int(of["draws"].iloc[0]))
        counts = np.bincount(np.minimum((places * bins).astype(int), bins - 1), minlength=bins)
        rows.append(
            {
                "parameter": name,
                "truths": len(of),
                "bins": bins,
                "p_value": float(chisquare(counts).pvalue),
                "covered_50": float((np.abs(places - 0.5) <= 0.25).mean()),
                "covered_90": float((np.abs(places - 0.5) <= 0.45).mean()),
            }
        )
    return pd.DataFrame(rows)
