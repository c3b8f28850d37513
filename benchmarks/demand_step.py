"""The enterprises' demand step: ours against one Mesa object an enterprise, and its growth with their number.

The per-object step is written as Mesa's tutorials write a model: an ``Agent`` with a ``step`` and
``model.agents.do("step")``. It has two variants, pure Python and NumPy inside each agent; the faster one is
the reference. All of them compute the same quarter and the shares are compared before anything is timed.

Run: python benchmarks/demand_step.py [--quick]
"""

from __future__ import annotations

import argparse
import ctypes
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import mesa
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that it runs from a clone, uninstalled

from model.demand import new_portfolio, step

Singles = NDArray[np.float32]

OFFERS, MODELS, SEGMENTS = 24, 12, 32
SIGMA1, SIGMA2, ETA = 0.3, 0.8, 0.5
ADOPTION_RATE, PORTFOLIO_RATE = 0.2, 0.35
REFERENCE = 0.0  # ln B_ref
AGREEMENT = 2e-5  # relative, on tokens by segment and offer: single against double precision


@dataclass
class World:
    """A random population and its offers; the numbers only have to be plausible."""

    alpha: Singles
    beta: Singles
    nuisance: Singles
    weight: Singles
    segment: NDArray[np.int32]
    capability: NDArray[np.float64]
    price: NDArray[np.float64]
    offset: Singles
    model: NDArray[np.int64]
    adoption: Singles
    portfolio: Singles

    @classmethod
    def draw(cls, enterprises: int, seed: int = 1) -> World:
        """Draw a world of ``enterprises``, in SEGMENTS segments with OFFERS offers of MODELS models."""
        rng = np.random.default_rng(seed)

        def single(values: NDArray[np.float64]) -> Singles:
            return values.astype(np.float32)

        offset = single(rng.normal(-2.0, 0.7, (SEGMENTS, OFFERS)))
        offset[rng.random((SEGMENTS, OFFERS)) < 0.1] = -np.inf
        return cls(
            alpha=single(1.3 + rng.gamma(2.0, 0.3, enterprises)),
            beta=single(rng.lognormal(0.0, 0.3, enterprises)),
            nuisance=single(rng.lognormal(-2.0, 0.5, enterprises)),
            weight=single(rng.lognormal(3.0, 1.0, enterprises)),
            segment=np.sort(rng.integers(0, SEGMENTS, enterprises)).astype(np.int32),
            capability=rng.normal(0.0, 0.6, OFFERS),
            price=single(rng.lognormal(0.0, 1.0, OFFERS)).astype(np.float64),
            offset=offset,
            model=rng.permutation(np.arange(OFFERS) % MODELS),
            adoption=np.zeros(enterprises, np.float32),
            portfolio=new_portfolio(enterprises, OFFERS),
        )


class RowEnterprise(mesa.Agent):
    """What both objects take from their row of the population."""

    def __init__(self, market: ObjectMarket, row: int) -> None:
        super().__init__(market)
        world = market.world
        self.alpha, self.beta = float(world.alpha[row]), float(world.beta[row])
        self.nuisance, self.weight = float(world.nuisance[row]), float(world.weight[row])
        self.segment = int(world.segment[row])
        self.adoption = 0.0


class PythonEnterprise(RowEnterprise):
    """An enterprise in pure Python, with its offers as plain lists."""

    def __init__(self, market: ObjectMarket, row: int) -> None:
        super().__init__(market, row)
        self.portfolio = [0.0] * OFFERS

    def step(self) -> None:
        """Choose, adopt, move the portfolio and ask for tokens."""
        market: ObjectMarket = self.model
        log, exp = math.log, math.exp
        alpha, beta, nuisance = self.alpha, self.beta, self.nuisance
        near = 1.0 / (1.0 - SIGMA2)
        shrink = (1.0 - SIGMA2) / (1.0 - SIGMA1)
        offset = market.offset_lists[self.segment]
        weights = [0.0] * OFFERS
        nests = []
        for members in market.members[self.segment]:
            values = [
                (beta * market.capability[j] - alpha * log(market.price[j] + nuisance) + offset[j]) * near
                for j in members
            ]
            top = max(values)
            total = 0.0
            for j, value in zip(members, values, strict=True):
                weights[j] = exp(value - top)
                total += weights[j]
            nests.append((members, total, (top + log(total)) * shrink))
        top = max(nest[2] for nest in nests)
        whole = sum(exp(nest[2] - top) for nest in nests)
        log_inclusive = top + log(whole)
        for members, total, inclusive in nests:
            share = exp(inclusive - top) / whole / total
            for j in members:
                weights[j] *= share
        target = 1.0 / (1.0 + exp(-(1.0 - SIGMA1) * log_inclusive))
        self.adoption += ADOPTION_RATE * (target - self.adoption)
        volume = self.weight * exp(ETA * (1.0 - SIGMA1) / alpha * (log_inclusive - REFERENCE))
        held = sum(self.portfolio)
        demand = volume * self.adoption
        tokens = market.tokens[self.segment]
        if held > 0.0:
            keep = (1.0 - PORTFOLIO_RATE) / held
            portfolio = [keep * p + PORTFOLIO_RATE * w for p, w in zip(self.portfolio, weights, strict=True)]
        else:
            portfolio = weights
        self.portfolio = portfolio
        for j, share in enumerate(portfolio):
            tokens[j] += demand * share


class NumpyEnterprise(RowEnterprise):
    """An enterprise that uses NumPy on its own offers; those of a segment are prepared, by model."""

    def __init__(self, market: ObjectMarket, row: int) -> None:
        super().__init__(market, row)
        self.portfolio = np.zeros(market.grouped[self.segment][0].size)
        self.empty = True

    def step(self) -> None:
        """Choose, adopt, move the portfolio and ask for tokens."""
        market: ObjectMarket = self.model
        capability, price, offset, starts, sizes = market.grouped[self.segment]
        value = self.beta * capability
        value -= self.alpha * np.log(price + self.nuisance)
        value += offset
        value /= 1.0 - SIGMA2
        top = value.max()  # one shift is enough for these numbers
        weights = np.exp(value - top)
        total = np.add.reduceat(weights, starts)
        inclusive = (np.log(total) + top) * ((1.0 - SIGMA2) / (1.0 - SIGMA1))
        highest = inclusive.max()
        nest = np.exp(inclusive - highest)
        whole = nest.sum()
        log_inclusive = float(highest) + math.log(whole)
        weights *= (nest / (total * whole)).repeat(sizes)
        target = 1.0 / (1.0 + math.exp(-(1.0 - SIGMA1) * log_inclusive))
        self.adoption += ADOPTION_RATE * (target - self.adoption)
        volume = self.weight * math.exp(ETA * (1.0 - SIGMA1) / self.alpha * (log_inclusive - REFERENCE))
        if self.empty:
            self.portfolio, self.empty = weights, False
        else:
            self.portfolio += PORTFOLIO_RATE * (weights - self.portfolio)
        market.tokens[self.segment] += volume * self.adoption * self.portfolio


class ObjectMarket(mesa.Model):
    """A market of one Mesa object an enterprise."""

    def __init__(self, world: World, kind: type[mesa.Agent]) -> None:
        super().__init__(rng=1)
        self.world = world
        self.pure = kind is PythonEnterprise
        self.capability = world.capability.tolist()
        self.price = world.price.tolist()
        self.offset_lists = world.offset.astype(float).tolist()
        self.members: list[list[list[int]]] = []
        self.grouped: list[tuple[Any, ...]] = []
        self.order: list[NDArray[np.int64]] = []
        for s in range(SEGMENTS):
            members = [
                [j for j in range(OFFERS) if world.model[j] == m and world.offset[s, j] > -np.inf]
                for m in range(MODELS)
            ]
            self.members.append([m for m in members if m])
            order = np.array([j for m in members for j in m])
            sizes = np.array([len(m) for m in members if m])
            starts = np.r_[0, np.cumsum(sizes)[:-1]]
            offset = world.offset[s, order].astype(float)
            self.order.append(order)
            self.grouped.append((world.capability[order], world.price[order], offset, starts, sizes))
        for row in range(world.alpha.size):
            kind(self, row)
        self.tokens: list[Any] = []

    def step(self) -> None:
        """One quarter of demand."""
        if self.pure:
            self.tokens = [[0.0] * OFFERS for _ in range(SEGMENTS)]
        else:
            self.tokens = [np.zeros(order.size) for order in self.order]
        self.agents.do("step")

    def tokens_by_offer(self) -> NDArray[np.float64]:
        """Tokens asked for, (segments, offers)."""
        if self.pure:
            return np.array(self.tokens)
        table = np.zeros((SEGMENTS, OFFERS))
        for s, order in enumerate(self.order):
            table[s, order] = self.tokens[s]
        return table


def ours(world: World, tokens: NDArray[np.float64]) -> Callable[[], None]:
    """Our step over the whole population, as a function without arguments."""

    def run() -> None:
        step(
            world.alpha, world.beta, world.nuisance, world.weight, world.segment,
            world.capability, world.price, world.offset, world.model, SIGMA1, SIGMA2, ETA, REFERENCE,
            ADOPTION_RATE, PORTFOLIO_RATE, world.adoption, world.portfolio, tokens,
        )  # fmt: skip

    return run


def in_c(world: World, tokens: NDArray[np.float64], folder: Path) -> Callable[[], None] | None:
    """The same step in C, compiled here; None where there is no compiler."""
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        return None
    source = Path(__file__).with_suffix(".c")
    part, library = folder / "quarter.o", folder / "quarter.so"
    flags = ["-O3", "-march=native", "-ffast-math", "-fPIC"]
    # linked apart: -ffast-math at the link would change how this whole process rounds small numbers
    compile_it = [compiler, *flags, "-c", str(source), "-o", str(part)]
    link_it = [compiler, "-shared", str(part), "-o", str(library), "-lm"]
    if subprocess.run(compile_it, capture_output=True).returncode:
        return None
    vector_mathematics = [*link_it, "-lmvec"]
    if all(subprocess.run(how, capture_output=True).returncode for how in (vector_mathematics, link_it)):
        return None
    kernel = ctypes.CDLL(str(library)).quarter
    kernel.restype = None
    order = np.argsort(world.model, kind="stable").astype(np.int64)
    quality, price = world.capability.astype(np.float32), world.price.astype(np.float32)
    columns = world.portfolio.T

    def pointer(array: Any) -> ctypes.c_void_p:
        return ctypes.c_void_p(array.ctypes.data)

    def run() -> None:
        kernel(
            ctypes.c_long(world.alpha.size), ctypes.c_long(SEGMENTS), ctypes.c_long(OFFERS),
            *map(pointer, (world.alpha, world.beta, world.nuisance, world.weight, world.segment)),
            *map(pointer, (quality, price, world.offset, order, world.model)),
            *map(ctypes.c_float, (SIGMA1, SIGMA2, ETA, ADOPTION_RATE, PORTFOLIO_RATE)),
            *map(pointer, (world.adoption, columns, tokens)),
        )  # fmt: skip

    return run


def times(run: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each of ``repeats`` calls, after one that is not counted."""
    run()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return taken


def row(name: str, enterprises: int, taken: list[float], reference: float | None = None) -> str:
    """One line of the table: median, spread (quartiles) and ratio to the reference."""
    low, middle, high = np.quantile(taken, [0.25, 0.5, 0.75]) * 1e3
    ratio = "" if reference is None else f"{reference / median(taken):9.0f}x"
    each = middle / enterprises * 1e6
    return f"{name:<28}{enterprises:>10,}{middle:>12.2f}{low:>12.2f}{high:>12.2f}{each:>12.1f}{ratio}"


def agree(enterprises: int, *, with_c: bool = True) -> float:
    """Largest relative difference of tokens by segment and offer after three quarters, over all variants."""
    world, tokens = World.draw(enterprises), np.empty((SEGMENTS, OFFERS))
    run = ours(world, tokens)
    markets = [ObjectMarket(world, PythonEnterprise), ObjectMarket(world, NumpyEnterprise)]
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        twin, in_twin = World.draw(enterprises), np.empty((SEGMENTS, OFFERS))
        compiled = in_c(twin, in_twin, Path(folder)) if with_c else None
        for _ in range(3):
            run()
            tables = []
            for market in markets:
                market.step()
                tables.append(market.tokens_by_offer())
            if compiled is not None:
                compiled()
                tables.append(in_twin)
            for table in tables:
                worst = max(
                    worst, float(np.max(np.abs(tokens - table) / np.maximum(table, 1e-9 * table.max())))
                )
    return worst


def main() -> None:
    """Compare, print the table, and say how time grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer repeats and 10,000 enterprises as the base"
    )
    quick = parser.parse_args().quick
    base, slow, fast = (10_000, 2, 5) if quick else (100_000, 3, 15)

    difference = agree(2_000)
    print(f"shares agree to {difference:.1e} over three quarters (tokens by segment and offer)")
    if difference > AGREEMENT:
        sys.exit(f"the variants disagree by more than {AGREEMENT:g}: nothing to compare")

    print(f"\n{OFFERS} offers of {MODELS} models, {SEGMENTS} segments, one thread; milliseconds a step\n")
    heads = ("firms", "median", "quartile 1", "quartile 3", "ns a firm", "ratio")
    print(
        " " * 28
        + "".join(f"{head:>{wide}}" for head, wide in zip(heads, (10, 12, 12, 12, 12, 10), strict=True))
    )
    world, tokens = World.draw(base), np.empty((SEGMENTS, OFFERS))
    objects = {}
    for name, kind in (
        ("Mesa, pure Python agents", PythonEnterprise),
        ("Mesa, NumPy in agents", NumpyEnterprise),
    ):
        market = ObjectMarket(world, kind)
        objects[name] = times(market.step, slow)
        print(row(name, base, objects[name]), flush=True)
        del market
    reference = min(median(taken) for taken in objects.values())
    mine = times(ours(world, tokens), fast)
    print(row("Undercut, numba", base, mine, reference))
    with tempfile.TemporaryDirectory() as folder:
        compiled = in_c(World.draw(base), np.empty((SEGMENTS, OFFERS)), Path(folder))
        if compiled is None:
            print("C: left out, no compiler here")
        else:
            print(row("C, compiled with -O3", base, times(compiled, fast), reference))

    print("\ngrowth of ours with the population")
    sizes = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000)
    found = []
    for size in sizes:
        taken = times(ours(World.draw(size), tokens), fast)
        found.append(median(taken))
        print(row("Undercut, numba", size, taken))
    power = np.polyfit(np.log(sizes), np.log(found), 1)[0]
    print(f"\ntime grows with the power {power:.2f} of the population")
    print(
        f"at {base:,} enterprises ours is {reference / median(mine):.0f} times as fast as the faster Mesa one"
    )


if __name__ == "__main__":
    main()
