"""Evaluates every claim on the recorded tables of one run, and on those of its counterfactual runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

# Importing the modules of metrics fills the registry.
from evidence import buyers, chips, clouds, contest, hosting, institutions, prices, products, racks, revenue
from evidence.claims import Claim, claims
from evidence.effects import effect_of
from evidence.period import period
from evidence.record import Record
from evidence.registry import METRICS, Metric

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["METRICS", "Metric", "evaluate", "evaluate_metric", "needed_worlds"]

MODULES = (buyers, chips, clouds, contest, hosting, institutions, prices, products, racks, revenue)

Tables = Mapping[str, "DataFrame"]


def evaluate_metric(record: Record, name: str, when: str, subject: str) -> float:
    """The value of one metric for a period such as ``"2024 -> by 2027"``, in the metric's unit.

    nan when it is undefined, or when a quarter of the period is not on record.

    Raises:
        KeyError: there is no such metric, or the run lacks a table.
    """
    span = period(when)
    if not set(span.needed) <= set(record.quarters()):
        return math.nan
    return METRICS[name](record, span, subject)


def evaluate(
    tables: Tables,
    counterfactuals: Mapping[str, Tables] | None = None,
    asked: Iterable[Claim] | None = None,
) -> dict[str, float]:
    """What one run says on each claim: the claim's metric by claim id, in the claim's unit; nan when
    undefined.

    Args:
        tables: the run's tables by name, following ``model/schema.csv``.
        counterfactuals: tables of runs with the same seed, by the cause that they turn off or the what-if
            that they add (``evidence.effects.WORLDS``). A claim that compares with a world that is not given
            is left out of the result, since it was not tested.
        asked: the claims to evaluate; all of them by default.
    """
    others = {world: Record(other) for world, other in (counterfactuals or {}).items()}
    run = Record(tables)
    values: dict[str, float] = {}
    for claim in claims() if asked is None else asked:
        if any(world not in others for world in claim.worlds):
            continue
        values[claim.id] = _value(claim, run, others)
    return values


def needed_worlds(asked: Iterable[Claim] | None = None) -> tuple[str, ...]:
    """The counterfactual worlds that claims need, in the order of the registry."""
    worlds = {world: None for claim in (claims() if asked is None else asked) for world in claim.worlds}
    return tuple(worlds)


def _value(claim: Claim, run: Record, others: Mapping[str, Record]) -> float:
    outcome = evaluate_metric(run, claim.metric, claim.period, claim.subject)
    if not claim.effect:
        return outcome
    compared = tuple(
        evaluate_metric(others[w], claim.metric, claim.period, claim.subject) for w in claim.worlds
    )
    return effect_of(claim.effect, outcome, compared)
