"""Primitives of any number of arguments over slots: written as what they are made of, left to right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autograd.compiled.programs.folding import is_minus_zero
from autograd.primitives import INFINITY

if TYPE_CHECKING:
    from autograd.compiled.programs.building import Builder

#: Pairs of a ``dot`` from which on it stays one instruction.
LONG_DOT = 8

_NEVER_MINUS_ZERO = {"square", "abs", "relu", "exp", "less", "less_equal", "greater", "greater_equal"}


def _sum(builder: Builder, xs: Sequence[Any]) -> Any:
    # It begins at 0.0, as in floats, so that it is never -0.0; where a term cannot be -0.0, that is so by itself.
    total: Any = None if any(_is_never_minus_zero(builder, x) for x in xs) else builder.number(0.0)
    for x in xs:
        total = x if total is None else total + x
    return builder.number(total)


def _is_never_minus_zero(builder: Builder, x: Any) -> bool:
    slot = builder.number(x).index
    primitive, operands = builder.primitives[slot], builder.operands[slot]
    if primitive is None:
        return slot in builder.constants and not is_minus_zero(builder.constants[slot])
    return primitive.name in _NEVER_MINUS_ZERO or (primitive.name == "mul" and operands[0] == operands[1])


def _prod(builder: Builder, xs: Sequence[Any]) -> Any:
    total: Any = 1
    for x in xs:
        total = total * x
    return builder.number(total)


def _mean(builder: Builder, xs: Sequence[Any]) -> Any:
    return _sum(builder, xs) / len(xs)


def _dot(builder: Builder, xs: Sequence[Any]) -> Any:
    n = len(xs) // 2
    if builder.long_dots and n >= LONG_DOT:
        return builder.slot(builder.long_dot(tuple([builder.number(x).index for x in xs])))
    products = [x * y for x, y in zip(xs[:n], xs[n : 2 * n], strict=True)]
    if len(xs) % 2 == 0:
        return _sum(builder, products)
    total: Any = xs[-1]
    for product in products:
        total = total + product
    return builder.number(total)


def _logsumexp(builder: Builder, xs: Sequence[Any]) -> Any:
    """The largest plus log1p of the other terms, as the float system has it; infinities come through."""
    m = builder.m
    largest = xs[0]
    lower = []  # all but the largest, one time
    for x in xs[1:]:
        lower.append(m.minimum(largest, x))
        largest = m.maximum(largest, x)
    others: Any = builder.number(0.0)
    for x in lower:
        others = others + m.exp(x - largest)
    return m.where(m.less(m.abs(largest), INFINITY), largest + m.log1p(others), largest)


FUNCTIONS: dict[str, Callable[[Builder, Sequence[Any]], Any]] = {
    "sum": _sum, "prod": _prod, "mean": _mean, "dot": _dot, "logsumexp": _logsumexp,
}  # fmt: skip
