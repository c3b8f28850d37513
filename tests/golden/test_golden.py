"""No result changes by more than rounding without somebody deciding that it should."""

from __future__ import annotations

import numpy as np
import pytest

from tests.golden.worlds import WORLDS, headline, kept

ROUNDING = 1e-6
"""Relative: some ten roundings of single precision, in which enterprises are kept."""
SMALL = 1e-3
"""Numbers below this part of the largest of their column are compared as if they were this large."""
NOUGHT = 1e-9
"""A share of nought but for rounding: of the tokens that are not served there are 1e-16."""


@pytest.mark.parametrize("world", WORLDS)
def test_the_headline_is_what_it_was(world: str) -> None:
    known = kept()
    then = known[known["world"] == world].drop(columns="world").reset_index(drop=True)
    now = headline(world)
    assert list(now.columns) == list(then.columns)
    assert list(now["quarter"]) == list(then["quarter"])
    for column in then.columns.drop("quarter"):
        old, new = then[column].to_numpy(dtype=float), now[column].to_numpy(dtype=float)
        scale = np.nanmax(np.abs(old), initial=0.0) * SMALL
        np.testing.assert_allclose(
            new, old, rtol=ROUNDING, atol=max(ROUNDING * scale, NOUGHT), err_msg=column
        )
