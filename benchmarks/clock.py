"""Where the time of several processes goes: exclusive wall and processor seconds by label, logged to a folder.

A process has one :data:`CLOCK`. Time is charged to the innermost label that is running, so that labels add up to
all the time since the process began; :func:`note` appends what has been charged so far to a file of the process.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from unittest import mock

P = ParamSpec("P")
R = TypeVar("R")

FOLDER = "UNDERCUT_BENCHMARK_LOG"
"""The environment variable that tells worker processes where to log."""

ELSEWHERE = "elsewhere"
"""The label of time that nothing else claims."""

MEGABYTE = 1e6
STATM = Path("/proc/self/statm")
RESIDENT = 1
"""The field of STATM that counts resident pages."""
STATUS = Path("/proc/self/status")
PEAK = "VmHWM"
"""The line of STATUS that tells the peak of resident memory, in KIB."""
KIB = 1024

Spent = dict[str, tuple[float, float]]
"""Wall and processor seconds by label."""


class Clock:
    """Charges time to labels, each moment to one."""

    def __init__(self) -> None:
        self._spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._running = [ELSEWHERE]
        self._since = (time.perf_counter(), time.process_time())

    def _charge(self) -> None:
        now = (time.perf_counter(), time.process_time())
        spent = self._spent[self._running[-1]]
        spent[0] += now[0] - self._since[0]
        spent[1] += now[1] - self._since[1]
        self._since = now

    @contextmanager
    def on(self, label: str) -> Iterator[None]:
        """Charge what happens inside to a label, but for what inner labels claim."""
        self._charge()
        self._running.append(label)
        try:
            yield
        finally:
            self._charge()
            self._running.pop()

    def timed(self, label: str, function: Callable[P, R]) -> Callable[P, R]:
        """The function, charged to a label."""

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with self.on(label):
                return function(*args, **kwargs)

        return run

    @contextmanager
    def timing(self, *places: tuple[Any, str, str]) -> Iterator[None]:
        """Time functions where their callers find them: (owner, name, label) each, put back afterwards."""
        with ExitStack() as stack:
            for owner, name, label in places:
                stack.enter_context(mock.patch.object(owner, name, self.timed(label, getattr(owner, name))))
            yield

    def spent(self) -> Spent:
        """What each label has taken since this process began."""
        self._charge()
        return {label: (wall, processor) for label, (wall, processor) in self._spent.items()}


CLOCK = Clock()


def since(before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]]) -> Spent:
    """What was charged between two readings."""
    nothing = (0.0, 0.0)
    return {
        label: (wall - before.get(label, nothing)[0], processor - before.get(label, nothing)[1])
        for label, (wall, processor) in after.items()
    }


def total(parts: Iterable[Mapping[str, tuple[float, float]]]) -> Spent:
    """The sum of several accounts, label by label."""
    whole: dict[str, tuple[float, float]] = {}
    for part in parts:
        for label, (wall, processor) in part.items():
            before = whole.get(label, (0.0, 0.0))
            whole[label] = before[0] + wall, before[1] + processor
    return whole


@dataclass(frozen=True)
class Note:
    """A reading of a process's clock: which process, when (seconds of the machine's clock), at what event."""

    process: int
    at: float
    event: str
    memory_mb: float
    peak_mb: float
    spent: Spent


def note(event: str) -> None:
    """Log the clock of this process, where a log is kept."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return
    line = [os.getpid(), time.monotonic(), event, memory_mb(), peak_mb(), CLOCK.spent()]
    with (Path(folder) / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def notes(folder: Path) -> list[list[Note]]:
    """What each process has logged, in order."""
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        readings = []
        for line in file.read_text(encoding="utf-8").splitlines():
            process, at, event, memory, peak, spent = json.loads(line)
            charged = {label: (wall, processor) for label, (wall, processor) in spent.items()}
            readings.append(Note(process, at, event, memory, peak, charged))
        found.append(readings)
    return found


def memory_mb() -> float:
    """Resident memory of this process now; where /proc is missing, its peak."""
    if STATM.exists():
        pages = int(STATM.read_text(encoding="ascii").split()[RESIDENT])
        return pages * resource.getpagesize() / MEGABYTE
    return peak_mb()


def peak_mb() -> float:
    """The most memory that this process held."""
    if STATUS.exists():
        # Not from getrusage: that of a process begins with what its parent held when it was started.
        line = next(line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith(PEAK))
        return float(line.split()[1]) * KIB / MEGABYTE
    unit = 1 if sys.platform == "darwin" else KIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE
