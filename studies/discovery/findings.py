"""What a scenario discovery finds, as rows of its tables: boxes, their limits and how they were peeled, leaves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from evidence.facts import constants
from evidence.judge import wilson
from studies.discovery.box import Box, covered, measures, quasi_p
from studies.discovery.cases import Half
from studies.phrase import words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studies.space import Space

TRAIN, TEST = "peeled", "fresh"
"""The half of the sample in which boxes are sought, and the half on which they are tried."""


@dataclass
class Findings:
    """Rows of the study's tables."""

    claims: list[dict[str, Any]] = field(default_factory=list)
    boxes: list[dict[str, Any]] = field(default_factory=list)
    limits: list[dict[str, Any]] = field(default_factory=list)
    trajectory: list[dict[str, Any]] = field(default_factory=list)
    leaves: list[dict[str, Any]] = field(default_factory=list)


def both(box: Box, halves: tuple[Half, Half]) -> dict[str, float]:
    """Measures of a box on both halves, with the interval of the density on fresh worlds."""
    row: dict[str, float] = {}
    for name, half in zip((TRAIN, TEST), halves, strict=True):
        of = measures(box, half.x, half.y)
        row |= {f"coverage_{name}": of.coverage, f"density_{name}": of.density, f"mass_{name}": of.mass}
        for what, k, n in (("density", of.k, of.n), ("coverage", of.k, of.cases)):
            low, high = wilson(k, n, constants()["interval_level"]) if n else (math.nan, math.nan)
            row |= {f"{what}_{name}_low": low, f"{what}_{name}_high": high}
    return row


def tell_trajectory(
    into: Findings,
    claim: str,
    number: int,
    raw: Sequence[Box],
    said: Sequence[Box],
    best: int,
    halves: tuple[Half, Half],
) -> None:
    """A row a box of one peeling, as peeled (``raw``) and without idle limits (``said``), on both halves."""
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


def tell_limits(
    into: Findings,
    claim: str,
    number: int,
    raw: Box,
    kept: Box,
    space: Space,
    halves: tuple[Half, Half],
    steadiness: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    """A row a limit of a box as peeled, kept or dropped, with what it is worth on both halves."""
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


def tell_box(
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
    row |= both(box, (fresh[0], fresh[1]))
    for name, half, own in zip((TRAIN, TEST), halves, fresh, strict=True):
        of = measures(box, own.x, own.y)
        low, high = interval(of.k, int(half.y.sum()))
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


def interval(k: int, n: int) -> tuple[float, float]:
    """Wilson's interval of a share, nan of nothing."""
    return wilson(k, n, constants()["interval_level"]) if n else (math.nan, math.nan)
