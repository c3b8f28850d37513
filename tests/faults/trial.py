"""One trial of a fault: commands in processes of their own, the folder that they write, and what must hold afterwards."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import subprocess
import time
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.faults.program import Twist, act
from tests.scenarios.stores import contents

PATIENCE_SECONDS = 120.0
ORPHAN_SECONDS = 30.0
GLANCE_SECONDS = 0.02
WORKERS = 2

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.faults.server"])

TOLD = (2, 130, -signal.SIGINT, -signal.SIGTERM, -signal.SIGKILL, -signal.SIGPIPE)
"""How a command may end that a fault has hit: a sentence, an interruption, or the signal itself."""


class Loss(AssertionError):
    """What a fault has cost."""


class Command:
    """A command that runs, and what it says."""

    def __init__(self, arguments: Sequence[str], said: Path, twist: Twist) -> None:
        self.said = said
        self.process: ForkServerProcess = SERVER.Process(target=act, args=(arguments, said, twist))
        self.process.start()

    @property
    def group(self) -> int:
        """The session that it leads, with its workers."""
        assert self.process.pid is not None
        return self.process.pid

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit status, or None where it has not ended by then. Raises Loss where it hangs."""
        self.process.join(PATIENCE_SECONDS if seconds is None else seconds)
        if seconds is None and self.process.exitcode is None:
            self.kill_all()
            raise Loss(f"hangs: {self.text()}")
        return self.process.exitcode

    def send(self, number: signal.Signals, everybody: bool = False) -> None:
        """Send a signal to it, or to its workers too as a terminal does."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if everybody else os.kill)(self.group, number)

    def workers(self) -> list[int]:
        """The processes of its session beside itself that live."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.group != int(folder.name) and fields[0] not in "ZX":
                found.append(int(folder.name))
        return found

    def kill_all(self) -> None:
        """End what is left of it."""
        for process in [self.group, *self.workers()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def text(self) -> str:
        """What it said so far."""
        return self.said.read_text(encoding="utf-8", errors="replace") if self.said.is_file() else ""

    def check(self, statuses: Sequence[int] = TOLD) -> None:
        """Raise Loss unless it ended well or as it may, in words for a user, and took its workers with it."""
        status = self.wait()
        if status not in (0, *statuses):
            raise Loss(f"status {status}: {self.text()[-800:]}")
        if "Traceback" in self.text():
            raise Loss(f"a traceback: {self.text()[-1500:]}")
        until = time.monotonic() + ORPHAN_SECONDS
        while self.workers():
            if time.monotonic() > until:
                self.kill_all()
                raise Loss("workers outlive their command")
            time.sleep(GLANCE_SECONDS)


class Trial:
    """A folder with a store, the command that fills it, and the chance that says when something happens.

    Attributes:
        whole: the contents of a store that nothing happened to.
        seconds: how long the command takes then.
        rows: of its tables, in an order of their own.
    """

    def __init__(
        self,
        folder: Path,
        arguments: Sequence[str],
        whole: dict[str, bytes],
        seconds: float,
        chance: random.Random,
    ) -> None:
        self.folder, self.arguments, self.whole, self.seconds, self.chance = (
            folder,
            arguments,
            whole,
            seconds,
            chance,
        )
        folder.mkdir(parents=True, exist_ok=True)
        self.store = folder / "store"
        self.rows: dict[str, list[str]] = {}
        self.started: list[Command] = []

    def start(self, *more: str, twist: Twist = Twist(), said: Path | None = None) -> Command:  # noqa: B008
        """Start the command."""
        return self.run([*self.arguments, *more], twist, said)

    def run(self, arguments: Sequence[str], twist: Twist = Twist(), said: Path | None = None) -> Command:  # noqa: B008
        """Start some command on the store."""
        where = "--out" if arguments[0] in ("run", "study") else "--store"
        html = ["--html", str(self.folder / "report.html")] if arguments[0] == "study" else []
        file = said or self.folder / f"said-{len(self.started)}"
        self.started.append(Command([*arguments, *html, where, str(self.store)], file, twist))
        return self.started[-1]

    def moment(self) -> float:
        """Some seconds, at which the command may be anywhere."""
        return self.chance.uniform(0.0, self.seconds)

    def cut(self) -> None:
        """A store of a command that was killed at some moment."""
        command = self.start()
        command.wait(self.moment())
        command.send(signal.SIGKILL)
        command.check()

    def resume(self) -> None:
        """Run the same command undisturbed. Raises Loss unless the store is then that of an undisturbed one."""
        command = self.start()
        command.check(())
        found = contents(self.store)
        if found != self.whole:
            wrong = sorted(name for name in {*found, *self.whole} if found.get(name) != self.whole.get(name))
            raise Loss(f"other bytes: {wrong[:5]}")

    def end(self) -> None:
        """Leave no process behind."""
        for command in self.started:
            if command.process.exitcode is None:
                command.kill_all()
            command.process.join()


def mounted(folder: Path, options: str) -> bool:
    """Mount a small file system of its own there, or mount it again otherwise; False where that is not permitted."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "undercut-faults", str(folder)],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def unmount(folder: Path) -> None:
    """Take it away."""
    subprocess.run(["umount", str(folder)], capture_output=True, check=False)
