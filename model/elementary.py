"""Exponential and logarithm as polynomials, which a loop takes several at a time.

Calls to the mathematical library would keep loops from being vectorised. In double precision to base e, in single
precision to base 2. Both take a number apart as 2^n times a rest close to one, by the bits in which it is held (IEEE
754): 52 of mantissa under the exponent in double precision, 23 in single.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from model.kernel import inlined

NOTHING = 700.0  # minus the log of a share that is none: that of the smallest number, or nearly
FEW = 200.0  # the same where several are multiplied, which stays clear of slow subnormal numbers
TO_INTEGER = 1.5 * 2.0**52  # added to a number, it leaves the nearest integer in the last bits
PER_BIT = 0.6931471805599453  # natural logarithm of 2
TINY_BITS = -60.0  # log2 of a share too small to matter; smaller ones would become slow subnormal numbers
LARGEST_BITS = 126.0  # log2 of the largest volume

_F = np.float32
_I = np.int32


@inlined
def _exp_within(x: Any, bound: Any) -> Any:  # pragma: no cover - compiled
    x = min(max(x, -bound), bound)
    shifted = x * 1.4426950408889634 + TO_INTEGER  # 1 / ln 2
    n = shifted - TO_INTEGER
    # n ln 2 in two parts, the first so short that its product with n is exact (Cody and Waite 1980)
    r = x - n * 0.693147180369123816490
    r = r - n * 1.90821492927058770002e-10
    p = 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    # n stands in the lowest bits of ``shifted``: moved into the exponent and added to that of p, it makes p 2^n
    exponent = np.float64(shifted).view(np.int64) << 52
    return np.int64(np.float64(p).view(np.int64) + exponent).view(np.float64)


@inlined
def exp(x: Any) -> Any:  # pragma: no cover - compiled
    """Exponential for -700 to 700, that of the bound beyond: Taylor's series to degree 11, errors 1e-14."""
    return _exp_within(x, NOTHING)


@inlined
def exp_of_few(x: Any) -> Any:  # pragma: no cover - compiled
    """The same for -200 to 200, of which a few may be multiplied."""
    return _exp_within(x, FEW)


@inlined
def log(x: Any) -> Any:  # pragma: no cover - compiled
    """Logarithm of a positive normal number, the series of 2 artanh((m - 1)/(m + 1)), errors 1e-14."""
    bits = np.float64(x).view(np.int64)
    n = (bits - 0x3FE6A09E667F3BCD) >> 52  # the bits of sqrt(1/2): m is from there to sqrt(2)
    m = np.int64(bits - (n << 52)).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    p = 1.0 / 17.0
    p = p * q + 1.0 / 15.0
    p = p * q + 1.0 / 13.0
    p = p * q + 1.0 / 11.0
    p = p * q + 1.0 / 9.0
    p = p * q + 1.0 / 7.0
    p = p * q + 1.0 / 5.0
    p = p * q + 1.0 / 3.0
    p = p * q + 1.0
    return 2.0 * s * p + np.int32(n) * 0.6931471805599453


# Minimax polynomials, fitted by linear programming: errors 9e-8 relative and 5e-8 absolute.


@inlined
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
    return p * _I((n + _I(127)) << _I(23)).view(np.float32)  # 127: the exponent's bias


@inlined
def exp2(x: Any) -> Any:  # pragma: no cover - compiled
    """2^x in single precision for -126 to 126, that of the bound beyond."""
    x = min(max(x, _F(-LARGEST_BITS)), _F(LARGEST_BITS))
    return _exp2_near(x, _F(0.5) if x >= _F(0.0) else _F(-0.5))


@inlined
def exp2_below_one(x: Any) -> Any:  # pragma: no cover - compiled
    """The same for x <= 0, from -60 on."""
    return _exp2_near(max(x, _F(TINY_BITS)), _F(-0.5))


@inlined
def log2(x: Any) -> Any:  # pragma: no cover - compiled
    """Base-2 logarithm of a positive normal number: exponent, and a polynomial for 0.71 to 1.41."""
    bits = _F(x).view(np.int32)
    n = _I((bits - _I(0x3F3504F3)) >> _I(23))  # the bits of sqrt(1/2)
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
