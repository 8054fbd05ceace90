"""Passes through a network other than the call: ``trace`` keeps every Z and A, ``predict`` builds no graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from operator import is_
from typing import Any, Protocol
from weakref import WeakKeyDictionary, ref

from autograd import Value, compile
from nn.activations import ACTIVATIONS, Activation
from nn.checks import listed, sample_rows, wrong_number_of_inputs
from nn.layers import Layer

#: Rows from which on recording a network takes less time than it saves.
MANY_ROWS = 1000


class Network(Protocol):
    """What has layers, one after the other, and is called with a sample."""

    layers: list[Any]

    def __call__(self, x: Sequence[Any]) -> Any:
        """The output for one sample."""


@dataclass(frozen=True, slots=True)  # no tuple: modules look for parameters in tuples, and may keep a trace
class Trace:
    """What a network computed on the way: ``Z[i]`` and ``A[i]`` belong to the i-th layer that has weights, as Values.

    A layer's A is what its own activation gives, or what the last of the activation layers after it gives.
    """

    x: list[Any]
    Z: list[list[Value]]
    A: list[list[Value]]
    output: Any


def trace(model: Network, x: Sequence[Any]) -> Trace:
    """Every Z and A on the way to the output; without an activation, A is Z."""
    sums: list[list[Value]] = []
    activations: list[list[Value]] = []
    a = inputs = listed(x)
    for layer in model.layers:
        if isinstance(layer, Layer):
            z = layer.linear(a)
            a = layer.activation(z)
            sums.append(z)
            activations.append(a)
        else:
            a = layer(a)
            if activations:
                activations[-1] = a
    for letter, lists in (("a", activations), ("z", sums)):
        for number, values in enumerate(lists, start=1):
            for m, value in enumerate(values):
                value.label = f"{letter}{number}[{m}]"
    return Trace(inputs, sums, activations, a[0] if len(a) == 1 else a)


def predict(model: Network, X: Any, *, compile: bool) -> list[Any]:
    """The outputs for rows of plain numbers without a graph: in the arithmetic of a call; for many rows replayed."""
    is_table = getattr(X, "ndim", 0) == 2 and hasattr(X, "dtype")  # of a frame each column has one
    replayed = outputs_of(model, X) if compile and is_table else None
    if replayed is not None:
        return replayed
    rows = sample_rows(X)
    replayed = outputs_of(model, rows) if compile and not is_table else None
    if replayed is not None:
        return replayed
    steps = [_without_a_graph(layer) for layer in model.layers]
    outputs: list[Any] = []
    for row in rows:
        a = row
        for step in steps:
            a = step(a)
        outputs.append(a[0] if len(a) == 1 else a)
    return outputs


def outputs_of(model: Callable[[Any], Any], rows: Sequence[Any]) -> list[Any] | None:
    """What the model returns for each of many rows, as floats or lists of them.

    ``None`` where a replay cannot serve: there are few rows, a recording is impossible, an output is not finite.
    """
    if len(rows) < MANY_ROWS:
        return None
    try:
        recorded = _recorded(model, len(rows))
        outputs = recorded(*recorded.arrays(rows))
        found: list[Any] = outputs.tolist()
        finite = bool((abs(outputs) < math.inf).all())
    except Exception:  # the call row by row does it, or says why not
        return None
    return found if finite else None  # a call may raise, where a replay goes on with nan and infinities


#: Networks → what they consisted of when they were recorded, and the recording.
_KNOWN: WeakKeyDictionary[Any, tuple[list[Any], Any]] = WeakKeyDictionary()


def _recorded(model: Any, count: int) -> Any:
    """The model as a recorded function; of a network whose layers are ours it is recorded again only if they change."""
    layers = list(getattr(model, "layers", ()))
    if not layers or not all(type(layer) in (Layer, Activation) for layer in layers):
        return compile(model, expected_samples=count)
    parts = [*layers, *(getattr(layer, "activation", layer).function for layer in layers), *model.parameters()]
    is_ours = type(model).__call__.__module__ == "nn.networks" and all(
        layer.name in ACTIVATIONS for layer in (getattr(one, "activation", one) for one in layers)
    )
    if not is_ours:
        return compile(model, expected_samples=count)
    known = _KNOWN.get(model)
    if known is None or len(known[0]) != len(parts) or not all(map(is_, known[0], parts)):
        myself = ref(model)  # what is kept must not keep the model
        known = parts, compile(lambda row: myself()(row), expected_samples=count)  # type: ignore[misc]
        _KNOWN[model] = known
    return known[1]


def predictions(model: Callable[[Any], Any], rows: Sequence[list[float]], *, compile: bool) -> list[Any]:
    """The outputs of any module as floats, or lists of them: by its ``predict`` if it has one, else by calling it."""
    predict = getattr(model, "predict", None)
    if predict is not None:
        takes_it = not compile and "compile" in signature(predict).parameters  # a user's own need not
        return list(predict(rows, compile=False) if takes_it else predict(rows))
    return [_plain(model(row)) for row in rows]


def _plain(output: Any) -> Any:
    if hasattr(output, "__len__"):
        return [_plain(number) for number in output]
    return output.data if isinstance(output, Value) else output


def _without_a_graph(layer: Any) -> Callable[[list[float]], list[float]]:
    """What a layer does to a list of floats, its parameters read once."""
    if type(layer) is not Layer:  # a class of the user's own may compute something else
        return lambda a: [_plain(number) for number in layer(a)]
    neurons = [([w.data for w in neuron.w], neuron.b.data) for neuron in layer.neurons]
    function, inputs = layer.activation.function, layer.nin

    def step(a: list[float]) -> list[float]:
        if len(a) != inputs:
            raise wrong_number_of_inputs("the layer", inputs, len(a))
        z = [_weighted_sum(w, a, b) for w, b in neurons]
        return z if function is None else [_plain(function(number)) for number in z]

    return step


def _weighted_sum(weights: list[float], inputs: list[float], start: float) -> float:
    """Added left to right from the start on, as the engine's ``dot`` does."""
    for weight, x in zip(weights, inputs, strict=True):
        start += weight * x
    return start
