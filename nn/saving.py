"""Models as JSON: format, version, architecture and parameters, in which every float survives exactly.

Python writes a float as its shortest text that reads back to the same bits, so a saved model computes what it computed.
The file is written beside its place and moved there, so that a model already there is never left half overwritten.
"""

import json
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from nn.activations import ACTIVATIONS, resolve
from nn.layers import MLP
from nn.module import Module

FORMAT = "valuegrad model"
VERSION = 1


class ModelFileError(ValueError):
    """Why a file is not a model that this version can load, in one line."""


def state(model: Module) -> dict[str, float]:
    """The number of every parameter, by the path that `named_parameters` gives.

    >>> from nn.layers import Neuron
    >>> list(state(Neuron(2)))
    ['w[0]', 'w[1]', 'b']
    """
    return {name: parameter.data for name, parameter in model.named_parameters()}


def set_state(model: Module, numbers: Mapping[str, float]) -> None:
    """Write the numbers that `state` gave into the parameters of a model of the same architecture.

    Raises:
        ValueError: a parameter is missing, there is one too many, or a number is not finite; nothing is written then.
    """
    parameters = dict(model.named_parameters())
    for name in parameters:
        if name not in numbers:
            raise ValueError(f"there is no number for the parameter {name}")
    for name, number in numbers.items():
        if name not in parameters:
            raise ValueError(f"the model has no parameter {name}; is its architecture another one?")
        if isinstance(number, bool) or not isinstance(number, int | float) or not _is_finite(number):
            raise ValueError(f"the parameter {name} is {number!r}, not a finite number")
    for name, parameter in parameters.items():
        parameter.data = float(numbers[name])


def save(model: MLP, path: str | os.PathLike[str], extras: Mapping[str, Any] | None = None) -> None:
    """Write an `MLP` to a file that `load` reads, with whatever plain JSON the extras hold.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = MLP(2, [3, 1])
    ...     save(model, Path(folder, "model.json"))
    ...     load(Path(folder, "model.json")).predict([[0.5, 1.0]]) == model.predict([[0.5, 1.0]])
    True

    Raises:
        TypeError: not an MLP; an activation that is a function of the user's own.
        ValueError: a parameter is not finite; a layer was replaced so that the widths do not fit.
        OSError: the file cannot be written.
    """
    if not isinstance(model, MLP):
        raise TypeError(f"save writes an MLP, not {model!r}; keep state(model) of other modules, and use set_state")
    layers = []
    for number, layer in enumerate(model.layers, start=1):
        if layer.activation not in ACTIVATIONS or resolve(layer.activation) is not layer.function:
            raise TypeError(
                f"the activation {layer.activation!r} of layer {number} is a function of your own, which a file cannot "
                f"hold; use a name: {', '.join(ACTIVATIONS)}"
            )
        layers.append({"width": layer.nout, "activation": layer.activation})
    numbers = state(model)
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise ValueError(f"the parameter {name} is {value!r}; JSON holds finite numbers only. Train again")
    document = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": {"kind": "MLP", "inputs": model.nin, "layers": layers},
        "parameters": numbers,
        "extras": dict(extras or {}),
    }
    text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    _write(Path(path), text)


def load(path: str | os.PathLike[str]) -> MLP:
    """The model in a file that `save` wrote.

    Raises:
        ModelFileError: the file is broken, foreign, or of a later version.
        OSError: it cannot be read.
    """
    return load_with_extras(path)[0]


def load_with_extras(path: str | os.PathLike[str]) -> tuple[MLP, dict[str, Any]]:
    """The model in a file that `save` wrote, and the extras it was saved with; errors as for `load`."""
    source = os.fspath(path)
    content = Path(path).read_bytes()
    try:
        document = json.loads(content.decode("utf-8"), parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{source}: this is not JSON, or it was cut off ({_one_line(error)})") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ModelFileError(f"{source}: this is not a {FORMAT}; its 'format' does not say so")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise ModelFileError(f"{source}: the version is {version!r}, not an int from 1 on; is the file damaged?")
    if version > VERSION:
        raise ModelFileError(
            f"{source}: the file has version {version}; this valuegrad reads up to {VERSION}. Install a later valuegrad"
        )
    try:
        model = _built(document["architecture"])
        set_state(model, document["parameters"])
        extras = document["extras"]
        if not isinstance(extras, dict):
            raise TypeError("the extras are not an object")
    except KeyError as error:
        raise ModelFileError(f"{source}: {error} is missing; is the file damaged?") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{source}: {_one_line(error)}; is the file damaged?") from None
    return model, extras


def _built(architecture: Any) -> MLP:
    """The network of an architecture, whose parameters are still to be set."""
    if architecture["kind"] != "MLP":
        raise ValueError(f"the architecture is of the unknown kind {architecture['kind']!r}")
    layers = architecture["layers"]
    parameters, inputs = 0, architecture["inputs"]
    for layer in layers:
        parameters += (inputs + 1) * layer["width"]
        inputs = layer["width"]
    if parameters > 10_000_000:
        raise ValueError(f"the architecture has {parameters} parameters, more than any file of ours")
    model = MLP(architecture["inputs"], [layer["width"] for layer in layers])
    for built, layer in zip(model.layers, layers, strict=True):
        if layer["activation"] not in ACTIVATIONS:
            raise ValueError(f"the activation {layer['activation']!r} is unknown")
        built.activation, built.function = layer["activation"], resolve(layer["activation"])
        for neuron in built.neurons:
            neuron.activation, neuron.function = built.activation, built.function
    return model


def _write(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        # mkstemp keeps a file to its owner; a model is an ordinary file.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _not_a_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an int beyond all floats
        return False


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
