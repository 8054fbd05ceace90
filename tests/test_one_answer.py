"""One answer for one slope: at every point, whichever way it is asked for, the same number or a refusal.

A way that raises refuses; so does one of IEEE arithmetic that yields nan or an infinity. Over all rows of the table,
and points where formulas go wrong: zeros of both signs, the smallest and the largest floats, infinities, nan, ties,
integers, ends of domains.
"""

from __future__ import annotations

import functools
import itertools
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd
from autograd import TABLE, Primitive, Value, evaluate
from autograd.lanes import InLanes
from autograd.number_systems import floats
from autograd.primitives import everywhere
from autograd.rules import is_nothing
from autograd.value import maker
from tests import checks
from tests.compiled.replays import BACKENDS
from tests.test_kinks import LIMITS_OF_SECOND

_SIZES = (
    1.0, 2.0, 0.5, 0.25, 1.5, 3.0, 0.1, math.pi, math.pi / 2, 10.0, 30.0, 37.0, 40.0, 100.0, 700.0, 710.0, 750.0, 1e5,
    1e15, 1e16, 1e100, 1e154, 1e155, 1e200, 1e300, 1e308, 1.7976931348623157e308, 1e-8, 1e-16, 1e-30, 1e-150, 1e-200,
    1e-300, 2.2250738585072014e-308, 1e-309, 5e-324, 1 - 2.0**-53, 1 + 2.0**-52, 0.0, math.inf,
)  # fmt: skip
ONE = [(sign * size,) for size in _SIZES for sign in (1, -1)] + [(math.nan,)]
TWO = list(
    itertools.product(
        (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e-8, 5e-324, 1e300, -1e300, math.inf, -math.inf, math.nan), repeat=2
    )
)
#: Beyond, the double of a number is infinite, and forward mode meets it where reverse mode does not.
MOST_OF_SECOND = 8e307

Answer = float | None


def answer(ask: Callable[[], Any]) -> Answer:
    """A number, or ``None`` for a refusal."""
    try:
        found = ask()
    except (ValueError, ArithmeticError):
        return None
    return float(found.data if isinstance(found, Value) else found)


def agree(x: Answer, y: float, tolerance: float, absolute: float) -> bool:
    """Whether the answer of plain Python and that of IEEE arithmetic are one."""
    if x is None or y != y or math.isinf(y):
        return (x is None or not math.isfinite(x)) and not math.isfinite(y) and (x is None or x == y or x != x)
    return abs(x - y) <= tolerance * max(abs(x), abs(y)) + absolute


class Asked(NamedTuple):
    """A function of one or two numbers, made of one row of the table: at many points."""

    name: str
    function: Callable[..., Any]
    #: How many numbers.
    count: int = 2
    #: The argument of the row that each number is, and those that are constants.
    row: Primitive | None = None
    free: tuple[int, ...] = ()
    constants: tuple[float, ...] = ()

    @property
    def points(self) -> list[tuple[float, ...]]:
        """Where it is asked."""
        return ONE if self.count == 1 else TWO

    @property
    def columns(self) -> list[Any]:
        """The same, as an array for each number."""
        return [np.array(column) for column in zip(*self.points, strict=True)]

    def __call__(self, *xs: Any) -> Any:
        return self.function(*xs)

    def operands(self, xs: Sequence[Any]) -> list[Any]:
        """All operands of the row: the numbers, and constants."""
        operands: list[Any] = list(self.constants)
        for i, x in zip(self.free, xs, strict=True):
            operands[i] = x
        return operands

    def along(self, point: Sequence[float], i: int) -> Callable[[Any], Any]:
        """The function of one of the arguments, the others at a point."""
        return lambda x: self(*[x if k == i else number for k, number in enumerate(point)])

    def backward(self, point: Sequence[float], i: int) -> Answer:
        """What ``backward()`` leaves."""

        def ask() -> float:
            x = Value(point[i])
            self.along(point, i)(x).backward()
            return x.grad

        return answer(ask)

    def tangent(self, point: Sequence[float], i: int) -> Callable[[float], Any]:
        """What forward mode says."""
        return lambda x: autograd.jvp(self.along(point, i), (x,), (1.0,))[1]

    def is_asked_of(self, point: Sequence[float]) -> bool:
        """Whether there is a value: not where it overflows, and not where it is nan, which tells enough."""
        try:
            return not math.isnan(self(*map(Value, point)).data)
        except OverflowError:
            return False
        except (ValueError, ArithmeticError):
            return True

    def is_constant(self, i: int) -> bool:
        """Whether nothing ever flows to an argument: then that is so outside of the domain too."""
        if self.row is None:
            return False
        rule = self.row.rule(self.free[i], floats, ())
        assert rule is not None
        return is_nothing(rule(InLanes(floats), 1.0, *self.constants))


def of_a_row(row: Primitive) -> Asked:
    """A row as a function of the arguments that it is differentiated by; the others are those of its example."""
    assert not callable(row.partials)
    free = tuple([i for i, rule in enumerate(row.partials) if rule is not None])
    asked = Asked(row.name, lambda *xs: maker(row)(*asked.operands(xs)), len(free), row, free)
    asked = asked._replace(constants=row.example[0] if row.example else (1.0,) * row.arity)
    return asked


#: Every row; those of any number of arguments and of a condition as functions of two.
CASES = [
    *[of_a_row(row) for row in TABLE.values() if not callable(row.partials) and any(row.partials) and row.partials[0]],
    Asked("where", lambda x, y: autograd.where(x > 0.75, x, y)),
    Asked(
        "where of functions", lambda x, y: autograd.where(x > y, lambda: autograd.cbrt(x), lambda: autograd.expm1(y))
    ),
    Asked("sum", lambda x, y: autograd.sum([x, 1.0, y])),
    Asked("prod", lambda x, y: autograd.prod([x, 2.0, y])),
    Asked("mean", lambda x, y: autograd.mean([x, y])),
    Asked("dot", lambda x, y: autograd.dot([x, y], [y, 3.0])),
    Asked("logsumexp", lambda x, y: autograd.logsumexp([x, y])),
    Asked("softmax", lambda x, y: autograd.softmax([x, y, 0.5])[0]),
    Asked("norm", lambda x, y: autograd.norm([x, y])),
]
over_cases = pytest.mark.parametrize("asked", CASES, ids=lambda asked: asked.name)


@over_cases
def test_a_slope_is_one_number_whichever_way_it_is_asked_for(asked: Asked) -> None:
    leaves = [Value(x) for x in ([asked.constants[i] for i in asked.free] if asked.row else (1.0, 1.0))]
    with np.errstate(all="ignore"):
        ways = {}
        if "where" not in asked.name:  # evaluated elsewhere, a graph keeps the branch that was taken
            at = dict(zip(leaves, asked.columns, strict=True))
            ways["arrays"] = evaluate(asked(*leaves), "arrays", at=at, wrt=leaves)[1]
        for backend in BACKENDS:
            step = autograd.compile(asked.function, wrt=range(asked.count), reduce=None, backend=backend)
            ways[backend] = step.value_and_grad(*asked.columns)[1]
    for n, point in enumerate(asked.points):
        for i in range(asked.count):
            expected = asked.backward(point, i)
            for way in (autograd.grad(asked.along(point, i)), asked.tangent(point, i)):
                found = answer(partial(way, point[i]))
                assert str(found) == str(expected), (point, i)  # the sign of zero too
            if not asked.is_asked_of(point) or asked.is_constant(i):
                continue
            for name, slopes in ways.items():
                found = float(np.broadcast_to(slopes[i], (len(asked.points),))[n])
                assert agree(expected, found, 1e-13, 4 * checks.SMALLEST), (name, point, i, expected, found)


@over_cases
def test_a_second_derivative_is_one_number_too(asked: Asked) -> None:
    """Every entry of the Hessian, at each of the points."""
    pairs = list(itertools.product(range(asked.count), repeat=2))
    ways = {}
    for backend in BACKENDS:
        step = autograd.compile(lambda p: asked(*p), wrt=0, backend=backend)
        with np.errstate(all="ignore"):
            ways[backend] = step.at_points.hessian(np.stack(asked.columns, axis=1))
    for n, point in enumerate(asked.points):
        if max(map(abs, point)) > MOST_OF_SECOND or not asked.is_asked_of(point):
            continue
        for i, j in pairs:
            if asked.is_constant(i) or asked.is_constant(j):
                continue
            if i != j and any(0 < abs(x) < sys.float_info.min for x in point):
                continue  # whose reciprocals overflow in one order and meet no zero in the other
            expected = answer(lambda i=i, j=j, point=point: second(asked, point, i, j))
            for backend, found in ways.items():
                entries = found[n][np.isfinite(found[n])]  # mixed ones are differences of such as stand beside them
                tolerance = 4 * checks.EPS * max(1.0, *abs(entries).flat, 0.0)
                assert agree(expected, found[n, i, j], 1e-9, tolerance), (backend, point, i, j, expected)
                assert agree(found[n, i, j], found[n, j, i], 1e-9, tolerance), ("not symmetric", backend, point)


def second(asked: Asked, point: Sequence[float], i: int, j: int) -> Any:
    """The derivative of a derivative, by plain Python."""

    def at(x: Any, y: Any) -> Any:
        return asked(*[x if k == i else y if k == j else number for k, number in enumerate(point)])

    if i == j:
        return autograd.grad(autograd.grad(lambda x: at(x, x)))(point[i])
    return autograd.grad(lambda y: autograd.grad(lambda x: at(x, y))(point[i]))(point[j])


#: Functions of a number whose derivative is a sum that depends on the order of its terms.
CANCELLING: dict[str, Callable[[Any], Any]] = {
    "sums": lambda x: (x * -1e16 + (x + x)) + x * 1e16,
    "shared": lambda x: autograd.sum([x * 1e16, x * 3.0, x * -1e16]) * 1.0 + x,
    "where": lambda x: (x * -1e16 + autograd.where(x < 9.0, x + x, x * -1e16)) + x * 1e16,
    "where of one that is shared": lambda x: (lambda a: (a + autograd.where(x < 9.0, x + x, a)) + x * 1e16)(x * -1e16),
    "take": lambda x: (lambda a: (a + autograd.take([x + x, a, x], x - x)) + x * 1e16)(x * -1e16),
    "nested": lambda x: (
        lambda a: (autograd.where(x < 9.0, autograd.where(x > 2.0, a, x + x), x * 7.0) + a) + x * 1e16
    )(x * -1e16),
    "function": lambda x: (lambda a: (a + autograd.where(x < 9.0, lambda: x + x, lambda: a)) + x * 1e16)(x * -1e16),
    "function and value": lambda x: (lambda a: (a + autograd.where(x < 9.0, x + x, lambda: a)) + x * 1e16)(x * -1e16),
    "functions in functions": lambda x: (
        lambda a: (a + autograd.where(x < 9.0, lambda: autograd.where(x < 2.0, lambda: x + x, lambda: a), x)) + x * 1e16
    )(x * -1e16),
    "functions that share": lambda x: (
        lambda a, b: (a + autograd.where(x < 9.0, lambda: b + b * a, lambda: a + b) + b) + x * 1e16
    )(x * -1e16, x * 3.0),
    "either order": lambda x: (lambda a, b: x * 1e16 + autograd.where(x < 2.0, lambda: a + b, lambda: b + a))(
        x * -1e16, x * 3.0
    ),
    "two of either order": lambda x: (
        lambda a, b: (
            x * 1e16
            + autograd.where(x < 2.0, lambda: a + b, lambda: b + a)
            + autograd.where(x < 9.0, lambda: b * 0.5, lambda: a + x)
        )
    )(x * -1e16, x * 3.0),
    "same condition": lambda x: (
        lambda a: (
            (autograd.where(x < 2.0, lambda: a, lambda: x + x) + autograd.where(x < 2.0, lambda: x, lambda: a))
            + (a + x * 1e16)
        )
    )(x * -1e16),
    "functions in a row": lambda x: functools.reduce(
        lambda t, n: (lambda a: (a + autograd.where(x < n, lambda: t + t, lambda: a)) + t * 1e16)(t * -1e16),
        [2.0, 9.0, 2.0],
        x * 1.0,
    ),
}


@pytest.mark.parametrize("name", CANCELLING)
@pytest.mark.parametrize("x", [1.0, 3.0, 10.0])
def test_what_flows_into_a_number_is_added_up_in_one_order(name: str, x: float) -> None:
    f, leaf = CANCELLING[name], Value(x)
    output = f(leaf)
    output.backward()
    found = {
        "grad": autograd.grad(f)(x),
        "value_and_grad": autograd.value_and_grad(f)(x)[1],
        "gradients": autograd.gradients(output, leaf).data,
        "evaluate": evaluate(output, wrt=leaf)[1],
    }
    for backend in BACKENDS:
        step = autograd.compile(f, wrt=0, reduce=None, backend=backend)
        slope = autograd.compile(autograd.grad(f), wrt=0, backend=backend)
        found[backend] = step.value_and_grad(np.array([x]))[1][0]
        found[f"{backend}, a point"] = step.value_and_grad(x)[1]
        elsewhere = autograd.compile(f, wrt=0, reduce=None, backend=backend)
        found[f"{backend}, among others"] = elsewhere.value_and_grad(np.array([10.0, 1.0, 3.0, x]))[1][3]
        found[f"{backend}, vjp"] = step.at_points.vjp(x)[1](1.0)[0]
        found[f"{backend}, of grad"] = slope.value_and_grad(x)[0]
    assert found == dict.fromkeys(found, leaf.grad)


#: Through these nothing flows at some operands.
STOPPING: dict[str, Callable[[Any], Any]] = {
    "relu": autograd.relu,
    "maximum": lambda x: autograd.maximum(x, 0.1),
    "minimum": lambda x: autograd.minimum(1 - x, 0.9),
    "clip": lambda x: autograd.clip(x, 0.2, 0.3),
    "floor": autograd.floor,
    "ceil": autograd.ceil,
    "sign": autograd.sign,
    "where": lambda x: autograd.where(x > 0.1, x, 0.25),
    "beyond": lambda x: autograd.relu(x - 4),
}
#: And the slopes of these are infinite, or do not exist, at the ends of their domains.
STEEP: dict[str, Callable[[Any], Any]] = {
    "sqrt": autograd.sqrt,
    "cbrt": autograd.cbrt,
    "root": lambda x: x**0.3,
    "asin": autograd.asin,
    "acos": lambda x: autograd.acos(1 - x),
    "acosh": lambda x: autograd.acosh(1 + x),
    "atan2": lambda x: autograd.atan2(x, x),
    "log": lambda x: autograd.log(x + 1e-300),
}


@pytest.mark.parametrize("steep", STEEP)
@pytest.mark.parametrize("stopping", STOPPING)
@pytest.mark.parametrize("stops_first", [True, False])
def test_nothing_flows_through_what_stops_it(stopping: str, steep: str, stops_first: bool) -> None:
    f, g = (STOPPING[stopping], STEEP[steep]) if stops_first else (STEEP[steep], STOPPING[stopping])

    def composed(x: Any) -> Any:
        return g(f(x)) + 0 * x

    def looped(x: Any) -> Any:
        return autograd.scan(lambda carry, e: (carry + composed(x * e), 0.0), 0.0, [1.0, 1.0])[0]

    points = np.array([0.0, 0.05, 0.25, 0.7, 1.0])
    at = Value(0.25)
    with np.errstate(all="ignore"):
        arrays = evaluate(composed(at), "arrays", at={at: points}, wrt=at)[1]
        ways = {"arrays": np.broadcast_to(arrays, points.shape)}
        for backend in BACKENDS:
            step = autograd.compile(composed, wrt=0, reduce=None, backend=backend)
            ways[backend] = step.value_and_grad(points)[1]
            ways[f"{backend}, forward"] = step.at_points.jvp((points,), (np.ones(5),))[1]
            ways[f"{backend}, one by one"] = np.array([step.value_and_grad(x)[1] for x in points.tolist()])
            loop = autograd.compile(looped, wrt=0, reduce=None, backend=backend)
            ways[f"{backend}, in a loop"] = loop.value_and_grad(points)[1] / 2
    for n, x in enumerate(points.tolist()):
        leaf = Value(x)

        def backward(leaf: Value = leaf) -> float:
            composed(leaf).backward()
            return leaf.grad

        expected = answer(backward)
        for way in (autograd.grad(composed), lambda x: autograd.jvp(composed, (x,), (1.0,))[1]):
            assert answer(partial(way, x)) == expected
        for name, slopes in ways.items():
            assert agree(expected, float(slopes[n]), 1e-13, 0.0), (name, x)


#: Where their slopes do not exist, or are infinite, all that those meet stops them; and a point.
LEADING_NOWHERE: dict[str, tuple[Callable[[Any], Any], float]] = {
    "power": (lambda x: (-2.0) ** autograd.floor(x), 0.5),
    "power of itself": (lambda x: (lambda t: t**t)(autograd.floor(x)), -1.0),
    "angle": (lambda x: autograd.atan2(0.0, autograd.maximum(x, 0.0)), -1.0),
    "exponent not taken": (lambda x: (-2.0) ** autograd.where(x > 0, x, 3.0), -1.0),
    "root of what is not taken": (lambda x: x * autograd.sqrt(autograd.where(x > 0, x, 0.0)), -1.0),
    "detached": (lambda x: (-2.0) ** autograd.detach(x) * x, 3.0),
    "further down": (lambda x: (-2.0) ** (autograd.floor(x) * 2.0 + 1.0) + x * x, 1.5),
    "twice": (lambda x: (-2.0) ** (-((-1.0) ** autograd.floor(x))) * x, 1.5),
    "limit": (lambda x: x * autograd.sqrt(autograd.relu(x)), -2.0),
    "of one operand": (lambda x: (x - 3.0) ** autograd.floor(x), 1.5),
    "beside a constant": (lambda x: (-2.0) ** autograd.minimum(x, 3.0), 4.0),
}


@pytest.mark.parametrize("name", LEADING_NOWHERE)
def test_a_slope_that_leads_nowhere_is_not_asked_for(name: str) -> None:
    f, x = LEADING_NOWHERE[name]
    leaf = Value(x)
    f(leaf).backward()
    ways = {
        "grad": autograd.grad(f)(x),
        "gradients": answer(lambda: autograd.gradients(f(leaf), leaf)),
        "evaluate": evaluate(f(leaf), wrt=leaf)[1],
        "arrays": evaluate(f(leaf), "arrays", wrt=leaf)[1],
        "forward": autograd.jvp(f, (x,), (1.0,))[1],
    }
    second = autograd.hessian(f)(x)
    for backend in BACKENDS:
        step = autograd.compile(f, wrt=0, reduce=None, backend=backend)
        ways[backend] = step.value_and_grad(x)[1]
        ways[f"{backend}, samples"] = step.value_and_grad(np.array([x]))[1][0]
        ways[f"{backend}, forward"] = step.at_points.jvp((x,), (1.0,))[1]
        ways[f"{backend}, forward, samples"] = step.at_points.jvp((np.array([x]),), (np.ones(1),))[1][0]
        columns = autograd.compile(lambda x: [f(x), x, x], wrt=0, backend=backend).at_points.jacobian(x)
        ways[f"{backend}, by columns"] = columns[0]
        assert agree(second, step.at_points.hessian(x), 1e-13, 0.0)
    for way, found in ways.items():
        assert agree(leaf.grad, float(found), 1e-13, 0.0), way


def test_a_slope_that_does_not_exist_is_nan_in_what_stops_it_and_an_error_where_it_is_wanted() -> None:
    x = Value(0.5)
    exponent = autograd.floor(x)
    power = (-2.0) ** exponent
    power.backward()
    assert math.isnan(exponent.grad)
    assert x.grad == 0.0
    with pytest.raises(autograd.DomainError, match="pow has no derivative with respect to y"):
        autograd.gradients(power, exponent)
    with pytest.raises(autograd.DomainError, match="pow has no derivative with respect to y"):
        ((-2.0) ** (exponent + Value(1.0))).backward()
    with pytest.raises(autograd.DomainError, match="pow has no derivative with respect to y"):
        autograd.jvp(lambda x: (-2.0) ** (autograd.floor(x) + 0.0 * x), (0.5,), (1.0,))


#: What hides a nan or an infinity that was born outside of a domain, or of what is too large; a point, and what
#: compiled functions have there, value and slope.
HIDING: dict[str, tuple[Callable[[Any], Any], float, tuple[float, float]]] = {
    "power of 1": (lambda x: 1.0 ** autograd.log(x), -0.5, (1.0, 0.0)),
    "power 0": (lambda x: autograd.log(x) ** 0.0, -0.5, (1.0, math.nan)),
    "relu": (lambda x: autograd.relu(autograd.log(x)), 0.0, (0.0, 0.0)),
    "exp": (lambda x: autograd.exp(autograd.log(x)), 0.0, (0.0, math.nan)),
    "maximum": (lambda x: autograd.maximum(autograd.log(x), 1.0), 0.0, (1.0, 0.0)),
    "clip": (lambda x: autograd.clip(autograd.log(x), 0.0, 1.0), 0.0, (0.0, 0.0)),
    "where": (lambda x: autograd.where(autograd.log(x) > 0, 1.0, 2.0), -1.0, (2.0, 0.0)),
    "quotient": (lambda x: 1 / (1 / x), 0.0, (0.0, math.nan)),
    "atan": (lambda x: autograd.atan(1 / x), 0.0, (math.pi / 2, math.nan)),
    "tanh": (lambda x: autograd.tanh(autograd.log(x)), 0.0, (-1.0, math.nan)),
    "logsumexp": (lambda x: autograd.logsumexp([autograd.log(x), 0.0]), 0.0, (0.0, math.nan)),
    "exp of what is too large": (lambda x: autograd.exp(-autograd.exp(x)), 1000.0, (0.0, math.nan)),
    "sigmoid of what is too large": (lambda x: autograd.sigmoid(autograd.exp(x)), 1000.0, (1.0, math.nan)),
    "divided by what is too large": (lambda x: x / autograd.exp(x), 1000.0, (0.0, math.nan)),
}


@pytest.mark.parametrize("name", HIDING)
def test_what_hides_a_nan_hides_it_on_every_back_end(name: str) -> None:
    f, x, expected = HIDING[name]
    with pytest.raises((autograd.DomainError, OverflowError)):
        f(Value(x))
    for backend in BACKENDS:
        of_samples = autograd.compile(f, wrt=0, reduce=None, backend=backend).value_and_grad(np.array([2.0, x]))
        at_a_point = autograd.compile(f, wrt=0, backend=backend).value_and_grad(x)
        value, slopes = autograd.objective(lambda p: f(p[0]), backend=backend)([x])
        for found in (at_a_point, [part[1] for part in of_samples], (value, slopes[0])):
            assert [float(number) for number in found] == pytest.approx(expected, nan_ok=True, rel=1e-15, abs=0.0)


def test_what_stops_by_its_numbers_stops_nothing() -> None:
    """0 · ∞ says nothing of the true slope, which is 1 here: nan, or an error, and never 0."""
    x = Value(0.0)
    (autograd.sqrt(x) ** 2).backward()
    assert math.isnan(x.grad)
    assert math.isnan(autograd.grad(lambda x: autograd.sqrt(x) ** 2)(0.0))
    for backend in BACKENDS:
        step = autograd.compile(lambda x: autograd.sqrt(x) ** 2, wrt=0, backend=backend)
        assert math.isnan(step.value_and_grad(0.0)[1])


def test_a_limit_is_differentiated_only_where_more_is_known_of_it() -> None:
    norm_squared = lambda p: autograd.hypot(p[0], p[1]) ** 2  # noqa: E731
    assert autograd.grad(norm_squared)([0.0, 0.0]) == [0.0, 0.0]
    with pytest.raises(autograd.DomainError, match="hypot has no further derivative here"):
        autograd.hessian(norm_squared)([0.0, 0.0])
    with pytest.raises(autograd.DomainError, match="pow has no further derivative here"):
        autograd.hessian(lambda p: p[0] ** p[1])([0.0, 0.5])
    assert autograd.hessian(lambda p: p[0] ** p[1])([0.0, 1.0]) == [[0.0, -math.inf], [-math.inf, 0.0]]
    assert autograd.hessian(lambda p: p[0] ** p[1])([0.0, 2.0]) == [[2.0, 0.0], [0.0, 0.0]]
    assert autograd.grad(autograd.grad(lambda x: x**0))(0.0) == 0.0
    for backend in BACKENDS:
        assert np.isnan(autograd.compile(norm_squared, backend=backend).at_points.hessian([0.0, 0.0])).all()
        for _, f, x, expected in LIMITS_OF_SECOND:
            assert autograd.compile(f, backend=backend).at_points.hessian(x) == expected
            assert autograd.objective(lambda p, f=f: f(p[0]), backend=backend).hessian([x]) == expected
            slope = autograd.compile(autograd.grad(f), wrt=0, reduce=None, backend=backend)
            assert slope.value_and_grad(np.array([0.75, x]))[1][1] == expected
            assert slope.value_and_grad(x)[1] == expected


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.domain is not everywhere], ids=lambda r: r.name)
def test_outside_of_a_domain_every_derivative_is_nan(row: Primitive, backend: str) -> None:
    """But of what is constant in pieces: there nothing flows, so nothing is asked."""
    asked = of_a_row(row)
    outside = [point for point in asked.points if not row.domain(*point, *row.example[0][len(point) :])]
    if row.name in ("clip", "floor_divide"):
        return
    columns = [np.array(column) for column in zip(*outside, strict=True)]
    step = autograd.compile(lambda p: asked(*p), wrt=0, reduce=None, backend=backend)
    stacked = np.stack(columns, axis=1)
    with np.errstate(all="ignore"):
        assert np.isnan(step.value_and_grad(stacked)[1]).all()
        assert np.isnan(step.at_points.hessian(stacked)).all()
        if len(columns) == 1:
            slope = autograd.compile(autograd.grad(asked), wrt=0, reduce=None, backend=backend)
            assert np.isnan(slope.value_and_grad(columns[0])[1]).all()
            assert np.isnan(slope.at_points.hessian(columns[0])).all()


#: Functions of a number in which something is held constant.
HELD_CONSTANT: dict[str, Callable[[Any], Any]] = {
    "factor": lambda x: autograd.detach(x) * x,
    "power": lambda x: autograd.detach(x**3) * x**2,
    "straight through": lambda x: (x + autograd.detach(autograd.rint(x) - x)) ** 2,
    "steep": lambda x: autograd.detach(autograd.sqrt(x)) * x,
    "branch": lambda x: autograd.where(x > 0.5, lambda: autograd.detach(x) * x * x, autograd.detach(x) * 3.0),
    "other branch": lambda x: autograd.where(x > 9.0, x * x, lambda: autograd.detach(x**2)) * x,
    "tie": lambda x: autograd.maximum(x * x, autograd.detach(x * x)) * x,
    "loop": lambda x: autograd.scan(lambda c, e: (c * autograd.detach(c) * x * e, 0.0), x, [1.0, 0.5, 1.0])[0],
    "shift": lambda x: autograd.logsumexp([x, x * x, autograd.detach(x) + 1.0]),
    "all of it": lambda x: autograd.detach(x * x),
    "inner": lambda x: autograd.exp(autograd.detach(autograd.sin(x)) * x) * autograd.sin(x),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", HELD_CONSTANT)
def test_what_is_detached_is_a_constant_to_second_derivatives(name: str, backend: str) -> None:
    f = HELD_CONSTANT[name]
    points = np.array([0.0, 0.3, 1.3, 2.0])
    expected = [autograd.hessian(f)(x) for x in points.tolist()]
    at_points = autograd.compile(f, wrt=0, reduce=None, backend=backend).at_points
    objective = autograd.objective(lambda p: f(p[0]), backend=backend)
    slope = autograd.compile(autograd.grad(f), wrt=0, reduce=None, backend=backend)
    ways = {
        "hessian": [at_points.hessian(x) for x in points.tolist()],
        "hvp": [at_points.hvp(x, 1.0) for x in points.tolist()],
        "hessian of samples": at_points.hessian(points),
        "hvp of samples": at_points.hvp(points, 1.0),
        "hessian of an objective": [objective.hessian([x])[0, 0] for x in points.tolist()],
        "hvp of an objective": [objective.hvp([x], [1.0])[0] for x in points.tolist()],
        "slope of the slope": [slope.value_and_grad(x)[1] for x in points.tolist()],
    }
    for way, found in ways.items():
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-300, err_msg=way)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("stopping", STOPPING)
def test_a_careful_program_meets_choices_that_are_decided(stopping: str, backend: str) -> None:
    """A power by 0 is the constant 1 of a program, so the rule of what stops it chooses beforehand; its slope at nan
    asks for a careful program."""
    for constant in (0.0, 1.0, 5.0):

        def f(x: Any, constant: float = constant) -> Any:
            return STOPPING[stopping](x**0 * constant)

        found = autograd.compile(f, wrt=0, backend=backend).value_and_grad(math.nan)[1]
        assert agree(answer(lambda f=f: autograd.grad(f)(math.nan)), found, 0.0, 0.0)


#: Functions of two numbers, a point where a slope is infinite, a direction in which only the other number moves, and
#: the derivative along it.
BESIDE_AN_INFINITE_SLOPE: list[tuple[Callable[[Any, Any], Any], tuple[float, float], float]] = [
    (lambda x, y: autograd.sqrt(x) * y, (0.0, 1.0), 0.0),
    (lambda x, y: autograd.sqrt(x) + y * y, (0.0, 3.0), 6.0),
    (lambda x, y: autograd.cbrt(x) - y, (0.0, 3.0), -1.0),
    (lambda x, y: autograd.prod([autograd.sqrt(x), y, y]), (0.0, 1.0), 0.0),
    (lambda x, y: autograd.asin(x) * y, (1.0, 2.0), math.asin(1.0)),
    (lambda x, y: x**0.5 + y, (0.0, 2.0), 1.0),
    (lambda x, y: x**y, (0.0, 0.5), 0.0),
]


@pytest.mark.parametrize(("f", "point", "expected"), BESIDE_AN_INFINITE_SLOPE)
def test_what_does_not_move_is_not_asked_for_its_slope(
    f: Callable[[Any, Any], Any], point: tuple[float, float], expected: float
) -> None:
    assert autograd.grad(f, 1)(*point) == expected
    assert autograd.jvp(f, point, (0.0, 1.0))[1] == expected
    for backend in BACKENDS:
        at_points = autograd.compile(f, backend=backend).at_points
        assert at_points.jvp(point, (0.0, 1.0))[1] == expected
        columns = [np.array([number, 0.25]) for number in point]
        tangents = (np.array([0.0, 1.0]), np.ones(2))
        assert at_points.jvp(columns, tangents)[1][0] == expected
        assert autograd.objective(lambda p, f=f: f(*p), backend=backend).jvp(point, [0.0, 1.0]) == expected


#: A choice of two free numbers, or what else brings them together.
MEETING: dict[str, Callable[[Any, Any], Any]] = {
    "maximum": autograd.maximum,
    "minimum": autograd.minimum,
    "branches": lambda x, y: autograd.where(x > 1, lambda: x, lambda: y),
    "relu": lambda x, y: autograd.relu(x) + y,
    "first": lambda x, y: x,
    "prod": lambda x, y: autograd.prod([x, y]),
    "scan": lambda x, y: autograd.scan(lambda c, e: (autograd.maximum(c, y) * e, 0.0), x, [1.0, 1.0])[0],
}
#: What is done with it: slopes that are infinite, or do not exist, at the ends of domains or at infinities.
AND_THEN: dict[str, Callable[[Any], Any]] = {
    "itself": lambda t: t,
    "sqrt": autograd.sqrt,
    "expm1": autograd.expm1,
    "atan2": lambda t: autograd.atan2(t, t),
}
_NASTY = [(-1.0, 0.0), (1.0, 0.0), (0.0, 0.75), (2.0, 0.25), (math.inf, 0.5), (2.0, math.inf), (-math.inf, 0.5)]


@pytest.mark.parametrize("then", AND_THEN)
@pytest.mark.parametrize("meeting", MEETING)
def test_forward_mode_asks_only_what_moves(meeting: str, then: str) -> None:
    """Along each of two numbers and along both, first and second derivatives: as the engine finds them."""

    def f(p: Any) -> Any:
        return AND_THEN[then](MEETING[meeting](p[0], p[1])) - p[1]

    def several(p: Any) -> Any:
        return [f(p), p[0], p[1]]

    points, directions = np.array(_NASTY), [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    found: dict[str, Any] = {}
    expected: dict[str, list[Any]] = {}

    def each(name: str, ask: Callable[[list[float]], Any]) -> None:
        expected[name] = []
        for p in points.tolist():
            try:
                expected[name].append(np.ravel(ask(p)).tolist())
            except (ValueError, ArithmeticError):  # be it for one number of several
                expected[name].append(None)

    for n, v in enumerate(directions):
        each(f"jvp {n}", lambda p, v=v: autograd.jvp(f, (p,), (v,))[1])
        each(f"hvp {n}", lambda p, v=v: autograd.hvp(f)(p, v))
    each("hessian", autograd.hessian(f))
    each("jacobian", lambda p: autograd.jacobian(several)(p)[0])
    for backend in BACKENDS:
        at_points = autograd.compile(f, wrt=0, reduce=None, backend=backend).at_points
        objective = autograd.objective(f, backend=backend)
        for n, v in enumerate(directions):
            vectors = np.tile(v, (len(points), 1))
            found[f"jvp {n}"] = at_points.jvp((points,), (vectors,))[1]
            found[f"hvp {n}"] = at_points.hvp(points, vectors)
            for way in ("jvp", "hvp"):
                one_by_one = [getattr(objective, way)(p, v) for p in points]
                others = np.ravel(found[f"{way} {n}"])
                np.testing.assert_allclose(np.ravel(one_by_one), others, 1e-14, 1e-300, err_msg=f"{backend} {way}")
        found["hessian"] = at_points.hessian(points)
        found["jacobian"] = autograd.compile(several, wrt=0, reduce=None, backend=backend).at_points.jacobian(points)[
            :, 0
        ]
        for way, numbers in found.items():
            for point, xs, ys in zip(_NASTY, expected[way], numbers.reshape(len(_NASTY), -1).tolist(), strict=True):
                if xs is None:  # a gradient that does not exist is refused whatever the direction
                    refused = answer(lambda p=point: sum(autograd.grad(f)([*p]))) is None
                    assert refused or not all(map(math.isfinite, ys)), (backend, way, point, ys)
                else:
                    same = [agree(x, y, 1e-14, 1e-300) for x, y in zip(xs, ys, strict=True)]
                    assert all(same), (backend, way, point, xs, ys)


def test_a_vector_of_zeros_and_ones_gives_a_column_of_the_hessian() -> None:
    def f(p: Any) -> Any:
        return autograd.sqrt(p[0]) * p[1]

    hessian = autograd.hessian(f)([0.0, 1.0])
    assert hessian == [[-math.inf, math.inf], [math.inf, 0.0]]
    ways: list[Any] = [autograd.hvp(f)([0.0, 1.0], [0.0, 1.0])]
    for backend in BACKENDS:
        ways.append(autograd.compile(f, backend=backend).at_points.hvp([0.0, 1.0], [0.0, 1.0]))
        ways.append(autograd.objective(f, backend=backend).hvp([0.0, 1.0], [0.0, 1.0]).tolist())
    assert ways == [[math.inf, 0.0]] * len(ways)
