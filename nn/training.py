"""`fit`: the training loop, with what can go wrong in it said early.

One step is: gradients to zero, one backward pass per sample with the seed 1/m, one `optimizer.step()`. The gradients of
a sample are added to those before it, so the step is that of the mean over the batch, and the graph of one sample at a
time is all that is ever in memory.
"""

import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from autograd import DomainError, Value
from nn.cost import LOSSES, LossFunction, find_loss
from nn.module import Module
from nn.optimizers import Optimizer
from nn.randomness import permutation, seeded
from nn.samples import TARGETS, positive_int, rows_of_numbers, targets_for

#: What `fit` calls after each epoch with its number, from 1, and the mean loss.
Report = Callable[[int, float], None]


@dataclass(slots=True)
class History:
    """What happened in `fit`, epoch by epoch.

    `losses[i]` is the mean of the samples' losses during epoch i, each taken before the step it led to; `seconds[i]` is
    how long the epoch took. `interrupted` tells that Ctrl-C ended the training. `never_moved` names the parameters that
    the optimizer holds and that ended as they began: of dead units, say, or of an input that is always zero.
    """

    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    interrupted: bool = False
    never_moved: tuple[str, ...] = ()

    @property
    def epochs(self) -> int:
        """How many epochs were finished."""
        return len(self.losses)

    def __repr__(self) -> str:
        parts = [f"{self.epochs} epoch{'' if self.epochs == 1 else 's'}"]
        if self.losses:
            parts += [f"loss {self.losses[0]:.4g} → {self.losses[-1]:.4g}", f"{sum(self.seconds):.2g} s"]
        if self.never_moved:
            parts.append(f"{len(self.never_moved)} parameters never moved")
        return f"History({', '.join([*parts, *(['interrupted'] if self.interrupted else [])])})"


class NonFiniteLoss(ArithmeticError):
    """Training met a loss, or a parameter, that is not a finite number.

    `epoch` and `step` (within the epoch) count from 1; `sample` is the index into X, None after the last step;
    `parameter` is the path of the first parameter that is not finite, or None if all are. Where an operation raised,
    that error is the `__cause__`.
    """

    def __init__(self, message: str, *, epoch: int, step: int, sample: int | None, parameter: str | None) -> None:
        super().__init__(message)
        self.epoch, self.step, self.sample, self.parameter = epoch, step, sample, parameter


class NothingMoved(RuntimeError):
    """A whole epoch with gradients other than zero left every parameter as it was."""


def fit(
    model: Module,
    X: Sequence[Sequence[float]],
    y: Sequence[Any],
    *,
    loss: str | LossFunction,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int | None = None,
    seed: int = 0,
    progress: bool | Report = True,
) -> History:
    """Train a model on samples in place; what happened, epoch by epoch, is returned.

    Gradients are set to zero before every step and after the last, so nothing accumulates over steps or calls. The
    optimizer keeps its running means, so a second call goes on where the first ended. Ctrl-C ends the training early
    and returns the history so far; the model keeps the weights it has at that moment.

    >>> from nn.layers import MLP
    >>> from nn.optimizers import SGD
    >>> model = MLP(1, [1])
    >>> optimizer = SGD(model.parameters(), learning_rate=0.3)
    >>> history = fit(model, [[-1.0], [0.0], [1.0]], [-1.0, 1.0, 3.0], loss="mse", optimizer=optimizer, epochs=50)
    >>> [round(p.data, 6) for p in model.parameters()], history.epochs
    ([2.0, 1.0], 50)

    Args:
        model: called with a list of floats, it returns a Value or a list of them.
        X: m samples, each a list of numbers; lists, tuples or NumPy arrays.
        y: one target per sample, as the loss wants it.
        loss: "mse", "hinge", "bce_with_logits", "cross_entropy", or a function of (what the model returns, target).
        optimizer: built over parameters of this model, all or some.
        batch_size: samples per step, drawn anew in every epoch; None for all of them, in the order given.
        seed: decides the batches.
        progress: True for tqdm's bar where a person looks (a terminal or a notebook) and tqdm is installed, and nothing
            elsewhere; False for nothing; or a function that is called with epoch and mean loss after every epoch.

    Raises:
        ValueError, TypeError: X, y or an option is not what it should be, or the optimizer is over other parameters.
        NonFiniteLoss: a loss or a parameter became infinite or nan, or an operation left its domain.
        NothingMoved: the first epoch changed no parameter, although there were gradients.
    """
    function = find_loss(loss)
    epochs = positive_int("epochs", epochs)
    chance = seeded(seed)
    outputs = getattr(model, "nout", None)
    rows = rows_of_numbers(X, getattr(model, "nin", None))
    name = next((known for known, other in LOSSES.items() if other is function), "")
    targets = targets_for(y, len(rows), outputs, TARGETS.get(name))
    size = len(rows) if batch_size is None else min(positive_int("batch_size", batch_size), len(rows))
    moved = _parameters_to_move(model, optimizer)
    began = {parameter: parameter.data for parameter in moved}
    parameters = model.parameters()
    history = History()
    place = (0, 0)
    try:
        with _reporting(progress, epochs) as report:
            for epoch in range(1, epochs + 1):
                start, total, pushed = time.perf_counter(), 0.0, False
                order = list(range(len(rows))) if size == len(rows) else permutation(len(rows), chance)
                for step, first in enumerate(range(0, len(rows), size), start=1):
                    place = (epoch, step)
                    for parameter in parameters:
                        parameter.grad = 0.0
                    batch = order[first : first + size]
                    weight = 1.0 / len(batch)
                    for i in batch:
                        total += _backward(model, function, rows[i], targets[i], weight, (*place, i))
                    pushed = pushed or (epoch == 1 and any(parameter.grad != 0.0 for parameter in moved))
                    optimizer.step()
                history.losses.append(total / len(rows))
                history.seconds.append(time.perf_counter() - start)
                if pushed and all(parameter.data == number for parameter, number in began.items()):
                    raise NothingMoved(_NOTHING_MOVED)
                report(epoch, history.losses[-1])
        if _first_bad_parameter(model) is not None:
            raise _non_finite(model, "cannot be computed any more", (*place, None))
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        model.zero_grad()
    history.never_moved = tuple(path for parameter, path in moved.items() if parameter.data == began[parameter])
    if len(history.never_moved) == len(moved) and any(history.losses):
        warnings.warn("no parameter moved: no gradient reaches any of them", stacklevel=2)
    return history


_NOTHING_MOVED = (
    "an epoch with gradients other than zero moved no parameter: the learning rate is too small for a float, or step() "
    "rebinds a name (p -= rate * p.grad) where it should write p.data"
)

#: Epoch, step and sample; no sample after the last step.
_Place = tuple[int, int, int | None]


def _backward(
    model: Module, loss: LossFunction, row: list[float], target: Any, weight: float, place: _Place
) -> float:
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
        raise _non_finite(model, f"failed: {str(error).rstrip('.')}", place) from error
    raise _non_finite(model, f"is {number!r}", place)


def shows_a_bar() -> bool:
    """Whether `fit` would draw tqdm's bar: tqdm is installed, and stderr is a terminal or part of a notebook."""
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


def _first_bad_parameter(model: Module) -> tuple[str, Value] | None:
    return next(((path, p) for path, p in model.named_parameters() if not math.isfinite(p.data)), None)


def _non_finite(model: Module, what: str, place: _Place) -> NonFiniteLoss:
    epoch, step, sample = place
    bad = _first_bad_parameter(model)
    if bad is not None:
        path, p = bad
        label = f" ({p.label})" if p.label else ""
        parameters = f"the first parameter that is not finite is {path}{label} = {p.data!r}"
    else:
        path, p = max(model.named_parameters(), key=lambda named: abs(named[1].data))
        parameters = f"all parameters are finite, the largest being {path} = {p.data:.4g}"
    which = "the loss" if sample is None else f"the loss of X[{sample}]"
    return NonFiniteLoss(
        f"epoch {epoch}, step {step}: {which} {what}; {parameters}. Lower the learning rate, or standardise the inputs",
        epoch=epoch,
        step=step,
        sample=sample,
        parameter=None if bad is None else bad[0],
    )


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
