"""What NumPy's functions ask of a Value, beside the methods of the table.

Over an array of Values a function of NumPy calls the method of its own name on each; of a Value alone it asks
``__array_ufunc__``. A function that asks whether numbers are nan or infinite has no loop over objects: of a Value it is
answered here, of an array of Values it is NumPy that refuses.
"""

from __future__ import annotations

import math
from functools import cache
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

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        alone = method == "__call__" and not options and not [x for x in inputs if hasattr(x, "__len__")]
        primitive = _primitives().get(name) if alone else None
        if primitive is not None:
            return self._apply(primitive, *inputs)
        if alone and name in ("isfinite", "isinf", "isnan", "signbit"):
            return bool(ufunc(self.data))  # type: ignore[attr-defined]
        arrays = [system_of("arrays").array_of(x) if isinstance(x, NumPyNames) else x for x in inputs]
        try:
            return getattr(ufunc, method)(*arrays, **options)
        except TypeError as error:
            if "not supported for the input types" not in str(error):
                raise
            raise TypeError(
                f"numpy.{name} knows no Values; write it with autograd's functions, or with value.data for the number"
            ) from None
