"""The faults: what each does to a command at a random moment, and what must come of it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.program import YEAR_SECONDS, Twist
from tests.faults.trial import GLANCE_SECONDS, Loss, Trial, mounted, unmount
from tests.scenarios.stores import contents

BATCH = ("run", "{scenario}", "--seeds", "1-8", "--keep", "sample:2", "--no-counterfactuals")
OTHER = ("run", "{scenario}", "--seeds", "5-10", "--keep", "headline", "--no-counterfactuals")
STUDY = (
    "study", "breaks", "{scenario}", "--over", "alpha_mean,sigma2", "--steps", "2", "--rounds", "2", "--seeds", "3",
    "--outcome", "v2-ratio-blended", "--outcome", "v2-price-input",
)  # fmt: skip
SCENARIO = 'extends = "baseline"\n[horizon]\nlast = "2023Q4"\n[parameters]\nenterprises = 56\n'


class Impossible(Exception):
    """A fault that cannot be made here."""


Fault = Callable[[Trial], None]


def hit(number: signal.Signals, times: int = 1, everybody: bool = False) -> Fault:
    """A signal at a random moment, once or soon again."""

    def act(trial: Trial) -> None:
        command = trial.start()
        command.wait(trial.moment())
        for _ in range(times):
            command.send(number, everybody)
            command.wait(trial.chance.uniform(0.0, 0.2))
        command.check()
        trial.resume()

    return act


def dead_worker(trial: Trial) -> None:
    """Workers are killed, as by the kernel when memory runs out."""
    command = trial.start()
    for _ in range(3):
        command.wait(trial.moment() / 3)
        workers = command.workers()
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(trial.chance.choice(workers), signal.SIGKILL)
    command.check((1,))
    trial.resume()


def no_memory(trial: Trial) -> None:
    """Runs find no memory, now and then."""
    trial.start(twist=Twist(unlucky=True)).check((1,))
    trial.resume()


def little_memory(trial: Trial) -> None:
    """The whole process may take but a little more than it has."""
    trial.start(twist=Twist(room=trial.chance.randrange(1, 200_000_000))).wait()
    trial.resume()


def full_disk(trial: Trial) -> None:
    """The disk is full at some size."""
    if not mounted(trial.store, f"size={trial.chance.randrange(4, 400)}k"):
        raise Impossible("no right to mount a small disk")
    try:
        command = trial.start()
        command.check((1, 2))
        if command.wait() == 2 and "no room left" not in command.text():
            raise Loss(command.text())
        mounted(trial.store, "remount,size=64m")
        trial.resume()
    finally:
        unmount(trial.store)


def read_only(trial: Trial) -> None:
    """The disk takes nothing more from some moment on."""
    if not mounted(trial.store, "size=64m"):
        raise Impossible("no right to mount a small disk")
    try:
        trial.cut()
        mounted(trial.store, "remount,ro")
        command = trial.start()
        command.check()
        if command.wait() != 2 or "make it writable, or name another folder" not in command.text():
            raise Loss(f"status {command.wait()}: {command.text()}")
        mounted(trial.store, "remount,rw")
        trial.resume()
    finally:
        unmount(trial.store)


def clock_back(trial: Trial) -> None:
    """What was written until now is of next year, for a clock that is set back."""
    trial.cut()
    ahead = time.time() + YEAR_SECONDS
    for file in [trial.store, *trial.store.rglob("*")]:
        os.utime(file, (ahead, ahead))
    command = trial.start(twist=Twist(late=YEAR_SECONDS))
    command.wait(trial.moment())
    command.send(signal.SIGKILL)
    command.check()
    trial.resume()


def two_writers(trial: Trial) -> None:
    """Another batch goes into the same store, both share runs, and one of them is killed."""
    first, second = trial.start(), trial.run([a.format(scenario=trial.arguments[1]) for a in OTHER])
    first.wait(trial.moment())
    trial.chance.choice((first, second)).send(signal.SIGKILL)
    first.check()
    second.check()
    again = trial.run([a.format(scenario=trial.arguments[1]) for a in OTHER])
    trial.start().check(())
    again.check(())
    name = next(Path(each).parts[1] for each in trial.whole if each.startswith("batches/"))
    trial.run(["rm", next(f.name for f in (trial.store / "batches").glob("[!.]*") if f.name != name)]).check(
        ()
    )
    if rows(trial.store) != trial.rows:
        raise Loss("other rows")


def rows(store: Path) -> dict[str, list[str]]:
    """The rows of each table of a store in an order of their own, as text."""
    import pyarrow.parquet as pq

    found = {}
    for folder in sorted((store / "tables").iterdir()):
        tables = [
            pq.read_table(file, partitioning=None).to_pandas() for file in sorted(folder.glob("*.parquet"))
        ]
        if tables:
            found[folder.name] = sorted(str(row) for table in tables for row in table.itertuples(index=False))
    return found


def same_twice(trial: Trial) -> None:
    """The same command is started again while it runs: refused in a sentence, or finding all there."""
    first = trial.start()
    first.wait(trial.moment())
    second = trial.start()
    second.check()
    if second.wait() == 2 and "being run" not in second.text():
        raise Loss(second.text())
    first.check()
    trial.resume()


def damage(trial: Trial, files: list[Path]) -> bool:
    """Change some bytes of one of the files, or cut it short."""
    if not files:
        return False
    file = trial.chance.choice(files)
    content = bytearray(file.read_bytes())
    place = trial.chance.randrange(len(content))
    if trial.chance.random() < 0.5:
        content[place] ^= 1 << trial.chance.randrange(8)
    else:
        del content[place:]
    file.write_bytes(content)
    return True


def damaged_part(trial: Trial) -> None:
    """A part of a batch that was killed is damaged: the same command makes its runs again."""
    trial.cut()
    damage(trial, sorted(trial.store.glob("batches/*/parts/*.parquet")))
    trial.resume()


def damaged_pack(trial: Trial) -> None:
    """A pack is damaged: `undercut repair` drops it, and the same command makes its runs again, as packs of their own."""
    trial.start().check(())
    damage(trial, sorted(trial.store.glob("tables/*/*.parquet")))
    if contents(trial.store) == trial.whole:
        raise Loss("nothing was damaged")
    trial.run(["repair"]).check(())
    trial.start().check(())
    if rows(trial.store) != trial.rows:
        raise Loss("other rows")


def closed_pipe(trial: Trial) -> None:
    """Who reads what the command says leaves early, as `| head` does."""
    pipe = trial.folder / "pipe"
    os.mkfifo(pipe)

    def read() -> None:
        with pipe.open() as lines:
            for _ in range(trial.chance.randrange(0, 6)):
                lines.readline()

    reader = threading.Thread(target=read)
    reader.start()
    trial.start(said=pipe).check((1, 141))
    reader.join()
    trial.resume()


def one_after_the_other(trial: Trial) -> None:
    """Kill upon kill."""
    for _ in range(4):
        trial.cut()
        time.sleep(GLANCE_SECONDS)
    trial.resume()


KILL, TERM, INT = signal.SIGKILL, signal.SIGTERM, signal.SIGINT
ALONE, TOGETHER = ("--workers", "1"), ("--workers", "2")

FAULTS: dict[str, tuple[Fault, tuple[str, ...], int]] = {
    "killed": (hit(KILL), (*BATCH, *ALONE), 40),
    "killed, with workers": (hit(KILL), (*BATCH, *TOGETHER), 12),
    "killed again and again": (one_after_the_other, (*BATCH, *ALONE), 8),
    "killed in a study": (hit(KILL), (*STUDY, *ALONE), 30),
    "terminated": (hit(TERM), (*BATCH, *TOGETHER), 10),
    "terminated in a study": (hit(TERM), (*STUDY, *ALONE), 10),
    "Ctrl-C": (hit(INT, everybody=True), (*BATCH, *TOGETHER), 12),
    "Ctrl-C twice": (hit(INT, 2, True), (*BATCH, *ALONE), 20),
    "Ctrl-C twice, with workers": (hit(INT, 2, True), (*BATCH, *TOGETHER), 10),
    "Ctrl-C in a study": (hit(INT), (*STUDY, *ALONE), 20),
    "a worker killed": (dead_worker, (*BATCH, *TOGETHER), 10),
    "no memory in a run": (no_memory, (*BATCH, *ALONE), 12),
    "little memory": (little_memory, (*BATCH, *ALONE), 12),
    "full disk": (full_disk, (*BATCH, *ALONE), 20),
    "full disk in a study": (full_disk, (*STUDY, *ALONE), 10),
    "read-only disk": (read_only, (*BATCH, *ALONE), 8),
    "clock set back": (clock_back, (*BATCH, *ALONE), 8),
    "two writers": (two_writers, (*BATCH, *ALONE), 10),
    "the same batch twice": (same_twice, (*BATCH, *ALONE), 10),
    "the same study twice": (same_twice, (*STUDY, *ALONE), 10),
    "damaged part": (damaged_part, (*BATCH, *ALONE), 30),
    "damaged pack": (damaged_pack, (*BATCH, *ALONE), 20),
    "reader gone": (closed_pipe, (*BATCH, *ALONE), 12),
}
"""Of each fault what it does, to which command, and how many trials `make faults` makes of it."""
