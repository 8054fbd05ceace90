"""First weights: their scale, their seed, and the names they go by."""

import math
from random import Random
from typing import Any

import pytest

import autograd
from nn import ACTIVATIONS, INITIALIZERS, MLP, Layer, Module
from nn.activations import Activation
from nn.initializers import he, initializer_for, lecun, xavier


def data(model: Module) -> list[float]:
    return [p.data for p in model.parameters()]


def test_a_seed_means_one_network() -> None:
    assert data(MLP(2, [4, 1], seed=3)) == data(MLP(2, [4, 1], seed=3)) == data(MLP(2, [4, 1], seed=Random(3)))
    assert data(MLP(2, [4, 1], seed=3)) != data(MLP(2, [4, 1], seed=4))
    with pytest.raises(TypeError, match="seed must be an int; it is None"):
        MLP(2, [1], seed=None)  # type: ignore[arg-type]


def test_no_two_neurons_start_alike() -> None:
    weights = [w.data for layer in MLP(2, [16, 16, 1]).layers for neuron in layer.neurons for w in neuron.w]
    assert len(set(weights)) == len(weights)


@pytest.mark.parametrize(
    ("draw", "bound"),
    [(xavier, math.sqrt(6 / 50)), (he, math.sqrt(6 / 20)), (lecun, math.sqrt(3 / 20))],
)
def test_the_scale_of_first_weights(draw: Any, bound: float) -> None:
    generator = Random(0)
    drawn = [draw(20, 30, generator) for _ in range(5000)]
    assert all(-bound <= w <= bound for w in drawn)
    assert math.fsum(w * w for w in drawn) / 5000 == pytest.approx(bound * bound / 3, rel=0.05, abs=0.0)
    assert abs(math.fsum(drawn)) / 5000 < 0.05 * bound


@pytest.mark.parametrize(
    ("activation", "bound"),
    [
        ("tanh", math.sqrt(6 / 60)),
        ("linear", math.sqrt(6 / 60)),
        ("relu", math.sqrt(6 / 30)),
        ("selu", math.sqrt(3 / 30)),
    ],
)
def test_the_scale_suits_the_activation(activation: str, bound: float) -> None:
    largest = max(abs(w.data) for neuron in Layer(30, 30, activation).neurons for w in neuron.w)
    assert 0.98 * bound < largest <= bound


def test_the_relu_family_is_told_by_its_numbers() -> None:
    like_relu = {name for name in ACTIVATIONS if initializer_for(Activation(name)) is he}
    assert like_relu == {"relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus"}
    assert [name for name in ACTIVATIONS if initializer_for(Activation(name)) is lecun] == ["selu"]


def test_below_an_activation_of_ones_own_are_the_weights_of_xavier() -> None:
    for activation in (lambda z: autograd.maximum(0.2 * z, z), lambda z: {0.5: z}[z.data]):
        assert initializer_for(Activation(activation)) is xavier


def test_only_random_is_drawn_upon() -> None:
    class Strict(Random):
        def getrandbits(self, k: int, /) -> int:
            raise AssertionError("a stream that is not promised")

    assert data(MLP(2, [2, 1], seed=Strict(5))) == data(MLP(2, [2, 1], seed=5))


def test_an_initializer_can_be_chosen() -> None:
    model = MLP(2, [2, 1], initializer=lambda inputs, outputs, generator: inputs + 0.1 * outputs)
    assert [w.data for w in model.layers[0].neurons[0].w] == [2.2, 2.2]
    assert model.layers[1].neurons[0].w[0].data == 2.1


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializers_by_name(name: str) -> None:
    model, again, other = (MLP(4, [3, 1], seed=seed, initializer=name) for seed in (5, 5, 6))
    assert model.state_dict() == again.state_dict()
    weights = [w.data for layer in model.layers for neuron in layer.neurons for w in neuron.w]
    if name == "zeros":
        assert set(weights) == {0.0}
    else:
        assert model.state_dict() != other.state_dict()
        assert len(set(weights)) == len(weights)
    by_function = MLP(4, [3, 1], seed=5, initializer=INITIALIZERS[name])
    assert by_function.state_dict() == model.state_dict()


def test_an_unknown_initializer() -> None:
    with pytest.raises(ValueError, match="no initializer is called 'best'; there are xavier, glorot, he, lecun"):
        MLP(1, [1], initializer="best")
