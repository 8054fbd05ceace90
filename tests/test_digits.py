"""Slopes and values keep their digits where formulas over- or underflow on the way, cancel, or meet infinities."""

from __future__ import annotations

import functools
import itertools
import math
import random
from collections.abc import Callable
from fractions import Fraction

import mpmath
import numpy as np
import pytest

import autograd
from autograd import TABLE, Value, evaluate, grad, hessian, logsumexp, mean, rules
from autograd.interpret import partials
from autograd.number_systems import intervals
from autograd.number_systems.intervals import Interval
from autograd.value import maker
from nn import cross_entropy
from tests.compiled.replays import BACKENDS

INF = math.inf


@functools.cache
def powers(count: int) -> list[tuple[float, float]]:
    """Bases and exponents of all sizes whose power is a float, or has just become zero."""
    source = random.Random("powers")
    found: list[tuple[float, float]] = [(1e-309, 0.25), (5e-324, 0.3), (1e-300, -1e-310), (0.49, 1000.0)]
    while len(found) < count:
        y = source.choice(
            [
                source.uniform(-0.6, 0.6),
                source.uniform(-3, 3),
                source.uniform(-1000, 1000),
                source.choice([1, -1]) * 10 ** source.uniform(-320, 12),
                float(source.randint(-300, 300)),
                source.choice([1, -1]) * 2 ** source.uniform(50, 65),
            ]
        )
        x = 10 ** source.uniform(-323, 308)
        if source.random() < 0.5 and abs(y) > 1e-3:
            x = math.exp(max(-745.0, min(709.0, source.uniform(-745, 709) / y)))
        if x and -750 < mpmath.mpf(y) * mpmath.log(mpmath.mpf(x)) < 709:
            found.append((-x if y.is_integer() and source.random() < 0.5 else x, y))
    return found


def exact_slope_of_pow(x: float, y: float) -> float:
    with mpmath.workdps(60):
        slope = mpmath.mpf(y) * mpmath.power(x, mpmath.mpf(y) - 1)
        return float(slope) if abs(slope) < 1.797e308 else float(mpmath.sign(slope) * mpmath.inf)


@pytest.mark.parametrize("part", range(6))
@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_the_slope_of_a_power_has_its_digits_at_all_floats_and_exponents(way: str, part: int) -> None:
    points = powers(1500)[part::6]
    if way == "eager":
        found = []
        for x, y in points:
            try:
                found.append(grad(lambda t, y=y: t**y)(x))
            except OverflowError:
                found.append(exact_slope_of_pow(x, y))  # it is too large, which the test of other ways looks at
    else:
        step = autograd.compile(lambda x, y: x**y, wrt=0, reduce=None, backend=way)
        found = step.value_and_grad(*map(np.array, zip(*points, strict=True)))[1].tolist()
    for (x, y), slope in zip(points, found, strict=True):
        exact = exact_slope_of_pow(x, y)
        # Two powers within 2 units in the last place and two products; what is subnormal on the way is so in the slope,
        # but for a factor of up to 16.
        assert slope == exact or abs(slope - exact) <= 8 * math.ulp(exact) + 8 * 5e-324, (x, y, slope, exact)


@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_the_slope_of_a_root_is_zero_at_infinity(way: str) -> None:
    for y in (0.0, 1e-300, 0.1, 1 / 3, 0.49, 0.5, 0.7, 0.99, -0.1, -1.0, -(2.0**60)):
        f = lambda x, y=y: x**y  # noqa: E731
        assert (grad(f)(INF) if way == "eager" else autograd.compile(f, wrt=0, backend=way).value_and_grad(INF)[1]) == 0


def over_all_floats(count: int) -> list[float]:
    """Floats of all sizes, most of them where a sigmoid is flat and its slope still a float."""
    source = random.Random("flat")
    edges = [0.0, -0.0, 18.9, 19.1, 36.8, 37.5, 372.6, 373.5, 709.9, 744.4, 745.2, 746.0, 1e16, 1.7e308]
    found = [x for edge in edges for x in (edge, -edge)]
    while len(found) < count:
        size = source.choice([4.0, 40.0, 400.0, 760.0])
        found += [source.uniform(-size, size), source.choice([1, -1]) * 10 ** source.uniform(-320, 308)]
    return found


def density(x: mpmath.mpf) -> mpmath.mpf:
    """The slope of sigmoid."""
    e = mpmath.exp(-abs(x))
    return e / (1 + e) ** 2


#: What is flat far out: a function of which the first derivative is asked for, and that derivative.
FLAT = {
    "tanh": (autograd.tanh, lambda x: 4 * density(2 * x)),
    "sigmoid": (autograd.sigmoid, density),
    "softplus, again": (grad(autograd.softplus), density),
    "log_sigmoid, again": (grad(autograd.log_sigmoid), lambda x: -density(x)),
    "the first of a softmax": (lambda x: autograd.softmax([x, 0.0])[0], density),
    "the last of a softmax": (lambda x: autograd.softmax([0.0, x])[1], density),
    "the other of a softmax": (lambda x: autograd.softmax([x, 0.0])[1], lambda x: -density(x)),
    "the first of a log_softmax": (lambda x: autograd.log_softmax([x, 0.0])[0], lambda x: 1 / (1 + mpmath.exp(x))),
    "the last of a log_softmax": (lambda x: autograd.log_softmax([0.0, x])[1], lambda x: 1 / (1 + mpmath.exp(x))),
    "one of three": (
        lambda x: autograd.softmax([-1.5, x, 1.0])[1],
        lambda x: density(x - mpmath.log(mpmath.exp(-1.5) + mpmath.e)),
    ),
    "erf": (autograd.erf, lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x)),
    "erfc": (autograd.erfc, lambda x: -2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x)),
    "logsumexp, again": (grad(lambda x: logsumexp([x, 0.0])), density),
}


@pytest.mark.parametrize("name", FLAT)
@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_slopes_have_their_digits_where_functions_are_flat(way: str, name: str) -> None:
    function, slope = FLAT[name]
    points = over_all_floats(800)
    if way == "eager":
        found = [grad(function)(x) for x in points]
    else:
        with np.errstate(all="ignore"):
            step = autograd.compile(function, wrt=0, reduce=None, backend=way)
            found = step.value_and_grad(np.array(points))[1].tolist()
    with mpmath.workdps(800):
        exact = [float(slope(mpmath.mpf(max(-2000.0, min(2000.0, x))))) for x in points]
    for x, right, at in zip(found, exact, points, strict=True):
        # An exponential makes a relative error of what is lost in the difference of two logits.
        lost = abs(float(Fraction(at) - 1 - Fraction(at - 1.0))) if name == "one of three" else 0.0
        assert abs(x - right) <= 4 * math.ulp(right) + lost * abs(right), (at, x, right)


@functools.cache
def far_from_the_largest() -> list[tuple[list[float], list[float]]]:
    """Four numbers, and of the first one's share its value, its own slope, and the slope of the second one's share."""
    source = random.Random("far")
    found = []
    with mpmath.workdps(800):
        for size in (1.0, 30.0, 700.0, 750.0) * 60:
            xs = [source.uniform(-size, 0.0), *(source.uniform(-2.0, 2.0) for _ in range(3))]
            first, *others = [mpmath.exp(mpmath.mpf(x)) for x in xs]
            rest, total = sum(others), first + sum(others)
            found.append(
                (xs, list(map(float, (first / total, first * rest / total**2, -first * others[0] / total**2))))
            )
    return found


@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_a_softmax_and_the_slopes_of_logsumexp_have_their_digits_far_from_the_largest_number(way: str) -> None:
    points = far_from_the_largest()
    functions = [lambda *xs: autograd.softmax(xs)[0], lambda *xs: autograd.softmax(xs)[1], lambda *xs: logsumexp(xs)]
    numbers: list[list[float]] = []
    for f in functions:
        if way == "eager":
            found = [autograd.value_and_grad(f)(*xs) for xs, _ in points]
        else:
            step = autograd.compile(f, wrt=0, reduce=None, backend=way)
            found = list(zip(*step.value_and_grad(*np.array([xs for xs, _ in points]).T), strict=True))
        numbers += [[float(x) for x in column] for column in zip(*found, strict=True)]
    value, slope, _, other, _, share = numbers
    for got, place in ((value, 0), (slope, 1), (other, 2), (share, 0)):
        assert_digits([exact[place] for _, exact in points], got)


def sigmoid(x: mpmath.mpf) -> mpmath.mpf:
    return 1 / (1 + mpmath.exp(-x))


def softplus(x: mpmath.mpf) -> mpmath.mpf:
    return mpmath.log(1 + mpmath.exp(x))


def slope_of_mish(x: mpmath.mpf) -> mpmath.mpf:
    a = mpmath.tanh(softplus(x))
    return a + x * (1 - a * a) * sigmoid(x)


#: Row → its slope, and the zero of that; each end of what is computed in another way.
WITH_ZEROS = {
    "gelu": (
        lambda x: mpmath.ncdf(x) + x * mpmath.npdf(x), rules.ZERO_OF_GELU, (-38.5337574066798, -37.0, -1.65, -0.15)
    ),
    "silu": (lambda x: sigmoid(x) + x * density(x), rules.ZERO_OF_SILU, (-745.0, -690.0, -2.0, -0.5)),
    "mish": (slope_of_mish, rules.ZERO_OF_MISH, (-745.0, -690.0, -3.0, -1.1942017547605586, -0.999679013776188, -0.5)),
}  # fmt: skip


@pytest.mark.parametrize("name", WITH_ZEROS)
def test_zeros_of_slopes_are_known_as_sums_of_two_floats(name: str) -> None:
    slope, zero, _ = WITH_ZEROS[name]
    with mpmath.workdps(60):
        exact = mpmath.findroot(slope, mpmath.mpf(zero.high) / 2**52)
        assert float(exact) * 2**52 == zero.high
        assert zero.rest == mpmath.nint((exact - mpmath.mpf(zero.high) / 2**52) * mpmath.mpf(2) ** 105)
        if name == "mish":
            w = mpmath.exp(exact)
            numbers = (w * (4 * exact + 6 + 8 * w + 3 * w * w), w * w * (4 + 3 * w), w**3)
            assert tuple(int(mpmath.nint(number * 2**52)) for number in numbers) == rules.MISH_AT_ITS_ZERO


@functools.cache
def around_zeros(name: str) -> list[tuple[float, float]]:
    """Points of all sizes, most of them around the zero of a slope and where it is made in another way; the slope."""
    slope, zero, edges = WITH_ZEROS[name]
    source = random.Random(name)
    at = zero.high / 2**52
    points = [x for edge in (at, *edges) for x in (edge, math.nextafter(edge, -INF), math.nextafter(edge, INF))]
    points += over_all_floats(200) + [at + source.choice([1, -1]) * 10 ** source.uniform(-17, 0.5) for _ in range(600)]
    points += [source.uniform(*ends) for ends in ((-5, 1), (-40, -5), (-746, -680)) for _ in range(400)]
    with mpmath.workdps(360):
        return [(x, float(slope(mpmath.mpf(max(-2000.0, min(2000.0, x)))))) for x in points]


@pytest.mark.parametrize("name", WITH_ZEROS)
@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_slopes_have_their_digits_around_their_zeros(way: str, name: str) -> None:
    points = around_zeros(name)
    assert_digits([slope for _, slope in points], slopes_at(getattr(autograd, name), way, [x for x, _ in points]))


def slopes_at(function: Callable[..., object], way: str, points: list[float]) -> list[float]:
    if way == "eager":
        leaves = [Value(x) for x in points]
        for leaf in leaves:
            function(leaf).backward()  # type: ignore[attr-defined]
        found = [leaf.grad for leaf in leaves]
        assert found[:50] == [grad(function)(x) for x in points[:50]]
        return found
    with np.errstate(all="ignore"):
        step = autograd.compile(function, wrt=0, reduce=None, backend=way)
        return step.value_and_grad(np.array(points))[1].tolist()  # type: ignore[no-any-return]


def assert_digits(exact: list[float], found: list[float]) -> None:
    for i, (right, slope) in enumerate(zip(exact, found, strict=True)):
        assert slope == right or abs(slope - right) <= 4 * math.ulp(right), (i, right, slope)


@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_the_slope_of_an_angle_has_its_digits_at_all_floats(way: str) -> None:
    points = [-7.56e155, 1e154, 1.7e308, *over_all_floats(800)]
    with mpmath.workdps(60):
        exact = [float(1 / (1 + mpmath.mpf(x) ** 2)) for x in points]
    assert_digits(exact, slopes_at(autograd.atan, way, points))


@functools.cache
def directions() -> list[tuple[float, float]]:
    """Coordinates of all sizes, of which many have a subnormal slope."""
    source = random.Random("directions")

    def sized(low: int, high: int) -> float:
        return source.choice([1, -1]) * math.ldexp(1 + source.random(), source.randrange(low, high))

    found = [(-0.005189174805653786, -6.5174185867e-314), (8.5e-4, -5.6e-320), (0.0, 1e-310), (1e-320, 1.0)]
    found += [(sized(-1074, 1023), sized(-1074, 1023)) for _ in range(400)]
    found += [(sized(-60, 1), sized(-1074, -950)) for _ in range(300)]
    found += [(x, x * source.uniform(-3, 3)) for x in (sized(-1074, 1000) for _ in range(400))]
    return found + [(x, y) for y, x in found]


@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_the_slopes_of_a_direction_have_their_digits_at_all_floats(way: str) -> None:
    with mpmath.workdps(60):
        exact = []
        for y, x in directions():
            square = mpmath.mpf(x) ** 2 + mpmath.mpf(y) ** 2
            exact.append((float(x / square), float(-y / square)) if square else (INF, INF))
    points = [point for point, slopes in zip(directions(), exact, strict=True) if max(map(abs, slopes)) < 1e308]
    exact = [slopes for slopes in exact if max(map(abs, slopes)) < 1e308]
    if way == "eager":
        found = [grad(autograd.atan2, (0, 1))(*point) for point in points]
    else:
        step = autograd.compile(autograd.atan2, wrt=(0, 1), reduce=None, backend=way)
        found = list(zip(*step.value_and_grad(*map(np.array, zip(*points, strict=True)))[1], strict=True))
    for i in (0, 1):
        assert_digits([slopes[i] for slopes in exact], [float(slopes[i]) for slopes in found])


@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_the_slopes_of_logsumexp_have_their_digits_far_below_the_largest(way: str) -> None:
    source = random.Random("far")
    points = [[-288.13540223596993, 253.3105246778058, -82.49812416675897], [-1e308, 0.1, -745.2], [-INF, 0.3, -700.1]]
    points += [[source.uniform(-size, size) for _ in range(3)] for size in (1, 10, 100, 370, 500) for _ in range(100)]
    with mpmath.workdps(400):
        powers = [[mpmath.exp(max(mpmath.mpf(-5000), mpmath.mpf(x))) for x in point] for point in points]
        exact = [[float(power / mpmath.fsum(of_one)) for power in of_one] for of_one in powers]
    if way == "eager":
        found = [grad(logsumexp)(point) for point in points]
    else:
        with np.errstate(all="ignore"):
            step = autograd.compile(lambda *xs: logsumexp(xs), wrt=(0, 1, 2), reduce=None, backend=way)
            found = np.array(step.value_and_grad(*np.array(points).T)[1]).T.tolist()
            twice = autograd.compile(lambda x: grad(lambda t: logsumexp([t, 0.1]))(x), wrt=0, reduce=None, backend=way)
            assert twice.value_and_grad(np.array([-INF, -1e308, 0.0]))[1].tolist()[:2] == [0.0, 0.0]
    for right, slopes in zip(exact, found, strict=True):
        assert_digits(right, slopes)


#: What is a difference that cancels near its zeros, within 4 units of its larger term: of sinc they are the infinitely
#: many solutions of tan x = x, and sine and cosine would have to be known to twice the digits; of a second derivative,
#: the two terms are rounded apart. A function, its slope, the larger term; where the slope is zero.
CANCELLING = {
    "sinc": (
        autograd.sinc,
        lambda x: (mpmath.cos(x) - mpmath.sin(x) / x) / x if x else x,
        lambda x: max(abs(mpmath.cos(x)), abs(mpmath.sin(x) / x)) / x if abs(x) >= 1 else x / 3,
        7.725251836937707,
    ),
    "sigmoid, again": (grad(autograd.sigmoid), lambda x: density(x) * (sigmoid(-x) - sigmoid(x)), density, 0.0),
}


@functools.cache
def of_sums(name: str) -> list[tuple[float, float, float]]:
    """Points, the slope there and its larger term."""
    _, slope, term, zero = CANCELLING[name]
    source = random.Random(name)
    points = over_all_floats(200) + [zero + source.choice([1, -1]) * 10 ** source.uniform(-17, 0) for _ in range(100)]
    with mpmath.workdps(800):
        at = [mpmath.mpf(x if name == "sinc" else max(-2000.0, min(2000.0, x))) for x in points]
        return [(x, float(slope(t)), float(abs(term(t)))) for x, t in zip(points, at, strict=True)]


@pytest.mark.parametrize("name", CANCELLING)
@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_slopes_that_are_differences_have_the_digits_of_their_larger_term(way: str, name: str) -> None:
    points = of_sums(name)
    found = slopes_at(CANCELLING[name][0], way, [x for x, _, _ in points])
    for (x, right, larger), slope in zip(points, found, strict=True):
        assert abs(slope - right) <= 4 * math.ulp(max(abs(right), larger)), (x, right, slope)


@pytest.mark.parametrize("x", [5e-324, -5e-324, 1e-309, 0.0, 1.0, 1e308, INF])
def test_the_power_zero_has_derivatives_that_are_zero(x: float) -> None:
    power = lambda x: x**0.0  # noqa: E731
    assert grad(power)(x) == grad(grad(power))(x) == 0.0
    for backend in BACKENDS:
        assert autograd.compile(power, backend=backend).at_points.hessian(x) == 0.0
        if x > 0:
            of_both = autograd.objective(lambda p: p[0] ** p[1], backend=backend).hessian([x, 0.0])
            assert of_both[0, 0] == 0.0 == hessian(lambda p: p[0] ** p[1])([x, 0.0])[0][0]


@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_the_slope_of_a_cube_root_has_its_digits_at_all_floats(way: str) -> None:
    points = [x for x in over_all_floats(2000) if x]
    if way == "eager":
        found = [grad(autograd.cbrt)(x) for x in points]
    else:
        step = autograd.compile(autograd.cbrt, wrt=0, reduce=None, backend=way)
        found = step.value_and_grad(np.array(points))[1].tolist()
    with mpmath.workdps(60):
        exact = [float(1 / (3 * mpmath.cbrt(abs(mpmath.mpf(x))) ** 2)) for x in points]
    # NumPy's cube root was the C library's, which is off by 3 units; its slope by thrice as much.
    most = 10 if way == "numpy" and np.lib.NumpyVersion(np.__version__) < "2.0.0" else 4
    for x, right, at in zip(found, exact, points, strict=True):
        assert abs(x - right) <= most * math.ulp(right), (at, x, right)


#: Row → the limits of its slope at -∞ and ∞.
LIMITS = {
    "gelu": (0.0, 1.0),
    "silu": (0.0, 1.0),
    "mish": (0.0, 1.0),
    "softplus": (0.0, 1.0),
    "log_sigmoid": (1.0, 0.0),
    "sigmoid": (0.0, 0.0),
    "tanh": (0.0, 0.0),
    "elu": (0.0, 1.0),
    "relu": (0.0, 1.0),
    "leaky_relu": (0.01, 1.0),
    "softsign": (0.0, 0.0),
    "erf": (0.0, 0.0),
    "erfc": (0.0, 0.0),
}


@pytest.mark.parametrize("name", LIMITS)
def test_slopes_at_infinity_are_their_limits_and_second_derivatives_are_zero(name: str) -> None:
    f = maker(TABLE[name])
    constants = TABLE[name].defaults

    def of_x(x: object) -> object:
        return f(x, *constants)

    at = Value(0.5)
    with np.errstate(all="ignore"):
        arrays = evaluate(of_x(at), "arrays", at={at: np.array([-INF, INF])}, wrt=at)[1]
    assert np.array_equal(np.broadcast_to(arrays, (2,)), LIMITS[name])
    for x, limit in zip((-INF, INF), LIMITS[name], strict=True):
        leaf = Value(x)
        of_x(leaf).backward()  # type: ignore[attr-defined]
        assert leaf.grad == grad(of_x)(x) == limit
        assert grad(grad(of_x))(x) == 0.0
        for backend in BACKENDS:
            step = autograd.compile(of_x, wrt=0, reduce=None, backend=backend)
            assert step.value_and_grad(np.array([x]))[1][0] == limit
            assert step.at_points.hessian(x) == 0.0


MEANS = (
    [1e308, 1e308], [1.7e308, -1e308], [1e308] * 9, [1e308, 1e308, -1e308], [-1e308, -1.7e308], [INF, 1.0],
    [1e308, 1e308, -INF], [INF, -INF], [math.nan, 1e308], [0.1, 0.2, 0.3], [5e-324, 5e-324], [-0.0, -0.0], [1e308],
)  # fmt: skip


@pytest.mark.parametrize("numbers", MEANS, ids=str)
def test_a_mean_is_the_same_on_every_back_end_where_its_sum_is_too_large(numbers: list[float]) -> None:
    eager = mean(numbers)
    leaves = [Value(x) for x in numbers]
    with np.errstate(all="ignore"):
        found = [float(evaluate(mean(leaves), "arrays"))]
        for backend in BACKENDS:
            step = autograd.compile(lambda *xs: mean(xs), wrt=range(len(numbers)), reduce=None, backend=backend)
            found.append(step(*numbers))
            found.append(float(step.value_and_grad(*[np.array([x, 1.0]) for x in numbers])[0][0]))
    assert {repr(float(x)) for x in found} == {repr(eager)}
    if all(map(math.isfinite, numbers)):
        exact = float(sum(map(mpmath.mpf, numbers)) / len(numbers))
        assert eager == pytest.approx(exact, rel=1e-15, abs=0.0)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("count", [1, 2, 7, 1500, 2100])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_mean_over_samples_is_finite_where_its_sum_is_too_large(backend: str, count: int, threads: int) -> None:
    """Value and slopes; those whose sum is no infinity keep their bits."""
    chance = random.Random(count)
    x, tiny = (
        np.array([chance.uniform(low, high) for _ in range(count)]) for low, high in ((1e308, 1.7e308), (0, 5e-310))
    )
    weights, w = [Value(1.0), Value(1.0)], Value(1.0)

    def loss(x: Value, tiny: Value, shared: Value) -> Value:
        return weights[0] * x * 0.5 + weights[1] * tiny + shared * x * 0.25 + w * w

    step = autograd.compile(loss, params=[*weights, w], wrt=2, backend=backend, threads=threads)
    exact = float(sum(map(Fraction, x.tolist())) / count)
    for _ in range(3):  # again with the same arrays too
        value, (slopes, of_shared) = step.value_and_grad(x, tiny, 1.0)
        assert [value, slopes[0], of_shared] == pytest.approx([0.75 * exact, 0.5 * exact, 0.25 * exact], rel=1e-13)
        assert slopes[1] == autograd.compile(lambda t: weights[1] * t, params=[weights[1]]).value_and_grad(tiny)[1][0]
        assert slopes[2] == 2.0
    only = autograd.compile(lambda x: weights[0] * x, params=[weights[0]], backend=backend, threads=threads)
    for _ in range(3):
        value, slopes = only.value_and_grad(x)
        assert (value, *slopes) == pytest.approx((exact, exact), rel=1e-13)
    for last in (INF, math.nan):
        x[-1] = last
        assert repr(only.value_and_grad(x)[0]) == repr(float(last))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_mean_of_few_samples_is_the_eager_one_where_its_sum_is_too_large(backend: str) -> None:
    weights = [Value(1.0 + i / 64) for i in range(20)]
    rows = np.array([[sign * 1e307 * (i + 1) for i in range(20)] for sign in (0.3, 0.5, 0.7)])
    step = autograd.compile(lambda xs: autograd.dot(weights, xs), params=weights, backend=backend)
    for samples in (rows, rows[:2], -rows):
        value, slopes = step.value_and_grad(samples)
        assert value == mean([autograd.dot(weights, row.tolist()) for row in samples]).data
        assert slopes.tolist() == [mean(column.tolist()) for column in samples.T]


@pytest.mark.parametrize(
    ("numbers", "slopes"),
    [
        ([INF, 1.0], [1.0, 0.0]),
        ([-INF, 1.0], [0.0, 1.0]),
        ([-INF, -INF], [0.5, 0.5]),
        ([INF, INF, -INF], [0.5, 0.5, 0.0]),
        ([-INF], [1.0]),
        ([1e308, -1e308], [1.0, 0.0]),
        ([math.nan, INF], [math.nan, math.nan]),
    ],
    ids=str,
)
def test_infinite_numbers_share_the_slope_of_logsumexp(numbers: list[float], slopes: list[float]) -> None:
    leaves = [Value(x) for x in numbers]
    logsumexp(leaves).backward()
    ways = [[leaf.grad for leaf in leaves], grad(logsumexp)(numbers)]
    with np.errstate(all="ignore"):
        ways.append([float(x) for x in evaluate(logsumexp(leaves), "arrays", wrt=leaves)[1]])
        for backend in BACKENDS:
            step = autograd.compile(lambda *xs: logsumexp(xs), wrt=range(len(numbers)), backend=backend)
            ways.append([float(x) for x in step.value_and_grad(*numbers)[1]])
    if sum(map(math.isinf, numbers)) < 2:
        assert math.isnan(sum(numbers)) or hessian(logsumexp)(numbers) == [[0.0] * len(numbers)] * len(numbers)
    else:  # how equal infinities share, nobody knows
        with pytest.raises(autograd.DomainError, match=r"logsumexp has no further derivative here; x is -?inf"):
            hessian(logsumexp)(numbers)
        for backend in BACKENDS:
            assert np.isnan(autograd.compile(logsumexp, backend=backend).at_points.hessian(numbers)[0]).all()
    for found in ways:
        assert found == pytest.approx(slopes, nan_ok=True, rel=1e-15, abs=0.0)


@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_cross_entropy_has_slopes_at_the_largest_logits(way: str) -> None:
    loss = lambda a, b: cross_entropy([a, b], 1)  # noqa: E731
    for logits in itertools.product((1e308, -1e308), repeat=2):
        expected = {-1: (0.0, 0.0), 0: (0.5, -0.5), 1: (1.0, -1.0)}[(logits[0] > logits[1]) - (logits[0] < logits[1])]
        if way == "eager":
            found = grad(lambda z: loss(*z))(logits)
        else:
            found = autograd.compile(loss, wrt=(0, 1), backend=way).value_and_grad(*logits)[1]
        assert tuple(found) == expected, logits


@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_a_share_and_its_slopes_have_their_digits_over_all_floats(way: str) -> None:
    sizes = (5e-324, 1e-310, 3e-308, 1e-160, 0.3, 1.0, 7e150, 3e307, 1e308, 1.7e308)
    points = [(sign * x, y) for x, y in itertools.product(sizes, repeat=2) for sign in (1, -1) if sign * x + y != 0]
    share = maker(TABLE["share"])
    if way == "eager":
        found = [(share(*map(Value, point)).data, *grad(share, (0, 1))(*point)) for point in points]
    else:
        step = autograd.compile(share, wrt=(0, 1), reduce=None, backend=way)
        values, slopes = step.value_and_grad(*map(np.array, zip(*points, strict=True)))
        found = list(zip(values.tolist(), *[slope.tolist() for slope in slopes], strict=True))
    for (x, y), numbers in zip(points, found, strict=True):
        with mpmath.workdps(60):
            total = mpmath.mpf(x) + mpmath.mpf(y)
            exact = [float(number) for number in (x / total, y / total / total, -x / total / total)]
        for number, expected in zip(numbers, exact, strict=True):
            close = abs(number - expected) <= 4 * math.ulp(expected) if math.isfinite(expected) else number == expected
            assert close, (x, y, number, expected)


#: Slopes written as products that cancel when they are differentiated, and where.
SECOND = {
    "asin": (1e-16, 1e-9, 0.3, -1e-300, 0.5, 0.999999),
    "acos": (1e-16, -1e-9, 0.3, 1e-300, 0.5, -0.999999),
    "atanh": (1e-16, 1e-9, 0.3, -1e-300, 0.5, 0.999999),
    "logit": (0.5 + 1e-10, 0.50001, 0.499999, 0.4999, 0.51, 0.5 - 2.0**-54, 0.3, 0.25, 0.75, 1e-10, 1 - 1e-10),
}


@pytest.mark.parametrize(("name", "x"), [(name, x) for name, points in SECOND.items() for x in points])
@pytest.mark.parametrize("way", ["eager", *BACKENDS])
def test_second_derivatives_have_their_digits(way: str, name: str, x: float) -> None:
    exact_slope = {
        "asin": lambda t: 1 / mpmath.sqrt(1 - t * t),
        "acos": lambda t: -1 / mpmath.sqrt(1 - t * t),
        "atanh": lambda t: 1 / (1 - t * t),
        "logit": lambda t: 1 / t + 1 / (1 - t),
    }[name]
    f = maker(TABLE[name])
    with mpmath.workdps(400):
        t = mpmath.mpf(x)
        second = {
            "asin": lambda: t * exact_slope(t) ** 3,
            "acos": lambda: t * exact_slope(t) ** 3,
            "atanh": lambda: 2 * t * exact_slope(t) ** 2,
            "logit": lambda: -1 / t**2 + 1 / (1 - t) ** 2,
        }[name]()
        first, second = float(exact_slope(t)), float(second)
    if way == "eager":
        assert grad(f)(x) == pytest.approx(first, rel=2e-15, abs=0.0)
        assert grad(grad(f))(x) == pytest.approx(second, rel=4e-15, abs=0.0)
    else:
        found = autograd.compile(f, wrt=0, backend=way).at_points.hessian(x)
        assert float(found) == pytest.approx(second, rel=4e-15, abs=0.0)


WIDE = Interval(-1000.0, 1000.0)


def slopes_over(name: str, *boxes: Interval) -> list[Interval]:
    row = TABLE[name]
    operands = list(boxes)
    z = getattr(intervals, name)(operands) if row.n_ary else getattr(intervals, name)(*operands)
    return partials(intervals, row, z, operands, range(len(operands)) if row.n_ary else [0])


def test_intervals_bound_slopes_by_squares() -> None:
    (erf,) = slopes_over("erf", Interval(-20.0, 20.0))
    assert erf.low >= 0.0
    assert erf.high == pytest.approx(2 / math.sqrt(math.pi))
    (atan,) = slopes_over("atan", Interval(-1.0, 2.0))
    assert (atan.low, atan.high) == pytest.approx((0.2, 1.0))
    (gelu,) = slopes_over("gelu", Interval(-3.0, 3.0))
    assert gelu.high < 3


def test_the_slopes_of_logsumexp_over_wide_intervals_lie_between_0_and_1() -> None:
    for boxes in ((WIDE, WIDE), (WIDE, Interval(5000.0, 6000.0)), (Interval(1.0, 1.5), WIDE, Interval(-3.0, -2.0))):
        for slope in slopes_over("logsumexp", *boxes):
            assert 0.0 <= slope.low <= slope.high <= 1.0
    first, second = slopes_over("logsumexp", Interval(5000.0, 6000.0), Interval(-3.0, -2.0))
    assert first.low > 0.999999
    assert second.high < 1e-300
    first, _ = slopes_over("logsumexp", Interval(0.0, 1.0), Interval(0.0, 2.0))
    assert (first.low, first.high) == pytest.approx((1 / (1 + math.exp(2)), 1 / (1 + math.exp(-1))))


@pytest.mark.parametrize("name", ["elu", "selu", "softplus", "silu", "gelu", "mish", "sigmoid", "log_sigmoid", "tanh"])
def test_a_branch_that_is_not_taken_is_not_too_large_for_an_interval(name: str) -> None:
    box = getattr(intervals, name)(WIDE, *map(intervals.number, TABLE[name].defaults))
    for x in (-1000.0, -1.0, 0.0, 1.0, 1000.0):
        assert maker(TABLE[name])(x, *TABLE[name].defaults) in box
    assert -INF < box.low <= box.high < 1100


def test_selu_of_a_tiny_alpha_and_a_huge_scale() -> None:
    for function in (autograd.selu, maker(TABLE["selu"])):
        assert function(-1.0, 1.2242053029757184e16, 5e-324) == pytest.approx(-3.823303978058747e-308, rel=1e-15, abs=0)
