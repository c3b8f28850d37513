"""Decomposing variance: known indices lie inside their intervals, and nothing that fails turns into a zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scenarios.plan import PlanError
from scenarios.runner import Job
from scenarios.scenario import load
from studies.sensitivity.convergence import converged, convergence_note, needed
from studies.sensitivity.shape import shape
from studies.sensitivity.sobol import Design, indices, sobol
from studies.sensitivity.units import GROUP, PARAMETER, Units
from studies.space import Space
from tests.studies.functions import (
    AXES,
    CLAIM,
    ISHIGAMI,
    JOBS,
    SLOPES,
    g_indices,
    linear_indices,
    measure,
    tables_of,
)

SPACE = Space.over(AXES)


def study(name, out, outcomes=(CLAIM,), seeds=(1,), job=None, **options):
    options = {"base": 64, "chance_seeds": 1, **options}
    return sobol(load("baseline"), SPACE, outcomes, seeds, out, job=job or JOBS[name], workers=1, **options)[
        0
    ]


def inside(made, column, known):
    frame = made.tables["effects"]
    low, high = frame[f"{column}_low"], frame[f"{column}_high"]
    return [bool(low[i] <= value <= high[i]) for i, value in enumerate(known)]


def always(setting, seed):
    return tables_of(0.25)


@pytest.fixture(scope="module")
def ishigami(tmp_path_factory):
    return study("ishigami", tmp_path_factory.mktemp("ishigami"), base=128, pairs=True)


@pytest.fixture(scope="module")
def cornered(tmp_path_factory):
    return study("fails_in_a_corner", tmp_path_factory.mktemp("corner"))


def test_ishigami_has_its_known_indices(ishigami):
    assert all(inside(ishigami, "first", ISHIGAMI["first"]))
    assert all(inside(ishigami, "total", ISHIGAMI["total"]))
    # x1 and x3 act together, and no other pair does.
    pairs = ishigami.tables["pairs"].set_index(["unit", "other"])
    known = ISHIGAMI["total"][0] - ISHIGAMI["first"][0]
    assert (
        pairs.loc[(AXES[0], AXES[2]), "second_low"] <= known <= pairs.loc[(AXES[0], AXES[2]), "second_high"]
    )
    assert (pairs["second_low"] > 0.0).sum() == 1


def test_the_g_function_has_its_known_indices(tmp_path):
    made = study("sobol_g", tmp_path, base=128)
    assert all(inside(made, "first", g_indices()["first"]))
    assert all(inside(made, "total", g_indices()["total"]))


def test_a_linear_model_has_the_shares_of_its_slopes_whatever_the_seeds_add(tmp_path):
    made = study("linear", tmp_path, seeds=(1, 2))
    assert all(inside(made, "first", linear_indices()))
    assert all(inside(made, "total", linear_indices()))
    frame = made.tables["effects"].set_index("unit")
    # The last axis is a dummy; common seeds cancel.
    assert frame.loc[AXES[3], "total"] == pytest.approx(0.0, abs=1e-12)
    assert frame["total_least_seed"].to_numpy() == pytest.approx(frame["total"].to_numpy())


def test_groups_take_what_their_parameters_take(tmp_path):
    made = study("linear", tmp_path, by=GROUP)
    frame = made.tables["effects"]
    assert list(frame["unit"]) == list(dict.fromkeys(SPACE.groups))
    assert frame["total"].to_numpy() == pytest.approx([1.0, 0.0], abs=0.2)
    assert frame["total_low"][0] <= 1.0 <= frame["total_high"][0]


def test_a_corner_that_fails_is_reported_and_leaves_indices_of_the_rest(cornered):
    # Where every row of a base sample is below 0.9 on the first axis, its variance is 0.81 of the whole.
    variance = np.array(SLOPES) ** 2 * np.array([0.81, 1.0, 1.0, 1.0])
    assert all(inside(cornered, "total", variance / variance.sum()))
    said = " ".join(cornered.notes)
    whole = int(cornered.tables["convergence"]["base"][0])
    assert 40 < whole < 64
    assert "runs failed" in said
    assert f"{64 - whole} of 64 base samples" in said


def test_a_run_that_is_not_finite_is_never_zeros_everywhere():
    design = Design(Units(SPACE, PARAMETER), 8, False, 0)
    y = np.random.default_rng(1).random(8 * design.size)
    y[3] = np.nan
    with pytest.raises(ValueError, match="finite"):
        indices(y, design)


def test_too_few_whole_base_samples_are_refused(tmp_path):
    with pytest.raises(PlanError, match=r"fewer than 8 whole base samples.*of the runs failed"):
        study("fails_in_a_corner", tmp_path, base=8)


def test_what_never_varies_has_no_indices_and_is_said(tmp_path):
    made = study("", tmp_path, base=8, job=Job(always, measure))
    assert made.tables["effects"]["total"].isna().all()
    assert any("same value everywhere" in note and CLAIM in note for note in made.notes)
    assert made.tables["ranking"].empty


def test_the_same_seed_gives_the_same_study_and_zero_is_a_seed(cornered, tmp_path):
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state(legacy=False)["state"]["key"].copy()  # noqa: NPY002
    again = study("fails_in_a_corner", tmp_path)
    assert np.array_equal(np.random.get_state(legacy=False)["state"]["key"], before)  # noqa: NPY002
    assert again.name == cornered.name
    for name, frame in cornered.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], frame, check_exact=True)
    units = Units(SPACE, PARAMETER)
    first, other = (Design(units, 8, False, seed).points() for seed in (0, 1))
    assert np.array_equal(first, Design(units, 8, False, 0).points())
    assert not np.array_equal(first, other)


def test_a_sample_that_is_no_power_of_two_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(PlanError, match="write 128"):
        study("linear", tmp_path, base=100)


def test_a_sample_that_is_too_small_says_how_much_is_needed(cornered):
    check = cornered.tables["convergence"].iloc[0]
    assert not check["enough"]
    assert check["needed"] >= 64 * (check["width"] / 0.1) ** 2
    assert check["needed_runs"] == check["needed"] * (len(AXES) + 2)
    assert any(f"--base {check['needed']}" in note for note in cornered.notes)
    assert needed(256, 0.3, 0.1) == 4096
    assert needed(256, 0.05, 0.1) == 256


def test_a_first_order_index_above_its_total_is_a_contradiction():
    row = {"outcome": CLAIM, "first": 0.5, "first_low": 0.45, "first_high": 0.55}
    row |= {"total": 0.3, "total_low": 0.27, "total_high": 0.33}
    frame = pd.DataFrame([{"unit": "eta", **row}, {"unit": "sigma2", **row, "first": 0.1, "first_low": 0.08}])
    check = converged(frame, {CLAIM: 64}, 64, 4, 0.1)
    assert not check["enough"][0]
    assert any("cannot be" in note and "eta" in note for note in convergence_note(check, 64, 0.1))


def test_outcomes_far_from_normal_are_told_from_others():
    rng = np.random.default_rng(3)
    assert not shape(rng.normal(size=500))["far"]
    assert shape(np.exp(2.0 * rng.normal(size=500)))["far"]
    assert shape(rng.integers(2, size=500).astype(float))["far"]
    assert not shape(np.full(50, 0.3))["far"]
