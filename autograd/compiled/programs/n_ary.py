"""Primitives of any number of arguments over slots, where the formula of the row would not give the floats' bits.

Each is written as what it is made of, left to right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograd.primitives import INFINITY


def sum(m: Any, xs: Sequence[Any]) -> Any:
    """It begins at 0.0, as in floats, so that it is never -0.0; where a term cannot be -0.0, that is so by itself."""
    total: Any = None if any(map(m.is_never_minus_zero, xs)) else m.number(0)
    for x in xs:
        total = x if total is None else total + x
    return total


def mean(m: Any, xs: Sequence[Any]) -> Any:
    return sum(m, xs) / len(xs)


def dot(m: Any, xs: Sequence[Any]) -> Any:
    n = len(xs) // 2
    products = [x * y for x, y in zip(xs[:n], xs[n : 2 * n], strict=True)]
    if len(xs) % 2 == 0:
        return sum(m, products)
    total: Any = xs[-1]
    for product in products:
        total = total + product
    return total


def logsumexp(m: Any, xs: Sequence[Any]) -> Any:
    """The largest plus log1p of the other terms, as the float system has it; infinities come through."""
    largest = xs[0]
    lower = []  # all but the largest, one time
    for x in xs[1:]:
        lower.append(m.minimum(largest, x))
        largest = m.maximum(largest, x)
    others: Any = m.number(0)
    for x in lower:
        others = others + m.exp(x - largest)
    return m.where(m.less(m.abs(largest), INFINITY), largest + m.log1p(others), largest)


FUNCTIONS: Mapping[str, Callable[[Any, Sequence[Any]], Any]] = {
    "sum": sum, "mean": mean, "dot": dot, "logsumexp": logsumexp,
}  # fmt: skip
