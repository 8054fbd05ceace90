"""What ``fit`` calls between epochs: the best weights, early stopping, and callbacks of the user's own.

Each works on a ``Training``, the training as it stands; a callback is a function of it, called after every epoch.
"""

from __future__ import annotations

from collections.abc import Callable

from nn.checks import whole
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


class BestWeights:
    """Remembers the weights of the best epoch so far, to put them back at the end."""

    def __init__(self) -> None:
        self.numbers: dict[str, float] = {}

    def __call__(self, training: Training) -> None:
        if training.history.best_epoch == training.epoch:
            self.numbers = training.model.state_dict()

    def restore(self, model: Module) -> None:
        """Put the best weights back, if there are any."""
        if self.numbers:
            model.load_state_dict(self.numbers)


def early_stopping(patience: int) -> Callback:
    """A callback that ends the training when ``patience`` epochs in a row were not better than the best before them.

    Raises:
        ValueError, TypeError: the patience is not an int from 1 on.
    """
    patience = whole("patience", patience)

    def stop(training: Training) -> None:
        best = training.history.best_epoch or training.epoch
        if training.epoch - best >= patience:
            which = "validation loss" if training.history.validation_losses else "loss"
            training.stop(f"no better {which} since epoch {best}")

    return stop
