"""Losses of one sample: what the model returned and a plain target in, one number out.

Over the n outputs of a sample, ``mse``, ``mae``, ``huber`` and the binary cross entropies take the mean, 1/n, as in
C = (1/n) Σ (ŷᵢ - yᵢ)²; ``half_squared_error`` takes the sum, so that one output gives ½(y - a)². Over the m samples the
mean, 1/m, is taken by ``cost`` and ``fit``, never here. A loss keeps its digits where the model is sure of itself. All
raise a ValueError for outputs and targets that differ in number, and for a target that they do not take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import Value, abs, log, log1p, logsumexp, mean, relu, softplus, square, sum, take, where
from nn.checks import within
from nn.targets import class_index, inside, over_outputs, probability, sign


def mse(prediction: Any, target: Any) -> Any:
    """(1/n) Σ (prediction - target)², the mean squared error of n outputs: two numbers, or two lists of one length.

    >>> mse(3.0, 1.0), mse([1.0, 2.0], [1.0, 4.0])
    (4.0, 2.0)
    """
    return over_outputs("mse", lambda p, t: square(p - t), mean, prediction, target)


def half_squared_error(prediction: Any, target: Any) -> Any:
    """½ Σ (target - prediction)², whose derivative is the plain difference prediction - target.

    >>> half_squared_error(3.0, 1.0), half_squared_error([1.0, 2.0], [1.0, 4.0])
    (2.0, 2.0)
    """
    return over_outputs("half_squared_error", lambda p, t: 0.5 * square(t - p), sum, prediction, target)


def mae(prediction: Any, target: Any) -> Any:
    """(1/n) Σ |prediction - target|, the mean absolute error; its slope at 0 is 0.

    >>> mae(3.0, 1.0), mae([1.0, 2.0], [1.0, 4.0])
    (2.0, 1.0)
    """
    return over_outputs("mae", lambda p, t: abs(p - t), mean, prediction, target)


def huber(prediction: Any, target: Any, *, delta: float = 1.0) -> Any:
    """(1/n) Σ of ½d² where |d| ≤ delta, and delta·(|d| - ½delta) beyond, d = prediction - target (Huber, 1964).

    >>> huber(1.5, 1.0), huber(3.0, 1.0)
    (0.125, 1.5)

    Raises:
        ValueError: delta is not positive; for another one in ``fit``, give ``functools.partial(huber, delta=2.0)``.
    """
    within("delta", delta, 0.0, open_below=True)

    def each(p: Any, t: Any) -> Any:
        d = p - t
        size = abs(d)
        return where(size <= delta, lambda: 0.5 * square(d), lambda: delta * (size - 0.5 * delta))

    return over_outputs("huber", each, mean, prediction, target)


def binary_cross_entropy(prediction: Any, target: Any) -> Any:
    """-y·log p - (1 - y)·log(1 - p), of a probability p, such as a sigmoid's, and a target y between 0 and 1.

    A sigmoid rounds to 0 or 1 far out, where this loss is infinite; ``bce_with_logits`` has no such limit.

    >>> round(binary_cross_entropy(0.5, 1), 6), round(binary_cross_entropy(0.2, 0), 6)
    (0.693147, 0.223144)

    Raises:
        DomainError: p is outside 0 … 1, or it is the one of these bounds at which the loss is infinite.
    """

    def each(p: Any, t: Any) -> Any:
        y = probability(t, "binary_cross_entropy")
        if isinstance(y, Value):
            return -where(y > 0.0, lambda: y * log(p), 0.0) - where(y < 1.0, lambda: (1.0 - y) * log1p(-p), 0.0)
        p = inside(p, y)
        if y == 1.0:
            return -log(p)
        return -log1p(-p) if y == 0.0 else -(y * log(p) + (1.0 - y) * log1p(-p))

    return over_outputs("binary_cross_entropy", each, mean, prediction, target)


def bce_with_logits(logit: Any, target: Any) -> Any:
    """-y·log σ(z) - (1 - y)·log(1 - σ(z)), of the logit z and a target y between 0 and 1, mostly one of the two.

    >>> round(bce_with_logits(0.0, 1), 6), bce_with_logits(50.0, 1) > 0.0
    (0.693147, True)
    """

    def each(z: Any, t: Any) -> Any:
        y = probability(t)
        if not isinstance(y, Value) and y in (0.0, 1.0):
            return softplus(z if y == 0.0 else -z)
        return y * softplus(-z) + (1.0 - y) * softplus(z)

    return over_outputs("bce_with_logits", each, mean, logit, target)


def cross_entropy(logits: Sequence[Any], target: Any) -> Any:
    """-log softmax(logits)[target], of two logits or more, one per class, and the index of the true class.

    >>> round(cross_entropy([0.0, 0.0], 1), 6), cross_entropy([50.0, 0.0], 0) > 0.0
    (0.693147, True)
    """
    if isinstance(target, Value):
        chosen = take(logits, target)
        return logsumexp([z - chosen for z in logits])
    true = class_index(target, logits)
    # Differences to the true logit, so that a small loss is not what is left of two large numbers.
    return logsumexp([0.0 if i == true else z - logits[true] for i, z in enumerate(logits)])


def hinge(score: Any, label: Any) -> Any:
    """max(0, 1 - label · score), of a label -1 or 1; the sign of the score is the decision (Cortes and Vapnik, 1995).

    >>> hinge(0.25, 1), hinge(0.25, -1), hinge(3.0, 1)
    (0.75, 1.25, 0.0)
    """
    return relu(1.0 - sign(label) * score)
