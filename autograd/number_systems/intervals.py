"""Intervals: two floats that the exact result lies between, whatever was rounded on the way.

Every bound is rounded outward, so that the exact result of exact operations on any numbers from the operands' intervals
is inside. The one assumption is ``ULPS``: how far the C library's functions may be from the exact values. A comparison
that the intervals leave open is ``UNDECIDED``; a choice by it is the hull of both branches. Intervals are wider than
needed where an operand comes twice, since each occurrence is taken to vary by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import inf, nextafter
from typing import Any

from autograd.arithmetic import Arithmetic
from autograd.number_systems import common
from autograd.number_systems.directed import (
    product_above,
    product_below,
    product_error,
    quotient_above,
    quotient_below,
)

NAME = "intervals"
LANES = False
LACKS: dict[str, str] = {}

#: How many ulps of the exact value a function of Python's ``math`` may be off. The largest errors known of the GNU C
#: library's double-precision functions (Zimmermann, "Accuracy of Mathematical Functions in Single, Double, Extended
#: Double and Quadruple Precision", 2021, where other libraries do as well or better) rounded up with room to spare.
ULPS = {
    **dict.fromkeys(("exp", "log", "log2", "pow", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "hypot"), 1),
    **dict.fromkeys(("expm1", "log1p", "log10", "erf"), 2),
    **dict.fromkeys(("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"), 3),
    "cbrt": 4,
    "erfc": 6,
}


class Undecided:
    """The outcome of a comparison that holds for some numbers of the intervals and fails for others."""

    __slots__ = ()

    def __or__(self, other: Any) -> Any:
        return True if other is True else self

    def __and__(self, other: Any) -> Any:
        return False if other is False else self

    __ror__, __rand__ = __or__, __and__

    def __bool__(self) -> bool:
        raise ValueError("the comparison holds for some numbers of the intervals and fails for others")

    def __repr__(self) -> str:
        return "UNDECIDED"


UNDECIDED = Undecided()


class Interval(Arithmetic):
    """All real numbers from ``low`` to ``high``, both included.

    >>> Interval(1.0, 2.0) * Interval(-1.0, 0.5) - 1
    Interval(-3.0000000000000004, 2.220446049250313e-16)
    >>> 0.75 in Interval(0.5, 1.0)
    True
    """

    __slots__ = ("high", "low")

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    def _apply(self, name: str, *operands: Any) -> Any:
        return globals()[name](*operands)

    @property
    def width(self) -> float:
        """``high - low``, rounded up."""
        return add(self.high, -self.low).high

    def __contains__(self, x: Any) -> bool:
        """Whether a number of any kind, or all of an interval, lies inside."""
        if isinstance(x, Interval):
            return self.low <= x.low and x.high <= self.high
        return bool(self.low <= x <= self.high)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, Interval):
            return self.low == other.low and self.high == other.high
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.low, self.high))

    def __repr__(self) -> str:
        return f"Interval({self.low!r}, {self.high!r})"


class _Anywhere(Interval):
    """An interval as the predicates of the table see it: ``==`` is decided only where all its numbers agree."""

    __slots__ = ()

    def __eq__(self, other: object) -> Any:
        other = number(other)
        if self.low > other.high or other.low > self.high:
            return False
        return True if self.low == self.high == other.low == other.high else UNDECIDED

    def __ne__(self, other: object) -> Any:
        equal = self == other
        return equal if equal is UNDECIDED else not equal

    __hash__ = Interval.__hash__

    def _apply(self, name: str, *operands: Any) -> Any:
        return plain(super()._apply(name, *operands))

    def __mod__(self, other: Any) -> Any:
        if other != 1:
            raise ValueError("an interval is reduced by 1 only")
        whole = math.floor(self.low) if math.isfinite(self.low) and math.isfinite(self.high) else None
        inside = whole is not None and whole == math.floor(self.high)
        return plain(self - whole if inside else Interval(0.0, 1.0))


_ALL = Interval(-inf, inf)


def _point(x: float) -> Interval:
    return Interval(x, x)


def number(x: Any) -> Interval:
    """The smallest interval that holds a number, or reaches from the first to the second of a pair.

    >>> number((0.9, 1.1))
    Interval(0.9, 1.1)
    >>> from fractions import Fraction
    >>> number(Fraction(1, 3)).width
    5.551115123125783e-17

    Args:
        x: a float, a number of any other kind that compares exactly with floats, or two of them.

    Raises:
        ValueError: it is nan, or the pair is in the wrong order.
    """
    kind = x.__class__
    if kind is Interval:
        return x  # type: ignore[no-any-return]
    if kind is float and x == x:
        return Interval(x, x)
    if isinstance(x, tuple | list):
        if len(x) != 2 or not x[0] <= x[1]:
            raise ValueError(f"an interval is given as (low, high), in this order; not {x!r}")
        return Interval(number(x[0]).low, number(x[1]).high)
    if isinstance(x, Interval):
        return Interval(x.low, x.high)
    nearest = float(x)
    if nearest != nearest:
        raise ValueError("nan lies in no interval")
    return Interval(
        nearest if nearest <= x else nextafter(nearest, -inf), nearest if nearest >= x else nextafter(nearest, inf)
    )


def plain(x: Any) -> Any:
    """What a predicate sees: the float of an interval without width, and otherwise one that decides what is certain."""
    if not isinstance(x, Interval):
        return x
    return x.low if x.low == x.high else _Anywhere(x.low, x.high)


def limit(value: float, primitive: Any, operands: Any) -> Interval:
    """A limit that the table states, as a number.

    Raises:
        ValueError: it is infinite.
    """
    if math.isinf(value):
        raise ValueError("no interval holds an infinite slope")
    return number(value)


def computing(digits: int | None = None) -> AbstractContextManager[Any]:
    """A context to compute in; intervals need none."""
    return nullcontext()


pi = Interval(math.pi, nextafter(math.pi, 4.0))  # math.pi is below π


# Arithmetic


def add(x: Any, y: Any) -> Interval:
    x, y = number(x), number(y)
    a, b = x.low, y.low
    s = a + b
    t = s - a
    error = (a - (s - t)) + (b - t)
    low = s if 0.0 <= error < inf else nextafter(s, -inf)
    a, b = x.high, y.high
    s = a + b
    t = s - a
    error = (a - (s - t)) + (b - t)
    high = s if -inf < error <= 0.0 else nextafter(s, inf)
    return Interval(low if low == low else -inf, high if high == high else inf)


def neg(x: Any) -> Interval:
    x = number(x)
    return Interval(-x.high, -x.low)


def sub(x: Any, y: Any) -> Interval:
    return add(x, neg(y))


def mul(x: Any, y: Any) -> Interval:
    x, y = number(x), number(y)
    a, b, c, d = x.low, x.high, y.low, y.high
    if a == b and c == d and product_error(a, c) == 0.0:
        return Interval(a * c, a * c)
    if a >= 0.0:
        return Interval(product_below(a if c >= 0.0 else b, c), product_above(b if d >= 0.0 else a, d))
    if b <= 0.0:
        return Interval(product_below(a, d) if d >= 0.0 else product_below(b, d), product_above(a if c < 0.0 else b, c))
    if c >= 0.0:
        return Interval(product_below(a, d), product_above(b, d))
    if d <= 0.0:
        return Interval(product_below(b, c), product_above(a, c))
    return Interval(min(product_below(a, d), product_below(b, c)), max(product_above(a, c), product_above(b, d)))


def div(x: Any, y: Any) -> Interval:
    x, y = number(x), number(y)
    a, b, c, d = x.low, x.high, y.low, y.high
    if c <= 0.0 <= d:
        raise ZeroDivisionError("division by an interval that holds zero")
    if a == b and c == d:
        q = a / c
        if product_error(q, c) == 0.0 and q * c == a:
            return Interval(q, q)
    if c > 0.0:
        return Interval(quotient_below(a, d if a >= 0.0 else c), quotient_above(b, c if b >= 0.0 else d))
    return Interval(quotient_below(b, d if b >= 0.0 else c), quotient_above(a, c if a >= 0.0 else d))


def reciprocal(x: Any) -> Interval:
    return div(1.0, x)


def hull(x: Any, y: Any) -> Interval:
    """The smallest interval that holds both."""
    x, y = number(x), number(y)
    return Interval(min(x.low, y.low), max(x.high, y.high))


def abs(x: Any) -> Interval:
    y = number(x)
    if y.low >= 0.0:
        return y
    return neg(y) if y.high <= 0.0 else Interval(0.0, max(-y.low, y.high))


def square(x: Any) -> Interval:
    size = abs(x)
    return mul(size, size)


def sqrt(x: Any) -> Interval:
    x = number(x)
    if x.low < 0.0:
        raise ValueError("sqrt of an interval with negative numbers")
    return Interval(_root(x.low, -inf), _root(x.high, inf))


def _root(x: float, direction: float) -> float:
    z = math.sqrt(x)
    return z if z * z == x and product_error(z, z) == 0.0 else max(0.0, nextafter(z, direction))


# Functions of the C library, which rise or fall, at both ends


def _near(name: str, *operands: float) -> Interval:
    """The interval around a function's float that holds its exact value."""
    z: float = getattr(math, name)(*operands)
    first = operands[0]
    if (z in (0.0, 1.0) and first in (0.0, 1.0) and len(operands) == 1) or math.isinf(z):
        # No function here has a value of 0 or 1 at 0 or 1 by rounding, and none is infinite but at an infinity.
        return Interval(z, z)
    # An ulp of the exact value may be that of the next power of two, if that is near.
    off = ULPS[name] * math.ulp(math.fabs(z) + 2 * ULPS[name] * math.ulp(z))
    low, high = z - off, z + off
    # Both differences are exact (Sterbenz), so that they tell whether the sums were.
    return Interval(low if z - low >= off else nextafter(low, -inf), high if high - z >= off else nextafter(high, inf))


def _rising(at: Callable[[float], Interval], low: float = -inf, high: float = inf) -> Callable[[Any], Interval]:
    """An increasing function of intervals, from its values at points and its range."""

    def function(x: Any) -> Interval:
        x = number(x)
        first = at(x.low)
        last = first if x.low == x.high else at(x.high)
        return Interval(max(low, first.low), min(high, last.high))

    return function


def _falling(at: Callable[[float], Interval], low: float, high: float) -> Callable[[Any], Interval]:
    rising = _rising(lambda x: neg(at(x)), -high, -low)
    return lambda x: neg(rising(x))


def _library(name: str, low: float = -inf, high: float = inf) -> Callable[[Any], Interval]:
    return _rising(lambda x: _near(name, x), low, high)


exp, expm1 = _library("exp", 0.0), _library("expm1", -1.0)
log, log2, log10, log1p = map(_library, ("log", "log2", "log10", "log1p"))
cbrt, sinh, asinh, atanh = map(_library, ("cbrt", "sinh", "asinh", "atanh"))
tanh, erf = _library("tanh", -1.0, 1.0), _library("erf", -1.0, 1.0)
asin, atan, acosh = _library("asin", -pi.high / 2, pi.high / 2), _library("atan"), _library("acosh", 0.0)
acos, erfc = (
    _falling(lambda x: _near("acos", x), 0.0, pi.high),
    _falling(lambda x: _near("erfc", x), 0.0, 2.0),
)


def cosh(x: Any) -> Interval:
    size = abs(x)
    return Interval(max(1.0, _near("cosh", size.low).low), _near("cosh", size.high).high)


def hypot(x: Any, y: Any) -> Interval:
    x, y = abs(x), abs(y)
    if x.high == 0.0 or y.high == 0.0:
        return add(x, y)
    low, high = _near("hypot", x.low, y.low).low, _near("hypot", x.high, y.high).high
    return Interval(max(low, x.low, y.low), high)


def _may_hold_a_whole(turns: Interval) -> bool:
    """Whether an integer may lie inside; yes of an interval without bounds."""
    return not turns.width < 1.0 or math.ceil(turns.low) <= turns.high


def _wave(name: str, quarters: int) -> Callable[[Any], Interval]:
    """A wave with its crests ``quarters`` quarters of a turn after zero."""

    def function(x: Any) -> Interval:
        x = number(x)
        if math.isinf(x.low) or math.isinf(x.high):
            raise ValueError(f"{name} needs finite numbers")
        first, last = _near(name, x.low), _near(name, x.high)
        low, high = max(-1.0, min(first.low, last.low)), min(1.0, max(first.high, last.high))
        if x.low < x.high:
            turn = 2 * pi
            if _may_hold_a_whole((x - quarters * pi / 2) / turn):
                high = 1.0
            if _may_hold_a_whole((x - (quarters + 2) * pi / 2) / turn):
                low = -1.0
        return Interval(low, high)

    return function


sin, cos = _wave("sin", 1), _wave("cos", 0)


def tan(x: Any) -> Interval:
    x = number(x)
    if x.low < x.high and _may_hold_a_whole((x - pi / 2) / pi):
        raise ValueError("a pole may lie in the interval")
    return Interval(_near("tan", x.low).low, _near("tan", x.high).high)


def atan2(y: Any, x: Any) -> Interval:
    """The angle; where the rectangle meets the cut or the origin, all angles."""
    y, x = number(y) + 0.0, number(x) + 0.0  # no negative zero, which is on the other side of the cut
    if y.low == y.high == x.low == x.high == 0.0:
        return _point(0.0)
    on_the_cut = y.low < 0.0 <= y.high and x.low < 0.0
    if on_the_cut or (x.low <= 0.0 <= x.high and y.low <= 0.0 <= y.high):
        return Interval(-pi.high, pi.high)
    corners = [_near("atan2", b, a) for b in (y.low, y.high) for a in (x.low, x.high)]
    return Interval(min(c.low for c in corners), max(c.high for c in corners))


def pow(x: Any, y: Any) -> Interval:
    x, y = number(x), number(y)
    if y.low == y.high and y.low % 1.0 == 0.0:
        if y.low % 2.0 == 0.0:
            x = abs(x)
        if y.low < 0.0 and x.low <= 0.0 <= x.high:
            raise ValueError("a negative power of an interval that holds zero")
    elif x.low < 0.0:
        raise ValueError("a power of an interval with negative numbers")
    if y.low == y.high and y.low in (0.0, 1.0):
        return x if y.low else _point(1.0)
    # It rises or falls along each side, so that its least and largest values are at corners.
    corners = [_power(a, b) for a in (x.low, x.high) for b in (y.low, y.high)]
    return Interval(min(c.low for c in corners), max(c.high for c in corners))


def _power(x: float, y: float) -> Interval:
    near = Interval(0.0, 0.0) if x == 0.0 < y else _near("pow", x, y)
    # The sign is certain: a positive base has no negative power.
    return Interval(max(0.0, near.low), near.high) if x >= 0.0 else near


# Comparisons and pieces


def less(x: Any, y: Any) -> Any:
    x, y = number(x), number(y)
    return True if x.high < y.low else False if x.low >= y.high else UNDECIDED


def less_equal(x: Any, y: Any) -> Any:
    x, y = number(x), number(y)
    return True if x.high <= y.low else False if x.low > y.high else UNDECIDED


def greater(x: Any, y: Any) -> Any:
    return less(y, x)


def greater_equal(x: Any, y: Any) -> Any:
    return less_equal(y, x)


def where(condition: Any, x: Any, y: Any) -> Any:
    """The branch that holds; the hull of both where that is undecided."""
    if isinstance(condition, Interval):  # a plain truth value that became a number
        condition = UNDECIDED if 0.0 in condition and condition.width else condition.low != 0.0
    if condition is UNDECIDED:
        return hull(common.where(True, x, y), common.where(False, x, y))
    return common.where(condition, x, y)


identity, sum, prod, mean, dot = common.identity, common.sum, common.prod, common.mean, common.dot
detach = identity


def sign(x: Any) -> Interval:
    x = number(x)
    return Interval(float((x.low > 0.0) - (x.low < 0.0)), float((x.high > 0.0) - (x.high < 0.0)))


def maximum(x: Any, y: Any) -> Interval:
    x, y = number(x), number(y)
    return Interval(max(x.low, y.low), max(x.high, y.high))


def minimum(x: Any, y: Any) -> Interval:
    x, y = number(x), number(y)
    return Interval(min(x.low, y.low), min(x.high, y.high))


def clip(x: Any, low: Any, high: Any) -> Interval:
    if less_equal(low, high) is not True:
        raise ValueError("low > high")
    return minimum(maximum(x, low), high)


def _whole(name: str) -> Callable[[Any], Interval]:
    at = getattr(math, name)
    return _rising(lambda x: _point(float(at(x)) if math.isfinite(x) else x))


floor, ceil = _whole("floor"), _whole("ceil")


# Activations


def relu(x: Any) -> Interval:
    return maximum(x, 0.0)


def leaky_relu(x: Any, slope: Any) -> Interval:
    return _in_pieces(x, lambda below: mul(slope, below))


def elu(x: Any, alpha: Any) -> Interval:
    return _in_pieces(x, lambda below: mul(alpha, expm1(below)))


def _in_pieces(x: Any, below_zero: Callable[[Interval], Interval]) -> Interval:
    """The number itself above zero, another function of it below."""
    y = number(x)
    if y.low > 0.0:
        return y
    if y.high <= 0.0:
        return below_zero(y)
    return hull(Interval(0.0, y.high), below_zero(Interval(y.low, 0.0)))


def selu(x: Any, scale: Any, alpha: Any) -> Interval:
    return mul(scale, elu(x, alpha))


def _sigmoid_at(x: float) -> Interval:
    e = exp(-math.fabs(x))
    return 1 / (1 + e) if x >= 0.0 else e / (1 + e)


def _softplus_at(x: float) -> Interval:
    return add(max(x, 0.0), log1p(exp(-math.fabs(x))))


sigmoid, softplus = _rising(_sigmoid_at, 0.0, 1.0), _rising(_softplus_at, 0.0)


def log_sigmoid(x: Any) -> Interval:
    return neg(softplus(neg(x)))


def _with_one_minimum(at: Callable[[float], Interval], before: float, after: float, least: float) -> Any:
    """A function that falls up to ``before``, rises from ``after``, and is never below ``least``."""
    rising = _rising(at, least)

    def function(x: Any) -> Interval:
        x = number(x)
        if x.low == x.high or x.low >= after:
            return rising(x)
        first, last = at(x.low), at(x.high)
        low = last.low if x.high <= before else least
        return Interval(max(least, low), max(first.high, last.high))

    return function


_ROOT_HALF = math.sqrt(0.5)
_ROOT_HALF_REST = Interval(-4.833646656726458e-17, -4.833646656726456e-17)  # √½ minus its nearest float


def _gelu_at(x: float) -> Interval:
    """x·erfc(-x/√2)/2; what rounding moves in the argument t is carried along, as it comes out magnified by 2t²."""
    t = -x * _ROOT_HALF
    lost = product_error(-x, _ROOT_HALF)
    if lost != lost or math.isinf(x):
        return x * erfc(-x / sqrt(2.0)) / 2
    rest = lost - x * _ROOT_HALF_REST
    slope = 2 * exp(-square(hull(t, t + rest))) / sqrt(pi)
    return x * (erfc(t) - rest * slope) / 2


# Where each has its minimum, and a number just below it.
silu = _with_one_minimum(lambda x: x * _sigmoid_at(x), -1.27846455, -1.27846454, -0.278464542761074)
gelu = _with_one_minimum(_gelu_at, -0.75179153, -0.75179152, -0.169971207479904)
mish = _with_one_minimum(lambda x: x * tanh(_softplus_at(x)), -1.19243122, -1.19243121, -0.308843413017251)


def logsumexp(xs: Sequence[Any]) -> Interval:
    """It rises with every number."""
    operands = [number(x) for x in xs]
    low, high = ([getattr(x, end) for x in operands] for end in ("low", "high"))
    first = _logsumexp_at(low)
    return Interval(first.low, (first if low == high else _logsumexp_at(high)).high)


def _logsumexp_at(xs: list[float]) -> Interval:
    at = max(range(len(xs)), key=lambda i: xs[i])
    if math.isinf(xs[at]):
        return _point(xs[at])
    return add(xs[at], log1p(sum([exp(sub(x, xs[at])) for i, x in enumerate(xs) if i != at])))
