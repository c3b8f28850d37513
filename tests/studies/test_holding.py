"""One rule for runs without a value, in every study that asks whether a claim holds: the rule of a verdict."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evidence.claims import by_id
from evidence.judge import judge
from scenarios.runner import Job
from scenarios.scenario import load
from studies.causes import causes
from studies.discovery.cases import CASE, OTHER, UNDEFINED, states
from studies.evaluation import evaluate
from studies.holding import holding, outcome_of, undefined_note
from studies.sensitivity.pawn import pawn
from studies.space import Space
from tests.studies.functions import AXES, CLAIM, JOBS, arguments, measure, tables_of
from tests.studies.games import GAMES

HOLDS = f"holds:{CLAIM}"


def lucky(setting, seed):
    """No value with seed 1 or a high argument; else it holds with seed 3, and with seed 2 for low arguments."""
    x = arguments(setting, 0.0, 1.0)[0]
    return tables_of(math.nan if seed == 1 or x > 0.9 else 0.25 if seed > 2 or x < 0.5 else 0.75)


def gone(setting, seed):
    """It holds for low values of the first argument, and has no value for the others."""
    return tables_of(0.25 if arguments(setting, 0.0, 1.0)[0] < 0.3 else math.nan)


def never(setting, seed):
    return tables_of(math.nan)


def runs(tmp_path, simulate, seeds=(1, 2, 3)):
    points = [{AXES[0]: value} for value in (at(0.25), at(0.75), at(1.0))]
    return evaluate(load("baseline"), points, seeds, tmp_path, job=Job(simulate, measure), workers=1)


def at(share: float) -> float:
    parameter = Space.over(AXES).parameters[0]
    return parameter.low + share * (parameter.high - parameter.low)


def test_a_run_without_a_value_does_not_hold_as_in_a_verdict(tmp_path) -> None:
    found = runs(tmp_path, lucky)
    held = holding(found, CLAIM)
    assert held.tolist() == [[0.0, 1.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    assert np.isnan(outcome_of(found, CLAIM)).sum() == 5
    for row, values in zip(held, found.values(CLAIM), strict=True):
        verdict = judge({CLAIM: values.tolist()}, [by_id()[CLAIM]])[0]
        assert verdict.probability is None or verdict.probability == row.mean()
    assert "5 of 9 runs" in undefined_note(found, (CLAIM, HOLDS))[0]
    assert undefined_note(found, (CLAIM,)) == []


def test_a_run_that_failed_says_nothing_and_a_metric_that_no_run_has_neither(tmp_path) -> None:
    points = Space.over(AXES).points(np.array([[0.2] * 4, [0.95] * 4]))
    found = evaluate(load("baseline"), points, (1,), tmp_path / "a", job=JOBS["fails_in_a_corner"], workers=1)
    assert np.isnan(holding(found, CLAIM)[:, 0]).tolist() == [False, True]
    nowhere = runs(tmp_path / "b", never)
    assert np.isnan(holding(nowhere, CLAIM)).all()
    assert np.isnan(holding(nowhere, "p3-price")).all()  # which nothing measured
    assert undefined_note(nowhere, (HOLDS,)) == []


def test_a_world_is_judged_by_all_of_its_runs_that_ended(tmp_path) -> None:
    # In the second world the claim holds in one of three runs, and in one of the two that have a value.
    found = runs(tmp_path, lucky, seeds=(1, 2, 3, 4))
    state, share = states(found, CLAIM, "holds")
    assert share.tolist() == pytest.approx([0.75, 0.5, 0.0])
    assert state == [CASE, OTHER, UNDEFINED]
    assert states(found, CLAIM, "fails")[0] == [OTHER, CASE, UNDEFINED]


def test_shares_of_whether_a_claim_holds_count_runs_without_a_value(tmp_path) -> None:
    study, _ = pawn(
        load("baseline"),
        Space.over(AXES[:2]),
        (CLAIM, HOLDS),
        (1,),
        tmp_path,
        samples=60,
        job=Job(gone, measure),
        workers=1,
    )
    effects = study.tables["effects"].query(f"unit == {AXES[0]!r}").set_index("outcome")
    # Most points have no value, so that of the metric nothing can be said, and of whether it holds all.
    assert math.isnan(float(effects["maximum"][CLAIM]))
    assert effects["influential"][HOLDS]
    assert any("does not hold, as in a verdict" in note for note in study.notes)


def test_without_what_a_claim_is_about_it_does_not_hold(tmp_path) -> None:
    study, _ = causes(
        load("baseline"),
        (1, 2),
        tmp_path,
        over=("open_weights", "export_rules"),
        claims=(HOLDS,),
        job=GAMES["needs_open_weights"],
        workers=1,
    )
    parts = study.tables["attribution"].set_index("cause")["value"]
    # It holds with open weights alone (0.25 of units), not with export rules too (2.25), and nowhere without a value.
    assert parts.to_dict() == pytest.approx({"open_weights": 0.5, "export_rules": -0.5})
    assert study.tables["outcomes"]["given"].tolist() == [""]
    assert any("does not hold, as in a verdict" in note for note in study.notes)
