"""Threads that were there before a recording: what they do for it belongs to it, and nothing else does."""

from __future__ import annotations

import _thread
import asyncio
import copy
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.pool import ThreadPool
from typing import Any

import pytest

import autograd
from autograd import RecordingError, Value, line_of, record_lines
from autograd.eager import nodes
from tests.compiled.elsewhere import Elsewhere

W = Value(2.0, "w")


class Worker:
    """A thread that takes jobs out of a queue, and looks at something of its own when there are none."""

    def __init__(self, jobs: queue.Queue[Any], when_idle: Callable[[], Any] = int) -> None:
        self.jobs = jobs
        self.idle: list[Any] = []
        self._when_idle = when_idle
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, job: Callable[..., Any], *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.jobs.put((id(future), future, job, args))
        return future

    def _work(self) -> None:
        while True:
            try:
                _, future, job, args = self.jobs.get(timeout=0.01)
            except queue.Empty:
                try:
                    self.idle.append(self._when_idle())
                except Exception as error:
                    self.idle.append(error)
                continue
            if job is None:
                return
            try:
                future.set_result(job(*args))
            except BaseException as error:
                future.set_exception(error)


@pytest.fixture(scope="module")
def ways() -> Iterator[dict[str, Callable[..., Any]]]:
    """How a function has another thread work for it, and waits for what comes of it."""

    async def in_the_executor(job: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(executor, job, *args)

    made = [queue.Queue[Any](), queue.LifoQueue[Any](), queue.PriorityQueue[Any]()]
    workers = {type(jobs).__name__: Worker(jobs) for jobs in made}
    with ThreadPoolExecutor(1) as executor, ThreadPool(1) as pool, Elsewhere() as elsewhere:
        executor.submit(int).result()  # its thread is there now
        yield {
            "submit": lambda job, *args: executor.submit(job, *args).result(),
            "map": lambda job, *args: next(executor.map(job, *[[x] for x in args])),
            "to_thread": lambda job, *args: asyncio.run(asyncio.to_thread(job, *args)),
            "run_in_executor": lambda job, *args: asyncio.run(in_the_executor(job, *args)),
            "apply": lambda job, *args: pool.apply(job, args),
            "starmap": lambda job, *args: pool.starmap(func=job, iterable=[args])[0],
            "imap": lambda job, *args: next(pool.imap(lambda told: job(*told), [args])),
            "imap_unordered": lambda job, *args: next(pool.imap_unordered(lambda told: job(*told), [args])),
            **{
                name: lambda job, *args, worker=worker: worker.submit(job, *args).result()
                for name, worker in workers.items()
            },
            "unknown": lambda job, *args: elsewhere.submit(job, *args).result(),
        }
        for worker in workers.values():
            worker.submit(None)  # type: ignore[arg-type]


WAYS = [
    "submit", "map", "to_thread", "run_in_executor", "apply", "starmap", "imap", "imap_unordered",
    "Queue", "LifoQueue", "PriorityQueue", "unknown",
]  # fmt: skip

#: What is handed to the other thread.
HANDED: dict[str, Callable[[Any], Any]] = {
    "from the argument": lambda x: x * 2.0,
    "made of a captured leaf": lambda x: W * W,
    "made of a leaf of its own": lambda x: Value(3.0) * W,
    "a scan": lambda x: autograd.scan(lambda carry, _: (carry * W, None), Value(1.0), length=3, unroll=True)[0],
    "detached": lambda x: W.detach(),
    "a copy of a leaf": lambda x: copy.copy(W),
    "a copy": lambda x: copy.deepcopy([W, W * W])[1],
    "a captured leaf": lambda x: W,
}
#: What that does: reads, which raise, and comparisons, which become guards.
READS: dict[str, Callable[[Any], Any]] = {
    "data": lambda node: node.data,
    "data of what it makes of it": lambda node: (node * 2.0).data,
    "grad": lambda node: node.grad,
    "text": repr,
    "backward": lambda node: (node * 1.0).backward(),
}
TRUTHS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "compares there": (lambda node: node, lambda node: 1.0 if node > 4.5 else 2.0),
    "asks there": (lambda node: node > 4.5, lambda condition: 1.0 if condition else 2.0),
}


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    W.data = 2.0
    yield
    assert nodes.hook is nodes.no_hook


@pytest.mark.parametrize("handed", HANDED)
@pytest.mark.parametrize("way", WAYS)
def test_another_thread_reads_nothing_for_a_recording(ways: dict[str, Any], way: str, handed: str) -> None:
    if (way, handed) == ("unknown", "a captured leaf"):
        return  # nobody can tell for whom it reads: docs/threads.md says so
    for read in READS.values():

        def f(x: Any, read: Callable[[Any], Any] = read) -> Any:
            with suppress(RecordingError):  # it may die in that thread
                ways[way](read, HANDED[handed](x))
            return x * 2.0

        with pytest.raises(RecordingError, match=r"w(as|ould be) "):
            autograd.compile(f)(1.0)
        assert ways[way](lambda node: node.data, W) == 2.0


@pytest.mark.parametrize("handed", HANDED)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("truth", TRUTHS)
def test_what_another_thread_compares_for_a_recording_is_a_guard(
    ways: dict[str, Any], way: str, handed: str, truth: str
) -> None:
    if (way, handed, truth) == ("unknown", "a captured leaf", "compares there"):
        return
    prepare, ask = TRUTHS[truth]

    def f(x: Any) -> Any:
        return x * ways[way](ask, prepare(HANDED[handed](x)))

    replay = autograd.compile(f)
    for number in (2.0, 5.0, 3.0, 7.0):
        W.data = number
        for x in (1.0, 3.0):
            assert replay(x) == f(Value(x)).data


def innocent(told: list[Any]) -> None:
    """What somebody does with the same leaf who has nothing to do with a recording."""
    node = W * W + 1.0
    node.backward()
    inner: queue.Queue[Any] = queue.Queue()
    inner.put(node)
    taken = inner.get()
    told.append((W.data, taken.data, repr(W)[:10], bool(W > 1.0), (taken.detach() * 2.0).data, bool(node > 4.0)))


@pytest.mark.parametrize("way", ["submit", "Queue", "unknown"])
def test_a_thread_that_works_for_nobody_goes_on_as_ever(ways: dict[str, Any], way: str) -> None:
    done, told, errors = threading.Event(), list[Any](), list[Exception]()

    def reading() -> None:
        while not done.is_set():
            try:
                innocent(told)
            except Exception as error:
                errors.append(error)

    thread = threading.Thread(target=reading)
    thread.start()
    try:
        for _ in range(20):
            seen = len(told)

            def f(x: Any, seen: int = seen) -> Any:
                made = ways[way](lambda: W * 2.0)
                while len(told) < seen + 3:  # it is at it now
                    done.wait(0.001)
                return x * made

            assert autograd.compile(f)(3.0) == 12.0
    finally:
        done.set()
        thread.join()
    assert not errors
    assert set(told) == {(2.0, 5.0, "Value(2.0,", True, 10.0, True)}


def test_a_worker_works_for_the_recording_until_it_asks_for_something_else() -> None:
    worker = Worker(queue.Queue(), lambda: W.data)

    def f(x: Any) -> Any:
        made = worker.submit(lambda: W * 3.0).result()
        own = worker.submit(int)
        idle = len(worker.idle)
        while len(worker.idle) < idle + 2:
            threading.Event().wait(0.001)
        assert own.result() == 0
        return x * made

    assert autograd.compile(f)(1.0) == 6.0
    worker.submit(None)  # type: ignore[arg-type]
    assert set(worker.idle) == {2.0}


def test_others_take_jobs_of_others_while_a_recording_has_put_one() -> None:
    worker = Worker(queue.LifoQueue())
    found: list[Any] = []
    with Elsewhere() as elsewhere:

        def f(x: Any) -> Any:
            gate = threading.Event()
            worker.submit(gate.wait)
            made = worker.submit(lambda: W * 3.0)
            read = elsewhere.submit(lambda: worker.submit(lambda: W.data)).result()  # the last one comes first
            gate.set()
            found.append(read.result())
            return x * made.result()

        assert autograd.compile(f)(1.0) == 6.0
    worker.submit(None)  # type: ignore[arg-type]
    assert found == [2.0, 2.0]


def test_raw_threads_that_it_starts_are_its_own() -> None:
    def f(x: Any) -> Any:
        done = threading.Event()

        def read() -> None:
            with suppress(RecordingError):
                repr(W)
            done.set()

        _thread.start_new_thread(read, ())
        assert done.wait(10)
        return x

    with pytest.raises(RecordingError, match="the text of 'w'"):
        autograd.compile(f)(1.0)


def test_lines_are_recorded_while_nodes_are_marked(ways: dict[str, Any]) -> None:
    made: list[Any] = []

    def f(x: Any) -> Any:
        made.append(W * W)
        with record_lines():
            made.append(W * W)
            with pytest.raises(RecordingError):
                ways["unknown"](READS["data"], made[-1])
        made.append(W * W)
        return x

    with record_lines(), pytest.raises(RecordingError):
        autograd.compile(f)(1.0)
    assert all(line_of(node).startswith("test_workers.py:") for node in made)
    made.clear()
    with pytest.raises(RecordingError):
        autograd.compile(f)(1.0)
    assert [bool(line_of(node)) for node in made] == [False, True, False]
