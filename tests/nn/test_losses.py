"""Losses: their values to many digits, their gradients against differences, their complaints."""

import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograd import DomainError, Value, grad
from nn import (
    L1,
    L2,
    LOSSES,
    MLP,
    bce_with_logits,
    binary_cross_entropy,
    cost,
    cross_entropy,
    half_squared_error,
    hinge,
    huber,
    losses,
    mae,
    mse,
)

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
    assert mse(predictions, targets) == pytest.approx(expected, rel=1e-14)
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
    assert bce_with_logits(z, y) == pytest.approx(float(expected), rel=1e-14)
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
        expected = pytest.approx(math.exp(-z), rel=1e-12)
        assert bce_with_logits(z, 1) == bce_with_logits(-z, 0) == cross_entropy([z, 0.0], 0) == expected
    assert bce_with_logits(-1e300, 1) == 1e300
    assert cross_entropy([-1e300, 0.0, 1.0], 0) == 1e300
    assert grad(cross_entropy)([700.0, 0.0], 0) == pytest.approx([-math.exp(-700.0), math.exp(-700.0)], rel=1e-12)


def test_two_classes_are_one_logit() -> None:
    for z in (-3.0, 0.0, 0.5):
        assert cross_entropy([0.0, z], 1) == pytest.approx(bce_with_logits(z, 1), rel=1e-15)


@pytest.mark.parametrize("label", [0, 2, -2, 0.5, "1", None, math.nan])
def test_hinge_wants_signs(label: Any) -> None:
    with pytest.raises(ValueError, match=r"hinge wants the label -1 or \+1; it is "):
        hinge(Value(0.5), label)


def test_hinge_says_what_to_do_with_0_and_1() -> None:
    with pytest.raises(ValueError, match="it is 0; write 1 for one class and -1 for the other"):
        hinge(0.5, 0)


@pytest.mark.parametrize("target", [-1, 2, 1.5, "1", None, math.nan])
def test_bce_wants_probabilities(target: Any) -> None:
    with pytest.raises(ValueError, match=r"bce_with_logits wants the target 0 or 1 .*; it is "):
        bce_with_logits(0.5, target)


@pytest.mark.parametrize("target", [-1, 3, 1.0, "1", None, True])
def test_cross_entropy_wants_classes(target: Any) -> None:
    with pytest.raises(ValueError, match=r"cross_entropy wants an integer class 0 … 2; it is "):
        cross_entropy([0.5, 0.5, 0.5], target)


@pytest.mark.parametrize("scores", [[0.5], 0.5, Value(0.5), []])
def test_cross_entropy_wants_a_list_of_logits(scores: Any) -> None:
    with pytest.raises(ValueError, match="cross_entropy wants a list of two logits or more"):
        cross_entropy(scores, 0)


def test_numpy_classes() -> None:
    numpy = pytest.importorskip("numpy")
    assert cross_entropy([0.0, 0.0], numpy.int64(1)) == cross_entropy([0.0, 0.0], 1)
    assert hinge(0.5, numpy.int8(-1)) == 1.5


# --- the cost -----------------------------------------------------------------------------------------------


def test_the_cost_is_the_mean_over_the_samples() -> None:
    model = MLP(2, [3, 1])
    X, y = [[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]], [0, 1, 1]
    expected = sum(bce_with_logits(model(x), t).data for x, t in zip(X, y, strict=True)) / 3
    for loss in ("bce_with_logits", bce_with_logits):
        assert cost(model, X, y, loss).data == pytest.approx(expected, rel=1e-15)
    assert cost(lambda x: x[0], [[1.0], [2.0]], [0.0, 0.0], "mse") == 2.5


def test_what_the_cost_refuses() -> None:
    model = MLP(1, [1])
    with pytest.raises(ValueError, match="X is empty"):
        cost(model, [], [], "mse")
    with pytest.raises(ValueError, match="X has 2 samples, but y has 1 targets"):
        cost(model, [[1.0], [2.0]], [1.0], "mse")
    with pytest.raises(
        ValueError, match="no loss is called 'mean'; there are mse, half_squared_error, mae, huber, binary"
    ):
        cost(model, [[1.0]], [1.0], "mean")
    assert all(LOSSES[name] is getattr(losses, name) for name in LOSSES)
    assert len(LOSSES) == 8


# --- the losses that came later -----------------------------------------------------------------------------


@given(st.lists(st.tuples(moderate, moderate), min_size=1, max_size=4))
def test_half_squared_error_is_a_sum_with_a_plain_difference_as_its_gradient(pairs: list[tuple[float, float]]) -> None:
    predictions, targets = [p for p, _ in pairs], [t for _, t in pairs]
    expected = sum(0.5 * (t - p) ** 2 for p, t in pairs)
    assert half_squared_error(predictions, targets) == pytest.approx(expected, rel=1e-14)
    slopes = grad(lambda x: half_squared_error(x, targets))(predictions)
    assert slopes == pytest.approx([p - t for p, t in pairs], rel=1e-15, abs=1e-300)


@given(st.lists(st.tuples(moderate, moderate), min_size=1, max_size=4), st.floats(0.1, 3.0))
def test_mae_and_huber(pairs: list[tuple[float, float]], delta: float) -> None:
    predictions, targets = [p for p, _ in pairs], [t for _, t in pairs]
    distances = [p - t for p, t in pairs]
    assert mae(predictions, targets) == pytest.approx(sum(map(abs, distances)) / len(pairs), rel=1e-14)
    each = [0.5 * d * d if abs(d) <= delta else delta * (abs(d) - 0.5 * delta) for d in distances]
    assert huber(predictions, targets, delta=delta) == pytest.approx(sum(each) / len(pairs), rel=1e-14)
    slopes = grad(lambda x: huber(x, targets, delta=delta))(predictions)
    assert slopes == pytest.approx([max(-delta, min(delta, d)) / len(pairs) for d in distances], rel=1e-14, abs=1e-300)
    signs = [math.copysign(1.0, d) / len(pairs) if d else 0.0 for d in distances]
    assert grad(lambda x: mae(x, targets))(predictions) == pytest.approx(signs, rel=1e-15)


def test_huber_of_a_delta_that_is_not_positive() -> None:
    with pytest.raises(ValueError, match="delta must be finite, above 0; it is 0"):
        huber(1.0, 2.0, delta=0)


tiny = st.floats(1e-300, 1e-3)
inner = st.floats(1e-3, 1.0 - 1e-3)


@given(st.one_of(tiny, inner, inner.map(lambda p: 1.0 - 1e-12 * p)), st.one_of(st.sampled_from([0, 1]), inner))
def test_binary_cross_entropy(p: float, y: float) -> None:
    with mpmath.workdps(60):
        exact = -(mpmath.mpf(y) * mpmath.log(p) + (1 - mpmath.mpf(y)) * mpmath.log(1 - mpmath.mpf(p)))
        slope = -mpmath.mpf(y) / p + (1 - mpmath.mpf(y)) / (1 - mpmath.mpf(p))
        terms = mpmath.mpf(y) / p + (1 - mpmath.mpf(y)) / (1 - mpmath.mpf(p))  # what the slope is a difference of
    assert binary_cross_entropy(p, y) == pytest.approx(float(exact), rel=1e-14)
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
    assert bce_with_logits(z, y) == pytest.approx(sum(map(bce_with_logits, z, y)) / len(pairs), rel=1e-14)


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in ("cross_entropy", "hinge")])
def test_lists_of_unequal_length(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} needs one target per output; there are 1 for 2 outputs"):
        LOSSES[name]([0.5, 0.5], [1.0])


def test_penalties_leave_the_biases_alone() -> None:
    model = MLP(2, [2, 1], seed=3)
    for i, p in enumerate(model.parameters()):
        p.data = float(i) - 4.0
    w = [p.data for name, p in model.named_parameters() if not name.endswith(".b")]
    assert len(w) == 6
    assert L1(0.5)(model).data == 0.5 * sum(map(abs, w))
    assert L2(0.5)(model).data == 0.25 * sum(x * x for x in w)
    L2(0.5)(model).backward()
    for name, p in model.named_parameters():
        assert p.grad == (0.0 if name.endswith(".b") else 0.5 * p.data)
    assert L2(2.0, biases=True)(model).data == sum(p.data * p.data for p in model.parameters())
