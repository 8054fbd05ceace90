"""Recorded loops: one body for all steps computes what the steps written one by one compute, on every back end."""

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value, compile, scan, tanh, where
from autograd.compiled.recording.tracing import trace
from autograd.errors import RecordingError
from autograd.testing import SMOOTH, Expression, calls, expressions
from tests.compiled.kept_loops import both
from tests.compiled.replays import BACKENDS, bits


@pytest.mark.parametrize("samples", [1, 3, 64, 133])
@pytest.mark.parametrize("reduce", ["mean", "sum", None])
def test_a_recurrent_network(samples: int, reduce: str | None) -> None:
    w, u, b = Value(0.5), Value(-0.3), Value(0.1)

    def network(unroll: bool) -> Callable[..., Any]:
        def step(hidden: Any, x: Any) -> Any:
            following = tanh(w * hidden + u * x + b)
            return following, following * following

        def f(xs: Any) -> Any:
            last, squares = scan(step, 0.0, xs, unroll=unroll)
            return last + autograd.sum(squares[::2]) * w

        return f

    xs = np.random.default_rng(0).normal(size=(samples, 9))
    both(network, (xs,), params=[w, u, b], wrt=0, reduce=reduce)


def test_several_carries_that_change_places() -> None:
    w = Value(1.5)

    def f(unroll: bool) -> Callable[..., Any]:
        def step(carry: Any, x: Any) -> Any:
            return {"a": carry["b"], "b": carry["a"], "c": [carry["c"][0] * w + x, 1.0], "d": carry["d"]}, None

        def run(x: Any, y: Any) -> Any:
            last, _ = scan(step, {"a": x, "b": y, "c": [0.0, x], "d": x * y}, [x, y, 2.0, x * y], unroll=unroll)
            return last["a"] + 2 * last["b"] + last["c"][0] + 3 * last["c"][1] + last["d"]

        return run

    both(f, (np.array([0.3, -1.2, 2.0]), np.array([1.0, 2.0, 0.7])), params=[w], wrt=(0, 1))


def test_what_steps_share_is_computed_once_around_the_loop() -> None:
    w, v = Value(0.4), Value(1.3)

    def f(unroll: bool) -> Callable[..., Any]:
        def run(x: Any, xs: Any) -> Any:
            scale = autograd.exp(w * x)  # of this sample, of all steps
            flag = x > 0.0
            last, ys = scan(
                lambda c, e: (c + scale * e * (v * v).exp(), where(flag, scale * c, e)), x, xs, unroll=unroll
            )
            return last * scale + autograd.sum(ys)

        return run

    both(f, (np.array([0.3, -1.2]), np.array([[1.0, 2.0, 3.0], [0.1, 0.2, 0.3]])), params=[w, v], wrt=(0, 1))


def test_a_second_loop_over_the_results_of_the_first() -> None:
    w = Value(0.7)

    def f(unroll: bool) -> Callable[..., Any]:
        def run(xs: Any) -> Any:
            _, ys = scan(lambda c, x: (w * c + x, (c, c * x)), 0.5, xs, unroll=unroll)
            last, zs = scan(lambda c, y: (c * y[0] + y[1], y[0] + c), w, ys[::-1], unroll=unroll)
            third = autograd.map(lambda pair: pair[1] * pair[0][1], list(zip(ys, zs, strict=True)), unroll=unroll)
            return last + autograd.sum(third) + ys[1][0] * zs[2]

        return run

    both(f, (np.random.default_rng(1).normal(size=(5, 4)),), params=[w], wrt=0)


def test_a_choice_in_a_step_keeps_out_what_was_not_taken() -> None:
    def f(unroll: bool) -> Callable[..., Any]:
        def step(c: Any, x: Any) -> Any:
            return where(x > 0.0, c + autograd.sqrt(where(x > 0.0, x, 1.0)), c * 0.5), where(
                c > 1.0, lambda: autograd.log(c), 0.0
            )

        def run(xs: Any) -> Any:
            last, ys = scan(step, 0.5, xs, unroll=unroll)
            return last + autograd.sum(ys)

        return run

    both(f, (np.array([[1.0, -2.0, 0.0, 4.0], [-1.0, -2.0, 3.0, 4.0]]),), wrt=0)


def test_a_loop_in_a_branch_that_some_samples_take() -> None:
    w = Value(0.3)

    def f(unroll: bool) -> Callable[..., Any]:
        def run(x: Any) -> Any:
            last, ys = scan(lambda c, e: (c * (1.0 + w * e), c), x, [1.0, 2.0, 3.0], unroll=unroll)
            return where(x > 0.0, last.log() + ys[1].sqrt(), x * x)

        return run

    both(f, (np.array([0.5, -0.5, 2.0]),), params=[w], wrt=0)


@given(calls(expressions(primitives=SMOOTH, inputs=3)), st.integers(2, 6))
def test_any_expression_as_a_step(call: tuple[Expression, tuple[float, ...]], steps: int) -> None:
    f, point = call

    def run(unroll: bool) -> Callable[..., Any]:
        def whole(x: Any, y: Any, z: Any) -> Any:
            # the carry is drawn back to where the expression has a value
            last, ys = scan(lambda c, e: (x + (c - x) * 0.0 + 0.0 * e, f(c, y, z)), x, length=None, xs=[y] * steps,
                            unroll=unroll)  # fmt: skip
            return autograd.sum(ys) + last

        return whole

    both(run, tuple(np.array([p, p]) for p in point), wrt=(0, 1, 2))


def test_a_program_does_not_grow_with_the_number_of_steps() -> None:
    k = Value(2.0)

    def f(steps: int) -> Callable[..., Any]:
        def step(s: Any, _: Any) -> Any:
            return (s[0] + 0.01 * s[1], s[1] - 0.01 * k * autograd.sin(s[0])), None

        return lambda x: scan(step, (x, 0.0), length=steps)[0][0]

    sizes = []
    for steps in (500, 5000):
        compiled = compile(f(steps), params=[k], backend=BACKENDS[-1])
        compiled.value_and_grad(1.0)
        sizes.append(compiled.report().programs[0].operations)
    assert sizes[0] == sizes[1] < 40


def test_short_loops_are_written_out_unless_told() -> None:
    def operations(unroll: bool | None, steps: int) -> int:
        f = compile(lambda x: scan(lambda c, _: (c * c, None), x, length=steps, unroll=unroll)[0], backend="numpy")
        f(np.array([0.5]))
        return f.report().programs[0].operations

    assert operations(None, 7) == operations(True, 7) == 7
    assert operations(False, 7) < 4
    assert operations(None, 1000) < 4


def test_a_single_point() -> None:
    w = Value(0.9)
    kept, written = (
        compile(
            lambda x, xs, u=unroll: scan(lambda c, e: (w * c + e, c * e), x, xs, unroll=u)[0], params=[w], wrt=(0, 1)
        )
        for unroll in (False, True)
    )
    assert kept(2.0, [1.0, 3.0]) == written(2.0, [1.0, 3.0])
    assert isinstance(kept(2.0, [1.0, 3.0]), float)
    value, (by_params, (by_x, by_xs)) = kept.value_and_grad(2.0, [1.0, 3.0])
    assert value == pytest.approx(0.9 * (0.9 * 2 + 1) + 3)
    assert [*by_params, by_x, *by_xs] == pytest.approx([2 * 0.9 * 2 + 1, 0.81, 0.9, 1.0])


def test_a_comparison_in_a_step_is_refused_with_the_remedy() -> None:
    def step(c: Any, x: Any) -> Any:
        return (c + x if c < 1.0 else c), None

    f = compile(lambda x: scan(step, 0.0, [x, x, x], unroll=False)[0])
    with pytest.raises(
        RecordingError, match=r"step 0 of a scan asks whether .* < 1.0.*where\(condition, a, b\).*unroll=True"
    ):
        f(np.array([0.1, 0.7]))
    g = compile(lambda x: scan(step, 0.0, [x, x, x], unroll=True)[0])
    assert g(np.array([0.1, 0.2])) == pytest.approx([0.3, 0.6])


def test_a_short_loop_may_decide() -> None:
    f = compile(lambda x: scan(lambda c, _: (c + x if c < 0.15 else c * 2.0, c), 0.0, length=3)[0], backend="numpy")
    assert f(np.array([0.11, 0.12])) == pytest.approx([0.44, 0.48])
    assert f.guards_missed == 0
    assert f(np.array([0.2, 0.3])) == pytest.approx([0.8, 1.2])
    with pytest.raises(autograd.GuardError, match=r"< 0\.15"):
        f(np.array([0.1, 0.2]))


def test_a_plain_element_is_a_value_in_a_recorded_step() -> None:
    ws = [Value(w) for w in (0.5, -1.0, 2.0)]

    def f(unroll: bool | None) -> Callable[..., Any]:
        return lambda x: scan(lambda c, i: (c + ws[i] * x, None), 0.0, range(3), unroll=unroll)[0]

    assert compile(f(True), backend="numpy").value_and_grad(2.0)[1].tolist() == [2.0, 2.0, 2.0]
    for unroll in (None, False):
        with pytest.raises(TypeError, match=r"is no index.* write take\(rows, value\)") as raised:
            compile(f(unroll))(2.0)
        assert "step 0 of a scan" in raised.value.__notes__[0]
        assert "take(table, index)" in raised.value.__notes__[1]


def test_the_step_that_has_no_value_is_named() -> None:
    def f(x: Any) -> Any:
        return scan(lambda c, e: (c + autograd.log(e), None), x, [1.0, 2.0, -1.0], unroll=False)[0]

    x = Value(1.0)
    with pytest.raises(autograd.DomainError, match=r"x is -1\.0") as raised:
        trace(f, lambda: [x], [x], "f")
    assert raised.value.__notes__ == ["This is step 2 of a scan that is recorded as a loop."]
    assert math.isnan(compile(f, backend="numpy")(1.0))  # outside of domains compiled code follows IEEE


@pytest.mark.parametrize(
    "other",
    [
        lambda c, x, n: c + n * x,
        lambda c, x, n: c * x if n < 2 else c - x,
        lambda c, x, n: c - x if n > 2 and x > 0.0 else c * x,
        lambda c, x, n: where(n < 2, c, x),
        lambda c, x, n: where(c > n, c, x),
        lambda c, x, n: float(n),
    ],
)
def test_a_step_that_counts_its_runs(other: Any) -> None:
    def f(unroll: bool | None) -> Callable[..., Any]:
        def run(x: Any) -> Any:
            turns = iter(range(1, 10000))
            return scan(lambda c, _: (other(c, x, next(turns)), None), x, length=4, unroll=unroll)[0]

        return run

    with pytest.raises(RecordingError, match=r"step [1-3] of a scan computes something else .* unroll=True"):
        compile(f(False), backend="numpy")(np.array([1.0, 2.0]))
    short, written = (compile(f(unroll), backend="numpy")(np.array([1.0, 2.0])) for unroll in (None, True))
    assert bits(short) == bits(written) == bits([float(autograd.detach(f(None)(x))) for x in (1.0, 2.0)])


def test_a_step_is_run_thrice_and_once_more() -> None:
    for steps in (3, 5000):
        runs: list[None] = []

        def step(c: Any, x: Any, runs: list[None] = runs) -> Any:
            runs.append(None)
            return 0.5 * c + x, None

        f = compile(lambda x, n=steps: scan(step, x, [1.0] * n, unroll=False)[0], backend="numpy")
        assert f(2.0) == 2.0 * 0.5**steps + 2.0 * (1.0 - 0.5**steps)
        assert len(runs) == 4


def test_a_step_that_is_not_run_lacks_no_number() -> None:
    """A branch without a value where the body was recorded; an element of another shape; a step without a value."""

    def of_logs(c: Any, x: Any) -> Any:
        return c + where(x > 0.0, lambda: autograd.log(x), lambda: 3.0 * x), None

    def without_value(c: Any) -> Any:
        return scan(lambda c, e: (c + autograd.log(e), None), c, [1.0] * 7 + [-1.0], unroll=False)[0]

    elements = [-1.0] * 5 + [1.0, 4.0]
    kept, written = (
        compile(lambda c, u=unroll: scan(of_logs, c, elements, unroll=u)[0], backend="numpy")(2.0)
        for unroll in (False, True)
    )
    assert kept == written
    with pytest.raises(ValueError, match="the element of step 6 of a scan has another shape than that of the first"):
        compile(lambda c: scan(lambda c, x: (c + x[0], None), c, [[1.0]] * 6 + [1.0], unroll=False)[0])(2.0)
    x = Value(1.0)
    with pytest.raises(autograd.DomainError) as raised:
        trace(without_value, lambda: [x], [x], "f")
    assert raised.value.__notes__ == ["This is step 7 of a scan that is recorded as a loop."]


def test_a_step_that_keeps_what_it_computed_for_the_next_ones() -> None:
    def f(unroll: bool | None) -> Callable[..., Any]:
        def run(x: Any) -> Any:
            kept: list[Any] = []

            def step(c: Any, _: Any) -> Any:
                if not kept:
                    kept.append(autograd.exp(c))
                return c * kept[0], None

            return scan(step, x * x, length=3, unroll=unroll)[0]

        return run

    with pytest.raises(RecordingError, match="step 1 of a scan computes something else"):
        compile(f(False), backend="numpy")(2.0)
    assert compile(f(True), backend="numpy")(0.5) == pytest.approx(0.25 * np.exp(0.25) ** 3)


@pytest.mark.parametrize("unroll", [None, False])
def test_a_number_that_escapes_its_step_is_refused(unroll: bool | None) -> None:
    def f(x: Any) -> Any:
        seen: list[Any] = []

        def step(c: Any, _: Any) -> Any:
            seen.append(c * 2.0)
            return c * x, None

        return scan(step, x, length=3, unroll=unroll)[0] + autograd.sum(seen)

    with pytest.raises(RecordingError, match=r"outside of that step\. Return it from the step as its result"):
        compile(f, backend="numpy")(2.0)


def test_parameters_of_each_step_are_not_taken_for_constants_that_it_makes() -> None:
    ws = [Value(0.0) for _ in range(9)]

    def f(leaf: Callable[[int], Value]) -> Callable[..., Any]:
        def g(x: Any) -> Any:
            turns = iter(range(9))
            return scan(lambda c, _: (c * 2.0 + leaf(next(turns)) * x, None), x, length=3, unroll=False)[0]

        return g

    assert compile(f(lambda _: Value(0.5)), backend="numpy")(2.0) == 23.0
    with pytest.raises(RecordingError, match="steps use other leaves each time"):
        compile(f(lambda turn: ws[turn]), backend="numpy")(2.0)


def test_a_comparison_of_what_steps_share_is_a_guard() -> None:
    def f(x: Any) -> Any:
        return scan(lambda c, _: (c + x if x > 0.0 else c - x, None), 0.0, length=3, unroll=False)[0]

    compiled = compile(f)
    assert list(compiled(np.array([1.0, 2.0]))) == [3.0, 6.0]
    assert list(compiled(np.array([-1.0, -2.0]))) == [3.0, 6.0]
    with pytest.raises(autograd.GuardError, match="0"):
        compiled(np.array([1.0, -2.0]))


def test_elements_and_results_keep_their_shape_while_recorded() -> None:
    f = compile(lambda x: scan(lambda c, e: (c, None), x, [[1.0], 2.0], unroll=False)[0])
    with pytest.raises(ValueError, match=r"element of step 1 of a scan has another shape .* 0, not \[0\]"):
        f(np.array([1.0]))
    turns = iter(range(100))
    g = compile(lambda x: scan(lambda c, e: (c * e, c if next(turns) == 0 else [c]), x, [1.0, 2.0], unroll=False)[0])
    with pytest.raises(ValueError, match="result of step 1 of a scan has another shape"):
        g(np.array([1.0]))


def test_a_loop_inside_of_a_loop_is_written_out_there() -> None:
    w = Value(0.8)

    def f(unroll: bool) -> Callable[..., Any]:
        def row(c: Any, xs: Any) -> Any:
            return scan(lambda d, x: (w * d + x, None), c, xs, unroll=unroll)

        return lambda table: scan(row, 1.0, table, unroll=unroll)[0]

    both(f, (np.random.default_rng(2).normal(size=(3, 4, 2)),), params=[w], wrt=0)


def test_a_derivative_that_is_taken_after_the_recording_asks_for_unroll() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append((scan(lambda c, _: (c * x, None), 1.0, length=3, unroll=False)[0], x))
        return kept[-1][0]

    compile(f)(np.array([2.0]))
    with pytest.raises(RecordingError, match="unroll=True"):
        autograd.gradients(*kept[0])


def test_pickled_with_its_loop() -> None:
    f = compile(_of_a_module, backend=BACKENDS[0])
    xs = np.array([[0.1, 0.2], [0.3, 0.4]])
    expected = f(xs)
    assert bits(pickle.loads(pickle.dumps(f))(xs)) == bits(expected)


def _of_a_module(xs: Any) -> Any:
    return scan(lambda c, x: (tanh(c + x), None), 0.0, xs, unroll=False)[0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_objective_goes_backward_through_its_loops_and_writes_them_out_for_the_rest(backend: str) -> None:
    def f(x: Any) -> Any:
        return scan(lambda c, _: (c * x[0] + x[1], None), 1.0, length=3, unroll=False)[0]

    fun = autograd.objective(f, backend=backend)
    value, gradient = fun([2.0, 3.0])
    assert (value, list(gradient)) == (29.0, [12.0 + 4 * 3.0 + 3.0, 7.0])
    assert fun.value([2.0, 3.0]) == 29.0
    assert fun.vjp([2.0, 3.0], [2.0]).tolist() == [54.0, 14.0]
    assert fun.recordings == 1
    assert fun.hessian([2.0, 3.0]).tolist() == [[12.0 + 6.0, 5.0], [5.0, 0.0]]
    assert fun.jvp([2.0, 3.0], [1.0, 0.0]) == 27.0
    assert fun.recordings == 2
    again = pickle.loads(pickle.dumps(fun))
    assert again([2.0, 3.0])[0] == 29.0
    assert again.hessian([2.0, 3.0])[0, 0] == 18.0


def test_an_objective_of_many_steps_is_a_short_program() -> None:
    fun = autograd.objective(lambda x: scan(lambda c, _: (c * x[0] + 1e-3, None), 0.5, length=5000)[0])
    value, gradient = fun([0.999])
    steps, slope = 0.5, 0.0
    for _ in range(5000):
        slope, steps = slope * 0.999 + steps, steps * 0.999 + 1e-3
    assert value == pytest.approx(steps, rel=1e-12, abs=0.0)
    assert gradient == pytest.approx([slope], rel=1e-10, abs=0.0)
    assert fun.recordings == 1
    (recording,) = fun._recordings.kept
    assert len(recording.prepared["gradient",].replay.plan.program) < 20


def test_threads_share_a_batch() -> None:
    w = Value(0.5)
    xs = np.random.default_rng(3).normal(size=(5000, 4))
    one, two = (
        compile(lambda xs: scan(lambda c, x: (tanh(w * c + x), None), 0.0, xs, unroll=False)[0], params=[w], threads=n)
        for n in (1, 2)
    )
    assert bits(one.value_and_grad(xs)[1]) == bits(two.value_and_grad(xs)[1])
    assert bits(one(xs)) == bits(two(xs))


def test_no_samples() -> None:
    f = compile(lambda xs: scan(lambda c, x: (c + x, None), 0.0, xs, unroll=False)[0], reduce="sum", wrt=0)
    assert f(np.zeros((0, 3))).shape == (0,)
    assert f.value_and_grad(np.zeros((0, 3)))[0] == 0.0


def test_the_time_of_recording_grows_with_the_steps_and_not_with_their_square(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    parents = Value.parents.fget

    def counting(self: Value) -> tuple[Any, ...]:
        nonlocal looked_at
        found: tuple[Any, ...] = parents(self)
        looked_at += len(found)
        return found

    monkeypatch.setattr(Value, "parents", property(counting))
    steps = 2000
    compile(lambda xs: scan(lambda c, x: (c * x, c), 1.0, xs, unroll=False)[0], backend="numpy")(np.ones((1, steps)))
    assert looked_at < 50 * steps


#: What a random step is made of: the IEEE primitives, so that values are the same bit for bit. Some have no slope,
#: or no value, in lanes that do not take their branch.
OPERATIONS: tuple[Callable[..., Any], ...] = (
    lambda x, y, z: x * y * 0.7,
    lambda x, y, z: x + y,
    lambda x, y, z: x - y * z,
    lambda x, y, z: x / (y * y + 1.5),
    lambda x, y, z: autograd.sqrt(x * x),
    lambda x, y, z: autograd.maximum(x, -y),
    lambda x, y, z: where(x > z, y * 1.1, z),
    lambda x, y, z: where(x > 0.0, lambda: autograd.sqrt(x) + y, lambda: z * y),
    lambda x, y, z: autograd.dot([x, y, 0.5, z, x], [z, z, y, 0.25, y]),
    lambda x, y, z: autograd.mean([x, y, z, 1.0]),
    lambda x, y, z: autograd.take(
        [x, y, z], where(y > 0.5, where(y > 1.5, 2.0, 1.0), 0.0) if isinstance(y, Value) else 1
    ),
    lambda x, y, z: autograd.linear([[x, 0.5, z], [y, z, 0.1]], [y, z])[1],
    lambda x, y, z: autograd.clip(x, -0.5, 1.5),
)


@settings(max_examples=10 * settings.default.max_examples)
@given(st.data())
def test_any_loop(data: st.DataObject) -> None:
    draw = data.draw
    carries, elements, results = draw(st.integers(0, 3)), draw(st.integers(0, 2)), draw(st.integers(0, 2))
    kinds = st.tuples(st.sampled_from(OPERATIONS), *[st.integers(0, 99)] * 3)
    operations = draw(st.lists(kinds, min_size=1, max_size=6))
    outs = draw(st.lists(st.none() | st.integers(0, 99), min_size=carries + results, max_size=carries + results))
    used = draw(st.lists(st.booleans(), min_size=12, max_size=12))
    steps, again, reverse = draw(st.integers(1, 4)), draw(st.booleans()), draw(st.booleans())
    samples, reduce = draw(st.sampled_from((1, 3, 4, 65))), draw(st.sampled_from(("mean", "sum", None)))
    backend = draw(st.sampled_from(BACKENDS[:2]))
    w, v = Value(0.8), Value(-0.6)

    def loop(unroll: bool) -> Callable[..., Any]:
        def run(x: Any, rows: Any) -> Any:
            shared = [w, v * v, x, x * w, 0.3]

            def step(carry: Any, element: Any) -> Any:
                pool = [*carry, *(element or ()), *shared]
                for f, *places in operations:
                    pool.append(f(*[pool[place % len(pool)] for place in places]))
                found = [0.25 if place is None else pool[-1 - place % len(pool)] for place in outs]
                return found[:carries], found[carries:]

            table = [row[:elements] for row in rows[:steps]]
            last, ys = scan(step, [w, 0.5, x][:carries], table if elements else None, length=steps, unroll=unroll)
            if again and elements <= results:
                table = [y[:elements] for y in (ys[::-1] if reverse else ys)]
                last, ys = scan(step, last, table if elements else None, length=steps, unroll=unroll)
            numbers = [*last, *(y for row in ys for y in row)]
            return autograd.sum([y for y, is_used in zip(numbers, used, strict=False) if is_used] + [x])

        return run

    rng = np.random.default_rng(0)
    args = rng.normal(size=samples), rng.normal(size=(samples, 4, 2))
    both(loop, args, backends=(backend,), params=[w, v], wrt=(0, 1), reduce=reduce)
