"""``Sequential``, ``MLP``: layers one after the other, and what can be asked of such a network.

The last layer's list is the output, or its one Value if its width is 1.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from nn import passes
from nn.activations import ACTIVATIONS, Activation, NameOrFunction, resolve
from nn.checks import listed
from nn.initializers import NameOrInitializer
from nn.layers import Layer
from nn.model_files import write_model
from nn.module import Module
from nn.randomness import Seed, generator

__all__ = ["MLP", "Sequential"]


class Sequential(Module):
    """Layers in the order given, each taking the list that the one before it returned.

    A layer is a ``Layer``, an ``Activation``, or anything that takes a list and returns one. ``nin`` and ``nout`` are
    the widths of input and output, None if no ``Layer`` tells. Parameters are labelled anew: ``w2[0,3]`` belongs to the
    second layer that has weights.

    >>> model = Sequential(Layer(2, 3, seed=0), Activation("relu"), Layer(3, 1, seed=1), Activation("atan"))
    >>> model
    Sequential(2 → 3, relu, 3 → 1, atan, 13 parameters)
    >>> type(model([0.5, -0.5])).__name__, model.layers[2].neurons[0].w[1].label
    ('Value', 'w2[0,1]')

    Raises:
        ValueError: no layers, or a layer whose number of inputs is not the number of outputs before it.
        TypeError: a layer cannot be called; a string is an ``Activation`` that was not made.
    """

    def __init__(self, *layers: Any) -> None:
        if not layers:
            raise ValueError("a network needs at least one layer; write Sequential(Layer(2, 1))")
        width: int | None = None
        for place, layer in enumerate(layers):
            if not callable(layer):
                hint = f"Activation({layer!r:.80})" if isinstance(layer, str) else "Layer(2, 3)"
                raise TypeError(f"layer {place} is {layer!r:.200}, which cannot be called; write {hint}")
            if isinstance(layer, Sequential):
                raise TypeError(
                    f"layer {place} is a network, which returns no list at width 1; give its layers: *net.layers"
                )
            if isinstance(layer, Layer):
                if width not in (None, layer.nin):
                    raise ValueError(f"layer {place} has {layer.nin} inputs, but the layer before it {width} outputs")
                width = layer.nout
        self.layers = list(layers)
        for number, layer in enumerate((layer for layer in layers if isinstance(layer, Layer)), start=1):
            layer.relabel(str(number))

    @property
    def nin(self) -> int | None:
        """How many numbers a sample has, None if no layer tells."""
        return next((layer.nin for layer in self.layers if isinstance(layer, Layer)), None)

    @property
    def nout(self) -> int | None:
        """How many numbers come out, None if no layer tells."""
        return next((layer.nout for layer in reversed(self.layers) if isinstance(layer, Layer)), None)

    def __call__(self, x: Sequence[Any]) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x[0] if len(x) == 1 else x

    def trace(self, x: Sequence[Any]) -> passes.Trace:
        """Every Z and A on the way to the output, as Values labelled ``z1[0]``, ``a1[0]`` ….

        >>> trace = MLP(2, [3, 1], output="sigmoid").trace([0.5, -0.5])
        >>> [len(z) for z in trace.Z], trace.A[1][0] is trace.output, trace.Z[0][2].label
        ([3, 1], True, 'z1[2]')
        """
        return passes.trace(self, x)

    def predict(self, X: Any, *, compile: bool = True) -> list[Any]:
        """The outputs for rows of numbers, as floats (lists of them unless the width is 1), without a graph.

        They equal a call's bit for bit, but where the network is replayed: there the last digits of activations such as
        tanh may differ. An activation given as a function must take plain floats too.

        Args:
            X: lists, tuples, a NumPy array or a pandas frame.
            compile: whether the network may be recorded once and replayed over batches (``autograd.compile``), from
                1,000 rows on, where NumPy is installed. One that cannot be recorded is run row by row.
        """
        return passes.predict(self, X, compile=compile)

    def save(self, path: str | os.PathLike[str], extras: Mapping[str, Any] | None = None) -> None:
        """Write architecture and parameters to a file that ``nn.load`` reads, with whatever plain JSON the extras hold.

        >>> import tempfile
        >>> from nn.saving import load
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model = MLP(2, [3, 1])
        ...     model.save(os.path.join(folder, "model.json"))
        ...     loaded = load(os.path.join(folder, "model.json"))
        >>> loaded.predict([[0.5, 1.0]]) == model.predict([[0.5, 1.0]])
        True

        Raises:
            TypeError: an activation or a layer that is a function of the user's own.
            ValueError: a parameter is not finite; a layer was replaced so that the widths do not fit.
            OSError: the file cannot be written.
        """
        layers: list[dict[str, Any]] = []
        width = self.nin
        for number, layer in enumerate(self.layers, start=1):
            if type(layer) not in (Layer, Activation):  # a class of the user's own may compute something else
                raise TypeError(f"layer {number} is {layer!r:.200}, which a file cannot hold; keep model.state_dict()")
            if any(layer is other for other in self.layers[: number - 1]):
                raise TypeError(f"layer {number} occurs twice, which a file cannot hold; keep model.state_dict()")
            activation = layer if isinstance(layer, Activation) else layer.activation
            if activation.name not in ACTIVATIONS or resolve(activation.name) is not activation.function:
                raise TypeError(
                    f"the activation {activation.name!r:.200} of layer {number} is a function of your own, "
                    f"which a file "
                    f"cannot hold; use a name: {', '.join(ACTIVATIONS)}"
                )
            layers.append({"activation": activation.name})
            if isinstance(layer, Layer):
                if layer.nin != width:
                    raise ValueError(f"layer {number} has {layer.nin} inputs, but the layer before it {width} outputs")
                width = layer.nout
                layers[-1] = {"width": width, **layers[-1]}
        if type(self).__call__ is not Sequential.__call__:
            name = type(self).__name__
            raise TypeError(f"{name} has a call of its own, which a file cannot hold; keep model.state_dict()")
        plain = isinstance(self, MLP) and all(isinstance(layer, Layer) for layer in self.layers)
        architecture = {"kind": "MLP" if plain else "Sequential", "inputs": self.nin, "layers": layers}
        write_model(path, architecture, self.state_dict(), dict(extras or {}))

    def _describe(self) -> str:
        parts = []
        for layer in self.layers:
            if isinstance(layer, Layer):
                parts.append(f"{layer.nin} → {layer.nout}")
                layer = None if layer.activation.function is None else layer.activation
            if layer is not None:
                parts.append(layer.name if isinstance(layer, Activation) else repr(layer))
        return ", ".join(parts)


class MLP(Sequential):
    """Layers of the widths ``nouts`` after ``nin`` inputs, each with its activation: a multilayer perceptron.

    >>> model = MLP(2, [16, 16, 1])
    >>> model
    MLP(2 → 16 → 16 → 1, 'tanh', output 'linear', 337 parameters)
    >>> MLP(2, [4, 3, 1], ["relu", "tanh", "sigmoid"])
    MLP(2 → 4 → 3 → 1, 'relu', 'tanh', output 'sigmoid', 31 parameters)
    >>> type(model([0.5, -0.5])).__name__, len(model.predict([[0.5, -0.5], [0.0, 1.0]]))
    ('Value', 2)

    Args:
        nouts: the widths of the layers, the last one being the output; one number for one layer.
        activation: of every layer but the last, whose one is ``output`` ("linear" by default); or a list with one for
            each layer, the last one included. Each is a name (see ``nn.ACTIVATIONS``) or a function of one Value.
        seed: where the first weights are drawn from; the same seed gives the same network.
        initializer: how a weight is drawn, a name (see ``nn.INITIALIZERS``) or a function; by default as suits each
            layer's activation.

    Raises:
        ValueError: no layers, an unknown name, a list of activations that has not one for each layer.
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int] | int,
        activation: NameOrFunction | Sequence[NameOrFunction] = "tanh",
        output: NameOrFunction | None = None,
        *,
        seed: Seed = 0,
        initializer: NameOrInitializer | None = None,
    ) -> None:
        nouts = listed([nouts] if isinstance(nouts, int) else nouts)
        if not nouts:
            raise ValueError("a network needs at least one layer; give its width: MLP(2, [1])")
        chance, widths = generator(seed), [nin, *nouts]
        chosen = _activations(activation, output, len(nouts))
        layers = [
            Layer(widths[i], nout, chosen[i], seed=chance, initializer=initializer) for i, nout in enumerate(nouts)
        ]
        super().__init__(*layers)

    def _describe(self) -> str:
        widths = " → ".join(map(str, [self.nin, *(layer.nout for layer in self.layers)]))
        hidden = [repr(layer.activation.name) for layer in self.layers[:-1]]
        shown = hidden[:1] if len(set(hidden)) == 1 else hidden
        return ", ".join([widths, *shown, f"output {self.layers[-1].activation.name!r}"])


def _activations(
    activation: NameOrFunction | Sequence[NameOrFunction], output: NameOrFunction | None, count: int
) -> list[NameOrFunction]:
    """One activation for each of the layers."""
    if isinstance(activation, str) or callable(activation) or not isinstance(activation, Sequence):
        return [activation] * (count - 1) + ["linear" if output is None else output]
    if len(activation) != count:
        raise ValueError(f"there are {count} layers, but {len(activation)} activations; give one for each layer")
    if output is not None:
        raise ValueError("the list of activations has the one of the last layer; leave output out")
    return list(activation)
