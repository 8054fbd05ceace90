"""``Neuron``, ``Layer``: Zˡ = Wˡ·Aˡ⁻¹ + Bˡ and Aˡ = f(Zˡ), a weighted sum being one node.

Parameters are labelled as the textbooks index them: ``w2[0,3]`` is the weight of layer 2 to neuron 0 from input 3,
``b2[0]`` the bias beside it. Layers count from 1, because layer 0 is the input; neurons and inputs count from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import Value, dot, linear
from nn.activations import Activation, NameOrFunction
from nn.checks import listed, whole, wrong_number_of_inputs
from nn.initializers import NameOrInitializer, initializer_for
from nn.module import Module
from nn.randomness import Seed, generator


class Neuron(Module):
    """f(w₁x₁ + … + wₙxₙ + b), with one weight per input in the list ``w``, and the bias ``b``.

    >>> neuron = Neuron(2)
    >>> neuron.w = [Value(0.5), Value(-1.0)]
    >>> neuron([2.0, 3.0]).data
    -2.0

    Args:
        activation: as for ``Activation``, or one of these.
        seed: an int, or a ``random.Random``, to draw the weights from; the bias starts at 0.0.
        initializer: a name (see ``nn.INITIALIZERS``) or a function; by default as suits the activation.
        outputs: the width of the layer it stands in, for the initializer.

    Raises:
        ValueError: an unknown name; in a call, a number of inputs other than the number of weights.
    """

    def __init__(
        self,
        nin: int,
        activation: NameOrFunction = "linear",
        *,
        seed: Seed = 0,
        initializer: NameOrInitializer | None = None,
        outputs: int = 1,
    ) -> None:
        self.activation = activation if isinstance(activation, Activation) else Activation(activation)
        draw, chance = initializer_for(self.activation, initializer), generator(seed)
        self.w = [Value(draw(nin, outputs, chance), f"w[{n}]") for n in range(whole("nin", nin))]
        self.b = Value(0.0, "b")

    def __call__(self, x: Sequence[Any]) -> Value:
        if len(x) != len(self.w):
            raise wrong_number_of_inputs("a neuron", len(self.w), len(x))
        z = dot(self.w, x, self.b)
        return z if self.activation.function is None else self.activation.function(z)  # type: ignore[no-any-return]

    def _describe(self) -> str:
        return f"{len(self.w)} input{'' if len(self.w) == 1 else 's'}, {self.activation.name!r}"


class Layer(Module):
    """Neurons side by side: a list of ``nin`` numbers in, a list of ``nout`` Values out, always a list.

    ``layer.linear(x)`` is Z, and ``layer.activation(z)`` is A.

    >>> layer = Layer(3, 2, "relu")
    >>> layer
    Layer(3 → 2, 'relu', 8 parameters)
    >>> len(layer([1.0, 2.0, 3.0])), layer.neurons[1].w[2].label
    (2, 'w[1,2]')

    Args:
        nin, nout: the numbers of inputs and of neurons; the rest, and the errors, are as for ``Neuron``.
    """

    __slots__ = ("_rows",)  # beside the attributes, so that the walk over parameters does not meet them twice

    def __init__(
        self,
        nin: int,
        nout: int,
        activation: NameOrFunction = "linear",
        *,
        seed: Seed = 0,
        initializer: NameOrInitializer | None = None,
    ) -> None:
        self.nin, self.nout = nin, whole("nout", nout)
        self.activation = activation if isinstance(activation, Activation) else Activation(activation)
        self._rows: list[tuple[Value, ...]] = []
        options: Any = {"seed": generator(seed), "initializer": initializer, "outputs": nout}
        self.neurons = [Neuron(nin, self.activation, **options) for _ in range(nout)]
        self.relabel("")

    def relabel(self, place: str) -> None:
        """Label every parameter with its place: "2" makes ``w2[0,3]`` and ``b2[0]`` of them."""
        for m, neuron in enumerate(self.neurons):
            neuron.b.label = f"b{place}[{m}]"
            for n, weight in enumerate(neuron.w):
                weight.label = f"w{place}[{m},{n}]"

    def linear(self, x: Sequence[Any]) -> list[Value]:
        """Z = W·x + B: what each neuron sums up, before the activation."""
        if x.__class__ is not list:
            x = listed(x)
        if len(x) != self.nin:
            raise wrong_number_of_inputs("the layer", self.nin, len(x))
        # Tuples that stay the same from call to call are gone through once by a backward pass over many samples.
        rows = [(*neuron.w, neuron.b) for neuron in self.neurons]
        if rows != self._rows:
            self._rows = rows
        return linear(self._rows, x)

    def __call__(self, x: Sequence[Any]) -> list[Value]:
        function = self.activation.function
        return self.linear(x) if function is None else [function(z) for z in self.linear(x)]

    def _describe(self) -> str:
        return f"{self.nin} → {self.nout}, {self.activation.name!r}"
