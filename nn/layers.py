"""`Neuron`, `Layer`, `MLP`: Zˡ = Wˡ·Aˡ⁻¹ + Bˡ and Aˡ = f(Zˡ), a weighted sum being one node.

Parameters are labelled as the textbooks index them: `w2[0,3]` is the weight of layer 2 to neuron 0 from input 3,
`b2[0]` the bias beside it. Layers count from 1, because layer 0 is the input; neurons and inputs count from 0.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from autograd import Value, dot, linear
from nn import passes
from nn.activations import Activation, activation_name, resolve
from nn.initializers import Initializer, initializer_for
from nn.module import Module
from nn.randomness import generator
from nn.samples import listed, positive_int, wrong_number_of_inputs


class Neuron(Module):
    """f(w₁x₁ + … + wₙxₙ + b), with one weight per input in the list `w`, and the bias `b`.

    >>> neuron = Neuron(2)
    >>> neuron.w = [Value(0.5), Value(-1.0)]
    >>> neuron([2.0, 3.0]).data
    -2.0

    Args:
        activation: a name (see `nn.ACTIVATIONS`), "linear" for none, or a function of one Value.
        seed: an int, or a `random.Random`, to draw the weights from; the bias starts at 0.0.
        outputs: the width of the layer it stands in, for the initializer.

    Raises:
        ValueError: an unknown activation; in a call, a number of inputs other than the number of weights.
    """

    def __init__(
        self, nin: int, activation: Activation = "linear", *,
        seed: int | Random = 0, initializer: Initializer | None = None, outputs: int = 1,
    ) -> None:
        self.activation, self.function = activation_name(activation), resolve(activation)
        draw, chance = initializer or initializer_for(self.activation), generator(seed)
        self.w = [Value(draw(nin, outputs, chance), f"w[{n}]") for n in range(positive_int("nin", nin))]
        self.b = Value(0.0, "b")

    def __call__(self, x: Sequence[Any]) -> Value:
        if len(x) != len(self.w):
            raise wrong_number_of_inputs("a neuron", len(self.w), len(x))
        z = dot(self.w, x, self.b)
        return z if self.function is None else self.function(z)  # type: ignore[no-any-return]

    def _describe(self) -> str:
        return f"{len(self.w)} input{'' if len(self.w) == 1 else 's'}, {self.activation!r}"


class Layer(Module):
    """Neurons side by side: a list of `nin` numbers in, a list of `nout` Values out, always a list.

    >>> layer = Layer(3, 2, "relu")
    >>> layer
    Layer(3 → 2, 'relu', 8 parameters)
    >>> len(layer([1.0, 2.0, 3.0])), layer.neurons[1].w[2].label
    (2, 'w[1,2]')

    Args:
        number: the layer's place in a network, from 1, for the labels of its parameters; the rest is as for `Neuron`.

    Raises:
        ValueError: an unknown activation; in a call, a number of inputs other than `nin`.
    """

    __slots__ = ("_rows",)  # beside the attributes, so that the walk over parameters does not meet them twice

    def __init__(
        self, nin: int, nout: int, activation: Activation = "linear", *,
        seed: int | Random = 0, initializer: Initializer | None = None, number: int | None = None,
    ) -> None:
        chance, place = generator(seed), "" if number is None else str(number)
        self.nin, self.nout = nin, positive_int("nout", nout)
        self.activation, self.function = activation_name(activation), resolve(activation)
        self._rows: list[tuple[Value, ...]] = []
        options: Any = {"seed": chance, "initializer": initializer, "outputs": nout}
        self.neurons = [Neuron(nin, activation, **options) for _ in range(nout)]
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
        function = self.function
        return self.linear(x) if function is None else [function(z) for z in self.linear(x)]

    def _describe(self) -> str:
        return f"{self.nin} → {self.nout}, {self.activation!r}"


class MLP(Module):
    """Layers one after the other; the last one's list is the output, or its one Value if its width is 1.

    >>> model = MLP(2, [16, 16, 1])
    >>> model
    MLP(2 → 16 → 16 → 1, 'tanh', output 'linear', 337 parameters)
    >>> type(model([0.5, -0.5])).__name__, len(model.predict([[0.5, -0.5], [0.0, 1.0]]))
    ('Value', 2)

    Args:
        nouts: the widths of the layers, the last one being the output.
        activation: of every layer but the last, `output`: of the last one; as for `Neuron`.
        seed: where the first weights are drawn from; the same seed gives the same network.
        initializer: how a weight is drawn; by default as suits each layer's activation.
    """

    def __init__(
        self, nin: int, nouts: Sequence[int], activation: Activation = "tanh", output: Activation = "linear", *,
        seed: int | Random = 0, initializer: Initializer | None = None,
    ) -> None:
        if not nouts:
            raise ValueError("a network needs at least one layer; give its width: MLP(2, [1])")
        self.nin, self.nout = nin, nouts[-1]
        widths, chance = [nin, *nouts], generator(seed)
        self.layers: list[Layer] = []
        for number, nout in enumerate(nouts, start=1):
            chosen = output if number == len(nouts) else activation
            layer = Layer(widths[number - 1], nout, chosen, seed=chance, initializer=initializer, number=number)
            self.layers.append(layer)

    def __call__(self, x: Sequence[Any]) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x[0] if len(x) == 1 else x

    def trace(self, x: Sequence[Any]) -> passes.Trace:
        """Every Z and A on the way to the output, as Values labelled `z1[0]`, `a1[0]` ….

        >>> trace = MLP(2, [3, 1], output="sigmoid").trace([0.5, -0.5])
        >>> [len(z) for z in trace.Z], trace.A[1][0] is trace.output, trace.Z[0][2].label
        ([3, 1], True, 'z1[2]')
        """
        return passes.trace(self, x)

    def predict(self, X: Sequence[Sequence[float]]) -> list[Any]:
        """The outputs for rows of numbers, as floats (lists of them unless the width is 1), without a graph.

        They equal a call's bit for bit. An activation given as a function must take plain floats too.
        """
        return passes.predict(self, X)

    def _describe(self) -> str:
        widths = " → ".join(map(str, [self.nin, *(layer.nout for layer in self.layers)]))
        hidden = dict.fromkeys(repr(layer.activation) for layer in self.layers[:-1])
        return ", ".join([widths, *hidden, f"output {self.layers[-1].activation!r}"])
