"""Metrics: numbers that tell people how good predictions are, where a loss tells an optimizer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from nn.checks import listed, listed_or_one
from nn.cost import LOSSES

#: (what the model predicts for every sample, the targets) → one number.
Metric = Callable[[list[Any], list[Any]], float]


def accuracy(outputs: Sequence[Any], targets: Sequence[Any], loss: str = "cross_entropy") -> float:
    """The share of the samples that get their true class, as the outputs of a model trained by that loss decide.

    The largest of several outputs, the first at a tie; of one, whether a logit or score is above 0, a probability above
    ½. A target is the index of the class, 0 or 1, or -1 or 1 for hinge.

    >>> accuracy([[0.5, 2.0], [1.0, 0.0]], [1, 1]), accuracy([0.5, -2.0, 3.0], [1, 0, 0], "bce_with_logits")
    (0.5, 0.6666666666666666)

    Raises:
        ValueError: no samples, or a loss that is not one of classes.
    """
    if loss not in _DECISIONS:
        raise ValueError(f"accuracy is for classes, so for the losses {', '.join(_DECISIONS)}; the loss is {loss}")
    if not outputs:
        raise ValueError("the accuracy over no samples is not defined")
    pairs = zip(outputs, targets, strict=True)
    right = [bool(_decided(p, loss) == _target(p, t)) for p, t in pairs]
    return sum(right) / len(right)


def _target(output: Any, target: Any) -> Any:
    """A target in the shape of an output: of one output it may come as a list of one."""
    if not hasattr(target, "__len__"):
        return target
    return target[0] if len(target) == 1 and not hasattr(output, "__len__") else listed(target)


def r2(outputs: Sequence[Any], targets: Sequence[Any]) -> float:
    """1 - Σ(y - ŷ)² / Σ(y - ȳ)², the share of the targets' scatter that is explained; nan where all targets are equal.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), r2([2.0, 2.0, 2.0], [1.0, 2.0, 3.0])
    (1.0, 0.0)
    """
    rest = scatter = 0.0
    columns = (zip(*map(listed_or_one, rows), strict=True) for rows in (outputs, targets))
    for predicted, true in zip(*columns, strict=True):
        middle = math.fsum(true) / len(true)
        rest += math.fsum((y - p) * (y - p) for y, p in zip(true, predicted, strict=True))
        scatter += math.fsum((y - middle) * (y - middle) for y in true) if max(true) > min(true) else 0.0
    return 1.0 - rest / scatter if scatter else math.nan


def metrics_for(metrics: Sequence[str | Metric], loss: str) -> dict[str, Metric]:
    """The metrics by name: "accuracy", "r2", the name of a loss (its mean), or a function of outputs and targets.

    Raises:
        ValueError: no metric has this name, or it does not go with the loss.
        TypeError: neither a name nor a function; a name alone where a list belongs.
    """
    if isinstance(metrics, str) or not hasattr(metrics, "__iter__"):
        raise TypeError(f"metrics is a list of names or functions, such as ['accuracy']; it is {metrics!r:.200}")
    found: dict[str, Metric] = {}
    for metric in metrics:
        if callable(metric):
            found[getattr(metric, "__name__", type(metric).__name__)] = metric
        elif metric == "accuracy":
            if loss not in _DECISIONS:
                accuracy([0.0], [0], loss)
            found[metric] = lambda outputs, targets: accuracy(outputs, targets, loss)
        elif metric == "r2":
            found[metric] = r2
        elif metric in LOSSES:
            found[metric] = _mean_of(metric)
        else:
            names = ", ".join(["accuracy", "r2", *LOSSES])
            raise ValueError(f"no metric is called {metric!r:.200}; there are {names}, or give a function")
    return found


#: Above what a single output means the class 1 (or True), for each loss of classes.
_DECISIONS = {"cross_entropy": 0.0, "bce_with_logits": 0.0, "binary_cross_entropy": 0.5, "hinge": 0.0}


def _decided(output: Any, loss: str) -> Any:
    if loss == "cross_entropy":
        return output.index(max(output))
    if hasattr(output, "__len__"):
        return [_decided(number, loss) for number in output]
    above = output > _DECISIONS[loss]
    return (1 if above else -1) if loss == "hinge" else int(above)


def _mean_of(loss: str) -> Metric:
    def mean(outputs: list[Any], targets: list[Any]) -> float:
        each = [LOSSES[loss](output, target) for output, target in zip(outputs, targets, strict=True)]
        return math.fsum(each) / len(each)

    return mean
