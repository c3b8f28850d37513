"""Distributions: an axis that matters is clear of a dummy, a dummy is not, for amounts and for whether a claim holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from SALib.analyze import pawn as reference

from scenarios.plan import PlanError
from scenarios.scenario import load
from studies.sensitivity.pawn import SLICES, distances, pawn, sliced
from studies.sensitivity.units import PARAMETER, Units
from studies.space import Space
from tests.studies.functions import AXES, CLAIM, JOBS

SPACE = Space.over(AXES)
HOLDS = f"holds:{CLAIM}"


def study(name, out, **options):
    options = {"samples": 200, **options}
    return pawn(load("baseline"), SPACE, [CLAIM, HOLDS], (1, 2), out, job=JOBS[name], workers=1, **options)[0]


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    return study("linear", tmp_path_factory.mktemp("linear"))


def test_distances_are_those_of_salib():
    rng = np.random.default_rng(2)
    x, y = rng.random((300, 4)), rng.integers(40, size=300)
    found = reference.analyze(Units(SPACE, PARAMETER).problem(), x, y.astype(float), S=SLICES)
    own = np.array([distances(y, sliced(x[:, i]), np.ones(300)) for i in range(4)])
    assert np.median(own, axis=1) == pytest.approx(found["median"])
    assert own.max(axis=1) == pytest.approx(found["maximum"])
    twice = np.array([distances(y, sliced(x[:, i]), np.full(300, 2.0)) for i in range(4)])
    assert twice == pytest.approx(own)


@pytest.mark.parametrize("outcome", [CLAIM, HOLDS])
def test_a_slope_is_clear_of_a_dummy_and_no_slope_is_not(linear, outcome):
    frame = linear.tables["effects"]
    frame = frame[frame["outcome"] == outcome].set_index("unit")
    assert frame["median"].idxmax() == AXES[0]
    assert frame.loc[AXES[0], "influential"]
    assert frame.loc[AXES[0], "median_low"] > frame.loc[AXES[0], "median_dummy"]
    assert not frame.loc[AXES[3], "influential"]


def test_whether_a_claim_holds_is_far_from_normal(linear):
    shapes = linear.tables["shape"].set_index("outcome")
    assert not shapes.loc[CLAIM, "far"]
    assert shapes.loc[HOLDS, "far"]


def test_points_that_fail_are_left_out_and_counted(tmp_path):
    made = study("fails_in_a_corner", tmp_path)
    assert made.tables["effects"]["median"].notna().all()
    assert any("of 400 runs failed" in note for note in made.notes)
    with pytest.raises(PlanError, match="fewer than 50 whole points"):
        study("fails_in_a_corner", tmp_path, samples=50)
    with pytest.raises(PlanError, match="50 points at least"):
        study("linear", tmp_path, samples=20)


def test_the_same_seed_gives_the_same_distances_and_zero_is_a_seed(linear, tmp_path):
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state(legacy=False)["state"]["key"].copy()  # noqa: NPY002
    again = study("linear", tmp_path)
    assert np.array_equal(np.random.get_state(legacy=False)["state"]["key"], before)  # noqa: NPY002
    pd.testing.assert_frame_equal(again.tables["effects"], linear.tables["effects"], check_exact=True)
    other = study("linear", tmp_path, seed=1)
    assert not again.tables["effects"].equals(other.tables["effects"])
