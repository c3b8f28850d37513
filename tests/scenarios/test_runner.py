"""A batch gives the same results however it is run, loses one seed to one failure, ends when it should."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scenarios.counterfactual import worlds
from scenarios.runner import Job, Outcome, run_job
from scenarios.scenario import load
from tests.scenarios import toys


def small(simulate: object, **more: object) -> Job:
    setting = load("baseline")
    return Job(setting, simulate=simulate, measure=toys.mean_price, **more)  # type: ignore[arg-type]


def tables_of(outcomes: list[Outcome]) -> list[dict[str, list[dict[str, object]]]]:
    return [{name: table.to_pylist() for name, table in outcome.tables.items()} for outcome in outcomes]


def test_two_workers_give_the_tables_that_one_process_gives() -> None:
    alone = list(run_job(small(toys.plain), range(1, 6), workers=1))
    together = list(run_job(small(toys.plain), range(1, 6), workers=2))
    assert [o.seed for o in together] == [1, 2, 3, 4, 5]
    assert tables_of(together) == tables_of(alone)
    assert [o.metrics["mean_price"] for o in together] == [o.metrics["mean_price"] for o in alone]
    assert len({o.metrics["mean_price"] for o in together}) == 5


def test_outcomes_come_in_the_order_of_seeds_even_when_the_first_is_the_slowest() -> None:
    outcomes = run_job(small(toys.early_seeds_are_slow), [1, 7, 5, 2], workers=2)
    assert [o.seed for o in outcomes] == [1, 7, 5, 2]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_seed_is_recorded_with_its_traceback_and_the_others_go_on(workers: int) -> None:
    outcomes = list(run_job(small(toys.one_fails), range(1, 6), workers))
    assert [o.seed for o in outcomes if not o.ok] == [toys.FRAGILE]
    failed = outcomes[2]
    assert not failed.tables
    assert not failed.metrics
    assert failed.failures[0].reason == "ArithmeticError: tokens sold are not tokens bought"
    assert "one_fails" in failed.failures[0].traceback
    assert all("quarters" in o.tables for o in outcomes if o.ok)


def test_a_seed_that_kills_its_worker_is_given_up_and_the_others_go_on() -> None:
    outcomes = list(run_job(small(toys.one_kills_its_worker), range(1, 7), workers=2))
    assert [o.seed for o in outcomes if not o.ok] == [toys.FRAGILE]
    assert "SIGKILL" in outcomes[2].failures[0].reason


def test_a_worker_killed_from_outside_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCUT_TEST_FOLDER", str(tmp_path))
    outcomes = list(run_job(small(toys.one_is_killed_once), range(1, 6), workers=2))
    assert (tmp_path / "killed").exists()
    assert tables_of(outcomes) == tables_of(list(run_job(small(toys.plain), range(1, 6), workers=1)))


def test_a_batch_whose_workers_never_start_ends_and_says_why() -> None:
    outcomes = list(run_job(small(toys.none_survives), [1, 2, 3], workers=2))
    assert [o.ok for o in outcomes] == [False] * 3
    assert "SIGKILL" in outcomes[0].failures[0].reason


def test_a_failed_counterfactual_leaves_the_seeds_own_tables() -> None:
    others = worlds(load("baseline"), ("open_weights", "sparse_architectures"))
    job = small(toys.no_sparse_world, worlds=others)
    outcome = next(run_job(job, [1], workers=1))
    assert outcome.ok
    assert outcome.metrics["worlds"] == 1.0
    assert [f.world for f in outcome.failures] == ["sparse_architectures"]
    assert "quarters" in outcome.tables


def test_metrics_alone_come_back_when_tables_are_not_wanted() -> None:
    outcome = next(run_job(small(toys.plain, keep_tables=False), [1], workers=1))
    assert not outcome.tables
    assert outcome.metrics["mean_price"] > 0.0


BATCH = """
from tests.scenarios import toys
from scenarios.runner import Job, run_job
from scenarios.scenario import load
if __name__ == "__main__":
    list(run_job(Job(load("baseline"), simulate=toys.never_ends), [1, 2, 3, 4], workers=2))
"""


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the states of processes from /proc")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path: Path, end: signal.Signals) -> None:
    script = tmp_path / "batch.py"
    script.write_text(BATCH)
    folder = tmp_path / "ids"
    folder.mkdir()
    root = Path(__file__).parents[2]
    surroundings = {**os.environ, "UNDERCUT_TEST_FOLDER": str(folder), "PYTHONPATH": str(root)}
    parent = subprocess.Popen(
        [sys.executable, str(script)], env=surroundings, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        for _ in range(600):
            if any(folder.iterdir()):
                break
            time.sleep(0.1)
        workers = [int(file.name) for file in folder.iterdir()]
        assert workers
        parent.send_signal(end)
        parent.wait(timeout=60)
        for _ in range(300):
            if not any(alive(worker) for worker in workers):
                break
            time.sleep(0.1)
        assert not any(alive(worker) for worker in workers)
    finally:
        parent.kill()
        parent.wait()
