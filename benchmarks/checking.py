"""Checking gradients: ``check_grads`` of a function of 1,000 inputs against PyTorch's ``gradcheck`` of the same scalar
code, and ``check_graph`` of 100,000 nodes.

PyTorch is given 1,000 tensors of no dimensions in double precision; it is called once, as it takes long. Without it,
its figures are left out.
"""

from __future__ import annotations

import importlib.util
import random
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from autograd import Value, check_grads, check_graph
from benchmarks.measure import smallest

INPUTS = 1000
#: Five operations a term: 100,000 nodes.
TERMS = 20_000


def scalar_code(*x: Any) -> Any:
    """Sums and products of neighbours, through tanh and sine; for Values and tensors alike."""
    total = x[0] * x[0]
    for a, b in pairwise(x):
        total = total + (a * b).tanh() * a.sin()
    return total


def point(n: int) -> Sequence[float]:
    """Moderate numbers, the same on every run."""
    source = random.Random(0)
    return [source.uniform(-2.0, 2.0) for _ in range(n)]


def gradcheck_seconds() -> tuple[float, int]:
    """Seconds that PyTorch's check takes, and how often it calls the function."""
    import torch

    calls = 0

    def counted(*x: Any) -> Any:
        nonlocal calls
        calls += 1
        return scalar_code(*x)

    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in point(INPUTS)]
    start = time.perf_counter()
    assert torch.autograd.gradcheck(counted, tensors)
    return time.perf_counter() - start, calls


def run(runs: int = 5) -> dict[str, float]:
    """All figures of this benchmark; ``torch_ratio`` is PyTorch's time over ours."""
    numbers = point(INPUTS)
    graph = scalar_code(*[Value(x) for x in point(TERMS)])

    def function() -> object:
        report = check_grads(scalar_code, *numbers)
        assert report.ok
        assert len(report) == INPUTS
        return report

    def edges() -> object:
        report = check_graph(graph)
        assert report.ok
        return report

    seconds = smallest({"function": function, "graph": edges}, runs=runs)
    figures = {
        "function_s": seconds["function"],
        "graph_s": seconds["graph"],
        "graph_edges": float(check_graph(graph).edges),
    }
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: torch_ratio is left out (pip install torch)", file=sys.stderr)
        return figures
    figures["torch_s"], calls = gradcheck_seconds()
    return figures | {"torch_calls": float(calls), "torch_ratio": figures["torch_s"] / figures["function_s"]}
