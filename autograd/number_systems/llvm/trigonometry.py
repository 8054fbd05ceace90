"""Sine, cosine, tangent and their inverses: a reduction to a small interval and a polynomial there."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from autograd.number_systems.llvm import coefficients as c
from autograd.number_systems.llvm.emitter import Emitter, Register
from autograd.number_systems.llvm.pairs import (
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


#: x·2/π of a finite x ≥ 2³⁰: n modulo 4, and the rest f, |f| ≤ ½, in two parts (Payne and Hanek, 1983).
#: x = M·2ᵉ with an integer M of 53 bits. The first e - 2 bits of 2/π give multiples of 4, the 192 after them the rest
#: to 2⁻¹³⁷, and no double's rest is below 2⁻⁶².
#: The product modulo 2¹⁹² is n in its first two bits and f, with a sign, in the others. Of |f| without its leading
#: zeros, the first 53 bits (192 - 53 = 139) and the next 53 (86) become doubles, times 2⁻⁵³ (970 = 1023 - 53) less the
#: zeros, and 2⁻⁵³ again.
_TURNS = """
@two_over_pi = internal constant i1280 {digits}
declare i192 @llvm.ctlz.i192(i192, i1)
declare i192 @llvm.abs.i192(i192, i1)
define internal {{ i64, double, double }} @turns(double %x) noinline {{
%raw = bitcast double %x to i64
%bits = and i64 %raw, 9223372036854775807
%exponent = lshr i64 %bits, 52
%fraction = and i64 %bits, 4503599627370495
%integer = or i64 %fraction, 4503599627370496
%first = sub i64 {last}, %exponent
%byte = lshr i64 %first, 3
%bit = and i64 %first, 7
%at = getelementptr i8, ptr @two_over_pi, i64 %byte
%loaded = load i256, ptr %at, align 1
%shift = zext i64 %bit to i256
%shifted = lshr i256 %loaded, %shift
%window = trunc i256 %shifted to i192
%wide = zext i64 %integer to i192
%product = mul i192 %window, %wide
%rest = shl i192 %product, 2
%quarter = lshr i192 %product, 190
%up = lshr i192 %rest, 191
%rounded = add i192 %quarter, %up
%whole = trunc i192 %rounded to i64
%size = call i192 @llvm.abs.i192(i192 %rest, i1 false)
%zeros = call i192 @llvm.ctlz.i192(i192 %size, i1 false)
%left = shl i192 %size, %zeros
%top = lshr i192 %left, 139
%next = lshr i192 %left, 86
%high.bits = trunc i192 %top to i64
%next.bits = trunc i192 %next to i64
%low.bits = and i64 %next.bits, 9007199254740991
%high.integer = uitofp i64 %high.bits to double
%low.integer = uitofp i64 %low.bits to double
%zeros.count = trunc i192 %zeros to i64
%scale.exponent = sub i64 970, %zeros.count
%scale.bits = shl i64 %scale.exponent, 52
%scale = bitcast i64 %scale.bits to double
%high = fmul double %high.integer, %scale
%low.scaled = fmul double %low.integer, %scale
%low = fmul double %low.scaled, 0x3CA0000000000000
%negative = icmp slt i192 %rest, 0
%high.negated = fneg double %high
%low.negated = fneg double %low
%high.signed = select i1 %negative, double %high.negated, double %high
%low.signed = select i1 %negative, double %low.negated, double %low
%minus = fcmp olt double %x, 0.0
%whole.negated = sub i64 0, %whole
%high.opposite = fneg double %high.signed
%low.opposite = fneg double %low.signed
%whole.result = select i1 %minus, i64 %whole.negated, i64 %whole
%high.result = select i1 %minus, double %high.opposite, double %high.signed
%low.result = select i1 %minus, double %low.opposite, double %low.signed
%one = insertvalue {{ i64, double, double }} poison, i64 %whole.result, 0
%two = insertvalue {{ i64, double, double }} %one, double %high.result, 1
%all = insertvalue {{ i64, double, double }} %two, double %low.result, 2
ret {{ i64, double, double }} %all
}}"""


def _reduced(e: Emitter, x: Any) -> tuple[Pair, Bits]:
    """r and n of x = n·π/2 + r, |r| ≤ π/4; of n the last bits.

    Up to 2³⁰, n·(π/2)₁ is taken away exactly, and what (π/2)₂ and (π/2)₃ take is carried in a pair. A vector with a
    larger number goes another way, lane by lane.
    """
    shifted = e.fma(x, 2 / math.pi, _ROUND)
    n = shifted - _ROUND
    begun = e.fma(n, -c.HALF_PI, x)
    second = full_product(e, n, -c.HALF_PI_LOW)
    r = full_sum(e, begun, second.high)
    r = Pair(e, r.high, r.low + e.fma(n, -c.HALF_PI_REST, second.low)).normalised()
    near = [bits(e, shifted).text, r.high.text, r.low.text]

    size = abs(x)
    large = (size >= _LARGEST) & (size < math.inf)
    anywhere = large.text
    if e.width > 1:
        e.declarations.add(f"declare i1 @llvm.vector.reduce.or.v{e.width}i1({e.truth_type})")
        anywhere = e.line(f"call i1 @llvm.vector.reduce.or.v{e.width}i1({e.truth_type} {large.text})").text
    e.functions["@turns"] = _TURNS.format(digits=c.TWO_OVER_PI, last=c.TWO_OVER_PI_BITS - 192 + 1075 + 2)
    chosen = e.where(large, x, _LARGEST)
    e.lines += [f"br i1 {anywhere}, label %large, label %done", "large:"]
    far = _turns_by_lane(e, chosen)
    turned = Pair(e, Register(e, far[1]), Register(e, far[2])).times(
        Pair(e, e.number(c.HALF_PI), e.number(c.HALF_PI_LOW))
    )
    far = [far[0], turned.high.text, turned.low.text]
    kinds = [e.bits_type, e.number_type, e.number_type]
    mixed = [
        e.line(f"select {e.truth_type} {large.text}, {kind} {one}, {kind} {other}").text
        for kind, one, other in zip(kinds, far, near, strict=True)
    ]
    e.lines += ["br label %done", "done:"]
    whole, high, low = (
        e.line(f"phi {kind} [{one}, %entry], [{other}, %large]").text
        for kind, one, other in zip(kinds, near, mixed, strict=True)
    )
    return Pair(e, Register(e, high), Register(e, low)), Bits(e, whole)


def _turns_by_lane(e: Emitter, x: Register) -> list[str]:
    """n, and the rest in two parts."""
    kinds = [(e.bits_type, "i64"), (e.number_type, "double"), (e.number_type, "double")]
    results = ["poison"] * 3
    for lane in range(e.width):
        one = x if e.width == 1 else e.line(f"extractelement {e.number_type} {x.text}, i64 {lane}")
        found = e.line(f"call {{ i64, double, double }} @turns(double {one.text})").text
        for i, (kind, element) in enumerate(kinds):
            part = e.line(f"extractvalue {{ i64, double, double }} {found}, {i}").text
            results[i] = (
                part
                if e.width == 1
                else e.line(f"insertelement {kind} {results[i]}, {element} {part}, i64 {lane}").text
            )
    return results


def _angle(e: Emitter, x: Any) -> Angle:
    """The polynomials of the reduced angle."""
    r, quadrant = _reduced(e, x)
    w = r.high * r.high
    sine = Pair(e, r.high, e.fma(r.high * w, polynomial(e, c.SIN, w), e.fma(w * -0.5, r.low, r.low)))
    half = w * -0.5
    cosine = half + 1.0
    # what 1 - w/2 loses, w's own rounding, and -sin(r)·(the low part of r)
    lost = (half - (cosine - 1.0)) + e.fma(r.high, r.high, -w) * -0.5
    rest = e.fma(w * w, polynomial(e, c.COS, w), e.fma(-r.high, r.low, lost))
    return Angle(sine, Pair(e, cosine, rest), quadrant)


def _odd(e: Emitter, quadrant: Bits) -> Register:
    """Whether the last bit of n is set."""
    last = quadrant << 63
    return e.line(f"icmp slt {e.bits_type} {last.text}, {e.splat('0', 'i64')}", truth=True)


def _turned(e: Emitter, value: Any, quadrant: Bits) -> Register:
    """The value with its sign changed where the last but one bit of n is set."""
    return (bits(e, value) ^ (((quadrant >> 1) & 1) << 63)).number()


def sin(e: Emitter, x: Any) -> Any:
    """sin x."""
    angle = _angle(e, x)
    chosen = choose(_odd(e, angle.quadrant), angle.cosine, angle.sine)
    return e.where(abs(x) < 2.0**-27, x, _turned(e, chosen.value, angle.quadrant))


def cos(e: Emitter, x: Any) -> Any:
    """cos x = sin(x + π/2)."""
    angle = _angle(e, x)
    chosen = choose(_odd(e, angle.quadrant), angle.sine, angle.cosine)
    return _turned(e, chosen.value, angle.quadrant + 1)


def tan(e: Emitter, x: Any) -> Any:
    """sin r / cos r, or -cos r / sin r."""
    angle = _angle(e, x)
    odd, sine, cosine = _odd(e, angle.quadrant), angle.sine.normalised(), angle.cosine.normalised()
    quotient = choose(odd, cosine, sine).divided_by(choose(odd, sine, cosine))
    return e.where(abs(x) < 2.0**-27, x, (bits(e, quotient) ^ (angle.quadrant << 63)).number())


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
