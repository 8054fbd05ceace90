"""What the tests of the three systems share: drawn matrices, plain arithmetic to compare with, a bound for rounding.

The engine and the formula add up the same terms in different orders. Each of some n roundings moves a result by at most
2⁻⁵³ of the terms' absolute sum, whatever cancels between them. So every comparison here is |difference| ≤ 64 · 2⁻⁵³ ·
size, `size` being that sum: the same formula over absolute values, or a constant where every factor is bounded. The
longest way through a network here is three sums of at most four products and two sigmoids: fewer than 64 roundings.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from autograd import Value
from nn import Layer
from tests.checks import EPS

ROUNDINGS = 64


def assert_close(computed: Any, expected: Any, size: Any = 1.0) -> None:
    """Numbers, Values, or nested lists of one shape are equal but for rounding."""
    left, right = numbers(computed), numbers(expected)
    assert left.shape == right.shape, f"the shapes are {left.shape} and {right.shape}"
    bound = np.broadcast_to(ROUNDINGS * EPS * np.asarray(size, dtype=float), left.shape)
    assert np.all(np.abs(left - right) <= bound), f"{left.tolist()} is not {right.tolist()} within {bound.tolist()}"


def numbers(x: Any) -> Any:
    """The array of what a Value, a number, an array, or nested lists of them hold."""
    if isinstance(x, list | tuple):
        return np.array([numbers(item) for item in x])
    return np.asarray(x.data if isinstance(x, Value) else x, dtype=float)


def column(values: Sequence[Any]) -> Any:
    """The numbers as a column vector."""
    return numbers(list(values)).reshape(-1, 1)


def sigma(z: Any) -> Any:
    """σ(z) = 1 / (1 + e⁻ᶻ)."""
    return 1.0 / (1.0 + np.exp(-z))


def sigma_prime(z: Any) -> Any:
    """The slope of σ as it is defined, before it is simplified: e⁻ᶻ / (1 + e⁻ᶻ)²."""
    return np.exp(-z) / (1.0 + np.exp(-z)) ** 2


def matrices(rows: int, columns: int, largest: float = 1.0) -> st.SearchStrategy[Any]:
    """Matrices of multiples of largest / 8, from -largest to largest, a power of two.

    Sums of products of such numbers are exact, in any order. So both sides of a comparison have the same weighted sums
    to the last bit, and are on the same side of ReLU's kink; on the kink itself too, which such numbers often hit.
    """
    eighths = st.integers(-8, 8).map(lambda k: k * largest / 8)
    row = st.lists(eighths, min_size=columns, max_size=columns)
    return st.lists(row, min_size=rows, max_size=rows).map(lambda m: np.array(m).reshape(rows, columns))


def set_parameters(layer: Layer, W: Any, B: Any) -> None:
    """Write a matrix and a column vector into a layer."""
    for m, neuron in enumerate(layer.neurons):
        neuron.b.data = float(B[m, 0])
        for n, weight in enumerate(neuron.w):
            weight.data = float(W[m, n])


def weights(layer: Layer) -> list[list[Value]]:
    """W as the Values it is made of: row m holds the weights to neuron m."""
    return [neuron.w for neuron in layer.neurons]


def biases(layer: Layer) -> list[Value]:
    """B as the Values it is made of."""
    return [neuron.b for neuron in layer.neurons]


def gradient_of(values: Any) -> Any:
    """What `backward()` left in a Value, or in nested lists of them."""
    return [gradient_of(item) for item in values] if isinstance(values, list) else values.grad
