"""Recorded loops backward: nothing flows where nothing would flow through the steps written out, be it 0 · inf."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, compile, scan, where
from tests.compiled.kept_loops import ROUNDINGS, both, keep_out_an_infinite_slope, numbers_of
from tests.compiled.replays import BACKENDS


def test_nothing_flows_from_steps_whose_results_nobody_uses() -> None:
    def f(unroll: bool) -> Callable[..., Any]:
        def run(xs: Any) -> Any:
            _, ys = scan(
                lambda c, x: (c + x, autograd.sqrt(c)), 0.0, xs, unroll=unroll
            )  # the root of 0.0 at steps 0, 4
            return ys[2] * 3.0

        return run

    xs = np.array([[1.0, 1.0, 1.0, -3.0, 5.0]])
    both(f, (xs,), wrt=0)
    gradient = compile(f(False), wrt=0, backend="numpy").value_and_grad(xs)[1]
    assert gradient[0] == pytest.approx([3 / np.sqrt(8), 3 / np.sqrt(8), 0.0, 0.0, 0.0])


def test_nothing_flows_to_a_carry_that_nobody_uses_in_the_end() -> None:
    def f(unroll: bool) -> Callable[..., Any]:
        def step(c: Any, x: Any) -> Any:
            return (c[0] + c[1], autograd.sqrt(x), c[2] * x, c[1]), None

        def run(xs: Any) -> Any:
            last, _ = scan(step, (0.0, 1.0, 2.0, 3.0), xs, unroll=unroll)
            return last[0]

        return run

    xs = np.array([[4.0, 9.0, 0.0], [0.25, 1.0, -1.0]])
    both(f, (xs,), wrt=0, reduce=None)
    gradient = compile(f(False), wrt=0, reduce=None, backend="numpy").value_and_grad(xs)[1]
    assert gradient.tolist() == [[0.25, 1 / 6, 0.0], [1.0, 0.5, 0.0]]


def test_nothing_flows_to_the_steps_before_a_choice_that_dropped_them() -> None:
    def f(unroll: bool) -> Callable[..., Any]:
        def step(c: Any, x: Any) -> Any:
            return where(x > 0.0, autograd.sqrt(c) + x, lambda: x * x), c

        def run(xs: Any) -> Any:
            last, ys = scan(step, 0.0, xs, unroll=unroll)
            return where(xs[0] > 0.5, last, last * 2.0 + ys[2] ** 2)

        return run

    xs = np.array([[1.0, -2.0, 3.0], [1.0, 2.0, -3.0], [0.2, 4.0, 5.0], [0.2, -1.0, -1.0]])
    both(f, (xs,), wrt=0, reduce=None)
    gradient = compile(f(False), wrt=0, reduce=None, backend="numpy").value_and_grad(xs)[1]
    assert np.isfinite(gradient).all()
    assert gradient[1].tolist() == [0.0, 0.0, -6.0]


def test_nothing_flows_to_what_only_branches_not_taken_share() -> None:
    w = Value(-0.6)

    def f(unroll: bool) -> Callable[..., Any]:
        def run(x: Any, xs: Any) -> Any:
            roots = [autograd.sqrt(e) for e in xs]

            def step(c: Any, e: Any) -> Any:
                chosen = where(w > 0.0, lambda: autograd.sqrt(w) + c, lambda: c * w)
                return chosen + where(e > 0.5, e, 0.1), None

            return scan(step, x, roots, unroll=unroll)[0]

        return run

    args = np.array([-0.3, 0.2]), np.array([[4.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    both(f, args, params=[w], wrt=(0, 1), reduce=None)
    assert np.isfinite(compile(f(False), params=[w], wrt=0, backend="numpy").value_and_grad(*args)[1][0]).all()


@pytest.mark.parametrize("unused", ["a carry", "an element of a step"])
def test_a_number_with_a_second_way_through_the_loop_that_nothing_flows_back(unused: str) -> None:
    """What only a branch not taken uses is kept out, though the loop has it once more for nobody."""
    w = Value(0.8)

    def f(unroll: bool) -> Callable[..., Any]:
        def run(x: Any, y: Any) -> Any:
            root = autograd.sqrt(x) * w  # of infinite slope at 0
            again = autograd.sin(root)
            elements = [y, again] if unused == "an element of a step" else [y, y]

            def step(c: Any, e: Any) -> Any:
                return (where(x > 0.0, root, c[0] * 1.5), again), e * e

            last, results = scan(step, (y, y), elements, unroll=unroll)
            return last[0] + results[0]

        return run

    keep_out_an_infinite_slope(f, w)


def test_a_carry_that_only_a_branch_never_taken_has() -> None:
    w = Value(0.8)

    def f(unroll: bool) -> Callable[..., Any]:
        def run(x: Any, y: Any) -> Any:
            first = autograd.sqrt(x) * w  # of infinite slope at 0
            return scan(lambda c, e: (where(True, y * e, c), None), first, [1.0, 2.0], unroll=unroll)[0]

        return run

    keep_out_an_infinite_slope(f, w)


def test_a_first_carry_whose_last_one_nobody_uses() -> None:
    """Something flows to what the loop begins with, for some samples, and to no carry that comes out of it."""
    w = Value(0.8)

    def f(unroll: bool) -> Callable[..., Any]:
        def run(x: Any, y: Any) -> Any:
            first = autograd.sqrt(x) * w  # of infinite slope at 0

            def step(c: Any, e: Any) -> Any:
                return 0.25, where(x > 0.0, c, y * e)

            return scan(step, first, [1.0], unroll=unroll)[1][0]

        return run

    keep_out_an_infinite_slope(f, w)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("where_it_goes", ["shared", "first carry", "element", "shared and outside"])
def test_what_has_no_value_in_a_branch_not_taken_is_kept_out_on_its_whole_way(where_it_goes: str, backend: str) -> None:
    w = Value(0.8)

    def f(unroll: bool) -> Callable[..., Any]:
        def run(x: Any) -> Any:
            root = autograd.sqrt(x) + w  # nan below zero, and made of something that is

            def step(c: Any, e: Any) -> Any:
                good = {"first carry": c * w, "element": c + e}.get(where_it_goes, c + root)
                bad = w if where_it_goes == "first carry" else c * w
                return where(x > 0.0, good, bad), None

            first = root if where_it_goes == "first carry" else w
            elements = [root, x * w, autograd.sqrt(2.0 * x) * w] if where_it_goes == "element" else [0.0] * 3
            outside = where(x > 0.0, root, 0.0) if where_it_goes == "shared and outside" else x
            return scan(step, first, elements, unroll=unroll)[0] + outside

        return run

    x = np.array([0.3, -0.7, 1.2])
    kept, written = (
        compile(f(unroll), params=[w], wrt=0, reduce=None, backend=backend).value_and_grad(x)[1]
        for unroll in (False, True)
    )
    for found, expected in zip(numbers_of(kept), numbers_of(written), strict=True):
        assert np.isfinite(expected).all()
        assert np.allclose(found, expected, rtol=ROUNDINGS)
