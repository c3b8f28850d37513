"""Hands the runs of a batch out: to this process, to several of this machine, or to a cluster."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING

from scenarios.cluster import run_on_cluster
from scenarios.progress import Progress, Silent
from scenarios.runner import Chunk, Job, Task, run_chunk
from scenarios.workers import run_in_workers

if TYPE_CHECKING:
    from distributed import Client


def run_tasks(
    job: Job,
    tasks: Sequence[Task],
    workers: int | None = None,
    cluster: Client | None = None,
    progress: Progress | None = None,
    stored: int = 0,
) -> Generator[Chunk, None, None]:
    """Make every run and yield what comes back, in no particular order; each place comes exactly once.

    Args:
        job: how runs are made.
        tasks: the runs to make.
        workers: processes on this machine (default: one a processor; never more than runs); 1 runs in this one.
        cluster: a client of a Dask scheduler (:func:`scenarios.cluster.connected`), to run there instead.
        progress: what to show.
        stored: how many runs of the batch are there already, for the display.

    A run that fails, or whose worker dies twice, comes back as a failure. Closing the generator ends the workers.
    """
    workers = min(workers or os.cpu_count() or 1, len(tasks))
    with progress or Silent() as shown:
        shown.start(len(tasks), stored)
        if not tasks:
            return
        chunks: Iterable[Chunk]
        if cluster is not None:
            shown.ready()
            chunks = run_on_cluster(job, tasks, cluster)
        elif workers <= 1:
            shown.ready()
            chunks = run_chunk(job, tasks)
        else:
            chunks = run_in_workers(job, tasks, workers, shown)
        try:
            for chunk in chunks:
                yield chunk
                # Only now is it in the hands of whoever stores it.
                shown.advance(len(chunk.places), [(f.world, f.seed, f.reason) for f in chunk.failures])
        finally:
            if isinstance(chunks, Generator):
                chunks.close()
