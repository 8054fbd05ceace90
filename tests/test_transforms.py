"""Derivatives as functions: shapes, agreement with each other, nesting, errors."""

from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd.testing import Call, calls, expressions, reals
from tests.checks import size_of_terms

Point = namedtuple("Point", "x y")


def test_grad_of_one_scalar() -> None:
    assert grad(lambda x: x * x)(3) == 6.0
    assert type(grad(lambda x: x * x)(3)) is float


def test_value_and_grad() -> None:
    assert value_and_grad(lambda x, y: x * y, argnums=(0, 1))(3.0, 4.0) == (12.0, (4.0, 3.0))


def test_gradient_has_the_shape_of_the_argument() -> None:
    def f(model: dict[str, Any]) -> Any:
        (w0, w1), b = model["w"], model["b"]["0"]
        return w0 * w1[0] + b.x * 5 + b.y

    model = {"w": (2.0, [3.0, 7]), "b": {"0": Point(1.0, 1.0)}}
    assert grad(f)(model) == {"w": (3.0, [2.0, 0.0]), "b": {"0": Point(5.0, 1.0)}}
    assert isinstance(grad(f)(model)["b"]["0"], Point)


def test_an_empty_argument_has_an_empty_gradient() -> None:
    assert grad(lambda xs, y: y * y)([], 2.0) == []
    assert grad(lambda x: x["a"] * 1)({"a": 1.0, "b": []}) == {"a": 1.0, "b": []}


def test_argnums() -> None:
    def f(x: Any, y: Any, z: Any) -> Any:
        return x * y + y * z

    at = (2.0, 3.0, 5.0)
    assert grad(f)(*at) == 3.0
    assert grad(f, argnums=1)(*at) == 7.0
    assert grad(f, argnums=-1)(*at) == 3.0
    assert grad(f, argnums=(2, 0))(*at) == (3.0, 3.0)
    assert grad(f, argnums=(1,))(*at) == (7.0,)
    for wrong in (3, -4, (0, 3)):
        with pytest.raises(TypeError, match="the call has 3 positional arguments"):
            grad(f, argnums=wrong)(*at)


def test_keywords_are_passed_on_and_not_differentiated() -> None:
    assert grad(lambda x, *, scale: x * scale)(2.0, scale=5.0) == 5.0


def test_arguments_that_are_not_asked_for_stay_as_they_are() -> None:
    seen = []
    grad(lambda x, y: seen.append(y) or x * 2.0)(1.0, "name")  # type: ignore[func-returns-value]
    assert seen == ["name"]


def test_arrays_count_as_lists() -> None:
    assert grad(lambda xs: autograd.dot(xs, xs))(np.array([1.0, 2.0])) == [2.0, 4.0]
    assert jacobian(lambda xs: [x * 2 for x in xs])(np.array([1.0, 2.0])) == [[2.0, 0.0], [0.0, 2.0]]


def test_jacobian_has_the_shape_of_the_result_with_the_shape_of_the_argument_inside() -> None:
    found = jacobian(lambda x: {"sum": x[0] + x[1], "parts": (x[0] * 2, 3.0)})([5.0, 7.0])
    assert found == {"sum": [1.0, 1.0], "parts": ([2.0, 0.0], [0.0, 0.0])}
    assert jacobian(lambda x, y: [x * y], argnums=(0, 1))(2.0, 3.0) == [(3.0, 2.0)]
    assert jacobian(lambda x: x * x)(3.0) == 6.0


def test_hessian_of_a_quadratic_form() -> None:
    assert hessian(lambda x: x[0] ** 2 * x[1] + 3 * x[1] ** 2)([3.0, 5.0]) == [[10.0, 6.0], [6.0, 6.0]]


def test_outputs_that_do_not_depend_on_the_argument_have_derivative_zero() -> None:
    assert grad(lambda x: 5.0)(2.0) == 0.0
    assert value_and_grad(lambda x: 5)(2.0) == (5.0, 0.0)
    assert jacobian(lambda x: [1.0, x])(2.0) == [0.0, 1.0]
    value, pull = vjp(lambda x: [1.0, x], 2.0)
    assert (value, pull([3.0, 5.0])) == ([1.0, 2.0], (5.0,))
    assert jvp(lambda x: [1.0, x], (2.0,), (3.0,)) == ([1.0, 2.0], [0.0, 3.0])


def test_the_argument_itself_may_be_the_result() -> None:
    assert grad(lambda x: x)(2.0) == 1.0
    assert jacobian(lambda x: [x, x])(2.0) == [1.0, 1.0]
    assert vjp(lambda x: [x, x], 2.0)[1]([1.0, 10.0]) == (11.0,)
    assert jvp(lambda x: [x, x], (2.0,), (3.0,)) == ([2.0, 2.0], [3.0, 3.0])


CONSTANT_GRADIENTS = [
    lambda x: 3 * x,
    lambda x: x + 1,
    lambda x: autograd.relu(x),
    lambda x: autograd.clip(x, 0, 9),
    lambda x: autograd.floor(x),
    lambda x: 7.0,
    lambda x: autograd.maximum(x, 0.0),
]


@pytest.mark.parametrize("f", CONSTANT_GRADIENTS)
def test_a_second_derivative_of_plain_numbers_is_a_plain_number(f: Any) -> None:
    """Also where the first derivative is a constant."""
    assert type(grad(grad(f))(2.0)) is float
    assert type(hessian(lambda x: f(x[0]))([2.0])[0][0]) is float
    assert type(hvp(lambda x: f(x[0]))([2.0], [1.0])[0]) is float
    assert type(grad(grad(grad(f)))(2.0)) is float


@pytest.mark.parametrize("order", range(1, 7))
def test_any_depth_of_nesting(order: int) -> None:
    f: Any = autograd.exp
    g: Any = lambda x: x**6  # noqa: E731 - rebound below
    for _ in range(order):
        f, g = grad(f), grad(g)
    assert f(0.5) == math.exp(0.5)
    assert g(2.0) == pytest.approx(math.perm(6, order) * 2.0 ** (6 - order), rel=1e-14, abs=0.0)


def test_results_are_values_where_an_argument_or_a_captured_leaf_is_one() -> None:
    x, w = Value(2.0), Value(3.0)
    slope = grad(lambda v: v * v * v)(x)
    assert isinstance(slope, Value)
    assert slope.data == 12.0
    slope.backward()
    assert x.grad == 12.0
    captured = grad(lambda v: v * v * w)(2.0)
    assert isinstance(captured, Value)
    captured.backward()
    assert w.grad == 4.0
    value, gradient = value_and_grad(lambda v: v * w)(2.0)
    assert isinstance(value, Value)
    assert gradients(value, w).data == 2.0
    assert gradient.data == 3.0


def test_only_the_argument_that_is_differentiated_decides() -> None:
    found = grad(lambda x, y: x * y)(2.0, Value(3.0))
    assert isinstance(found, Value)
    assert found.data == 3.0


# Perturbation confusion: an inner derivative must not be mistaken for an outer one.


def test_siskind_and_pearlmutter_2005() -> None:
    """d/dx (x · d/dy (x + y) at y = 1) at x = 1 is 1; confused engines say 2."""
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0


def derivative_by_jvp(f: Any) -> Any:
    return lambda x: jvp(f, (x,), (1.0,))[1]


@pytest.mark.parametrize("outer", [grad, derivative_by_jvp])
@pytest.mark.parametrize("inner", [grad, derivative_by_jvp])
def test_nesting_in_every_combination_of_modes(outer: Any, inner: Any) -> None:
    assert autograd_number(outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0)) == 1.0
    assert autograd_number(outer(lambda x: x * inner(lambda y: x * y)(2.0))(3.0)) == 6.0
    assert autograd_number(outer(lambda x: inner(lambda y: x * y * y)(x))(3.0)) == 12.0
    assert autograd_number(outer(lambda x: inner(lambda y: y**3)(x) * x)(2.0)) == 36.0


def autograd_number(x: Any) -> float:
    """The number of a result; whether it is a float or a Value is another test's question."""
    return x.data if isinstance(x, Value) else x


@pytest.mark.parametrize("outer", [grad, derivative_by_jvp])
@pytest.mark.parametrize("inner", [grad, derivative_by_jvp])
def test_a_perturbation_hidden_in_a_closure(outer: Any, inner: Any) -> None:
    """Manzyuk and others (2019): the derivative of a function that returns functions, applied to its own result.

    With s(x)(g)(u) = g(x + u) and D = ds/dx at 0, D(D(h)) is h″; an engine that marks each derivative once, not each
    call, gives 0. Here functions return numbers, so D is written with its last argument.
    """

    def s(x: Any) -> Any:
        return lambda g: lambda u: g(x + u)

    def derivative_of_s(g: Any) -> Any:
        return lambda u: outer(lambda x: s(x)(g)(u))(0.0)

    def inner_derivative_of_s(g: Any) -> Any:
        return lambda u: inner(lambda x: s(x)(g)(u))(0.0)

    assert autograd_number(derivative_of_s(inner_derivative_of_s(autograd.exp))(1.0)) == pytest.approx(
        math.e, rel=1e-14, abs=0.0
    )
    cube = derivative_of_s(inner_derivative_of_s(lambda v: v * v * v))
    assert autograd_number(cube(2.0)) == 12.0


def test_a_leak_of_an_outer_variable_through_an_inner_one() -> None:
    """d/dx of d/dy (x y²) at y = x is 4x, but with y a constant copy of x it is 2x."""
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0) == 12.0
    assert grad(lambda x: grad(lambda y: x * y * y)(autograd.detach(x)))(3.0) == 6.0


def test_three_levels() -> None:
    f = lambda x: grad(lambda y: grad(lambda z: x * y * z * z)(y) * x)(x)  # noqa: E731
    # d/dz = 2xyz at z = y: 2xy²; times x: 2x²y²; d/dy: 4x²y at y = x: 4x³; d/dx: 12x².
    assert grad(f)(2.0) == 48.0


# Agreement with each other, on random functions.


@given(calls(expressions(inputs=2, max_nodes=5)), *[st.lists(reals(-2, 2), min_size=n, max_size=n) for n in (2, 3)])
def test_products_with_vectors_agree_with_the_matrices(call: Call, v: list[float], u: list[float]) -> None:
    expression, xs = call.function, list(call.inputs)
    # Three outputs of one function: what it computes, and two simple things beside.
    f = lambda x: [expression(*x), x[0] * x[1], x[1] - 2.0]  # noqa: E731
    one = lambda x: expression(*x)  # noqa: E731
    matrix = jacobian(f)(xs)
    second = [[autograd_number(x) for x in row] for row in hessian(one)(xs)]
    sizes = size_of_terms(expression.program, xs)
    numbers = [x for row in (*matrix, *second) for x in row]
    if not all(map(math.isfinite, numbers)) or max(map(abs, numbers + sizes)) > 1e6:
        return
    # Sums of at most a hundred terms below 10⁶ · 4, in another order.
    close = lambda expected: pytest.approx(expected, rel=1e-9, abs=1e-13 * max(1.0, *map(abs, numbers + sizes)) * 1e2)  # noqa: E731

    value, tangent = jvp(f, (xs,), (v,))
    assert tangent == close([sum(a * b for a, b in zip(row, v, strict=True)) for row in matrix])
    value_again, pull = vjp(f, xs)
    assert value == value_again
    (cotangent,) = pull(u)
    assert cotangent == close([sum(u[i] * matrix[i][j] for i in range(3)) for j in range(2)])
    product = [autograd_number(x) for x in hvp(one)(xs, v)]
    assert product == close([sum(a * b for a, b in zip(row, v, strict=True)) for row in second])
    assert second[0][1] == close(second[1][0])
    assert value_and_grad(one)(xs)[0] == value[0]
    assert grad(one)(xs) == close(matrix[0])


def test_jvp_of_nested_arguments() -> None:
    value, tangent = jvp(lambda p, s: p["a"] * s[0], ({"a": 2.0}, [3.0]), ({"a": 1.0}, [10.0]))
    assert (value, tangent) == (6.0, 23.0)


@pytest.mark.parametrize("reverse", [False, True])
def test_dicts_are_matched_by_key_not_by_order(reverse: bool) -> None:
    def ordered(tree: dict[str, float]) -> dict[str, float]:
        return dict(reversed(tree.items())) if reverse else tree

    _, pull = vjp(lambda x: {"a": 2 * x, "b": 3 * x}, 1.0)
    assert pull(ordered({"a": 1.0, "b": 10.0})) == (32.0,)
    f = lambda d: 2 * d["a"] + 3 * d["b"] ** 2  # noqa: E731
    at, along = {"a": 1.0, "b": 1.0}, ordered({"a": 1.0, "b": 10.0})
    assert jvp(f, (at,), (along,))[1] == 62.0
    product = hvp(f)(at, along)
    assert {key: autograd_number(x) for key, x in product.items()} == {"a": 0.0, "b": 60.0}


def test_tangents_and_cotangents_that_are_values_give_values() -> None:
    v = Value(5.0)
    _, tangent = jvp(lambda x: x * x, (3.0,), (v,))
    assert isinstance(tangent, Value)
    tangent.backward()
    assert (tangent.data, v.grad) == (30.0, 6.0)
    u = Value(5.0)
    _, pull = vjp(lambda x: x * x, 3.0)
    (cotangent,) = pull(u)
    cotangent.backward()
    assert (cotangent.data, u.grad) == (30.0, 6.0)


def test_a_pull_can_be_called_again() -> None:
    _, pull = vjp(lambda x, y: [x * y, x + y], 2.0, 5.0)
    assert pull([1.0, 0.0]) == (5.0, 2.0)
    assert pull([0.0, 1.0]) == (1.0, 1.0)
    assert pull([1.0, 0.0]) == (5.0, 2.0)


def test_hvp_of_one_argument_among_several() -> None:
    f = lambda x, y: x[0] ** 2 * y  # noqa: E731
    assert hvp(f)([3.0], 5.0, [1.0]) == [10.0]
    assert autograd_number(hvp(f, argnums=1)([3.0], 5.0, 1.0)) == 0.0


@pytest.mark.parametrize("transform", [grad, value_and_grad])
def test_grad_needs_one_number(transform: Any) -> None:

    def pair(x: Any) -> Any:
        return [x, x]

    with pytest.raises(TypeError, match=r"pair returned 2 .*[Uu]se jacobian"):
        transform(pair)(1.0)
    with pytest.raises(TypeError, match=r"needs a function that returns one number"):
        transform(lambda x: [x])(1.0)
    with pytest.raises(TypeError, match=r"the result of <lambda> is NoneType None"):
        transform(lambda x: None)(1.0)
    with pytest.raises(TypeError, match=r"argument 0 of <lambda>\['a'\]\[1\] is str 'b'"):
        transform(lambda x: x)({"a": [1.0, "b"]})


def test_a_result_in_a_list_is_said_to_be_a_list() -> None:
    """Not: "returned 1 of them"."""
    with pytest.raises(TypeError, match="list"):
        grad(lambda x: [x])(1.0)


def test_lengths_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match="one tangent per primal; there are 1 for 2"):
        jvp(lambda x, y: x, (1.0, 2.0), (1.0,))
    with pytest.raises(ValueError, match="tangent 0 has 1 numbers; primal 0 has 2"):
        jvp(lambda x: x[0], ([1.0, 2.0],), ([1.0],))
    with pytest.raises(ValueError, match="the cotangent has 1 numbers; what <lambda> returned has 2"):
        vjp(lambda x: [x, x], 1.0)[1]([1.0])
    with pytest.raises(TypeError, match="hvp needs the function's arguments and then the vector"):
        hvp(lambda x: x)(1.0)


def test_an_exception_of_the_function_comes_through() -> None:
    with pytest.raises(autograd.DomainError, match="log needs"):
        grad(lambda x: x.log())(-1.0)

    def mine(x: Any) -> Any:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        grad(mine)(1.0)


@pytest.mark.parametrize("name", ["product", "square", "factor", "captured"])
def test_a_derivative_that_is_zero_is_0_and_never_minus_0(name: str) -> None:
    f: Any = {
        "product": lambda x: x * -3.0 * x,
        "square": lambda x: -(x * x),
        "factor": lambda x: x * -0.0,
        "captured": lambda x: x * Value(-0.0),
    }[name]
    x = Value(0.0)
    f(x).backward()
    found = [x.grad, gradients(f(x), x).data, gradients(f(x), [x])[0].data, grad(f)(0.0), grad(f)(Value(0.0)).data]
    assert [str(getattr(number, "data", number)) for number in found] == ["0.0"] * 5
    assert gradients(gradients(f(x), x), x).data == {"product": -6.0, "square": -2.0}.get(name, 0.0)
