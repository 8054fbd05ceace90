"""The two-moons step, recorded: MLP 2-16-16-1 with tanh and with relu, mean hinge loss, value and gradient.

Peers compute the same in double precision: JAX jitted over arrays, PyTorch over tensors, micrograd with its own classes
(relu only, as in its demonstration).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.replaying import best, jax_in_double_precision, on_one_core, peer, ratios

WIDTHS = [16, 16, 1]


def data(samples: int) -> tuple[Any, Any]:
    """Points, and labels -1 and 1."""
    import numpy as np

    import nn

    X, y = nn.datasets.moons(samples, noise=0.1, seed=0)
    return np.array(X), 2.0 * np.array(y) - 1.0


def ours(model: Any, X: Any, y: Any, **options: Any) -> Callable[[], Any]:
    """The recorded step."""
    import autograd
    import nn

    def loss(x: Any, label: Any) -> Any:
        return nn.losses.hinge(model(x), label)

    step = autograd.compile(loss, params=model.parameters(), **options)
    return lambda: step.value_and_grad(X, y)


def matrices(model: Any) -> list[tuple[Any, Any]]:
    """Each layer's weights, (inputs, outputs), and biases."""
    import numpy as np

    return [
        (np.array([[w.data for w in n.w] for n in layer.neurons]).T.copy(), np.array([n.b.data for n in layer.neurons]))
        for layer in model.layers
    ]


def with_jax(jax: Any, model: Any, activation: str, X: Any, y: Any) -> Callable[[], Any]:
    """The step as JAX's users write it."""
    numpy = jax.numpy
    act = {"tanh": numpy.tanh, "relu": jax.nn.relu}[activation]
    parameters = [(numpy.asarray(w), numpy.asarray(b)) for w, b in matrices(model)]
    points, labels = numpy.asarray(X), numpy.asarray(y)

    def loss(parameters: Any, points: Any, labels: Any) -> Any:
        a = points
        for w, b in parameters[:-1]:
            a = act(a @ w + b)
        w, b = parameters[-1]
        return numpy.mean(numpy.maximum(0.0, 1.0 - labels * (a @ w + b)[:, 0]))

    step = jax.jit(jax.value_and_grad(loss))
    return lambda: jax.block_until_ready(step(parameters, points, labels))


def with_torch(torch: Any, model: Any, activation: str, X: Any, y: Any) -> Callable[[], Any]:
    """The step as PyTorch's users write it."""
    torch.set_num_threads(1)
    layers: list[Any] = []
    for w, b in matrices(model):
        linear = torch.nn.Linear(w.shape[0], w.shape[1], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w.T.copy()))
            linear.bias.copy_(torch.from_numpy(b))
        layers += [linear, {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[activation]()]
    network = torch.nn.Sequential(*layers[:-1])
    points, labels = torch.from_numpy(X), torch.from_numpy(y)

    def step() -> Any:
        network.zero_grad(set_to_none=True)
        loss = torch.clamp(1.0 - labels * network(points)[:, 0], min=0.0).mean()
        loss.backward()
        return loss.item()

    return step


def compared(activation: str, samples: int, runs: int, *, torch_too: bool) -> dict[str, float]:
    """Seconds and ratios for one activation; all must agree on the value before they are timed."""
    import nn

    X, y = data(samples)
    model = nn.MLP(2, WIDTHS, activation, seed=0)
    works = {"ours": ours(model, X, y)}
    value = works["ours"]()[0]
    jax = jax_in_double_precision()
    if jax is not None:
        works["jax"] = with_jax(jax, model, activation, X, y)
        assert abs(float(works["jax"]()[0]) - value) < 1e-12  # type: ignore[index]
    torch = peer("torch") if torch_too else None
    if torch is not None:
        works["torch"] = with_torch(torch, model, activation, X, y)
        assert abs(works["torch"]() - value) < 1e-12  # type: ignore[operator]
    return ratios(best(works, least=runs))


def micrograd_seconds(runs: int) -> float | None:
    """Seconds of micrograd's own step, the collector on."""
    import random

    from benchmarks.eager import SAMPLES, scalar_step
    from benchmarks.measure import smallest

    engine = peer("micrograd.engine")
    if engine is None:
        return None
    from micrograd.nn import MLP

    random.seed(0)
    model = MLP(2, WIDTHS)
    X, y = data(SAMPLES)
    points, sides = X.tolist(), [int(side) for side in y]
    return smallest({"it": lambda: scalar_step(model, engine.Value, points, sides)}, runs=runs)["it"]


def run(runs: int = 15) -> dict[str, float]:
    """The figures: the smaller ratio of the two activations for JAX and PyTorch."""
    on_one_core()
    found: dict[str, float] = {}
    for activation in ("tanh", "relu"):
        found.update({f"{activation}_{key}": x for key, x in compared(activation, 100, runs, torch_too=True).items()})
    for name in ("jax", "torch"):
        if f"tanh_{name}_ratio" in found:
            found[f"{name}_ratio"] = min(found[f"tanh_{name}_ratio"], found[f"relu_{name}_ratio"])
    theirs = micrograd_seconds(min(runs, 3))  # a step takes as long as tens of thousands of ours
    if theirs is not None:
        found["micrograd_s"], found["micrograd_ratio"] = theirs, theirs / found["relu_ours_s"]
    return found
