"""Loops as code for the interpreter's ``block``: the body once, over rows that move on from step to step.

All columns of loops with the same number of steps share one *frame* per step, and the frames lie one after the other;
so a column is a place in the frame, a step is a frame further, and a number of a column at one step is a row like any
other. Carries have rows of their own.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from autograd.compiled.backends.interpreter.rows import OF_COLUMNS, CodeWriter
from autograd.compiled.backends.interpreter.words import LOAD, MOVE, NEXT, REPEAT, SAMPLES
from autograd.compiled.backends.native.chains import Chain, as_chain, chains
from autograd.compiled.backends.native.columns import ColumnWriter
from autograd.compiled.backends.native.operations import operations
from autograd.compiled.backends.reduction import LANES
from autograd.compiled.programs import loops
from autograd.compiled.programs.loops import FINAL, Loop
from autograd.primitives import Primitive
from autograd.program import Program

#: Bytes of a block's columns from which on blocks are made of fewer samples.
MOST_BYTES = 1 << 20

#: The same of its other rows: a long chain whose numbers are all wanted on the way back has one for each.
MOST_BYTES_OF_ROWS = 1 << 26


class Column(NamedTuple):
    """A place in the frames of loops with so many steps."""

    steps: int
    place: int


class LoopWriter(ColumnWriter[Column, int]):
    """Writes the instructions of columns into the code of a block."""

    def __init__(self, program: Program, inputs: Sequence[int], uses: Sequence[int], code: CodeWriter) -> None:
        super().__init__(program, inputs, uses)
        self._code = code
        #: Places in the frame of loops with so many steps.
        self._width: Counter[int] = Counter()
        #: A column, and the step; ``None`` for the step that the loop is at.
        self._references: list[tuple[Column, int | None]] = []
        #: Where a ``repeat`` stands among the words, and its loop.
        self._repeats: list[tuple[int, Loop]] = []
        #: Loops and carries whose last number is wanted.
        self._wanted = {
            (operands[0], loops.which(program, operands))
            for row, operands in (program.instructions() if loops.has_loops(program) else ())
            if row is FINAL
        }
        #: The program's slot of each constant.
        numbers = np.array(program.constants)
        self._constants = {number.tobytes(): program.inputs + i for i, number in enumerate(numbers)}

    def _expect(self, slot: int, of_samples: dict[int, int], steps: int) -> dict[int, int]:
        return of_samples

    def _set(self, slot: int, number: int) -> None:
        self._code.rows_of[slot] = number

    def _at(self, column: Column, step: int | None = None) -> int:
        self._references.append((column, step))
        return OF_COLUMNS + len(self._references) - 1

    def vectors(self, rows: int, numbers: int) -> int:
        """Vectors of a block, so that its columns do not take too much memory, nor all its rows.

        Args:
            rows: those besides columns.
            numbers: the samples of a vector.
        """
        of_columns = sum(steps * width for steps, width in self._width.items())
        samples = SAMPLES
        most = min(MOST_BYTES / (of_columns or 1), MOST_BYTES_OF_ROWS / (rows or 1))
        while samples > LANES and samples * 8 > most:
            samples //= 2
        return samples // numbers

    def placed(self, rows: int, vectors: int, words: array[int]) -> tuple[list[int], list[bool], int]:
        """For each reference to a column its row and whether it moves; how many rows there are now.

        The words of the loops' beginnings are filled in.
        """
        start: dict[int, int] = {}
        for steps, width in self._width.items():
            start[steps] = rows
            rows += steps * width
        for at, loop in self._repeats:
            stride = self._width[loop.steps] * vectors
            words[at + 2], words[at + 3] = (stride * (loop.steps - 1), -stride) if loop.is_reverse else (0, stride)
        places = [
            start[column.steps] + (step or 0) * self._width[column.steps] + column.place
            for column, step in self._references
        ]
        if rows * vectors > 1 << 28:
            raise NotImplementedError("the interpreter has no room for columns of so many steps")
        return places, [step is None for _, step in self._references], rows

    def _new(self, steps: int) -> Column:
        self._width[steps] += 1
        return Column(steps, self._width[steps] - 1)

    def _move(self, to: int, reference: int) -> None:
        self._code.emit(MOVE)
        self._code.refer(to, reference)

    def _stack(self, slot: int, operands: Sequence[int]) -> Column:
        column = self._new(len(operands))
        for step, o in enumerate(operands):
            to = self._at(column, step)
            if o in self._loaded_here:
                self._code.emit(LOAD)
                self._code.refer(to)
                self._code.emit(self._loaded_here[o])
            else:
                self._move(to, self._code.reference(o))
                self._code.release(o)
        return column

    def _loop(self, slot: int, loop: Loop, operands: Sequence[int]) -> tuple[list[Column], list[int]]:
        code, program = self._code, loop.program()
        carries, shared, elements = loop.counts
        begin = carries + shared
        of: dict[int, int] = {}  # a reference for each number of the body
        rows = [code.new_row() for _ in range(carries)]
        for row, o in zip(rows, operands, strict=False):
            self._move(row, code.reference(o))
        for place, o in zip(loop.inputs[carries:begin], operands[carries:begin], strict=True):
            of[place] = code.reference(o)
        for place, o in zip(loop.inputs[begin:], operands[begin : begin + elements], strict=True):
            of[place] = self._at(self._columns[o])
        of.update(zip(loop.inputs, rows, strict=False))
        for i, number in enumerate(np.array(program.constants), start=program.inputs):
            of[i] = code.reference(self._constants[number.tobytes()])
        self._repeats.append((len(code.words), loop))
        code.emit(REPEAT, loop.steps, 0, 0)
        start = len(code.words)
        results, own = self._body(program, carries, loop, of)
        self._carry(rows, [of[o] for o in program.outputs[:carries]])
        code.emit(NEXT, len(code.words) - start)
        for reference in own:
            code.free_row(reference)
        for k, row in enumerate(rows):
            if (slot, k) not in self._wanted:
                code.free_row(row)
        code.release(*operands)
        return results, rows

    def _body(self, program: Program, carries: int, loop: Loop, of: dict[int, int]) -> tuple[list[Column], set[int]]:
        """Write the instructions of a body; ``of`` then knows the next carries.

        Returns:
            The columns of the results, and the rows to be freed at the end of the loop.
        """
        code, known = self._code, operations()
        columns = [self._new(loop.steps) for _ in loop.results]
        into: dict[int, list[Column]] = {}
        for column, o in zip(columns, program.outputs[carries:], strict=True):
            into.setdefault(o, []).append(column)
        for o in [o for o in into if o < program.first_instruction]:
            for column in into.pop(o):
                self._move(self._at(column), of[o])
        first = program.first_instruction
        outputs = set(program.outputs)
        uses = Counter(program.operands)
        instructions = dict(enumerate(program.instructions(), start=first))
        sums, inside = chains(
            {o: xs for o, (_, xs) in instructions.items()},
            lambda o: instructions[o][0].name if o in instructions else "",
            lambda o: uses[o] == 1 and o not in outputs and o in instructions,
        )
        uses.update(program.outputs[:carries])
        carried = self._in_place(program, carries, loop, instructions, sums)
        own: set[int] = set()
        for o, (primitive, operands) in instructions.items():
            if o in inside:
                continue
            is_sum = o in sums or primitive.name == "dot"
            start, pairs = (sums[o] if o in sums else as_chain(operands)) if is_sum else (None, [])
            used = [*([] if start is None else [start]), *(x for pair in pairs for x in pair)] if is_sum else operands
            references = [of[x] for x in used]
            if o in into:
                of[o] = self._at(into[o].pop())
            elif o in carried:
                of[o] = of[carried[o]]
            else:
                of[o] = code.new_row()
                own.add(of[o])
            if is_sum:
                code.sum_of_products(of[o], None if start is None else references.pop(0), references)
            else:
                code.emit(known[primitive.name])
                code.refer(of[o], *references)
            for column in into.get(o, ()):
                self._move(self._at(column), of[o])
            for x in used:
                uses[x] -= 1
                if not uses[x] and of[x] in own:
                    own.remove(of[x])
                    code.free_row(of[x])
        return columns, own

    @staticmethod
    def _in_place(
        program: Program,
        carries: int,
        loop: Loop,
        instructions: Mapping[int, tuple[Primitive, Sequence[int]]],
        sums: Mapping[int, Chain],
    ) -> dict[int, int]:
        """Instructions that may write the next carry over the carry: the carry is not read after them."""
        last: dict[int, int] = {}
        inside: dict[int, int] = {}  # a product is read where its sum is taken
        for o, (start, pairs) in sums.items():
            for x in [*([] if start is None else [start]), *(x for pair in pairs for x in pair)]:
                inside[x] = max(o, inside.get(x, o))
        for o, (_, operands) in instructions.items():
            for x in operands:
                last[x] = max(o, inside.get(x, o))
        outputs = program.outputs[:carries]
        return {
            o: place
            for o, place in zip(outputs, loop.inputs, strict=False)
            if o in instructions and last.get(place, -1) <= o and place not in outputs and outputs.count(o) == 1
        }

    def _carry(self, rows: Sequence[int], following: Sequence[int]) -> None:
        """Move the next carries to the rows of the carries, all at once."""
        changed = [(row, x) for row, x in zip(rows, following, strict=True) if row != x]
        saved: dict[int, int] = {}
        for _, x in changed:
            if x in rows and x not in saved:
                saved[x] = self._code.new_row()
                self._move(saved[x], x)
        for row, x in changed:
            self._move(row, saved.get(x, x))
        for row in saved.values():
            self._code.free_row(row)
