"""What ``fit`` calls between epochs: the best weights, early stopping, and callbacks of the user's own.

Each works on a ``Training``, the training as it stands; a callback is a function of it, called after every epoch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from autograd import Value
from nn.checks import whole
from nn.interrupts import assign
from nn.module import Module
from nn.optimizers import Optimizer
from nn.training.history import History


class Training:
    """A training as it stands: model, optimizer, history, the epoch (from 1) that was just finished.

    ``stop(why)`` ends the training after this epoch; ``why`` goes into ``history.stopped``.
    """

    __slots__ = ("epoch", "history", "model", "optimizer", "stopping")

    def __init__(
        self, model: Module, optimizer: Optimizer, history: History, epoch: int = 0, stopping: bool = False
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.history = history
        self.epoch = epoch
        self.stopping = stopping

    def stop(self, why: str) -> None:
        """End the training after this epoch."""
        self.stopping, self.history.stopped = True, why

    def __repr__(self) -> str:
        parts = [f"{name}={getattr(self, name)!r}" for name in ("model", "optimizer", "history", "epoch", "stopping")]
        return f"Training({', '.join(parts)})"


#: What ``fit`` calls after every epoch.
Callback = Callable[[Training], object]


class BestEpoch:
    """The epoch with the least of the watched losses, the first at a tie; each is looked at once."""

    def __init__(self) -> None:
        self.epoch, self._seen, self._least = 0, 0, math.inf

    def look(self, history: History) -> int:
        """The best one so far, 0 before the first."""
        watched = history.watched
        for epoch in range(self._seen + 1, len(watched) + 1):
            if watched[epoch - 1] < self._least:
                self.epoch, self._least = epoch, watched[epoch - 1]
        self._seen = len(watched)
        return self.epoch


class BestWeights:
    """Remembers the numbers of the best epoch so far, to put them back at the end.

    Args:
        numbers: gives those of now, of ``parameters``.
    """

    def __init__(self, parameters: Sequence[Value], numbers: Callable[[], Sequence[float]]) -> None:
        self._parameters, self._numbers, self._best = parameters, numbers, BestEpoch()
        self._kept: Sequence[float] | None = None

    def __call__(self, training: Training) -> None:
        if self._best.look(training.history) == training.epoch:
            self._kept = self._numbers()

    def restore(self) -> None:
        """Put the best weights back, if there are any."""
        if self._kept is not None:
            assign(self._parameters, "data", self._kept)


def early_stopping(patience: int) -> Callback:
    """A callback that ends the training when ``patience`` epochs in a row were not better than the best before them.

    Raises:
        ValueError, TypeError: the patience is not an int from 1 on.
    """
    patience, known = whole("patience", patience), BestEpoch()

    def stop(training: Training) -> None:
        best = known.look(training.history) or training.epoch
        if training.epoch - best >= patience:
            which = "validation loss" if training.history.validation_losses else "loss"
            training.stop(f"no better {which} since epoch {best}")

    return stop
