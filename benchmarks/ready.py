"""From the call to the first result of the two-moons step, in new processes after their imports, against JAX."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec

_OURS = """
import time
from benchmarks.moons import WIDTHS, data, ours
from benchmarks.replaying import on_one_core
on_one_core()
import numpy, llvmlite.binding, autograd, nn
import autograd.compiled.function, autograd.compiled.backends.machine.replay
import autograd.compiled.backends.interpreter.replay
X, y = data(100)
model = nn.MLP(2, WIDTHS, "tanh", seed=0)
start = time.perf_counter()
ours(model, X, y)()
print(time.perf_counter() - start)
"""

_JAX = """
import time
from benchmarks.moons import WIDTHS, data, with_jax
from benchmarks.replaying import jax_in_double_precision, on_one_core
on_one_core()
jax = jax_in_double_precision()
jax.numpy.zeros(1).block_until_ready()
import nn
X, y = data(100)
model = nn.MLP(2, WIDTHS, "tanh", seed=0)
start = time.perf_counter()
with_jax(jax, model, "tanh", X, y)()
print(time.perf_counter() - start)
"""


def _seconds(program: str, folder: str) -> float:
    environment = {**os.environ, "VALUEGRAD_CACHE": folder}
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    return float(found.stdout)


def run(runs: int = 5) -> dict[str, float]:
    """The figures: without anything in the cache on disk, with it, and JAX's; the smallest of several."""
    cold, warm = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            cold.append(_seconds(_OURS, folder))
            warm.append(_seconds(_OURS, folder))
    found = {"cold_s": min(cold), "warm_s": min(warm)}
    if find_spec("jax") is not None:
        found["jax_s"] = min(_seconds(_JAX, "") for _ in range(runs))
        found["jax_ratio"] = found["jax_s"] / found["cold_s"]
    return found
