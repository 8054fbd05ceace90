"""The Black-Scholes price of 1,000,000 calls and its five Greeks, against JAX's jit of vmap."""

from __future__ import annotations

from typing import Any

from benchmarks.replaying import best, jax_in_double_precision, on_one_core, ratios

SAMPLES = 1_000_000


def price(spot: Any, strike: Any, years: Any, rate: Any, volatility: Any, m: Any) -> Any:
    """S·Φ(d₁) - K·e⁻ʳᵀ·Φ(d₂) (Black and Scholes, 1973); ``m`` has exp, log, sqrt, erf."""
    spread = volatility * m.sqrt(years)
    d1 = (m.log(spot / strike) + (rate + 0.5 * volatility * volatility) * years) / spread
    d2 = d1 - spread
    root_half = 0.7071067811865476

    def phi(d: Any) -> Any:
        return 0.5 * (1.0 + m.erf(d * root_half))

    return spot * phi(d1) - strike * m.exp(-rate * years) * phi(d2)


def run(runs: int = 10) -> dict[str, float]:
    """The figures."""
    on_one_core()
    import numpy as np

    import autograd

    chance = np.random.default_rng(0)
    ranges = ((50.0, 150.0), (50.0, 150.0), (0.1, 2.0), (0.0, 0.1), (0.1, 0.5))
    columns = [chance.uniform(low, high, SAMPLES) for low, high in ranges]
    wrt = (0, 1, 2, 3, 4)
    greeks = autograd.compile(lambda *xs: price(*xs, autograd), wrt=wrt, reduce=None)
    works: dict[str, Any] = {"ours": lambda: greeks.value_and_grad(*columns)}
    jax = jax_in_double_precision()
    if jax is not None:
        from types import SimpleNamespace

        numpy = jax.numpy
        functions = SimpleNamespace(exp=numpy.exp, log=numpy.log, sqrt=numpy.sqrt, erf=jax.scipy.special.erf)
        theirs = jax.jit(jax.vmap(jax.value_and_grad(lambda *xs: price(*xs, functions), argnums=wrt)))
        arrays = [numpy.asarray(column) for column in columns]
        works["jax"] = lambda: jax.block_until_ready(theirs(*arrays))
        value, slopes = works["jax"]()
        mine, ours = works["ours"]()
        assert np.abs(np.asarray(value) - mine).max() < 1e-10
        assert all(np.abs(np.asarray(a) - b).max() < 1e-8 for a, b in zip(slopes, ours, strict=True))
    return ratios(best(works, least=runs))
