"""A wide network, 784-128-10 with relu and softmax cross entropy: 1,000 images of random numbers, value and gradient.

The layers are matrix products of some size, for which tensor frameworks are made.
"""

from __future__ import annotations

from benchmarks.digits import figures
from benchmarks.replaying import on_one_core

SAMPLES = 1_000


def run(runs: int = 15) -> dict[str, float]:
    """The figures, for strict arithmetic and for ``fast``."""
    on_one_core()
    import numpy as np

    source = np.random.default_rng(0)
    return figures(784, [128, 10], source.uniform(size=(SAMPLES, 784)), source.integers(0, 10, SAMPLES), runs)
