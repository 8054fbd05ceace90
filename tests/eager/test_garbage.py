"""The collector at rest: for as long as anybody needs it, in whichever thread."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

import autograd
from autograd.eager import garbage


@pytest.fixture(autouse=True)
def _is_as_before() -> Iterator[None]:
    gc.enable()
    yield
    assert gc.isenabled()
    assert not garbage._resting


def test_the_last_thread_that_leaves_turns_it_on() -> None:
    """Whichever entered first."""
    entered, leave, left = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        with autograd.collector_at_rest():
            entered.set()
            leave.wait(30)
        left.set()

    thread = threading.Thread(target=work)
    thread.start()
    entered.wait(30)
    with autograd.collector_at_rest():
        leave.set()
        left.wait(30)
        assert not gc.isenabled()
    thread.join()
    leave.clear()
    entered.clear()
    with autograd.collector_at_rest():
        thread = threading.Thread(target=work)
        thread.start()
        entered.wait(30)
    assert not gc.isenabled()
    leave.set()
    thread.join()


def test_many_threads_and_nested() -> None:
    seen: list[bool] = []

    def work() -> None:
        for _ in range(200):
            with autograd.collector_at_rest(), autograd.collector_at_rest():
                seen.append(gc.isenabled())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [False] * 800


def test_where_it_is_off_it_stays_off() -> None:
    gc.disable()
    try:
        with autograd.collector_at_rest():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
