"""Optimizers against their textbook formulas, written out here in plain floats."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Value
from nn import MLP, SGD, Adam
from nn.optimizers import Optimizer
from tests.nn.stepping import gradients, run


@given(gradients, st.floats(1e-4, 1.0), st.floats(0.0, 0.99))
def test_sgd_with_momentum(steps: list[tuple[float, float]], rate: float, momentum: float) -> None:
    optimizer = SGD([Value(1.0), Value(-2.0)], learning_rate=rate, momentum=momentum)
    expected, places, velocity = [], [1.0, -2.0], [0.0, 0.0]
    for step in steps:
        velocity = [momentum * v + g for v, g in zip(velocity, step, strict=True)]
        places = [p - rate * v for p, v in zip(places, velocity, strict=True)]
        expected.append(places)
    assert run(optimizer, steps) == expected


@given(gradients, st.floats(1e-4, 1.0))
def test_sgd_without_momentum_is_gradient_descent(steps: list[tuple[float, float]], rate: float) -> None:
    expected, places = [], [1.0, -2.0]
    for step in steps:
        places = [p - rate * g for p, g in zip(places, step, strict=True)]
        expected.append(places)
    assert run(SGD([Value(1.0), Value(-2.0)], learning_rate=rate), steps) == expected


@pytest.mark.parametrize(
    "make", [lambda p: SGD(p, learning_rate=0.1, momentum=0.9), lambda p: Adam(p, learning_rate=0.3)]
)
def test_they_find_the_bottom_of_a_bowl(make: Any) -> None:
    x, y = Value(3.0), Value(-4.0)
    optimizer = make([x, y])
    for _ in range(300):
        optimizer.zero_grad()
        ((x - 1.0) ** 2 + 3.0 * (y - 2.0) ** 2).backward()
        optimizer.step()
    assert (x.data, y.data) == (pytest.approx(1.0, abs=1e-3), pytest.approx(2.0, abs=1e-3))


def test_zero_grad_and_step_leave_what_they_do_not_own() -> None:
    held, other = Value(1.0), Value(1.0)
    (held * other).backward()
    optimizer = SGD([held], learning_rate=0.5)
    optimizer.step()
    optimizer.zero_grad()
    assert (held.data, held.grad, other.data, other.grad) == (0.5, 0.0, 1.0, 1.0)


def test_a_generator_of_parameters_is_listed_once() -> None:
    optimizer = SGD(p for p in MLP(2, [1]).parameters())
    assert len(optimizer.parameters) == 3


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SGD([]), ValueError, "no parameters to optimize; give model.parameters"),
        (lambda: SGD(MLP(1, [1])), TypeError, "takes a list of Values, .* write model.parameters"),
        (lambda: SGD(Value(1.0)), TypeError, "takes a list of Values"),
        (lambda: Adam([1.0]), TypeError, "moves leaves; parameter 0 is 1.0. Write model.parameters"),
        (lambda: SGD([Value(1.0), Value(1.0) * 2.0]), TypeError, "moves leaves; parameter 1 is Value"),
        (lambda: SGD([Value(1.0)] * 2), ValueError, "listed twice"),
        (lambda: SGD([Value(1.0)], learning_rate=0.0), ValueError, "learning_rate must be finite, above 0; it is 0.0"),
        (
            lambda: SGD([Value(1.0)], learning_rate=math.nan),
            ValueError,
            "learning_rate must be finite, above 0; it is nan",
        ),
        (lambda: Adam([Value(1.0)], learning_rate=math.inf), ValueError, "learning_rate must be finite"),
        (
            lambda: SGD([Value(1.0)], momentum=1.0),
            ValueError,
            "momentum must be finite, at least 0 and below 1; it is 1.0",
        ),
        (
            lambda: Adam([Value(1.0)], betas=(0.9, -0.1)),
            ValueError,
            r"betas\[1\] must be finite, at least 0 and below 1",
        ),
        (lambda: Adam([Value(1.0)], epsilon=0.0), ValueError, "epsilon must be finite, above 0"),
        (lambda: Optimizer([Value(1.0)], learning_rate=1.0).step(), NotImplementedError, "^$"),
    ],
)
def test_what_they_refuse(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


OPTIMIZERS: dict[str, Any] = {
    "SGD": lambda p: SGD(p, learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "Adam": lambda p: Adam(p, learning_rate=0.1),
    "AdamW": lambda p: nn.AdamW(p, learning_rate=0.1),
    "RMSprop": lambda p: nn.RMSprop(p, learning_rate=0.1),
    "Adagrad": lambda p: nn.Adagrad(p, learning_rate=0.1),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_gradient_of_none_is_zero(make: Any) -> None:
    steps: list[Any] = [(1.0, None), (None, None), (-2.0, 3.0)]
    zeros = [tuple(0.0 if g is None else g for g in step) for step in steps]
    assert run(make([Value(1.0), Value(2.0)]), steps) == run(make([Value(1.0), Value(2.0)]), zeros)


def test_a_gradient_of_none_is_clipped_as_zero() -> None:
    p, q = Value(1.0), Value(2.0)
    p.grad, q.grad = None, 4.0  # type: ignore[assignment]
    assert nn.clip_grad_norm([p, q], 2.0) == 4.0
    assert (p.grad, q.grad) == (0.0, 2.0)
    p.grad = None  # type: ignore[assignment]
    nn.clip_grad_value([p, q], 1.0)
    assert (p.grad, q.grad) == (0.0, 1.0)
