"""Loops in machine code: the body once, carries in registers, columns in memory."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.compiled.backends.machine.counted_loops import Counted
from autograd.compiled.backends.machine.operands import column
from autograd.compiled.backends.machine.straight import StraightCode
from autograd.compiled.programs import loops
from autograd.compiled.programs.loops import AT, COLUMN, FINAL, STACK, Loop
from autograd.number_systems.llvm.emitter import Emitter, Register
from autograd.primitives import Primitive
from autograd.program import Program


class LoopWriter:
    """Writes the instructions of columns among the lines of a block.

    A column is a run of vectors in the block's memory, one for each step.

    Args:
        code: the code around the loops.
    """

    def __init__(self, emitter: Emitter, counted: Counted, code: StraightCode) -> None:
        self._emitter = emitter
        self._counted = counted
        self._code = code
        #: Vectors of memory so far.
        self.vectors = 0
        self._program: Program
        self._columns: dict[int, int] = {}
        self._finals: dict[int, list[Register]] = {}
        self._results: dict[int, list[int]] = {}
        #: Columns that are filled by a loop: the place of their first input among the columns of samples, and the step.
        self._runs: dict[int, tuple[int, int]] = {}
        self._loaded_here: set[int] = set()

    def expect(self, program: Program, inputs: Sequence[int], uses: Sequence[int]) -> None:
        """Look at the program before it is written.

        Args:
            inputs: those that differ by sample, in the order of the columns of samples.
            uses: how often each slot is an operand or an output.
        """
        self._program = program
        if not loops.has_loops(program):
            return
        place = {slot: i for i, slot in enumerate(inputs)}
        for slot, (row, operands) in enumerate(program.instructions(), start=program.first_instruction):
            if row is STACK and all(o in place and uses[o] == 1 for o in operands):
                places = [place[o] for o in operands]
                step = places[1] - places[0] if len(places) > 1 else 0
                if places == [places[0] + step * t for t in range(len(places))]:
                    self._runs[slot] = places[0], step
                    self._loaded_here.update(operands)

    def is_loaded_here(self, slot: int) -> bool:
        """Whether an input goes into a column and nowhere else."""
        return slot in self._loaded_here

    def write(self, slot: int, row: Primitive, operands: Sequence[int]) -> bool:
        """Write an instruction, if it is one of columns."""
        loop = loops.of(row)
        if row is STACK:
            self._stack(slot, operands)
        elif row is FINAL:
            self._code.set(slot, self._finals[operands[0]][loops.which(self._program, operands)])
        elif row is COLUMN:
            self._columns[slot] = self._results[operands[0]][loops.which(self._program, operands)]
        elif row is AT:
            self._code.set(slot, self._load(str(self._columns[operands[0]] + loops.which(self._program, operands))))
        elif loop is not None:
            self._loop(slot, loop, operands)
        else:
            return False
        return True

    def _new_column(self, steps: int) -> int:
        self.vectors += steps
        return self.vectors - steps

    def _at(self, place: str) -> str:
        at = self._emitter.name()
        self._emitter.lines.append(f"{at} = getelementptr {self._emitter.number_type}, ptr %memory, i64 {place}")
        return at

    def _load(self, place: str) -> Register:
        return self._emitter.line(f"load {self._emitter.number_type}, ptr {self._at(place)}, align 32")

    def _store(self, number: str, place: str) -> None:
        at = self._at(place)
        self._emitter.lines.append(f"store {self._emitter.number_type} {number}, ptr {at}, align 32")

    def _stack(self, slot: int, operands: Sequence[int]) -> None:
        self._columns[slot] = start = self._new_column(len(operands))
        if slot not in self._runs:
            for t, o in enumerate(operands):
                self._store(self._code.number(o), str(start + t))
            return
        first, stride = self._runs[slot]
        run = self._counted.begin(0)
        further = self._emitter.line(f"mul i64 {run.step}, {stride}").text
        place = self._emitter.line(f"add i64 {further}, {first}").text
        number = column(self._emitter, f"%{run.label}.column", place).text
        self._store(number, self._emitter.line(f"add i64 {run.step}, {start}").text)
        self._counted.end(run, 1, len(operands) - 1)

    def _loop(self, slot: int, loop: Loop, operands: Sequence[int]) -> None:
        emitter, program = self._emitter, loop.program()
        carries, shared, elements = loop.counts
        begin = carries + shared
        first = [self._code.number(o) for o in operands[:carries]]
        around = {
            place: self._code.operand(o)
            for place, o in zip(loop.inputs[carries:], operands[carries:begin], strict=False)
        }
        steps = self._counted.begin(loop.steps - 1 if loop.is_reverse else 0)
        names = [f"%{steps.label}.carry{i}" for i in range(carries)]
        body = StraightCode(emitter, lambda o: emitter.number(program.constants[o - program.inputs]))
        body.registers.update(around)
        for place, name in zip(loop.inputs[:carries], names, strict=True):
            body.registers[place] = Register(emitter, name)
        for place, o in zip(loop.inputs[begin:], operands[begin : begin + elements], strict=True):
            body.registers[place] = self._load(emitter.line(f"add i64 {steps.step}, {self._columns[o]}").text)
        for o, (primitive, xs) in enumerate(program.instructions(), start=program.first_instruction):
            body.compute(o, primitive, xs)
        body.end()
        self._results[slot] = [self._new_column(loop.steps) for _ in loop.results]
        for start, o in zip(self._results[slot], program.outputs[carries:], strict=True):
            self._store(body.number(o), emitter.line(f"add i64 {steps.step}, {start}").text)
        following = [body.number(o) for o in program.outputs[:carries]]
        self._counted.carry(steps, names, first, following)
        self._finals[slot] = [Register(emitter, y) for y in following]
        by, last = (-1, 0) if loop.is_reverse else (1, loop.steps - 1)
        self._counted.end(steps, by, last)
