"""A whole baseline run: processor time by event of the quarter, and the share spent outside the economics.

A timer interrupts the run every millisecond of processor time and charges what has passed since the last
interruption to the event of the quarter and to the module at work; a library's time falls to the module that
called it. Unlike a tracing profiler, this does not make small functions look slow.

Run: python -m benchmarks.whole_run [--enterprises 1000] [--runs 5] [--modules]
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # so that it runs from a clone, uninstalled

from model.market import Market  # noqa: E402
from model.parameters import Parameters  # noqa: E402
from model.setting import Setting  # noqa: E402

INTERVAL_S = 0.001
OURS = tuple(f"{ROOT / folder}/" for folder in ("agents", "model"))

EVENTS = {
    "apply_policy": "1 policy",
    "research": "2 research",
    "advance": "3 chips",
    "procure": "4 procurement",
    "post": "5 posting",
    "consume": "6 demand",
    "settle": "7 settlement",
    "learn": "8 learning",
    "record": "9 recording",
}
"""What ``Market.step`` calls, by name, in the order of DESIGN section 3."""

BOOKS = frozenset(
    f"model/{name}.py"
    for name in (
        "edges",
        "graph",
        "headline",
        "identities",
        "indices",
        "ledger",
        "recording",
        "records",
        "settlement",
    )
)
"""Modules that write down, pay and check what the others decide; all else is economics.

``model/settlement.py`` is both: putting work on the fleets belongs to demand, and is economics there.
"""

STEP = Market.step.__code__

Key = tuple[str, str, bool]
"""Event, module, and whether it is book-keeping."""


class Stopwatch:
    """Processor seconds by event and module, from samples of the running stack."""

    def __init__(self) -> None:
        self.seconds: dict[Key, float] = defaultdict(float)
        self._last = 0.0

    def __enter__(self) -> Stopwatch:
        signal.signal(signal.SIGPROF, self._sample)
        self._last = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0.0)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        # A compiled kernel is not interrupted: its time arrives as one sample, in the module that called it.
        now = time.process_time()
        self.seconds[self._place(frame)] += now - self._last
        self._last = now

    def _place(self, frame: FrameType | None) -> Key:
        event, module = "before and after", ""
        while frame is not None:
            file = frame.f_code.co_filename
            if not module and file.startswith(OURS):
                module = Path(file).relative_to(ROOT).as_posix()
            caller = frame.f_back
            if caller is not None and caller.f_code is STEP:
                event = EVENTS.get(frame.f_code.co_name, event)
            frame = caller
        settling = module != "model/settlement.py" or event == EVENTS["settle"]
        return event, module, module in BOOKS and settling


def run(enterprises: int, seed: int) -> None:
    """One baseline from its setting to its tables."""
    Market(Setting("baseline", Parameters.resolve({"enterprises": enterprises})), seed=seed).run()


def table(seconds: Mapping[Key, float], runs: int, modules: bool) -> str:
    """Milliseconds a run by event, economics and book-keeping, and the share outside the economics."""
    place = 1 if modules else 0
    names = sorted({key[place] for key in seconds})
    lines = [f"{'ms a run':<28}{'economics':>12}{'book-keeping':>14}{'share':>8}"]
    whole = sum(seconds.values())
    for name in [*names, "all"]:
        parts = [
            sum(s for key, s in seconds.items() if key[2] is books and name in (key[place], "all"))
            for books in (False, True)
        ]
        numbers = "".join(
            f"{1000.0 * part / runs:>{wide}.0f}" for part, wide in zip(parts, (12, 14), strict=True)
        )
        lines.append(f"{name or 'other':<28}{numbers}{sum(parts) / whole:>8.1%}")
    outside = sum(s for (_, _, books), s in seconds.items() if books) / whole
    return "\n".join([*lines, f"outside the economics: {outside:.1%}"])


def main() -> None:
    """Run once to compile and fill caches, then measure; print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--enterprises", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--modules", action="store_true", help="a line for each module instead of each event")
    asked = parser.parse_args()
    run(asked.enterprises, seed=1)
    started, watch = time.process_time(), Stopwatch()
    with watch:
        for seed in range(1, asked.runs + 1):
            run(asked.enterprises, seed)
    each = (time.process_time() - started) / asked.runs
    print(f"a baseline with {asked.enterprises:,} enterprises: {each:.2f} s of processor time\n")
    print(table(watch.seconds, asked.runs, asked.modules))


if __name__ == "__main__":
    main()
