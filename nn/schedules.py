"""Schedules: the learning rate of an epoch, as a factor of the rate that the optimizer was given.

A schedule that depends on the epoch alone is frozen data with ``factor(epoch)``, epochs counting from 1. ``Plateau``
looks at the loss, so it is told of it: ``factor(epoch, losses)``, the list of the losses so far, and it keeps nothing
either. In a loop of your own: ``optimizer.learning_rate = 0.1 * schedule.factor(epoch)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nn.checks import whole, within


class Schedule(Protocol):
    """What ``fit`` takes: the factor of an epoch, from 1, given the losses of the epochs before it."""

    def factor(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """The factor of the learning rate in this epoch."""


@dataclass(frozen=True)
class Step:
    """The rate times ``by`` after every ``every`` epochs.

    >>> [Step(every=2, by=0.5).factor(epoch) for epoch in range(1, 6)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    every: int
    by: float = 0.1

    def __post_init__(self) -> None:
        whole("every", self.every)
        within("by", self.by, 0.0, open_below=True)

    def factor(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """by^⌊(epoch - 1) / every⌋."""
        return float(self.by ** ((epoch - 1) // self.every))


@dataclass(frozen=True)
class Cosine:
    """From the whole rate down to ``least`` of it along half a cosine, over so many ``epochs``; then ``least``.

    This is equation 5 of Loshchilov and Hutter, 2017, without restarts.

    >>> [round(Cosine(epochs=4).factor(epoch), 3) for epoch in range(1, 6)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """

    epochs: int
    least: float = 0.0

    def __post_init__(self) -> None:
        whole("epochs", self.epochs)
        within("least", self.least, 0.0, 1.0)

    def factor(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """least + ½ (1 - least) (1 + cos(π (epoch - 1) / epochs))."""
        turn = math.pi * min(epoch - 1, self.epochs) / self.epochs
        return self.least + 0.5 * (1.0 - self.least) * (1.0 + math.cos(turn))


@dataclass(frozen=True)
class WarmUp:
    """Up from 1/epochs of the rate in equal parts, to the whole in epoch number ``epochs``; then another schedule.

    >>> [WarmUp(epochs=4).factor(epoch) for epoch in range(1, 6)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    >>> [WarmUp(2, then=Step(every=1, by=0.5)).factor(epoch) for epoch in range(1, 6)]
    [0.5, 1.0, 1.0, 0.5, 0.25]

    Args:
        then: what follows, its first epoch being number epochs + 1; without it the whole rate.
    """

    epochs: int
    then: Schedule | None = None

    def __post_init__(self) -> None:
        whole("epochs", self.epochs)

    def factor(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """epoch / epochs, and then what follows."""
        if epoch <= self.epochs:
            return epoch / self.epochs
        return 1.0 if self.then is None else self.then.factor(epoch - self.epochs, losses[self.epochs :])


@dataclass(frozen=True)
class Plateau:
    """The rate times ``by`` whenever the loss has not become better for more than ``patience`` epochs.

    Better means below the best so far by more than ``threshold`` of it. ``fit`` shows it the validation losses where
    there are some, else the training losses.

    >>> [Plateau(patience=1, by=0.5).factor(5, [1.0, 0.5, 0.5, 0.5]), Plateau().factor(1)]
    [0.5, 1.0]
    """

    patience: int = 10
    by: float = 0.1
    threshold: float = 1e-4

    def __post_init__(self) -> None:
        within("patience", self.patience, 0.0)
        within("by", self.by, 0.0, 1.0, open_below=True)
        within("threshold", self.threshold, 0.0, 1.0)

    def factor(self, epoch: int, losses: Sequence[float] = ()) -> float:
        """by to the power of how often the patience ran out."""
        best, waited, power = math.inf, 0, 0
        for loss in losses:
            better = best == math.inf or loss < best - self.threshold * math.fabs(best)
            best, waited = (loss, 0) if better else (best, waited + 1)
            if waited > self.patience:
                power, waited = power + 1, 0
        return float(self.by**power)
