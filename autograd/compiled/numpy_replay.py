"""Replay on NumPy: blocks of samples, and one NumPy call for all instructions of a kind that can run together.

Instructions are sorted by level (the longest way from an input) and primitive; each group reads its operands from the
rows of one array and writes its results to consecutive rows. What does not differ from sample to sample is computed
once per call. Memory does not grow with the number of samples, but for inputs and results.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.compiled.plan import Plan
from autograd.compiled.reduction import CHUNK, TreeSum
from autograd.number_systems import arrays
from autograd.program import ABSENT

#: Bytes that the rows of a block may take: a block stays in the second-level cache.
BLOCK_BYTES = 1 << 20


class _Group(NamedTuple):
    """Instructions of one primitive: results go to rows ``first`` … ``last`` of the varying or the uniform array."""

    name: str
    first: int
    last: int
    #: Per operand: whether it is read from the varying array, and its rows.
    operands: list[tuple[bool, Any]]


class NumpyReplay:
    """A plan, ready to run."""

    name = "numpy"

    def __init__(self, plan: Plan, dtype: Any = np.float64) -> None:
        self.plan = plan
        self.dtype = np.dtype(dtype)
        self._sort()

    def _sort(self) -> None:
        program, varying = self.plan.program, self.plan.varying
        slots = program.first_instruction + len(program)
        level = [0] * slots
        keys: dict[tuple[Any, ...], list[int]] = {}
        instructions = list(program.instructions())
        first = program.first_instruction
        for slot, (primitive, operands) in enumerate(instructions, start=first):
            level[slot] = 1 + max([level[o] for o in operands if o != ABSENT], default=0)
            kinds = tuple([bool(o != ABSENT and varying[o]) for o in operands])
            key = (bool(varying[slot]), level[slot], primitive.name, kinds, tuple([o == ABSENT for o in operands]))
            keys.setdefault(key, []).append(slot)
        row = [0] * slots
        counts = [0, 0]
        for slot in range(first):
            kind = varying[slot]
            row[slot] = counts[kind]
            counts[kind] += 1
        self._uniform_inputs = [s for s in range(program.inputs) if not varying[s]]
        self._varying_inputs = [s for s in range(program.inputs) if varying[s]]
        groups: list[tuple[tuple[Any, ...], list[int]]] = sorted(keys.items(), key=lambda item: item[0][:3])
        for key, members in groups:
            kind = int(key[0])
            for slot in members:
                row[slot] = counts[kind]
                counts[kind] += 1
        self._rows = counts
        self._groups: list[list[_Group]] = [[], []]
        for key, members in groups:
            varies, _, name, kinds, absent = key
            operands = []
            for position, kind in enumerate(kinds):
                if absent[position]:
                    operands.append((False, None))
                else:
                    read = [row[instructions[slot - first][1][position]] for slot in members]
                    operands.append((kind, _as_slice(read)))
            self._groups[varies].append(_Group(name, row[members[0]], row[members[-1]] + 1, operands))
        self._outputs = [(bool(varying[o]), row[o]) for o in program.outputs]

    def block(self) -> int:
        """Samples per block: a divisor of a chunk."""
        most = BLOCK_BYTES // (max(1, self._rows[1]) * self.dtype.itemsize)
        size = 16
        while size * 2 <= min(most, CHUNK):
            size *= 2
        return size

    def run(
        self, columns: Sequence[Any], samples: int, reduced: Sequence[bool], *, keep: Sequence[bool]
    ) -> list[Any]:
        """Each output of the plan: a number for one that is the same for all samples; else an array with one number
        per sample, or the sum over samples where ``reduced``; ``None`` where not to be kept.

        Args:
            columns: per input of the program, a number or an array of samples.
        """
        program = self.plan.program
        with arrays.computing():
            uniform = np.empty((self._rows[0], 1), self.dtype)
            for i, slot in enumerate(self._uniform_inputs):
                uniform[i, 0] = columns[slot]
            constants = len(program.constants)
            uniform[len(self._uniform_inputs) : len(self._uniform_inputs) + constants, 0] = program.constants
            _run(self._groups[0], uniform, uniform, uniform)
            results: list[Any] = [None] * len(self._outputs)
            summed = [i for i, (varies, _) in enumerate(self._outputs) if varies and reduced[i] and keep[i]]
            kept = [i for i, (varies, _) in enumerate(self._outputs) if varies and not reduced[i] and keep[i]]
            for i in kept:
                results[i] = np.empty(samples, self.dtype)
            tree = TreeSum(len(summed), self.dtype)
            rows = _as_slice([self._outputs[i][1] for i in summed])
            size = min(self.block(), max(samples, 1))
            if summed or kept:
                whole = np.empty((self._rows[1], size), self.dtype)
                for start in range(0, samples, size):
                    stop = min(start + size, samples)
                    block = whole[:, : stop - start]
                    for i, slot in enumerate(self._varying_inputs):
                        block[i] = columns[slot][start:stop]
                    _run(self._groups[1], block, block, uniform)
                    for i in kept:
                        results[i][start:stop] = block[self._outputs[i][1]]
                    if summed:
                        tree.add(block[rows])
            if summed:
                for i, total in zip(summed, tree.total(), strict=True):
                    results[i] = total
            for i, (varies, row) in enumerate(self._outputs):
                if not varies and keep[i]:
                    results[i] = uniform[row, 0]
        return results


def _run(groups: Sequence[_Group], out: Any, varying: Any, uniform: Any) -> None:
    for name, first, last, operands in groups:
        function = getattr(arrays, name)
        found = [None if rows is None else (varying if varies else uniform)[rows] for varies, rows in operands]
        if isinstance(function, np.ufunc) and len(operands) == function.nin and name not in _TRUTHS:
            function(*found, out=out[first:last])
        elif name == "where":
            out[first:last] = np.where(found[0] != 0, found[1], found[2])
        else:
            out[first:last] = function(*found)


_TRUTHS = ("less", "less_equal", "greater", "greater_equal")


def _as_slice(rows: list[int]) -> Any:
    """Rows as a slice where they are consecutive, which spares a copy; else as an array of indices."""
    if rows and rows == list(range(rows[0], rows[0] + len(rows))):
        return slice(rows[0], rows[0] + len(rows))
    return np.array(rows, dtype=np.intp)
