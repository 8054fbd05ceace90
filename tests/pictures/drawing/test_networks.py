"""A model as a network of units and weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

import nn
from autograd import Value, draw
from autograd.pictures.drawing.scene import UNIT


def units(picture: Any) -> list[tuple[float, float]]:
    return [node.at for node in picture.scene.nodes if node.kind == UNIT]


def test_units_stand_in_columns_and_each_weight_is_a_line() -> None:
    picture = draw(nn.MLP(2, [3, 1], seed=1))
    assert [sum(x == column for x, _ in units(picture)) for column in sorted({x for x, _ in units(picture)})] == [
        2,
        3,
        1,
    ]
    assert len(picture.scene.edges) == 2 * 3 + 3 * 1
    assert picture.scene.name == "network 2 → 3 → 1"
    root = ElementTree.fromstring(picture.pipe("svg", engine="svg"))
    assert len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) == 6


def test_width_and_colour_are_those_of_the_weight() -> None:
    model = nn.MLP(2, [1], seed=1)
    model.layers[0].neurons[0].w[0].data, model.layers[0].neurons[0].w[1].data = 0.5, -1.0
    edges = {edge.argument: edge for edge in draw(model).scene.edges}
    assert (edges[0].shade, edges[1].shade) == (0.5, -1.0)
    assert edges[1].width > edges[0].width
    source = draw(model).source
    assert "penwidth" in source
    assert "arrowhead=none" in source


def test_gradients_on_request() -> None:
    model = nn.MLP(2, [1], seed=1)
    assert "no gradient yet" in draw(model, color="gradient").scene.caption[0]
    nn.losses.mse(model([1.0, -2.0]), 5.0).backward()
    edges = {edge.argument: edge for edge in draw(model, color="gradient").scene.edges}
    gradients = [w.grad for w in model.layers[0].neurons[0].w]
    assert [edges[i].shade for i in range(2)] == [g / max(map(abs, gradients)) for g in gradients]
    assert f"gradient {gradients[0]:.4g}" in edges[0].tip


def test_wide_layers_are_shortened_and_say_so() -> None:
    picture = draw(nn.MLP(784, [30, 10]))
    assert [node.lines for node in picture.scene.nodes if node.lines == ("⋮",)] == [("⋮",)] * 2
    assert len(units(picture)) == 9 + 9 + 10
    assert "784, 30" in picture.scene.caption[-1]
    assert any(node.lines == ("input", "784 numbers") for node in picture.scene.nodes)
    assert "x₇₈₃" in picture.source


def test_a_layer_and_a_neuron_are_networks_too() -> None:
    assert len(draw(nn.Layer(3, 2)).scene.edges) == 6
    assert len(draw(nn.Neuron(3)).scene.edges) == 3


def test_a_network_with_activations_between_is_drawn() -> None:
    model = nn.Sequential(nn.Layer(2, 3), nn.Activation("relu"), nn.Layer(3, 1))
    assert len(draw(model).scene.edges) == 9


class Protocol:
    """A class of one's own that satisfies the protocol, and no more."""

    def __init__(self, parameters: dict[str, Value]) -> None:
        self._parameters = parameters

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        yield from self._parameters.items()


def test_a_model_needs_named_parameters_alone() -> None:
    named = {f"hidden.units[{u}].w[{i}]": Value(0.1 * i - u) for u in range(2) for i in range(3)}
    picture = draw(Protocol({**named, "out.units[0].w[0]": Value(1.0), "out.units[0].w[1]": Value(2.0)}))
    assert picture.scene.name == "network 3 → 2 → 1"
    assert any(node.lines == ("hidden", "2 units") for node in picture.scene.nodes)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({}, "has no parameters"),
        ({"scale": Value(1.0)}, "has not weights"),
        ({"a.u[0].w[0]": Value(1.0), "b.u[0].w[0]": Value(1.0), "b.u[0].w[1]": Value(1.0)}, "takes 2 numbers"),
        ({"a.u[0].w[0]": Value(1.0), "a.u[1].w[0]": Value(1.0), "a.u[1].w[1]": Value(1.0)}, "different numbers"),
    ],
)
def test_another_form_is_an_error(parameters: dict[str, Value], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        draw(Protocol(parameters))


def test_weights_that_are_no_numbers_are_drawn() -> None:
    model = nn.MLP(2, [1])
    model.layers[0].neurons[0].w[0].data = float("nan")
    model.layers[0].neurons[0].w[1].data = float("inf")
    assert b"nan" in draw(model).pipe("svg", engine="svg")
