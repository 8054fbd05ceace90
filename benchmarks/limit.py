"""The two-moons step over 9,984 samples against the same mathematics in C, by hand, as fast as gcc can make it."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.moons import WIDTHS, data, ours
from benchmarks.replaying import best, on_one_core

SAMPLES = 9_984  # a whole number of blocks of 128


def run(runs: int = 15) -> dict[str, float]:
    """Our seconds over C's: strict and ``fast``, for each activation."""
    on_one_core()
    compiler = shutil.which("gcc")
    if compiler is None:
        print("gcc is not installed, so there is nothing to compare with", file=sys.stderr)
        return {}
    import numpy as np

    import nn

    X, y = data(SAMPLES)
    columns = np.ascontiguousarray(X.T)
    found: dict[str, float] = {}
    for activation in ("tanh", "relu"):
        model = nn.MLP(2, WIDTHS, activation, seed=0)
        numbers = np.array([p.data for p in model.parameters()])
        gradient = np.zeros_like(numbers)
        with tempfile.TemporaryDirectory() as folder:
            library = str(Path(folder, "limit.so"))
            source = str(Path(__file__).with_name("limit.c"))
            define = ["-DRELU"] if activation == "relu" else []
            flags = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", *define]
            subprocess.run([compiler, *flags, source, "-o", library, "-lmvec", "-lm"], check=True)
            step = ctypes.CDLL(library).step
        step.restype = ctypes.c_double
        addresses = [ctypes.c_void_p(a.ctypes.data) for a in (columns, y, numbers, gradient)]

        def in_c(step: Any = step, addresses: Any = addresses) -> Any:
            return step(ctypes.c_long(SAMPLES), *addresses)

        works: dict[str, Any] = {
            "strict": ours(model, X, y), "fast": ours(model, X, y, fast=True), "c": in_c,
        }  # fmt: skip
        value, slopes = works["strict"]()
        assert abs(in_c() - value) < 1e-10
        assert np.abs(gradient - slopes).max() < 1e-10
        seconds = best(works, least=runs)
        found.update({f"{activation}_{name}_s": x for name, x in seconds.items()})
        for mode in ("strict", "fast"):
            found[f"{activation}_{mode}_over_c"] = seconds[mode] / seconds["c"]
    return found
