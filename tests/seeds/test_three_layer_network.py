"""The three-layer network over m samples: ReLU, ReLU and σ with cross entropy; and a linear output with squares.

Seed 001. Samples are the columns of X, A and Z, so that every formula is one of matrices, written out here in NumPy:

    Zˡ = Wˡ·Aˡ⁻¹ + bˡ,  Aˡ = g(Zˡ),  A⁰ = X
    J = −1/m Σ (y·ln A³ + (1 − y)·ln(1 − A³)),  ∂J/∂A³ = 1/m (A³ − y) / (A³(1 − A³)),  ∂Z³ = 1/m (A³ − y)
    J = 1/m Σ (A³ − y)²,                        ∂J/∂A³ = ∂Z³ = 2/m (A³ − y)
    ∂Zˡ = Wˡ⁺¹ᵀ·∂Zˡ⁺¹ ⊙ g′(Zˡ),  ∂Wˡ = ∂Zˡ·Aˡ⁻¹ᵀ,  ∂bˡ = the sum of ∂Zˡ over the samples

The source has slips, and the engine decides: it loses the parentheses of the cross entropy, the transposes, the ⊙ and
the order of the factors (∂Z³·W³ for W³ᵀ·∂Z³, A²/m·(A³ − y) for 1/m·(A³ − y)·A²ᵀ); with the sign Σ it drops the sum
when it goes over to matrices; it heads the chain for W¹ with ∂J/∂W², and has W³ differentiated by the loss; it applies
σ to the input instead of Z³; and its update takes the gradient at Wᵢ, which is not there yet, with i for the step in W
and for the layer in ∂Z.

Reductions: J is the mean over the m samples, without a ½. Where an output has n numbers, nn's mse divides by n as well,
as the third source does; the n of this one is 1, where that is the same.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

import autograd
import nn
from autograd import Value, gradients, mean
from tests.checks import EPS
from tests.seeds.textbook import (
    assert_close,
    biases,
    gradient_of,
    matrices,
    numbers,
    set_parameters,
    sigma,
    sigma_prime,
    weights,
)

LAYERS = (1, 2, 3)


@dataclass(frozen=True)
class Problem:
    """Weights, biases, samples and targets; layers count from 1, and samples are columns."""

    W: dict[int, Any]
    b: dict[int, Any]
    X: Any
    y: Any

    @property
    def m(self) -> int:
        return int(self.X.shape[1])

    @property
    def rows(self) -> list[list[float]]:
        """The samples as nn takes them."""
        return [list(row) for row in self.X.T.tolist()]

    @property
    def targets(self) -> list[Any]:
        """One number per sample, or a list where the output has several."""
        return [t[0] if len(t) == 1 else t for t in self.y.T.tolist()]

    def model(self, output: str) -> nn.MLP:
        model = nn.MLP(self.X.shape[0], [self.W[i].shape[0] for i in LAYERS], "relu", output)
        for i, layer in zip(LAYERS, model.layers, strict=True):
            set_parameters(layer, self.W[i], self.b[i])
        return model


@st.composite
def problems(draw: st.DrawFn, outputs: int = 1, targets: float = 1.0, signed: bool = False) -> Problem:
    """Weights are at most ½, so |Z³| is below 6, where probabilities still have most of their digits."""
    widths = [draw(st.integers(1, 3)) for _ in range(3)] + [draw(st.integers(1, outputs))]
    m = draw(st.integers(1, 4))
    W = {i: draw(matrices(widths[i], widths[i - 1], 0.5)) for i in LAYERS}
    b = {i: draw(matrices(widths[i], 1, 0.5)) for i in LAYERS}
    y = draw(matrices(widths[3], m, targets))
    return Problem(W, b, draw(matrices(widths[0], m)), y if signed else np.abs(y))


@dataclass(frozen=True)
class Formulas:
    """The forward and the backward pass in matrices; with the sizes of the terms that were added up for each result."""

    Z: dict[int, Any]
    A: dict[int, Any]
    dZ: dict[int, Any]
    dW: dict[int, Any]
    db: dict[int, Any]
    size_of_dZ: dict[int, Any]
    size_of_dW: dict[int, Any]
    size_of_db: dict[int, Any]


def relu(Z: Any) -> Any:
    return np.maximum(Z, 0.0)


def identity(Z: Any) -> Any:
    return Z


def step(Z: Any) -> Any:
    """ReLU's slope: 0 at the kink, the engine's choice."""
    return (Z > 0.0).astype(float)


def forward(p: Problem, output: Callable[[Any], Any]) -> tuple[dict[int, Any], dict[int, Any]]:
    Z: dict[int, Any] = {}
    A = {0: p.X}
    for i in LAYERS:
        Z[i] = p.W[i] @ A[i - 1] + p.b[i]
        A[i] = output(Z[i]) if i == 3 else relu(Z[i])
    return Z, A


def backward(W: Any, A: Any, slopes: Any, dZ3: Any) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any]]:
    """∂Z, ∂W and ∂b of every layer, from ∂Z³ down."""
    dZ = {3: dZ3}
    for i in (2, 1):
        dZ[i] = (W[i + 1].T @ dZ[i + 1]) * slopes[i]
    dW = {i: dZ[i] @ A[i - 1].T for i in LAYERS}
    db = {i: dZ[i].sum(axis=1, keepdims=True) for i in LAYERS}
    return dZ, dW, db


def formulas(p: Problem, output: Callable[[Any], Any], factor: float) -> Formulas:
    """Both costs have ∂Z³ = factor/m (A³ − y)."""
    Z, A = forward(p, output)
    slopes = {i: step(Z[i]) for i in (1, 2)}
    found = backward(p.W, A, slopes, factor / p.m * (A[3] - p.y))
    dZ3 = factor / p.m * (np.abs(A[3]) + np.abs(p.y))
    sizes = backward({i: np.abs(W) for i, W in p.W.items()}, {i: np.abs(a) for i, a in A.items()}, slopes, dZ3)
    return Formulas(Z, A, *found, *sizes)


def traced(p: Problem, output: str, loss: Any) -> tuple[nn.MLP, list[nn.Trace], Value]:
    """The network, the trace of each sample, and the cost over all, in one graph."""
    model = p.model(output)
    traces = [model.trace(row) for row in p.rows]
    losses = [loss(trace.output, target) for trace, target in zip(traces, p.targets, strict=True)]
    return model, traces, mean(losses)


def by_columns(traces: list[nn.Trace], letter: str, i: int) -> list[list[Value]]:
    """Z or A of a layer, in rows of samples: what is transposed to have the source's matrix."""
    return [getattr(trace, letter)[i - 1] for trace in traces]


def check_every_gradient(p: Problem, output: str, loss: Any, f: Formulas) -> None:
    """∂Z by `gradients` between nodes; ∂W and ∂b both so and by `nn.cost` and `backward()`."""
    model, traces, cost = traced(p, output, loss)
    for i, layer in zip(LAYERS, model.layers, strict=True):
        dZ = gradients(cost, by_columns(traces, "Z", i))
        assert_close(numbers(dZ).T, f.dZ[i], f.size_of_dZ[i])
        assert_close(gradients(cost, weights(layer)), f.dW[i], f.size_of_dW[i])
        assert_close(gradients(cost, biases(layer)), f.db[i][:, 0], f.size_of_db[i][:, 0])
    nn.cost(model, p.rows, p.targets, loss).backward()
    for i, layer in zip(LAYERS, model.layers, strict=True):
        assert_close(gradient_of(weights(layer)), f.dW[i], f.size_of_dW[i])
        assert_close(gradient_of(biases(layer)), f.db[i][:, 0], f.size_of_db[i][:, 0])


#: Widths 2, 3, 2, 1 and four samples: matrices fit each other only where they must.
EXAMPLE = Problem(
    W={
        1: np.array([[0.5, 0.25], [-0.25, 0.5], [0.125, -0.5]]),
        2: np.array([[0.5, 0.25, -0.125], [-0.25, -0.5, 0.25]]),
        3: np.array([[0.5, -0.25]]),
    },
    b={1: np.array([[0.5], [0.25], [-0.5]]), 2: np.array([[0.25], [0.5]]), 3: np.array([[-0.25]])},
    X=np.array([[0.5, -0.25, 1.0, -1.0], [1.0, 0.5, -0.5, -1.0]]),
    y=np.array([[1.0, 0.0, 0.0, 1.0]]),
)

#: The activation of the output, the loss, and the factor in ∂Z³ = factor/m (A³ − y).
BOTH_COSTS = [("sigmoid", nn.binary_cross_entropy, 1.0), ("linear", nn.mse, 2.0)]


# Classification.


@given(problems())
def test_the_forward_pass(p: Problem) -> None:
    Z, A = forward(p, sigma)
    model, traces, _ = traced(p, "sigmoid", nn.binary_cross_entropy)
    for i in LAYERS:
        assert np.array_equal(numbers(by_columns(traces, "Z", i)).T, Z[i])  # exact, see `matrices`
        assert_close(numbers(by_columns(traces, "A", i)).T, A[i])
    assert model.predict(p.rows) == [trace.output.data for trace in traces]


@given(problems())
def test_the_cross_entropy_over_the_samples(p: Problem) -> None:
    a, y = forward(p, sigma)[1][3], p.y
    J = -(y * np.log(a) + (1.0 - y) * np.log(1.0 - a)).sum() / p.m
    size = (1.0 / np.minimum(a, 1.0 - a)).max()  # ln moves by that much times what its argument moves by
    assert_close(nn.cost(p.model("sigmoid"), p.rows, p.targets, "binary_cross_entropy"), J, size)
    as_matrices = -(y @ np.log(a).T + (1.0 - y) @ np.log(1.0 - a).T) / p.m
    assert_close(as_matrices[0, 0], J, size)
    # The same number from the logits, where no digit is lost: what one would train with.
    assert_close(nn.cost(p.model("linear"), p.rows, p.targets, "bce_with_logits"), J, size)


@given(problems())
def test_the_derivative_of_the_cross_entropy(p: Problem) -> None:
    a, y = forward(p, sigma)[1][3], p.y
    _, traces, cost = traced(p, "sigmoid", nn.binary_cross_entropy)
    size = 1.0 / (a * (1.0 - a)) ** 2  # how fast the formula changes with a, which is known to a rounding
    dA = numbers(gradients(cost, by_columns(traces, "A", 3))).T
    assert_close(dA, (-y / a + (1.0 - y) / (1.0 - a)) / p.m, size)
    assert_close(dA, (a - y - y * a + y * a) / (a * (1.0 - a)) / p.m, size)
    assert_close(dA, (a - y) / (a * (1.0 - a)) / p.m, size)


@given(problems())
def test_the_slope_of_sigma_is_sigma_times_one_minus_sigma(p: Problem) -> None:
    Z, A = forward(p, sigma)
    _, traces, _ = traced(p, "sigmoid", nn.binary_cross_entropy)
    slopes = [gradients(trace.output, trace.Z[2][0]).data for trace in traces]
    assert_close(slopes, (A[3] * (1.0 - A[3]))[0])
    assert_close(slopes, sigma_prime(Z[3])[0])


@given(problems())
def test_every_gradient_with_cross_entropy(p: Problem) -> None:
    check_every_gradient(p, "sigmoid", nn.binary_cross_entropy, formulas(p, sigma, 1.0))


@given(problems())
def test_every_gradient_from_the_logits(p: Problem) -> None:
    """σ and cross entropy in one function have the same ∂Z³, ∂W and ∂b."""
    check_every_gradient(p, "linear", nn.bce_with_logits, formulas(p, sigma, 1.0))


@given(problems())
def test_the_chains_factor_by_factor(p: Problem) -> None:
    """For one sample: ∂J/∂A³ · ∂A³/∂Z³ · ∂Z³/∂A² · ∂A²/∂Z² · ∂Z²/∂A¹ · ∂A¹/∂Z¹ · ∂Z¹/∂W¹, each factor the engine's.

    Written as row vectors and Jacobians in this order the chain needs no transposes: ∂Zˡ/∂Aˡ⁻¹ is Wˡ, ∂Aˡ/∂Zˡ is the
    diagonal of g′(Zˡ), and ∂Zˡ by row k of Wˡ is Aˡ⁻¹ in row k.
    """
    p = Problem(p.W, p.b, p.X[:, :1], p.y[:, :1])
    model, (trace,), cost = traced(p, "sigmoid", nn.binary_cross_entropy)
    Z, A = {i: trace.Z[i - 1] for i in LAYERS}, {i: trace.A[i - 1] for i in LAYERS}

    def jacobian(outputs: list[Value], inputs: list[Value]) -> Any:
        return numbers([gradients(output, inputs) for output in outputs])

    a = A[3][0].data
    f = formulas(p, sigma, 1.0)
    chain = jacobian([cost], A[3]) @ jacobian(A[3], Z[3])
    for i in (3, 2, 1):
        if i < 3:
            assert np.array_equal(jacobian(Z[i + 1], A[i]), p.W[i + 1])
            assert np.array_equal(jacobian(A[i], Z[i]), np.diag(step(f.Z[i])[:, 0]))
            chain = chain @ jacobian(Z[i + 1], A[i]) @ jacobian(A[i], Z[i])
        assert_close(chain[0], f.dZ[i][:, 0], f.size_of_dZ[i][:, 0] + a)
        below = numbers(A[i - 1]) if i > 1 else p.X[:, 0]
        for k, (row, z) in enumerate(zip(weights(model.layers[i - 1]), Z[i], strict=True)):
            slopes = numbers(gradients(z, row))
            assert np.array_equal(slopes, below)  # ∂Zˡ/∂Wˡ = Aˡ⁻¹
            assert_close(chain[0, k] * slopes, f.dW[i][k], f.size_of_dW[i][k] + np.abs(below))


# Regression.


@given(problems(outputs=2, targets=4.0, signed=True))
def test_the_mean_squared_error_and_its_derivative(p: Problem) -> None:
    a, y = forward(p, identity)[1][3], p.y
    n = len(y)
    _, traces, cost = traced(p, "linear", nn.mse)
    assert_close(cost, ((a - y) ** 2).sum() / (p.m * n), 100.0)  # |a - y| is below 10
    assert_close(nn.cost(p.model("linear"), p.rows, p.targets, "mse"), np.trace((a - y) @ (a - y).T) / (p.m * n), 100.0)
    assert_close(numbers(gradients(cost, by_columns(traces, "A", 3))).T, 2.0 / (p.m * n) * (a - y), 20.0)
    assert all(a is z for trace in traces for a, z in zip(trace.A[2], trace.Z[2], strict=True))  # A³ = Z³


@given(problems(outputs=2, targets=4.0, signed=True))
def test_every_gradient_with_squared_error(p: Problem) -> None:
    check_every_gradient(p, "linear", nn.mse, formulas(p, identity, 2.0 / len(p.y)))


# Gradient descent.


@pytest.mark.parametrize("kind", ["classification", "regression"])
@given(problems(), st.integers(1, 8).map(lambda k: k / 8))
def test_the_update_rule(kind: str, p: Problem, rate: float) -> None:
    """W ← W − α·∂W and b ← b − α·Σ ∂Z, the sum being over the samples and the gradient taken where W is."""
    output, loss, f = {
        "classification": ("sigmoid", nn.binary_cross_entropy, formulas(p, sigma, 1.0)),
        "regression": ("linear", nn.mse, formulas(p, identity, 2.0)),
    }[kind]
    model = p.model(output)
    optimizer = nn.SGD(model.parameters(), learning_rate=rate)
    nn.cost(model, p.rows, p.targets, loss).backward()
    optimizer.step()
    for i, layer in zip(LAYERS, model.layers, strict=True):
        W, b = p.W[i] - rate * f.dW[i], p.b[i][:, 0] - rate * f.dZ[i].sum(axis=1)
        assert_close(weights(layer), W, 1.0 + rate * f.size_of_dW[i])
        assert_close(biases(layer), b, 1.0 + rate * f.size_of_db[i][:, 0])


@pytest.mark.parametrize(("output", "loss", "factor"), BOTH_COSTS)
def test_an_epoch_of_fit_is_one_such_step(output: str, loss: Any, factor: float) -> None:
    p = EXAMPLE
    model, f = p.model(output), formulas(p, sigma if output == "sigmoid" else identity, factor)
    optimizer = nn.SGD(model.parameters(), learning_rate=0.5)
    history = nn.fit(model, p.rows, p.targets, loss=loss, optimizer=optimizer, epochs=1, progress=False)
    assert_close(history.losses, [nn.cost(p.model(output), p.rows, p.targets, loss)], 10.0)
    for i, layer in zip(LAYERS, model.layers, strict=True):
        assert_close(weights(layer), p.W[i] - 0.5 * f.dW[i], 1.0 + f.size_of_dW[i])
        assert_close(biases(layer), (p.b[i] - 0.5 * f.db[i])[:, 0], 1.0 + f.size_of_db[i][:, 0])


# Activation functions.


def _phi(x: Any) -> Any:
    """The distribution function of the normal distribution."""
    return mp.ncdf(x)


def _is_positive(x: Any) -> Any:
    return mp.mpf(x > 0)


_LAMBDA, _ALPHA = mp.mpf("1.0507009873554804934193349852946"), mp.mpf("1.6732632423543772848170429916717")

#: Name in nn → the function and its derivative in closed form; at a kink, the engine's slope.
ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "linear": (lambda x: x, lambda x: mp.one),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), lambda x: 1 / (1 + mp.exp(-x)) * (1 - 1 / (1 + mp.exp(-x)))),
    "tanh": (mp.tanh, lambda x: 1 - mp.tanh(x) ** 2),
    "arctan": (mp.atan, lambda x: 1 / (1 + x**2)),
    "relu": (lambda x: max(x, mp.zero), _is_positive),
    "leaky_relu": (lambda x: x if x > 0 else x / 100, lambda x: mp.one if x > 0 else mp.one / 100),
    "elu": (lambda x: x if x > 0 else mp.expm1(x), lambda x: mp.one if x > 0 else mp.exp(x)),
    "selu": (
        lambda x: _LAMBDA * (x if x > 0 else _ALPHA * mp.expm1(x)),
        lambda x: _LAMBDA * (mp.one if x > 0 else _ALPHA * mp.exp(x)),
    ),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), lambda x: 1 / (1 + mp.exp(-x))),
    "silu": (
        lambda x: x / (1 + mp.exp(-x)),
        lambda x: 1 / (1 + mp.exp(-x)) * (1 + x * (1 - 1 / (1 + mp.exp(-x)))),
    ),
    "gelu": (lambda x: x * _phi(x), lambda x: _phi(x) + x * mp.npdf(x)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(st.floats(-20.0, 20.0) | st.sampled_from([0.0, 1.0, -1.0]))
def test_the_usual_activations_and_their_derivatives(name: str, x: float) -> None:
    """Through a layer of one neuron with weight 1, so that A = g(x) and ∂A/∂Z = g′(x).

    With |x| ≤ 20 each is within a few roundings of max(1, |x|): the slopes of σ and tanh are 1 less something near 1.
    """
    layer_of_one = nn.MLP(1, [1], output=name)
    set_parameters(layer_of_one.layers[0], np.array([[1.0]]), np.array([[0.0]]))
    trace = layer_of_one.trace([x])
    (z,), (a,) = trace.Z[0], trace.A[0]
    function, derivative = ACTIVATIONS[name]
    with mpmath.workdps(50):
        value, slope = float(function(mp.mpf(x))), float(derivative(mp.mpf(x)))
    assert abs(a.data - value) <= 8 * EPS * max(1.0, abs(x))
    assert abs(gradients(a, z).data - slope) <= 8 * EPS * max(1.0, abs(x))


@given(st.lists(st.floats(-20.0, 20.0), min_size=2, max_size=4))
def test_softmax_and_its_jacobian(z: list[float]) -> None:
    """∂sᵢ/∂zⱼ = sᵢ(δᵢⱼ − sⱼ)."""
    powers = np.exp(np.array(z) - max(z))
    s = powers / powers.sum()
    assert_close(autograd.softmax(z), s)
    assert_close(autograd.jacobian(autograd.softmax)(z), np.diag(s) - np.outer(s, s))


def test_the_slope_of_sigma_is_a_bell() -> None:
    """Even, ¼ at its top, falling to both sides, and curved like a bell: down in the middle, up in the tails."""
    slope = autograd.grad(autograd.sigmoid)
    heights = [slope(k / 4) for k in range(-24, 25)]
    assert heights[24] == 0.25
    assert_close(heights, heights[::-1])
    assert heights[:25] == sorted(set(heights[:25]))
    curvature = autograd.grad(autograd.grad(slope))
    assert curvature(0.0) < 0.0 < curvature(3.0)


# What the source prints, and what is right.


def _multiplies(left: Any, right: Any) -> bool:
    """Whether these matrices can be multiplied in this order."""
    return bool(left.shape[1] == right.shape[0])


def test_the_sum_and_the_sign_of_the_cross_entropy_cover_both_terms() -> None:
    p, a = EXAMPLE, forward(EXAMPLE, sigma)[1][3]
    cost = nn.cost(p.model("sigmoid"), p.rows, p.targets, "binary_cross_entropy").data
    as_printed = -(p.y * np.log(a)).sum() / p.m + ((1.0 - p.y) * np.log(1.0 - a))[0, -1]
    assert abs(cost - as_printed) > 0.1
    assert_close(cost, -(p.y * np.log(a) + (1.0 - p.y) * np.log(1.0 - a)).sum() / p.m, 10.0)


def test_sigma_is_applied_to_z3_not_to_the_input() -> None:
    p = EXAMPLE
    assert sigma(p.X).shape != p.y.shape
    _, traces, _ = traced(p, "sigmoid", nn.binary_cross_entropy)
    assert_close([trace.output for trace in traces], sigma(forward(p, sigma)[0][3])[0])


def test_without_its_sum_a_cost_over_matrices_needs_a_transpose() -> None:
    p, a = EXAMPLE, forward(EXAMPLE, sigma)[1][3]
    assert not _multiplies(p.y, np.log(a))
    assert not _multiplies(a - p.y, a - p.y)
    J = nn.cost(p.model("sigmoid"), p.rows, p.targets, "binary_cross_entropy")
    assert_close(-(p.y @ np.log(a).T + (1.0 - p.y) @ np.log(1.0 - a).T)[0, 0] / p.m, J, 10.0)
    z = forward(p, identity)[1][3]
    assert_close(((z - p.y) @ (z - p.y).T)[0, 0] / p.m, nn.cost(p.model("linear"), p.rows, p.targets, "mse"))


@pytest.mark.parametrize(("output", "loss", "factor"), BOTH_COSTS)
def test_the_products_need_their_transposes_and_their_order(output: str, loss: Any, factor: float) -> None:
    """As printed, ∂W³, ∂Z², ∂W², ∂Z¹ and ∂W¹ multiply matrices that do not fit each other."""
    p = EXAMPLE
    f = formulas(p, sigma if output == "sigmoid" else identity, factor)
    A, dZ, W = f.A, f.dZ, p.W
    assert not _multiplies(A[2], dZ[3])
    assert not _multiplies(dZ[3], A[2])
    assert not _multiplies(dZ[3], W[3])
    assert not _multiplies(dZ[2], W[2])
    assert not _multiplies(dZ[2], A[1])
    assert not _multiplies(dZ[1], A[0])
    assert _multiplies(dZ[3], A[2].T)
    assert _multiplies(W[3].T, dZ[3])
    assert _multiplies(W[2].T, dZ[2])
    check_every_gradient(p, output, loss, f)


def test_the_gradient_of_w3_sums_over_the_samples() -> None:
    """With an index i on A³ and y and none on A², the printed product is the share of one sample."""
    p, f = EXAMPLE, formulas(EXAMPLE, sigma, 1.0)
    model, _, cost = traced(p, "sigmoid", nn.binary_cross_entropy)
    shares = [f.dZ[3][:, i : i + 1] @ f.A[2][:, i : i + 1].T for i in range(p.m)]
    found = numbers(gradients(cost, weights(model.layers[2])))
    assert_close(found, sum(shares))
    assert all(np.abs(found - share).max() > 0.01 for share in shares)


def test_the_long_chain_is_that_of_w1() -> None:
    """It is headed ∂J/∂W², for both costs; it ends in ∂Z¹/∂W¹, and W² has another shape."""
    p, f = EXAMPLE, formulas(EXAMPLE, sigma, 1.0)
    model, _, cost = traced(p, "sigmoid", nn.binary_cross_entropy)
    chain = (p.W[2].T @ ((p.W[3].T @ f.dZ[3]) * step(f.Z[2])) * step(f.Z[1])) @ p.X.T
    assert_close(gradients(cost, weights(model.layers[0])), chain)
    assert numbers(gradients(cost, weights(model.layers[1]))).shape != chain.shape


def test_what_is_summed_over_the_samples_is_the_gradient_of_the_bias() -> None:
    """Not the bias itself, and for each neuron by itself: not all terms of the matrix into one number."""
    p, f = EXAMPLE, formulas(EXAMPLE, sigma, 1.0)
    model, _, cost = traced(p, "sigmoid", nn.binary_cross_entropy)
    for i, layer in zip(LAYERS, model.layers, strict=True):
        found = numbers(gradients(cost, biases(layer)))
        assert_close(found, f.dZ[i].sum(axis=1))
        assert np.abs(found - p.b[i][:, 0]).max() > 0.01
    assert np.abs(numbers(gradients(cost, biases(model.layers[0]))) - f.dZ[1].sum()).max() > 0.01


def test_the_update_takes_the_gradient_where_the_parameter_is() -> None:
    """For J = w², a step of rate α leads from w to (1 − 2α)w; with the gradient at its end it would be w/(1 + 2α)."""
    w = Value(1.0)
    optimizer = nn.SGD([w], learning_rate=0.25)
    (w * w).backward()
    optimizer.step()
    assert w.data == 0.5
    assert not math.isclose(w.data, 1.0 / 1.5)
