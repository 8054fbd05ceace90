"""1,797 handwritten digits of scikit-learn: MLP 64-32-10 with relu, softmax cross entropy, value and gradient."""

from __future__ import annotations

import os
import tempfile
import time
from typing import Any
from unittest.mock import patch

from benchmarks.moons import matrices
from benchmarks.replaying import best, jax_in_double_precision, on_one_core, peer, ratios


def run(runs: int = 15) -> dict[str, float]:
    """The figures, for strict arithmetic and for ``fast``."""
    on_one_core()
    datasets = peer("sklearn.datasets", "so there are no digits to measure with")
    if datasets is None:
        return {}
    X, labels = datasets.load_digits(return_X_y=True)
    return figures(64, [32, 10], X / 16.0, labels, runs)


def figures(inputs: int, sizes: list[int], X: Any, labels: Any, runs: int) -> dict[str, float]:
    """A step of a network of two layers beside JAX's; and the seconds until the first, with an empty cache of code."""
    import autograd
    import nn

    y = labels.astype(float)
    model = nn.MLP(inputs, sizes, "relu", seed=0)

    def loss(x: Any, label: Any) -> Any:
        return nn.losses.cross_entropy(model(x), label)

    found: dict[str, float] = {}
    jax = jax_in_double_precision()
    for mode in ("strict", "fast"):
        with tempfile.TemporaryDirectory() as empty, patch.dict(os.environ, VALUEGRAD_CACHE=empty):
            start = time.perf_counter()
            step = autograd.compile(loss, params=model.parameters(), fast=mode == "fast")
            step.value_and_grad(X, y)
            found[f"{mode}_ready_s"] = time.perf_counter() - start
        works: dict[str, Any] = {"ours": lambda step=step: step.value_and_grad(X, y)}
        if jax is not None:
            start = time.perf_counter()
            works["jax"] = _with_jax(jax, model, X, labels)
            value, _ = works["jax"]()
            found["jax_ready_s"] = time.perf_counter() - start
            assert abs(float(value) - works["ours"]()[0]) < 1e-12
        found.update({f"{mode}_{key}": x for key, x in ratios(best(works, least=runs)).items()})
    return found


def _with_jax(jax: Any, model: Any, X: Any, labels: Any) -> Any:
    numpy = jax.numpy
    parameters = [(numpy.asarray(w), numpy.asarray(b)) for w, b in matrices(model)]
    points, classes = numpy.asarray(X), numpy.asarray(labels)

    def loss(parameters: Any, points: Any, classes: Any) -> Any:
        (w1, b1), (w2, b2) = parameters
        logits = jax.nn.relu(points @ w1 + b1) @ w2 + b2
        return -numpy.mean(jax.nn.log_softmax(logits)[numpy.arange(len(classes)), classes])

    step = jax.jit(jax.value_and_grad(loss))
    return lambda: jax.block_until_ready(step(parameters, points, classes))
