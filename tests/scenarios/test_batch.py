"""A batch loses nothing: whatever ends it, the same command makes the rest, and the bytes are the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from scenarios import batch, journal, store
from scenarios.batch import Batch, Interrupted
from scenarios.folder import StoreError
from scenarios.plan import Plan
from scenarios.progress import Failed
from scenarios.runner import Job
from tests.scenarios import toys
from tests.scenarios.stores import SLOW_BATCH, contents, plan_of

ROOT = Path(__file__).parents[2]
JOB = Job(toys.plain, toys.mean_price)


def run(plan: Plan, out: Path, job: Job = JOB, workers: int = 1) -> Batch:
    return batch.run(plan, job, out, workers=workers)[0]


def test_one_and_two_workers_write_the_same_bytes(tmp_path: Path) -> None:
    plan = plan_of(JOB, seeds=range(1, 12), keep="sample:3")
    run(plan, tmp_path / "a", workers=1)
    run(plan, tmp_path / "b", workers=2)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_the_same_batch_again_makes_nothing_and_changes_nothing(tmp_path: Path) -> None:
    plan = plan_of(JOB)
    run(plan, tmp_path)
    before, counted = contents(tmp_path), toys.Counting()
    batch.run(plan, JOB, tmp_path, workers=1, progress=counted)
    assert (counted.made, counted.stored) == (0, 3)
    assert contents(tmp_path) == before


def test_another_batch_makes_only_what_the_first_did_not(tmp_path: Path) -> None:
    run(plan_of(JOB, seeds=(1, 2, 3)), tmp_path)
    counted = toys.Counting()
    wider, _ = batch.run(plan_of(JOB, seeds=(2, 3, 4)), JOB, tmp_path, workers=1, progress=counted)
    assert counted.made == 2  # seed 4, and seed 2 for its full tables
    alone = run(plan_of(JOB, seeds=(2, 3, 4)), tmp_path / "other")
    for name in ("quarters", "metrics", "offers"):
        pd.testing.assert_frame_equal(wider.table(name), alone.table(name))


def test_scenarios_that_resolve_to_one_world_share_its_runs(tmp_path: Path) -> None:
    run(plan_of(JOB, points=[{"alpha_mean": 2.5}]), tmp_path)
    counted = toys.Counting()
    batch.run(
        plan_of(JOB, points=[{"alpha_mean": 2.0}, {"alpha_mean": 2.5}]),
        JOB,
        tmp_path,
        progress=counted,
        workers=1,
    )
    assert counted.stored == 3
    assert counted.made == 3


def test_full_tables_are_kept_of_the_seeds_that_were_asked_for(tmp_path: Path) -> None:
    for keep, seeds in (("headline", []), ("sample:2", [1, 2]), ("all", [1, 2, 3])):
        made = run(plan_of(JOB, keep=keep), tmp_path)
        assert sorted(made.table("offers")["seed"].unique()) == seeds
        assert sorted(made.table("quarters")["seed"].unique()) == [1, 2, 3]


def test_a_table_names_the_scenario_the_world_and_the_seed_in_the_order_of_the_plan(tmp_path: Path) -> None:
    made = run(plan_of(JOB, ["consortium", "baseline"], seeds=(2, 1)), tmp_path)
    quarters = made.table("quarters")
    assert list(quarters.columns[:4]) == ["scenario", "world", "seed", "quarter"]
    runs = quarters[["scenario", "seed"]].drop_duplicates().to_numpy().tolist()
    assert runs == [["consortium", 1], ["consortium", 2], ["baseline", 1], ["baseline", 2]]
    expected = toys.plain(made.setting("consortium"), 2)["quarters"]["price_usd_per_mtok"]
    own = made.table("quarters", "consortium")
    assert own.loc[own["seed"] == 2, "price_usd_per_mtok"].tolist() == expected.tolist()


def test_a_failed_run_is_recorded_the_others_go_on_and_it_is_not_tried_again(tmp_path: Path) -> None:
    job = Job(toys.one_fails, toys.mean_price)
    plan = plan_of(job, seeds=range(1, 6))
    made = run(plan, tmp_path, job, workers=2)
    failed = made.failures()
    assert failed["seed"].tolist() == [toys.FRAGILE]
    assert failed["reason"].tolist() == ["ArithmeticError: tokens sold are not tokens bought"]
    assert "one_fails" in failed["traceback"].item()
    assert str(ROOT) not in failed["traceback"].item()
    assert sorted(made.table("quarters")["seed"].unique()) == [1, 2, 4, 5]
    assert len(made.done()) == 5
    counted = toys.Counting()
    batch.run(plan, job, tmp_path, progress=counted, workers=1)
    assert counted.made == 0


def test_a_run_that_kills_its_worker_is_given_up_and_tried_again_next_time(tmp_path: Path) -> None:
    job = Job(toys.one_kills_its_worker, toys.mean_price)
    plan = plan_of(job, seeds=range(1, 30))
    made, lost = batch.run(plan, job, tmp_path, workers=2)
    assert [failure.seed for failure in lost] == [toys.FRAGILE]
    assert "SIGKILL" in lost[0].reason
    assert len(made.done()) == 28

    class Asking(toys.Watching):
        def start(self, runs: int, stored: int) -> None:
            assert (runs, stored) == (1, 28)
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="28 of 29 runs"):
        batch.run(plan, job, tmp_path, progress=Asking())


def test_a_worker_killed_from_outside_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCUT_TEST_FOLDER", str(tmp_path))
    job = Job(toys.one_is_killed_once, toys.mean_price)
    plan = plan_of(job, seeds=range(1, 30))
    made, lost = batch.run(plan, job, tmp_path / "a", workers=2)
    assert (tmp_path / "killed").exists()
    assert not lost
    assert len(made.done()) == 29
    batch.run(plan, job, tmp_path / "b", workers=1)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


class Stopping(toys.Watching):
    """Presses Ctrl-C after some runs."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, runs: int, failures: Sequence[Failed]) -> None:
        self.left -= runs
        if self.left <= 0:
            raise KeyboardInterrupt


def test_ctrl_c_stores_what_is_made_and_the_same_command_makes_the_rest(tmp_path: Path) -> None:
    plan = plan_of(JOB, seeds=range(1, 50))
    with pytest.raises(Interrupted, match=r"\d+ of 49 runs are stored, the same command makes the rest"):
        batch.run(plan, JOB, tmp_path / "a", workers=1, progress=Stopping(1))
    halfway = Batch.open(plan.name, tmp_path / "a")
    assert 0 < len(halfway.done()) < 49
    assert halfway.table("quarters")["seed"].nunique() == len(halfway.done())
    run(plan, tmp_path / "a")
    run(plan, tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_what_another_batch_made_meanwhile_is_not_counted_twice(tmp_path: Path) -> None:
    cut = plan_of(JOB, seeds=range(1, 50))
    with pytest.raises(Interrupted):
        batch.run(cut, JOB, tmp_path, workers=1, progress=Stopping(1))
    made = len(Batch.open(cut.name, tmp_path).done())
    run(plan_of(JOB, seeds=range(1, 11)), tmp_path)
    halfway = Batch.open(cut.name, tmp_path)
    quarters = halfway.table("quarters")
    assert not quarters.duplicated(["seed", "quarter"]).any()
    assert quarters["seed"].nunique() == len(halfway.done()) == max(made, 10)


def test_whoever_reads_while_a_batch_is_packed_misses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "PART_RUNS", 1)
    plan = plan_of(JOB, seeds=range(1, 45))
    real = pq.read_table
    for moment in (1, 2, 3):
        out = tmp_path / str(moment)
        with pytest.raises(Interrupted):
            batch.run(plan, JOB, out, workers=1, progress=Stopping(40))
        reading, left = Batch.open(plan.name, out), [moment]

        def read(*arguments: Any, _left: list[int] = left, _out: Path = out, **named: Any) -> object:
            _left[0] -= 1
            if _left[0] == 0:
                run(plan, _out)
            return real(*arguments, **named)

        with monkeypatch.context() as patch:
            patch.setattr(pq, "read_table", read)
            quarters = reading.table("quarters")
        assert not reading.path.joinpath("parts").exists()
        assert not quarters.duplicated(["seed", "quarter"]).any()
        assert quarters["seed"].nunique() >= 40


def test_done_runs_are_counted_while_a_batch_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(JOB, seeds=range(1, 45))
    with pytest.raises(Interrupted):
        batch.run(plan, JOB, tmp_path, workers=1, progress=Stopping(1))
    reading, real = Batch.open(plan.name, tmp_path), store.Store.runs

    def packed_just_now(self: store.Store, *arguments: Any, **named: Any) -> set[tuple[str, int]]:
        found = real(self, *arguments, **named)
        with monkeypatch.context() as patch:
            patch.setattr(store.Store, "runs", real)
            run(plan, tmp_path)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(store.Store, "runs", packed_just_now)
        assert reading.done()
    assert len(reading.done()) == 44


def test_two_batches_into_one_store_at_once_do_not_harm_each_other(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SLOW_BATCH.replace("range(1, 41)", "eval(sys.argv[2])"))
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script), str(tmp_path / "store")]
    both = [
        subprocess.Popen([*command, seeds], env=surroundings) for seeds in ("range(1, 25)", "range(10, 31)")
    ]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    job = Job(toys.slow, toys.mean_price)
    for seeds in (range(1, 25), range(10, 31)):
        plan = plan_of(job, seeds=seeds, keep="sample:3")
        shared = next(b for b in Batch.all(store.Store(tmp_path / "store")) if b.seeds == tuple(seeds))
        alone = run(plan, tmp_path / "alone", job)
        for name in ("quarters", "metrics", "offers"):
            pd.testing.assert_frame_equal(
                shared.table(name).drop(columns="world"), alone.table(name).drop(columns="world")
            )


def test_the_same_batch_twice_at_once_is_refused(tmp_path: Path) -> None:
    plan = plan_of(JOB)

    class Meddling(toys.Watching):
        said = ""

        def advance(self, runs: int, failures: Sequence[Failed]) -> None:
            with pytest.raises(StoreError, match=r"is being run into .* by another process; wait for it"):
                run(plan, tmp_path)
            assert Batch.open(plan.name, tmp_path).running

    batch.run(plan, JOB, tmp_path, workers=1, progress=Meddling())
    assert not Batch.open(plan.name, tmp_path).running


def test_removing_a_batch_drops_the_runs_that_no_other_asked_for(tmp_path: Path) -> None:
    first = run(plan_of(JOB, seeds=(1, 2, 3)), tmp_path)
    second = run(plan_of(JOB, seeds=(3, 4), keep="headline"), tmp_path)
    before = second.table("quarters")
    assert first.remove() == 2
    assert [b.name for b in Batch.all(first.store)] == [second.name]
    pd.testing.assert_frame_equal(second.table("quarters"), before)
    stored = first.store.read("quarters")
    assert sorted(set(stored["seed"].to_pylist())) == [3, 4]
    assert second.remove() == 2
    assert not first.store.packs("quarters")


def test_a_counterfactual_that_fails_leaves_the_worlds_own_runs(tmp_path: Path) -> None:
    job = Job(toys.no_sparse_world, toys.mean_price)
    plan = plan_of(job, causes=("open_weights", "sparse_architectures"), compared=2)
    made = run(plan, tmp_path, job)
    assert made.failures()["scenario"].unique().tolist() == ["baseline / sparse_architectures"]
    assert set(made.counterfactuals("baseline")) == {"open_weights", "sparse_architectures"}
    assert made.table("quarters")["seed"].nunique() == 3
    assert len(made.done()) == len(made.planned()) == 3 + 2 * 2


def test_a_batch_is_found_by_its_name_its_beginning_its_folder_or_as_the_newest(tmp_path: Path) -> None:
    first = run(plan_of(JOB), tmp_path)
    time.sleep(0.01)
    second = run(plan_of(JOB, ["consortium"]), tmp_path)
    assert Batch.open(first.name, tmp_path).name == first.name
    assert Batch.open("cons", tmp_path).name == second.name
    assert Batch.open(first.path).name == first.name
    assert Batch.open(tmp_path).name == second.name
    asked = replace(plan_of(JOB, seeds=(7,)), study=True)
    of_study = run(asked, tmp_path)
    assert of_study.of_study and of_study.name.startswith("baseline")
    assert Batch.open("base", tmp_path).name == first.name
    assert Batch.open(tmp_path).name == second.name
    assert Batch.open(of_study.name, tmp_path).name == of_study.name
    second.remove()
    first.remove()
    assert Batch.open("base", tmp_path).name == of_study.name


def test_a_batch_that_is_not_there_is_told_from_those_that_are(tmp_path: Path) -> None:
    first, second = run(plan_of(JOB), tmp_path), run(plan_of(JOB, ["consortium"]), tmp_path)
    with pytest.raises(StoreError, match=f"has no batch 'nothing'; it has {first.name}, {second.name}"):
        Batch.open("nothing", tmp_path)
    with pytest.raises(StoreError, match="has no scenario 'basline'; did you mean baseline"):
        first.table("quarters", "basline")
    with pytest.raises(StoreError, match="there is no table 'quarter'"):
        first.table("quarter")
