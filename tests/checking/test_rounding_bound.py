"""``rounding_error``: the bound holds against many digits, is close, and says what it is made of, or why it is none."""

from __future__ import annotations

import functools
import math
import random
import re
import statistics
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import mpmath
import pytest
from hypothesis import settings
from mpmath import mp

import autograd
from autograd import DomainError, Value, evaluate, record_lines, rounding_error, where
from autograd.checking import exact_errors
from autograd.checking.rounding_bound import RoundingBound
from autograd.number_systems import common, enclosures
from tests import checks
from tests.rows import ROWS, is_constant, jumps_of_a_number_by_itself

#: 10,000 by default, twenty times as many when the tests are thorough.
CASES = 500 * settings().max_examples


def true_error(output: Value) -> Any:
    """|computed - exact|, to so many digits that the referee's own error is beyond what floats can show."""
    with mpmath.workdps(200):
        return abs(mp.mpf(output.data) - evaluate(output, "mpmath", digits=200))


def excess(output: Value, bound_of: Callable[[Value], RoundingBound] = rounding_error) -> float | None:
    """Bound over true error, 1 where both vanish; ``None`` without a bound, or where the referee does not know.

    Raises:
        AssertionError: the error is larger than the bound.
    """
    found = bound_of(output)
    if math.isinf(found.bound):
        assert found.reason, "whoever gives no bound says why"
        return None
    try:
        error = true_error(output)
    except DomainError as refusal:
        if common.NO_SIGN_OF_ZERO not in str(refusal):
            raise
        return None
    # The referee's last digits: numbers are below 10⁵⁰, and so are the slopes in the median.
    if error < mp.mpf(10) ** -140:
        error = mp.zero
    assert error <= found.bound, f"off by {mp.nstr(error, 5)}, more than the bound of {found}"
    if not error:
        return 1.0 if found.bound == 0.0 else math.inf
    return float(found.bound / error)


def random_expression(source: random.Random) -> Value:
    """Up to 12 nodes of any row of the table over a few leaves, with shared parts."""
    numbers = [source.uniform(-2, 2), source.uniform(-2, 2), float(source.randint(-3, 3)), source.uniform(0, 20)]
    nodes = [Value(source.choice(numbers)) for _ in range(source.randint(1, 3))]
    for _ in range(source.randint(1, 12)):
        row = source.choice(ROWS)
        size = 2 * source.randint(1, 3) if row.n_ary else row.arity
        operands: list[Any] = [nodes[-1] if source.random() < 0.4 else source.choice(nodes) for _ in range(size)]
        if jumps_of_a_number_by_itself(row) and len(set(operands)) < size:
            continue
        if size > 1 and not row.n_ary:
            constants = [i for i in range(size) if is_constant(row, i)]
            for i in constants:
                operands[i] = float(source.random() < 0.5) if row.name == "where" else source.choice([0.5, 1.0, 2.0])
        try:
            if row.name == "where" and source.random() < 0.5:
                node = where(source.choice(nodes) > source.choice(nodes), *operands[1:])
            else:
                node = checks.record(row, operands)
        except (DomainError, OverflowError):
            continue
        if isinstance(node, Value) and abs(node.data) < 1e50:
            nodes.append(node)
    return nodes[-1]


def random_expressions(count: int, seed: int = 0) -> Iterable[Value]:
    source = random.Random(seed)
    return (random_expression(source) for _ in range(count))


#: The first of them, for tests of the test.
some_expressions = functools.cache(lambda count: list(random_expressions(count)))


def test_the_bound_holds_on_random_expressions() -> None:
    """And is close: in the median of those that are not exact, within the factor that the documentation states."""
    found = [excess(output) for output in random_expressions(CASES)]
    bounded = [x for x in found if x is not None]
    inexact = [x for x in bounded if x != 1.0]
    print(
        f"{CASES} random expressions: {len(found) - len(bounded)} without a bound, "
        f"{len(bounded) - len(inexact)} exact; bound / error in the median {statistics.median(bounded):.2f}, "
        f"{statistics.median(inexact):.2f} of the inexact"
    )
    assert len(bounded) > 0.98 * CASES
    assert statistics.median(bounded) < 7
    assert statistics.median(inexact) < 11


# Expressions that cancel.


def nearly_equal(source: random.Random) -> tuple[Value, Value]:
    x = source.uniform(0.5, 20)
    return Value(x), Value(x * (1 + source.choice([1, -1]) * 10 ** -source.uniform(3, 15)))


def tiny(source: random.Random, most: float = 15) -> Value:
    return Value(10 ** -source.uniform(1, most))


def ratio_of_difference(x: Value) -> Value:
    return ((1 + x) - 1) / x


def rump(source: random.Random) -> Value:
    """S. M. Rump, 1988: floats have not one digit of it, nor its sign."""
    a, b = Value(77617.0), Value(33096.0)
    return 333.75 * b**6 + a**2 * (11 * a**2 * b**2 - b**6 - 121 * b**4 - 2) + 5.5 * b**8 + a / (2 * b)


def root_of_quadratic(source: random.Random) -> Value:
    a, b, c = Value(source.uniform(0.1, 3)), Value(10 ** source.uniform(1, 9)), Value(source.uniform(0.1, 3))
    return (-b + (b * b - 4 * a * c).sqrt()) / (2 * a)


def textbook_variance(source: random.Random) -> Value:
    xs = [Value(1e4 + source.uniform(0, 1)) for _ in range(20)]
    return autograd.mean([x * x for x in xs]) - autograd.mean(xs) ** 2


def alternating_sum(source: random.Random) -> Value:
    return autograd.sum([Value(source.uniform(0.9, 1.1)) * (-1) ** i for i in range(200)])


def long_sum(source: random.Random) -> Value:
    return functools.reduce(lambda total, _: total + Value(source.uniform(-1, 1)), range(300), Value(0.0))


def one_minus_cosine(source: random.Random) -> Value:
    x = tiny(source, 6)
    return (1 - x.cos()) / (x * x)


def difference_of_roots(source: random.Random) -> Value:
    x = Value(10 ** source.uniform(1, 14))
    return (x + 1).sqrt() - x.sqrt()


def hyperbolic_sine(source: random.Random) -> Value:
    x = tiny(source)
    return (x.exp() - (-x).exp()) / 2


def expanded_power(source: random.Random) -> Value:
    """(x - 1)⁷ multiplied out, near 1, by Horner's rule."""
    x = Value(1 + source.uniform(-0.02, 0.02))
    return ((((((x - 7) * x + 21) * x - 35) * x + 35) * x - 21) * x + 7) * x - 1


def thin_triangle(source: random.Random) -> Value:
    """Heron's formula (W. Kahan's example)."""
    a, b, c = Value(1.0), Value(1.0), tiny(source, 6)
    half = (a + b + c) / 2
    return (half * (half - a) * (half - b) * (half - c)).sqrt()


def muller(source: random.Random) -> Value:
    """J.-M. Muller's recurrence: it tends to 6, and floats make it tend to 100."""
    before, now = Value(2.0), Value(-4.0)
    for _ in range(source.randint(3, 10)):
        before, now = now, 111 - 1130 / now + 3000 / (now * before)
    return now


def logistic_map(source: random.Random) -> Value:
    return functools.reduce(lambda t, _: 3.9 * t * (1 - t), range(source.randint(3, 12)), Value(source.uniform(0, 1)))


CANCELLING: dict[str, Callable[[random.Random], Value]] = {
    "(1 + x) - 1": lambda source: (1 + tiny(source)) - 1,
    "((1 + x) - 1) / x": lambda source: ratio_of_difference(tiny(source)),
    "log(a / b)": lambda source: (lambda a, b: (a / b).log())(*nearly_equal(source)),
    "x² - y²": lambda source: (lambda x, y: x**2 - y**2)(*nearly_equal(source)),
    "x·x - y·y": lambda source: (lambda x, y: x * x - y * y)(*nearly_equal(source)),
    "exp(x) - 1": lambda source: tiny(source).exp() - 1,
    "tan x - sin x": lambda source: (lambda x: x.tan() - x.sin())(tiny(source, 7)),
    "x - sin x": lambda source: (lambda x: x - x.sin())(tiny(source, 7)),
    "softplus x - x": lambda source: (lambda x: x.softplus() - x)(Value(source.uniform(5, 30))),
    "√(x² + 1) - x": lambda source: (lambda x: (x * x + 1).sqrt() - x)(Value(10 ** source.uniform(1, 7))),
    "logsumexp - x": lambda source: (lambda x: autograd.logsumexp([x, 1.0]) - x)(Value(source.uniform(5, 30))),
    **{
        f.__name__: f
        for f in (
            rump,
            root_of_quadratic,
            textbook_variance,
            alternating_sum,
            long_sum,
            one_minus_cosine,
            difference_of_roots,
            hyperbolic_sine,
            expanded_power,
            thin_triangle,
            muller,
            logistic_map,
        )
    },
}


@functools.cache
def cancelling(name: str, count: int = 40) -> list[Value]:
    source = random.Random(name)
    return [CANCELLING[name](source) for _ in range(count)]


@functools.cache
def excesses(name: str) -> list[float | None]:
    return [excess(output) for output in cancelling(name)]


@pytest.mark.parametrize("name", CANCELLING)
def test_the_bound_holds_where_digits_cancel(name: str) -> None:
    found = excesses(name)
    bounded = [x for x in found if x is not None]
    print(f"{name}: bound / error in the median {statistics.median(bounded):.2f} of {len(bounded)}")
    assert len(bounded) >= 0.9 * len(found)
    assert statistics.median(bounded) < 25


def test_the_bound_is_close_where_digits_cancel() -> None:
    found = [x for name in CANCELLING for x in excesses(name) if x is not None]
    print(f"{len(found)} cancelling expressions: bound / error in the median {statistics.median(found):.2f}")
    assert statistics.median(found) < 3


def test_rump_has_no_digit_right_and_the_bound_says_so() -> None:
    found = rounding_error(rump(random.Random(0)))
    assert found.relative > 1


# The check bites.


def rejected(outputs: Iterable[Value], bound_of: Callable[[Value], RoundingBound] = rounding_error) -> Iterator[Value]:
    """Those whose bound is found to be wrong."""
    for output in outputs:
        try:
            excess(output, bound_of)
        except (AssertionError, DomainError):  # a domain that is left exactly, though the bound said it is not
            yield output


def divided_by(k: float) -> Callable[[Value], RoundingBound]:
    def bound_of(output: Value) -> RoundingBound:
        found = rounding_error(output)
        return found._replace(bound=found.bound / k)

    return bound_of


def test_a_bound_divided_by_some_factor_is_rejected() -> None:
    assert list(rejected(cancelling("(1 + x) - 1"), divided_by(1.01))) == cancelling("(1 + x) - 1")
    assert len(list(rejected(some_expressions(300), divided_by(3)))) > 10
    assert len(list(rejected(some_expressions(300), divided_by(30)))) > 60


@pytest.mark.parametrize("name", ["add", "mul", "div", "sqrt", "sum", "square"])
def test_a_primitive_whose_rounding_is_forgotten_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_errors, name, lambda z, xs: 0.0)
    assert next(iter(rejected(some_expressions(1500))), None) is not None


def test_a_library_taken_for_exact_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enclosures, "ULPS", dict.fromkeys(enclosures.ULPS, 0))
    assert len(list(rejected(some_expressions(300)))) > 10


def test_second_order_is_needed() -> None:
    """The computed difference is 0, so that its square has no slope there, and no error to first order."""
    output = (Value(0.3) * 10 - 3).square()
    found = rounding_error(output)
    assert found.first_order == 0.0
    assert 0 < true_error(output) <= found.bound
    assert found.factor == math.inf


# What the result says.


def test_what_floats_compute_exactly_is_exact() -> None:
    x = Value(0.75)
    for output in (x, x * 3 - 1, (x + 0.25).sqrt(), x / 0.5, autograd.relu(-x), x.exp() * 0, (x * 0.0).sqrt()):
        found = rounding_error(output)
        assert (found.bound, found.contributions, found.reason) == (0.0, [], "")
    assert str(rounding_error(x + 1)) == "1.75 is exact"


def test_the_bound_is_the_first_order_times_the_factor() -> None:
    for output in random_expressions(100, seed=1):
        found = rounding_error(output)
        if found.first_order and not found.reason:
            assert found.bound == pytest.approx(found.first_order * found.factor, rel=1e-12, abs=0.0)
            assert found.factor >= 1 - 1e-12


def test_contributions_name_the_nodes_that_matter_most() -> None:
    x, y = Value(1e8, "x"), Value(0.1, "y")
    with record_lines():
        large = x * 1.1
        large.label = "large"
        small = y * 1.1
        difference = (large + small) - large
    found = rounding_error(difference)
    first = found.contributions[0]
    assert (first.primitive, first.node.data) == ("add", (large + small).data)
    assert first.line.startswith("test_rounding_bound.py:")
    assert [c.amount for c in found.contributions] == sorted((c.amount for c in found.contributions), reverse=True)
    assert math.fsum(c.share for c in found.contributions) == pytest.approx(1.0)
    assert all(c.node is not large for c in found.contributions), "its own error cancels, to the last digit"
    assert f"{first.share:.1%}  add" in str(found)
    assert "<td>add</td>" in found._repr_html_()


def test_the_error_of_a_detached_number_counts() -> None:
    x = Value(0.1) * 3
    assert rounding_error(x.detach()).bound == rounding_error(x).bound > 0


def test_the_rounding_of_a_derivative() -> None:
    x = Value(1.3)
    slope = autograd.gradients((x.sin() * x).exp(), x)
    assert excess(slope) is not None


@pytest.mark.parametrize(
    ("output", "name", "reason"),
    [
        (lambda x: where(x > 0, x, 0.0), "where", "undecided"),
        (lambda x: x.sqrt(), "sqrt", "sqrt needs an argument ≥ 0; x is Interval"),
        (lambda x: (x.square() * 0.1).sqrt() + (x * 0.3).cbrt(), None, "cbrt has no derivative|sqrt"),
        (lambda x: x.log(), "log", "log needs a positive argument"),
        (lambda x: 1 / x, "div", "div needs a divisor other than zero"),
        (lambda x: (x * 3.3 + math.pi / 2).tan(), "tan", "tan: a pole may lie in"),
        (lambda x: autograd.sign(x), "sign", "may jump"),
        (lambda x: autograd.floor(x), "floor", "may jump"),
        (lambda x: autograd.ceil(x + 1), "ceil", "may jump"),
        (lambda x: autograd.atan2(x, Value(-1.0)), "atan2", "may jump"),
        (lambda x: x.cbrt(), "cbrt", "cbrt has no derivative"),
        (lambda x: (x + 1).acos(), "acos", "acos needs an argument between -1 and 1"),
        (lambda x: (x.exp() * 709.782712893384).exp(), "exp", "too large"),
        (lambda x: x * 1e300 * 1e300 * 1e300, "mul", "its value is inf"),
    ],
)
def test_what_cannot_be_proved_is_unbounded_with_a_reason(output: Any, name: str | None, reason: str) -> None:
    x = Value(0.3) * 10 - Value(3.0) + 1e-17 * (1 if name != "acos" else -1)  # exactly below zero, computed above
    try:
        node = output(x)
    except (DomainError, OverflowError):
        pytest.fail("the example must be computable in floats")
    found = rounding_error(node)
    assert found.bound == math.inf
    assert math.isnan(found.first_order)
    assert re.search(reason, found.reason), found.reason
    if name is not None:
        assert found.node is not None
        assert found.node.primitive.name == name
    assert "unbounded" in str(found)
    assert "unbounded" in found._repr_html_()


def test_corners_are_no_obstacle() -> None:
    x = Value(0.3) * 10 - Value(3.0)
    for output in (x.relu(), abs(x), autograd.maximum(x, 0.0), autograd.clip(x, 0.0, 1.0), autograd.hypot(x, 1.0)):
        assert excess(output) is not None


@autograd.primitive(partials=[lambda m, z, x: m.exp(-x * x) * (1 - 2 * x * x)])
def bump_of_rounding(m: Any, x: Any) -> Any:
    return x * m.exp(-x * x)


@autograd.primitive(partials=[lambda m, z, x: 0], kinks=lambda x: x == 0, domain=lambda x: x != 1)
def step_of_rounding(m: Any, x: Any) -> Any:
    return m.where(m.less(x, 0), 0, 1)


@autograd.primitive(partials=[lambda m, z, x: 0])
def undeclared_step_of_rounding(m: Any, x: Any) -> Any:
    return m.where(m.less(x, 0), 0, 1)


@autograd.primitive(partials=[lambda m, z, x: 0], kinks=lambda x: x % 1 == 0)
def floor_of_rounding(m: Any, x: Any) -> Any:
    return m.floor(x)


@autograd.primitive(partials=[lambda m, z, x: z], systems=["floats"])
def exp_of_floats_alone(m: Any, x: Any) -> Any:
    return math.exp(x)


def test_declared_primitives() -> None:
    x = Value(0.1) * 3
    assert excess(bump_of_rounding(x) - x) is not None
    assert rounding_error(step_of_rounding(x)).bound == 0.0
    assert "undecided" in rounding_error(step_of_rounding(x - 0.3)).reason
    assert rounding_error(floor_of_rounding(x)).bound == 0.0
    assert "may jump" in rounding_error(floor_of_rounding(x * 10)).reason
    assert "undecided" in rounding_error(undeclared_step_of_rounding(x - 0.3)).reason
    assert "declared for floats only" in rounding_error(exp_of_floats_alone(x)).reason
    beside = (x * 3.3 + (1 - x.data * 3.3)) + 2.0**-52
    assert rounding_error(step_of_rounding(beside)).reason.startswith("step_of_rounding: ")


def test_a_leaf_that_is_nan() -> None:
    assert rounding_error(Value(math.nan) + 1).reason == "a leaf is nan"


def test_time_is_linear_and_depth_is_no_limit() -> None:
    x = Value(0.5)
    y = x
    for _ in range(10_000):
        y = (y * 0.999 + 0.1).tanh()
    found = rounding_error(y)
    assert found.bound < 1e-14
    assert len(found.contributions) > 20_000


def test_a_stale_graph_is_refused() -> None:
    x = Value(0.1)
    y = x * 3
    x.data = 0.2
    with pytest.raises(autograd.StaleGraphError):
        rounding_error(y)


@pytest.mark.parametrize("output", [1.0, [Value(1.0)], "x"])
def test_what_is_no_value_is_refused(output: Any) -> None:
    with pytest.raises(TypeError, match="rounding_error takes"):
        rounding_error(output)
