"""A random graph of 100,000 operations at a single point, recorded, against the eager engine."""

from __future__ import annotations

import random
import time
from typing import Any

from benchmarks.replaying import best, on_one_core, ratios

OPERATIONS = 100_000
INPUTS = 100


def function(operations: int = OPERATIONS) -> Any:
    """A function of a list: sums, differences, products and tanh of random earlier results; all of them are used."""
    chance = random.Random(0)
    steps = [
        (chance.randrange(4), chance.randrange(INPUTS + i), chance.randrange(max(0, INPUTS + i - 50), INPUTS + i))
        for i in range(operations)
    ]

    def f(x: Any) -> Any:
        import autograd

        v = list(x)
        for kind, i, j in steps:
            a, b = v[i], v[j]
            v.append(a + b if kind == 0 else a * b if kind == 1 else a - b if kind == 2 else autograd.tanh(0.5 * b))
            if kind == 1:
                v[-1] = autograd.tanh(v[-1])  # so that numbers stay of moderate size
        return autograd.sum(v[-1000:])

    return f


def run(runs: int = 3) -> dict[str, float]:
    """The figures; ``ready`` is the time until the first result."""
    on_one_core()
    import numpy as np

    import autograd

    f = function()
    point = np.random.default_rng(0).normal(size=INPUTS)
    autograd.objective(lambda x: x[0] * x[0])([1.0])  # the interpreter is loaded once in a process
    start = time.perf_counter()
    objective = autograd.objective(f, n=INPUTS)
    value, gradient = objective(point)
    ready = time.perf_counter() - start

    def eager() -> Any:
        leaves = [autograd.Value(x) for x in point]
        output = f(leaves)
        output.backward()
        return output.data, leaves

    theirs, leaves = eager()
    assert abs(theirs - value) <= 1e-9 * abs(theirs)
    assert all(abs(leaf.grad - g) <= 1e-9 * (1 + abs(g)) for leaf, g in zip(leaves, gradient, strict=True))
    works: dict[str, Any] = {"ours": lambda: objective(point), "eager": eager}
    return {"ready_s": ready, **ratios(best(works, least=runs))}
