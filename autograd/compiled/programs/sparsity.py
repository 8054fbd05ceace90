"""Which derivatives of a program can be other than zero, and how few runs give them all.

Columns that no row has in common are found in one run: their directions are added up, and each row tells whose its
number is (Curtis, Powell and Reid 1974, "On the estimation of sparse Jacobian matrices"). Colours are given greedily,
column after column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.primitives import TABLE, Primitive
from autograd.program import Program

_WHERE = TABLE["where"]


class Pattern(NamedTuple):
    """Places that may hold something, row by row and in each from left to right: ``indptr`` and ``columns`` as in the
    CSR format, and the row of each place."""

    shape: tuple[int, int]
    indptr: Any
    columns: Any
    rows: Any

    @property
    def transposed(self) -> Pattern:
        """The places of the transposed matrix."""
        return pattern_of_places(self.shape[::-1], self.columns, self.rows)

    def both_ways(self) -> Pattern:
        """The places of the matrix and of its transposed, which are the same in a Hessian."""
        rows, columns = np.concatenate([self.rows, self.columns]), np.concatenate([self.columns, self.rows])
        return pattern_of_places(self.shape, rows, columns)

    def mirrored(self) -> Any:
        """For each place of a pattern that is its own mirror, the number of the place opposite."""
        return np.lexsort((self.rows, self.columns))


def pattern_of_places(shape: tuple[int, int], rows: Any, columns: Any) -> Pattern:
    """A pattern of places in any order, which may come twice."""
    places = np.unique(np.asarray(rows, np.int64) * shape[1] + columns)
    rows, columns = np.divmod(places, max(shape[1], 1))
    indptr = np.searchsorted(rows, np.arange(shape[0] + 1))
    return Pattern(shape, indptr.astype(np.int32), columns.astype(np.int32), rows)


def pattern_of(program: Program, outputs: Sequence[int], wanted: Sequence[int]) -> Pattern:
    """Where the derivatives of some slots by some inputs can be other than zero; -1 for a slot or an input that is
    none.

    Sets are the bits of whole numbers, and are let go where nobody asks for them any more.
    """
    last: dict[int, int] = dict.fromkeys(outputs, len(program) + program.first_instruction)
    needed: list[tuple[int, list[int]]] = []
    instructions = enumerate(program.instructions(), start=program.first_instruction)
    for slot, (primitive, operands) in reversed(list(instructions)):
        if slot in last:
            moving = _differentiated(primitive, operands)
            needed.append((slot, moving))
            for operand in moving:
                last.setdefault(operand, slot)
    reach: dict[int, int] = {}
    for column, slot in enumerate(wanted):
        if slot >= 0:
            reach[slot] = reach.get(slot, 0) | 1 << column
    for slot, moving in reversed(needed):
        found = 0
        for operand in moving:
            found |= reach.get(operand, 0)
        reach[slot] = found
        for operand in moving:
            if last[operand] == slot:
                reach.pop(operand, None)
    rows, columns = [], []
    for row, slot in enumerate(outputs):
        reached = _bits(reach.get(slot, 0))
        columns.append(reached)
        rows.append(np.full(len(reached), row))
    nothing = [np.zeros(0, np.int64)]
    return pattern_of_places(
        (len(outputs), len(wanted)), np.concatenate([*rows, *nothing]), np.concatenate([*columns, *nothing])
    )


def _differentiated(primitive: Primitive, operands: Sequence[int]) -> list[int]:
    """The operands by which a primitive has derivatives."""
    if primitive is _WHERE:
        return [o for o in operands[1:] if o >= 0]
    if callable(primitive.partials):
        return list(operands)
    return [o for o, partial in zip(operands, primitive.partials, strict=True) if partial is not None]


def _bits(number: int) -> Any:
    """The places of the bits of a number."""
    raw = np.frombuffer(number.to_bytes(number.bit_length() // 8 + 1, "little"), np.uint8)
    return np.flatnonzero(np.unpackbits(raw, bitorder="little"))


def colours_of(pattern: Pattern) -> Any:
    """A colour for each column, 0, 1, …: no two columns of one colour have a row in common; -1 for an empty one."""
    transposed = pattern.transposed
    colours = np.full(pattern.shape[1], -1)
    for column in np.flatnonzero(np.diff(transposed.indptr)).tolist():
        rows = transposed.columns[transposed.indptr[column] : transposed.indptr[column + 1]].tolist()
        near = np.concatenate([pattern.columns[pattern.indptr[row] : pattern.indptr[row + 1]] for row in rows])
        taken = np.zeros(len(near) + 1, bool)  # among so many, one is free
        colour = colours[near]
        taken[colour[(colour >= 0) & (colour < len(taken))]] = True
        colours[column] = int(taken.argmin())
    return colours
