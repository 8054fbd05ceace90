"""Loops in machine code: the body once, carries in registers, columns in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from autograd.compiled.backends.reduction import LANES
from autograd.compiled.programs import loops
from autograd.compiled.programs.loops import AT, COLUMN, FINAL, STACK, Loop
from autograd.number_systems.llvm import Emitter, Register
from autograd.primitives import Primitive
from autograd.program import Program

if TYPE_CHECKING:
    from autograd.compiled.backends.machine_code import StraightCode


class LoopWriter:
    """Writes the instructions of columns among the lines of a block.

    A column is a run of vectors in the block's memory, one for each step.

    Args:
        code: the code around the loops.
        straight: makes the code of a body.
    """

    def __init__(self, emitter: Emitter, code: StraightCode, straight: Callable[..., StraightCode]) -> None:
        self._emitter = emitter
        self._code = code
        self._straight = straight
        #: The name of the basic block that lines go to now.
        self.block = "loop"
        #: Vectors of memory so far.
        self.vectors = 0
        self._program: Program
        self._columns: dict[int, int] = {}
        self._finals: dict[int, list[Register]] = {}
        self._results: dict[int, list[int]] = {}
        #: Columns that are filled by a loop: the place of their first input among the columns of samples, and the step.
        self._runs: dict[int, tuple[int, int]] = {}
        self._loaded_here: set[int] = set()

    def expect(self, program: Program, inputs: Sequence[int], uses: Mapping[int, int]) -> None:
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

    def _begin(self, first: int) -> tuple[str, str]:
        """The head of a loop: its label, and the step."""
        label = self._emitter.name()[1:]
        step = f"%{label}.step"
        self._emitter.lines += [
            f"br label %{label}",
            f"{label}:",
            f"{step} = phi i64 [{first}, %{self.block}], [{step}.next, %{label}]",
        ]
        self.block = label
        return label, step

    def _end(self, label: str, step: str, by: int, last: int) -> None:
        self._emitter.lines += [
            f"{step}.next = add i64 {step}, {by}",
            f"{step}.more = icmp ne i64 {step}, {last}",
            f"br i1 {step}.more, label %{label}, label %{label}.end",
            f"{label}.end:",
        ]
        self.block = f"{label}.end"

    def _stack(self, slot: int, operands: Sequence[int]) -> None:
        self._columns[slot] = start = self._new_column(len(operands))
        if slot not in self._runs:
            for t, o in enumerate(operands):
                self._store(self._code.number(o), str(start + t))
            return
        first, stride = self._runs[slot]
        label, step = self._begin(0)
        further = self._emitter.line(f"mul i64 {step}, {stride}").text
        place = self._emitter.line(f"add i64 {further}, {first}").text
        number = column(self._emitter, f"%{label}.column", place).text
        self._store(number, self._emitter.line(f"add i64 {step}, {start}").text)
        self._end(label, step, 1, len(operands) - 1)

    def _loop(self, slot: int, loop: Loop, operands: Sequence[int]) -> None:
        emitter, program, kind = self._emitter, loop.program(), self._emitter.number_type
        carries, shared, elements = loop.counts
        begin = carries + shared
        first = [self._code.number(o) for o in operands[:carries]]
        around = {
            place: self._code.operand(o)
            for place, o in zip(loop.inputs[carries:], operands[carries:begin], strict=False)
        }
        before = self.block
        label, step = self._begin(loop.steps - 1 if loop.is_reverse else 0)
        heads = len(emitter.lines)
        body = self._straight(emitter, lambda o: emitter.number(program.constants[o - program.inputs]))
        body.registers.update(around)
        for i, place in enumerate(loop.inputs[:carries]):
            body.registers[place] = Register(emitter, f"%{label}.carry{i}")
        for place, o in zip(loop.inputs[begin:], operands[begin : begin + elements], strict=True):
            body.registers[place] = self._load(emitter.line(f"add i64 {step}, {self._columns[o]}").text)
        for o, (primitive, xs) in enumerate(program.instructions(), start=program.first_instruction):
            body.compute(o, primitive, xs)
        body.end()
        self._results[slot] = [self._new_column(loop.steps) for _ in loop.results]
        for start, o in zip(self._results[slot], program.outputs[carries:], strict=True):
            self._store(body.number(o), emitter.line(f"add i64 {step}, {start}").text)
        following = [body.number(o) for o in program.outputs[:carries]]
        emitter.lines[heads:heads] = [
            f"%{label}.carry{i} = phi {kind} [{x}, %{before}], [{y}, %{label}]"
            for i, (x, y) in enumerate(zip(first, following, strict=True))
        ]
        self._finals[slot] = [Register(emitter, y) for y in following]
        by, last = (-1, 0) if loop.is_reverse else (1, loop.steps - 1)
        self._end(label, step, by, last)


def column(emitter: Emitter, name: str, place: str) -> Register:
    """Four samples of a column of samples, which need not lie side by side."""
    kind = emitter.number_type
    emitter.lines += [
        f"{name}.at = getelementptr ptr, ptr %columns, i64 {place}",
        f"{name} = load ptr, ptr {name}.at, align 8, !invariant.load !0",
        f"{name}.stride.at = getelementptr i64, ptr %strides, i64 {place}",
        f"{name}.stride = load i64, ptr {name}.stride.at, align 8, !invariant.load !0",
        f"{name}.first = mul i64 %sample, {name}.stride",
        f"{name}.p0 = getelementptr double, ptr {name}, i64 {name}.first",
    ]
    vector = "poison"
    for lane in range(LANES):
        if lane:
            emitter.lines.append(f"{name}.p{lane} = getelementptr double, ptr {name}.p{lane - 1}, i64 {name}.stride")
        one = emitter.line(f"load double, ptr {name}.p{lane}, align 8")
        vector = emitter.line(f"insertelement {kind} {vector}, double {one.text}, i64 {lane}").text
    return Register(emitter, vector)
