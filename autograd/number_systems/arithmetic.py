"""Python's operators and the usual methods, in terms of one method: ``_apply(primitive, *operands)``.

Everything number-like that the engine makes (values, source text) shares this class, so that a rule reads as
mathematics. ``_apply`` may return ``NotImplemented`` for an operand it does not know; Python then asks the other side.
"""

from __future__ import annotations

from typing import Any, Self

from autograd.number_systems.methods import Methods
from autograd.primitives import TABLE

_OPERATORS = [(row.operator, row) for row in TABLE.values() if row.operator]
#: Binary operator ↔ primitive; ``__r…__`` is its reflection.
BINARY = {operator: row.name for operator, row in _OPERATORS if row.arity == 2 and not row.compares}
UNARY = {operator: row.name for operator, row in _OPERATORS if row.arity == 1}
COMPARISONS = {operator: row.name for operator, row in _OPERATORS if row.compares}


class Arithmetic(Methods):
    """The operators, and the primitives as methods; subclasses say what applying a primitive means."""

    __slots__ = ()

    def __pos__(self) -> Self:
        return self

    def __divmod__(self, other: Any) -> tuple[Self, Self]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Self, Self]:
        return other // self, other % self
