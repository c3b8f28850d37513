"""Scenario discovery: in which worlds a claim fails, as boxes in the space of parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evidence.claims import by_id
from evidence.facts import constants
from evidence.judge import wilson
from scenarios.design import unit_points
from scenarios.plan import PlanError
from scenarios.store import DEFAULT
from studies.counted import Told, counted
from studies.discovery.box import SIGNIFICANT, Box, Measures, covered, measures, quasi_p, reduced
from studies.discovery.cases import CASE, FAILS, LOST, OTHER, UNDEFINED, WHERES, Half, states
from studies.discovery.peeling import repeated, trajectory
from studies.discovery.tree import leaves
from studies.evaluation import Evaluation, evaluate
from studies.phrase import words
from studies.study import Study

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.setting import Setting
    from scenarios.progress import Progress
    from scenarios.runner import Job
    from studies.space import Space

METHODS = ("lhs", "sobol")

FOUND, NOWHERE, EVERYWHERE, FEW, NONE = "found", "nowhere", "everywhere", "too few", "no box"
"""What comes of a claim: boxes; no world or every world is a case; too few of either; no limit is significant."""

LEAST_CASES = 10
"""Cases, and other worlds, without which a half of the sample is not peeled: fewer give limits by luck."""

WIDEST = 0.2
"""Width of the interval of a box's density, on fresh worlds, up to which the sample is taken as large enough."""

TRAIN, TEST = "peeled", "fresh"
"""The half of the sample in which boxes are sought, and the half on which they are tried."""

DESIGN, REPEAT, TREE = range(3)
"""What seeds are drawn for."""


@dataclass
class Findings:
    """Rows of the study's tables."""

    claims: list[dict[str, Any]] = field(default_factory=list)
    boxes: list[dict[str, Any]] = field(default_factory=list)
    limits: list[dict[str, Any]] = field(default_factory=list)
    trajectory: list[dict[str, Any]] = field(default_factory=list)
    leaves: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Question:
    """What is asked of every claim.

    Attributes:
        where: whether worlds are sought in which a claim fails, or holds.
        pick: which box of the first trajectory is chosen, by number; by default the one with the largest phi.
        boxes: how many boxes are sought, each among the worlds that the earlier ones leave.
        seed: of the design, the repetitions and the tree.
    """

    where: str = FAILS
    pick: int | None = None
    boxes: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.where not in WHERES:
            raise PlanError(f"--where {self.where!r}: write {' or '.join(WHERES)}")
        if self.boxes < 1:
            raise PlanError(f"--boxes {self.boxes}: write at least 1")

    def derived(self, *purpose: int) -> int:
        """A seed for one purpose."""
        return int(np.random.SeedSequence([self.seed, *purpose]).generate_state(1)[0])


def discover(claim: str, halves: tuple[Half, Half], space: Space, question: Question, into: Findings) -> str:
    """Seek boxes and leaves for one claim in the first half, and try them on the second; returns what came of it.

    Raises PlanError for a box that the trajectory does not have.
    """
    train, test = halves
    cases, worlds = sum(int(h.y.sum()) for h in halves), sum(len(h.y) for h in halves)
    if not cases:
        return NOWHERE
    if cases == worlds:
        return EVERYWHERE
    if min(int(train.y.sum()), int((~train.y).sum())) < LEAST_CASES:
        return FEW
    chosen: list[Box] = []
    for number in range(question.boxes):
        left = ~covered(chosen, train.x)
        x, y = train.x[left], train.y[left]
        if min(int(y.sum()), int((~y).sum())) < LEAST_CASES:
            break
        raw = trajectory(x, y)
        said = [reduced(box, x, y) for box in raw]
        best = _best([measures(box, x, y) for box in said], question.pick if number == 0 else None)
        box = said[best]
        if not box.limits:
            break
        rest = Half(test.x[~covered(chosen, test.x)], test.y[~covered(chosen, test.x)])
        _tell_trajectory(into, claim, number, raw, said, best, (Half(x, y), rest))
        steadiness = repeated(x, y, raw[best], question.derived(REPEAT, number))
        _tell_limits(into, claim, number, raw[best], box, space, (Half(x, y), rest), steadiness)
        chosen.append(box)
        _tell_box(into, claim, number, best, chosen, space, halves)
    for number, leaf in enumerate(leaves(train.x, train.y, question.derived(TREE))):
        row = {"claim": claim, "leaf": number + 1, "words": words(leaf, space)}
        into.leaves.append(row | _both(leaf, halves))
    return FOUND if chosen else NONE


def _best(of: Sequence[Measures], pick: int | None) -> int:
    """The box that goes with the cases most closely, the earliest of several; or the one asked for."""
    if pick is None:
        return int(np.argmax([each.phi for each in of]))
    if not 0 <= pick < len(of):
        raise PlanError(f"--box {pick}: this trajectory has boxes from 0 to {len(of) - 1}")
    return pick


def _both(box: Box, halves: tuple[Half, Half]) -> dict[str, float]:
    """Measures of a box on both halves, with the interval of the density on fresh worlds."""
    row: dict[str, float] = {}
    for name, half in zip((TRAIN, TEST), halves, strict=True):
        of = measures(box, half.x, half.y)
        row |= {f"coverage_{name}": of.coverage, f"density_{name}": of.density, f"mass_{name}": of.mass}
        for what, k, n in (("density", of.k, of.n), ("coverage", of.k, of.cases)):
            low, high = wilson(k, n, constants()["interval_level"]) if n else (math.nan, math.nan)
            row |= {f"{what}_{name}_low": low, f"{what}_{name}_high": high}
    return row


def _tell_trajectory(
    into: Findings,
    claim: str,
    number: int,
    raw: Sequence[Box],
    said: Sequence[Box],
    best: int,
    halves: tuple[Half, Half],
) -> None:
    for step, (box, kept) in enumerate(zip(raw, said, strict=True)):
        row = {"claim": claim, "box": number + 1, "step": step, "picked": step == best}
        row |= {"dimensions_peeled": box.dimensions, "dimensions": kept.dimensions}
        peeled = measures(box, halves[0].x, halves[0].y)
        row |= {"coverage_raw": peeled.coverage, "density_raw": peeled.density}
        for name, half in zip((TRAIN, TEST), halves, strict=True):
            of = measures(kept, half.x, half.y)
            row |= {f"coverage_{name}": of.coverage, f"density_{name}": of.density, f"mass_{name}": of.mass}
            row |= {f"phi_{name}": of.phi}
        into.trajectory.append(row)


def _tell_limits(
    into: Findings,
    claim: str,
    number: int,
    raw: Box,
    kept: Box,
    space: Space,
    halves: tuple[Half, Half],
    steadiness: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    for limit in raw.limits:
        column, side = limit
        parameter, there = space.parameters[column], limit in kept.limits
        # What is dropped is judged in the box as peeled, what is kept in the box that is described.
        judged = kept if there else raw
        into.limits.append(
            {
                "claim": claim,
                "box": number + 1,
                "parameter": parameter.name,
                "description": parameter.description,
                "unit": parameter.unit,
                "low": parameter.low,
                "high": parameter.high,
                "side": side,
                "value": raw.at(limit),
                "kept": there,
                "quasi_p": quasi_p(judged, limit, halves[0].x, halves[0].y),
                "p_fresh": quasi_p(judged, limit, halves[1].x, halves[1].y),
                "again_by_coverage": float(steadiness[0][column]),
                "again_by_density": float(steadiness[1][column]),
            }
        )


def _tell_box(
    into: Findings,
    claim: str,
    number: int,
    best: int,
    chosen: Sequence[Box],
    space: Space,
    halves: tuple[Half, Half],
) -> None:
    """The newest of the chosen boxes; coverage is of all cases, less what earlier boxes have."""
    earlier, box = chosen[:-1], chosen[-1]
    row: dict[str, Any] = {"claim": claim, "box": number + 1, "step": best, "dimensions": box.dimensions}
    row["words"] = words(box, space)
    fresh = tuple(
        Half(half.x[~covered(earlier, half.x)], half.y[~covered(earlier, half.x)]) for half in halves
    )
    row |= _both(box, (fresh[0], fresh[1]))
    for name, half, own in zip((TRAIN, TEST), halves, fresh, strict=True):
        of = measures(box, own.x, own.y)
        low, high = _interval(of.k, int(half.y.sum()))
        row |= {
            f"coverage_{name}": of.k / max(int(half.y.sum()), 1),
            f"mass_{name}": of.n / max(len(half.y), 1),
        }
        row |= {f"coverage_{name}_low": low, f"coverage_{name}_high": high}
        inside = covered(chosen, half.x)
        row |= {
            f"together_coverage_{name}": float(half.y[inside].sum() / max(half.y.sum(), 1)),
            f"together_density_{name}": float(half.y[inside].mean()) if inside.any() else math.nan,
        }
    into.boxes.append(row)


def _interval(k: int, n: int) -> tuple[float, float]:
    return wilson(k, n, constants()["interval_level"]) if n else (math.nan, math.nan)


def discovery(
    setting: Setting,
    space: Space,
    outcomes: Sequence[str],
    seeds: Sequence[int],
    out: str | Path = DEFAULT,
    *,
    points: int = 512,
    method: str = "lhs",
    question: Question = Question(),
    workers: int | None = None,
    progress: Progress | None = None,
    job: Job | None = None,
    told: Told | None = None,
) -> tuple[Study, Evaluation]:
    """Find the worlds in which each claim fails: PRIM and CART on half of a sample, tried on the other half.

    Args:
        setting: the world around which the parameters vary.
        space: the parameters, drawn from their distributions.
        outcomes: claims by id; ``holds:`` before one changes nothing.
        seeds: the same in every world (common random numbers); the majority of them says whether a claim fails there.
        out: the store.
        points: worlds; half of them are peeled, the other half, a design of its own, is fresh.
        method: ``"lhs"`` or ``"sobol"``.
        question: what is asked of every claim.
        workers, progress, job: as of :func:`studies.evaluation.evaluate`.
        told: hears how many claims are analysed.

    Raises:
        PlanError: the sample makes no sense, or a library is missing.
        StoreError, Interrupted: as :func:`studies.evaluation.evaluate` does.
    """
    if method not in METHODS:
        raise PlanError(f"--sample {method!r}: write {' or '.join(METHODS)}")
    if points < 4 * LEAST_CASES:
        raise PlanError(
            f"--points {points}: too few to find a box and to try it; write at least {4 * LEAST_CASES}"
        )
    claims = tuple(dict.fromkeys(name.rpartition(":")[2] for name in outcomes))
    sizes = (points - points // 2, points // 2)
    unit = [unit_points(method, n, len(space), question.derived(DESIGN, i)) for i, n in enumerate(sizes)]
    x = space.values(np.vstack(unit))
    drawn = [dict(zip(space.names, row, strict=True)) for row in x.tolist()]
    sampled = f"{method}, {sizes[0]} and {sizes[1]} worlds, seed {question.seed}"
    found = evaluate(setting, drawn, seeds, out, sampled=sampled, workers=workers, progress=progress, job=job)

    into, half = Findings(), np.repeat([TRAIN, TEST], sizes)
    worlds: dict[str, Any] = {"half": half, **{name: x[:, i] for i, name in enumerate(space.names)}}
    for claim in counted("claims", claims, told):
        state, share = states(found, claim, question.where)
        worlds[f"state:{claim}"], worlds[f"share:{claim}"] = state, share
        of = np.array(state)
        judged = np.isin(of, (CASE, OTHER))
        halves = tuple(
            Half(x[judged & (half == h)], (of == CASE)[judged & (half == h)]) for h in (TRAIN, TEST)
        )
        status = discover(claim, (halves[0], halves[1]), space, question, into)
        into.claims.append(_claim(claim, question.where, status, of, share, len(halves[0].y)))
    asked = {
        "scenario": setting.name,
        "overrides": setting.parameters.overridden,
        "claims": list(claims),
        "where": question.where,
        "over": list(space.names),
        "points": points,
        "method": method,
        "seeds": list(seeds),
        "box": question.pick,
        "boxes": question.boxes,
        "seed": question.seed,
        "significant": SIGNIFICANT,
    }
    about = by_id()[claims[0]].statement if len(claims) == 1 else f"{len(claims)} claims"
    tables = {name: pd.DataFrame(rows) for name, rows in vars(into).items()} | {
        "worlds": pd.DataFrame(worlds)
    }
    notes = tuple(_notes(found, into, points))
    study = Study(
        "discovery", f"Where it {question.where}: {about}", asked, tables, (found.batch.name,), notes
    )
    return study, found


def _claim(
    claim: str, where: str, status: str, state: NDArray[np.str_], share: NDArray[np.float64], peeled: int
) -> dict[str, Any]:
    """How many worlds are what, and how far the seeds of a world agree."""
    cases, others = int((state == CASE).sum()), int((state == OTHER).sum())
    low, high = _interval(cases, cases + others)
    split = np.isin(state, (CASE, OTHER)) & (share > 0.0) & (share < 1.0)
    return {
        "claim": claim,
        "statement": by_id()[claim].statement,
        "where": where,
        "status": status if cases + others else UNDEFINED,
        "worlds": cases + others,
        "peeled": peeled,
        "cases": cases,
        "rate": cases / (cases + others) if cases + others else math.nan,
        "rate_low": low,
        "rate_high": high,
        "undefined": int((state == UNDEFINED).sum()),
        "lost": int((state == LOST).sum()),
        "disagree": int(split.sum()),
    }


def _notes(found: Evaluation, into: Findings, points: int) -> Iterator[str]:
    if found.failed.any():
        lost = into.claims[0]["lost"]
        yield (
            f"{int(found.failed.sum())} of {found.failed.size} runs failed: a world is judged by the seeds that ended, and "
            f"worlds without one are left out ({lost})."
        )
    for row in into.claims:
        if row["undefined"]:
            yield f"{row['claim']} is undefined in {row['undefined']} worlds, which are neither cases nor others."
        if row["status"] == FEW:
            least = min(row["cases"], row["worlds"] - row["cases"])
            needed = math.ceil(points * 2.0 * LEAST_CASES / max(least, 1) / 10.0) * 10
            yield (
                f"{row['claim']}: {row['cases']} cases among {row['worlds']} worlds are too few (or too many) to describe; "
                f"about {needed:,} worlds would do."
            )
    for row in into.boxes:
        wide = row[f"density_{TEST}_high"] - row[f"density_{TEST}_low"]
        if math.isnan(wide):
            yield f"{row['claim']}, box {row['box']}: no fresh world lies in it; take about {2 * points:,} worlds."
        elif wide > WIDEST:
            needed = math.ceil(points * (wide / WIDEST) ** 2 / 10.0) * 10
            needed = (
                math.ceil(points * (min(wide, 1.0) / WIDEST) ** 2 / 10.0) * 10 if wide == wide else 2 * points
            )
            yield (
                f"{row['claim']}, box {row['box']}: the density on fresh worlds is known to within {wide:.2f} only; for "
                f"{WIDEST:g} about {needed:,} worlds are needed."
            )
