"""``mlps``: random small networks, as functions of the engine, as textbook lists, and as formulas; and ``calls``."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from autograd import TABLE, Primitive, Value, dot
from autograd.testing import calls_as_code
from autograd.testing.expression import Expression, Step, input_names
from autograd.testing.graphs import REACH
from autograd.testing.numbers import check_bounds, check_sizes, sides
from autograd.testing.regions import constants_of, is_defined, rows_of

Vector = tuple[float, ...]


class NetworkGraph(NamedTuple):
    """A recorded network: its outputs, and the leaves of inputs and parameters."""

    outputs: list[Value]
    inputs: list[Value]
    parameters: list[Value]


@final
@dataclass(frozen=True)
class MLP:
    """A network of full layers, a¹ = g(W¹x + b¹) and so on, as numbers.

    ``weights[l][j][k]`` leads from neuron k of layer l to neuron j of the next, ``biases[l][j]`` is that neuron's, as
    in the textbooks; ``parameters`` has them in one row, neuron by neuron, each neuron's weights before its bias.

    >>> f = MLP((((0.5, -1.0),),), ((0.25,),), (TABLE["tanh"],))
    >>> print(f)
    import autograd
    <BLANKLINE>
    def f(x, y):
        a = [x, y]
        a = [autograd.tanh(autograd.dot(w, a, b)) for *w, b in [[0.5, -1.0, 0.25]]]
        return a[0]
    >>> f(2.0, 1.0) == f.expression()(2.0, 1.0, *f.parameters)
    True
    """

    weights: tuple[tuple[Vector, ...], ...]
    biases: tuple[Vector, ...]
    #: Of each layer, the same for all its neurons.
    activations: tuple[Primitive, ...]
    min_value: float = -REACH
    max_value: float = REACH

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many inputs there are, and how many neurons in each layer."""
        return (len(self.weights[0][0]), *map(len, self.biases))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return input_names(self.sizes[0])

    @property
    def parameters(self) -> Vector:
        """All weights and biases in one row."""
        return tuple(
            number
            for rows, biases in zip(self.weights, self.biases, strict=True)
            for row, bias in zip(rows, biases, strict=True)
            for number in (*row, bias)
        )

    def __call__(self, *inputs: Any, parameters: Sequence[Any] | None = None) -> Any:
        """The output, or the list of outputs if there are several.

        Args:
            inputs: Values or floats.
            parameters: other weights and biases, Values or floats, in the order of ``parameters``.
        """
        outputs = self._layers(inputs, self.parameters if parameters is None else parameters)
        return outputs[0] if len(outputs) == 1 else outputs

    def graph(self, *inputs: float) -> NetworkGraph:
        """The network recorded at these numbers, with a leaf for each input and each parameter."""
        self._check(inputs, self.parameters)
        xs = [Value(x, name) for x, name in zip(inputs, self.names, strict=True)]
        parameters = [Value(x, name) for x, name in zip(self.parameters, self._parameter_names(), strict=True)]
        return NetworkGraph(self._layers(xs, parameters), xs, parameters)

    def expression(self, output: int = 0) -> Expression:
        """One output as an ``Expression``, a function of the inputs and then of the parameters."""
        if not 0 <= output < self.sizes[-1]:
            raise IndexError(f"there is no output {output}; there are {self.sizes[-1]}, counted from 0")
        names = (*self.names, *self._parameter_names())
        used = [*((rows, range(len(rows))) for rows in self.weights[:-1]), (self.weights[-1], [output])]
        constants: dict[float, int] = {}
        for row in self.activations:
            for constant in _constants(row):
                constants.setdefault(constant, len(names) + len(constants))
        steps: list[Step] = []
        before, first, at = list(range(self.sizes[0])), len(names) + len(constants), self.sizes[0]
        for (rows, neurons), activation in zip(used, self.activations, strict=True):
            each = len(rows[0]) + 1
            after = []
            for j in neurons:
                start = at + j * each
                steps.append(Step(TABLE["dot"], (*range(start, start + each - 1), *before, start + each - 1)))
                z = first + len(steps) - 1
                steps.append(Step(activation, (z, *(constants[c] for c in _constants(activation)))))
                after.append(first + len(steps) - 1)
            before, at = after, at + each * len(rows)
        return Expression(names, tuple(constants), tuple(steps), self.min_value, self.max_value)

    def code(self, name: str = "f") -> str:
        """A Python function with one line per layer, and the imports that it needs."""
        lines = [
            *calls_as_code.imports_of(self.activations),
            "",
            f"def {name}({', '.join(self.names)}):",
            f"    a = [{', '.join(self.names)}]",
        ]
        for rows, biases, activation in zip(self.weights, self.biases, self.activations, strict=True):
            numbers = [[*row, bias] for row, bias in zip(rows, biases, strict=True)]
            neuron = calls_as_code.code(activation, ["autograd.dot(w, a, b)", *map(repr, _constants(activation))])
            lines.append(f"    a = [{neuron} for *w, b in {numbers!r}]")
        return "\n".join([*lines, "    return a[0]" if self.sizes[-1] == 1 else "    return a"])

    def __str__(self) -> str:
        return self.code()

    def __repr__(self) -> str:
        return self.code()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        calls_as_code.print_as_block(printer, self.code())

    def _check(self, inputs: Sequence[Any], parameters: Sequence[Any]) -> None:
        for what, given, expected in (
            ("inputs", len(inputs), self.sizes[0]),
            ("parameters", len(parameters), len(self.parameters)),
        ):
            if given != expected:
                raise TypeError(f"the network takes {expected} {what}; {given} were given")

    def _layers(self, inputs: Sequence[Any], parameters: Sequence[Any]) -> list[Any]:
        self._check(inputs, parameters)
        a, at = list(inputs), 0
        for biases, activation in zip(self.biases, self.activations, strict=True):
            n = len(a)
            layer = []
            for _ in biases:
                z = dot(parameters[at : at + n], a, parameters[at + n])
                layer.append(calls_as_code.call(activation, (z, *_constants(activation))))
                at += n + 1
            a = layer
        return a

    def _parameter_names(self) -> list[str]:
        return [
            name
            for layer, rows in enumerate(self.weights, start=1)
            for j, row in enumerate(rows, start=1)
            for name in (*(f"w{layer}_{j}_{k}" for k in range(1, len(row) + 1)), f"b{layer}_{j}")
        ]


def _constants(row: Primitive) -> Vector:
    """The slopes and scales of an activation, those of the table's example."""
    return tuple(row.example[0][i] for i in constants_of(row)) if row.example else ()


@st.composite
def mlps(
    draw: st.DrawFn,
    *,
    inputs: int | None = None,
    outputs: int = 1,
    max_layers: int = 3,
    max_width: int = 4,
    activations: Iterable[Any] = ("tanh", "sigmoid", "softplus", "silu"),
    min_value: float | None = None,
    max_value: float | None = None,
) -> MLP:
    """Small networks with random sizes, activations, weights and biases; they shrink to one neuron with weight 0.

    >>> from hypothesis import find
    >>> network = find(mlps(inputs=2), lambda f: len(f.sizes) == 3)
    >>> network.sizes
    (2, 1, 1)

    Args:
        inputs: how many; one to three unless told.
        outputs: the width of the last layer.
        max_layers: layers of neurons, the last one among them.
        max_width: of the layers before the last.
        activations: names, rows or functions of one number that are defined everywhere; the last layer may have none
            (``identity``). With ``relu`` or ``leaky_relu``, expect kinks.
        min_value, max_value: where the inputs lie; between -2 and 2 unless told, as all weights and biases.

    Raises:
        InvalidArgument: when drawn, for counts that are not positive, no activation or one of the wrong kind.
    """
    for name, count in (("inputs", inputs), ("outputs", outputs), ("max_layers", max_layers), ("max_width", max_width)):
        if count is None and name != "inputs":
            raise InvalidArgument(f"{name}=None must be a whole number, at least 1")
        check_sizes(count, None, name, name, 1, 1)
    rows = _activations(activations)
    low, high = sides(*check_bounds(min_value, max_value), REACH)
    sizes = [draw(st.integers(1, 3)) if inputs is None else inputs]
    sizes += [draw(st.integers(1, max_width)) for _ in range(draw(st.integers(0, max_layers - 1)))]
    sizes.append(outputs)
    last = tuple(dict.fromkeys((TABLE["identity"], *rows)))
    number = st.floats(-REACH, REACH, allow_subnormal=False)
    weights, biases, chosen = [], [], []
    for layer, (before, width) in enumerate(itertools.pairwise(sizes), start=1):
        chosen.append(draw(st.sampled_from(rows if layer < len(sizes) - 1 else last)))
        weights.append(tuple(tuple(draw(number) for _ in range(before)) for _ in range(width)))
        biases.append(tuple(draw(number) for _ in range(width)))
    return MLP(tuple(weights), tuple(biases), tuple(chosen), low, high)


def _activations(activations: Any) -> tuple[Primitive, ...]:
    rows = rows_of("activations", activations, empty="give at least one, perhaps 'identity'")
    for row in rows:
        constants = constants_of(row)
        one_number = not row.n_ary and not row.compares and row.arity - len(constants) == 1 and 0 not in constants
        box = [(-1e6, 1e6), *((c, c) for c in _constants(row))]
        if not one_number or len(box) != row.arity or not is_defined(row, box):
            raise InvalidArgument(
                f"{row.name} is no activation: it must be a function of one number, defined everywhere"
            )
    return rows


class Call(NamedTuple):
    """A drawn function and inputs for it: ``f, xs = call``."""

    function: Any
    inputs: Vector

    def __repr__(self) -> str:
        return f"{self.function.code()}\n\nf({', '.join(map(repr, self.inputs))})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        calls_as_code.print_as_block(printer, repr(self))


@st.composite
def calls(draw: st.DrawFn, functions: st.SearchStrategy[Any]) -> Call:
    """A function from ``expressions`` or ``mlps``, and inputs from where it is defined: ``(function, inputs)``.

    >>> from hypothesis import find
    >>> from autograd.testing import expressions
    >>> f, xs = find(calls(expressions(inputs=2)), lambda call: call.function(*call.inputs) > 1)
    >>> len(xs)
    2

    Raises:
        InvalidArgument: when drawn, for a strategy of something else.
    """
    if not isinstance(functions, st.SearchStrategy):
        raise InvalidArgument(f"calls takes a strategy, expressions(…) or mlps(…), not {functions!r:.200}")
    function = draw(functions)
    if not isinstance(function, Expression | MLP):
        raise InvalidArgument(
            f"calls takes a strategy of expressions or mlps; {functions!r:.200} drew {function!r:.200}"
        )
    number = st.floats(function.min_value, function.max_value, allow_subnormal=False)
    return Call(function, tuple(draw(number) for _ in function.names))
