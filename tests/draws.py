"""Thousands of worlds drawn over all parameter ranges, with shocks: whatever is assumed, the books must balance.

    python -m tests.draws [--draws 10000] [--first 0] [--workers 2] [--out .draws]        or: make draws

Draw N is the same world whenever and wherever it is made. Each runs to 2028 with the market's own audit of every quarter,
one of ten with somebody else's, too, which takes longer (tests/model/audited.py). Then every recorded number must lie in the
domain that its unit implies, and every claim's metric must be measured without an error. A draw that fails is named
and written as a scenario file, which `undercut run FILE` recreates; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from types import FrameType

from evidence.metrics import outcomes
from model.market import Market
from scenarios.scenario import HORIZON
from scenarios.toml import to_toml
from tests.model.audited import Audited, audit_records
from tests.model.drawn import world

PATIENCE_SECONDS = 120
"""A run takes a quarter of a second: one that takes this long hangs."""

TWICE = 10
"""Of so many draws one is audited by somebody else, too."""

SHOWN = 100
"""Draws between two lines of progress."""


def outcome(number: int, last: str = HORIZON["last"]) -> tuple[int, str]:
    """What went wrong in a draw, in a line; empty when nothing did."""
    try:
        kind = Audited if number % TWICE == 0 else Market
        market = kind(world(number, last).setting, number)
        while not market.finished:
            market.step()
        audit_records(market)
        outcomes(market.tables())
        market.release()
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what is looked for
        place = traceback.extract_tb(error.__traceback__)[-1]
        said = " ".join(str(error).split()) or place.line
        return number, f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {said}"
    return number, ""


def patient(number: int, last: str) -> tuple[int, str]:
    """The same in a process of its own kind, where a run that hangs is one that failed."""
    signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(PATIENCE_SECONDS)
    try:
        return outcome(number, last)
    finally:
        signal.alarm(0)


def _hangs(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"no end within {PATIENCE_SECONDS} seconds")


def failures(first: int, count: int, workers: int, last: str = HORIZON["last"]) -> Iterator[tuple[int, str]]:
    """What went wrong in each draw from ``first`` on, in their order."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(patient, last=last), range(first, first + count), chunksize=4)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.draws",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--draws", type=int, default=10_000, help="how many (default 10000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first, to go on (default 0)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--out", type=Path, default=Path(".draws"), help="where failing worlds are written")
    asked = parser.parse_args()
    began, wrong = time.monotonic(), Counter[str]()
    for number, said in failures(asked.first, asked.draws, asked.workers):
        if said:
            asked.out.mkdir(parents=True, exist_ok=True)
            file = asked.out / f"draw-{number}.toml"
            file.write_text(to_toml(world(number)), encoding="utf-8")
            wrong[said.partition(":")[0]] += 1
            print(f"draw {number}: {said}\n    undercut run {file} --seeds {number}-{number}", flush=True)
        made = number - asked.first + 1
        if made % SHOWN == 0 or made == asked.draws:
            rate = made / (time.monotonic() - began)
            print(
                f"{made}/{asked.draws} draws, {rate:.2f} a second, {sum(wrong.values())} failed", flush=True
            )
    for place, count in wrong.most_common():
        print(f"{count} times: {place}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
