"""The processes of a batch: long-lived workers that end with their parent, and are replaced when they die.

``ProcessPoolExecutor`` gives up as a whole when one worker dies and does not say which task it had; here
every worker has a pipe of its own, so a death costs one seed, which is known.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING

from model import calendar
from scenarios.progress import Progress
from scenarios.runner import Failure, Job, Outcome, run_seed, simulate

if TYPE_CHECKING:
    from multiprocessing.context import SpawnContext

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
TRIES = 2
"""How often a seed is started before a dying worker is held to be the seed's doing."""
LOOKAHEAD = 4
"""How many seeds a worker may be ahead of the slowest one, so that finished results do not pile up."""
PATIENCE_SECONDS = 2.0
"""How long a worker may take to leave before it is killed."""


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes started inside run BLAS and numba on one thread: sums are then the same in every process."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def run_in_workers(
    job: Job, seeds: Sequence[int], workers: int, progress: Progress
) -> Generator[Outcome, None, None]:
    """Run the seeds in ``workers`` processes and yield the outcomes as they come, in no particular order."""
    pool = _Pool(job, seeds, workers)
    with one_thread_each():
        try:
            yield from pool.outcomes(progress)
        finally:
            pool.end()


@dataclass(eq=False)
class _Worker:
    """A process, our end of its pipe, and the place in the list of the seed that it is busy with."""

    process: SpawnProcess
    pipe: Connection
    warms: bool
    place: int | None = None
    ready: bool = False


class _Pool:
    def __init__(self, job: Job, seeds: Sequence[int], size: int) -> None:
        self.job, self.seeds, self.size = job, seeds, size
        self.context: SpawnContext = multiprocessing.get_context("spawn")
        self.workers: list[_Worker] = []
        self.waiting = deque(range(len(seeds)))
        self.tries = [0] * len(seeds)
        self.done = [False] * len(seeds)
        self.warm = False
        self.failed_starts = 0

    def outcomes(self, progress: Progress) -> Iterator[Outcome]:
        """Hand out seeds and yield what comes back until every seed is done."""
        first = 0
        while first < len(self.seeds):
            self._hand_out(first + LOOKAHEAD * self.size)
            yield from self._collect(progress)
            while first < len(self.seeds) and self.done[first]:
                first += 1

    def _hand_out(self, limit: int) -> None:
        """Start missing workers and give a seed to each idle one, once the kernel cache is warm."""
        while len(self.workers) < min(self.size, sum(not done for done in self.done)):
            warms = not self.warm and not any(worker.warms for worker in self.workers)
            self.workers.append(self._start(warms))
        for worker in self.workers:
            if not (worker.ready and self.warm and worker.place is None and self.waiting):
                continue
            if self.waiting[0] >= limit:
                break
            place = self.waiting.popleft()
            with contextlib.suppress(OSError):  # a worker that has just died is found by _collect
                worker.pipe.send(self.seeds[place])
            worker.place = place
            self.tries[place] += 1

    def _start(self, warms: bool) -> _Worker:
        ours, theirs = self.context.Pipe()
        arguments = (theirs, self.job, self.seeds[0] if warms else None)
        process = self.context.Process(target=_serve, args=arguments, daemon=True)
        with _no_interrupts():
            process.start()
        theirs.close()
        return _Worker(process, ours, warms)

    def _collect(self, progress: Progress) -> Iterator[Outcome]:
        """Wait until some worker reports or dies, and yield the outcomes that this settles."""
        by_pipe = {worker.pipe: worker for worker in self.workers}
        for pipe in wait(list(by_pipe)):
            worker = by_pipe[pipe]  # type: ignore[index]
            try:
                outcome: Outcome | None = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._bury(worker)
                continue
            if outcome is None:
                worker.ready = True
                if worker.warms:
                    self.warm = True
                    progress.ready()
                continue
            assert worker.place is not None
            self.done[worker.place], worker.place = True, None
            yield outcome

    def _bury(self, worker: _Worker) -> Iterator[Outcome]:
        """Take a dead worker off the list; its seed is tried again, or given up with the reason."""
        self.workers.remove(worker)
        worker.pipe.close()
        worker.process.join(PATIENCE_SECONDS)
        place, code = worker.place, worker.process.exitcode
        if place is None:
            if not worker.ready:
                yield from self._give_up_if_none_starts(code)
            return
        if self.tries[place] < TRIES:
            self.waiting.appendleft(place)
            return
        self.done[place] = True
        reason = f"WorkerDied: the worker process ended {_words(code)} {TRIES} times while it ran this seed"
        yield Outcome(self.seeds[place], failures=(Failure(self.seeds[place], "", reason),))

    def _give_up_if_none_starts(self, code: int | None) -> Iterator[Outcome]:
        """A worker died before its first seed: fail all that is left if that happens again and again."""
        self.failed_starts += 1
        if self.failed_starts <= TRIES * self.size:
            return
        reason = f"WorkerDied: worker processes end {_words(code)} before their first seed; try --workers 1"
        for place in range(len(self.seeds)):
            if not self.done[place]:
                self.done[place] = True
                yield Outcome(self.seeds[place], failures=(Failure(self.seeds[place], "", reason),))

    def end(self) -> None:
        """End every worker: an idle one sees its pipe closed and leaves, a busy one is terminated."""
        for worker in self.workers:
            worker.pipe.close()
            if worker.place is not None or not worker.ready:
                worker.process.terminate()
        for worker in self.workers:
            worker.process.join(PATIENCE_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _words(code: int | None) -> str:
    if code is not None and code < 0:
        return f"by signal {signal.Signals(-code).name}"
    return f"with status {code}"


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Ctrl-C reaches the whole process group; a process started in here does not see it, its parent does."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, job: Job, warm_with: int | None) -> None:
    """The life of a worker: load the market, say so, and run the seeds that arrive until the pipe closes."""
    # Blocked since before this process began; ignored from here on, since libraries may lift the block.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    if warm_with is not None:
        _warm(job, warm_with)
    elif job.simulate is simulate:
        with contextlib.suppress(Exception):  # the seed's own run records the same error with its traceback
            import model.market  # noqa: F401
    with contextlib.suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            pipe.send(run_seed(job, pipe.recv()))


def _warm(job: Job, seed: int) -> None:
    """Run the first two quarters, so that kernels are compiled and cached before the others need them."""
    setting = job.setting
    start = calendar.index(setting.first)
    with contextlib.suppress(Exception):
        job.simulate(replace(setting, record_from=setting.first, last=calendar.name(start + 1)), seed)


def _leave_with_parent() -> None:
    """End this process when its parent is gone, even by kill -9, even in the middle of a run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
