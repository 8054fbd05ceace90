"""The text of machine code: a plan as one function ``block`` over groups of four samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from autograd.compiled.backends import driver
from autograd.compiled.backends.machine_loops import LoopWriter, column
from autograd.compiled.backends.reduction import LANES
from autograd.compiled.backends.replay import Replay, places_of
from autograd.number_systems import llvm_kernels
from autograd.number_systems.llvm import Emitter, Register
from autograd.primitives import Primitive

#: Numbers of four lanes that a kernel is called for at once, at most: measured, the least time a number. The long
#: polynomials of the error functions need the registers for themselves.
TOGETHER = 8
TOGETHER_OF = {"erf": 2, "erfc": 2, "gelu": 2}

_HEAD = (
    "define internal void @block(ptr %table, ptr noalias %columns, ptr noalias %strides, ptr noalias %lanes, "
    "ptr noalias %outputs, i64 %first, i64 %last) {"
)


class StraightCode:
    """Instructions one after the other, their numbers in registers.

    Args:
        outside: the number of a slot that no instruction here computes.
        known: called with each slot whose number is known now.
    """

    def __init__(
        self, emitter: Emitter, outside: Callable[[int], Register], known: Callable[[int], None] = lambda slot: None
    ) -> None:
        self._emitter = emitter
        self._outside = outside
        self._known = known
        self._calls = _GatheredCalls(emitter)
        self.registers: dict[int, Register] = {}

    def operand(self, slot: int) -> Register:
        """The number of a slot."""
        if slot not in self.registers:
            if not self._calls.waits(slot):
                return self._outside(slot)
            self._finish(self._calls.wanted(slot))
        return self.registers[slot]

    def number(self, slot: int) -> str:
        """The number of a slot as text, a truth as 1.0 or 0.0."""
        return self._emitter.as_number(self.operand(slot)).text

    def set(self, slot: int, number: Register) -> None:
        """A number that is known."""
        self._finish({slot: number})

    def compute(self, slot: int, primitive: Primitive, operands: Sequence[int]) -> None:
        """An instruction of a primitive."""
        if self._calls.takes(primitive):
            self._finish(self._calls.call(slot, primitive.name, self.operand(operands[0])))
        else:
            self._finish({slot: self._emitter.apply(primitive.name, *[self.operand(o) for o in operands])})

    def end(self) -> None:
        """Make the calls that still wait."""
        self._finish(self._calls.rest())

    def _finish(self, results: dict[int, Register]) -> None:
        self.registers.update(results)
        for slot in results:
            self._known(slot)


class BlockText:
    """The module of a replay; ``vectors`` is the memory for columns of loops that it needs."""

    def __init__(self, replay: Replay, *, fast: bool = False) -> None:
        self._replay = replay
        self._emitter = Emitter(LANES, llvm_kernels.call, contract=fast)
        self._lines = self._emitter.lines
        self._code = StraightCode(self._emitter, self._shared, self._put)
        self._summed, self._kept = places_of(replay.summed), places_of(replay.kept)
        self._loops = LoopWriter(self._emitter, self._code, StraightCode)
        self._write()
        self.vectors = self._loops.vectors

    def _write(self) -> None:
        program, varying = self._replay.plan.program, self._replay.plan.varying
        uses = Counter(program.operands)
        uses.update(program.outputs)
        self._lines.append("%sample = shl i64 %i, 2")
        self._loops.expect(program, self._replay.columns, uses)
        for place, slot in enumerate(self._replay.columns):
            if not self._loops.is_loaded_here(slot):
                self._code.registers[slot] = column(self._emitter, f"%column{place}", str(place))
        for slot in self._replay.columns:
            if slot in self._summed or slot in self._kept:
                self._put(slot)
        for slot, (primitive, operands) in enumerate(program.instructions(), start=program.first_instruction):
            if varying[slot] and not self._loops.write(slot, primitive, operands):
                self._code.compute(slot, primitive, operands)
        self._code.end()

    def _shared(self, slot: int) -> Register:
        """A number that all samples share."""
        emitter, program = self._emitter, self._replay.plan.program
        if program.inputs <= slot < program.first_instruction:
            return emitter.number(program.constants[slot - program.inputs])
        kind, at = emitter.number_type, emitter.name()
        self._lines.append(f"{at} = getelementptr double, ptr %uniform, i64 {self._replay.levels.row[slot]}")
        one = emitter.line(f"load double, ptr {at}, align 8, !invariant.load !0")
        inserted = emitter.line(f"insertelement {kind} poison, double {one.text}, i64 0")
        return emitter.line(f"shufflevector {kind} {inserted.text}, {kind} poison, <{LANES} x i32> zeroinitializer")

    def _put(self, slot: int) -> None:
        """Send a number to the outputs that it is, as soon as it is known."""
        if slot not in self._summed and slot not in self._kept:
            return
        emitter, kind, number = self._emitter, self._emitter.number_type, self._code.number(slot)
        for place in self._summed.get(slot, ()):
            at = emitter.name()
            self._lines.append(f"{at} = getelementptr {kind}, ptr %lanes, i64 {place}")
            so_far = emitter.line(f"load {kind}, ptr {at}, align 32")
            total = emitter.line(f"fadd {kind} {so_far.text}, {number}")
            self._lines.append(f"store {kind} {total.text}, ptr {at}, align 32")
        for place in self._kept.get(slot, ()):
            at, here = emitter.name(), emitter.name()
            self._lines.append(f"{at} = getelementptr ptr, ptr %outputs, i64 {place}")
            array = emitter.line(f"load ptr, ptr {at}, align 8, !invariant.load !0")
            self._lines.append(f"{here} = getelementptr {kind}, ptr {array.text}, i64 %i")
            self._lines.append(f"store {kind} {number}, ptr {here}, align 8")

    def __str__(self) -> str:
        fields = ("uniform", "memory") if self.vectors else ("uniform",)
        entry = [
            line
            for name in fields
            for line in (
                f"%{name}.at = getelementptr i64, ptr %table, i64 {driver.FIELDS.index(name)}",
                f"%{name} = load ptr, ptr %{name}.at, align 8",
            )
        ]
        return "\n".join(
            [
                *sorted(self._emitter.declarations),
                *self._emitter.functions.values(),
                _HEAD,
                "entry:",
                *entry,
                "br label %loop",
                "loop:",
                f"%i = phi i64 [%first, %entry], [%next, %{self._loops.block}]",
                *self._lines,
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

    A call waits until enough of its kind are there, or until somebody wants its result.
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
        return self._results(name) if len(waiting) == TOGETHER_OF.get(name, TOGETHER) else {}

    def waits(self, slot: int) -> bool:
        """Whether the call of a slot waits."""
        return any(slot == other for calls in self._waiting.values() for other, _ in calls)

    def wanted(self, slot: int) -> dict[int, Register]:
        """The results of a call that waits, and of those that wait with it."""
        return self._results(next(name for name, calls in self._waiting.items() if slot in dict(calls)))

    def rest(self) -> dict[int, Register]:
        """The results of all that wait."""
        return {slot: number for name in list(self._waiting) for slot, number in self._results(name).items()}

    def _results(self, name: str) -> dict[int, Register]:
        """The results of all waiting calls of a kernel, in as few calls of two to some power as they can be."""
        waiting, count = self._waiting.pop(name), TOGETHER_OF.get(name, TOGETHER)
        found: dict[int, Register] = {}
        while waiting:
            while len(waiting) < count:
                count //= 2
            slots, numbers = zip(*waiting[:count], strict=True)
            found.update(zip(slots, llvm_kernels.call_together(self._emitter, name, numbers), strict=True))
            waiting = waiting[count:]
        return found
