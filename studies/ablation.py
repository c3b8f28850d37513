"""Turns each cause off over the same seeds and measures how far each claimed outcome moves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence import ensemble
from evidence.claims import Claim, claims
from evidence.facts import constants
from evidence.metrics import outcomes as outcomes_of
from model.place import CAUSES
from scenarios.batch import Batch, run
from scenarios.plan import Plan, members_of
from scenarios.runner import Failure, Job
from scenarios.store import DEFAULT

if TYPE_CHECKING:
    from evidence.ensemble import Outcomes
    from model.setting import Setting
    from scenarios.progress import Progress


@dataclass(frozen=True)
class Effect:
    """What turning one cause off does to one outcome.

    ``with_cause`` and ``without_cause`` are means over the seeds in which both are defined, ``change`` the
    mean of the differences seed by seed (without less with), ``change_low`` and ``change_high`` its interval.
    """

    cause: str
    claim: str
    statement: str
    unit: str
    with_cause: float
    without_cause: float
    change: float
    change_low: float
    change_high: float
    seeds: int

    @property
    def moves(self) -> bool:
        """Whether the interval of the change leaves zero out."""
        return self.change_low > 0.0 or self.change_high < 0.0


@dataclass(frozen=True)
class Ablation:
    """The effects of all causes on all claimed outcomes, over the same seeds."""

    causes: tuple[str, ...]
    effects: tuple[Effect, ...]
    seeds: int
    batch: Batch
    by_chance: tuple[Failure, ...]

    def rows(self) -> list[dict[str, Any]]:
        """The effects as plain data, the clearest of each cause first."""
        ordered = sorted(
            self.effects, key=lambda effect: (self.causes.index(effect.cause), -clearness(effect))
        )
        return [{**vars(effect), "moves": effect.moves} for effect in ordered]


def outcomes() -> tuple[Claim, ...]:
    """The claimed outcomes: the headline readings of claims that name no cause themselves."""
    return tuple(claim for claim in claims() if claim.headline and not claim.effect)


def ablate(
    setting: Setting,
    seeds: Sequence[int],
    out: str | Path = DEFAULT,
    workers: int | None = None,
    progress: Progress | None = None,
    job: Job | None = None,
) -> Ablation:
    """Run every seed with all causes and without each of them, into a store; what it has is not made again.

    Causes that the setting has turned off already are left out. Runs that fail are reported, and their seeds
    do not count for the causes concerned. Raises StoreError when the store cannot be written to.
    """
    job = job or Job(measure=outcomes_of)
    members = members_of([(setting, "")], causes=CAUSES)
    plan = Plan(members, tuple(seeds), len(seeds), "headline", job.simulation, study=True)
    batch, by_chance = run(plan, job, out, workers=workers, progress=progress)
    label = members[0].label
    others, own = batch.counterfactuals(label), batch.world(label)
    values = ensemble.outcomes(batch, [own, *others.values()])
    effects = [
        effect(cause, claim, values[own], values[world])
        for cause, world in others.items()
        for claim in outcomes()
    ]
    return Ablation(tuple(others), tuple(effects), len(values[own]), batch, by_chance)


def effect(cause: str, claim: Claim, own: Outcomes, without: Outcomes) -> Effect:
    """The paired effect of a cause on a claim's outcome; nan if no seed has both.

    Args:
        cause: what is turned off.
        claim: whose outcome it is.
        own: outcomes by seed and claim id with the cause.
        without: the same without it.
    """
    seeds = [seed for seed in own if seed in without]
    values = [(own[s].get(claim.id, math.nan), without[s].get(claim.id, math.nan)) for s in seeds]
    pairs = [pair for pair in values if not any(map(math.isnan, pair))]
    change, low, high = paired_interval([b - a for a, b in pairs], constants()["interval_level"])
    with_cause, without_cause = (_mean([pair[side] for pair in pairs]) for side in (0, 1))
    return Effect(
        cause, claim.id, claim.statement, claim.unit, with_cause, without_cause, change, low, high, len(pairs)
    )


def paired_interval(differences: Sequence[float], level: float) -> tuple[float, float, float]:
    """Mean of paired differences with its interval by Student's t at a confidence level between 0 and 1.

    One difference alone has an interval without bounds; none has a mean of nan.
    """
    count, mean = len(differences), _mean(differences)
    if count < 2:
        return mean, -math.inf, math.inf
    from scipy.special import stdtrit

    spread = math.sqrt(sum((d - mean) ** 2 for d in differences) / (count - 1))
    half = float(stdtrit(count - 1, (1.0 + level) / 2.0)) * spread / math.sqrt(count)
    return mean, mean - half, mean + half


def clearness(effect: Effect) -> float:
    """How many half-widths of its interval a change is from zero; the order in which effects are printed."""
    half = (effect.change_high - effect.change_low) / 2.0
    if not math.isfinite(effect.change) or effect.change == 0.0:
        return 0.0
    return abs(effect.change) / half if half > 0.0 else math.inf


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
