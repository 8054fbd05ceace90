"""Bounds of erf, erfc and gelu: neighbouring floats, with the exact value between them, at every float."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

from autograd import TABLE
from autograd.number_systems import error_functions, mpmath_
from tests import checks

NAMES = ("erf", "erfc", "gelu")

#: Where a series gives way to the fraction, a function reaches its limit, or its values become subnormal and zero.
SPECIAL = [
    *(0.0, -0.0, 5e-324, -5e-324, 2.0**-1022, -(2.0**-1022), 1e-160, -1e-30, -0.75, -3.453125),
    *(x for end in (4.0, math.sqrt(32.0), 5.9, 26.5, 27.25, 37.5, 38.5, 40.0) for x in (end, -end)),
    *(math.nextafter(x, to) for x in (4.0, math.sqrt(32.0), 40.0) for to in (0.0, 100.0)),
]

ALL_SIZES = st.one_of(
    st.floats(-8, 8),
    st.floats(-41, 41),
    st.floats(-1, 1).flatmap(lambda x: st.integers(-1074, 5).map(lambda n: math.ldexp(x, n))),
    st.sampled_from(SPECIAL),
)


def check(name: str, x: float) -> None:
    low, high = getattr(error_functions, name)(x)
    with mpmath.workdps(60):
        exact = checks.value_in(mpmath_, TABLE[name], [mp.mpf(x)])
        assert low <= exact <= high, f"{name}({x!r}) is {mp.nstr(exact, 25)}"
    assert high in (low, math.nextafter(low, math.inf))


@pytest.mark.parametrize("name", NAMES)
@given(x=ALL_SIZES)
def test_the_exact_value_is_between_neighbouring_floats(name: str, x: float) -> None:
    check(name, x)


@pytest.mark.parametrize("name", NAMES)
def test_so_it_is_where_one_formula_gives_way_to_another(name: str) -> None:
    for x in SPECIAL:
        check(name, x)


@pytest.mark.parametrize(
    ("name", "x", "bounds"),
    [
        ("erf", 1e300, (1 - 2.0**-53, 1.0)),
        ("erf", -math.inf, (-1.0, -1.0)),
        ("erfc", 1e300, (0.0, 5e-324)),
        ("erfc", -1e300, (2 - 2.0**-52, 2.0)),
        ("erfc", math.inf, (0.0, 0.0)),
        ("erfc", 0.0, (1.0, 1.0)),
        ("gelu", -1e300, (-5e-324, 0.0)),
        ("gelu", checks.LARGEST, (math.nextafter(checks.LARGEST, 0.0), checks.LARGEST)),
        ("gelu", -math.inf, (0.0, 0.0)),
        ("gelu", math.inf, (math.inf, math.inf)),
    ],
)
def test_far_out(name: str, x: float, bounds: tuple[float, float]) -> None:
    """Where the referee has no value: erfc and x·Φ(x) are positive, but smaller than any float."""
    assert getattr(error_functions, name)(x) == bounds


@pytest.mark.parametrize("name", NAMES)
def test_zero_keeps_its_sign(name: str) -> None:
    if name != "erfc":
        assert list(map(str, getattr(error_functions, name)(-0.0))) == ["-0.0", "-0.0"]
        assert list(map(str, getattr(error_functions, name)(0.0))) == ["0.0", "0.0"]


def units(x: Any) -> Any:
    return x * mp.mpf(2) ** error_functions.PRECISION


def test_the_constants_are_rounded_downward() -> None:
    with mpmath.workdps(60):
        for computed, exact in (
            (error_functions.LOG_2, mp.log(2)),
            (error_functions.TWO_OVER_ROOT_PI, 2 / mp.sqrt(mp.pi)),
            (error_functions.ROOT_OF_TWO_OVER_PI, mp.sqrt(2 / mp.pi)),
        ):
            assert computed == mp.floor(units(exact))
        far = mp.mpf(error_functions.FAR)
        assert mp.erfc(far) < far * mp.erfc(far / mp.sqrt(2)) / 2 < mp.mpf(5e-324)


@given(x=st.floats(0, 32), part=st.integers(0, 2**70))
def test_the_parts_hold_for_all_numbers_of_a_unit_and_are_narrow(x: float, part: int) -> None:
    first = int(x * error_functions.ONE) + part
    with mpmath.workdps(80):
        for t in (mp.mpf(first), mp.mpf(first) + 1 - mp.mpf(10) ** -30):
            t /= error_functions.ONE
            low, high, n = error_functions._exponential(first)
            assert low <= units(mp.exp(-t)) * mp.mpf(2) ** n <= high <= low + (low >> 115)
            low, high = error_functions._series(first, 3, 2)
            exact = mp.sqrt(mp.pi / 2) * mp.exp(t / 2) * mp.erf(mp.sqrt(t / 2)) / mp.sqrt(t) if t else mp.mpf(1)
            assert low <= units(exact) <= high <= low + (low >> 115)


@given(x=st.floats(32, 1600))
def test_the_fraction_is_known_to_more_digits_than_floats_have(x: float) -> None:
    low, high = error_functions._fraction(int(x * error_functions.ONE))
    with mpmath.workdps(80):
        exact = mp.sqrt(mp.pi / 2) * mp.exp(mp.mpf(x) / 2) * mp.erfc(mp.sqrt(mp.mpf(x) / 2)) / mp.sqrt(x)
        assert low <= units(exact) <= high <= low + (low >> 70)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("TWO_OVER_ROOT_PI", error_functions.TWO_OVER_ROOT_PI + 2**76),
        ("LOG_2", error_functions.LOG_2 - 2**76),
        ("_series", lambda x, first, step: (error_functions.ONE + x // first,) * 2),
        ("LARGEST", error_functions.ONE << 11),  # the series' roundings, magnified by what is left of 1
    ],
)
def test_a_mistake_in_a_part_would_be_noticed(name: str, wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_functions, name, wrong)
    with pytest.raises(AssertionError):
        list(map(check, ["erfc"] * 4000, [i / 250 for i in range(4000)]))
