"""Powers and roots, and the inverse hyperbolic functions, which are logarithms of expressions with roots."""

from __future__ import annotations

import math
from typing import Any

from autograd.number_systems.llvm import coefficients as c
from autograd.number_systems.llvm.emitter import Emitter
from autograd.number_systems.llvm.exponentials import (
    exponential,
    fine_logarithm,
    logarithm_of_one_plus,
    normal,
)
from autograd.number_systems.llvm.pairs import (
    Pair,
    at_least,
    at_most,
    bits,
    choose,
    equal,
    full_product,
    full_sum,
    ordered_sum,
    polynomial,
    single,
    with_sign_of,
)


def pow(e: Emitter, x: Any, y: Any) -> Any:
    """exp(y·log|x|), with a logarithm of 65 digits; signs and limits as C99 has them."""
    a = abs(x)
    positive, less = normal(e, a)
    logarithm = fine_logarithm(e, positive, less=less)
    high = e.where(equal(e, a, 0.0), -math.inf, e.where(a < math.inf, logarithm.high, a))
    exponent = full_product(e, high, y)
    inside = abs(exponent.high) < 800.0
    low = e.where(inside, e.fma(logarithm.low, y, exponent.low), 0.0)
    power = exponential(e, at_least(e, at_most(e, exponent.high, 710.0), -746.0), low)
    result = power.times_power(power.fraction().high)
    whole = equal(e, e.intrinsic("floor", y), y)
    half = y * 0.5
    odd = whole & ~equal(e, e.intrinsic("floor", half), half)
    result = e.where(odd, with_sign_of(e, result, x), result)
    result = e.where((x < 0.0) & (x > -math.inf) & ~whole, math.nan, result)
    one = equal(e, x, 1.0) | equal(e, y, 0.0) | (equal(e, a, 1.0) & equal(e, abs(y), math.inf))
    return e.where(one, 1.0, result)


def hypot(e: Emitter, x: Any, y: Any) -> Any:
    """√(x² + y²) of numbers near 1; infinite if one of them is."""
    x, y = abs(x), abs(y)
    larger, smaller = e.where(x > y, x, y), e.where(x > y, y, x)
    huge, tiny = larger > 2.0**500, larger < 2.0**-450
    scale = e.where(huge, 2.0**-600, e.where(tiny, 2.0**600, 1.0))
    back = e.where(huge, 2.0**600, e.where(tiny, 2.0**-600, 1.0))
    first, second = (full_product(e, side * scale, side * scale) for side in (larger, smaller))
    square = ordered_sum(e, first.high, second.high)
    root = Pair(e, square.high, square.low + (first.low + second.low)).root().value * back
    infinite = equal(e, x, math.inf) | equal(e, y, math.inf)
    return e.where(infinite, math.inf, e.where(equal(e, larger, 0.0), smaller, root))


def cbrt(e: Emitter, x: Any) -> Any:
    """∛x = 2ᵏ·m·(1/∛m)², 1 ≤ m < 8: a polynomial, a step of fourth order, and one of Newton's with the rest of c³."""
    a = abs(x)
    positive, less = normal(e, a)
    raw = bits(e, positive)
    exponent = ((raw >> 52) | (0x433 << 52)).number() - 2.0**52
    third = bits(e, e.intrinsic("floor", (exponent + 0.5) * (1 / 3)) + 2.0**52) - (0x433 << 52)  # k + 341
    m = (raw - ((third + third + third - 1023) << 52)).number()
    y = polynomial(e, c.CBRT, m)
    r = 1.0 - m * y * (y * y)
    # 1/∛(1 - r) = 1 + r/3 + 2r²/9 + 14r³/81 + …
    y = e.fma(y * r, e.fma(r, e.fma(r, 14 / 81, 2 / 9), 1 / 3), y)
    root = m * y * y
    square = full_product(e, root, root)
    remainder = e.fma(-root, square.low, e.fma(-root, square.high, m))
    root = e.fma(remainder * (1 / 3), y * y, root)
    scale = ((third + (1023 - 341)) << 52).number() * e.where(less > 0.0, 2.0**-18, 1.0)
    return e.where((a > 0.0) & (a < math.inf), with_sign_of(e, root * scale, x), x)


def asinh(e: Emitter, x: Any) -> Any:
    """log(1 + (a + a² / (1 + √(1 + a²)))) for a = |x|; from 2³⁰ on log(1 + (a - 1)) + log 2."""
    a = abs(x)
    large = a > 2.0**30
    b = e.where(large, 1.0, a)
    square = full_product(e, b, b)
    root = full_sum(e, square.high, 1.0)
    root = Pair(e, root.high, root.low + square.low).root()
    argument = square.over(root.plus(1.0)).plus(b)
    argument = choose(large, full_sum(e, a, -1.0), argument)
    result = logarithm_of_one_plus(e, argument) + e.where(large, math.log(2), 0.0)
    return with_sign_of(e, e.where(a < 2.0**-28, a, e.where(a < math.inf, result, a)), x)


def acosh(e: Emitter, x: Any) -> Any:
    """log(1 + (t + √(t(t + 2)))) for t = x - 1; from 2³⁰ on log(1 + (x - 1)) + log 2."""
    large = x > 2.0**30
    t = full_sum(e, e.where(large, 2.0, x), -1.0)
    product = t.times(t.plus(2.0))
    root = product.root()
    argument = choose(large, full_sum(e, x, -1.0), t.plus_pair(root))
    result = logarithm_of_one_plus(e, argument) + e.where(large, math.log(2), 0.0)
    result = e.where(equal(e, x, 1.0), 0.0, result)
    return e.where(x < 1.0, math.nan, e.where(x < math.inf, result, x))


def atanh(e: Emitter, x: Any) -> Any:
    """log(1 + 2a / (1 - a)) / 2 for a = |x|."""
    a = abs(x)
    argument = single(e, a * 2.0).over(ordered_sum(e, 1.0, -a))
    result = logarithm_of_one_plus(e, argument) * 0.5
    result = e.where(a < 2.0**-28, a, e.where(equal(e, a, 1.0), math.inf, e.where(a > 1.0, math.nan, result)))
    return with_sign_of(e, result, x)
