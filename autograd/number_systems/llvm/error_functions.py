"""erf, erfc and what is made of them, gelu: one polynomial near zero, one for the whole tail."""

from __future__ import annotations

from typing import Any, NamedTuple

from autograd.number_systems.llvm import coefficients as c
from autograd.number_systems.llvm.emitter import Emitter
from autograd.number_systems.llvm.exponentials import Exponential, exponential
from autograd.number_systems.llvm.pairs import (
    Pair,
    at_least,
    at_most,
    choose,
    full_product,
    ordered_sum,
    polynomial,
    single,
    with_sign_of,
)


class Tail(NamedTuple):
    """erfc(x) = 2ⁿ·fraction, for x ≥ 0."""

    power: Exponential
    fraction: Pair

    def pair(self) -> Pair:
        """erfc(x)."""
        low, high = self.fraction.low, self.fraction.high
        return Pair(low.emitter, self.power.times_power(high), self.power.times_power(low))


def _tail(e: Emitter, x: Pair, square: Pair) -> Tail:
    """erfc(x) for 0 ≤ x ≤ 28, of x and its square: exp(-x²)·p((x - 3) / (x + 3)) / (1 + 2x)."""
    power = exponential(e, -square.high, -square.low)
    # (x - 3) / (x + 3) = 1 - 6 / (x + 3); the polynomial is nearly constant, so a rounding of t hardly moves it
    t = (x.high - 3.0) / (x.high + 3.0)
    p = ordered_sum(e, c.ERFC[0], polynomial(e, c.ERFC[1:], t) * t)
    denominator = ordered_sum(e, *_larger_first(e, x.high * 2.0))
    denominator = Pair(e, denominator.high, e.fma(x.low, 2.0, denominator.low))
    return Tail(power, power.fraction().times(p).over(denominator))


def _larger_first(e: Emitter, x: Any) -> tuple[Any, Any]:
    return e.where(x > 1.0, x, 1.0), e.where(x > 1.0, 1.0, x)


def _centre(e: Emitter, x: Pair) -> Pair:
    """erf(x) for 0 ≤ x ≤ ⅞: 2x/√π + x³·p(x²)."""
    w = x.high * x.high
    first = x.times(Pair(e, e.number(c.TWO_OVER_ROOT_PI), e.number(c.TWO_OVER_ROOT_PI_REST)))
    return Pair(e, first.high, e.fma(x.high * w, polynomial(e, c.ERF, w), first.low))


def _complement(e: Emitter, a: Pair, square: Pair) -> tuple[Tail, Pair]:
    """erfc(a) for 0 ≤ a ≤ 28: the tail's, and as a pair that is better near zero."""
    tail = _tail(e, a, square)
    near = _centre(e, Pair(e, at_most(e, a.high, 0.75), a.low))
    return tail, choose(a.high < 0.5, Pair(e, -near.high, -near.low).added_to(1.0), tail.pair())


def erfc(e: Emitter, x: Any) -> Any:
    """1 - erf(x); below zero 2 - erfc(-x)."""
    a = at_most(e, abs(x), 28.0)
    tail, whole = _complement(e, single(e, a), full_product(e, a, a))
    reflected = ordered_sum(e, 2.0, -whole.high)
    below = reflected.high + (reflected.low - whole.low)
    above = e.where(a < 0.5, whole.value, tail.power.times_power(tail.fraction.value))
    return e.where(x < 0.0, below, above)


def erf(e: Emitter, x: Any) -> Any:
    """The centre's up to ⅞, and 1 - erfc(x) from there, where the roundings of a plain erfc count for a quarter."""
    a = at_most(e, abs(x), 6.0)
    power = exponential(e, -(a * a))
    p = polynomial(e, c.ERFC, (a - 3.0) / (a + 3.0))
    tail = (1.0 + (power.r + power.t)) * p / e.fma(a, 2.0, 1.0) * power.power()
    # Where 2x/√π is subnormal its error cannot be represented: there it is computed 2⁵⁴ times larger.
    tiny = a < 2.0**-900
    near = _centre(e, single(e, e.where(tiny, a * 2.0**54, at_most(e, a, 0.875)))).value
    near = e.where(tiny, near * 2.0**-54, near)
    return with_sign_of(e, e.where(a < 0.875, near, 1.0 - tail), x)


def gelu(e: Emitter, x: Any) -> Any:
    """x·erfc(-x/√2) / 2; the exponent is -x²/2, so √2 magnifies no rounding, and the power of two comes last."""
    y = at_least(e, at_most(e, x, 39.0), -39.0)
    a = abs(y)
    argument = single(e, a).times(Pair(e, e.number(c.ROOT_HALF), e.number(c.ROOT_HALF_REST)))
    tail, whole = _complement(e, argument, full_product(e, a, a).doubled(0.5))
    above = Pair(e, whole.high * -0.5, whole.low * -0.5).added_to(1.0)
    near = choose(x < 0.0, whole.doubled(0.5), above).times_number(y).value
    far = tail.power.times_power(tail.fraction.doubled(0.5).times_number(y).value)
    return with_sign_of(e, e.where(x > 38.0, x, e.where(x < -1.0, far, near)), x)
