"""A gradient comes back in the shape in which its parameters were given."""

import copy
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value
from tests.compiled.replays import BACKENDS


def nested_params() -> tuple[Any, Any]:
    model = {"w": [[Value(0.5), Value(-1.0)], [Value(2.0), Value(3.0)]], "b": (Value(1.0), Value(0.0))}
    rows, biases = model["w"], model["b"]
    return model, lambda x: autograd.sum(autograd.dot(row, [x, x * x], b) for row, b in zip(rows, biases, strict=True))


@pytest.mark.parametrize("remade", [lambda f: f, copy.copy, lambda f: copy.deepcopy(f)])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_gradient_has_the_shape_of_its_params(backend: str, remade: Any) -> None:
    model, f = nested_params()
    compiled = remade(autograd.compile(f, params=model, reduce="sum", backend=backend))
    x = np.array([1.0, 2.0])
    for _ in range(2):  # the second call with the same arrays is a way of its own
        _, found = compiled.value_and_grad(x)
        assert found == {"w": [[3.0, 5.0], [3.0, 5.0]], "b": (2.0, 2.0)}
    by_sample = autograd.compile(f, params=model, reduce=None, backend=backend).value_and_grad(x)[1]
    assert [[c.tolist() for c in row] for row in by_sample["w"]] == [[[1.0, 2.0], [1.0, 4.0]]] * 2
    assert [c.tolist() for c in by_sample["b"]] == [[1.0, 1.0]] * 2
    assert autograd.compile(f, params=[model["b"]], backend=backend).value_and_grad(3.0)[1] == [(1.0, 1.0)]


def test_nested_params_of_something_else_are_refused() -> None:
    _, f = nested_params()
    with pytest.raises(TypeError, match=r"params\['w'\]\[1\] is str"):
        autograd.compile(f, params={"w": [Value(1.0), "b"]})
    with pytest.raises(TypeError, match=r"params holds leaves.* 2.0 is none"):
        autograd.compile(f, params=[[Value(1.0), 2.0]])
