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

__all__ = ["METRICS", "Metric", "compare", "evaluate", "evaluate_metric", "needed_worlds", "outcomes"]

MODULES = (buyers, chips, clouds, contest, hosting, institutions, prices, products, racks, revenue)

Tables = Mapping[str, "DataFrame"]


def evaluate_metric(record: Record, name: str, when: str, subject: str) -> float:
    """The value of one metric for a period such as ``"2024 -> by 2027"``, in the metric's unit.

    nan when it is undefined, or when a quarter of the period is not on record.

    Raises:
        KeyError: there is no such metric, or the run lacks a table.
    """
    span = period(when)
    if not record.known.issuperset(span.needed):
        return math.nan
    return METRICS[name](record, span, subject)


def outcomes(tables: Tables, asked: Iterable[Claim] | None = None) -> dict[str, float]:
    """The metric of each claim in one run, by claim id; nan when undefined.

    Of a claim about a cause it is the outcome in this run's world, before any comparison: :func:`compare`
    makes the effect of it.
    """
    run = Record(tables)
    return {
        claim.id: evaluate_metric(run, claim.metric, claim.period, claim.subject)
        for claim in (claims() if asked is None else asked)
    }


def compare(
    own: Mapping[str, float],
    others: Mapping[str, Mapping[str, float]] | None = None,
    asked: Iterable[Claim] | None = None,
) -> dict[str, float]:
    """What one run says on each claim, by claim id, in the claim's unit; nan when undefined.

    Args:
        own: the run's :func:`outcomes`.
        others: outcomes of runs with the same seed, by the cause that they turn off or the what-if that they
            add (``evidence.effects.WORLDS``). A claim that compares with a world that is not given is left
            out of the result, since it was not tested.
        asked: the claims; all of them by default.
    """
    worlds = others or {}
    values: dict[str, float] = {}
    for claim in claims() if asked is None else asked:
        if claim.id not in own or any(claim.id not in worlds.get(world, {}) for world in claim.worlds):
            continue
        outcome = own[claim.id]
        if claim.effect:
            outcome = effect_of(
                claim.effect, outcome, tuple(worlds[world][claim.id] for world in claim.worlds)
            )
        values[claim.id] = outcome
    return values


def evaluate(
    tables: Tables,
    counterfactuals: Mapping[str, Tables] | None = None,
    asked: Iterable[Claim] | None = None,
) -> dict[str, float]:
    """What one run says on each claim, from its tables and those of its counterfactual runs: see :func:`compare`."""
    wanted = tuple(claims() if asked is None else asked)
    others = {world: outcomes(other, wanted) for world, other in (counterfactuals or {}).items()}
    return compare(outcomes(tables, wanted), others, wanted)


def needed_worlds(asked: Iterable[Claim] | None = None) -> tuple[str, ...]:
    """The counterfactual worlds that claims need, in the order of the registry."""
    worlds = {world: None for claim in (claims() if asked is None else asked) for world in claim.worlds}
    return tuple(worlds)
