"""Batches of whole runs: our runner against ``mesa.batch_run`` with one Python object an enterprise, on two processes.

Both sides run the same worlds with the same firm code; first the headlines of one seed are compared, later those of
all runs that both make. Rounds of ours and of Mesa's take turns, each in a process of its own. The account charges
every moment of a worker to one label; its ratio is the share of a worker's time. Runs a second count from the first
run to the packed store, start-up apart; their ratio is to Mesa's, round by round.

With counts of one's own: python -m benchmarks.batch [--runs 2000] [--mesa-runs 200] [--enterprises 500]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import mesa
import numpy as np
import pandas as pd

from benchmarks import sides, trivial
from benchmarks.clock import ELSEWHERE, Spent, total
from benchmarks.object_market import ObjectMarket, recorded, setting_of
from benchmarks.sides import Round
from benchmarks.table import Line, Row, text
from benchmarks.trivial import Overhead
from benchmarks.turns import MS, Disagreement, apart, say
from scenarios import runner

SCENARIO = "baseline"
ENTERPRISES = 500
SECONDS, QUICK_SECONDS = 45.0, 8.0
"""What each side gets in all its rounds together."""
ROUNDS, QUICK_ROUNDS = 4, 1
LEAST_RUNS = 4
"""Of a round, so that both processes have something to do."""
TRIVIAL_RUNS, TRIVIAL_REPEATS = 5_000, 3
QUICK_TRIVIAL_RUNS = 1_000

AGREEMENT = 1e-5
"""Largest relative difference of seed 1: some hundred roundings of single precision, which feed on each other."""
SMALL, PASSING = 1e-6, 0.01
"""Shares that are zero but for rounding, and where a column passes through zero as logarithms do, as a part of its
largest number: what is below is compared as if it were this large."""

OURS, MESAS = "Undercut", "mesa.batch_run"


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


@dataclass(frozen=True)
class First:
    """The first runs of both sides: how far their headlines are apart, and the seconds of a warm run of each."""

    far: float
    ours: float
    mesas: float


def first_runs(scenario: str, enterprises: int) -> First:
    """Run seeds on both sides, one after another in this process, and compare the headline of the first."""
    setting = setting_of(scenario, enterprises)

    def mine(seed: int) -> pd.DataFrame:
        return runner.simulate(setting, seed)["quarters"]

    def other(seed: int) -> pd.DataFrame:
        rows = mesa.batch_run(
            ObjectMarket,
            {"seed": [seed], "scenario": scenario, "enterprises": enterprises},
            data_collection_period=1,
            max_steps=sides.STEPS,
            display_progress=False,
        )
        return recorded(pd.DataFrame(rows), setting)

    far = float(difference(mine(1), other(1)).max())
    began = time.perf_counter()
    mine(2)
    between = time.perf_counter()
    other(2)
    return First(far, between - began, time.perf_counter() - between)


# ------------------------------------------------------------------------------------------------- measuring


@dataclass(frozen=True)
class Pair:
    """A round of each side."""

    ours: Round
    mesas: Round


def pairs(runs: int, mesa_runs: int, rounds: int, enterprises: int) -> Iterator[Pair]:
    """Rounds of both sides by turns, each round with seeds of its own."""
    for number, (mine, others) in enumerate(
        zip(_split(runs, rounds), _split(mesa_runs, rounds), strict=True)
    ):
        seeds = mine[: len(others)]
        compared = seeds[: sides.HANDS * LEAST_RUNS]
        if number % 2:
            theirs = apart(sides.mesas, SCENARIO, seeds, enterprises, compared)
            own = apart(sides.ours, SCENARIO, mine, enterprises, compared)
        else:
            own = apart(sides.ours, SCENARIO, mine, enterprises, compared)
            theirs = apart(sides.mesas, SCENARIO, seeds, enterprises, compared)
        yield Pair(own, theirs)


def _split(runs: int, rounds: int) -> list[list[int]]:
    return [[int(seed) for seed in part] for part in np.array_split(np.arange(1, runs + 1), rounds)]


# -------------------------------------------------------------------------------------------------- reporting


def speed(of: Round) -> float:
    """Runs a second."""
    return of.runs / of.taken


def pace(made: Sequence[Pair], enterprises: int) -> Iterator[Row]:
    """Runs a second of both sides, seconds of a run, and seconds until the first."""
    size = f"{enterprises:,} enterprises"
    ratios = [speed(p.ours) / speed(p.mesas) for p in made]
    for name, rounds, ratio in ((OURS, ours_of(made), median(ratios)), (MESAS, mesas_of(made), 1.0)):
        yield Row(name, size, "runs a second", tuple(speed(r) for r in rounds), ratio)
        yield Row(f"{name}: a run", size, "s in a worker", tuple(s for r in rounds for s in r.runs_took))
        yield Row(f"{name}: until the first run", size, "s", tuple(r.start_up for r in rounds))


def ours_of(made: Sequence[Pair]) -> list[Round]:
    """Our rounds."""
    return [p.ours for p in made]


def mesas_of(made: Sequence[Pair]) -> list[Round]:
    """Mesa's rounds."""
    return [p.mesas for p in made]


LABELS = (
    sides.FOUND,
    sides.DEMAND,
    sides.MARKET,
    sides.RECORD,
    sides.COLLECT,
    sides.METRICS,
    sides.CONVERT,
    ELSEWHERE,
)
PARENTS = (sides.WRITE, sides.PACK, ELSEWHERE)
BETWEEN = "between runs"
NOTHING = (0.0, 0.0)


def account(made: Sequence[Pair]) -> Iterator[Line]:
    """Processor milliseconds a run in workers and parents, by what they went into."""
    for name, rounds in ((OURS, ours_of(made)), (MESAS, mesas_of(made))):
        whole = _processor(total(r.in_workers for r in rounds), LABELS)
        for label in LABELS:
            if any(label in r.in_workers for r in rounds):
                values = tuple(MS * _processor(r.in_workers, [label]) / r.runs for r in rounds)
                share = _processor(total(r.in_workers for r in rounds), [label]) / whole
                said = f"{name}: {BETWEEN if label == ELSEWHERE else label}"
                yield Row(said, "", "ms of processor a run", values, share)
        idle = tuple(MS * r.idle / r.runs for r in rounds)
        yield Row(f"{name}: idle at either end", "", "ms a run", idle)
        for label in PARENTS:
            if any(label in r.in_parent for r in rounds):
                values = tuple(MS * _processor(r.in_parent, [label]) / r.runs for r in rounds)
                said = f"{name}, parent: {'the rest' if label == ELSEWHERE else label}"
                yield Row(said, "", "ms of processor a run", values)
    yield summary(made)


def _processor(spent: Spent, labels: Sequence[str]) -> float:
    return sum(spent.get(label, NOTHING)[1] for label in labels)


def summary(made: Sequence[Pair]) -> str:
    """The ratio of processor time, whole and of what both sides do."""
    alike = (sides.FOUND, sides.DEMAND, sides.MARKET)

    def each(rounds: Sequence[Round], labels: Sequence[str]) -> float:
        return _processor(total(r.in_workers for r in rounds), labels) / sum(r.runs for r in rounds)

    def ratio(labels: Sequence[str]) -> float:
        return each(mesas_of(made), labels) / each(ours_of(made), labels)

    return (
        f"Processor time of Mesa's over ours: a run {ratio(LABELS):.2f}, the simulation without recording "
        f"{ratio(alike):.2f}, the demand step {ratio([sides.DEMAND]):.1f}, founding and the rest of the market "
        f"{ratio([sides.FOUND, sides.MARKET]):.2f}."
    )


def memory(made: Sequence[Pair]) -> Iterator[Row]:
    """Peak memory of parent and worker, and by how much a run leaves a worker fuller."""
    for name, rounds in ((OURS, ours_of(made)), (MESAS, mesas_of(made))):
        yield Row(f"{name}: peak of the parent", "", "MB", tuple(r.parent_mb for r in rounds))
        yield Row(f"{name}: peak of a worker", "", "MB", tuple(r.worker_mb for r in rounds))
        grown = tuple(r.worker_grows_mb for r in rounds)
        yield Row(f"{name}: a worker grows", "later half of its runs", "MB a run", grown)


def paths(made: Sequence[Pair]) -> str:
    """How many of the runs that both sides made agree; the others met a tie that rounding broke."""
    far = [difference(p.ours.quarters[seed], table) for p in made for seed, table in p.mesas.quarters.items()]
    near = sum(series.max() <= AGREEMENT for series in far)
    words = f"{near} of {len(far)} runs that both sides made agree to {AGREEMENT:g}"
    return f"{words}." if near == len(far) else f"{words}; the others part at a decision that rounding tips."


def overheads(runs: int, repeats: int) -> Iterator[Row]:
    """Milliseconds that our runner takes for a run that costs nothing, with one worker and with two."""
    found: dict[int, list[Overhead]] = {1: [], sides.HANDS: []}
    for _ in range(repeats):
        for workers, measured in found.items():
            measured.append(apart(trivial.overhead, runs, workers))
    for workers, measured in found.items():
        each = tuple(MS * o.taken / o.runs for o in measured)
        parent = tuple(MS * o.in_parent / o.runs for o in measured)
        name = f"our runner, {workers} worker{'s' * (workers > 1)}"
        yield Row(name, f"{runs:,} trivial runs", "ms a run", each)
        yield Row(f"{name}: its parent", f"{runs:,} trivial runs", "ms of processor a run", parent)


# ------------------------------------------------------------------------------------------------------- main


def measure(
    quick: bool, runs: int | None = None, mesa_runs: int | None = None, enterprises: int = ENTERPRISES
) -> Iterator[Line]:
    """Compare the results, then measure; as many runs as fit into the time where their number is not given."""
    began = apart(first_runs, SCENARIO, enterprises)
    if began.far > AGREEMENT:
        raise Disagreement(f"seed 1 differs by {began.far:.1e}, more than {AGREEMENT:g}: nothing to compare")
    yield f"The headline of seed 1 agrees to {began.far:.1e}, relative (single precision rounds to 6e-8)."
    seconds, rounds = (QUICK_SECONDS, QUICK_ROUNDS) if quick else (SECONDS, ROUNDS)
    least = LEAST_RUNS * rounds
    mine = max(runs or int(sides.HANDS * seconds / began.ours), least)
    others = min(max(mesa_runs or int(sides.HANDS * seconds / began.mesas), least), mine)
    yield f"{mine:,} runs of ours and {others:,} of Mesa's in {rounds} rounds by turns, {sides.HANDS} workers."
    made = []
    for pair in pairs(mine, others, rounds, enterprises):
        made.append(pair)
        say(f"round {len(made)}: {speed(pair.ours):.2f} and {speed(pair.mesas):.2f} runs a second")
    yield paths(made)
    yield from pace(made, enterprises)
    yield from account(made)
    yield from memory(made)
    trivial_runs, repeats = (QUICK_TRIVIAL_RUNS, 1) if quick else (TRIVIAL_RUNS, TRIVIAL_REPEATS)
    yield from overheads(trivial_runs, repeats)


def main() -> None:
    """Measure as many runs as asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, help="of ours (default: as many as fit into a minute)")
    parser.add_argument("--mesa-runs", type=int, help="of Mesa's, at most as many (default likewise)")
    parser.add_argument("--enterprises", type=int, default=ENTERPRISES)
    parser.add_argument("--quick", action="store_true", help="few runs: a look, not a measurement")
    asked = parser.parse_args()
    for line in measure(asked.quick, asked.runs, asked.mesa_runs, asked.enterprises):
        print(text(line), flush=True)


if __name__ == "__main__":
    main()
