"""JavaScript from the table: what can be written is; what cannot says why. What it computes is tested in a browser."""

from __future__ import annotations

import math
from typing import Any

import pytest

from autograd import TABLE, primitive
from autograd.number_systems import javascript


def test_kernels_bring_the_functions_that_they_call() -> None:
    text = javascript.module([javascript.kernel(TABLE["gelu"], 1)])
    for name in ("gelu", "erfc", "erf", "exp", "exp_of_minus_square", "product_error", "sqrt"):
        assert f"  {name}: " in text
    assert "tanh" not in text


def test_nothing_flows_through_a_slope_of_zero() -> None:
    assert "return [null];" in javascript.kernel(TABLE["floor"], 1)
    assert "return [null, x0 ? 1 : null, x0 ? null : 1];" in javascript.kernel(TABLE["where"], 3)
    assert "return [t1 ? 1 : null];" in javascript.kernel(TABLE["relu"], 1)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"domain": lambda x: math.isfinite(x)}, "cannot be written as JavaScript"),
        ({"systems": ("floats", "mpmath")}, "is declared for floats, mpmath only"),
    ],
)
def test_what_cannot_be_written_says_why(options: dict[str, Any], reason: str) -> None:
    @primitive(partials=[lambda m, z, x: 2 * x], **options)
    def mine(m: Any, x: Any) -> Any:
        return x * x

    with pytest.raises(javascript.CannotBeWritten, match=f"mine {reason}"):
        javascript.kernel(mine.primitive, 1)  # type: ignore[attr-defined]


def test_a_predicate_of_too_many_ways_is_not_written() -> None:
    def crooked(x: float) -> bool:
        return sum(1 for i in range(12) if x > i) % 2 == 0

    @primitive(partials=[lambda m, z, x: 1], domain=crooked)
    def mine(m: Any, x: Any) -> Any:
        return x + 0

    with pytest.raises(javascript.CannotBeWritten, match="more than 256 ways"):
        javascript.kernel(mine.primitive, 1)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1"), (-0.0, "-0.0"), (1e300, "1e+300"), (math.inf, "Infinity"), (-math.inf, "-Infinity"), (True, "true")],
)
def test_numbers_as_javascript_writes_them(number: float, text: str) -> None:
    assert javascript.text_of(number) == text


def test_not_a_number_too() -> None:
    assert javascript.text_of(math.nan) == "NaN"
