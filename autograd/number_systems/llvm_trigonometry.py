"""Sine, cosine, tangent and their inverses: a reduction to a small interval and a polynomial there."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from autograd.number_systems import llvm_coefficients as c
from autograd.number_systems.llvm import Emitter, Register
from autograd.number_systems.llvm_pairs import (
    Bits,
    Pair,
    bits,
    choose,
    equal,
    full_product,
    full_sum,
    polynomial,
    single,
    with_sign_of,
)

_ROUND = 1.5 * 2.0**52
#: Up to here n = x / (π/2) and π/2 in three doubles give the rest of the division to its last digit.
_LARGEST = 2.0**30


class Angle(NamedTuple):
    """sin r and cos r as pairs, and n: x = n·π/2 + r, |r| ≤ π/4."""

    sine: Pair
    cosine: Pair
    quadrant: Bits


def _angle(e: Emitter, x: Any) -> Angle:
    """For |x| < 2³⁰: n·(π/2)₁ is taken away exactly, and what (π/2)₂ and (π/2)₃ take is carried in a pair."""
    shifted = e.fma(x, 2 / math.pi, _ROUND)
    n = shifted - _ROUND
    begun = e.fma(n, -c.HALF_PI, x)
    second = full_product(e, n, -c.HALF_PI_LOW)
    r = full_sum(e, begun, second.high)
    r = Pair(e, r.high, r.low + e.fma(n, -c.HALF_PI_REST, second.low)).normalised()
    w = r.high * r.high
    sine = Pair(e, r.high, e.fma(r.high * w, polynomial(e, c.SIN, w), e.fma(w * -0.5, r.low, r.low)))
    half = w * -0.5
    cosine = half + 1.0
    # what 1 - w/2 loses, w's own rounding, and -sin(r)·(the low part of r)
    lost = (half - (cosine - 1.0)) + e.fma(r.high, r.high, -w) * -0.5
    rest = e.fma(w * w, polynomial(e, c.COS, w), e.fma(-r.high, r.low, lost))
    return Angle(sine, Pair(e, cosine, rest), bits(e, shifted))


def _odd(e: Emitter, quadrant: Bits) -> Register:
    """Whether the last bit of n is set."""
    last = quadrant << 63
    return e.line(f"icmp slt {e.bits_type} {last.text}, {e.splat('0', 'i64')}", truth=True)


def _turned(e: Emitter, value: Any, quadrant: Bits) -> Register:
    """The value with its sign changed where the last but one bit of n is set."""
    return (bits(e, value) ^ (((quadrant >> 1) & 1) << 63)).number()


def _by_lane(e: Emitter, name: str, x: Any, near: Any) -> Register:
    """``near`` up to 2³⁰, and what the C library's function gives beyond, where the reduction needs all digits of π."""
    kind = e.number_type
    size = abs(x)
    large = (size >= _LARGEST) & (size < math.inf)
    anywhere = large.text
    if e.width > 1:
        suffix = f"v{e.width}i1"
        e.declarations.add(f"declare i1 @llvm.vector.reduce.or.{suffix}({e.truth_type})")
        anywhere = e.line(f"call i1 @llvm.vector.reduce.or.{suffix}({e.truth_type} {large.text})").text
    e.declarations.add(f"declare double @{name}(double)")
    e.lines += [f"br i1 {anywhere}, label %large, label %done", "large:"]
    result = "poison"
    for lane in range(e.width):
        if e.width == 1:
            result = e.line(f"call double @{name}(double {x.text})").text
            continue
        one = e.line(f"extractelement {kind} {x.text}, i64 {lane}")
        value = e.line(f"call double @{name}(double {one.text})")
        result = e.line(f"insertelement {kind} {result}, double {value.text}, i64 {lane}").text
    mixed = e.where(large, Register(e, result), near)
    e.lines += ["br label %done", "done:"]
    return e.line(f"phi {kind} [{near.text}, %entry], [{mixed.text}, %large]")


def sin(e: Emitter, x: Any) -> Any:
    """sin x."""
    angle = _angle(e, x)
    chosen = choose(_odd(e, angle.quadrant), angle.cosine, angle.sine)
    near = e.where(abs(x) < 2.0**-27, x, _turned(e, chosen.value, angle.quadrant))
    return _by_lane(e, "sin", x, near)


def cos(e: Emitter, x: Any) -> Any:
    """cos x = sin(x + π/2)."""
    angle = _angle(e, x)
    chosen = choose(_odd(e, angle.quadrant), angle.sine, angle.cosine)
    return _by_lane(e, "cos", x, _turned(e, chosen.value, angle.quadrant + 1))


def tan(e: Emitter, x: Any) -> Any:
    """sin r / cos r, or -cos r / sin r."""
    angle = _angle(e, x)
    odd, sine, cosine = _odd(e, angle.quadrant), angle.sine.normalised(), angle.cosine.normalised()
    quotient = choose(odd, cosine, sine).over(choose(odd, sine, cosine)).value
    near = e.where(abs(x) < 2.0**-27, x, (bits(e, quotient) ^ (angle.quadrant << 63)).number())
    return _by_lane(e, "tan", x, near)


def _arcsine(e: Emitter, x: Any) -> tuple[Register, Pair]:
    """Whether |x| > ½; and as a pair asin|x| where it is not, asin √((1 - |x|) / 2) where it is."""
    a = abs(x)
    outer = a > 0.5
    rest = (1.0 - a) * 0.5
    w = e.where(outer, rest, a * a)
    root = e.intrinsic("sqrt", rest)
    root_low = e.where(outer, e.fma(-root, root, rest) / (root + root), 0.0)
    y = e.where(outer, root, a)
    # a root of zero has no rest
    root_low = e.where(equal(e, y, 0.0), 0.0, root_low)
    return outer, Pair(e, y, e.fma(y * w, polynomial(e, c.ASIN, w), root_low))


def asin(e: Emitter, x: Any) -> Any:
    """asin x; beyond ½ it is π/2 - 2·asin √((1 - x) / 2)."""
    outer, part = _arcsine(e, x)
    far = part.doubled(-2.0).added_to(c.HALF_PI)
    far = Pair(e, far.high, far.low + c.HALF_PI_LOW)
    result = e.where(outer, far.value, part.value)
    return with_sign_of(e, e.where(abs(x) < 2.0**-28, x, result), x)


def acos(e: Emitter, x: Any) -> Any:
    """π/2 - asin x; beyond ½ it is 2·asin √((1 - x) / 2), and π less that below -½."""
    outer, part = _arcsine(e, x)
    negative = x < 0.0
    signed = Pair(e, *(e.where(negative, y, -y) for y in (part.high, part.low)))
    middle = signed.added_to(c.HALF_PI)
    left = part.doubled(-2.0).added_to(2 * c.HALF_PI)
    middle = Pair(e, middle.high, middle.low + c.HALF_PI_LOW)
    left = Pair(e, left.high, left.low + 2 * c.HALF_PI_LOW)
    return e.where(outer, e.where(negative, left.value, part.value * 2.0), middle.value)


def _angle_of(e: Emitter, y: Any, x: Any) -> Pair:
    """The angle of the point (x, y) in the first quadrant, as a pair.

    It is atan(y / x) up to tan(π/8), π/4 + atan((y - x) / (y + x)) up to tan(3π/8), and π/2 - atan(x / y) beyond.
    """
    low, high = y < x * math.tan(math.pi / 8), y * math.tan(math.pi / 8) > x
    difference, total = full_sum(e, y, -x), full_sum(e, y, x)
    numerator = choose(low, single(e, y), choose(high, single(e, -x), difference))
    denominator = choose(low, single(e, x), choose(high, single(e, y), total))
    t = numerator.over(denominator)
    w = t.high * t.high
    part = Pair(e, t.high, e.fma(t.high * w, polynomial(e, c.ATAN, w), t.low))
    base = e.where(low, 0.0, e.where(high, c.HALF_PI, c.HALF_PI / 2))
    base_low = e.where(low, 0.0, e.where(high, c.HALF_PI_LOW, c.HALF_PI_LOW / 2))
    whole = part.added_to(base)
    return Pair(e, whole.high, whole.low + base_low)


def atan(e: Emitter, x: Any) -> Any:
    """atan x."""
    a = abs(x)
    far = e.where(a > 2.0**60, 2.0**60, a)
    result = _angle_of(e, far, e.number(1.0)).value
    return with_sign_of(e, e.where(a < 2.0**-28, a, result), x)


def atan2(e: Emitter, y: Any, x: Any) -> Any:
    """The angle of the point (x, y); signs of zeros and infinities as C99 has them."""
    height, width = abs(y), abs(x)
    larger = e.where(height > width, height, width)
    # Powers of two that keep sums and remainders in range, and no more than that, because a quotient may be subnormal.
    scale = e.where(larger > 2.0**1000, 2.0**-30, e.where(larger < 2.0**-300, 2.0**600, 1.0))
    infinite, origin = equal(e, larger, math.inf), equal(e, larger, 0.0)
    height, width = (
        e.where(infinite, e.where(equal(e, side, math.inf), 1.0, side * 0.0), side * scale) for side in (height, width)
    )
    angle = _angle_of(e, height, e.where(origin, 1.0, width))
    opposite = Pair(e, -angle.high, -angle.low).added_to(2 * c.HALF_PI)
    opposite = Pair(e, opposite.high, opposite.low + 2 * c.HALF_PI_LOW)
    return with_sign_of(e, e.where(with_sign_of(e, 1.0, x) < 0.0, opposite.value, angle.value), y)
