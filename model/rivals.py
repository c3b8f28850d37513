"""How buyers see a price list, and what each seller on it moves and does not move, compiled.

All sellers answer the same posted prices, so how types see every offer is worked out once for all of them; each
seller's part then leaves its own offers out. ``model.response`` is the door.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from model.elementary import exp, log
from model.kernel import contracted, lean, lean_reordered

NOWHERE = -1e30  # utility of what cannot be bought, and the log sum of an empty nest
VECTOR = 4  # types in a row come in fours, as the processor takes them; those without mass fill the last up

# Letters: i a type of buyer, j an offer, m a model, s a seller; of a seller k a line, t a slot, a a type that it reaches
# (below). ``near`` = 1 / (1 - sigma2), ``far`` = 1 / (1 - sigma1), ``shrink`` = far / near: utilities over 1 - sigma2 add
# up to the log sum of a model, which times ``shrink`` is its utility over 1 - sigma1, and those to that of the LLM nest.
# A log sum is taken over the highest term, so that no exponential overflows. ``reach`` is price + h, ``tangent`` the
# reach at which linear utility touches the log form. ``NOWHERE`` stands for minus infinity, of which no nan comes.
#
# What belongs together is passed as tuples:
# ``tastes`` = (alpha, mass, weights, value, nuisance, intensity, model, sigma1, sigma2, eta, linear, tangent) of
#   Buyers; ``money`` = (cost, stake, upstream, floor), by offer but stake and upstream by (seller, offer);
# ``sellers`` = what ``line_up`` returns. Own offers are lines, numbered seller by seller; a model with lines of a
#   seller is a slot of it; types are those that its lines can reach, in the first columns of a row:
#   begin (S + 1,) first line of each seller     first (S + 1,) first slot of each seller
#   own (N,) offer of each line                  place (N,) slot of each line
#   count (S,) how many types                    who (S, I) which types
#   rows (5, N, I) utility without price, what it falls by (times the log of price + h, or times price where it is
#     linear), h, units, 1 where the type can buy; utilities over 1 - sigma2
#   log_sum, mean (slots, I) rivals' log sum in the model and mean margin per unit of consumption
#   log_rest, mean_rest (S, I) the same of the nest without the seller's models
#   beside (S,) profit on the types that its lines do not reach
FREE, FALL, NUISANCE, UNITS, OPEN = range(5)


@lean_reordered
def _dot(first: Any, second: Any) -> Any:  # pragma: no cover - compiled
    total = 0.0
    for m in range(first.size):
        total += first[m] * second[m]
    return total


@contracted
def _look(tastes: Any, price: Any) -> Any:  # pragma: no cover - compiled
    """How types see all offers: utility over 1 - sigma2, parts of the nest, what they buy.

    Returns ``x`` (I, J) utility, NOWHERE where not available; ``nest`` (I, models) each model's part of the LLM nest
    over that of the best, whose log is ``top`` (I,); ``units`` (I, J) the same of each offer times its units, and
    ``bought`` (I,) consumption over the sum of ``nest``.
    """
    alpha, mass, _, value, nuisance, intensity, model, sigma1, sigma2, eta, linear, tangent = tastes
    types, offers = value.shape
    models = model.max() + 1 if offers else 0
    near, far = 1.0 / (1.0 - sigma2), 1.0 / (1.0 - sigma1)
    x, units = np.empty((types, offers)), np.empty((types, offers))
    nest, top, bought = np.empty((types, models)), np.empty(types), np.empty(types)
    best, total, inside = np.empty(models), np.empty(models), np.empty(offers)
    for i in range(types):
        for j in range(offers):
            reach = price[j] + nuisance[i, j]
            touch = tangent[i, j]
            fall = log(touch) + (reach - touch) / touch if linear else log(reach)
            x[i, j] = max((value[i, j] - alpha[i] * fall) * near, NOWHERE)
        best[:] = NOWHERE
        total[:] = 0.0
        for j in range(offers):
            best[model[j]] = max(best[model[j]], x[i, j])
        for j in range(offers):
            inside[j] = x[i, j] - best[model[j]]
        for j in range(offers):
            inside[j] = exp(inside[j])
        for j in range(offers):
            if x[i, j] > NOWHERE:
                total[model[j]] += inside[j]
        top[i] = NOWHERE
        for m in range(models):
            if total[m] > 0.0:
                best[m] = (best[m] + np.log(total[m])) * (far / near)
                top[i] = max(top[i], best[m])
        whole = 0.0
        for m in range(models):
            nest[i, m] = exp(best[m] - top[i])
        for m in range(models):
            if total[m] > 0.0:
                whole += nest[i, m]
                total[m] = nest[i, m] / total[m]
            else:
                nest[i, m] = 0.0
        for j in range(offers):
            units[i, j] = total[model[j]] * inside[j] * intensity[i, j]
        bought[i] = 0.0
        if whole > 0.0:
            level = top[i] + np.log(whole)
            volume = mass[i] * np.exp(eta * (1.0 - sigma1) / alpha[i] * level)
            bought[i] = volume / (1.0 + np.exp((sigma1 - 1.0) * level)) / whole
    return x, nest, top, units, bought


@contracted
def _lines(setter: Any, sellers: Any, tastes: Any) -> Any:  # pragma: no cover - compiled
    """Who moves the price of each offer (J,), -1 where nobody does or can buy; each seller's offers in turn."""
    _, mass, _, value, _, intensity, _, _, _, _, _, _ = tastes
    begin, mover = np.zeros(sellers + 1, np.int64), np.full(setter.size, -1, np.int64)
    for j in range(setter.size):
        if setter[j] >= 0:
            for i in range(mass.size):
                if value[i, j] > -np.inf and intensity[i, j] > 0.0 and mass[i] > 0.0:
                    mover[j] = setter[j]
                    begin[setter[j] + 1] += 1
                    break
    for s in range(sellers):
        begin[s + 1] += begin[s]
    following = begin[:-1].copy()
    own = np.empty(begin[sellers], np.int64)
    for j in range(setter.size):
        if mover[j] >= 0:
            own[following[mover[j]]] = j
            following[mover[j]] += 1
    return mover, begin, own


@lean
def _see(i: Any, j: Any, k: Any, a: Any, tastes: Any, rows: Any) -> None:  # pragma: no cover - compiled
    """How type ``i`` sees offer ``j``, which is line ``k``, before its price: fills column ``a`` of its ``rows``."""
    alpha, _, _, value, nuisance, intensity, _, _, sigma2, _, linear, tangent = tastes
    near, free, fall = 1.0 / (1.0 - sigma2), value[i, j], alpha[i]
    if linear:  # utility at price zero, and its slope
        t = tangent[i, j]
        free -= alpha[i] * (np.log(t) + (nuisance[i, j] - t) / t)
        fall /= t
    rows[FREE, k, a] = max(free * near, NOWHERE)
    rows[FALL, k, a] = fall * near
    rows[NUISANCE, k, a] = nuisance[i, j]
    rows[UNITS, k, a] = intensity[i, j]
    rows[OPEN, k, a] = 1.0 if value[i, j] > -np.inf else 0.0


@contracted
def _fill_up(s: Any, sellers: Any) -> None:  # pragma: no cover - compiled
    """Fill the last four types of seller ``s`` up with its last type, which has no mass there."""
    begin, first, _, _, count, who, _, rows, log_sum, mean, log_rest, mean_rest, _ = sellers
    last = count[s] - 1
    while count[s] % VECTOR > 0:
        a = count[s]
        who[s, a], log_rest[s, a], mean_rest[s, a] = who[s, last], log_rest[s, last], mean_rest[s, last]
        log_sum[first[s] : first[s + 1], a] = log_sum[first[s] : first[s + 1], last]
        mean[first[s] : first[s + 1], a] = mean[first[s] : first[s + 1], last]
        rows[:, begin[s] : begin[s + 1], a] = rows[:, begin[s] : begin[s + 1], last]
        count[s] += 1


@contracted
def line_up(tastes: Any, price: Any, setter: Any, money: Any) -> Any:  # pragma: no cover - compiled
    """What each seller moves and what it does not, at posted prices; ``setter`` (J,) is -1 where nobody decides."""
    _, mass, _, value, _, intensity, model, _, _, _, _, _ = tastes
    cost, stake, upstream, _ = money
    x, nest, top, units, bought = _look(tastes, price)
    types, models, sellers, offers = mass.size, nest.shape[1], stake.shape[0], setter.size
    width = -(-types // VECTOR) * VECTOR
    mover, begin, own = _lines(setter, sellers, tastes)
    lines = own.size
    first, place = np.zeros(sellers + 1, np.int64), np.empty(lines, np.int64)
    count, who = np.zeros(sellers, np.int64), np.empty((sellers, width), np.int64)
    rows, beside, weight = np.empty((5, lines, width)), np.zeros(sellers), np.zeros((sellers, width))
    log_sum, mean = np.empty((lines, width)), np.empty((lines, width))
    log_rest, mean_rest = np.empty((sellers, width)), np.empty((sellers, width))
    found = (
        begin, first, own, place, count, who, weight, rows, log_sum, mean, log_rest, mean_rest, beside
    )  # fmt: skip
    slot, strange = np.full(models, -1, np.int64), np.empty(models)
    margin, total, earned, best = np.empty(offers), np.empty(lines), np.empty(lines), np.empty(lines)
    distant, close = np.empty(offers, np.int64), np.empty(offers, np.int64)
    for s in range(sellers):
        first[s + 1] = first[s]
        if begin[s] == begin[s + 1]:
            continue
        slot[:] = -1
        strange[:] = 1.0
        for k in range(begin[s], begin[s + 1]):
            m = model[own[k]]
            if slot[m] < 0:
                slot[m] = first[s + 1]
                strange[m] = 0.0
                first[s + 1] += 1
            place[k] = slot[m]
        far_away, at_hand = 0, 0  # what it earns on other models; rivals in its own
        for j in range(offers):
            margin[j] = stake[s, j] * (price[j] - cost[j]) + upstream[s, j]
            if slot[model[j]] < 0 and margin[j] != 0.0:
                distant[far_away] = j
                far_away += 1
            elif slot[model[j]] >= 0 and mover[j] != s:
                close[at_hand] = j
                at_hand += 1
        for i in range(types):
            weighted = 0.0
            for e in range(far_away):
                weighted += units[i, distant[e]] * margin[distant[e]]
            here = False
            for k in range(begin[s], begin[s + 1]):
                here = here or value[i, own[k]] > -np.inf
            if not here or mass[i] == 0.0:
                for e in range(at_hand):
                    weighted += units[i, close[e]] * margin[close[e]]
                beside[s] += bought[i] * weighted
                continue
            a = count[s]
            who[s, a], weight[s, a] = i, mass[i]
            count[s] += 1
            rest = _dot(nest[i], strange)
            log_rest[s, a] = top[i] + np.log(rest) if rest > 0.0 else NOWHERE
            mean_rest[s, a] = weighted / rest if rest > 0.0 else 0.0
            for t in range(first[s], first[s + 1]):
                best[t], total[t], earned[t] = NOWHERE, 0.0, 0.0
            for e in range(at_hand):
                t = slot[model[close[e]]]
                best[t] = max(best[t], x[i, close[e]])
            for e in range(at_hand):
                j, t = close[e], slot[model[close[e]]]
                if x[i, j] > NOWHERE:
                    share = exp(x[i, j] - best[t])
                    total[t] += share
                    earned[t] += share * intensity[i, j] * margin[j]
            for t in range(first[s], first[s + 1]):
                log_sum[t, a] = best[t] + np.log(total[t]) if total[t] > 0.0 else NOWHERE
                mean[t, a] = earned[t] / total[t] if total[t] > 0.0 else 0.0
            for k in range(begin[s], begin[s + 1]):
                _see(i, own[k], k, a, tastes, rows)
        _fill_up(s, found)
    return found
