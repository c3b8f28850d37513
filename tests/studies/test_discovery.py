"""Scenario discovery on worlds in which a claim fails inside a known box, on the path that runs the market."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from evidence.claims import by_id
from model.parameters import table
from scenarios.plan import PlanError
from scenarios.runner import Job
from scenarios.scenario import load
from studies.discovery.box import Box, measures, quasi_p, reduced
from studies.discovery.discovery import discovery, few_note
from studies.discovery.peeling import trajectory
from studies.discovery.question import Question
from studies.discovery.search import EVERYWHERE, FEW, FOUND, NOWHERE
from studies.discovery.tree import leaves
from studies.phrase import words
from studies.space import Space
from tests.studies.functions import AXES, CLAIM, JOBS, arguments, measure, tables_of
from viz.study.report import html

ABOVE, BELOW = 0.6, 0.5
"""The planted box: the first argument above, the second below."""

LUCK = 0.1
"""How often a seed turns the label of a world over."""

BOUND = by_id()[CLAIM].claimed_high


def planted(setting, seed):
    """The claim fails in the box, but for the luck of a seed in a world; the other arguments are dummies."""
    x = arguments(setting, 0.0, 1.0)
    drawn = np.random.default_rng([seed, *(round(1e9 * v) for v in x)]).random()
    inside = x[0] > ABOVE and x[1] < BELOW
    return tables_of(2.0 * BOUND if inside != (drawn < LUCK) else 0.0)


def holds(setting, seed):
    return tables_of(0.0)


def breaks_down(setting, seed):
    return tables_of(2.0 * BOUND)


def undefined_outside(setting, seed):
    """The linear function, which has no value where the last argument is above a half."""
    return tables_of(float("nan")) if arguments(setting, 0.0, 1.0)[3] > 0.5 else planted(setting, seed)


def toy(tmp_path, simulate=planted, points=300, seeds=(1, 2, 3), question=None, job=None):
    made = job or Job(simulate, measure)
    asked = question or Question()
    return discovery(
        load("baseline"),
        Space.over(AXES),
        (CLAIM,),
        seeds,
        tmp_path,
        points=points,
        question=asked,
        job=made,
        workers=1,
    )


def argument(name: str, value: float) -> float:
    parameter = table()[name]
    return (value - parameter.low) / (parameter.high - parameter.low)


def test_a_planted_box_is_recovered_in_words_and_holds_on_fresh_worlds(tmp_path) -> None:
    study, found = toy(tmp_path)
    assert study.tables["claims"]["status"].tolist() == [FOUND]
    box = study.tables["boxes"].iloc[0]
    for name in ("peeled", "fresh"):
        assert box[f"coverage_{name}"] > 0.75 and box[f"density_{name}"] > 0.75
        assert box[f"density_{name}_low"] < box[f"density_{name}"] < box[f"density_{name}_high"]
    kept = study.tables["limits"].query("kept and box == 1").set_index("parameter")
    assert set(kept.index) == set(AXES[:2])
    assert (kept["quasi_p"] < 0.01).all() and (kept["p_fresh"] < 0.01).all()
    assert (kept[["again_by_coverage", "again_by_density"]] >= 0.5).all(axis=None)
    assert kept.loc[AXES[0], "side"] == "low" and kept.loc[AXES[1], "side"] == "high"
    assert argument(AXES[0], kept.loc[AXES[0], "value"]) == pytest.approx(ABOVE, abs=0.06)
    assert argument(AXES[1], kept.loc[AXES[1], "value"]) == pytest.approx(BELOW, abs=0.06)
    assert "above" in box["words"] and not any(dummy in box["words"] for dummy in AXES[2:])

    # The tree finds the same.
    leaf = study.tables["leaves"].sort_values("coverage_fresh").iloc[-1]
    assert all(name in leaf["words"] for name in AXES[:2])
    assert not any(dummy in leaf["words"] for dummy in AXES[2:])
    assert leaf["coverage_fresh"] > 0.75 and leaf["density_fresh"] > 0.75

    # The peeling and the trial have worlds of their own, and the seeds disagree where luck has it.
    worlds = study.tables["worlds"]
    assert worlds["half"].value_counts().to_dict() == {"peeled": 150, "fresh": 150}
    assert study.tables["claims"]["disagree"].iloc[0] > 0
    text = html(study)
    assert "fails when" in text and "of fresh worlds like that" in text

    # The chosen box asked for by its number is the same study from the same runs, to the last digit.
    step = int(box["step"])
    again, same = toy(tmp_path, question=Question(pick=step))
    assert same.batch.name == found.batch.name
    assert all(again.tables[name].equals(study.tables[name]) for name in study.tables)
    with pytest.raises(PlanError, match="this trajectory has boxes from 0 to"):
        toy(tmp_path, question=Question(pick=999))


@pytest.mark.parametrize(
    ("simulate", "where", "status", "said"),
    [
        (holds, "fails", NOWHERE, "fails in none of 40 worlds"),
        (holds, "holds", EVERYWHERE, "holds in all 40 worlds"),
        (breaks_down, "fails", EVERYWHERE, "fails in all 40 worlds"),
        (planted, "fails", FEW, "too few of one kind"),
    ],
)
def test_where_there_is_nothing_to_discover_the_study_says_so(
    tmp_path, simulate, where, status, said
) -> None:
    study, _ = toy(tmp_path, simulate, points=40, seeds=(1,), question=Question(where))
    assert study.tables["claims"]["status"].tolist() == [status]
    assert said in html(study)
    assert status != FEW or "worlds would do" in study.notes[-1]


@pytest.mark.parametrize(("least", "said"), [(9, "about 570 worlds"), (1, "about 5,120"), (0, "about 5,120")])
def test_too_few_cases_always_ask_for_more_worlds_than_there_are(least, said) -> None:
    # Of all 512 worlds 30 are cases, which would do; of those in the half that is peeled they are too few.
    row = {"claim": CLAIM, "status": FEW, "cases": 30, "worlds": 512, "least": least, "undefined": 0}
    assert said in next(iter(few_note([row], 512)))
    assert list(few_note([{**row, "status": FOUND}], 512)) == []


def test_failed_runs_and_undefined_worlds_are_counted_and_left_out(tmp_path) -> None:
    study, found = toy(tmp_path / "a", points=60, seeds=(1,), job=JOBS["fails_in_a_corner"])
    row, lost = study.tables["claims"].iloc[0], int(found.failed.sum())
    assert row["lost"] == lost > 0 and row["worlds"] == 60 - lost
    assert f"{lost} of 60 runs failed" in study.notes[0]
    study, _ = toy(tmp_path / "b", undefined_outside, points=60, seeds=(1,))
    row = study.tables["claims"].iloc[0]
    assert row["undefined"] == 30 and row["worlds"] == 30
    assert "undefined in 30 worlds" in study.notes[0]


def test_a_box_of_chance_alone_is_not_told() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.random((200, 3)), rng.random(200) < 0.3
    fresh = (rng.random((2000, 3)), rng.random(2000) < 0.3)
    for box in [reduced(each, x, y) for each in trajectory(x, y)]:
        # What chance leaves in the peeled half is not confirmed on fresh worlds.
        assert all(quasi_p(box, limit, *fresh) > 0.001 for limit in box.limits)
    assert leaves(x, y, 0) == []


def test_measures_and_quasi_p_values_follow_their_definitions() -> None:
    rng = np.random.default_rng(1)
    x = rng.random((400, 2))
    y = (x[:, 0] > 0.5) & (rng.random(400) < 0.8)
    box = Box(np.array([0.5, 0.3]), np.array([np.inf, np.inf]))
    inside = (x[:, 0] >= 0.5) & (x[:, 1] >= 0.3)
    of = measures(box, x, y)
    assert (
        of.coverage == y[inside].sum() / y.sum()
        and of.density == y[inside].mean()
        and of.mass == inside.mean()
    )
    assert of.phi == pytest.approx(np.corrcoef(inside, y)[0, 1])
    idle, needed = (1, "low"), (0, "low")
    wider = x[:, 0] >= 0.5
    expected = binomtest(
        int(y[inside].sum()), int(inside.sum()), y[wider].mean(), alternative="greater"
    ).pvalue
    assert quasi_p(box, idle, x, y) == pytest.approx(expected)
    assert quasi_p(box, needed, x, y) < 1e-6
    assert reduced(box, x, y).limits == (needed,)
    assert Box.whole(2).holds(x).all() and measures(Box.whole(2), x, y).phi == 0.0


def test_peeling_is_not_random_and_leaves_the_global_generator_alone() -> None:
    rng = np.random.default_rng(2)
    x = rng.random((150, 4))
    y = x[:, 0] + 0.2 * rng.random(150) > 0.8
    before = np.random.get_state()  # noqa: NPY002
    first, again = trajectory(x, y), trajectory(x, y)
    assert str(np.random.get_state()) == str(before)  # noqa: NPY002
    assert len(first) == len(again)
    assert all(
        np.array_equal(a.low, b.low) and np.array_equal(a.high, b.high)
        for a, b in zip(first, again, strict=True)
    )
    # Each peel leaves fewer worlds, down to the least mass, and its limits are inside.
    masses = [measures(box, x, y).mass for box in first]
    assert masses[0] == 1.0 and min(masses) >= 0.05


def test_switches_and_whole_numbers_are_limited_in_words_that_fit_them() -> None:
    space = Space.over(("export_rules", "order_rounds", "eta"))
    box = Box(np.array([0.5, 1.5, 0.4]), np.array([np.inf, 3.5, 0.9]))
    said = words(box, space)
    assert "(export_rules) is on" in said
    assert "(order_rounds) is between 2 and 3" in said
    assert "(eta) is between 0.4 and 0.9" in said


def test_questions_that_make_no_sense_are_refused(tmp_path) -> None:
    with pytest.raises(PlanError, match="write fails or holds"):
        Question("wavers")
    with pytest.raises(PlanError, match="at least 40"):
        toy(tmp_path, points=20)
