"""What walks graphs: lines that are run and bytes that are held grow in proportion, at all that ``benchmarks`` times.

Counts say the same on every machine. A line is one of Python's, in whatever module; what a single call of C does to a
list is not seen in them, but what it makes is, in bytes.
"""

from __future__ import annotations

import gc
import os
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

import autograd
from autograd import Value
from benchmarks import growth

IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def _step_through(size: int) -> growth.Work:
    """A chain: pages are of 250 nodes at most, and edges that reach far back take places in each row between."""
    output = Value(0.5)
    for i in range(size):
        output = output.tanh() if i % 2 else output * 0.5
    return lambda: autograd.step_through(output).html


#: Machine code is quadratic in LLVM, and kept to its budget.
LINEAR = {name: work.prepare for name, work in growth.WORKS.items() if name != "machine"}
LINEAR["step_through"] = _step_through
#: The least of three sizes, each twice the one before.
SIZE = 3000 if IS_THOROUGH else 100
SIZES = dict.fromkeys(LINEAR, SIZE) | {"check_grads": SIZE // 5, "draw": SIZE // 2, "step_through": 50}
#: How much more the second double may add than the first; tables and lists grow in rounds, of which one may be passed.
MOST = {"lines": 2.3, "bytes": 2.9}


@pytest.fixture(scope="module", autouse=True)
def what_other_tests_left_is_not_looked_through() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python are run."""
    count = 0

    def line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += 1
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def bytes_held(work: Callable[[], object]) -> int:
    """How many bytes are held at most."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


COSTS = {"lines": lines_run, "bytes": bytes_held}


def ratio(cost: str, prepare: Callable[[int], growth.Work], size: int) -> float:
    """How much more the second double adds than the first: 2 if the cost is linear, 4 if it is quadratic."""
    prepare(size)()  # what is made once in a process is there
    one, two, four = (COSTS[cost](prepare(n)) for n in (size, 2 * size, 4 * size))
    return (four - two) / (two - one)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("name", LINEAR)
def test_the_double_costs_the_double(name: str, cost: str) -> None:
    assert ratio(cost, LINEAR[name], SIZES[name]) <= MOST[cost]


@pytest.mark.parametrize("cost", COSTS)
def test_what_grows_faster_would_be_noticed(cost: str) -> None:
    def quadratic(size: int) -> growth.Work:
        def work() -> None:
            rows = [[float(i)] * i for i in range(size)] if cost == "bytes" else []
            for i in range(size if not rows else 0):
                for _ in range(i):
                    pass

        return work

    assert ratio(cost, quadratic, 100) > 3.5
