"""The search for boxes: PRIM, one box after another, and CART, in one half of the worlds, tried on the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scenarios.plan import PlanError
from studies.discovery.box import Box, Measures, covered, measures, reduced
from studies.discovery.cases import Half
from studies.discovery.findings import Findings, both, tell_box, tell_limits, tell_trajectory
from studies.discovery.peeling import repeated, trajectory
from studies.discovery.question import REPEAT, TREE, Question
from studies.discovery.tree import leaves
from studies.phrase import words

if TYPE_CHECKING:
    from studies.space import Space

FOUND, NOWHERE, EVERYWHERE, FEW, NONE = "found", "nowhere", "everywhere", "too few", "no box"
"""What comes of a claim: boxes; no world or every world is a case; too few of either; no limit is significant."""

LEAST_CASES = 10
"""Cases, and other worlds, without which a half of the sample is not peeled: fewer give limits by luck."""


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
        tell_trajectory(into, claim, number, raw, said, best, (Half(x, y), rest))
        steadiness = repeated(x, y, raw[best], question.derived(REPEAT, number))
        tell_limits(into, claim, number, raw[best], box, space, (Half(x, y), rest), steadiness)
        chosen.append(box)
        tell_box(into, claim, number, best, chosen, space, halves)
    for number, leaf in enumerate(leaves(train.x, train.y, question.derived(TREE))):
        row = {"claim": claim, "leaf": number + 1, "words": words(leaf, space)}
        into.leaves.append(row | both(leaf, halves))
    return FOUND if chosen else NONE


def _best(of: Sequence[Measures], pick: int | None) -> int:
    """The box that goes with the cases most closely, the earliest of several; or the one asked for."""
    if pick is None:
        return int(np.argmax([each.phi for each in of]))
    if not 0 <= pick < len(of):
        raise PlanError(f"--box {pick}: this trajectory has boxes from 0 to {len(of) - 1}")
    return pick
