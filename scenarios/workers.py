"""The processes of a batch: long-lived workers that end with their parent, and are replaced when they die.

``ProcessPoolExecutor`` gives up as a whole when one worker dies and does not say which task it had; here
every worker has a pipe of its own, so a death costs the runs of one chunk, which are known and made again.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING

from model import calendar
from scenarios.progress import Progress
from scenarios.runner import CHUNK_RUNS, Chunk, Job, Task, lost, run_chunk, simulate

if TYPE_CHECKING:
    from multiprocessing.context import SpawnContext

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
KERNELS = Path(calendar.__file__).parent
"""Where compiled kernels are kept if that can be written to."""
TRIES = 2
"""How often a run is started alone before a dying worker is held to be its doing."""
CHUNKS_A_HAND = 4
"""At least so many chunks a worker, so that all of them end at about the same time."""
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
    job: Job, tasks: Sequence[Task], workers: int, progress: Progress
) -> Generator[Chunk, None, None]:
    """Make the runs in ``workers`` processes and yield what they give as it comes, in no particular order."""
    pool = _Pool(job, tasks, workers)
    with one_thread_each():
        if job.simulate is simulate and not os.access(KERNELS, os.W_OK):
            # Perhaps they can be kept nowhere: then this process makes a passing folder that its workers share.
            with contextlib.suppress(Exception):  # the runs record the same error with its traceback
                import model.market  # noqa: F401
        try:
            yield from pool.results(progress)
        finally:
            pool.end()


@dataclass(eq=False)
class _Worker:
    """A process, our end of its pipe, and the tasks that it has and has not reported yet."""

    process: SpawnProcess
    pipe: Connection
    warms: bool
    busy: dict[int, Task] = field(default_factory=dict)
    ready: bool = False


class _Pool:
    def __init__(self, job: Job, tasks: Sequence[Task], size: int) -> None:
        self.job, self.size = job, size
        self.context: SpawnContext = multiprocessing.get_context("spawn")
        self.workers: list[_Worker] = []
        self.first = tasks[0]
        self.waiting = deque(chunks_of(tasks, size))
        self.left = len(tasks)
        self.deaths: dict[int, int] = {}
        self.warm = False
        self.failed_starts = 0
        self.last_code: int | None = None

    def results(self, progress: Progress) -> Iterator[Chunk]:
        """Hand out chunks of tasks and yield what comes back until every run is done."""
        while self.left:
            self._hand_out()
            if self._none_starts and not (self.warm and self.workers):
                yield from self._give_up()
                return
            for chunk in self._collect(progress):
                self.left -= len(chunk.places)
                yield chunk

    @property
    def _none_starts(self) -> bool:
        """Whether workers died before their first run so often that no more are started."""
        return self.failed_starts > TRIES * self.size

    def _hand_out(self) -> None:
        """Start missing workers and give a chunk to each idle one, once the kernel cache is warm."""
        while len(self.workers) < min(self.size, self.left) and not self._none_starts:
            warms = not self.warm and not any(worker.warms for worker in self.workers)
            self.workers.append(self._start(warms))
        for worker in self.workers:
            if worker.ready and self.warm and not worker.busy and self.waiting:
                tasks = self.waiting.popleft()
                with contextlib.suppress(OSError):  # a worker that has just died is found by _collect
                    worker.pipe.send(tasks)
                worker.busy = {task.place: task for task in tasks}

    def _start(self, warms: bool) -> _Worker:
        ours, theirs = self.context.Pipe()
        process = self.context.Process(
            target=_serve, args=(theirs, self.job, self.first if warms else None), daemon=True
        )
        with no_interrupts():
            process.start()
        theirs.close()
        return _Worker(process, ours, warms)

    def _collect(self, progress: Progress) -> Iterator[Chunk]:
        """Wait until some worker reports or dies, and yield the results that this settles."""
        by_pipe = {worker.pipe: worker for worker in self.workers}
        for pipe in wait(list(by_pipe)):
            worker = by_pipe[pipe]  # type: ignore[index]
            try:
                chunk: Chunk | None = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._bury(worker)
                continue
            if chunk is None:
                worker.ready = True
                if worker.warms:
                    self.warm = True
                    progress.ready()
                continue
            for place in chunk.places:
                del worker.busy[place]
            yield chunk

    def _bury(self, worker: _Worker) -> Iterator[Chunk]:
        """Take a dead worker off the list; its runs are made one by one, so that the culprit stands alone."""
        self.workers.remove(worker)
        worker.pipe.close()
        worker.process.join(PATIENCE_SECONDS)
        tasks, code = list(worker.busy.values()), worker.process.exitcode
        if not tasks and not worker.ready:
            self.failed_starts += 1
            self.last_code = code
        if len(tasks) == 1:
            place = tasks[0].place
            self.deaths[place] = self.deaths.get(place, 0) + 1
            if self.deaths[place] >= TRIES:
                yield self._dead(tasks.pop(), f"ended {_words(code)} {TRIES} times while it ran this seed")
        self.waiting.extendleft([task] for task in reversed(tasks))

    def _give_up(self) -> Iterator[Chunk]:
        """Fail all that is left."""
        for task in [task for tasks in self.waiting for task in tasks]:
            yield self._dead(task, f"ended {_words(self.last_code)} before its first run; try --workers 1")

    def _dead(self, task: Task, how: str) -> Chunk:
        return lost(task, f"WorkerDied: the worker process {how}")

    def end(self) -> None:
        """End every worker: an idle one sees its pipe closed and leaves, a busy one is terminated."""
        for worker in self.workers:
            worker.pipe.close()
            if worker.busy or not worker.ready:
                worker.process.terminate()
        for worker in self.workers:
            worker.process.join(PATIENCE_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def chunks_of(tasks: Sequence[Task], hands: int) -> list[list[Task]]:
    """The tasks in chunks, small enough that the last ones keep every hand busy."""
    size = max(1, min(CHUNK_RUNS, len(tasks) // (CHUNKS_A_HAND * hands)))
    return [list(tasks[start : start + size]) for start in range(0, len(tasks), size)]


def _words(code: int | None) -> str:
    if code is not None and code < 0:
        return f"by signal {signal.Signals(-code).name}"
    return f"with status {code}"


@contextlib.contextmanager
def no_interrupts() -> Iterator[None]:
    """Ctrl-C reaches the whole process group; a process started in here does not see it, its parent does."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, job: Job, warm_with: Task | None) -> None:
    """The life of a worker: load the market, say so, and make the runs that arrive until the pipe closes."""
    # Blocked since before this process began; ignored from here on, since libraries may lift the block.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=leave_with_parent, daemon=True).start()
    if warm_with is not None:
        _warm(job, warm_with)
    elif job.simulate is simulate:
        with contextlib.suppress(Exception):  # the run itself records the same error with its traceback
            import model.market  # noqa: F401
            from model.response import compile_kernels

            compile_kernels()  # meanwhile the worker that warms comes to them
    # What is loaded now stays: collections need not look at it again, which makes them ten times as fast. Runs sweep
    # every so often (``run_chunk``), and what a quarter leaves goes without: no others are needed.
    gc.collect()
    gc.freeze()
    gc.disable()
    with contextlib.suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            for chunk in run_chunk(job, pipe.recv()):
                pipe.send(chunk)
            gc.collect()


def _warm(job: Job, task: Task) -> None:
    """Run the first two quarters, so that kernels are compiled and cached before the others need them."""
    setting = task.setting
    start = calendar.index(setting.first)
    with contextlib.suppress(Exception):
        job.simulate(replace(setting, record_from=setting.first, last=calendar.name(start + 1)), task.seed)


def leave_with_parent() -> None:
    """End this process when its parent is gone, even by kill -9, even in the middle of a run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
