"""A whole baseline run: processor time by event of the quarter, and the share spent outside the economics.

A timer interrupts the run every few milliseconds of processor time and charges what has passed since the last
interruption to the event of the quarter and to the module at work; a library's time falls to the module that called
it. Unlike a tracing profiler, this does not make small functions look slow. Events are the lines of ``Market.step``;
the ratio is the share of the whole.

With a line for each module: python -m benchmarks.whole_run [--enterprises 500] [--seconds 10]
"""

from __future__ import annotations

import argparse
import linecache
import re
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

from benchmarks.table import Line, Row, text
from benchmarks.turns import MS
from model.market import Market
from scenarios.runner import simulate
from scenarios.scenario import load

ROOT = Path(__file__).resolve().parent.parent
INTERVAL_S = 0.001
OURS = tuple(f"{ROOT / folder}/" for folder in ("agents", "model"))
ENTERPRISES = 500
SECONDS, QUICK_SECONDS = 20.0, 4.0
LEAST_RUNS = 3

BOOKS = frozenset(
    f"model/{name}.py"
    for name in (
        "audit",
        "blocks",
        "columns",
        "contracts",
        "derived",
        "edges",
        "graph",
        "headline",
        "identities",
        "indices",
        "journal",
        "ledger",
        "names",
        "recording",
        "records",
        "settlement",
        "texts",
    )
)
"""Modules that write down, pay and check what the others decide; all else is economics."""

STEP = Market.step.__code__
OUTSIDE = "founding and tables"
"""What is spent outside the quarters."""

Key = tuple[str, str]
"""Event and module."""


class Stopwatch:
    """Processor seconds by event and module, from samples of the running stack."""

    def __init__(self) -> None:
        self.seconds: dict[Key, float] = defaultdict(float)
        self._last = 0.0

    def __enter__(self) -> Stopwatch:
        signal.signal(signal.SIGPROF, self._sample)
        self._last = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0.0)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        # A compiled kernel is not interrupted: its time arrives as one sample, in the module that called it.
        now = time.process_time()
        self.seconds[place(frame)] += now - self._last
        self._last = now


def place(frame: FrameType | None) -> Key:
    """The event and the module that a frame belongs to."""
    event, module = OUTSIDE, ""
    while frame is not None:
        code = frame.f_code
        if not module and code.co_filename.startswith(OURS):
            module = Path(code.co_filename).relative_to(ROOT).as_posix()
        if code is STEP:
            event = event_at(frame.f_lineno)
        frame = frame.f_back
    return event, module


def event_at(line: int) -> str:
    """The event of the quarter on a line of the file of ``Market.step``: what is called there."""
    source = linecache.getline(STEP.co_filename, line)
    called = re.search(r"([\w.]+)\(", source)
    return called.group(1).removeprefix("self.") if called else "step"


def events() -> list[str]:
    """The events in their order."""
    lines = sorted({line for *_, line in STEP.co_lines() if line is not None})
    return list(dict.fromkeys([*(event_at(line) for line in lines), OUTSIDE]))


def profile(enterprises: int, seconds: float) -> tuple[list[float], dict[Key, float]]:
    """Processor seconds of each of several runs from founding to tables, and of a mean run by event and module."""
    setting = load("baseline", {"enterprises": float(enterprises)})
    simulate(setting, 1)  # compiles, and fills caches
    watch = Stopwatch()
    runs: list[float] = []
    with watch:
        while sum(runs) < seconds or len(runs) < LEAST_RUNS:
            began = time.process_time()
            simulate(setting, 1 + len(runs))
            runs.append(time.process_time() - began)
    return runs, {key: spent / len(runs) for key, spent in watch.seconds.items()}


def lines(
    runs: Sequence[float], spent: dict[Key, float], name: Callable[[Key], str], order: Sequence[str]
) -> Iterator[Line]:
    """Rows of a mean run by some name of its parts, then of all runs, and the share of the books."""
    whole = sum(spent.values())
    by_name: dict[str, float] = dict.fromkeys(order, 0.0)
    for key, part in spent.items():
        by_name[name(key)] = by_name.get(name(key), 0.0) + part
    for what, part in by_name.items():
        if part > 0.0:
            yield Row(what, "", "ms of processor a run", (MS * part,), part / whole)
    yield Row("a run", "", "ms of processor", tuple(MS * run for run in runs))
    books = sum(part for key, part in spent.items() if key[1] in BOOKS) / whole
    yield f"{books:.0%} of a run writes down, pays and checks what the others decide; all else is economics."


def measure(quick: bool) -> Iterator[Line]:
    """The profile by event of the quarter."""
    runs, spent = profile(ENTERPRISES, QUICK_SECONDS if quick else SECONDS)
    yield f"{ENTERPRISES} enterprises, with recording and tables, without metrics and store."
    yield from lines(runs, spent, lambda key: key[0], events())


def main() -> None:
    """The profile by module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--enterprises", type=int, default=ENTERPRISES)
    parser.add_argument("--seconds", type=float, default=QUICK_SECONDS, help="of processor time at least")
    asked = parser.parse_args()
    runs, spent = profile(asked.enterprises, asked.seconds)
    largest = sorted(
        {module for _, module in spent}, key=lambda m: -sum(s for k, s in spent.items() if k[1] == m)
    )
    for line in lines(runs, spent, lambda key: key[1] or "other", [module or "other" for module in largest]):
        print(text(line))


if __name__ == "__main__":
    main()
