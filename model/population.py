"""The population's quarter, compiled: choice, adoption, portfolios and tokens without temporaries.

Enterprises go through in blocks, offer by offer, so that every inner loop runs along a block and is vectorised;
segments that can buy the same offers share a block. State and tastes are in single precision, sums over enterprises
in double. Everything inside runs in base 2, which saves the change of base.
``model.demand.step`` is the door; it explains the arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from model.elementary import PER_BIT, exp2, exp2_below_one, log2
from model.kernel import contracted, merged, reordered
from model.portfolio import LEAST_HELD

MOST_GROWTH = 40.0  # log2 of consumption over that at the reference, at most: 1e12 times what it was, and sums stay finite
BLOCK = 256  # enterprises a block: most of the scratch stays in the first-level cache

_F = np.float32

# One loop a function, so that each is vectorised by itself.


@contracted
def _fill(row: Any, number: Any) -> None:  # pragma: no cover - compiled
    for b in range(row.size):
        row[b] = number


@contracted
def _utility(
    a: Any, c: Any, h: Any, quality: Any, paid: Any, taste: Any, factor: Any, row: Any
) -> None:  # pragma: no cover - compiled
    for b in range(row.size):
        row[b] = (c[b] * quality - a[b] * log2(paid + h[b]) + taste) * factor


@contracted
def _linear_utility(
    a: Any, c: Any, h: Any, quality: Any, paid: Any, at: Any, taste: Any, factor: Any, row: Any
) -> None:  # pragma: no cover - compiled
    """The same with the tangent of the logarithm at the price ``at`` in its place."""
    for b in range(row.size):
        tangent = at + h[b]
        fall = log2(tangent) + (paid - at) / tangent * _F(1.0 / PER_BIT)
        row[b] = (c[b] * quality - a[b] * fall + taste) * factor


@contracted
def _taste(
    of_segment: Any, factor: Any, segment: Any, ends: Any, row: Any
) -> None:  # pragma: no cover - compiled
    """Finish the utilities of a block of several segments: add the taste of each, then the factor."""
    start = 0
    for end in ends:
        number = of_segment[segment[start]]
        for b in range(start, end):
            row[b] = (row[b] + number) * factor
        start = end


@merged
def _utilities(
    a: Any,
    c: Any,
    h: Any,
    quality: Any,
    paid: Any,
    at: Any,
    home: Any,
    factor: Any,
    segment: Any,
    ends: Any,
    row: Any,
) -> None:  # pragma: no cover - compiled
    """The utilities of an offer times ``factor``; ``home`` is the taste of each segment, ``ends`` as in ``_block``."""
    alone = ends.size == 1
    taste, times = (home[segment[0]], factor) if alone else (_F(0.0), _F(1.0))
    if at > _F(0.0):
        _linear_utility(a, c, h, quality, paid, at, taste, times, row)
    else:
        _utility(a, c, h, quality, paid, taste, times, row)
    if not alone:
        _taste(home, factor, segment, ends, row)


@contracted
def _bits(c: Any, row: Any) -> None:  # pragma: no cover - compiled
    for b in range(row.size):
        row[b] = c[b] * _F(1.0 / PER_BIT)


@contracted
def _raise(top: Any, row: Any) -> None:  # pragma: no cover - compiled
    for b in range(row.size):
        top[b] = max(top[b], row[b])


@contracted
def _exponentials(row: Any, top: Any, total: Any) -> None:  # pragma: no cover - compiled
    for b in range(row.size):
        e = exp2_below_one(row[b] - top[b])
        row[b] = e
        total[b] += e


@contracted
def _inclusive(
    top: Any, total: Any, shrink: Any, inner: Any, inverse: Any
) -> None:  # pragma: no cover - compiled
    for b in range(inner.size):
        inner[b] = (top[b] + log2(total[b])) * shrink
        inverse[b] = _F(1.0) / total[b]


@contracted
def _add(total: Any, row: Any) -> None:  # pragma: no cover - compiled
    for b in range(row.size):
        total[b] += row[b]


@contracted
def _log_nest(
    top: Any, total: Any, c: Any, reference: Any, quality: Any, taste: Any, bits: Any, flatten: Any, x: Any,
    grown: Any,
) -> None:  # pragma: no cover - compiled  # fmt: skip
    """(1 - sigma1) ln B and ln B - ln B_ref, with the levels put back that were taken out of utility."""
    for b in range(x.size):
        x[b] = (top[b] + log2(total[b])) * bits + c[b] * quality + taste[b]
        grown[b] = x[b] / flatten - reference[b]


@contracted
def _adopt(x: Any, rate: Any, state: Any) -> None:  # pragma: no cover - compiled
    one = _F(1.0)
    for b in range(state.size):
        small = exp2_below_one(-abs(x[b]) * _F(1.0 / PER_BIT))
        target = (one if x[b] >= _F(0.0) else small) / (one + small)
        state[b] += rate * (target - state[b])


@contracted
def _consume(
    mass: Any, growth: Any, a: Any, grown: Any, grow: Any, state: Any, out: Any, demand: Any
) -> None:  # pragma: no cover - compiled
    for b in range(out.size):
        out[b] = mass[b] * growth[b] * exp2(min(grow / a[b] * grown[b], _F(MOST_GROWTH)))
        demand[b] = out[b] * state[b]


@contracted
def _rates(held: Any, total: Any, rate: Any) -> None:  # pragma: no cover - compiled
    """Factors on what is held and on the target, where a portfolio that holds no available offer starts."""
    one = _F(1.0)
    for b in range(held.size):
        some = held[b] > _F(LEAST_HELD)
        total[b] = (rate if some else one) / total[b]
        held[b] = (one - rate) / held[b] if some else _F(0.0)


@contracted
def _scale(inner: Any, inverse: Any, total: Any) -> None:  # pragma: no cover - compiled
    for b in range(inner.size):
        inner[b] = inner[b] * inverse[b] * total[b]


@contracted
def _move(column: Any, held: Any, row: Any, inner: Any) -> None:  # pragma: no cover - compiled
    for b in range(column.size):
        column[b] = held[b] * column[b] + inner[b] * row[b]


@reordered
def _sum_of_products(x: Any, y: Any) -> Any:  # pragma: no cover - compiled
    """Sum of x * y in double precision; free to reorder, so that it is vectorised, in a fixed order."""
    total = np.float64(0.0)
    for b in range(x.size):
        total += np.float64(x[b]) * np.float64(y[b])
    return total


@contracted
def _open_offers(
    offset: Any, order: Any, group: Any, available: Any, first: Any
) -> Any:  # pragma: no cover - compiled
    """List a segment's available offers model by model; ``first`` is where each model starts."""
    count, models = 0, 0
    for j in order:
        if offset[j] > -np.inf:
            if count == 0 or group[available[count - 1]] != group[j]:
                first[models] = count
                models += 1
            available[count] = j
            count += 1
    first[models] = count
    return count, models


@contracted
def _like(one: Any, other: Any) -> Any:  # pragma: no cover - compiled
    """Whether two segments can buy the same offers."""
    alike = True
    for j in range(one.size):
        alike &= (one[j] > -np.inf) == (other[j] > -np.inf)
    return alike


@contracted
def _block(begin: Any, segment: Any, offset: Any, ends: Any) -> Any:  # pragma: no cover - compiled
    """Where the block that starts at ``begin`` ends, and its pieces: ``ends`` of each, of one segment, from 0.

    Segments share a block where all of them fit into it.
    """
    stop, pieces, first, most = begin, 0, segment[begin], min(begin + BLOCK, segment.size)
    latest = first
    while stop < most:
        s = segment[stop]
        if s != latest and not _like(offset[first], offset[s]):
            break
        latest, end = s, stop + 1
        while end < most and segment[end] == s:
            end += 1
        if pieces > 0 and end < segment.size and segment[end] == s:
            break
        stop = end
        ends[pieces] = stop - begin
        pieces += 1
    return stop, pieces


@contracted
def _spread(of_segment: Any, segment: Any, ends: Any, row: Any) -> None:  # pragma: no cover - compiled
    """Give each enterprise of a block the number of its segment."""
    start = 0
    for end in ends:
        number = of_segment[segment[start]]
        for b in range(start, end):
            row[b] = number
        start = end


@merged
def _add_up(x: Any, y: Any, segment: Any, ends: Any, total: Any) -> None:  # pragma: no cover - compiled
    """Add the products of two columns of a block to the total of each segment."""
    start = 0
    for end in ends:
        total[segment[start]] += _sum_of_products(x[start:end], y[start:end])
        start = end


@contracted
def _by_model(group: Any, order: Any) -> None:  # pragma: no cover - compiled
    """Fill ``order`` with the offers model by model, those of a model in their own order."""
    count = 0
    for g in range(group.max() + 1 if group.size else 0):
        for j in range(group.size):
            if group[j] == g:
                order[count] = j
                count += 1


@contracted
def _levels(offset: Any, level: Any) -> None:  # pragma: no cover - compiled
    """The best offset of each segment, 0 where it cannot buy."""
    for s in range(level.size):
        best = _F(-np.inf)
        for j in range(offset.shape[1]):
            best = max(best, offset[s, j])
        level[s] = best if best > -np.inf else _F(0.0)


@contracted
def population_step(
    alpha: Any, beta: Any, nuisance: Any, weight: Any, growth: Any, firms: Any, segment: Any, group: Any,
    quality: Any, price: Any, offset: Any, linear_at: Any, sigma1: Any, sigma2: Any, eta: Any,
    reference: Any, adoption_rate: Any, portfolio_rate: Any, adoption: Any, columns: Any, volume: Any,
    tokens: Any, adopters: Any,
) -> Any:  # pragma: no cover - compiled  # fmt: skip
    """One quarter; ``columns`` (J, I) is the portfolio by offer, the rest as in ``model.demand.step``.

    ``group`` numbers the model of each offer from 0, ``quality`` is capability; ``linear_at`` is the price at which
    linear utility touches the log form, 0 the log form; ``volume`` may be empty. Returns whether all segments have a row
    of ``offset``: without that nothing is done.
    """
    enterprises, (segments, offers) = alpha.size, offset.shape
    for s in segment:
        if not 0 <= s < segments:
            return False
    sharpness = _F(1.0 / (1.0 - sigma2))
    shrink = _F((1.0 - sigma2) / (1.0 - sigma1))
    lone, per_bit = _F(1.0 / (1.0 - sigma1)), _F(1.0 / PER_BIT)
    flatten, bits = _F(1.0 - sigma1), _F((1.0 - sigma1) * PER_BIT)
    grow = _F(eta * (1.0 - sigma1) / PER_BIT)
    # Levels are taken out of offset and capability, so that single precision sees small numbers.
    level, home = np.empty(segments, np.float32), np.empty((offers, segments), np.float32)
    _levels(offset, level)
    for s in range(segments):
        for j in range(offers):
            home[j, s] = (offset[s, j] - level[s]) * per_bit
    best = quality.max() if offers else 0.0
    capability, level_of_capability = np.empty(offers, np.float32), _F(best)
    for j in range(offers):
        capability[j] = _F(quality[j] - best)
    order = np.empty(offers, np.int64)
    _by_model(group, order)
    bought = np.zeros((offers, segments))
    adopters[:] = 0.0
    value, nest = np.empty((offers, BLOCK), np.float32), np.empty((offers, BLOCK), np.float32)
    inverse = np.empty((offers, BLOCK), np.float32)
    scratch = np.empty((11, BLOCK), np.float32)
    available, first = np.empty(offers, np.int64), np.empty(offers + 1, np.int64)
    cuts = np.empty(BLOCK, np.int64)
    start, known, count, models = 0, -1, 0, 0  # known: the segment that the list of available offers is of
    while start < enterprises:
        end, pieces = _block(start, segment, offset, cuts)
        size, ends, mine, s = end - start, cuts[:pieces], segment[start:end], segment[start]
        out = volume[start:end] if volume.size else scratch[10][:size]
        if known < 0 or not _like(offset[known], offset[s]):
            count, models = _open_offers(offset[s], order, group, available, first)
            known = s
        for j in range(offers):
            if not offset[s, j] > -np.inf:
                _fill(columns[j][start:end], _F(0.0))
        if count == 0:
            _fill(out, _F(0.0))
            for b in range(start, end):
                adoption[b] -= _F(adoption_rate) * adoption[b]
            _add_up(firms[start:end], adoption[start:end], mine, ends, adopters)
            start = end
            continue
        a, c, h = alpha[start:end], beta[start:end], nuisance[start:end]
        scale, total, top = scratch[0][:size], scratch[1][:size], scratch[2][:size]
        held, demand = scratch[3][:size], scratch[4][:size]
        x, grown = scratch[5][:size], scratch[6][:size]
        bits_of_c, base, since = scratch[7][:size], scratch[8][:size], scratch[9][:size]
        _bits(c, bits_of_c)
        _fill(top, _F(-np.inf))
        for m in range(models):
            inner = nest[m][:size]
            if first[m + 1] - first[m] == 1:  # a model with one offer is its own nest
                j = available[first[m]]
                paid = _F(price[j])
                _utilities(a, bits_of_c, h, capability[j], paid, linear_at, home[j], lone, mine, ends, inner)
                _fill(value[first[m]][:size], _F(1.0))
                _fill(inverse[m][:size], _F(1.0))
            else:
                _fill(scale, _F(-np.inf))
                _fill(total, _F(0.0))
                for position in range(first[m], first[m + 1]):
                    j, row = available[position], value[position][:size]
                    paid, taste = _F(price[j]), home[j]
                    _utilities(
                        a, bits_of_c, h, capability[j], paid, linear_at, taste, sharpness, mine, ends, row
                    )
                    _raise(scale, row)
                for position in range(first[m], first[m + 1]):
                    _exponentials(value[position][:size], scale, total)
                _inclusive(scale, total, shrink, inner, inverse[m][:size])
            _raise(top, inner)
        _fill(total, _F(0.0))
        for m in range(models):
            _exponentials(nest[m][:size], top, total)
        _fill(held, _F(0.0))
        for position in range(count):
            _add(held, columns[available[position]][start:end])
        _spread(level, mine, ends, base)
        _spread(reference, mine, ends, since)
        _log_nest(top, total, c, since, level_of_capability, base, bits, flatten, x, grown)
        _adopt(x, _F(adoption_rate), adoption[start:end])
        _spread(growth, mine, ends, since)
        _consume(weight[start:end], since, a, grown, grow, adoption[start:end], out, demand)
        _add_up(firms[start:end], adoption[start:end], mine, ends, adopters)
        _rates(held, total, _F(portfolio_rate))
        for m in range(models):
            inner = nest[m][:size]
            _scale(inner, inverse[m][:size], total)
            for position in range(first[m], first[m + 1]):
                j = available[position]
                column = columns[j][start:end]
                _move(column, held, value[position][:size], inner)
                _add_up(demand, column, mine, ends, bought[j])
        start = end
    for s in range(segments):
        for j in range(offers):
            tokens[s, j] = bought[j, s]
    return True
