"""Losses: their values to many digits, and their gradients against differences."""

import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd
import nn
from autograd import DomainError, Value, grad
from nn import bce_with_logits, binary_cross_entropy, cross_entropy, half_squared_error, hinge, huber, mae, mse

logits = st.floats(-50.0, 50.0)
moderate = st.floats(-5.0, 5.0)


def difference(f: Callable[[list[float]], float], x: list[float], i: int) -> float:
    """The central difference of f along one number."""
    h = 1e-5
    up, down = [[*x[:i], x[i] + d, *x[i + 1 :]] for d in (h, -h)]
    return (f(up) - f(down)) / (2.0 * h)


def check(loss: Callable[[list[Any]], Any], x: list[float]) -> None:
    """The gradient against central differences, whose error is about h²·f‴ + ε·f/h."""
    gradient = grad(loss)(x)
    for i in range(len(x)):
        assert gradient[i] == pytest.approx(difference(loss, x, i), rel=1e-6, abs=1e-8)


@given(st.lists(st.tuples(moderate, moderate), min_size=1, max_size=4))
def test_mse(pairs: list[tuple[float, float]]) -> None:
    predictions, targets = [p for p, _ in pairs], [t for _, t in pairs]
    expected = sum((p - t) ** 2 for p, t in pairs) / len(pairs)
    assert mse(predictions, targets) == pytest.approx(expected, rel=1e-14, abs=0.0)
    check(lambda x: mse(x, targets), predictions)
    assert grad(lambda x: mse(x, targets))(predictions) == pytest.approx([2.0 * (p - t) / len(pairs) for p, t in pairs])


def test_mse_of_one_number() -> None:
    assert mse(3.0, 1.0) == mse([3.0], [1.0]) == mse([3.0], 1.0) == mse(3.0, [1.0]) == 4.0
    assert mse(Value(3.0), 1.0).data == 4.0
    with pytest.raises(ValueError, match="mse needs one target per output; there are 1 for 2 outputs"):
        mse([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="there are 1 for 2 outputs"):
        mse([1.0, 2.0], 1.0)


@given(moderate, st.sampled_from([-1, 1]))
def test_hinge(score: float, label: int) -> None:
    assert hinge(score, label) == max(0.0, 1.0 - label * score)
    assume(abs(1.0 - label * score) > 1e-3)
    check(lambda x: hinge(x[0], label), [score])


@given(logits, st.one_of(st.sampled_from([0, 1]), st.floats(0.0, 1.0)))
def test_bce_with_logits(z: float, y: float) -> None:
    with mpmath.workdps(60):
        expected = mpmath.log1p(mpmath.exp(-z)) * y + mpmath.log1p(mpmath.exp(z)) * (1 - mpmath.mpf(y))
    assert bce_with_logits(z, y) == pytest.approx(float(expected), rel=1e-14, abs=0.0)
    check(lambda x: bce_with_logits(x[0], y), [z])
    assert grad(bce_with_logits)(z, y) == pytest.approx(1.0 / (1.0 + math.exp(-z)) - y, rel=1e-9, abs=1e-14)


@given(st.lists(logits, min_size=2, max_size=5), st.integers(0, 4))
def test_cross_entropy(z: list[float], k: int) -> None:
    k %= len(z)
    with mpmath.workdps(60):
        expected = mpmath.log(sum(mpmath.exp(mpmath.mpf(x) - z[k]) for x in z))
    # The difference of two logits is rounded: half a unit in the last place of 100 at most.
    assert cross_entropy(z, k) == pytest.approx(float(expected), rel=5e-14, abs=1e-300)
    check(lambda x: cross_entropy(x, k), z)


def test_losses_of_sure_models_keep_their_digits() -> None:
    for z in (40.0, 100.0, 700.0):
        expected = pytest.approx(math.exp(-z), rel=1e-12, abs=0.0)
        assert bce_with_logits(z, 1) == bce_with_logits(-z, 0) == cross_entropy([z, 0.0], 0) == expected
    assert bce_with_logits(-1e300, 1) == 1e300
    assert cross_entropy([-1e300, 0.0, 1.0], 0) == 1e300
    assert grad(cross_entropy)([700.0, 0.0], 0) == pytest.approx(
        [-math.exp(-700.0), math.exp(-700.0)], rel=1e-12, abs=0.0
    )


def test_two_classes_are_one_logit() -> None:
    for z in (-3.0, 0.0, 0.5):
        assert cross_entropy([0.0, z], 1) == pytest.approx(bce_with_logits(z, 1), rel=1e-15, abs=0.0)


@given(st.lists(st.tuples(moderate, moderate), min_size=1, max_size=4))
def test_half_squared_error_is_a_sum_with_a_plain_difference_as_its_gradient(pairs: list[tuple[float, float]]) -> None:
    predictions, targets = [p for p, _ in pairs], [t for _, t in pairs]
    expected = sum(0.5 * (t - p) ** 2 for p, t in pairs)
    assert half_squared_error(predictions, targets) == pytest.approx(expected, rel=1e-14, abs=0.0)
    slopes = grad(lambda x: half_squared_error(x, targets))(predictions)
    assert slopes == pytest.approx([p - t for p, t in pairs], rel=1e-15, abs=1e-300)


@given(st.lists(st.tuples(moderate, moderate), min_size=1, max_size=4), st.floats(0.1, 3.0))
def test_mae_and_huber(pairs: list[tuple[float, float]], delta: float) -> None:
    predictions, targets = [p for p, _ in pairs], [t for _, t in pairs]
    distances = [p - t for p, t in pairs]
    assert mae(predictions, targets) == pytest.approx(sum(map(abs, distances)) / len(pairs), rel=1e-14, abs=0.0)
    each = [0.5 * d * d if abs(d) <= delta else delta * (abs(d) - 0.5 * delta) for d in distances]
    assert huber(predictions, targets, delta=delta) == pytest.approx(sum(each) / len(pairs), rel=1e-14, abs=0.0)
    slopes = grad(lambda x: huber(x, targets, delta=delta))(predictions)
    assert slopes == pytest.approx([max(-delta, min(delta, d)) / len(pairs) for d in distances], rel=1e-14, abs=1e-300)
    signs = [math.copysign(1.0, d) / len(pairs) if d else 0.0 for d in distances]
    assert grad(lambda x: mae(x, targets))(predictions) == pytest.approx(signs, rel=1e-15, abs=0.0)


def test_huber_of_a_delta_that_is_not_positive() -> None:
    with pytest.raises(ValueError, match="delta must be finite, above 0; it is 0"):
        huber(1.0, 2.0, delta=0)


tiny = st.floats(1e-300, 1e-3)
inner = st.floats(1e-3, 1.0 - 1e-3)


@given(st.one_of(tiny, inner, inner.map(lambda p: 1.0 - 1e-12 * p)), st.one_of(st.sampled_from([0, 1]), inner))
def test_binary_cross_entropy(p: float, y: float) -> None:
    with mpmath.workdps(60):
        exact = -(mpmath.mpf(y) * mpmath.log(p) + (1 - mpmath.mpf(y)) * mpmath.log1p(-mpmath.mpf(p)))
        slope = -mpmath.mpf(y) / p + (1 - mpmath.mpf(y)) / (1 - mpmath.mpf(p))
        terms = mpmath.mpf(y) / p + (1 - mpmath.mpf(y)) / (1 - mpmath.mpf(p))  # what the slope is a difference of
    assert binary_cross_entropy(p, y) == pytest.approx(float(exact), rel=1e-14, abs=0.0)
    assert grad(lambda x: binary_cross_entropy(x, y))(p) == pytest.approx(float(slope), rel=0, abs=1e-14 * float(terms))


def test_binary_cross_entropy_at_the_bounds() -> None:
    assert binary_cross_entropy(1.0, 1) == binary_cross_entropy(0.0, 0) == 0.0
    for p, y in ((0.0, 1), (1.0, 0), (0.0, 0.5), (1.5, 1), (-0.5, 0), (math.nan, 1)):
        for given_as in (p, Value(p)):
            with pytest.raises(DomainError, match=r"binary_cross_entropy needs a probability .* bce_with_logits"):
                binary_cross_entropy(given_as, y)
    with pytest.raises(ValueError, match="binary_cross_entropy wants the target 0 or 1"):
        binary_cross_entropy(0.5, 2)


@given(st.lists(st.tuples(logits, st.sampled_from([0, 1])), min_size=1, max_size=4))
def test_binary_cross_entropies_of_several_outputs_are_means(pairs: list[tuple[float, int]]) -> None:
    z, y = [z for z, _ in pairs], [y for _, y in pairs]
    assert bce_with_logits(z, y) == pytest.approx(sum(map(bce_with_logits, z, y)) / len(pairs), rel=1e-14, abs=0.0)


#: Loss → a prediction and a target, as plain numbers.
RECORDED: dict[str, tuple[Any, Any]] = {
    "mse": ([0.3, 0.6], [0.5, 0.0]),
    "mae": ([0.3, 0.6], [0.5, 0.0]),
    "huber": ([0.3, 0.6], [0.5, 0.0]),
    "hinge": (0.3, 1),
    "bce_with_logits": ([0.3, 0.6], [1, 0.25]),
    "binary_cross_entropy": ([0.3, 0.6, 0.2], [1, 0, 0.25]),
    "cross_entropy": ([0.3, 0.6], 1),
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_loss_is_recorded_with_plain_targets(name: str) -> None:
    loss = getattr(nn, name)
    prediction, target = RECORDED[name]

    def of_prediction(p: Any) -> Any:
        return loss(p, target)

    compiled = autograd.compile(of_prediction, wrt=0, backend="numpy")
    for found, expected in zip(
        compiled.value_and_grad(prediction), autograd.value_and_grad(of_prediction)(prediction), strict=True
    ):
        assert found == pytest.approx(expected, rel=1e-15, abs=0.0)  # NumPy has an exponential of its own


def test_a_recorded_probability_that_is_none_is_refused() -> None:
    compiled = autograd.compile(lambda p: nn.binary_cross_entropy(p, 1), backend="numpy")
    assert compiled(0.5) == math.log(2.0)
    with pytest.raises(autograd.DomainError, match="binary_cross_entropy needs a probability between 0 and 1"):
        compiled(1.5)
