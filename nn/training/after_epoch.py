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
from nn.training.steps import Steps


class AfterEpoch(NamedTuple):
    """What is done after each epoch of a training; ``held_out`` are samples that it is validated on, if there are any.

    ``compile`` tells whether the model may be replayed to predict. ``between`` are callbacks that go with the entry:
    nothing interrupts them. Before anybody looks at the Values, ``steps`` writes them.
    """

    training: Training
    loss: LossFunction
    samples: Samples
    held_out: Samples | None
    metrics: Mapping[str, Metric]
    between: Sequence[Callback]
    callbacks: Sequence[Callback]
    compile: bool
    steps: Steps
    #: The samples of the validation as arrays, if they can be.
    held_out_arrays: Any = None

    def __call__(self, epoch: Epoch) -> None:
        training, history = self.training, self.training.history
        validation_loss, measured, measured_outside = None, dict[str, float](), dict[str, float]()
        arrays, signals = self.steps.arrays, self.steps.signals
        if self.held_out_arrays is not None and arrays is not None and arrays.works:
            validation_loss = arrays.mean_loss(self.held_out_arrays, signals)
        if self.metrics or (self.held_out is not None and validation_loss is None):
            self.steps.write()
            with signals.allowed():
                if self.held_out is not None and validation_loss is None:
                    validation_loss = self._loss_of(self.held_out, epoch)
                measured = self._measured(self.samples)
                measured_outside = {} if self.held_out is None else self._measured(self.held_out)
        if validation_loss is not None:
            history.validation_losses.append(validation_loss)
        for found, results in ((measured, history.metrics), (measured_outside, history.validation_metrics)):
            for name, number in found.items():
                results.setdefault(name, []).append(number)
        if epoch.penalties:
            history.penalties.append(math.fsum(epoch.penalties) / len(epoch.penalties))
        history.learning_rates.append(training.optimizer.learning_rate)
        history.seconds.append(time.perf_counter() - epoch.began)
        history.losses.append(epoch.total_loss / len(self.samples.rows))  # last: an error may leave others longer
        training.epoch = epoch.number
        if self.between or self.callbacks:
            self.steps.write()
        for callback in self.between:
            callback(training)
        if self.callbacks:
            with signals.allowed():
                for callback in self.callbacks:
                    callback(training)

    def _measured(self, samples: Samples) -> dict[str, float]:
        if not self.metrics:
            return {}
        outputs = predictions(self.training.model, samples.rows, compile=self.compile)
        return {name: float(metric(outputs, samples.targets)) for name, metric in self.metrics.items()}

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
                raise non_finite(model, f"is {number!r:.200}", epoch.place(i, "validation X"), loss=found)
            total += number
        return total / len(samples.rows)


def _as_values(output: Any) -> Any:
    """What a loss of the user's own is given, which may take Values only."""
    return [Value(number) for number in output] if isinstance(output, list) else Value(output)
