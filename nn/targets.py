"""Samples and targets as they come from a user: lists, tuples, NumPy arrays, pandas frames, checked before training.

What a loss wants of a target is written here once, for the loss itself and for ``fit``, which asks before it starts.
Arrays are known by ``tolist``, frames by ``to_numpy``, so that neither package is imported.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

from autograd import DomainError, Value


def listed(x: Any) -> list[Any]:
    """A list of what a list, tuple, NumPy array or pandas object holds, NumPy's numbers becoming Python's."""
    if hasattr(x, "tolist"):
        return x.tolist()  # type: ignore[no-any-return]
    if hasattr(x, "to_numpy"):
        return x.to_numpy().tolist()  # type: ignore[no-any-return]  # a frame's own list is that of its columns
    if not hasattr(x, "__iter__"):
        raise TypeError(f"expected a list of numbers, not {x!r}; write [{x!r}]")
    return list(x)


def sign(label: Any) -> Any:
    """A label of two classes as -1.0 or 1.0; a Value as it is.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(label, Value):  # of a loss that is recorded for replay: the labels are checked before
        return label
    if isinstance(label, Real) and label in (-1, 1):
        return float(label)
    hint = "; write 1 for one class and -1 for the other" if isinstance(label, Real) and label == 0 else ""
    raise ValueError(f"hinge wants the label -1 or +1; it is {label!r}{hint}")


def probability(target: Any, loss: str = "bce_with_logits") -> Any:
    """A target of binary cross entropy as a float; a Value as it is.

    Raises:
        ValueError: it is not between 0 and 1.
    """
    if isinstance(target, Value):
        return target
    if isinstance(target, Real) and 0.0 <= (number := float(target)) <= 1.0:
        return number
    raise ValueError(f"{loss} wants the target 0 or 1 (or a probability between); it is {target!r}")


def inside(prediction: Any, target: float) -> Any:
    """A predicted probability as it came, if the binary cross entropy with this target is finite there.

    Raises:
        DomainError: it is not between 0 and 1, or it is the bound that the target rules out.
    """
    number = getattr(prediction, "data", prediction)
    if (number > 0.0 or number == target == 0.0) and (number < 1.0 or number == target == 1.0):
        return prediction
    raise DomainError(
        f"binary_cross_entropy needs a probability between 0 and 1; it is {number!r} for the target {target:g}. "
        "End the model with a sigmoid, or give what goes into the sigmoid to bce_with_logits"
    )


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


def over_outputs(
    loss: str, each: Callable[[Any, Any], Any], together: Callable[[list[Any]], Any], prediction: Any, target: Any
) -> Any:
    """A loss of two numbers, or of two lists of one length, taken number by number and put together.

    Raises:
        ValueError: the lists differ in length.
    """
    if not hasattr(prediction, "__len__") and not hasattr(target, "__len__"):
        return each(prediction, target)
    outputs, targets = [listed(x) if hasattr(x, "__len__") else [x] for x in (prediction, target)]
    if len(outputs) != len(targets):
        raise ValueError(f"{loss} needs one target per output; there are {len(targets)} for {len(outputs)} outputs")
    return together([each(p, t) for p, t in zip(outputs, targets, strict=True)])


def sample_rows(X: Any) -> list[list[Any]]:
    """The samples as lists, not looked into.

    Raises:
        TypeError: X is no list of samples, or one of them no list of numbers.
    """
    rows = []
    for i, sample in enumerate(_outer(X, "X", "samples")):
        if not hasattr(sample, "__len__") or isinstance(sample, str | bytes | dict):
            raise TypeError(f"X[{i}] is {sample!r}; a sample is a list of numbers, so write [[x], …] for one feature")
        rows.append(listed(sample))
    return rows


def rows_of_numbers(X: Any, width: int | None) -> list[list[float]]:
    """The samples as lists of floats.

    Args:
        width: how many numbers each must have; None: as many as the first.

    Raises:
        ValueError: no sample, a wrong number of features, a number that is not finite.
        TypeError: a sample is not a list of numbers.
    """
    samples = sample_rows(X)
    if not samples:
        raise ValueError("X is empty; give at least one sample")
    names = list(X.columns) if hasattr(X, "columns") else range(len(samples[0]))  # a frame's columns have names
    rows = []
    for i, sample in enumerate(samples):
        width = len(sample) if width is None else width
        if len(sample) != width:
            raise ValueError(f"X[{i}] has {len(sample)} features; the model takes {width}")
        if len(names) != width:  # the first sample was shorter or longer, and its error is on the way
            names = range(width)
        rows.append([finite(number, f"X[{i}][{name!r}]") for name, number in zip(names, sample, strict=True)])
    return rows


def targets_for(y: Any, count: int, outputs: int | None, checks: Callable[[Any, int | None], Any] | None) -> list[Any]:
    """The targets as plain numbers, or lists of them, one per sample.

    Args:
        outputs: how many numbers the model returns, if that is known.
        checks: what the loss wants of a target, see ``TARGETS``; None for a loss of the user's own.

    Raises:
        ValueError: not one per sample, a number that is not finite, or one outside the loss's range.
    """
    targets = _outer(y, "y", "targets")
    if hasattr(y, "columns") and all(len(target) == 1 for target in targets):  # a frame of one column
        targets = [target[0] for target in targets]
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


def _per_output(loss: str, number_for: Callable[[Any, str], float]) -> Callable[[Any, int | None], Any]:
    """The check of a loss that takes one target per output, a number where there is one output."""

    def check(target: Any, outputs: int | None) -> Any:
        if not hasattr(target, "__len__") or isinstance(target, str | bytes):
            number = number_for(target, "the target")
            if outputs not in (None, 1):
                hint = "; use cross_entropy for classes" if loss == "bce_with_logits" else ""
                raise ValueError(
                    f"{loss} needs one target per output; the model has {outputs}, the target is {target!r}{hint}"
                )
            return number
        numbers = [number_for(number, f"target {j}") for j, number in enumerate(listed(target))]
        if outputs is not None and len(numbers) != outputs:
            raise ValueError(
                f"{loss} needs one target per output; the model has {outputs}, the target has {len(numbers)}"
            )
        return numbers

    return check


def _sign_target(target: Any, outputs: int | None) -> Any:
    if outputs not in (None, 1):
        raise ValueError(f"hinge takes one number of a model, but this one returns {outputs}; use cross_entropy")
    return sign(target)


def _class_target(target: Any, outputs: int | None) -> Any:
    return target if outputs is None else class_index(target, range(outputs))


def finite(number: Any, place: str, *, or_bool: bool = True) -> float:
    """The number as a float; True and False count as numbers, 1 and 0, unless told otherwise.

    Raises:
        TypeError, ValueError: it is no number, or not a finite one.
    """
    is_bool: bool = isinstance(number, bool)
    if not isinstance(number, Real) or (is_bool and not or_bool):
        raise TypeError(f"{place} is {number!r}, not a number")
    try:
        exact = float(number)
    except OverflowError:  # an int beyond all floats
        exact = math.inf
    if not math.isfinite(exact):
        raise ValueError(f"{place} is {number!r:.60}; give finite numbers")
    return exact


#: Name of a loss → (target, number of the model's outputs) → the target checked.
TARGETS: dict[str, Callable[[Any, int | None], Any]] = {
    **{loss: _per_output(loss, finite) for loss in ("mse", "half_squared_error", "mae", "huber")},
    "hinge": _sign_target,
    "binary_cross_entropy": _per_output("binary_cross_entropy", lambda t, _: probability(t, "binary_cross_entropy")),
    "bce_with_logits": _per_output("bce_with_logits", lambda t, _: probability(t)),
    "cross_entropy": _class_target,
}


def _outer(values: Any, name: str, holds: str) -> list[Any]:
    if not hasattr(values, "__iter__") or isinstance(values, str | bytes | dict):
        raise TypeError(f"{name} must be a list of {holds}, not {values!r}")
    return listed(values)


def within(name: str, number: Any, low: float, high: float = math.inf, *, open_below: bool = False) -> float:
    """The number itself, between two bounds, the upper not among them, the lower only unless it is open.

    Raises:
        ValueError, TypeError: it is not between them, or no number.
    """
    if isinstance(number, bool) or not isinstance(number, Real):
        raise TypeError(f"{name} must be a number; it is {number!r}")
    value = float(number)
    if not (low < value < high or (value == low and not open_below)):
        bounds = f"{'above' if open_below else 'at least'} {low:g}{f' and below {high:g}' if high < math.inf else ''}"
        raise ValueError(f"{name} must be finite, {bounds}; it is {number!r}")
    return value


def positive_int(name: str, number: Any) -> int:
    """The number itself.

    Raises:
        TypeError, ValueError: it is not an int, or below 1.
    """
    if isinstance(number, bool) or not isinstance(number, Integral):
        raise TypeError(f"{name} must be an int; it is {number!r}")
    if number < 1:
        raise ValueError(f"{name} must be at least 1; it is {number}")
    return int(number)


def wrong_number_of_inputs(who: str, expected: int, given: int) -> ValueError:
    """The error to raise when a neuron or a layer is called with a list of another length."""
    plural = "" if expected == 1 else "s"
    return ValueError(f"{who} has {expected} input{plural}, but was given {given} number{'' if given == 1 else 's'}")


def leaves(parameters: Any) -> list[Value]:
    """The parameters to move, each once.

    Raises:
        TypeError, ValueError: it is no list of them, it is empty, or one is no leaf or is there twice.
    """
    if not hasattr(parameters, "__iter__"):
        raise TypeError(f"an optimizer takes a list of Values, not {parameters!r}; write model.parameters()")
    found = list(parameters)
    if not found:
        raise ValueError("there are no parameters to optimize; give model.parameters()")
    for i, p in enumerate(found):
        if not isinstance(p, Value) or p.parents:
            raise TypeError(f"an optimizer moves leaves; parameter {i} is {p!r}. Write model.parameters()")
    if len(set(found)) != len(found):
        raise ValueError("a parameter is listed twice and would be moved twice; list each once")
    return found
