"""``reals`` and ``points``: where they draw from, and what they shrink to."""

from __future__ import annotations

import contextlib
import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

import autograd
from autograd import TABLE, Primitive, interpret
from autograd.number_systems import floats
from autograd.testing import points, reals
from tests.rows import differentiable, has_partials, name_of
from tests.rows import is_smooth as has_an_ordinary_derivative

ROWS = list(TABLE.values())
OF_ONE_NUMBER = [row for row in ROWS if row.arity == 1]


@autograd.primitive(partials=[lambda m, z, x, y: 1 / (2 * z), None], domain=lambda x, y: x > 10 and y < -3 and x > -y)
def far_away(m: Any, x: Any, y: Any) -> Any:
    return m.sqrt(x)


def of_math(x: float) -> bool:
    return math.sin(x) > 0


@autograd.primitive(partials=[lambda m, z, x: 1 / m.tan(x)], domain=of_math, kinks=lambda x: math.floor(x) == x)
def log_sin(m: Any, x: Any) -> Any:
    return m.log(m.sin(x))


DECLARED: list[Primitive] = [f.primitive for f in (far_away, log_sin)]  # type: ignore[attr-defined]


#: For what runs over every row of the table.
FEWER = settings(max_examples=settings.default.max_examples // 4)


def simplest(strategy: st.SearchStrategy[Any], condition: Any = lambda x: True, *, tries: int = 1000) -> Any:
    """The smallest draw; without explaining, which is for failures and slow."""
    phases = [phase for phase in Phase if phase is not Phase.explain]
    return find(strategy, condition, settings=settings(max_examples=tries, database=None, phases=phases))


@pytest.mark.parametrize("row", [*ROWS, *DECLARED], ids=name_of)
@FEWER
@given(data=st.data())
def test_every_point_lies_in_the_domain(row: Primitive, data: st.DataObject) -> None:
    operands = data.draw(points(row))
    assert row.n_ary or row.domain(*operands)
    with contextlib.suppress(OverflowError):  # a tiny base to a negative power is in the domain of pow
        assert math.isfinite(interpret.apply(floats, row, operands))


def is_the_last_float(row: Primitive, operands: tuple[float, ...], argument: int) -> bool:
    """Whether the partial is an ordinary derivative though a float beside it is outside: numbers between are inside."""

    def halfway(end: float) -> tuple[Fraction, ...]:
        steps = [(math.nextafter(x, end) if i == argument else x, x) for i, x in enumerate(operands)]
        return tuple((Fraction(a) + Fraction(b)) / 2 for a, b in steps)

    return has_partials(row, operands, argument) and all(row.domain(*halfway(end)) for end in (-math.inf, math.inf))


def test_the_end_of_a_domain_is_not_the_last_float() -> None:
    assert is_the_last_float(TABLE["atanh"], (1 - 2.0**-53,), 0)
    assert not is_the_last_float(TABLE["acosh"], (1.0,), 0)
    assert not is_the_last_float(TABLE["pow"], (0.0, 1.5), 0)


@pytest.mark.parametrize("row", [*ROWS, *DECLARED], ids=name_of)
@FEWER
@given(data=st.data())
def test_points_with_a_margin_are_smooth_that_far_around(row: Primitive, data: st.DataObject) -> None:
    margin = data.draw(st.sampled_from((0.0, 2**-6)))
    operands = data.draw(points(row, margin=margin))
    for i in differentiable(row) if not row.n_ary else []:
        for step in (-margin, -margin / 2, 0.0, margin / 3, margin):
            moved = tuple(x + step if i == j else x for j, x in enumerate(operands))
            assert has_an_ordinary_derivative(row, moved, i) or (not margin and is_the_last_float(row, moved, i))


@pytest.mark.parametrize("row", [*OF_ONE_NUMBER, log_sin], ids=[*map(name_of, OF_ONE_NUMBER), "log_sin"])
@FEWER
@given(data=st.data())
def test_reals_of_a_primitive_are_smooth_points_of_it(row: Any, data: st.DataObject) -> None:
    x = data.draw(reals(primitive=row))
    row = getattr(row, "primitive", row)
    assert row.domain(x)
    if not row.compares and row.partials != (None,):
        assert all(has_an_ordinary_derivative(row, (x + step,), 0) for step in (-(2**-6), 0.0, 2**-6))


@given(st.data())
def test_reals_are_finite_and_between_their_bounds(data: st.DataObject) -> None:
    low = data.draw(st.one_of(st.none(), st.floats(-1e300, 1e300)))
    high = data.draw(st.one_of(st.none(), st.floats(-1e300 if low is None else low, 1e300)))
    x = data.draw(reals(low, high))
    assert low is None or x >= low
    assert high is None or x <= high
    assert math.isfinite(x)


@given(reals())
def test_reals_without_bounds_are_no_further_than_100_and_no_subnormals(x: float) -> None:
    assert -100 <= x <= 100
    assert x == 0 or abs(x) >= 2.0**-1022


def test_a_bound_that_is_subnormal_brings_subnormals() -> None:
    assert 0 < simplest(reals(0, 1e-310), lambda x: x > 0) <= 1e-310
    assert simplest(reals(allow_subnormal=True), lambda x: 0 < x < 2.0**-1022) > 0


def test_a_bound_can_be_left_out() -> None:
    assert simplest(reals(1, 2, exclude_min=True)) == 2.0
    assert simplest(reals(1, 2, exclude_max=True), lambda x: x > 1) == 1.5


@pytest.mark.parametrize(
    ("strategy", "condition", "expected"),
    [
        (reals(), lambda x: True, 0.0),
        (reals(-3, 3), lambda x: x != 0, 1.0),
        (reals(-3, 3), lambda x: x < 0, -1.0),
        (reals(), lambda x: x > 1.3, 2.0),
        (reals(), lambda x: 1.1 < x < 1.9, 1.5),
        (reals(primitive="log"), lambda x: True, 1.0),
        (reals(primitive="acosh"), lambda x: True, 2.0),
        (reals(primitive="floor"), lambda x: True, 1.5),
        (reals(primitive="arcsin"), lambda x: x != 0, 0.5),
        (reals(500), lambda x: x > 500, 501.0),
    ],
)
def test_reals_shrink_to_simple_numbers(strategy: Any, condition: Any, expected: float) -> None:
    assert simplest(strategy, condition) == expected


def test_points_shrink_to_simple_numbers() -> None:
    assert simplest(points("div")) == (0.0, 1.0)
    assert simplest(points("where")) == (False, 0.0, 0.0)
    assert simplest(points("pow"), lambda p: p[0] < 0) == (-1.0, 0.0)
    assert set(simplest(points("clip"), lambda p: p[1] < p[0] < p[2])) <= {-1.0, -0.5, 0.0, 0.5, 1.0, 2.0}
    assert simplest(points("dot", min_size=4)) == (0.0, 0.0, 0.0, 0.0)


def test_negative_bases_come_with_whole_exponents_and_all_bases_without_a_margin() -> None:
    base, exponent = simplest(points("pow"), lambda p: p[0] < 0 and p[1] > 1, tries=20_000)  # one draw in hundreds
    assert (base, exponent) == (-1.0, 2.0)


@given(points("sum", min_size=2, max_size=3))
def test_sizes_of_lists(operands: Any) -> None:
    assert 2 <= len(operands) <= 3


@given(points("mul", min_value=2, max_value=3))
def test_bounds_of_points(operands: Any) -> None:
    assert all(2 <= x <= 3 for x in operands)


def test_a_narrow_range_narrows_the_margin() -> None:
    assert 0 < simplest(reals(0, 0.001, primitive="log")) <= 0.001


def test_they_are_printed_as_they_were_written() -> None:
    assert repr(reals(-3, 3)) == "reals(min_value=-3, max_value=3)"
    assert repr(reals()) == "reals()"
    assert repr(reals(primitive="log", margin=0.1)) == "reals(primitive='log', margin=0.1)"
    assert repr(points("log")) == "points('log')"
    assert repr(st.lists(reals(0, 1))) == "lists(reals(min_value=0, max_value=1))"


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (reals(3, 1), "above max_value"),
        (reals("3"), "min_value='3'"),  # type: ignore[arg-type]
        (reals(max_value=math.inf), "finite"),
        (reals(math.nan), "finite"),
        (reals(True), "min_value=True"),
        (reals([0]), "min_value"),  # type: ignore[arg-type]
        (reals(margin=0.1), "give primitive="),
        (reals(exclude_min=True), "exclude_min"),
        (reals(primitive="logg"), "did you mean log"),
        (reals(primitive=math.log), "no primitive"),
        (reals(primitive=[1]), "no primitive"),
        (reals(primitive="add"), "use points('add')"),
        (reals(primitive="sum"), "a list of numbers"),
        (reals(primitive="log", margin=-1), "margin=-1"),
        (reals(primitive="log", margin=math.nan), "margin=nan"),
        (reals(-3, -1, primitive="log"), "hardly any point lies in the domain of log"),
        (reals(primitive="floor", margin=0.6), "away from its kinks"),
        (points("log", max_value=0), "hardly any point"),
        (points("log", min_size=2), "takes 1 operands"),
        (points("sum", min_size=0), "at least 1"),
        (points("dot", min_size=1), "at least 2"),
        (points("sum", min_size=3, max_size=2), "above max_size"),
        (points("sum", min_size=1.5), "whole number"),  # type: ignore[arg-type]
        (points("log", margin="x"), "margin='x'"),  # type: ignore[arg-type]
    ],
)
def test_bad_arguments(strategy: Any, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words.replace("(", r"\(").replace(")", r"\)")):
        simplest(strategy)


def test_a_range_of_their_own_for_larger_domains() -> None:
    x, y = simplest(points(far_away))
    assert x > 10
    assert y < -3
    with pytest.raises(InvalidArgument, match="hardly any"):
        simplest(points(far_away, max_value=0))
