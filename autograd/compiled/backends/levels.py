"""Which instructions of a program can run together, as one NumPy call, and where each number then stands.

Instructions are sorted by level (the longest way from an input), then by primitive; each group reads its operands from
rows of an array and writes its results to consecutive rows. What does not differ from sample to sample has an array of
its own, the uniform one, where groups begin at multiples of four rows, so that native code can take four at a time.

An irregular program has tens of thousands of groups, so groups are ranges of arrays here; only the level of an
instruction, which depends on those before it, takes a loop.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd.compiled.backends.long_sums import long_sums
from autograd.compiled.programs.plan import Plan

#: Rows of the uniform array that native code takes at a time.
ROWS = 4

#: Operands of an instruction that is no sum and no ``dot``.
_COLUMNS = 3

#: Instructions that are taken from arrays into lists at a time.
_AT_ONCE = 1 << 16


class Group(NamedTuple):
    """Instructions of one primitive, whose results go to rows ``first`` … ``last - 1``."""

    name: str
    first: int
    last: int
    #: Per operand: whether it is read from the varying array, and its rows.
    operands: list[tuple[bool, Any]]


class Ranges(NamedTuple):
    """Groups as arrays, in the order in which they run."""

    #: The slots of all results, group after group; those of group g are ``members[bounds[g]:bounds[g + 1]]``.
    members: Any
    bounds: Any
    #: Per group, the row of its first result.
    first_rows: Any


class Levels:
    """A plan's instructions in groups, and the row of each slot in the uniform or the varying array.

    Args:
        with_varying: whether the instructions that differ by sample are grouped too.
    """

    def __init__(self, plan: Plan, *, with_varying: bool = True) -> None:
        self.plan = plan
        program = plan.program
        self.names: list[str] = [*(primitive.name for primitive in program.primitives), "sum"]
        self.first = first = program.first_instruction
        self.varying = np.array(plan.varying, np.uint8)
        self.opcodes = np.array(program.opcodes, np.int32)
        self.starts = np.array(program.starts, np.int64)
        self.operands = np.array(program.operands, np.int32)
        #: The last of a long sum → all that it adds up; it is one instruction then, the others are none.
        self.sums, inside = long_sums(plan)
        self.opcodes[[slot - first for slot in self.sums]] = len(program.primitives)
        run = np.ones(len(program), bool)
        run[[slot - first for slot in inside]] = False
        if not with_varying:
            run &= self.varying[first:] == 0
        slots = first + np.flatnonzero(run)
        keys = self._keys(slots)
        #: The row of each slot, as an array.
        self.row_of = np.zeros(len(self.varying), np.int64)
        #: Rows of the uniform and of the varying array.
        self.rows = [0, 0]
        #: The uniform groups, and the varying ones.
        self.ranges: list[Ranges] = []
        for varies, step in ((0, ROWS), (1, 1)):
            given = np.flatnonzero(self.varying[:first] == varies)
            self.row_of[given] = np.arange(len(given))
            mine = self.varying[slots] == varies
            self._lay_out(slots[mine], keys[mine], len(given), step)
        #: The row of each slot; of so many, a list would take five times the memory.
        self.row = array("q", self.row_of.tobytes())

    def _keys(self, slots: Any) -> Any:
        """A number per instruction: the same within a group, and increasing in the order in which groups run."""
        ranks = np.argsort(np.argsort(self.names))
        opcodes = self.opcodes[slots - self.first]
        counts = self.starts[slots - self.first + 1] - self.starts[slots - self.first]
        columns = self.operand_columns(slots)
        #: Which operands vary; instructions of one group agree on that.
        kinds = sum(self.varying[column].astype(np.int64) << j for j, column in enumerate(columns))
        wide: dict[int, list[int]] = {}
        known: dict[Any, int] = {}
        for place in np.flatnonzero(self._is_wide()[opcodes] | (counts > _COLUMNS)).tolist():
            slot = int(slots[place])
            wide[slot] = self.operands_of(slot).tolist()
            kind = slot if slot in self.sums else self.varying[wide[slot]].tobytes()
            kinds[place] = known.setdefault(kind, len(known))
            columns[0][place] = -1
        level = array("i", bytes(4 * len(self.varying)))
        for start in range(0, len(slots), _AT_ONCE):
            some = (column[start : start + _AT_ONCE].tolist() for column in (slots, *columns))
            for slot, x, y, z in zip(*some, strict=True):
                if x < 0:
                    level[slot] = 1 + max([level[o] for o in wide[slot]])
                    continue
                here, second, third = level[x], level[y], level[z]
                if second > here:
                    here = second
                level[slot] = 1 + (here if here > third else third)
        levels = np.array(level, np.int64)[slots]
        return (levels * len(ranks) + ranks[opcodes]) * (int(kinds.max(initial=0)) + 1) + kinds

    def _is_wide(self) -> Any:
        """Whether the instructions of an opcode have any number of operands."""
        return np.array([*(primitive.n_ary for primitive in self.plan.program.primitives), True])

    def _lay_out(self, slots: Any, keys: Any, given: int, step: int) -> None:
        """Sort slots into groups, and give them rows after those that are given; a group begins at a multiple."""
        order = np.argsort(keys, kind="stable")
        members, keys = slots[order], keys[order]
        bounds = np.flatnonzero(np.diff(keys, prepend=-1, append=-1))
        sizes = np.diff(bounds)
        rows = np.cumsum(np.concatenate([[given], sizes]) + -np.concatenate([[given], sizes]) % step)
        self.row_of[members] = np.arange(len(members)) + np.repeat(rows[:-1] - bounds[:-1], sizes)
        self.ranges.append(Ranges(members, bounds, rows[:-1]))
        self.rows[len(self.ranges) - 1] = int(rows[-1])

    def operands_of(self, slot: int) -> Any:
        """The slots of an instruction's operands."""
        if slot in self.sums:
            return np.array(self.sums[slot])
        return self.operands[self.starts[slot - self.first] : self.starts[slot - self.first + 1]]

    def groups(self, varies: int, which: Any = None) -> Iterator[Group]:
        """The uniform groups, or the varying ones, each on its own; some of them, or all."""
        members, bounds, first_rows = self.ranges[varies]
        for g in range(len(first_rows)) if which is None else which.tolist():
            first = int(first_rows[g])
            mine = members[bounds[g] : bounds[g + 1]]
            slots = np.stack([self.operands_of(slot) for slot in mine.tolist()], axis=1)
            operands = [(bool(self.varying[column[0]]), self.row_of[column]) for column in slots]
            yield Group(self.name_of(mine[0]), first, first + len(mine), operands)

    def operand_columns(self, slots: Any) -> list[Any]:
        """The first operands of instructions, the second, and the third. What has fewer operands repeats its last one,
        which changes neither level nor kind."""
        starts = self.starts[slots - self.first]
        counts = self.starts[slots - self.first + 1] - starts
        return [self.operands[starts + np.minimum(j, counts - 1)] for j in range(_COLUMNS)]

    def uniform_names(self) -> set[str]:
        """The primitives of the uniform instructions."""
        return {self.names[opcode] for opcode in np.unique(self.opcodes[self.ranges[0].members - self.first]).tolist()}

    def name_of(self, slot: int) -> str:
        """The primitive of an instruction."""
        return self.names[int(self.opcodes[slot - self.first])]
