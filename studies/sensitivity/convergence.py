"""Whether a sample was large enough: widths of the intervals of indices, and how large it must be."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

ALL = 1.0
"""An interval wider than all variance there is says nothing, not even how large a sample must be."""

AGAIN = 16
"""How many times the sample to take then: intervals become a quarter."""


def needed(base: int, width: float, tolerance: float) -> int:
    """Base samples after which an interval of a width would be within a tolerance: the next power of two.

    Intervals shrink with the root of the sample; never less than there are already. 0 where the interval is wider than
    :data:`ALL`, of which no number follows.
    """
    if width > ALL:
        return 0
    return int(2 ** math.ceil(math.log2(max(base * (width / tolerance) ** 2, base))))


def converged(
    effects: pd.DataFrame, whole: Mapping[str, int], planned: int, runs_a_block: int, tolerance: float
) -> pd.DataFrame:
    """Whether the indices of each outcome are known, a row an outcome.

    Args:
        effects: a row an outcome and unit, with ``first``, ``total`` and their ``_low`` and ``_high``.
        whole: base samples that each outcome's indices rest on.
        planned: base samples of the design, of which some may be lost: as many again are of a larger one.
        runs_a_block: runs of a base sample.
        tolerance: the width of an interval up to which an index is taken as known.

    Returns:
        Columns ``outcome``; ``base``, whole base samples; ``widest``, the unit with the widest interval of a total index,
        ``width`` and ``first_width``, the widest of total and of first-order indices (nan without estimates);
        ``enough``, whether the totals are within the tolerance and nothing contradicts them; ``needed`` and
        ``first_needed``, base samples that would do (0 where that cannot be said yet), and ``needed_runs``;
        ``contradiction``, a unit whose first-order index is above its total beyond both intervals, which cannot be,
        or nothing.
    """
    rows = []
    for outcome, of in effects.groupby("outcome", sort=False):
        base = whole[str(outcome)]
        row: dict[str, object] = {"outcome": outcome, "base": base, "widest": "", "contradiction": ""}
        width = (of["total_high"] - of["total_low"]).to_numpy(np.float64)
        first = (of["first_high"] - of["first_low"]).to_numpy(np.float64)
        row |= {"width": np.nan, "first_width": np.nan, "enough": False}
        row |= {"needed": 0, "first_needed": 0, "needed_runs": 0}
        if np.isfinite(width).all():
            against = of["unit"][of["first_low"] > of["total_high"]]
            most = needed(planned, width.max(), tolerance)
            row |= {"widest": of["unit"].iloc[int(width.argmax())], "width": width.max()}
            row |= {"first_width": first.max(), "contradiction": "" if against.empty else against.iloc[0]}
            row |= {"enough": bool(width.max() <= tolerance and against.empty), "needed": most}
            row |= {
                "first_needed": needed(planned, first.max(), tolerance),
                "needed_runs": most * runs_a_block,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def convergence_note(check: pd.DataFrame, planned: int, tolerance: float) -> list[str]:
    """What the check says, in sentences."""
    known = check[np.isfinite(check["width"])]
    if known.empty:
        return []
    said = []
    short = known[known["width"] > tolerance]
    if short.empty:
        said.append(
            f"The sample is large enough for total indices: no interval is wider than {tolerance:g} "
            f"(the widest is {known['width'].max():.2g})."
        )
    else:
        worst = short.loc[short["width"].idxmax()]
        more = (
            f"Intervals shrink with the root of the sample: about --base {worst['needed']} ({worst['needed_runs']:,} runs) "
            "would do."
            if worst["needed"]
            else f"That is more than all variance there is: take --base {AGAIN * planned} and look again."
        )
        said.append(
            f"The sample is too small for {len(short)} of {len(known)} outcomes: the interval of a total index is up to "
            f"{worst['width']:.2g} wide ({worst['widest']}, {worst['outcome']}), more than {tolerance:g}. {more}"
        )
    against = known[known["contradiction"] != ""]
    if len(against):
        worst = against.iloc[0]
        said.append(
            f"For {len(against)} of {len(known)} outcomes a first-order index is above its total beyond both intervals, "
            f"as of {worst['contradiction']} for {worst['outcome']}: that cannot be, and shows a sample that is too "
            "small or an outcome with rare extremes."
        )
    wide = known[
        (known["first_width"] > tolerance) & (known["width"] <= tolerance) & (known["first_needed"] > 0)
    ]
    if len(wide):
        said.append(
            f"First-order indices are less certain than totals, up to {wide['first_width'].max():.2g} wide; "
            f"about --base {wide['first_needed'].max()} would bring them to {tolerance:g}."
        )
    return said
