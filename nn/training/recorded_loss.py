"""``RecordedLoss``: the loss of a training recorded once and replayed over batches, where that can serve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograd import compile
from nn.cost import LossFunction
from nn.module import Module
from nn.training.samples import Samples


class RecordedLoss:
    """The mean loss over a batch of the samples, with its gradient; or nothing, where a replay cannot serve.

    What goes wrong is not told here: the caller then goes on sample by sample, and meets it where it can be named.
    """

    def __init__(self, model: Module, loss: LossFunction, samples: Samples, *, epochs: int, threads: int = 1) -> None:
        self._model, self._loss, self._samples = model, loss, samples
        self._options: Any = {"threads": threads, "expected_samples": epochs * len(samples.rows)}
        self._step: Any = None
        self.works = True

    def _prepare(self) -> None:
        model, loss, self._parameters = self._model, self._loss, self._model.parameters()
        self._step = compile(lambda x, y: loss(model(x), y), params=self._parameters, **self._options)
        self._X, self._y = self._step.arrays(*self._samples)

    def add_gradients(self, batch: Sequence[int]) -> float | None:
        """The mean loss of these samples, its gradient being added to the parameters'; ``None`` if nothing was done."""
        if not self.works:
            return None
        try:
            if self._step is None:
                self._prepare()
            whole = len(batch) == len(self._X)
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
