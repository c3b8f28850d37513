"""The arithmetic of the ledger: payments as arrays, checked, posted and added up again.

``payers`` and ``payees`` number the accounts, ``kinds`` the kinds of payment, ``amounts`` are USD; (payments,) each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.kernel import kernel

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@kernel
def enter(
    payers: IntArray,
    payees: IntArray,
    kinds: IntArray,
    amounts: FloatArray,
    who: IntArray,
    paid_out: FloatArray,
    count: int,
    width: int,
    balance: FloatArray,
    paid: FloatArray,
    received: FloatArray,
) -> tuple[int, int]:  # pragma: no cover - compiled
    """Write payments behind the ``count`` that the journal has, and move the money; zero is no payment.

    The journal is ``who`` (payer, payee and kind; 3, room) and ``paid_out`` (room,); accounts have a ``balance``,
    (accounts,), and lines of what they ``paid`` and ``received``, (accounts x ``width`` kinds,). Returns the new count and
    the first payment that cannot be made, -1 if all can; if one cannot, nothing is paid. Nobody pays itself.
    """
    accounts = len(balance)
    for n in range(len(amounts)):
        i, j, k, amount = payers[n], payees[n], kinds[n], amounts[n]
        known = 0 <= i < accounts and 0 <= j < accounts and 0 <= k < width
        if not (known and 0.0 <= amount < np.inf and (i != j or amount == 0.0)):
            return count, n
    for n in range(len(amounts)):
        i, j, k, amount = payers[n], payees[n], kinds[n], amounts[n]
        if amount > 0.0:
            who[0, count], who[1, count], who[2, count], paid_out[count] = i, j, k, amount
            count += 1
            balance[i] -= amount
            balance[j] += amount
            paid[i * width + k] += amount
            received[j * width + k] += amount
    return count, -1


@kernel
def agree(
    paid: FloatArray,
    received: FloatArray,
    balance: FloatArray,
    made_paid: FloatArray,
    made_received: FloatArray,
    expected: FloatArray,
    moved: FloatArray,
    turnover: float,
    ever: float,
    tolerance: float,
) -> bool:  # pragma: no cover - compiled
    """Whether the accounts are what the single payments made of them, and all money is somewhere.

    Arguments as the results of ``audit``, but ``ever``: all money that ever moved.
    """
    fine, everything = True, np.zeros(3)
    lost = np.zeros(3)
    for i in range(len(balance)):
        for k in range(paid.shape[1]):
            room = tolerance * max(abs(paid[i, k]), abs(made_paid[i, k]))
            fine &= abs(paid[i, k] - made_paid[i, k]) <= room
            room = tolerance * max(abs(received[i, k]), abs(made_received[i, k]))
            fine &= abs(received[i, k] - made_received[i, k]) <= room
            _add(everything, lost, 0, paid[i, k])
            _add(everything, lost, 1, received[i, k])
        fine &= abs(balance[i] - expected[i]) <= tolerance * moved[i]
        _add(everything, lost, 2, balance[i])
    for side in range(2):
        fine &= abs(everything[side] + lost[side] - turnover) <= tolerance * turnover
    return fine and abs(everything[2] + lost[2]) <= tolerance * ever and turnover < np.inf


@kernel
def _add(total: FloatArray, lost: FloatArray, at: int, amount: float) -> None:  # pragma: no cover - compiled
    """Add to a total; ``lost`` is what rounding cut off so far, at the end to be added (Neumaier 1974)."""
    before = total[at]
    after = before + amount
    lost[at] += (before - after) + amount if abs(before) >= abs(amount) else (amount - after) + before
    total[at] = after


@kernel
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
