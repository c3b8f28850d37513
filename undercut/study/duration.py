"""How long a study will take, said as soon as its first runs show it, and how far its analysis is after them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from undercut.terminal import progress, say

if TYPE_CHECKING:
    from scenarios.progress import Failed, Progress
    from studies.counted import Told

FIRST = 8
"""Runs after which the rate is known well enough to say so."""

SECONDS = 60.0
"""What takes less is not worth a sentence."""


class Foretold:
    """A display that says once, after the first runs, how long all of them will take."""

    def __init__(self, shown: Progress) -> None:
        from scenarios.progress import Pace

        self.shown, self.pace, self.said = shown, Pace(), False

    def __enter__(self) -> Self:
        self.shown.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shown.__exit__(kind, error, trace)

    def start(self, runs: int, stored: int) -> None:
        """Take note of how many runs there are."""
        self.pace.start(runs)
        self.shown.start(runs, stored)

    def ready(self) -> None:
        """Start the clock."""
        self.pace.ready()
        self.shown.ready()

    def advance(self, runs: int, failures: Sequence[Failed]) -> None:
        """Count runs, and say the duration once the rate is known."""
        self.pace.advance(runs, len(failures))
        if not self.said and self.pace.done >= FIRST:
            self.said = True
            if self.pace.seconds_left > SECONDS:
                say(
                    f"{self.pace.total:,} runs, {self.pace.rate:.2g} a second: about {lasting(self.pace.seconds_left)}; "
                    "Ctrl-C keeps what is made, and the same command goes on"
                )
        self.shown.advance(runs, failures)


class Analysed:
    """Says how far an analysis is, every :data:`SILENCE` seconds: what is quick says nothing."""

    def __init__(self) -> None:
        self.began = self.said = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note of how many parts are done, as :data:`studies.counted.Told` says."""
        now = time.monotonic()
        if done == 0:
            self.began = self.said = now
        elif now - self.said >= SILENCE and done < total:
            self.said = now
            left = (now - self.began) / done * (total - done)
            say(f"analysing {what}: {done} of {total}, about {lasting(left)} left")


SILENCE = 5.0
"""Seconds for which an analysis may say nothing."""


def lasting(seconds: float) -> str:
    """A duration as people say it: minutes, and hours beyond ninety of them."""
    minutes = math.ceil(seconds / 60.0)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def analysed(quiet: bool) -> Told | None:
    """What hears how far the analysis of a study is."""
    return None if quiet else Analysed()


def displays(quiet: bool) -> Foretold | Progress:
    """The display of one batch of a study."""
    shown = progress(quiet)
    return shown if quiet else Foretold(shown)
