"""A batch runs on a Dask cluster as it does here, and a worker killed on the way costs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios import batch
from scenarios.batch import Batch
from scenarios.folder import StoreError
from scenarios.runner import Job
from scenarios.store import Store
from tests.scenarios import toys
from tests.scenarios.stores import contents, plan_of

pytest.importorskip("distributed")
ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60


class Cluster:
    """A scheduler and its workers, each a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "PYTHONPATH": str(ROOT), "UNDERCUT_TEST_FOLDER": str(folder)}
        self.address_file = folder / "scheduler.json"
        self.scheduler = self.start("scheduler", "--port", "0", "--no-dashboard")
        self.workers: list[subprocess.Popen[bytes]] = []
        until = time.monotonic() + PATIENCE_SECONDS
        while not self.address_file.exists() and time.monotonic() < until:
            time.sleep(0.05)

    def start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli.dask_" + kind, *options]
        return subprocess.Popen(
            [*command, "--scheduler-file", str(self.address_file)],
            env=self.env,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def add_worker(self) -> subprocess.Popen[bytes]:
        # Without a nanny, which would start a killed worker anew.
        worker = self.start("worker", "--nthreads", "1", "--no-nanny", "--no-dashboard")
        self.workers.append(worker)
        return worker

    @property
    def address(self) -> str:
        import json

        return str(json.loads(self.address_file.read_text())["address"])

    def wait_for(self, workers: int) -> None:
        from distributed import Client

        with Client(self.address) as client:
            client.wait_for_workers(workers, timeout=PATIENCE_SECONDS)

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    try:
        yield made
    finally:
        made.end()


def test_a_cluster_of_two_gives_the_bytes_of_one_process_though_a_worker_is_killed_on_the_way(
    cluster: Cluster, tmp_path: Path
) -> None:
    first = cluster.add_worker()
    cluster.add_worker()
    cluster.wait_for(2)
    job = Job(toys.slow, toys.mean_price)
    killed: list[int] = []

    class Killer(toys.Watching):
        def advance(self, runs: int, failures: object) -> None:
            if not killed:
                first.kill()
                killed.append(runs)

    plan = plan_of(job, seeds=range(1, 41))
    made, lost = batch.run(plan, job, tmp_path / "far", scheduler=cluster.address, progress=Killer())
    assert killed
    assert not lost
    assert len(made.done()) == 40
    batch.run(plan, job, tmp_path / "near", workers=1)
    assert contents(tmp_path / "far") == contents(tmp_path / "near")


def test_a_scheduler_that_dies_is_named_and_costs_nothing_that_came(cluster: Cluster, tmp_path: Path) -> None:
    cluster.add_worker()
    cluster.wait_for(1)
    job = Job(toys.slow, toys.mean_price)
    came: list[int] = []

    class Killer(toys.Watching):
        def advance(self, runs: int, failures: object) -> None:
            came.append(runs)
            cluster.scheduler.kill()

    plan = plan_of(job, seeds=range(1, 81))
    with pytest.raises(StoreError, match="the Dask scheduler is gone; what came from it is stored"):
        batch.run(plan, job, tmp_path / "a", scheduler=cluster.address, progress=Killer())
    assert len(Batch.open(plan.name, tmp_path / "a").done()) == sum(came) < 80


def test_a_cluster_that_is_not_there_is_named_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenarios.cluster.CONNECT_SECONDS", 1)
    job = Job(toys.plain)

    class Beginning(toys.Watching):
        def start(self, runs: int, stored: int) -> None:
            raise AssertionError("nothing is to be made")

    with pytest.raises(StoreError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        batch.run(plan_of(job), job, tmp_path / "a", scheduler="tcp://127.0.0.1:1", progress=Beginning())
    assert not Batch.all(Store(tmp_path / "a"))


def test_a_cluster_without_workers_says_how_to_start_some(cluster: Cluster, tmp_path: Path) -> None:
    job = Job(toys.plain)
    with pytest.raises(StoreError, match="has no workers; start some with `dask worker tcp:"):
        batch.run(plan_of(job), job, tmp_path / "a", scheduler=cluster.address)
