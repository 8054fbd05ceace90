"""Samples and targets as they come from a user become plain rows of floats and targets that the loss takes.

Whatever is wrong with them is told here, before a training starts, with its place: ``X[3][0]``, ``y[3]``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from nn.checks import finite, list_of, listed, sample_rows
from nn.module import Module
from nn.targets import class_index, probability, sign


class Samples(NamedTuple):
    """The samples of a training as rows of floats, and a target for each."""

    rows: list[list[float]]
    targets: list[Any]


def samples_for(model: Module, X: Any, y: Any, loss: str) -> Samples:
    """The samples and targets, checked against what model and loss take.

    Args:
        loss: its name; empty for one of the user's own, which may take any target.

    Raises:
        ValueError, TypeError: as ``rows_of_numbers`` and ``targets_for`` say.
    """
    rows = rows_of_numbers(X, getattr(model, "nin", None))
    return Samples(rows, targets_for(y, len(rows), getattr(model, "nout", None), TARGETS.get(loss)))


def held_out(model: Module, validation: Any, loss: str) -> Samples | None:
    """The samples of a validation, checked as those to train on; None if there are none.

    Raises:
        ValueError, TypeError: it is no pair (X, y), or one of these is not what it should be.
    """
    if validation is None:
        return None
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise TypeError(f"validation must be a pair of samples and targets, (X, y); it is {validation!r:.60}")
    try:
        return samples_for(model, validation[0], validation[1], loss)
    except (ValueError, TypeError) as error:
        raise type(error)(f"validation: {error}") from None


def rows_of_numbers(X: Any, width: int | None) -> list[list[float]]:
    """The samples as lists of floats.

    Args:
        width: how many numbers each must have; None: as many as the first.

    Raises:
        ValueError: no sample, a wrong number of features, a number that is not finite.
        TypeError: a sample is not a list of numbers.
    """
    if getattr(X, "ndim", None) == 2 and getattr(X.dtype, "kind", "") in ("f", "i", "u") and len(X):
        exact = X.astype(float)  # an array needs no look at each number
        if width in (None, exact.shape[1]) and abs(exact).max(initial=0.0) < math.inf:
            return exact.tolist()  # type: ignore[no-any-return]
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
        plain = _plain(sample)
        rows.append(
            [finite(number, f"X[{i}][{name!r}]") for name, number in zip(names, sample, strict=True)]
            if plain is None
            else plain
        )
    return rows


def _plain(sample: list[Any]) -> list[float] | None:
    """The sample as floats, if it is finite floats and ints: in a tenth of the time of a look at each (measured)."""
    if not {*map(type, sample)} <= {float, int}:
        return None
    try:
        numbers = [*map(float, sample)]
    except OverflowError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


def targets_for(y: Any, count: int, outputs: int | None, checks: Callable[[Any, int | None], Any] | None) -> list[Any]:
    """The targets as plain numbers, or lists of them, one per sample.

    Args:
        outputs: how many numbers the model returns, if that is known.
        checks: what the loss wants of a target, see ``TARGETS``; None for a loss of the user's own.

    Raises:
        ValueError: not one per sample, a number that is not finite, or one outside the loss's range.
    """
    targets = list_of(y, "y", "targets")
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
                    f"{loss} needs one target per output; the model has {outputs}, the target is {target!r:.200}{hint}"
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


#: Name of a loss → (target, number of the model's outputs) → the target checked.
TARGETS: dict[str, Callable[[Any, int | None], Any]] = {
    **{loss: _per_output(loss, finite) for loss in ("mse", "half_squared_error", "mae", "huber")},
    "hinge": _sign_target,
    "binary_cross_entropy": _per_output("binary_cross_entropy", lambda t, _: probability(t, "binary_cross_entropy")),
    "bce_with_logits": _per_output("bce_with_logits", lambda t, _: probability(t)),
    "cross_entropy": _class_target,
}
