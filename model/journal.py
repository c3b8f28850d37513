"""The arithmetic of the ledger: payments as arrays, checked, posted and added up again.

``payers`` and ``payees`` number the accounts, ``kinds`` the kinds of payment, ``amounts`` are USD; (payments,) each.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def first_wrong(
    payers: IntArray, payees: IntArray, kinds: IntArray, amounts: FloatArray, accounts: int, width: int
) -> int:  # pragma: no cover - compiled
    """The first payment that cannot be made, -1 if all can; nothing may be paid to oneself."""
    for n in range(len(amounts)):
        i, j, k, amount = payers[n], payees[n], kinds[n], amounts[n]
        known = 0 <= i < accounts and 0 <= j < accounts and 0 <= k < width
        if not (known and 0.0 <= amount < np.inf and (i != j or amount == 0.0)):
            return n
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def post(
    payers: IntArray,
    payees: IntArray,
    kinds: IntArray,
    amounts: FloatArray,
    width: int,
    balance: FloatArray,
    paid: FloatArray,
    received: FloatArray,
) -> None:  # pragma: no cover - compiled
    """Move the money of payments on the accounts, (accounts,), and on their lines, (accounts x kinds,)."""
    for n in range(len(amounts)):
        i, j, k, amount = payers[n], payees[n], kinds[n], amounts[n]
        balance[i] -= amount
        balance[j] += amount
        paid[i * width + k] += amount
        received[j * width + k] += amount


@njit(cache=True, nogil=True, error_model="numpy")
def _add(total: FloatArray, lost: FloatArray, at: int, amount: float) -> None:  # pragma: no cover - compiled
    """Add to a total; ``lost`` is what rounding cut off so far, at the end to be added (Neumaier 1974)."""
    before = total[at]
    after = before + amount
    lost[at] += (before - after) + amount if abs(before) >= abs(amount) else (amount - after) + before
    total[at] = after


@njit(cache=True, nogil=True, error_model="numpy")
def audit(
    payers: IntArray, payees: IntArray, kinds: IntArray, amounts: FloatArray, opening: FloatArray, width: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, float]:  # pragma: no cover - compiled
    """What single payments make: paid and received (accounts, kinds), balances and money moved (accounts,), turnover.

    Balances and turnover are summed without loss, so that they are exact and not the running sums again.
    """
    size = len(opening)
    paid, received = np.zeros((size, width)), np.zeros((size, width))
    balance, moved = opening.copy(), np.abs(opening)
    lost, turnover, of_turnover = np.zeros(size), np.zeros(1), np.zeros(1)
    for n in range(len(amounts)):
        i, j, k, amount = payers[n], payees[n], kinds[n], amounts[n]
        paid[i, k] += amount
        received[j, k] += amount
        _add(balance, lost, i, -amount)
        _add(balance, lost, j, amount)
        moved[i] += amount
        moved[j] += amount
        _add(turnover, of_turnover, 0, amount)
    return paid, received, balance + lost, moved, turnover[0] + of_turnover[0]
