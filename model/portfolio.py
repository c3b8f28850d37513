"""Portfolios: what share of its tokens each enterprise buys through each offer, float32, stored offer by offer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.kernel import kernel

Singles = NDArray[np.float32]

BLOCK = 256  # enterprises whose sums stay in the first-level cache
LEAST_HELD = 1e-30  # less of a portfolio than this is nothing: one over it might not fit into float32


def new_portfolio(enterprises: int, offers: int) -> Singles:
    """An empty portfolio, float32 (enterprises, offers), stored offer by offer as the demand step reads it."""
    return np.zeros((offers, enterprises), np.float32).T


def remap_portfolio(portfolio: Singles, old_to_new: ArrayLike, offers: int) -> Singles:
    """Carry a portfolio over to a new list of offers.

    ``old_to_new`` (J_old,) gives each old offer its new column, or -1 where it closed; ``offers`` is J_new.
    New columns start at zero and rows are renormalised to one; a row that held only closed offers, or next to nothing
    else (``LEAST_HELD``), becomes zero and starts at its target in the next quarter. Raises ValueError for a column out
    of range or used twice.
    """
    target = np.asarray(old_to_new, np.int64)
    enterprises, known = portfolio.shape
    source = np.full(offers, -1)
    kept = np.flatnonzero(target >= 0)
    if target.shape == (known,) and (target < offers).all():
        source[target[kept]] = kept
    if target.shape != (known,) or (source >= 0).sum() != len(kept):
        raise ValueError(f"old_to_new must give each of {known} old offers a column of its own, or -1")
    moved = np.empty((offers, enterprises), np.float32)
    _carry(np.ascontiguousarray(portfolio.T), source, moved)
    return moved.T


@kernel
def _carry(columns: Any, source: Any, moved: Any) -> None:  # pragma: no cover - compiled
    """Copy columns, (J, I), from where each offer stood (-1: nowhere) and let the shares of each enterprise sum to one."""
    held = np.empty(BLOCK)
    scale = np.empty(BLOCK, np.float32)
    for start in range(0, moved.shape[1], BLOCK):
        end = min(start + BLOCK, moved.shape[1])
        size = end - start
        held[:size] = 0.0
        for j in range(len(source)):
            if source[j] < 0:
                moved[j, start:end] = np.float32(0.0)
                continue
            column = columns[source[j], start:end]
            for b in range(size):
                held[b] += column[b]
        for b in range(size):
            scale[b] = np.float32(1.0 / held[b]) if held[b] > LEAST_HELD else np.float32(0.0)
        for j in range(len(source)):
            if source[j] >= 0:
                column, fresh = columns[source[j], start:end], moved[j, start:end]
                for b in range(size):
                    fresh[b] = column[b] * scale[b]
