"""``descent``: leaves moved by a rule over arrays; what nn does not ask of it, and the bits of its bounds."""

import math
import random
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.compiled.descent import Descent, _sorting
from autograd.interrupts import uninterrupted
from tests.compiled.replays import steps_taken_natively

RATE = 0.25


def down(m: Any, p: Any, g: Any, state: Any, rate: Any, step: Any, settings: Any) -> Any:
    """Gradient descent that counts its steps."""
    return p - rate * g, tuple(kept + 1.0 for kept in state)


def run(descent: Descent, X: Any, y: Any, size: int, **options: Any) -> Any:
    with uninterrupted() as signals:
        found = descent.run(
            descent.batches(X, y, options.pop("order", None)), size, rate=RATE, settings=None, signals=signals,
            **options,
        )  # fmt: skip
    descent.write()
    return found


def test_leaves_that_are_not_moved_and_leaves_of_nobody() -> None:
    moved, frozen, other = Value(0.5, "moved"), Value(2.0, "frozen"), Value(1.0, "other")
    made = autograd.descent(lambda x, y: (moved * frozen * x - other * y) ** 2, [frozen, moved], down, moved=[moved])
    made.begin([[0.0]], 0)
    X, y = np.array([1.0, 2.0, -1.0, 0.5, 1.5]), np.array([1.0, -1.0, 0.5, 0.25, 2.0])
    expected, w, losses = [], 0.5, 0.0
    for epoch in range(3):
        if epoch == 2:
            frozen.data, other.data = 1.5, 0.5
        for a, b in zip(X.tolist(), y.tolist(), strict=True):
            error = w * frozen.data * a - other.data * b
            losses += error * error
            w -= RATE * 2.0 * error * frozen.data * a * 0.0625
            expected.append(w)

    def slower(m: Any, p: Any, g: Any, state: Any, rate: Any, step: Any, settings: Any) -> Any:
        return p - rate * (0.0625 * g), tuple(kept + 1.0 for kept in state)

    moved.data, frozen.data, other.data = 0.5, 2.0, 1.0
    made.rule = slower
    total = 0.0
    for epoch in range(3):
        if epoch == 2:
            frozen.data, other.data = 1.5, 0.5
        total += run(made, X, y, 1).total
    assert moved.data == pytest.approx(expected[-1], rel=1e-12, abs=0.0)
    assert total == pytest.approx(losses, rel=1e-12, abs=0.0)
    assert (frozen.data, other.data) == (1.5, 0.5)
    assert (made.steps, made.states[0].tolist()) == (15, [15.0])


def test_native_code_reads_what_others_write_into_leaves_that_it_does_not_move(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = steps_taken_natively(monkeypatch)
    w, frozen, other = Value(0.0), Value(2.0), Value(1.0)
    made = autograd.descent(lambda x, y: (w - frozen * x - other * y) ** 2, [frozen, w], down, moved=[w])
    for step, (a, b) in enumerate([(2.0, 1.0), (2.0, 1.0), (-1.0, 1.0), (-1.0, 3.0), (0.5, 3.0)]):
        w.data, frozen.data, other.data = 0.0, a, b
        run(made, np.ones(1), np.ones(1), 1)
        assert w.data == RATE * 2.0 * (a + b), step
    assert taken == [1] * 4


def test_gradients_that_are_the_same_for_all_samples_and_of_leaves_without_use(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = steps_taken_natively(monkeypatch)
    found = []
    for native in (True, False):
        w, b, shared, unused = Value(0.5), Value(-1.0), Value(2.0), Value(3.0)
        made = autograd.descent(
            lambda x, y, w=w, b=b, shared=shared: w * x * y + b + shared * shared, [unused, shared, b, w], down
        )
        if not native:
            monkeypatch.setattr(Descent, "_native", lambda *args: None)
        ran = run(made, np.arange(8.0), np.ones(8), 2)
        found.append((ran.total, [leaf.data for leaf in (w, b, shared, unused)], made.gradient.tolist()))
    assert found[0] == found[1]
    assert found[0][2][0] == 0.0
    assert found[0][1][1] == -1.0 - 4 * RATE
    assert taken == [3]


@pytest.mark.parametrize("in_penalty", [False, True])
def test_a_long_dot_of_leaves_alone_is_native(in_penalty: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = steps_taken_natively(monkeypatch)
    found = []
    for native in (True, False):
        leaves = [Value(0.125 * i - 0.5) for i in range(11)]

        def decay(leaves: list[Value] = leaves) -> Value:
            return 0.01 * autograd.dot(leaves, leaves)

        def loss(x: Value, y: Value, leaves: list[Value] = leaves) -> Value:
            error = (leaves[0] * x + leaves[1] - y) ** 2
            return error if in_penalty else error + 0.01 * autograd.dot(leaves, leaves)

        made = autograd.descent(loss, leaves, down, penalty=decay if in_penalty else None)
        if not native:
            monkeypatch.setattr(Descent, "_native", lambda *args: None)
        ran = run(made, np.arange(8.0), np.ones(8), 2)
        found.append((ran.total, ran.penalties, [leaf.data for leaf in leaves], made.gradient.tolist()))
    assert found[0] == found[1]
    assert taken == [3]


def test_it_goes_on_from_a_sample_and_tells_how_far_it_came() -> None:
    w = Value(0.0)
    made = autograd.descent(lambda x, y: (w * x - y) ** 2, [w], down)
    X, y = np.ones(10), np.ones(10)
    ran = run(made, X, y, 3, first=6)
    assert (ran.steps, ran.samples, ran.pushed) == (2, 4, True)
    assert w.data == 0.75
    assert ran.total == 3 * 1.0 + 1 * 0.25


def test_where_nothing_pushes() -> None:
    w = Value(1.0)
    made = autograd.descent(lambda x, y: (w * x - y) ** 2, [w], down)
    ran = run(made, np.ones(8), np.ones(8), 2)
    assert (ran.steps, ran.pushed, ran.total) == (4, False, 0.0)


def test_orders_are_those_of_sorted_draws() -> None:
    w = Value(0.0)
    made = autograd.descent(lambda x, y: (w * x - y) ** 2, [w], down)
    chance, same = random.Random(9), random.Random(9)
    draw = made.orders(300, chance)
    for _ in range(30):  # more than are drawn at once
        draws = [same.random() for _ in range(300)]
        assert draw().tolist() == sorted(range(300), key=draws.__getitem__)


def test_equal_draws_stay_as_they_stand() -> None:
    draws = np.random.default_rng(3).integers(0, 40, (2, 500)) / 64.0
    assert _sorting(draws).tolist() == [sorted(range(500), key=row.__getitem__) for row in draws.tolist()]


def test_samples_in_another_order_are_read_anew() -> None:
    w = Value(0.0)
    made = autograd.descent(lambda x, y: w * x * y, [w], down)
    X, y = np.arange(6.0), np.ones(6)
    for order in ([5, 0], [0, 5], [3, 3, 3], [1]):
        w.data = 0.0
        run(made, X, y, 1, order=order)
        assert w.data == -RATE * sum(order)
    X[1] = 100.0
    w.data = 0.0
    run(made, X, y, 1, order=[1])
    assert w.data == -RATE * 100.0
    with pytest.raises(IndexError, match="goes from 6 to 6; there are 6 samples"):
        run(made, X, y, 1, order=[6])


def test_a_rule_that_forgets_a_state_is_told() -> None:
    w = Value(0.0)
    made = autograd.descent(lambda x, y: w * x * y, [w], lambda m, p, g, state, rate, step, settings: (p, ()))
    made.begin([[0.0]], 0)
    with pytest.raises(ValueError, match="returned 0 numbers to keep for each parameter; it was given 1"):
        run(made, np.ones(2), np.ones(2), 1)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e-3, 1.0, 1e150, 1e307])
def test_the_norm_of_native_code_is_that_of_hypot(seed: int, size: float, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = steps_taken_natively(monkeypatch)
    chance = np.random.default_rng(seed)
    count = int(chance.integers(1, 12))
    leaves = [Value(0.0) for _ in range(count)]
    gradient = size * chance.standard_normal(count) * 10.0 ** chance.uniform(-3.0, 0.0, count)
    bound = 0.5 * math.hypot(*gradient) * chance.uniform(0.5, 3.0)
    made = autograd.descent(
        lambda x, y: autograd.dot(leaves, x) * y, leaves, lambda m, p, g, state, rate, step, settings: (g, ()),
        clip_norm=bound,
    )  # fmt: skip
    X = np.stack([np.zeros(count), gradient])
    run(made, X, np.ones(2), 1)
    total = math.hypot(*gradient)
    expected = [g / total * bound if total > bound else g for g in gradient.tolist()]
    assert taken == [1]
    assert [leaf.data for leaf in leaves] == pytest.approx(expected, rel=2.5e-16, abs=5e-324)


def test_a_norm_too_large_for_a_float() -> None:
    leaves = [Value(0.0), Value(0.0), Value(0.0)]
    gradient = [1e308, -1.5e308, 1.2e308]
    made = autograd.descent(
        lambda x, y: autograd.dot(leaves, x) * y, leaves, lambda m, p, g, state, rate, step, settings: (g, ()),
        clip_norm=3.0,
    )  # fmt: skip
    run(made, np.array([[0.0] * 3, gradient, gradient]), np.ones(3), 1)
    total = math.hypot(*[g * 2.0**-64 for g in gradient])
    assert [leaf.data for leaf in leaves] == [g * 2.0**-64 / total * 3.0 for g in gradient]
