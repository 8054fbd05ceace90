"""Adaptive optimizers against their textbook formulas, written out here in plain floats."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from nn import Adam
from tests.nn.stepping import gradients, run


@given(gradients, st.floats(1e-4, 1.0), st.floats(0.0, 0.99), st.floats(0.0, 0.999))
def test_adam(steps: list[tuple[float, float]], rate: float, first: float, second: float) -> None:
    """Kingma and Ba, 2015, algorithm 1, one parameter at a time."""
    optimizer = Adam([Value(1.0), Value(-2.0)], learning_rate=rate, betas=(first, second), epsilon=1e-8)
    taken = run(optimizer, steps)
    for i, theta in enumerate([1.0, -2.0]):
        m = v = 0.0
        for t, step in enumerate(steps, start=1):
            g = step[i]
            m = first * m + (1 - first) * g
            v = second * v + (1 - second) * g**2
            m_hat = m / (1 - first**t)
            v_hat = v / (1 - second**t)
            theta = theta - rate * m_hat / (math.sqrt(v_hat) + 1e-8)
            assert taken[t - 1][i] == pytest.approx(theta, rel=1e-12, abs=1e-12)


def test_the_first_step_of_adam_is_the_learning_rate() -> None:
    for gradient in (1e-3, 1.0, -1e6):
        p = Value(0.0)
        run(Adam([p], learning_rate=0.01), [(gradient,)])  # type: ignore[list-item]
        assert p.data == pytest.approx(-math.copysign(0.01, gradient), rel=1e-4, abs=0.0)
