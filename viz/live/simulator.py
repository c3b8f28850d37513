"""Processes that simulate live runs beside the server: the page never waits for a market, and a crash costs no session."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import TypeVar

from scenarios.workers import leave_with_parent, one_thread_each
from viz.live import world
from viz.live.frame import Frame
from viz.live.script import Script
from viz.processes import processes

T = TypeVar("T")

TRIES = 2
"""A quarter whose process died is tried in a new one this often before the user hears of it."""


class Simulator:
    """A few processes of one worker each; a session stays with the process that has its worlds.

    A process that dies is replaced, and since a world is a function of its script, the next quarter that is asked for
    plays it again from the start.
    """

    def __init__(self, processes: int) -> None:
        self.size = processes
        self._lock = threading.Lock()
        self._pools: dict[int, ProcessPoolExecutor] = {}
        self._homes: dict[str, int] = {}
        self._names = itertools.count(1)
        self._busy: Counter[int] = Counter()

    def session(self) -> str:
        """A name for a new session, at home in the process with the fewest of them."""
        with self._lock:
            load = Counter(dict.fromkeys(range(self.size), 0))
            load.update(self._homes.values())
            name = f"session-{next(self._names)}"
            self._homes[name] = min(load, key=lambda place: load[place])
            return name

    def forget(self, session: str, keys: tuple[str, ...]) -> None:
        """Drop worlds of a session, which goes on with others."""
        pool = self._pools.get(self._homes.get(session, -1))
        if pool is not None:
            with contextlib.suppress(RuntimeError):  # a pool that has just broken has nothing to forget
                pool.submit(world.forget, keys)

    def end(self, session: str, keys: tuple[str, ...]) -> None:
        """Forget a session and its worlds."""
        self.forget(session, keys)
        with self._lock:
            self._homes.pop(session, None)

    async def quarter(self, session: str, key: str, script: Script, t: int, like: str = "") -> Frame | None:
        """Quarter ``t`` of a script (:func:`viz.live.world.quarter_of`).

        Raises RunError or ScenarioError as that does, and RunError when its process died over it.
        """
        return await self._call(session, world.quarter_of, key, script, t, like)

    async def settled(self, session: str, key: str, script: Script, t: int) -> dict[str, float]:
        """The claims that quarter ``t`` settles (:func:`viz.live.world.settled_at`). Raises RunError."""
        return await self._call(session, world.settled_at, key, script, t)

    async def tables(self, session: str, key: str, script: Script, t: int, form: str) -> bytes:
        """The tables of a script to quarter ``t`` (:func:`viz.live.world.tables_at`). Raises RunError."""
        return await self._call(session, world.tables_at, key, script, t, form)

    def warm(self) -> None:
        """Start the processes, which load the market and its kernels; returns at once."""
        for place in range(self.size):
            self._pool(place)

    def pids(self) -> list[int]:
        """The ids of the processes that run, for those who watch them."""
        return [pid for pool in self._pools.values() for pid in list(pool._processes or {})]

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            for pool in self._pools.values():
                pool.shutdown(wait=False, cancel_futures=True)
            self._pools.clear()

    async def prepare(self, session: str, key: str, script: Script, t: int) -> None:
        """Simulate a quarter that is likely to be asked for, where its process has nothing else to do."""
        place = self._homes.get(session)
        if place is not None and not self._busy[place]:
            with contextlib.suppress(BrokenProcessPool):
                await asyncio.wrap_future(self._pool(place).submit(world.prepare, key, script, t))

    async def _call(self, session: str, function: Callable[..., T], *arguments: object) -> T:
        for _ in range(TRIES):
            place = self._homes.get(session)
            if place is None:
                raise world.RunError("the session has ended; load the page again")
            pool = self._pool(place)
            self._busy[place] += 1
            try:
                return await asyncio.wrap_future(pool.submit(function, *arguments))
            except BrokenProcessPool:
                self._discard(place, pool)
            finally:
                self._busy[place] -= 1
        raise world.RunError("the process that simulates this market died twice; press reset to begin again")

    def _pool(self, place: int) -> ProcessPoolExecutor:
        """The process of a place, begun where there is none."""
        with self._lock:
            if place not in self._pools:
                pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_start)
                with one_thread_each():
                    pool.submit(os.getpid)  # begins the process, which takes its environment now
                self._pools[place] = pool
            return self._pools[place]

    def _discard(self, place: int, broken: ProcessPoolExecutor) -> None:
        """Give up a process that died, once for all who met it."""
        with self._lock:
            if self._pools.get(place) is broken:
                del self._pools[place]
        broken.shutdown(wait=False)


@cache
def simulator() -> Simulator:
    """The one of this server."""
    return Simulator(processes())


def _start() -> None:
    """What a process does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=leave_with_parent, daemon=True).start()
    world.warm()
