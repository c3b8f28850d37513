"""What a scenario discovery asks of every claim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.quotation import quoted
from scenarios.plan import PlanError
from studies.discovery.cases import FAILS, WHERES

DESIGN, REPEAT, TREE = range(3)
"""What seeds are drawn for."""


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
            raise PlanError(f"--where {quoted(self.where)}: write {' or '.join(WHERES)}")
        if self.boxes < 1:
            raise PlanError(f"--boxes {self.boxes}: write at least 1")

    def derived(self, *purpose: int) -> int:
        """A seed for one purpose."""
        return int(np.random.SeedSequence([self.seed, *purpose]).generate_state(1)[0])
