"""First weights: draws whose scale keeps the variance of what flows through a layer near one.

An initializer is a function of (inputs, outputs, generator) that draws one weight; biases start at zero. Chance is
``generator.random()`` alone, so a seed means the same weights on every version of Python.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

from autograd import Value
from nn.activations import ACTIVATIONS, Activation

Initializer = Callable[[int, int, random.Random], float]
NameOrInitializer = str | Initializer

#: How far from zero an activation is asked which family it is of: there all that bends has become straight, and nothing
#: that a sensible activation computes overflows.
FAR = 100.0


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


def initializer_for(activation: Activation, chosen: NameOrInitializer | None = None) -> Initializer:
    """The initializer that was chosen, by name or as a function; without a choice, the one that suits the activation.

    >>> [initializer_for(Activation(name)).__name__ for name in ("relu", "tanh", "selu")]
    ['he', 'xavier', 'lecun']
    >>> initializer_for(Activation("tanh"), "he").__name__
    'he'

    Raises:
        ValueError: no initializer has this name.
    """
    if chosen is None:
        if activation.name == "selu":
            return lecun
        return he if activation.name in ACTIVATIONS and _is_like_relu(activation) else xavier
    if callable(chosen):
        return chosen
    if chosen not in INITIALIZERS:
        raise ValueError(f"no initializer is called {chosen!r:.200}; there are {', '.join(INITIALIZERS)}")
    return INITIALIZERS[chosen]


def _is_like_relu(activation: Activation) -> bool:
    """Whether an activation is x far above zero, and far below it less than half of that."""
    try:
        above, below = (float(getattr(y, "data", y)) for y in map(activation, (Value(FAR), Value(-FAR))))
    except (ValueError, ArithmeticError):  # outside of its domain, or too large for a float
        return False
    return math.isclose(above, FAR, rel_tol=0.01) and math.fabs(below) < FAR / 2


def _within(bound: float, generator: random.Random) -> float:
    return bound * (2.0 * generator.random() - 1.0)
