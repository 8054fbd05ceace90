"""Naive forward mode over fractions: a value and its slope, with the four rules that everybody knows.

What the engine derives from its table is compared with this, and must be equal: there is no rounding on either side.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial, reduce
from types import SimpleNamespace
from typing import Any

from autograd import TABLE
from autograd.number_systems import fractions_

#: An exact number of more bits than this takes too long to go on with.
MOST_BITS = 4000


class TooManyDigits(ArithmeticError):
    """The numbers of an expression became too long for a test."""


@dataclass(frozen=True)
class Dual:
    value: Fraction
    slope: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        for part in (self.value, self.slope):
            if max(part.numerator.bit_length(), part.denominator.bit_length()) > MOST_BITS:
                raise TooManyDigits

    def __add__(self, other: Any) -> Dual:
        other = of(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other: Any) -> Dual:
        other = of(other)
        return Dual(self.value - other.value, self.slope - other.slope)

    def __mul__(self, other: Any) -> Dual:
        other = of(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __truediv__(self, other: Any) -> Dual:
        other = of(other)
        return Dual(
            self.value / other.value,
            (self.slope * other.value - self.value * other.slope) / (other.value * other.value),
        )

    def __radd__(self, other: Any) -> Dual:
        return of(other) + self

    def __rsub__(self, other: Any) -> Dual:
        return of(other) - self


def of(x: Any) -> Dual:
    """A constant; a dual number as it is."""
    return x if isinstance(x, Dual) else Dual(Fraction(x))


def power(x: Dual, y: Dual) -> Dual:
    assert y.value.denominator == 1
    factors = [x] * abs(int(y.value))
    product = reduce(operator.mul, factors, of(1))
    return of(1) / product if y.value < 0 else product


def larger(x: Dual, y: Dual, sign: int = 1) -> Dual:
    """The one that is larger; of two equal ones, half the slope of each."""
    if x.value == y.value:
        return Dual(x.value, (x.slope + y.slope) / 2)
    return x if sign * x.value > sign * y.value else y


def clip(x: Dual, low: Dual, high: Dual) -> Dual:
    return low if x.value < low.value else high if x.value > high.value else x


def total(xs: list[Dual]) -> Dual:
    return reduce(operator.add, xs)


def dot(xs: list[Dual]) -> Dual:
    n = len(xs) // 2
    products = map(operator.mul, xs[:n], xs[n : 2 * n])
    return total([*products, *xs[2 * n :], of(0)])


def size(x: Dual) -> Dual:
    return x if x.value > 0 else of(0) - x if x.value < 0 else of(0)


def constant(function: Any) -> Any:
    return lambda x: of(function(x.value))


#: Every row that maps fractions to fractions, under its name.
FUNCTIONS = SimpleNamespace(
    number=of,
    add=operator.add,
    sub=operator.sub,
    mul=operator.mul,
    div=operator.truediv,
    neg=lambda x: of(0) - x,
    pow=power,
    square=lambda x: x * x,
    reciprocal=lambda x: of(1) / x,
    abs=size,
    sign=constant(lambda x: (x > 0) - (x < 0)),
    maximum=larger,
    minimum=lambda x, y: larger(x, y, -1),
    where=lambda condition, x, y: x if condition.value else y,
    clip=clip,
    floor=constant(math.floor),
    ceil=constant(math.ceil),
    rint=constant(round),
    relu=lambda x: x if x.value > 0 else of(0),
    leaky_relu=lambda x, slope: x if x.value > 0 else slope * x,
    sum=total,
    prod=lambda xs: reduce(operator.mul, xs),
    mean=lambda xs: total(xs) / of(len(xs)),
    dot=dot,
    identity=lambda x: x,
    detach=lambda x: of(x.value),
    less=lambda x, y: of(x.value < y.value),
    less_equal=lambda x, y: of(x.value <= y.value),
    greater=lambda x, y: of(x.value > y.value),
    greater_equal=lambda x, y: of(x.value >= y.value),
)
# The other rational rows are their formulas.
for _row in TABLE.values():
    if _row.name not in (*vars(FUNCTIONS), *fractions_.LACKS):
        setattr(FUNCTIONS, _row.name, partial(_row.formula, FUNCTIONS))
