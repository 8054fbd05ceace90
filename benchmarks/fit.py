"""Training a classifier from nothing, as users do it: ``nn.fit``, scikit-learn's ``MLPClassifier``, a PyTorch loop.

Adam at the same rate on the same batches' sizes, in double precision, over data in NumPy arrays. ``total`` is from
building the model to the trained one, compiled code being in the cache; ``epoch`` is one further epoch: of ours one
call of ``compiled_step``'s ``epoch``, in an order that is drawn for it.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
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
    """The last mean loss, and what goes through the samples once more."""

    loss: float
    epoch: Callable[[], object]


def ours(task: Task, seed: int) -> Trained:
    """``nn.fit``."""
    import numpy as np

    import nn

    loss = "bce_with_logits" if task.outputs == 1 else "cross_entropy"
    model = nn.MLP(task.widths[0], task.widths[1:], task.activation, seed=seed)
    optimizer = nn.Adam(model.parameters(), RATE)
    history = nn.fit(
        model, task.X, task.y, loss=loss, optimizer=optimizer, epochs=task.epochs, batch_size=task.batch_size,
        seed=seed, progress=False,
    )  # fmt: skip
    step, chance = nn.compiled_step(model, loss, optimizer, batch_size=task.batch_size), np.random.default_rng(seed)
    return Trained(history.losses[-1], lambda: step.epoch(task.X, task.y, chance.permutation(len(task.X))))


def with_sklearn(sklearn: Any, task: Task, seed: int) -> Trained:
    """Its classifier, without the penalty and the early stop that it has unless told."""
    model = sklearn.neural_network.MLPClassifier(
        task.widths[1:-1], activation=task.activation, alpha=0.0, batch_size=task.batch_size, learning_rate_init=RATE,
        max_iter=task.epochs, tol=0.0, n_iter_no_change=task.epochs, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it ends before it has converged
        model.fit(task.X, task.y)
    return Trained(model.loss_curve_[-1], lambda: model.partial_fit(task.X, task.y))


def with_torch(torch: Any, task: Task, seed: int) -> Trained:
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


def run(runs: int = 5) -> dict[str, float]:
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
        makers: dict[str, Callable[[int], Trained]] = {
            "ours": lambda seed, task=task: ours(task, seed),  # type: ignore[misc]
            "sklearn": lambda seed, task=task: with_sklearn(sklearn, task, seed),  # type: ignore[misc]
        }
        if torch is not None:
            makers["torch"] = lambda seed, task=task: with_torch(torch, task, seed)  # type: ignore[misc]
        found |= figures(name, makers, runs)
    return found


def figures(name: str, makers: dict[str, Callable[[int], Trained]], runs: int) -> dict[str, float]:
    """The figures of one task."""
    totals, trained = dict.fromkeys(makers, math.inf), dict[str, Trained]()
    losses: dict[str, list[float]] = {who: [] for who in makers}
    for seed in range(1 + runs):
        for who, make in makers.items():
            start = time.process_time()  # others may want the core too, in the half of a second that this takes
            trained[who] = make(seed)
            seconds = time.process_time() - start
            losses[who].append(trained[who].loss)
            if seed:  # what the first compiles is in the cache then
                totals[who] = min(totals[who], seconds)
    epochs = best({who: one.epoch for who, one in trained.items()}, least=runs)
    found: dict[str, float] = {}
    for who in makers:
        found |= {f"{name}_total_{who}_s": totals[who], f"{name}_epoch_{who}_s": epochs[who]}
        found[f"{name}_loss_{who}"] = sum(losses[who]) / len(losses[who])
        if who != "ours":
            found |= {f"{name}_total_{who}": totals[who] / totals["ours"]}
            found |= {f"{name}_epoch_{who}": epochs[who] / epochs["ours"]}
    return found
