"""Batches: our runner against ``mesa.batch_run`` with one Python object an enterprise, and what our runner costs.

Both sides run the same worlds with the same firm code on two processes; first the tables of seed 1 are compared.
Rounds of ours and of Mesa's take turns, each in a process of its own, so that a busy machine hurts both alike.

Run: python -m benchmarks.batch [--runs 2000] [--enterprises 500] [--mesa-runs 200] [--quick]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, ParamSpec, TypeVar

import mesa
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that it runs from a clone, uninstalled

from benchmarks import sides, trivial
from benchmarks.clock import ELSEWHERE, Spent, total
from benchmarks.object_market import ObjectMarket, recorded, setting_of
from benchmarks.sides import Round
from benchmarks.trivial import Overhead
from scenarios import runner

P = ParamSpec("P")
R = TypeVar("R")

SCENARIO = "baseline"
RUNS, ENTERPRISES, TRIVIAL_RUNS, TRIVIAL_REPEATS = 2000, 500, 10_000, 3
QUICK_RUNS, QUICK_MESA_RUNS, QUICK_TRIVIAL_RUNS = 24, 8, 1_000
FEWER = 10
"""Mesa's runs by default: this part of ours, since they take longer and only their pace is wanted."""
MOST_ROUNDS = 5
LEAST_MESA_RUNS = 4
"""Of a round, so that both processes have something to do."""

AGREEMENT = 1e-5
"""Largest relative difference of seed 1: some hundred roundings of single precision, which feed on each other."""
SMALL, PASSING = 1e-6, 0.01
"""Shares that are zero but for rounding, and where a column passes through zero as logarithms do, as a part of its
largest number: what is below is compared as if it were this large."""

MS = 1e3
WIDE = 22


# -------------------------------------------------------------------------------------------------- agreement


def difference(ours: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """The largest relative difference in each quarter between two tables ``quarters``, infinite where one is empty."""
    numbers = [column for column in other if column != "quarter"]
    if list(ours["quarter"]) != list(other["quarter"]):
        raise ValueError("the two sides recorded different quarters")
    a, b = ours[numbers].to_numpy(dtype=float), other[numbers].to_numpy(dtype=float)
    least = np.maximum(SMALL, PASSING * np.nan_to_num(np.abs(a)).max(axis=0))
    far = np.abs(a - b) / np.maximum(np.abs(a), least)
    far = np.where(np.isnan(a) & np.isnan(b), 0.0, np.where(np.isnan(far), np.inf, far))
    return pd.Series(far.max(axis=1), index=list(other["quarter"]))


def agreement(scenario: str, enterprises: int, seed: int = 1) -> float:
    """The largest relative difference of one run's headline between the two sides, each as it comes."""
    setting = setting_of(scenario, enterprises)
    mine = runner.simulate(setting, seed)["quarters"]
    rows = mesa.batch_run(
        ObjectMarket,
        {"seed": [seed], "scenario": scenario, "enterprises": enterprises},
        data_collection_period=1,
        max_steps=sides.STEPS,
        display_progress=False,
    )
    return float(difference(mine, recorded(pd.DataFrame(rows), setting)).max())


# ------------------------------------------------------------------------------------------------- measuring


@dataclass(frozen=True)
class Pair:
    """A round of each side."""

    ours: Round
    mesas: Round


def apart(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function in a process of its own that may start others."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def pairs(runs: int, mesa_runs: int, enterprises: int) -> Iterator[Pair]:
    """Rounds of both sides by turns, each round with seeds of its own."""
    rounds = min(max(mesa_runs // LEAST_MESA_RUNS, 1), MOST_ROUNDS)
    shares = zip(_split(runs, rounds), _split(mesa_runs, rounds), strict=True)
    for number, (mine, others) in enumerate(shares):
        few = others if len(others) <= len(mine) else mine
        seeds = mine[: len(few)]

        def of_us(mine: Sequence[int] = mine, seeds: Sequence[int] = seeds) -> Round:
            return apart(sides.ours, SCENARIO, mine, enterprises, seeds)

        def of_mesa(seeds: Sequence[int] = seeds) -> Round:
            return apart(sides.mesas, SCENARIO, seeds, enterprises, seeds)

        if number % 2:
            theirs, own = of_mesa(), of_us()
        else:
            own, theirs = of_us(), of_mesa()
        yield Pair(own, theirs)


def _split(runs: int, rounds: int) -> list[list[int]]:
    return [[int(seed) for seed in part] for part in np.array_split(np.arange(1, runs + 1), rounds)]


# -------------------------------------------------------------------------------------------------- reporting


def pace(made: Sequence[Pair]) -> str:
    """Runs a second of both sides, and their ratio."""
    heads = (
        "start-up s",
        "runs",
        "runs a second",
        "lowest",
        "highest",
        "s a run",
        "quartile 1",
        "quartile 3",
    )
    lines = [" " * WIDE + "".join(f"{head:>14}" for head in heads)]
    sides_of = {"Undercut": [p.ours for p in made], "mesa.batch_run": [p.mesas for p in made]}
    for name, rounds in sides_of.items():
        speeds = [r.runs / r.taken for r in rounds]
        low, middle, high = np.quantile([s for r in rounds for s in r.runs_took], [0.25, 0.5, 0.75])
        start = median(r.start_up for r in rounds)
        numbers = (median(speeds), min(speeds), max(speeds), middle, low, high)
        lines.append(
            f"{name:<{WIDE}}{start:>14.1f}{sum(r.runs for r in rounds):>14,}"
            + "".join(f"{number:>14.3f}" for number in numbers)
        )
    ratios = [(p.ours.runs / p.ours.taken) / (p.mesas.runs / p.mesas.taken) for p in made]
    lines.append(
        f"ours runs {median(ratios):.2f} times as fast (rounds: {', '.join(f'{r:.2f}' for r in ratios)})"
    )
    return "\n".join(lines)


ROWS = (
    sides.FOUND,
    sides.DEMAND,
    sides.MARKET,
    sides.RECORD,
    sides.COLLECT,
    sides.METRICS,
    sides.CONVERT,
    ELSEWHERE,
)
BETWEEN = "between runs"


def account(made: Sequence[Pair]) -> str:
    """Processor and wall milliseconds a run in workers and parents, by what they went into."""
    both = [p.ours for p in made], [p.mesas for p in made]
    counts = [sum(r.runs for r in rounds) for rounds in both]
    spent = [total(r.in_workers for r in rounds) for rounds in both]
    parents = [total(r.in_parent for r in rounds) for rounds in both]
    lines = [
        f"{'ms a run':<{WIDE}}" + "".join(f"{name:>32}" for name in ("Undercut", "mesa.batch_run")),
        " " * WIDE + "".join(f"{head:>14}{'wall':>9}{'share':>9}" for head in ("processor", "processor")),
    ]

    def line(name: str, of: Callable[[int], tuple[float, float]]) -> str:
        cells = ""
        for side in (0, 1):
            wall, processor = (MS * seconds / counts[side] for seconds in of(side))
            whole = MS * sum(p for _, p in spent[side].values()) / counts[side]
            cells += f"{processor:>14.1f}{wall:>9.1f}{processor / whole:>9.1%}"
        return f"{name:<{WIDE}}{cells}"

    for label in ROWS:
        name = BETWEEN if label == ELSEWHERE else label
        lines.append(line(name, lambda side, label=label: spent[side].get(label, NOTHING)))  # type: ignore[misc]
    lines.append(line("a worker's whole", lambda side: _sum(spent[side])))
    lines.append(line("idle at either end", lambda side: (sum(r.idle for r in both[side]), 0.0)))
    for label in (sides.WRITE, sides.PACK, ELSEWHERE):
        name = f"parent: {'the rest' if label == ELSEWHERE else label}"
        lines.append(line(name, lambda side, label=label: parents[side].get(label, NOTHING)))  # type: ignore[misc]
    lines.append(summary(spent, counts))
    return "\n".join(lines)


NOTHING = (0.0, 0.0)


def _sum(spent: Spent) -> tuple[float, float]:
    return sum(wall for wall, _ in spent.values()), sum(processor for _, processor in spent.values())


def summary(spent: Sequence[Spent], counts: Sequence[int]) -> str:
    """The ratio of processor time, whole and of what both sides do."""
    alike = (sides.FOUND, sides.DEMAND, sides.MARKET)

    def each(side: int, labels: Sequence[str]) -> float:
        return sum(spent[side].get(label, NOTHING)[1] for label in labels) / counts[side]

    return (
        f"processor time of Mesa's over ours: a run {each(1, ROWS) / each(0, ROWS):.2f}, "
        f"the simulation without recording {each(1, alike) / each(0, alike):.2f}, "
        f"the demand step {each(1, [sides.DEMAND]) / each(0, [sides.DEMAND]):.0f}"
    )


def memory(made: Sequence[Pair]) -> str:
    """Peak, early and late memory of parent and worker."""
    heads = ("parent: peak", "early", "late", "worker: peak", "early", "late", "more a run")
    lines = [f"{'MB':<{WIDE}}" + "".join(f"{head:>14}" for head in heads)]
    for name, rounds in (("Undercut", [p.ours for p in made]), ("mesa.batch_run", [p.mesas for p in made])):
        fullest = max(rounds, key=lambda r: r.worker_mb[2])
        numbers = (*fullest.parent_mb, *fullest.worker_mb)
        grows = fullest.worker_grows_mb
        lines.append(
            f"{name:<{WIDE}}" + "".join(f"{number:>14.0f}" for number in numbers) + f"{grows:>14.2f}"
        )
    return "\n".join(lines)


def paths(made: Sequence[Pair]) -> str:
    """How many of the runs that both sides made agree; the others met a tie that rounding broke."""
    far = [difference(p.ours.quarters[seed], table) for p in made for seed, table in p.mesas.quarters.items()]
    near = sum(series.max() <= AGREEMENT for series in far)
    words = f"{near} of {len(far)} runs that both sides made agree to {AGREEMENT:g}"
    return words if near == len(far) else f"{words}; the others part at a decision that rounding tips"


def overheads(runs: int, repeats: int) -> str:
    """Milliseconds that our runner takes for a run that costs nothing, with one worker and with two."""
    found: dict[int, list[Overhead]] = {1: [], sides.HANDS: []}
    for _ in range(repeats):
        for workers, measured in found.items():
            measured.append(apart(trivial.overhead, runs, workers))
    heads = ("start-up s", "ms a run", "lowest", "highest", "parent's ms")
    lines = [f"{f'{runs:,} trivial runs':<{WIDE}}" + "".join(f"{head:>14}" for head in heads)]
    for workers, measured in found.items():
        each = [MS * o.taken / o.runs for o in measured]
        start = median(o.start_up for o in measured)
        parent = median(MS * o.in_parent / o.runs for o in measured)
        lines.append(
            f"{f'{workers} worker' + 's' * (workers > 1):<{WIDE}}{start:>14.1f}"
            + "".join(f"{number:>14.2f}" for number in (median(each), min(each), max(each), parent))
        )
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------------- main


def asked() -> Any:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, help=f"of ours (default {RUNS:,})")
    parser.add_argument("--enterprises", type=int, default=ENTERPRISES)
    parser.add_argument("--mesa-runs", type=int, help="of Mesa's, at most as many (default a tenth of ours)")
    parser.add_argument("--quick", action="store_true", help="few runs: a look, not a measurement")
    options = parser.parse_args()
    options.runs = options.runs or (QUICK_RUNS if options.quick else RUNS)
    fewer = QUICK_MESA_RUNS if options.quick else options.runs // FEWER
    options.mesa_runs = min(options.mesa_runs or max(fewer, sides.HANDS), options.runs)
    return options


def main() -> None:
    """Compare the results, then measure and print."""
    options = asked()
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    print(f"{processors} processors; load {load:.1f} before this began")
    if load > 1.0:
        print("the machine is busy: trust ratios and processor time, not the clock")
    far = apart(agreement, SCENARIO, options.enterprises)
    print(f"the headline of seed 1 agrees to {far:.1e}, relative (single precision rounds to 6e-8)")
    if far > AGREEMENT:
        sys.exit(f"the two sides disagree by more than {AGREEMENT:g}: nothing to compare")
    print(
        f"\n{SCENARIO}, {options.enterprises:,} enterprises, {sides.HANDS} workers: {options.runs:,} runs of ours, "
        f"{options.mesa_runs:,} of Mesa's, by turns",
        flush=True,
    )
    made = []
    for pair in pairs(options.runs, options.mesa_runs, options.enterprises):
        made.append(pair)
        print(
            f"round {len(made)}: {pair.ours.runs / pair.ours.taken:.2f} and "
            f"{pair.mesas.runs / pair.mesas.taken:.2f} runs a second",
            flush=True,
        )
    for part in (paths, pace, account, memory):
        print(f"\n{part(made)}", flush=True)
    runs, repeats = (QUICK_TRIVIAL_RUNS, 1) if options.quick else (TRIVIAL_RUNS, TRIVIAL_REPEATS)
    print(f"\n{overheads(runs, repeats)}")


if __name__ == "__main__":
    main()
