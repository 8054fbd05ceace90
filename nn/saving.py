"""``load``: the network in a file that ``save`` wrote, built anew from its architecture."""

from __future__ import annotations

import os
from typing import Any

from nn.activations import ACTIVATIONS, Activation
from nn.checks import brief
from nn.layers import Layer
from nn.model_files import damaged, read_model
from nn.networks import MLP, Sequential


def load(path: str | os.PathLike[str]) -> Sequential:
    """The model in a file that ``save`` wrote, an ``MLP`` or a ``Sequential`` as it was.

    Raises:
        ModelFileError: the file is broken, foreign, or of a later version.
        OSError: it cannot be read.
    """
    return load_with_extras(path)[0]


def load_with_extras(path: str | os.PathLike[str]) -> tuple[Sequential, dict[str, Any]]:
    """The model in a file that ``save`` wrote, and the extras it was saved with; errors as for ``load``."""
    document = read_model(path)
    try:
        parameters, extras = document["parameters"], document["extras"]
        if not isinstance(parameters, dict) or not isinstance(extras, dict):
            raise TypeError("the parameters or the extras are not an object")
        kind, inputs, layers = _checked(document["architecture"], len(parameters))
        model = _built(kind, inputs, layers)
        model.load_state_dict(parameters)
    except KeyError as error:
        raise damaged(path, f"{error} is missing") from None
    except (ValueError, TypeError) as error:
        raise damaged(path, str(error)) from None
    return model, extras


def _checked(architecture: Any, given: int) -> tuple[str, Any, list[tuple[int | None, str]]]:
    """Kind, number of inputs, and width and activation of each layer, which have as many parameters as were given.

    It is called before anything is built, so what is built is no larger than the file, whatever that announces.
    """
    if not isinstance(architecture, dict):
        raise TypeError(f"the architecture is {brief(architecture)}, not an object")
    kind = architecture["kind"]
    if kind not in ("MLP", "Sequential"):
        raise ValueError(f"the architecture is of the unknown kind {brief(kind)}")
    inputs, found = architecture["inputs"], architecture["layers"]
    if not isinstance(found, list) or not found:
        raise TypeError(f"the layers are {brief(found)}, not a list of at least one layer")
    layers: list[tuple[int | None, str]] = []
    parameters, before = 0, inputs
    for number, layer in enumerate(found, start=1):
        if not isinstance(layer, dict):
            raise TypeError(f"layer {number} is {brief(layer)}, not an object")
        activation = layer["activation"]
        if not isinstance(activation, str) or activation not in ACTIVATIONS:
            raise ValueError(f"the activation {brief(activation)} is unknown")
        width = None
        if kind == "MLP" or "width" in layer:
            width = _size(f"the width of layer {number}", layer["width"])
            parameters += (_size("inputs", before) + 1) * width
            before = width
        layers.append((width, activation))
    if parameters != given:
        raise ValueError(f"the architecture has {brief(parameters)} parameters, and the file {given}")
    return kind, inputs, layers


def _size(what: str, number: Any) -> int:
    if type(number) is not int or number < 1:
        raise ValueError(f"{what} must be an int from 1 on; it is {brief(number)}")
    return number


def _built(kind: str, inputs: Any, layers: list[tuple[int | None, str]]) -> Sequential:
    """The network of an architecture, whose parameters are still to be set."""
    if kind == "MLP":
        widths, activations = zip(*layers, strict=True)
        return MLP(inputs, widths, activations, initializer="zeros")
    built: list[Any] = []
    for width, activation in layers:
        if width is None:
            built.append(Activation(activation))
        else:
            built.append(Layer(inputs, width, activation, initializer="zeros"))
            inputs = width
    return Sequential(*built)
