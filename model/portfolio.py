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
    moved = np.empty((offers, enterprises), np.float32)
    if target.shape != (known,) or not _carry(np.ascontiguousarray(portfolio.T), target, moved):
        raise ValueError(f"old_to_new must give each of {known} old offers a column of its own, or -1")
    return moved.T


@kernel
def _sources(target: Any, source: Any) -> Any:  # pragma: no cover - compiled
    """Fill in where each offer stood, -1 if nowhere; returns whether every target is a place, and one offer's alone."""
    source[:] = -1
    for j in range(len(target)):
        if target[j] >= 0:
            if target[j] >= len(source) or source[target[j]] >= 0:
                return False
            source[target[j]] = j
    return True


@kernel
def _carry(columns: Any, target: Any, moved: Any) -> Any:  # pragma: no cover - compiled
    """Copy columns, (J, I), to their ``target`` (-1: none) and let the shares of each enterprise sum to one.

    Returns whether every target is a place, and one offer's alone; without that nothing is done.
    """
    source = np.empty(len(moved), np.int64)
    if not _sources(target, source):
        return False
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
    return True
