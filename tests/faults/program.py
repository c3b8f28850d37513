"""The command line in a process of its own that a fault may hit, forked from ``tests.faults.server``."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
    from undercut.__main__ import main

    sys.argv = ["undercut", *arguments]
    sys.exit(main())
