"""Whatever ends a batch on the way, and at whatever moment, the same command ends with the same bytes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scenarios import batch, folder, journal, pack, store
from scenarios.batch import Batch
from scenarios.folder import StoreError
from scenarios.parts import parts_of
from scenarios.plan import Plan
from scenarios.runner import Job, run_chunk
from tests.scenarios import toys
from tests.scenarios.stores import SLOW_BATCH, contents, plan_of

ROOT = Path(__file__).parents[2]
JOB = Job(toys.plain, toys.mean_price)


def run(plan: Plan, out: Path, job: Job = JOB, workers: int = 1) -> Batch:
    return batch.run(plan, job, out, workers=workers)[0]


class Crash(BaseException):
    """The power goes."""


class Disk:
    """Counts what is done to the disk, whose power goes at a given moment: nothing happens to it afterwards.

    What was made durable by then stays. Of the rest some may be there or none: :meth:`lose` takes all of it.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, goes_at: int, known: Path | None = None) -> None:
        self.left = goes_at
        self.contents: dict[int, bytes] = {}
        self.names: dict[Path, dict[str, int]] = {}
        self.held: list[int] = []
        for path in [known, *known.rglob("*")] if known is not None else []:
            handle = os.open(path, os.O_RDONLY)
            self._last(handle)  # what is there from before is durable
            os.close(handle)
        for holder, name in (
            (os, "fsync"),
            (os, "replace"),
            (os, "unlink"),
            (os, "rmdir"),
            (Path, "open"),
        ):
            self._watch(monkeypatch, holder, name)

    def _watch(self, monkeypatch: pytest.MonkeyPatch, holder: object, name: str) -> None:
        real = getattr(holder, name)

        def act(*arguments: Any, **named: Any) -> object:
            self.left -= 1
            if self.left <= 0:
                raise Crash
            if name == "fsync":
                self._last(arguments[0])
            return real(*arguments, **named)

        monkeypatch.setattr(holder, name, act)

    def _last(self, handle: int) -> None:
        """Remember what is durable from now on: the content of a file, or the names in a folder."""
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if path.is_dir():
            self.names[path] = {file.name: file.stat().st_ino for file in path.iterdir() if file.is_file()}
        else:
            self.contents[path.stat().st_ino] = path.read_bytes()
            self.held.append(os.dup(handle))  # so that no other file gets its number

    def lose(self, out: Path, chance: random.Random | None = None) -> None:
        """Take from a folder what was not made durable, or by chance from some of those within; folders stay."""
        for place in (out, *(path for path in sorted(out.rglob("*")) if path.is_dir())):
            if chance is not None and chance.random() < 0.5:
                continue
            for file in place.iterdir():
                if file.is_file():
                    file.unlink()
            for name, number in self.names.get(place, {}).items():
                (place / name).write_bytes(self.contents.get(number, b""))

    def end(self) -> None:
        """Let go of the files that were held."""
        for handle in self.held:
            os.close(handle)


def crashed(
    monkeypatch: pytest.MonkeyPatch, moment: int, act: Callable[[], object], known: Path | None = None
) -> Disk | None:
    """The disk whose power went at a moment of what was done; None when it was done before."""
    with monkeypatch.context() as patch:
        disk = Disk(patch, moment, known)
        try:
            act()
        except Crash:
            return disk
        finally:
            disk.end()
    return None


NUMBERED = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="tells by its number which file is made durable"
)


@NUMBERED
@pytest.mark.parametrize("step", [41, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("loses", [False, True])
def test_the_power_may_go_at_any_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, loses: bool
) -> None:
    monkeypatch.setattr(journal, "PART_RUNS", 2)
    monkeypatch.setattr(store, "MANY_PACKS", 2)  # merging too
    plans = [plan_of(JOB, seeds=(1, 2, 3), keep="sample:1"), plan_of(JOB, seeds=(3, 4), keep="headline")]
    for plan in plans:
        run(plan, tmp_path / "whole")
    whole = contents(tmp_path / "whole")
    moment = 1
    out = tmp_path / "cut"
    while disk := crashed(monkeypatch, moment, lambda: [run(plan, out) for plan in plans]):
        if loses:
            disk.lose(out)
        for plan in plans:
            run(plan, out)
        assert contents(out) == whole, moment
        shutil.rmtree(out)
        moment += step
    assert moment > 200


@NUMBERED
@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_a_part_is_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    plan = plan_of(JOB, seeds=(1,), keep="all")
    layers = [set(layer) - {"failures"} for layer in pack.LAYERS]
    moment, disk, there = 1 - step, None, set()
    while disk or moment < 1:
        moment += step
        with journal.Journal(store.Store.make(tmp_path / str(moment)), plan) as writing:
            writing.held += run_chunk(JOB, writing.missing())
            disk = crashed(monkeypatch, moment, writing.flush)
            there = {name for name, files in parts_of(writing.path).items() if files}
        assert there in (set(), *layers, set.union(*layers)), moment
    assert there == set.union(*layers)
    assert moment > 40


@NUMBERED
@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_packs_and_merged_ones_are_there_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(store, "MANY_PACKS", 2)
    plans = [plan_of(JOB, seeds=(1,), keep="headline"), plan_of(JOB, seeds=(2,), keep="headline")]
    run(plans[0], tmp_path / "before")
    with pytest.raises(Crash), monkeypatch.context() as patch:
        patch.setattr(journal.Journal, "finish", _crash_before_packing)
        run(plans[1], tmp_path / "before")
    shutil.copytree(tmp_path / "before", tmp_path / "whole")
    run(plans[1], tmp_path / "whole")
    whole = contents(tmp_path / "whole")
    moment, disk = 1 - step, None
    while disk or moment < 1:
        moment += step
        out = tmp_path / str(moment)
        shutil.copytree(tmp_path / "before", out)
        disk = crashed(monkeypatch, moment, partial(run, plans[1], out), known=out)
        if disk:
            disk.lose(out, random.Random(moment))
        counted = toys.Counting()
        batch.run(plans[1], JOB, out, workers=1, progress=counted)
        assert counted.made == 0
        assert contents(out) == whole, moment
    assert moment > 40


def _crash_before_packing(writing: journal.Journal) -> None:
    writing.flush()
    raise Crash


@NUMBERED
def test_a_batch_whose_removal_was_cut_short_can_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(plan_of(JOB, seeds=(1, 2), keep="headline"), tmp_path / "before")
    second = run(plan_of(JOB, seeds=(2, 3), keep="headline"), tmp_path / "before")
    moment, disk = 0, None
    while disk or not moment:
        moment += 1
        shutil.copytree(tmp_path / "before", tmp_path / str(moment))
        there = store.Store(tmp_path / str(moment))
        disk = crashed(monkeypatch, moment, Batch(there, first.name).remove)
        found = {found.name: found for found in Batch.all(there)}
        assert all(batch.planned() for batch in found.values())
        if first.name in found:
            found[first.name].remove()
        assert {seed for _, seed in there.runs()} == {2, 3}
        assert found[second.name].complete
    assert moment > 20


def test_a_plan_of_renames_deletes_nothing_before_its_new_packs_are_there(tmp_path: Path) -> None:
    made = run(plan_of(JOB), tmp_path)
    (old,) = made.store.packs("quarters")
    plan = {"rename": [["tables/quarters/.lost.partial", f"tables/quarters/{'0' * 16}.parquet"]]}
    folder.write_json(tmp_path / "commit.json", {**plan, "delete": [old.relative_to(tmp_path).as_posix()]})
    made.store.recover()
    assert made.store.packs("quarters") == [old]
    assert not (tmp_path / "commit.json").exists()


def test_a_pack_that_replaces_one_of_the_same_content_stays(tmp_path: Path) -> None:
    made = run(plan_of(JOB), tmp_path)
    (old,) = made.store.packs("quarters")
    again = old.with_name(".again.partial")
    shutil.copy(old, again)
    made.store.commit([again], [old])
    assert made.store.packs("quarters") == [old]


def test_a_batch_killed_again_and_again_ends_with_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SLOW_BATCH)
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}

    def start(out: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(script), str(tmp_path / out)], env=surroundings, start_new_session=True
        )

    assert start("whole").wait(timeout=120) == 0
    chance, kills = random.Random(1), 0
    while True:
        process = start("cut")
        try:
            if process.wait(timeout=chance.uniform(1.0, 2.5)) == 0:
                break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            if kills == 3:  # enough: let it end
                assert start("cut").wait(timeout=120) == 0
                break
    assert kills >= 2
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_a_full_disk_stops_the_batch_with_a_sentence_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(JOB, seeds=range(1, 6))
    monkeypatch.setattr(journal, "PART_RUNS", 1)
    left, real = [12], folder.sync

    def full(path: Path) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(28, "No space left on device")
        real(path)

    with monkeypatch.context() as patch:
        patch.setattr(folder, "sync", full)
        with pytest.raises(StoreError, match=r"no room left on the disk .* run the same command again"):
            run(plan, tmp_path / "a")
    run(plan, tmp_path / "a")
    run(plan, tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
