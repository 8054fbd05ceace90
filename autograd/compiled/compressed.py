"""Sparse Jacobians and Hessians, each from a few products with vectors. The one file of ours that imports SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.compiled.programs.derivatives import GRADIENT, HVP, JVP, VJP, Derivative, planned
from autograd.compiled.programs.sparsity import Pattern, colours_of, pattern_of
from autograd.compiled.recording.trace import Trace


class Compressed:
    """How all that can be other than zero in a Jacobian or a Hessian is found.

    Args:
        what: HVP for the Hessian of a function of one output, JVP for the Jacobian.

    Raises:
        ModuleNotFoundError: SciPy is not installed.
    """

    def __init__(self, recorded: Trace, what: Derivative) -> None:
        self._array = _sparse_array()
        #: It is known by its address, so it has to live.
        self._program = recorded.program
        #: The products, and the places among their numbers that are those of the matrix.
        self._along, self.pattern = what, _hessian(recorded) if what is HVP else _jacobian(recorded)
        colours, of_place, number = colours_of(self.pattern), self.pattern.columns, self.pattern.rows
        if what is JVP:
            of_rows = colours_of(self.pattern.transposed)
            if of_rows.max(initial=-1) < colours.max(initial=-1):
                self._along, colours, of_place, number = VJP, of_rows, self.pattern.rows, self.pattern.columns
        self._seeds = np.equal(np.arange(colours.max(initial=-1) + 1)[:, None], colours).astype(float)
        self._from = colours[of_place], number
        self._mirrored = self.pattern.mirrored() if what is HVP else None

    @property
    def products(self) -> int:
        """How many there are."""
        return len(self._seeds)

    def matrix(self, along: Callable[[Derivative, Any], Any]) -> Any:
        """The matrix, given what the derivatives along a vector are.

        A mixed derivative that is not one number in both orders, other than by rounding, is nan in both places.
        """
        found = np.array([along(self._along, seed) for seed in self._seeds])
        numbers = found[self._from] + 0.0 if len(found) else np.zeros(0)
        if self._mirrored is not None and not np.isfinite(numbers).all():
            other = numbers[self._mirrored]
            numbers[(numbers != other) & ~(np.isfinite(numbers) & np.isfinite(other))] = np.nan
        pattern = self.pattern
        return self._array((numbers, pattern.columns, pattern.indptr), shape=pattern.shape)


def _jacobian(recorded: Trace) -> Pattern:
    return pattern_of(recorded.program, recorded.outputs, recorded.arguments)


def _hessian(recorded: Trace) -> Pattern:
    """Where the gradient depends on the arguments."""
    arguments = recorded.arguments
    plan = planned(recorded, GRADIENT, arguments, [False] * recorded.program.inputs)
    gradient = plan.program.outputs[plan.values + plan.guards :]
    return pattern_of(plan.program, gradient, arguments).both_ways()


def _sparse_array() -> Any:
    try:
        from scipy.sparse import csr_array
    except ImportError as error:
        raise ModuleNotFoundError("sparse=True needs SciPy: pip install scipy", name="scipy") from error
    return csr_array
