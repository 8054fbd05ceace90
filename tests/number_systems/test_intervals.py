"""Intervals: whatever is rounded, the exact result lies inside; and they are not wider than they need be."""

from __future__ import annotations

import contextlib
import itertools
import math
import random
from fractions import Fraction
from functools import partial
from typing import Any

import mpmath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath import mp

import autograd
from autograd import TABLE, DomainError, Primitive, Value, evaluate, where
from autograd.interpret import partials
from autograd.number_systems import floats, intervals, mpmath_
from autograd.number_systems.directed import product_above, product_below, product_error, quotient_above, quotient_below
from autograd.number_systems.enclosures import ULPS, UNDECIDED, Interval
from autograd.number_systems.formulas import used_by
from autograd.primitives import nowhere
from autograd.testing.regions import in_domain
from tests import checks
from tests.rows import ROW_AND_ARGUMENT, ROWS, is_constant, is_smooth, name_of
from tests.strategies import NEAR, WIDE, operands

Around = tuple[list[Interval], list[Any]]


@st.composite
def surroundings(draw: st.DrawFn, row: Primitive, scales: Any, *, argument: int | None = None) -> Around:
    """Intervals around operands of a row, from none to wide ones, and exact numbers inside of them."""
    point = draw(operands(row, argument, scales, 3))
    assume(not (row.name in ("erfc", "gelu") and abs(point[0]) > 1e6))  # the referee has none of such size
    radius = draw(st.sampled_from([0.0, 1e-15, 1e-9, 0.01, 0.5, 3.0]))
    around, inside = [], []
    for i, x in enumerate(point):
        if is_constant(row, i) and row.name != "detach":
            around.append(Interval(x, x))
            inside.append(mpmath_.number(x))
            continue
        below, above = (abs(x) * radius * draw(st.floats(0, 1)) for _ in range(2))
        interval = Interval(x - below, x + above)
        at = draw(st.sampled_from([0, 1, Fraction(1, 3)]))
        with mpmath.workdps(400):  # exactly, so that it stays inside
            here = interval.low + (mp.mpf(interval.high) - interval.low) * at.numerator / at.denominator
        with mpmath.workdps(60):  # as many as the referee has, who is exact then where he can be
            here = +here
        around.append(interval)
        inside.append(min(max(here, mp.mpf(interval.low)), mp.mpf(interval.high)) or mpmath_.PLUS_ZERO)
    return around, inside


def enclosure(row: Primitive, around: list[Interval]) -> Interval | None:
    """The row's value over intervals; ``None`` where they are not all in its domain, or too large for floats."""
    try:
        found: Interval = checks.value_in(intervals, row, around)
    except (ValueError, ArithmeticError):
        return None
    return found


def check_enclosure(row: Primitive, around: list[Interval], inside: list[Any]) -> None:
    found = enclosure(row, around)
    if found is not None:
        with mpmath.workdps(60):
            assert checks.value_in(mpmath_, row, inside) in found, f"{row.name}{tuple(around)} at {inside}"


@pytest.mark.parametrize("row", ROWS, ids=name_of)
@given(data=st.data())
def test_the_exact_value_is_inside(row: Primitive, data: st.DataObject) -> None:
    check_enclosure(row, *data.draw(surroundings(row, NEAR + WIDE)))


@pytest.mark.parametrize("row", [row for row in ROWS if not row.n_ary and row.arity <= 2], ids=name_of)
def test_the_exact_values_are_inside_of_wide_boxes(row: Primitive) -> None:
    """Between whose ends a function may rise and fall."""
    source = random.Random(row.name)
    for _ in range(60):
        low = [source.uniform(-30, 30) for _ in range(row.arity)]
        around = [Interval(x, x if is_constant(row, i) else x + source.uniform(0.5, 5)) for i, x in enumerate(low)]
        for _ in range(10):
            inside = [mpmath_.number(source.uniform(box.low, box.high)) for box in around]
            if in_domain(row, tuple(map(float, inside))):
                check_enclosure(row, around, inside)


@pytest.mark.parametrize("partial", ROW_AND_ARGUMENT, ids=name_of)
@given(data=st.data())
def test_the_exact_partial_is_inside(partial: tuple[Primitive, int], data: st.DataObject) -> None:
    row, argument = partial
    around, inside = data.draw(surroundings(row, NEAR, argument=argument))
    check_enclosure_of_a_partial(row, argument, around, inside)


def check_enclosure_of_a_partial(row: Primitive, argument: int, around: list[Interval], inside: list[Any]) -> None:
    found = enclosure_of_a_partial(row, argument, around)
    if found is None:
        assert has_an_edge(row, argument, around), f"{row.name}{tuple(around)} is refused, and all its parts are not"
        return
    with mpmath.workdps(60):
        exact = partials(mpmath_, row, checks.value_in(mpmath_, row, inside), inside, [argument])[0]
    assert exact in found, f"{row.name}{tuple(around)} at {inside}"


@pytest.mark.parametrize("partial", [(row, i) for row, i in ROW_AND_ARGUMENT if not row.n_ary], ids=name_of)
def test_the_exact_partials_are_inside_of_wide_boxes(partial: tuple[Primitive, int]) -> None:
    row, argument = partial
    source = random.Random(name_of(partial))
    for _ in range(20):
        low = [source.choice([-2.0, -1.0, 0.0, source.uniform(-4, 4)]) for _ in range(row.arity)]
        around = [Interval(x, x if is_constant(row, i) else x + source.uniform(0.5, 5)) for i, x in enumerate(low)]
        for _ in range(5):
            inside = [source.uniform(box.low, box.high) for box in around]
            if is_smooth(row, tuple(inside), argument):
                check_enclosure_of_a_partial(row, argument, around, list(map(mpmath_.number, inside)))


def enclosure_of_a_partial(row: Primitive, argument: int, around: list[Interval]) -> Interval | None:
    """A partial over intervals; ``None`` where it is refused, or the value is."""
    z = enclosure(row, around)
    if z is None:
        return None
    try:
        return intervals.number(partials(intervals, row, z, around, [argument])[0])
    except (ValueError, ArithmeticError):
        return None


def has_an_edge(row: Primitive, argument: int, around: list[Interval]) -> bool:
    """Whether a box holds a point where the partial does not exist, or is not bounded.

    Of boxes that are refused, both halves are tried in turn, down to one in which such a point is seen.
    """
    boxes = [around]
    while boxes:
        box = boxes.pop()
        if enclosure_of_a_partial(row, argument, box) is not None:
            continue
        widths = [side.width / max(1.0, abs(side.high)) for side in box]
        widest = widths.index(max(widths))
        if widths[widest] < 1e-12:
            return any(is_at_an_edge(row, argument, point) for point in itertools.product(*map(points_of, box)))
        side = box[widest]
        middle = side.low + (side.high - side.low) / 2
        halves = Interval(side.low, middle), Interval(middle, side.high)
        boxes += [[*box[:widest], half, *box[widest + 1 :]] for half in halves]
    return False


def points_of(side: Interval) -> set[float]:
    """The ends of a narrow interval, and the whole number in it."""
    return {side.low, side.high} | ({float(round(side.low))} if round(side.low) in side else set())


def is_at_an_edge(row: Primitive, argument: int, point: tuple[float, ...]) -> bool:
    """Whether the partial does not exist there, is a limit, or is so large that it has no bound within a narrow box."""
    if not in_domain(row, point) or not row.partial_domain(argument)(*point):
        return True
    if any(limit.argument == argument and limit.at(*point) for limit in row.limits):
        return True
    with mpmath.workdps(60):
        numbers = [mpmath_.number(x) for x in point]
        (slope,) = partials(mpmath_, row, checks.value_in(mpmath_, row, numbers), numbers, [argument])
    return bool(abs(slope) > 1e6)


def test_a_refusal_without_an_edge_would_be_noticed() -> None:
    assert has_an_edge(TABLE["log"], 0, [Interval(-1.0, 1.0)])
    assert has_an_edge(TABLE["reciprocal"], 0, [Interval(-1.0, 2.0)])
    assert has_an_edge(TABLE["tan"], 0, [Interval(1.0, 2.0)])
    assert has_an_edge(TABLE["atan2"], 0, [Interval(-1.0, 2.0), Interval(-2.0, 1.0)])
    squared = TABLE["asinh"]._replace(partials=(lambda m, z, x: 1 / m.sqrt(x * x + 1),))
    with pytest.raises(AssertionError, match="all its parts are not"):
        check_enclosure_of_a_partial(squared, 0, [Interval(-1.0, 2.0)], [mp.mpf(0.5)])


#: Rows that compose a few functions of the C library, whose errors add up, though not on all branches.
COMPOSED = {
    **dict.fromkeys(("silu", "sigmoid", "softplus", "log_sigmoid", "elu", "selu"), 16),
    "logsumexp": 24,
    "mish": 48,
}
#: Rows of which nothing is the C library's: the interval at a point ends at neighbouring floats.
PROVED = ("erf", "erfc", "gelu")


def ulps_of(row: Primitive) -> int:
    """How many units in the last place an interval at a point may be wide: two for each rounding, and what the C
    library may be off on both sides; of a row that composes others, of all of them."""
    if row.name in PROVED:
        return 1
    if row.name in COMPOSED:
        return COMPOSED[row.name]
    if row.formula is None or row.name in ULPS:
        return 2 * (ULPS.get(row.name, 0) + 1)
    return sum(count * ulps_of(TABLE[name]) for name, count in used_by(row, rounded=True).items())


@settings(max_examples=settings().max_examples // 2)
@pytest.mark.parametrize("row", ROWS, ids=name_of)
@given(data=st.data())
def test_at_a_point_the_interval_is_as_narrow_as_the_library_is_accurate(row: Primitive, data: st.DataObject) -> None:
    point = data.draw(operands(row))
    found = checks.value_in(intervals, row, [intervals.number(x) for x in point])
    exact = checks.exact_value(row, point)
    terms = abs(exact)
    if row.n_ary:  # each operand counts, and each of them may be larger than the result
        terms = sum((abs(mp.mpf(x) * checks.exact_derivative(row, point, i)) for i, x in enumerate(point)), terms)
    last_digit = checks.ulp(terms * (1 + mp.mpf(2) ** -47))
    assert mp.mpf(found.high) - mp.mpf(found.low) <= ulps_of(row) * max(1, len(point)) * last_digit
    if row.name in checks.EXACT:
        assert found.low == found.high == exact
    if row.name in PROVED:  # the library's float may be beside them
        assert found.low <= exact <= found.high
    else:
        assert floats.less_equal(found.low, checks.value_in(floats, row, point))


@pytest.mark.parametrize("name", ULPS)
def test_the_library_is_as_accurate_as_assumed(name: str) -> None:
    row, source = TABLE[name], random.Random(name)
    ranges = [partial(source.uniform, *ends) for ends in ((-8, 8), (-1, 1), (0, 700), (1, 2))]
    draws = [*ranges, lambda: source.choice((1, -1)) * source.uniform(1, 2) * 2.0 ** source.randint(-60, 20)]
    worst, count = mp.zero, 0
    with mpmath.workdps(60):
        while count < 300:
            point = [source.choice(draws)() for _ in range(row.arity)]
            try:
                computed = checks.value_in(floats, row, point)
                exact = checks.value_in(mpmath_, row, [mpmath_.number(x) for x in point])
            except (ValueError, OverflowError):
                continue
            count += 1
            worst = max(worst, abs(computed - exact) / checks.ulp(exact))
    assert worst <= ULPS[name]


def test_a_library_that_is_off_by_more_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ULPS, "tanh", 0)
    point = [mp.mpf(0.3)]
    with pytest.raises(AssertionError):
        check_enclosure(TABLE["tanh"], [Interval(0.3, 0.3)], point)


def test_the_constants_are_on_the_right_side() -> None:
    """π, and the least values of the activations that have a minimum."""
    with mpmath.workdps(60):
        assert mp.pi in intervals.pi
        for name, about in (("silu", -1.278), ("gelu", -0.752), ("mish", -1.192)):
            at = mp.findroot(lambda x, name=name: checks.exact_derivative(TABLE[name], [x], 0), about)
            least = checks.value_in(mpmath_, TABLE[name], [at])
            around = checks.value_in(intervals, TABLE[name], [Interval(float(at) - 0.1, float(at) + 0.1)])
            assert 0 < least - around.low < 1e-14


# Directed rounding.

any_float = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-4, 4),
    st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1e-160, -1e-160, 1e300, 2.0**-1022, 1.7976931348623157e308]),
)


@given(x=any_float, y=any_float)
def test_products_and_quotients_are_rounded_to_the_side_they_say(x: float, y: float) -> None:
    product = Fraction(x) * Fraction(y)
    assert product_below(x, y) <= product <= product_above(x, y)
    if y:
        quotient = Fraction(x) / Fraction(y)
        try:
            x / y
        except OverflowError:
            return
        assert quotient_below(x, y) <= quotient <= quotient_above(x, y)
    error = product_error(x, y)
    if not math.isnan(error):
        assert Fraction(x * y) + Fraction(error) == product


@given(x=any_float, y=any_float)
def test_sums_and_roots_are_as_narrow_as_can_be(x: float, y: float) -> None:
    exact = Fraction(x) + Fraction(y)
    found = intervals.add(x, y)
    assert found.low <= exact <= found.high
    if math.isfinite(found.low) and math.isfinite(found.high):
        assert found.high <= math.nextafter(found.low, math.inf)
        assert (found.low == found.high) == (float(exact) == exact)
    root = intervals.sqrt(abs(x))
    assert Fraction(root.low) ** 2 <= Fraction(abs(x)) <= Fraction(root.high) ** 2
    assert root.high <= math.nextafter(math.nextafter(root.low, math.inf), math.inf)


# What users meet.


def test_evaluate_over_intervals() -> None:
    x = Value(1.0)
    value, slope = evaluate(x * x.log(), "intervals", at={x: (0.9, 1.1)}, wrt=x)
    assert 0.9 * math.log(0.9) in value
    assert 1.1 * math.log(1.1) in value
    assert math.log(0.95) + 1 in slope
    assert slope.width < 0.65


def test_a_number_becomes_the_smallest_interval() -> None:
    assert intervals.number(0.1) == Interval(0.1, 0.1)
    third = intervals.number(Fraction(1, 3))
    assert Fraction(1, 3) in third
    assert third.high == math.nextafter(third.low, 1.0)
    assert intervals.number(2**53 + 1) == Interval(2.0**53, 2.0**53 + 2)
    assert intervals.number((Fraction(1, 3), 1)) == Interval(third.low, 1.0)
    assert mp.pi in intervals.pi


@pytest.mark.parametrize("x", [(1.1, 0.9), (1.0,), (1.0, 2.0, 3.0), (math.nan, 1.0)])
def test_a_pair_in_the_wrong_order_is_refused(x: Any) -> None:
    leaf = Value(1.0)
    with pytest.raises(ValueError, match=r"\(low, high\)"):
        evaluate(leaf + 1, "intervals", at={leaf: x})


def test_nan_lies_in_no_interval() -> None:
    with pytest.raises(ValueError, match="nan lies in no interval"):
        evaluate(Value(math.nan) + 1, "intervals")


def test_an_interval_across_the_edge_of_a_domain_is_refused() -> None:
    x = Value(1.0)
    with pytest.raises(DomainError, match=r"log needs a positive argument; x is Interval\(-1.0, 1.0\)"):
        evaluate(x.log(), "intervals", at={x: (-1.0, 1.0)})
    with pytest.raises(DomainError, match="div needs a divisor other than zero"):
        evaluate(1 / x, "intervals", at={x: (-1.0, 1.0)})
    with pytest.raises(DomainError, match="sqrt has no derivative"):
        evaluate(x.sqrt(), "intervals", at={x: (0.0, 1.0)}, wrt=x)
    with pytest.raises(DomainError, match="sqrt has no derivative"):
        evaluate(x.sqrt(), "intervals", at={x: 0.0}, wrt=x)
    with pytest.raises(DomainError, match="atan2 has no derivative"):
        evaluate(autograd.atan2(x, 0.0), "intervals", at={x: (-1.0, 1.0)}, wrt=x)
    assert evaluate(autograd.hypot(x, 0.0), "intervals", at={x: 0.0}, wrt=x)[1] == Interval(0.0, 0.0)


def test_an_undecided_choice_is_the_hull_of_both_branches() -> None:
    x = Value(1.0)
    y = where(x > 0, x, -2 * x)
    assert evaluate(y, "intervals", at={x: (0.5, 1.0)}) == Interval(0.5, 1.0)
    value, slope = evaluate(y, "intervals", at={x: (-1.0, 1.0)}, wrt=x)
    assert value.low <= 0
    assert value.high >= 2
    assert Interval(-2.0, 1.0) in slope
    assert slope.width < 3 + 1e-14
    with pytest.raises(DomainError, match="never called"):
        evaluate(where(x > 0, x, lambda: -x), "intervals", at={x: (-1.0, 1.0)})


def test_undecided_is_no_truth() -> None:
    undecided = intervals.less(Interval(0.0, 2.0), Interval(1.0, 3.0))
    assert undecided is UNDECIDED
    with pytest.raises(ValueError, match="fails for others"):
        bool(undecided)
    assert (undecided | True) is True
    assert (True | undecided) is True
    assert (undecided & False) is False
    assert (False & undecided) is False
    assert (undecided | False) is UNDECIDED
    assert (undecided & True) is UNDECIDED


@settings(max_examples=settings().max_examples // 2)
@pytest.mark.parametrize("row", [r for r in ROWS if r.needs or r.kinks is not nowhere], ids=name_of)
@given(data=st.data())
def test_predicates_of_the_table_decide_only_what_is_certain(row: Primitive, data: st.DataObject) -> None:
    """Domain and kinks over intervals hold, or fail, for every number inside; or are left open."""
    around, inside = data.draw(surroundings(row, NEAR))
    for predicate in (row.domain, row.kinks):
        certain = predicate(*map(intervals.plain, around))
        if certain is not UNDECIDED:
            assert bool(certain) == bool(predicate(*inside))


def test_the_wave_reaches_its_crests() -> None:
    assert evaluate(Value(1.0).sin(), "intervals").width < 1e-15
    x = Value(1.0)
    assert evaluate(x.sin(), "intervals", at={x: (1.0, 2.0)}).high == 1.0
    assert evaluate(x.cos(), "intervals", at={x: (1e15, 1e15 + 10)}) == Interval(-1.0, 1.0)
    with pytest.raises(DomainError, match="tan"):
        evaluate(x.tan(), "intervals", at={x: (1.0, 2.0)})


def test_error_functions_over_wide_intervals_stay_in_their_range() -> None:
    everything = Interval(-math.inf, math.inf)
    for wide in (Interval(-20.0, 20.0), Interval(-1e300, 1e300), everything):
        assert intervals.erf(wide) == Interval(-1.0, 1.0)
        assert intervals.erfc(wide) in Interval(0.0, 2.0)
    assert intervals.erf(Interval(-0.5, 0.5)).width < 1.042
    assert intervals.erfc(everything) == Interval(0.0, 2.0)
    assert intervals.gelu(everything) == Interval(-0.169971207479904, math.inf)
    assert intervals.gelu(Interval(-math.inf, -20.0)).low > -6e-88


def test_products_and_roots_of_points_lie_between_neighbouring_floats() -> None:
    source = random.Random(0)
    for _ in range(500):
        x, y = source.uniform(-4, 4), source.uniform(-4, 4)
        for found in (intervals.mul(x, y), intervals.square(x), intervals.sqrt(abs(x))):
            assert found.high in (found.low, math.nextafter(found.low, math.inf))
    assert intervals.mul(0.0, Interval(1.0, math.inf)) == Interval(0.0, 0.0)
    with pytest.raises(ValueError, match="0·∞ is no number"):
        intervals.mul(0.0, math.inf)


def test_monotone_arithmetic_on_whole_numbers_is_exact() -> None:
    x = Value(3.0)
    assert evaluate((x * 4 - 5) / 2, "intervals") == Interval(3.5, 3.5)
    assert evaluate(x**2, "intervals", at={x: (-1.0, 2.0)}).low == 0.0


def test_smooth_points_have_partials() -> None:
    """No operand of moderate size is refused where the partial is an ordinary derivative."""
    source = random.Random(0)
    for row, argument in ROW_AND_ARGUMENT:
        for _ in range(20):
            size = 2 if row.n_ary else row.arity
            point = tuple([source.choice([0.5, 1.0, 1.5, 2.0, 3.0]) for _ in range(size)])
            if is_smooth(row, point, argument):
                around = [Interval(x, x) for x in point]
                z = checks.value_in(intervals, row, around)
                found = intervals.number(partials(intervals, row, z, around, [argument])[0])
                assert found.width < 1e-12 * max(1.0, abs(found.high)), (row, point)


@pytest.mark.parametrize("at", [1.0, -3.0, 1e16, 1e20, -1e20, 1e100, 1e308, -1e308])
@pytest.mark.parametrize("size", [2, 3])
def test_slopes_of_logsumexp_are_narrow_at_points_of_any_size(at: float, size: int) -> None:
    xs = [Value(at) for _ in range(size)]
    for slope in evaluate(autograd.logsumexp(xs), "intervals", wrt=xs)[1]:
        assert 1 / mp.mpf(size) in slope
        assert slope.width < 1e-15


@pytest.mark.parametrize("radius", [1e-9, 1e-3, 1.0, 10.0, 1000.0, 1e300])
@pytest.mark.parametrize("size", [2, 3])
def test_softmax_is_bounded_over_any_box(radius: float, size: int) -> None:
    xs = [Value(0.0) for _ in range(size)]
    around = dict.fromkeys(xs, (-radius, radius))
    value, slopes = evaluate(autograd.softmax(xs)[0], "intervals", at=around, wrt=xs)
    share = 1 / mp.mpf(size)
    assert share in value
    assert value in Interval(0.0, 1.0)
    assert share * (1 - share) in slopes[0]
    assert all(-share * share in slope for slope in slopes[1:])
    if radius <= 1.0:
        assert all(max(abs(slope.low), abs(slope.high)) < 14.0 for slope in slopes)
    assert all(share in slope for slope in evaluate(autograd.logsumexp(xs), "intervals", at=around, wrt=xs)[1])


def test_a_share_and_its_slopes_are_as_narrow_as_its_corners() -> None:
    x, y = Value(1.0), Value(1.0)
    value, (by_x, by_y) = evaluate(autograd.share(x, y), "intervals", at={x: (1.0, 3.0), y: (1.0, 4.0)}, wrt=[x, y])
    assert (value.low, value.high) == pytest.approx((0.2, 0.75))
    assert (by_x.low, by_x.high) == pytest.approx((1 / 16, 0.25))  # y / (x + y)²: at (3, 1), and where x = y = 1
    assert (by_y.low, by_y.high) == pytest.approx((-0.25, -1 / 25))  # -x / (x + y)²: where x = y = 1, and at (1, 4)


def test_random_shares_are_inside_of_their_boxes() -> None:
    source = random.Random(0)
    for _ in range(500):
        ends = [sorted(source.choice([0.0, 1e-300, 1e308, 10 ** source.uniform(-5, 5)]) for _ in "ab") for _ in "xy"]
        boxes = [Interval(*pair) for pair in ends]
        if not any(high for _, high in ends):
            continue
        value = intervals.share(*boxes)
        by_x = intervals.slope_of_share(*boxes)
        for _ in range(10):
            x, y = (mp.mpf(source.choice([low, high, source.uniform(low, high)])) for low, high in ends)
            if x + y:
                assert x / (x + y) in value, (ends, x, y)
                assert y / (x + y) ** 2 in by_x, (ends, x, y)


@pytest.mark.parametrize("box", [((0.0, 0.0), (0.0, 0.0)), ((-1.0, 1.0), (0.0, 2.0)), ((-1.0, 0.0), (0.0, 1.0))])
def test_a_share_of_nothing_is_refused(box: Any) -> None:
    x, y = Value(1.0), Value(1.0)
    with pytest.raises(DomainError, match="a sum other than zero"):
        evaluate(autograd.share(x, y), "intervals", at={x: box[0], y: box[1]})


# Slopes over wide boxes.

BOXES = [(-20.0, 20.0), (-1000.0, 1000.0), (-1e300, 1e300), (0.5, 20.0), (1.0, 1e300), (-1000.0, -0.5), (-5.0, -1.0)]
NARROW_BOXES = [(-0.9, 0.9), (0.1, 0.9), (-0.3, 0.2), (0.0, 0.75), (2.0, 4.0)]
#: The largest multiple of the true range that a slope's bounds may be apart; of two numbers, of the sides of its box.
WIDER = 1.2


def of_one_number(row: Primitive) -> bool:
    return (
        not row.n_ary
        and not row.jumps
        and not is_constant(row, 0)
        and all(map(partial(is_constant, row), range(1, row.arity)))
    )


def points_inside(low: float, high: float) -> list[float]:
    """Ends, and points of all sizes between them."""
    sizes = [2.0 ** (k / 4) for k in range(-40, 60)] + [k / 40 for k in range(400)]
    return [low, high, *[x for size in sizes for x in (size, -size) if low < x < high]]


@pytest.mark.parametrize("box", BOXES + NARROW_BOXES)
@pytest.mark.parametrize("row", [row for row in ROWS if of_one_number(row)], ids=name_of)
def test_bounds_over_wide_boxes_are_hardly_wider_than_what_is_between_them(
    row: Primitive, box: tuple[float, float]
) -> None:
    constants = row.example[0][1:] if row.example else ()
    if not all(in_domain(row, (x, *constants)) for x in (*box, 0.0) if box[0] <= x <= box[1]) or row.name == "tan":
        return  # which has poles; those of other rows are ends of their domains
    x = Value(row.example[0][0] if row.example else 1.0)
    output = checks.record(row, [x, *constants])
    values, slopes = [], []
    for at in points_inside(*box):
        with contextlib.suppress(OverflowError):
            values.append(checks.value_in(floats, row, [at, *constants]))
            slopes.append(checks.slope(row, 0, [at, *constants]))
    if len(slopes) < len(points_inside(*box)) or not all(map(math.isfinite, values + slopes)):
        return  # they have no bounds
    for found, inside in zip(evaluate(output, "intervals", at={x: box}, wrt=x), (values, slopes), strict=True):
        room = 1e-9 * max(map(abs, inside)) + WIDER * (max(inside) - min(inside))
        assert found.high - found.low <= room, (found, min(inside), max(inside))


def second_derivative(row: Primitive, x: Any) -> Any:
    return checks.exact_derivative(row, [x], 0, 0)


def test_the_turns_of_slopes_are_where_they_are_said_to_be() -> None:
    for name, turns in intervals.TURNS.items():
        row = TABLE[name]
        for before, after, beyond in turns:
            with mpmath.workdps(60):
                at = mp.mpf(before)
                if before < after:
                    second = partial(second_derivative, row)
                    assert second(mp.mpf(before)) * second(mp.mpf(after)) < 0
                    at = mp.findroot(second, (before, after), solver="illinois", tol=1e-20)
                slope, aside = (checks.exact_derivative(row, [at + h], 0) for h in (0, mp.mpf(10) ** -3))
                assert abs(beyond - slope) < 4e-16 * abs(slope)
                assert (beyond >= slope) if slope > aside else (beyond <= slope)


@pytest.mark.parametrize("box", [(-20.0, 20.0), (-1000.0, 1000.0), (-1e300, 1e300)])
def test_slopes_over_wide_boxes_are_bounded(box: tuple[float, float]) -> None:
    """Of several numbers: their powers never all vanish; around a tip a cone has slopes of all directions."""
    xs = [Value(1.0) for _ in range(3)]
    other = (0.5, 20.0)
    for outputs, most in (
        (autograd.softmax([*xs, 0.5]), 1.0),
        (autograd.log_softmax(xs), 4.0),
        ([autograd.norm(xs)], 1.0),
        ([autograd.logsumexp(xs)], 1.0),
        ([xs[0] ** 0.0 + autograd.hypot(xs[0], xs[1])], 1.0),
    ):
        for boxes in itertools.product((box, other), repeat=3):
            for output in outputs:
                for slope in evaluate(output, "intervals", at=dict(zip(xs, boxes, strict=True)), wrt=xs)[1]:
                    assert -most * 1.0001 <= slope.low <= slope.high <= most * 1.0001
    first, second = evaluate(autograd.atan2(xs[0], xs[1]), "intervals", at={xs[0]: box, xs[1]: other}, wrt=xs[:2])[1]
    assert Interval(0.0, 2.0) in Interval(first.low - 1e-3, first.high)
    assert first.high < 2.1
    assert -2.1 < second.low < second.high < 2.1


def test_only_a_number_of_which_it_is_the_largest_is_below_it() -> None:
    """Equal bounds are not equal numbers, whichever object holds them."""
    box = Interval(-1.0, 1.0)
    a, b, c = Value(0.0), Value(0.0), Value(0.0)
    at = {a: box, b: box, c: box}
    largest = autograd.maximum(a, b)
    assert evaluate(c - largest, "intervals", at=at) == Interval(-2.0, 2.0)
    assert evaluate(a - largest, "intervals", at=at) == Interval(-2.0, 0.0)
    assert evaluate(c - autograd.maximum(largest, c), "intervals", at=at).high == 0.0
    beside = [autograd.exp(x - largest) for x in (a, b)]
    assert evaluate(beside[0] + beside[1], "intervals", at=at).low == 1.0
    assert evaluate(beside[0] + beside[0], "intervals", at=at).low < 0.3
    assert evaluate(beside[0] + autograd.exp(c - autograd.maximum(largest, c)), "intervals", at=at).low < 0.3


@given(data=st.data())
def test_the_exact_slopes_of_a_softmax_are_inside(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 4))
    ends = [
        sorted(data.draw(st.tuples(st.sampled_from((-1e300, -800.0, -3.0, 0.0, 2.0, 30.0)), st.floats(-40, 800))))
        for _ in range(count)
    ]
    xs = [Value(1.0) for _ in range(count)]
    output = data.draw(
        st.sampled_from(data.draw(st.sampled_from((autograd.softmax, autograd.log_softmax)))([*xs, 0.5]))
    )
    value, slopes = evaluate(output, "intervals", at={x: tuple(box) for x, box in zip(xs, ends, strict=True)}, wrt=xs)
    point = [data.draw(st.sampled_from((low, high, low / 2 + high / 2))) for low, high in ends]
    exact = evaluate(output, "mpmath", at=dict(zip(xs, point, strict=True)), wrt=xs)
    assert exact[0] in value
    assert all(slope in found for slope, found in zip(exact[1], slopes, strict=True))
