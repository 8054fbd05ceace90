"""NumPy's functions over arrays of Values, and over a Value alone."""

from __future__ import annotations

import itertools
import math
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import TABLE, Value

OF_ARRAYS = "var std mean median average vdot dot cumsum linalg.norm diff ptp exp2 radians degrees deg2rad rad2deg"
OF_ARRAYS += " rint round trunc fabs absolute conjugate square log1p sinh arcsinh floor ceil positive real nansum"


@pytest.mark.parametrize("name", OF_ARRAYS.split())
def test_a_function_of_numpy_over_an_array_of_values(name: str) -> None:
    function: Any = np
    for part in name.split("."):
        function = getattr(function, part)
    numbers = np.array([1.25, 2.5, 4.75])
    values = np.array([Value(x) for x in numbers])
    arguments = 2 if name in ("vdot", "dot") else 1
    found = np.ravel(function(*[values] * arguments))
    assert [y.data for y in found] == pytest.approx(
        np.ravel(function(*[numbers] * arguments)).tolist(), rel=1e-14, abs=0.0
    )


def test_a_variance_by_numpy_has_a_gradient() -> None:
    xs = [Value(1.0), Value(2.0), Value(6.0)]
    np.var(np.array(xs)).backward()
    assert [x.grad for x in xs] == [2 / 3 * (x - 3.0) for x in (1.0, 2.0, 6.0)]


OF_ONE = "exp sqrt tanh exp2 arctan square negative absolute radians rint round floor reciprocal sign conjugate cbrt"
OF_TWO = "add subtract multiply divide power maximum minimum hypot arctan2 remainder floor_divide"


@pytest.mark.parametrize("name", [*OF_ONE.split(), *OF_TWO.split()])
def test_a_function_of_numpy_of_a_value_alone_keeps_it(name: str) -> None:
    function, numbers = getattr(np, name), (0.75, 2.5)[: 1 + (name in OF_TWO.split())]
    for operands in itertools.product(*[(x, Value(x)) for x in numbers]):
        if any(isinstance(x, Value) for x in operands):
            found = function(*operands)
            assert isinstance(found, Value), operands
            assert found.data == pytest.approx(float(function(*numbers)), rel=1e-15, abs=0.0)


@pytest.mark.parametrize(("x", "slope"), [(2.0, 0.0), (0.5, 1.0), (-1.0, 0.0), (1.0, 1.0)])
def test_numpys_clip_of_a_value_keeps_it(x: float, slope: float) -> None:
    v = Value(x)
    clipped = np.clip(v, 0.0, 1.0)  # type: ignore[call-overload]
    assert clipped.primitive is TABLE["clip"]
    clipped.backward()
    assert (clipped.data, v.grad) == (min(max(x, 0.0), 1.0), slope)


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite", "signbit"])
@pytest.mark.parametrize("x", [0.0, -1.0, math.inf, -math.inf, math.nan])
def test_numpy_asks_a_value_what_its_number_is(name: str, x: float) -> None:
    assert getattr(np, name)(Value(x)) is bool(getattr(np, name)(x))
    with pytest.raises(autograd.RecordingError, match="was read"):
        autograd.compile(lambda v: v * getattr(np, name)(v))(x)


@pytest.mark.parametrize("name", ["logaddexp", "heaviside", "copysign", "float_power"])
def test_a_function_of_numpy_that_knows_no_objects_says_so(name: str) -> None:
    with pytest.raises(TypeError, match=f"numpy.{name} knows no Values; write it with autograd's functions"):
        getattr(np, name)(Value(1.0), 2.0)


def test_an_array_meets_a_value_in_every_call_of_a_ufunc() -> None:
    v, array = Value(2.0), np.array([1.0, 3.0])
    assert [y.data for y in np.multiply(array, v)] == [2.0, 6.0]
    assert [y.data for y in np.add.outer(array, v)] == [3.0, 5.0]
    out = np.empty(2, dtype=object)
    assert np.multiply(v, array, out=out) is out
    assert [y.data for y in out] == [2.0, 6.0]
    assert [y.data for y in np.array([v, v * v]) + v] == [4.0, 6.0]
    assert bool(np.float64(3.0) > v)


CLIPS: dict[str, Any] = {
    "no lower bound": lambda v, low, high: np.clip(v, None, high),
    "no upper bound": lambda v, low, high: np.clip(v, low, None),
    "no bound": lambda v, low, high: v.clip(None, None),
    "a lower bound that is a Value": lambda v, low, high: np.clip(v, Value(low), high),
    "an upper bound that is a Value": lambda v, low, high: np.clip(v, low, Value(high)),
}


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("x", [2.0, 0.5, -1.0])
def test_numpys_clip_with_any_bounds_keeps_the_value(name: str, x: float) -> None:
    v = Value(x)
    clipped = CLIPS[name](v, 0.0, 1.0)
    clipped.backward()
    low = -math.inf if name in ("no lower bound", "no bound") else 0.0
    high = math.inf if name in ("no upper bound", "no bound") else 1.0
    assert clipped.data == min(max(x, low), high)
    assert v.grad == float(clipped.data == x)


@pytest.mark.parametrize("x", [2.0, -2.0, 0.5, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("y", [1.0, -3.0, math.nan])
@pytest.mark.parametrize("name", ["fmax", "fmin"])
def test_of_two_numbers_the_one_that_is_nan_does_not_count(name: str, x: float, y: float) -> None:
    function = getattr(np, name)
    expected = float(function(x, y))
    for which in ((True, True), (True, False), (False, True)):
        operands = [Value(z) if is_value else z for z, is_value in zip((x, y), which, strict=True)]
        found = function(*operands)
        number = found.data if isinstance(found, Value) else found
        assert number == pytest.approx(expected, nan_ok=True)
        values = [z for z in operands if isinstance(z, Value)]
        if isinstance(found, Value) and not math.isnan(expected):
            found.backward()
            assert [v.grad for v in values] == [float(v.data == expected) for v in values]
        elif not math.isnan(expected):  # of a Value that is nan and a plain number, the number is left
            assert [math.isnan(v.data) for v in values] == [True]


@pytest.mark.parametrize("x", [5.3, -5.3, 0.0, 1.5])
@pytest.mark.parametrize("y", [1.5, -1.5])
def test_the_remainder_of_c(x: float, y: float) -> None:
    a, b = Value(x), Value(y)
    found = [np.fmod(a, b), np.fmod(a, y), np.fmod(x, b), np.fmod(np.array([a]), y)[0], np.fmod(np.array([x]), b)[0]]
    assert [z.data for z in found] == pytest.approx([math.fmod(x, y)] * 5, abs=1e-15)
    found[0].backward()
    assert (a.grad, b.grad) == (1.0, -float(math.trunc(x / y)))


def test_numpys_sinc_of_a_value() -> None:
    v = Value(0.3)
    y = np.sinc(v)  # type: ignore[call-overload]
    y.backward()
    assert y.data == pytest.approx(np.sinc(0.3), rel=1e-15, abs=0.0)
    assert v.grad == pytest.approx((np.sinc(0.3 + 1e-6) - np.sinc(0.3 - 1e-6)) / 2e-6, rel=1e-8, abs=0.0)


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin"])
def test_of_an_array_and_a_value_each_is_a_value(name: str) -> None:
    v, array = Value(2.0), np.array([1.0, 2.5, 4.0])
    for found in (getattr(np, name)(v, array), getattr(np, name)(array, v)):
        assert [y.data for y in found] == getattr(np, name)(array, 2.0).tolist()
    assert [y.data for y in np.clip(array, v, 3.0)] == [2.0, 2.5, 3.0]  # type: ignore[call-overload]


def test_what_numpy_chooses_of_an_array_of_values_by_comparisons_is_a_plain_number_where_that_is_one() -> None:
    """NumPy's own: it asks nothing but Python's comparisons; the page says so."""
    v, w = Value(2.0), Value(0.5)
    for found in (np.clip(np.array([v, w]), 0.0, 1.0), np.minimum(np.array([v, w]), 1.0)):
        assert found.tolist() == [1.0, w]
    with pytest.raises(TypeError, match="isnan"):
        np.isnan(np.array([v]))


def test_numpys_other_functions_ask_nothing_of_a_value() -> None:
    v = Value(2.0)
    assert np.shape(v) == ()
    assert np.stack([v, v]).tolist() == [v, v]  # type: ignore[call-overload]
    assert np.where(np.array([True, False]), v, 0.0).tolist() == [v, 0.0]


@pytest.mark.parametrize(("x", "y"), [(1.0, 1.0), (1.0, 1.0 + 1e-9), (1.0, 2.0), (math.inf, math.inf), (math.nan, 1.0)])
def test_numpy_asks_a_value_whether_its_number_is_close(x: float, y: float) -> None:
    a, b = Value(x), Value(y)
    for function in (np.isclose, np.allclose):
        expected = bool(function(x, y))
        found = [function(a, y), function(x, b), function(a, b), function(a=a, b=y), function([x], b)]  # type: ignore[call-overload]
        assert [bool(np.all(answer)) for answer in found] == [expected] * 5
        with pytest.raises(autograd.RecordingError, match="was read"):
            autograd.compile(lambda v, f=function: v * f(v, 1.0))(x)


#: Before, NumPy's own code took some of what it refuses since.
IS_OLD = np.lib.NumpyVersion(np.__version__) < "2.0.0"


@pytest.mark.parametrize("name", ["cov", "corrcoef", "angle", *([] if IS_OLD else ["var", "std"])])
def test_a_function_of_numpy_that_fails_inside_names_itself(name: str) -> None:
    with pytest.raises(TypeError, match=r"numpy\.\w+ knows no Values; write it with autograd's functions"):
        getattr(np, name)(Value(1.0))


#: Of the page: what does not work, and what to write.
PAGE = re.findall(
    r"^\| `(.+?)` \| .+? \| `(.+?)` \|$",
    (Path(autograd.__file__).parents[1] / "docs" / "numpy.md").read_text(encoding="utf-8"),
    flags=re.MULTILINE,
)


def names_of_the_page() -> dict[str, Any]:
    xs, ys = (np.array([Value(x) for x in numbers]) for numbers in ([1.0, 2.5], [4.0, 3.0]))
    return {"np": np, "autograd": autograd, "v": Value(1.0), "xs": xs, "ys": ys, "rows": np.array([1.0, 2.0])}


def test_the_page_tells_enough() -> None:
    text = " ".join(code for code, _ in PAGE)
    assert len(PAGE) >= 15
    assert all(name in text for name in ("rows[v]", "isnan", "isclose", "cov", "clip", "pow(2, v, 5)"))


def results_of(code: str) -> list[Any]:
    """What code gives; nothing if it raises, in whatever way: most of the errors are NumPy's own."""
    try:
        return list(np.ravel(np.asarray(eval(code, names_of_the_page()), dtype=object)))
    except Exception:
        return []


@pytest.mark.parametrize(("code", "instead"), PAGE, ids=[code for code, _ in PAGE])
def test_what_the_page_says_does_not_work_does_not_and_what_to_write_does(code: str, instead: str) -> None:
    found = results_of(code)
    works = (sys.version_info >= (3, 14) and "pow" in code) or (IS_OLD and "quantile" in code)
    assert works or not found or not all(isinstance(x, Value) for x in found)
    found = results_of(instead)
    assert found
    assert any(isinstance(x, Value | bool | np.bool_) for x in found)
