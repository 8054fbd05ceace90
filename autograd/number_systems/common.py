"""What several number systems have in common, for any numbers with Python's operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: What the terms of a mean are multiplied by where their sum is too large for a float.
SMALLER = 2.0**-64
#: Of ``atan2`` where zero has no sign.
NO_SIGN_OF_ZERO = "the sign of a zero decides between two angles, and is not known"


def identity(x: Any) -> Any:
    return x


detach = identity


def where(condition: Any, x: Any, y: Any) -> Any:
    """The branch that holds; one that is a function is called only if it is taken."""
    chosen = x if condition else y
    if chosen is None:
        raise ValueError(
            "where: the branch that is wanted now was a function that was never called; give it as a Value"
        )
    return chosen() if callable(chosen) else chosen


def sum(xs: Sequence[Any]) -> Any:
    total = 0
    for x in xs:
        total = total + x
    return total


def prod(xs: Sequence[Any]) -> Any:
    total = 1
    for x in xs:
        total = total * x
    return total


def mean(xs: Sequence[Any]) -> Any:
    return sum(xs) / len(xs)


def dot(xs: Sequence[Any]) -> Any:
    """x₁y₁ + … + xₙyₙ of the operands x₁ … xₙ, y₁ … yₙ and perhaps a start, left to right."""
    n = len(xs) // 2
    total = xs[-1] if len(xs) % 2 else 0
    for x, y in zip(xs[:n], xs[n : 2 * n], strict=True):
        total = total + x * y
    return total
