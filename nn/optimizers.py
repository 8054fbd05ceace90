"""Optimizers: ``step()`` moves every parameter by its gradient. They and nobody else write a parameter's ``.data``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from autograd import Value
from nn.checks import within
from nn.stepping import Moved, Optimizer, decayed

__all__ = ["SGD", "Optimizer"]


class SGD(Optimizer):
    """p ← p - rate · v, where v ← momentum · v + g: gradient descent, without momentum by default.

    g is ∂C/∂p + weight_decay · p; with ``nesterov``, p ← p - rate · (g + momentum · v) (Sutskever et al., 2013).

    >>> p = Value(3.0)
    >>> optimizer = SGD([p], learning_rate=0.25)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> p.data
    1.5

    Raises:
        ValueError: a learning rate that is not positive, a weight decay below 0, a momentum outside 0 … 1 (1 not among
            them), Nesterov's without momentum.
    """

    STATE = ("velocities",)
    SETTINGS = ("weight_decay", "momentum", "nesterov")

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.1,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate=learning_rate, weight_decay=weight_decay)
        self.momentum, self.nesterov = within("momentum", momentum, 0.0, 1.0), nesterov
        if nesterov and momentum == 0.0:
            raise ValueError("nesterov needs a momentum above 0, such as 0.9")
        self.velocities = [0.0] * len(self.parameters)

    @staticmethod
    def rule(m: Any, p: Any, g: Any, state: Sequence[Any], rate: Any, step: Any, settings: Any) -> Moved:
        """p - rate · v."""
        g = decayed(p, g, settings)
        v = settings.momentum * state[0] + g
        return p - rate * (g + settings.momentum * v if settings.nesterov else v), (v,)
