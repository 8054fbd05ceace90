"""``compiled_step``: the steps of a loop of one's own, on arrays and in native code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from threading import RLock
from typing import Any
from weakref import WeakSet

from nn.checks import listed, whole, within
from nn.cost import LossFunction, find_loss, loss_name
from nn.interrupts import uninterrupted
from nn.module import Module
from nn.optimizers import Optimizer
from nn.training.epochs import Epoch
from nn.training.moved import parameters_to_move
from nn.training.on_arrays import OnArrays, serves
from nn.training.penalties import Penalty
from nn.training.samples import TARGETS, samples_for, targets_for
from nn.training.steps import Steps


class CompiledStep:
    """Steps of a training; made by ``compiled_step``."""

    def __init__(
        self, model: Module, loss: LossFunction, optimizer: Optimizer, batch_size: int | None, threads: int, bounds: Any
    ) -> None:
        self._model, self._loss, self._optimizer = model, loss, optimizer
        self._moved, self._leaves = parameters_to_move(model, optimizer)
        self._batch_size, self._bounds = batch_size, bounds
        self._arrays = OnArrays(model, loss, optimizer, self._leaves, threads=threads, **bounds)
        if self._arrays.error is not None:
            raise self._arrays.error
        self._epochs = 0
        self._known_targets = b""
        self._lock = RLock()
        _MADE.add(self)

    def __call__(self, X: Any, y: Any) -> float:
        """The mean loss of the samples before the step that they make, all of them together."""
        return self._go_through(X, y, None, None)

    def epoch(self, X: Any, y: Any, order: Sequence[int] | None = None) -> float:
        """The mean loss of the samples in an epoch, each before the step of its batch.

        Args:
            order: the indices of the samples in the order in which they make batches, such as a permutation; that of
                the arrays unless told.
        """
        return self._go_through(X, y, order, self._batch_size)

    def _go_through(self, X: Any, y: Any, order: Any, size: int | None) -> float:
        with uninterrupted() as signals, self._lock:
            return self._run(X, y, order, size, signals)

    def _run(self, X: Any, y: Any, order: Any, size: int | None, signals: uninterrupted) -> float:
        arrays, samples = self._arrays, None
        arrays.works, arrays.error = True, None
        self._epochs += 1
        epoch = Epoch(self._epochs)
        given = arrays.arrays(X, y)
        self._raise_if_failed()
        self._check(y, *given)
        count, at = len(given[0] if order is None else order), 0
        if not count:
            raise ValueError("the mean over no samples is not defined; X or the order is empty")
        try:
            while at < count:
                at = arrays.run(epoch, given, order, at, size or count, signals)
                self._raise_if_failed()
                if signals.pending:
                    with signals.allowed():  # the Values are written, so its handler may see them
                        continue
                if at == count:
                    break
                with signals.allowed():  # a number was not finite: a step upon the Values says where
                    if samples is None:
                        samples = samples_for(self._model, X, y, loss_name(self._loss))
                    steps = Steps(
                        self._model, self._loss, samples, size or count, self._optimizer, self._leaves,
                        self._moved, signals, **self._bounds,
                    )  # fmt: skip
                    epoch.steps += 1
                    batch = range(count)[at : at + (size or count)]
                    steps.step(epoch, batch if order is None else [int(order[i]) for i in batch])
                    at += len(batch)
        finally:
            arrays.write()
        return epoch.total_loss / count

    def _check(self, given: Any, X: Any, y: Any) -> None:
        """Refuse samples that are none of this model, and targets that are none of this loss, which arrays do not tell.

        Args:
            given: the targets as they were given.
        """
        inputs = getattr(self._model, "nin", None)
        if X.ndim != 2 or (inputs is not None and X.shape[1] != inputs):
            raise ValueError(f"X is an array of samples, (N, {inputs or 'k'}); its shape is {X.shape}")
        targets = len(y) if y.ndim else 1
        if targets != len(X) or not y.ndim:
            raise ValueError(f"X has {len(X)} samples, but y has {targets} targets; give one target per sample")
        numbers = y.tobytes()
        if numbers != self._known_targets:
            outputs, check = getattr(self._model, "nout", None), TARGETS.get(loss_name(self._loss))
            if check is not None:
                try:
                    for target in {*listed(given)}:
                        check(target, outputs)
                except (ValueError, TypeError):  # it is told with its place; or targets are lists
                    targets_for(given, len(X), outputs, check)
            self._known_targets = numbers

    def _raise_if_failed(self) -> None:
        if self._arrays.error is not None:
            raise self._arrays.error


def compiled_step(
    model: Module,
    loss: str | LossFunction,
    optimizer: Optimizer,
    *,
    batch_size: int | None = None,
    penalty: Penalty | None = None,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    threads: int = 1,
) -> CompiledStep:
    """The step of a training, recorded at its first call and run as native code from then on, for loops of one's own.

    ``step(X, y)`` takes one step by the mean over the samples, ``step.epoch(X, y, order)`` one for each batch, which is
    a single native call. Both return the mean loss and leave parameters and optimizer as the eager loop would.

    >>> import numpy as np
    >>> from nn.networks import MLP
    >>> from nn.optimizers import SGD
    >>> model = MLP(1, [1])
    >>> step = compiled_step(model, "mse", SGD(model.parameters(), learning_rate=0.3), batch_size=2)
    >>> X, y = np.array([[-1.0], [0.0], [1.0]]), np.array([-1.0, 1.0, 3.0])
    >>> losses = [step.epoch(X, y, np.random.default_rng(i).permutation(3)) for i in range(100)]
    >>> losses[-1] < 1e-6, [round(p.data, 3) for p in model.parameters()]
    (True, [2.0, 1.0])

    Args:
        loss, penalty, clip_value, clip_norm: as for ``fit``.
        optimizer: one that has a rule, built over parameters of this model; its learning rate and settings may change
            from call to call.
        batch_size: samples per step of an epoch; all of them unless told.
        threads: how many share a batch of more than 1,024 samples; results do not depend on it.

    Raises:
        ModuleNotFoundError: NumPy is not installed.
        TypeError, ValueError: the optimizer has a ``step`` of its own; an option is not what it should be; X or y hold
            no numbers.
        RecordingError, GuardError: in a call: the model cannot be recorded, or samples decide a comparison differently.
        NonFiniteLoss: in a call: a loss or a gradient is not finite; parameters are as before this step.
    """
    if not isinstance(optimizer, Optimizer) or not serves(optimizer):
        raise TypeError(f"compiled_step takes an optimizer that is its rule, not {optimizer!r:.200}; fit takes any")
    for option, bound in (("clip_value", clip_value), ("clip_norm", clip_norm)):
        if bound is not None:
            within(option, bound, 0.0, open_below=True)
    size = None if batch_size is None else whole("batch_size", batch_size)
    bounds = {"penalty": penalty, "clip_value": clip_value, "clip_norm": clip_norm}
    return CompiledStep(model, find_loss(loss), optimizer, size, whole("threads", threads), bounds)


_MADE: WeakSet[CompiledStep] = WeakSet()


def _in_a_forked_process() -> None:
    """A step that another thread was amid of, nobody ends there."""
    for step in _MADE:
        if step._lock.acquire(blocking=False):  # it is free, or this thread's
            step._lock.release()
        else:
            step._lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_forked_process)
