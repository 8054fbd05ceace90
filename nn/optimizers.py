"""Optimizers: ``step()`` moves every parameter by its gradient. They and nobody else write a parameter's ``.data``."""

from __future__ import annotations

from collections.abc import Iterable

from autograd import Value
from nn.checks import leaves, with_gradients, within
from nn.interrupts import all_or_nothing, assign


class Optimizer:
    """What all optimizers share: the parameters, the loop over them, their number of steps, gradients to zero.

    One of your own gives ``moved``, the next number of a parameter; or ``step`` itself, which writes ``p.data``.
    """

    def __init__(self, parameters: Iterable[Value], *, learning_rate: float, weight_decay: float = 0.0) -> None:
        self.parameters = leaves(parameters)
        self.learning_rate = within("learning_rate", learning_rate, 0.0, open_below=True)
        self.weight_decay = within("weight_decay", weight_decay, 0.0)
        self.steps = 0

    def step(self) -> None:
        """Move every parameter once, by its ``.grad``; ``None`` counts as 0.0. After an error none is."""
        with all_or_nothing(self, "steps"):
            self.steps += 1
            numbers = [self.moved(i, p.data, p.grad) for i, p in enumerate(with_gradients(self.parameters))]
            assign(self.parameters, "data", numbers)

    def moved(self, i: int, number: float, gradient: float) -> float:
        """The next number of parameter i, from its number and its gradient."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0.0, as is due before each ``backward()``."""
        assign(self.parameters, "grad", [0.0] * len(self.parameters))


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

    def moved(self, i: int, number: float, gradient: float) -> float:
        """p - rate · v."""
        g = gradient + self.weight_decay * number if self.weight_decay else gradient
        self.velocities[i] = v = self.momentum * self.velocities[i] + g
        return number - self.learning_rate * (g + self.momentum * v if self.nesterov else v)
