"""Loops in machine code: the body once, carries in registers, columns in memory."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.compiled.backends.machine.counted_loops import CountedLoops
from autograd.compiled.backends.machine.operands import column
from autograd.compiled.backends.machine.straight import StraightCode
from autograd.compiled.backends.native.columns import ColumnWriter
from autograd.compiled.programs.loops import Loop
from autograd.number_systems.llvm.emitter import Emitter, Register
from autograd.program import Program


class LoopWriter(ColumnWriter[int, Register]):
    """Writes the instructions of columns among the lines of a block.

    A column is a run of vectors in the block's memory, one for each step, known by the first.

    Args:
        code: the code around the loops.
    """

    def __init__(
        self,
        program: Program,
        inputs: Sequence[int],
        uses: Sequence[int],
        emitter: Emitter,
        counted: CountedLoops,
        code: StraightCode,
    ) -> None:
        #: Columns that are filled by a loop: the place of their first input among the columns of samples, and the step.
        self._runs: dict[int, tuple[int, int]] = {}
        super().__init__(program, inputs, uses)
        self._emitter = emitter
        self._counted = counted
        self._code = code
        #: Vectors of memory so far.
        self.vectors = 0

    def _expect(self, slot: int, of_samples: dict[int, int], steps: int) -> dict[int, int]:
        places = list(of_samples.values())
        step = places[1] - places[0] if len(places) > 1 else 0
        if not places or places != [places[0] + step * t for t in range(steps)]:
            return {}
        self._runs[slot] = places[0], step
        return of_samples

    def _set(self, slot: int, number: Register) -> None:
        self._code.set(slot, number)

    def _at(self, column: int, step: int) -> Register:
        return self._load(str(column + step))

    def _new_column(self, steps: int) -> int:
        self.vectors += steps
        return self.vectors - steps

    def _address(self, place: str) -> str:
        at = self._emitter.name()
        self._emitter.lines.append(f"{at} = getelementptr {self._emitter.number_type}, ptr %memory, i64 {place}")
        return at

    def _load(self, place: str) -> Register:
        emitter = self._emitter
        return emitter.line(f"load {emitter.number_type}, ptr {self._address(place)}, align {8 * emitter.width}")

    def _store(self, number: str, place: str) -> None:
        at, emitter = self._address(place), self._emitter
        emitter.lines.append(f"store {emitter.number_type} {number}, ptr {at}, align {8 * emitter.width}")

    def _stack(self, slot: int, operands: Sequence[int]) -> int:
        start = self._new_column(len(operands))
        if slot not in self._runs:
            for t, o in enumerate(operands):
                self._store(self._code.number(o), str(start + t))
            return start
        first, stride = self._runs[slot]
        run = self._counted.begin(0)
        further = self._emitter.line(f"mul i64 {run.step}, {stride}").text
        place = self._emitter.line(f"add i64 {further}, {first}").text
        number = column(self._emitter, f"%{run.label}.column", place).text
        self._store(number, self._emitter.line(f"add i64 {run.step}, {start}").text)
        self._counted.end(run, 1, len(operands) - 1)
        return start

    def _loop(self, slot: int, loop: Loop, operands: Sequence[int]) -> tuple[list[int], list[Register]]:
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
        results = [self._new_column(loop.steps) for _ in loop.results]
        for start, o in zip(results, program.outputs[carries:], strict=True):
            self._store(body.number(o), emitter.line(f"add i64 {steps.step}, {start}").text)
        following = [body.number(o) for o in program.outputs[:carries]]
        self._counted.carry(steps, names, first, following)
        by, last = (-1, 0) if loop.is_reverse else (1, loop.steps - 1)
        self._counted.end(steps, by, last)
        return results, [Register(emitter, y) for y in following]
