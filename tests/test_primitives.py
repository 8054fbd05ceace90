"""Every property of a primitive, written once and run over every row of the table, from the row's own domain."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from mpmath import mp

import autograd
from autograd import TABLE, DomainError, Limit, Primitive, Value, interpret
from autograd.number_systems import complex_, floats, mpmath_
from autograd.testing.regions import in_domain
from tests import checks
from tests.rows import ROW_AND_ARGUMENT, ROWS, STEPS, differentiable, is_constant, is_smooth, name_of, special_points
from tests.strategies import WIDE, Lattice, operands

every_row = pytest.mark.parametrize("row", ROWS, ids=name_of)
every_partial = pytest.mark.parametrize("partial", ROW_AND_ARGUMENT, ids=name_of)

Partial = tuple[Primitive, int]


# Partials


@every_partial
@given(data=st.data())
def test_partials(partial: Partial, data: st.DataObject) -> None:
    row, argument = partial
    checks.check_partial_exactly(row, argument, data.draw(operands(row, argument)))


@every_partial
@given(data=st.data())
def test_partials_of_all_sizes(partial: Partial, data: st.DataObject) -> None:
    row, argument = partial
    drawn = data.draw(operands(row, argument, WIDE, 2))
    try:
        checks.check_partial_exactly(row, argument, drawn)
    except OverflowError:
        assert_too_large(row, drawn)


@every_partial
def test_partials_at_special_points(partial: Partial) -> None:
    row, argument = partial
    for point in special_points(row, lambda xs: is_smooth(row, xs, argument)):
        checks.check_partial_exactly(row, argument, point)


@every_partial
@given(data=st.data())
def test_partials_by_central_differences(partial: Partial, data: st.DataObject) -> None:
    row, argument = partial
    checks.check_partial_by_difference(row, argument, data.draw(operands(row, argument)))


@pytest.mark.parametrize("partial", [p for p in ROW_AND_ARGUMENT if p[0].name not in complex_.LACKS], ids=name_of)
@given(data=st.data())
def test_partials_by_complex_step(partial: Partial, data: st.DataObject) -> None:
    row, argument = partial
    checks.check_partial_by_complex_step(row, argument, data.draw(operands(row, argument)))


IN_FRACTIONS = [partial for partial in ROW_AND_ARGUMENT if checks.has_partial_in_fractions(*partial)]


@pytest.mark.parametrize("partial", IN_FRACTIONS, ids=name_of)
@given(data=st.data())
def test_partials_in_fractions(partial: Partial, data: st.DataObject) -> None:
    """With no tolerance at all."""
    row, argument = partial
    whole = (Lattice(3, per_one=1),)  # the exponents that a fraction can have
    drawn = data.draw(operands(row, argument, whole) if row.name == "pow" else operands(row, argument))
    checks.check_partial_in_fractions(row, argument, drawn)


def as_written(row: Primitive, argument: int, numbers: list[Any]) -> Any:
    rule = row.written[argument]
    assert rule is not None
    return rule(mpmath_, checks.value_in(mpmath_, row, numbers), *numbers)


@pytest.mark.parametrize("row", [row for row in ROWS if row.written], ids=name_of)
def test_a_partial_as_textbooks_write_it_is_the_one_that_computes(row: Primitive) -> None:
    for argument in differentiable(row):
        for point in special_points(row, lambda xs, i=argument: is_smooth(row, xs, i)):  # type: ignore[misc]
            with mpmath.workdps(200):
                numbers = [mp.mpf(x) for x in point]
                z = checks.value_in(mpmath_, row, numbers)
                found = row.partials[argument](mpmath_, z, *numbers)  # type: ignore[index, misc]
                try:
                    textbook = as_written(row, argument, numbers)
                except ZeroDivisionError:  # 0/0 it must be: what it tends to is seen beside the point
                    numbers[argument] += mp.mpf(10) ** -60
                    textbook = as_written(row, argument, numbers)
                assert abs(found - textbook) <= mp.mpf(10) ** -45 * max(1, abs(textbook)), point


SECOND = [(row, i, j) for row, i in ROW_AND_ARGUMENT for j in differentiable(row)]


@pytest.mark.parametrize("partials", SECOND, ids=name_of)
@given(data=st.data())
def test_second_order(partials: tuple[Primitive, int, int], data: st.DataObject) -> None:
    row, first, second = partials
    either = operands(row, max(first, second))
    # elu with alpha 1 has a slope at zero without a kink, but two second derivatives.
    smooth = either.filter(lambda xs: is_smooth(row, xs, first, second) and not (row.name == "elu" and xs[0] == 0))
    drawn = data.draw(smooth)
    checks.check_second_order(row, first, second, drawn)


# Values


def assert_too_large(row: Primitive, drawn: tuple[float, ...]) -> None:
    """OverflowError is right only where the exact value is beyond the floats."""
    assert abs(checks.exact_value(row, drawn)) > checks.LARGEST * (1 - 2**-50), f"{row.name}{drawn} is no overflow"


@every_row
@given(data=st.data())
def test_value(row: Primitive, data: st.DataObject) -> None:
    checks.check_value(row, data.draw(operands(row)))


@every_row
@given(data=st.data())
def test_value_of_all_sizes(row: Primitive, data: st.DataObject) -> None:
    checks.check_value(row, data.draw(operands(row, None, WIDE, 2)))


@every_row
def test_value_at_special_points(row: Primitive) -> None:
    for point in special_points(row, lambda xs: in_domain(row, xs)):
        checks.check_value(row, point)


@pytest.mark.parametrize("row", [row for row in ROWS if row.example], ids=name_of)
def test_the_example_of_the_documentation(row: Primitive) -> None:
    assert row.example is not None
    arguments, value = row.example
    assert round(getattr(autograd, row.name)(*arguments), 6) == value


# Domains, end points, kinks


@every_row
@given(data=st.data())
def test_domain_is_where_the_float_function_does_not_raise(row: Primitive, data: st.DataObject) -> None:
    finite = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-3, 3).map(float))
    size = 2 if row.n_ary else row.arity
    checks.check_domain(row, data.draw(st.tuples(*[finite] * size)))


@every_row
def test_domain_at_special_points_and_infinities(row: Primitive) -> None:
    numbers = (-math.inf, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, math.inf)
    for point in itertools.product(numbers, repeat=2 if row.n_ary else row.arity):
        checks.check_domain(row, point)


@every_row
def test_outside_the_domain_a_value_raises_as_a_number_does(row: Primitive) -> None:
    for point in special_points(row, lambda xs: not in_domain(row, xs)):
        for arguments in (point, checks.leaves_of(row, point)):
            with pytest.raises(DomainError, match=f"^{row.name} needs "):
                checks.record(row, arguments)


def points_of_limits(row: Primitive) -> list[tuple[Limit, tuple[float, ...]]]:
    """Each limit of a row with the special points where it holds; at a kink it is a convention, tested by its name."""
    points = list(special_points(row, lambda xs: in_domain(row, xs) and not row.kinks(*xs)))
    return [(limit, point) for limit in row.limits for point in points if limit.at(*point)]


LIMITS = [row for row in ROWS if points_of_limits(row)]


@pytest.mark.parametrize("row", LIMITS, ids=name_of)
def test_limits_are_what_the_partials_tend_to(row: Primitive) -> None:
    for limit, point in points_of_limits(row):
        checks.check_limit(row, limit.argument, point, limit.value)


@pytest.mark.parametrize("row", LIMITS, ids=name_of)
def test_backward_has_the_limits(row: Primitive) -> None:
    for limit, point in points_of_limits(row):
        assert checks.slope(row, limit.argument, point) == limit.value
        others = [Value(x) if i == limit.argument else x for i, x in enumerate(point)]
        gradient = autograd.gradients(checks.record(row, others), others[limit.argument])
        assert gradient.data == limit.value


@every_partial
def test_a_slope_without_a_limit_raises(partial: Partial) -> None:
    """Wherever a partial is not defined, and the row names no limit there, ``backward()`` says so."""
    row, argument = partial

    def nothing_said(xs: tuple[float, ...]) -> bool:
        limited = any(limit.argument == argument and limit.at(*xs) for limit in row.limits)
        return in_domain(row, xs) and not row.n_ary and not row.partial_domain(argument)(*xs) and not limited

    for point in special_points(row, nothing_said):
        with pytest.raises(
            DomainError, match=f"^{row.name} has no derivative with respect to {row.arguments[argument]}"
        ):
            checks.slope(row, argument, point)


@every_partial
def test_a_partial_domain_is_where_the_derivative_is_finite(partial: Partial) -> None:
    """By its rule or by a limit; at a kink the row states a convention instead."""
    row, argument = partial

    def has_derivative(xs: tuple[float, ...]) -> bool:
        try:
            (slope,) = interpret.partials(floats, row, checks.value_in(floats, row, xs), xs, [argument])
        except DomainError:
            return False
        return math.isfinite(slope)

    for point in special_points(row, lambda xs: in_domain(row, xs) and not row.n_ary and not row.kinks(*xs)):
        assert bool(row.partial_domain(argument)(*point)) == has_derivative(point), point


HALF_PI = math.pi / 2

CONVENTIONS = [
    ("relu", 0, (0.0,), 0.0),
    ("relu", 0, (-0.0,), 0.0),
    ("abs", 0, (0.0,), 0.0),
    ("abs", 0, (-0.0,), 0.0),
    ("sign", 0, (0.0,), 0.0),
    ("maximum", 0, (2.0, 2.0), 0.5),
    ("maximum", 1, (2.0, 2.0), 0.5),
    ("maximum", 0, (0.0, -0.0), 0.5),
    ("minimum", 0, (2.0, 2.0), 0.5),
    ("minimum", 1, (2.0, 2.0), 0.5),
    ("clip", 0, (0.0, 0.0, 1.0), 1.0),
    ("clip", 0, (1.0, 0.0, 1.0), 1.0),
    ("clip", 0, (0.5, 0.5, 0.5), 1.0),
    ("clip", 0, (math.nextafter(0.0, -1.0), 0.0, 1.0), 0.0),
    ("clip", 0, (math.nextafter(1.0, 2.0), 0.0, 1.0), 0.0),
    ("floor", 0, (1.0,), 0.0),
    ("ceil", 0, (1.0,), 0.0),
    ("leaky_relu", 0, (0.0, 0.25), 0.25),
    ("elu", 0, (0.0, 2.0), 2.0),
    ("selu", 0, (0.0, 2.0, 3.0), 6.0),
    ("hypot", 0, (0.0, 0.0), 0.0),
    ("hypot", 1, (0.0, 0.0), 0.0),
    ("sqrt", 0, (0.0,), math.inf),
    ("cbrt", 0, (0.0,), math.inf),
    ("asin", 0, (1.0,), math.inf),
    ("asin", 0, (-1.0,), math.inf),
    ("acos", 0, (1.0,), -math.inf),
    ("acosh", 0, (1.0,), math.inf),
    ("pow", 0, (0.0, 0.0), 0.0),
    ("pow", 0, (0.0, 0.5), math.inf),
    ("pow", 0, (0.0, 1.0), 1.0),
    ("pow", 0, (0.0, 2.0), 0.0),
    ("pow", 0, (-2.0, 3.0), 12.0),
    ("pow", 1, (0.0, 2.0), 0.0),
    ("pow", 1, (0.0, 0.0), -math.inf),
    ("atan2", 0, (0.0, -2.0), -0.5),
    ("atan2", 1, (-0.0, -2.0), 0.0),
    ("xlogy", 0, (0.0, 0.0), -math.inf),
    ("xlogy", 0, (0.0, 2.0), math.log(2.0)),
    ("xlogy", 1, (0.0, 0.0), 0.0),
    ("sinc", 0, (0.0,), 0.0),
    ("prod", 0, (0.0, 0.0, 3.0), 0.0),
    ("prod", 0, (0.0, 2.0, 3.0), 6.0),
]


@pytest.mark.parametrize(("name", "argument", "point", "expected"), CONVENTIONS)
def test_conventions(name: str, argument: int, point: tuple[float, ...], expected: float) -> None:
    """What the derivative is where mathematics leaves a choice, or has an infinite slope."""
    row = TABLE[name]
    assert checks.slope(row, argument, point) == expected
    leaves: list[Any] = list(point)
    leaves[argument] = Value(point[argument])
    assert autograd.gradients(checks.record(row, leaves), leaves[argument]).data == expected


@pytest.mark.parametrize(
    ("name", "point", "expected"),
    [("sqrt", 0.0, -math.inf), ("asin", 1.0, math.inf), ("acos", 1.0, -math.inf), ("acosh", 1.0, -math.inf)],
)
def test_a_second_derivative_at_an_end_point_is_not_silently_zero(name: str, point: float, expected: float) -> None:
    """Where the slope is infinite the second derivative is too: it is that, or an error that says so."""
    try:
        second = autograd.grad(autograd.grad(getattr(autograd, name)))(point)
    except DomainError:
        return
    assert checks.as_float(second) == expected


def test_the_rows_that_jump_are_those_whose_sides_differ() -> None:
    found = set()
    for row in ROWS:
        if row.n_ary:
            continue
        for point in special_points(row, lambda xs, row=row: in_domain(row, xs) and bool(row.kinks(*xs))):
            for i in range(row.arity):
                sides = [[x + h * (j == i) for j, x in enumerate(point)] for h in (1e-9, -1e-9)]
                if all(in_domain(row, tuple(side)) for side in sides):
                    high, low = (checks.value_in(floats, row, side) for side in sides)
                    if abs(high - low) > 0.1:
                        found.add(row.name)
    assert found == {row.name for row in ROWS if row.jumps}


BY_FORMULA = [TABLE[name.removeprefix("domain_of_")] for name in vars(floats) if name.startswith("domain_of_")]


@pytest.mark.parametrize("row", BY_FORMULA, ids=name_of)
def test_a_formula_has_a_value_in_the_domain_and_nowhere_else(row: Primitive) -> None:
    """Floats refuse what is outside of the row's domain; the formula itself says where that is, by an error or nan."""
    formula = row.stable or row.formula
    numbers = (-math.inf, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, math.inf)
    for point in itertools.product(numbers, repeat=row.arity):
        try:
            has_value = not math.isnan(formula(floats, *point))
        except OverflowError:
            has_value = True
        except (ValueError, ZeroDivisionError):
            has_value = False
        if all(map(math.isfinite, point)):
            assert bool(row.domain(*point)) == has_value, point
        else:  # ∞ · 0 is nan inside of a domain too
            assert row.domain(*point) or not has_value, point


# All floats


def is_left_to_right(row: Primitive) -> bool:
    """Decided to combine as a loop does, so that what is finite in the end may overflow on the way."""
    return row.name in ("sum", "prod", "dot")


any_float = st.one_of(
    st.floats(),
    st.sampled_from(
        [5e-324, 2.2e-308, 1e-160, 1e160, 1.7e308, math.inf, -math.inf, -1e160, -1.7e308, -5e-324, 0.0, -0.0]
    ),
)


def sized(row: Primitive) -> int:
    return 2 if row.n_ary else row.arity


@every_row
@given(data=st.data())
def test_no_float_makes_anything_but_a_number_or_its_own_error(row: Primitive, data: st.DataObject) -> None:
    """Not even nan, infinities and subnormal numbers; backward neither."""
    point = data.draw(st.tuples(*[any_float] * sized(row)))
    message = row.name
    try:
        node = checks.record(row, checks.leaves_of(row, point))
        assert type(node.data) is float
        node.backward()
    except (DomainError, OverflowError) as error:
        message = str(error)
    assert message.startswith(row.name)


def of_a_subnormal_product(row: Primitive, point: tuple[float, ...], exact: Any) -> Any:
    """What the outer one of two factors that are parameters, scale·(alpha·eˣ), makes of the rounding of the product.

    That is half of the smallest float where the product is subnormal. In the other order scale·alpha may overflow.
    """
    factors = [] if row.name in checks.EXACT else [abs(x) for i, x in enumerate(point) if is_constant(row, i)]
    if len(factors) < 2 or abs(exact) >= checks.SMALLEST_NORMAL * mp.mpf(factors[0]):
        return 0
    return mp.mpf(checks.SMALLEST) * factors[0] / 2


@every_row
@given(data=st.data())
def test_what_is_finite_never_overflows_on_the_way(row: Primitive, data: st.DataObject) -> None:
    finite = any_float.filter(math.isfinite)
    point = data.draw(st.tuples(*[finite] * sized(row)).filter(lambda xs: in_domain(row, xs) and not row.kinks(*xs)))
    if is_left_to_right(row) or (row.name in ("erfc", "gelu") and abs(point[0]) > 1e6):
        return  # the referee itself has no erfc of such size
    exact = checks.exact_value(row, point)
    try:
        computed = checks.value_in(floats, row, point)
    except OverflowError:
        computed = math.inf
    if abs(exact) < checks.LARGEST:
        # A subnormal factor is rounded to a multiple of the smallest float, and so is what it multiplies.
        underflow = min(checks.SMALLEST * max(1e3, *map(abs, point)), checks.SMALLEST_NORMAL)
        error = abs(computed - exact)
        assert error <= 1e-12 * abs(exact) + underflow + of_a_subnormal_product(row, point, exact), (point, computed)
    else:
        assert abs(computed) >= checks.LARGEST


@every_partial
@given(data=st.data())
def test_a_finite_slope_never_overflows_on_the_way(partial: Partial, data: st.DataObject) -> None:
    row, argument = partial
    finite = any_float.filter(math.isfinite)
    point = data.draw(st.tuples(*[finite] * sized(row)).filter(lambda xs: is_smooth(row, xs, argument)))
    assert_slope_is_finite_if_exactly_finite(row, argument, point)


def assert_slope_is_finite_if_exactly_finite(row: Primitive, argument: int, point: tuple[float, ...]) -> None:
    if is_left_to_right(row) or (row.name in ("erfc", "gelu") and abs(point[0]) > 1e6):
        return
    if abs(checks.exact_value(row, point)) > checks.LARGEST:
        return
    if abs(checks.exact_derivative(row, point, argument)) < checks.LARGEST / 4:
        assert math.isfinite(checks.slope(row, argument, point)), point


@pytest.mark.parametrize(
    ("name", "argument", "point"),
    [
        ("pow", 0, (1e-310, 1e-6)),
        ("div", 1, (1e-200, 1e-200)),
        ("atan2", 0, (1e-200, 1e-200)),
        ("hypot", 0, (1.1e308, 1.1e308)),
        ("asinh", 0, (1.7e308,)),
        ("acosh", 0, (1.7e308,)),
        ("mean", 0, (1.7e308, -1e308)),
    ],
)
def test_slopes_near_the_ends_of_the_floats(name: str, argument: int, point: tuple[float, ...]) -> None:
    assert_slope_is_finite_if_exactly_finite(TABLE[name], argument, point)


@pytest.mark.parametrize("name", [row.name for row in ROWS if not row.n_ary and row.arity == 1])
@pytest.mark.parametrize("x", [math.inf, -math.inf])
def test_slope_at_infinity(name: str, x: float) -> None:
    """Where the value has a limit at infinity, the slope has one too, and it is not nan."""
    row = TABLE[name]
    leaf = Value(x)
    try:
        node = checks.record(row, [leaf])
    except (DomainError, OverflowError):
        return
    node.backward()
    assert not math.isnan(leaf.grad)


@pytest.mark.parametrize("row", [row for row in ROWS if row.name not in ("where", "hypot", "pow")], ids=name_of)
def test_nan_comes_through(row: Primitive) -> None:
    """A nan among the operands is never hidden by a number (IEEE 754 excepts hypot with an infinity and pow)."""
    size = sized(row)
    for position in range(size):
        if is_constant(row, position):
            continue
        point = [1.5] * size
        point[position] = math.nan
        if in_domain(row, tuple(point)) or size == 1:
            try:
                assert math.isnan(checks.value_in(floats, row, point))
            except ValueError:
                assert not in_domain(row, tuple(point))


# Digits


@pytest.mark.parametrize("shift", [1e3, 1e6, 1e15, 1e17])
def test_softmax_adds_up_to_one_wherever_its_numbers_are(shift: float) -> None:
    """Shifting all numbers changes nothing: the differences are exact, so n roundings of 1 are all that may be lost."""
    assert autograd.softmax([shift, shift]) == pytest.approx([0.5, 0.5], rel=8 * checks.EPS, abs=0.0)
    assert autograd.log_softmax([shift, shift]) == pytest.approx([-math.log(2)] * 2, rel=8 * checks.EPS, abs=0.0)
    assert autograd.grad(autograd.logsumexp)([shift, shift]) == pytest.approx([0.5, 0.5], rel=8 * checks.EPS, abs=0.0)


@pytest.mark.parametrize("x", [5.0, 12.34, 19.06123, 25.0])
def test_mish_slope_keeps_its_digits(x: float) -> None:
    """1 - tanh² cancels for large x, and x multiplies what is left: 1 / cosh² loses nothing."""
    checks.check_partial_exactly(TABLE["mish"], 0, (x,))


@pytest.mark.parametrize("largest", [1e-320, 1e-200, 1.0, 1e200, 1e307])
def test_norm_at_all_sizes(largest: float) -> None:
    xs = [3 * largest, -4 * largest]
    assert autograd.norm(xs) == pytest.approx(5 * largest, rel=8 * checks.EPS, abs=2 * checks.SMALLEST)
    # The numbers of a subnormal vector have few digits, and so has its direction.
    digits = 8 * checks.EPS + 4 * checks.SMALLEST / largest
    assert autograd.grad(autograd.norm)(xs) == pytest.approx([0.6, -0.8], rel=digits, abs=0.0)


def test_norm_of_zeros_has_the_subgradient_zero() -> None:
    assert autograd.grad(autograd.norm)([0.0, 0.0, 0.0]) == [0.0, 0.0, 0.0]


def test_mean_of_huge_numbers_does_not_overflow() -> None:
    assert autograd.mean([1e308, 1e308]) == 1e308
    assert autograd.mean([1.7e308, -1e308]) == pytest.approx(
        3.5e307, rel=4 * checks.EPS, abs=0.0
    )  # the difference is rounded


def test_the_slope_of_a_small_power_keeps_its_digits() -> None:
    """For |y| < 1/2 the difference y - 1 is rounded, which the logarithm of x magnifies; y / x is not."""
    checks.check_partial_exactly(TABLE["pow"], 0, (8.470329472543003e-22, 5.551115123125783e-17))
    checks.check_partial_exactly(TABLE["pow"], 0, (1e-300, 1e-4))
    checks.check_partial_exactly(TABLE["pow"], 0, (1e300, -1e-4))


def test_variance_far_from_zero_keeps_its_digits() -> None:
    assert autograd.variance([1e9 + 1, 1e9 + 3]) == 1.0
    assert autograd.variance([1.0, 2.0, 6.0], ddof=1) == pytest.approx(7.0, rel=8 * checks.EPS, abs=0.0)


def test_sums_are_left_to_right_and_uncompensated() -> None:
    """On every version of Python: the built-in ``sum`` has compensated since 3.12."""
    assert autograd.sum([1e16, 1.0, -1e16]) == 0.0
    assert autograd.dot([1e16, 1.0, -1e16], [1.0, 1.0, 1.0]) == 0.0
    tenths = [0.1] * 10
    assert autograd.sum(tenths) == 0.9999999999999999
    assert autograd.sum([Value(x) for x in tenths]).data == 0.9999999999999999
    assert autograd.dot([Value(x) for x in tenths], [1.0] * 10).data == 0.9999999999999999


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        *(
            ("silu", -math.inf, -0.0),
            ("mish", -math.inf, -0.0),
            ("silu", math.inf, math.inf),
            ("mish", math.inf, math.inf),
        ),
        *(("softsign", -math.inf, -1.0), ("softsign", math.inf, 1.0), ("softplus", -math.inf, 0.0)),
        *(("log_sigmoid", -math.inf, -math.inf), ("sigmoid", -math.inf, 0.0), ("exp2", -math.inf, 0.0)),
    ],
)
def test_limits_of_values_at_infinity(name: str, x: float, expected: float) -> None:
    found = checks.value_in(floats, TABLE[name], (x,))
    assert (found, math.copysign(1.0, found)) == (expected, math.copysign(1.0, expected))


@pytest.mark.parametrize("row", [TABLE["logsumexp"]], ids=name_of)
@pytest.mark.parametrize("xs", [(-math.inf, -math.inf), (math.inf, 1.0), (1.0, -math.inf), (-math.inf, 1.0, math.inf)])
def test_infinities_come_through_the_stable_formula_as_through_floats(row: Primitive, xs: tuple[float, ...]) -> None:
    assert row.stable(floats, xs) == floats.logsumexp(xs)


# The checker is checked: what is wrong by one per cent, in its sign, or at one point must not pass.


def changed(row: Primitive, argument: int, change: Callable[..., Any]) -> Primitive:
    """The row with ``change(m, partial, operands)`` in place of one partial."""
    rule = row.partials
    if callable(rule):

        def of_all(m: Any, z: Any, xs: list[Any]) -> list[Any]:
            found = list(rule(m, z, xs))
            found[argument] = change(m, found[argument], xs)
            return found

        return row._replace(partials=of_all)
    old = rule[argument]
    assert old is not None
    rules = list(rule)
    rules[argument] = lambda m, z, *xs: change(m, old(m, z, *xs), xs)
    return row._replace(partials=tuple(rules))


def by_one_per_cent(row: Primitive, argument: int) -> Primitive:
    if row in STEPS:
        return changed(row, argument, lambda m, p, xs: m.number(1) / 100)
    return changed(row, argument, lambda m, p, xs: p * (m.number(101) / 100))


def with_the_wrong_sign(row: Primitive, argument: int) -> Primitive:
    if row in STEPS:
        return changed(row, argument, lambda m, p, xs: m.number(-1))
    return changed(row, argument, lambda m, p, xs: -1 * p)


def rejects(check: Callable[..., None], row: Primitive, wrong: Primitive, argument: int, examples: int = 100) -> bool:
    """Whether the property, run as the tests above run it, fails for the wrong row."""

    @settings(phases=[Phase.generate], max_examples=examples, derandomize=True, database=None)
    @given(drawn=operands(row, argument))
    def run(drawn: tuple[float, ...]) -> None:
        check(wrong, argument, drawn)

    try:
        run()
    except (AssertionError, DomainError):  # swapped operands may leave the domain
        return True
    return False


PARTIAL_CHECKS = [
    checks.check_partial_exactly,
    checks.check_partial_by_difference,
    checks.check_partial_by_complex_step,
    checks.check_partial_in_fractions,
]


@pytest.mark.parametrize("mutation", [by_one_per_cent, with_the_wrong_sign])
@pytest.mark.parametrize("check", PARTIAL_CHECKS)
@every_partial
def test_the_checks_reject_a_wrong_partial(
    partial: Partial, check: Callable[..., None], mutation: Callable[..., Primitive]
) -> None:
    row, argument = partial
    if check is checks.check_partial_by_complex_step and row.name in complex_.LACKS:
        return
    if check is checks.check_partial_in_fractions and not checks.has_partial_in_fractions(row, argument):
        return
    wrong = mutation(row, argument)
    assert rejects(check, row, wrong, argument)


@every_partial
def test_the_checks_accept_an_unchanged_copy(partial: Partial) -> None:
    """So that a rejection above is of the change, not of the copy."""
    row, argument = partial
    copy = changed(row, argument, lambda m, p, xs: p)
    assert not rejects(checks.check_partial_exactly, row, copy, argument, examples=10)
    assert not rejects(checks.check_partial_by_difference, row, copy, argument, examples=10)


@every_partial
def test_the_special_points_reject_a_partial_wrong_at_one_of_them_only(partial: Partial) -> None:
    row, argument = partial
    points = list(special_points(row, lambda xs: is_smooth(row, xs, argument)))
    for at in points[:: max(1, len(points) // 4)]:

        def at_one_point(m: Any, p: Any, xs: Any, at: tuple[float, ...] = at) -> Any:
            if len(xs) != len(at):
                return p
            wrong: Any = p + (1 + p * p) * (m.number(1) / 100)
            for x, here in zip(xs, at, strict=True):
                wrong = m.where(m.less(x, m.number(here)), p, m.where(m.greater(x, m.number(here)), p, wrong))
            return wrong

        wrong = changed(row, argument, at_one_point)
        failed = []
        for point in points:
            try:
                checks.check_partial_exactly(wrong, argument, point)
            except AssertionError:
                failed.append(point)
        assert failed == [at]


@pytest.mark.parametrize(
    "row",
    [r for r in ROWS if len(differentiable(r)) == 2 and r.name not in ("add", "where") and not (r.n_ary or r in STEPS)],
    ids=name_of,
)
def test_the_checks_reject_swapped_arguments(row: Primitive) -> None:
    partials = row.partials
    assert not callable(partials)
    first, second = partials
    swapped_operands = row._replace(
        partials=tuple(None if r is None else lambda m, z, x, y, r=r: r(m, z, y, x) for r in partials),
    )
    swapped_rules = row._replace(partials=(second, first))
    constant = row.name in ("sub", "exp_difference")
    for wrong in (swapped_rules,) if constant else (swapped_operands, swapped_rules):
        for check in (checks.check_partial_exactly, checks.check_partial_by_difference):
            assert any(rejects(check, row, wrong, argument) for argument in (0, 1))


def test_the_check_of_second_order_rejects_a_wrong_rule() -> None:
    """``z`` in place of a number: right to first order, constant to second."""
    row = TABLE["exp"]
    wrong = changed(row, 0, lambda m, p, xs: m.detach(p) if m.NAME == "values" else p)
    checks.check_partial_exactly(wrong, 0, (1.0,))
    with pytest.raises(AssertionError, match="second derivative of exp"):
        checks.check_second_order(wrong, 0, 0, (1.0,))


@pytest.mark.parametrize("row", [r for r in ROWS if r.needs and not r.n_ary], ids=name_of)
def test_the_check_of_the_domain_rejects_a_wrong_predicate(row: Primitive) -> None:
    wrong = row._replace(domain=lambda *xs: True)
    numbers = (-math.inf, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
    points = itertools.product(numbers, repeat=row.arity)
    failed = 0
    for point in points:
        try:
            checks.check_domain(wrong, point)
        except AssertionError:
            failed += 1
    assert failed


@pytest.mark.parametrize("row", LIMITS, ids=name_of)
def test_the_check_of_limits_rejects_a_wrong_limit(row: Primitive) -> None:
    for limit, point in points_of_limits(row):
        for wrong in (1.0, -limit.value if limit.value else math.inf):
            with pytest.raises(AssertionError, match="does not tend"):
                checks.check_limit(row, limit.argument, point, wrong)


def test_the_check_of_values_rejects_one_ulp_too_many() -> None:
    off = {"square": 1, "exp": 6}
    for name, steps in off.items():
        row = TABLE[name]
        right = checks.value_in(floats, row, (1.1,))
        checks.check_value(row, (1.1,))
        moved = right
        for _ in range(steps):
            moved = math.nextafter(moved, math.inf)
        error = abs(mp.mpf(moved) - checks.exact_value(row, (1.1,)))
        assert error > checks.rounding_of(row, (1.1,))


# Laws: what a row says of itself, and that it says all


NUMBERS = (
    0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, 0.1, -0.1, 1 - 2.0**-53, 27.3, 800.0, -800.0, 5e-324, -5e-324,
    1e-308, 1e308, -1e308, 1.7976931348623157e308, math.inf, -math.inf, math.nan,
)  # fmt: skip
OF_FIXED_ARITY = [row for row in TABLE.values() if not row.n_ary]
OF_TWO = [row for row in OF_FIXED_ARITY if row.arity == 2]


def bits_of(row: Primitive, *operands: float) -> str:
    """The value as text that tells all bits but those of a nan; "none" where there is no value."""
    try:
        return repr(checks.value_in(floats, row, operands))
    except (ValueError, ArithmeticError):
        return "none"


@pytest.mark.parametrize("row", OF_TWO, ids=name_of)
def test_a_row_says_whether_it_commutes(row: Primitive) -> None:
    pairs = itertools.product(NUMBERS, repeat=2)
    assert all(bits_of(row, x, y) == bits_of(row, y, x) for x, y in pairs) == row.commutes


@pytest.mark.parametrize("row", [row for row in OF_FIXED_ARITY if row.arity > 1], ids=name_of)
def test_a_row_says_whether_it_is_idempotent(row: Primitive) -> None:
    """Of a choice the condition stands before the two numbers; a parameter, such as a slope, is no number beside x."""
    partials = row.partials
    assert isinstance(partials, tuple)
    if not row.compares and partials[-1] is None:
        assert not row.idempotent
        return
    before = itertools.product((0.0, 1.0), repeat=row.arity - 2)
    assert all(bits_of(row, *some, x, x) == repr(x) for some in before for x in NUMBERS) == row.idempotent


@pytest.mark.parametrize("row", OF_TWO, ids=name_of)
def test_a_row_says_what_is_neutral(row: Primitive) -> None:
    """A number that leaves every other as it is, whichever side it stands on; parameters are none."""
    partials = row.partials
    assert isinstance(partials, tuple)
    for place, rule in enumerate(partials):
        found = [
            repr(n)
            for n in NUMBERS
            if rule is not None and all(bits_of(row, *((n, x) if place == 0 else (x, n))) == repr(x) for x in NUMBERS)
        ]
        stated = row.neutral[place] if row.neutral else None
        assert found == ([] if stated is None else [repr(stated)])


@pytest.mark.parametrize("row", OF_FIXED_ARITY, ids=name_of)
def test_a_row_says_whether_it_is_never_minus_zero(row: Primitive) -> None:
    some = NUMBERS if row.arity < 3 else NUMBERS[:9]
    never = all(bits_of(row, *operands) != "-0.0" for operands in itertools.product(some, repeat=row.arity))
    assert never == row.never_minus_zero


# How the table is made


def test_names_and_aliases_are_unique() -> None:
    names = [*TABLE, *(alias for row in TABLE.values() for alias in row.aliases)]
    assert len(names) == len(set(names))


def test_rules_hold_no_float_literals() -> None:
    """A float literal would spoil fractions and mathematics: run over source text, no rule writes one."""
    import re

    from autograd.number_systems.source import Text, Writer, formulas, operands_of, slopes

    for row in TABLE.values():
        writer = Writer()
        last = [] if row.n_ary else slopes(row, writer.m, Text("z", writer), operands_of(row, writer))
        for text in [*formulas(row).values(), *writer.lines, *map(str, last)]:
            assert not re.search(r"\d\.\d|\de-?\d", text), f"{row.name}: {text}"


def test_rows_are_frozen() -> None:
    row: Any = TABLE["tanh"]
    with pytest.raises(AttributeError):
        row.name = "other"
    table: Any = TABLE
    with pytest.raises(TypeError):
        table["tanh"] = row


def test_find_knows_aliases_and_suggests_near_names() -> None:
    assert autograd.find("arctan") is TABLE["atan"]
    assert autograd.find("tanh") is TABLE["tanh"]
    with pytest.raises(KeyError, match=r"tanhh.*did you mean tanh"):
        autograd.find("tanhh")


@pytest.mark.parametrize(
    "row", [row for row in TABLE.values() if not row.n_ary and row.constants[:1] != row.arguments[:1]], ids=name_of
)
def test_a_value_has_the_methods_that_rows_name_and_no_others(row: Primitive) -> None:
    assert hasattr(Value(1.0), row.name) == (row.method and not row.compares)


@pytest.mark.parametrize(
    ("name", "expected"), [("leaky_relu", -0.01), ("elu", math.expm1(-1.0))], ids=["leaky_relu", "elu"]
)
def test_a_constant_left_out_is_the_customary_one(name: str, expected: float) -> None:
    constants = TABLE[name].defaults
    assert getattr(autograd, name)(Value(-1.0), *constants).data == expected
    assert getattr(autograd, name)(Value(-1.0)).data == expected
