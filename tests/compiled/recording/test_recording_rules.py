"""What a function may do while it is recorded, and how what it captures takes part afterwards."""

import copy
import gc
import random
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import RecordingError, Value
from tests.compiled.replays import BACKENDS

X = np.array([1.0, 2.0, 3.0])


def reads_its_argument(w: Value) -> Callable[[Value], Any]:
    return lambda x: x * x.data


def reads_a_parameter(w: Value) -> Callable[[Value], Any]:
    return lambda x: x * w.data


def writes_a_parameter(w: Value) -> Callable[[Value], Any]:
    def f(x: Value) -> Any:
        w.data = 2.0
        return x * w

    return f


def runs_backward(w: Value) -> Callable[[Value], Any]:
    def f(x: Value) -> Any:
        (x * w).backward()
        return x * w.grad

    return f


def draws(w: Value) -> Callable[[Value], Any]:
    source = random.Random(0)
    return lambda x: x * source.random()


def counts(w: Value) -> Callable[[Value], Any]:
    calls: list[int] = []

    def f(x: Value) -> Any:
        calls.append(1)
        return x * len(calls)

    return f


def keeps_a_graph(w: Value) -> Callable[[Value], Any]:
    total = [Value(0.0)]

    def f(x: Value) -> Any:
        total[0] = total[0] + x
        return total[0]

    return f


def calls_a_compiled_function(w: Value) -> Callable[[Value], Any]:
    inner = autograd.compile(lambda y: y * w)
    inner(2.0)
    return lambda x: x * inner(2.0)


def calls_an_objective(w: Value) -> Callable[[Value], Any]:
    inner = autograd.objective(lambda y: y[0] * w)
    inner([2.0])
    return lambda x: x * inner.value([2.0])


def returns_nothing(w: Value) -> Callable[[Value], Any]:
    return lambda x: None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (reads_its_argument, r"number of 'x' \(1\.0\) was read \(test_recording_rules.py:\d+\).*detach"),
        (reads_a_parameter, r"number of 'w' \(0\.5\) was read .*Keep to Values"),
        (writes_a_parameter, r"number of 'w' \(0\.5\) was written .*Write leaves between calls"),
        (runs_backward, r"backward\(\) leaves below .* was read .*gradients for derivatives"),
        (draws, "draws random numbers or keeps something.*Pass these as arguments"),
        (counts, "keeps something from call to call"),
        (keeps_a_graph, "keeps something from call to call"),
        (calls_a_compiled_function, "while another function is recorded.*call the plain function"),
        (calls_an_objective, "while another function is recorded"),
        (returns_nothing, r"the result of <lambda> is NoneType None; expected a Value"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_what_would_be_frozen_is_refused(make: Any, message: str) -> None:
    w = Value(0.5, "w")
    with pytest.raises(RecordingError, match=message):
        autograd.compile(make(w))(X)
    assert w.data == 0.5
    assert autograd.compile(lambda x: x + w)(X).tolist() == [1.5, 2.5, 3.5]  # recording goes on working


@pytest.mark.parametrize("is_on", [True, False])
def test_garbage_is_collected_again_after_a_recording(is_on: bool) -> None:
    seen = []

    def f(x: Any) -> Any:
        seen.append(gc.isenabled())
        return x[0] * x[0]

    def fails(x: Any) -> Any:
        raise ValueError("wrong")

    was_on = gc.isenabled()
    try:
        (gc.enable if is_on else gc.disable)()
        autograd.objective(f)([1.0])
        assert gc.isenabled() == is_on
        with pytest.raises(ValueError, match="wrong"):
            autograd.objective(fails)([1.0])
        assert gc.isenabled() == is_on
    finally:
        (gc.enable if was_on else gc.disable)()
    assert seen == [False, False]


def test_there_is_never_more_than_one_graph() -> None:
    alive = []

    def f(x: Any) -> Any:
        alive.append(sum(1 for thing in gc.get_objects() if type(thing) is Value))
        y = x[0]
        for _ in range(1000):
            y = y * 0.5 + x[0]
        return y

    autograd.objective(f)([1.0])
    first, second = alive
    assert second < first + 100


def test_numbers_are_refused_as_everywhere_else() -> None:
    with pytest.raises(TypeError, match=r"write value\.data"):
        autograd.compile(lambda x: x * float(x))(X)


def test_gradients_within_are_part_of_the_program() -> None:
    cube = autograd.compile(lambda x: autograd.grad(autograd.grad(lambda y: y * y * y))(x), wrt=0, reduce=None)
    values, slopes = cube.value_and_grad(X)
    assert values.tolist() == [6.0, 12.0, 18.0]
    assert slopes.tolist() == [6.0, 6.0, 6.0]


def test_arguments_may_be_changed_by_the_function() -> None:
    def f(x: list[Value]) -> Any:
        last = x.pop()
        x.reverse()
        return last * x[0]

    assert autograd.compile(f)(np.array([[2.0, 3.0, 5.0], [1.0, 4.0, 6.0]])).tolist() == [15.0, 24.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_leaves_written_between_calls_are_seen(backend: str) -> None:
    w = Value(1.0)
    by_params = autograd.compile(lambda x: w * x, params=[w], backend=backend)
    single = autograd.objective(lambda x: w * x[0], backend=backend)
    for rate in (0.0, 0.5, -0.25):
        w.data -= rate
        assert by_params(X).tolist() == (w.data * X).tolist()
        assert by_params.value_and_grad(X)[0] == w.data * 2
        assert by_params.value_and_grad(X)[0] == w.data * 2  # the same arrays once more
        assert single([2.0]) == (w.data * 2, np.array([w.data]))
    optimizer = nn.SGD([w], learning_rate=0.1)
    w.grad = 5.0
    optimizer.step()
    assert by_params.value_and_grad(X)[0] == w.data * 2
    assert by_params.recordings == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_written_between_calls_are_seen(backend: str) -> None:
    w = Value(1.0)
    step = autograd.compile(lambda x: w * x, params=[w], backend=backend)
    samples = X.copy()
    assert step.value_and_grad(samples)[0] == 2.0
    for factor in (2.0, 3.0):
        samples *= factor
        assert step.value_and_grad(samples)[0] == samples.mean()
    other = np.array([5.0, 7.0])
    assert [step.value_and_grad(a)[0] for a in (other, samples, other, other)] == [6.0, 12.0, 6.0, 6.0]


def test_gradients_are_by_what_was_captured_unless_told() -> None:
    v, w = Value(2.0), Value(3.0)
    loss = autograd.compile(lambda x: v * x + w * w + Value(1.0))  # a leaf of its own is a constant
    assert loss.value_and_grad(X)[1].tolist() == [2.0, 6.0]
    unused = Value(1.0)
    chosen = autograd.compile(lambda x: v * x + w * w, params=[w, unused, v, w])
    assert chosen.value_and_grad(X)[1].tolist() == [6.0, 0.0, 2.0, 6.0]


def test_what_was_computed_before_is_computed_again() -> None:
    w = Value(3.0)
    squared = w * w
    loss = autograd.compile(lambda x: squared * x, params=[w])
    assert loss.value_and_grad(X)[1].tolist() == [12.0]
    w.data = 1.0
    value, grads = loss.value_and_grad(X)
    assert (value, grads.tolist()) == (2.0, [4.0])


def test_several_threads_record_at_once() -> None:
    found: dict[int, Any] = {}
    start = threading.Barrier(4)

    def work(k: int) -> None:
        w = Value(float(k))
        start.wait()
        for i in range(10):
            f = autograd.compile(lambda x, i=i: w * x + i if x > 0 else x, params=[w], backend="numpy")
            found[10 * k + i] = f.value_and_grad(X)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key: value for key, (value, _) in found.items()} == {
        10 * k + i: 2.0 * k + i for k in range(4) for i in range(10)
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_threads_call_one_function(backend: str) -> None:
    w = Value(2.0)
    step = autograd.compile(lambda x, k: w * x * k, params=[w], backend=backend)
    objective = autograd.objective(lambda x: w * x[0] * x[0], backend=backend)
    rows = np.ones(3000)
    wrong: list[Any] = []

    def work(k: float) -> None:
        for _ in range(50):
            value, grads = step.value_and_grad(rows, k)
            if (value, grads[0]) != (2 * k, k) or step(rows, k)[7] != 2 * k or objective([k])[1][0] != 4 * k:
                wrong.append((k, value, grads))

    threads = [threading.Thread(target=work, args=(float(k),)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_another_thread_works_eagerly_while_one_records() -> None:
    entered, go_on, found = threading.Event(), threading.Event(), []

    def slow(x: Value) -> Any:
        entered.set()
        go_on.wait(10)
        return x * 2.0

    thread = threading.Thread(target=lambda: found.append(autograd.compile(slow)(X)))
    thread.start()
    assert entered.wait(10)
    x = Value(3.0)
    y = x * x
    y.backward()
    x.data = x.data - 0.1 * x.grad
    taken = x if x > 0 else -x
    go_on.set()
    thread.join()
    assert taken is x
    assert found[0].tolist() == [2.0, 4.0, 6.0]


def test_a_copy_goes_by_its_own_model() -> None:
    random.seed(0)
    model = nn.MLP(1, [2, 1])
    scores = autograd.compile(model)
    rows = np.array([[1.0], [2.0]])
    before = scores(rows)
    copied = copy.deepcopy(scores)
    for parameter in model.parameters():
        parameter.data = 0.0
    assert copied(rows).tolist() == before.tolist()
    assert scores(rows).tolist() == [0.0, 0.0]


def test_a_copy_of_a_plain_function_keeps_its_leaves() -> None:
    w = Value(2.0)
    step = autograd.compile(lambda x: w * x, params=[w])
    step(X)
    copied = copy.deepcopy(step)
    w.data = 3.0
    value, grads = copied.value_and_grad(X)
    assert (value, grads.tolist()) == (6.0, [2.0])


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_share_no_numbers(copied: Any) -> None:
    """Each has its own recordings, whose arrays one thread at a time may use."""
    w = Value(2.0)
    step, objective = autograd.compile(lambda x: w * x, params=[w]), autograd.objective(lambda x: w * x[0])
    assert (step(X).tolist(), objective([4.0])[0]) == ([2.0, 4.0, 6.0], 8.0)
    for made, again, args, expected in (
        (step, copied(step), (5.0,), 10.0),
        (objective, copied(objective), ([5.0],), (10.0, [2.0])),
    ):
        found = again(*args)
        assert (found if isinstance(found, float) else (found[0], found[1].tolist())) == expected
        assert (made.recordings, again.recordings) == (1, 1)


def test_an_objective_that_failed_at_first_takes_points_of_another_length() -> None:
    objective = autograd.objective(lambda x: x[0] * x[1])
    with pytest.raises(IndexError):
        objective([1.0])
    value, gradient = objective([1.0, 2.0])
    assert (value, gradient.tolist()) == (2.0, [2.0, 1.0])
    with pytest.raises(ValueError, match="takes 2 numbers"):
        objective([1.0])
