"""Networks: layers one after the other, the gradients of the textbooks, and what a chain refuses."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value
from nn import MLP, Activation, Layer, Neuron, Sequential

numbers = st.floats(-3.0, 3.0)


def sigma(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-z))


def sigma_prime(z: float) -> float:
    return sigma(z) * (1.0 - sigma(z))


@given(numbers, numbers, numbers, numbers, numbers, st.floats(0.0, 1.0))
def test_the_two_layer_sigmoid_network_has_the_gradients_a_and_b(
    x: float, w1: float, b1: float, w2: float, b2: float, y: float
) -> None:
    model = MLP(1, [1, 1], activation="sigmoid", output="sigmoid")
    first, second = model.layers[0].neurons[0], model.layers[1].neurons[0]
    first.w[0].data, first.b.data, second.w[0].data, second.b.data = w1, b1, w2, b2
    cost = 0.5 * (y - model([x])) ** 2
    cost.backward()
    z1 = w1 * x + b1
    a1 = sigma(z1)
    z2 = w2 * a1 + b2
    a2 = sigma(z2)
    assert cost.data == pytest.approx(0.5 * (y - a2) ** 2, rel=1e-12, abs=1e-15)
    assert second.w[0].grad == pytest.approx(a1 * sigma_prime(z2) * (a2 - y), rel=1e-9, abs=1e-14)  # (A)
    expected = x * sigma_prime(z1) * (a2 - y) * sigma_prime(z2) * w2  # (B)
    assert first.w[0].grad == pytest.approx(expected, rel=1e-9, abs=1e-14)
    assert second.b.grad == pytest.approx(sigma_prime(z2) * (a2 - y), rel=1e-9, abs=1e-14)
    assert first.b.grad == pytest.approx(sigma_prime(z1) * (a2 - y) * sigma_prime(z2) * w2, rel=1e-9, abs=1e-14)


def test_a_model_of_width_1_returns_its_value() -> None:
    assert isinstance(MLP(2, [1, 1])([1.0, 2.0]), Value)
    assert [type(v) for v in MLP(2, [1, 2])([1.0, 2.0])] == [Value, Value]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: MLP(2, []), ValueError, "at least one layer"),
        (lambda: MLP(0, [1]), ValueError, "nin must be at least 1; it is 0"),
        (lambda: MLP(2, [3, 0]), ValueError, "nout must be at least 1; it is 0"),
        (lambda: MLP(2, [2.0]), TypeError, "nout must be an int; it is 2.0"),
        (lambda: Neuron(True), TypeError, "nin must be an int; it is True"),
        (lambda: Neuron(-1), ValueError, "nin must be at least 1; it is -1"),
    ],
)
def test_widths_that_cannot_be(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_list_of_activations_has_one_for_each_layer() -> None:
    model = MLP(2, [3, 3, 1], ["relu", autograd.sin, lambda z: 2.0 * z])
    assert [layer.activation.name for layer in model.layers] == ["relu", "sin", "<lambda>"]
    assert repr(model) == "MLP(2 → 3 → 3 → 1, 'relu', 'sin', output '<lambda>', 25 parameters)"
    with pytest.raises(ValueError, match="there are 2 layers, but 3 activations; give one for each layer"):
        MLP(2, [3, 1], ["relu", "relu", "relu"])
    with pytest.raises(ValueError, match="leave output out"):
        MLP(2, [3, 1], ["relu", "relu"], output="tanh")
    with pytest.raises(TypeError, match="an activation is a name such as 'tanh', or a function; not None"):
        MLP(2, [3, 1], None)  # type: ignore[arg-type]


@given(st.lists(numbers, min_size=2, max_size=2))
def test_activation_layers_of_their_own_are_the_activations_inside(x: list[float]) -> None:
    apart = Sequential(
        Layer(2, 3, seed=1, initializer="he"),
        Activation("relu"),
        Layer(3, 2, seed=2),
        Activation("sigmoid"),
        Layer(2, 1, seed=3),
        Activation("arctan"),
    )
    inside = Sequential(Layer(2, 3, "relu", seed=1), Layer(3, 2, "sigmoid", seed=2), Layer(2, 1, "atan", seed=3))
    assert apart(x).data == inside(x).data == apart.predict([x])[0] == inside.predict([x])[0]
    a, b = apart.trace(x), inside.trace(x)
    assert [[z.data for z in layer] for layer in a.Z] == [[z.data for z in layer] for layer in b.Z]
    assert [[z.data for z in layer] for layer in a.A] == [[z.data for z in layer] for layer in b.A]
    assert a.A[2][0] is a.output
    assert (apart.nin, apart.nout, len(apart.parameters())) == (2, 1, 20)


def test_what_a_chain_refuses() -> None:
    with pytest.raises(ValueError, match="at least one layer"):
        Sequential()
    with pytest.raises(TypeError, match=r"layer 1 is 'relu', which cannot be called; write Activation\('relu'\)"):
        Sequential(Layer(1, 1), "relu")
    with pytest.raises(ValueError, match="layer 2 has 3 inputs, but the layer before it 2 outputs"):
        Sequential(Layer(1, 2), Activation("relu"), Layer(3, 1))
    doubled = Sequential(Layer(1, 2, initializer="zeros"), lambda a: [*a, 1.0], Layer(2, 1))
    assert doubled.layers[1]([1.0]) == [1.0, 1.0]


def test_a_network_in_a_network_is_refused_with_the_remedy() -> None:
    with pytest.raises(TypeError, match=r"\*net\.layers"):
        nn.Sequential(nn.Sequential(nn.Layer(2, 1)), nn.Layer(1, 2))


def test_one_width_is_one_layer_and_a_number_is_no_list_of_inputs() -> None:
    assert len(nn.MLP(2, 1).layers) == 1
    with pytest.raises(TypeError, match=r"write \[3\.0\]"):
        nn.MLP(1, [1])(3.0)  # type: ignore[arg-type]
