"""Shapley attribution: exact sums, known games through the store, and causes that do nothing."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scenarios.plan import PlanError
from scenarios.scenario import ScenarioError, load
from scenarios.store import Store
from studies.causes import (
    CHANGES,
    about,
    causes,
    coalitions,
    interactions,
    seeds_to_tell,
    shapley,
)
from studies.scale import LEVEL, LOG, LOG_FALL, on_scale, scale_of
from tests.studies.functions import CLAIM
from tests.studies.games import ADDED, GAMES
from undercut.cli import main
from viz.study.causes import verdict
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


@given(games, st.randoms(use_true_random=False))
def test_parts_go_with_the_causes_and_not_with_their_order(values, random) -> None:
    count = len(values).bit_length() - 1
    order = list(range(count))
    random.shuffle(order)
    # Cause i of the shuffled game is cause order[i] of the game.
    masks = [sum(1 << order[i] for i in range(count) if row >> i & 1) for row in range(len(values))]
    scale = np.abs(values).max() + 1.0
    assert shapley(values[masks]) == pytest.approx(shapley(values)[order], abs=1e-9 * scale)
    pairs = interactions(values)
    assert np.allclose(interactions(values[masks]), pairs[np.ix_(order, order)], atol=1e-9 * scale)


@given(st.integers(2, 5))
def test_causes_that_are_alike_carry_alike(count) -> None:
    size = coalitions(count).sum(axis=1)
    parts = shapley(np.sqrt(size.astype(float)))
    assert parts == pytest.approx([math.sqrt(count) / count] * count)


def attribution(job: str, tmp_path, seeds=(1, 2, 3), over=FOUR, **parameters):
    setting = load("baseline", parameters)
    study, found = causes(setting, seeds, tmp_path, over=over, claims=(CLAIM,), job=GAMES[job], workers=1)
    parts = study.tables["attribution"].to_dict("records") if "attribution" in study.tables else []
    return study, {row["cause"]: row for row in parts}, found


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


def test_an_outcome_that_needs_a_cause_is_shared_out_among_the_others(tmp_path) -> None:
    study, parts, _ = attribution("needs_open_weights", tmp_path)
    outcome = study.tables["outcomes"].iloc[0]
    assert (outcome["given"], outcome["seeds"], outcome["lost"]) == ("open_weights", 3, 0)
    assert outcome["none"] == pytest.approx(ADDED["open_weights"])
    assert "open_weights" not in parts
    assert parts["sparse_architectures"]["value"] == pytest.approx(ADDED["sparse_architectures"])
    assert sum(row["value"] for row in parts.values()) == pytest.approx(outcome["change"], abs=1e-9)
    assert study.tables["coalitions"]["open_weights"].all()
    assert len(study.tables["coalitions"]) == 8
    assert any("does not exist without open_weights" in note for note in study.notes)
    assert "only open weights" in html(study)


def test_with_no_cause_left_nothing_is_shared_out(tmp_path) -> None:
    study, parts, _ = attribution("needs_open_weights", tmp_path, over=["open_weights"])
    assert parts == {}
    assert "no other cause plays" in html(study)


def test_a_seed_without_a_value_somewhere_does_not_count(tmp_path) -> None:
    study, parts, _ = attribution("undefined_somewhere", tmp_path)
    outcome = study.tables["outcomes"].iloc[0]
    assert (outcome["seeds"], outcome["lost"], outcome["given"]) == (2, 1, "")
    assert parts["open_weights"]["value"] == pytest.approx(0.25)
    assert any("2 of 3 seeds count" in note for note in study.notes)
    study, parts, _ = attribution("undefined_somewhere", tmp_path, seeds=(1,))
    assert parts == {}
    assert any("No seed counts" in note for note in study.notes)
    assert "cannot be shared out" in html(study)


def test_whether_a_claim_holds_is_shared_out_too(tmp_path) -> None:
    study, _ = causes(
        load("baseline"),
        (1, 2),
        tmp_path,
        over=FOUR[:3],
        claims=(f"holds:{CLAIM}",),
        job=GAMES["glove"],
        workers=1,
    )
    # NVIDIA's share is below a half unless the gloves make a pair.
    parts = study.tables["attribution"].set_index("cause")["value"]
    assert parts.to_dict() == pytest.approx(
        {"export_rules": -2 / 3, "open_weights": -1 / 6, "sparse_architectures": -1 / 6}
    )
    assert set(study.tables["outcomes"]["unit"]) == {"probability"}
    assert "Whether it holds" in html(study)


def test_an_outcome_of_a_claim_about_a_cause_is_said_as_the_number_that_it_is() -> None:
    fall = about("p1-cause")
    assert (fall["unit"], fall["scale"]) == ("share", LEVEL)
    assert fall["quantity"] == "Nvidia share fall (ordered units, all), 2023 -> by 2027"
    assert fall["definition"] == "Fall of NVIDIA's share from the start to the end"
    assert [scale_of(name) for name in ("p3-price", "p3-converge-cause", "holds:p3-price")] == [
        LOG_FALL,
        LOG,
        LEVEL,
    ]
    assert len({about(name)["quantity"] for name in CHANGES}) == len(CHANGES)
    # What is said to grow is shared out as growth, and not only by where it ends.
    growth = about("deepseek-sixfold")
    assert "deepseek-sixfold" in CHANGES
    assert (growth["quantity"], growth["scale"]) == (
        "Vendor share growth (DeepSeek, revenue), 2024 -> 2026",
        LOG,
    )


def test_how_many_seeds_would_tell() -> None:
    near = np.random.default_rng(1).normal(0.5, 1.0, 40)
    needed = seeds_to_tell(near, 0.95)
    # The normal rule of thumb, (1.96 spread / mean)^2, is a little less than Student's.
    assert 0.0 < needed - (1.96 * near.std(ddof=1) / near.mean()) ** 2 < 4.0
    assert seeds_to_tell(np.array([1.0, -1.0]), 0.95) == math.inf
    assert seeds_to_tell(np.array([1.0, 1.0]), 0.95) == 2.0
    assert math.isnan(seeds_to_tell(np.array([1.0]), 0.95))


ANSWERS = (
    (
        (5.0, 4.0, 6.0),
        (1.0, 0.5, 1.5),
        "More of the decline is the architecture's doing than the export rules'.",
    ),
    ((5.0, 4.0, 6.0), (-2.0, -3.0, -1.0), "doing than the export rules'."),
    ((5.0, 1.0, 9.0), (-5.0, -9.0, -1.0), "doing than the export rules'."),
    (
        (1.0, 0.5, 1.5),
        (5.0, 4.0, 6.0),
        "More of the decline is the export rules' doing than the architecture's.",
    ),
    ((-5.0, -6.0, -4.0), (-1.0, -1.5, -0.5), "Neither of the two carries it."),
    (
        (1.0, -2.0, 4.0),
        (-9.0, -10.0, -8.0),
        "not the export rules' doing, and at most 400 points of it can be the architecture's.",
    ),
    ((5.0, 4.0, 6.0), (4.0, -1.0, 9.0), "cannot tell which of the two carries more."),
    ((1.0, -2.0, 4.0), (1.5, -1.0, 4.0), "cannot tell which of the two carries more. About 40 seeds"),
    ((1.0, -math.inf, math.inf), (9.0, -math.inf, math.inf), "cannot tell"),
)


@pytest.mark.parametrize(("one", "other", "answer"), ANSWERS)
def test_the_report_says_of_the_decline_what_the_intervals_tell(one, other, answer) -> None:
    outcome = {"outcome": "p1-cause", "quantity": "The fall", "none": 0.1, "all": 0.3}
    rows = [
        {"outcome": "p1-cause", "cause": cause, **dict(zip(("value", "low", "high"), part, strict=True))}
        for cause, part in (("sparse_architectures", one), ("export_rules", other))
    ]
    # Seeds that are alike in both: the difference is as wide as the wider of the two.
    half = max(one[2] - one[0], other[2] - other[0])
    rival = {
        "outcome": "p1-cause",
        "low": one[0] - other[0] - half,
        "high": one[0] - other[0] + half,
        "needed": 40.0,
    }
    said = verdict(rival, outcome, rows)
    assert answer in said
    assert "+10 points with none of these causes, +30 with all" in said


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
    asked = [
        "--causes",
        "export-rules,cloud-ownership",
        "--outcome",
        CLAIM,
        "--seeds",
        "1",
        "--enterprises",
        "60",
    ]
    told = ["--out", str(out), "--html", str(tmp_path / "c.html"), "-q", "--workers", "1", "--json"]
    assert main(["study", "causes", *asked, *told]) == 0
    said = capsys.readouterr()
    assert "One seed says nothing about chance" in said.err
    found = json.loads(said.out)
    change = found["outcomes"][0]["change"]
    assert sum(row["value"] for row in found["attribution"]) == pytest.approx(change, abs=1e-9)
    assert change != 0.0
    assert (tmp_path / "c.html").read_text(encoding="utf-8").count("<svg") == 1
    assert Store(out).path.joinpath("studies").is_dir()


def test_whether_a_claim_about_worlds_holds_cannot_be_told_in_one(capsys) -> None:
    assert main(["study", "causes", "--outcome", "holds:p1-cause", "--seeds", "1"]) == 2
    assert "compares with another world" in capsys.readouterr().err
