"""Complex numbers, for derivatives by the complex step: Im f(x + ih) / h has no cancellation at any h.

Each function continues the real one to a neighbourhood of the real axis, where it has a value; comparisons, and what is
chosen by them, look at the real part. Products of complex numbers with infinities are nan in some part; so what is made
of infinities and nan on the real axis is made by floats.
"""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from autograd.number_systems import common, floats
from autograd.number_systems.formulas import complete
from autograd.primitives import TABLE, Primitive, Rule
from autograd.rules import is_nothing

NAME = "complex"
LANES = False
_NO_ERF = "the standard library has no error function of a complex argument"
LACKS: dict[str, str] = {"erf": _NO_ERF, "erfc": _NO_ERF}

number = complex
pi = math.pi
add, sub, mul, div, neg = operator.add, operator.sub, operator.mul, operator.truediv, operator.neg
exp, log, sqrt, sin, cos, tan = cmath.exp, cmath.log, cmath.sqrt, cmath.sin, cmath.cos, cmath.tan
asin, acos, atan, sinh, cosh, tanh = cmath.asin, cmath.acos, cmath.atan, cmath.sinh, cmath.cosh, cmath.tanh
asinh, acosh, atanh = cmath.asinh, cmath.acosh, cmath.atanh


def plain(x: Any) -> Any:
    """The real part."""
    return x.real if isinstance(x, complex) else x


def limit(value: float, primitive: Any, operands: Any) -> Any:
    """A limit that the table states, as a number."""
    return number(value)


def computing(digits: int | None = None) -> AbstractContextManager[Any]:
    """A context to compute in; complex numbers need none."""
    return nullcontext()


def pow(x: complex, y: complex) -> complex:
    base, exponent = complex(x), complex(y)
    if exponent.imag == 0 and exponent.real.is_integer():
        n = int(exponent.real)
        if math.fabs(n) < 2**31:
            return base**n if n >= 0 else (1 / base) ** -n
        if base.real < 0:
            return -pow(-base, y) if n % 2 else pow(-base, y)
    if base == 0 and exponent.real > 0:
        return 0j
    # The power of the real part, which a logarithm would cost its digits, times what the imaginary parts make of it.
    tangent = base.imag / base.real
    turn = complex(math.log1p(tangent * tangent) / 2, math.atan(tangent))
    turned = cmath.exp(exponent * turn + (1j * exponent.imag * math.log(base.real) if exponent.imag else 0))
    return math.pow(base.real, exponent.real) * turned


def expm1(x: complex) -> complex:
    half = math.sin(x.imag / 2)
    real = math.expm1(x.real) * math.cos(x.imag) - 2 * half * half
    return complex(real, math.exp(x.real) * math.sin(x.imag))


def log1p(x: complex) -> complex:
    a, b = x.real, x.imag
    return complex(
        math.log1p(a * (2 + a) + b * b) / 2 if math.fabs(a) < 0.5 else math.log(math.hypot(1 + a, b)),
        math.atan2(b, 1 + a),
    )


def cbrt(x: complex) -> complex:
    if x.real == 0:
        return complex(x) ** (1 / 3)
    # The real root, turned and stretched by what the imaginary part adds: 1/3 cannot be rounded away from log |x|.
    tangent = x.imag / x.real
    return math.cbrt(x.real) * cmath.exp(complex(math.log1p(tangent * tangent) / 6, math.atan(tangent) / 3))


def atan2(y: complex, x: complex) -> complex:
    """The real angle of the real parts, and the increment that the imaginary parts make."""
    a, b = complex(y), complex(x)
    turn = math.atan2(a.real, b.real)
    if a == b == 0:
        return complex(turn)
    # Rotating the real point onto the positive axis leaves a small angle, where the arc tangent is analytic. Turned by
    # its own coordinates, not by sine and cosine of a rounded angle, the point comes to lie there exactly.
    scale = max(math.fabs(a.real), math.fabs(b.real))
    a, b = a / scale, b / scale
    rotated = (a * b.real - b * a.real) / (b * b.real + a * a.real)
    return turn + cmath.atan(rotated)


def hypot(x: complex, y: complex) -> complex:
    scale = max(math.fabs(complex(x).real), math.fabs(complex(y).real))
    if scale == 0:
        return cmath.sqrt(x * x + y * y)
    a, b = x / scale, y / scale
    return scale * cmath.sqrt(a * a + b * b)


def exp2(x: complex) -> complex:
    return math.pow(2.0, x.real) * cmath.exp(complex(0, x.imag * math.log(2)))


def mod(x: complex, y: complex) -> complex:
    x, y = complex(x), complex(y)
    turned = y.imag * floats.floor_divide(x.real, y.real) if y.imag else 0.0  # not 0·∞
    return complex(floats.mod(x.real, y.real), x.imag - turned)


def floor_divide(x: complex, y: complex) -> complex:
    return complex(floats.floor_divide(complex(x).real, complex(y).real))


def sinc(x: complex) -> complex:
    if math.fabs(x.real) > 1:
        return cmath.sin(x) / x
    total: complex = 1 + 0j  # the quotient would lose the imaginary part near zero
    for n in range(12, 0, -1):
        total = 1 - x * x / (2 * n * (2 * n + 1)) * total
    return total


def mean(xs: Sequence[Any]) -> complex:
    found = complex(common.mean(xs))
    if not cmath.isfinite(found):  # too large on the way, perhaps
        found = complex(common.mean([x * common.SMALLER for x in xs]) / common.SMALLER)
    return found


def less(x: Any, y: Any) -> bool:
    return bool(plain(x) < plain(y))


def less_equal(x: Any, y: Any) -> bool:
    return bool(plain(x) <= plain(y))


def greater(x: Any, y: Any) -> bool:
    return bool(plain(x) > plain(y))


def greater_equal(x: Any, y: Any) -> bool:
    return bool(plain(x) >= plain(y))


def abs(x: complex) -> complex:
    return -x if plain(x) < 0 else x


def sign(x: complex) -> complex:
    return x if plain(x) != plain(x) else complex((plain(x) > 0) - (plain(x) < 0))


def maximum(x: complex, y: complex) -> complex:
    return x if greater_equal(x, y) or x != x else y  # at a tie, where minimum takes the other


def minimum(x: complex, y: complex) -> complex:
    return x if less(x, y) or x != x else y


def floor(x: complex) -> complex:
    return complex(floats.floor(x.real))


def ceil(x: complex) -> complex:
    return complex(floats.ceil(x.real))


def _go_beyond(operands: Sequence[Any]) -> bool:
    """Whether operands are real and some not finite; the part beside an infinity is nan that a product left there."""
    if all(map(cmath.isfinite, operands)):
        return False
    return not any(x.imag for x in operands if math.isfinite(x.real))


def _on_the_real_axis(row: Primitive, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of complex numbers, and beyond the finite ones that of floats."""
    of_floats = getattr(floats, row.name)

    def of_operands(*operands: Any) -> Any:
        xs = operands[0] if row.n_ary else operands
        if not _go_beyond(xs):
            return function(*operands)
        reals = [complex(x).real for x in xs]
        return complex(of_floats(reals) if row.n_ary else of_floats(*reals))

    return of_operands


def _slope_on_the_real_axis(rule: Rule) -> Rule:
    def slope(m: Any, z: Any, *operands: Any) -> Any:
        if not _go_beyond(operands):
            return rule(m, z, *operands)
        found = rule(floats, complex(z).real, *[complex(x).real for x in operands])
        return found if is_nothing(found) else complex(found)

    return slope


complete(globals(), rounded=True)
for _row in TABLE.values():
    if not _row.compares and _row.name not in ("where", "identity", "detach", *LACKS):
        globals()[_row.name] = _on_the_real_axis(_row, globals()[_row.name])

#: Row → partials that take the place of its own.
PARTIALS: dict[Primitive, tuple[Rule | None, ...]] = {
    row: tuple([rule and _slope_on_the_real_axis(rule) for rule in row.partials])
    for row in TABLE.values()
    if not callable(row.partials) and row.name != "where"
}
