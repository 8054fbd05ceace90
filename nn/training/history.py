"""``History``: what happened in a training, epoch by epoch."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, fields
from typing import Any

from nn import plots


@dataclass(slots=True)
class History:
    """What happened in ``fit``, epoch by epoch.

    ``losses[i]`` is the mean of the samples' losses during epoch i, each taken before the step it led to, without the
    penalty; ``penalties[i]`` is the mean of the penalty over the steps, if there is one. ``validation_losses``, and the
    lists in ``metrics`` and ``validation_metrics`` under the names of the metrics, were taken after the epoch.
    ``learning_rates[i]`` and ``seconds[i]`` are the rate of epoch i and how long it took.

    ``best_epoch``, from 1, had the least loss, of validation where there is one. ``stopped`` says why the training
    ended before its last epoch, ``interrupted`` that it was Ctrl-C. ``never_moved`` names the parameters that the
    optimizer holds and that ended as they began: of dead units, say, or of an input that is always zero.

    >>> history = History(losses=[2.0, 0.5, 0.75], seconds=[0.5, 0.25, 0.25])
    >>> history, history.best_epoch
    (History(3 epochs, loss 2 → 0.75, 1 s), 2)
    """

    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    validation_metrics: dict[str, list[float]] = field(default_factory=dict)
    penalties: list[float] = field(default_factory=list)
    learning_rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    stopped: str = ""
    interrupted: bool = False
    never_moved: tuple[str, ...] = ()

    @property
    def epochs(self) -> int:
        """How many epochs were finished."""
        return len(self.losses)

    @property
    def watched(self) -> list[float]:
        """The losses that early stopping, the best weights and ``Plateau`` go by: of validation, or of training."""
        return self.validation_losses or self.losses

    @property
    def best_epoch(self) -> int | None:
        """The epoch, from 1, with the least of the watched losses, the first at a tie; None before the first."""
        return self.watched.index(min(self.watched)) + 1 if self.watched else None

    def plot(self, path: str | os.PathLike[str] | None = None, *, title: str = "loss") -> Any:
        """The loss curve, with that of validation: written to a PNG file, whose path it is; or shown by a notebook.

        Raises:
            ValueError: no epoch was finished.
            ModuleNotFoundError: Matplotlib is missing.
        """
        if not self.losses:
            raise ValueError("there is nothing to plot: no epoch was finished")
        return plots.loss_curve(self.losses, path, validation=self.validation_losses, title=title)

    def drop_unfinished(self) -> None:
        """Shorten all lists to the epochs that are finished in every one, as after an error amid an entry."""
        found = [getattr(self, known.name) for known in fields(self)]
        lists = [part for item in found for part in (item.values() if isinstance(item, dict) else [item])]
        for part in lists:
            if isinstance(part, list):
                del part[len(self.losses) :]  # the loss is entered last

    def __repr__(self) -> str:
        parts = [f"{self.epochs} epoch{'' if self.epochs == 1 else 's'}"]
        if self.losses:
            parts.append(f"loss {self.losses[0]:.4g} → {self.losses[-1]:.4g}")
            if self.validation_losses:
                parts.append(f"validation {self.validation_losses[0]:.4g} → {self.validation_losses[-1]:.4g}")
            parts += [f"{name} {values[-1]:.4g}" for name, values in self.metrics.items() if values]
            parts.append(f"{math.fsum(self.seconds):.2g} s")
        if self.never_moved:
            parts.append(f"{len(self.never_moved)} parameters never moved")
        parts += [self.stopped] if self.stopped else []
        return f"History({', '.join([*parts, *(['interrupted'] if self.interrupted else [])])})"
