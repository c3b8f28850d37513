"""The population's quarter, compiled: choice, adoption, portfolios and tokens without temporaries.

Enterprises go through in blocks of one segment, offer by offer, so that every inner loop runs along a block
and is vectorised. State and tastes are in single precision, sums over enterprises in double.
``model.demand.step`` is the door; it explains the arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

BLOCK = 256  # enterprises a block: most of the scratch stays in the first-level cache
NOTHING = -60.0  # log2 of a share too small to matter; smaller ones would become slow subnormal numbers
LARGEST = 126.0  # log2 of the largest volume
PER_BIT = 0.6931471805599453  # natural logarithm of 2

_F = np.float32
_I = np.int32

# Everything inside runs in base 2, which saves the change of base. Calls to the mathematical library would
# keep the loops from being vectorised, so exp2 and log2 are minimax polynomials (fitted by linear
# programming, errors 9e-8 relative and 5e-8 absolute).


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _exp2_near(x: Any, half: Any) -> Any:  # pragma: no cover - compiled
    """2^x for -126 < x < 127; ``half`` with the sign of x makes truncation round."""
    n = _I(x + half)
    r = x - _F(n)
    p = _F(1.3264727501e-3)
    p = p * r + _F(9.6715126371e-3)
    p = p * r + _F(5.5507337423e-2)
    p = p * r + _F(2.4022242085e-1)
    p = p * r + _F(6.931469776e-1)
    p = p * r + _F(1.0)
    return p * _I((n + _I(127)) << _I(23)).view(np.float32)


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _exp2(x: Any) -> Any:  # pragma: no cover - compiled
    x = min(max(x, _F(-LARGEST)), _F(LARGEST))
    return _exp2_near(x, _F(0.5) if x >= _F(0.0) else _F(-0.5))


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _exp2_below_one(x: Any) -> Any:  # pragma: no cover - compiled
    return _exp2_near(max(x, _F(NOTHING)), _F(-0.5))


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _log2(x: Any) -> Any:  # pragma: no cover - compiled
    """Base-2 logarithm of a positive normal number: exponent, and a polynomial for 0.71 to 1.41."""
    bits = _F(x).view(np.int32)
    n = _I((bits - _I(0x3F3504F3)) >> _I(23))
    m = _I(bits - _I(n << _I(23))).view(np.float32) - _F(1.0)
    p = _F(-1.4573964852e-1)
    p = p * m + _F(2.3688770005e-1)
    p = p * m + _F(-2.5006954421e-1)
    p = p * m + _F(2.8670784641e-1)
    p = p * m + _F(-3.6008720888e-1)
    p = p * m + _F(4.8093942992e-1)
    p = p * m + _F(-7.2135714889e-1)
    p = p * m + _F(1.4426947725)
    return p * m + _F(n)


# One loop a function, so that each is vectorised by itself.


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _fill(row: Any, number: Any) -> None:  # pragma: no cover - compiled
    for b in range(row.size):
        row[b] = number


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _utility(
    a: Any, c: Any, h: Any, quality: Any, paid: Any, taste: Any, factor: Any, row: Any
) -> None:  # pragma: no cover - compiled
    for b in range(row.size):
        row[b] = (c[b] * quality - a[b] * _log2(paid + h[b]) + taste) * factor


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _linear_utility(
    a: Any, c: Any, h: Any, quality: Any, paid: Any, at: Any, taste: Any, factor: Any, row: Any
) -> None:  # pragma: no cover - compiled
    """The same with the tangent of the logarithm at the price ``at`` in its place."""
    for b in range(row.size):
        tangent = at + h[b]
        fall = _log2(tangent) + (paid - at) / tangent * _F(1.0 / PER_BIT)
        row[b] = (c[b] * quality - a[b] * fall + taste) * factor


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _bits(c: Any, row: Any) -> None:  # pragma: no cover - compiled
    for b in range(row.size):
        row[b] = c[b] * _F(1.0 / PER_BIT)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _raise(top: Any, row: Any) -> None:  # pragma: no cover - compiled
    for b in range(row.size):
        top[b] = max(top[b], row[b])


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _exponentials(row: Any, top: Any, total: Any) -> None:  # pragma: no cover - compiled
    for b in range(row.size):
        e = _exp2_below_one(row[b] - top[b])
        row[b] = e
        total[b] += e


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _inclusive(
    top: Any, total: Any, shrink: Any, inner: Any, inverse: Any
) -> None:  # pragma: no cover - compiled
    for b in range(inner.size):
        inner[b] = (top[b] + _log2(total[b])) * shrink
        inverse[b] = _F(1.0) / total[b]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _add(total: Any, row: Any) -> None:  # pragma: no cover - compiled
    for b in range(row.size):
        total[b] += row[b]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _log_nest(
    top: Any,
    total: Any,
    c: Any,
    reference: Any,
    quality: Any,
    taste: Any,
    bits: Any,
    flatten: Any,
    x: Any,
    grown: Any,
) -> None:  # pragma: no cover - compiled
    """(1 - sigma1) ln B and ln B - ln B_ref, with the levels put back that were taken out of utility."""
    for b in range(x.size):
        x[b] = (top[b] + _log2(total[b])) * bits + c[b] * quality + taste
        grown[b] = x[b] / flatten - reference[b]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _adopt(x: Any, rate: Any, state: Any) -> None:  # pragma: no cover - compiled
    one = _F(1.0)
    for b in range(state.size):
        small = _exp2_below_one(-abs(x[b]) * _F(1.0 / PER_BIT))
        target = (one if x[b] >= _F(0.0) else small) / (one + small)
        state[b] += rate * (target - state[b])


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _consume(
    mass: Any, a: Any, grown: Any, grow: Any, state: Any, out: Any, demand: Any
) -> None:  # pragma: no cover - compiled
    for b in range(out.size):
        out[b] = mass[b] * _exp2(grow / a[b] * grown[b])
        demand[b] = out[b] * state[b]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _rates(held: Any, total: Any, rate: Any) -> None:  # pragma: no cover - compiled
    """Factors on what is held and on the target, where a portfolio without an available offer starts."""
    one = _F(1.0)
    for b in range(held.size):
        some = held[b] > _F(0.0)
        total[b] = (rate if some else one) / total[b]
        held[b] = (one - rate) / held[b] if some else _F(0.0)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _scale(inner: Any, inverse: Any, total: Any) -> None:  # pragma: no cover - compiled
    for b in range(inner.size):
        inner[b] = inner[b] * inverse[b] * total[b]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _move(column: Any, held: Any, row: Any, inner: Any) -> None:  # pragma: no cover - compiled
    for b in range(column.size):
        column[b] = held[b] * column[b] + inner[b] * row[b]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract"})
def _sum_of_products(x: Any, y: Any) -> Any:  # pragma: no cover - compiled
    """Sum of x * y in double precision; free to reorder, so that it is vectorised, in a fixed order."""
    total = np.float64(0.0)
    for b in range(x.size):
        total += np.float64(x[b]) * np.float64(y[b])
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
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


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def population_step(
    alpha: Any,
    beta: Any,
    nuisance: Any,
    weight: Any,
    firms: Any,
    segment: Any,
    order: Any,
    group: Any,
    capability: Any,
    price: Any,
    offset: Any,
    level: Any,
    capability_level: Any,
    linear_at: Any,
    sigma1: Any,
    sigma2: Any,
    eta: Any,
    reference: Any,
    adoption_rate: Any,
    portfolio_rate: Any,
    adoption: Any,
    columns: Any,
    volume: Any,
    tokens: Any,
    adopters: Any,
) -> None:  # pragma: no cover - compiled
    """One quarter; ``columns`` (J, I) is the portfolio by offer, the rest as in ``model.demand.step``.

    ``order`` lists offers model by model and ``group`` numbers the model of each; ``level`` (S,) and
    ``capability_level`` are what was taken out of offset and capability, so that single precision sees
    small numbers. ``linear_at`` is the price at which linear utility touches the log form; 0 is the log form.
    """
    enterprises, offers = alpha.size, order.size
    sharpness = _F(1.0 / (1.0 - sigma2))
    shrink = _F((1.0 - sigma2) / (1.0 - sigma1))
    lone, per_bit = _F(1.0 / (1.0 - sigma1)), _F(1.0 / PER_BIT)
    flatten, bits = _F(1.0 - sigma1), _F((1.0 - sigma1) * PER_BIT)
    grow = _F(eta * (1.0 - sigma1) / PER_BIT)
    value, nest = np.empty((offers, BLOCK), np.float32), np.empty((offers, BLOCK), np.float32)
    inverse = np.empty((offers, BLOCK), np.float32)
    scratch = np.empty((8, BLOCK), np.float32)
    available, first = np.empty(offers, np.int64), np.empty(offers + 1, np.int64)
    begin = 0
    while begin < enterprises:
        s = segment[begin]
        stop = begin + 1
        while stop < enterprises and segment[stop] == s:
            stop += 1
        count, models = _open_offers(offset[s], order, group, available, first)
        for j in range(offers):
            if not offset[s, j] > -np.inf:
                _fill(columns[j][begin:stop], _F(0.0))
        if count == 0:
            _fill(volume[begin:stop], _F(0.0))
            for b in range(begin, stop):
                adoption[b] -= _F(adoption_rate) * adoption[b]
            adopters[s] += _sum_of_products(firms[begin:stop], adoption[begin:stop])
            begin = stop
            continue
        for start in range(begin, stop, BLOCK):
            end = min(start + BLOCK, stop)
            size = end - start
            a, c, h = alpha[start:end], beta[start:end], nuisance[start:end]
            scale, total, top = scratch[0][:size], scratch[1][:size], scratch[2][:size]
            held, demand = scratch[3][:size], scratch[4][:size]
            x, grown = scratch[5][:size], scratch[6][:size]
            bits_of_c = scratch[7][:size]
            _bits(c, bits_of_c)
            _fill(top, _F(-np.inf))
            for m in range(models):
                inner = nest[m][:size]
                if first[m + 1] - first[m] == 1:  # a model with one offer is its own nest
                    j = available[first[m]]
                    taste = offset[s, j] * per_bit
                    if linear_at > _F(0.0):
                        _linear_utility(
                            a, bits_of_c, h, capability[j], price[j], linear_at, taste, lone, inner
                        )
                    else:
                        _utility(a, bits_of_c, h, capability[j], price[j], taste, lone, inner)
                    _fill(value[first[m]][:size], _F(1.0))
                    _fill(inverse[m][:size], _F(1.0))
                else:
                    _fill(scale, _F(-np.inf))
                    _fill(total, _F(0.0))
                    for position in range(first[m], first[m + 1]):
                        j, row = available[position], value[position][:size]
                        taste = offset[s, j] * per_bit
                        if linear_at > _F(0.0):
                            _linear_utility(
                                a, bits_of_c, h, capability[j], price[j], linear_at, taste, sharpness, row
                            )
                        else:
                            _utility(a, bits_of_c, h, capability[j], price[j], taste, sharpness, row)
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
            _log_nest(
                top, total, c, reference[start:end], capability_level, level[s], bits, flatten, x, grown
            )
            _adopt(x, _F(adoption_rate), adoption[start:end])
            _consume(weight[start:end], a, grown, grow, adoption[start:end], volume[start:end], demand)
            adopters[s] += _sum_of_products(firms[start:end], adoption[start:end])
            _rates(held, total, _F(portfolio_rate))
            for m in range(models):
                inner = nest[m][:size]
                _scale(inner, inverse[m][:size], total)
                for position in range(first[m], first[m + 1]):
                    j = available[position]
                    _move(columns[j][start:end], held, value[position][:size], inner)
                    tokens[s, j] += _sum_of_products(demand, columns[j][start:end])
        begin = stop
