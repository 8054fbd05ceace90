"""``scan`` and ``map`` on numbers and Values, where they are Python's own loops."""

import numpy as np
import pytest

import autograd
from autograd import Value


def test_a_scan_is_a_fold_that_keeps_what_each_step_gives() -> None:
    def step(carry: float, x: float) -> tuple[float, float]:
        return carry + x, carry * x

    carry, ys = autograd.scan(step, 10.0, [1.0, 2.0, 3.0])
    assert (carry, ys) == (16.0, [10.0, 22.0, 39.0])


def test_a_scan_of_values_is_the_loop_written_out() -> None:
    w, xs = Value(0.5), [Value(x) for x in (0.3, -0.2, 0.7)]
    last, ys = autograd.scan(lambda c, x: ((w * c + x).tanh(), {"square": c * c}), 0.1, xs)
    total = last + autograd.sum(y["square"] for y in ys)
    written, squares = Value(0.1) * 1.0, []
    for x in xs:
        squares.append(written * written)
        written = (w * written + x).tanh()
    other = written + autograd.sum(squares)
    assert total.data == other.data
    found = autograd.gradients(total, [w, *xs])
    assert [g.data for g in found] == [g.data for g in autograd.gradients(other, [w, *xs])]


def test_without_elements_a_length_is_needed() -> None:
    assert autograd.scan(lambda c, x: (2.0 * c, x), 1.0, length=10) == (1024.0, [None] * 10)
    assert autograd.scan(lambda c, x: (c, x), 1.0, []) == (1.0, [])
    with pytest.raises(TypeError, match="scan needs elements, or length"):
        autograd.scan(lambda c, x: (c, x), 1.0)
    with pytest.raises(ValueError, match="2 elements and length=3"):
        autograd.scan(lambda c, x: (c, x), 1.0, [1.0, 2.0], length=3)


def test_a_step_returns_a_pair_and_keeps_the_shape_of_its_carry() -> None:
    with pytest.raises(TypeError, match=r"a step of scan returns \(carry, result\); step 0 returned 1.0"):
        autograd.scan(lambda c, x: c, 1.0, [1.0])
    with pytest.raises(ValueError, match="the carry of step 1 of a scan has another shape"):
        autograd.scan(lambda c, x: (c if x < 1.5 else [c], None), 1.0, [1.0, 2.0])


def test_a_map_keeps_the_order_and_any_nesting() -> None:
    assert autograd.map(lambda x: {"x": x, "half": [x / 2]}, [2.0, 4.0]) == [
        {"x": 2.0, "half": [1.0]},
        {"x": 4.0, "half": [2.0]},
    ]
    assert autograd.map(lambda row: row[0] + row[1], np.array([[1.0, 2.0], [3.0, 4.0]])) == [3.0, 7.0]
    assert autograd.map(lambda x: x, []) == []


def test_a_loop_of_values_may_decide_as_it_likes() -> None:
    xs = [Value(x) for x in (-1.0, 2.0)]
    assert [y.data for y in autograd.map(lambda x: x * x if x > 0 else -x, xs)] == [1.0, 4.0]
