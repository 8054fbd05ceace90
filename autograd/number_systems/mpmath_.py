"""Floats of as many digits as wanted (mpmath): the referee. The one file that imports mpmath in this folder."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import mpmath
from mpmath import mp

from autograd.number_systems import common

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
    return mpmath.workdps(DIGITS if digits is None else digits)  # type: ignore[no-any-return]


def _real(name: str, result: Any) -> Real:
    if isinstance(result, mpmath.mpc):
        raise ValueError(f"{name} has no real value here")
    return result


def _on_the_reals(name: str) -> Any:
    function = getattr(mp, name)
    return lambda x: _real(name, function(x))


asin, acos, acosh, atanh, sqrt = map(_on_the_reals, ("asin", "acos", "acosh", "atanh", "sqrt"))


identity, where, sum, prod, mean, dot = common.identity, common.where, common.sum, common.prod, common.mean, common.dot
detach = identity


def div(x: Real, y: Real) -> Real:
    return x / y


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


def log2(x: Real) -> Real:
    return log(x) / mp.log(2)


def log10(x: Real) -> Real:
    return log(x) / mp.log(10)


def cbrt(x: Real) -> Real:
    return -mp.cbrt(-x) if x < 0 else mp.cbrt(x)


def square(x: Real) -> Real:
    return x * x


def reciprocal(x: Real) -> Real:
    return 1 / x


def atan2(y: Real, x: Real) -> Real:
    return mp.atan2(y, x)


def maximum(x: Real, y: Real) -> Real:
    return x if x > y or x != x else y


def minimum(x: Real, y: Real) -> Real:
    return x if x < y or x != x else y


def clip(x: Real, low: Real, high: Real) -> Real:
    return low if x < low else high if x > high else x


def relu(x: Real) -> Real:
    return mp.zero if x <= 0 else x


def leaky_relu(x: Real, slope: Real) -> Real:
    return x if x > 0 else slope * x


def elu(x: Real, alpha: Real) -> Real:
    return x if x > 0 else alpha * mp.expm1(x)


def selu(x: Real, scale: Real, alpha: Real) -> Real:
    return scale * elu(x, alpha)


def erfc(x: Real) -> Real:
    return mp.zero if x > 10**9 else mp.erfc(x)  # below 10 to the power -10¹⁷, and too deep for mpmath's series


def gelu(x: Real) -> Real:
    return x * erfc(-x / mp.sqrt(2)) / 2


def sigmoid(x: Real) -> Real:
    return 1 / (1 + mp.exp(-x))


def softplus(x: Real) -> Real:
    return x + mp.log1p(mp.exp(-x)) if x > 0 else mp.log1p(mp.exp(x))


def log_sigmoid(x: Real) -> Real:
    return -softplus(-x)


def silu(x: Real) -> Real:
    return x * sigmoid(x)


def mish(x: Real) -> Real:
    return x * mp.tanh(softplus(x))


def logsumexp(xs: Sequence[Real]) -> Real:
    at = max(range(len(xs)), key=lambda i: xs[i])
    return xs[at] + mp.log1p(sum([mp.exp(x - xs[at]) for i, x in enumerate(xs) if i != at]))
