"""From pressing enter to the prompt: every command of ``undercut``, beside Python itself and ``import mesa``.

Commands take turns, each in a process of its own, after one start that is not counted; what they print is thrown
away. ``run`` makes the baseline's runs of one seed, counterfactual worlds among them, and prints the verdicts: into an
empty store, and again when all is stored. The ratio is to ``import mesa``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from typer.main import get_command

from benchmarks.table import Line, Row
from benchmarks.turns import MS, say
from scenarios.workers import THREAD_VARIABLES
from undercut.cli import app

PYTHON, MESA, HELP = "python -c pass", "python -c 'import mesa'", "undercut --help"
RUN, AGAIN = "undercut run baseline --seeds 1", "the same, all stored"
COLD = "two quarters, no kernel compiled yet"
TURNS, QUICK_TURNS = 15, 3
PATIENCE_S = 45.0
"""After so long there are no more turns, but LEAST_TURNS of them."""
LEAST_TURNS = 3
HELP_TURNS, QUICK_HELP_TURNS = 5, 1
CACHE = "NUMBA_CACHE_DIR"
QUARTERS = """
from dataclasses import replace
from model import calendar
from model.market import Market
from scenarios.scenario import load
setting = load("baseline")
second = calendar.name(calendar.index(setting.first) + 1)
Market(replace(setting, record_from=setting.first, last=second)).run()
"""


@dataclass
class Taken:
    """Wall and processor seconds of each start of a command."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def start(self, arguments: Sequence[str], **environment: str) -> None:
        """Start a command once and wait for its end. Raises RuntimeError when it fails."""
        # As a user's shell would: this process was told to keep its libraries to one thread.
        own = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**own, **environment},
        )
        _, status, used = os.wait4(process.pid, 0)
        self.wall.append(time.perf_counter() - began)
        self.processor.append(used.ru_utime + used.ru_stime)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with status {process.returncode}")


def commands() -> list[str]:
    """Every command and group of the command line, as they are typed."""

    def below(command: Any, way: str) -> Iterator[str]:
        for name, inner in sorted(getattr(command, "commands", {}).items()):
            yield f"{way} {name}"
            yield from below(inner, f"{way} {name}")

    return list(below(get_command(app), "undercut"))


def module(command: str) -> list[str]:
    """The arguments of Python that carry out a command."""
    return ["-m", *command.split()]


def rows(name: str, taken: Taken, reference: float | None) -> Iterator[Row]:
    """Wall and processor time of a command."""
    ratio = None if reference is None else median(taken.wall) / reference
    yield Row(name, "", "ms", tuple(MS * s for s in taken.wall), ratio)
    yield Row(name, "", "ms of processor", tuple(MS * s for s in taken.processor))


def measure(quick: bool) -> Iterator[Line]:
    """The commands that matter in turns of their own, then the help of each, then the start with nothing compiled."""
    found = {name: Taken() for name in (PYTHON, MESA, HELP, RUN, AGAIN)}
    say("python, mesa, undercut --help, run")
    until = time.monotonic() + PATIENCE_S
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(1 + (QUICK_TURNS if quick else TURNS)):
            if turn > LEAST_TURNS and time.monotonic() > until:
                break
            store = str(Path(folder) / str(turn))
            found[PYTHON].start(["-c", "pass"])
            found[MESA].start(["-c", "import mesa"])
            found[HELP].start(module(HELP))
            for name in (RUN, AGAIN):
                found[name].start([*module(RUN), "--out", store])
            if not turn:  # this one was to fill caches
                found = {name: Taken() for name in found}
    mesa = median(found[MESA].wall)
    for name, taken in found.items():
        yield from rows(name, taken, mesa)
    helps = {command: Taken() for command in commands()}
    turns = QUICK_HELP_TURNS if quick else HELP_TURNS
    say(f"the help of {len(helps)} commands")
    for _ in range(turns):
        for command, taken in helps.items():
            taken.start([*module(command), "--help"])
    for command, taken in helps.items():
        wall = tuple(MS * s for s in taken.wall)
        yield Row(f"{command} --help", "", "ms", wall, median(taken.wall) / mesa)
    if quick:
        yield "The start with nothing compiled is left out."
        return
    say(COLD)
    with tempfile.TemporaryDirectory() as cache:
        cold, warm = Taken(), Taken()
        for taken in (cold, warm):
            taken.start(["-c", QUARTERS], **{CACHE: cache})
    yield from rows(COLD, cold, None)
    yield from rows("the same, compiled", warm, None)
