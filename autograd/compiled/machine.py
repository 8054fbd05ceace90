"""Machine code: a plan written out as one function of explicit vectors, forward and backward fused, sums taken inside.

For programs small enough: compiling takes about 0.15 ms an instruction, and more than that beyond a few thousand.
"""

from __future__ import annotations

import ctypes

from autograd.compiled import driver
from autograd.compiled.jit import load
from autograd.compiled.native import NativeReplay
from autograd.compiled.plan import Plan
from autograd.compiled.reduction import LANES
from autograd.number_systems import llvm_kernels
from autograd.number_systems.llvm import Emitter, Register
from autograd.primitives import Primitive

#: Numbers of four lanes that a kernel is called for at once, at most.
TOGETHER = 8


class MachineReplay(NativeReplay):
    """A plan as machine code of its own."""

    name = "machine"

    def __init__(self, plan: Plan, threads: int = 1, *, fast: bool = False) -> None:
        super().__init__(plan, threads)
        self._fast = fast
        self.library = load(self.text(fast=fast), "run")
        self._run = self.library.function("run", ctypes.c_void_p)

    def start(self, table: driver.Table) -> None:
        self._run(table.pointer)

    @property
    def ir(self) -> str:
        """The module as it was compiled, made again: reports show it, and nothing keeps it."""
        return self.text(fast=self._fast)

    def text(self, *, fast: bool = False) -> str:
        """The module, as text."""
        plan, row = self.plan, self.levels.row
        program, varying = plan.program, plan.varying
        emitter = Emitter(LANES, llvm_kernels.call, contract=fast)
        kind, lines, first = emitter.number_type, emitter.lines, program.first_instruction
        registers: dict[int, Register] = {}
        lines += ["%sample = shl i64 %i, 2"]
        for place, slot in enumerate(self.columns):
            registers[slot] = _column(emitter, place)
        summed: dict[int, list[int]] = {}
        kept: dict[int, list[int]] = {}
        for where, outputs in ((summed, self.summed), (kept, self.kept)):
            for place, (_, slot) in enumerate(outputs):
                where.setdefault(slot, []).append(place)

        calls = _GatheredCalls(emitter)

        def finish(results: dict[int, Register]) -> None:
            registers.update(results)
            for slot in results:
                put(slot)

        def operand(slot: int) -> Register:
            if varying[slot]:
                if slot not in registers:
                    finish(calls.wanted(slot))
                return registers[slot]
            if program.inputs <= slot < first:
                return emitter.number(program.constants[slot - program.inputs])
            at = emitter.name()
            lines.append(f"{at} = getelementptr double, ptr %uniform, i64 {row[slot]}")
            one = emitter.line(f"load double, ptr {at}, align 8, !invariant.load !0")
            inserted = emitter.line(f"insertelement {kind} poison, double {one.text}, i64 0")
            return emitter.line(f"shufflevector {kind} {inserted.text}, {kind} poison, <{LANES} x i32> zeroinitializer")

        def put(slot: int) -> None:
            """Send a number to the outputs that it is, as soon as it is known."""
            number = emitter.as_number(registers[slot]).text
            for place in summed.get(slot, ()):
                at = emitter.name()
                lines.append(f"{at} = getelementptr {kind}, ptr %lanes, i64 {place}")
                so_far = emitter.line(f"load {kind}, ptr {at}, align 32")
                total = emitter.line(f"fadd {kind} {so_far.text}, {number}")
                lines.append(f"store {kind} {total.text}, ptr {at}, align 32")
            for place in kept.get(slot, ()):
                at, here = emitter.name(), emitter.name()
                lines.append(f"{at} = getelementptr ptr, ptr %outputs, i64 {place}")
                array = emitter.line(f"load ptr, ptr {at}, align 8, !invariant.load !0")
                lines.append(f"{here} = getelementptr {kind}, ptr {array.text}, i64 %i")
                lines.append(f"store {kind} {number}, ptr {here}, align 8")

        for slot in self.columns:
            if slot in summed or slot in kept:
                put(slot)
        for slot, (primitive, operands) in enumerate(program.instructions(), start=first):
            if not varying[slot]:
                continue
            if calls.takes(primitive):
                finish(calls.call(slot, primitive.name, operand(operands[0])))
            else:
                finish({slot: emitter.apply(primitive.name, *[operand(o) for o in operands])})
        finish(calls.rest())
        head = (
            "define internal void @block(ptr %table, ptr noalias %columns, ptr noalias %strides, ptr noalias %lanes, "
            "ptr noalias %outputs, "
            "i64 %first, i64 %last) {"
        )
        return "\n".join(
            [
                *sorted(emitter.declarations),
                *emitter.functions.values(),
                head,
                "entry:",
                f"%uniform.at = getelementptr i64, ptr %table, i64 {driver.FIELDS.index('uniform')}",
                "%uniform = load ptr, ptr %uniform.at, align 8",
                "br label %loop",
                "loop:",
                "%i = phi i64 [%first, %entry], [%next, %loop]",
                *lines,
                "%next = add i64 %i, 1",
                "%more = icmp slt i64 %next, %last",
                "br i1 %more, label %loop, label %done",
                "done:",
                "ret void",
                "}",
                "!0 = !{}",
                driver.TEXT,
            ]
        )


class _GatheredCalls:
    """Kernels are called for several numbers at once, whose steps do not wait for each other.

    A call waits until ``TOGETHER`` of its kind are there, or until somebody wants its result.
    """

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._waiting: dict[str, list[tuple[int, Register]]] = {}

    def takes(self, primitive: Primitive) -> bool:
        """Whether a primitive is a kernel of one number."""
        return primitive.name in llvm_kernels.KERNELS and primitive.arity == 1

    def call(self, slot: int, name: str, x: Register) -> dict[int, Register]:
        """The results of this call and of those that waited for it; of none if this one waits now."""
        waiting = self._waiting.setdefault(name, [])
        waiting.append((slot, self._emitter.as_number(x)))
        return self._results(name) if len(waiting) == TOGETHER else {}

    def wanted(self, slot: int) -> dict[int, Register]:
        """The results of a call that waits, and of those that wait with it."""
        return self._results(next(name for name, calls in self._waiting.items() if slot in dict(calls)))

    def rest(self) -> dict[int, Register]:
        """The results of all that wait."""
        return {slot: number for name in list(self._waiting) for slot, number in self._results(name).items()}

    def _results(self, name: str) -> dict[int, Register]:
        """The results of all waiting calls of a kernel, in as few calls of two to some power as they can be."""
        waiting, count = self._waiting.pop(name), TOGETHER
        found: dict[int, Register] = {}
        while waiting:
            while len(waiting) < count:
                count //= 2
            slots, numbers = zip(*waiting[:count], strict=True)
            found.update(zip(slots, llvm_kernels.call_together(self._emitter, name, numbers), strict=True))
            waiting = waiting[count:]
        return found


def _column(emitter: Emitter, place: int) -> Register:
    """Four samples of a column, which need not lie side by side."""
    name, kind = f"%column{place}", emitter.number_type
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
