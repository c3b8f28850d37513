"""How time and memory grow: with enterprises, offers, firms and runs.

Each size has a process of its own, in which a first small run compiles and fills caches; then processor time of whole
runs is taken, from founding to tables. Firms are multiplied by giving every cloud, venue and vendor of the facts
copies with the same launches, fleets and contracts; offers follow from them. Exponents are those of power laws fitted
through medians.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.clock import memory_mb, peak_mb
from benchmarks.demand_step import Ours
from benchmarks.demand_world import World
from benchmarks.sides import plan_of
from benchmarks.table import Line, Row, grows, number, power
from benchmarks.turns import MS, apart, by_turns, say
from model.market import Market
from model.parameters import Parameters
from model.pricing import equilibrium
from scenarios.scenario import load
from undercut import batch

ENTERPRISES = (1_000, 10_000, 100_000, 1_000_000)
COSTLY = 100_000
"""Enterprises from which on one run is enough."""
REPEATS = 3
COPIES = (1, 2, 4)
FIRMS_LAST = "2024Q4"
"""The last quarter of the worlds with copied firms, up to which launches are given."""
BASE = 500
STEP_ENTERPRISES, STEP_OFFERS = 20_000, (12, 24, 48, 96, 192)
TYPES, PRICED_OFFERS = 24, (8, 16, 32, 64)
RUNS_SECONDS, QUICK_RUNS_SECONDS = 15.0, 4.0
"""What the largest number of runs may take."""
TENTHS = (1, 10, 100)
"""Numbers of runs: the largest over these."""

NAMES = {
    "firms": ("firm",),
    "fleets": ("owner",),
    "captive": ("owner",),
    "access": ("vendor_or_cloud",),
    "partners": ("vendor", "cloud"),
    "stakes": ("owner", "owned"),
    "launches": ("vendor", "model"),
}
"""Columns of the facts that name the firms that are copied, and what only they have."""


@dataclass(frozen=True)
class Cost:
    """Processor seconds of whole runs, the most memory their process held, and how many offers and firms there were."""

    seconds: tuple[float, ...]
    peak_mb: float
    offers: int
    firms: int


def cost(enterprises: int, repeats: int, copies: int = 1, last: str | None = None) -> Cost:
    """Whole runs of one size, in a process that has run nothing before."""
    with mock.patch.object(Parameters, "facts", copied(copies)):
        setting = load("baseline", {"enterprises": float(enterprises)})
        setting = setting if last is None else replace(setting, last=last)
        first = load("baseline", {"enterprises": float(BASE)})
        _run(Market(replace(first, last=setting.record_from), 1))
        seconds, offers, firms = [], 0, 0
        for seed in range(1, repeats + 1):
            began = time.process_time()
            market = Market(setting, seed)
            _run(market)
            seconds.append(time.process_time() - began)
            offers, firms = len(market.offers), len(market.firms)
    return Cost(tuple(seconds), peak_mb(), offers, firms)


def _run(market: Market) -> None:
    market.run()
    market.release()


def copied(copies: int) -> Any:
    """``Parameters.facts`` with every cloud, venue and vendor so many times; makers and chips stay as they are."""
    facts = Parameters.facts

    def more(self: Parameters, name: str) -> list[dict[str, str | float]]:
        rows = facts(self, name)
        makers = {row["firm"] for row in facts(self, "firms") if row["kind"] == "chipmaker"}
        named = NAMES.get(name, ())
        own = [row for row in rows if named and not makers.intersection(row[column] for column in named)]
        twins = [
            {**row, **{column: f"{row[column]} {copy}" for column in named}}
            for copy in range(2, copies + 1)
            for row in own
        ]
        return [*rows, *twins]

    return more


# ------------------------------------------------------------------------------------------------- what grows


def with_enterprises(quick: bool) -> Iterator[Line]:
    """Whole runs as enterprises grow, and memory."""
    sizes = ENTERPRISES[:-1] if quick else ENTERPRISES
    costs = []
    for size in sizes:
        say(f"whole runs of {size:,} enterprises")
        costs.append(apart(cost, size, 1 if size >= COSTLY else REPEATS))
        yield Row("a whole run", f"{size:,} enterprises", "s of processor", costs[-1].seconds)
        yield Row("its process at most", f"{size:,} enterprises", "MB", (costs[-1].peak_mb,))
    yield f"{grows('A whole run', 'enterprises', sizes, [median(c.seconds) for c in costs])}."
    more = (costs[-1].peak_mb - costs[-2].peak_mb) * 1e6 / (sizes[-1] - sizes[-2])
    held = costs[-1].offers * np.dtype(np.float32).itemsize
    yield Row("memory for one more", f"up to {sizes[-1]:,} enterprises", "bytes an enterprise", (more,))
    yield (
        f"A portfolio of {costs[-1].offers} offers takes {held} bytes an enterprise, and twice that while the list of "
        "offers changes."
    )


def with_offers(quick: bool) -> Iterator[Line]:
    """The demand step and the equilibrium of prices as offers grow."""
    sizes = STEP_OFFERS[:-1] if quick else STEP_OFFERS
    steps = {size: Ours(World.draw(STEP_ENTERPRISES, offers=size, models=size // 2)).step for size in sizes}
    yield from _growth("our demand step", steps, f"{STEP_ENTERPRISES:,} enterprises, ", quick)
    markets = {size: _priced(size) for size in (PRICED_OFFERS[:-1] if quick else PRICED_OFFERS)}
    yield from _growth("equilibrium of prices", markets, "", quick)


def _growth(what: str, calls: dict[int, Any], size: str, quick: bool) -> Iterator[Line]:
    taken = by_turns({str(n): call for n, call in calls.items()}, 2 if quick else 5, clock=time.process_time)
    for n, seconds in taken.items():
        yield Row(what, f"{size}{n} offers", "ms of processor", tuple(MS * s for s in seconds))
    yield f"{grows(what.capitalize(), 'offers', list(calls), [median(s) for s in taken.values()])}."


def _priced(offers: int) -> Any:
    """Prices of so many offers, two to a model and four to a seller, as a function without arguments."""
    rng = np.random.default_rng(offers)
    number = np.arange(offers)
    tastes = 1.3 + rng.gamma(2.0, 0.3, TYPES), rng.lognormal(0.0, 0.3, TYPES)
    capability, unit_cost = rng.normal(0.0, 0.6, offers), rng.lognormal(-1.0, 0.5, offers)
    ownership = (number[:, None] // 4 == number // 4).astype(float)

    def call() -> None:
        found = equilibrium(
            *tastes,
            np.full(TYPES, 1.0 / TYPES),
            capability,
            number // 2,
            0.3,
            0.6,
            unit_cost,
            ownership,
            h=0.1,
            eta=0.5,
        )
        if not found.converged:
            raise RuntimeError(f"no equilibrium of {offers} offers was found")

    return call


def with_firms(quick: bool) -> Iterator[Line]:
    """Whole runs as firms grow, and with them offers."""
    costs = []
    for copies in COPIES[:-1] if quick else COPIES:
        say(f"whole runs with every cloud and vendor {copies} times")
        costs.append(apart(cost, BASE, 1, copies, FIRMS_LAST))
        size = f"{costs[-1].firms} firms, {costs[-1].offers} offers"
        yield Row(f"a run to {FIRMS_LAST}", size, "s of processor", costs[-1].seconds)
    firms, taken = [c.firms for c in costs], [median(c.seconds) for c in costs]
    offers = power([c.offers for c in costs], taken)
    yield f"{grows('A run', 'firms', firms, taken)}; it grows with the power {offers:.2f} of their offers."


def with_runs(quick: bool) -> Iterator[Line]:
    """A batch in one process as runs grow."""
    one = apart(cost, BASE, REPEATS)
    most = max(int((QUICK_RUNS_SECONDS if quick else RUNS_SECONDS) / median(one.seconds)), 2)
    sizes = sorted({max(most // tenth, 1) for tenth in TENTHS})
    taken = []
    for runs in sizes:
        say(f"a batch of {runs:,} runs in one process")
        seconds, grown = apart(batch_of, runs)
        taken.append(seconds)
        size = f"{runs:,} runs"
        yield Row("a batch into a store, one process", size, "ms of processor a run", (MS * seconds / runs,))
        yield Row("memory that it leaves", size, "MB", (grown,))
    yield f"{grows('A batch', 'runs', sizes, taken)} ({number(sizes[-1] / taken[-1])} runs a second of one processor)."


def batch_of(runs: int) -> tuple[float, float]:
    """Processor seconds of a batch with metrics and store, how much fuller (MB) it leaves its process."""
    with tempfile.TemporaryDirectory() as store:
        batch.carry_out(plan_of("baseline", [runs + 1], BASE), store, workers=1)
        before, began = memory_mb(), time.process_time()
        made, failed = batch.carry_out(plan_of("baseline", range(1, runs + 1), BASE), store, workers=1)
        taken = time.process_time() - began
        if failed or len(made.failures()):
            raise RuntimeError("a run failed")
    return taken, memory_mb() - before


def measure(quick: bool) -> Iterator[Line]:
    """All four, one after another."""
    for grown in (with_enterprises, with_offers, with_firms, with_runs):
        yield from grown(quick)
