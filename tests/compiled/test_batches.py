"""Further derivatives of a batch are those that the engine has of each sample, in arrays with samples first."""

import pickle
import random
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import GuardError, Value, where
from autograd.compiled import batches
from autograd.testing import calls, expressions
from tests.compiled.replays import BACKENDS, IEEE, bits

#: Halves and quarters: of these, products of four and their sums are exact, in whatever order.
X = np.array([[1.5, 2.0], [-0.5, 3.0], [2.0, -1.0], [0.25, 0.5], [4.0, 1.0]])


def of_sample(tree: Any, i: int) -> Any:
    """A tree of arrays at one sample: nested lists, as the engine's functions take and return them."""
    if isinstance(tree, dict):
        return {key: of_sample(child, i) for key, child in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(of_sample(child, i) for child in tree)
    return tree[i].tolist() if isinstance(tree, np.ndarray) else tree


def inside_out(tree: Any) -> Any:
    """Lists of dicts and of tuples as dicts and tuples of lists: what was one array stays in one place."""
    if isinstance(tree, dict):
        return {key: inside_out(child) for key, child in tree.items()}
    if not isinstance(tree, list | tuple) or not tree:
        return tree
    children = [inside_out(child) for child in tree]
    if isinstance(tree, tuple):
        return tuple(children)
    if all(isinstance(child, dict) for child in children):
        return {key: inside_out([child[key] for child in children]) for key in children[0]}
    if all(isinstance(child, tuple) for child in children):
        return tuple(inside_out(list(parts)) for parts in zip(*children, strict=True))
    return children


def cubic(x: Any, k: Any) -> Any:
    """Of a dict with an array of numbers, one of vectors, and a pair of an array and a number; and of a number."""
    a, (b, c), (d, e) = x["a"], x["b"], x["c"]
    return k * a * a * b + b * c * c + a * d * e * k - c * d * d


def several(x: Any, k: Any) -> Any:
    return [cubic(x, k), x["a"] * x["b"][1], 3.0, k]


def many(x: Any, k: Any) -> Any:
    """More outputs than arguments, in a dict: the Jacobian is made by columns."""
    a, (b, c) = x["a"], x["b"]
    return {"products": [a * b, b * c, c * a * k, a * a, b * b], "sums": (a + b, b - c), "k": k * x["c"][0]}


ARGUMENTS = {"a": X[:, 0] * 0.5, "b": X, "c": (X[:, 1].copy(), 2.0)}
#: In another order, and with numbers for all samples.
VECTOR = {"c": (0.5, X[:, 0] - 1.0), "b": [X[:, 1], -1.0], "a": X[:, 1]}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("f", [cubic, several, many])
def test_jacobians_and_products_of_each_sample(f: Any, backend: str) -> None:
    compiled = autograd.compile(f, backend=backend)
    at = compiled.at_points
    jacobian = at.jacobian(ARGUMENTS, 0.5)
    values, tangents = at.jvp((ARGUMENTS, 0.5), (VECTOR, 2.0))
    found, pull = at.vjp(ARGUMENTS, 0.5)
    pulled = pull(values)
    assert compiled.recordings == 1
    for i in range(len(X)):
        x, v = of_sample(ARGUMENTS, i), of_sample(VECTOR, i)
        eager = autograd.jacobian(f)(x, 0.5)
        assert of_sample(jacobian, i) == (inside_out(eager) if f is several else eager)
        value, tangent = autograd.jvp(f, (x, 0.5), ({key: v[key] for key in x}, 2.0))
        assert of_sample(values, i) == of_sample(found, i) == value
        assert of_sample(tangents, i) == tangent
        assert of_sample(pulled, i) == autograd.vjp(f, x, 0.5)[1](value)


@pytest.mark.parametrize("backend", BACKENDS)
def test_second_derivatives_of_each_sample(backend: str) -> None:
    at = autograd.compile(cubic, backend=backend).at_points
    hessian, products = at.hessian(ARGUMENTS, 0.5), at.hvp(ARGUMENTS, 0.5, VECTOR)
    assert hessian["b"]["b"].shape == (5, 2, 2)
    assert hessian["a"]["b"].shape == hessian["b"]["a"].shape == (5, 2)
    for i in range(len(X)):
        x, v = of_sample(ARGUMENTS, i), of_sample(VECTOR, i)
        assert of_sample(hessian, i) == inside_out(autograd.hessian(cubic)(x, 0.5))
        assert of_sample(products, i) == autograd.hvp(cubic)(x, 0.5, {key: v[key] for key in x})


@pytest.mark.parametrize("backend", BACKENDS)
def test_shapes(backend: str) -> None:
    vectors, numbers = X, X[:, 0]
    one = autograd.compile(lambda x: x[0] * x[0] * x[1], backend=backend).at_points
    two = autograd.compile(lambda x: [x[0] * x[1], x[0], x[1]], backend=backend).at_points
    assert one.jacobian(vectors).shape == (5, 2)
    assert one.hessian(vectors).shape == (5, 2, 2)
    assert two.jacobian(vectors).shape == (5, 3, 2)
    matrices = autograd.compile(lambda x: x[0][0] * x[1][2] * x[1][2], backend=backend).at_points
    assert matrices.jacobian(np.ones((4, 2, 3))).shape == (4, 2, 3)
    assert matrices.hessian(np.ones((4, 2, 3))).shape == (4, 2, 3, 2, 3)
    plain = autograd.compile(lambda x, k: [k * x, x * x * x], backend=backend).at_points
    assert plain.jacobian(numbers, 2.0).tolist() == [[2.0, 3 * x * x] for x in numbers]
    by_number = autograd.compile(lambda x, k: k * k * k * x, wrt=1, backend=backend).at_points
    assert by_number.jacobian(numbers, 2.0).tolist() == (12 * numbers).tolist()
    assert by_number.hessian(numbers, 2.0).tolist() == (12 * numbers).tolist()
    assert by_number.hvp(numbers, 2.0, 0.5).tolist() == (6 * numbers).tolist()
    nothing = autograd.compile(lambda x: 2.0, backend=backend).at_points
    assert nothing.jacobian(vectors).tolist() == nothing.hvp(vectors, [1.0, 1.0]).tolist() == [[0.0, 0.0]] * 5
    for empty, shape in (
        (one.jacobian(X[:0]), (0, 2)), (one.hessian(X[:0]), (0, 2, 2)), (two.jacobian(X[:0]), (0, 3, 2)),
        (one.hvp(X[:0], [1.0, 1.0]), (0, 2)), (two.jvp((X[:0],), ([1.0, 1.0],))[1], (0, 3)),
    ):  # fmt: skip
        assert empty.shape == shape


def test_numbers_have_the_type_asked_for() -> None:
    at = autograd.compile(lambda x: x[0] / x[1], dtype="float32").at_points
    for found in (at.jacobian(X), at.hessian(X), at.hvp(X, [1.0, 2.0]), *at.jvp((X,), (X,)), at.vjp(X)[0]):
        assert found.dtype == np.float32


#: One sample, a block of four with a tail, and more than 64.
SIZES = (1, 7, 67)


@pytest.mark.parametrize("backend", BACKENDS)
@given(calls(expressions(primitives=IEEE)), calls(expressions(primitives=IEEE)), st.sampled_from(SIZES), st.data())
def test_a_sample_is_what_a_point_is_to_the_last_bit(
    backend: str, call: Any, another: Any, size: int, data: st.DataObject
) -> None:
    (f, xs), (g, ys) = call, another
    point = [*xs, *ys[len(xs) :]]
    vector = [data.draw(st.sampled_from([-1.0, 0.0, 0.5, 2.0])) for _ in point]
    rows = [point, vector] * size  # both formulas are defined at both
    samples = np.array(rows[:size])

    def one(x: list[Any]) -> Any:
        return f(*x[: len(xs)])

    def pair(x: list[Any]) -> list[Any]:
        return [one(x), g(*x[: len(ys)])]

    scalar = autograd.compile(one, backend=backend).at_points
    at = autograd.compile(pair, backend=backend).at_points
    slopes, second, products = scalar.jacobian(samples), scalar.hessian(samples), scalar.hvp(samples, vector)
    jacobian = at.jacobian(samples)
    values, tangents = at.jvp((samples,), (vector,))
    (pulled,) = at.vjp(samples)[1]([0.5, -2.0])
    for i in {0, size - 1}:
        row = rows[i]
        assert bits(slopes[i]) == bits(scalar.jacobian(row))
        assert bits(second[i]) == bits(scalar.hessian(row))
        assert bits(products[i]) == bits(scalar.hvp(row, vector))
        assert bits(jacobian[i]) == bits(at.jacobian(row))
        value, tangent = at.jvp((row,), (vector,))
        assert (bits(values[i]), bits(tangents[i])) == (bits(value), bits(tangent))
        assert bits(pulled[i]) == bits(at.vjp(row)[1]([0.5, -2.0])[0])
        eager = [float(y) for y in autograd.vjp(pair, row)[0]]
        assert bits(values[i]) == bits(eager)
        if len(point) > 1:  # rows, as the engine makes them; columns add up in another order
            assert bits(jacobian[i]) == bits(np.array(autograd.jacobian(pair)(row)) + 0.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_network_with_kernels(backend: str) -> None:
    """Kernels are within 2 ulp, and no sum of some fifty terms of size 1 moves that by more than a hundred times."""
    random.seed(0)
    model = nn.MLP(2, [5, 1])
    pairs = nn.MLP(2, [4, 2])
    one, two = (autograd.compile(f, backend=backend).at_points for f in (model, pairs))
    hessian, jacobian, products = one.hessian(X), two.jacobian(X), one.hvp(X, [1.0, -0.5])
    numbers = np.vectorize(
        lambda value: value.data
    )  # the model's parameters are Values, and so is what depends on them
    for i, row in enumerate(X.tolist()):
        for found, eager in (
            (hessian, autograd.hessian(model)(row)),
            (jacobian, autograd.jacobian(pairs)(row)),
            (products, autograd.hvp(model)(row, [1.0, -0.5])),
        ):
            assert found[i] == pytest.approx(numbers(eager), rel=0, abs=200 * 2**-52)


# Lanes.


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_lane_meets_nothing_of_other_rows_and_branches(backend: str) -> None:
    """An infinite slope and a root of a negative number, beside numbers that have neither."""

    def f(x: list[Any]) -> list[Any]:
        return [x[0] + x[1].sqrt(), where(x[0] > 1, lambda: (x[0] - 1.0).sqrt() * x[1], lambda: x[0] * x[1])]

    def g(x: list[Any]) -> Any:
        return where(x[0] > 1, lambda: (x[0] - 1.0).sqrt() * x[1], lambda: x[0] * x[0] * x[1] * x[1])

    samples = np.array([[0.5, 0.0], [2.0, 0.25], [0.25, 4.0], [5.0, 0.0]])
    jacobian = autograd.compile(f, backend=backend).at_points.jacobian(samples)
    second = autograd.compile(g, backend=backend).at_points.hessian(samples)
    products = autograd.compile(g, backend=backend).at_points.hvp(samples, [1.0, -2.0])
    for i, row in enumerate(samples.tolist()):
        assert jacobian[i].tolist() == autograd.jacobian(f)(row)
        assert second[i] == pytest.approx(np.array(autograd.hessian(g)(row)), rel=1e-15, abs=0.0)
        assert products[i] == pytest.approx(autograd.hvp(g)(row, [1.0, -2.0]), rel=1e-15, abs=0.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_blocks_change_nothing(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.linspace(-2.0, 2.0, 46).reshape(23, 2)
    whole, parts = (autograd.compile(lambda x: x[0] * x[0] / (x[1] * x[1] + 1.0), backend=backend) for _ in "ab")
    expected = [whole.at_points.hessian(samples), whole.at_points.jacobian(samples)]
    for numbers in (1, 50, 100):
        monkeypatch.setattr(batches, "BLOCK_NUMBERS", numbers)
        assert bits(parts.at_points.hessian(samples)) == bits(expected[0])
        assert bits(parts.at_points.jacobian(samples)) == bits(expected[1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_memory_grows_by_results_alone(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BLOCK_NUMBERS", 1 << 16)
    at = autograd.compile(lambda x: x[0] * x[1] * x[2] * x[3], backend=backend).at_points
    peaks = []
    for n in (5_000, 5_000, 40_000):
        samples = np.ones((n, 4))
        tracemalloc.start()
        try:
            found = at.hessian(samples)
            # There is a value for each sample besides.
            peaks.append(tracemalloc.get_traced_memory()[1] - found.nbytes - 8 * n)
        finally:
            tracemalloc.stop()
    assert max(peaks[1:]) < 4 * 8 * batches.BLOCK_NUMBERS
    assert abs(peaks[2] - peaks[1]) < 0.1 * peaks[1]


# The ways of a function.


@pytest.mark.parametrize("backend", BACKENDS)
def test_guards_are_of_each_sample(backend: str) -> None:
    f = autograd.compile(lambda x: x * x * x if x > 0 else -x * x, backend=backend)
    above, below = np.array([1.0, 2.0, 3.0]), np.array([-1.0, -2.0])
    for _ in range(2):
        assert f.at_points.hessian(above).tolist() == [6.0, 12.0, 18.0]
        assert f.at_points.jacobian(below).tolist() == [2.0, 4.0]
    assert f.recordings == 2
    with pytest.raises(GuardError, match=r"> 0 .* is False .* True for 1 of 3 \(samples 0\)"):
        f.at_points.hessian(np.array([1.0, -1.0, -2.0]))
    assert f(above).tolist() == [1.0, 8.0, 27.0]
    assert f.recordings == 2  # values and derivatives are of one recording


@pytest.mark.parametrize("backend", BACKENDS)
def test_leaves_are_read_anew(backend: str) -> None:
    w = Value(2.0)
    at = autograd.compile(lambda x: w * x * x, backend=backend).at_points
    numbers = X[:, 0]
    for scale in (2.0, -3.0):
        w.data = scale
        assert at.jacobian(numbers).tolist() == (2 * scale * numbers).tolist()
        assert at.hessian(numbers).tolist() == [2 * scale] * 5


@pytest.mark.parametrize("backend", BACKENDS)
def test_loops_are_recorded_step_by_step(backend: str) -> None:
    def f(x: list[Any]) -> Any:
        return autograd.scan(lambda carry, y: (carry * x[0] + y, None), 1.0, [x[1]] * 3, unroll=False)[0]

    compiled = autograd.compile(f, wrt=0, reduce="sum", backend=backend)
    _, total = compiled.value_and_grad(X)
    jacobian, hessian = compiled.at_points.jacobian(X), compiled.at_points.hessian(X)
    for i, row in enumerate(X.tolist()):
        assert jacobian[i].tolist() == total[i].tolist() == autograd.grad(f)(row)
        assert hessian[i].tolist() == autograd.hessian(f)(row)


def test_reports_and_pickles_know_them() -> None:
    made = autograd.compile(cubic, backend="numpy")
    made.at_points.hessian(ARGUMENTS, 0.5)
    assert [program.what for program in made.report().programs] == ["values", "hessian"]
    again = pickle.loads(pickle.dumps(made))
    assert bits(again.at_points.hessian(ARGUMENTS, 0.5)["b"]["b"]) == bits(
        made.at_points.hessian(ARGUMENTS, 0.5)["b"]["b"]
    )
    assert again.recordings == made.recordings == 1  # nothing new was recorded


# Errors.


def test_what_does_not_fit_is_refused() -> None:
    at = autograd.compile(lambda x: x[0] * x[1], backend="numpy").at_points
    several = autograd.compile(lambda x: [x[0], x[1]], backend="numpy").at_points
    named = autograd.compile(lambda x: x["a"], backend="numpy").at_points
    with pytest.raises(ValueError, match=r"the vector has 2 samples, but the batch has 5; .* give a list"):
        at.hvp(X, np.ones(2))
    with pytest.raises(ValueError, match="the vector has 1 numbers for a sample; <lambda> needs 2"):
        at.hvp(X, [1.0])
    with pytest.raises(ValueError, match="tangent 0 has 3 numbers"):
        at.jvp((X,), (np.ones((5, 3)),))
    with pytest.raises(ValueError, match="the cotangent has 2 numbers"):
        at.vjp(X)[1](X)
    for tree in ({"b": 1.0}, {"a": 1.0, "b": 1.0}):
        with pytest.raises(ValueError, match=r"the vector has the keys .*; argument 0 of <lambda> has \['a'\]"):
            named.hvp({"a": X[:, 0]}, tree)
        with pytest.raises(ValueError, match="the vector has the keys"):
            named.hvp({"a": 1.0}, tree)
    for call in (several.hessian, lambda x: several.hvp(x, [1.0, 1.0])):
        with pytest.raises(TypeError, match="needs a function of one output; <lambda> returns 2 numbers"):
            call(X)
    with pytest.raises(TypeError, match="wrt is 1, but the call has 1 arguments"):
        autograd.compile(lambda x: x, wrt=1).at_points.jacobian(X[:, 0])
    with pytest.raises(autograd.RecordingError, match="while another function is recorded"):
        autograd.compile(lambda x: at.jacobian(X)[0, 0] * x)(X[:, 0])
