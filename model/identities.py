"""The identities of the accounts: what must hold in every quarter, and the error that says which broke."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Key = TypeVar("Key", bound=Hashable)

TOLERANCE = 1e-9
"""Relative error that floating point may leave in an identity (the specification's figure)."""
SINGLE = 1e-5
"""The same of shares that are kept in single precision."""


class BrokenIdentity(RuntimeError):
    """An identity of the accounts does not hold: the run is wrong and stops.

    ``identity`` is the sentence that should be true, ``quarter`` when it was not, ``where`` which firm, chip
    or edge, and ``size`` by how much, in the unit of what was compared.
    """

    def __init__(self, identity: str, quarter: str, size: float, where: str = "") -> None:
        super().__init__(identity, quarter, size, where)
        self.identity = identity
        self.quarter = quarter
        self.size = size
        self.where = where

    def __str__(self) -> str:
        place = f" at {self.where}" if self.where else ""
        return f"In {self.quarter} it does not hold that {self.identity}{place}: off by {self.size:.6g}."


def check_equal(
    identity: str,
    quarter: str,
    left: ArrayLike,
    right: ArrayLike,
    tolerance: float = TOLERANCE,
    labels: Sequence[Hashable] | None = None,
    scale: ArrayLike = 0.0,
) -> None:
    """Stop unless two arrays of one shape agree, element by element.

    Args:
        identity: what should be true, to follow "it does not hold that".
        quarter: as ``"2024Q1"``, for the message.
        left, right: what should agree, of one shape.
        tolerance: error allowed relative to the larger of ``left``, ``right`` and ``scale``.
        labels: a name for each element along the first axis, for the message.
        scale: size of what was summed, where the two sides are small differences of large numbers.

    Raises:
        BrokenIdentity: at the element that is off the most; nan and infinity never agree.
        ValueError: if the shapes differ.
    """
    a, b = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(
            f"To check that {identity}, give two arrays of one shape, not {a.shape} and {b.shape}."
        )
    with np.errstate(invalid="ignore"):
        gap = np.abs(a - b)
        allowed = tolerance * np.maximum(np.maximum(np.abs(a), np.abs(b)), scale)
    _stop_unless(identity, quarter, np.isfinite(gap) & (gap <= allowed), gap, labels)


def tokens_balance(
    quarter: str,
    sold: ArrayLike,
    bought: ArrayLike,
    tolerance: float = TOLERANCE,
    labels: Sequence[str] | None = None,
) -> None:
    """Tokens sold equal tokens bought, million tokens, in total or for each offer (``labels``)."""
    check_equal("tokens sold equal tokens bought", quarter, sold, bought, tolerance, labels)


def chips_balance(
    quarter: str,
    shipped: ArrayLike,
    received: ArrayLike,
    tolerance: float = TOLERANCE,
    labels: Sequence[str] | None = None,
) -> None:
    """Chips shipped equal chips received, units, for each maker and buyer (``labels``)."""
    check_equal("chips shipped equal chips received", quarter, shipped, received, tolerance, labels)


def hours_balance(
    quarter: str,
    used: ArrayLike,
    sold: ArrayLike,
    tolerance: float = TOLERANCE,
    labels: Sequence[str] | None = None,
) -> None:
    """Chip hours that fleets worked equal the hours of the work they served, for each fleet (``labels``)."""
    check_equal("chip hours used equal the hours of work served", quarter, used, sold, tolerance, labels)


def shares_sum_to_one(
    quarter: str,
    shares: ArrayLike,
    tolerance: float = TOLERANCE,
    labels: Sequence[str] | None = None,
    identity: str = "shares sum to one",
) -> None:
    """Shares along the last axis, the outside option included, are not negative and sum to one.

    ``labels`` names the rows of a matrix of shares.
    """
    array = np.asarray(shares)
    nothing_negative(quarter, tolerance=tolerance, shares=array)
    total = array.sum(axis=-1, dtype=np.float64)
    check_equal(identity, quarter, total, np.ones_like(total), tolerance, labels)


def within_capacity(
    quarter: str,
    used: ArrayLike,
    capacity: ArrayLike,
    tolerance: float = TOLERANCE,
    labels: Sequence[str] | None = None,
    identity: str = "no fleet serves beyond its capacity",
) -> None:
    """What fleets (or makers) did is at most what they can do, element by element, in one unit.

    Raises:
        BrokenIdentity: also where either is nan or the use is negative.
    """
    a, b = np.asarray(used, dtype=np.float64), np.asarray(capacity, dtype=np.float64)
    nothing_negative(quarter, tolerance=tolerance, used=a)
    over = a - b
    _stop_unless(identity, quarter, over <= tolerance * np.abs(b), over, labels)


def edges_carry_ledger(
    quarter: str,
    edges: Mapping[Key, float],
    ledger: Mapping[Key, float],
    tolerance: float = TOLERANCE,
    identity: str = "the money on the graph's edges equals the ledger's flows",
) -> None:
    """The graph and the ledger tell of the same money, USD, in total and under every key.

    A key may be a kind of edge or (source, target, kind); one that is missing on a side counts as zero.
    """
    keys = list({**edges, **ledger})
    left = [edges.get(key, 0.0) for key in keys]
    right = [ledger.get(key, 0.0) for key in keys]
    check_equal(identity, quarter, left, right, tolerance, keys)
    check_equal(identity, quarter, math.fsum(left), math.fsum(right), tolerance, ["the whole market"])


def nothing_nan(quarter: str, **arrays: ArrayLike) -> None:
    """Every number of the named arrays is finite.

    Raises:
        BrokenIdentity: naming the first array that holds a nan or an infinity; ``size`` is that number.
    """
    for name, values in arrays.items():
        array = np.asarray(values)
        finite = np.isfinite(array)
        if not finite.all():
            raise BrokenIdentity("every number is finite", quarter, float(array[~finite].flat[0]), name)


def nothing_negative(quarter: str, tolerance: float = TOLERANCE, **arrays: ArrayLike) -> None:
    """No number of the named arrays is negative (up to ``tolerance`` of the largest) or not finite."""
    nothing_nan(quarter, **arrays)
    for name, values in arrays.items():
        array = np.asarray(values)
        if array.size == 0:
            continue
        lowest = float(array.min())
        if lowest < -tolerance * max(-lowest, float(array.max())):
            raise BrokenIdentity("no quantity is negative", quarter, lowest, name)


def _stop_unless(
    identity: str,
    quarter: str,
    holds: NDArray[np.bool_],
    gap: NDArray[np.float64],
    labels: Sequence[Hashable] | None,
) -> None:
    if np.all(holds):
        return
    broken = np.where(holds, -np.inf, np.where(np.isnan(gap), np.inf, gap))
    worst = np.unravel_index(int(np.argmax(broken)), broken.shape)
    where = ""
    if labels is not None:
        where = ", ".join([_label(labels[int(worst[0]) if worst else 0]), *(str(int(i)) for i in worst[1:])])
    elif worst:
        where = f"position {', '.join(str(int(i)) for i in worst)}"
    raise BrokenIdentity(identity, quarter, float(np.asarray(gap)[worst]), where)


def _label(key: Hashable) -> str:
    return " to ".join(map(str, key)) if isinstance(key, tuple) else str(key)
