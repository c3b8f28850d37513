"""Screening: slopes come back as effects, dummies as nothing, and the next study takes what was named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scenarios.plan import PlanError
from scenarios.runner import Job
from scenarios.scenario import load
from scenarios.store import Store
from studies.sensitivity.morris import Design, effects, elementary, morris
from studies.sensitivity.ranking import most, ranked
from studies.sensitivity.units import GROUP, PARAMETER, Units
from studies.space import Space
from studies.study import Study
from tests.studies.functions import AXES, CLAIM, JOBS, SLOPES, measure

SPACE = Space.over(AXES)
FALL = "p3-price"


def study(name, out, **options):
    options = {"trajectories": 10, **options}
    return morris(load("baseline"), SPACE, [CLAIM], (1, 2), out, job=JOBS[name], workers=1, **options)[0]


def test_a_linear_model_has_its_slopes_as_effects_and_no_spread(tmp_path):
    made = study("linear", tmp_path)
    frame = made.tables["effects"]
    # Seeds are common, so that their noise cancels in every effect.
    for column in ("mu", "mu_star", "mu_star_low", "mu_star_high", "mu_star_least_seed", "mu_star_most_seed"):
        assert frame[column].to_numpy() == pytest.approx(SLOPES)
    assert frame["sigma"].to_numpy() == pytest.approx(0.0, abs=1e-9)
    assert list(made.tables["ranking"]["unit"]) == list(AXES)


def test_a_fall_of_a_price_is_explained_in_logs_where_its_causes_add(tmp_path):
    """In levels a price that multiplies a hundredfold in some world would drown all others."""
    falls = Job(JOBS["linear"].simulate, lambda tables: {FALL: 1.0 - np.exp(3.0 * measure(tables)[CLAIM])})
    made = morris(load("baseline"), SPACE, [FALL], (1, 2), tmp_path, trajectories=4, job=falls, workers=1)[0]
    assert made.tables["effects"]["mu"].to_numpy() == pytest.approx(3.0 * np.array(SLOPES))
    assert any("in logs" in note for note in made.notes)
    assert made.tables["outcomes"]["unit"].tolist() == ["log of the price ratio"]


def test_an_effect_that_depends_on_its_place_has_spread(tmp_path):
    frame = study("ishigami", tmp_path, trajectories=30).tables["effects"].set_index("unit")
    # x3 acts through x1 alone, up or down: its mean effect is within chance of nothing, its spread is not.
    third = frame.loc[AXES[2]]
    assert third["sigma_low"] > third["mu_star"] > 0.0
    assert abs(third["mu"]) < third["sigma"]
    assert frame.loc[AXES[3], "mu_star"] == 0.0
    assert frame.loc[AXES[3], "sigma"] == 0.0


def test_a_group_moves_as_one_and_has_a_size_without_a_sign(tmp_path):
    frame = study("linear", tmp_path, by=GROUP).tables["effects"].set_index("unit")
    demand, prices = dict.fromkeys(SPACE.groups)
    assert min(SLOPES[:3]) <= frame.loc[demand, "mu_star"] <= sum(SLOPES)
    assert np.isnan(frame.loc[demand, ["mu", "sigma"]].to_numpy(float)).all()
    assert frame.loc[prices, "mu_star"] == 0.0


def test_effects_are_those_of_salib():
    design = Design(Units(SPACE, PARAMETER), 6, 0)
    x = design.points()
    y = np.sin(x @ np.arange(1.0, 5.0))
    found, own = effects(x, y, design), elementary(x, y, design)
    assert own.mean(axis=0) == pytest.approx(found["mu"])
    assert np.abs(own).mean(axis=0) == pytest.approx(found["mu_star"])
    assert own.std(axis=0, ddof=1) == pytest.approx(found["sigma"])


def test_trajectories_with_a_failed_run_are_left_out_and_counted(tmp_path):
    made = study("fails_in_a_corner", tmp_path, trajectories=20)
    assert made.tables["effects"]["mu_star"].to_numpy() == pytest.approx(SLOPES)
    assert any("of 200 runs failed" in note for note in made.notes)
    assert any("of 20 trajectories" in note for note in made.notes)
    with pytest.raises(PlanError, match="fewer than 4 whole trajectories"):
        study("fails_in_a_corner", tmp_path, trajectories=4)


def test_the_same_seed_gives_the_same_effects_and_zero_is_a_seed(tmp_path):
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state(legacy=False)["state"]["key"].copy()  # noqa: NPY002
    first, again = (study("ishigami", tmp_path / name) for name in "ab")
    assert np.array_equal(np.random.get_state(legacy=False)["state"]["key"], before)  # noqa: NPY002
    pd.testing.assert_frame_equal(first.tables["effects"], again.tables["effects"], check_exact=True)
    units = Units(SPACE, PARAMETER)
    assert not np.array_equal(Design(units, 5, 0).points(), Design(units, 5, 1).points())


def test_a_closer_study_takes_the_most_influential(tmp_path):
    made = study("linear", tmp_path)
    stored = Study.open(made.write(Store(tmp_path)), Store(tmp_path))
    assert most(stored, 2) == AXES[:2]
    assert any(f"--from {made.name}" in note for note in made.notes)
    by_group = study("linear", tmp_path, by=GROUP)
    assert most(by_group, 1) == AXES[:3]
    with pytest.raises(PlanError, match="ranks no parameters"):
        most(Study("shapley", "", {}, {}), 2)


def test_what_decides_one_outcome_comes_before_what_touches_many():
    frame = pd.DataFrame(
        {
            "outcome": ["a", "a", "a", "b", "b", "b"],
            "unit": ["x", "y", "z"] * 2,
            "mu_star": [100.0, 50.0, 0.0, 0.0, 0.2, 0.3],
        }
    )
    found = ranked(frame, "mu_star")
    assert list(found["unit"]) == ["x", "z", "y"]
    assert list(found["score"]) == pytest.approx([1.0, 1.0, 2.0 / 3.0])
    assert list(found["outcome"]) == ["a", "b", "b"]
