"""A batch of one sample runs four operations at a time, and gives what it gives among others, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value
from autograd.compiled.backends.interpreter.one_sample import OneSample
from autograd.testing import calls, expressions
from tests.compiled.replays import IEEE, bits

pytest.importorskip("llvmlite", reason="the interpreter is native code")


@given(calls(expressions(primitives=IEEE, inputs=3)), st.floats(-2.0, 2.0), st.sampled_from(["sum", "mean", None]))
def test_it_gives_what_it_gives_among_others(call: Any, shared: float, reduce: Any) -> None:
    f, (x, y, _) = call
    k = Value(shared)
    compiled = autograd.compile(lambda a, b: f(a, b, k), params=[k], wrt=(0, 1), reduce=reduce, backend="interpreter")
    by_sample = autograd.compile(lambda a, b: f(a, b, k), params=[k], wrt=(0, 1), reduce=None, backend="interpreter")
    two = by_sample.value_and_grad(np.array([x, 0.5]), np.array([y, -0.5]))
    value, (by_k, (by_a, by_b)) = compiled.value_and_grad(np.array([x]), np.array([y]))
    expected = two[0][:1], two[1][0][:1], *[column[:1] for column in two[1][1]]
    for found, sample in zip((value, by_k, by_a, by_b), expected, strict=True):
        assert bits(np.add(found, 0.0)) == bits(np.add(sample, 0.0))  # a sum of one begins at 0.0
    assert bits(compiled(np.array([x]), np.array([y]))) == bits(by_sample(np.array([x, 0.5]), np.array([y, -0.5]))[:1])


def test_calls_of_one_sample_between_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The arrays of the last call are known to native code; those of one sample are not, and are read anew."""
    ran: list[int] = []
    own = OneSample.run
    monkeypatch.setattr(OneSample, "run", lambda self, *args: (ran.append(1), own(self, *args))[1])
    w = Value(2.0)
    f = autograd.compile(lambda x: w * x * x, params=[w], reduce="sum", backend="interpreter")
    one, many = np.array([3.0]), np.array([1.0, 2.0])
    for factor in (1.0, 2.0):
        for x in (many, many, one, one, many, one[::1], np.array([[3.0], [0.0]])[0]):
            x[:] = factor * x / abs(x).max()
            value, (slope,) = f.value_and_grad(x)
            assert (value, slope) == (2.0 * float(x @ x), float(x @ x))
        w.data = 2.0
    assert len(ran) == 8


def test_care_and_guards_and_loops_at_one_sample() -> None:
    f = autograd.compile(lambda x: autograd.maximum(autograd.sqrt(x), 0.1), wrt=0, reduce="sum", backend="interpreter")
    assert f.value_and_grad(np.array([0.0]))[1].tolist() == [0.0]
    g = autograd.compile(lambda x: x * x if x > 1.0 else -x, wrt=0, reduce="sum", backend="interpreter")
    assert [g.value_and_grad(np.array([x]))[0] for x in (2.0, 0.5, 3.0)] == [4.0, -0.5, 9.0]
    h = autograd.compile(
        lambda x: autograd.scan(lambda c, _: (c * x, None), 1.0, length=3, unroll=False)[0], wrt=0, reduce="sum",
        backend="interpreter",
    )  # fmt: skip
    assert h.value_and_grad(np.array([2.0]))[0] == 8.0
