"""First weights: draws whose scale keeps the variance of what flows through a layer near one.

An initializer is a function of (inputs, outputs, generator) that draws one weight; biases start at zero. Chance is
``generator.random()`` alone, so a seed means the same weights on every version of Python.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

Initializer = Callable[[int, int, random.Random], float]
NameOrInitializer = str | Initializer

#: Activations that are zero on, or nearly on, the negative half line.
RELU_FAMILY = frozenset({"relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus"})


def xavier(inputs: int, outputs: int, generator: random.Random) -> float:
    """A draw from ±√(6 / (inputs + outputs)), for tanh, sigmoid and linear (Glorot and Bengio, 2010, equation 16).

    >>> -1.0 <= xavier(2, 4, random.Random(0)) <= 1.0
    True
    """
    return _within(math.sqrt(6.0 / (inputs + outputs)), generator)


def he(inputs: int, outputs: int, generator: random.Random) -> float:
    """A draw from ±√(6 / inputs): variance 2 / inputs, for the relu family (He et al., 2015, equation 10).

    >>> -1.0 <= he(6, 1, random.Random(0)) <= 1.0
    True
    """
    return _within(math.sqrt(6.0 / inputs), generator)


def lecun(inputs: int, outputs: int, generator: random.Random) -> float:
    """A draw from ±√(3 / inputs): variance 1 / inputs, for selu (LeCun et al., 1998; Klambauer et al., 2017).

    >>> -1.0 <= lecun(3, 1, random.Random(0)) <= 1.0
    True
    """
    return _within(math.sqrt(3.0 / inputs), generator)


def uniform(inputs: int, outputs: int, generator: random.Random) -> float:
    """A draw from ±1, whatever the widths.

    >>> -1.0 <= uniform(300, 300, random.Random(0)) <= 1.0
    True
    """
    return _within(1.0, generator)


def zeros(inputs: int, outputs: int, generator: random.Random) -> float:
    """0.0: every neuron of a layer stays like the others, which shows why weights are drawn at all.

    >>> zeros(2, 4, random.Random(0))
    0.0
    """
    return 0.0


#: The initializers by name; xavier and glorot are two names of one.
INITIALIZERS: Mapping[str, Initializer] = MappingProxyType(
    {"xavier": xavier, "glorot": xavier, "he": he, "lecun": lecun, "uniform": uniform, "zeros": zeros}
)


def initializer_for(activation: str, chosen: NameOrInitializer | None = None) -> Initializer:
    """The initializer that was chosen, by name or as a function; without a choice, the one that suits the activation.

    >>> initializer_for("relu").__name__, initializer_for("tanh").__name__, initializer_for("tanh", "he").__name__
    ('he', 'xavier', 'he')

    Raises:
        ValueError: no initializer has this name.
    """
    if chosen is None:
        if activation in RELU_FAMILY:
            return he
        return lecun if activation == "selu" else xavier
    if callable(chosen):
        return chosen
    if chosen not in INITIALIZERS:
        raise ValueError(f"no initializer is called {chosen!r}; there are {', '.join(INITIALIZERS)}")
    return INITIALIZERS[chosen]


def _within(bound: float, generator: random.Random) -> float:
    return bound * (2.0 * generator.random() - 1.0)
