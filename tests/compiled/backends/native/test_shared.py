"""What all samples share runs natively on every native back end, with the bits of the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value
from autograd.compiled.backends import replay
from tests.compiled.replays import bits

pytest.importorskip("llvmlite", reason="there is no native code without it")

NATIVE = ("auto", "interpreter", "machine")
XS = np.linspace(-1.0, 1.0, 20)


@pytest.fixture
def without_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shared must not be left to NumPy."""

    def refuse(*_: Any) -> None:
        raise AssertionError("NumPy was asked for what native code computes")

    monkeypatch.setattr(replay, "GroupCalls", refuse)


def eagerly(f: Any, shared: list[float], sample: float) -> tuple[float, list[float]]:
    """The value and the gradient by the shared numbers, at a sample."""
    leaves = [Value(x) for x in shared]
    out = f(leaves, sample)
    out.backward()
    return out.data, [leaf.grad for leaf in leaves]


def chained(w: Any, x: Any) -> Any:
    for _ in range(300):
        w = [autograd.sqrt(w[0] * w[0] + 0.5)]
    return w[0] * x


def layers(w: Any, x: Any) -> Any:
    """Two layers over shared numbers, five neurons and one, then a sample."""
    hidden = [autograd.relu(autograd.dot(w[9 * i : 9 * i + 8], w[45:53], w[9 * i + 8])) for i in range(5)]
    return autograd.dot([*hidden, *hidden], [*w[:5], *w[1:6]]) * x


@pytest.mark.usefixtures("without_numpy")
@pytest.mark.parametrize("backend", NATIVE)
@pytest.mark.parametrize(("f", "count"), [(chained, 1), (layers, 53)])
def test_programs_over_shared_numbers(f: Any, count: int, backend: str) -> None:
    shared = np.random.default_rng(0).normal(size=count).tolist()
    values = autograd.compile(f, backend=backend)(shared, XS)
    assert values.tolist() == [eagerly(f, shared, x)[0] for x in XS.tolist()]
    value, gradient = autograd.compile(f, wrt=0, backend=backend).value_and_grad(shared, 0.5)
    assert (bits(value), bits(gradient)) == tuple(map(bits, eagerly(f, shared, 0.5)))


@pytest.mark.parametrize("backend", NATIVE)
@given(data=st.data())
def test_sums_of_products_of_any_length_and_number(backend: str, data: st.DataObject) -> None:
    """As many dots as there are, of as many pairs, with a start or without, some over what others gave."""
    numbers = st.floats(-1e3, 1e3)
    shared = data.draw(st.lists(numbers, min_size=1, max_size=30))
    place = st.integers(0, len(shared) - 1)
    pairs = st.lists(st.tuples(place, place), min_size=1, max_size=20)
    dots = data.draw(st.lists(st.tuples(pairs, st.none() | place), min_size=1, max_size=7))

    def f(w: Any, x: Any) -> Any:
        numbers = list(w)
        for pairs, start in dots:
            factors = [numbers[i] for i, _ in pairs], [numbers[j] for _, j in pairs]
            numbers[pairs[0][0]] = autograd.dot(*factors) if start is None else autograd.dot(*factors, numbers[start])
        return autograd.sum(numbers) * x

    compiled = autograd.compile(f, wrt=0, backend=backend)
    value, gradient = compiled.value_and_grad(shared, 1.5)
    assert (bits(value), bits(gradient)) == tuple(map(bits, eagerly(f, shared, 1.5)))


def test_a_dot_of_many_shared_numbers_is_one_instruction() -> None:
    shared = np.random.default_rng(0).normal(size=10_000).tolist()
    f = autograd.compile(lambda w, x: autograd.dot(w, w) * x, backend="machine")
    assert f(shared, XS[:1])[0] == autograd.dot([Value(x) for x in shared], shared).data * XS[0]
    assert f.report().programs[0].shared_operations == 1
