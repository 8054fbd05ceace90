"""Fractions: rational expressions are checked with no tolerance at all."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd
from autograd import TABLE, DomainError, Primitive, Value, evaluate, where
from autograd.interpret import partials
from autograd.number_systems import floats, fractions_
from autograd.number_systems.enclosures import ULPS
from autograd.number_systems.formulas import used_by
from autograd.testing import Expression, Step
from autograd.testing.expression import input_names
from autograd.testing.regions import in_domain
from tests import checks, duals
from tests.duals import Dual
from tests.rows import ROW_AND_ARGUMENT, ROWS, is_smooth, name_of
from tests.strategies import Lattice, operands

RATIONAL = [row for row in ROWS if row.name not in fractions_.LACKS]
RATIONAL_PARTIALS = [partial for partial in ROW_AND_ARGUMENT if checks.has_partial_in_fractions(*partial)]


def test_the_naive_differentiator_knows_every_rational_row() -> None:
    comparisons = {row.name for row in TABLE.values() if row.compares}
    assert {row.name for row in RATIONAL} == set(vars(duals.FUNCTIONS)) - comparisons - {"number"}


# Every row of the table.


@pytest.mark.parametrize("row", RATIONAL, ids=name_of)
@given(data=st.data())
def test_the_float_value_is_the_fraction_rounded_once(row: Primitive, data: st.DataObject) -> None:
    """Operands are small multiples of 1/64, so that sums and products of a few are exact, and a quotient is rounded."""
    point = data.draw(operands(row, None, (Lattice(3, per_one=1),)) if row.name == "pow" else operands(row))
    fraction = checks.value_in(fractions_, row, [fractions_.number(x) for x in point])
    computed = checks.value_in(floats, row, point)
    if row.name == "pow":  # the C library's, of which no more than that is known
        assert abs(Fraction(computed) - fraction) <= ULPS["pow"] * Fraction(math.ulp(computed))
    else:
        assert computed == float(fraction), "float() of a fraction is correctly rounded"


def divides_by_a_sum(row: Primitive) -> bool:
    """Whether its formula does: of powers of two that is none, and the quotient no float."""
    return row.formula is not None and not row.n_ary and {"add", "div"} <= used_by(row, rounded=True).keys()


@st.composite
def powers_of_two(draw: st.DrawFn, row: Primitive, argument: int) -> tuple[float, ...]:
    """Operands with which floats compute every rational row, and every slope of one, exactly, but quotients by sums."""
    size = draw(st.sampled_from([2, 4])) if row.n_ary else row.arity
    point = [draw(st.sampled_from((1.0, -1.0))) * 2.0 ** draw(st.integers(-4, 4)) for _ in range(size)]
    if row.name == "pow":
        point[1] = draw(st.sampled_from((-4.0, -2.0, -1.0, 1.0, 2.0, 4.0)))
    if row.name == "where":
        point[0] = float(draw(st.booleans()))
    assume(in_domain(row, tuple(point)) and is_smooth(row, tuple(point), argument))
    return tuple(point)


@pytest.mark.parametrize("partial", RATIONAL_PARTIALS, ids=name_of)
@given(data=st.data())
def test_value_and_slope_are_the_fractions_where_floats_are_exact(
    partial: tuple[Primitive, int], data: st.DataObject
) -> None:
    row, argument = partial
    point = data.draw(powers_of_two(row, argument))
    leaves: list[Any] = list(point)
    leaves[argument] = Value(point[argument])
    output = checks.record(row, leaves)
    fraction, slope = evaluate(output, "fractions", wrt=leaves[argument])
    if divides_by_a_sum(row):
        assert output.data == float(fraction)
        # The quotient is rounded once, and its square once more.
        most = ((1 + Fraction(checks.EPS)) ** 3 - 1) * abs(slope)
        assert abs(Fraction(checks.slope(row, argument, point)) - slope) <= most
    else:
        assert output.data == fraction
        assert checks.slope(row, argument, point) == slope


CONVENTIONS = [
    ("relu", (0,), (0,)),
    ("abs", (0,), (0,)),
    ("sign", (0,), (0,)),
    ("maximum", (2, 2), (Fraction(1, 2), Fraction(1, 2))),
    ("minimum", (2, 2), (Fraction(1, 2), Fraction(1, 2))),
    ("clip", (1, 0, 1), (1,)),
    ("clip", (0, 0, 1), (1,)),
    ("floor", (1,), (0,)),
    ("leaky_relu", (0, Fraction(1, 4)), (Fraction(1, 4),)),
    ("pow", (0, 0), (0,)),
    ("pow", (0, 1), (1,)),
    ("pow", (0, 2), (0, 0)),
    ("prod", (0, 0, 3), (0, 0, 0)),
    ("prod", (0, 2, 3), (6, 0, 0)),
]


@pytest.mark.parametrize(("name", "point", "expected"), CONVENTIONS)
def test_conventions_at_kinks_and_limits(name: str, point: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    row = TABLE[name]
    numbers = [fractions_.number(x) for x in point]
    z = checks.value_in(fractions_, row, numbers)
    assert tuple(partials(fractions_, row, z, numbers, range(len(expected)))) == expected


# Random expressions.


#: Rows without constant parameters: of any numbers, or of any but zero.
OF_NUMBERS = [row for row in RATIONAL if row.name != "pow" and (row.n_ary or None not in row.partials)]

rationals = st.one_of(
    st.integers(-3, 3).map(Fraction), st.fractions(-3, 3, max_denominator=12), st.floats(-2, 2).map(Fraction)
)


@st.composite
def expressions(draw: st.DrawFn) -> Expression:
    """Parts are used again and again, and nothing keeps a divisor from zero, as ``autograd.testing`` does."""
    inputs = draw(st.integers(1, 3))
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, 30))):
        row = draw(st.sampled_from(OF_NUMBERS))
        known = inputs + len(steps)
        size = 2 * draw(st.integers(1, 2)) if row.n_ary else row.arity
        # The last result comes up more often, so that few are left unused.
        slot = st.one_of(st.just(known - 1), st.integers(0, known - 1))
        steps.append(Step(row, tuple(draw(slot) for _ in range(size))))
    return Expression(input_names(inputs), (), tuple(steps))


@settings(max_examples=10 * settings().max_examples)
@given(f=expressions(), data=st.data())
def test_the_gradient_is_that_of_naive_forward_mode(f: Expression, data: st.DataObject) -> None:
    """Equal, not close: both sides are exact, however different their ways."""
    inputs = [data.draw(rationals) for _ in f.names]
    try:
        moved = [
            f.evaluate([Dual(x, Fraction(i == j)) for j, x in enumerate(inputs)], duals.FUNCTIONS)
            for i in range(len(inputs))
        ]
        output, leaves = f.graph(*map(float, inputs))
    except (ArithmeticError, DomainError):  # a division by zero, or too many digits
        assume(False)
    at = dict(zip(leaves, inputs, strict=True))
    value, gradient = evaluate(output, "fractions", at=at, wrt=leaves)
    assert value == moved[0].value
    assert gradient == [dual.slope for dual in moved]


def test_a_rule_that_is_off_by_little_is_noticed() -> None:
    """The comparison of fractions sees a part in 10⁴⁰."""
    right = TABLE["square"]
    assert not callable(right.partials)
    rule = right.partials[0]
    assert rule is not None
    wrong = right._replace(partials=(lambda m, z, x: rule(m, z, x) + m.number(1) / 10**40,))
    checks.check_partial_in_fractions(right, 0, (0.5,))
    with pytest.raises(AssertionError, match="the slope of square"):
        checks.check_partial_in_fractions(wrong, 0, (0.5,))


# What users meet.


def test_evaluate_at_fractions() -> None:
    x, y = Value(2.0), Value(0.1)
    z = (x * x + 1) / (x - y)
    value, (dx, dy) = evaluate(z, "fractions", at={x: Fraction(1, 3), y: Fraction(1, 7)}, wrt=[x, y])
    assert value == Fraction(35, 6)
    assert dx == Fraction(2, 3) / Fraction(4, 21) - Fraction(10, 9) / Fraction(4, 21) ** 2
    assert dy == Fraction(10, 9) / Fraction(4, 21) ** 2


def test_a_float_is_its_exact_fraction() -> None:
    x = Value(0.1)
    assert evaluate(x * 3 - 0.3, "fractions") == 3 * Fraction(0.1) - Fraction(0.3)


@pytest.mark.parametrize("x", [Fraction(1, 3), "1/3", "0.25", Decimal("0.1"), 7, 10**400, 0.5, np.float64(0.1), True])
def test_what_can_be_a_fraction(x: Any) -> None:
    leaf = Value(0.0)
    assert evaluate(leaf + 1, "fractions", at={leaf: x}) == Fraction(x) + 1


def test_a_narrow_float_is_its_exact_fraction() -> None:
    leaf = Value(0.0)
    assert evaluate(leaf + 0, "fractions", at={leaf: np.float32(0.1)}) == Fraction(13421773, 2**27)


@pytest.mark.parametrize("x", [math.inf, -math.inf, math.nan, Decimal("NaN"), Decimal("Infinity"), "nan", "x"])
def test_what_can_not(x: Any) -> None:
    leaf = Value(0.0)
    with pytest.raises(ValueError, match="is no fraction"):
        evaluate(leaf + 1, "fractions", at={leaf: x})


def test_comparisons_and_choices_are_exact() -> None:
    x = Value(0.1)
    choice = where(x >= 0.1, x * x, -x)
    assert evaluate(choice, "fractions") == Fraction(0.1) ** 2
    assert evaluate(choice, "fractions", at={x: Fraction(1, 10)}) == -Fraction(1, 10), "1/10 is below the float 0.1"
    assert evaluate(x * x.detach(), "fractions", at={x: Fraction(1, 3)}, wrt=x) == (Fraction(1, 9), Fraction(1, 3))


def test_a_branch_that_was_never_called_is_missed() -> None:
    x = Value(2.0)
    y = where(x > 1, x, lambda: x * x)
    assert evaluate(y, "fractions") == 2
    with pytest.raises(DomainError, match="never called"):
        evaluate(y, "fractions", at={x: Fraction(1, 2)})


def test_powers_have_integer_exponents() -> None:
    x = Value(4.0)
    assert evaluate(x**-2, "fractions", at={x: Fraction(2, 3)}) == Fraction(9, 4)
    with pytest.raises(NotImplementedError, match="integer exponents only; y is 1/2"):
        evaluate(x**0.5, "fractions")
    with pytest.raises(NotImplementedError, match="no pow of so many digits"):
        evaluate((x / 4) ** 1e12, "fractions", at={x: 3})
    assert evaluate((x / 4) ** 1e12, "fractions") == 1
    with pytest.raises(DomainError, match="pow needs"):
        evaluate(x**-2, "fractions", at={x: 0})


def test_the_slope_by_an_exponent_is_refused_with_the_reason() -> None:
    x, y = Value(2.0), Value(3.0)
    assert evaluate(x**y, "fractions", wrt=x) == (8, 12)
    with pytest.raises(NotImplementedError, match="the slope of pow needs log, which number system fractions lacks"):
        evaluate(x**y, "fractions", wrt=y)
    assert evaluate(x**y, "fractions", at={x: 0}, wrt=y) == (0, 0), "a limit needs no logarithm"


def test_an_infinite_slope_is_refused() -> None:
    """The logarithm of zero: 0⁰ has the slope -∞ by its exponent, and no fraction is that."""
    x, y = Value(2.0), Value(3.0)
    with pytest.raises(DomainError, match="pow has no derivative with respect to y here"):
        evaluate(x**y, "fractions", at={x: 0, y: 0}, wrt=y)


def test_outside_the_domain() -> None:
    x = Value(1.0)
    with pytest.raises(DomainError, match="div needs a divisor other than zero"):
        evaluate(1 / x, "fractions", at={x: 0})
    with pytest.raises(DomainError, match="reciprocal needs"):
        evaluate(x.reciprocal(), "fractions", at={x: 0})


@autograd.primitive(partials=[lambda m, z, x: m.exp(x) * m.pi])
def needs_exp_of_fractions(m: Any, x: Any) -> Any:
    return x * 3


@autograd.primitive(partials=[lambda m, z, x: 2 * m.pi])
def needs_pi_of_fractions(m: Any, x: Any) -> Any:
    return 2 * m.pi * x


@autograd.primitive(partials=[lambda m, z, x: m.sin(x)])
def needs_cos_of_fractions(m: Any, x: Any) -> Any:
    return -m.cos(x)


def test_a_declared_primitive_that_needs_what_is_lacking() -> None:
    x = Value(1.0)
    assert evaluate(needs_exp_of_fractions(x), "fractions") == 3
    with pytest.raises(NotImplementedError, match=r"slope of needs_exp_of_fractions needs exp, which .* fractions"):
        evaluate(needs_exp_of_fractions(x), "fractions", wrt=x)
    with pytest.raises(NotImplementedError, match="needs_cos_of_fractions needs cos, which number system fractions"):
        evaluate(needs_cos_of_fractions(x), "fractions")
    with pytest.raises(NotImplementedError, match="no pi"):
        evaluate(needs_pi_of_fractions(x), "fractions")
