"""Long runs are cut into stretches, at the same bits; a call ends, in whatever way, when no thread of its own runs."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, scan, tanh
from autograd.compiled.backends.native import replay
from autograd.compiled.backends.native.replay import LEAST_STRETCH, NativeReplay
from autograd.compiled.backends.reduction import CHUNK, LANES
from tests.compiled.replays import bits

NATIVE = ("interpreter", "machine")
W = [Value(0.3 + k) for k in range(12)]

FUNCTIONS = {
    "straight": lambda x: tanh(x[0] * W[0]) + W[1] * x[1] * x[2],
    "layers": lambda x: autograd.dot([tanh(autograd.dot(W[k : k + 4], x)) for k in range(0, 8, 2)], W[8:12]),
    "loop": lambda x: scan(lambda c, e: (tanh(c * W[0] + e), None), x[0], [x[1], x[2], x[3]] * 5, unroll=False)[0],
}


@pytest.fixture
def shortest_stretches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(replay, "STRETCH_SECONDS", 0.0)
        yield


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("backend", NATIVE)
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.usefixtures("shortest_stretches")
def test_stretches_give_the_bits_of_a_run_in_one_go(
    name: str, backend: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They end within chunks, where lanes keep what they have so far; and with or without a last group of fewer."""
    f = FUNCTIONS[name]
    rng = np.random.default_rng(3)
    for samples in (1, 3, 64, 65, CHUNK - 1, CHUNK, CHUNK + LANES + 1, 5 * CHUNK + 130):
        x = rng.standard_normal((samples, 4)) * 10.0 ** rng.integers(-2, 3, (samples, 4))
        cut = autograd.compile(f, params=W, reduce="sum", backend=backend, threads=threads)
        found = [cut.value_and_grad(x), cut.value_and_grad(x)]
        kept = cut(x)
        with monkeypatch.context() as patch:
            patch.setattr(replay, "STRETCH_SECONDS", 1e9)
            whole = autograd.compile(f, params=W, reduce="sum", backend=backend)
            expected = whole.value_and_grad(x)
            assert bits(kept) == bits(whole(x))
        for value, slopes in found:
            assert (bits(value), bits(slopes)) == (bits(expected[0]), bits(expected[1]))


class Watched:
    """Counts the native calls that run now and those that were begun, of all threads."""

    def __init__(self, patch: pytest.MonkeyPatch, made: Any) -> None:
        self.running = self.begun = 0
        self._lock = threading.Lock()
        self._native = made.report().programs[-1].replay
        start = self._native.start

        def counting(table: Any) -> int:
            with self._lock:
                self.running += 1
                self.begun += 1
            try:
                return int(start(table))
            finally:
                with self._lock:
                    self.running -= 1

        patch.setattr(self._native, "start", counting)

    def interrupt_when_running(self, threads: int) -> threading.Thread:
        """A thread that sends Ctrl-C as soon as so many native calls run, after the first few."""

        def send() -> None:
            while self.running < threads or self.begun < 4:
                time.sleep(0)
            self.at = self.begun
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=send)
        thread.start()
        return thread


def long_run(backend: str, threads: int) -> tuple[Any, Any]:
    def f(x: Any) -> Any:
        for _ in range(30):
            x = tanh(x)
        return x

    made = autograd.compile(f, backend=backend, threads=threads)
    x = np.linspace(-1.0, 1.0, 2_000_000)
    made(x[:5])
    return made, x


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no Ctrl-C to one process alone")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("backend", NATIVE)
@pytest.mark.usefixtures("shortest_stretches")
def test_ctrl_c_ends_a_call_when_its_threads_have_ended(
    backend: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wrote on into arrays that others had got by then, or that were gone."""
    made, x = long_run(backend, threads)
    watched = Watched(monkeypatch, made)
    sender = watched.interrupt_when_running(threads)
    with pytest.raises(KeyboardInterrupt):
        made(x)
    assert watched.running == 0
    begun = watched.begun
    sender.join()
    time.sleep(0.02)
    assert watched.begun == begun
    assert begun - watched.at < len(x) // (LANES * LEAST_STRETCH) // 8  # soon: when it is sent is the sender's affair
    monkeypatch.undo()
    native = made.report().programs[-1].replay
    native._stretch = len(x)  # in one go, as the table stands
    assert bits(made(x)) == bits(long_run(backend, 1)[0](x))


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no Ctrl-C to one process alone")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.usefixtures("shortest_stretches")
def test_a_handler_that_does_not_raise_ends_nothing(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    before = signal.signal(signal.SIGINT, lambda *of: called.append(True))
    try:
        made, x = long_run("machine", threads)
        sender = Watched(monkeypatch, made).interrupt_when_running(threads)
        found = made(x)
        sender.join()
        assert called == [True]
    finally:
        signal.signal(signal.SIGINT, before)
    assert bits(found) == bits(long_run("machine", 1)[0](x))


def test_an_error_in_a_thread_is_raised_when_the_others_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    made, x = long_run("machine", 2)
    native = made.report().programs[-1].replay
    start, ended = native.start, []

    def failing(table: Any) -> int:
        if table is native._tables[0]:
            raise MemoryError
        time.sleep(0.05)
        ended.append(start(table))
        return 0

    monkeypatch.setattr(native, "start", failing)
    with pytest.raises(MemoryError):
        made(x)
    count = len(ended)
    assert count
    time.sleep(0.1)
    assert len(ended) == count


def test_a_long_run_looks_for_ctrl_c_in_time() -> None:
    """A fifth of a second at the most; the bound is ten times that, for machines that are busy."""
    made, x = long_run("machine", 1)
    native: NativeReplay = made.report().programs[-1].replay
    seconds, begun = [], time.perf_counter()
    known = native._measure

    def noting(groups: int, taken: float) -> None:
        seconds.append(taken)
        known(groups, taken)

    native._measure = noting  # type: ignore[method-assign]
    made(np.tile(x, 5))
    assert len(seconds) > 1
    assert sum(seconds) > 0.5 * (time.perf_counter() - begun)
    assert max(seconds) < 2.0


def test_stretches_become_as_long_as_they_should_be() -> None:
    made, _ = long_run("machine", 1)
    native: NativeReplay = made.report().programs[-1].replay
    for per_group in (1e-3, 1e-6):
        for _ in range(40):
            native._measure(native._stretch, native._stretch * per_group)
        assert 0.5 <= native._stretch * per_group / replay.STRETCH_SECONDS <= 1.0
    long = native._stretch
    native._measure(10, 1e-9)  # a short end of a run says nothing of long ones
    assert native._stretch == long
    native._measure(long, 100.0)  # the processor was elsewhere
    assert native._stretch >= long / 2 - LEAST_STRETCH
