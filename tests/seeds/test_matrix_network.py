"""Layers as matrices, Y = WX + B, with activation layers of their own, for one sample as a column.

Seed 002. A layer is given X and ∂C/∂Y, and has to find ∂C/∂W, ∂C/∂B and ∂C/∂X:

    Y = WX + B:   ∂C/∂W = ∂C/∂Y·Xᵀ,   ∂C/∂B = ∂C/∂Y,   ∂C/∂X = Wᵀ·∂C/∂Y
    Y = f(X):     ∂C/∂X = ∂C/∂Y ⊙ f′(X)
    C = 1/n Σ (Ŷ − Y)²,   ∂C/∂Y = 2/n (Y − Ŷ),   θ := θ − α ∂C/∂θ

The source has slips, and the engine decides: a plus sign is lost in the weighted sum; a matrix of m×n numbers has the
indices 0 … m−1 and 0 … n−1, not 0 … m and 0 … n; a bias has the index of the neuron it is added to, m; it is y₀ that
has the slope x₀ by w₀₀, not the vector Y; the column that is ∂C/∂X is labelled ∂C/∂B; ŷ is the target here, where it
mostly stands for what a network returns. In the example, 1/n is dropped from ∂C/∂Y⁽²⁾; ⊙ must come before the product
with Xᵀ; B⁽²⁾ is updated from W⁽²⁾; and the step of B⁽⁰⁾ has lost W⁽²⁾ᵀ and gained a stray X⁽⁰⁾ᵀ.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, gradients
from tests.seeds.textbook import (
    assert_close,
    biases,
    column,
    gradient_of,
    matrices,
    numbers,
    set_parameters,
    sigma,
    sigma_prime,
    weights,
)


def passes(network: nn.Sequential, x: Sequence[Any]) -> tuple[list[list[Any]], list[list[Any]]]:
    """X and Y of every layer, counted from 0, an activation being a layer of its own: Y⁽ᴸ⁾ is X⁽ᴸ⁺¹⁾."""
    X, Y = [], [list(x)]
    for layer in network.layers:
        X.append(Y[-1])
        Y.append(layer(X[-1]))
    return X, Y[1:]


def leaves(X: Any) -> list[Value]:
    """A column vector as Values."""
    return [Value(x) for x in X[:, 0].tolist()]


def linear_layer(W: Any, B: Any) -> nn.Layer:
    layer = nn.Layer(W.shape[1], W.shape[0])
    set_parameters(layer, W, B)
    return layer


@st.composite
def affine(draw: st.DrawFn) -> tuple[Any, Any, Any, Any]:
    """W of m × n, X of n, B and a target of m numbers, all multiples of ⅛ up to 1."""
    m, n = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    return draw(matrices(m, n)), draw(matrices(n, 1)), draw(matrices(m, 1)), draw(matrices(m, 1))


#: Name → f and f′ in plain arithmetic. ReLU's slope at its kink is 0, the engine's choice.
ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "relu": (lambda x: np.maximum(0.0, x), lambda x: (x > 0.0).astype(float)),
    "sigmoid": (sigma, sigma_prime),
    "arctan": (np.arctan, lambda x: 1.0 / (1.0 + x * x)),
}

# With numbers up to 1 and at most four terms in a sum, every result below is at most 16, and so are the terms it is
# added up from.
SIZE = 16.0


# Indexing.


def test_a_weight_is_indexed_by_the_neuron_it_goes_to_and_then_by_the_one_it_comes_from() -> None:
    model = nn.MLP(3, [2, 4])
    for i, (n_in, n_out) in enumerate([(3, 2), (2, 4)]):
        layer = model.layers[i]
        assert numbers(weights(layer)).shape == (n_out, n_in)  # m × n: to m neurons, from n
        Y = layer.linear([1.0] * n_in)
        for m in range(n_out):
            assert layer.neurons[m].b.label == f"b{i + 1}[{m}]"
            for n in range(n_in):
                weight = model.layers[i].neurons[m].w[n]
                assert weight.label == f"w{i + 1}[{m},{n}]"  # labels count layers from 1: layer 0 is the input
                assert [any(p is weight for p in y.parents) for y in Y] == [k == m for k in range(n_out)]


@given(affine())
def test_a_weight_carries_its_input_to_its_output(system: tuple[Any, Any, Any, Any]) -> None:
    """∂yₖ/∂wₘₙ is xₙ where k = m, and 0 elsewhere; ∂yₖ/∂xₙ is wₖₙ."""
    W, X, B, _ = system
    layer, x = linear_layer(W, B), leaves(X)
    for k, y in enumerate(layer(x)):
        by_weight = numbers(gradients(y, weights(layer)))
        assert np.array_equal(by_weight[k], X[:, 0])
        assert not np.delete(by_weight, k, axis=0).any()
        assert np.array_equal(numbers(gradients(y, x)), W[k])


def test_the_outputs_of_a_layer_are_the_inputs_of_the_next() -> None:
    network = nn.Sequential(nn.Layer(2, 3, seed=1), nn.Activation("sigmoid"), nn.Layer(3, 2, seed=2))
    X, Y = passes(network, [0.5, -0.25])
    assert X[0] == [0.5, -0.25]
    assert all(x is y for below, above in zip(Y, X[1:], strict=False) for x, y in zip(above, below, strict=True))


# The forward pass.


@given(affine())
def test_a_layer_is_wx_plus_b(system: tuple[Any, Any, Any, Any]) -> None:
    W, X, B, _ = system
    layer, expected = linear_layer(W, B), (W @ X + B)[:, 0]
    rows = [[*row, b] for row, b in zip(weights(layer), biases(layer), strict=True)]
    for Y in (layer(X[:, 0]), layer.linear(X[:, 0]), autograd.linear(rows, X[:, 0])):
        assert numbers(Y).tolist() == expected.tolist()  # exact, see `matrices`
    assert numbers(autograd.linear(W.tolist(), leaves(X))).tolist() == (W @ X)[:, 0].tolist()  # without a bias


@given(affine())
def test_layers_without_an_activation_between_them_are_one(system: tuple[Any, Any, Any, Any]) -> None:
    """V(WX + B) + D = (VW)X + (VB + D): why a network needs layers that are not linear."""
    W, X, B, D = system
    V = np.flip(np.eye(len(W))) * 0.5
    two = nn.Sequential(linear_layer(W, B), linear_layer(V, D))
    one = linear_layer(V @ W, V @ B + D)
    assert numbers(passes(two, X[:, 0])[1][-1]).tolist() == numbers(one(X[:, 0])).tolist()


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(affine())
def test_an_activation_layer_acts_on_each_number(name: str, system: tuple[Any, Any, Any, Any]) -> None:
    _, X, _, _ = system
    layer, (function, _) = nn.Activation(name), ACTIVATIONS[name]
    assert layer.parameters() == []
    Y = layer(leaves(X))
    assert len(Y) == len(X)
    assert_close(column(Y), function(X))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_layer_of_its_own_is_the_activation_of_a_layer(name: str) -> None:
    model = nn.MLP(2, [3, 1], name, seed=3)
    first, second = model.layers
    apart = nn.Sequential(linear_layer(numbers(weights(first)), column(biases(first))), nn.Activation(name), second)
    assert apart([0.5, -0.25]).data == model([0.5, -0.25]).data


# The cost.


@given(affine())
def test_the_cost_and_its_derivative(system: tuple[Any, Any, Any, Any]) -> None:
    W, X, B, target = system
    n = len(target)
    layer, Y = linear_layer(W, B), W @ X + B
    x = leaves(X)
    y = layer(x)
    C = nn.mse(y, target[:, 0])
    assert_close(C, ((target - Y) ** 2).sum() / n, 64.0)
    assert_close(nn.cost(layer, [X[:, 0]], [target[:, 0]], "mse"), C)
    assert_close(column(gradients(C, y)), 2.0 / n * (Y - target), SIZE)


# Backpropagation.


@given(affine())
def test_backpropagation_through_a_linear_layer(system: tuple[Any, Any, Any, Any]) -> None:
    W, X, B, target = system
    layer, x = linear_layer(W, B), leaves(X)
    y = layer(x)
    C = nn.mse(y, target[:, 0])
    dY = column(gradients(C, y))
    # Each entry of the first two is one product or one number; of the third, a sum of at most four.
    assert numbers(gradients(C, weights(layer))).tolist() == (dY @ X.T).tolist()
    assert column(gradients(C, biases(layer))).tolist() == dY.tolist()
    assert_close(column(gradients(C, x)), W.T @ dY, SIZE)
    C.backward()
    assert_close(gradient_of(weights(layer)), dY @ X.T, SIZE)
    assert_close(gradient_of(biases(layer)), dY[:, 0], SIZE)
    assert_close(gradient_of(x), (W.T @ dY)[:, 0], SIZE)


@given(affine())
def test_each_gradient_is_a_sum_over_the_outputs(system: tuple[Any, Any, Any, Any]) -> None:
    """∂C/∂w₀₀ = Σₖ ∂yₖ/∂w₀₀·∂C/∂yₖ, of which one term is left; ∂C/∂xₙ keeps them all."""
    W, X, B, target = system
    layer, x = linear_layer(W, B), leaves(X)
    y = layer(x)
    C = nn.mse(y, target[:, 0])
    dY = [d.data for d in gradients(C, y)]
    first, bias = layer.neurons[0].w[0], layer.neurons[0].b
    for leaf in (first, bias, x[-1]):
        terms = [gradients(output, leaf).data * d for output, d in zip(y, dY, strict=True)]
        assert_close(gradients(C, leaf), sum(terms), SIZE)
        if leaf is not x[-1]:
            assert not any(terms[1:])


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(affine())
def test_backpropagation_through_an_activation_layer(name: str, system: tuple[Any, Any, Any, Any]) -> None:
    W, X, B, target = system
    layer, (_, derivative) = linear_layer(W, B), ACTIVATIONS[name]
    x = layer(leaves(X))
    y = nn.Activation(name)(x)
    C = nn.mse(y, target[:, 0])
    dY = column(gradients(C, y))
    dX = dY * derivative(W @ X + B)
    assert_close(column(gradients(C, x)), dX, SIZE)
    C.backward()
    assert_close(gradient_of(x), dX[:, 0], SIZE)


# Gradient descent and the example.


@given(affine(), st.integers(1, 8).map(lambda k: k / 8))
def test_gradient_descent(system: tuple[Any, Any, Any, Any], rate: float) -> None:
    W, X, B, target = system
    layer = linear_layer(W, B)
    y = layer(X[:, 0])
    C = nn.mse(y, target[:, 0])
    dY = column(gradients(C, y))
    C.backward()
    nn.SGD(layer.parameters(), learning_rate=rate).step()
    assert_close(weights(layer), W - rate * dY @ X.T, SIZE)
    assert_close(column(biases(layer)), B - rate * dY, SIZE)


class Example:
    """Layer 0 is linear, layer 1 a σ, layer 2 linear: the whole backward pass and the four updates, in matrices."""

    def __init__(self, W0: Any, B0: Any, W2: Any, B2: Any, X0: Any, target: Any) -> None:
        self.W0, self.B0, self.W2, self.B2, self.X0, self.target = W0, B0, W2, B2, X0, target
        self.X1 = W0 @ X0 + B0
        self.X2 = sigma(self.X1)
        self.Y2 = W2 @ self.X2 + B2
        self.dY2 = 2.0 / len(target) * (self.Y2 - target)
        self.dW2 = self.dY2 @ self.X2.T
        self.dB2 = self.dY2
        self.dX2 = W2.T @ self.dY2
        self.dX1 = self.dX2 * sigma_prime(self.X1)
        self.dW0 = self.dX1 @ X0.T
        self.dB0 = self.dX1

    def network(self) -> nn.Sequential:
        return nn.Sequential(linear_layer(self.W0, self.B0), nn.Activation("sigmoid"), linear_layer(self.W2, self.B2))

    def cost(self, network: nn.Sequential) -> Value:
        """Over the one sample; ŷ is the target."""
        cost: Value = nn.cost(network, [self.X0[:, 0]], [self.target[:, 0]], nn.mse)
        return cost


@st.composite
def examples(draw: st.DrawFn) -> Example:
    n0, n1, n2 = (draw(st.integers(1, 3)) for _ in range(3))
    shapes = [(n1, n0), (n1, 1), (n2, n1), (n2, 1), (n0, 1), (n2, 1)]
    return Example(*(draw(matrices(*shape)) for shape in shapes))


@given(examples())
def test_the_backward_pass_of_the_example(e: Example) -> None:
    network, x = e.network(), leaves(e.X0)
    X, Y = passes(network, x)
    C = nn.mse(Y[2], e.target[:, 0])
    trace = network.trace(x)
    for nodes, expected in ((trace.Z[0], e.X1), (trace.A[0], e.X2), (trace.Z[1], e.Y2), (trace.A[1], e.Y2)):
        assert_close(column(nodes), expected, SIZE)
    for nodes, expected in ((Y[0], e.X1), (X[1], e.X1), (Y[1], e.X2), (X[2], e.X2), (Y[2], e.Y2)):
        assert_close(column(nodes), expected, SIZE)
    for nodes, expected in ((Y[2], e.dY2), (X[2], e.dX2), (Y[1], e.dX2), (X[1], e.dX1), (Y[0], e.dX1)):
        assert_close(column(gradients(C, nodes)), expected, SIZE)
    for layer, dW, dB in ((network.layers[2], e.dW2, e.dB2), (network.layers[0], e.dW0, e.dB0)):
        assert_close(gradients(C, weights(layer)), dW, SIZE)
        assert_close(column(gradients(C, biases(layer))), dB, SIZE)
    # The source stops here, because nothing needs it; the rule gives it all the same.
    assert_close(column(gradients(C, x)), e.W0.T @ e.dX1, SIZE)


@given(examples(), st.integers(1, 8).map(lambda k: k / 8))
def test_the_four_updates_of_the_example(e: Example, rate: float) -> None:
    network = e.network()
    optimizer = nn.SGD(network.parameters(), learning_rate=rate)
    e.cost(network).backward()
    optimizer.step()
    first, _, last = network.layers
    Y, T, s = e.Y2, e.target, 2.0 / len(e.target)
    assert_close(weights(last), e.W2 - rate * s * (Y - T) @ e.X2.T, SIZE)
    assert_close(column(biases(last)), e.B2 - rate * s * (Y - T), SIZE)
    assert_close(weights(first), e.W0 - rate * ((e.W2.T @ (s * (Y - T))) * sigma_prime(e.X1)) @ e.X0.T, SIZE)
    assert_close(column(biases(first)), e.B0 - rate * (e.W2.T @ (s * (Y - T))) * sigma_prime(e.X1), SIZE)


def test_the_example_as_an_mlp_learns() -> None:
    """The same network in the usual form of nn, through `fit`; step after step against the cost."""
    e = EXAMPLE
    model = nn.MLP(2, [3, 2], "sigmoid")
    set_parameters(model.layers[0], e.W0, e.B0)
    set_parameters(model.layers[1], e.W2, e.B2)
    optimizer = nn.SGD(model.parameters(), learning_rate=0.25)
    nn.fit(model, [e.X0[:, 0]], [e.target[:, 0]], loss="mse", optimizer=optimizer, epochs=1, progress=False)
    assert_close(weights(model.layers[0]), e.W0 - 0.25 * e.dW0)
    assert_close(column(biases(model.layers[0])), e.B0 - 0.25 * e.dB0)
    assert_close(weights(model.layers[1]), e.W2 - 0.25 * e.dW2)
    assert_close(column(biases(model.layers[1])), e.B2 - 0.25 * e.dB2)
    history = nn.fit(model, [e.X0[:, 0]], [e.target[:, 0]], loss="mse", optimizer=optimizer, epochs=40, progress=False)
    assert history.losses == sorted(history.losses, reverse=True)
    assert history.losses[-1] < 1e-3 < history.losses[0]


# What the source prints, and what is right.

#: Widths 2, 3, 2: n, by which the cost is divided, is 2.
EXAMPLE = Example(
    W0=np.array([[0.5, -0.25], [1.0, 0.75], [-0.5, 0.25]]),
    B0=np.array([[0.25], [-0.5], [0.125]]),
    W2=np.array([[0.5, -1.0, 0.25], [0.75, 0.5, -0.25]]),
    B2=np.array([[0.125], [-0.25]]),
    X0=np.array([[1.0], [-0.5]]),
    target=np.array([[0.5], [-1.0]]),
)


def test_every_term_of_a_weighted_sum_is_added() -> None:
    W, X, B = np.array([[0.5, -0.25, 1.0]]), np.array([[1.0], [0.5], [0.75]]), np.array([[0.25]])
    (y,) = linear_layer(W, B)(X[:, 0])
    w, x = W[0], X[:, 0]
    assert y.data == w[0] * x[0] + w[1] * x[1] + w[2] * x[2] + B[0, 0]
    assert y.data != w[0] * x[0] + w[1] * x[1] * w[2] * x[2] + B[0, 0]


def test_m_times_n_numbers_have_indices_that_end_at_m_minus_1_and_n_minus_1() -> None:
    layer = nn.Layer(3, 2)
    assert layer.neurons[1].w[2].label == "w[1,2]"
    with pytest.raises(IndexError):
        layer.neurons[2]
    with pytest.raises(IndexError):
        layer.neurons[1].w[3]


def test_a_bias_has_the_index_of_its_neuron_not_of_an_input() -> None:
    layer = nn.Layer(3, 2)
    assert [b.label for b in biases(layer)] == ["b[0]", "b[1]"]
    Y = layer([1.0, 2.0, 3.0])
    assert [[gradients(y, b).data for b in biases(layer)] for y in Y] == [[1.0, 0.0], [0.0, 1.0]]


def test_it_is_one_output_that_has_the_slope_x0_by_w00() -> None:
    layer = linear_layer(np.array([[0.5, 1.0], [-0.5, 0.25]]), np.zeros((2, 1)))
    slopes = [gradients(y, layer.neurons[0].w[0]).data for y in layer([0.75, -1.0])]
    assert slopes == [0.75, 0.0]  # ∂Y/∂w₀₀ is a column, of which ∂y₀/∂w₀₀ is the one number that is not zero


def test_the_column_with_the_weights_in_it_is_the_gradient_of_the_inputs() -> None:
    W, B, X = np.array([[0.5, -0.25, 1.0], [1.0, 0.75, -0.5]]), np.zeros((2, 1)), np.array([[1.0], [0.5], [-0.5]])
    layer, x = linear_layer(W, B), leaves(X)
    y = layer(x)
    C = nn.mse(y, [1.0, -1.0])
    printed = [sum(d.data * w[n].data for d, w in zip(gradients(C, y), weights(layer), strict=True)) for n in range(3)]
    assert_close(gradients(C, x), printed)
    assert len(gradients(C, biases(layer))) == 2 != len(printed)


def test_the_hat_is_on_the_target() -> None:
    """With ŷ for what the network returns, the printed 2(Y − Ŷ) would have the wrong sign."""
    _, Y = passes(EXAMPLE.network(), EXAMPLE.X0[:, 0])
    found = column(gradients(nn.mse(Y[2], EXAMPLE.target[:, 0]), Y[2]))
    assert_close(found, 2.0 / 2 * (EXAMPLE.Y2 - EXAMPLE.target))
    assert (np.sign(found) == -np.sign(EXAMPLE.target - EXAMPLE.Y2)).all()


def test_the_example_needs_the_1_over_n_of_its_cost() -> None:
    """Printed without it, ∂C/∂Y⁽²⁾ and all that follows from it are n times too large."""
    e, network = EXAMPLE, EXAMPLE.network()
    _, Y = passes(network, e.X0[:, 0])
    C = nn.mse(Y[2], e.target[:, 0])
    as_printed = 2.0 * (e.Y2 - e.target)
    assert_close(column(gradients(C, Y[2])), as_printed / 2)
    assert_close(gradients(C, weights(network.layers[2])), as_printed @ e.X2.T / 2)
    assert_close(gradients(C, weights(network.layers[0])), ((e.W2.T @ as_printed) * sigma_prime(e.X1)) @ e.X0.T / 2)


def test_the_elementwise_product_comes_before_the_one_with_x_transposed() -> None:
    """Printed without parentheses; multiplied first, σ′(X⁽¹⁾)·X⁽⁰⁾ᵀ is a matrix, and ⊙ would meet a column."""
    e, network = EXAMPLE, EXAMPLE.network()
    slopes = sigma_prime(e.X1) @ e.X0.T
    assert slopes.shape != e.dX2.shape
    e.cost(network).backward()
    assert_close(gradient_of(weights(network.layers[0])), (e.dX2 * sigma_prime(e.X1)) @ e.X0.T)


def _updated(rate: float) -> nn.Sequential:
    network = EXAMPLE.network()
    EXAMPLE.cost(network).backward()
    nn.SGD(network.parameters(), learning_rate=rate).step()
    return network


def test_the_bias_of_layer_2_is_updated_from_itself() -> None:
    e, last = EXAMPLE, _updated(0.25).layers[2]
    assert e.W2.shape != e.B2.shape
    assert_close(column(biases(last)), e.B2 - 0.25 * e.dB2)


def test_the_bias_of_layer_0_keeps_w2_and_has_no_x0() -> None:
    e, first = EXAMPLE, _updated(0.25).layers[0]
    assert e.dY2.shape != e.X1.shape  # so the printed (Y − Ŷ) ⊙ σ′(X⁽¹⁾) does not exist without W⁽²⁾ᵀ
    assert ((e.dX2 * sigma_prime(e.X1)) @ e.X0.T).shape != e.B0.shape  # and with X⁽⁰⁾ᵀ it is no column
    assert_close(column(biases(first)), e.B0 - 0.25 * (e.W2.T @ e.dY2) * sigma_prime(e.X1))
