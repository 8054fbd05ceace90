"""Intervals: two floats that the exact result lies between, whatever was rounded on the way.

Every bound is rounded outward (``enclosures``), so that the exact result of exact operations on any numbers from the
operands' intervals is inside. A comparison that the intervals leave open is ``UNDECIDED``; a choice by it is the hull
of both branches. Intervals are wider than needed where an operand comes twice, since each occurrence is taken to vary
by itself; the functions here rise or fall in each operand, piece by piece, and are as narrow as their ends.
A zero that is computed may have either sign: where ``atan2`` has an angle for each, both are inside.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import inf, nextafter
from typing import Any

from autograd.number_systems import common, enclosures, error_functions
from autograd.number_systems.directed import product_error
from autograd.number_systems.enclosures import UNDECIDED, Beside, Interval, Sign, hull, largest_of, near
from autograd.number_systems.enclosures import number as same
from autograd.number_systems.formulas import formula_of
from autograd.primitives import TABLE, Primitive, Rule
from autograd.rules import of_the_others, slope_of_pow, slope_of_sinc

NAME = "intervals"
LANES = False
LACKS: dict[str, str] = {}

pi = Interval(math.pi, nextafter(math.pi, 4.0))  # math.pi is below π

plain = enclosures.plain
add, sub, mul, div, neg, pow, mod, floor_divide = (
    enclosures.add,
    enclosures.sub,
    enclosures.mul,
    enclosures.div,
    enclosures.neg,
    enclosures.pow,
    enclosures.mod,
    enclosures.floor_divide,
)
abs, floor, ceil, rint = enclosures.abs, enclosures.floor, enclosures.ceil, enclosures.rint
less, less_equal = enclosures.less, enclosures.less_equal
greater, greater_equal = enclosures.greater, enclosures.greater_equal
sum = common.sum


def mean(xs: Sequence[Any]) -> Interval:
    """Of terms made small where their sum is too large for a float."""
    found = div(sum(xs), len(xs))
    if math.isinf(found.low) or math.isinf(found.high):
        found = mul(div(sum([mul(x, common.SMALLER) for x in xs]), len(xs)), 1 / common.SMALLER)
    return found


def _point(x: float) -> Interval:
    return Interval(x, x)


def number(x: Any) -> Interval:
    """The smallest interval that holds a number, or reaches from the first to the second of a pair.

    Always another object, because an object stands for one number: of two with the same bounds, neither is known.

    Raises:
        ValueError: it is nan, or the pair is in the wrong order.
    """
    found = same(x)
    if found is x:
        return Interval(found.low, found.high)
    if found.low == found.high == 0.0 and x.__class__ in (float, int):
        found.known = Sign()
    return found


def limit(value: float, primitive: Any, operands: Any) -> Interval:
    """A limit that the table states, as a number.

    Raises:
        ValueError: it is infinite.
    """
    if math.isinf(value):
        raise ValueError("no interval holds an infinite slope")
    return same(value)


def computing(digits: int | None = None) -> AbstractContextManager[Any]:
    """A context to compute in; intervals need none."""
    return nullcontext()


def square(x: Any) -> Interval:
    size = abs(x)
    return mul(size, size)


def sqrt(x: Any) -> Interval:
    x = same(x)
    if x.low < 0.0:
        raise ValueError("sqrt of an interval with negative numbers")
    return Interval(_root(x.low, -inf), _root(x.high, inf))


def _root(x: float, direction: float) -> float:
    z = math.sqrt(x)
    rest = (x - z * z) - product_error(z, z)  # of its sign, and 0 only where the root is exact; or nan
    return z if rest * direction < 0.0 or rest == 0.0 else max(0.0, nextafter(z, direction))


# Functions of the C library, which rise or fall, at both ends


def _rising(at: Callable[[float], Interval], low: float = -inf, high: float = inf) -> Callable[[Any], Interval]:
    """An increasing function of intervals, from its values at points and its range."""

    def function(x: Any) -> Interval:
        x = same(x)
        first = at(x.low)
        # One that begins below 0 is that of a branch that is not taken; of all others, the value itself is too large.
        last = first if x.low == x.high else _or_beyond(at, x.high) if x.low <= 0.0 else at(x.high)
        return Interval(max(low, first.low), min(high, last.high))

    return function


def _or_beyond(at: Callable[[Any], Interval], x: float) -> Interval:
    """A function's value, or all that no float is as large as."""
    try:
        return at(x)
    except OverflowError:
        return Interval(enclosures.LARGEST, inf)


def _falling(at: Callable[[float], Interval], low: float, high: float) -> Callable[[Any], Interval]:
    rising = _rising(lambda x: neg(at(x)), -high, -low)
    return lambda x: neg(rising(x))


def _library(name: str, low: float = -inf, high: float = inf) -> Callable[[Any], Interval]:
    return _rising(lambda x: near(name, x), low, high)


expm1 = _library("expm1", -1.0)
log, log2, log10, log1p = map(_library, ("log", "log2", "log10", "log1p"))
cbrt, sinh, asinh, atanh = map(_library, ("cbrt", "sinh", "asinh", "atanh"))
tanh, acosh = _library("tanh", -1.0, 1.0), _library("acosh", 0.0)
asin, atan = _library("asin", -pi.high / 2, pi.high / 2), _library("atan")
acos = _falling(lambda x: near("acos", x), 0.0, pi.high)


_exp = _library("exp", 0.0)


def exp(x: Any) -> Interval:
    """Of a number minus the largest of some it knows that it is a power beside that of the largest, which is 1."""
    x = same(x)
    found = _exp(x)
    if isinstance(x.known, Beside) and not x.known.is_power:
        found.known = x.known._replace(is_power=True)
    return found


# Of these nothing is the library's: at a point, the bounds are neighbouring floats.
erf = _rising(lambda x: Interval(*error_functions.erf(x)))
erfc = _falling(lambda x: Interval(*error_functions.erfc(x)), 0.0, 2.0)


def cosh(x: Any) -> Interval:
    size = abs(x)
    return Interval(max(1.0, near("cosh", size.low).low), near("cosh", size.high).high)


def hypot(x: Any, y: Any) -> Interval:
    x, y = abs(x), abs(y)
    if x.high == 0.0 or y.high == 0.0:
        return add(x, y)
    low, high = near("hypot", x.low, y.low).low, near("hypot", x.high, y.high).high
    return Interval(max(low, x.low, y.low), high)


def _may_hold_a_whole(turns: Interval) -> bool:
    """Whether an integer may lie inside; yes of an interval without bounds."""
    return not turns.width < 1.0 or math.ceil(turns.low) <= turns.high


def _wave(name: str, quarters: int) -> Callable[[Any], Interval]:
    """A wave with its crests ``quarters`` quarters of a turn after zero."""

    def function(x: Any) -> Interval:
        x = same(x)
        if math.isinf(x.low) or math.isinf(x.high):
            raise ValueError(f"{name} needs finite numbers")
        first, last = near(name, x.low), near(name, x.high)
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

#: Between its two lowest points, left and right of the crest, sinc falls on both sides of zero.
_LOWEST_AT, _LOWEST = 4.493409457909064, -0.21723362821122168


def sinc(x: Any) -> Interval:
    """It is even, falls up to the first of its lowest points, and beyond is at most 0.1285, and 1 / x, in size."""
    size = abs(x)
    if math.isinf(size.high):
        raise ValueError("sinc needs finite numbers")
    first, last = _sinc_at(size.low), _sinc_at(size.high)
    if size.low == size.high:
        return first
    if size.high <= _LOWEST_AT:
        return Interval(last.low, first.high)
    high = max(first.high, 0.1285) if size.low <= _LOWEST_AT else min(0.1285, div(1.0, size.low).high)
    return Interval(nextafter(_LOWEST, -inf), high)


def _sinc_at(x: float) -> Interval:
    return Interval(1.0, 1.0) if x == 0.0 else minimum(div(near("sin", x), x), 1.0)


def tan(x: Any) -> Interval:
    x = same(x)
    if x.low < x.high and _may_hold_a_whole((x - pi / 2) / pi):
        raise ValueError("a pole may lie in the interval")
    return Interval(near("tan", x.low).low, near("tan", x.high).high)


def atan2(y: Any, x: Any) -> Interval:
    """The angle; where the rectangle meets the cut or the origin, all angles, unless the signs of zeros are known."""
    y, x = same(y), same(x)
    if y.low <= 0.0 <= y.high and x.low <= 0.0:
        if not (isinstance(y.known, Sign) and (x.high < 0.0 or isinstance(x.known, Sign))):
            return Interval(-pi.high, pi.high)
        if math.copysign(1.0, x.high) > 0.0:
            return _point(y.low)
    corners = [near("atan2", b, a) for b in (y.low, y.high) for a in (x.low, x.high)]
    return Interval(min(c.low for c in corners), max(c.high for c in corners))


# Pieces


def where(condition: Any, x: Any, y: Any) -> Any:
    """The branch that holds; the hull of both where that is undecided."""
    if isinstance(condition, Interval):  # a plain truth value that became a number
        condition = UNDECIDED if 0.0 in condition and condition.width else condition.low != 0.0
    if condition is UNDECIDED:
        return hull(common.where(True, x, y), common.where(False, x, y))
    return common.where(condition, x, y)


def sign(x: Any) -> Interval:
    x = same(x)
    return Interval(float((x.low > 0.0) - (x.low < 0.0)), float((x.high > 0.0) - (x.high < 0.0)))


def maximum(x: Any, y: Any) -> Interval:
    x, y = same(x), same(y)
    return Interval(max(x.low, y.low), max(x.high, y.high), largest_of(x, y))


def minimum(x: Any, y: Any) -> Interval:
    x, y = same(x), same(y)
    return Interval(min(x.low, y.low), min(x.high, y.high))


def clip(x: Any, low: Any, high: Any) -> Interval:
    if less_equal(low, high) is not True:
        raise ValueError("low > high")
    return minimum(maximum(x, low), high)


# Activations


def _sigmoid_at(x: float) -> Interval:
    e = exp(-math.fabs(x))
    return 1 / (1 + e) if x >= 0.0 else e / (1 + e)


def _softplus_at(x: float) -> Interval:
    return add(max(x, 0.0), log1p(exp(-math.fabs(x))))


def _sech2_at(x: float) -> Interval:
    e = exp(-2.0 * math.fabs(x))
    return Interval((4 * e.low / square(add(1.0, e.low))).low, (4 * e.high / square(add(1.0, e.high))).high)


_up_to_zero = _rising(_sech2_at, 0.0, 1.0)


def sech2(x: Any) -> Interval:
    """It rises up to zero, and falls from there on."""
    return _up_to_zero(-abs(x))


sigmoid, softplus = _rising(_sigmoid_at, 0.0, 1.0), _rising(_softplus_at, 0.0)


def _with_one_minimum(at: Callable[[float], Interval], before: float, after: float, least: float) -> Any:
    """A function that falls up to ``before``, rises from ``after``, and is never below ``least``."""
    rising = _rising(at, least)

    def function(x: Any) -> Interval:
        x = same(x)
        if x.low == x.high or x.low >= after:
            return rising(x)
        first, last = at(x.low), at(x.high)
        low = last.low if x.high <= before else least
        return Interval(max(least, low), max(first.high, last.high))

    return function


# Where each has its minimum, and a number just below it.
silu = _with_one_minimum(lambda x: x * _sigmoid_at(x), -1.27846455, -1.27846454, -0.278464542761074)
gelu = _with_one_minimum(lambda x: Interval(*error_functions.gelu(x)), -0.75179153, -0.75179152, -0.169971207479904)
mish = _with_one_minimum(lambda x: x * tanh(_softplus_at(x)), -1.19243122, -1.19243121, -0.308843413017251)


def logsumexp(xs: Sequence[Any]) -> Interval:
    """It rises with every number."""
    operands = [same(x) for x in xs]
    low, high = ([getattr(x, end) for x in operands] for end in ("low", "high"))
    first = _logsumexp_at(low)
    return Interval(first.low, (first if low == high else _logsumexp_at(high)).high)


def _logsumexp_at(xs: list[float]) -> Interval:
    at = max(range(len(xs)), key=lambda i: xs[i])
    if math.isinf(xs[at]):
        return _point(xs[at])
    return add(xs[at], log1p(sum([exp(sub(x, xs[at])) for i, x in enumerate(xs) if i != at])))


def exp_of_minus_square(x: Interval, divisor: int) -> Interval:
    """exp(-x² / divisor), of which an interval knows the square."""
    return exp(neg(div(square(x), divisor)))


def softmax(z: Interval, xs: Sequence[Any]) -> list[Interval]:
    """The slopes of ``logsumexp``: 1 / Σ exp(xⱼ - x), in which no number is bounded twice.

    Where the intervals are narrow it is the rule's own form, in a time that is linear in their number; what is taken
    away from each is one float, so that nothing is lost with it.
    """
    operands = [same(x) for x in xs]
    if all(x.high - x.low < 1e-3 for x in operands):
        largest = max(x.high for x in operands)
        powers = [exp(x - largest) for x in operands]
        return list(map(share, powers, of_the_others(powers, add, 0)))

    def ratio(y: Interval, x: Interval) -> Interval:
        difference = y - x
        return Interval(_or_beyond(exp, difference.low).low, _or_beyond(exp, difference.high).high)

    return [
        minimum(1 / sum([_point(1.0), *(ratio(y, x) for j, y in enumerate(operands) if j != i)]), 1.0)
        for i, x in enumerate(operands)
    ]


def exp_difference(x: Any, y: Any) -> Interval:
    return exp(same(x) - y)


# Shares


def share(x: Any, y: Any) -> Interval:
    """x / (x + y) rises or falls along each side of a box without a sum of zero: it is bounded at corners.

    A box of numbers that are not negative may have its corner at zero, where there is no share: an end of zero is
    mostly that of powers which underflow.

    Raises:
        ValueError: another sum of zero may lie in the box, or nothing but that corner; or x is an infinity.
    """
    x, y = same(x), same(y)
    _refuse_infinity(x)
    if x.low >= 0.0 and y.low >= 0.0 and (x.high or y.high):
        low = _share_at(x.low or (0.0 if y.high else x.high), y.high).low
        high = _share_at(x.high, y.low or (0.0 if x.high else y.high)).high
        return Interval(max(0.0, low), min(1.0, high))
    if 0.0 in add(x, y):
        raise ValueError("a sum of zero may lie in the interval")
    corners = [_share_at(a, b) for a in (x.low, x.high) for b in (y.low, y.high)]
    return Interval(min(c.low for c in corners), max(c.high for c in corners))


def _refuse_infinity(x: Interval) -> None:
    """Raise ValueError for what would be a part of itself; an interval with an end of ∞ holds numbers."""
    if x.low == x.high and math.isinf(x.low):
        raise ValueError("∞/∞ is no number")


def _in_bounds(x: float, y: float) -> tuple[Interval, Interval, float]:
    """Two numbers and the factor with which their sum does not overflow."""
    factor = 1.0 if math.fabs(x + y) < inf else 0.5
    return mul(x, factor), mul(y, factor), factor


def _share_at(x: float, y: float) -> Interval:
    if math.isinf(x) or math.isinf(y):
        if math.isinf(x) and math.isinf(y):
            return Interval(0.0, 1.0)
        return _point(float(math.isinf(x)))
    a, b, _ = _in_bounds(x, y)
    return div(a, add(a, b))


def slope_of_share(x: Any, y: Any) -> Interval:
    """y / (x + y)²; of numbers that are not negative it falls in x, and in y it rises up to x and falls from there on.

    The slope by y is its opposite, with the arguments exchanged.
    """
    x, y = same(x), same(y)
    _refuse_infinity(y)
    if not (x.low >= 0.0 and y.low >= 0.0 and (x.high or y.high)):
        total = add(x, y)
        return div(div(y, total), total)
    ends = [b for b in (y.low, y.high) if x.high or b]
    highest = min(max(x.low, y.low), y.high)
    found = Interval(
        max(0.0, min(_slope_of_share_at(x.high, b).low for b in ends)),
        _slope_of_share_at(x.low, highest).high if x.low or highest else inf,
    )
    total = add(x, y)  # of the powers of a softmax it is known to be no less than 1
    return Interval(found.low, min(found.high, div(share(y, x), total).high)) if total.low > 0.0 else found


def _slope_of_share_at(x: float, y: float) -> Interval:
    if math.isinf(x) or math.isinf(y):
        return _point(0.0)
    a, b, factor = _in_bounds(x, y)
    total = add(a, b)
    return mul(div(div(b, total), total), factor)


# All others


def _by_formula(row: Primitive) -> Callable[..., Any]:
    """A row's formula over intervals; a function that rises or falls in an operand is taken at its ends."""
    formula, m = formula_of(row, rounded=True), sys.modules[__name__]
    if row.n_ary:
        return lambda xs: formula(m, [same(x) for x in xs])

    def function(*operands: Any) -> Any:
        boxes = [same(x) for x in operands]
        if row.domain(*map(plain, boxes)) is not True:
            raise ValueError("a point outside of the domain may lie in the interval")
        try:
            whole = formula(m, *boxes)
        except (ValueError, ArithmeticError):  # an operand that comes twice was taken to vary by itself
            whole = Interval(-inf, inf)
        if row.jumps or callable(row.partials):
            return whole
        lowest, highest = list(boxes), list(boxes)
        for i, (rule, box) in enumerate(zip(row.partials, boxes, strict=True)):
            slope = None if rule is None or not box.width else _slope(rule, m, whole, boxes)
            if slope is not None and slope.low >= 0.0:
                lowest[i], highest[i] = _point(box.low), _point(box.high)
            elif slope is not None and slope.high <= 0.0:
                lowest[i], highest[i] = _point(box.high), _point(box.low)
        if lowest == highest:
            return formula(m, *boxes)
        low, high = formula(m, *lowest), formula(m, *highest)
        return Interval(max(whole.low, low.low), min(whole.high, high.high))

    return function


def _slope(rule: Any, m: Any, z: Interval, operands: list[Interval]) -> Interval | None:
    """Between what bounds a partial lies; ``None`` if it may not exist."""
    try:
        return same(rule(m, z, *operands))
    except (ValueError, ArithmeticError):
        return None


# Slopes, where a rule of the table has a number twice, or takes all of an operand in a branch that part of it reaches

Turn = tuple[float, float, float]


def _between_turns(row: Primitive, *turns: Turn) -> Rule:
    """A slope that rises or falls between its turns: its rule at the ends, and what it comes to at the turns inside.

    Args:
        turns: the floats between which each lies, and one beyond the slope there.
    """
    assert not callable(row.partials)
    rule, value = row.partials[0], globals()[row.name]
    assert rule is not None

    def slope(m: Any, z: Interval, x: Interval) -> Any:
        if x.low == x.high:
            return rule(m, z, x)
        found = hull(*[rule(m, value(end), _point(end)) for end in (x.low, x.high)])
        for before, after, beyond in turns:
            if x.low <= after and before <= x.high:
                found = hull(found, beyond)
        return found

    return slope


def _slope_of_elu(m: Any, z: Interval, x: Interval, alpha: Any) -> Any:
    return where(greater(x, 0.0), 1, lambda: mul(alpha, exp(minimum(x, 0.0))))


def _slope_of_selu(m: Any, z: Interval, x: Interval, scale: Any, alpha: Any) -> Any:
    return where(greater(x, 0.0), scale, lambda: mul(mul(scale, alpha), exp(minimum(x, 0.0))))


def _slope_of_sinc(m: Any, z: Interval, x: Interval) -> Interval:
    """The rule's, and never beyond its first two turns, of which only the first is on the side of zero."""
    found = same(slope_of_sinc(m, z, x))
    first, second = 0.4361818172714586, 0.1680699599455033
    low, high = second if x.high <= 0.0 else first, second if x.low >= 0.0 else first
    return Interval(max(found.low, -low), min(found.high, high))


def _slope_of_hypot(x: Interval, y: Interval) -> Interval:
    """x / √(x² + y²) rises with x, and falls to zero with the size of y; around the tip it has all directions."""
    y = abs(y)
    if x.low < x.high and 0.0 in x and 0.0 in y:
        return Interval(-1.0 if x.low < 0.0 else 0.0, 1.0 if x.high > 0.0 else 0.0)
    low, high = (_point(y.high if x.low >= 0.0 else y.low), _point(y.low if x.high >= 0.0 else y.high))
    return Interval(div(x.low, hypot(x.low, low)).low, div(x.high, hypot(x.high, high)).high)


def _slope_of_pow(m: Any, z: Interval, x: Interval, y: Interval) -> Any:
    if y.low == y.high:
        return slope_of_pow(m, z, x, y) if y.low else _point(0.0)
    return mul(y, pow(x, sub(y, 1.0)))  # in one power, where y comes but once more


#: Row → partials that take the place of its own.
PARTIALS: dict[Primitive, tuple[Rule | None, ...]] = {
    TABLE["share"]: (lambda m, z, x, y: slope_of_share(x, y), lambda m, z, x, y: -slope_of_share(y, x)),
    TABLE["hypot"]: (lambda m, z, x, y: _slope_of_hypot(x, y), lambda m, z, x, y: _slope_of_hypot(y, x)),
    TABLE["atan2"]: (
        lambda m, z, x, y: div(_slope_of_hypot(y, x), hypot(x, y)),
        lambda m, z, x, y: -div(_slope_of_hypot(x, y), hypot(x, y)),
    ),
    TABLE["pow"]: (_slope_of_pow, lambda m, z, x, y: mul(z, log(x))),
    TABLE["sinc"]: (_slope_of_sinc,),
    TABLE["atan"]: TABLE["atan"].written,
    TABLE["elu"]: (_slope_of_elu, None),
    TABLE["selu"]: (_slope_of_selu, None, None),
}

for _name, _row in TABLE.items():
    if _name not in globals():
        globals()[_name] = getattr(common, _name, None) or _by_formula(_row)

#: Row → the turns of its slope.
TURNS: dict[str, tuple[Turn, ...]] = {
    "logit": ((0.5, 0.5, 4.0),),
    "asin": ((0.0, 0.0, 1.0),),
    "acos": ((0.0, 0.0, -1.0),),
    "atanh": ((0.0, 0.0, 1.0),),
    "sigmoid": ((0.0, 0.0, 0.25),),
    "sech2": ((-0.65847895, -0.65847894, 0.7698003589195011), (0.65847894, 0.65847895, -0.7698003589195011)),
    "gelu": ((-1.41421357, -1.41421356, -0.1289041451851548), (1.41421356, 1.41421357, 1.1289041451851549)),
    "silu": ((-2.39935729, -2.39935728, -0.09983932012886693), (2.39935728, 2.39935729, 1.0998393201288671)),
    "mish": ((-2.2563764, -2.25637639, -0.11252612238946257), (1.49057117, 1.49057118, 1.0884981612517281)),
}
PARTIALS |= {TABLE[_name]: (_between_turns(TABLE[_name], *_turns),) for _name, _turns in TURNS.items()}
