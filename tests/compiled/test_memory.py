"""Memory stays flat however often a compiled function is called."""

import gc
import os
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import autograd
from autograd import Value
from autograd.compiled import objective as objective_module
from autograd.compiled import runs
from autograd.compiled.backends import group_calls, levels
from autograd.compiled.backends.choice import choose
from autograd.compiled.backends.interpreter import recorded_loops
from autograd.compiled.backends.native import shared
from tests.compiled.replays import BACKENDS


def resident_bytes() -> int:
    """What the process has in memory, native code's share included; 0 where the system does not tell."""
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if path.exists() else 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_memory_stays_flat_over_many_calls(backend: str) -> None:
    """Python counts its blocks, and the process is weighed: tracing allocations would take four times as long."""
    w = Value(0.5)
    step = autograd.compile(lambda x: w * x * x, params=[w], backend=backend)
    turning = autograd.compile(lambda x: w * x if x > 0 else x * x, wrt=0, backend=backend)
    objective = autograd.objective(lambda x: w * x[0] if x[0] > 0 else x[0] * x[0], backend=backend)
    rows = [np.ones(100), np.ones(200)]

    def call(times: int) -> None:
        for i in range(times // 4):
            w.data = w.data * 0.5 + 0.25
            step.value_and_grad(rows[i % 3 % 2])  # the same arrays once more, and others
            step(rows[0])
            objective([1.0 - i % 4])  # one way and the other
            turning.value_and_grad(1.0 - i % 4)

    call(1000)
    gc.collect()
    blocks, resident = sys.getallocatedblocks(), resident_bytes()
    call(min(100_000, 1000 * settings().max_examples))  # 20,000, and 100,000 in the thorough profile
    gc.collect()
    # Caches of the interpreter fill up, by 160 blocks at most, and the allocator takes memory by some megabytes at a
    # time; one block, or 84 bytes, for each of 100,000 calls would be more than either.
    assert sys.getallocatedblocks() - blocks < 500
    assert resident_bytes() - resident < 1 << 23


def long_chain(steps: int) -> Callable[[Any], Any]:
    """A function of two numbers whose every step is wanted on the way back, so that nothing may be forgotten."""

    def f(x: Any) -> Any:
        y = x[0]
        for _ in range(steps):
            y = (y * x[1] + x[0]).tanh()
        return y

    return f


@pytest.mark.parametrize("backend", ["numpy", "interpreter"])
@pytest.mark.parametrize("is_batch", [False, True])
def test_a_long_program_takes_a_few_numbers_an_instruction(backend: str, *, is_batch: bool) -> None:
    """250 bytes, while it is made ready; with a list, a dict's entry or a function for each it is more."""

    def run(steps: int) -> int:
        """Instructions of the gradient's program, once it ran."""
        if is_batch:
            step = autograd.compile(long_chain(steps), wrt=0, backend=backend)
            step.value_and_grad(np.full((4, 2), 0.5))
            return len(step.report().programs[0].program)
        objective = autograd.objective(long_chain(steps), backend=backend)
        objective([0.5, 0.5])
        return len(objective.report().programs[0].program)

    run(10)  # what is loaded once
    in_choose: list[int] = []

    def traced(*args: Any) -> Any:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        found = choose(*args)
        in_choose.append(tracemalloc.get_traced_memory()[1] - before)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "choose", traced)
        patch.setattr(objective_module, "choose", traced)
        for module in (levels, shared, group_calls):  # lists of some instructions at a time, of fewer here
            patch.setattr(module, "_AT_ONCE", 1 << 10, raising=False)
        tracemalloc.start()
        try:
            instructions = run(3000)
        finally:
            tracemalloc.stop()
    assert max(in_choose) < 250 * instructions


def test_a_block_of_a_long_program_has_fewer_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows take little memory then, and what comes out is the same."""
    X = np.random.default_rng(0).normal(size=(1000, 2))
    whole = autograd.compile(long_chain(100), wrt=0, reduce=None, backend="interpreter").value_and_grad(X)
    monkeypatch.setattr(recorded_loops, "MOST_BYTES_OF_ROWS", 1 << 14)
    step = autograd.compile(long_chain(100), wrt=0, reduce=None, backend="interpreter")
    found = step.value_and_grad(X)
    (recordings,) = step._all_recordings()
    (prepared,) = recordings.kept[0].prepared.values()
    assert prepared.replay.code.rows * prepared.replay.code.vectors * 32 <= 1 << 14
    assert [part.tobytes() for part in found] == [part.tobytes() for part in whole]
