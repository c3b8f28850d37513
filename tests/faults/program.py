"""The command line, with toys for the runs of the market, in a process of its own that a fault may hit.

All that a command needs is loaded here, once, in the server that such processes are forked from.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios import journal, runner
from scenarios.runner import Job
from scenarios.version import results_hash
from studies import ensemble
from tests.scenarios import toys


def job() -> Job:
    """Runs that cost next to nothing."""
    return Job(toys.moody, toys.every_claim)


# Before anything else takes it from there.
ensemble.job = job

import studies.breaks.breaks  # noqa: E402, F401
import undercut.cli  # noqa: E402
import undercut.judged  # noqa: E402
import undercut.runs  # noqa: E402
import undercut.store  # noqa: E402
import undercut.study.app  # noqa: E402
import undercut.study.breaks  # noqa: E402, F401
import viz.study.report  # noqa: E402, F401
from undercut.__main__ import main  # noqa: E402

journal.PART_SECONDS = runner.REPORT_SECONDS = 0.1
results_hash()

YEAR_SECONDS = 365 * 86400


@dataclass(frozen=True)
class Twist:
    """What is amiss in a process from its start on.

    Attributes:
        unlucky: a run finds no memory now and then.
        room: bytes of memory that the process may take beside those it has; 0 for no limit.
        late: seconds by which the clock is behind.
    """

    unlucky: bool = False
    room: int = 0
    late: float = 0.0


def act(arguments: Sequence[str], said: Path, twist: Twist) -> None:
    """One command, which says all into a file or a named pipe, and leads a session of its own."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    handle = os.open(said, os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)
    if twist.unlucky:
        os.environ["UNDERCUT_TEST_UNLUCKY"] = "1"
    if twist.room:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + twist.room
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    if twist.late:
        real = time.time
        time.time = lambda: real() - twist.late
    sys.argv = ["undercut", *arguments]
    sys.exit(main())
