"""Further derivatives by the recorded program, and SciPy's solvers on problems whose answers are known."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, where
from autograd.compiled.programs.derivatives import HESSIAN, planned
from autograd.testing import calls, expressions
from tests.compiled.replays import BACKENDS

#: Polynomials and roots: derivatives to second order are IEEE operations, added up in another order than the engine's.
POLYNOMIAL = ("add", "sub", "mul", "square", "neg", "dot", "sum", "mean", "div", "sqrt")


@pytest.mark.parametrize("backend", BACKENDS)
@given(calls(expressions(primitives=POLYNOMIAL)), st.data())
def test_second_derivatives(backend: str, call: Any, data: st.DataObject) -> None:
    f, xs = call
    n = len(xs)
    vector = [data.draw(st.sampled_from([-1.0, 0.0, 0.5, 2.0])) for _ in xs]
    objective = autograd.objective(lambda x: f(*x), n, backend=backend)

    def eager(x: list[Any]) -> Any:
        return f(*x)

    leaves = [Value(x) for x in xs]
    slopes = autograd.gradients(eager(leaves), leaves)
    rows = [autograd.gradients(s, leaves) if isinstance(s, Value) else [0.0] * n for s in slopes]
    bounds = [[autograd.rounding_error(x).bound if isinstance(x, Value) else 0.0 for x in row] for row in rows]
    numbers = [[x.data if isinstance(x, Value) else x for x in row] for row in rows]
    found = objective.hessian(xs)
    for i in range(n):
        for j in range(n):
            # Either way rounds each term it adds, in its own order: both are as far from the exact number as proved,
            # for expressions of this size within a factor of four of one another.
            tolerance = 4 * (bounds[i][j] + bounds[j][i]) + 2**-50 * abs(numbers[i][j])
            assert not abs(found[i, j] - numbers[i][j]) > tolerance, (i, j)
    product = objective.hvp(xs, vector)
    assert product == pytest.approx(found @ np.array(vector), rel=1e-12, abs=1e-9 * (1 + np.abs(found).max(initial=0)))


def residuals(x: list[Any]) -> list[Any]:
    return [x[0] * x[1] - x[2], x[0] / (1.0 + x[1] * x[1]), x[2] * x[2] * x[0], 2.0 * x[1] + 0.0 * x[0], x[0], 3.0]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("outputs", [2, 6])
def test_jacobians_and_products(backend: str, outputs: int) -> None:
    def f(x: list[Any]) -> list[Any]:
        return residuals(x)[:outputs]

    point = [1.5, -0.5, 2.0]
    objective = autograd.objective(f, 3, backend=backend)
    expected = np.array(autograd.jacobian(f)(point))
    assert objective.value(point) == pytest.approx([float(r) for r in f(point)], rel=1e-15, abs=0.0)
    assert objective.jacobian(point) == pytest.approx(expected, rel=1e-14, abs=0.0)
    tangent, cotangent = [0.5, -1.0, 2.0], [1.0, -2.0, 0.5, 3.0, -1.0, 4.0][:outputs]
    assert objective.jvp(point, tangent) == pytest.approx(expected @ tangent, rel=1e-14, abs=0.0)
    assert objective.vjp(point, cotangent) == pytest.approx(cotangent @ expected, rel=1e-14, abs=0.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_branch_not_taken_has_no_second_derivative_either(backend: str) -> None:
    """The root has neither value nor slope at the point; forward as well as backward it must not be met."""

    def f(x: list[Any]) -> Any:
        return where(x[0] > 0, lambda: x[0].sqrt() * x[1], lambda: x[1] * x[1] * x[0])

    def several(x: list[Any]) -> list[Any]:
        return [f(x), x[0], x[0] * x[1]]

    point, vector = [-1.0, 2.0], [1.0, 3.0]
    objective = autograd.objective(f, 2, backend=backend)
    assert objective.hessian(point).tolist() == autograd.hessian(f)(point) == [[0.0, 4.0], [4.0, -2.0]]
    assert objective.hvp(point, vector).tolist() == autograd.hvp(f)(point, vector) == [12.0, -2.0]
    assert objective.jvp(point, vector) == autograd.jvp(f, (point,), (vector,))[1] == -8.0
    by_columns = autograd.objective(several, 2, backend=backend).jacobian(point)
    assert by_columns.tolist() == autograd.jacobian(several)(point)


def test_what_is_detached_leaves_no_instruction() -> None:
    objective = autograd.objective(lambda p: autograd.detach(p[0]) * p[0] + autograd.logsumexp(p), 2)
    objective.hessian([2.0, 3.0])
    recorded = objective._recordings.kept[0].trace
    assert autograd.TABLE["detach"] in recorded.program.primitives
    plan = planned(recorded, HESSIAN, recorded.arguments, [False, False])
    assert autograd.TABLE["detach"] not in plan.program.primitives


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("outputs", [2, 3])
def test_an_infinite_slope_stays_in_its_own_row_and_column(backend: str, outputs: int) -> None:
    """0 · inf is nan: the slope of the root at 0 must not meet what another row or column has in its place."""

    def f(x: list[Any]) -> list[Any]:
        return [x[0] + x[1].sqrt(), x[1].sqrt() * 2.0, x[0] * x[0]][:outputs]

    def g(x: list[Any]) -> Any:
        return x[0] * x[0] * x[1].sqrt()

    point = [3.0, 0.0]
    assert autograd.objective(f, 2, backend=backend).jacobian(point).tolist() == autograd.jacobian(f)(point)
    assert autograd.objective(g, 2, backend=backend).hessian(point)[0, 0] == 2 * math.sqrt(point[1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_points_return_what_the_transforms_return(backend: str) -> None:
    def f(x: dict[str, Any], k: Any) -> Any:
        return x["a"] * x["a"] * x["b"][0] + k * x["b"][1] * x["b"][1] * x["b"][0]

    x, v = {"a": 1.5, "b": [2.0, -0.5]}, {"a": 1.0, "b": [0.5, 2.0]}
    at = autograd.compile(f, backend=backend).at_points
    assert at.jacobian(x, 3.0) == autograd.jacobian(f)(x, 3.0)
    assert at.hessian(x, 3.0) == autograd.hessian(f)(x, 3.0)
    assert at.hvp(x, 3.0, v) == autograd.hvp(f)(x, 3.0, v)
    assert at.jvp((x, 3.0), (v, 0.5)) == autograd.jvp(f, (x, 3.0), (v, 0.5))
    value, pull = at.vjp(x, 3.0)
    expected, eager_pull = autograd.vjp(f, x, 3.0)
    assert (value, pull(2.0)) == (expected, eager_pull(2.0))
    in_another_order = {key: v[key] for key in reversed(v)}
    assert at.hvp(x, 3.0, in_another_order) == at.hvp(x, 3.0, v)
    assert at.jvp((x, 3.0), (in_another_order, 0.5)) == at.jvp((x, 3.0), (v, 0.5))


# SciPy.


def rosenbrock(x: list[Any]) -> Any:
    return autograd.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in itertools.pairwise(x)])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "Newton-CG", "trust-exact"])
def test_minimize_finds_the_bottom_of_the_valley(backend: str, method: str) -> None:
    fun = autograd.objective(rosenbrock, n=6, backend=backend)
    second: dict[str, Any] = {}
    if method == "Newton-CG":
        second = {"hessp": fun.hvp}
    if method == "trust-exact":
        second = {"hess": fun.hessian}
    found = scipy.optimize.minimize(fun, np.zeros(6), jac=True, method=method, **second)
    assert found.x == pytest.approx(np.ones(6), abs=1e-4)
    assert scipy.optimize.check_grad(fun.value, fun.gradient, np.linspace(-1, 1, 6)) < 1e-4


def test_least_squares_recovers_a_decay() -> None:
    times = np.linspace(0.0, 4.0, 25)
    measured = 2.5 * np.exp(-1.3 * times) + 0.5

    def errors(p: list[Any]) -> list[Any]:
        return [
            p[0] * autograd.exp(-p[1] * t) + p[2] - y for t, y in zip(times.tolist(), measured.tolist(), strict=True)
        ]

    fun = autograd.objective(errors, n=3)
    found = scipy.optimize.least_squares(fun.value, [1.0, 1.0, 0.0], jac=fun.jacobian, xtol=1e-15, gtol=1e-15)
    assert found.x == pytest.approx([2.5, 1.3, 0.5], rel=1e-7, abs=0.0)
    assert found.njev < 20


@pytest.mark.parametrize("backend", BACKENDS[:2])
def test_one_power_with_many_exponents(backend: str) -> None:
    exponents = (0.0, -0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, 2.5, -0.5)

    def f(x: Any) -> Any:
        return autograd.sum([(i + 1.0) * x[0] ** e + x[0] ** x[1] for i, e in enumerate(exponents)])

    point = [1.7, 0.3]
    value, gradient = autograd.objective(f, backend=backend)(point)
    leaves = [Value(x) for x in point]
    output = f(leaves)
    output.backward()
    # Kernels of powers are within 2 units in the last place each, and so is what is made of a few products.
    assert math.isclose(value, output.data, rel_tol=1e-15)
    assert np.allclose(gradient, [leaf.grad for leaf in leaves], rtol=4e-15, atol=0.0)


def test_minimize_through_branches() -> None:
    """Huber's loss with ``if``: the program is recorded again where a residual changes sides."""
    data = [0.1, -0.2, 0.05, 0.15, 8.0]

    def total(x: list[Any]) -> Any:
        terms = []
        for y in data:
            r = x[0] - y
            far = r if r > 0 else -r
            terms.append(0.5 * r * r if far < 1.0 else far - 0.5)
        return autograd.sum(terms)

    fun = autograd.objective(total, n=1)
    found = scipy.optimize.minimize(fun, [3.0], jac=True)
    assert found.x[0] == pytest.approx((math.fsum(data[:4]) + 1.0) / 4, abs=1e-5)
    assert 1 < fun.recordings <= 16


def test_a_batch_loss_as_an_objective() -> None:
    """Logistic regression: the step's gradient by parameters drives a solver."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((200, 2))
    y = np.where(X @ [1.5, -2.0] + 0.3 + rng.logistic(size=200) > 0, 1.0, -1.0)
    weights = [Value(0.0) for _ in range(3)]
    step = autograd.compile(
        lambda x, t: autograd.softplus(-t * (weights[0] * x[0] + weights[1] * x[1] + weights[2])), params=weights
    )

    def fun(w: Any) -> Any:
        for value, number in zip(weights, w, strict=True):
            value.data = number
        return step.value_and_grad(X, y)

    found = scipy.optimize.minimize(fun, np.zeros(3), jac=True)
    p = 1 / (1 + np.exp(y * (X @ found.x[:2] + found.x[2])))
    stationary = np.column_stack([X, np.ones(200)]).T @ (p * y) / 200
    assert np.abs(stationary).max() < 1e-5
    assert found.x == pytest.approx([1.5, -2.0, 0.3], abs=0.8)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_may_return_another_number_of_results_elsewhere(backend: str) -> None:
    def f(x: Any) -> Any:
        return [x[0], x[1]] if x[0] > 0 else [x[0], x[1], x[0] * x[1]]

    def check(fun: Any, positive: bool) -> None:
        if positive:
            assert fun.jacobian([1.0, 2.0]).tolist() == [[1.0, 0.0], [0.0, 1.0]]
            assert fun.vjp([1.0, 2.0], [1.0, 1.0]).tolist() == [1.0, 1.0]
            with pytest.raises(ValueError, match="the cotangent has 3 numbers; f has 2"):
                fun.vjp([1.0, 2.0], [1.0, 1.0, 1.0])
        else:
            assert fun.jacobian([-1.0, 2.0]).tolist() == [[1.0, 0.0], [0.0, 1.0], [2.0, -1.0]]
            assert fun.vjp([-1.0, 2.0], [1.0, 1.0, 1.0]).tolist() == [3.0, 0.0]
            assert fun.jvp([-1.0, 2.0], [1.0, 0.0]).tolist() == [1.0, 0.0, 2.0]

    for order in ((True, False, True), (False, True, False)):
        fun = autograd.objective(f, backend=backend)
        for positive in order:
            check(fun, positive)
    points = autograd.compile(f, backend=backend).at_points
    assert points.jacobian([1.0, 2.0]) == [[1.0, 0.0], [0.0, 1.0]]
    assert points.jacobian([-1.0, 2.0]) == [[1.0, 0.0], [0.0, 1.0], [2.0, -1.0]]
    assert points.jvp([[1.0, 2.0]], [[1.0, 0.0]]) == ([1.0, 2.0], [1.0, 0.0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_may_return_a_number_here_and_a_list_elsewhere(backend: str) -> None:
    for first, second in ((1.0, -1.0), (-1.0, 1.0)):
        fun = autograd.objective(lambda x: x[0] ** 2 if x[0] > 0 else [x[0], 3.0 * x[0]], backend=backend)
        for x in (first, second, first):
            assert fun.jacobian([x]).tolist() == ([2.0] if x > 0 else [[1.0], [3.0]])
        with pytest.raises(TypeError, match="gradient needs a function of one output"):
            fun.gradient([-1.0])
        assert fun.gradient([3.0]).tolist() == [6.0]


def test_a_cotangent_is_pulled_back_first_of_all() -> None:
    value, pull = autograd.compile(lambda x: x * x, backend="numpy").at_points.vjp(3.0)
    assert (value, pull(1.0)) == (9.0, (6.0,))


def test_the_shape_is_that_of_the_branch() -> None:
    f = autograd.compile(lambda x: {"a": 2.0 * x} if x > 0 else {"b": 3.0 * x}, backend="numpy")
    for x, value in ((1.0, {"a": 2.0}), (-1.0, {"b": -3.0}), (2.0, {"a": 4.0})):
        assert f.at_points.vjp(x)[0] == value


def test_a_leaf_written_between_value_and_cotangent_is_refused() -> None:
    w = Value(2.0, "w")
    f = autograd.compile(lambda x: w * x * x, backend="numpy")
    X = np.array([1.0, 2.0])
    _, pull = f.at_points.vjp(3.0)
    values, pull_batch = f.at_points.vjp(X)
    X[:] = 100.0
    assert values.tolist() == [2.0, 8.0]
    assert pull_batch(np.ones(2))[0].tolist() == [4.0, 8.0]
    w.data = 10.0
    for pull_back, cotangent in ((pull, 1.0), (pull_batch, np.ones(2))):
        with pytest.raises(
            autograd.StaleGraphError, match=r"the leaf 'w' .* was written after <lambda> had been computed"
        ):
            pull_back(cotangent)


def test_an_objective_reports_what_it_recorded() -> None:
    fun = autograd.objective(lambda x: x[0] ** 2 if x[0] > 0.5 else -x[0], backend="numpy")
    for x in (1.0, 0.0, 2.0, -1.0):
        fun([x])
    report = fun.report()
    assert (report.recordings, report.guards_missed) == (2, 3)
    gradients = [program for program in report.programs if program.what == "gradient"]
    assert sorted(guard.split(" (")[0].rpartition(" is ")[2] for p in gradients for guard in p.guards) == [
        "False",
        "True",
    ]


def test_further_derivatives_go_by_one_argument() -> None:
    f = autograd.compile(lambda x, y: x * y, wrt=[0, 1], backend="numpy")
    with pytest.raises(ValueError, match="at_points goes by one argument, and wrt names 2"):
        _ = f.at_points
    assert autograd.compile(lambda x, y: x * y, wrt=[1], backend="numpy").at_points.jacobian(2.0, 3.0) == 2.0


def test_an_objective_follows_ieee_where_the_function_has_no_value() -> None:
    fun = autograd.objective(lambda x: autograd.log(x[0]) + x[1], backend="numpy")
    for _ in range(2):
        value, gradient = fun([-1.0, 2.0])
        assert np.isnan(value)
        assert np.isnan(gradient[0])  # not -1.0, which is the slope of no logarithm
        assert gradient[1] == 1.0
    assert fun([1.0, 2.0])[0] == 2.0
    assert fun.recordings == 1
