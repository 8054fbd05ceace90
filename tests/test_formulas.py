"""Every formula of the table is the function of its primitive: the same value, the same derivatives."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy

import autograd
from autograd import TABLE, Value, evaluate, primitive, rules, value_system
from autograd.number_systems.formulas import used_by
from autograd.value import constant, maker
from tests import checks

#: The rows that are composed of others.
COMPOSED = [row.name for row in TABLE.values() if row.formula is not None]

#: Points inside of every domain here, where no formula overflows or cancels more than a few digits.
POINTS = (0.25, 0.5, 1.25, 2.0)


def nodes(name: str, xs: list[Value]) -> Value:
    row = TABLE[name]
    found: Any = getattr(value_system, name)(xs) if row.n_ary else maker(row)(*xs)
    assert isinstance(found, Value)
    return found


def expanded(name: str, xs: list[Any]) -> Value:
    formula = TABLE[name].formula
    found = formula(value_system, xs) if TABLE[name].n_ary else formula(value_system, *xs)
    return found if isinstance(found, Value) else constant(found)  # one that decides may take a plain number


def slopes(output: Value, xs: list[Value]) -> list[float]:
    found: list[float] = evaluate(output, wrt=xs)[1]
    return found


def arguments(name: str, shift: int) -> list[Any]:
    """Values, and plain numbers for constants; ``None`` outside of the domain."""
    row = TABLE[name]
    count = (5 if name == "dot" else 3) if row.n_ary else row.arity
    point = [POINTS[(i + shift) % len(POINTS)] for i in range(count)]
    return checks.leaves_of(row, point) if row.n_ary or row.domain(*point) else []


CASES = [(name, shift) for name in COMPOSED for shift in range(len(POINTS)) if arguments(name, shift)]


def test_each_formula_is_tried() -> None:
    assert {name for name, _ in CASES} == set(COMPOSED)


@pytest.mark.parametrize(("name", "shift"), CASES)
def test_a_formula_has_the_value_and_the_derivatives_of_its_primitive(name: str, shift: int) -> None:
    xs = arguments(name, shift)
    whole, parts = nodes(name, xs), expanded(name, xs)
    assert math.isclose(whole.data, parts.data, rel_tol=1e-13)
    moving = [x for x in xs if isinstance(x, Value)]
    for ours, theirs in zip(slopes(whole, moving), slopes(parts, moving), strict=True):
        assert math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-14)


def test_a_wrong_formula_would_be_noticed() -> None:
    """One that is right at a point only, and one with the right derivative only."""
    xs = [Value(0.5)]
    for wrong in (lambda m, x: x * 0.5, lambda m, x: x * x + 1):
        parts = wrong(value_system, *xs)
        whole = nodes("square", xs)
        assert whole.data != parts.data or slopes(whole, xs) != slopes(parts, xs)


@pytest.mark.parametrize(("name", "shift"), CASES)
def test_a_formula_is_made_of_other_nodes(name: str, shift: int) -> None:
    """Of one that decides between its operands, nothing but the operand may be left."""
    xs = arguments(name, shift)
    parts = expanded(name, xs)
    assert parts.primitive is not TABLE[name]
    assert all(x is not parts for x in xs) or "where" in used_by(TABLE[name], rounded=False)


def test_the_formula_of_a_primitive_of_ones_own_is_what_declares_it() -> None:
    @primitive(partials=[lambda m, z, x: 3 * x * x])
    def cube(m: Any, x: Any) -> Any:
        return x * x * x

    row = cube(Value(2.0)).primitive
    formula = row.formula
    assert formula(value_system, Value(2.0)).data == 8.0
    assert autograd.find("exp").formula is None


def test_the_series_of_the_slope_of_sinc_is_as_long_as_it_must_be() -> None:
    """Its terms are -x/3 times 1, -x²/10, x⁴/280, …: at |x| = 1 the first that is left out is below all digits."""
    terms = [math.prod(Fraction(1, 2 * n * (2 * n + 3)) for n in range(1, k + 1)) for k in range(60)]
    assert terms[:3] == [1, Fraction(1, 10), Fraction(1, 280)]
    for digits in range(61):
        count = rules._terms_of_sinc(digits)
        assert terms[count - 1] <= Fraction(1, 10**digits)
        assert digits == 0 or terms[count - 2] > Fraction(1, 10**digits)


def test_floats_take_as_many_terms_as_they_have_digits() -> None:
    for x in (1e-8, 0.3, -0.75, 0.999):
        with mpmath.workdps(50):
            exact = float((mpmath.cos(x) - mpmath.sin(x) / x) / x)
        assert autograd.grad(autograd.sinc)(x) == pytest.approx(exact, rel=2 * checks.EPS, abs=0.0)


def test_the_slopes_of_logsumexp_as_formulas() -> None:
    xs = [Value(0.5), Value(-1.0), Value(2.0)]
    _, slopes = evaluate(autograd.logsumexp(xs), "sympy", wrt=xs)
    expected = [x.data for x in autograd.softmax(xs)]
    assert [float(slope) for slope in slopes] == pytest.approx(expected, rel=1e-14, abs=0.0)
    x = sympy.Symbol("x", real=True)
    _, by_x = evaluate(autograd.logsumexp(xs[:2]), "sympy", at={xs[0]: x}, wrt=xs[0])
    assert sympy.simplify(by_x - sympy.exp(x) / (sympy.exp(x) + sympy.exp(-1))) == 0
