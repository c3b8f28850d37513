"""Tiny stand-ins for the market: functions of a setting and a seed that give tables of the schema at once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from model import calendar
from model.records import tables
from model.setting import Setting
from scenarios.progress import Failed, Silent

FRAGILE = 3
"""The seed that goes wrong in the worlds where one does."""


def plain(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """Random tables that depend on the seed and on the parameters."""
    chance = np.random.default_rng([seed, round(1e6 * setting.parameters["alpha_mean"])])
    first, last = calendar.index(setting.record_from), calendar.index(setting.last)
    quarters = [calendar.name(q) for q in range(first, last + 1)]
    frames = {}
    for name, columns in tables().items():
        values = {
            "str": lambda: np.array([f"name {i}" for i in chance.integers(0, 4, len(quarters))]),
            "float": lambda: chance.random(len(quarters)),
            "int": lambda: chance.integers(0, 9, len(quarters)),
            "bool": lambda: chance.random(len(quarters)) < 0.5,
        }
        frames[name] = pd.DataFrame(
            {c.column: quarters if c.column == "quarter" else values[c.dtype]() for c in columns}
        )
    return frames


def one_fails(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The fragile seed breaks an identity."""
    if seed == FRAGILE:
        raise ArithmeticError("tokens sold are not tokens bought")
    return plain(setting, seed)


def one_kills_its_worker(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The fragile seed takes its process with it, as the kernel does when memory runs out."""
    if seed == FRAGILE:
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(setting, seed)


def one_is_killed_once(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The fragile seed's process is killed from outside the first time; a file remembers that it was."""
    once = Path(os.environ["UNDERCUT_TEST_FOLDER"]) / "killed"
    if seed == FRAGILE and not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(setting, seed)


def one_lacks_a_column(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The fragile seed records no price."""
    frames = plain(setting, seed)
    if seed == FRAGILE:
        frames["quarters"] = frames["quarters"].drop(columns="price_usd_per_mtok")
    return frames


def no_memory(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The machine has no room left for it."""
    raise MemoryError


def no_disk(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The disk has no room left for it, of which a library makes an error of its own."""
    try:
        raise OSError(28, "No space left on device")
    except OSError as error:
        raise ValueError("cannot keep a kernel") from error


def none_survives(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """Every run kills its process, and so does warming up."""
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def slow(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """Takes a moment, so that something can happen meanwhile."""
    time.sleep(0.05)
    return plain(setting, seed)


def never_ends(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """Leaves the process's id in a folder and stays."""
    (Path(os.environ["UNDERCUT_TEST_FOLDER"]) / str(os.getpid())).touch()
    while True:
        time.sleep(0.05)


def no_sparse_world(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """The world without sparse architectures cannot be simulated."""
    if not setting.parameters["sparse_architectures"]:
        raise ArithmeticError("no fleet can serve")
    return plain(setting, seed)


def mean_price(frames: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """The mean price, and a number that is none."""
    return {"mean_price": float(frames["quarters"]["price_usd_per_mtok"].mean()), "unknown": float("nan")}


class Watching(Silent):
    """A progress display that tests look through."""


class Counting(Watching):
    """Counts what is made and what is there."""

    def __init__(self) -> None:
        self.made = self.stored = 0

    def start(self, runs: int, stored: int) -> None:
        self.stored = stored

    def advance(self, runs: int, failures: Sequence[Failed]) -> None:
        self.made += runs


def every_claim(frames: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """A number for each claim, within one and a half of zero."""
    from evidence.claims import by_id

    chance = np.random.default_rng(round(1e9 * float(frames["quarters"]["price_usd_per_mtok"].sum())))
    return dict(zip(by_id(), chance.uniform(-1.5, 1.5, len(by_id())).tolist(), strict=True))


def moody(setting: Setting, seed: int) -> dict[str, pd.DataFrame]:
    """Takes a moment, and finds no memory now and then where the environment says so."""
    if "UNDERCUT_TEST_UNLUCKY" in os.environ and time.time_ns() % 5 == 0:
        raise MemoryError
    return slow(setting, seed)
