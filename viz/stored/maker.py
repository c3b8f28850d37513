"""A batch that is made in a process beside the server, which tells how far it has come and can be stopped."""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from scenarios.plan import Plan
from scenarios.progress import Failed, Pace, Silent
from scenarios.workers import leave_with_parent, no_interrupts, one_thread_each
from viz.processes import processes

IDLE, WAITING, STARTING, RUNNING, STOPPING = "idle", "waiting", "starting", "running", "stopping"
STOPPED, DONE, FAILED = "stopped", "done", "failed"
BUSY = (WAITING, STARTING, RUNNING, STOPPING)
TELL_SECONDS = 0.2
"""Between two tellings of progress, and between two looks whether another batch has ended."""

PATIENCE_SECONDS = 20.0
"""How long a process may take to store what it has made before it is ended."""

GONE_SECONDS = 15.0
"""How long a browser may be silent: one that lost its network comes back, one that crashed does not say so."""

_TURN = threading.Semaphore(1)
"""One batch at a time: it takes every processor, and others would only slow it down."""


@dataclass(frozen=True)
class State:
    """How far a batch has come: runs ``made`` now of ``asked`` ones, beside ``stored`` ones; ``text`` says how it ended."""

    phase: str = IDLE
    made: int = 0
    asked: int = 0
    stored: int = 0
    failed: int = 0
    seconds_left: float | None = None
    text: str = ""

    @property
    def busy(self) -> bool:
        """Whether there is something to stop."""
        return self.phase in BUSY

    @property
    def planned(self) -> int:
        """All runs of the batch; 0 until it is known."""
        return self.asked + self.stored

    @property
    def share(self) -> float:
        """Of the batch that is there."""
        return (self.made + self.stored) / self.planned if self.planned else 0.0

    def words(self) -> str:
        """The state in a line."""
        failed = f", {self.failed} failed" if self.failed else ""
        runs = f"{self.made + self.stored} of {self.planned} runs{failed}"
        if self.phase == WAITING:
            return "waiting: another comparison is being made on this server"
        if self.phase == STARTING:
            return "loading the market and its compiled kernels (a minute the first time, then seconds)"
        if self.phase == RUNNING:
            left = f", {self.seconds_left:.0f} s left" if self.seconds_left is not None else ""
            return f"{runs}{left}"
        if self.phase == STOPPING:
            return f"storing what has been made; {runs}"
        return self.text


class Maker:
    """Makes one batch at a time.

    ``tell`` hears of every new state, from a thread of its own; a batch is stopped once ``wanted`` has said for a while
    that nobody looks any more.
    """

    def __init__(self, tell: Callable[[State], None], wanted: Callable[[], bool] = lambda: True) -> None:
        self.state = State()
        self._tell = tell
        self._wanted = wanted
        self._seen = 0.0
        self._pace = Pace()
        self._told = 0.0
        self._stop = threading.Event()
        self._process: Any = None
        self._thread: threading.Thread | None = None
        _MAKERS.add(self)

    def start(self, plan: Plan, out: Path) -> None:
        """Begin to make what a store lacks of a plan; ignored while a batch is being made."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._stop.clear()
        self._seen = time.monotonic()
        self._show(State(STARTING))
        self._thread = threading.Thread(target=self._watch, args=(plan, out), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the batch store what it has made, and end."""
        if not self.state.busy:
            return
        self._stop.set()
        self._show(replace(self.state, phase=STOPPING))
        self._interrupt()

    def close(self) -> None:
        """Stop, and tell nobody any more: the page is gone."""
        self._tell = _to_nobody
        self.stop()

    def join(self, seconds: float) -> None:
        """Wait until the batch has ended."""
        if self._thread is not None:
            self._thread.join(seconds)

    # --------------------------------------------------------------------------------------------- in its own thread

    def _watch(self, plan: Plan, out: Path) -> None:
        if not _TURN.acquire(blocking=False):
            self._show(State(WAITING))
            while not _TURN.acquire(timeout=TELL_SECONDS):
                self._look()
                if self._stop.is_set():
                    self._show(State(STOPPED, text="stopped before it began"))
                    return
            self._show(State(STARTING))
        try:
            self._follow(plan, out)
        finally:
            _TURN.release()

    def _follow(self, plan: Plan, out: Path) -> None:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_make, args=(theirs, plan, out))
        with one_thread_each(), no_interrupts():
            process.start()
        theirs.close()
        self._process = process
        if self._stop.is_set():  # pressed while the process began
            self._interrupt()
        gone = State(
            FAILED, text="the process that made the runs has died; what it stored is kept, run again"
        )
        last, until = gone, float("inf")
        while not ours.closed:
            self._look()
            if self._stop.is_set() and until == float("inf"):
                until = time.monotonic() + PATIENCE_SECONDS
            if time.monotonic() > until:
                process.terminate()
            try:
                if ours.poll(TELL_SECONDS):
                    last = self._hear(*ours.recv()) or last
            except (EOFError, OSError):
                ours.close()
        process.join(PATIENCE_SECONDS)
        self._process = None
        if last is gone and self._stop.is_set():
            last = State(STOPPED, text="stopped; what was stored by then is kept")
        self._show(last)

    def _hear(self, kind: str, *content: Any) -> State | None:
        """Take what the process says; returns the last state when it has ended."""
        state = self.state
        if kind == "start":
            asked, stored = content
            self._pace = Pace()
            self._pace.start(asked)
            self._show(replace(state, asked=asked, stored=stored))
        elif kind == "ready":
            self._pace.ready()
            self._show(replace(state, phase=STOPPING if self._stop.is_set() else RUNNING))
        elif kind == "advance":
            self._pace.advance(*content)
            left = self._pace.seconds_left
            now = replace(
                state,
                made=self._pace.done,
                failed=self._pace.failed,
                seconds_left=None if left == float("inf") else left,
            )
            self._show(now, time.monotonic() - self._told >= TELL_SECONDS)
        else:
            phase, text = content
            return replace(self.state, phase=phase, text=text)
        return None

    def _look(self) -> None:
        """Stop when nobody has been there for a while."""
        if self._wanted():
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > GONE_SECONDS and not self._stop.is_set():
            self.stop()

    def _interrupt(self) -> None:
        """What Ctrl-C is on a terminal."""
        process = self._process
        if process is not None and process.is_alive():
            with contextlib.suppress(OSError):
                os.kill(process.pid, signal.SIGINT)

    def _show(self, state: State, aloud: bool = True) -> None:
        self.state = state
        if aloud:
            self._told = time.monotonic()
            self._tell(state)


_MAKERS: weakref.WeakSet[Maker] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """Python waits for its processes when it ends: let these end first."""
    for maker in list(_MAKERS):
        maker.close()


def _to_nobody(_: State) -> None:
    pass


# ------------------------------------------------------------------------------------------------ in the other process


class Told(Silent):
    """Tells the server how far a batch has come."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    def start(self, runs: int, stored: int) -> None:
        """So many runs to make."""
        self.pipe.send(("start", runs, stored))

    def ready(self) -> None:
        """Kernels are compiled."""
        self.pipe.send(("ready",))

    def advance(self, runs: int, failures: Sequence[Failed]) -> None:
        """So many more runs are done."""
        self.pipe.send(("advance", runs, len(failures)))


def _make(pipe: Connection, plan: Plan, out: Path) -> None:
    """Make a batch and say how it ended."""
    threading.Thread(target=leave_with_parent, daemon=True).start()
    from scenarios.batch import Interrupted, run
    from studies.ensemble import job

    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        _, lost = run(plan, job(), out, workers=processes(), progress=Told(pipe))
        if lost:
            said = f"{len(lost)} runs were lost ({lost[0].reason.splitlines()[-1]}); run again to make them"
            ended = (FAILED, said)
        else:
            ended = (DONE, "all runs are stored")
    except Interrupted as stop:
        ended = (
            STOPPED,
            str(stop).replace("interrupted", "stopped").replace("the same command makes", "Run makes"),
        )
    except KeyboardInterrupt:
        ended = (STOPPED, "stopped; what was stored by then is kept")
    except ValueError as error:
        ended = (FAILED, str(error))
    # From here on there is nothing left to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # the server is gone
        pipe.send(("end", *ended))
