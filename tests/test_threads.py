"""What ``docs/threads.md`` says may run at the same time."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value, exp, line_of, record_lines, sin, turns
from nn.datasets import moons
from tests.compiled.replays import BACKENDS

THREADS = 4


@pytest.fixture(autouse=True)
def _threads_change_places_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """What a function gives in each of some threads, which begin together."""
    found: list[Any] = [None] * THREADS
    failed: list[BaseException] = []
    together = threading.Barrier(THREADS)

    def run(i: int) -> None:
        try:
            together.wait()
            found[i] = work(i)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[0]
    return found


def chain(x: Value, depth: int = 50) -> Value:
    h = x
    for _ in range(depth):
        h = sin(h) * 0.9 + x
    return h


def test_graphs_over_the_same_leaves_and_backward_over_them() -> None:
    x, y = Value(0.5), Value(0.5)
    (chain(y, 5) * exp(sin(y))).backward()
    at_once(lambda i: [(chain(x, 5) * exp(sin(x))).backward() for _ in range(300)])
    one_by_one = 0.0
    for _ in range(300 * THREADS):
        one_by_one += y.grad
    assert x.grad == pytest.approx(one_by_one, rel=1e-12)


def test_backward_over_shared_inner_nodes() -> None:
    x = Value(0.5)
    shared = chain(x)
    (shared * shared).backward()
    once, x.grad = x.grad, 0.0
    at_once(lambda i: [(shared * shared).backward() for _ in range(100)])
    assert x.grad == pytest.approx(100 * THREADS * once, rel=1e-12)


def test_a_rule_may_run_backward_of_another_graph() -> None:
    def slope(m: Any, z: Any, x: Any) -> Any:
        inner = Value(float(x))
        sin(inner).backward()
        return inner.grad

    @autograd.primitive(partials=[slope], systems=["floats"])
    def sine(m: Any, x: Any) -> Any:
        return math.sin(x)

    x = Value(0.5)
    sine(x * x).backward()
    assert x.grad == pytest.approx(math.cos(0.25), rel=1e-15)


@pytest.mark.parametrize("shared", ["inner", "leaf"])
def test_backward_amid_another_of_shared_nodes_is_an_error(shared: str) -> None:
    """Whoever calls it, a rule or the handler of a signal: in silence, both would count what the other sent."""
    x = Value(0.5)
    inner = sin(x) * x
    raised: list[BaseException] = []

    def again(*_: Any) -> None:
        try:
            (inner * 2.0 if shared == "inner" else x * 2.0).backward()
        except RuntimeError as error:
            raised.append(error)

    def slope(m: Any, z: Any, x: Any) -> Any:
        if not raised:
            again() if shared == "inner" else signal.raise_signal(signal.SIGUSR1)
        return 1.0

    @autograd.primitive(partials=[slope], systems=["floats"])
    def passed(m: Any, x: Any) -> Any:
        return x

    (inner * inner).backward()
    expected, x.grad = x.grad, 0.0
    before = signal.signal(signal.SIGUSR1, again)
    try:
        (passed(inner) * inner).backward()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert "shares nodes with it" in str(raised[0])
    assert x.grad == pytest.approx(expected, rel=1e-15, abs=0.0)
    again()
    assert len(raised) == 1
    assert x.grad > expected


def _joined(work: Callable[[], Any]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def _joined_through_another(work: Callable[[], Any]) -> None:
    _joined(lambda: _joined(work))


def _by_a_pool(work: Callable[[], Any]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work)


def _by_an_event(work: Callable[[], Any]) -> None:
    done = threading.Event()

    def run() -> None:
        try:
            work()
        finally:
            done.set()

    thread = threading.Thread(target=run)
    thread.start()
    done.wait()
    thread.join()


def _by_a_queue(work: Callable[[], Any]) -> None:
    done: SimpleQueue[Any] = SimpleQueue()
    thread = threading.Thread(target=lambda: done.put(work()))
    thread.start()
    done.get()
    thread.join()


def _holding(lock: Any, work: Callable[[], Any]) -> threading.Thread:
    """A thread that holds a lock while it works, and has begun with it."""
    held = threading.Event()

    def run() -> None:
        with lock:
            held.set()
            work()

    thread = threading.Thread(target=run)
    thread.start()
    held.wait()
    return thread


def _by_a_lock(work: Callable[[], Any]) -> None:
    lock = threading.Lock()
    thread = _holding(lock, work)
    with lock:
        thread.join()


def _by_a_reentrant_lock(work: Callable[[], Any]) -> None:
    lock = threading.RLock()
    thread = _holding(lock, work)
    lock.acquire(blocking=True)
    thread.join()
    lock.release()


@pytest.mark.parametrize(
    "waiting",
    [
        _joined, _joined_through_another, _by_a_pool, _by_an_event, _by_a_queue, _by_a_lock, _by_a_reentrant_lock,
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_rule_that_waits_for_another_thread_s_backward_is_an_error_in_both(
    waiting: Callable[[Callable[[], Any]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.2)
    other = Value(2.0)
    raised: list[str] = []

    def work() -> None:
        try:
            (other * other).backward()
        except RuntimeError as error:
            raised.append(str(error))

    def slope(m: Any, z: Any, x: Any) -> Any:
        waiting(work)
        return 1.0

    @autograd.primitive(partials=[slope], systems=["floats"])
    def passed(m: Any, x: Any) -> Any:
        return x

    x = Value(0.5)
    with pytest.raises(RuntimeError, match="does it wait for this thread"):
        passed(x * x).backward()
    assert len(raised) == 1
    assert other.grad == 0.0
    work()
    assert other.grad == 4.0
    x.grad = 0.0
    (x * x).backward()  # the turn was given back
    assert x.grad == 1.0


@pytest.mark.parametrize(
    "long",
    [
        lambda: time.sleep(0.4),
        lambda: {}.get(time.sleep(0.4)),
        lambda: subprocess.run([sys.executable, "-c", "import time; time.sleep(0.4)"], check=True),
        lambda: sum(range(20_000_000)),
    ],
    ids=["sleep", "get of what sleeps", "process", "sum"],
)
def test_others_wait_for_a_rule_that_takes_long(long: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.05)
    amid = threading.Event()

    def slope(m: Any, z: Any, x: Any) -> Any:
        amid.set()
        long()  # waits for nobody
        return 1.0

    @autograd.primitive(partials=[slope], systems=["floats"])
    def passed(m: Any, x: Any) -> Any:
        return x

    x, y = Value(0.5), Value(3.0)
    thread = threading.Thread(target=passed(x).backward)
    thread.start()
    amid.wait()
    (y * y).backward()
    thread.join()
    assert (x.grad, y.grad) == (1.0, 6.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_a_forked_process_does_not_go_on_with_the_backward_of_another_thread() -> None:
    x = Value(0.5)
    inner = x * x
    amid, forked = threading.Event(), threading.Event()

    def slope(m: Any, z: Any, x: Any) -> Any:
        amid.set()
        forked.wait(30)
        return 1.0

    @autograd.primitive(partials=[slope], systems=["floats"])
    def passed(m: Any, x: Any) -> Any:
        return x

    thread = threading.Thread(target=passed(inner).backward)
    thread.start()
    amid.wait(30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads that a fork leaves behind
        child = os.fork()
    if not child:
        y = Value(1.0)
        try:
            (inner * y).backward()
        finally:
            os._exit(0 if y.grad == 0.25 else 1)
    forked.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert x.grad == 1.0


def test_what_reads_a_graph() -> None:
    x = Value(0.5, "x")
    shared = chain(x) * x

    def read(i: int) -> Any:
        return (
            autograd.gradients(shared, x).data, autograd.grad(chain)(0.5), autograd.evaluate(shared, at={x: 0.25}),
            str(autograd.derive(x * x, x)), autograd.draw(x * x).source,
        )  # fmt: skip

    expected = read(0)
    assert at_once(read) == [expected] * THREADS


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_compiled_function(backend: str) -> None:
    w = Value(0.7, "w")

    def f(a: Any, b: Any) -> Any:
        return exp(a * b) + sin(a) * w

    batches = [np.linspace(i, i + 1.0, 40) for i in range(THREADS)]
    alone = autograd.compile(f, wrt=(0, 1), reduce=None, backend=backend)
    expected = [[np.asarray(part).tolist() for part in alone.value_and_grad(a, 0.1)[1]] for a in batches]
    shared = autograd.compile(f, wrt=(0, 1), reduce=None, backend=backend)

    def work(i: int) -> int:
        for _ in range(100):
            found = shared.value_and_grad(batches[i], 0.1)[1]
            assert [np.asarray(part).tolist() for part in found] == expected[i]
            assert shared(1.0 * i, 2.0) == f(1.0 * i, Value(2.0)).data
        return shared.recordings

    assert max(at_once(work)) == 2  # for a batch and for a point


def test_functions_recorded_at_once_and_graphs_built_meanwhile() -> None:
    def work(i: int) -> Any:
        found = []
        for k in range(20):
            if i % 2:
                found.append(autograd.compile(lambda x, k=k: sin(x) * k if x > 0.5 else exp(x), wrt=0)(0.25 * k))
            else:
                x = Value(0.25 * k)
                y = sin(x) * k if x > 0.5 else exp(x)
                y.backward()
                found.append(y.data)
        return found

    expected = [math.sin(0.25 * k) * k if 0.25 * k > 0.5 else math.exp(0.25 * k) for k in range(20)]
    for found in at_once(work):
        assert found == pytest.approx(expected, rel=1e-14)


def trained(i: int) -> list[float]:
    X, y = moons(30, seed=i)
    model = nn.MLP(2, [4, 1], seed=i)
    nn.fit(model, X, y, loss="bce_with_logits", optimizer=nn.SGD(model.parameters(), 0.1), epochs=4, progress=False)
    return [p.data for p in model.parameters()]


def test_models_are_trained_at_once_as_they_are_alone() -> None:
    assert at_once(trained) == [trained(i) for i in range(THREADS)]


def test_each_thread_has_its_own_lines() -> None:
    def work(i: int) -> list[bool]:
        x = Value(1.0)
        found = []
        for _ in range(200):
            with record_lines():
                first, second = (x * 2.0,
                                 x + 1.0)  # fmt: skip
            x.data = 1.0
            found.append(int(line_of(second).split(":")[1]) - int(line_of(first).split(":")[1]) == 1)
        return found

    assert all(all(found) for found in at_once(work))
    assert line_of(Value(1.0) * 2.0) == ""


def test_coroutines_and_their_threads() -> None:
    x = Value(0.5)
    shared = chain(x)
    (shared * shared).backward()
    once, x.grad = x.grad, 0.0
    step = autograd.compile(lambda a: sin(a) * a, wrt=0)

    async def one(i: int) -> float:
        output = shared * shared
        await asyncio.sleep(0)
        output.backward()
        await asyncio.sleep(0)
        await asyncio.to_thread((shared * shared).backward)
        return float(step(1.0 * i))

    async def all_of_them() -> list[float]:
        return await asyncio.gather(*[one(i) for i in range(10)])

    with ThreadPoolExecutor(1) as pool:  # a thread that has no loop yet: tests of pages leave one in theirs
        found = pool.submit(lambda: asyncio.run(all_of_them())).result()
    assert found == [step(1.0 * i) for i in range(10)]
    assert x.grad == pytest.approx(20 * once, rel=1e-12)


def test_a_coroutine_cannot_be_compiled() -> None:
    async def f(x: Any) -> Any:
        return x

    with pytest.raises(TypeError, match="compile takes a function that returns numbers, not the coroutine function"):
        autograd.compile(f)
