"""What one operation lost when its result was rounded: its local error.

For + - × ÷ √ and sums of them it is computed exactly, but for one rounding upward; for all other rows it is the
distance to the interval that holds the exact value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from math import inf, nextafter
from typing import Any

from autograd.number_systems.directed import product_error
from autograd.primitives import Primitive


def distance(z: float, exact: Any) -> float:
    """The largest distance of a float from the numbers of an interval, rounded up."""
    d = max(exact.high - z, z - exact.low, 0.0)
    return nextafter(d, inf) if d else 0.0


def _above(x: float) -> float:
    return nextafter(math.fabs(x), inf) if x else 0.0


def _quotient_above(x: float, y: float) -> float:
    return nextafter(math.fabs(x / y), inf) if x else 0.0


def _of_sum(z: float, xs: Sequence[float]) -> float:
    return _above(math.fsum([*xs, -z]))


def _of_products(z: float, factors: Sequence[tuple[float, float]], start: Sequence[float] = ()) -> float:
    """|z - start - Σ xy|; nan where a product's own error is no float."""
    terms = [-z, *start]
    for x, y in factors:
        terms.append(x * y)
        terms.append(product_error(x, y))
    return _above(math.fsum(terms))


def _of_dot(z: float, xs: Sequence[float]) -> float:
    n = len(xs) // 2
    return _of_products(z, list(zip(xs[:n], xs[n : 2 * n], strict=True)), xs[2 * n :])


def _of_quotient(z: float, x: float, y: float) -> float:
    """|z - x/y| = |zy - x| / |y|."""
    return _quotient_above(_of_products(x, [(z, y)]), y)


def _of_root(z: float, x: float) -> float:
    """|z - √x| = |z² - x| / (z + √x), where √x is z but for its last digit."""
    return _quotient_above(_of_products(x, [(z, z)]), z * (2.0 - 2.0**-50)) if z else x


def _of_mean(z: float, xs: Sequence[float]) -> float:
    """|z - Σx/n| = |nz - Σx| / n."""
    return _quotient_above(_of_products(0.0, [(z, float(len(xs)))], [-x for x in xs]), len(xs))


def _of_power(z: float, x: float, y: float) -> float:
    """Of the square, the root and the reciprocal, however the power was computed; nan of others."""
    if y == 2.0:
        return _of_products(z, [(x, x)])
    if y == 0.5 and x >= 0.0:
        return _of_root(z, x)
    return _of_quotient(z, 1.0, x) if y == -1.0 else math.nan


EXACTLY: dict[str, Callable[[float, Any], float]] = {
    "add": _of_sum,
    "sub": lambda z, xs: _of_sum(z, (xs[0], -xs[1])),
    "sum": _of_sum,
    "mul": lambda z, xs: _of_products(z, [xs]),
    "square": lambda z, xs: _of_products(z, [(xs[0], xs[0])]),
    "dot": _of_dot,
    "div": lambda z, xs: _of_quotient(z, *xs),
    "reciprocal": lambda z, xs: _of_quotient(z, 1.0, *xs),
    "sqrt": lambda z, xs: _of_root(z, *xs),
    "pow": lambda z, xs: _of_power(z, *xs),
    "mean": _of_mean,
    "neg": lambda z, xs: 0.0,
}


def exact_error(primitive: Primitive, z: float, operands: Sequence[Any]) -> float | None:
    """|z - exact|, rounded upward, of one IEEE operation or a sum of such; ``None`` for all other rows."""
    exactly = EXACTLY.get(primitive.name) if primitive.built_in else None
    lost = exactly(z, operands) if exactly else math.nan
    return None if math.isnan(lost) else lost
