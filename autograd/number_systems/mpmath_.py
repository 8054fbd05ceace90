"""Floats of as many digits as wanted (mpmath): the referee. The one file that imports mpmath in this folder.

Here zero has no sign, by which floats choose the side of the cut of ``atan2``. That of a number that is put in is
remembered for as long as nothing is computed from it; without it, an angle that depends on it is refused.
"""

from __future__ import annotations

import math
import operator
from contextlib import AbstractContextManager
from typing import Any

import mpmath
from mpmath import mp

from autograd.interrupts import shielded
from autograd.number_systems import common
from autograd.number_systems.formulas import complete

NAME = "mpmath"
LANES = False
LACKS: dict[str, str] = {}

#: Decimal digits when nobody asks for more or fewer.
DIGITS = 50

Real = Any  # mpmath.mpf

#: What floats become that are zero: known by identity.
PLUS_ZERO, MINUS_ZERO = mp.mpf(0), mp.mpf(0)


def number(x: Any) -> Real:
    """The number itself, exactly; a zero keeps the sign that it has as a float."""
    if x.__class__ in (float, int) and x == 0:
        return MINUS_ZERO if math.copysign(1.0, x) < 0 else PLUS_ZERO
    return mp.mpf(x)


pi = mp.pi  # a constant that is evaluated to the digits of the moment
add, sub, mul, neg = operator.add, operator.sub, operator.mul, operator.neg
exp, expm1, sin, cos, tan = mp.exp, mp.expm1, mp.sin, mp.cos, mp.tan
atan, sinh, cosh, tanh, asinh = mp.atan, mp.sinh, mp.cosh, mp.tanh, mp.asinh
erf, abs, sign, floor, ceil = mp.erf, mp.fabs, mp.sign, mp.floor, mp.ceil
less, less_equal, greater, greater_equal = operator.lt, operator.le, operator.gt, operator.ge


def plain(x: Any) -> Any:
    """The number itself: predicates work on it."""
    return x


def limit(value: float, primitive: Any, operands: Any) -> Any:
    """A limit that the table states, as a number."""
    return number(value)


def computing(digits: int | None = None) -> AbstractContextManager[Any]:
    """A context in which numbers have that many decimal digits (50 unless told)."""
    return shielded(mpmath.workdps(DIGITS if digits is None else digits))


def digits() -> int:
    """The decimal digits of the moment, for rules that stop where no digit changes any more."""
    return int(mp.dps)


asin, acos, atanh, sqrt, log, log1p, div = mp.asin, mp.acos, mp.atanh, mp.sqrt, mp.log, mp.log1p, operator.truediv


def acosh(x: Real) -> Real:
    return x if mp.isnan(x) else mp.acosh(x)  # of nan mpmath has a complex number


def atan2(y: Real, x: Real) -> Real:
    if mp.isnan(y) or mp.isnan(x):
        return mp.nan
    if mp.isinf(y) and mp.isinf(x):  # the corners, as IEEE has them
        y, x = mp.sign(y), mp.sign(x)
    if y == 0 and x <= 0:
        is_opposite = x < 0 or _is_minus_zero(x)
        return y if not is_opposite else -mp.pi if _is_minus_zero(y) else +mp.pi
    return mp.atan2(y, x)


def _is_minus_zero(x: Real) -> bool:
    if x is not PLUS_ZERO and x is not MINUS_ZERO:
        raise ValueError(common.NO_SIGN_OF_ZERO)
    return x is MINUS_ZERO


def hypot(x: Real, y: Real) -> Real:
    return mp.inf if mp.isinf(x) or mp.isinf(y) else mp.hypot(x, y)  # beside nan too, as IEEE has it


def mod(x: Real, y: Real) -> Real:
    if y == 0:  # beside nan too
        raise ZeroDivisionError
    if mp.isinf(y) and mp.isfinite(x):
        return x if x == 0 or (x > 0) == (y > 0) else y
    return x % y


def floor_divide(x: Real, y: Real) -> Real:
    if mp.isinf(y) and mp.isfinite(x):
        return mp.mpf(0 if x == 0 or (x > 0) == (y > 0) else -1)
    return mp.nint((x - mod(x, y)) / y)  # of a quotient too long for its digits, as near as can be


def pow(x: Real, y: Real) -> Real:
    """As IEEE has it at infinities and nan, where mpmath has nan or a complex number."""
    if x == 1 or y == 0:
        return mp.one
    if mp.isnan(x) or mp.isnan(y):
        return mp.nan
    if mp.isinf(y):
        size = mp.fabs(x)
        return mp.one if size == 1 else mp.inf if (size > 1) == (y > 0) else mp.zero
    if mp.isinf(x):
        size = mp.inf if y > 0 else mp.zero
        return -size if x < 0 and y % 2 == 1 else size
    return mp.power(x, y)


def exp_of_minus_square(x: Real, divisor: int) -> Real:
    """exp(-x² / divisor), from a square of many digits."""
    return mp.exp(-x * x / divisor)


def cbrt(x: Real) -> Real:
    return -mp.cbrt(-x) if x < 0 else mp.cbrt(x)


def maximum(x: Real, y: Real) -> Real:
    return x if x > y or x != x else y


def minimum(x: Real, y: Real) -> Real:
    return x if x < y or x != x else y


def erfc(x: Real) -> Real:
    return mp.zero if x > 10**9 else mp.erfc(x)  # below 10 to the power -10¹⁷, and too deep for mpmath's series


complete(globals(), rounded=True)
