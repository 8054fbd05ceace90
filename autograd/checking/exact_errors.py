"""The local error of each IEEE operation, and of sums of such, but for one rounding upward.

Like a number system: a function ``(z, xs) -> |z - exact|`` for each primitive of which that can be said, under its
name, with the computed result ``z`` of the operands ``xs``; nan where it cannot be said of these numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import inf, nextafter

from autograd.number_systems.directed import product_error

Numbers = Sequence[float]


def _above(x: float) -> float:
    return nextafter(math.fabs(x), inf) if x else 0.0


def _quotient_above(x: float, y: float) -> float:
    return nextafter(math.fabs(x / y), inf) if x else 0.0


def _of_products(z: float, factors: Sequence[tuple[float, float]], start: Numbers = ()) -> float:
    """|z - start - Σ xy|; nan where a product's own error is no float."""
    terms = [-z, *start]
    for x, y in factors:
        terms.append(x * y)
        terms.append(product_error(x, y))
    return _above(math.fsum(terms))


def neg(z: float, xs: Numbers) -> float:
    return 0.0


def sum(z: float, xs: Numbers) -> float:
    return _above(math.fsum([*xs, -z]))


add = sum


def sub(z: float, xs: Numbers) -> float:
    return sum(z, (xs[0], -xs[1]))


def mul(z: float, xs: Numbers) -> float:
    return _of_products(z, [(xs[0], xs[1])])


def square(z: float, xs: Numbers) -> float:
    return _of_products(z, [(xs[0], xs[0])])


def dot(z: float, xs: Numbers) -> float:
    n = len(xs) // 2
    return _of_products(z, list(zip(xs[:n], xs[n : 2 * n], strict=True)), xs[2 * n :])


def div(z: float, xs: Numbers) -> float:
    """|z - x/y| = |zy - x| / |y|."""
    x, y = xs
    return _quotient_above(_of_products(x, [(z, y)]), y)


def reciprocal(z: float, xs: Numbers) -> float:
    return div(z, (1.0, xs[0]))


def sqrt(z: float, xs: Numbers) -> float:
    """|z - √x| = |z² - x| / (z + √x), where √x is z but for its last digit."""
    return _quotient_above(_of_products(xs[0], [(z, z)]), z * (2.0 - 2.0**-50)) if z else xs[0]


def pow(z: float, xs: Numbers) -> float:
    """Of the square, the root and the reciprocal, however the power was computed; nan of others."""
    x, y = xs
    if y == 2.0:
        return square(z, xs)
    if y == 0.5 and x >= 0.0:
        return sqrt(z, xs)
    return reciprocal(z, xs) if y == -1.0 else math.nan


def mean(z: float, xs: Numbers) -> float:
    """|z - Σx/n| = |nz - Σx| / n."""
    return _quotient_above(_of_products(0.0, [(z, float(len(xs)))], [-x for x in xs]), len(xs))
