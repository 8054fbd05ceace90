"""``RMSprop``, ``Adagrad``, ``Adam``, ``AdamW``: optimizers whose step adapts to the gradients a parameter has had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from autograd import Value
from nn.checks import within
from nn.stepping import Moved, Optimizer, decayed


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

    STATE = ("squares", "velocities")
    SETTINGS = ("weight_decay", "smoothing", "epsilon", "momentum")

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

    @staticmethod
    def rule(m: Any, p: Any, g: Any, state: Sequence[Any], rate: Any, step: Any, settings: Any) -> Moved:
        """p - rate · g / (√v + ε)."""
        g = decayed(p, g, settings)
        v = settings.smoothing * state[0] + (1.0 - settings.smoothing) * g * g
        velocity = settings.momentum * state[1] + g / (m.sqrt(v) + settings.epsilon)
        return p - rate * velocity, (v, velocity)


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

    STATE = ("squares",)
    SETTINGS = ("weight_decay", "epsilon")

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

    @staticmethod
    def rule(m: Any, p: Any, g: Any, state: Sequence[Any], rate: Any, step: Any, settings: Any) -> Moved:
        """p - rate · g / (√s + ε)."""
        g = decayed(p, g, settings)
        s = state[0] + g * g
        return p - rate * g / (m.sqrt(s) + settings.epsilon), (s,)


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

    STATE = ("means", "squares")
    SETTINGS = ("weight_decay", "betas", "epsilon")

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
            raise TypeError(f"betas is a pair of numbers, not {betas!r:.200}")
        self.betas = (within("betas[0]", betas[0], 0.0, 1.0), within("betas[1]", betas[1], 0.0, 1.0))
        self.epsilon = within("epsilon", epsilon, 0.0, open_below=True)
        self.means = [0.0] * len(self.parameters)
        self.squares = [0.0] * len(self.parameters)

    @staticmethod
    def rule(m: Any, p: Any, g: Any, state: Sequence[Any], rate: Any, step: Any, settings: Any) -> Moved:
        """p - rate · m̂ / (√v̂ + ε)."""
        return adapted(m, p, decayed(p, g, settings), state, rate, step, settings)


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

    @staticmethod
    def rule(m: Any, p: Any, g: Any, state: Sequence[Any], rate: Any, step: Any, settings: Any) -> Moved:
        """Adam's step from the decayed number."""
        return adapted(m, p * (1.0 - rate * settings.weight_decay), g, state, rate, step, settings)


def adapted(m: Any, p: Any, g: Any, state: Sequence[Any], rate: Any, step: Any, settings: Any) -> Moved:
    """Adam's step along a gradient, the running means being taken as if they had begun with it."""
    first, second = settings.betas
    mean = first * state[0] + (1.0 - first) * g
    square = second * state[1] + (1.0 - second) * g * g
    # m̂ = mean / (1 - first^t) and √v̂ = √square / root: what is the same for all parameters is one factor.
    root = m.sqrt(1.0 - second**step)
    return p - rate * root / (1.0 - first**step) * mean / (m.sqrt(square) + settings.epsilon * root), (mean, square)
