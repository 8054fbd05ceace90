"""Floats of as many digits as wanted (mpmath): the referee. The one file that imports mpmath in this folder."""

from __future__ import annotations

import operator
from contextlib import AbstractContextManager
from typing import Any

import mpmath
from mpmath import mp

from autograd.interrupts import shielded
from autograd.number_systems.formulas import complete

NAME = "mpmath"
LANES = False
LACKS: dict[str, str] = {}

#: Decimal digits when nobody asks for more or fewer.
DIGITS = 50

Real = Any  # mpmath.mpf

number = mp.mpf
pi = mp.pi  # a constant that is evaluated to the digits of the moment
add, sub, mul, neg = operator.add, operator.sub, operator.mul, operator.neg
exp, expm1, sin, cos, tan = mp.exp, mp.expm1, mp.sin, mp.cos, mp.tan
atan, sinh, cosh, tanh, asinh = mp.atan, mp.sinh, mp.cosh, mp.tanh, mp.asinh
erf, hypot, abs, sign, floor, ceil = mp.erf, mp.hypot, mp.fabs, mp.sign, mp.floor, mp.ceil
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


def _real(name: str, result: Any) -> Real:
    if isinstance(result, mpmath.mpc):
        raise ValueError(f"{name} has no real value here")
    return result


def _on_the_reals(name: str) -> Any:
    function = getattr(mp, name)
    return lambda x: _real(name, function(x))


asin, acos, acosh, atanh, sqrt = map(_on_the_reals, ("asin", "acos", "acosh", "atanh", "sqrt"))


def div(x: Real, y: Real) -> Real:
    return x / y


def mod(x: Real, y: Real) -> Real:
    if mp.isinf(y) and mp.isfinite(x):
        return x if x == 0 or (x > 0) == (y > 0) else y
    return x % y


def floor_divide(x: Real, y: Real) -> Real:
    if mp.isinf(y) and mp.isfinite(x):
        return mp.mpf(0 if x == 0 or (x > 0) == (y > 0) else -1)
    return mp.nint((x - mod(x, y)) / y)  # of a quotient too long for its digits, as near as can be


def pow(x: Real, y: Real) -> Real:
    if x == 0 and y < 0:
        raise ValueError("a negative power of zero")
    return _real("pow", mp.power(x, y))


def log(x: Real) -> Real:
    if x <= 0:
        raise ValueError("log of a number that is not positive")
    return mp.log(x)


def log1p(x: Real) -> Real:
    if x <= -1:
        raise ValueError("log1p of a number that is not above -1")
    return mp.log1p(x)


def cbrt(x: Real) -> Real:
    return -mp.cbrt(-x) if x < 0 else mp.cbrt(x)


def atan2(y: Real, x: Real) -> Real:
    return mp.atan2(y, x)


def maximum(x: Real, y: Real) -> Real:
    return x if x > y or x != x else y


def minimum(x: Real, y: Real) -> Real:
    return x if x < y or x != x else y


def erfc(x: Real) -> Real:
    return mp.zero if x > 10**9 else mp.erfc(x)  # below 10 to the power -10¹⁷, and too deep for mpmath's series


complete(globals(), rounded=True)
