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
from nn.training.on_arrays import ROWS
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
    #: Whether metrics are taken without the Values: none is the user's own, and there are rows enough to record for.
    is_measured_in_arrays: bool = False

    def __call__(self, epoch: Epoch) -> None:
        training, history = self.training, self.training.history
        validation_loss, measured, measured_outside = None, dict[str, float](), dict[str, float]()
        arrays, signals = self.steps.arrays, self.steps.signals
        if self.held_out_arrays is not None and arrays is not None and arrays.works:
            validation_loss = arrays.mean_loss(self.held_out_arrays, signals)
        lacks_loss = self.held_out is not None and validation_loss is None
        outputs = self._outputs() if self.is_measured_in_arrays and not lacks_loss else None
        if outputs is not None and max(map(len, outputs)) <= ROWS:
            measured, measured_outside = self._measured(outputs)
        elif self.metrics or lacks_loss:
            self.steps.write()
            with signals.allowed():
                if self.held_out is not None and lacks_loss:
                    validation_loss = self._loss_of(self.held_out, epoch)
                if self.metrics:
                    measured, measured_outside = self._measured(outputs or self._predictions())
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
        for callback in self.between:
            callback(training)
        if self.callbacks:
            self.steps.write()
            with signals.allowed():
                for callback in self.callbacks:
                    callback(training)

    def _predictions(self) -> list[list[Any]]:
        """The outputs for the samples, and for those of validation, by the Values."""
        model, parts = self.training.model, [self.samples, *([] if self.held_out is None else [self.held_out])]
        return [predictions(model, part.rows, compile=self.compile) for part in parts]

    def _outputs(self) -> list[list[Any]] | None:
        """The same without the Values; ``None`` where that cannot serve."""
        arrays, model = self.steps.arrays, self.training.model
        own = getattr(type(model), "predict", None)
        if arrays is None or not arrays.works or (own is not None and own.__module__ != "nn.networks"):
            return None
        given = [self.steps.samples_as_arrays, *([] if self.held_out is None else [self.held_out_arrays])]
        found = []
        for part in given:
            outputs = None if part is None else arrays.outputs(part[0], self.steps.signals)
            if outputs is None:
                return None
            found.append(outputs)
        return found

    def _measured(self, outputs: list[list[Any]]) -> list[dict[str, float]]:
        """What the metrics find for the samples, and for those of validation, if there are any."""
        parts = [self.samples, *([] if self.held_out is None else [self.held_out])]
        found = [
            {name: float(metric(each, part.targets)) for name, metric in self.metrics.items()}
            for each, part in zip(outputs, parts, strict=True)
        ]
        return [*found, {}][:2]

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
