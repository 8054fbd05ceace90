"""Recorded loops in native code: what interpreter and machine code have in common.

A loop takes and gives *columns*, which hold one number for each of its steps (``programs.loops``). Here is which column
each instruction makes or reads; how that is written is a method of each back end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from autograd.compiled.programs import loops
from autograd.compiled.programs.loops import COLUMN, FINAL, STACK, Loop
from autograd.primitives import Primitive
from autograd.program import Program

#: How a back end knows a column, and how it knows a number.
C = TypeVar("C")
N = TypeVar("N")


class ColumnWriter(Generic[C, N]):
    """Writes the instructions of columns; a back end says how, in the methods that raise here.

    Args:
        inputs: those of the program that differ by sample, in the order of the columns of samples.
        uses: how often each slot is an operand or an output.
    """

    def __init__(self, program: Program, inputs: Sequence[int], uses: Sequence[int]) -> None:
        self._program = program
        self._columns: dict[int, C] = {}
        #: Per loop, the last numbers of its carries and the columns of its results.
        self._finals: dict[int, Sequence[N]] = {}
        self._results: dict[int, Sequence[C]] = {}
        #: Inputs of the program that are put into a column straight away: input → place among the columns of samples.
        self._loaded_here: dict[int, int] = {}
        if not loops.has_loops(program):
            return
        place = {slot: i for i, slot in enumerate(inputs)}
        for slot, (row, operands) in enumerate(program.instructions(), start=program.first_instruction):
            if row is STACK:
                of_samples = {o: place[o] for o in operands if o in place and uses[o] == 1}
                self._loaded_here |= self._expect(slot, of_samples, len(operands))

    def is_loaded_here(self, slot: int) -> bool:
        """Whether an input of the program is put into a column straight away, and known nowhere else."""
        return slot in self._loaded_here

    def write(self, slot: int, row: Primitive, operands: Sequence[int]) -> bool:
        """Write an instruction, if it is one of columns."""
        if row.name not in loops.NAMES:
            return False
        loop = loops.of(row)
        if row is STACK:
            self._columns[slot] = self._stack(slot, operands)
        elif loop is not None:
            self._results[slot], self._finals[slot] = self._loop(slot, loop, operands)
        else:
            source, which = operands[0], loops.which(self._program, operands)
            if row is COLUMN:
                self._columns[slot] = self._results[source][which]
            else:
                self._set(slot, self._finals[source][which] if row is FINAL else self._at(self._columns[source], which))
        return True

    def _expect(self, slot: int, of_samples: dict[int, int], steps: int) -> dict[int, int]:
        """Those of the numbers of a column that will be put there straight from the columns of samples.

        Args:
            of_samples: the inputs that go into this column and nowhere else → their places.
        """
        raise NotImplementedError

    def _set(self, slot: int, number: N) -> None:
        """From now on the slot has this number."""
        raise NotImplementedError

    def _at(self, column: C, step: int) -> N:
        """The number of a column at a step."""
        raise NotImplementedError

    def _stack(self, slot: int, operands: Sequence[int]) -> C:
        """The column of these numbers."""
        raise NotImplementedError

    def _loop(self, slot: int, loop: Loop, operands: Sequence[int]) -> tuple[Sequence[C], Sequence[N]]:
        """The columns of the results of a loop, and its last carries."""
        raise NotImplementedError
