"""Losses of one sample: what the model returned and a plain target in, one number out.

The mean over the samples, 1/m, is `cost`'s. A loss keeps its digits where the model is sure of itself.
"""

from collections.abc import Sequence
from typing import Any

from autograd import logsumexp, mean, relu, softplus, square
from nn.samples import class_index, listed, probability, sign


def mse(prediction: Any, target: Any) -> Any:
    """(1/n) Σ (prediction - target)², over the n outputs: two numbers, or two lists of one length.

    >>> mse(3.0, 1.0), mse([1.0, 2.0], [1.0, 4.0])
    (4.0, 2.0)

    Raises:
        ValueError: the lists differ in length.
    """
    if not hasattr(prediction, "__len__") and not hasattr(target, "__len__"):
        return square(prediction - target)
    predictions, targets = [listed(x) if hasattr(x, "__len__") else [x] for x in (prediction, target)]
    if len(predictions) != len(targets):
        raise ValueError(f"mse needs one target per output; there are {len(targets)} for {len(predictions)} outputs")
    return mean([square(p - t) for p, t in zip(predictions, targets, strict=True)])


def hinge(score: Any, label: Any) -> Any:
    """max(0, 1 - label · score), of a label -1 or 1; the sign of the score is the decision (Cortes and Vapnik, 1995).

    >>> hinge(0.25, 1), hinge(0.25, -1), hinge(3.0, 1)
    (0.75, 1.25, 0.0)

    Raises:
        ValueError: another label.
    """
    return relu(1.0 - sign(label) * score)


def bce_with_logits(logit: Any, target: Any) -> Any:
    """-y·log σ(z) - (1 - y)·log(1 - σ(z)), of the logit z and a target y between 0 and 1, mostly one of the two.

    >>> round(bce_with_logits(0.0, 1), 6), bce_with_logits(50.0, 1) > 0.0
    (0.693147, True)

    Raises:
        ValueError: a target outside 0 … 1.
    """
    y = probability(target)
    if y == 1.0:
        return softplus(-logit)
    return softplus(logit) if y == 0.0 else y * softplus(-logit) + (1.0 - y) * softplus(logit)


def cross_entropy(logits: Sequence[Any], target: Any) -> Any:
    """-log softmax(logits)[target], of one logit per class and the index of the true class.

    >>> round(cross_entropy([0.0, 0.0], 1), 6), cross_entropy([50.0, 0.0], 0) > 0.0
    (0.693147, True)

    Raises:
        ValueError: an index that is not one of the classes, or fewer than two logits.
    """
    true = class_index(target, logits)
    # Differences to the true logit, so that a small loss is not what is left of two large numbers.
    return logsumexp([0.0 if i == true else z - logits[true] for i, z in enumerate(logits)])
