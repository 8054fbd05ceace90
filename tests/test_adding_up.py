"""Choices between functions: whichever way they go, cotangents are added up as ``backward()`` adds them up there."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, adding_up
from autograd.compiled.recording.trace import Trace
from autograd.compiled.recording.tracing import trace
from tests.compiled.replays import BACKENDS, bits

_HUGE = (1e16, -1e16, 1e16, -1e16, 3.0, 1.0, -1.0, 7.0, 0.1)


def random_function(numbers: random.Random, inputs: int, size: int) -> Callable[[Sequence[Any]], Any]:
    """Sums, multiples that cancel, and choices whose branches are functions, mostly: of what is there, of what they
    compute, of further choices. Each condition is asked of one input: whether it is below 2."""

    def grown(known: int, size: int, depth: int) -> tuple[list[Any], int]:
        steps: list[Any] = []
        for _ in range(size):
            kind = numbers.random()
            x, y = numbers.randrange(known), numbers.randrange(known)
            if kind < 0.3:
                steps.append(("mul", x, numbers.choice(_HUGE)))
            elif kind < 0.65 or depth == 2:
                steps.append(("add", x, y))
            else:
                sides = [
                    side if numbers.random() < 0.2 else grown(known, numbers.randrange(3), depth + 1) for side in (x, y)
                ]
                steps.append(("where", numbers.randrange(inputs), *sides))
            known += 1
        return steps, known - 1 if steps and numbers.random() < 0.7 else numbers.randrange(known)

    def run(steps: list[Any], known: list[Any], p: Sequence[Any]) -> None:
        for kind, x, *rest in steps:
            if kind == "mul":
                known.append(known[x] * rest[0])
            elif kind == "add":
                known.append(known[x] + known[rest[0]])
            else:
                known.append(autograd.where(p[x] < 2.0, *[branch(side, [*known], p) for side in rest]))

    def branch(side: Any, known: list[Any], p: Sequence[Any]) -> Any:
        if isinstance(side, int):
            return known[side]

        def call() -> Any:
            mine = [*known]
            run(side[0], mine, p)
            return mine[side[1]]

        return call

    steps, _ = grown(inputs, size, 0)

    def f(p: Sequence[Any]) -> Any:
        known = [*p]
        run(steps, known, p)
        return sum(known[inputs:-1:2], start=known[-1])

    return f


def eager(f: Callable[[Any], Any], point: Sequence[float]) -> list[float]:
    """The gradient that ``backward()`` leaves."""
    leaves = [Value(x) for x in point]
    f(leaves).backward()
    return [leaf.grad for leaf in leaves]


def recorded(f: Callable[[Any], Any], point: Sequence[float]) -> Trace:
    fresh = [Value(x) for x in point]
    return trace(f, lambda: [[*fresh]], fresh, "f")


def in_a_row(*functions: Callable[[Sequence[Any]], Any]) -> Callable[[Sequence[Any]], Any]:
    """Each takes what the one before returns, and the others of the inputs: blocks within blocks."""

    def f(p: Sequence[Any]) -> Any:
        x = p[0]
        for function in functions:
            x = autograd.where(p[1] < 2.0, lambda x=x: x, lambda x=x: x * 3.0) + function([*p[1:], x]) * 1e-16
        return x

    return f


def _ways(inputs: int) -> list[tuple[float, ...]]:
    return [*itertools.product((1.0, 3.0), repeat=inputs)]


@pytest.mark.parametrize("seed", range(40))
def test_random_choices_give_the_eager_bits_whichever_way_they_go(seed: int) -> None:
    numbers = random.Random(seed)
    f = random_function(numbers, 3, 16)
    g = in_a_row(random_function(numbers, 3, 5), random_function(numbers, 3, 5))
    points = _ways(3)
    for h in (f, g):
        expected = bits([eager(h, point) for point in points])
        for backend in BACKENDS if seed < 10 else ("numpy",):
            step = autograd.compile(h, wrt=0, reduce=None, backend=backend)
            assert bits(step.value_and_grad(np.array(points))[1]) == expected, backend
        assert bits([step.value_and_grad([*point])[1] for point in points]) == expected
        assert bits([step.at_points.vjp([*point])[1](1.0)[0] for point in points]) == expected
        slopes = autograd.compile(autograd.grad(h), wrt=0, backend="numpy").at_points
        assert bits([slopes.jvp(([*point],), ([0.0] * 3,))[0] for point in points]) == expected


@pytest.mark.parametrize("seed", range(20))
def test_of_several_outputs_too(seed: int) -> None:
    """In the order of ``vjp``, which is not that of ``backward()``."""
    numbers = random.Random(seed)
    f, g = random_function(numbers, 3, 14), random_function(numbers, 3, 14)

    def both(p: Sequence[Any]) -> list[Any]:
        first = f([p[0] * 3.0 + p[2], *p[1:]])
        return [first, g([first * 1e-16, *p[1:]])]

    at_points = autograd.compile(both, wrt=0, backend="numpy").at_points
    for point in map(list, _ways(3)):
        assert bits(at_points.vjp(point)[1]([1.0, 1.0])[0]) == bits(autograd.vjp(both, point)[1]([1.0, 1.0])[0])
        assert bits(at_points.jacobian(point)) == bits(autograd.jacobian(both)(point))


@pytest.mark.parametrize("unroll", [None, False])
@pytest.mark.parametrize("seed", range(20))
def test_in_the_steps_of_a_loop_too(seed: int, unroll: bool | None) -> None:
    """Of carry, elements and results; what all steps share would be added up from step to step."""
    numbers = random.Random(seed)
    f, g = random_function(numbers, 3, 12), random_function(numbers, 3, 12)

    def loop(p: Sequence[Any]) -> Any:
        def step(carry: Any, e: Sequence[Any]) -> Any:
            return f([carry, *e]) * 1e-16 + carry * e[0], g([carry, *e])

        last, results = autograd.scan(step, p[0], [[p[1] * 0.5, p[1]], [p[1] * 1.0, p[2]]], unroll=unroll)
        return autograd.sum(results) + last

    points = _ways(3)
    step = autograd.compile(loop, wrt=0, reduce=None, backend="numpy")
    assert bits(step.value_and_grad(np.array(points))[1]) == bits([eager(loop, point) for point in points])


@pytest.mark.parametrize("unroll", [None, False])
def test_what_steps_share_is_added_up_on_top_of_what_later_steps_sent(unroll: bool | None) -> None:
    def loop(p: Sequence[Any]) -> Any:
        def step(carry: Any, e: Any) -> Any:
            a, b = p[0] * (e * -1e16), p[0] * (e * 3.0)
            return autograd.where(e < 2.0, lambda: a + b, lambda: b + a) + carry, 0.0

        return autograd.scan(step, 0.0, [p[1] * 1.0, p[2] * 1.0], unroll=unroll)[0]

    points = _ways(3)
    step = autograd.compile(loop, wrt=0, reduce=None, backend="numpy")
    assert bits(step.value_and_grad(np.array(points))[1]) == bits([eager(loop, point) for point in points])


def test_where_no_one_order_is_right_a_condition_decides() -> None:
    def f(p: Sequence[Any]) -> Any:
        x, y = p[0] * 3.0, p[0] * -1e16
        return autograd.where(p[0] < p[1], lambda: x + y, lambda: y + x) + p[0] * 1e16

    terms = recorded(f, (1.0, 2.0)).terms
    ((_, those),) = terms.items()
    assert len({term.slot for term in those}) == 3
    assert sum(len(term.under) for term in those) == 2  # one of them stands in two places


@pytest.mark.parametrize(
    "f",
    [
        lambda p: (p[0] * -1e16 + autograd.where(p[0] < 9.0, p[0] + p[0], p[0] * p[1])) + p[0] * 1e16,
        lambda p: autograd.where(p[0] < 9.0, lambda: p[0] + p[0], lambda: p[0] * p[1]) + p[0] * 1e16,
        lambda p: (lambda z: autograd.where(z < 9.0, lambda: z, lambda: z * 0.1) * p[0] + p[0] * p[0])(p[0] + p[1]),
        lambda p: (lambda z: autograd.where(z < 9.0, lambda: autograd.tanh(z) * z, lambda: z) + p[0] * p[0])(
            p[0] + p[1]
        ),
    ],
)
def test_where_nothing_depends_on_a_choice_nothing_is_walked(
    f: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(adding_up._Blocks, "_walk")
    assert recorded(f, (1.0, 2.0)).terms == {}


def _steps_walked(f: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How many in all walks, and how many operations there are."""
    steps, walk = [0], adding_up._Blocks._walk

    def counted(self: Any, block: Any, way: int) -> dict[int, int]:
        found = walk(self, block, way)
        steps[0] += len(found)
        return found

    with monkeypatch.context() as context:
        context.setattr(adding_up._Blocks, "_walk", counted)
        operations = len(recorded(f, (1.0, 3.0, 1.0)).program)
    return steps[0], operations


def test_walks_take_time_that_grows_with_the_program_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of choices one behind the other, or side by side, each is walked for itself; of what hangs together, most ways
    are left out where they are too many."""

    def cancelling(x: Any, bound: Any) -> Any:
        a = x * -1e16
        return (a + autograd.where(x < bound, lambda: x + x, lambda: a)) + x * 1e16

    def row(p: Sequence[Any], count: int) -> Any:
        return functools.reduce(lambda x, _: cancelling(x, p[1]), range(count), p[0])

    def side_by_side(p: Sequence[Any], count: int) -> Any:
        return autograd.sum([row([p[0] * 1.0, p[1]], 2) for _ in range(count)])

    def together(p: Sequence[Any], count: int) -> Any:
        return random_function(random.Random(0), count, count * 4)([p[i % 3] * 1.0 for i in range(count)])

    for shape, most in ((row, 4), (side_by_side, 4)):
        for count in (20, 2000):
            steps, operations = _steps_walked(lambda p, shape=shape, count=count: shape(p, count), monkeypatch)
            assert 0 < steps <= most * operations, (shape, count)
    monkeypatch.setattr(adding_up, "MOST_STEPS", 0)
    steps, operations = _steps_walked(lambda p: together(p, 60), monkeypatch)
    assert 0 < steps <= adding_up.FEWEST_WALKS * operations


@pytest.mark.parametrize("seed", range(10))
def test_of_ways_that_were_not_walked_nothing_is_lost(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Integers, whose sums are exact in any order."""
    monkeypatch.setattr(adding_up, "MOST_STEPS", 0)
    monkeypatch.setattr(f"{__name__}._HUGE", (2.0, -1.0, 3.0))
    f = random_function(random.Random(seed), 6, 24)
    points = _ways(6)
    step = autograd.compile(f, wrt=0, reduce=None, backend="numpy")
    np.testing.assert_array_equal(step.value_and_grad(np.array(points))[1], [eager(f, point) for point in points])


def test_hundreds_of_choices_that_hang_together_are_settled() -> None:
    point = [1.0, 3.0] * 150
    found = autograd.compile(random_function(random.Random(1), 300, 500), wrt=0, backend="numpy").value_and_grad(point)
    assert bits(found[1]) == bits(eager(random_function(random.Random(1), 300, 500), point))
