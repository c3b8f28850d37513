"""Runs on a Dask cluster: the chunks that local workers get, sent to whoever is there and sent again if they die."""

from __future__ import annotations

import contextlib
import platform
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING

from scenarios import version
from scenarios.folder import StoreError
from scenarios.runner import Chunk, Job, Task, join, lost, run_chunk
from scenarios.workers import TRIES, chunks_of

if TYPE_CHECKING:
    from distributed import Client, Future

OTHER_CODE = "has other code or libraries than this process; install the same lock there"
CONNECT_SECONDS = 20
LOOK_SECONDS = 0.02
"""Time between two looks for results where none has come."""
AHEAD = 3
"""Chunks sent for each thread of the cluster, so that none waits and results do not pile up."""


@contextlib.contextmanager
def connected(scheduler: str) -> Iterator[Client]:
    """A client of a Dask scheduler whose workers can make runs, closed at the end.

    A worker needs Undercut installed, in the version, with the libraries, that this process has. Raises StoreError
    when the scheduler cannot be reached, has no workers, or one of them has other code.
    """
    try:
        from distributed import Client
    except ImportError:
        raise StoreError(
            "--scheduler needs Dask: write `make install`, or install Undercut with its extra `study`"
        ) from None
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise StoreError(
            f"no Dask scheduler answers at {scheduler} ({type(error).__name__}); start one with `dask scheduler`"
        ) from None
    with client:
        _check(client, scheduler)
        yield client


def run_on_cluster(job: Job, tasks: Sequence[Task], client: Client) -> Generator[Chunk, None, None]:
    """Make the runs on the workers of a Dask scheduler and yield what they give as it comes.

    Workers may come and go: a chunk whose worker dies is made again elsewhere, and once it has killed several, run
    by run. Raises StoreError when the scheduler goes, or a worker comes that has other code.
    """
    try:
        yield from _results(client, job, tasks)
    except Exception:
        # Whatever Dask makes of a connection that broke.
        _alive(client)
        raise


def _alive(client: Client) -> None:
    """Raise StoreError when the scheduler is gone; Dask would wait for it, with the runs that it had, for good."""
    if client.status != "running":
        raise StoreError(
            "the Dask scheduler is gone; what came from it is stored, the same command makes the rest"
        ) from None


def _results(client: Client, job: Job, tasks: Sequence[Task]) -> Generator[Chunk, None, None]:
    from distributed import as_completed

    hands = max(1, sum(client.nthreads().values()))
    waiting = chunks_of(tasks, hands)[::-1]
    sent: dict[Future[Chunk], list[Task]] = {}
    done = as_completed([], raise_errors=False)
    deaths: dict[int, int] = {}
    code = version.results_hash()

    def send() -> None:
        while waiting and len(sent) < AHEAD * hands:
            chunk = waiting.pop()
            # pure=False: a chunk sent again is to be run again, not looked up by its content.
            future = client.submit(_run, job, chunk, code, pure=False)
            sent[future] = chunk
            done.add(future)

    send()
    while sent:
        while not done.has_ready():
            _alive(client)
            time.sleep(LOOK_SECONDS)
        future = next(done)
        _alive(client)
        chunk = sent.pop(future)
        if future.status == "finished":
            yield future.result()
        elif isinstance(error := future.exception(), StoreError):
            raise error
        elif len(chunk) > 1:
            waiting.extend([task] for task in reversed(chunk))
        else:
            task = chunk[0]
            deaths[task.place] = deaths.get(task.place, 0) + 1
            if deaths[task.place] < TRIES:
                waiting.append(chunk)
            else:
                yield lost(task, f"WorkerDied: {type(error).__name__} on the cluster")
        future.release()
        send()


def _run(job: Job, tasks: Sequence[Task], code: str) -> Chunk:
    """One chunk, on a worker. Raises StoreError when the worker, come later than :func:`_check`, has other code."""
    if version.results_hash() != code:
        raise StoreError(f"a worker on {platform.node()} {OTHER_CODE}")
    return join(list(run_chunk(job, tasks)))


def _check(client: Client, scheduler: str) -> None:
    """Refuse a cluster without workers, or with one whose code or libraries would give other numbers."""
    found = client.run(version.results_hash, on_error="return")
    if not found:
        raise StoreError(
            f"the scheduler at {scheduler} has no workers; start some with `dask worker {scheduler}`"
        )
    for worker, answer in found.items():
        if isinstance(answer, BaseException):
            raise StoreError(f"the worker {worker} cannot run Undercut ({answer}); install it there")
        if answer != version.results_hash():
            raise StoreError(f"the worker {worker} {OTHER_CODE}")
