"""Derivatives that a compiled function takes itself: at each sample those of plain Python, whichever way samples go."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import (
    clip,
    dot,
    grad,
    gradients,
    hessian,
    hvp,
    jvp,
    log,
    logsumexp,
    maximum,
    minimum,
    norm,
    relu,
    sin,
    sqrt,
    take,
    value_and_grad,
    where,
)  # fmt: skip
from autograd.errors import GuardError
from tests import checks
from tests.compiled.replays import BACKENDS, IEEE, bits
from tests.test_one_answer import CANCELLING, CASES, MOST_OF_SECOND, STEEP, STOPPING, Asked, agree, answer

IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
on_backends = pytest.mark.parametrize("backend", BACKENDS)

#: Where rows go different ways: signs, kinks, ties, ends of domains, zeros of both signs, what overflows.
_NUMBERS = (-1.0, 3.0, 0.0, -0.0, 0.5, 1.0, -0.3, 5e-324, -1e300, 1e300, math.inf, -math.inf, math.nan)
ONE = [(x,) for x in (*_NUMBERS, 2.0, -3.0, 710.0, 1e-8)]
TWO = list(itertools.product(_NUMBERS, repeat=2))


def derivatives(asked: Asked, i: int) -> dict[str, Callable[..., Any]]:
    """Derivatives by an argument, as functions of all of them."""

    def of(take_it: Callable[[Any, Any], Any]) -> Callable[..., Any]:
        return lambda *xs: take_it(lambda t: asked(*[t if k == i else x for k, x in enumerate(xs)]), xs[i])

    return {
        "grad": of(lambda f, x: grad(f)(x)),
        "jvp": of(_tangent),
        "grad of grad": of(lambda f, x: grad(grad(f))(x)),
    }


def _tangent(f: Callable[[Any], Any], x: Any) -> Any:
    return jvp(f, (x,), (1.0,))[1]


def is_certain(asked: Asked, point: Sequence[float], kind: str) -> bool:
    """Whether all ways are to agree on a point: not on second derivatives whose terms overflow, nor on what is
    constant, and 0 therefore, where there is no value."""
    if kind == "grad of grad" and max(map(abs, point)) > MOST_OF_SECOND:
        return False
    return asked.is_asked_of(point) and answer(lambda: asked(*map(autograd.Value, point))) is not None


@pytest.mark.parametrize("asked", CASES, ids=lambda asked: asked.name)
def test_samples_that_go_different_ways_have_the_derivatives_of_plain_python(asked: Asked) -> None:
    ways = {f"{kind} by {i}": f for i in range(asked.count) for kind, f in derivatives(asked, i).items()}
    points = ONE if asked.count == 1 else TWO
    if not IS_THOROUGH:  # of two numbers a part of the points, which go different ways too
        points = points[:: asked.count * 2 - 1]
    columns = [np.array(column) for column in zip(*points, strict=True)]
    slopes = grad(lambda xs: asked(*xs))
    found, seconds = {}, {}
    for backend in BACKENDS:
        step = autograd.compile(lambda *xs: [f(*xs) for f in ways.values()], backend=backend)
        outer = autograd.compile(lambda *xs: slopes([*xs])[0], wrt=0, reduce=None, backend=backend)
        with np.errstate(all="ignore"):
            found[backend] = np.broadcast_to(step(*columns), (len(points), len(ways)))
            seconds[backend] = np.broadcast_to(outer.value_and_grad(*columns)[1], len(points))
    is_exact = asked.name in IEEE
    for n, point in enumerate(points):
        for k, (kind, f) in enumerate(ways.items()):
            if not is_certain(asked, point, kind[:-5]):
                continue
            expected = answer(partial(f, *point))
            tolerance = 1e-9 if kind.startswith("grad of") else 1e-13
            for backend, columns_of in found.items():
                is_one = agree(expected, columns_of[n, k], tolerance, 4 * checks.SMALLEST)
                if is_exact and expected is not None:
                    plainly = f(*map(autograd.Value, point))
                    is_one = bits([getattr(plainly, "data", plainly)]) == bits([columns_of[n, k]])
                assert is_one, (kind, backend, point, expected, columns_of[n, k])
                if kind == "grad of grad by 0":
                    assert agree(expected, seconds[backend][n], 1e-9, 4 * checks.SMALLEST), ("outer", backend, point)


@on_backends
@pytest.mark.parametrize("name", CANCELLING)
def test_what_is_added_up_is_so_in_one_order(name: str, backend: str) -> None:
    f = CANCELLING[name]
    points = [10.0, 1.0, 3.0, 2.0, 9.0]
    for g in (grad(f), grad(lambda x: grad(f)(x) * x), partial(_tangent, f)):
        assert bits(autograd.compile(g, backend=backend)(np.array(points))) == bits([g(x) for x in points])


@on_backends
@pytest.mark.parametrize("steep", STEEP)
def test_nothing_flows_through_what_stops_it(steep: str, backend: str) -> None:
    points = np.array([0.0, 0.05, 0.25, 0.7, 1.0, 5.0])
    composed = [
        h for f in STOPPING.values() for h in (partial(_after, f, STEEP[steep]), partial(_after, STEEP[steep], f))
    ]
    step = autograd.compile(lambda x: [g for f in composed for g in (grad(f)(x), _tangent(f, x))], backend=backend)
    with np.errstate(all="ignore"):
        found = step(points)
    for n, x in enumerate(points.tolist()):
        for k, f in enumerate(composed):
            if answer(partial(f, autograd.Value(x))) is not None:
                expected = answer(partial(grad(f), x))
                assert agree(expected, found[n, 2 * k], 1e-13, 0.0), (x, k)
                assert agree(expected, found[n, 2 * k + 1], 1e-13, 0.0), (x, k)


def _after(f: Callable[[Any], Any], g: Callable[[Any], Any], x: Any) -> Any:
    return f(g(x)) + 0 * x


#: Functions whose derivatives decide, and derivatives of more kinds.
DECIDING: dict[str, Callable[[Any], Any]] = {
    "relu": grad(relu),
    "flat root": grad(lambda x: maximum(sqrt(abs(x)), 0.1)),
    "where": grad(lambda x: where(x > 0, x * x, -3.0 * x)),
    "where of functions": grad(lambda x: where(x > 0, lambda: log(x), lambda: x * x)),
    "take": grad(lambda x: take([x, x * x, x**3, sin(x)], minimum(abs(x), 3.0) // 1)),
    "tie": grad(lambda x: logsumexp([x, 2 * x, -x])),
    "tip": grad(lambda x: norm([x, 2 * x])),
    "root of flat": grad(lambda x: sqrt(relu(x))),
    "captured": lambda x: gradients(relu(x * 2.0) * x, x),
    "value and gradient": lambda x: sum(value_and_grad(lambda t: maximum(t, t * t))(x)),
    "hessian": lambda x: hessian(lambda p: relu(p[0] * p[1]) * p[0])([x, x + 1.0])[0][1],
    "hvp": lambda x: hvp(lambda p: minimum(p[0] * p[1], p[0]))([x, x - 2.0], [1.0, x])[1],
    "third": grad(grad(grad(lambda x: relu(x) ** 3 + x**4))),
    "condition": lambda x: where(grad(relu)(x) > 0.5, x, x * x),
    "within a branch": lambda x: where(x > 0.25, lambda: grad(lambda t: maximum(t * t, t))(x), 0.5),
}


@on_backends
@pytest.mark.parametrize("name", DECIDING)
def test_derivatives_that_decide(name: str, backend: str) -> None:
    f = DECIDING[name]
    points = [-1.0, 3.0, 0.0, 0.5, 1.0, -0.3, 2.0, 0.25]
    expected = [f(autograd.Value(x)).data for x in points]
    step = autograd.compile(f, wrt=0, reduce=None, backend=backend, threads=2)
    values, slopes = step.value_and_grad(np.array(points))
    for x, y, value, slope in zip(points, expected, values, slopes, strict=True):
        assert agree(y, value, 1e-15, 0.0), x
        assert agree(answer(partial(grad(f), x)), slope, 1e-13, 0.0), x


def test_relu_has_a_slope_at_each_sample() -> None:
    assert autograd.compile(lambda v: grad(relu)(v))(np.array([-1.0, 3.0])).tolist() == [0.0, 1.0]


def test_an_objective_of_a_derivative() -> None:
    def f(xs: Any) -> Any:
        return autograd.sum([grad(relu)(x) * x + grad(lambda t: maximum(t, t * t))(x) for x in xs])

    step = autograd.objective(f)
    for point in ([-1.0, 3.0, 0.5], [2.0, -2.0, 0.0]):
        value, slope = step(point)
        assert value == f([*map(autograd.Value, point)]).data
        assert slope.tolist() == grad(f)(point)
        assert step.hessian(point).tolist() == hessian(f)(point)


def test_what_is_kept_of_a_recording_is_differentiated_as_plain_values_are() -> None:
    pulls: list[Callable[[float], Any]] = []

    def f(x: Any) -> Any:
        value, pull = autograd.vjp(lambda t: relu(t) * t, x)
        pulls.append(pull)
        return value + pull(1.0)[0]

    assert autograd.compile(f)(np.array([3.0, -1.0])).tolist() == [15.0, 0.0]
    assert [pull(2.0)[0].data for pull in pulls] == [12.0, 12.0]


def test_what_the_user_decides_is_named_as_it_was_written() -> None:
    def f(x: Any) -> Any:
        return x if grad(relu)(x) > 0.5 else -x

    with pytest.raises(GuardError, match=r"the comparison .* > 0.5 .*test_inner_derivatives.py"):
        autograd.compile(f)(np.array([-1.0, 3.0]))


def looping(unroll: bool) -> dict[str, Callable[[Any], Any]]:
    """Functions with a loop."""
    scan, each = partial(autograd.scan, unroll=unroll), [0.5, 1.0, -0.25]
    some = partial(autograd.map, unroll=unroll)
    return {
        "relu": lambda x: scan(lambda c, e: (relu(c * 1.5 - e) + e * x, None), x, each)[0],
        "minimum": lambda x: scan(lambda c, e: (minimum(c, e) * x, c), x, each)[0],
        "where": lambda x: scan(lambda c, e: (where(c > 0.5, lambda: log(c), lambda: c * c + e * x), c), x, each)[0],
        "results": lambda x: scan(lambda c, e: (c * x, maximum(c, e) * x), x, each)[1][1] * x,
        "elements": lambda x: scan(lambda c, e: (c + relu(e[0]) * e[1], None), 0.0, [(x, 1.0), (x * x, x), (2.0, x)])[
            0
        ],
        "map": lambda x: autograd.sum(some(lambda e: relu(e) * clip(x, -1.0, 1.0), [x, x * x, -x])),
        "dead carry": lambda x: scan(lambda c, e: ((c[1] * 1.0, c[0] * x), None), (x, sqrt(relu(x))), each)[0][0],
        "take": lambda x: scan(lambda c, e: (take([x, c, c * x], e + 0 * x) * 1.1, None), x, [0.0, 2.0, 1.0])[0],
        "passing": lambda x: scan(lambda c, e: (c, c * relu(x - e)), x, each)[1][2],
        "dot": lambda x: scan(lambda c, e: (relu(dot([c, x], [x, e])), c), x, each)[0],
    }


def around_loops(unroll: bool) -> dict[str, Callable[[Any], Any]]:
    """Derivatives that are taken in places around a loop."""
    scan = partial(autograd.scan, unroll=unroll)

    def powers(x: Any) -> Any:
        return scan(lambda c, _: (relu(c) * x, None), x, length=4)[0]

    def in_a_thread(f: Callable[..., Any], *args: Any) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(f, *args).result()

    def descent(x: Any) -> Any:
        slope = grad(lambda t: maximum(t * t, t) * relu(t + 0.5))
        return scan(lambda w, _: (w - 0.3 * slope(w), None), x, length=5)[0]

    def through_one_outside(x: Any) -> Any:
        y = powers(x)
        return scan(lambda c, _: (c * 0.5 + gradients(y, x), None), x, length=3)[0]

    def several(p: Any) -> Any:
        step = lambda c, e: ((c[0] * e, minimum(c[1], c[0])), c[1])  # noqa: E731
        return scan(step, (p[0], p[1]), [p[0], p[1], 1.0])[1]

    return {
        "descent": descent,
        "a loop outside": through_one_outside,
        "in a thread": lambda x: in_a_thread(grad(powers), x),
        "of a loop, in a thread": lambda x: in_a_thread(gradients, powers(x), x),
        "in a branch": lambda x: where(
            x > 0.3,
            lambda: grad(lambda t: scan(lambda c, _: (log(c) * t + relu(c), None), t, length=3)[0])(x),
            lambda: x * 2,
        ),
        "jacobian": lambda x: autograd.jacobian(several)([x, x * x])[2][0],
    }


LOOPS, UNROLLED = looping(False), looping(True)
AROUND, AROUND_UNROLLED = around_loops(False), around_loops(True)


@on_backends
@pytest.mark.parametrize("name", AROUND)
def test_derivatives_around_a_loop(name: str, backend: str) -> None:
    points = [-1.0, 3.0, 0.5, 2.0, 0.1, 1.0]
    step = autograd.compile(AROUND[name], wrt=0, reduce=None, backend=backend)
    with np.errstate(all="ignore"):
        values, slopes = step.value_and_grad(np.array(points))
    f = AROUND_UNROLLED[name]
    for x, value, slope in zip(points, values, slopes, strict=True):
        assert agree(answer(partial(f, autograd.Value(x))), value, 1e-13, 0.0), x
        assert agree(answer(partial(grad(f), x)), slope, 1e-13, 0.0), x


@autograd.primitive(partials=[lambda m, z, x: m.where(m.greater(x, 1), lambda: 2 * x, 0)])
def beyond_one(m: Any, x: Any) -> Any:
    return m.where(m.greater(x, 1), lambda: x * x, 1)


def test_a_primitive_of_ones_own_chooses_too() -> None:
    points = [-1.0, 3.0, 1.0, 2.0]
    for f in (grad(beyond_one), grad(lambda x: sqrt(beyond_one(x) - 1.0)), grad(grad(lambda x: beyond_one(x) * x))):
        expected = [answer(partial(f, x)) for x in points]
        for backend in BACKENDS:
            with np.errstate(all="ignore"):
                found = autograd.compile(f, backend=backend)(np.array(points)).tolist()
            assert all(agree(y, number, 1e-15, 0.0) for y, number in zip(expected, found, strict=True)), found


@pytest.mark.parametrize("name", LOOPS)
def test_a_derivative_goes_through_a_loop_as_a_loop(name: str) -> None:
    kinds: dict[str, Callable[[Any], Callable[[Any], Any]]] = {"grad": grad, "jvp": lambda f: partial(_tangent, f)}
    if IS_THOROUGH or name in ("elements", "dot"):
        kinds["grad of grad"] = lambda f: grad(grad(f))
    if IS_THOROUGH or name == "elements":
        kinds["grad of jvp"] = lambda f: grad(partial(_tangent, f))
    points = [-1.0, 3.0, 0.0, 0.5, 1.0, -0.3, 2.0]
    expected = [[answer(partial(kind(UNROLLED[name]), x)) for kind in kinds.values()] for x in points]
    seconds = [answer(partial(grad(grad(UNROLLED[name])), x)) for x in points]
    for backend in BACKENDS:
        step = autograd.compile(lambda x: [kind(LOOPS[name])(x) for kind in kinds.values()], backend=backend)
        outer = autograd.compile(grad(LOOPS[name]), wrt=0, reduce=None, backend=backend)
        with np.errstate(all="ignore"):
            found, slopes = step(np.array(points)), outer.value_and_grad(np.array(points))[1]
        for x, y, slope in zip(points, seconds, slopes.tolist(), strict=True):
            assert agree(y, slope, 1e-13, 0.0), (backend, "outer", x, y, slope)
        for x, those, numbers in zip(points, expected, found.tolist(), strict=True):
            for kind, y, number in zip(kinds, those, numbers, strict=True):
                assert agree(y, number, 1e-13, 0.0), (backend, kind, x, y, number)


def test_the_length_of_a_loop_is_not_seen_in_what_is_recorded() -> None:
    def of(steps: int) -> Any:
        step = autograd.compile(
            grad(
                lambda x: autograd.scan(lambda c, _: (relu(c) + minimum(c, x), None), x, length=steps, unroll=False)[0]
            )
        )
        assert step(np.array([-1.0, 3.0])).tolist() == [1.0, steps + 1.0]
        return step.report().programs[0].operations

    assert of(30) == of(300)


@on_backends
def test_a_gradient_penalty(backend: str) -> None:
    """A loss that holds the slope of a network by its input, over samples whose units are on and off."""
    model = nn.MLP(2, [4, 1], activation="relu", seed=3)

    def loss(x: Any, y: Any) -> Any:
        slope = grad(model)(x)
        return (model(x) - y) ** 2 + 0.1 * (norm(slope) - 1.0) ** 2

    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(8, 2)), generator.normal(size=8)
    parameters = model.parameters()
    step = autograd.compile(loss, params=parameters, backend=backend)
    value, slopes = step.value_and_grad(X, y)
    total = autograd.sum([loss([*map(float, x)], float(t)) for x, t in zip(X, y, strict=True)]) / 8
    total.backward()
    assert value == pytest.approx(total.data, rel=1e-13)
    assert slopes == pytest.approx([p.grad for p in parameters], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("backend", ["numpy", "interpreter", "machine"])
@pytest.mark.parametrize(
    "inner",
    [
        autograd.grad,
        autograd.hessian,
        lambda f: lambda x: autograd.gradients(f(x), x),
        lambda f: lambda x: autograd.jvp(f, (x,), (1.0,))[1],
        lambda f: lambda x: autograd.hvp(f)(x, 1.0),
    ],
)
def test_a_recorded_derivative_is_never_minus_zero(inner: Any, backend: str) -> None:
    for f in (autograd.sinc, lambda x: x * -0.0, autograd.cos, lambda x: -(x**3)):
        for x in (0.0, -0.0):
            found = autograd.compile(inner(f), backend=backend)(x)
            assert float(found) == inner(f)(autograd.Value(x)).data
            assert float(found) != 0.0 or math.copysign(1.0, float(found)) == 1.0
