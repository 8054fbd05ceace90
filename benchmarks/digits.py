"""1,797 handwritten digits of scikit-learn: MLP 64-32-10 with relu, softmax cross entropy, value and gradient."""

from __future__ import annotations

from typing import Any

from benchmarks.moons import matrices
from benchmarks.replaying import best, jax_in_double_precision, on_one_core, peer, ratios


def run(runs: int = 15) -> dict[str, float]:
    """The figures, for strict arithmetic and for ``fast``."""
    on_one_core()
    datasets = peer("sklearn.datasets", "so there are no digits to measure with")
    if datasets is None:
        return {}
    import autograd
    import nn

    X, labels = datasets.load_digits(return_X_y=True)
    X = X / 16.0
    y = labels.astype(float)
    model = nn.MLP(64, [32, 10], "relu", seed=0)

    def loss(x: Any, label: Any) -> Any:
        return nn.losses.cross_entropy(model(x), label)

    found: dict[str, float] = {}
    jax = jax_in_double_precision()
    for mode in ("strict", "fast"):
        step = autograd.compile(loss, params=model.parameters(), fast=mode == "fast")
        works: dict[str, Any] = {"ours": lambda step=step: step.value_and_grad(X, y)}
        if jax is not None:
            works["jax"] = with_jax(jax, model, X, labels)
            assert abs(float(works["jax"]()[0]) - works["ours"]()[0]) < 1e-12
        found.update({f"{mode}_{key}": x for key, x in ratios(best(works, least=runs)).items()})
    return found


def with_jax(jax: Any, model: Any, X: Any, labels: Any) -> Any:
    """A jitted step of JAX's for a network of two layers, ready to be called."""
    numpy = jax.numpy
    parameters = [(numpy.asarray(w), numpy.asarray(b)) for w, b in matrices(model)]
    points, classes = numpy.asarray(X), numpy.asarray(labels)

    def loss(parameters: Any, points: Any, classes: Any) -> Any:
        (w1, b1), (w2, b2) = parameters
        logits = jax.nn.relu(points @ w1 + b1) @ w2 + b2
        return -numpy.mean(jax.nn.log_softmax(logits)[numpy.arange(len(classes)), classes])

    step = jax.jit(jax.value_and_grad(loss))
    return lambda: jax.block_until_ready(step(parameters, points, classes))
