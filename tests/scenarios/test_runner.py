"""Every run comes back once, as a result or as a failure, and workers end with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from model.records import tables
from scenarios import tables as stored
from scenarios.dispatch import run_tasks
from scenarios.runner import Chunk, Job, Task, replay, run_task, to_chunk, trace
from scenarios.scenario import load
from scenarios.workers import chunks_of
from tests.scenarios import toys


def tasks_of(seeds: Sequence[int], full: bool = False) -> list[Task]:
    setting = load("baseline")
    return [Task(place, "world", setting, seed, True, full) for place, seed in enumerate(seeds)]


def by_place(chunks: Sequence[Chunk]) -> dict[int, dict[str, list[dict[str, object]]]]:
    """Rows by table of every place; a run's rows carry its seed."""
    found: dict[int, dict[str, list[dict[str, object]]]] = {}
    for chunk in chunks:
        for place in chunk.places:
            assert place not in found
            found[place] = {
                name: [row for row in table.to_pylist() if row["seed"] == place + 1]
                for name, table in chunk.tables.items()
            }
    return found


def test_two_workers_give_what_one_process_gives() -> None:
    job, tasks = Job(toys.plain, toys.mean_price), tasks_of(range(1, 20), full=True)
    alone = by_place(list(run_tasks(job, tasks, workers=1)))
    together = by_place(list(run_tasks(job, tasks, workers=2)))
    # Not a number is missing in the stored form, so that rows can be compared.
    assert alone == together
    assert sorted(together) == list(range(19))
    assert set(together[0]) == {"runs", "kept", "metrics", *tables()}


def test_only_the_tables_that_are_asked_for_come_back() -> None:
    job, setting = Job(toys.plain, toys.mean_price), load("baseline")
    headline = to_chunk([run_task(job, Task(0, "w", setting, 1, True, False))])
    assert set(headline.tables) == {"runs", "metrics", *stored.HEADLINE}
    full = to_chunk([run_task(job, Task(0, "w", setting, 1, False, True))])
    assert set(full.tables) == {"kept", *stored.full_tables()}


def no_measure(frames: object) -> dict[str, float]:
    raise ZeroDivisionError("no tokens")


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (Job(toys.one_fails), "tokens sold"),
        (Job(toys.plain, no_measure), "no tokens"),
        (Job(toys.one_lacks_a_column), "lacks"),
    ],
)
def test_a_replayed_run_fails_wherever_a_run_can(job: Job, said: str) -> None:
    (task,) = tasks_of([toys.FRAGILE], full=True)
    with pytest.raises((ArithmeticError, ValueError), match=said):
        replay(job, task)
    assert set(replay(Job(toys.plain), task).frames) == set(tables())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_run_is_recorded_with_its_traceback_and_the_others_go_on(workers: int) -> None:
    chunks = list(run_tasks(Job(toys.one_fails), tasks_of(range(1, 6)), workers))
    (failure,) = [failure for chunk in chunks for failure in chunk.failures]
    assert failure.seed == toys.FRAGILE
    assert failure.reason == "ArithmeticError: tokens sold are not tokens bought"
    assert "scenarios/toys.py" in failure.traceback
    assert sum(len(chunk.places) for chunk in chunks) == 5


def test_a_run_whose_tables_do_not_fit_the_schema_has_failed_and_the_others_have_not() -> None:
    chunks = list(run_tasks(Job(toys.one_lacks_a_column), tasks_of(range(1, 6)), workers=1))
    (failure,) = [failure for chunk in chunks for failure in chunk.failures]
    assert failure.seed == toys.FRAGILE
    assert "lacks ['price_usd_per_mtok']" in failure.reason
    stored_seeds = [s for c in chunks for s in c.tables["quarters"]["seed"].unique().to_pylist()]
    assert stored_seeds == [1, 2, 4, 5]


def test_a_run_without_memory_is_lost_by_chance_and_not_stored() -> None:
    chunk = to_chunk([run_task(Job(toys.no_memory), tasks_of([1])[0])])
    assert chunk.failures[0].by_chance
    assert not chunk.tables


def test_a_full_disk_is_not_held_against_the_run() -> None:
    chunk = to_chunk([run_task(Job(toys.no_disk), tasks_of([1])[0])])
    assert chunk.failures[0].by_chance
    assert not chunk.tables


def test_a_batch_whose_workers_never_start_ends_and_says_why() -> None:
    chunks = list(run_tasks(Job(toys.none_survives), tasks_of([1, 2, 3]), workers=2))
    failures = [failure for chunk in chunks for failure in chunk.failures]
    assert [failure.seed for failure in failures] == [1, 2, 3]
    assert all("SIGKILL" in failure.reason and failure.by_chance for failure in failures)


def test_a_traceback_names_no_path_of_the_machine_but_the_lines_of_code() -> None:
    try:
        try:
            load("nothing")
        except ValueError as error:
            raise RuntimeError("outer") from error
    except RuntimeError as error:
        text = trace(error)
    else:
        pytest.fail("there is no scenario of that name")
    assert str(Path(__file__).parents[2]) not in text
    assert 'File "scenarios/scenario.py"' in text
    assert 'raise RuntimeError("outer") from error' in text
    assert text.strip().endswith("RuntimeError: outer")


def test_chunks_hold_every_run_once_and_leave_no_worker_idle_at_the_end() -> None:
    for runs in (1, 7, 100, 5000):
        chunks = chunks_of(tasks_of(range(runs)), 2)
        assert [task.seed for chunk in chunks for task in chunk] == list(range(runs))
        assert len(chunks) >= min(runs, 8)


BATCH = """
from tests.scenarios import toys
from scenarios.dispatch import run_tasks
from scenarios.runner import Job, Task
from scenarios.scenario import load
if __name__ == "__main__":
    tasks = [Task(i, "w", load("baseline"), i) for i in range(4)]
    list(run_tasks(Job(toys.never_ends), tasks, workers=2))
"""


def heed_interrupts() -> None:
    """A shell that runs the tests in the background makes its children deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


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
        [sys.executable, str(script)],
        env=surroundings,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=heed_interrupts,
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
