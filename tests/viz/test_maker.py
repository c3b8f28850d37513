"""A batch that is made beside the server: what it tells, and that it ends when it is told to."""

import time

import pytest

from scenarios.batch import Batch
from scenarios.store import Store
from viz import processes
from viz.stored import maker
from viz.stored.maker import DONE, RUNNING, STOPPED, WAITING, Maker, State
from viz.stored.pair import Pair

SECONDS = 120.0


def test_a_state_is_said_in_words():
    state = State(RUNNING, made=3, asked=8, stored=2, failed=1, seconds_left=12.4)
    assert state.words() == "5 of 10 runs, 1 failed, 12 s left"
    assert state.share == 0.5
    assert State().words() == ""
    assert State().share == 0.0
    assert not State(DONE).busy


def test_only_one_batch_is_made_at_a_time_and_who_waits_can_leave(tmp_path):
    told: list[State] = []
    waits = Maker(told.append)
    with maker._TURN:
        waits.start(Pair(seeds="2").plan(), tmp_path / "runs")
        until(lambda: waits.state.phase == WAITING)
        waits.stop()
        waits.join(SECONDS)
    assert told[-1].phase == STOPPED
    assert not (tmp_path / "runs").exists()


def test_a_batch_that_nobody_waits_for_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(maker, "GONE_SECONDS", 0.2)
    told: list[State] = []
    leaves = Maker(told.append, wanted=lambda: False)
    leaves.start(Pair(seeds="2").plan(), tmp_path / "runs")
    leaves.join(SECONDS)
    assert told[-1].phase == STOPPED


@pytest.mark.slow  # begins two processes; that a stop keeps what was made, the browser's tests see too
def test_what_was_made_is_kept_and_the_same_plan_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv(processes.VARIABLE, "1")
    plan = Pair(other="consortium", seeds="2", enterprises="100").plan()
    makes = Maker(lambda _: None)
    makes.start(plan, tmp_path)
    until(lambda: makes.state.made > 0)
    makes.stop()
    makes.join(SECONDS)
    stopped = makes.state
    assert stopped.phase == STOPPED
    assert "are stored, Run makes the rest" in stopped.text
    batch = Batch(Store(tmp_path), plan.name)
    kept = batch.done()
    assert 0 < len(kept) < 4
    assert not batch.running
    makes.start(plan, tmp_path)
    makes.join(SECONDS)
    assert (makes.state.phase, makes.state.stored) == (DONE, len(kept))
    assert batch.complete


def until(true):
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
