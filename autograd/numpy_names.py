"""What NumPy's functions ask of a Value, beside the methods of the table.

Over an array of Values a function of NumPy calls the method of its own name on each; of a Value alone it asks
``__array_ufunc__``. A function that asks whether numbers are nan or infinite has no loop over objects: of a Value it is
answered here, of an array of Values it is NumPy that refuses.

What NumPy makes impossible, and what to write instead, stands in ``docs/numpy.md``.
"""

from __future__ import annotations

import math
from functools import cache, partial
from typing import Any, Self

from autograd.number_systems import system_of
from autograd.number_systems.methods import Methods
from autograd.primitives import ALIASES, TABLE


@cache
def _primitives() -> dict[str, str]:
    """NumPy's name of a function → the primitive of that name or alias, or the one it computes over arrays."""
    arrays, names = system_of("arrays"), [name for name, row in TABLE.items() if not row.n_ary]
    functions: dict[str, Any] = {name: getattr(arrays, name, None) for name in names}
    over_arrays = {f.__name__: name for name, f in functions.items() if hasattr(f, "nin")}  # NumPy's own
    return {**over_arrays, **ALIASES, **{name: name for name in names}}


class NumPyNames(Methods):
    """Functions of NumPy over Values."""

    __slots__ = ()

    def conjugate(self) -> Self:
        """The number itself, which is real."""
        return self

    def radians(self) -> Self:
        """This angle, in degrees, in radians."""
        return self._apply("mul", self, math.pi / 180)  # type: ignore[no-any-return]

    def degrees(self) -> Self:
        """This angle, in radians, in degrees."""
        return self._apply("mul", self, 180 / math.pi)  # type: ignore[no-any-return]

    def fabs(self) -> Self:
        """The number without its sign."""
        return self._apply("abs", self)  # type: ignore[no-any-return]

    deg2rad, rad2deg = radians, degrees

    def clip(self, low: float | None, high: float | None, out: None = None) -> Self:
        """``clip`` of it: x held between two constants; the slope is 1 on the closed interval. ``None`` is no bound."""
        bounds = -math.inf if low is None else low, math.inf if high is None else high
        return self._apply("clip", self, *bounds)  # type: ignore[no-any-return]

    def fmod(self, divisor: Any) -> Self:
        """The remainder with the sign of this number, as in C; ``mod`` has that of the divisor."""
        return self._remainder(self, divisor)  # type: ignore[no-any-return]

    def _remainder(self, x: Any, divisor: Any) -> Any:
        size = self._apply("abs", divisor)
        negative = self._apply("less", x, 0.0)
        return self._apply(
            "where", negative, lambda: -self._apply("mod", -x, size), lambda: self._apply("mod", x, size)
        )

    def _held(self, x: Any, low: Any, high: Any) -> Any:
        """x between two bounds, which may be Values."""
        if not any(isinstance(bound, NumPyNames) for bound in (low, high)):
            return self._apply("clip", x, low, high)
        return self._apply("minimum", self._apply("maximum", x, low), high)

    def _of_numbers(self, name: str, x: Any, y: Any) -> Any:
        """A primitive of two operands, of which one that is nan does not count."""
        x_is_a_number, y_is_a_number = (self._apply("less_equal", -math.inf, operand) for operand in (x, y))

        def of_a_number() -> Any:
            return self._apply("where", y_is_a_number, lambda: self._apply(name, x, y), x)

        return self._apply("where", x_is_a_number, of_a_number, y)

    def _like(self, name: str) -> Any:
        """What computes the function of NumPy of this name for single operands; ``None`` if there is nothing."""
        primitive = _primitives().get(name)
        if name == "clip":
            return self._held
        if name == "fmod":
            return self._remainder
        if name in ("fmax", "fmin"):
            return partial(self._of_numbers, "maximum" if name == "fmax" else "minimum")
        return partial(self._apply, primitive) if primitive is not None else None

    def __array_function__(self, function: Any, kinds: Any, arguments: Any, options: Any) -> Any:
        name = function.__name__
        if name == "sinc":
            return self._apply("sinc", self._apply("mul", self, math.pi))
        if name in ("allclose", "isclose"):  # asked of numbers, as isnan is
            numbers = [_number(x) for x in arguments]
            return function(*numbers, **{key: _number(x) for key, x in options.items()})
        try:
            return function._implementation(*arguments, **options)
        except AttributeError as error:
            raise _unknown(name) from error

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        alone = method == "__call__" and not options and not [x for x in inputs if hasattr(x, "__len__")]
        ours = self._like(name) if method == "__call__" else None
        if alone and ours is not None:
            return ours(*inputs)
        if alone and name in ("isfinite", "isinf", "isnan", "signbit"):
            return bool(ufunc(_number(self)))
        arrays = [system_of("arrays").array_of(x) if isinstance(x, NumPyNames) else x for x in inputs]
        if ours is not None:
            ufunc = system_of("arrays").over_objects(ours, len(inputs))
        try:
            return getattr(ufunc, method)(*arrays, **options)
        except TypeError as error:
            if "not supported for the input types" not in str(error):
                raise
            raise _unknown(name) from None


def _number(x: Any) -> Any:
    return x.data if isinstance(x, NumPyNames) else x  # type: ignore[attr-defined]


def _unknown(name: str) -> TypeError:
    return TypeError(
        f"numpy.{name} knows no Values; write it with autograd's functions, or with value.data for the number"
    )
