"""Shapley attribution: exact sums, known games through the store, and causes that do nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scenarios.plan import PlanError
from scenarios.scenario import ScenarioError, load
from scenarios.store import Store
from studies.causes import LEVEL, LOG, LOG_FALL, causes, coalitions, interactions, on_scale, shapley
from tests.studies.functions import CLAIM
from tests.studies.games import ADDED, GAMES
from undercut.cli import main
from viz.study.report import html

FOUR = tuple(ADDED)

games = st.integers(1, 5).flatmap(
    lambda n: arrays(np.float64, 2**n, elements=st.floats(-1e6, 1e6, allow_subnormal=False))
)


@given(games)
def test_the_parts_sum_to_the_change(values) -> None:
    parts = shapley(values)
    scale = np.abs(values).max() + 1.0
    assert abs(parts.sum() - (values[-1] - values[0])) <= 1e-9 * scale


@given(games, st.floats(-3.0, 3.0))
def test_parts_are_linear_in_the_game(values, factor) -> None:
    other = np.flip(values)
    expected = shapley(values) + factor * shapley(other)
    assert shapley(values + factor * other) == pytest.approx(expected, rel=1e-9, abs=1e-4)


def test_known_games() -> None:
    on = coalitions(3)
    majority = (on.sum(axis=1) >= 2).astype(float)
    assert shapley(majority) == pytest.approx([1 / 3] * 3)
    unanimous = on.all(axis=1).astype(float)
    assert shapley(unanimous) == pytest.approx([1 / 3] * 3)
    # The interaction of a game of two players who are worth something only together is all of it.
    both = coalitions(2).all(axis=1).astype(float)
    assert interactions(both)[0, 1] == 1.0
    added = coalitions(3) @ np.array([1.0, -2.0, 0.5])
    assert np.abs(interactions(added)).max() < 1e-12
    assert shapley(added) == pytest.approx([1.0, -2.0, 0.5])
    with pytest.raises(ValueError, match="not all subsets"):
        shapley(np.zeros(6))


@given(games)
def test_a_cause_that_changes_nothing_gets_exactly_nothing(values) -> None:
    idle = np.concatenate([values, values])  # the last cause adds nothing to any coalition
    assert shapley(idle)[-1] == 0.0


def attribution(job: str, tmp_path, seeds=(1, 2, 3), over=FOUR, **parameters):
    setting = load("baseline", parameters)
    study, found = causes(setting, seeds, tmp_path, over=over, claims=(CLAIM,), job=GAMES[job], workers=1)
    return study, {row["cause"]: row for row in study.tables["attribution"].to_dict("records")}, found


def test_an_additive_game_through_the_store(tmp_path) -> None:
    study, parts, found = attribution("additive", tmp_path)
    for cause, value in ADDED.items():
        if cause != "export_rules":
            assert (parts[cause]["value"], parts[cause]["alone"]) == pytest.approx((value, value), abs=1e-12)
    assert parts["domestic_learning"]["value"] == 0.0
    assert parts["export_rules"]["low"] < 2.0 < parts["export_rules"]["high"]
    change = study.tables["outcomes"]["change"].iloc[0]
    assert sum(row["value"] for row in parts.values()) == pytest.approx(change, abs=1e-9)
    assert found.values(CLAIM).shape == (16, 3)
    assert len(study.tables["interactions"]) == 6
    # The same call makes nothing and finds the same.
    again, _, _ = attribution("additive", tmp_path)
    assert again.name == study.name
    assert again.tables["attribution"].equals(study.tables["attribution"])


def test_the_glove_game_through_the_store(tmp_path) -> None:
    _, parts, _ = attribution("glove", tmp_path, over=FOUR[:3])
    found = [parts[cause]["value"] for cause in ("export_rules", "open_weights", "sparse_architectures")]
    assert found == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_a_cause_that_is_off_everywhere_gets_zero_and_is_said(tmp_path) -> None:
    study, parts, found = attribution("additive", tmp_path, open_weights=0.0)
    assert parts["open_weights"]["value"] == 0.0
    assert len(found.points) == 8
    assert any("open_weights" in note for note in study.notes)


def test_a_seed_that_fails_in_a_coalition_does_not_count(tmp_path) -> None:
    study, parts, _ = attribution("breaks_without_rules", tmp_path)
    outcome = study.tables["outcomes"].iloc[0]
    assert (outcome["seeds"], outcome["lost"]) == (2, 1)
    assert parts["open_weights"]["value"] == pytest.approx(0.25)
    assert any("8 of 48 runs failed" in note for note in study.notes)
    assert "waterfall" in html(study)


def test_scales() -> None:
    fall = np.array([0.0, 0.5, 1.0, 1.5])
    assert on_scale(fall, LOG_FALL)[:2] == pytest.approx([0.0, -math.log(2.0)])
    assert np.isnan(on_scale(fall, LOG_FALL)[2:]).all()
    assert on_scale(np.array([math.e]), LOG) == pytest.approx([1.0])
    assert on_scale(fall, LEVEL) is fall


def test_what_is_no_cause_or_too_few_gets_a_sentence() -> None:
    with pytest.raises(ScenarioError, match="did you mean export_rules"):
        causes(load("baseline"), (1,), over=["exprot-rules"])
    with pytest.raises(PlanError, match="turned every one of these causes off"):
        causes(load("baseline", {"export_rules": 0.0}), (1,), over=["export-rules"])


def test_the_command_shares_out_a_change_of_the_market(tmp_path, capsys) -> None:
    out = tmp_path / "runs"
    asked = ["--causes", "export-rules", "--outcome", CLAIM, "--seeds", "1", "--enterprises", "60"]
    told = ["--out", str(out), "--html", str(tmp_path / "c.html"), "-q", "--workers", "1"]
    assert main(["study", "causes", *asked, *told]) == 0
    assert "One seed says nothing about chance" in capsys.readouterr().err
    assert (tmp_path / "c.html").read_text(encoding="utf-8").count("<svg") == 1
    assert Store(out).path.joinpath("studies").is_dir()
