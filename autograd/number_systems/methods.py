"""The primitives as methods, and as the operators of Python."""

# Written from the table by ``make tables``: not to be changed by hand.

from __future__ import annotations

# mypy: disable-error-code=no-any-return
# What a method returns is decided by the subclass.
from typing import Any, Self


class Methods:
    """In terms of one method, ``_apply(primitive, *operands)``; NumPy's functions call them."""

    __slots__ = ()

    def _apply(self, name: str, *operands: Any) -> Any:
        raise TypeError(f"{type(self).__name__} does not say what applying a primitive means")

    def exp(self) -> Self:
        return self._apply("exp", self)

    def exp2(self) -> Self:
        return self._apply("exp2", self)

    def expm1(self) -> Self:
        return self._apply("expm1", self)

    def log(self) -> Self:
        return self._apply("log", self)

    def log1p(self) -> Self:
        return self._apply("log1p", self)

    def log2(self) -> Self:
        return self._apply("log2", self)

    def log10(self) -> Self:
        return self._apply("log10", self)

    def logit(self) -> Self:
        return self._apply("logit", self)

    def xlogy(self, other: Any) -> Self:
        return self._apply("xlogy", self, other)

    def sqrt(self) -> Self:
        return self._apply("sqrt", self)

    def cbrt(self) -> Self:
        return self._apply("cbrt", self)

    def square(self) -> Self:
        return self._apply("square", self)

    def reciprocal(self) -> Self:
        return self._apply("reciprocal", self)

    def sin(self) -> Self:
        return self._apply("sin", self)

    def cos(self) -> Self:
        return self._apply("cos", self)

    def tan(self) -> Self:
        return self._apply("tan", self)

    def asin(self) -> Self:
        return self._apply("asin", self)

    def arcsin(self) -> Self:
        return self._apply("asin", self)

    def acos(self) -> Self:
        return self._apply("acos", self)

    def arccos(self) -> Self:
        return self._apply("acos", self)

    def atan(self) -> Self:
        return self._apply("atan", self)

    def arctan(self) -> Self:
        return self._apply("atan", self)

    def atan2(self, other: Any) -> Self:
        return self._apply("atan2", self, other)

    def arctan2(self, other: Any) -> Self:
        return self._apply("atan2", self, other)

    def sinc(self) -> Self:
        return self._apply("sinc", self)

    def sinh(self) -> Self:
        return self._apply("sinh", self)

    def cosh(self) -> Self:
        return self._apply("cosh", self)

    def tanh(self) -> Self:
        return self._apply("tanh", self)

    def asinh(self) -> Self:
        return self._apply("asinh", self)

    def arcsinh(self) -> Self:
        return self._apply("asinh", self)

    def acosh(self) -> Self:
        return self._apply("acosh", self)

    def arccosh(self) -> Self:
        return self._apply("acosh", self)

    def atanh(self) -> Self:
        return self._apply("atanh", self)

    def arctanh(self) -> Self:
        return self._apply("atanh", self)

    def erf(self) -> Self:
        return self._apply("erf", self)

    def erfc(self) -> Self:
        return self._apply("erfc", self)

    def hypot(self, other: Any) -> Self:
        return self._apply("hypot", self, other)

    def abs(self) -> Self:
        return self._apply("abs", self)

    def absolute(self) -> Self:
        return self._apply("abs", self)

    def sign(self) -> Self:
        return self._apply("sign", self)

    def maximum(self, other: Any) -> Self:
        return self._apply("maximum", self, other)

    def minimum(self, other: Any) -> Self:
        return self._apply("minimum", self, other)

    def floor(self) -> Self:
        return self._apply("floor", self)

    def ceil(self) -> Self:
        return self._apply("ceil", self)

    def relu(self) -> Self:
        return self._apply("relu", self)

    def gelu(self) -> Self:
        return self._apply("gelu", self)

    def softsign(self) -> Self:
        return self._apply("softsign", self)

    def silu(self) -> Self:
        return self._apply("silu", self)

    def swish(self) -> Self:
        return self._apply("silu", self)

    def mish(self) -> Self:
        return self._apply("mish", self)

    def softplus(self) -> Self:
        return self._apply("softplus", self)

    def sigmoid(self) -> Self:
        return self._apply("sigmoid", self)

    def log_sigmoid(self) -> Self:
        return self._apply("log_sigmoid", self)

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

    def __neg__(self) -> Self:
        return self._apply("neg", self)

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
