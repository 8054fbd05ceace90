"""The eager engine: a step of two-moons training against micrograd and against an engine with slots and tuples, memory
per node, a chain of a million nodes.

The step is one full forward over 100 samples of an MLP 2-16-16-1 with relu, the mean hinge loss, and backward, as in
micrograd's own demonstration. ``explicit`` builds the same graph of binary operations with this engine's Values; ``nn``
is the same step written with ``nn.MLP``.
"""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from typing import Any

from benchmarks.measure import smallest

SAMPLES = 100
WIDTHS = [16, 16, 1]


class Explicit:
    """An MLP of scalar operations, over any class of values with operators and ``relu``."""

    def __init__(self, value: Any, generator: random.Random) -> None:
        self.value = value
        self.layers = []
        for n_in, n_out in zip([2, *WIDTHS], WIDTHS, strict=False):
            self.layers.append(
                [([value(generator.uniform(-1, 1)) for _ in range(n_in)], value(0.0)) for _ in range(n_out)]
            )

    def __call__(self, x: list[Any]) -> Any:
        last = len(self.layers) - 1
        for i, layer in enumerate(self.layers):
            sums = [sum((wi * xi for wi, xi in zip(w, x, strict=True)), b) for w, b in layer]
            x = sums if i == last else [s.relu() for s in sums]
        return x[0]

    def parameters(self) -> list[Any]:
        """Weights and biases."""
        return [p for layer in self.layers for w, b in layer for p in [*w, b]]


def scalar_step(model: Any, value: Any, points: list[list[float]], sides: list[int]) -> Any:
    """Forward, hinge loss and backward, as micrograd's users write them."""
    inputs = [list(map(value, point)) for point in points]
    scores = list(map(model, inputs))
    losses = [(1 + -side * score).relu() for side, score in zip(sides, scores, strict=True)]
    loss = sum(losses) * (1.0 / len(losses))
    for p in model.parameters():
        p.grad = 0
    loss.backward()
    return loss


def bytes_per_node(nodes: int = 100_000) -> float:
    """Traced bytes of a binary node with two Values as operands, after backward."""
    from autograd import Value

    gc.collect()
    tracemalloc.start()
    leaf = Value(1.0000001)
    before = tracemalloc.get_traced_memory()[0]
    output = leaf
    for _ in range(nodes):
        output = output * leaf
    output.backward()
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return used / nodes


def chain_seconds(nodes: int = 1_000_000) -> float:
    """Seconds to build a chain of nodes and differentiate it."""
    from autograd import Value

    start = time.perf_counter()
    leaf = Value(1.0)
    output = leaf
    for _ in range(nodes):
        output = output + leaf
    output.backward()
    seconds = time.perf_counter() - start
    assert leaf.grad == nodes + 1
    return seconds


def run(runs: int = 15) -> dict[str, float]:
    """All figures of this benchmark; ratios are the peer's time over ours."""
    import micrograd.engine
    import micrograd.nn

    import nn
    from autograd import Value
    from benchmarks import slots

    points, targets = nn.datasets.moons(SAMPLES, noise=0.1, seed=0)
    sides = [2 * int(target) - 1 for target in targets]
    random.seed(0)
    peer = micrograd.nn.MLP(2, WIDTHS)
    explicit = Explicit(Value, random.Random(0))
    slotted = Explicit(slots.Value, random.Random(0))
    model = nn.MLP(2, WIDTHS, activation="relu", seed=0)
    parameters = model.parameters()

    def nn_step() -> Any:
        loss = nn.cost(model, points, sides, nn.losses.hinge)
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        return loss

    works = {
        "micrograd": lambda: scalar_step(peer, micrograd.engine.Value, points, sides),
        "slots": lambda: scalar_step(slotted, slots.Value, points, sides),
        "explicit": lambda: scalar_step(explicit, Value, points, sides),
        "nn": nn_step,
    }
    with_collector = smallest(works, runs=runs)
    without = smallest(works, runs=runs, collector=False)
    return {
        "explicit_ratio": with_collector["micrograd"] / with_collector["explicit"],
        "explicit_ratio_gc_off": without["micrograd"] / without["explicit"],
        "slots_ratio": with_collector["slots"] / with_collector["explicit"],
        "slots_ratio_gc_off": without["slots"] / without["explicit"],
        "nn_ratio": with_collector["micrograd"] / with_collector["nn"],
        "micrograd_s": with_collector["micrograd"],
        "micrograd_gc_off_s": without["micrograd"],
        "explicit_s": with_collector["explicit"],
        "explicit_gc_off_s": without["explicit"],
        "nn_s": with_collector["nn"],
        "bytes_per_node": bytes_per_node(),
        "chain_s": min(chain_seconds() for _ in range(3)),
    }
