"""Neurons and layers: weighted sums, labels where people look for them, inputs of any kind, errors that help."""

import math
from typing import Any

import pytest

from autograd import Value
from nn import MLP, Activation, Layer, Neuron


def test_a_weighted_sum_is_one_node() -> None:
    neuron = Neuron(3, "tanh")
    output = neuron([1.0, 2.0, 3.0])
    assert output.primitive is not None
    assert output.primitive.name == "tanh"
    (z,) = output.parents
    assert z.primitive.name == "dot"
    assert z.parents == (*neuron.w, 1.0, 2.0, 3.0, neuron.b)


def test_weights_and_biases_are_where_people_look_for_them() -> None:
    model = MLP(2, [16, 16, 1])
    assert [len(layer.neurons) for layer in model.layers] == [16, 16, 1]
    weights: list[Value] = model.layers[0].neurons[3].w
    assert [w.label for w in weights] == ["w1[3,0]", "w1[3,1]"]
    assert model.layers[2].neurons[0].b.label == "b3[0]"
    assert model.layers[2].neurons[0].b.data == 0.0
    assert len(model.parameters()) == 337
    assert (model.nin, model.nout) == (2, 1)


def test_every_label_is_one_parameters() -> None:
    labels = [p.label for p in MLP(3, [11, 12, 2]).parameters()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("width", [1, 2])
def test_a_layer_of_width_1_returns_a_list_too(width: int) -> None:
    for activation in ("linear", "tanh"):
        assert [type(v) for v in Layer(2, width, activation)([1.0, 2.0])] == [Value] * width
    assert isinstance(Layer(1, 1)(Layer(2, 1)([1.0, 2.0])), list)


def test_too_few_inputs_are_an_error_with_both_lengths() -> None:
    for maker, who in ((Neuron(3), "a neuron"), (Layer(3, 2), "the layer"), (MLP(3, [2, 1]), "the layer")):
        with pytest.raises(ValueError, match=f"{who} has 3 inputs, but was given 2 numbers"):
            maker([1.0, 2.0])
        with pytest.raises(ValueError, match=f"{who} has 3 inputs, but was given 4 numbers"):
            maker([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ValueError, match="has 1 input, but was given 2 numbers"):
        MLP(1, [1]).predict([[1.0, 2.0]])
    with pytest.raises(ValueError, match=r"has 2 inputs, but was given 1 number$"):
        MLP(2, [1]).trace([1.0])


@pytest.mark.parametrize("given", [(1.0, 2.0), [1, 2], [Value(1.0), Value(2.0)]])
def test_inputs_may_be_any_sequence_of_numbers(given: Any) -> None:
    model = MLP(2, [3, 1])
    assert model(given).data == model([1.0, 2.0]).data


def test_numpy_rows_are_inputs() -> None:
    numpy = pytest.importorskip("numpy")
    model = MLP(2, [3, 2])
    X = numpy.array([[1.0, 2.0], [3.0, 4.0]])
    assert [v.data for v in model(X[0])] == [v.data for v in model([1.0, 2.0])]
    assert model.predict(X) == model.predict(X.tolist())
    assert [v.data for v in Layer(2, 2)(numpy.float32([1.0, 2.0]))] == [v.data for v in Layer(2, 2)([1.0, 2.0])]


def test_a_layers_halves() -> None:
    layer = Layer(2, 3, "tanh", seed=1)
    z = layer.linear([0.5, -1.0])
    assert [a.data for a in layer.activation(z)] == [a.data for a in layer([0.5, -1.0])]
    assert layer.activation(0.5) == math.tanh(0.5)
    assert Activation("linear")([1.0]) == [1.0]
    assert Activation("linear")(2.0) == 2.0
