"""``load``: the network in a file that ``save`` wrote, built anew from its architecture."""

from __future__ import annotations

import os
from typing import Any

from nn.activations import ACTIVATIONS, Activation
from nn.layers import Layer
from nn.model_files import ModelFileError, one_line, read_model
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
    source, document = os.fspath(path), read_model(path)
    try:
        model = _built(document["architecture"])
        parameters, extras = document["parameters"], document["extras"]
        if not isinstance(parameters, dict) or not isinstance(extras, dict):
            raise TypeError("the parameters or the extras are not an object")
        model.load_state_dict(parameters)
    except KeyError as error:
        raise ModelFileError(f"{source}: {error} is missing; is the file damaged?") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{source}: {one_line(error)}; is the file damaged?") from None
    return model, extras


def _built(architecture: Any) -> Sequential:
    """The network of an architecture, whose parameters are still to be set."""
    kind = architecture["kind"]
    if kind not in ("MLP", "Sequential"):
        raise ValueError(f"the architecture is of the unknown kind {kind!r}")
    layers = architecture["layers"]
    parameters, inputs = 0, architecture["inputs"]
    for layer in layers:
        if layer["activation"] not in ACTIVATIONS:
            raise ValueError(f"the activation {layer['activation']!r} is unknown")
        if kind == "MLP" or "width" in layer:
            parameters += (inputs + 1) * layer["width"]
            inputs = layer["width"]
    if parameters > 10_000_000:
        raise ValueError(f"the architecture has {parameters} parameters, more than any file of ours")
    activations = [layer["activation"] for layer in layers]
    if kind == "MLP":
        return MLP(architecture["inputs"], [layer["width"] for layer in layers], activations, initializer="zeros")
    built: list[Any] = []
    width = architecture["inputs"]
    for layer, activation in zip(layers, activations, strict=True):
        if "width" in layer:
            built.append(Layer(width, layer["width"], activation, initializer="zeros"))
            width = layer["width"]
        else:
            built.append(Activation(activation))
    return Sequential(*built)
