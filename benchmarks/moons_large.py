"""The two-moons step over 10,000 samples, against JAX."""

from __future__ import annotations

from benchmarks.moons import compared
from benchmarks.replaying import on_one_core


def run(runs: int = 15) -> dict[str, float]:
    """The figures: the smaller ratio of the two activations."""
    on_one_core()
    found: dict[str, float] = {}
    for activation in ("tanh", "relu"):
        found.update(
            {f"{activation}_{key}": x for key, x in compared(activation, 10_000, runs, torch_too=False).items()}
        )
    if "tanh_jax_ratio" in found:
        found["jax_ratio"] = min(found["tanh_jax_ratio"], found["relu_jax_ratio"])
    return found
