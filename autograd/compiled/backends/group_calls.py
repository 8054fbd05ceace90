"""Groups of instructions as NumPy calls, over arrays ``(rows, samples)``.

Of a long chain each instruction is a group of its own, so what is to be called stands in arrays, a few numbers a group.
Only for primitives of any number of operands there is a function for each group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from autograd.compiled.backends.levels import Group, Levels
from autograd.number_systems import arrays
from autograd.primitives import TABLE

#: Groups that are taken from arrays into lists at a time.
_AT_ONCE = 1 << 16

#: Groups whose steps are kept as they are; more would take much memory.
_MOST_KEPT = 1 << 12

#: What becomes of the result of a function: it writes it itself, or what it returns is written, or it is ``where``.
_WRITES, _RETURNS, _CHOOSES, _WIDE = range(4)


class GroupCalls:
    """The uniform groups of a plan, or the varying ones, as NumPy calls.

    Args:
        fast: neurons that share their inputs are one matrix product, whose sums NumPy takes in an order of its own.
    """

    def __init__(self, levels: Levels, varies: int, *, fast: bool = False) -> None:
        members, self._bounds, self._firsts = levels.ranges[varies]
        leaders = members[self._bounds[:-1]]
        self._opcodes = levels.opcodes[leaders - levels.first]
        self._functions: list[Any] = [getattr(arrays, name, None) for name in levels.names]
        self._hows = [_how(name, function) for name, function in zip(levels.names, self._functions, strict=True)]
        arity = np.array([TABLE[name].arity if name in TABLE else 0 for name in levels.names])
        #: Per group, its operands; 0 where there are any number.
        self._counts = np.where(np.array(self._hows) == _WIDE, 0, arity)[self._opcodes]
        #: The function of each group whose primitive takes any number of operands.
        self._wide: dict[int, Callable[[Any, Any, Any], None]] = {}
        wide = np.flatnonzero(self._counts == 0)
        for g, group in zip(wide.tolist(), levels.groups(varies, wide), strict=True):
            product = _as_matrix_product(group) if fast and group.name == "dot" else None
            self._wide[g] = product or _call(group)
        #: Per operand: the rows of all members; per group, whether they vary, and whether they are consecutive.
        self._operands: list[tuple[Any, Any, Any]] = []
        for slots in levels.operand_columns(members)[: self._counts.max(initial=0)]:
            rows = levels.row_of[slots].astype(np.int32)
            breaks = np.cumsum(np.diff(rows, prepend=rows[:1]) != 1)
            whole = breaks[self._bounds[1:] - 1] == breaks[self._bounds[:-1]]
            self._operands.append((rows, levels.varying[slots[self._bounds[:-1]]], whole))

        #: Of a small program the steps, made once.
        self._kept = list(self._steps()) if len(self) <= _MOST_KEPT else []

    def __len__(self) -> int:
        return len(self._opcodes)

    def __call__(self, out: Any, varying: Any, uniform: Any) -> None:
        """Compute the rows of ``out``, arrays being ``(rows, samples)``, the uniform one ``(rows, 1)``."""
        functions, hows, sources = self._functions, self._hows, (uniform, varying)
        for (g, opcode, begin, end, first), operands in self._kept or self._steps():
            how = hows[opcode]
            if how == _WIDE:
                self._wide[g](out, varying, uniform)
                continue
            found = []
            for rows, varies, row in operands:
                source = sources[varies]
                found.append(source[rows[begin:end]] if row < 0 else source[row : row + end - begin])
            result = out[first : first + end - begin]
            if how == _WRITES:
                functions[opcode](*found, out=result)
            elif how == _CHOOSES:
                result[:] = np.where(found[0] != 0, found[1], found[2])
            else:
                result[:] = functions[opcode](*found)

    def _steps(self) -> Iterator[tuple[tuple[int, ...], Sequence[Any]]]:
        """Per group: its number, opcode, bounds and first row; and per operand the rows of all members, whether they
        vary, and the first row of the group if its rows are consecutive, else -1."""
        for start in range(0, len(self), _AT_ONCE):
            here = slice(start, min(start + _AT_ONCE, len(self)))
            begins = self._bounds[:-1][here]
            of_group = (self._opcodes[here], begins, self._bounds[1:][here], self._firsts[here])
            steps = zip(range(start, here.stop), *[column.tolist() for column in of_group], strict=True)
            columns = []
            for rows, varies, whole in self._operands:
                firsts = np.where(whole[here], rows[begins], -1).tolist()
                columns.append(zip(repeat(rows), varies[here].tolist(), firsts, strict=False))
            counts = self._counts[here].tolist()
            for step, count, operands in zip(
                steps, counts, zip(*columns, strict=True) if columns else repeat(()), strict=False
            ):
                yield step, operands[:count]


def _how(name: str, function: Any) -> int:
    """What becomes of a function's result."""
    row = TABLE.get(name)
    if row is None or row.n_ary:  # what belongs to a loop is in no group
        return _WIDE
    if name == "where":
        return _CHOOSES
    return _WRITES if isinstance(function, np.ufunc) and not row.compares else _RETURNS


def _call(group: Group) -> Callable[[Any, Any, Any], None]:
    """The call of a group whose primitive takes any number of operands."""
    operands = [(varies, _as_slice(rows)) for varies, rows in group.operands]
    function = getattr(arrays, group.name)

    def call(out: Any, varying: Any, uniform: Any) -> None:
        out[group.first : group.last] = function([(varying if varies else uniform)[rows] for varies, rows in operands])

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
