"""Turns each cause off over the same seeds and measures how far each claimed outcome moves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evidence.claims import Claim, claims
from evidence.facts import constants
from evidence.metrics import evaluate
from model.place import CAUSES
from scenarios.counterfactual import worlds
from scenarios.runner import Failure, Job, run_job

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pandas import DataFrame

    from model.setting import Setting
    from scenarios.progress import Progress

    Tables = Mapping[str, DataFrame]

BETWEEN = "/"
"""Between the name of a world and the id of a claim in the names of this study's measures."""


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
    failures: tuple[Failure, ...]

    def rows(self) -> list[dict[str, Any]]:
        """The effects as plain data, the clearest of each cause first."""
        ordered = sorted(
            self.effects, key=lambda effect: (self.causes.index(effect.cause), -clearness(effect))
        )
        return [{**vars(effect), "moves": effect.moves} for effect in ordered]


def outcomes() -> tuple[Claim, ...]:
    """The claimed outcomes: the headline readings of claims that name no cause themselves."""
    return tuple(claim for claim in claims() if claim.headline and not claim.effect)


def measure(tables: Tables, counterfactuals: Mapping[str, Tables]) -> dict[str, float]:
    """Every outcome in the run and in each other world, by ``world/claim`` (the run's own as ``/claim``)."""
    asked = outcomes()
    found = {}
    for world, frames in {"": tables, **counterfactuals}.items():
        found.update(
            {f"{world}{BETWEEN}{name}": value for name, value in evaluate(frames, asked=asked).items()}
        )
    return found


def ablate(
    setting: Setting, seeds: Sequence[int], workers: int | None = None, progress: Progress | None = None
) -> Ablation:
    """Run every seed with all causes and without each of them.

    Causes that the setting has turned off already are left out. Runs that fail are reported, and their seeds
    do not count for the causes concerned.
    """
    others = worlds(setting, CAUSES)
    job = Job(setting, others, measure=measure, keep_tables=False)
    values: list[Mapping[str, float]] = []
    failures: list[Failure] = []
    for outcome in run_job(job, seeds, workers, progress):
        failures += outcome.failures
        if outcome.ok:
            values.append(outcome.metrics)
    causes = tuple(name for name, _ in others)
    effects = [effect(cause, claim, values) for cause in causes for claim in outcomes()]
    return Ablation(causes, tuple(effects), len(values), tuple(failures))


def effect(cause: str, claim: Claim, values: Iterable[Mapping[str, float]]) -> Effect:
    """The paired effect of a cause on a claim's outcome, from the measures of each seed; nan if no pair."""
    pairs = [
        (row.get(f"{BETWEEN}{claim.id}", math.nan), row.get(f"{cause}{BETWEEN}{claim.id}", math.nan))
        for row in values
    ]
    pairs = [(own, other) for own, other in pairs if math.isfinite(own) and math.isfinite(other)]
    change, low, high = paired_interval([other - own for own, other in pairs], constants()["interval_level"])
    own, other = (_mean([pair[side] for pair in pairs]) for side in (0, 1))
    return Effect(cause, claim.id, claim.statement, claim.unit, own, other, change, low, high, len(pairs))


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
