"""What a batch shows of itself while it runs: a bar on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import TaskID

STARTING = "loading the market and its compiled kernels (a minute the first time, then cached)"
LINES_PER_BATCH = 20
FAILURES_SHOWN = 5
"""Failures beyond these are counted; all of them are stored."""

Failed = tuple[str, int, str]
"""A failed run: its world, its seed and the reason."""


class Progress(Protocol):
    """What the runner tells of its progress; used as a context around a batch."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def start(self, runs: int, stored: int) -> None:
        """The batch begins: so many runs to make, so many that are stored already; workers load."""
        ...

    def ready(self) -> None:
        """Kernels are compiled and the first run starts."""
        ...

    def advance(self, runs: int, failures: Sequence[Failed]) -> None:
        """So many more runs are done, and these of them failed."""
        ...


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def start(self, runs: int, stored: int) -> None:
        """Nothing to show."""

    def ready(self) -> None:
        """Nothing to show."""

    def advance(self, runs: int, failures: Sequence[Failed]) -> None:
        """Nothing to show."""


class Pace:
    """How many runs are done and failed, how fast, and how long the rest will take."""

    def __init__(self) -> None:
        self.total = self.done = self.failed = 0
        self.began = 0.0

    def start(self, runs: int) -> None:
        """Set the goal."""
        self.total = runs

    def ready(self) -> None:
        """Start the clock, so that the rate is that of the runs."""
        self.began = time.monotonic()

    def advance(self, runs: int, failures: int) -> None:
        """Count runs."""
        self.done += runs
        self.failed += failures

    @property
    def rate(self) -> float:
        """Runs a second."""
        return self.done / max(time.monotonic() - self.began, sys.float_info.epsilon)

    @property
    def seconds_left(self) -> float:
        """At this rate; infinite before the first run is done."""
        return (self.total - self.done) / self.rate if self.done else math.inf


class Lines(Silent):
    """A plain line now and then, for logs: how far, how fast, how long still, how many failures."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.pace = Pace()
        self.said = self.failures = 0

    def start(self, runs: int, stored: int) -> None:
        """Say what happens before the first run."""
        self.pace.start(runs)
        there = f" ({stored} more are stored already)" if stored else ""
        self._say(f"{runs} runs{there}: {STARTING}" if runs else f"all {stored} runs are stored already")

    def ready(self) -> None:
        """Start the clock."""
        self.pace.ready()

    def advance(self, runs: int, failures: Sequence[Failed]) -> None:
        """Count the runs; say the first failures at once and the progress every so often."""
        pace = self.pace
        pace.advance(runs, len(failures))
        for failure in failures:
            self.failures += 1
            if self.failures <= FAILURES_SHOWN:
                self._say(words(failure))
        if pace.done - self.said >= max(1, pace.total // LINES_PER_BATCH) or pace.done == pace.total:
            self.said = pace.done
            failed = f", {pace.failed} failed" if pace.failed else ""
            self._say(
                f"{pace.done}/{pace.total} runs, {pace.rate:.3g} a second, {pace.seconds_left:.0f} s left{failed}"
            )

    def _say(self, text: str) -> None:
        print(text, file=self.stream, flush=True)


class Bar(Silent):
    """A moving bar with rate, remaining time and failures; failures are also printed above it."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("[red]{task.fields[failed]}"),
            console=Console(file=stream, stderr=True),
            transient=True,
        )
        self.task: TaskID | None = None
        self.pace = Pace()

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def start(self, runs: int, stored: int) -> None:
        """Show an unmoving bar while workers load."""
        self.pace.start(runs)
        if stored:
            self.bar.console.print(f"{stored} of {runs + stored} runs are stored already", highlight=False)
        if runs:
            self.task = self.bar.add_task(STARTING, total=runs, rate="", failed="", start=False)

    def ready(self) -> None:
        """Start the clock."""
        assert self.task is not None
        self.pace.ready()
        self.bar.start_task(self.task)
        self.bar.update(self.task, description="runs")

    def advance(self, runs: int, failures: Sequence[Failed]) -> None:
        """Move the bar."""
        assert self.task is not None
        pace = self.pace
        for i, failure in enumerate(failures, start=pace.failed + 1):
            if i <= FAILURES_SHOWN:
                self.bar.console.print(words(failure), markup=False, highlight=False)
        pace.advance(runs, len(failures))
        failed = f"{pace.failed} failed" if pace.failed else ""
        self.bar.update(self.task, advance=runs, rate=f"{pace.rate:.3g}/s", failed=failed)


def words(failure: Failed) -> str:
    """A failed run in one line."""
    world, seed, reason = failure
    return f"world {world}, seed {seed} failed: {reason}"


def shown_on(stream: TextIO, quiet: bool = False) -> Progress:
    """The progress display that suits a stream: nothing when quiet, a bar on a terminal, lines elsewhere."""
    if quiet:
        return Silent()
    return Bar(stream) if stream.isatty() else Lines(stream)
