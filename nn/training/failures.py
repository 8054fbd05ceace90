"""How a training fails: ``NonFiniteLoss`` and ``NothingMoved``, and how they say where it was and what to do."""

from __future__ import annotations

import math
from typing import NamedTuple

from autograd import Value, find_nonfinite
from nn.module import Module


class Place(NamedTuple):
    """Where a training failed: epoch and step, from 1, and the index of the sample, if it was one, in what it is of."""

    epoch: int
    step: int
    sample: int | None = None
    of: str = "X"


class NonFiniteLoss(ArithmeticError):
    """Training met a loss, or a parameter, that is not a finite number.

    ``epoch`` and ``step`` (within the epoch) count from 1; ``sample`` is the index into X, None after the last step;
    ``parameter`` is the path of the first parameter that is not finite, or None if all are. Where an operation raised,
    that error is the ``__cause__``.
    """

    def __init__(self, message: str, *, epoch: int, step: int, sample: int | None, parameter: str | None) -> None:
        super().__init__(message)
        self.epoch, self.step, self.sample, self.parameter = epoch, step, sample, parameter


class NothingMoved(RuntimeError):
    """A whole epoch with gradients other than zero left every parameter as it was."""

    def __init__(self) -> None:
        super().__init__(
            "an epoch with gradients other than zero moved no parameter: the learning rate is too small for a float, "
            "or step() rebinds a name (p -= rate * p.grad) where it should write p.data"
        )


def first_bad_parameter(model: Module) -> tuple[str, Value] | None:
    """The first parameter that is not finite, with its path."""
    return next(((path, p) for path, p in model.named_parameters() if not math.isfinite(p.data)), None)


def cannot_compute(model: Module, error: Exception, place: Place) -> NonFiniteLoss:
    """The error for a loss whose computation failed."""
    message, _, origin = str(error).partition("\n")
    return non_finite(model, f"failed: {message.rstrip('.')}", place, origin=origin)


def non_finite(model: Module, what: str, place: Place, *, loss: object = None, origin: str = "") -> NonFiniteLoss:
    """The error for a loss of which ``what`` is said, at a place of the training.

    Given the loss as a Value, or in words the origin of what failed, a last line says where it began.
    """
    epoch, step, sample, of = place
    if isinstance(loss, Value):
        origin = str(find_nonfinite(loss).births[0])
    bad = first_bad_parameter(model)
    if bad is not None:
        path, p = bad
        label = f" ({p.label})" if p.label else ""
        parameters = f"the first parameter that is not finite is {path}{label} = {p.data!r}"
    else:
        path, p = max(model.named_parameters(), key=lambda named: abs(named[1].data))
        parameters = f"all parameters are finite, the largest being {path} = {p.data:.4g}"
    which = "the loss" if sample is None else f"the loss of {of}[{sample}]"
    return NonFiniteLoss(
        f"epoch {epoch}, step {step}: {which} {what}; {parameters}. Lower the learning rate, or standardise the inputs"
        + (f"\n{origin}" if origin else ""),
        epoch=epoch,
        step=step,
        sample=sample,
        parameter=None if bad is None else bad[0],
    )
