"""Primitives of any number of arguments over slots, where the formula of the row would not give the floats' bits.

Each, under the name of its primitive, is written as what it is made of, left to right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.number_systems.common import SMALLER
from autograd.primitives import INFINITY


def sum(m: Any, xs: Sequence[Any]) -> Any:
    """It begins at 0.0, as in floats, so that it is never -0.0; where a term cannot be -0.0, that is so by itself."""
    total: Any = None if any(map(m.is_never_minus_zero, xs)) else m.number(0)
    for x in xs:
        total = x if total is None else total + x
    return total


def mean(m: Any, xs: Sequence[Any]) -> Any:
    """With a second sum, of smaller terms, for where the first is too large for a float.

    A mean of squares of 10 numbers takes 1.05 to 1.2 times as long with it, of 100 numbers 1.3 times; a layer of 16
    neurons and its loss 1.0 to 1.08 times (measured).
    """
    total = sum(m, xs)
    if len(xs) == 1:
        return total
    smaller = sum(m, [x * SMALLER for x in xs])
    return m.where(m.less(m.abs(total), INFINITY), total / len(xs), smaller / len(xs) / SMALLER)


def dot(m: Any, xs: Sequence[Any]) -> Any:
    n = len(xs) // 2
    products = [x * y for x, y in zip(xs[:n], xs[n : 2 * n], strict=True)]
    if len(xs) % 2 == 0:
        return sum(m, products)
    total: Any = xs[-1]
    for product in products:
        total = total + product
    return total
