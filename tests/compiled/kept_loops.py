"""A function with its loops kept, compared with its steps written out."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Value, compile
from tests.compiled.replays import BACKENDS, bits

#: A loop adds cotangents up step by step, the steps written out in the order of their graph: another rounding of each.
ROUNDINGS = 1e-11


def both(
    make: Callable[[bool], Callable[..., Any]],
    args: tuple[Any, ...],
    backends: tuple[str, ...] = BACKENDS,
    **options: Any,
) -> None:
    """A function with its loops kept and with its steps written out: values bit for bit, gradients up to rounding."""
    for backend in backends:
        kept, written = (compile(make(unroll), backend=backend, **options) for unroll in (False, True))
        assert bits(np.asarray(kept(*args))) == bits(np.asarray(written(*args))), backend
        for found, expected in zip(
            numbers_of(kept.value_and_grad(*args)), numbers_of(written.value_and_grad(*args)), strict=True
        ):
            size = np.abs(expected).max(initial=1.0)
            assert np.allclose(found, expected, rtol=ROUNDINGS, atol=ROUNDINGS * size, equal_nan=True), backend


def numbers_of(tree: Any) -> list[Any]:
    return [x for part in tree for x in numbers_of(part)] if isinstance(tree, list | tuple) else [np.asarray(tree)]


def keep_out_an_infinite_slope(make: Callable[[bool], Callable[..., Any]], w: Value) -> None:
    """A function of x, the root of which has an infinite slope at 0, and of y: the same both ways, and finite there."""
    args = np.array([0.0, 0.25]), np.array([0.3, 0.4])
    both(make, args, params=[w], wrt=(0, 1), reduce=None)
    assert np.isfinite(compile(make(False), params=[w], wrt=0, backend="numpy").value_and_grad(*args)[1][0]).all()
