"""Python's operators and the usual methods, in terms of one method: ``_apply(primitive, *operands)``.

Everything number-like that the engine makes (values, source text) shares this class, so that a rule reads as mathematics.
``_apply`` may return ``NotImplemented`` for an operand it does not know; Python then asks the other side.
"""

from __future__ import annotations

from typing import Any, Self

#: Binary operator ↔ primitive; ``__r…__`` is its reflection.
BINARY = {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow"}
COMPARISONS = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}


class Arithmetic:
    """The operators; subclasses say what applying a primitive means."""

    __slots__ = ()

    def _apply(self, name: str, *operands: Any) -> Any:
        raise TypeError(f"{type(self).__name__} does not say what applying a primitive means")

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
