"""``RMSprop``, ``Adagrad``, ``Adam``, ``AdamW``: optimizers whose step adapts to the gradients a parameter has had."""

from __future__ import annotations

import math
from collections.abc import Iterable

from autograd import Value
from nn.checks import within
from nn.optimizers import Optimizer


class RMSprop(Optimizer):
    """p ← p - rate · g / (√v + ε), with the running mean v of g² (Tieleman and Hinton, 2012, lecture 6e).

    g is ∂C/∂p + weight_decay · p. With momentum, g / (√v + ε) goes into a velocity as in ``SGD``.

    >>> p = Value(3.0)
    >>> optimizer = RMSprop([p], learning_rate=0.01, smoothing=0.75)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> round(p.data, 6)
    2.98

    Args:
        smoothing: how much of v stays: v ← smoothing · v + (1 - smoothing) · g².

    Raises:
        ValueError: a learning rate or epsilon that is not positive, a smoothing or momentum outside 0 … 1 (1 not among
            them), a weight decay below 0.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.01,
        *,
        smoothing: float = 0.99,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate=learning_rate, weight_decay=weight_decay)
        self.smoothing = within("smoothing", smoothing, 0.0, 1.0)
        self.epsilon = within("epsilon", epsilon, 0.0, open_below=True)
        self.momentum = within("momentum", momentum, 0.0, 1.0)
        self.squares = [0.0] * len(self.parameters)
        self.velocities = [0.0] * len(self.parameters)

    def moved(self, i: int, number: float, gradient: float) -> float:
        """p - rate · g / (√v + ε)."""
        g = gradient + self.weight_decay * number if self.weight_decay else gradient
        self.squares[i] = v = self.smoothing * self.squares[i] + (1.0 - self.smoothing) * g * g
        self.velocities[i] = self.momentum * self.velocities[i] + g / (math.sqrt(v) + self.epsilon)
        return number - self.learning_rate * self.velocities[i]


class Adagrad(Optimizer):
    """p ← p - rate · g / (√s + ε), with the sum s of all g² so far (Duchi, Hazan and Singer, 2011).

    g is ∂C/∂p + weight_decay · p.

    >>> p = Value(3.0)
    >>> optimizer = Adagrad([p], learning_rate=0.5)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> round(p.data, 6)
    2.5

    Raises:
        ValueError: a learning rate or epsilon that is not positive, a weight decay below 0.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.01,
        *,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate=learning_rate, weight_decay=weight_decay)
        self.epsilon = within("epsilon", epsilon, 0.0, open_below=True)
        self.squares = [0.0] * len(self.parameters)

    def moved(self, i: int, number: float, gradient: float) -> float:
        """p - rate · g / (√s + ε)."""
        g = gradient + self.weight_decay * number if self.weight_decay else gradient
        self.squares[i] = s = self.squares[i] + g * g
        return number - self.learning_rate * g / (math.sqrt(s) + self.epsilon)


class Adam(Optimizer):
    """p ← p - rate · m̂ / (√v̂ + ε), with running means of g and g² (Kingma and Ba, 2015, algorithm 1).

    g is ∂C/∂p + weight_decay · p; see ``AdamW`` for a decay that does not go through the means.

    >>> p = Value(3.0)
    >>> optimizer = Adam([p], learning_rate=0.1)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> round(p.data, 6)
    2.9

    Raises:
        ValueError: a learning rate or epsilon that is not positive, a beta outside 0 … 1 (1 not among them), a weight
            decay below 0.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate=learning_rate, weight_decay=weight_decay)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TypeError(f"betas is a pair of numbers, not {betas!r}")
        self.betas = (within("betas[0]", betas[0], 0.0, 1.0), within("betas[1]", betas[1], 0.0, 1.0))
        self.epsilon = within("epsilon", epsilon, 0.0, open_below=True)
        self.means = [0.0] * len(self.parameters)
        self.squares = [0.0] * len(self.parameters)

    def moved(self, i: int, number: float, gradient: float) -> float:
        """p - rate · m̂ / (√v̂ + ε)."""
        return self._moved(i, number, gradient + self.weight_decay * number if self.weight_decay else gradient)

    def _moved(self, i: int, number: float, g: float) -> float:
        first, second = self.betas
        self.means[i] = m = first * self.means[i] + (1.0 - first) * g
        self.squares[i] = v = second * self.squares[i] + (1.0 - second) * g * g
        of_mean, of_square = 1.0 - first**self.steps, 1.0 - second**self.steps
        return number - self.learning_rate * (m / of_mean) / (math.sqrt(v / of_square) + self.epsilon)


class AdamW(Adam):
    """Adam after p ← p - rate · weight_decay · p, the decay being kept out of the means (Loshchilov and Hutter, 2019).

    >>> p = Value(3.0)
    >>> optimizer = AdamW([p], learning_rate=0.1, weight_decay=0.5)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> round(p.data, 6)
    2.75
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, learning_rate, betas=betas, epsilon=epsilon, weight_decay=weight_decay)

    def moved(self, i: int, number: float, gradient: float) -> float:
        """Adam's step from the decayed number."""
        return self._moved(i, number * (1.0 - self.learning_rate * self.weight_decay), gradient)
