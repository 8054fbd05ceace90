"""Where the table says that a function has a kink, it has one, and nowhere else; and the names that rows go by."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from mpmath import mp

import autograd
from autograd import TABLE, DomainError, Primitive, Value, grad, interpret, prod
from autograd.number_systems import floats, mpmath_
from autograd.primitives import ALIASES
from autograd.testing.regions import in_domain
from tests import checks
from tests.rows import ROWS, SPECIAL, differentiable, name_of

#: Constant parameters for which the pieces of a function differ (leaky_relu with slope 1 has no kink).
CONSTANTS: dict[str, list[tuple[float, ...]]] = {
    "clip": [(-0.5, 2.0), (0.0, 1.0)],
    "leaky_relu": [(0.5,), (-2.0,)],
    "elu": [(2.0,), (-1.0,), (1.0,)],
    "selu": [(2.0, 3.0)],
}

OF_FIXED_ARITY = [row for row in ROWS if not row.n_ary and row.name != "where" and differentiable(row)]


def bends(row: Primitive, point: tuple[float, ...]) -> bool | None:
    """Whether the slopes from both sides differ, or it jumps; ``None`` where one side is outside the domain."""
    with mpmath.workdps(80):
        h = mp.mpf(10) ** -30
        for i in differentiable(row):
            slopes = []
            for sign in (1, -1):
                values = []
                for step in (0, sign * h):
                    moved = [mp.mpf(x) + step if j == i and step else mpmath_.number(x) for j, x in enumerate(point)]
                    if not row.domain(*moved):
                        return None
                    values.append(mp.mpf(checks.value_in(mpmath_, row, moved)))
                slopes.append((values[1] - values[0]) / (sign * h))
                if abs(values[1] - values[0]) > mp.mpf(10) ** -6:
                    return True  # a jump
            # The slope from one side is off by about h times the second derivative, or it is infinite on both sides.
            if abs(slopes[0] - slopes[1]) > mp.mpf(10) ** -6:
                return True
    return False


@pytest.mark.parametrize("row", OF_FIXED_ARITY, ids=name_of)
def test_kinks_are_where_the_slopes_of_both_sides_differ(row: Primitive) -> None:
    moving = len(differentiable(row))
    for free in itertools.product(SPECIAL, repeat=moving):
        for constants in CONSTANTS.get(row.name, [()]):
            point = (*free, *constants)
            if not in_domain(row, point) or (row.name == "pow" and point == (0.0, 0.0)):
                continue  # 0⁰ is 1 by definition, a jump; what holds there, its limits say
            found = bends(row, point)
            if found is not None:
                assert bool(row.kinks(*point)) == found, point


@pytest.mark.parametrize("row", [row for row in OF_FIXED_ARITY if row.limits], ids=name_of)
def test_a_limit_contradicts_no_rule(row: Primitive) -> None:
    """Number systems of many samples take the limit wherever it is said to hold, without asking the rule."""
    assert not callable(row.partials)
    for point in itertools.product(SPECIAL, repeat=row.arity):
        for limit in row.limits:
            rule = row.partials[limit.argument]
            if in_domain(row, point) and limit.at(*point) and rule is not None:
                try:
                    slope = rule(floats, checks.value_in(floats, row, point), *point)
                except (ValueError, ArithmeticError):
                    continue
                assert slope == limit.value, point


def test_the_angle_of_the_origin_has_no_slope_and_its_distance_a_kink() -> None:
    row = TABLE["atan2"]
    for argument in (0, 1):
        assert not row.partial_domain(argument)(0.0, 0.0)
        assert not TABLE["hypot"].partial_domain(argument)(0.0, 0.0)
        with pytest.raises(DomainError, match="atan2 has no derivative"):
            checks.slope(row, argument, (0.0, 0.0))


#: Row, a function made of it, the end of its domain, and what its second derivative tends to there.
LIMITS_OF_SECOND: list[tuple[str, Callable[[Any], Any], float, float]] = [
    ("sqrt", autograd.sqrt, 0.0, -math.inf),
    ("pow", lambda x: x**0.3, 0.0, -math.inf),
    ("pow", lambda x: x**1.5, 0.0, math.inf),
    ("asin", autograd.asin, 1.0, math.inf),
    ("asin", autograd.asin, -1.0, -math.inf),
    ("acos", autograd.acos, 1.0, -math.inf),
    ("acos", autograd.acos, -1.0, math.inf),
    ("acosh", autograd.acosh, 1.0, -math.inf),
]


@pytest.mark.parametrize(("row", "f", "x", "expected"), LIMITS_OF_SECOND)
def test_a_limit_knows_the_limit_of_its_own_slope(row: str, f: Callable[[Any], Any], x: float, expected: float) -> None:
    assert TABLE[row].limits
    assert grad(grad(f))(x) == expected


def test_a_limit_of_a_power_is_differentiated_again_where_it_is_constant() -> None:
    """By x it is 0 for the exponent 0, wherever x is; by y it is 0 for the base 0, whatever y is."""
    assert grad(grad(lambda x: x**0.0))(0.0) == 0.0
    assert grad(grad(lambda y: 0.0**y))(2.0) == 0.0
    for y, expected in ((2.0, 0.0), (1.5, 0.0), (1.0, -math.inf)):
        assert grad(lambda x, y=y: grad(lambda y: x**y)(y))(0.0) == expected
        assert grad(lambda y: grad(lambda x: x**y)(0.0))(y) == expected
    assert grad(lambda y: grad(lambda x: grad(lambda y: x**y)(y))(0.0))(2.0) == 0.0
    for mixed in (
        lambda: grad(lambda y: grad(lambda x: x**y)(0.0))(0.0),
        lambda: grad(lambda x: grad(lambda y: x**y)(0.5))(0.0),
    ):
        with pytest.raises(DomainError, match="pow"):
            mixed()


def test_the_names_of_other_libraries() -> None:
    arcs = {f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")}
    assert dict(ALIASES) == {**arcs, "absolute": "abs", "round": "rint", "swish": "silu"}


def test_the_names_of_constant_parameters() -> None:
    """They are the keywords of the public functions, and errors and pages say them."""
    named = {row.name: row.arguments[1:] for row in OF_FIXED_ARITY if row.name in CONSTANTS}
    assert named == {
        "clip": ("low", "high"),
        "leaky_relu": ("slope",),
        "elu": ("alpha",),
        "selu": ("scale", "alpha"),
    }
    assert TABLE["where"].arguments == ("condition", "x", "y")
    assert all(row.arguments == ("xs",) for row in ROWS if row.n_ary)


def test_which_rows_compare() -> None:
    comparisons = [row.name for row in TABLE.values() if row.compares]
    assert comparisons == ["less", "less_equal", "greater", "greater_equal"]


@pytest.mark.parametrize("xs", [[2.0], [2.0, 3.0], [2.0, 3.0, 5.0, 7.0, 11.0], [2.0, 0.0, 5.0, 7.0], [0.0, 3.0, 0.0]])
def test_the_product_of_the_others_for_each_of_many(xs: list[float]) -> None:
    others = [math.prod(xs[:i] + xs[i + 1 :]) for i in range(len(xs))]
    assert grad(prod)(xs) == others


@pytest.mark.parametrize("row", [row for row in ROWS if row.n_ary], ids=name_of)
@pytest.mark.parametrize("count", range(2, 8))
def test_a_rule_for_all_operands_has_one_partial_for_each(row: Primitive, count: int) -> None:
    xs = [0.5 * (i + 1) for i in range(count)]
    assert callable(row.partials)
    assert len(row.partials(floats, checks.value_in(floats, row, xs), xs)) == count


def test_each_partial_of_a_product_is_the_product_of_the_others() -> None:
    numbers = [2.0, 3.0, 5.0, 7.0]
    leaves = [Value(x) for x in numbers]
    prod(leaves).backward()
    assert [leaf.grad for leaf in leaves] == [105.0, 70.0, 42.0, 30.0]
    assert interpret.partials(floats, TABLE["prod"], 210.0, numbers, range(4)) == [105.0, 70.0, 42.0, 30.0]
