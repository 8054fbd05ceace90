"""What is recorded once and replayed over batches: the loss in ``fit``, and a network in ``predict`` for many rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd import compile
from nn.cost import LossFunction
from nn.module import Module

#: Rows from which on recording a network takes less time than it saves.
MANY_ROWS = 1000


def outputs_of(model: Callable[[Any], Any], rows: Sequence[Any]) -> list[Any] | None:
    """What the model returns for each of many rows, as floats or lists of them.

    ``None`` where a replay cannot serve: there are few rows, a recording is impossible, an output is not finite.
    """
    if len(rows) < MANY_ROWS:
        return None
    try:
        recorded = compile(model, expected_samples=len(rows))
        outputs = recorded(*recorded.arrays(rows))
        found: list[Any] = outputs.tolist()
        finite = bool((abs(outputs) < math.inf).all())
    except Exception:  # the call row by row does it, or says why not
        return None
    return found if finite else None  # an operation outside its domain gives nan in a replay and raises in a call


class Replay:
    """The mean loss over a batch of the samples, with its gradient; or nothing, where a replay cannot serve.

    What goes wrong is not told here: the caller then goes on sample by sample, and meets it where it can be named.
    """

    def __init__(
        self, model: Module, loss: LossFunction, rows: Sequence[Any], targets: Sequence[Any], *, epochs: int
    ) -> None:
        self._parameters = model.parameters()
        self.works = True
        try:
            self._step = compile(
                lambda x, y: loss(model(x), y), params=self._parameters, expected_samples=epochs * len(rows)
            )
            self._X, self._y = self._step.arrays(rows, targets)
        except (ModuleNotFoundError, ValueError, TypeError):
            self.works = False

    def add_gradients(self, batch: Sequence[int]) -> float | None:
        """The mean loss of these samples, its gradient being added to the parameters'; ``None`` if nothing was done."""
        if not self.works:
            return None
        whole = len(batch) == len(self._X)
        try:
            loss: float
            loss, gradient = self._step.value_and_grad(
                self._X if whole else self._X[batch], self._y if whole else self._y[batch]
            )
        except Exception:  # whatever the model does that a recording cannot: the loop over samples does it or says why
            self.works = False
            return None
        numbers: list[float] = gradient.tolist()
        if not math.isfinite(loss) or not all(map(math.isfinite, numbers)):
            return None
        for parameter, number in zip(self._parameters, numbers, strict=True):
            parameter.grad += number
        return loss
