"""A damped pendulum of 1,000 steps for 1,000 first angles: the mean last angle and its gradient by the two constants.

Against JAX's jit of vmap of ``lax.scan``; the seconds until the first result are reported beside.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.replaying import best, jax_in_double_precision, on_one_core, ratios

STEPS = 1_000
SAMPLES = 1_000
SECONDS = 0.01


def run(runs: int = 10) -> dict[str, float]:
    """The figures."""
    on_one_core()
    import numpy as np

    import autograd

    gravity, damping = autograd.Value(9.81), autograd.Value(0.1)
    angles = np.linspace(-1.0, 1.0, SAMPLES)

    def step(state: Any, gravity: Any, damping: Any, sin: Any) -> Any:
        angle, speed = state
        faster = speed - SECONDS * (gravity * sin(angle) + damping * speed)
        return angle + SECONDS * faster, faster

    def last_angle(angle: Any) -> Any:
        last, _ = autograd.scan(
            lambda state, _: (step(state, gravity, damping, autograd.sin), None), (angle, 0.0), length=STEPS
        )
        return last[0]

    compiled = autograd.compile(last_angle, params=[gravity, damping])
    start = time.perf_counter()
    value, gradient = compiled.value_and_grad(angles)
    found = {"ready_s": time.perf_counter() - start}
    works: dict[str, Any] = {"ours": lambda: compiled.value_and_grad(angles)}
    jax = jax_in_double_precision()
    if jax is not None:
        numpy = jax.numpy

        def one(constants: Any, angle: Any) -> Any:
            def body(state: Any, _: Any) -> Any:
                return step(state, constants[0], constants[1], numpy.sin), None

            return jax.lax.scan(body, (angle, 0.0 * angle), None, length=STEPS)[0][0]

        theirs = jax.jit(
            jax.value_and_grad(lambda constants, angles: numpy.mean(jax.vmap(one, (None, 0))(constants, angles)))
        )
        constants, points = numpy.array([gravity.data, damping.data]), numpy.asarray(angles)
        start = time.perf_counter()
        other, slopes = jax.block_until_ready(theirs(constants, points))
        found["jax_ready_s"] = time.perf_counter() - start
        works["jax"] = lambda: jax.block_until_ready(theirs(constants, points))
        assert abs(float(other) - value) < 1e-10
        assert np.abs(np.asarray(slopes) - gradient).max() < 1e-9
    return found | ratios(best(works, least=runs))
