"""How time and memory grow with the size of a graph: each work at three sizes, each in a fresh process.

``_exponent`` is the slope of the logarithm of the seconds over that of the size: 1 is linear, 2 quadratic. Seconds are
those of the processor, so that what else runs on the machine counts little.
"""

from __future__ import annotations

import copy
import math
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.irregular import INPUTS, function

Work = Callable[[], object]


class Growing(NamedTuple):
    """Something whose cost grows with a size."""

    sizes: tuple[int, ...]
    #: What is not timed, given the size; it returns what is.
    prepare: Callable[[int], Work]


def graph(nodes: int) -> tuple[list[Any], Any]:
    """The leaves and the output of a graph of about so many nodes, the irregular one."""
    from autograd import Value

    leaves = [Value(x) for x in point()]
    return leaves, function(operations=2 * nodes // 3)(leaves)


def point() -> Any:
    """The numbers of the inputs, the same on every run."""
    import numpy as np

    return np.random.default_rng(0).normal(size=INPUTS)


def _chains(size: int) -> Work:
    from autograd import Value

    def work() -> None:
        leaf = Value(1.0000001)
        output = leaf
        for _ in range(size):
            output = output * leaf
        output.backward()

    return work


def _pickle(size: int) -> Work:
    _, output = graph(size)
    return lambda: pickle.loads(pickle.dumps(output))


def _deepcopy(size: int) -> Work:
    _, output = graph(size)
    return lambda: copy.deepcopy(output)


def _roots() -> Callable[[int], list[Any]]:
    """A graph of so many nodes, and every hundredth node of it."""
    from autograd import graph as graphs

    return lambda size: graphs.topological_order(graph(size)[1])[::-100]


def _pickle_roots(size: int) -> Work:
    roots = _roots()(size)
    return lambda: pickle.loads(pickle.dumps(roots))


def _deepcopy_roots(size: int) -> Work:
    roots = _roots()(size)
    return lambda: copy.deepcopy(roots)


def _gradients(size: int) -> Work:
    from autograd import gradients

    leaves, output = graph(size)
    return lambda: gradients(output, leaves)


def _recording(size: int) -> Work:
    import autograd

    # What is loaded once in a process is loaded here.
    autograd.objective(lambda x: x[0] * x[0])([1.0])
    objective = autograd.objective(function(operations=2 * size // 3), n=INPUTS)
    return lambda: objective(point())


def _batch(backend: str) -> Callable[[int], Work]:
    """A chain, of which each step is wanted on the way back, over a batch: three times as many instructions."""

    def prepare(size: int) -> Work:
        import numpy as np

        import autograd

        def chain(x: Any) -> Any:
            y = x[0]
            for _ in range(size // 3):
                y = (y * x[1] + x[2]).tanh()
            return y

        rows = np.full((4, 3), 0.5)
        autograd.compile(lambda x: x[0] * x[1], wrt=0, backend=backend).value_and_grad(rows)
        step = autograd.compile(chain, wrt=0, backend=backend)
        return lambda: step.value_and_grad(rows)

    return prepare


def _check_grads(size: int) -> Work:
    from autograd import check_grads
    from benchmarks.checking import point, scalar_code

    numbers = point(size // 5)
    return lambda: check_grads(scalar_code, *numbers)


def _step_through(size: int) -> Work:
    import autograd
    from benchmarks.pictures import graph

    output = graph(size)
    return lambda: autograd.step_through(output).html


def _draw(size: int) -> Work:
    from benchmarks.pictures import graph, svg

    output = graph(size)
    return lambda: svg(output, None)


WORKS = {
    "chains": Growing((100_000, 300_000, 1_000_000), _chains),
    "pickle": Growing((100_000, 300_000, 1_000_000), _pickle),
    "deepcopy": Growing((100_000, 300_000, 1_000_000), _deepcopy),
    "pickle_roots": Growing((3_000, 10_000, 30_000), _pickle_roots),
    "deepcopy_roots": Growing((3_000, 10_000, 30_000), _deepcopy_roots),
    "gradients": Growing((100_000, 300_000, 1_000_000), _gradients),
    "recording": Growing((100_000, 300_000, 1_000_000), _recording),
    "batch": Growing((100_000, 300_000, 1_000_000), _batch("auto")),
    "numpy": Growing((100_000, 300_000, 1_000_000), _batch("numpy")),
    "machine": Growing((1_000, 2_000, 4_000), _batch("machine")),
    "check_grads": Growing((5_000, 15_000, 50_000), _check_grads),
    "step_through": Growing((60, 120, 240), _step_through),
    "draw": Growing((30_000, 200_000, 1_000_000), _draw),
}


def child(name: str, size: int) -> None:
    """Do one work, and print its seconds and the bytes by which the peak of memory rose."""
    import autograd

    assert autograd.Value  # that importing is not counted
    before = _peak()
    work = WORKS[name].prepare(size)
    start = _processor_seconds()
    work()
    seconds = _processor_seconds() - start
    print(seconds, _peak() - before)


def _peak() -> int:
    """The most bytes that this process had in memory. ``getrusage`` counts what the process that started it had."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(next(line for line in status.read_text().splitlines() if "VmHWM" in line).split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _processor_seconds() -> float:
    """Of this process, and of those that it ran."""
    of_others = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + of_others.ru_utime + of_others.ru_stime


def measured(name: str, size: int, runs: int) -> tuple[float, float]:
    """The least seconds and bytes of so many processes."""
    program = f"from benchmarks.growth import child; child({name!r}, {size})"
    found = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:  # native code of its own
            environment = {**os.environ, "VALUEGRAD_CACHE": folder}
            done = subprocess.run(
                [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True, env=environment
            )
        found.append(tuple(map(float, done.stdout.split())))
    return min(seconds for seconds, _ in found), min(used for _, used in found)


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope of the logarithm of the costs over that of the sizes, by least squares.

    >>> round(exponent([10, 20, 40], [5, 20, 80]), 12)
    2.0
    """
    xs, ys = [math.log(x) for x in sizes], [math.log(max(y, 1e-9)) for y in costs]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def run(runs: int = 3) -> dict[str, float]:
    """Per work the exponents of seconds and bytes, and both at each size; where one takes long, it is done once."""
    figures: dict[str, float] = {}
    for name, (sizes, _) in WORKS.items():
        seconds, used = [], []
        for size in sizes:
            cheap = not seconds or seconds[-1] < 2.0
            s, b = measured(name, size, runs if cheap else 1)
            seconds.append(s)
            used.append(b)
            figures[f"{name}_{size}_s"], figures[f"{name}_{size}_mb"] = s, b / 1e6
        figures[f"{name}_exponent"] = exponent(sizes, seconds)
        figures[f"{name}_memory_exponent"] = exponent(sizes, used)
    return figures
