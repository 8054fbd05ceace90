"""Training with ``nn.fit``, eager: seconds and nodes per epoch, micrograd's own classes doing the same beside it.

``moons`` is micrograd's demonstration: 100 samples, MLP 2-16-16-1 with relu, the mean hinge loss, gradient descent over
all samples, one step an epoch. ``iris`` is the 150 flowers standardised, MLP 4-16-3 with relu, cross entropy, in
batches of 15, ten steps an epoch. Both do it with the same numbers; micrograd has neither ``exp`` nor ``log``: the one
is added as an operation of one's own, the other is replaced by its tangent, which has the same gradient.
"""

from __future__ import annotations

import gc
import math
from typing import Any

from benchmarks.measure import smallest

RATE = 0.05


def nodes_of(roots: list[Any], parents: Any) -> int:
    """How many nodes a graph has that are not leaves."""
    seen: set[int] = set()
    stack, found = list(roots), 0
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        above = [p for p in parents(node) if hasattr(p, "grad")]
        found += bool(above)
        stack += above
    return found


def peer_hinge(model: Any, row: list[float], side: int, weight: float) -> Any:
    """One sample's part of the cost, as micrograd's users write it."""
    return (1 + -side * model(row)).relu() * weight


def peer_cross_entropy(model: Any, row: list[float], label: int, weight: float) -> Any:
    """One sample's part of the cost, but for a constant: -log p of the true class, the logarithm by its tangent."""
    powers = [_exp(z) for z in model(row)]
    probability = powers[label] * sum(powers[1:], powers[0]) ** -1
    return probability * (-weight / probability.data)


def _exp(z: Any) -> Any:
    """e to the power of a Value, with the machinery that micrograd gives for operations of one's own."""
    import micrograd.engine

    out = micrograd.engine.Value(math.exp(z.data), (z,), "exp")

    def backward() -> None:
        z.grad += out.data * out.grad

    out._backward = backward
    return out


def run(runs: int = 15) -> dict[str, float]:
    """All figures of this benchmark; ratios are micrograd's time over ours."""
    import micrograd.nn

    import nn
    from nn.tables.preparation import Standardisation

    figures: dict[str, float] = {}
    points, labels = nn.datasets.moons(100, noise=0.1, seed=0)
    table = nn.datasets.iris()
    flowers = Standardisation.fit(table.rows).apply(table.rows)
    tasks: dict[str, Any] = {
        "moons": (points, [2 * label - 1 for label in labels], [2, 16, 16, 1], "hinge", 100, peer_hinge),
        "iris": (flowers, list(table.targets), [4, 16, 3], "cross_entropy", 15, peer_cross_entropy),
    }
    for name, (X, y, widths, loss, size, peer_loss) in tasks.items():
        model = nn.MLP(widths[0], widths[1:], activation="relu", seed=0)
        optimizer = nn.SGD(model.parameters(), learning_rate=RATE)
        peer = micrograd.nn.MLP(widths[0], widths[1:])
        batches = [range(first, min(first + size, len(X))) for first in range(0, len(X), size)]

        def ours(
            model: Any = model, X: Any = X, y: Any = y, loss: str = loss, optimizer: Any = optimizer, size: int = size
        ) -> None:
            nn.fit(model, X, y, loss=loss, optimizer=optimizer, epochs=1, batch_size=size, progress=False)

        def theirs(
            peer: Any = peer, X: Any = X, y: Any = y, peer_loss: Any = peer_loss, batches: Any = batches
        ) -> None:
            for batch in batches:
                peer.zero_grad()
                cost = sum(peer_loss(peer, X[i], y[i], 1.0 / len(batch)) for i in batch)
                cost.backward()
                for p in peer.parameters():
                    p.data -= RATE * p.grad

        seconds = smallest({"ours": ours, "micrograd": theirs}, runs=runs)
        made = [nn.LOSSES[loss](model(row), target) for row, target in zip(X, y, strict=True)]
        nodes = sum(nodes_of([root], lambda node: node.parents) for root in made)
        made = [peer_loss(peer, row, target, 1.0) for row, target in zip(X, y, strict=True)]
        peer_nodes = sum(nodes_of([root], lambda node: node._prev) for root in made)
        figures |= {
            f"{name}_ratio": seconds["micrograd"] / seconds["ours"],
            f"{name}_s": seconds["ours"],
            f"{name}_micrograd_s": seconds["micrograd"],
            f"{name}_nodes": nodes,
            f"{name}_micrograd_nodes": peer_nodes,
            f"{name}_nodes_per_s": nodes / seconds["ours"],
        }
        del made
        gc.collect()
    return figures
