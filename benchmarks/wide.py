"""A wide network, 784-128-10 with softmax cross entropy: 1,000 images of random numbers, value and gradient.

The layers are matrix products of some size, for which tensor frameworks are made; the seconds until the first result,
from the empty cache of compiled code, are reported beside.
"""

from __future__ import annotations

import os
import tempfile
import time
from typing import Any
from unittest.mock import patch

from benchmarks.digits import with_jax
from benchmarks.replaying import best, jax_in_double_precision, on_one_core, ratios

SAMPLES = 1_000


def run(runs: int = 15) -> dict[str, float]:
    """The figures, for strict arithmetic and for ``fast``."""
    on_one_core()
    import numpy as np

    import autograd
    import nn

    source = np.random.default_rng(0)
    X, labels = source.uniform(size=(SAMPLES, 784)), source.integers(0, 10, SAMPLES)
    y = labels.astype(float)
    model = nn.MLP(784, [128, 10], "relu", seed=0)

    def loss(x: Any, label: Any) -> Any:
        return nn.losses.cross_entropy(model(x), label)

    found: dict[str, float] = {}
    jax = jax_in_double_precision()
    for mode in ("strict", "fast"):
        with tempfile.TemporaryDirectory() as empty, patch.dict(os.environ, VALUEGRAD_CACHE=empty):
            start = time.perf_counter()
            step = autograd.compile(loss, params=model.parameters(), fast=mode == "fast")
            step.value_and_grad(X, y)
        found[f"{mode}_ready_s"] = time.perf_counter() - start
        works: dict[str, Any] = {"ours": lambda step=step: step.value_and_grad(X, y)}
        if jax is not None:
            start = time.perf_counter()
            works["jax"] = with_jax(jax, model, X, labels)
            value, _ = works["jax"]()
            found["jax_ready_s"] = time.perf_counter() - start
            assert abs(float(value) - works["ours"]()[0]) < 1e-12
        found.update({f"{mode}_{key}": x for key, x in ratios(best(works, least=runs)).items()})
    return found
