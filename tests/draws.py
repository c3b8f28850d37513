"""Thousands of worlds drawn over all parameter ranges, with shocks: whatever is assumed, the books must balance.

    python -m tests.draws [--draws 10000] [--first 0] [--workers 2] [--out .draws]        or: make draws

Draw N is the same world whenever and wherever it is made. Each runs to 2028 with the market's own audit of every quarter,
one of ten with somebody else's, too, which takes longer (tests/model/audited.py), and once more without it: another market
in the same process must give the same tables. Then every recorded number must lie in the domain that its unit implies, and
every claim's metric must be measured without an error. A run that takes too long, or takes its process with it, failed. A
draw that fails is named and written as a scenario file, which `undercut run FILE` recreates; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from evidence.metrics import outcomes
from model.market import Market
from scenarios.scenario import HORIZON
from scenarios.toml import to_toml
from tests.model.audited import Audited, audit_records
from tests.model.drawn import world

PATIENCE_SECONDS = 120
"""A run takes a quarter of a second: one that takes this long hangs."""

TWICE = 10
"""Of so many draws one is audited by somebody else, too, and made a second time."""

SHOWN = 200
"""Draws between two lines of progress, for which the same processes are kept."""


def outcome(number: int, last: str = HORIZON["last"]) -> tuple[int, str]:
    """What went wrong in a draw, in a line; empty when nothing did."""
    try:
        setting = world(number, last).setting
        again = number % TWICE == 0
        market = (Audited if again else Market)(setting, number)
        tables = market.run()
        audit_records(market)
        outcomes(market.tables())
        market.release()
        if again:
            market = Market(setting, number)
            other = market.run()
            market.release()
            for name, frame in tables.items():
                assert frame.equals(other[name]), f"{name} of the same world differs the second time"
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what is looked for
        place = traceback.extract_tb(error.__traceback__)[-1]
        said = " ".join(str(error).split()) or place.line
        return number, f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {said}"
    return number, ""


def timed(number: int, last: str) -> tuple[int, str]:
    """The same in a process that ends where it takes too long, be it in compiled code."""
    faulthandler.dump_traceback_later(PATIENCE_SECONDS, exit=True)
    try:
        return outcome(number, last)
    finally:
        faulthandler.cancel_dump_traceback_later()


def failures(first: int, count: int, workers: int, last: str = HORIZON["last"]) -> Iterator[tuple[int, str]]:
    """What went wrong in each draw from ``first`` on, in their order."""
    for start in range(first, first + count, SHOWN):
        numbers = range(start, min(start + SHOWN, first + count))
        with _processes(workers) as pool:
            asked = {number: pool.submit(timed, number, last) for number in numbers}
            for number, found in asked.items():
                try:
                    yield found.result()
                except BrokenProcessPool:  # by this draw, or by another
                    yield alone(number, last)


def alone(number: int, last: str) -> tuple[int, str]:
    """A draw with a process of its own, which it may take with it."""
    with _processes(1) as pool:
        try:
            return pool.submit(timed, number, last).result()
        except BrokenProcessPool:
            return number, f"no end within {PATIENCE_SECONDS} seconds, or the end of its process"


def _processes(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


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
