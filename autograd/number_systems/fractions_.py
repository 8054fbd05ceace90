"""Fractions: exact rational arithmetic, in which a rational expression is checked with no tolerance at all.

A float is an exact fraction, and every result is exact, however many digits that takes: what is not rational is refused
and never rounded.
"""

from __future__ import annotations

import math
import operator
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from typing import Any, Never

from autograd.number_systems.arithmetic import Arithmetic
from autograd.number_systems.formulas import complete

NAME = "fractions"
LANES = False

_TRANSCENDENTAL = "of a fraction it is hardly ever a fraction"
_ROOT = "the root of a fraction is hardly ever a fraction; a power with an integer exponent is"
LACKS: dict[str, str] = {
    **dict.fromkeys(("exp", "exp2", "log", "sin", "cos", "asin", "acos", "atan", "atan2"), _TRANSCENDENTAL),
    **dict.fromkeys(("asinh", "acosh", "atanh", "erf", "erfc"), _TRANSCENDENTAL),
    **dict.fromkeys(("sqrt", "cbrt"), _ROOT),
}

#: A power of more bits than this is refused: 1.5¹⁰⁰⁰⁰⁰⁰⁰⁰⁰ is quickly written, and takes gigabytes.
MOST_BITS = 2**24


class _Irrational(Arithmetic):
    """π, which no fraction is: whatever is computed with it is refused."""

    __slots__ = ()

    def _apply(self, name: str, *operands: Any) -> Never:
        raise NotImplementedError(f"number system {NAME} has no pi: it is no fraction")


pi = _Irrational()


def number(x: Any) -> Fraction:
    """The exact fraction of a float, an integer, a ``Fraction``, a ``Decimal``, or a text such as ``1/3``.

    >>> number(0.1), number("0.1")
    (Fraction(3602879701896397, 36028797018963968), Fraction(1, 10))

    Raises:
        ValueError: it is infinite, nan, or a text that is no number.
    """
    try:
        return Fraction(x)
    except (ValueError, OverflowError):
        raise ValueError(f"{x!r:.200} is no fraction; number system {NAME} computes with finite numbers only") from None
    except TypeError:  # a float of another width, such as NumPy has
        return number(float(x))


def plain(x: Any) -> Any:
    """The number itself: predicates work on it."""
    return x


def limit(value: float, primitive: Any, operands: Any) -> Fraction:
    """A limit that the table states, as a fraction.

    Raises:
        ValueError: it is infinite.
    """
    return number(value)


def computing(digits: int | None = None) -> AbstractContextManager[Any]:
    """A context to compute in; fractions need none."""
    return nullcontext()


add, sub, mul, div, neg, abs = operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.abs
less, less_equal, greater, greater_equal = operator.lt, operator.le, operator.gt, operator.ge


def pow(x: Fraction, y: Fraction) -> Fraction:
    if y.denominator != 1:
        raise NotImplementedError(
            f"number system {NAME} has pow for integer exponents only; y is {y}, and {_TRANSCENDENTAL}"
        )
    if max(x.numerator.bit_length(), x.denominator.bit_length(), 2) * math.fabs(y) > MOST_BITS and x not in (-1, 0, 1):
        raise NotImplementedError(f"number system {NAME} has no pow of so many digits; the exponent is {y}")
    return x ** int(y)


def sign(x: Fraction) -> Fraction:
    return Fraction((x > 0) - (x < 0))


def maximum(x: Fraction, y: Fraction) -> Fraction:
    return max(x, y)


def minimum(x: Fraction, y: Fraction) -> Fraction:
    return min(x, y)


def floor(x: Fraction) -> Fraction:
    return Fraction(math.floor(x))


def ceil(x: Fraction) -> Fraction:
    return Fraction(math.ceil(x))


complete(globals(), rounded=False)
