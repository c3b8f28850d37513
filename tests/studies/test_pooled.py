"""Verdicts over draws and seeds together: an interval that knows that runs of one draw, or one seed, are alike."""

from __future__ import annotations

import numpy as np
import pytest

from evidence.claims import by_id
from evidence.judge import wilson
from studies.calibration.pooled import of_tables, share

CLAIM = by_id()["p1-nvidia-2027"]
"""Holds at values of at most one half."""


def test_with_one_seed_draws_are_trials_and_with_one_draw_seeds_are() -> None:
    held = (np.arange(40) < 30).astype(float)
    # The variance of a mean has one trial less to be told from.
    for shape in ((40, 1), (1, 40)):
        low, high = share(held.reshape(shape))
        assert (low, high) == pytest.approx(wilson(30, 40, 0.9), abs=0.01)


def test_seeds_that_only_repeat_their_draw_add_nothing() -> None:
    of_draws = (np.arange(40) < 30).astype(float)
    alone, repeated = share(of_draws[:, None]), share(np.repeat(of_draws[:, None], 10, axis=1))
    assert repeated == pytest.approx(alone, abs=1e-9)


def test_seeds_that_decide_alone_leave_doubt_however_many_draws_there_are() -> None:
    held = np.tile([1.0, 0.0, 1.0, 0.0], (200, 1))
    low, high = share(held)
    assert high - low > 0.5
    luck = np.random.default_rng(1).random((200, 4)) < 0.5
    low, high = share(luck.astype(float))
    assert high - low < 0.1


def test_where_all_agree_draws_count() -> None:
    assert share(np.ones((30, 3))) == pytest.approx(wilson(30, 30, 0.9))


def test_undefined_runs_do_not_hold_and_failed_ones_test_nothing() -> None:
    values = np.array([[0.4, np.nan], [0.6, np.inf], [0.3, 0.2], [0.3, 0.2]])
    found = of_tables({CLAIM.id: values}, [CLAIM])[0]
    assert (found.seeds, found.undefined) == (7, 1)
    assert found.probability == pytest.approx(5 / 7)
    assert found.probability_low is not None and found.probability_low < 5 / 7
    untested = of_tables({}, [CLAIM])[0]
    assert untested.probability is None
