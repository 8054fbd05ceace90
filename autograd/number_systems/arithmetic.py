"""Python's operators and the usual methods, in terms of one method: ``_apply(primitive, *operands)``.

Everything number-like that the engine makes (values, source text) shares this class, so that a rule reads as
mathematics. ``_apply`` may return ``NotImplemented`` for an operand it does not know; Python then asks the other side.
"""

# mypy: disable-error-code=no-any-return
# What an operator returns is decided by the subclass.

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

    def __add__(self, other: Any) -> Self:
        return self._apply("add", self, other)

    def __radd__(self, other: Any) -> Self:
        return self._apply("add", other, self)

    def __sub__(self, other: Any) -> Self:
        return self._apply("sub", self, other)

    def __rsub__(self, other: Any) -> Self:
        return self._apply("sub", other, self)

    def __mul__(self, other: Any) -> Self:
        return self._apply("mul", self, other)

    def __rmul__(self, other: Any) -> Self:
        return self._apply("mul", other, self)

    def __truediv__(self, other: Any) -> Self:
        return self._apply("div", self, other)

    def __rtruediv__(self, other: Any) -> Self:
        return self._apply("div", other, self)

    def __pow__(self, other: Any) -> Self:
        return self._apply("pow", self, other)

    def __rpow__(self, other: Any) -> Self:
        return self._apply("pow", other, self)

    def __mod__(self, other: Any) -> Self:
        return self._apply("mod", self, other)

    def __rmod__(self, other: Any) -> Self:
        return self._apply("mod", other, self)

    def __floordiv__(self, other: Any) -> Self:
        return self._apply("floor_divide", self, other)

    def __rfloordiv__(self, other: Any) -> Self:
        return self._apply("floor_divide", other, self)

    def __neg__(self) -> Self:
        return self._apply("neg", self)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self._apply("abs", self)

    def __floor__(self) -> Self:
        return self._apply("floor", self)

    def __ceil__(self) -> Self:
        return self._apply("ceil", self)

    def __lt__(self, other: Any) -> Any:
        return self._apply("less", self, other)

    def __le__(self, other: Any) -> Any:
        return self._apply("less_equal", self, other)

    def __gt__(self, other: Any) -> Any:
        return self._apply("greater", self, other)

    def __ge__(self, other: Any) -> Any:
        return self._apply("greater_equal", self, other)
