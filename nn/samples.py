"""Samples and targets as they come from a user: lists, tuples, NumPy arrays, checked before they train anything.

What a loss wants of a target is written here once, for the loss itself and for `fit`, which asks before it starts.
"""

import math
import operator
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any


def listed(x: Any) -> list[Any]:
    """A list of what a list, tuple or NumPy array holds, NumPy's numbers becoming Python's."""
    return x.tolist() if hasattr(x, "tolist") else list(x)


def sign(label: Any) -> float:
    """A label of two classes as -1.0 or 1.0.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(label, Real) and label in (-1, 1):
        return float(label)
    hint = "; write 1 for one class and -1 for the other" if isinstance(label, Real) and label == 0 else ""
    raise ValueError(f"hinge wants the label -1 or +1; it is {label!r}{hint}")


def probability(target: Any) -> float:
    """A target of binary cross entropy as a float.

    Raises:
        ValueError: it is not between 0 and 1.
    """
    if isinstance(target, Real) and 0.0 <= (number := float(target)) <= 1.0:
        return number
    raise ValueError(f"bce_with_logits wants the target 0 or 1 (or a probability between); it is {target!r}")


def class_index(target: Any, logits: Sequence[Any]) -> int:
    """The index of the true class.

    Raises:
        ValueError: there are not two logits or more, or it is not the index of one.
    """
    if not hasattr(logits, "__len__") or len(logits) < 2:
        raise ValueError("cross_entropy wants a list of two logits or more, one per class; for one use bce_with_logits")
    try:
        index = -1 if isinstance(target, bool) else operator.index(target)
    except TypeError:
        index = -1
    if not 0 <= index < len(logits):
        raise ValueError(f"cross_entropy wants an integer class 0 … {len(logits) - 1}; it is {target!r}")
    return index


def rows_of_numbers(X: Any, width: int | None) -> list[list[float]]:
    """The samples as lists of floats.

    Args:
        width: how many numbers each must have; None: as many as the first.

    Raises:
        ValueError: no sample, a wrong number of features, a number that is not finite.
        TypeError: a sample is not a list of numbers.
    """
    samples = _outer(X, "X", "samples")
    if not samples:
        raise ValueError("X is empty; give at least one sample")
    rows = []
    for i, sample in enumerate(samples):
        if not hasattr(sample, "__len__") or isinstance(sample, str | bytes | dict):
            raise TypeError(f"X[{i}] is {sample!r}; a sample is a list of numbers, so write [[x], …] for one feature")
        row = [_finite(number, f"X[{i}][{j}]") for j, number in enumerate(listed(sample))]
        width = len(row) if width is None else width
        if len(row) != width:
            raise ValueError(f"X[{i}] has {len(row)} features; the model takes {width}")
        rows.append(row)
    return rows


def targets_for(y: Any, count: int, outputs: int | None, checks: Callable[[Any, int | None], Any] | None) -> list[Any]:
    """The targets as plain numbers, or lists of them, one per sample.

    Args:
        outputs: how many numbers the model returns, if that is known.
        checks: what the loss wants of a target, see `TARGETS`; None for a loss of the user's own.

    Raises:
        ValueError: not one per sample, a number that is not finite, or one outside the loss's range.
    """
    targets = _outer(y, "y", "targets")
    if len(targets) != count:
        raise ValueError(f"X has {count} samples, but y has {len(targets)} targets; give one target per sample")
    if checks is None:
        return targets
    checked = []
    for i, target in enumerate(targets):
        try:
            checked.append(checks(target, outputs))
        except (ValueError, TypeError) as error:
            raise type(error)(f"y[{i}]: {error}") from None
    return checked


def _mse_target(target: Any, outputs: int | None) -> Any:
    if not hasattr(target, "__len__") or isinstance(target, str | bytes):
        number = _finite(target, "the target")
        if outputs not in (None, 1):
            raise ValueError(f"mse needs one target per output; the model has {outputs}, the target is {target!r}")
        return number
    numbers = [_finite(number, f"target {j}") for j, number in enumerate(listed(target))]
    if outputs is not None and len(numbers) != outputs:
        raise ValueError(f"mse needs one target per output; the model has {outputs}, the target has {len(numbers)}")
    return numbers


def _one_output(loss: str, outputs: int | None) -> None:
    if outputs not in (None, 1):
        raise ValueError(f"{loss} takes one number of a model, but this one returns {outputs}; use cross_entropy")


def _sign_target(target: Any, outputs: int | None) -> float:
    _one_output("hinge", outputs)
    return sign(target)


def _probability_target(target: Any, outputs: int | None) -> float:
    _one_output("bce_with_logits", outputs)
    return probability(target)


def _class_target(target: Any, outputs: int | None) -> Any:
    return target if outputs is None else class_index(target, range(outputs))


#: Name of a loss → (target, number of the model's outputs) → the target checked.
TARGETS: dict[str, Callable[[Any, int | None], Any]] = {
    "mse": _mse_target,
    "hinge": _sign_target,
    "bce_with_logits": _probability_target,
    "cross_entropy": _class_target,
}


def _outer(values: Any, name: str, holds: str) -> list[Any]:
    if not hasattr(values, "__iter__") or isinstance(values, str | bytes | dict):
        raise TypeError(f"{name} must be a list of {holds}, not {values!r}")
    return listed(values)


def _finite(number: Any, place: str) -> float:
    if not isinstance(number, Real):
        raise TypeError(f"{place} is {number!r}, not a number")
    if not math.isfinite(number):
        raise ValueError(f"{place} is {number!r}; give finite numbers")
    return float(number)


def positive_int(name: str, number: Any) -> int:
    """The number itself.

    Raises:
        TypeError, ValueError: it is not an int, or below 1.
    """
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{name} must be an int; it is {number!r}")
    if number < 1:
        raise ValueError(f"{name} must be at least 1; it is {number}")
    return number


def wrong_number_of_inputs(who: str, expected: int, given: int) -> ValueError:
    """The error to raise when a neuron or a layer is called with a list of another length."""
    plural = "" if expected == 1 else "s"
    return ValueError(f"{who} has {expected} input{plural}, but was given {given} number{'' if given == 1 else 's'}")
