"""Other passes through a network than the call: one that keeps what it computes, and one that builds no graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograd import Value
from nn.samples import listed, wrong_number_of_inputs

if TYPE_CHECKING:
    from nn.layers import MLP


@dataclass(frozen=True, slots=True)
class Trace:
    """What a network computed on the way: `Z[i]` and `A[i]` are those of `model.layers[i]`, as lists of Values."""

    x: list[Any]
    Z: list[list[Value]]
    A: list[list[Value]]
    output: Any


def trace(model: MLP, x: Sequence[Any]) -> Trace:
    """Every Z and A on the way to the output; without an activation, A is Z."""
    sums, activations = [], []
    a = inputs = listed(x)
    for number, layer in enumerate(model.layers, start=1):
        z = layer.linear(a)
        a = z if layer.function is None else [layer.function(value) for value in z]
        sums.append(z)
        activations.append(a)
        for letter, values in (("a", a), ("z", z)):
            for m, value in enumerate(values):
                value.label = f"{letter}{number}[{m}]"
    return Trace(inputs, sums, activations, a[0] if len(a) == 1 else a)


def predict(model: MLP, X: Sequence[Sequence[float]]) -> list[Any]:
    """The outputs for rows of plain numbers, in the arithmetic of a call and without its graph."""
    weights = [[([w.data for w in neuron.w], neuron.b.data) for neuron in layer.neurons] for layer in model.layers]
    outputs: list[Any] = []
    for row in listed(X):
        a = listed(row)
        for layer, neurons in zip(model.layers, weights, strict=True):
            if len(a) != layer.nin:
                raise wrong_number_of_inputs("the layer", layer.nin, len(a))
            z = [_weighted_sum(w, a, b) for w, b in neurons]
            a = z if layer.function is None else [layer.function(value) for value in z]
        outputs.append(a[0] if len(a) == 1 else a)
    return outputs


def _weighted_sum(weights: list[float], inputs: list[float], start: float) -> float:
    """Added left to right from the start on, as the engine's `dot` does."""
    for weight, x in zip(weights, inputs, strict=True):
        start += weight * x
    return start
