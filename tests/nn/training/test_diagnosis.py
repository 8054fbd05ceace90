"""`nn.diagnose` finds each illness it names, and none in a healthy network."""

import math

import pytest

import nn
from autograd import Value
from nn.training.diagnosis import diagnose

X = [[0.3, -0.7], [-1.2, 0.4], [0.9, 1.1], [-0.2, -0.5]]
Y = [0.5, -0.5, 1.0, 0.0]


def test_a_healthy_network_has_no_finding() -> None:
    found = diagnose(nn.MLP(2, [4, 1], seed=1), X, Y)
    assert found.findings == ()
    assert "nothing stands in the way" in str(found)
    assert [(row.layer, row.units, row.dead, row.saturated) for row in found.layers] == [(1, 4, (), ()), (2, 1, (), ())]


def test_dead_units_are_named() -> None:
    model = nn.MLP(2, [3, 1], activation="relu", seed=0)
    model.layers[0].neurons[1].b.data = -50.0
    found = diagnose(model, X, Y)
    assert 1 in found.layers[0].dead
    assert any("layer 1" in finding and "dead" in finding and "leaky_relu" in finding for finding in found.findings)


def test_saturated_units_are_named() -> None:
    model = nn.MLP(2, [3, 1], activation="tanh", seed=0)
    model.layers[0].neurons[2].b.data = 12.0
    found = diagnose(model, X, Y)
    assert found.layers[0].saturated == (2,)
    assert any("saturated (2)" in finding for finding in found.findings)


def test_a_vanishing_gradient_is_found() -> None:
    model = nn.MLP(2, [3, 3, 3, 3, 3, 3, 3, 3, 1], activation="sigmoid", seed=0)
    found = diagnose(model, X, Y)
    assert any("layer 1" in finding and "vanishes" in finding for finding in found.findings)


def test_an_exploding_gradient_is_found() -> None:
    model = nn.MLP(2, [3, 3, 3, 1], activation="linear", seed=0)
    for layer in model.layers:
        for neuron in layer.neurons:
            for weight in neuron.w:
                weight.data = 60.0
    assert any("explodes" in finding for finding in diagnose(model, X, Y).findings)


def test_the_gradient_of_a_layer_is_that_of_the_formula() -> None:
    """With one linear neuron and half the squared error, ∂C/∂Z is the error itself."""
    model = nn.MLP(2, [1], seed=3)
    errors = [model(x).data - y for x, y in zip(X, Y, strict=True)]
    expected = math.sqrt(sum(e * e for e in errors) / len(errors))
    found = diagnose(model, X, Y, loss=lambda output, target: (output - target) ** 2 / 2)
    assert found.layers[0].gradient == pytest.approx(expected, rel=1e-14, abs=0.0)


def test_a_parameter_that_the_loss_does_not_reach_is_named() -> None:
    model = nn.MLP(2, [2, 1], seed=0)
    model.forgotten = Value(1.0)  # type: ignore[attr-defined]
    found = diagnose(model, X, Y)
    assert found.unreached == ("forgotten",)
    assert any("does not depend on forgotten" in finding for finding in found.findings)


def test_gradients_that_piled_up_are_noticed_and_kept() -> None:
    model = nn.MLP(2, [2, 1], seed=0)
    for _ in range(3):
        nn.cost(model, X, Y, "mse").backward()
    before = [p.grad for p in model.parameters()]
    found = diagnose(model, X, Y)
    assert any("3 times the gradient" in finding for finding in found.findings)
    assert [p.grad for p in model.parameters()] == before
    model.zero_grad()
    nn.cost(model, X, Y, "mse").backward()
    assert diagnose(model, X, Y).findings == ()


def test_a_flat_loss_is_said_to_be_flat() -> None:
    found = diagnose(nn.MLP(2, [2, 1], seed=0), X, [1] * 4, loss=lambda output, target: (output * 0.0) ** 2)
    assert "no gradient leaves the loss" in found.findings[0]


def test_the_table_is_text_and_html() -> None:
    found = diagnose(nn.MLP(2, [4, 1], seed=1), X, Y)
    assert len(str(found).splitlines()) == 5
    assert found._repr_html_().count("<tr>") == 3


def test_what_cannot_be_looked_into_is_an_error() -> None:
    with pytest.raises(TypeError, match="no trace"):
        diagnose(nn.Neuron(2), X, Y)
    with pytest.raises(ValueError, match="4 and 3"):
        diagnose(nn.MLP(2, [1]), X, Y[:3])
    with pytest.raises(ValueError, match="0 and 0"):
        diagnose(nn.MLP(2, [1]), [], [])


def test_a_loss_that_is_not_finite_is_followed_to_its_origin() -> None:
    model = nn.MLP(2, [2, 1], seed=0)
    forward = diagnose(model, X, Y, loss=lambda output, target: (output * 0.0 + 1e308) * 10.0).findings[0]
    assert forward.startswith("X[0]: forward: mul gave inf; x is 1e+308, y is 10.0. 1e+308 · 10.0 is too large")
    backward = diagnose(model, X, Y, loss=lambda output, target: (output * 0.0).sqrt()).findings[0]
    assert backward.startswith("X[0]: backward: the gradient through sqrt with respect to x is inf; ")


def test_diagnose_refuses_what_is_not_finite() -> None:
    with pytest.raises(ValueError, match="finite"):
        nn.diagnose(nn.MLP(1, [1]), [[float("nan")]], [1.0])
