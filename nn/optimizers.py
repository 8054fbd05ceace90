"""Optimizers: `step()` moves every parameter by its gradient. They and nobody else write a parameter's `.data`."""

import math
from collections.abc import Iterable

from autograd import Value


class Optimizer:
    """What all optimizers share: the list of parameters, and setting their gradients to zero."""

    def __init__(self, parameters: Iterable[Value], *, learning_rate: float) -> None:
        if not hasattr(parameters, "__iter__"):
            raise TypeError(f"an optimizer takes a list of Values, not {parameters!r}; write model.parameters()")
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("there are no parameters to optimize; give model.parameters()")
        for i, p in enumerate(self.parameters):
            if not isinstance(p, Value) or p.parents:
                raise TypeError(f"an optimizer moves leaves; parameter {i} is {p!r}. Write model.parameters()")
        if len(set(self.parameters)) != len(self.parameters):
            raise ValueError("a parameter is listed twice and would be moved twice; list each once")
        self.learning_rate = _within("learning_rate", learning_rate, 0.0, math.inf, open_below=True)

    def step(self) -> None:
        """Move every parameter once, by its `.grad`."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0.0, as is due before each `backward()`."""
        for parameter in self.parameters:
            parameter.grad = 0.0


class SGD(Optimizer):
    """p ← p - rate · v, where v ← momentum · v + ∂C/∂p: gradient descent, without momentum by default.

    >>> p = Value(3.0)
    >>> optimizer = SGD([p], learning_rate=0.25)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> p.data
    1.5

    Raises:
        ValueError: a learning rate that is not positive, a momentum outside 0 … 1 (1 not among them).
    """

    def __init__(self, parameters: Iterable[Value], learning_rate: float = 0.1, *, momentum: float = 0.0) -> None:
        super().__init__(parameters, learning_rate=learning_rate)
        self.momentum = _within("momentum", momentum, 0.0, 1.0)
        self.velocities = [0.0] * len(self.parameters)

    def step(self) -> None:
        """Move every parameter once, by its `.grad`."""
        rate, momentum, velocities = self.learning_rate, self.momentum, self.velocities
        for i, p in enumerate(self.parameters):
            velocities[i] = v = momentum * velocities[i] + p.grad
            p.data = p.data - rate * v


class Adam(Optimizer):
    """p ← p - rate · m̂ / (√v̂ + ε), with running means of gradient and squared gradient (Kingma and Ba, 2015, alg. 1).

    >>> p = Value(3.0)
    >>> optimizer = Adam([p], learning_rate=0.1)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> round(p.data, 6)
    2.9

    Raises:
        ValueError: a learning rate or epsilon that is not positive, a beta outside 0 … 1 (1 not among them).
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(parameters, learning_rate=learning_rate)
        self.betas = (_within("betas[0]", betas[0], 0.0, 1.0), _within("betas[1]", betas[1], 0.0, 1.0))
        self.epsilon = _within("epsilon", epsilon, 0.0, math.inf, open_below=True)
        self.means = [0.0] * len(self.parameters)
        self.squares = [0.0] * len(self.parameters)
        self.steps = 0

    def step(self) -> None:
        """Move every parameter once, by its `.grad`."""
        self.steps += 1
        first, second = self.betas
        of_mean, of_square = 1.0 - first**self.steps, 1.0 - second**self.steps
        for i, p in enumerate(self.parameters):
            g = p.grad
            self.means[i] = m = first * self.means[i] + (1.0 - first) * g
            self.squares[i] = v = second * self.squares[i] + (1.0 - second) * g * g
            p.data = p.data - self.learning_rate * (m / of_mean) / (math.sqrt(v / of_square) + self.epsilon)


def _within(name: str, number: float, low: float, high: float, *, open_below: bool = False) -> float:
    if not (low < number < high or (number == low and not open_below)):
        bounds = f"{'above' if open_below else 'at least'} {low:g}{f' and below {high:g}' if high < math.inf else ''}"
        raise ValueError(f"{name} must be finite, {bounds}; it is {number!r}")
    return number
