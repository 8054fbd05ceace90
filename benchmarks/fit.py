"""Training a classifier from nothing, as users do it: ``nn.fit``, scikit-learn's ``MLPClassifier``, a PyTorch loop.

Adam at the same rate on the same batches' sizes, in double precision, over data in NumPy arrays. ``total`` is from
building the model to the trained one, compiled code being in the cache; ``epoch`` is one further epoch of that, of ours
as ``History.seconds`` has it; ``step`` compares the peers' with a call of ``compiled_step``'s ``epoch``, after which
the Values are written, in an order that is drawn for it. Final losses are those of the peers from their own first
weights and, as ``from_ours``, from the same as ours.
"""

from __future__ import annotations

import math
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from benchmarks.replaying import best, on_one_core, peer

RATE = 0.001


class Task(NamedTuple):
    """Samples, classes, and how a network is trained to tell them apart."""

    X: Any
    y: Any
    widths: list[int]
    activation: str
    batch_size: int
    epochs: int

    @property
    def outputs(self) -> int:
        """How many numbers the network returns: one for two classes."""
        return self.widths[-1]


def tasks(sklearn: Any) -> dict[str, Task]:
    """What is measured, by name."""
    import numpy as np

    import nn

    points, sides = nn.datasets.moons(200, noise=0.1, seed=0)
    cells, kinds = sklearn.datasets.load_breast_cancer(return_X_y=True)
    pictures, digits = sklearn.datasets.load_digits(return_X_y=True)
    cells = (cells - cells.mean(axis=0)) / cells.std(axis=0)
    pictures = pictures / 16.0
    return {
        "moons": Task(np.array(points), np.array(sides), [2, 16, 16, 1], "tanh", 20, 200),
        "cancer": Task(cells, kinds, [30, 16, 16, 1], "relu", 32, 100),
        "digits32": Task(pictures, digits, [64, 32, 10], "relu", 200, 50),
        "digits100": Task(pictures, digits, [64, 100, 10], "relu", 200, 50),
    }


class Trained(NamedTuple):
    """The last mean loss, what goes through the samples once more, and the seconds of epochs where they are known."""

    loss: float
    epoch: Callable[[], object]
    seconds: tuple[float, ...] = ()


def network(task: Task, seed: int) -> Any:
    """Ours, with its first weights."""
    import nn

    return nn.MLP(task.widths[0], task.widths[1:], task.activation, seed=seed)


def ours(task: Task, seed: int) -> Trained:
    """``nn.fit``."""
    import numpy as np

    import nn

    loss = "bce_with_logits" if task.outputs == 1 else "cross_entropy"
    model = network(task, seed)
    optimizer = nn.Adam(model.parameters(), RATE)
    history = nn.fit(
        model, task.X, task.y, loss=loss, optimizer=optimizer, epochs=task.epochs, batch_size=task.batch_size,
        seed=seed, progress=False,
    )  # fmt: skip
    step, chance = nn.compiled_step(model, loss, optimizer, batch_size=task.batch_size), np.random.default_rng(seed)
    return Trained(
        history.losses[-1],
        lambda: step.epoch(task.X, task.y, chance.permutation(len(task.X))),
        tuple(history.seconds),
    )


def first_weights(task: Task, seed: int) -> list[tuple[Any, Any]]:
    """Ours, layer by layer: weights ``(outputs, inputs)`` and biases."""
    import numpy as np

    return [
        (np.array([[w.data for w in n.w] for n in layer.neurons]), np.array([n.b.data for n in layer.neurons]))
        for layer in network(task, seed).layers
    ]


def with_sklearn(sklearn: Any, task: Task, seed: int, *, from_ours: bool = False) -> Trained:
    """Its classifier, without the penalty and the early stop that it has unless told."""
    weights = iter(first_weights(task, seed) if from_ours else [])

    class FromOurs(sklearn.neural_network.MLPClassifier):  # type: ignore[misc, name-defined]
        def _init_coef(self, *_: Any) -> Any:
            weight, bias = next(weights)
            return weight.T.copy(), bias

    make = FromOurs if from_ours else sklearn.neural_network.MLPClassifier
    model = make(
        task.widths[1:-1], activation=task.activation, alpha=0.0, batch_size=task.batch_size, learning_rate_init=RATE,
        max_iter=task.epochs, tol=0.0, n_iter_no_change=task.epochs, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it ends before it has converged
        model.fit(task.X, task.y)
    return Trained(model.loss_curve_[-1], lambda: model.partial_fit(task.X, task.y))


def with_torch(torch: Any, task: Task, seed: int, *, from_ours: bool = False) -> Trained:
    """The loop that its users write."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    layers: list[Any] = []
    for inputs, outputs in zip(task.widths, task.widths[1:], strict=False):
        layers += [
            torch.nn.Linear(inputs, outputs, dtype=torch.float64),
            {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[task.activation](),
        ]
    model = torch.nn.Sequential(*layers[:-1])
    if from_ours:
        with torch.no_grad():
            for layer, (weight, bias) in zip(layers[::2], first_weights(task, seed), strict=True):
                layer.weight.copy_(torch.from_numpy(weight))
                layer.bias.copy_(torch.from_numpy(bias))
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    X, y = torch.from_numpy(task.X), torch.from_numpy(task.y)
    loss: Any = torch.nn.CrossEntropyLoss()
    if task.outputs == 1:
        loss, y = torch.nn.BCEWithLogitsLoss(), y.double()[:, None]

    def epoch() -> float:
        total = 0.0
        for batch in torch.randperm(len(X)).split(task.batch_size):
            optimizer.zero_grad()
            mean = loss(model(X[batch]), y[batch])
            mean.backward()
            optimizer.step()
            total += mean.item() * len(batch)
        return total / len(X)

    for _ in range(task.epochs - 1):
        epoch()
    return Trained(epoch(), epoch)


def run(runs: int = 10) -> dict[str, float]:
    """Peers' times over ours, seconds, and the last mean losses over as many seeds as there are runs."""
    on_one_core()
    sklearn = peer("sklearn", "so there is no data to measure with")
    if sklearn is None:
        return {}
    for part in ("datasets", "neural_network"):
        peer(f"sklearn.{part}")
    torch = peer("torch")
    found: dict[str, float] = {}
    for name, task in tasks(sklearn).items():
        makers: dict[str, Callable[..., Trained]] = {"ours": partial(ours, task)}
        makers["sklearn"] = partial(with_sklearn, sklearn, task)
        if torch is not None:
            makers["torch"] = partial(with_torch, torch, task)
        found |= figures(name, makers, runs)
    return found | of_many_parameters(runs)


def figures(name: str, makers: dict[str, Callable[..., Trained]], runs: int) -> dict[str, float]:
    """The figures of one task."""
    peers = [who for who in makers if who != "ours"]
    totals, trained = dict.fromkeys(makers, math.inf), dict[str, Trained]()
    losses: dict[str, list[float]] = {}
    within_fit = math.inf
    makers["ours"](0)  # what it compiles is in the cache then
    for seed in range(runs):
        for who, make in makers.items():
            start = time.process_time()  # others may want the core too, in the half of a second that this takes
            trained[who] = make(seed)
            totals[who] = min(totals[who], time.process_time() - start)
            losses.setdefault(who, []).append(trained[who].loss)
        within_fit = min(within_fit, *trained["ours"].seconds)
        for who in peers:
            losses.setdefault(f"{who}_from_ours", []).append(makers[who](seed, from_ours=True).loss)
    epochs = best({who: one.epoch for who, one in trained.items()}, least=max(runs, 20))
    found = {f"{name}_epoch_ours_s": within_fit, f"{name}_step_ours_s": epochs["ours"]}
    found |= {f"{name}_total_{who}_s": seconds for who, seconds in totals.items()}
    for who in peers:
        found |= {
            f"{name}_epoch_{who}_s": epochs[who], f"{name}_total_{who}": totals[who] / totals["ours"],
            f"{name}_epoch_{who}": epochs[who] / within_fit, f"{name}_step_{who}": epochs[who] / epochs["ours"],
        }  # fmt: skip
    for who, some in losses.items():
        found[f"{name}_loss_{who}"] = statistics.fmean(some)
        found[f"{name}_loss_{who}_sd"] = statistics.stdev(some) if len(some) > 1 else 0.0
    return found


def of_many_parameters(runs: int) -> dict[str, float]:
    """Seconds for what walks over the 101,770 parameters of 784-128-10."""
    import numpy as np

    import nn

    model, rows = nn.MLP(784, [128, 10], "relu"), np.zeros((1000, 784))
    model.predict(rows)  # it is recorded
    seconds = best(
        {
            "parameters": model.parameters, "state_dict": model.state_dict,
            "predict_1": lambda: model.predict(rows[:1].tolist()), "predict_1000": lambda: model.predict(rows),
        },
        least=max(runs, 20),
    )  # fmt: skip
    return {f"{key}_s": found for key, found in seconds.items()}
