"""Groups of instructions as NumPy calls, over arrays ``(rows, samples)``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiled.backends.levels import Group
from autograd.number_systems import arrays
from autograd.primitives import TABLE


class GroupCalls:
    """Groups as NumPy calls.

    Args:
        fast: neurons that share their inputs are one matrix product, whose sums NumPy takes in an order of its own.
    """

    def __init__(self, groups: Sequence[Group], *, fast: bool = False) -> None:
        self._calls: list[Callable[[Any, Any, Any], None]] = []
        for group in groups:
            product = _as_matrix_product(group) if fast and group.name == "dot" else None
            self._calls.append(product or _call(group))

    def __len__(self) -> int:
        return len(self._calls)

    def __call__(self, out: Any, varying: Any, uniform: Any) -> None:
        """Compute the rows of ``out``, arrays being ``(rows, samples)``, the uniform one ``(rows, 1)``."""
        for call in self._calls:
            call(out, varying, uniform)


def _call(group: Group) -> Callable[[Any, Any, Any], None]:
    name, first, last, _ = group
    row = TABLE[name]
    operands = [(varies, _as_slice(rows)) for varies, rows in group.operands]
    function = getattr(arrays, name)

    def call(out: Any, varying: Any, uniform: Any) -> None:
        found = [(varying if varies else uniform)[rows] for varies, rows in operands]
        if isinstance(function, np.ufunc) and not row.compares:
            function(*found, out=out[first:last])
        elif name == "where":
            out[first:last] = np.where(found[0] != 0, found[1], found[2])
        elif row.n_ary:
            out[first:last] = function(found)
        else:
            out[first:last] = function(*found)

    return call


def _as_matrix_product(group: Group) -> Callable[[Any, Any, Any], None] | None:
    """The call of a layer's neurons: weights and biases that all samples share, inputs that all neurons share."""
    n = len(group.operands) // 2
    weights, inputs, start = group.operands[:n], group.operands[n : 2 * n], group.operands[2 * n :]
    shared = all(varies and (rows == rows[0]).all() for varies, rows in inputs)
    if not shared or any(varies for varies, _ in [*weights, *start]):
        return None
    rows_of_weights = np.stack([rows for _, rows in weights], axis=1)
    rows_of_inputs = _as_slice(np.array([rows[0] for _, rows in inputs]))
    biases = _as_slice(start[0][1]) if start else None

    def call(out: Any, varying: Any, uniform: Any) -> None:
        result = out[group.first : group.last]
        np.matmul(uniform[rows_of_weights, 0], varying[rows_of_inputs], out=result)
        if biases is not None:
            result += uniform[biases]

    return call


def _as_slice(rows: Any) -> Any:
    """Rows as a slice where they are consecutive, which spares a copy; else the array of them."""
    if len(rows) and (np.diff(rows) == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows
