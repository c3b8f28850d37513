"""A design of worlds through the store: what comes back is what each run gave, in the order asked for."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.scenario import load
from scenarios.store import Store
from studies.evaluation import evaluate
from studies.space import Space
from studies.study import Study, folders
from tests.studies.functions import AXES, CLAIM, JOBS, SLOPES

UNIT = np.random.default_rng(1).random((20, len(AXES)))


def test_outcomes_come_in_the_order_of_points_and_seeds(tmp_path) -> None:
    space = Space.over(AXES)
    points = space.points(UNIT)
    twice = [*points, points[3]]
    found = evaluate(load("baseline"), twice, (7, 2), tmp_path, job=JOBS["linear"], workers=1)
    values = found.values(CLAIM)
    assert values.shape == (21, 2)
    assert np.array_equal(values[20], values[3])
    expected = (UNIT - 0.5) @ np.array(SLOPES)
    # The seeds are common: what they add is the same at every point.
    assert np.ptp(values[:20] - expected[:, None], axis=0) == pytest.approx(0.0, abs=1e-12)
    assert not found.failed.any()
    held = found.values(f"holds:{CLAIM}")
    assert np.array_equal(held, (values <= 0.5).astype(float))
    again = evaluate(load("baseline"), twice, (7, 2), tmp_path, job=JOBS["linear"], workers=1)
    assert np.array_equal(again.values(CLAIM), values)


def test_points_that_are_one_world_share_its_runs(tmp_path) -> None:
    default = load("baseline").parameters["eta"]
    points = [{}, {"eta": default}, {"eta": 0.9}, {"sigma2": load("baseline").parameters["sigma2"]}]
    found = evaluate(load("baseline"), points, (1,), tmp_path, job=JOBS["linear"], workers=1)
    values = found.values(CLAIM)[:, 0]
    assert np.isfinite(values).all() and not found.failed.any()
    assert values[0] == values[1] == values[3] != values[2]


def test_a_run_that_fails_is_marked_and_never_a_number(tmp_path) -> None:
    points = Space.over(AXES).points(UNIT)
    found = evaluate(load("baseline"), points, (1,), tmp_path, job=JOBS["fails_in_a_corner"], workers=1)
    wrong = UNIT[:, 0] > 0.9
    assert wrong.any()
    assert np.array_equal(found.failed[:, 0], wrong)
    assert np.array_equal(np.isnan(found.values(CLAIM)[:, 0]), wrong)
    assert np.isnan(found.values(f"holds:{CLAIM}")[wrong]).all()


def test_a_space_knows_where_values_lie() -> None:
    space = Space.over(("eta", "sigma2"))
    low, high = space.parameters[0].low, space.parameters[0].high
    assert space.unit({"eta": (low + high) / 2.0, "sigma2": space.parameters[1].high}).tolist() == [0.5, 1.0]
    assert len(space.groups) == 2


def test_a_study_is_read_as_it_was_written(tmp_path) -> None:
    import pandas as pd

    store = Store.make(tmp_path)
    made = Study(
        "toy", "A toy", {"over": ["eta"]}, {"indices": pd.DataFrame({"a": [1.0]})}, ("b",), ("note",)
    )
    made.write(store)
    read = Study.open("toy", store)
    assert (read.name, read.notes, read.asked) == (made.name, ("note",), {"over": ["eta"]})
    assert read.tables["indices"].equals(made.tables["indices"])
    assert [each.name for each in folders(store)] == [made.name]
