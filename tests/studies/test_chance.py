"""Chance between seeds: a share that is known comes back inside its interval."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.scenario import load
from studies.sensitivity.chance import decompose
from studies.sensitivity.sobol import CHANCE_POINTS, sobol
from studies.space import Space
from tests.studies.functions import AXES, CLAIM, JOBS, NOISE, SLOPES

LEVEL = 0.9
# The seed of the linear function adds the same at every point.
KNOWN = NOISE**2 / (NOISE**2 + sum(slope**2 for slope in SLOPES) / 12.0)


def drawn(rng, points, seeds, parameters, common, interaction):
    return (
        rng.normal(0.0, parameters, (points, 1))
        + rng.normal(0.0, common, (1, seeds))
        + rng.normal(0.0, interaction, (points, seeds))
    )


def test_the_noise_of_the_linear_model_is_found_with_seeds_beyond_those_of_the_study(tmp_path):
    made, parts = sobol(
        load("baseline"), Space.over(AXES), [CLAIM], (1,), tmp_path, base=32, job=JOBS["linear"], workers=1
    )
    chance = made.tables["chance"].iloc[0]
    assert (chance["points"], chance["seeds"]) == (CHANCE_POINTS, 8)
    assert chance["chance_low"] <= KNOWN <= chance["chance_high"]
    assert chance["interaction"] == pytest.approx(0.0, abs=1e-12)
    assert chance["mean"] == pytest.approx(0.0, abs=1e-12)
    assert made.batches == tuple(part.batch.name for part in parts)


def test_chance_is_measured_where_no_run_failed_and_that_is_said(tmp_path):
    made, parts = sobol(
        load("baseline"),
        Space.over(AXES),
        [CLAIM],
        (1,),
        tmp_path,
        base=32,
        job=JOBS["fails_in_a_corner"],
        workers=1,
    )
    lost = int(parts[1].failed.any(axis=1).sum())
    assert lost > 0
    assert made.tables["chance"]["points"][0] == CHANCE_POINTS - lost
    assert any("runs that measure chance failed" in note for note in made.notes)


def test_components_are_those_that_were_put_in():
    found = decompose(drawn(np.random.default_rng(0), 2000, 200, 2.0, 1.0, 0.5), 4, LEVEL, 0)
    whole = 4.0 + 1.0 + 0.25
    assert found.parameters[0] == pytest.approx(4.0 / whole, abs=0.05)
    assert found.common[0] == pytest.approx(1.0 / whole, abs=0.05)
    assert found.interaction[0] == pytest.approx(0.25 / whole, abs=0.01)
    assert found.chance[0] == pytest.approx(1.0 - found.parameters[0])
    # The mean over four seeds has a quarter of the interaction.
    assert found.mean[0] == pytest.approx(0.0625 / 4.0625, abs=0.003)


def test_intervals_hold_as_often_as_they_say():
    rng = np.random.default_rng(1)
    truth = 1.25 / 5.25
    held = 0
    for trial in range(150):
        _, low, high = decompose(drawn(rng, 32, 8, 2.0, 1.0, 0.5), 1, LEVEL, trial).chance
        held += low <= truth <= high
    assert held / 150 == pytest.approx(LEVEL, abs=0.08)


def test_one_seed_tells_nothing_of_chance():
    assert np.isnan(decompose(np.ones((10, 1)) * np.arange(10.0)[:, None], 1, LEVEL, 0).chance).all()
    assert np.isnan(decompose(np.full((10, 4), 0.1), 1, LEVEL, 0).chance).all()
