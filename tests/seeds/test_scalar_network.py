"""The two-layer sigmoid network in scalars: a⁰ → a¹ → a², zˡ = wˡ·aˡ⁻¹ + bˡ, aˡ = σ(zˡ), C = ½(y − a²)².

Seed 000. Every numbered equation is compared with a derivative that the engine takes between two nodes of one graph;
the graph comes once from nn, and once from Values written out by hand. Superscripts are layers, never powers.

The source has slips, and the engine decides: (a) prints σ′(aˡ) where the slope is taken at zˡ, and explains σ′ as a
slope along a weight; (A) is put together from (1.1), (1.2), (1.3), not from the numbers given there; a is called a
function and y the output, but a is what the function σ returns, and y is the target.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Value, gradients, sigmoid
from tests.seeds.textbook import assert_close, sigma, sigma_prime


@dataclass(frozen=True)
class Network:
    """Every node of the graph, by its name in the source."""

    a0: float
    w1: Value
    b1: Value
    z1: Value
    a1: Value
    w2: Value
    b2: Value
    z2: Value
    a2: Value
    y: float
    C: Value


Build = Callable[[float, float, float, float, float, float], Network]


def with_nn(a0: float, w1: float, b1: float, w2: float, b2: float, y: float) -> Network:
    model = nn.MLP(1, [1, 1], "sigmoid", "sigmoid")
    first, second = model.layers[0].neurons[0], model.layers[1].neurons[0]
    first.w[0].data, first.b.data, second.w[0].data, second.b.data = w1, b1, w2, b2
    trace = model.trace([a0])
    (z1,), (z2,) = trace.Z
    (a1,), (a2,) = trace.A
    C = nn.half_squared_error(a2, y)
    return Network(a0, first.w[0], first.b, z1, a1, second.w[0], second.b, z2, a2, y, C)


def by_hand(a0: float, w1: float, b1: float, w2: float, b2: float, y: float) -> Network:
    W1, B1, W2, B2 = Value(w1, "w¹"), Value(b1, "b¹"), Value(w2, "w²"), Value(b2, "b²")
    z1 = W1 * a0 + B1
    a1 = sigmoid(z1)
    z2 = W2 * a1 + B2
    a2 = sigmoid(z2)
    return Network(a0, W1, B1, z1, a1, W2, B2, z2, a2, y, 0.5 * (y - a2) ** 2)


# Of the factors of a derivative at most two are beyond 1, and none beyond 3; each slope of σ is at most ¼, and the few
# roundings of z, which is at most 12, move it by few of its own. That makes an error below 64 · 2⁻⁵³ · 1.
numbers = st.floats(-3.0, 3.0)
points = st.tuples(numbers, numbers, numbers, numbers, numbers, st.floats(0.0, 1.0))
built_both_ways = pytest.mark.parametrize("build", [with_nn, by_hand])

#: A point where no two of the quantities that the source confuses are near each other.
POINT = (1.5, -0.75, 0.5, 2.0, -1.25, 1.0)


@built_both_ways
@given(points)
def test_the_forward_pass(build: Build, point: tuple[float, float, float, float, float, float]) -> None:
    n, (a0, w1, b1, w2, b2, y) = build(*point), point
    assert_close(n.z1, w1 * a0 + b1)
    assert_close(n.a1, sigma(w1 * a0 + b1))
    assert_close(n.z2, w2 * sigma(w1 * a0 + b1) + b2)
    assert_close(n.a2, sigma(w2 * sigma(w1 * a0 + b1) + b2))
    assert_close(n.C, 0.5 * (y - sigma(w2 * sigma(w1 * a0 + b1) + b2)) ** 2)


@built_both_ways
@given(points)
def test_the_terms_of_the_output_layer(build: Build, point: tuple[float, ...]) -> None:
    n = build(*point)
    assert gradients(n.z2, n.w2).data == n.a1.data  # (1.1), exact: there is nothing to round
    assert_close(gradients(n.a2, n.z2), sigma_prime(n.z2.data))  # (1.2), and (a) with l = 2
    assert_close(gradients(n.C, n.a2), n.a2.data - n.y)  # (1.3)


@built_both_ways
@given(points)
def test_the_terms_of_the_inner_layer(build: Build, point: tuple[float, ...]) -> None:
    n = build(*point)
    assert gradients(n.z1, n.w1).data == n.a0  # (2.1)
    assert_close(gradients(n.a1, n.z1), sigma_prime(n.z1.data))  # (2.2), and (a) with l = 1
    assert_close(gradients(n.C, n.a2), n.a2.data - n.y)  # (2.3.1)
    assert gradients(n.z2, n.a1).data == n.w2.data
    assert_close(gradients(n.a2, n.a1), sigma_prime(n.z2.data) * n.w2.data)  # (2.3.2)
    assert_close(gradients(n.C, n.a1), (n.a2.data - n.y) * sigma_prime(n.z2.data) * n.w2.data)


@built_both_ways
@given(points)
def test_the_gradients_of_the_cost(build: Build, point: tuple[float, ...]) -> None:
    n = build(*point)
    A = n.a1.data * sigma_prime(n.z2.data) * (n.a2.data - n.y)
    B = n.a0 * sigma_prime(n.z1.data) * (n.a2.data - n.y) * sigma_prime(n.z2.data) * n.w2.data
    assert_close(gradients(n.C, n.w2), A)
    assert_close(gradients(n.C, n.w1), B)
    n.C.backward()
    assert_close(n.w2.grad, A)
    assert_close(n.w1.grad, B)
    # The biases, which the source leaves out: ∂zˡ/∂bˡ = 1 in the place of aˡ⁻¹.
    assert_close(n.b2.grad, sigma_prime(n.z2.data) * (n.a2.data - n.y))
    assert_close(n.b1.grad, sigma_prime(n.z1.data) * (n.a2.data - n.y) * sigma_prime(n.z2.data) * n.w2.data)


@built_both_ways
@given(points)
def test_the_chain_rule(build: Build, point: tuple[float, ...]) -> None:
    """∂C/∂wˡ = ∂zˡ/∂wˡ · ∂aˡ/∂zˡ · ∂C/∂aˡ = ∂aˡ/∂wˡ · ∂C/∂aˡ, each factor being the engine's."""
    n = build(*point)
    for w, z, a in ((n.w2, n.z2, n.a2), (n.w1, n.z1, n.a1)):
        whole = gradients(n.C, w).data
        last = gradients(n.C, a).data
        assert_close(whole, gradients(z, w).data * gradients(a, z).data * last)
        assert_close(whole, gradients(a, w).data * last)
    assert_close(gradients(n.C, n.a1), gradients(n.C, n.a2).data * gradients(n.a2, n.a1).data)


@given(points)
def test_nn_and_the_written_out_graph_are_the_same_system(point: tuple[float, ...]) -> None:
    left, right = with_nn(*point), by_hand(*point)
    left.C.backward()
    right.C.backward()
    for name in ("w1", "b1", "z1", "a1", "w2", "b2", "z2", "a2"):
        assert_close(getattr(left, name).grad, getattr(right, name).grad)


def test_the_cost_of_one_sample_is_its_loss() -> None:
    model = nn.MLP(1, [1, 1], "sigmoid", "sigmoid")
    assert nn.cost(model, [[0.5]], [1.0], "half_squared_error").data == 0.5 * (1.0 - model([0.5]).data) ** 2


# What the source prints, and what is right.


@built_both_ways
def test_the_slope_of_an_activation_is_taken_at_z_not_at_a(build: Build) -> None:
    n = build(*POINT)
    for z, a in ((n.z1, n.a1), (n.z2, n.a2)):
        slope = gradients(a, z).data
        assert_close(slope, sigma_prime(z.data))
        assert abs(slope - sigma_prime(a.data)) > 0.01


@built_both_ways
def test_sigma_prime_is_the_slope_along_z_not_along_a_weight(build: Build) -> None:
    n = build(*POINT)
    for w, z, a, below in ((n.w1, n.z1, n.a1, n.a0), (n.w2, n.z2, n.a2, n.a1.data)):
        assert_close(gradients(a, w), sigma_prime(z.data) * below)
        assert abs(gradients(a, w).data - sigma_prime(z.data)) > 0.01


@built_both_ways
def test_the_output_layer_is_put_together_from_1_1_and_1_2_and_1_3(build: Build) -> None:
    """(2.1) belongs to the other layer, and the source has no (3.1)."""
    n = build(*POINT)
    first, second, third = gradients(n.z2, n.w2).data, gradients(n.a2, n.z2).data, gradients(n.C, n.a2).data
    assert_close(gradients(n.C, n.w2), first * second * third)
    assert abs(gradients(n.C, n.w2).data - first * gradients(n.z1, n.w1).data * third) > 0.01


@built_both_ways
def test_the_output_is_a2_and_y_is_the_target(build: Build) -> None:
    """The arrow from a² to y is the comparison in C: y depends on nothing, and where it is met C is zero."""
    assert build(*POINT).a2.data != POINT[-1]
    met = build(*POINT[:-1], build(*POINT).a2.data)
    assert met.C.data == 0.0
    assert gradients(met.C, met.w1).data == 0.0
