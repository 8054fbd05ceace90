"""First weights: draws whose scale keeps the variance of what flows through a layer near one.

An initializer is a function of (inputs, outputs, generator) that draws one weight; biases start at zero. Chance is
`generator.random()` alone, so a seed means the same weights on every version of Python.
"""

import math
import random
from collections.abc import Callable

Initializer = Callable[[int, int, random.Random], float]

#: Activations that are zero on, or nearly on, the negative half line.
RELU_FAMILY = frozenset({"relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus"})


def glorot_uniform(inputs: int, outputs: int, generator: random.Random) -> float:
    """A draw from ±√(6 / (inputs + outputs)), for tanh, sigmoid and linear (Glorot and Bengio, 2010, equation 16).

    >>> -1.0 <= glorot_uniform(2, 4, random.Random(0)) <= 1.0
    True
    """
    return _uniform(math.sqrt(6.0 / (inputs + outputs)), generator)


def he_uniform(inputs: int, outputs: int, generator: random.Random) -> float:
    """A draw from ±√(6 / inputs): variance 2 / inputs, for the relu family (He et al., 2015, equation 10).

    >>> -1.0 <= he_uniform(6, 1, random.Random(0)) <= 1.0
    True
    """
    return _uniform(math.sqrt(6.0 / inputs), generator)


def lecun_uniform(inputs: int, outputs: int, generator: random.Random) -> float:
    """A draw from ±√(3 / inputs): variance 1 / inputs, for selu (LeCun et al., 1998; Klambauer et al., 2017).

    >>> -1.0 <= lecun_uniform(3, 1, random.Random(0)) <= 1.0
    True
    """
    return _uniform(math.sqrt(3.0 / inputs), generator)


def initializer_for(activation: str) -> Initializer:
    """The initializer that suits an activation.

    >>> initializer_for("relu").__name__, initializer_for("tanh").__name__
    ('he_uniform', 'glorot_uniform')
    """
    if activation in RELU_FAMILY:
        return he_uniform
    return lecun_uniform if activation == "selu" else glorot_uniform


def _uniform(bound: float, generator: random.Random) -> float:
    return bound * (2.0 * generator.random() - 1.0)
