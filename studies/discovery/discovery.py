"""Scenario discovery: in which worlds a claim fails, as boxes in the space of parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evidence.claims import by_id
from model.quotation import quoted
from scenarios.design import unit_points
from scenarios.plan import PlanError
from scenarios.store import DEFAULT
from studies.counted import Told, counted
from studies.discovery.box import SIGNIFICANT
from studies.discovery.cases import CASE, LOST, OTHER, UNDEFINED, Half, states
from studies.discovery.findings import TEST, TRAIN, Findings, interval
from studies.discovery.question import DESIGN, Question
from studies.discovery.search import FEW, LEAST_CASES, discover
from studies.evaluation import Evaluation, evaluate
from studies.study import Study

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.setting import Setting
    from scenarios.progress import Progress
    from scenarios.runner import Job
    from studies.space import Space

METHODS = ("lhs", "sobol")

WIDEST = 0.2
"""Width of the interval of a box's density, on fresh worlds, up to which the sample is taken as large enough."""


def discovery(
    setting: Setting,
    space: Space,
    outcomes: Sequence[str],
    seeds: Sequence[int],
    out: str | Path = DEFAULT,
    *,
    points: int = 512,
    method: str = "lhs",
    question: Question | None = None,
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
        question: what is asked of every claim; by default where it fails.
        workers, progress, job: as of :func:`studies.evaluation.evaluate`.
        told: hears how many claims are analysed.

    Raises:
        PlanError: the sample makes no sense, or a library is missing.
        StoreError, Interrupted: as :func:`studies.evaluation.evaluate` does.
    """
    question = question or Question()
    if method not in METHODS:
        raise PlanError(f"--sample {quoted(method)}: write {' or '.join(METHODS)}")
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
        into.claims.append(_claim(claim, question.where, status, of, share, halves[0]))
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
    claim: str, where: str, status: str, state: NDArray[np.str_], share: NDArray[np.float64], peeled: Half
) -> dict[str, Any]:
    """How many worlds are what, and how far the seeds of a world agree."""
    cases, others = int((state == CASE).sum()), int((state == OTHER).sum())
    low, high = interval(cases, cases + others)
    split = np.isin(state, (CASE, OTHER)) & (share > 0.0) & (share < 1.0)
    return {
        "claim": claim,
        "statement": by_id()[claim].statement,
        "where": where,
        "status": status if cases + others else UNDEFINED,
        "worlds": cases + others,
        "peeled": len(peeled.y),
        "least": min(int(peeled.y.sum()), int((~peeled.y).sum())),
        "cases": cases,
        "rate": cases / (cases + others) if cases + others else math.nan,
        "rate_low": low,
        "rate_high": high,
        "undefined": int((state == UNDEFINED).sum()),
        "lost": int((state == LOST).sum()),
        "disagree": int(split.sum()),
    }


def few_note(claims: Iterable[Mapping[str, Any]], points: int) -> Iterator[str]:
    """How many worlds would do, of each claim with too few of either kind in the half that is peeled.

    Args:
        claims: rows of the table of claims.
        points: worlds that there are.
    """
    for row in claims:
        if row["status"] == FEW:
            needed = _tens(points * LEAST_CASES / max(row["least"], 1))
            yield (
                f"{row['claim']}: {row['cases']} cases among {row['worlds']} worlds, and no more than {row['least']} of the "
                f"rarer kind in the half that is peeled, are too few to describe; about {needed:,} worlds would do."
            )


def _tens(worlds: float) -> int:
    return math.ceil(worlds / 10.0) * 10


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
    yield from few_note(into.claims, points)
    for row in into.boxes:
        wide = row[f"density_{TEST}_high"] - row[f"density_{TEST}_low"]
        if math.isnan(wide):
            yield f"{row['claim']}, box {row['box']}: no fresh world lies in it; take about {2 * points:,} worlds."
        elif wide > WIDEST:
            needed = _tens(points * (wide / WIDEST) ** 2)
            yield (
                f"{row['claim']}, box {row['box']}: the density on fresh worlds is known to within {wide:.2f} only; for "
                f"{WIDEST:g} about {needed:,} worlds are needed."
            )
