"""Memory stays flat however often a compiled function is called."""

import gc
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import autograd
from autograd import Value
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
