"""``mlps``: networks as functions, as lists, as formulas and as code, all the same to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from autograd import TABLE, linear
from autograd.testing import MLP, Call, calls, mlps, reals
from autograd.testing.calls_as_code import call
from tests.testing.test_expression import bits
from tests.testing.test_numbers import simplest

EVERYWHERE = ["tanh", "sigmoid", "relu", "leaky_relu", "elu", "selu", "gelu", "identity"]


def textbook(f: MLP, xs: Any) -> list[Any]:
    """The formulas of the textbooks over the lists of weights and biases; of layers without constants."""
    a = list(xs)
    for rows, biases, activation in zip(f.weights, f.biases, f.activations, strict=True):
        z = linear([(*row, b) for row, b in zip(rows, biases, strict=True)], a)
        a = [call(activation, (x,)) for x in z]
    return a


@given(calls(mlps()))
def test_it_is_the_textbooks_network(drawn: Call) -> None:
    f, xs = drawn
    assert bits(f(*xs)) == bits(textbook(f, xs)[0])
    assert len(f.parameters) == sum((n + 1) * k for n, k in zip(f.sizes, f.sizes[1:], strict=False))


@given(calls(mlps(outputs=2, activations=EVERYWHERE)))
def test_function_graph_expression_and_code_compute_the_same_bits(drawn: Call) -> None:
    f, xs = drawn
    expected = [bits(y) for y in f(*xs)]
    graph = f.graph(*xs)
    assert [bits(y.data) for y in graph.outputs] == expected
    for output, y in enumerate(expected):
        formula = f.expression(output)
        assert bits(formula(*xs, *f.parameters)) == y
        assert bits(formula.evaluate([*xs, *f.parameters])) == y
    namespace: dict[str, Any] = {}
    exec(f.code(), namespace)
    assert [bits(y) for y in namespace["f"](*xs)] == expected


@given(calls(mlps(inputs=2)))
def test_the_graphs_derivatives_are_those_of_the_formula(drawn: Call) -> None:
    f, xs = drawn
    graph = f.graph(*xs)
    graph.outputs[0].backward()
    output, leaves = f.expression().graph(*xs, *f.parameters)
    output.backward()
    assert [leaf.grad for leaf in (*graph.inputs, *graph.parameters)] == [leaf.grad for leaf in leaves]
    assert [leaf.label for leaf in leaves] == [leaf.label for leaf in (*graph.inputs, *graph.parameters)]


@given(calls(mlps(inputs=2)))
def test_it_is_numpys_matrix_product(drawn: Call) -> None:
    f, xs = drawn
    a = np.array(xs)
    for weights, biases, activation in zip(f.weights, f.biases, f.activations, strict=True):
        a = call_on_arrays(activation.name, np.array(weights) @ a + np.array(biases))
    assert abs(a[0] - f(*xs)) <= 1e-13 * 10 ** len(f.activations)


def call_on_arrays(name: str, z: Any) -> Any:
    from autograd.number_systems import arrays

    return getattr(arrays, name)(z)


@given(mlps(max_layers=2, max_width=3, inputs=1), reals(-1, 1))
def test_other_parameters(f: MLP, x: float) -> None:
    assert f.sizes[0] == 1
    assert 2 <= len(f.sizes) <= 3
    assert max(f.sizes) <= 3
    assert bits(f(x, parameters=f.parameters)) == bits(f(x))
    assert f(x, parameters=[0.0] * len(f.parameters)) == call(f.activations[-1], (0.0,))


def test_it_shrinks_to_one_neuron_without_weights() -> None:
    assert simplest(mlps(activations=["tanh"])) == MLP((((0.0,),),), ((0.0,),), (TABLE["identity"],))
    f = simplest(mlps(), lambda f: len(f.sizes) == 4)
    assert f.sizes == (1, 1, 1, 1)
    f, xs = simplest(calls(mlps()), lambda drawn: drawn.function(*drawn.inputs) > 0)
    assert (f.weights, f.biases, xs) == ((((0.0,),),), ((1.0,),), (0.0,))


def test_a_call_prints_as_code() -> None:
    f, xs = drawn = simplest(calls(mlps(inputs=1, activations=["leaky_relu"])), lambda d: len(d.function.sizes) > 2)
    namespace: dict[str, Any] = {}
    code, _, last = repr(drawn).rpartition("\n")
    exec(code, namespace)
    assert eval(last, namespace) == f(*xs)
    assert "autograd.leaky_relu(autograd.dot(w, a, b), 0.01)" in code


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (mlps(inputs=0), "inputs=0"),
        (mlps(outputs=0), "outputs=0"),
        (mlps(outputs=None), "outputs=None"),  # type: ignore[arg-type]
        (mlps(max_layers=0), "max_layers=0"),
        (mlps(max_width=1.5), "max_width=1.5"),  # type: ignore[arg-type]
        (mlps(activations=[]), "empty"),
        (mlps(activations="tanh"), "must be a list"),
        (mlps(activations=["log"]), "log is no activation"),
        (mlps(activations=["add"]), "add is no activation"),
        (mlps(activations=["where"]), "where is no activation"),
        (mlps(activations=["tangh"]), "did you mean tanh"),
        (mlps(min_value=1, max_value=0), "above max_value"),
    ],
)
def test_bad_arguments(strategy: st.SearchStrategy[MLP], words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        simplest(strategy)


def test_wrong_numbers_of_inputs_and_parameters() -> None:
    f = simplest(mlps(inputs=2))
    with pytest.raises(TypeError, match="takes 2 inputs; 1 were given"):
        f(1.0)
    with pytest.raises(TypeError, match="takes 2 inputs; 3 were given"):
        f.graph(1.0, 2.0, 3.0)
    with pytest.raises(TypeError, match="takes 3 parameters; 1 were given"):
        f(1.0, 2.0, parameters=[1.0])
    with pytest.raises(IndexError, match="no output 1"):
        f.expression(1)
