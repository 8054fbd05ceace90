"""The properties of a row, each written once: a function that raises ``AssertionError`` for a wrong row.

The tests run them over the table, and over rows made wrong on purpose, which they must reject.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import mpmath
from mpmath import mp

import autograd
from autograd import TABLE, Primitive, Program, Value, interpret, value_system
from autograd.number_systems import complex_, floats, fractions_, intervals, mpmath_
from autograd.number_systems.enclosures import Interval
from autograd.number_systems.formulas import Noting
from autograd.number_systems.source import Text, operands_of
from tests import duals
from tests.rows import is_constant

#: The unit roundoff: half of an ulp of 1.
EPS = sys.float_info.epsilon / 2
LARGEST = sys.float_info.max
SMALLEST_NORMAL = sys.float_info.min
SMALLEST = 5e-324

#: One rounding each, as IEEE 754 demands.
ROUNDED_ONCE = {"add", "sub", "mul", "div", "neg", "sqrt", "square", "reciprocal", "leaky_relu"}
#: No rounding at all.
EXACT = {"neg", "abs", "sign", "maximum", "minimum", "where", "clip", "floor", "ceil", "relu", "identity", "detach"}
#: The C library's functions are good to 1 or 2 ulp, and at most two operations of ours come on top.
MOST_ULPS = 4


def record(row: Primitive, operands: Sequence[Any]) -> Any:
    """The public function of a row of the table, applied to operands in the order of the row."""
    function = getattr(autograd, row.name)
    if row.name == "dot":
        n = len(operands) // 2
        return function(operands[:n], operands[n : 2 * n], *operands[2 * n :])
    if row.name == "where":
        return function(bool(operands[0]), *operands[1:])
    return function(operands) if row.n_ary else function(*operands)


def value_in(m: Any, row: Primitive, operands: Sequence[Any]) -> Any:
    """The row's value in a number system."""
    function = getattr(m, row.name)
    return function(list(operands)) if row.n_ary else function(*operands)


def leaves_of(row: Primitive, operands: Sequence[float]) -> list[Any]:
    """A Value for each operand, but plain numbers for conditions and constant parameters."""
    constants = len(operands) > 1 and not callable(row.partials)
    return [x if constants and is_constant(row, i) else Value(x) for i, x in enumerate(operands)]


def slope(row: Primitive, argument: int, operands: Sequence[float]) -> float:
    """The partial by one operand as ``backward()`` has it, the others being plain numbers.

    A row that is not the table's own, changed on purpose, is asked for its rule.
    """
    if row is not TABLE[row.name]:
        z = value_in(floats, row, operands)
        return float(interpret.partials(floats, row, z, operands, [argument])[0])
    leaves: list[Any] = list(operands)
    leaves[argument] = Value(operands[argument])
    record(row, leaves).backward()
    return leaves[argument].grad


def ulp(x: Any) -> Any:
    """The distance of floats around an exact number."""
    return mp.ldexp(1, max(mp.frexp(x)[1] - 53, -1074)) if x else mp.mpf(SMALLEST)


def exact_value(row: Primitive, operands: Sequence[float]) -> Any:
    """The value to fifty digits; of a condition, its truth."""
    with mpmath.workdps(50):
        return value_in(mpmath_, row, [mpmath_.number(x) for x in operands])


def exact_derivative(row: Primitive, operands: Sequence[Any], *arguments: int) -> Any:
    """The derivative by one argument after the other, by mpmath's numerical differentiation.

    Two floats that differ are 2⁻⁵³ apart, relative to the smaller; so a step of 2⁻²⁰⁰ of the smallest operand comes
    near no kink and no singular point, and with so many more digits nothing is lost in the difference. A row that jumps
    may do so as often as its operands fit into each other, so its step is smaller by as much.
    """
    orders = [arguments.count(i) for i in range(len(operands))]
    exponents = [int(mp.mag(x)) for x in operands if x] or [0]
    low, high = max(0, -min(exponents)), max(0, max(exponents))
    closer = 2 * (low + high) if row.jumps else 0

    def f(*moving: Any) -> Any:
        at = iter(moving)
        return value_in(
            mpmath_, row, [next(at) if n else mpmath_.number(x) for n, x in zip(orders, operands, strict=True)]
        )

    with mpmath.workprec(400 + low + high + 2 * closer):
        points = [mp.mpf(x) for n, x in zip(orders, operands, strict=True) if n]
        h = mp.ldexp(1, -200 - low - closer)
        return (
            mp.diff(f, points[0], len(arguments), h=h)
            if len(points) == 1
            else mp.diff(f, points, [n for n in orders if n], h=h)
        )


def sensitivity(row: Primitive, argument: int, operands: Sequence[float]) -> Any:
    """Σ |xⱼ · ∂²z/∂xⱼ∂x|: how far the exact partial moves when each operand moves by its own size."""
    total = mp.zero
    for j, x in enumerate(operands):
        if x and not is_constant(row, j):
            with contextlib.suppress(ValueError, ArithmeticError):  # no derivative in this direction
                total += abs(x * exact_derivative(row, operands, argument, j))
    return total


def rounding_of(row: Primitive, operands: Sequence[float]) -> Any:
    """How far the float value may be from the exact one.

    A row of many numbers adds them left to right, and each of n roundings moves the result by no more than moving every
    operand by one rounding would: so its bound is 2n roundings of |z| + Σ |xᵢ ∂z/∂xᵢ|.
    """
    exact = abs(exact_value(row, operands))
    if row.n_ary:
        terms = sum((abs(mp.mpf(x) * exact_derivative(row, operands, i)) for i, x in enumerate(operands)), exact)
        return 2 * len(operands) * EPS * terms + SMALLEST
    if row.name in EXACT:
        return mp.zero
    if row.name in ROUNDED_ONCE:
        return ulp(exact) / 2
    # Where a factor of the result is subnormal it is rounded to whole multiples of the smallest float (x · sigmoid(x)).
    underflow = SMALLEST * max(map(abs, operands)) if exact < 2**10 * SMALLEST_NORMAL else 0
    return MOST_ULPS * ulp(exact) + min(underflow, SMALLEST_NORMAL)


def check_value(row: Primitive, operands: Sequence[float]) -> None:
    """The float value is the exact one but for its rounding."""
    exact = exact_value(row, operands)
    if abs(exact) > LARGEST:
        return
    computed = value_in(floats, row, operands)
    error = abs(mp.mpf(computed) - exact)
    assert error <= rounding_of(row, operands), (
        f"{row.name}{tuple(operands)} is {computed!r}, exactly {mp.nstr(exact, 20)}: "
        f"off by {mp.nstr(error / ulp(exact), 4)} ulp"
    )


def rounding_of_a_partial(row: Primitive, argument: int, operands: Sequence[float], exact: Any, error: Any) -> Any:
    """How far the slope over floats may be from the exact one; ``error`` is how far it is."""
    roundings = 8 * max(1, len(operands) - 1)
    # A derivative of zero comes out of the difference as the square of its step.
    noise = mp.mpf(10) ** -40
    allowed = roundings * EPS * abs(exact) + noise
    if error > allowed:
        allowed += roundings * EPS * sensitivity(row, argument, operands)
    return allowed


def check_partial_exactly(row: Primitive, argument: int, operands: Sequence[float]) -> None:
    """The slope of ``backward()`` is the exact one, or the exact one at operands moved by a few roundings.

    That is the most a formula can promise that sees rounded operands: near a zero of the derivative, or where it is
    steep, the rounding of the operands alone moves it by Σ |xⱼ ∂²z/∂x∂xⱼ| roundings.
    """
    exact = exact_derivative(row, operands, argument)
    if abs(exact) > LARGEST:
        return
    computed = mp.mpf(slope(row, argument, operands))
    error = abs(computed - exact)
    assert error <= rounding_of_a_partial(row, argument, operands, exact, error), (
        f"the slope of {row.name}{tuple(operands)} by argument {argument} is {mp.nstr(computed, 17)}, "
        f"exactly {mp.nstr(exact, 20)}: relative error {mp.nstr(error / (abs(exact) or 1), 4)}"
    )


#: Operands are multiples of twice as much.
LARGEST_STEP = 2.0**-7


def difference(row: Primitive, argument: int, operands: Sequence[float]) -> tuple[float, float]:
    """The central difference extrapolated to step zero (Richardson; Romberg's table), and its estimated error.

    Operands are multiples of 2⁻⁶ and steps are at most 2⁻⁷: exact, and no kink or end point is reached.
    """
    rows: list[list[float]] = []
    for level in range(6):
        h = LARGEST_STEP * 2.0**-level
        sides = []
        for sign in (1, -1):
            moved = list(operands)
            moved[argument] += sign * h
            sides.append(value_in(floats, row, moved))
        table = [(sides[0] - sides[1]) / (2 * h)]
        for k, before in enumerate(rows[-1] if rows else [], start=1):
            table.append(table[-1] + (table[-1] - before) / (4**k - 1))
        rows.append(table)
    # The values beside the point may be a little larger than the one at it; the extrapolation weighs them by less
    # than 2.
    rounding = 4 * float(rounding_of(row, operands) + EPS * abs(sides[0])) / h
    return rows[-1][-1], abs(rows[-1][-1] - rows[-2][-1]) + rounding


def between(x: float, moves: bool) -> Interval:
    """Where an operand of a central difference goes."""
    return Interval(x - LARGEST_STEP, x + LARGEST_STEP) if moves else Interval(x, x)


def check_partial_by_difference(row: Primitive, argument: int, operands: Sequence[float]) -> None:
    """The slope of ``backward()`` is the central difference, within that difference's own estimated error.

    A row that jumps is left alone where it does so between the points of the difference.
    """
    if (
        row.jumps
        and row.kinks(*[intervals.plain(between(x, i == argument)) for i, x in enumerate(operands)]) is not False
    ):
        return
    expected, error = difference(row, argument, operands)
    computed = slope(row, argument, operands)
    assert abs(computed - expected) <= error, (
        f"the slope of {row.name}{tuple(operands)} by argument {argument} is {computed!r}, "
        f"by central differences {expected!r} ± {error:.1e}"
    )


def check_partial_by_complex_step(row: Primitive, argument: int, operands: Sequence[float]) -> None:
    """The slope of ``backward()`` is Im f(x + ih) / h: without subtraction, so its error is that of the formula alone.

    Both formulas add terms of the size of z, of the slope, and of 1, and round each a few times.
    """
    h = 1e-30
    moved: list[Any] = [complex(x, h if i == argument else 0.0) for i, x in enumerate(operands)]
    z = value_in(complex_, row, moved)
    expected = complex(z).imag / h
    computed = slope(row, argument, operands)
    size = max(1.0, abs(complex(z)), abs(expected), *map(abs, operands))
    assert abs(computed - expected) <= 32 * EPS * size, (
        f"the slope of {row.name}{tuple(operands)} by argument {argument} is {computed!r}, by complex step {expected!r}"
    )


def check_partial_in_fractions(row: Primitive, argument: int, operands: Sequence[float]) -> None:
    """The rule over fractions is the slope of naive dual numbers over fractions: equal, with no tolerance at all.

    A power whose exponent is no integer is no fraction, and is left to the other checks.
    """
    numbers = [Fraction(x) for x in operands]
    if row.name == "pow" and numbers[1].denominator != 1:
        return
    z = value_in(fractions_, row, numbers)
    found = interpret.partials(fractions_, row, z, numbers, [argument])[0]
    moved = value_in(duals.FUNCTIONS, row, [duals.Dual(x, Fraction(i == argument)) for i, x in enumerate(numbers)])
    assert z == moved.value
    assert found == moved.slope, (
        f"the slope of {row.name}{tuple(operands)} by argument {argument} is {found}, exactly {moved.slope}"
    )


def has_partial_in_fractions(row: Primitive, argument: int) -> bool:
    """Whether the row and its rule stay among the fractions; the slope of a power by its exponent is a logarithm."""
    if row.name in fractions_.LACKS or callable(row.partials):
        return row.name not in fractions_.LACKS
    writer, rule = Noting(), row.partials[argument]
    assert rule is not None
    rule(writer.m, Text("z", writer), *operands_of(row, writer))
    return fractions_.LACKS.keys().isdisjoint(writer.used)


def as_float(x: Any) -> float:
    """The number, whether it is a float or a Value."""
    return x.data if isinstance(x, Value) else x


def check_second_order(row: Primitive, first: int, second: int, operands: Sequence[float]) -> None:
    """The gradient of the gradient is the second derivative.

    Operands are below 8 and a lattice step away from singular points; what a rule adds up is of the size of the
    derivatives themselves and of the value.
    """

    def first_derivative(*xs: Any) -> Any:
        if row is TABLE[row.name]:
            return autograd.grad(lambda *ys: record(row, ys), first)(*xs)
        return interpret.partials(value_system, row, record(TABLE[row.name], xs), xs, [first])[0]

    computed = as_float(autograd.grad(first_derivative, second)(*operands))
    exact = exact_derivative(row, operands, first, second)
    size = max(1, abs(exact), abs(exact_derivative(row, operands, first)), abs(exact_value(row, operands)))
    error = abs(mp.mpf(computed) - exact)
    assert error <= 64 * EPS * size, (
        f"the second derivative of {row.name}{tuple(operands)} by arguments {first}, {second} is {computed!r}, "
        f"exactly {mp.nstr(exact, 20)}"
    )


def float_raises(row: Primitive, operands: Sequence[float]) -> bool:
    """Whether Python's floats have no value there (too large a value is another matter)."""
    try:
        value_in(floats, row, operands)
    except OverflowError:
        return False
    except (ValueError, ZeroDivisionError):
        return True
    return False


def check_domain(row: Primitive, operands: Sequence[float]) -> None:
    """The row's predicate says where the float function raises."""
    says = row.n_ary or bool(row.domain(*operands))
    raises = float_raises(row, operands)
    assert says != raises, (
        f"{row.name}{tuple(operands)}: the domain says {'yes' if says else 'no'}, "
        f"the float function {'raises' if raises else 'has a value'}"
    )


def check_limit(row: Primitive, argument: int, operands: Sequence[float], limit: float) -> None:
    """The partial tends to the limit along a straight path of one operand from inside the domain."""
    assert not callable(row.partials)
    rule = row.partials[argument]
    assert rule is not None
    paths: list[list[Any]] = []
    for j in range(len(operands)):
        for sign in (1, -1):
            found = []
            for k in (8, 16, 32, 64):
                moved = [mp.mpf(x) for x in operands]
                with mpmath.workdps(200):
                    moved[j] += sign * mp.mpf(10) ** -k
                    if not row.domain(*moved):
                        break
                    try:
                        z = value_in(mpmath_, row, moved)
                        found.append(mp.mpf(rule(mpmath_, z, *moved)))
                    except (ValueError, ArithmeticError):  # the path runs along the edge
                        break
            else:
                paths.append(found)
    if math.isinf(limit):
        # It has one sign and grows without bound, be it like a logarithm: from 10⁻⁸ to 10⁻⁶⁴ by a factor of 8.
        sign = 1 if limit > 0 else -1
        reached = [all(x * sign > 0 for x in path) and abs(path[-1]) > 4 * abs(path[0]) for path in paths]
    else:
        reached = [abs(path[-1] - limit) <= abs(path[0] - limit) / 100 for path in paths]
    assert any(reached), f"∂{row.name}/∂argument {argument} does not tend to {limit} at {tuple(operands)}"


def size_of_terms(program: Program, inputs: Sequence[float]) -> list[float]:
    """Per input, the sum over all paths of the products of absolute partials: what the derivative is made of."""
    numbers = interpret.run_forward(program, inputs, floats)
    sizes = [0.0] * len(numbers)
    sizes[program.outputs[0]] = 1.0
    constants = range(program.inputs, program.first_instruction)
    for slot, row, operands in program.instructions_backward():
        if not sizes[slot]:
            continue  # no path leads here, and there may be no partial either
        moving = [i for i, o in enumerate(operands) if o not in constants]
        slopes = interpret.partials(floats, row, numbers[slot], [numbers[o] for o in operands], moving)
        for i, slope in zip(moving, slopes, strict=True):
            sizes[operands[i]] += sizes[slot] * abs(slope)
    return sizes[: program.inputs]
