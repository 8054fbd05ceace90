"""The text of machine code: a plan as one function ``block`` over groups of four samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.compiled.backends import driver
from autograd.compiled.backends.counted import Counted
from autograd.compiled.backends.machine_layers import Layers
from autograd.compiled.backends.machine_loops import LoopWriter
from autograd.compiled.backends.machine_neurons import NeuronWriter
from autograd.compiled.backends.machine_operands import column, shared
from autograd.compiled.backends.reduction import LANES
from autograd.compiled.backends.replay import Replay, places_of
from autograd.number_systems import llvm_kernels
from autograd.number_systems.llvm import Emitter, Register
from autograd.primitives import Primitive

#: Numbers of four lanes that a kernel is called for at once, at most: measured, the least time a number. The long
#: polynomials of the error functions need the registers for themselves.
TOGETHER = 8
TOGETHER_OF = {"erf": 2, "erfc": 2, "gelu": 2}

GROUP = f"<{LANES} x double>"

#: Where a group's numbers of the tile lie.
_OF_TILE = (
    "%group = sub i64 %i, %tile",
    "%group.place = mul i64 %group, %width",
    f"%here = getelementptr {GROUP}, ptr %tile.memory, i64 %group.place",
)

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
    """The module of a replay; ``vectors`` is the memory that it needs."""

    def __init__(self, replay: Replay, layers: Layers, *, fast: bool = False) -> None:
        self._replay = replay
        self._layers = layers
        #: A summed or kept number's slot → its places among those.
        self._summed: dict[int, list[int]] = {}
        self._kept: dict[int, list[int]] = {}
        self._emitter = Emitter(LANES, llvm_kernels.call, contract=fast)
        self._lines = self._emitter.lines
        self._code = StraightCode(self._emitter, self._outside, self._put)
        self._counted = Counted(self._emitter, "loop")
        self._loops = LoopWriter(self._emitter, self._counted, self._code, StraightCode)
        self._neurons = NeuronWriter(layers, self._emitter, self._counted, self._code)
        self._write()
        self._last_block = self._counted.block
        self._lines_of_tile = self._write_tile()
        self._last_block_of_tile = self._counted.block
        self.vectors = self._loops.vectors + self._neurons.groups * self._neurons.width

    def _write(self) -> None:
        program, varying = self._replay.plan.program, self._replay.plan.varying
        starts, flat, first = program.starts, program.operands, program.first_instruction
        self._lines.append("%sample = shl i64 %i, 2")
        self._loops.expect(program, self._replay.columns, self._layers.uses)
        products = self._layers.products_left()
        self._summed = places_of(self._replay.summed, None if products else self._layers.end)
        self._kept = places_of(self._replay.kept)
        for place, slot in enumerate(self._replay.columns):
            if not self._loops.is_loaded_here(slot) and slot not in self._layers.columns:
                self._code.registers[slot] = column(self._emitter, f"%column{place}", str(place))
        for slot in self._replay.columns:
            if slot in self._summed or slot in self._kept:
                self._put(slot)
        for slot in (*range(first, self._layers.end), *products):
            if not varying[slot]:
                continue
            if slot in self._layers.inside:
                for neuron in self._neurons.write(slot):
                    self._put(neuron)
                continue
            i = slot - first
            primitive, xs = program.primitives[program.opcodes[i]], flat[starts[i] : starts[i + 1]]
            if not self._loops.write(slot, primitive, xs):
                self._code.compute(slot, primitive, xs)
        self._code.end()
        self._neurons.write_ends()

    def _write_tile(self) -> list[str]:
        """The lines that come after each tile of groups."""
        end = len(self._lines)
        self._counted.block = "tile.sums"
        self._lines += ["%tile.groups = sub i64 %tile.end, %tile", "%last.group = sub i64 %tile.groups, 1"]
        self._neurons.write_sums()
        lines = self._lines[end:]
        del self._lines[end:]
        return lines

    def _outside(self, slot: int) -> Register:
        """A number that is in no register: one in memory, or one that all samples share."""
        found = self._neurons.number(slot)
        if found is not None:
            return found
        program = self._replay.plan.program
        if program.inputs <= slot < program.first_instruction:
            return self._emitter.number(program.constants[slot - program.inputs])
        return shared(self._emitter, str(self._replay.levels.row[slot]))

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
                *(
                    f"{name} = private constant [{len(table)} x i64] [{', '.join(f'i64 {x}' for x in table)}]"
                    for table, name in self._neurons.tables.items()
                ),
                _HEAD,
                "entry:",
                *entry,
                *(self._tiles() if self._neurons.width else self._groups("%first", "entry", "%last", "done")),
                "done:",
                "ret void",
                "}",
                "!0 = !{}",
                driver.TEXT,
            ]
        )

    def _groups(self, first: str, before: str, last: str, after: str) -> list[str]:
        """The loop over groups of samples."""
        return [
            "br label %loop",
            "loop:",
            f"%i = phi i64 [{first}, %{before}], [%next, %{self._last_block}]",
            *(_OF_TILE if self._neurons.width else ()),
            *self._lines,
            "%next = add i64 %i, 1",
            f"%more = icmp slt i64 %next, {last}",
            f"br i1 %more, label %loop, label %{after}",
        ]

    def _tiles(self) -> list[str]:
        """The loop over tiles of groups, each with its place in memory."""
        return [
            f"%width = add i64 {self._neurons.width}, 0",
            f"%tile.memory = getelementptr {GROUP}, ptr %memory, i64 {self._loops.vectors}",
            "br label %tiles",
            "tiles:",
            f"%tile = phi i64 [%first, %entry], [%tile.end, %{self._last_block_of_tile}]",
            f"%tile.full = add i64 %tile, {self._neurons.groups}",
            "%tile.whole = icmp slt i64 %tile.full, %last",
            "%tile.end = select i1 %tile.whole, i64 %tile.full, i64 %last",
            *self._groups("%tile", "tiles", "%tile.end", "tile.sums"),
            "tile.sums:",
            *self._lines_of_tile,
            "%tile.more = icmp slt i64 %tile.end, %last",
            "br i1 %tile.more, label %tiles, label %done",
        ]


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
