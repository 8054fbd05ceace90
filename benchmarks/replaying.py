"""What the benchmarks of recorded functions share: one core, peers that may be missing, the smallest of many runs."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any


def on_one_core() -> None:
    """Keep this process, and the peers' threads that it starts from now on, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"


def peer(name: str, consequence: str = "so its ratio is left out") -> Any:
    """The peer's package; ``None``, said on stderr, if it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        print(f"{name} is not installed, {consequence}", file=sys.stderr)
        return None


def jax_in_double_precision() -> Any:
    """JAX, computing as precisely as the recorded functions do."""
    jax = peer("jax")
    if jax is not None:
        jax.config.update("jax_enable_x64", True)
    return jax


def best(works: dict[str, Callable[[], object]], seconds: float = 1.0, least: int = 15) -> dict[str, float]:
    """The smallest seconds of each work, run in turn for about so many seconds each, at least so many times.

    Each is run once before, so that what it compiles is not counted.
    """
    smallest = dict.fromkeys(works, float("inf"))
    for work in works.values():
        work()
    for name, work in works.items():  # a first estimate, to know how many runs fit
        start = time.perf_counter()
        work()
        smallest[name] = time.perf_counter() - start
    rounds = max(least, int(seconds / max(max(smallest.values()), 1e-9)))
    for _ in range(rounds):
        for name, work in works.items():
            inner = max(1, int(seconds / rounds / smallest[name])) if smallest[name] < seconds / rounds else 1
            for _ in range(min(inner, 200)):
                start = time.perf_counter()
                work()
                smallest[name] = min(smallest[name], time.perf_counter() - start)
    return smallest


def ratios(found: dict[str, float]) -> dict[str, float]:
    """Seconds of all, and how many times slower than ours each peer is."""
    report = {f"{name}_s": seconds for name, seconds in found.items()}
    report.update({f"{name}_ratio": seconds / found["ours"] for name, seconds in found.items() if name != "ours"})
    return report
