"""Numeric slopes: the estimated error covers the true one; kinks, jumps, edges, waves and stairs are told apart."""

import math
import random
import struct
from collections.abc import Callable

import pytest

from autograd.checking.differences import Slope, slopes

F = Callable[[float], float]


def slope_of(f: F, x: float, expected: float) -> Slope:
    def g(t: float) -> list[float] | None:
        try:
            value = f(t)
        except (ValueError, ArithmeticError):
            return None
        return [value] if math.isfinite(value) else None

    centre = g(x)
    assert centre is not None
    return slopes(g, x, centre, [expected])[0]


def single(x: float) -> float:
    """The nearest number of single precision."""
    return float(struct.unpack("f", struct.pack("f", x))[0])


_NEAR_ONE = 1 - 1e-12

#: Function, point, derivative.
SMOOTH: dict[str, tuple[F, float, float]] = {
    "sine": (math.sin, 1.0, math.cos(1.0)),
    "fast wave": (lambda x: math.sin(1e6 * x), 1.0, 1e6 * math.cos(1e6)),
    "ripple": (lambda x: x + 1e-6 * math.sin(1e6 * x), 1.0, 1 + math.cos(1e6)),
    "wave far out": (math.sin, 1e10, math.cos(1e10)),
    "steep": (lambda x: math.exp(30 * x), 1.0, 30 * math.exp(30)),
    "next to a pole": (lambda x: 1 / (x - 1), 1 + 2.0**-30, -(2.0**60)),
    "next to an end": (math.acos, _NEAR_ONE, -1 / math.sqrt((1 - _NEAR_ONE) * (1 + _NEAR_ONE))),
    "root of little": (math.sqrt, 1e-12, 5e5),
    "logarithm of almost nothing": (math.log, 1e-300, 1e300),
    "huge": (lambda x: 3 * x, 1e300, 3.0),
    "tiny": (lambda x: 3 * x, 1e-300, 3.0),
    "constant": (lambda x: 5.0, 1.0, 0.0),
    "near a kink": (lambda x: 1 + max(0.0, x), 1e-9, 1.0),
    "beside a kink": (lambda x: max(0.0, x - 1e-5), 0.0, 0.0),
    "kink of the second order": (lambda x: x * abs(x), 0.0, 0.0),
    "stairs inside": (lambda x: 1 - math.tanh(x) ** 2, 8.0, -2 * math.tanh(8.0) / math.cosh(8.0) ** 2),
    "single precision": (lambda x: single(math.sin(x)), 1.0, math.cos(1.0)),
    "single precision inside": (lambda x: single(math.sin(x)) + x / 7, 1.0, math.cos(1.0) + 1 / 7),
    "cancellation": (lambda x: 1e10 + x - 1e10, 1.3, 1.0),
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("expected", ["right", "wrong"])
def test_the_error_covers_the_truth(name: str, expected: str) -> None:
    """Whatever was expected: a wrong guess makes the steps go on, and must not bend the outcome."""
    f, x, derivative = SMOOTH[name]
    guess = derivative if expected == "right" else 1.01 * derivative + (derivative == 0)
    slope = slope_of(f, x, guess)
    assert slope.kind == "smooth"
    # The derivative written here is itself rounded.
    assert abs(slope.value - derivative) <= slope.error + 1e-15 * abs(derivative)
    assert slope.error <= 1e-3 * max(abs(derivative), 1e-9)


@pytest.mark.parametrize(
    ("f", "x", "left", "right"),
    [
        (lambda x: max(0.0, x), 0.0, 0.0, 1.0),
        (lambda x: abs(x - 1 / 3), 1 / 3, -1.0, 1.0),
        (lambda x: abs(x) + x * x, 0.0, -1.0, 1.0),
        (lambda x: 1e200 * max(2 * x, x), 0.0, 1e200, 2e200),
    ],
)
def test_a_kink_has_two_slopes(f: F, x: float, left: float, right: float) -> None:
    slope = slope_of(f, x, right)
    assert slope.kind == "kink"
    assert slope.left == pytest.approx(left, rel=1e-6, abs=1e-6)
    assert slope.right == pytest.approx(right, rel=1e-6, abs=0.0)


def test_half_of_both_slopes_does_not_hide_a_kink() -> None:
    assert slope_of(lambda x: max(0.0, x), 0.0, 0.5).kind == "kink"


@pytest.mark.parametrize(
    ("f", "x"), [(math.floor, 2.0), (lambda x: (x > 0) - (x < 0), 0.0), (lambda x: x + (x >= 1), 1.0)]
)
def test_a_jump_is_no_slope(f: F, x: float) -> None:
    slope = slope_of(f, x, 0.0)
    assert slope.kind == "jump"
    assert slope.left == pytest.approx(slope.right)


@pytest.mark.parametrize(
    ("f", "x", "derivative"),
    [(lambda x: 2 * x + 0 * math.sqrt(x), 0.0, 2.0), (lambda x: math.exp(x) + 0 * math.acos(x), 1.0, math.e)],
)
def test_at_the_edge_of_the_domain_one_side_is_enough(f: F, x: float, derivative: float) -> None:
    slope = slope_of(f, x, derivative)
    assert slope.kind == "edge"
    assert abs(slope.value - derivative) <= slope.error <= 1e-5


@pytest.mark.parametrize("power", [1.0064, 1.1, 1.5, 2.5])
def test_slow_convergence_is_part_of_the_error(power: float) -> None:
    """x to a power at zero, where it begins: the slope is 0, and differences tend to it as slowly as they like."""
    slope = slope_of(lambda x: math.pow(x, power), 0.0, 1.0)
    assert slope.kind == "edge"
    assert abs(slope.value) <= slope.error


def test_an_isolated_point_has_no_slope() -> None:
    def only_here(x: float) -> float:
        if x != 1.0:
            raise ValueError
        return x

    slope = slope_of(only_here, 1.0, 1.0)
    assert slope.kind == "nothing"
    assert math.isinf(slope.error)


@pytest.mark.parametrize("size", [1e-3, 1e-6, 1e-9])
def test_noise_is_part_of_the_error(size: float) -> None:
    for seed in range(20):
        source = random.Random(seed)
        slope = slope_of(lambda x, s=source: math.sin(x) + size * s.random(), 1.0, math.cos(1.0))  # type: ignore[misc]
        assert abs(slope.value - math.cos(1.0)) <= slope.error, seed


def test_where_rounding_eats_everything_the_error_says_so() -> None:
    slope = slope_of(lambda x: 1e16 + x - 1e16, 1.3, 1.0)
    assert abs(slope.value - 1.0) <= slope.error
    assert slope.error > 1.0


def test_random_smooth_functions() -> None:
    """Polynomials of sines at random points and scales: no error is too small."""
    source = random.Random(0)
    for _ in range(300):
        a, w, b = source.uniform(-3, 3), 10 ** source.uniform(-3, 3), source.uniform(-3, 3)
        x = source.uniform(-1, 1) * 10 ** source.uniform(-6, 3)
        derivative = a * w * math.cos(w * x) + 2 * b * x
        slope = slope_of(lambda t, a=a, w=w, b=b: a * math.sin(w * t) + b * t * t, x, 2 * derivative)  # type: ignore[misc]
        # The point of the wave is rounded before its sine is taken, and so is the derivative written here.
        rounding = 2.0**-50 * (abs(a) * w * (1 + w * abs(x)) + abs(b * x))
        assert abs(slope.value - derivative) <= slope.error + rounding, (a, w, b, x)


#: Constant around the point, and as far to one side as the domain goes: by a kink, a jump, or all over.
CONSTANT: dict[str, F] = {
    "up to a kink": lambda x: max(math.sqrt(x), 0.1),
    "below a kink": lambda x: -max(math.sqrt(x), 0.1),
    "up to a jump": lambda x: 1.0 + math.floor(2 * math.sqrt(x)),
    "all over": lambda x: math.copysign(3.0, math.sqrt(x)),
}


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-12, 1e-6, 1e-3])
@pytest.mark.parametrize("name", CONSTANT)
def test_what_is_constant_next_to_an_end_has_no_slope_at_all(name: str, x: float) -> None:
    slope = slope_of(CONSTANT[name], x, 0.0)
    assert (slope.value, slope.error) == (0.0, 0.0)
    assert slope.kind == ("smooth" if x else "edge")


def test_no_slope_that_rounding_hides_is_taken_for_none() -> None:
    """c + s·xᵖ near the end of its domain, constant in floats for small steps: its slope is known only within an error,
    whatever is claimed.
    """
    source = random.Random(0)
    known_exactly = 0
    for _ in range(1000):
        x, s = 10 ** source.uniform(-12, 0), 10 ** source.uniform(-12, 3)
        p, c = source.choice([0.5, 0.7, 1.0, 2.0, 3.0]), source.choice([1.0, -0.1, 30.0])

        def f(t: float, s: float = s, p: float = p, c: float = c) -> float:
            return c + s * math.pow(t, p)

        slope, derivative = slope_of(f, x, 0.0), s * p * x ** (p - 1)
        known_exactly += slope.error == 0.0
        assert abs(slope.value - derivative) <= slope.error + 1e-9 * abs(c), (x, s, p, c)
    assert known_exactly < 50
