"""``Steps``: an epoch gone through step by step, a batch of samples moving the parameters at each.

One step is: gradients to zero, one backward pass per sample with the seed 1/m, one ``optimizer.step()``. The gradients
of a sample are added to those before it, so the step is that of the mean over the batch, and the graph of one sample at
a time is all that is ever in memory. Where the loss is recorded, a replay of the batch stands for its backward passes;
and where the optimizer has a rule, whole steps are done on arrays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from autograd import DomainError, Value, collector_at_rest
from nn.cost import LossFunction
from nn.interrupts import uninterrupted
from nn.module import Module
from nn.optimizers import Optimizer
from nn.training.clipping import clip_grad_norm, clip_grad_value
from nn.training.epochs import Epoch
from nn.training.failures import cannot_compute, non_finite
from nn.training.on_arrays import OnArrays
from nn.training.penalties import Penalty
from nn.training.recorded_loss import RecordedLoss
from nn.training.samples import Samples


class Steps(NamedTuple):
    """What a step needs: model and loss, the samples and how many make a batch, and what moves which parameters, each
    with its path."""

    model: Module
    loss: LossFunction
    samples: Samples
    batch_size: int
    optimizer: Optimizer
    parameters: Sequence[Value]
    moved: Mapping[Value, str]
    #: The context in which signals wait; they do not while anything of the user's runs.
    signals: uninterrupted
    arrays: OnArrays | None = None
    samples_as_arrays: Any = None
    recorded: RecordedLoss | None = None
    penalty: Penalty | None = None
    clip_value: float | None = None
    clip_norm: float | None = None

    def run(self, epoch: Epoch, order: Sequence[int]) -> None:
        """Go through the samples in this order."""
        at, size = 0, self.batch_size
        while at < len(order):
            if self.arrays is not None and self.arrays.works:
                drawn = None if isinstance(order, range) else order
                at = self.arrays.run(epoch, self.samples_as_arrays, drawn, at, size, self.signals)
            if self.signals.pending:
                with self.signals.allowed():  # the Values are written, so its handler may see them
                    continue
            if at < len(order):
                with self.signals.allowed():
                    epoch.steps += 1
                    self.step(epoch, [*map(int, order[at : at + size])])
                at += size

    def write(self) -> None:
        """Write into Values and optimizer what lies in arrays, before somebody can see them."""
        if self.arrays is not None:
            self.arrays.write(gradients=True)

    def end(self) -> None:
        """Do so for the last time."""
        if self.arrays is not None:
            self.arrays.end()

    def numbers(self) -> list[float]:
        """The numbers of all parameters, wherever they are."""
        return [p.data for p in self.parameters] if self.arrays is None else self.arrays.numbers()

    def step(self, epoch: Epoch, batch: Sequence[int]) -> None:
        """Move the parameters once, by the gradient of the mean loss over a batch, and of the penalty."""
        for parameter in self.parameters:
            parameter.grad = 0.0
        self._add_gradients(epoch, batch)
        if self.penalty is not None:
            epoch.penalties.append(self._backward_of_penalty(epoch, self.penalty))
        if self.clip_value is not None:
            clip_grad_value(self.moved, self.clip_value)
        if self.clip_norm is not None:
            clip_grad_norm(self.moved, self.clip_norm)
        if epoch.number == 1 and not epoch.pushed:
            epoch.pushed = any(parameter.grad != 0.0 for parameter in self.moved)
        with uninterrupted():  # an optimizer of the user's own too moves all parameters or none
            self.optimizer.step()

    def _add_gradients(self, epoch: Epoch, batch: Sequence[int]) -> None:
        """The gradient of the mean loss over the batch, added to those of the parameters."""
        replayed = None if self.recorded is None else self.recorded.add_gradients(batch)
        if replayed is not None:
            epoch.total_loss += replayed * len(batch)
            return
        weight = 1.0 / len(batch)
        with collector_at_rest():  # graphs hold no cycles
            for i in batch:
                epoch.total_loss += self._backward(epoch, i, weight)

    def _backward(self, epoch: Epoch, i: int, weight: float) -> float:
        """The loss of one sample, its gradients times the weight being added to those of the parameters."""
        try:
            output = self.loss(self.model(self.samples.rows[i]), self.samples.targets[i])
            if not isinstance(output, Value):
                raise TypeError(
                    f"the loss of X[{i}] is {output!r:.200}, not one Value; compute a number from the model's output"
                )
            number = output.data
            if math.isfinite(number):
                output.backward(weight)
                return number
        except (DomainError, OverflowError) as error:
            raise cannot_compute(self.model, error, epoch.place(i)) from error
        raise non_finite(self.model, f"is {number!r:.200}", epoch.place(i), loss=output)

    def _backward_of_penalty(self, epoch: Epoch, penalty: Penalty) -> float:
        """The penalty, its gradients being added to those of the parameters."""
        output = penalty(self.model)
        if isinstance(output, int | float) and output == 0:  # a model without weights
            return 0.0
        if not isinstance(output, Value):
            raise TypeError(f"the penalty is {output!r:.200}, not one Value; compute it from the model's parameters")
        if not math.isfinite(output.data):
            raise non_finite(self.model, f"has the penalty {output.data!r:.200}", epoch.place(), loss=output)
        output.backward()
        return output.data
