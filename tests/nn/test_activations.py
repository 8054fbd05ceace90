"""Activations: by every name and alias, as functions, and what is none."""

import pytest

import autograd
from nn import ACTIVATIONS, MLP, Layer, Neuron
from nn.activations import activation_name, resolve


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_can_be_used_by_name(name: str) -> None:
    function = resolve(name)
    neuron = Neuron(1, name)
    place = 0.5 if function is None or autograd.TABLE[name].domain(0.5) else 1.5
    neuron.w[0].data, neuron.b.data = 0.0, place
    if function is None:
        assert neuron([2.0]).data == place
    else:
        assert neuron([2.0]).data == function(place)
        assert activation_name(function) == name


def test_aliases_and_functions() -> None:
    assert Layer(1, 1, "arctan").activation.name == "atan"
    assert Layer(1, 1, "identity").activation.function is None
    assert Layer(1, 1, autograd.identity).activation.name == "linear"
    assert MLP(1, [2, 1], autograd.relu).layers[0].activation.name == "relu"
    assert MLP(1, [2, 1], lambda z: z * z)([3.0]).primitive is not None


@pytest.mark.parametrize(
    ("name", "hint"),
    [("tahn", "did you mean .*tanh"), ("arctn", "arctan"), ("dot", "did you mean|there are"), ("", "there are")],
)
def test_an_unknown_activation(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"no activation is called '{name}'; .*{hint}"):
        MLP(1, [1, 1], name)


@pytest.mark.parametrize("name", ["add", "clip", "where", "detach", "less", "sum"])
def test_what_is_no_function_of_one_number_is_no_activation(name: str) -> None:
    assert name not in ACTIVATIONS
    with pytest.raises(ValueError, match="no activation is called"):
        Neuron(1, name)


def test_an_activation_of_the_wrong_kind() -> None:
    with pytest.raises(TypeError, match="an activation is a name such as 'tanh', or a function; not 3"):
        Neuron(1, 3)  # type: ignore[arg-type]
