"""``Interval``: two floats that an exact number lies between, with Python's operators rounded outward.

The exact result of an operation on any numbers from the operands' intervals is inside of its interval. The one
assumption is ``ULPS``: how far the C library's functions may be from the exact values. ``error_functions`` need none.
"""

from __future__ import annotations

import math
import sys
from math import inf, nextafter
from typing import Any, NamedTuple

from autograd.number_systems.arithmetic import BINARY, COMPARISONS, UNARY, Arithmetic
from autograd.number_systems.directed import (
    product_above,
    product_below,
    product_error,
    quotient_above,
    quotient_below,
)

#: How many ulps of the exact value a function of Python's ``math`` may be off. This is an assumption: nobody has proved
#: bounds for the usual C libraries in double precision, and searches for the worst case find lower bounds alone
#: (Zimmermann, "Accuracy of Mathematical Functions in Single, Double, Extended Double and Quadruple Precision", 2021).
#: Among 12,000 arguments of each, glibc 2.36 was off by at most 0.52 in the first row, 1.51 in the second, 1.9 in the
#: third, 2.8 in the last; a test samples the library that is there.
ULPS = {
    **dict.fromkeys(("exp", "log", "log2", "pow", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "hypot"), 1),
    **dict.fromkeys(("expm1", "log1p", "log10"), 2),
    **dict.fromkeys(("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"), 3),
    "cbrt": 4,
}


LARGEST = sys.float_info.max


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


class Largest:
    """That a number is the largest of some, the first ``count`` of those in a list that may go on for others."""

    __slots__ = ("count", "numbers", "places")

    def __init__(self, numbers: list[Interval], places: dict[Any, int], count: int) -> None:
        self.numbers = numbers
        self.places = places
        self.count = count

    def and_of(self, x: Interval) -> Largest:
        """That of one more."""
        if self.place(x) is not None:
            return self
        numbers, places = self.numbers, self.places
        if len(numbers) != self.count:
            numbers = numbers[: self.count]
            places = {_identity(number): place for place, number in enumerate(numbers)}
        places[_identity(x)] = len(numbers)
        numbers.append(x)
        return Largest(numbers, places, len(numbers))

    def place(self, x: Interval) -> int | None:
        """Which of the numbers it is."""
        place = self.places.get(_identity(x))
        return place if place is not None and place < self.count else None


def _identity(x: Interval) -> Any:
    """What two intervals share if they are one number: equal bounds are none, but of points."""
    return (x.low,) if x.low == x.high else id(x)


class Beside(NamedTuple):
    """That a number is x minus the largest of some, or a sum of exponential functions of such."""

    largest: Largest
    #: One bit for each number that x is.
    places: int
    is_power: bool = False

    def is_at_least_one(self) -> bool:
        """Whether it is the sum for all of them, of which one is e⁰."""
        return self.is_power and self.places == (1 << self.largest.count) - 1


class Sign:
    """That a zero has the sign of the float that it was made of."""

    __slots__ = ()


def largest_of(x: Interval, y: Interval) -> Largest:
    first = x.known if isinstance(x.known, Largest) else Largest([], {}, 0).and_of(x)
    return first.and_of(y)


class Interval(Arithmetic):
    """All real numbers from ``low`` to ``high``, both included.

    >>> Interval(1.0, 2.0) * Interval(-1.0, 0.5) - 1
    Interval(-3.0000000000000004, 2.220446049250313e-16)
    >>> 0.75 in Interval(0.5, 1.0)
    True
    """

    __slots__ = ("high", "known", "low")

    def __init__(self, low: float, high: float, known: Largest | Beside | Sign | None = None) -> None:
        self.low = low
        self.high = high
        #: What no bound says.
        self.known = known

    def _apply(self, name: str, *operands: Any) -> Any:
        if name not in _OPERATORS:
            raise TypeError(f"an interval has operators alone; write autograd.number_systems.intervals.{name}(…)")
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
        try:
            return plain(super()._apply(name, *operands))
        except (ValueError, ArithmeticError):  # such as a divisor that may be zero: nothing is certain
            return _Anywhere(-inf, inf)


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
            raise ValueError(f"an interval is given as (low, high), in this order; not {x!r:.200}")
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
    found = Interval(low if low == low else -inf, high if high == high else inf)
    if x.known.__class__ is y.known.__class__ is Beside:
        _add_powers(found, x.known, y.known)
    return found


def _add_powers(found: Interval, x: Beside, y: Beside) -> None:
    if x.is_power and y.is_power and x.largest is y.largest:
        found.known = Beside(x.largest, x.places | y.places, is_power=True)
        if found.known.is_at_least_one():
            found.low = max(1.0, found.low)


def neg(x: Any) -> Interval:
    x = number(x)
    return Interval(-x.high, -x.low)


def sub(x: Any, y: Any) -> Interval:
    x, y = number(x), number(y)
    found = add(x, neg(y))
    if isinstance(y.known, Largest):
        place = y.known.place(x)
        if place is not None:
            return Interval(found.low, min(0.0, found.high), Beside(y.known, 1 << place))
    return found


def mul(x: Any, y: Any) -> Interval:
    x, y = number(x), number(y)
    a, b, c, d = x.low, x.high, y.low, y.high
    if a == b and c == d:
        p, lost = a * c, product_error(a, c)
        if p != p:
            raise ValueError(
                "0·∞ is no number"
            )  # of an interval with an end of ∞, which holds numbers, 0 times it is 0
        if math.isinf(a) or math.isinf(c):
            return Interval(p, p)
        if lost == lost:
            return Interval(p if lost >= 0.0 else nextafter(p, -inf), p if lost <= 0.0 else nextafter(p, inf))
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


def _of_a_division(x: Any, y: Any) -> tuple[Interval, Interval]:
    x, y = number(x), number(y)
    if math.isinf(x.low) or math.isinf(x.high):
        raise ValueError("a remainder needs a finite dividend")
    return x, y


def _by_infinity(x: Interval, y: Interval, of_one_sign: Any, of_two: Any) -> Interval | None:
    """What a division by an infinity is; ``None`` if that is not what it is."""
    if y.low != y.high or not math.isinf(y.low):
        return None
    x = x if y.low > 0.0 else neg(x)
    return number(of_one_sign) if x.low >= 0.0 else number(of_two) if x.high < 0.0 else hull(of_one_sign, of_two)


def floor_divide(x: Any, y: Any) -> Interval:
    """The whole number at or below the quotient; of points, exactly."""
    x, y = _of_a_division(x, y)
    whole = _by_infinity(x, y, 0.0, -1.0)
    if whole is not None:
        return whole
    quotient = floor(div(x, y))
    if quotient.low < quotient.high and x.low == x.high and y.low == y.high:
        (a, b), (c, d) = x.low.as_integer_ratio(), y.low.as_integer_ratio()
        return number(a * d // (b * c)) if math.fabs(x.low / y.low) < inf else quotient
    return quotient


def mod(x: Any, y: Any) -> Interval:
    """The remainder; where the quotients lie on both sides of a whole number, all from zero to the divisor."""
    x, y = _of_a_division(x, y)
    rests = _by_infinity(x, y, x, y)
    if rests is not None:
        return rests
    if x.low == x.high and y.low == y.high:
        rest = math.fmod(x.low, y.low)  # it is exact
        return Interval(rest, rest) if rest == 0.0 or (rest < 0.0) == (y.low < 0.0) else add(rest, y)
    quotient = floor(div(x, y))
    return sub(x, mul(y, quotient)) if quotient.low == quotient.high else hull(0.0, y)


def hull(x: Any, y: Any) -> Interval:
    """The smallest interval that holds both."""
    x, y = number(x), number(y)
    return Interval(min(x.low, y.low), max(x.high, y.high))


def abs(x: Any) -> Interval:
    y = number(x)
    if y.low >= 0.0:
        return y
    return neg(y) if y.high <= 0.0 else Interval(0.0, max(-y.low, y.high))


def floor(x: Any) -> Interval:
    x = number(x)
    return Interval(_whole(math.floor, x.low), _whole(math.floor, x.high))


def ceil(x: Any) -> Interval:
    x = number(x)
    return Interval(_whole(math.ceil, x.low), _whole(math.ceil, x.high))


def rint(x: Any) -> Interval:
    x = number(x)
    return Interval(_whole(round, x.low), _whole(round, x.high))


def _whole(function: Any, x: float) -> float:
    return float(function(x)) if math.isfinite(x) else x


def near(name: str, *operands: float) -> Interval:
    """The interval around a function's float that holds its exact value."""
    z: float = getattr(math, name)(*operands)
    first = operands[0]
    if math.isinf(z) and all(map(math.isfinite, operands)):
        return Interval(LARGEST, z)
    if (z in (0.0, 1.0) and first in (0.0, 1.0) and len(operands) == 1) or math.isinf(z):
        # No function here has a value of 0 or 1 at 0 or 1 by rounding.
        return Interval(z, z)
    # An ulp of the exact value may be that of the next power of two, if that is near.
    off = ULPS[name] * math.ulp(math.fabs(z) + 2 * ULPS[name] * math.ulp(z))
    low, high = z - off, z + off
    # Both differences are exact (Sterbenz), so that they tell whether the sums were.
    return Interval(low if z - low >= off else nextafter(low, -inf), high if high - z >= off else nextafter(high, inf))


def pow(x: Any, y: Any) -> Interval:
    x, y = number(x), number(y)
    if y.low == y.high and (math.isinf(y.low) or y.low % 1.0 == 0.0):
        if math.isinf(y.low) or y.low % 2.0 == 0.0:
            x = abs(x)
        if y.low < 0.0 and x.low <= 0.0 <= x.high:
            raise ValueError("a negative power of an interval that holds zero")
    elif x.low < 0.0:
        raise ValueError("a power of an interval with negative numbers")
    if y.low == y.high and y.low in (0.0, 1.0):
        return x if y.low else Interval(1.0, 1.0)
    # It rises or falls along each side, so that its least and largest values are at corners.
    corners = [_power(a, b) for a in (x.low, x.high) for b in (y.low, y.high)]
    return Interval(min(c.low for c in corners), max(c.high for c in corners))


def _power(x: float, y: float) -> Interval:
    found = Interval(0.0, 0.0) if x == 0.0 < y else near("pow", x, y)
    # The sign is certain: a positive base has no negative power.
    return Interval(max(0.0, found.low), found.high) if x >= 0.0 else found


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


_OPERATORS = {*BINARY.values(), *UNARY.values(), *COMPARISONS.values()}
