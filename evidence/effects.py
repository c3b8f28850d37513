"""Effects of causes: what of an outcome goes away when a cause is turned off, seed by seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from evidence.facts import constants
from evidence.record import ratio
from model.place import CAUSES

WHAT_IFS = ("consortium", "model_export_rules", "backer_capture")
"""Worlds with something added to the baseline, that scenarios provide: the consortium of the second
article, export rules that reach the model's weights, and one backer's capture of DeepSeek."""

WORLDS = (*CAUSES, *WHAT_IFS)
"""The counterfactual worlds that claims compare a run with."""


def _part(outcome: float, without: float) -> float:
    """Share of an outcome that goes away without the cause; nan where the outcome is not above a small
    positive change, since a share of nothing says nothing."""
    if not outcome > constants()["smallest_outcome"]:
        return math.nan
    return ratio(outcome - without, outcome)


def _less(outcome: float, without: float) -> float:
    """The outcome less the outcome in the other world: what the cause adds."""
    return outcome - without


def _more(outcome: float, other: float) -> float:
    """The outcome in the other world less the outcome: what the other world adds."""
    return other - outcome


def _against(outcome: float, without: float, without_rival: float) -> float:
    """What the first cause adds to the outcome less what the second one adds: above 0, the first matters
    more."""
    return (outcome - without) - (outcome - without_rival)


EFFECTS: Mapping[str, tuple[int, Callable[..., float]]] = {
    "part": (1, _part),
    "less": (1, _less),
    "more": (1, _more),
    "against": (2, _against),
}
"""Each effect with the number of causes that it compares, in words in the docstrings above."""

DESCRIPTIONS = {name: " ".join((function.__doc__ or "").split()) for name, (_, function) in EFFECTS.items()}


def unit_of(effect: str, unit: str) -> str:
    """The unit of an effect on an outcome in ``unit``."""
    return "share of outcome" if effect == "part" else unit


def effect_of(effect: str, outcome: float, others: tuple[float, ...]) -> float:
    """The effect on an outcome, given the same outcome in each other world, in order.

    Raises:
        KeyError: there is no such effect.
        ValueError: it compares another number of worlds.
    """
    count, function = EFFECTS[effect]
    if len(others) != count:
        raise ValueError(f"the effect {effect!r} compares {count} other worlds, not {len(others)}")
    return float(function(outcome, *others))
