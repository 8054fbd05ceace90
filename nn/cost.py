"""The cost: the mean of a loss over the samples, and the losses by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from autograd import mean
from nn import losses
from nn.checks import listed

LossFunction = Callable[[Any, Any], Any]

LOSSES: Mapping[str, LossFunction] = MappingProxyType(
    {
        "mse": losses.mse,
        "half_squared_error": losses.half_squared_error,
        "mae": losses.mae,
        "huber": losses.huber,
        "binary_cross_entropy": losses.binary_cross_entropy,
        "bce_with_logits": losses.bce_with_logits,
        "cross_entropy": losses.cross_entropy,
        "hinge": losses.hinge,
    }
)


def cost(model: Callable[[Any], Any], X: Any, y: Any, loss: str | LossFunction) -> Any:
    """(1/m) Σ loss(model(xᵢ), yᵢ), the mean over the m samples, as one graph.

    >>> cost(lambda x: 2.0 * x[0], [[1.0], [2.0]], [1.0, 5.0], "mse")
    1.0

    Raises:
        ValueError: no samples, as many targets as there are not samples, an unknown loss.
    """
    function, rows, targets = find_loss(loss), listed(X), listed(y)
    if len(rows) != len(targets):
        raise ValueError(f"X has {len(rows)} samples, but y has {len(targets)} targets")
    if not rows:
        raise ValueError("the mean over no samples is not defined; X is empty")
    return mean([function(model(row), target) for row, target in zip(rows, targets, strict=True)])


def find_loss(loss: str | LossFunction) -> LossFunction:
    """The loss of that name, or the function itself."""
    if callable(loss):
        return loss
    if loss not in LOSSES:
        raise ValueError(f"no loss is called {loss!r:.200}; there are {', '.join(LOSSES)}, or give a function")
    return LOSSES[loss]


def loss_name(function: LossFunction) -> str:
    """The name under which a loss is known, through ``functools.partial`` too; empty for one of the user's own.

    >>> loss_name(losses.mse), loss_name(lambda output, target: output)
    ('mse', '')
    """
    plain = getattr(function, "func", function)
    return next((name for name, known in LOSSES.items() if known is plain), "")
