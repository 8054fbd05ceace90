"""Rosenbrock's function of 1,000 numbers at a single point, against CasADi's SX by its buffers: value and gradient, and
the sparse Hessian; ours along a vector besides."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.replaying import best, on_one_core, peer, ratios

N = 1000


def rosenbrock(x: Any) -> Any:
    """Σ 100(xᵢ₊₁ - xᵢ²)² + (1 - xᵢ)² (Rosenbrock, 1960)."""
    return sum(100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2 for i in range(N - 1))


def run(runs: int = 15) -> dict[str, float]:
    """The figures; ``ready`` is the time until the first result."""
    on_one_core()
    import numpy as np

    import autograd

    point = np.random.default_rng(0).normal(size=N)
    autograd.objective(lambda x: x[0] * x[0])([1.0])  # the interpreter is loaded once in a process
    start = time.perf_counter()
    objective = autograd.objective(rosenbrock, n=N)
    value, gradient = objective(point)
    found = {"ours_ready_s": time.perf_counter() - start}
    works: dict[str, Any] = {"ours": lambda: objective(point)}
    second = autograd.objective(rosenbrock, n=N, sparse=True)
    hessian, vector = second.hessian(point), np.ones(N)
    along = objective.hvp(point, vector)
    works |= {"ours_hessian": lambda: second.hessian(point), "ours_hvp": lambda: objective.hvp(point, vector)}
    assert np.allclose(hessian @ vector, along, rtol=1e-9, atol=1e-9 * np.abs(along).max())
    casadi = peer("casadi")
    if casadi is not None:
        start = time.perf_counter()
        x = casadi.SX.sym("x", N)
        output = rosenbrock([x[i] for i in range(N)])
        function = casadi.Function("f", [x], [output, casadi.gradient(output, x)])
        buffer, evaluate = function.buffer()
        inputs, theirs, slope = point.copy(), np.zeros(1), np.zeros(N)
        buffer.set_arg(0, memoryview(inputs))
        buffer.set_res(0, memoryview(theirs))
        buffer.set_res(1, memoryview(slope))
        evaluate()
        found["casadi_ready_s"] = time.perf_counter() - start
        assert abs(theirs[0] - value) < 1e-9 * value
        assert np.abs(slope - gradient).max() < 1e-9 * np.abs(gradient).max()
        works["casadi"] = evaluate
        theirs_twice = casadi.hessian(output, x)[0]
        function_twice = casadi.Function("h", [x], [theirs_twice])
        buffer_twice, evaluate_twice = function_twice.buffer()
        entries = np.zeros(theirs_twice.nnz())
        buffer_twice.set_arg(0, memoryview(inputs))
        buffer_twice.set_res(0, memoryview(entries))
        evaluate_twice()
        assert len(entries) == hessian.nnz
        assert np.allclose(entries, hessian.T.tocsr().data, rtol=1e-9, atol=1e-9 * np.abs(entries).max())
        works["casadi_hessian"] = evaluate_twice
    return {**found, **ratios(best(works, least=runs))}
