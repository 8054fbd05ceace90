"""NumPy's functions over arrays of Values, and over a Value alone."""

from __future__ import annotations

import itertools
import math
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
    assert [y.data for y in found] == pytest.approx(np.ravel(function(*[numbers] * arguments)).tolist(), rel=1e-14)


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
            assert found.data == pytest.approx(float(function(*numbers)), rel=1e-15)


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
