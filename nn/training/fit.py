"""``fit``: the training loop, with what can go wrong in it said early.

One step is: gradients to zero, one backward pass per sample with the seed 1/m, one ``optimizer.step()``. The gradients
of a sample are added to those before it, so the step is that of the mean over the batch, and the graph of one sample at
a time is all that is ever in memory.
"""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from autograd import DomainError, Value
from nn.cost import LossFunction, find_loss, loss_name
from nn.metrics import Metric, metrics_for
from nn.module import Module
from nn.optimizers import Optimizer
from nn.passes import predictions
from nn.randomness import permutation, seeded
from nn.schedules import Schedule
from nn.targets import TARGETS, positive_int, rows_of_numbers, targets_for, within
from nn.training.callbacks import BestWeights, Callback, Training, early_stopping, rate_in
from nn.training.clipping import clip_grad_norm, clip_grad_value
from nn.training.failures import NonFiniteLoss, NothingMoved, Place, cannot_compute, first_bad_parameter, non_finite
from nn.training.history import History
from nn.training.penalties import Penalty
from nn.training.replay import Replay

__all__ = ["History", "NonFiniteLoss", "NothingMoved", "Report", "fit", "shows_a_bar"]

#: What ``fit`` calls after each epoch with its number, from 1, and the mean loss.
Report = Callable[[int, float], None]


def fit(
    model: Module,
    X: Any,
    y: Any,
    *,
    loss: str | LossFunction,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    validation: tuple[Any, Any] | None = None,
    metrics: Sequence[str | Metric] = (),
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    progress: bool | Report = True,
    schedule: Schedule | None = None,
    penalty: Penalty | None = None,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    patience: int | None = None,
    keep_best: bool = False,
    compile: bool = True,
) -> History:
    """Train a model on samples in place; what happened, epoch by epoch, is returned.

    Gradients are set to zero before every step and after the last, so nothing accumulates over steps or calls. The
    optimizer keeps its running means, so a second call goes on where the first ended. Ctrl-C ends the training early
    and returns the history so far; the model keeps the weights it has at that moment.

    >>> from nn.networks import MLP
    >>> from nn.optimizers import SGD
    >>> model = MLP(1, [1])
    >>> optimizer = SGD(model.parameters(), learning_rate=0.3)
    >>> history = fit(model, [[-1.0], [0.0], [1.0]], [-1.0, 1.0, 3.0], loss="mse", optimizer=optimizer, epochs=50)
    >>> [round(p.data, 6) for p in model.parameters()], history.epochs
    ([2.0, 1.0], 50)

    Args:
        model: called with a list of floats, it returns a Value or a list of them.
        X: m samples, each a list of numbers; lists, tuples, a NumPy array or a pandas frame.
        y: one target per sample, as the loss wants it; the same, or a pandas series.
        loss: a name (see ``nn.LOSSES``), or a function of (what the model returns, target).
        optimizer: built over parameters of this model, all or some.
        batch_size: samples per step, drawn anew in every epoch; None for all of them, in the order given.
        validation: samples and targets (X, y) that are not trained on; their mean loss is taken after every epoch.
        metrics: "accuracy", "r2", names of losses, or functions of (predictions, targets); taken after every epoch over
            the samples, and over those of validation.
        seed: decides the batches.
        callbacks: functions of a ``nn.Training``, called after every epoch; its ``stop(why)`` ends the training.
        progress: True for tqdm's bar where a person looks (a terminal or a notebook) and tqdm is installed, and nothing
            elsewhere; False for nothing; or a function that is called with epoch and mean loss after every epoch.
        schedule: such as ``nn.schedules.Cosine(epochs)``: the learning rate of each epoch. The optimizer's own comes
            back at the end.
        penalty: such as ``nn.L2(0.001)``: a function of the model, added to the cost once per step.
        clip_value: the largest magnitude of a gradient.
        clip_norm: the largest norm of all gradients together, taken after ``clip_value``.
        patience: end after so many epochs in a row without a better loss, of validation where there is one.
        keep_best: put back the weights after the epoch with the best such loss, at the end and after Ctrl-C. Without
            validation the loss of an epoch is the mean over its steps, so take it with a validation.
        compile: whether the loss may be recorded once and replayed over batches (``autograd.compile``), where NumPy is
            installed, and the model for validation and metrics. A loss that cannot be recorded is run sample by sample;
            the numbers differ by rounding alone.

    Raises:
        ValueError, TypeError: X, y or an option is not what it should be, or the optimizer is over other parameters.
        NonFiniteLoss: a loss or a parameter became infinite or nan, or an operation left its domain.
        NothingMoved: the first epoch changed no parameter, although there were gradients.
    """
    function = find_loss(loss)
    epochs = positive_int("epochs", epochs)
    chance = seeded(seed)
    name = loss_name(function)
    rows, targets = _samples(model, X, y, name)
    held_out = None if validation is None else _held_out(model, validation, name)
    measures = metrics_for(metrics, name)
    size = len(rows) if batch_size is None else min(positive_int("batch_size", batch_size), len(rows))
    moved = _parameters_to_move(model, optimizer)
    _check_options(optimizer, callbacks, schedule, penalty)
    for option, bound in (("clip_value", clip_value), ("clip_norm", clip_norm)):
        if bound is not None:
            within(option, bound, 0.0, open_below=True)
    best = BestWeights()
    after_epoch: list[Callback] = [best] if keep_best else []
    if patience is not None:
        after_epoch.append(early_stopping(patience))
    began = {parameter: parameter.data for parameter in moved}
    parameters = model.parameters()
    history = History()
    training = Training(model, optimizer, history)
    replay = Replay(model, function, rows, targets, epochs=epochs) if compile else None
    place, rate = (0, 0), optimizer.learning_rate
    try:
        with _reporting(progress, epochs) as report:
            for epoch in range(1, epochs + 1):
                start, total, added, pushed = time.perf_counter(), 0.0, [], False
                optimizer.learning_rate = rate_in(epoch, schedule, rate, history.watched)
                order = list(range(len(rows))) if size == len(rows) else permutation(len(rows), chance)
                for step, first in enumerate(range(0, len(rows), size), start=1):
                    place = (epoch, step)
                    for parameter in parameters:
                        parameter.grad = 0.0
                    batch = order[first : first + size]
                    replayed = None if replay is None else replay.add_gradients(batch)
                    if replayed is not None:
                        total += replayed * len(batch)
                    else:
                        weight = 1.0 / len(batch)
                        for i in batch:
                            total += _backward(model, function, rows[i], targets[i], weight, (*place, i))
                    if penalty is not None:
                        added.append(_backward_of_penalty(model, penalty, place))
                    if clip_value is not None:
                        clip_grad_value(moved, clip_value)
                    if clip_norm is not None:
                        clip_grad_norm(moved, clip_norm)
                    pushed = pushed or (epoch == 1 and any(parameter.grad != 0.0 for parameter in moved))
                    optimizer.step()
                if pushed and all(parameter.data == number for parameter, number in began.items()):
                    raise NothingMoved
                if held_out is not None:
                    loss_there = _mean_loss(model, function, name, *held_out, place, compile=compile)
                    history.validation_losses.append(loss_there)
                for parts, results in (((rows, targets), history.metrics), (held_out, history.validation_metrics)):
                    if parts is not None and measures:
                        outputs = predictions(model, parts[0], compile=compile)
                        for called, measure in measures.items():
                            results.setdefault(called, []).append(float(measure(outputs, parts[1])))
                if added:
                    history.penalties.append(math.fsum(added) / len(added))
                history.learning_rates.append(optimizer.learning_rate)
                history.seconds.append(time.perf_counter() - start)
                history.losses.append(total / len(rows))
                training.epoch = epoch
                for callback in (*after_epoch, *callbacks):
                    callback(training)
                report(epoch, history.losses[-1])
                if training.stopping:
                    break
        if first_bad_parameter(model) is not None:
            raise non_finite(model, "cannot be computed any more", (*place, None))
    except KeyboardInterrupt:
        history.interrupted = True
        history.drop_unfinished()
    finally:
        model.zero_grad()
        optimizer.learning_rate = rate
    best.restore(model)
    history.never_moved = tuple(path for parameter, path in moved.items() if parameter.data == began[parameter])
    if len(history.never_moved) == len(moved) and any(history.losses) and not keep_best:
        warnings.warn("no parameter moved: no gradient reaches any of them", stacklevel=2)
    return history


def _samples(model: Module, X: Any, y: Any, loss: str) -> tuple[list[list[float]], list[Any]]:
    """The samples and targets, checked against what model and loss take."""
    rows = rows_of_numbers(X, getattr(model, "nin", None))
    return rows, targets_for(y, len(rows), getattr(model, "nout", None), TARGETS.get(loss))


def _held_out(model: Module, validation: Any, loss: str) -> tuple[list[list[float]], list[Any]]:
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise TypeError(f"validation must be a pair of samples and targets, (X, y); it is {validation!r:.60}")
    try:
        return _samples(model, validation[0], validation[1], loss)
    except (ValueError, TypeError) as error:
        raise type(error)(f"validation: {error}") from None


def _mean_loss(
    model: Module,
    loss: LossFunction,
    name: str,
    rows: list[list[float]],
    targets: list[Any],
    place: tuple[int, int],
    *,
    compile: bool,
) -> float:
    """The mean loss over samples, without a graph unless the loss is the user's own."""
    total = 0.0
    for i, (output, target) in enumerate(zip(predictions(model, rows, compile=compile), targets, strict=True)):
        try:
            found: Any = loss(output if name else _as_values(output), target)
        except (DomainError, OverflowError) as error:
            raise cannot_compute(model, error, (*place, i), "validation X") from error
        number: float = found.data if isinstance(found, Value) else found
        if not math.isfinite(number):
            raise non_finite(model, f"is {number!r}", (*place, i), "validation X", loss=found)
        total += number
    return total / len(rows)


def _as_values(output: Any) -> Any:
    return [Value(number) for number in output] if isinstance(output, list) else Value(output)


def _check_options(optimizer: Any, callbacks: Any, schedule: Any, penalty: Any) -> None:
    """Refuse before the first step what would fail in the midst of training."""
    if not hasattr(optimizer, "learning_rate"):
        raise TypeError(f"the optimizer {optimizer!r} has no learning_rate, which schedules and histories read")
    if isinstance(callbacks, str) or not hasattr(callbacks, "__iter__") or not all(map(callable, callbacks)):
        raise TypeError(f"callbacks is a list of functions, not {callbacks!r}")
    if schedule is not None and not hasattr(schedule, "factor"):
        raise TypeError(f"schedule is one of nn.schedules, such as Cosine(epochs), not {schedule!r}")
    if penalty is not None and not callable(penalty):
        raise TypeError(f"penalty is a function of the model, such as nn.L2(0.001), not {penalty!r}")


def _backward_of_penalty(model: Module, penalty: Penalty, place: tuple[int, int]) -> float:
    """The penalty, its gradients being added to those of the parameters."""
    output = penalty(model)
    if isinstance(output, int | float) and output == 0:  # a model without weights
        return 0.0
    if not isinstance(output, Value):
        raise TypeError(f"the penalty is {output!r}, not one Value; compute it from the model's parameters")
    if not math.isfinite(output.data):
        raise non_finite(model, f"has the penalty {output.data!r}", (*place, None), loss=output)
    output.backward()
    return output.data


def _backward(model: Module, loss: LossFunction, row: list[float], target: Any, weight: float, place: Place) -> float:
    """The loss of one sample, its gradients times the weight being added to those of the parameters."""
    try:
        output = loss(model(row), target)
        if not isinstance(output, Value):
            raise TypeError(
                f"the loss of X[{place[2]}] is {output!r}, not one Value; compute a number from the model's output"
            )
        number = output.data
        if math.isfinite(number):
            output.backward(weight)
            return number
    except (DomainError, OverflowError) as error:
        raise cannot_compute(model, error, place) from error
    raise non_finite(model, f"is {number!r}", place, loss=output)


def shows_a_bar() -> bool:
    """Whether ``fit`` would draw tqdm's bar: tqdm is installed, and stderr is a terminal or part of a notebook."""
    return _bar(0) is not None


def _parameters_to_move(model: Module, optimizer: Optimizer) -> dict[Value, str]:
    """The parameters that the optimizer moves, with their paths in the model."""
    paths = {parameter: path for path, parameter in model.named_parameters()}
    if not paths:
        raise ValueError(f"{model!r} has no parameters to train")
    held = getattr(optimizer, "parameters", None)
    if not isinstance(held, list) or not hasattr(optimizer, "step"):
        raise TypeError(f"optimizer must be one such as SGD(model.parameters(), learning_rate=0.1), not {optimizer!r}")
    foreign = [parameter for parameter in held if parameter not in paths]
    if foreign:
        which = "none of its parameters is" if len(foreign) == len(held) else f"{foreign[0]!r} is not"
        raise ValueError(
            f"the optimizer was built over other parameters than the model's: {which} in the model. "
            "Build it over model.parameters(), after the model"
        )
    return {parameter: paths[parameter] for parameter in held}


@contextmanager
def _reporting(progress: bool | Report, epochs: int) -> Iterator[Report]:
    """What to call after each epoch."""
    if callable(progress):
        yield progress
        return
    bar = _bar(epochs) if progress else None
    if bar is None:
        yield lambda epoch, loss: None
        return

    def advance(epoch: int, loss: float) -> None:
        bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
        bar.update()

    with bar:
        yield advance


def _bar(epochs: int) -> Any:
    """tqdm's bar, or None where nobody looks or tqdm is missing."""
    if not (_is_terminal(sys.stderr) or _in_notebook()):
        return None
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        return None
    return tqdm(total=epochs, unit="epoch", disable=epochs == 0)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # none at all, or closed
        return False


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and hasattr(shell, "kernel")
