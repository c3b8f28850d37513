"""The enterprises' demand step on one thread: ours, one Mesa object an enterprise, NumPy arrays, and C.

All variants start from the same world, and their tokens by segment and offer must agree over three quarters before
anything is timed. The ratio is the time of the faster Mesa variant over that of the row.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.demand_arrays import ArrayStep
from benchmarks.demand_objects import NumpyEnterprise, ObjectMarket, PythonEnterprise
from benchmarks.demand_world import (
    ADOPTION_RATE,
    ETA,
    MODELS,
    OFFERS,
    PORTFOLIO_RATE,
    REFERENCE,
    SEGMENTS,
    SIGMA1,
    SIGMA2,
    Floats,
    World,
)
from benchmarks.table import Line, Row, grows
from benchmarks.turns import MS, Disagreement, by_turns, say
from model.demand import step
from scenarios.scenario import load

AGREEMENT = 2e-5
"""Relative, on tokens by segment and offer: single against double precision."""
AGREEING, QUARTERS = 2_000, 3
"""Enterprises and quarters over which all variants are compared."""
NEGLIGIBLE = 1e-9
"""Tokens below this part of the largest are compared as if they were so many."""

SLICE_S = 0.1
"""What a variant gets in each turn, if it is not slower."""
TURNS, QUICK_TURNS = 5, 2
SIZES = (10_000, 100_000, 1_000_000)
BASE, QUICK_BASE = 100_000, 10_000
TRAITS = 100_000
"""Enterprises of the market whose columns are weighed."""

OURS, C = "Undercut, numba", "C, -O3 -march=native -ffast-math"
PURE, NUMPY = "Mesa, pure Python agents", "Mesa, NumPy in agents"
DOUBLE, SINGLE = "NumPy arrays, float64", "NumPy arrays, float32 in blocks"


class Ours:
    """Our step over the whole population."""

    def __init__(self, world: World) -> None:
        self.world, self.tokens = world, np.empty(world.offset.shape)

    def step(self) -> None:
        """One quarter of demand."""
        world = self.world
        step(
            world.alpha, world.beta, world.nuisance, world.weight, world.segment,
            world.capability, world.price, world.offset, world.model, SIGMA1, SIGMA2, ETA, REFERENCE,
            ADOPTION_RATE, PORTFOLIO_RATE, world.adoption, world.portfolio, self.tokens,
        )  # fmt: skip


def compiled(folder: Path) -> Any:
    """``demand_step.c`` as a function, compiled into a folder; None where there is no compiler."""
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
    return kernel


class InC:
    """The same step in C."""

    def __init__(self, world: World, kernel: Any) -> None:
        self.world, self.tokens, self.kernel = world, np.empty((SEGMENTS, OFFERS)), kernel
        self.order = np.argsort(world.model, kind="stable").astype(np.int64)
        self.quality, self.price = world.capability.astype(np.float32), world.price.astype(np.float32)

    def step(self) -> None:
        """One quarter of demand."""

        def pointer(array: Any) -> ctypes.c_void_p:
            return ctypes.c_void_p(array.ctypes.data)

        world = self.world
        self.kernel(
            ctypes.c_long(world.alpha.size), ctypes.c_long(SEGMENTS), ctypes.c_long(OFFERS),
            *map(pointer, (world.alpha, world.beta, world.nuisance, world.weight, world.segment)),
            *map(pointer, (self.quality, self.price, world.offset, self.order, world.model)),
            *map(ctypes.c_float, (SIGMA1, SIGMA2, ETA, ADOPTION_RATE, PORTFOLIO_RATE)),
            *map(pointer, (world.adoption, world.portfolio.T, self.tokens)),
        )  # fmt: skip


def variants(enterprises: int, kernel: Any) -> dict[str, Any]:
    """Every variant, each with a world of its own from the same draw; C only with its kernel."""

    def world() -> World:
        return World.draw(enterprises)

    made = {
        PURE: ObjectMarket(world(), PythonEnterprise),
        NUMPY: ObjectMarket(world(), NumpyEnterprise),
        DOUBLE: ArrayStep(world(), blocked=False),
        SINGLE: ArrayStep(world(), blocked=True),
        OURS: Ours(world()),
    }
    return made if kernel is None else {**made, C: InC(world(), kernel)}


def agree(enterprises: int, kernel: Any) -> float:
    """Largest relative difference of tokens by segment and offer from ours, over all variants and some quarters."""
    worst, made = 0.0, variants(enterprises, kernel)
    for _ in range(QUARTERS):
        for variant in made.values():
            variant.step()
        tables = {name: by_offer(name, variant) for name, variant in made.items()}
        mine = tables.pop(OURS)
        for table in tables.values():
            least = NEGLIGIBLE * table.max()
            worst = max(worst, float(np.max(np.abs(mine - table) / np.maximum(table, least))))
    return worst


def by_offer(name: str, variant: Any) -> Floats:
    """The tokens of a variant's last quarter, (segments, offers)."""
    found: Floats = variant.tokens_by_offer() if name in (PURE, NUMPY) else variant.tokens.copy()
    return found


def traits(enterprises: int) -> float:
    """Bytes of all columns of the market's own population an enterprise, but for its portfolio."""
    from model.market import Market

    market = Market(load("baseline", {"enterprises": float(enterprises)}), 1)
    columns = (
        value
        for name, value in vars(market.population).items()
        if isinstance(value, np.ndarray) and enterprises in value.shape and name != "portfolio"
    )
    return sum(column.nbytes for column in columns) / enterprises


def measure(quick: bool) -> Iterator[Line]:
    """Compare the results, then time all variants by turns, and ours as the population grows."""
    with tempfile.TemporaryDirectory() as folder:
        kernel = compiled(Path(folder))
        if kernel is None:
            yield "C is left out: there is no C compiler here."
        far = agree(AGREEING, kernel)
        if far > AGREEMENT:
            raise Disagreement(
                f"the variants disagree by {far:.1e}, more than {AGREEMENT:g}: nothing to compare"
            )
        yield (
            f"Tokens of {AGREEING:,} enterprises agree to {far:.1e} over {QUARTERS} quarters. "
            f"{OFFERS} offers of {MODELS} models, {SEGMENTS} segments."
        )
        base, turns = (QUICK_BASE, QUICK_TURNS) if quick else (BASE, TURNS)
        made = variants(base, kernel)
        say(f"{len(made)} variants by turns, {base:,} enterprises")
        taken = by_turns({name: variant.step for name, variant in made.items()}, turns, SLICE_S)
        del made
        reference = min(median(taken[name]) for name in (PURE, NUMPY))
        for name, seconds in taken.items():
            yield row(name, base, seconds, reference / median(seconds))
        sizes = [size for size in SIZES if size <= base * 10]
        found: list[list[float]] = []
        for size in sizes:
            steps: dict[str, Callable[[], None]] = {OURS: Ours(World.draw(size)).step}
            if kernel is not None:
                steps[C] = InC(World.draw(size), kernel).step
            taken = by_turns(steps, turns, SLICE_S)
            found.append(taken[OURS])
            if size != base:
                for name, seconds in taken.items():
                    yield row(name, size, seconds)
    yield f"{grows('Our step', 'enterprises', sizes, [median(seconds) for seconds in found])}."
    yield Row(
        "traits beside the portfolio", f"{TRAITS:,} enterprises", "bytes an enterprise", (traits(TRAITS),)
    )


def row(name: str, enterprises: int, seconds: list[float], ratio: float | None = None) -> Row:
    """A variant's row."""
    return Row(name, f"{enterprises:,} enterprises", "ms a step", tuple(MS * s for s in seconds), ratio)
