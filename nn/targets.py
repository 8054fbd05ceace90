"""What a loss asks of a target: one number per output, a class, a sign or a probability; else an error with the remedy.

It is written here once, for the losses themselves and for ``fit``, which asks before it starts. A target that is a
Value stays as it is: it belongs to a loss that is recorded for replay, and was checked before.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from autograd import DomainError, RecordingError, Value
from nn.checks import listed_or_one


def over_outputs(
    loss: str, each: Callable[[Any, Any], Any], together: Callable[[list[Any]], Any], prediction: Any, target: Any
) -> Any:
    """A loss of two numbers, or of two lists of one length, taken number by number and put together.

    Raises:
        ValueError: the lists differ in length.
    """
    if not hasattr(prediction, "__len__") and not hasattr(target, "__len__"):
        return each(prediction, target)
    outputs, targets = listed_or_one(prediction), listed_or_one(target)
    if len(outputs) != len(targets):
        raise ValueError(f"{loss} needs one target per output; there are {len(targets)} for {len(outputs)} outputs")
    return together([each(p, t) for p, t in zip(outputs, targets, strict=True)])


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
    raise ValueError(f"hinge wants the label -1 or +1; it is {label!r:.200}{hint}")


def probability(target: Any, loss: str = "bce_with_logits") -> Any:
    """A target of binary cross entropy as a float; a Value as it is.

    Raises:
        ValueError: it is not between 0 and 1.
    """
    if isinstance(target, Value):
        return target
    if isinstance(target, Real) and 0.0 <= (number := float(target)) <= 1.0:
        return number
    raise ValueError(f"{loss} wants the target 0 or 1 (or a probability between); it is {target!r:.200}")


def inside(prediction: Any, target: float) -> Any:
    """A predicted probability as it came, if the binary cross entropy with this target is finite there.

    Raises:
        DomainError: it is not between 0 and 1, or it is the bound that the target rules out.
    """
    above = prediction >= 0.0 if target == 0.0 else prediction > 0.0
    if above and (prediction <= 1.0 if target == 1.0 else prediction < 1.0):
        return prediction
    try:
        given = f"it is {getattr(prediction, 'data', prediction)!r}"
    except RecordingError:  # a number that is recorded is not told
        given = "it is another number"
    raise DomainError(
        f"binary_cross_entropy needs a probability between 0 and 1; {given} for the target {target:g}. "
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
        raise ValueError(f"cross_entropy wants an integer class 0 … {len(logits) - 1}; it is {target!r:.200}")
    return index
