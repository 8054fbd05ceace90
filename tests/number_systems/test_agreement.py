"""All number systems compute the same: values and derivatives of random expressions, and every row by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from mpmath import mp

import autograd
from autograd import TABLE, Primitive, Program, Value, evaluate
from autograd.interpret import partials, run_forward
from autograd.number_systems import arrays, complex_, floats, fractions_, mpmath_
from autograd.testing import CONTINUOUS, SMOOTH, Call, Expression, Step, calls, expressions, reals
from tests import checks
from tests.rows import ROW_AND_ARGUMENT, ROWS, is_constant, name_of
from tests.strategies import operands

IN_COMPLEX = tuple(name for name in SMOOTH if name not in complex_.LACKS)
#: A power is a fraction for some exponents only.
RATIONAL = {name for name in TABLE if name not in fractions_.LACKS} - {"pow"}

#: Every function is good to this many roundings in every system.
ROUNDINGS = 2 * checks.MOST_ULPS + 8


def running_errors(program: Program, inputs: Sequence[float]) -> tuple[list[float], list[float]]:
    """Every number, and what all roundings can do to it at most (Wilkinson's running error) to first order."""
    numbers, errors = run_forward(program, inputs, floats), [0.0] * program.first_instruction
    constants = range(program.inputs, program.first_instruction)
    for slot, (row, slots) in enumerate(program.instructions(), start=program.first_instruction):
        chosen = [numbers[o] for o in slots]
        wanted = [i for i, o in enumerate(slots) if row.n_ary or o not in constants]
        slopes = partials(floats, row, numbers[slot], chosen, wanted)
        carried = math.fsum(abs(p) * errors[slots[i]] for p, i in zip(slopes, wanted, strict=True))
        terms = math.fsum(abs(p * x) for p, x in zip(slopes, chosen, strict=True)) if row.n_ary else 0.0
        errors.append(carried + ROUNDINGS * checks.EPS * (abs(numbers[slot]) + terms) + checks.SMALLEST_NORMAL)
    return numbers, errors


def running_error(program: Program, inputs: Sequence[float]) -> tuple[float, float]:
    """What all roundings can do to the output at most, and the largest number met."""
    numbers, errors = running_errors(program, inputs)
    return 2 * errors[-1], max(map(abs, numbers))


@given(calls(expressions(primitives=CONTINUOUS)))
def test_values_agree_in_all_systems(call: Call) -> None:
    f, inputs = call
    bound, _ = running_error(f.program, inputs)
    expected = f.evaluate(inputs)
    output, _ = f.graph(*inputs)
    assert output.data == expected, "Values compute with the float system's functions, so bit for bit the same"
    assert evaluate(output) == expected
    assert evaluate(output, "values").data == expected

    assert abs(float(evaluate(output, "arrays")) - expected) <= bound
    assert abs(float(evaluate(output, "mpmath") - expected)) <= bound
    assert evaluate(output, "mpmath") in evaluate(output, "intervals")
    if all(row.name in RATIONAL for row in f.primitives):
        assert abs(float(evaluate(output, "fractions")) - expected) <= bound
    if all(row.name not in complex_.LACKS for row in f.primitives):
        z = evaluate(output, "complex")
        assert abs(z.real - expected) <= bound
        assert abs(z.imag) <= bound


def most_lost(program: Program, inputs: Sequence[float]) -> list[float]:
    """What roundings can do to each derivative at most: of every partial they move the operands and the result.

    That is more than 10⁻⁹ of the terms which the chain rule adds where a partial is nearly zero itself: at a minimum,
    or where digits cancel.
    """
    numbers, errors = running_errors(program, inputs)
    sizes, lost = [0.0] * len(numbers), [0.0] * len(numbers)
    sizes[program.outputs[0]] = 1.0
    constants = range(program.inputs, program.first_instruction)
    for slot, row, slots in program.instructions_backward():
        chosen = [numbers[o] for o in slots]
        wanted = [i for i, o in enumerate(slots) if o not in constants]
        for i, slope in zip(wanted, partials(floats, row, numbers[slot], chosen, wanted), strict=True):
            moved = 2 * ROUNDINGS * checks.EPS * abs(slope)
            for j, o in enumerate(slots):
                if not is_constant(row, j):
                    bend = abs(float(checks.exact_derivative(row, chosen, i, j)))
                    moved += bend * (errors[o] + 2 * ROUNDINGS * checks.EPS * abs(chosen[j]))
            sizes[slots[i]] += sizes[slot] * abs(slope)
            lost[slots[i]] += lost[slot] * (abs(slope) + moved) + sizes[slot] * moved
    return [2 * x for x in lost[: program.inputs]]


@pytest.mark.parametrize(("x", "most"), [(0.5, 1e-13), (-0.75, 1e-11), (-0.7517915, 1e-6)])
def test_roundings_do_little_but_where_a_partial_is_nearly_zero(x: float, most: float) -> None:
    program = Expression(("x",), (), (Step(TABLE["gelu"], (0,)), Step(TABLE["square"], (1,)))).program
    (size,), (lost,) = checks.size_of_terms(program, [x]), most_lost(program, [x])
    assert most / 100 < lost / size < most


@given(calls(expressions(max_nodes=6)))
def test_derivatives_agree_in_all_systems(call: Call) -> None:
    """By the written-out pull-backs of ``backward()``, and by the rules in each system.

    Roundings of the numbers move the partials too. Where numbers are below 1000 and off by less than 10⁻¹² that is less
    than 10⁻⁹ of the terms which the chain rule adds.
    """
    f, inputs = call
    bound, largest = running_error(f.program, inputs)
    assume(bound < 1e-12 and largest < 1e3)
    output, leaves = f.graph(*inputs)
    output.backward()
    sizes = checks.size_of_terms(f.program, inputs)
    assume(max(sizes) < 1e6)

    with mpmath_.computing():
        truths = [float(x) for x in evaluate(output, "mpmath", wrt=leaves)[1]]
    found = {
        "backward": [leaf.grad for leaf in leaves],
        "floats": evaluate(output, "floats", wrt=leaves)[1],
        "values": [checks.as_float(x) for x in evaluate(output, "values", wrt=leaves)[1]],
        "arrays": [float(x) for x in evaluate(output, "arrays", wrt=leaves)[1]],
        "gradients": [x.data for x in autograd.gradients(output, leaves)],
        "grad": autograd.grad(lambda xs: f(*xs))(list(inputs)),
    }
    if all(row.name not in complex_.LACKS for row in f.primitives):
        found["complex"] = [x.real for x in evaluate(output, "complex", wrt=leaves)[1]]
    if all(row.name in RATIONAL for row in f.primitives):
        found["fractions"] = [float(x) for x in evaluate(output, "fractions", wrt=leaves)[1]]
    for system, derivatives in found.items():
        for i, (derivative, truth, size) in enumerate(zip(derivatives, truths, sizes, strict=True)):
            error = abs(derivative - truth)
            assert error <= 1e-9 * size or error <= most_lost(f.program, inputs)[i], system


@given(calls(expressions(primitives=IN_COMPLEX, max_nodes=6)))
def test_complex_step_of_an_expression_is_its_derivative(call: Call) -> None:
    f, inputs = call
    bound, largest = running_error(f.program, inputs)
    assume(bound < 1e-12 and largest < 1e3)
    sizes = checks.size_of_terms(f.program, inputs)
    assume(max(sizes) < 1e6)
    derivatives = autograd.grad(lambda xs: f(*xs))(list(inputs))
    for i, (derivative, size) in enumerate(zip(derivatives, sizes, strict=True)):
        moved = [complex(x, 1e-30 if i == j else 0.0) for j, x in enumerate(inputs)]
        step = complex(f.evaluate(moved, complex_)).imag / 1e-30
        error = abs(derivative - step)
        assert error <= 1e-9 * size + 1e-25 or error <= most_lost(f.program, inputs)[i]


@given(calls(expressions(primitives=CONTINUOUS)), st.data())
def test_a_batch_is_its_samples_one_by_one(call: Call, data: st.DataObject) -> None:
    f, first = call
    samples = [first, *[[data.draw(reals(f.min_value, f.max_value)) for _ in first] for _ in range(2)]]
    output, leaves = f.graph(*[0.5 for _ in first])
    batch = evaluate(output, "arrays", at=dict(zip(leaves, np.array(samples).T, strict=True)))
    for found, inputs in zip(np.broadcast_to(batch, 3), samples, strict=True):
        assert abs(found - f.evaluate(inputs)) <= running_error(f.program, inputs)[0]


def test_a_batch_may_meet_plain_numbers_in_a_mean() -> None:
    x = Value(2.0)
    assert list(evaluate(autograd.mean([1.0, x]), "arrays", at={x: [1.0, 3.0, 5.0]})) == [1.0, 2.0, 3.0]


# Row by row, over each row's own domain.


@pytest.mark.parametrize("row", ROWS, ids=name_of)
@given(data=st.data())
def test_each_value_agrees(row: Primitive, data: st.DataObject) -> None:
    point = data.draw(operands(row))
    expected = checks.value_in(floats, row, point)
    allowed = float(checks.rounding_of(row, point)) + ROUNDINGS * checks.EPS * abs(expected)
    with arrays.computing():
        assert abs(float(checks.value_in(arrays, row, [np.asarray(x) for x in point])) - expected) <= allowed
    if row.name not in complex_.LACKS:
        z = complex(checks.value_in(complex_, row, [complex(x) for x in point]))
        # A complex function adds terms of the size of its argument and of 1.
        assert abs(z - expected) <= allowed + ROUNDINGS * checks.EPS * max(1.0, *map(abs, point))


@pytest.mark.parametrize("partial", ROW_AND_ARGUMENT, ids=name_of)
@given(data=st.data())
def test_each_partial_agrees(partial: tuple[Primitive, int], data: st.DataObject) -> None:
    """The rule over arrays and over mpmath's numbers, against the written-out pull-back over floats."""
    row, argument = partial
    point = data.draw(operands(row, argument))
    expected = checks.slope(row, argument, point)
    size = max(1.0, abs(expected), abs(checks.value_in(floats, row, point)), *map(abs, point))
    with mpmath_.computing():
        numbers: list[Any] = [mpmath_.number(x) for x in point]
        z = checks.value_in(mpmath_, row, numbers)
        truth = partials(mpmath_, row, z, numbers, [argument])[0]
        assert abs(float(truth) - expected) <= 4 * ROUNDINGS * checks.EPS * size
    with arrays.computing():
        numbers = [np.asarray(x) for x in point]
        z = checks.value_in(arrays, row, numbers)
        batch = partials(arrays, row, z, numbers, [argument])[0]
        assert abs(float(batch) - expected) <= 4 * ROUNDINGS * checks.EPS * size


@pytest.mark.parametrize(
    ("name", "argument", "point", "limit"),
    [
        (row.name, limit.argument, point, limit.value)
        for row in ROWS
        for limit in row.limits
        for point in [(0.0,), (1.0,), (0.0, 0.0), (0.0, 0.5), (0.0, 2.0)]
        if len(point) == row.arity and row.domain(*point) and limit.at(*point)
    ],
)
def test_limits_hold_in_every_system(name: str, argument: int, point: tuple[float, ...], limit: float) -> None:
    for system in ("floats", "values", "arrays", "mpmath"):
        leaves = [Value(x) for x in point]
        node = checks.record(TABLE[name], leaves)
        found = evaluate(node, system, wrt=leaves[argument])[1]
        assert float(checks.as_float(found)) == limit, system


def test_the_referee_keeps_its_digits() -> None:
    """log Σ exp of a number near zero and a very negative one: log1p is needed in fifty digits as well."""
    tiny = evaluate(autograd.logsumexp([Value(0.0), Value(-408.0)]), "mpmath")
    with mpmath_.computing():
        assert abs(tiny / mp.exp(-408) - 1) < mp.mpf(10) ** -40


def test_the_referee_has_erfc_of_any_size() -> None:
    assert evaluate(autograd.erfc(Value(1e200)), "mpmath") == 0
    assert evaluate(autograd.gelu(Value(-1e200)), "mpmath") == 0
    assert evaluate(autograd.gelu(Value(1e200)), "mpmath") == mp.mpf(1e200)


@pytest.mark.parametrize("x", [8.578113227852657e-266, 1e-290, 27.0, 1e300, -1e-200])
def test_the_complex_cube_root_keeps_its_digits(x: float) -> None:
    """The exponent 1/3 is rounded, which a logarithm of 600 magnifies."""
    root = complex_.cbrt(complex(x))
    assert abs(root - math.cbrt(x)) <= ROUNDINGS * checks.EPS * abs(root)
    h = abs(x) * 1e-9  # what comes after the slope is smaller by its square
    slope = complex_.cbrt(complex(x, h)).imag / h
    assert slope == pytest.approx(1 / (3 * math.cbrt(x) ** 2), rel=ROUNDINGS * checks.EPS, abs=0.0)


def test_in_a_batch_the_branch_not_taken_leaves_no_trace_in_a_derivative() -> None:
    """Neither value nor slope exists there, and 0 · nan would be nan; branches of branches share what they use."""

    points = [-2.0, -1.0, 0.0, 0.25, 4.0]
    x = Value(4.0)
    near = autograd.where(x > 0, x.sqrt() + 1.0 / x, x * x)  # at 0 the slopes of the other branch are infinite
    deep = autograd.where(x > 0, autograd.where(x > 2, x.sqrt(), x.log()) * x, 3.0 * x)
    inverse = 1.0 / autograd.where(x * x > 0, x, 7.0)  # two branches use it, at different points
    shared = autograd.where(x > 0, autograd.where(x > 2, x.sqrt(), inverse), x * x) + inverse
    for output, slope in (
        (near, lambda x: 0.5 / math.sqrt(x) - 1 / x**2 if x > 0 else 2 * x),
        (deep, lambda x: 3.0 if x <= 0 else 1.5 * math.sqrt(x) if x > 2 else math.log(x) + 1),
        (shared, lambda x: (0.5 / math.sqrt(x) if x > 2 else -1 / x**2 if x > 0 else 2 * x) - (1 / x**2 if x else 0)),
    ):
        _, slopes = evaluate(output, "arrays", at={x: points}, wrt=x)
        assert slopes == pytest.approx([slope(x) for x in points], rel=1e-14, abs=0.0)
