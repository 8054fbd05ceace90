"""Instructions that need not be made: what they compute is a constant, or another slot holds it already.

Only what IEEE arithmetic allows is folded, so that no bit changes: ``x * 1``, ``x / 1``, ``x / 2``, ``x - 0.0``,
``x + -0.0``, ``-(-x)``, ``x + -y`` as ``x - y``, choices that are known, and operations on constants; never ``x * 0``,
``x - x``, ``x + 0.0``, which nan, infinity and -0.0 forbid. Powers from -2 to 3 become products, within 2 units in the
last place as any other power.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autograd.number_systems import floats
from autograd.primitives import TABLE, Primitive

if TYPE_CHECKING:
    from autograd.compiled.programs.building import Builder

_ADD, _SUB, _MUL, _DIV, _NEG = (TABLE[name] for name in ("add", "sub", "mul", "div", "neg"))
_MINIMUM, _MAXIMUM, _WHERE = (TABLE[name] for name in ("minimum", "maximum", "where"))

#: With a number that is not special these are never folded: most constants are coefficients.
_INDIFFERENT = frozenset([_ADD, _SUB, _MUL])
_SPECIAL = frozenset([0.0, 1.0, -1.0])

#: What is a truth if all its operands are: "and", "or", "and".
OF_TRUTHS = frozenset([_MINIMUM, _MAXIMUM, _MUL])

#: What may be another slot's number though none of its operands is constant.
SIMPLIFIED = frozenset([_ADD, _SUB, _NEG, _MINIMUM, _MAXIMUM, _WHERE])


def is_minus_zero(x: float) -> bool:
    """Whether it is -0.0."""
    return x == 0.0 and math.copysign(1.0, x) < 0.0


def simplified(builder: Builder, primitive: Primitive, operands: tuple[int, ...]) -> int | None:
    """The slot of the same number, made in a simpler way; ``None`` if there is none."""
    x, y = operands[0], operands[-1]
    if primitive is _NEG:
        return builder.operands[x][0] if builder.primitives[x] is _NEG else None
    if primitive is _WHERE:
        return y if operands[1] == y else None
    if primitive is _MINIMUM or primitive is _MAXIMUM:
        return x if x == y else None
    if builder.primitives[y] is _NEG:
        return builder.emit(_SUB if primitive is _ADD else _ADD, (x, builder.operands[y][0]))
    if primitive is _ADD and builder.primitives[x] is _NEG:
        return builder.emit(_SUB, (y, builder.operands[x][0]))
    return None


def of_constants(builder: Builder, primitive: Primitive, operands: tuple[int, ...]) -> int | None:
    """The slot of an instruction, some of whose operands are constants, if it need not be made."""
    constants = builder.constants
    if primitive is _WHERE:
        return _choice(builder, *operands)
    known = [constants.get(o) for o in operands]
    if None not in known:
        try:
            return builder.constant(float(getattr(floats, primitive.name)(*known)))
        except (ValueError, ArithmeticError):
            return None
    if len(known) != 2 or (primitive in _INDIFFERENT and not _SPECIAL.intersection(known)):
        return None
    if primitive in OF_TRUTHS:
        found = _of_truths(builder, primitive, operands, known)
        if found is not None:
            return found
    if primitive is _MUL or primitive is _ADD:
        x, number = (operands[1], known[0]) if known[1] is None else (operands[0], known[1])
        assert number is not None
        if primitive is _ADD:
            return x if is_minus_zero(number) else None
        return x if number == 1.0 else builder.emit(_NEG, (x,)) if number == -1.0 else None
    x, number = operands[0], known[1]
    if number is None:
        return None
    if primitive is _SUB:
        return x if number == 0.0 and not is_minus_zero(number) else None
    if primitive is _DIV:
        return _quotient(builder, x, number)
    return _power(builder, x, number) if primitive.name == "pow" else None


def _choice(builder: Builder, condition: int, x: int, y: int) -> int | None:
    constants = builder.constants
    if condition in constants:
        return x if constants[condition] else y
    if condition in builder.truths and constants.get(x) == 1.0 and constants.get(y) == 0.0:  # a truth already
        return None if is_minus_zero(constants[y]) else condition
    return None


def _of_truths(
    builder: Builder, primitive: Primitive, operands: tuple[int, ...], known: list[float | None]
) -> int | None:
    for x, number in zip((operands[1], operands[0]), known, strict=True):
        if number is not None and number in (0.0, 1.0) and x in builder.truths:
            return x if (number == 1.0) == (primitive is not _MAXIMUM) else builder.constant(number)
    return None


def _quotient(builder: Builder, x: int, y: float) -> int | None:
    if y == 1.0:
        return x
    if math.frexp(y)[0] in (0.5, -0.5) and abs(math.log2(abs(y))) < 1022:  # a power of two: the same rounding
        return builder.emit(_MUL, (x, builder.constant(1 / y)))
    return None


def _power(builder: Builder, x: int, exponent: float) -> int | None:
    """Small whole exponents as products: at most three roundings, like a careful ``pow``."""
    if exponent == 0.0:
        return builder.constant(1.0)
    if exponent in (-1.0, -2.0):  # of a third power's reciprocal the roundings would add up to 3 ulp
        x, exponent = builder.emit(_DIV, (builder.constant(1.0), x)), -exponent
    if exponent == 1.0:
        return x
    if exponent == 2.0:
        return builder.emit(_MUL, (x, x))
    if exponent == 3.0:
        return builder.emit(_MUL, (builder.emit(_MUL, (x, x)), x))
    return None
