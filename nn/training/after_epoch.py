"""``AfterEpoch``: what is measured after an epoch, entered into the history, and shown to the callbacks."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from autograd import DomainError, Value
from nn.cost import LossFunction, loss_name
from nn.metrics import Metric
from nn.passes import predictions
from nn.training.callbacks import Callback, Training
from nn.training.epochs import Epoch
from nn.training.failures import cannot_compute, non_finite
from nn.training.samples import Samples


class AfterEpoch(NamedTuple):
    """What is done after each epoch of a training; ``held_out`` are samples that it is validated on, if there are any.

    ``compile`` tells whether the model may be replayed to predict.
    """

    training: Training
    loss: LossFunction
    samples: Samples
    held_out: Samples | None
    metrics: Mapping[str, Metric]
    callbacks: Sequence[Callback]
    compile: bool

    def __call__(self, epoch: Epoch) -> None:
        training, history = self.training, self.training.history
        if self.held_out is not None:
            history.validation_losses.append(self._loss_of(self.held_out, epoch))
        self._measure(self.samples, history.metrics)
        if self.held_out is not None:
            self._measure(self.held_out, history.validation_metrics)
        if epoch.penalties:
            history.penalties.append(math.fsum(epoch.penalties) / len(epoch.penalties))
        history.learning_rates.append(training.optimizer.learning_rate)
        history.seconds.append(time.perf_counter() - epoch.began)
        history.losses.append(epoch.total_loss / len(self.samples.rows))  # last: Ctrl-C may leave others longer
        training.epoch = epoch.number
        for callback in self.callbacks:
            callback(training)

    def _measure(self, samples: Samples, results: dict[str, list[float]]) -> None:
        if self.metrics:
            outputs = predictions(self.training.model, samples.rows, compile=self.compile)
            for name, metric in self.metrics.items():
                results.setdefault(name, []).append(float(metric(outputs, samples.targets)))

    def _loss_of(self, samples: Samples, epoch: Epoch) -> float:
        """The mean loss over samples, without a graph unless the loss is the user's own."""
        model, known, total = self.training.model, loss_name(self.loss), 0.0
        outputs = predictions(model, samples.rows, compile=self.compile)
        for i, (output, target) in enumerate(zip(outputs, samples.targets, strict=True)):
            try:
                found: Any = self.loss(output if known else _as_values(output), target)
            except (DomainError, OverflowError) as error:
                raise cannot_compute(model, error, epoch.place(i, "validation X")) from error
            number: float = found.data if isinstance(found, Value) else found
            if not math.isfinite(number):
                raise non_finite(model, f"is {number!r}", epoch.place(i, "validation X"), loss=found)
            total += number
        return total / len(samples.rows)


def _as_values(output: Any) -> Any:
    """What a loss of the user's own is given, which may take Values only."""
    return [Value(number) for number in output] if isinstance(output, list) else Value(output)
