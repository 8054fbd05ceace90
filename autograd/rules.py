"""The rules, formulas and laws of the table that take more than a line, under names that its rows use.

Each is written over any number system ``m``, as those in the rows are: ``z`` is the output, ``x`` and ``y`` the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import accumulate
from typing import Any, NamedTuple

INFINITY = float("inf")

#: ``(m, z, x, …) -> number``: one partial derivative.
Rule = Callable[..., Any]


# Partials


def is_nothing(partial: Any) -> bool:
    """Whether a partial is the literal 0 of its rule: nothing flows there, be the cotangent infinite or nan.

    So it is beyond a kink, of a number that was not taken, of a function that is constant in pieces. A zero that comes
    of the operands' numbers is no literal, and is multiplied as IEEE has it.
    """
    return partial.__class__ is int and partial == 0


def half(m: Any) -> Any:
    return m.number(1) / 2


def products_of_the_others(m: Any, z: Any, xs: list[Any]) -> list[Any]:
    return of_the_others(xs, lambda x, y: x * y, 1)


def of_the_others(xs: Sequence[Any], combine: Callable[[Any, Any], Any], neutral: int) -> list[Any]:
    """Of all numbers but one, for each, what they combine to: from both ends, so that nothing is taken away again."""
    before, after = list(accumulate(xs[:-1], combine)), list(accumulate(reversed(xs[1:]), combine))
    inner = map(combine, before, reversed(after[:-1]))
    return [after[-1], *inner, before[-1]] if before else [neutral]


#: Exponents beyond lead to powers that are subnormal where the slope is not.
_LARGE_EXPONENT = 16

#: A number beyond which what decays as an exponential function does is 0 in floats; its square does not overflow.
FAR = 2**17 - 1


def slope_of_pow(m: Any, z: Any, x: Any, y: Any) -> Any:
    """y·xʸ⁻¹; below ½ as y·z/x, because y - 1 is rounded then, which the logarithm of x magnifies.

    Between 0 and ½ an infinite z is kept finite, so that the slope is 0 there.
    """

    def of_a_root() -> Any:
        return y * m.minimum(z, m.number(2) ** 1000) / x

    def in_two_powers() -> Any:
        """Their exponents add up to y exactly, of which y - 1 may be no float; neither underflows where the slope does
        not."""
        half_of_it = m.floor(y / 2)
        return y * m.pow(x, half_of_it) * (m.pow(x, y - half_of_it) / m.where(is_zero(m, x), m.number(1), x))

    def below_a_half() -> Any:
        return m.where(m.less(y, 0), of_a_negative_exponent, from_zero)

    def from_zero() -> Any:
        """Of the exponent zero in an order in which its derivative meets no 1/x, which may be too large."""
        return m.where(m.less(0, y), of_a_root, lambda: y / x * z)

    def of_a_negative_exponent() -> Any:
        return m.where(m.less(y, -_LARGE_EXPONENT), in_two_powers, lambda: y * z / x)

    def from_a_half() -> Any:
        return m.where(m.less(_LARGE_EXPONENT, y), in_two_powers, lambda: y * m.pow(x, y - 1))

    return m.where(m.less(y, half(m)), below_a_half, from_a_half)


def within_reach(m: Any, x: Any) -> Any:
    """x, or a finite number far out: where a slope is constant in floats, so that no infinity meets a zero in it."""
    return m.clip(x, -FAR, FAR)


class Zero(NamedTuple):
    """Where a slope is zero, high / 2⁵² + rest / 2¹⁰⁵, a sum of two floats: measured from there it does not cancel."""

    high: int
    rest: int

    def offset(self, m: Any, x: Any) -> Any:
        """x less this zero, with all its digits."""
        return (x - m.number(self.high) / 2**52) - m.number(self.rest) / 2**53 / 2**52

    def around(self, m: Any, x: Any, near: Any, slope: Callable[[Any], Any], plain: Callable[[], Any]) -> Any:
        """A slope by its offset where that is near, and the plain one elsewhere, and for more digits than these."""
        if hasattr(m, "digits"):
            return plain()
        return m.where(near, lambda: slope(self.offset(m, x)), plain)


ZERO_OF_GELU = Zero(-3385768030470234, 606718231942581)
ZERO_OF_SILU = Zero(-5757692438385163, -4440628399005866)
ZERO_OF_MISH = Zero(-5370232773356932, -1966778357082244)


#: With w the exponential of the zero c of mish's slope: w·(4c + 6 + 8w + 3w²), w²·(4 + 3w) and w³, times 2⁵².
MISH_AT_ITS_ZERO = (5377450802585721, 2036799421737017, 125881203097041)


def slope_of_gelu(m: Any, z: Any, x: Any) -> Any:
    """Around its zero by a Taylor series of the slope over exp(-x²/2); below that with the digits of z = x·Φ(x)."""
    x = within_reach(m, x)

    def below_zero() -> Any:
        far = m.less(x, -37)  # where exp(-x²/2) may be subnormal: e⁶⁴ times that
        power, rest = parts_of_bell(m, x, 2, m.where(far, 64, 0))

        def series(t: Any) -> Any:
            *others, total = [_quotient(m, number) for number in series_of_gelu()]
            for number in reversed(others):
                total = total * t + number
            slope = power * (total * t)
            return slope + slope * rest

        def below() -> Any:
            scale = m.where(far, lambda: m.exp(m.number(-64)), 1)
            part = x * power * m.sqrt(half(m) / m.pi)
            return (part + (z / x / scale + part * rest)) * scale

        return ZERO_OF_GELU.around(m, x, m.less(-33, 20 * x), series, below)

    def elsewhere() -> Any:
        return slope_of_gelu_with(m, x, exp_of_minus_square(m, x, 2))

    if hasattr(m, "digits"):
        return elsewhere()
    return m.where(m.less(20 * x, -3), below_zero, elsewhere)


@cache
def series_of_gelu() -> list[float]:
    """r₁, r₂, … of gelu′(x) = exp(-x²/2)·(r₁t + r₂t² + …) / √(2π), t the offset of x from the zero.

    As r′ = 2 - x² + x·r, each follows from the two before it; here in whole numbers of 2⁻²¹⁰.
    """
    at = ((ZERO_OF_GELU.high << 53) + ZERO_OF_GELU.rest) << 105
    one = 1 << 210
    driven = [2 * one - (at * at >> 210), -2 * at, -one] + [0] * 30
    found = [0, driven[0]]
    while len(found) < 28:
        n = len(found)
        found.append((driven[n - 1] + (at * found[-1] >> 210) + found[-2]) // n)
    return [number / one / math.sqrt(2 * math.pi) for number in found[1:]]


def _quotient(m: Any, number: float) -> Any:
    """A float as a quotient of integers."""
    numerator, divisor = number.as_integer_ratio()
    return m.number(numerator) / min(divisor, 2**60) / max(1, divisor >> 60)


def written_slope_of_gelu(m: Any, z: Any, x: Any) -> Any:
    return slope_of_gelu_with(m, x, m.exp(-m.square(x) / 2))


def slope_of_gelu_with(m: Any, x: Any, bell: Any) -> Any:
    return m.erfc(-x / m.sqrt(m.number(2))) / 2 + x * bell / m.sqrt(2 * m.pi)


def slope_of_erf(m: Any, z: Any, x: Any) -> Any:
    return 2 * exp_of_minus_square(m, within_reach(m, x), 1) / m.sqrt(m.pi)


def exp_before_underflow(m: Any, x: Any) -> tuple[Any, Any]:
    """eˣ in two factors, of which the first is not subnormal before x times both is."""
    return m.exp(x + 64), m.exp(m.number(-64))


def exp_of_minus_square(m: Any, x: Any, divisor: int) -> Any:
    """exp(-x² / divisor)."""
    power, rest = parts_of_bell(m, x, divisor, 0)
    return power if is_nothing(rest) else power + power * rest


def parts_of_bell(m: Any, x: Any, divisor: int, shift: Any) -> tuple[Any, Any]:
    """p and r of exp(shift - x² / divisor) = p + p·r; x² is split into an exact square and a rest, as exp magnifies its
    rounding by x²."""
    if hasattr(m, "exp_of_minus_square"):
        bell = m.exp_of_minus_square(x, divisor)
        return bell if is_nothing(shift) else bell * m.exp(m.number(shift)), 0
    scaled = (2**27 + 1) * x
    near = scaled - (scaled - x)  # to half of the digits (Dekker, 1971)
    square, rest = -near * near / divisor, (near - x) * (near + x) / divisor
    power = m.exp(square if is_nothing(shift) else square + shift)
    return power, rest * (1 + rest / 2 * (1 + rest / 3))  # where the power is not 0, the rest is below 10⁻⁵


def slope_of_atan(m: Any, z: Any, x: Any) -> Any:
    """1 / (1 + x²); far out 1/x², whose x² may be too large."""
    return m.where(m.less(m.abs(x), FAR**8), lambda: 1 / (1 + m.square(x)), lambda: 1 / x / x)


def over_square(m: Any, numerator: Any, x: Any, y: Any) -> Any:
    """One of x and y over x² + y²; tiny ones are scaled, so that only the quotient is rounded to a subnormal number."""

    def scaled() -> Any:
        factor = m.where(m.less(m.maximum(m.abs(x), m.abs(y)), 1), m.number(2) ** 500, m.number(1))
        size = m.hypot(x * factor, y * factor)
        return numerator * factor * factor / size / size

    def plain() -> Any:
        size = m.hypot(x, y)
        return numerator / size / size

    return m.where(m.less(m.minimum(m.abs(x), m.abs(y)), 1 / m.number(2) ** 500), scaled, plain)


def one_minus_square(m: Any, x: Any) -> Any:
    """1 - x², with its digits near ±1, and those of its derivative near 0."""
    return m.where(m.less(m.abs(x), half(m)), lambda: 1 - m.square(x), lambda: (1 - x) * (1 + x))


def slope_of_logit(m: Any, z: Any, x: Any) -> Any:
    """1/x + 1/(1 - x); around ½ by 2x - 1, which is exact there, so that the derivative keeps its digits."""
    near = m.less(m.abs(2 * x - 1), half(m))
    return m.where(near, lambda: 4 / (1 - m.square(2 * x - 1)), lambda: 1 / x + 1 / (1 - x))


def softmax(m: Any, z: Any, xs: list[Any]) -> list[Any]:
    """exp(x - the largest) over their sum; infinite numbers share equally, and nobody knows how those shares change.

    A softmax does not change when all its numbers move together, so the largest takes part as a constant. What is left
    has its digits where one is nearly all of the sum, and its slope nearly nothing.
    """
    if hasattr(m, "softmax"):
        return list(m.softmax(z, xs))
    if hasattr(m, "is_formula") and m.is_formula(*xs):
        powers = [m.exp(x - z) for x in xs]
    else:
        largest = m.detach(left_to_right(xs, m.maximum))
        is_infinite = m.less_equal(INFINITY, m.abs(largest))

        def of_an_infinity(x: Any) -> Any:
            return m.where(m.less(x, largest), 0, lambda: among_equal_ones(x))

        def among_equal_ones(x: Any) -> Any:
            if not hasattr(m, "share_of_infinity"):
                return 1
            equal = added([m.where(m.less(other, largest), m.number(0), m.number(1)) for other in xs])
            return m.where(m.less(1, equal), lambda: m.share_of_infinity(x), 1)

        powers = [m.where(is_infinite, partial(of_an_infinity, x), partial(m.exp_difference, x, largest)) for x in xs]
    return list(map(m.share, powers, of_the_others(powers, m.add, 0)))


def in_bounds(m: Any, x: Any, y: Any) -> Any:
    """½ where x + y overflows, else 1: by what both may be multiplied then."""
    return m.where(m.less(m.abs(x + y), INFINITY), m.number(1), half(m))


def slope_of_share(m: Any, z: Any, x: Any, y: Any) -> Any:
    factor = in_bounds(m, x, y)
    total = x * factor + y * factor
    return y * factor / total / total * factor


def other_slope_of_share(m: Any, z: Any, x: Any, y: Any) -> Any:
    factor = in_bounds(m, x, y)
    return -z / (x * factor + y * factor) * factor


def stable_share(m: Any, x: Any, y: Any) -> Any:
    factor = in_bounds(m, x, y)
    return x * factor / (x * factor + y * factor)


def dot_partials(m: Any, z: Any, xs: list[Any]) -> list[Any]:
    """Operands are x₁ … xₙ, y₁ … yₙ and perhaps a start: each factor's partial is the other one."""
    n = len(xs) // 2
    return [*xs[n : 2 * n], *xs[:n], *([1] if len(xs) % 2 else [])]


def _terms_of_sinc(digits: int) -> int:
    """How many terms of the series below give so many digits for |x| < 1."""
    n, size = 1, 1.0
    while size > 10.0**-digits:
        size /= 2 * n * (2 * n + 3)
        n += 1
    return n


def slope_of_sinc(m: Any, z: Any, x: Any) -> Any:
    """(cos x - sin x / x) / x; below 1, where that cancels, its series -x/3 + x³/30 - …"""

    def series() -> Any:
        total: Any = 1
        digits = m.digits() if hasattr(m, "digits") else 17
        for n in range(_terms_of_sinc(digits), 0, -1):  # each term is the one before times -x² / 2n(2n + 3)
            total = 1 - m.square(x) / (2 * n * (2 * n + 3)) * total
        return -x / 3 * total

    def quotient() -> Any:
        """By ±max(|x|, ½), which is x there, and of which no interval holds zero."""
        return m.sign(x) * (m.cos(x) - z) / m.maximum(m.abs(x), half(m))

    return m.where(m.less(m.abs(x), 1), series, quotient)


def maximum_rule(greater: str, argument: int) -> Rule:
    first, second = (1, 0) if argument == 0 else (0, 1)

    def rule(m: Any, z: Any, x: Any, y: Any) -> Any:
        compare = getattr(m, greater)
        return m.where(compare(x, y), first, lambda: m.where(compare(y, x), second, lambda: half(m)))

    return rule


def slope_of_silu(m: Any, z: Any, x: Any) -> Any:
    """σ(x) + x·σ(x)·σ(-x), which is σ(x)·σ(-x)·(1 + x + eˣ): around its zero c, where 1 + c = -eᶜ, by x - c."""

    def around(t: Any) -> Any:
        return m.sigmoid(x) * m.sigmoid(-x) * (t - (1 + m.number(ZERO_OF_SILU.high) / 2**52) * m.expm1(t))

    def plain() -> Any:
        return m.sigmoid(x) + within_reach(m, z) * m.sigmoid(-x)

    return m.where(m.less(2 * x, -1), lambda: ZERO_OF_SILU.around(m, x, m.less(-2, x), around, plain), plain)


def slope_of_mish(m: Any, z: Any, x: Any) -> Any:
    """Below -½ it is, with w = eˣ, w·(4(x + 1) + 4w² + w³ + w·(4x + 6)) / (w² + 2w + 2)².

    Around its zero c, all terms of the sum less what they are at c have one sign, in x - c and in the exponential of
    that less 1.
    """
    x = within_reach(m, x)

    def below() -> Any:
        return m.where(m.less(x, -690), far, lambda: of_the_exponential(m.exp(x)))

    def far() -> Any:
        larger, scale = exp_before_underflow(m, x)
        return (x + 1) * larger * scale

    def of_the_exponential(w: Any) -> Any:
        def around(t: Any) -> Any:
            e = m.expm1(t)
            first, second, third = (m.number(number) / 2**52 for number in MISH_AT_ITS_ZERO)
            return 4 * t * (1 + w) + e * (first + e * (second + e * third))

        def plain() -> Any:
            return 4 * (x + 1) + w * (4 * x + 6 + w * (4 + w))

        grown = w * (w + 2)
        whole = grown + 2
        lost = grown - (whole - 2)
        return w * ZERO_OF_MISH.around(m, x, m.less(-3, x), around, plain) / (whole * whole + 2 * whole * lost)

    if hasattr(m, "digits"):
        return written_slope_of_mish(m, z, x)
    return m.where(m.less(2 * x, -1), below, lambda: written_slope_of_mish(m, z, x))


def written_slope_of_mish(m: Any, z: Any, x: Any) -> Any:
    s = m.softplus(x)
    return m.tanh(s) + x * (m.sech2(s) * m.sigmoid(x))


# Formulas, and forms of them that are stable over all floats


def left_to_right(terms: Sequence[Any], combine: Callable[[Any, Any], Any]) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = combine(total, term)
    return total


def added(terms: Sequence[Any]) -> Any:
    return left_to_right(terms, lambda x, y: x + y)


def dot_formula(m: Any, xs: Sequence[Any]) -> Any:
    """Operands are x₁ … xₙ, y₁ … yₙ and perhaps a start, which comes first."""
    n = len(xs) // 2
    return added([*xs[2 * n :], *(xs[i] * xs[n + i] for i in range(n))])


def stable_logsumexp(m: Any, xs: Sequence[Any]) -> Any:
    """The largest plus log1p of the other terms beside it; infinities come through."""
    largest, others = xs[0], []
    for x in xs[1:]:
        others.append(m.minimum(largest, x))
        largest = m.maximum(largest, x)
    return m.where(
        m.less(m.abs(largest), INFINITY),
        lambda: largest + m.log1p(m.sum([m.exp(x - largest) for x in others])),
        largest,
    )


def stable_exp_difference(m: Any, x: Any, y: Any) -> Any:
    """What is lost in the difference, by as much as which the power is wrong, is brought back."""
    difference = x - y
    power, moved = m.exp(difference), difference - x
    lost = (x - (difference - moved)) - (y + moved)  # Knuth's; below 10⁻¹² where the power is neither 0 nor infinite
    return m.where(m.less(m.abs(difference), FAR), lambda: power * (1 + lost), power)


def is_zero(m: Any, x: Any) -> Any:
    return m.less_equal(m.abs(x), 0)


def stable_softplus(m: Any, x: Any) -> Any:
    return m.where(m.greater(x, 0), lambda: x + m.log1p(m.exp(-x)), lambda: m.log1p(m.exp(x)))


def stable_sech2(m: Any, x: Any) -> Any:
    """(1 - a)(1 + a) for a = tanh |x|, where 1 - a is what has all its digits."""
    e = m.exp(-2 * m.abs(x))
    rest = 2 * e / (1 + e)
    return rest * (2 - rest)


def stable_sigmoid(m: Any, x: Any) -> Any:
    e = m.exp(-m.abs(x))
    smaller = e / (1 + e)
    return m.where(m.greater_equal(x, 0), lambda: 1 - smaller, smaller)


def above_minus_infinity(m: Any, x: Any, value: Callable[[], Any]) -> Any:
    """The value of x times what decays faster; at -∞, where that would be -∞·0, it is -0.0."""
    return m.where(m.less_equal(x, -INFINITY), m.number(-0.0), value)


def decaying(m: Any, x: Any, value: Callable[[], Any]) -> Any:
    """The value of x times what becomes eˣ far below zero, and is subnormal there before the product is."""

    def far() -> Any:
        larger, scale = exp_before_underflow(m, x)
        return above_minus_infinity(m, x, lambda: x * larger * scale)

    return m.where(m.less(x, -690), far, value)


def formula_of_gelu(m: Any, x: Any) -> Any:
    return x * m.erfc(-x / m.sqrt(m.number(2))) / 2


def stable_selu(m: Any, x: Any, scale: Any, alpha: Any) -> Any:
    """The larger factor is not kept until the smaller ones have underflowed."""
    return m.where(
        m.less(m.abs(alpha), 1),
        lambda: m.where(m.greater(x, 0), lambda: scale * x, lambda: scale * alpha * m.expm1(x)),
        lambda: scale * m.elu(x, alpha),
    )


def stable_logit(m: Any, x: Any) -> Any:
    """Around ½, where the logarithm is zero, by 2x - 1, which is exact there."""
    near = m.less(m.abs(2 * x - 1), half(m))
    return m.where(near, lambda: m.log1p((2 * x - 1) / (1 - x)), lambda: m.log(x / (1 - x)))


def stable_xlogy(m: Any, x: Any, y: Any) -> Any:
    """At x = 0 the logarithm is kept finite, so that zero times it is zero whatever y."""

    def of_zero() -> Any:
        return x * m.log(m.where(is_zero(m, y), m.number(1), m.minimum(y, m.number(2) ** 1000)))

    return m.where(is_zero(m, x), of_zero, lambda: x * m.log(y))


# Laws: the same number, made in a simpler way


def simpler_sum(m: Any, x: Any, y: Any) -> Any:
    """x + -y is x - y."""
    term, other = (x, y) if m.negated(y) is None else (y, x)
    opposite = m.negated(term)
    return None if opposite is None else m.sub(other, opposite)


def simpler_difference(m: Any, x: Any, y: Any) -> Any:
    """x - -y is x + y."""
    opposite = m.negated(y)
    return None if opposite is None else m.add(x, opposite)


def simpler_product(m: Any, x: Any, y: Any) -> Any:
    """x · -1 is -x; 0 times a truth is 0, which of other numbers nan, infinity and -0.0 forbid."""
    factor, other = (x, y) if m.known(y) is None else (y, x)
    known = m.known(factor)
    if known == -1:
        return m.neg(other)
    return factor if known == 0 and m.is_truth(other) else None


def simpler_quotient(m: Any, x: Any, y: Any) -> Any:
    """x / 2ⁿ is x · 2⁻ⁿ: the same rounding."""
    divisor = m.known(y)
    if divisor is None:
        return None
    fraction, exponent = math.frexp(divisor)
    is_power_of_two = 2 * abs(fraction) == 1 and abs(exponent - 1) < 1022
    return m.mul(x, m.number(1 / divisor)) if is_power_of_two else None


def simpler_power(m: Any, x: Any, y: Any) -> Any:
    """Small whole exponents as products: at most three roundings, like a careful ``pow``."""
    exponent = m.known(y)
    if exponent == 0:
        return m.number(1)
    if exponent in (-1, -2):  # of a third power's reciprocal the roundings would add up to 3 ulp
        x, exponent = m.div(m.number(1), x), -exponent
    if exponent not in (1, 2, 3):
        return None
    return x if exponent == 1 else m.mul(x, x) if exponent == 2 else m.mul(m.mul(x, x), x)


def simpler_choice(m: Any, condition: Any, x: Any, y: Any) -> Any:
    """A choice whose condition is known; 1 where a truth holds and else 0 is the truth itself."""
    known = m.known(condition)
    if known is not None:
        return x if known else y
    is_itself = m.is_truth(condition) and m.known(x) == 1 and str(m.known(y)) == "0.0"
    return condition if is_itself else None


def simpler_of_truths(neutral: int) -> Rule:
    """Of truths the smaller one is "and", the larger one "or": 1 or 0 leaves the other as it is, or decides alone."""

    def simpler(m: Any, x: Any, y: Any) -> Any:
        factor, other = (x, y) if m.known(y) is None else (y, x)
        known = m.known(factor)
        if str(known) not in ("0.0", "1.0") or not m.is_truth(other):  # -0.0 is none
            return None
        return other if known == neutral else factor

    return simpler


def nearest_integer(m: Any, x: Any) -> Any:
    """The integer nearest to x; of two, the even one."""
    below = m.floor(x)
    twice = 2 * (x - below)
    even = 2 * m.floor((below + 1) / 2)
    return m.where(m.less(twice, 1), below, lambda: m.where(m.greater(twice, 1), below + 1, even))
