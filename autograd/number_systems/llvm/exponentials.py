"""The exponential function and the logarithm, on which most kernels stand: one reduction and one polynomial each.

The exponential is a power of two and a pair, so that what is made of it (sigmoid, sinh, mish …) is rounded once, at
its end; the logarithm is rounded at once, because only sums are made of it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from autograd.number_systems.llvm import coefficients as c
from autograd.number_systems.llvm.emitter import Emitter, Register
from autograd.number_systems.llvm.pairs import (
    Bits,
    Pair,
    at_least,
    at_most,
    bits,
    full_product,
    full_sum,
    horner,
    ordered_sum,
    polynomial,
    with_sign_of,
)

#: Added to a number, it leaves the nearest integer plus 2046 in the last bits: the exponents of two factors.
_SHIFT = 1.5 * 2.0**52 + 2046
#: Added to a number, it leaves the bits of two to the power of the nearest integer, 52 places too far right.
_SHIFT_TO_POWER = 1.5 * 2.0**52 + 1023
_HALF_LOG_2 = math.log(2) / 2
#: Where the n of ``tanh`` becomes 1, at 0.2555, less half a step: the result is ¼ there.
_TANH_OF_NONE = 0.2555 - _HALF_LOG_2 / 2
_BITS_OF_ONE = 1023 << 52
_BITS_OF_ROOT_HALF = 0x3FE6A09E667F3BCD
_FRACTION = (1 << 52) - 1
_TWO_TO_52 = 0x433 << 52


class Exponential(NamedTuple):
    """eˣ = 2ⁿ·(1 + r + t), with r and t as computed; ``shifted`` holds n."""

    emitter: Emitter
    r: Any
    t: Any
    shifted: Bits

    def fraction(self) -> Pair:
        """eˣ / 2ⁿ, from √½ to √2."""
        return ordered_sum(self.emitter, 1.0, self.r + self.t)

    def power(self, less: int = 0) -> Register:
        """2ⁿ⁻ˡᵉˢˢ, where that is a normal number."""
        return ((self.shifted - (1023 + less)) << 52).number()

    def times_power(self, x: Any) -> Register:
        """x·2ⁿ, rounded once, also where it is subnormal or too large."""
        half = self.shifted >> 1
        return x * (half << 52).number() * ((self.shifted - half) << 52).number()  # type: ignore[no-any-return]

    def minus_one(self, scale: float = 1.0) -> Pair:
        """(eˣ - 1)·scale, where 2ⁿ·scale is a normal number; the scale is a power of two."""
        e, power = self.emitter, self.power(int(-math.log2(scale)))
        total = ordered_sum(e, power - scale, self.r * power)
        return Pair(e, total.high, e.fma(self.t, power, total.low))


def exponential(e: Emitter, x: Any, low: Any = None, *, fine: bool = False) -> Exponential:
    """e to the power x + low, for -1400 < x < 1400.

    r = x - n·log(2), |r| ≤ log(2)/2. The first part of log(2) has 40 bits: n times it is exact, and so is the
    difference; the second part leaves a rounding of r, at most a quarter of a unit in the last place of the result.
    Where that counts, as where 1 is subtracted, ``fine`` carries it along: e^(r + s) = eʳ(1 + s).
    """
    shifted = e.fma(x, c.INVERSE_LOG_2, _SHIFT)
    n = shifted - _SHIFT
    begun = e.fma(n, -c.LOG_2_HIGH, x)
    r = e.fma(n, -c.LOG_2_LOW, begun)
    t = r * r * polynomial(e, c.EXP, r)
    if fine or low is not None:
        rest = e.fma(n, -c.LOG_2_LOW, begun - r)
        rest = rest if low is None else rest + low
        t = t + e.fma(rest, r + t, rest)
    return Exponential(e, r, t, bits(e, shifted))


def split(e: Emitter, x: Any) -> tuple[Register, Register]:
    """k and m of x = 2ᵏ·m, √½ ≤ m < √2, of a positive normal number."""
    raised = bits(e, x) + (_BITS_OF_ONE - _BITS_OF_ROOT_HALF)
    k = ((raised >> 52) | _TWO_TO_52).number() - (2.0**52 + 1023)
    return k, ((raised & _FRACTION) + _BITS_OF_ROOT_HALF).number()


def _quotient(e: Emitter, m: Any) -> Pair:
    """s = 2f / (2 + f) as a pair, for f = m - 1: log m is 2·artanh(s/2) = s + s³/12 + …"""
    f, total = m - 1.0, m + 1.0
    total_low = m - (total - 1.0)
    inverse = 2.0 / total
    s = f * inverse
    half = s * 0.5
    return Pair(e, s, e.fma(-half, total_low, e.fma(-half, total, f)) * inverse)


def fine_logarithm(e: Emitter, x: Any, *, less: Any) -> Pair:
    """log x - less·log 2 to about 2⁻⁶⁵ of its size, for powers: there it is multiplied by up to 2¹⁰."""
    k, m = split(e, x)
    k = k - less
    s = _quotient(e, m)
    w = s.times(s)
    cube = s.times(w).times(Pair(e, e.number(c.TWELFTH), e.number(c.TWELFTH_REST)))
    rest = e.fma(s.high * w.high * w.high, polynomial(e, c.LOG_TAIL, w.high), cube.low)
    first = ordered_sum(e, k * c.LOG_2_HIGH, s.high)
    second = ordered_sum(e, first.high, cube.high)
    low = first.low + second.low + e.fma(k, c.LOG_2_LOW, s.low)
    return Pair(e, second.high, low + rest).normalised()


def _taken(e: Emitter, f: Any) -> tuple[Register, Register]:
    """s and q of log(1 + f) = f - s·q, √½ ≤ 1 + f < √2.

    With s = 2f / (2 + f), which is f - s·f/2, the logarithm is s + s·w·p(w) = f - s·(f/2 - w·p(w)), w = s²: f is exact,
    and what is taken from it is small.
    """
    s = f / e.fma(f, 0.5, 1.0)
    w = s * s
    return s, e.fma(-w, polynomial(e, c.LOG, w), f * 0.5)


def logarithm_of_parts(e: Emitter, k: Any, f: Any, low: Any = None) -> Register:
    """k·log 2 + log(1 + f + low), √½ ≤ 1 + f < √2, ``low`` a rest of f.

    Roundings sum up to 1.5 units in the last place, at k = -1 and f = 0.41.
    """
    s, q = _taken(e, f)
    rest = k * c.LOG_2_LOW if low is None else e.fma(k, c.LOG_2_LOW, low)
    return e.fma(k, c.LOG_2_HIGH, f + e.fma(-s, q, rest))


def logarithm(e: Emitter, x: Any, low: Any = None, *, less: Any = None) -> Register:
    """log(x + low) - less·log 2, of a positive normal number; ``low`` is small beside x, ``less`` an integer."""
    k, m = split(e, x)
    if less is not None:
        k = k - less
    if low is None:
        return logarithm_of_parts(e, k, m - 1.0)
    # 2⁻ᵏ = m / x; half of it, because it may be subnormal; for k = 1024 the bits are those of zero.
    low = low * ((bits(e, m) - bits(e, x)) + (_BITS_OF_ONE + (1 << 52))).number() * 0.5
    f = ordered_sum(e, m - 1.0, low)
    return logarithm_of_parts(e, k, f.high, f.low)


def logarithm_of_one_plus(e: Emitter, x: Pair) -> Register:
    """log(1 + x) of a pair above -1, exact for small x too: what 1 + x.high loses is carried along."""
    total = full_sum(e, 1.0, x.high)
    return logarithm(e, total.high, total.low + x.low)


def of_positive(e: Emitter, x: Any, result: Any) -> Register:
    """The result of a logarithm where x is positive and finite; its limits and nan elsewhere."""
    return e.where(x <= 0.0, e.where(x < 0.0, math.nan, -math.inf), e.where(x < math.inf, result, x))


def normal(e: Emitter, x: Any) -> tuple[Register, Register]:
    """A positive number, subnormal ones times 2⁵⁴; and what is to be taken from the exponent."""
    small = x < 2.0**-1022
    return e.where(small, x * 2.0**54, x), e.where(small, 54.0, 0.0)


def exp(e: Emitter, x: Any) -> Any:
    """eˣ; gradual underflow below -708."""
    power = exponential(e, at_least(e, at_most(e, x, 710.0), -746.0))
    return power.times_power(1.0 + (power.r + power.t))


def expm1(e: Emitter, x: Any) -> Any:
    """eˣ - 1: half of it is computed, because 2¹⁰²⁴ is no double."""
    power = exponential(e, at_least(e, at_most(e, x, 710.0), -45.0), fine=True)
    return e.where(abs(x) < 2.0**-54, x, power.minus_one(0.5).value * 2.0)


def log(e: Emitter, x: Any) -> Any:
    """log x."""
    y, less = normal(e, x)
    return of_positive(e, x, logarithm(e, y, less=less))


def log1p(e: Emitter, x: Any) -> Any:
    """log(1 + x)."""
    total = full_sum(e, 1.0, x)
    result = of_positive(e, total.high, logarithm(e, total.high, total.low))
    return with_sign_of(e, result, x)


def _log_to_base(e: Emitter, x: Any, high: float, low: float, inverse: float, inverse_rest: float) -> Any:
    """log x / log b: the exponent times log_b 2 in two parts, and the logarithm of what is left times 1 / log b."""
    y, less = normal(e, x)
    k, m = split(e, y)
    k, f = k - less, m - 1.0
    s, q = _taken(e, f)
    first = full_product(e, f, inverse)
    rest = e.fma(f, inverse_rest, e.fma(k, low, first.low))
    return of_positive(e, x, e.fma(k, high, first.high + e.fma(-(s * q), inverse, rest)))


def log2(e: Emitter, x: Any) -> Any:
    """log x / log 2; exact at powers of two."""
    return _log_to_base(e, x, 1.0, 0.0, c.INVERSE_LOG_2, c.INVERSE_LOG_2_REST)


def log10(e: Emitter, x: Any) -> Any:
    """log x / log 10."""
    return _log_to_base(e, x, c.LOG10_2_HIGH, c.LOG10_2_LOW, c.INVERSE_LOG_10, c.INVERSE_LOG_10_REST)


def sinh(e: Emitter, x: Any) -> Any:
    """(eᵃ - 1 + (eᵃ - 1) / eᵃ) / 2 for a = |x|; a quarter of it is computed, because e⁷¹⁰ is no double."""
    a = abs(x)
    quarter = exponential(e, at_most(e, a, 710.5), fine=True).minus_one(0.25).normalised()
    large = a > 40.0
    clipped = Pair(e, e.where(large, 2.0**60, quarter.high), e.where(large, 0.0, quarter.low))
    other = clipped.over(clipped.doubled(4.0).added_to(1.0))
    result = quarter.plus_pair(other).value * 2.0
    return with_sign_of(e, e.where(a < 2.0**-28, a, result), x)


def cosh(e: Emitter, x: Any) -> Any:
    """(eᵃ + e⁻ᵃ) / 2 for a = |x|; a quarter of it is computed."""
    power = exponential(e, at_most(e, abs(x), 710.5))
    quarter = power.fraction().scaled(power.power(2))
    return (quarter.high + (quarter.low + 0.0625 / quarter.value)) * 2.0


def tanh(e: Emitter, x: Any) -> Any:
    """b + h·(2r + b·(r - g)) / (2g + b·(r - g)), with |x| = n·log(2)/2 + r, h = 2⁻ⁿ, b = 1 - h, g = r·coth r.

    That is the addition theorem of tanh r = r/g and of tanh(n·log(2)/2) = (1 - h)/(1 + h), less b. From |x| = ¼ on, b
    lies near the result, so that only the last rounding counts in full; before that n is 0 and the result r/g.
    """
    a = at_most(e, abs(x), 20.0)
    shifted = e.fma(a - _TANH_OF_NONE, -1 / _HALF_LOG_2, _SHIFT_TO_POWER)
    h = (bits(e, shifted) << 52).number()
    return with_sign_of(e, e.fma(h, _quotient_of_tanh(e, a, shifted - _SHIFT_TO_POWER, 1.0 - h), 1.0 - h), x)


def tanh_and_sech2(e: Emitter, x: Any) -> tuple[Any, Any]:
    """tanh x, the same to the last bit as that of the kernel, and 1 / cosh² x."""
    h, quotient, u = _down_to_zero(e, abs(x))
    return with_sign_of(e, e.fma(h, quotient, 1.0 - h), x), e.fma(-u, u, u + u)


def sech2(e: Emitter, x: Any) -> Any:
    """1 / cosh² x, which is u·(2 - u) for u = 1 - tanh |x|."""
    return tanh_and_sech2(e, x)[1]


def _down_to_zero(e: Emitter, x: Any) -> tuple[Any, Any, Any]:
    """h and the quotient of tanh x for x ≥ 0, and 1 - tanh x, which is h less h times the quotient; h goes down to
    where that underflows, and is made 2⁶⁴ times as large before."""
    a = at_most(e, x, 375.0)
    shift = _SHIFT_TO_POWER + 64
    shifted = e.fma(a - _TANH_OF_NONE, -1 / _HALF_LOG_2, shift)
    h = (bits(e, shifted) << 52).number() * 2.0**-64
    quotient = _quotient_of_tanh(e, a, shifted - shift, 1.0 - h)
    return h, quotient, e.fma(-h, quotient, h)


def _quotient_of_tanh(e: Emitter, a: Any, minus_n: Any, b: Any) -> Any:
    r = e.fma(minus_n, c.HALF_LOG_2_REST, e.fma(minus_n, _HALF_LOG_2, a))
    w = r * r
    g = e.fma(w, horner(e, c.COTH, w), 1.0)
    difference = r - g
    return e.fma(b, difference, r + r) / e.fma(b, difference, g + g)
