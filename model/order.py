"""Orders of chips: what each buyer needs and chooses, what makers can make of it, and where refused orders go; compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.kernel import kernel


@kernel
def tabulate(
    needed: Any,
    allowed: Any,
    work: Any,
    value: Any,
    rental: Any,
    taste: Any,
    maker: Any,
    opex: Any,
    alpha: Any,
    hours: Any,
) -> Any:  # pragma: no cover - compiled
    """Rows of the procurement table: the buyers and purposes that have to buy, and may buy a chip that does the work.

    Args:
        needed: work to buy for, reference units a quarter, shape (buyers, purposes).
        allowed: whether a buyer may buy a chip, shape (buyers, chips).
        work: reference units that a chip does in an hour, shape (chips, purposes).
        value: USD that a reference unit an hour is worth over a chip's life, shape (purposes,).
        rental: factor on it that a short fleet makes, shape (buyers, purposes).
        taste: utility of a maker beside cost, shape (buyers, makers).
        maker: of each chip, shape (chips,).
        opex: what a chip costs over its life beside its price, USD, shape (buyers, chips).
        alpha: taste for the log of cost.
        hours: that a chip is meant to work in a quarter.

    Returns:
        Buyer, purpose and need of each row, (rows,); utility without price (-inf where a chip is of no use), opex,
        chips that a unit of work takes, and the value of the work of a chip over its life, USD, (rows, chips) each. And
        the nests of the chips: their makers, numbered without gaps, (chips,).
    """
    buyers, purposes = needed.shape
    chips = len(maker)
    buyer, purpose = np.empty(buyers * purposes, np.int64), np.empty(buyers * purposes, np.int64)
    rows = 0
    for b in range(buyers):
        for w in range(purposes):
            if needed[b, w] > 0.0:
                for j in range(chips):
                    if allowed[b, j] and work[j, w] > 0.0:
                        buyer[rows], purpose[rows] = b, w
                        rows += 1
                        break
    need, home, per_work = np.empty(rows), np.empty((rows, chips)), np.zeros((rows, chips))
    beside, worth = np.empty((rows, chips)), np.empty((rows, chips))
    for i in range(rows):
        b, w = buyer[i], purpose[i]
        need[i] = needed[b, w]
        for j in range(chips):
            beside[i, j] = opex[b, j]
            worth[i, j] = value[w] * work[j, w] * rental[b, w]
            home[i, j] = -np.inf
            if work[j, w] > 0.0:
                per_work[i, j] = 1.0 / (work[j, w] * hours)
                if allowed[b, j]:
                    home[i, j] = alpha * np.log(worth[i, j]) + taste[b, maker[j]]
    nests, number, nest = 0, np.full(taste.shape[1], -1), np.empty(chips, np.int64)
    for j in range(chips):
        if number[maker[j]] < 0:
            number[maker[j]] = nests
            nests += 1
        nest[j] = number[maker[j]]
    return buyer[:rows], purpose[:rows], need, home, beside, per_work, worth, nest


@kernel
def choose(
    need: Any,
    home: Any,
    opex: Any,
    tangent: Any,
    linear: Any,
    per_work: Any,
    nest: Any,
    price: Any,
    tastes: Any,
) -> Any:  # pragma: no cover - compiled
    """Units of each chip that each buyer would have, shape (rows, chips): a nested logit, ``nest`` above chip.

    Args:
        need: work to buy for, shape (rows,).
        home: utility without price, -inf where a chip cannot be bought, shape (rows, chips).
        opex: what a chip costs beside its price, USD, shape (rows, chips).
        tangent: price and opex at which linear utility touches the log form, read if ``linear``, (rows, chips).
        linear: whether utility is linear in price.
        per_work: units that a unit of work takes, shape (rows, chips).
        nest: nest of each chip, from 0, shape (chips,).
        price: USD, shape (chips,).
        tastes: alpha, sigma1 and sigma2; see ``model/demand.py``.
    """
    alpha, sigma1, sigma2 = tastes
    near, shrink = 1.0 / (1.0 - sigma2), (1.0 - sigma2) / (1.0 - sigma1)
    rows, chips = home.shape
    nests = nest.max() + 1 if chips else 0
    units = np.zeros((rows, chips))
    part, top, total = np.empty(chips), np.empty(nests), np.empty(nests)
    for i in range(rows):
        if need[i] <= 0.0:
            continue
        for m in range(nests):
            top[m], total[m] = -np.inf, 0.0
        for j in range(chips):
            part[j] = -np.inf
            if home[i, j] > -np.inf:
                reach = price[j] + opex[i, j]
                at = tangent[i, j]
                term = np.log(at) + (reach - at) / at if linear else np.log(reach)
                part[j] = (home[i, j] - alpha * term) * near
                top[nest[j]] = max(top[nest[j]], part[j])
        for j in range(chips):
            if part[j] > -np.inf:
                part[j] = np.exp(part[j] - top[nest[j]])
                total[nest[j]] += part[j]
            else:
                part[j] = 0.0
        highest = -np.inf
        for m in range(nests):
            if total[m] > 0.0:
                top[m] = (top[m] + np.log(total[m])) * shrink
                highest = max(highest, top[m])
        if highest == -np.inf:
            continue
        whole = 0.0
        for m in range(nests):
            top[m] = np.exp(top[m] - highest)
            whole += top[m]
        inclusive = (1.0 - sigma1) * (highest + np.log(whole))
        small = np.exp(-abs(inclusive))
        adoption = (1.0 if inclusive >= 0.0 else small) / (1.0 + small)
        for j in range(chips):
            if part[j] > 0.0:
                within = part[j] / total[nest[j]] * (top[nest[j]] / whole)
                units[i, j] = need[i] * adoption * within * per_work[i, j]
    return units


@kernel
def ration(orders: Any, process: Any, capacity: Any) -> Any:  # pragma: no cover - compiled
    """What makers ship when orders exceed what they can make.

    Args:
        orders: units wanted, shape (buyers, chips).
        process: the process in which each chip is made, from 0, shape (chips,).
        capacity: units that each process can make in the quarter, shape (processes,).

    Returns:
        Units shipped, shape (buyers, chips): every order on a process is cut by the same share. And the load
        of each, (processes,): units wanted over capacity.
    """
    wanted, load, share = np.zeros(capacity.size), np.zeros(capacity.size), np.ones(capacity.size)
    for i in range(orders.shape[0]):
        for j in range(orders.shape[1]):
            wanted[process[j]] += orders[i, j]
    for k in range(capacity.size):
        if wanted[k] > 0.0:
            load[k] = wanted[k] / capacity[k] if capacity[k] > 0.0 else np.inf
            share[k] = min(1.0, max(capacity[k], 0.0) / wanted[k])
    shipped = np.empty_like(orders)
    for i in range(orders.shape[0]):
        for j in range(orders.shape[1]):
            shipped[i, j] = orders[i, j] * share[process[j]]
    return shipped, load


@kernel
def place_orders(
    need: Any,
    home: Any,
    home_later: Any,
    opex: Any,
    tangent: Any,
    linear: Any,
    per_work: Any,
    nest: Any,
    price: Any,
    tastes: Any,
    process: Any,
    capacity: Any,
    rounds: Any,
) -> Any:  # pragma: no cover - compiled
    """Orders of first choice, what makers accept, both (rows, chips), and the load of first choices, (processes,).

    What a maker cannot deliver goes to the next choice of its buyers, up to ``rounds`` choices, for which utility is
    ``home_later``. Those who chose to wait go on waiting: only what was ordered and refused looks further. Arguments
    as in :func:`choose` and :func:`ration`.
    """
    rows, chips = home.shape
    first, shipped = np.zeros((rows, chips)), np.zeros((rows, chips))
    loads, left = np.zeros(capacity.size), capacity.copy()
    missing, asked, still = need.copy(), np.zeros(rows), home.copy()
    for choice in range(rounds):
        wanted = choose(missing, still, opex, tangent, linear, per_work, nest, price, tastes)
        sent, load = ration(wanted, process, left)
        if choice == 0:
            first, loads, still = wanted, load, home_later.copy()
        for i in range(rows):
            done = 0.0
            for j in range(chips):
                shipped[i, j] += sent[i, j]
                left[process[j]] -= sent[i, j]
                if load[process[j]] >= 1.0:
                    still[i, j] = -np.inf
                if per_work[i, j] > 0.0:
                    done += shipped[i, j] / per_work[i, j]
                    if choice == 0:
                        asked[i] += wanted[i, j] / per_work[i, j]
            missing[i] = max(asked[i] - done, 0.0)
    return first, shipped, loads
