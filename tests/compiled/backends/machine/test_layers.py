"""Layers as loops in machine code: the same bits as NumPy's, however the weights lie and wherever numbers go."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value
from autograd.compiled.backends.machine import elementwise, layer_loops, layers
from tests.compiled.replays import bits

pytest.importorskip("llvmlite")


@pytest.fixture(autouse=True)
def loops_for_small_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers that a test can afford, tiles of a few groups."""
    monkeypatch.setattr(layers, "LEAST_WEIGHTS", 8)
    monkeypatch.setattr(elementwise, "LEAST_ELEMENTS", 3)
    monkeypatch.setattr(layer_loops, "MOST_GROUPS", 5)


class Network:
    """A network of one number, drawn from a seed: its weights are leaves in any order, and all is used at will."""

    def __init__(self, seed: int, activations: Any = None) -> None:
        chance = self.chance = random.Random(seed)
        self.inputs = chance.choice([3, 8, 9, 16, 21])
        self.sizes = [chance.choice([1, 2, 4, 8, 9, 13, 24, 25]) for _ in range(chance.choice([1, 2, 2, 3]))]
        self.params: list[Value] = []
        self.layers = []
        before, choices = self.inputs, activations or ACTIVATIONS
        for size in self.sizes:
            rows = [[self.leaf() for _ in range(before)] for _ in range(size)]
            starts = [self.leaf() for _ in range(size)] if chance.random() < 0.7 else [0.0] * size
            if chance.random() < 0.2:  # weights that two layers, or two neurons, share
                rows[-1] = rows[0]
            self.layers.append((rows, starts, chance.sample(range(before), before), chance.choice(choices)))
            before = size
        order = chance.choice(["made", "reversed", "shuffled"])
        if order == "reversed":
            self.params.reverse()
        if order == "shuffled":
            chance.shuffle(self.params)
        self.extras = chance.sample(EXTRAS, chance.choice([0, 0, 1, 2]))

    def leaf(self) -> Value:
        self.params.append(Value(self.chance.uniform(-1.0, 1.0)))
        return self.params[-1]

    def __call__(self, x: Any, y: Any) -> Any:
        numbers, total = list(x), y * 0.5
        for rows, starts, order, activation in self.layers:
            chosen = [numbers[i] for i in order]
            sums = [autograd.dot(row, chosen) + start for row, start in zip(rows, starts, strict=True)]
            if "sums" in self.extras:
                total = total + sums[0] * sums[-1]
            numbers = [activation(z) for z in sums]
        if "inputs" in self.extras:
            total = total + x[0] * x[-1]
        if "penalty" in self.extras:
            total = total + 0.1 * autograd.dot(self.layers[0][0][0], self.layers[0][0][0])
        if "choice" in self.extras:
            total = total + autograd.where(y > 0.0, lambda: numbers[0] * y, numbers[-1])
        return total + autograd.sum(numbers)


ACTIVATIONS = [autograd.relu, lambda z: z, lambda z: z * z * 0.25, abs]
EXTRAS = ["sums", "inputs", "penalty", "choice"]


def compare(network: Network, samples: int, **options: Any) -> Any:
    """The machine code, after its bits were compared with NumPy's."""
    source = np.random.default_rng(samples)
    args = source.normal(size=(samples, network.inputs)), source.normal(size=samples)
    found = {}
    for backend in ("numpy", "machine"):
        step = autograd.compile(network, params=network.params, backend=backend, **options)
        value, grads = step.value_and_grad(*args)
        parts = grads if isinstance(grads, tuple) else (grads,)
        found[backend] = [bits(value), *(bits(np.hstack([np.ravel(a) for a in np.atleast_1d(part)])) for part in parts)]
        found[backend].append(bits(step(*args)))
    assert found["machine"] == found["numpy"]
    return step


@settings(deadline=None)
@given(
    seed=st.integers(0, 10**6),
    samples=st.sampled_from([1, 3, 4, 5, 16, 19, 21, 85]),
    reduce=st.sampled_from(["mean", "sum", None]),
    wrt=st.sampled_from([None, None, 0, 1]),
)
def test_any_network(seed: int, samples: int, reduce: str | None, wrt: int | None) -> None:
    compare(Network(seed), samples, reduce=reduce, wrt=wrt)


def layers_of(step: Any) -> Any:
    """What of the gradient is layers."""
    (program,) = [p for p in step.report().programs if p.what == "gradient"]
    return layers.Layers(program.replay)


@pytest.mark.parametrize("sizes", [(8, [9, 4]), (16, [25, 24, 3])])
def test_a_network_is_layers_and_little_else(sizes: tuple[int, list[int]]) -> None:
    inputs, outputs = sizes
    model = nn.MLP(inputs, outputs, activation="relu", seed=0)
    step = autograd.compile(
        lambda x, y: nn.losses.mse(model(x), [y] * outputs[-1]), params=model.parameters(), backend="machine"
    )
    step.value_and_grad(np.ones((7, inputs)), np.ones(7))
    found = layers_of(step)
    assert len(found.layers) == 2 * len(outputs) - 1  # forward, and backward to all inputs but the first
    assert len(found.products) == len(outputs)
    assert sorted(found.columns.values()) == list(range(inputs))
    assert not found.products_left()
    assert found.straight < 12 * sum(outputs)


def test_wide_networks_compile_in_as_few_lines_as_narrow_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    def lines(inputs: int) -> int:
        model = nn.MLP(inputs, [16, 1], activation="relu", seed=0)
        step = autograd.compile(model, params=model.parameters(), backend="machine")
        step.value_and_grad(np.ones((5, inputs)))
        (program,) = step.report().programs
        return program.ir("block").count("\n")

    assert lines(200) == lines(50)  # few sums
    assert lines(5000) == lines(500)  # many; as many are left beyond threes


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu", "selu"])
def test_what_stands_between_layers_is_loops_too(activation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    def programs(neurons: int) -> Any:
        model = nn.MLP(16, [neurons, 1], activation, seed=0)
        step = autograd.compile(lambda x, y: nn.losses.mse([model(x)], [y]), params=model.parameters())
        step.value_and_grad(np.ones((5, 16)), np.ones(5))
        return step.report().programs

    (some,), (many,) = programs(400), programs(1000)  # as many are left beyond twelves and eights
    assert some.backend == many.backend == "machine"
    assert some.replay.straight == many.replay.straight < 200  # gelu and its slope are some hundred instructions
    assert some.ir("block").count("\n") == many.ir("block").count("\n")


#: Kernels, twins among them; a kernel and what is made of it; what has numbers of its own.
SMOOTH = [
    autograd.tanh,
    autograd.sigmoid,
    autograd.silu,
    autograd.gelu,
    lambda z: autograd.exp(z) / 3.0 - 1.0 / (z * z + 1.0),
]


@settings(deadline=None)
@given(
    seed=st.integers(0, 10**6),
    samples=st.sampled_from([1, 5, 8, 19, 85]),
    reduce=st.sampled_from(["mean", "sum", None]),
    wrt=st.sampled_from([None, None, 0, 1]),
)
def test_loops_have_the_bits_of_what_is_written_out(
    seed: int, samples: int, reduce: str | None, wrt: int | None
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        network = Network(seed, SMOOTH)
        source = np.random.default_rng(samples)
        args = source.normal(size=(samples, network.inputs)), source.normal(size=samples)
        found = []
        for least in (3, 10**9):
            patch.setattr(elementwise, "LEAST_ELEMENTS", least)
            step = autograd.compile(network, params=network.params, backend="machine", reduce=reduce, wrt=wrt)
            value, grads = step.value_and_grad(*args)
            parts = grads if isinstance(grads, tuple) else (grads,)
            found.append([bits(step(*args)), bits(value), *(bits(part) for part in parts)])
    assert found[0] == found[1]


def test_a_layer_does_not_begin_before_its_inputs_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that wait for others, of which one is left over: all are called before they are read."""
    monkeypatch.setattr(elementwise, "LEAST_ELEMENTS", 10**9)
    model = nn.MLP(16, [25, 25, 1], "tanh", seed=1)
    X = np.random.default_rng(3).normal(size=(21, 16))
    found = []
    for backend in ("interpreter", "machine"):
        value, gradient = autograd.compile(model, params=model.parameters(), backend=backend).value_and_grad(X)
        found.append([bits(value), bits(gradient)])
    assert found[0] == found[1]


def test_one_use_outside_of_the_layers_changes_a_few_lines() -> None:
    def lines(f: Any) -> int:
        model = nn.MLP(200, [8, 1], activation="relu", seed=0)
        step = autograd.compile(lambda x: f(model, x), params=model.parameters(), backend="machine")
        step.value_and_grad(np.ones((5, 200)))
        (program,) = step.report().programs
        return program.ir("block").count("\n")

    assert lines(lambda model, x: model(x) + x[0] * x[199]) - lines(lambda model, x: model(x)) < 60


@pytest.mark.parametrize("backend", ["numpy", "interpreter", "machine", "auto"])
def test_products_that_are_the_same_for_all_samples(backend: str) -> None:
    """A single point, and a penalty in a batch: weights whose gradients no sample changes."""
    w, v = [Value(0.1 * i) for i in range(8)], [Value(0.3) for _ in range(9)]
    step = autograd.compile(lambda x: autograd.dot(w, x), params=w, backend=backend)
    assert step.value_and_grad([1.0] * 8)[1].tolist() == [1.0] * 8
    step = autograd.compile(
        lambda x: autograd.dot(w, x) + autograd.dot(v, [2.0] * 9), params=w + v, backend=backend, expected_samples=10
    )
    assert step.value_and_grad(np.ones((3, 8)))[1].tolist() == [1.0] * 8 + [2.0] * 9
    model = nn.MLP(8, [16, 1], activation="relu", seed=0)
    step = autograd.compile(model, params=model.parameters(), backend=backend)
    out = model([0.5] * 8)
    out.backward()
    assert bits(step.value_and_grad([0.5] * 8)[1]) == bits([p.grad for p in model.parameters()])


def test_columns_in_any_order_of_memory() -> None:
    network = Network(3)
    source = np.random.default_rng(0)
    X, y = source.normal(size=(network.inputs, 23)).T, source.normal(size=46)[::2]
    assert not X.flags.c_contiguous
    found = [
        autograd.compile(network, params=network.params, backend=backend).value_and_grad(X, y)
        for backend in ("numpy", "machine")
    ]
    assert bits(found[0][0]) == bits(found[1][0])
    assert bits(found[0][1]) == bits(found[1][1])


def test_threads_and_tiles_change_no_bit() -> None:
    network = Network(11)
    source = np.random.default_rng(1)
    args = source.normal(size=(5000, network.inputs)), source.normal(size=5000)
    found = [
        autograd.compile(network, params=network.params, backend="machine", threads=threads).value_and_grad(*args)[1]
        for threads in (1, 3)
    ]
    found.append(autograd.compile(network, params=network.params, backend="numpy").value_and_grad(*args)[1])
    assert bits(found[0]) == bits(found[1]) == bits(found[2])


def test_a_recurrent_step_beside_a_layer() -> None:
    """Columns of loops and tiles of layers share one memory."""
    network = Network(5)

    def f(x: Any, y: Any) -> Any:
        w = network.params[0]
        last, states = autograd.scan(lambda c, e: ((c + e) * w, c), y, list(x), unroll=False)
        return network(states, last)

    source = np.random.default_rng(2)
    args = source.normal(size=(30, network.inputs)), source.normal(size=30)
    values, grads = zip(
        *(autograd.compile(f, params=network.params, backend=b).value_and_grad(*args) for b in ("numpy", "machine")),
        strict=True,
    )
    assert bits(values[0]) == bits(values[1])
    assert bits(grads[0]) == bits(grads[1])


def test_auto_counts_what_is_left_for_straight_code() -> None:
    model = nn.MLP(40, [60, 10], activation="relu", seed=0)
    step = autograd.compile(lambda x, y: nn.losses.mse(model(x), [y] * 10), params=model.parameters(), backend="auto")
    step.value_and_grad(np.ones((3, 40)), np.ones(3))
    (program,) = step.report().programs
    assert program.operations > 4000
    assert program.backend == "machine"
    assert " besides layers, at most 1000" in program.reason
