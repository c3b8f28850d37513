"""What a batch shows of itself while it runs: a bar on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import TaskID

STARTING = "loading the market and its compiled kernels (a minute the first time, then cached)"
LINES_PER_BATCH = 20


class Progress(Protocol):
    """What the runner tells of its progress; used as a context around a batch."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def start(self, seeds: int, runs: int) -> None:
        """The batch begins: ``seeds`` that take ``runs``, counterfactuals included; workers load."""
        ...

    def ready(self) -> None:
        """Kernels are compiled and the first seed starts."""
        ...

    def advance(self, seed: int, runs: int, failures: Sequence[str]) -> None:
        """A seed and its ``runs`` are done; ``failures`` are the reasons of the runs of it that failed."""
        ...


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def start(self, seeds: int, runs: int) -> None:
        """Nothing to show."""

    def ready(self) -> None:
        """Nothing to show."""

    def advance(self, seed: int, runs: int, failures: Sequence[str]) -> None:
        """Nothing to show."""


class Lines(Silent):
    """A plain line now and then, for logs: how far, how fast, how long still, how many failures."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.total = self.done = self.failed = self.said = 0
        self.step = 1
        self.began = 0.0

    def start(self, seeds: int, runs: int) -> None:
        """Say what happens before the first seed."""
        self.total = runs
        self.step = max(1, runs // LINES_PER_BATCH)
        self._say(f"{seeds} seeds, {runs} runs: {STARTING}")

    def ready(self) -> None:
        """Start the clock, so that the rate is that of the runs."""
        self.began = time.monotonic()

    def advance(self, seed: int, runs: int, failures: Sequence[str]) -> None:
        """Count the seed; say a failure at once and the progress every so often."""
        self.done += runs
        self.failed += len(failures)
        for reason in failures:
            self._say(f"seed {seed} failed: {reason}")
        if self.done - self.said >= self.step or self.done == self.total:
            self.said = self.done
            rate = self.done / max(time.monotonic() - self.began, sys.float_info.epsilon)
            left = (self.total - self.done) / rate
            failed = f", {self.failed} failed" if self.failed else ""
            self._say(f"{self.done}/{self.total} runs, {rate:.2f} a second, {left:.0f} s left{failed}")

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
        self.failed = self.done = 0
        self.began = 0.0

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def start(self, seeds: int, runs: int) -> None:
        """Show an unmoving bar while workers load."""
        self.task = self.bar.add_task(STARTING, total=runs, rate="", failed="", start=False)

    def ready(self) -> None:
        """Start the clock, so that the rate is that of the runs."""
        assert self.task is not None
        self.began = time.monotonic()
        self.bar.start_task(self.task)
        self.bar.update(self.task, description="runs")

    def advance(self, seed: int, runs: int, failures: Sequence[str]) -> None:
        """Move the bar by the runs of one seed."""
        assert self.task is not None
        self.done += runs
        self.failed += len(failures)
        for reason in failures:
            self.bar.console.print(f"seed {seed} failed: {reason}", markup=False, highlight=False)
        rate = self.done / max(time.monotonic() - self.began, sys.float_info.epsilon)
        failed = f"{self.failed} failed" if self.failed else ""
        self.bar.update(self.task, advance=runs, rate=f"{rate:.2f}/s", failed=failed)


def shown_on(stream: TextIO, quiet: bool = False) -> Progress:
    """The progress display that suits a stream: nothing when quiet, a bar on a terminal, lines elsewhere."""
    if quiet:
        return Silent()
    return Bar(stream) if stream.isatty() else Lines(stream)
