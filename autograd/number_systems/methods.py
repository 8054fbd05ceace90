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
        """``exp`` of it: e to the power x."""
        return self._apply("exp", self)

    def exp2(self) -> Self:
        """``exp2`` of it: 2 to the power x."""
        return self._apply("exp2", self)

    def exp_difference(self, other: Any) -> Self:
        """``exp_difference`` of it and another: e to the power x - y, with the digits that the difference loses."""
        return self._apply("exp_difference", self, other)

    def expm1(self) -> Self:
        """``expm1`` of it: eˣ - 1, exact to the last digit near zero."""
        return self._apply("expm1", self)

    def log(self) -> Self:
        """``log`` of it: natural logarithm."""
        return self._apply("log", self)

    def log1p(self) -> Self:
        """``log1p`` of it: log(1 + x), exact to the last digit near zero."""
        return self._apply("log1p", self)

    def log2(self) -> Self:
        """``log2`` of it: logarithm to base 2."""
        return self._apply("log2", self)

    def log10(self) -> Self:
        """``log10`` of it: logarithm to base 10."""
        return self._apply("log10", self)

    def logit(self) -> Self:
        """``logit`` of it: log(x / (1 - x)), the inverse of sigmoid."""
        return self._apply("logit", self)

    def xlogy(self, other: Any) -> Self:
        """``xlogy`` of it and another: x·log(y), and 0 where x is 0, also with y = 0."""
        return self._apply("xlogy", self, other)

    def share(self, other: Any) -> Self:
        """``share`` of it and another: x / (x + y), the share of x in the whole."""
        return self._apply("share", self, other)

    def sqrt(self) -> Self:
        """``sqrt`` of it: square root."""
        return self._apply("sqrt", self)

    def cbrt(self) -> Self:
        """``cbrt`` of it: cube root, of negative numbers too."""
        return self._apply("cbrt", self)

    def square(self) -> Self:
        """``square`` of it: x²."""
        return self._apply("square", self)

    def reciprocal(self) -> Self:
        """``reciprocal`` of it: 1 / x."""
        return self._apply("reciprocal", self)

    def sin(self) -> Self:
        """``sin`` of it: sine, of radians."""
        return self._apply("sin", self)

    def cos(self) -> Self:
        """``cos`` of it: cosine, of radians."""
        return self._apply("cos", self)

    def tan(self) -> Self:
        """``tan`` of it: tangent, of radians."""
        return self._apply("tan", self)

    def asin(self) -> Self:
        """``asin`` of it: inverse sine, in radians."""
        return self._apply("asin", self)

    def arcsin(self) -> Self:
        """``asin`` of it: inverse sine, in radians."""
        return self._apply("asin", self)

    def acos(self) -> Self:
        """``acos`` of it: inverse cosine, in radians."""
        return self._apply("acos", self)

    def arccos(self) -> Self:
        """``acos`` of it: inverse cosine, in radians."""
        return self._apply("acos", self)

    def atan(self) -> Self:
        """``atan`` of it: inverse tangent, in radians."""
        return self._apply("atan", self)

    def arctan(self) -> Self:
        """``atan`` of it: inverse tangent, in radians."""
        return self._apply("atan", self)

    def atan2(self, other: Any) -> Self:
        """``atan2`` of it and another: the angle of the point (y, x) in radians: `atan2(ordinate, abscissa)`."""
        return self._apply("atan2", self, other)

    def arctan2(self, other: Any) -> Self:
        """``atan2`` of it and another: the angle of the point (y, x) in radians: `atan2(ordinate, abscissa)`."""
        return self._apply("atan2", self, other)

    def sinc(self) -> Self:
        """``sinc`` of it: sin(x) / x, and 1 at zero: the spherical Bessel function j₀."""
        return self._apply("sinc", self)

    def sinh(self) -> Self:
        """``sinh`` of it: hyperbolic sine."""
        return self._apply("sinh", self)

    def cosh(self) -> Self:
        """``cosh`` of it: hyperbolic cosine."""
        return self._apply("cosh", self)

    def tanh(self) -> Self:
        """``tanh`` of it: hyperbolic tangent."""
        return self._apply("tanh", self)

    def sech2(self) -> Self:
        """``sech2`` of it: 1 / cosh² x, the slope of tanh, with all its digits where that is flat."""
        return self._apply("sech2", self)

    def asinh(self) -> Self:
        """``asinh`` of it: inverse hyperbolic sine."""
        return self._apply("asinh", self)

    def arcsinh(self) -> Self:
        """``asinh`` of it: inverse hyperbolic sine."""
        return self._apply("asinh", self)

    def acosh(self) -> Self:
        """``acosh`` of it: inverse hyperbolic cosine."""
        return self._apply("acosh", self)

    def arccosh(self) -> Self:
        """``acosh`` of it: inverse hyperbolic cosine."""
        return self._apply("acosh", self)

    def atanh(self) -> Self:
        """``atanh`` of it: inverse hyperbolic tangent."""
        return self._apply("atanh", self)

    def arctanh(self) -> Self:
        """``atanh`` of it: inverse hyperbolic tangent."""
        return self._apply("atanh", self)

    def erf(self) -> Self:
        """``erf`` of it: error function."""
        return self._apply("erf", self)

    def erfc(self) -> Self:
        """``erfc`` of it: 1 - erf(x), without cancellation."""
        return self._apply("erfc", self)

    def hypot(self, other: Any) -> Self:
        """``hypot`` of it and another: √(x² + y²), without overflow."""
        return self._apply("hypot", self, other)

    def abs(self) -> Self:
        """``abs`` of it: absolute value."""
        return self._apply("abs", self)

    def absolute(self) -> Self:
        """``abs`` of it: absolute value."""
        return self._apply("abs", self)

    def sign(self) -> Self:
        """``sign`` of it: -1, 0 or 1."""
        return self._apply("sign", self)

    def maximum(self, other: Any) -> Self:
        """``maximum`` of it and another: the larger of two; a tie gives one half of the derivative to each."""
        return self._apply("maximum", self, other)

    def minimum(self, other: Any) -> Self:
        """``minimum`` of it and another: the smaller of two; a tie gives one half of the derivative to each."""
        return self._apply("minimum", self, other)

    def clip(self, low: float, high: float, out: None = None) -> Self:
        """``clip`` of it: x held between two constants; the slope is 1 on the closed interval."""
        return self._apply("clip", self, low, high)

    def floor(self) -> Self:
        """``floor`` of it: the largest integer ≤ x."""
        return self._apply("floor", self)

    def ceil(self) -> Self:
        """``ceil`` of it: the smallest integer ≥ x."""
        return self._apply("ceil", self)

    def rint(self) -> Self:
        """``rint`` of it: the integer nearest to x; of two, the even one."""
        return self._apply("rint", self)

    def round(self) -> Self:
        """``rint`` of it: the integer nearest to x; of two, the even one."""
        return self._apply("rint", self)

    def relu(self) -> Self:
        """``relu`` of it: max(0, x)."""
        return self._apply("relu", self)

    def leaky_relu(self, slope: float = 0.01) -> Self:
        """``leaky_relu`` of it: x, or slope·x below zero."""
        return self._apply("leaky_relu", self, slope)

    def elu(self, alpha: float = 1.0) -> Self:
        """``elu`` of it: x, or alpha·(eˣ - 1) below zero."""
        return self._apply("elu", self, alpha)

    def selu(self, scale: float = 1.0507009873554805, alpha: float = 1.6732632423543772) -> Self:
        """``selu`` of it: scale·elu(x, alpha), self-normalising (Klambauer et al., 2017)."""
        return self._apply("selu", self, scale, alpha)

    def gelu(self) -> Self:
        """``gelu`` of it: x·Φ(x), with the normal distribution function, exact (Hendrycks and Gimpel, 2016)."""
        return self._apply("gelu", self)

    def softsign(self) -> Self:
        """``softsign`` of it: x / (1 + |x|)."""
        return self._apply("softsign", self)

    def silu(self) -> Self:
        """``silu`` of it: x·sigmoid(x), also called swish."""
        return self._apply("silu", self)

    def swish(self) -> Self:
        """``silu`` of it: x·sigmoid(x), also called swish."""
        return self._apply("silu", self)

    def mish(self) -> Self:
        """``mish`` of it: x·tanh(softplus(x)) (Misra, 2019)."""
        return self._apply("mish", self)

    def softplus(self) -> Self:
        """``softplus`` of it: log(1 + eˣ), without overflow."""
        return self._apply("softplus", self)

    def sigmoid(self) -> Self:
        """``sigmoid`` of it: 1 / (1 + e⁻ˣ)."""
        return self._apply("sigmoid", self)

    def log_sigmoid(self) -> Self:
        """``log_sigmoid`` of it: log(sigmoid(x)), without overflow."""
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
