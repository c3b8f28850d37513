"""The effect of a cause is measured seed by seed, with an interval that covers what it should."""

import math

import numpy as np
import pytest

from evidence.claims import by_id
from model.place import CAUSES
from scenarios.batch import Batch
from scenarios.scenario import load
from scenarios.store import Store
from studies.ablation import Ablation, ablate, clearness, effect, outcomes, paired_interval

CLAIM = "p3-price"


def seeds(pairs, claim=CLAIM):
    """Outcomes by seed in the own world and in the other one."""
    return [{seed: {claim: pair[side]} for seed, pair in enumerate(pairs)} for side in (0, 1)]


def test_the_interval_of_a_paired_difference_is_students():
    # Worked by hand: differences 1, 2, 3, 4 have mean 2.5 and s = 1.290994; t(3; 0.95) = 2.353363.
    mean, low, high = paired_interval([1.0, 2.0, 3.0, 4.0], 0.9)
    half = 2.353363 * 1.290994 / 2.0
    assert (mean, low, high) == pytest.approx((2.5, 2.5 - half, 2.5 + half), rel=1e-6)


def test_the_interval_covers_the_true_change_as_often_as_it_says():
    chance = np.random.default_rng(5)
    covered = 0
    for _ in range(2000):
        _, low, high = paired_interval(list(chance.normal(0.3, 1.0, 8)), 0.9)
        covered += low <= 0.3 <= high
    assert 0.88 <= covered / 2000 <= 0.92


def test_seeds_are_paired_so_that_what_they_share_does_not_hide_an_effect():
    shared = np.random.default_rng(1).normal(0.0, 10.0, 12)
    found = effect(
        "open_weights", by_id()[CLAIM], *seeds([(x, x - 0.2 + 0.01 * (i % 2)) for i, x in enumerate(shared)])
    )
    assert found.change == pytest.approx(-0.195)
    assert found.change_high < -0.18
    assert found.moves
    assert found.seeds == 12


def test_a_cause_that_does_nothing_does_not_move_the_outcome():
    found = effect("open_weights", by_id()[CLAIM], *seeds([(0.5, 0.5), (0.7, 0.7), (0.2, 0.2)]))
    assert found.change == 0.0
    assert not found.moves
    assert clearness(found) == 0.0


def test_a_seed_without_the_outcome_counts_on_neither_side():
    found = effect(
        "open_weights", by_id()[CLAIM], *seeds([(0.5, 0.4), (math.nan, 0.9), (0.7, math.nan), (0.8, 0.6)])
    )
    assert found.seeds == 2
    assert found.with_cause == pytest.approx(0.65)
    assert found.without_cause == pytest.approx(0.5)


def test_one_seed_alone_says_nothing_about_the_interval():
    found = effect("open_weights", by_id()[CLAIM], *seeds([(0.5, 0.4)]))
    assert not found.moves
    assert (found.change_low, found.change_high) == (-math.inf, math.inf)


def test_the_clearest_effects_come_first(tmp_path):
    pairs = {
        "p3-price": [(0.5, 0.5 + 0.1 * (-1) ** i) for i in range(4)],
        "p1-nvidia-2027": [(0.5, 0.8 + 0.01 * i) for i in range(4)],
    }
    effects = tuple(
        effect("export_rules", by_id()[name], *seeds(values, name)) for name, values in pairs.items()
    )
    rows = Ablation(("export_rules",), effects, 4, Batch(Store.make(tmp_path), "none"), ()).rows()
    assert [row["claim"] for row in rows] == ["p1-nvidia-2027", "p3-price"]
    assert [row["moves"] for row in rows] == [True, False]


def test_outcomes_are_headlines_that_name_no_cause_themselves():
    assert {"p3-price", "p1-nvidia-2027"} <= {claim.id for claim in outcomes()}
    assert all(claim.headline and not claim.worlds for claim in outcomes())


def test_every_cause_is_turned_off_over_the_same_seeds(tmp_path):
    file = tmp_path / "short.toml"
    file.write_text('title = "t"\n[horizon]\nlast = "2024Q4"\n')
    found = ablate(load(file, {"enterprises": 60}), [1], tmp_path / "runs", workers=1)
    assert not len(found.batch.failures())
    assert found.causes == CAUSES
    assert found.seeds == 1
    sparse = {e.claim: e for e in found.effects if e.cause == "sparse_architectures"}
    assert sparse["sparse-preference"].without_cause == 0.0
    assert sparse["sparse-preference"].with_cause > 0.0
