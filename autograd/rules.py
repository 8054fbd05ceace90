"""The rules, formulas and laws of the table that take more than a line, under names that its rows use.

Each is written over any number system ``m``, as those in the rows are: ``z`` is the output, ``x`` and ``y`` the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

INFINITY = float("inf")

#: ``(m, z, x, …) -> number``: one partial derivative.
Rule = Callable[..., Any]


# Partials


def half(m: Any) -> Any:
    return m.number(1) / 2


def products_of_the_others(m: Any, z: Any, xs: list[Any]) -> list[Any]:
    """The product of all numbers but one, for each: from both ends, so that zeros need no division."""
    before, after = [1], [1]
    for x in xs[:-1]:
        before.append(before[-1] * x)
    for x in reversed(xs[1:]):
        after.append(after[-1] * x)
    return [a * b if i else b for i, (a, b) in enumerate(zip(before, reversed(after), strict=True))]


def slope_of_pow(m: Any, z: Any, x: Any, y: Any) -> Any:
    """y·xʸ⁻¹; for small y as y/x·z, because y - 1 is rounded then, which the logarithm of x magnifies."""
    return m.where(m.less(m.abs(y), half(m)), lambda: y / x * z, lambda: y * m.pow(x, y - 1))


def softmax(m: Any, z: Any, xs: list[Any]) -> list[Any]:
    # z is near the largest x; dividing by the sum makes good what z lost when it was rounded.
    powers = [m.exp(x - z) for x in xs]
    total = m.sum(powers)
    return [power / total for power in powers]


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
            total = 1 - x * x / (2 * n * (2 * n + 3)) * total
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


def mish_partial(m: Any, x: Any, s: Any) -> Any:
    # tanh′(s) = 4·sigmoid(2s)·sigmoid(-2s), which keeps the digits that 1 - tanh(s)² loses when x multiplies it.
    return m.tanh(s) + x * (4 * m.sigmoid(2 * s) * m.sigmoid(-2 * s) * m.sigmoid(x))


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


def is_zero(m: Any, x: Any) -> Any:
    return m.less_equal(m.abs(x), 0)


def stable_softplus(m: Any, x: Any) -> Any:
    return m.where(m.greater(x, 0), lambda: x + m.log1p(m.exp(-x)), lambda: m.log1p(m.exp(x)))


def stable_sigmoid(m: Any, x: Any) -> Any:
    e = m.exp(-m.abs(x))
    return m.where(m.greater_equal(x, 0), m.number(1), e) / (1 + e)


def above_minus_infinity(m: Any, x: Any, value: Callable[[], Any]) -> Any:
    """The value of x times what decays faster; at -∞, where that would be -∞·0, it is -0.0."""
    return m.where(m.less_equal(x, -INFINITY), m.number(-0.0), value)


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
