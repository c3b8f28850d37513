"""Measuring by turns, and in processes of their own."""

from __future__ import annotations

import gc
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import ParamSpec, TypeVar

from scenarios.workers import one_thread_each

P = ParamSpec("P")
R = TypeVar("R")

MS = 1e3


class Disagreement(Exception):
    """Two sides of a comparison do not give the same results, so that their times say nothing."""


def by_turns(
    calls: Mapping[str, Callable[[], object]],
    turns: int,
    at_least: float = 0.0,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each call, by name.

    Each is called once without counting, so that nothing cold enters; then all take turns, so that what disturbs the
    machine hurts them alike. A turn is one call, or as many as fit into ``at_least`` seconds.
    """
    for call in calls.values():
        call()
    # Objects made so far stay: the collector need not look at them, which would slow the sides with many objects.
    gc.collect()
    gc.freeze()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(turns):
        for name, call in calls.items():
            until = time.perf_counter() + at_least
            while True:
                began = clock()
                call()
                taken[name].append(clock() - began)
                if time.perf_counter() >= until:
                    break
    gc.unfreeze()
    return taken


def apart(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function in a process of its own that may start others, with one thread for BLAS."""
    with one_thread_each(), ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def streamed(function: Callable[P, Iterator[R]], *args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
    """What a generator yields in a process of its own, as it comes.

    Raises RuntimeError with the traceback for what it dies of.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(theirs, function, args, kwargs))
    with one_thread_each():
        process.start()
    theirs.close()
    try:
        while True:
            try:
                kind, content = ours.recv()
            except EOFError:
                raise RuntimeError("its process died") from None
            if kind == _END:
                return
            if kind == _ERROR:
                raise RuntimeError(content)
            yield content
    finally:
        ours.close()
        process.join()


_ITEM, _ERROR, _END = "item", "error", "end"


def _send(
    pipe: Connection,
    function: Callable[..., Iterator[object]],
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> None:
    try:
        for item in function(*args, **kwargs):
            pipe.send((_ITEM, item))
        pipe.send((_END, None))
    except Disagreement as known:
        pipe.send((_ERROR, f"{known}"))
    except Exception:  # noqa: BLE001  the parent says what it was and goes on with the other parts
        pipe.send((_ERROR, traceback.format_exc()))


def say(text: str) -> None:
    """Progress for whoever waits; it is no part of the table."""
    print(f"  ... {text}", file=sys.stderr, flush=True)
