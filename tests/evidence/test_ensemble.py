"""What a batch says on claims: seed by seed, over worlds, at a cost that is not pandas' a world."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType

import pandas as pd
import pytest

from evidence.claims import by_id, claims
from evidence.ensemble import outcomes, values, verdicts
from scenarios import batch as store
from scenarios.batch import Batch
from scenarios.plan import Plan, members_of
from scenarios.runner import Job
from scenarios.scenario import load
from tests.scenarios import toys

CAUSAL = next(claim for claim in claims() if claim.effect == "less")
PLAIN = by_id()["p3-price"]


def some_outcomes(tables):
    """The same number for a claim about a cause and for one about none."""
    return dict.fromkeys((CAUSAL.id, PLAIN.id), float(tables["quarters"]["price_usd_per_mtok"].mean()))


def without_a_cause_other_numbers(setting, seed):
    """Tables that depend on the switch of the cause, too."""
    return toys.plain(setting, seed if setting.parameters[CAUSAL.worlds[0]] else seed + 100)


def stored(folder: Path, worlds: int = 1, compared: int = 0) -> Batch:
    short = replace(load("baseline"), last="2023Q4")
    points = [{"alpha_mean": 1.6 + 0.01 * i} for i in range(worlds)]
    members = members_of([(short, "A title")], points, CAUSAL.worlds if compared else ())
    job = Job(without_a_cause_other_numbers, some_outcomes)
    plan = Plan(members, (1, 2, 3), compared, "headline", job.simulation)
    return store.run(plan, job, folder, workers=1)[0]


def test_a_cause_is_tested_by_the_seeds_that_ran_without_it_too(tmp_path: Path) -> None:
    batch = stored(tmp_path, compared=2)
    label = batch.labels[0]
    found = values(batch, asked=[CAUSAL, PLAIN])[label]
    own = outcomes(batch, [batch.world(label)])[batch.world(label)]
    (without,) = outcomes(batch, batch.counterfactuals(label).values()).values()
    assert found[PLAIN.id] == {seed: own[seed][PLAIN.id] for seed in (1, 2, 3)}
    assert found[CAUSAL.id] == {seed: own[seed][CAUSAL.id] - without[seed][CAUSAL.id] for seed in (1, 2)}
    assert [verdict.seeds for verdict in verdicts(batch, asked=[CAUSAL, PLAIN])[label]] == [2, 3]


def test_a_claim_that_no_seed_tested_is_left_out(tmp_path: Path) -> None:
    batch = stored(tmp_path)
    assert set(values(batch)[batch.labels[0]]) == {PLAIN.id}


def test_more_worlds_are_not_more_work_for_pandas(tmp_path: Path) -> None:
    calls = {worlds: _calls_of_pandas(stored(tmp_path, worlds)) for worlds in (2, 12)}
    assert calls[12] == pytest.approx(calls[2], rel=0.2)


def _calls_of_pandas(batch: Batch) -> int:
    """How many functions of pandas run while the verdicts of a batch are found."""
    verdicts(batch)  # what is loaded and cached once
    home, count = str(Path(pd.__file__).parent), 0

    def watch(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith(home)

    sys.setprofile(watch)
    try:
        verdicts(batch)
    finally:
        sys.setprofile(None)
    return count
