"""The text of machine code: a plan as one function ``block`` over vectors of samples."""

from __future__ import annotations

from autograd.compiled.backends.machine.counted_loops import CountedLoops
from autograd.compiled.backends.machine.elementwise_loops import ElementwiseWriter, Outputs
from autograd.compiled.backends.machine.layer_loops import LayerWriter
from autograd.compiled.backends.machine.layers import Layers
from autograd.compiled.backends.machine.operands import column, shared
from autograd.compiled.backends.machine.recorded_loops import LoopWriter
from autograd.compiled.backends.machine.straight import StraightCode
from autograd.compiled.backends.native import driver
from autograd.compiled.backends.native.twins import twins_of
from autograd.compiled.backends.reduction import LANES
from autograd.compiled.backends.replay import Replay, places_of
from autograd.number_systems.llvm import kernels
from autograd.number_systems.llvm.emitter import Emitter, Register


class BlockText:
    """The module of a replay; ``vectors`` is the memory that it needs.

    Args:
        width: the samples of a vector.
    """

    def __init__(self, replay: Replay, layers: Layers, *, width: int, fast: bool = False) -> None:
        self._replay = replay
        self._layers = layers
        #: A summed or kept number's slot → its places among those.
        self._summed: dict[int, list[int]] = {}
        self._kept: dict[int, list[int]] = {}
        self._emitter = Emitter(width, kernels.call, contract=fast)
        self._lines = self._emitter.lines
        twins = twins_of(replay.plan)
        self._code = StraightCode(self._emitter, self._outside, self._put, twins)
        self._counted = CountedLoops(self._emitter, "loop")
        self._loops = LoopWriter(
            replay.plan.program, replay.columns, layers.uses, self._emitter, self._counted, self._code
        )
        self._layer_loops = LayerWriter(layers, self._emitter, self._counted, self._code)
        self._elementwise = ElementwiseWriter(
            layers, replay.levels.row, self._layer_loops, self._emitter, self._counted, self._code, twins
        )
        self._write()
        self._last_block = self._counted.block
        self._lines_of_tile = self._write_tile()
        self._last_block_of_tile = self._counted.block
        self.vectors = self._loops.vectors + self._layer_loops.groups * self._layer_loops.width

    def _write(self) -> None:
        program, varying = self._replay.plan.program, self._replay.plan.varying
        starts, flat, first = program.starts, program.operands, program.first_instruction
        kind, width = self._emitter.number_type, self._emitter.width
        self._lines.append(f"%sample = mul i64 %i, {width}")
        if self._replay.summed:
            self._lines.append(f"%part = and i64 %i, {LANES // width - 1}")
            self._lines.append(f"%lanes.here = getelementptr {kind}, ptr %lanes, i64 %part")
        products = self._layers.products_left()
        self._summed = places_of(self._replay.summed, None if products else self._layers.end)
        self._kept = places_of(self._replay.kept)
        outputs = Outputs(self._summed, self._kept)
        for place, slot in enumerate(self._replay.columns):
            if not self._loops.is_loaded_here(slot) and slot not in self._layers.columns:
                self._code.registers[slot] = column(self._emitter, f"%column{place}", str(place))
        self._layer_loops.reserve(self._replay.columns)
        for slot in self._replay.columns:
            if slot in self._summed or slot in self._kept:
                self._put(slot)
        for slot in (*range(first, self._layers.end), *products):
            if not varying[slot]:
                continue
            if slot in self._layers.inside:
                for known in self._layer_loops.write(slot) or self._elementwise.write(slot, outputs):
                    self._put(known)
                continue
            i = slot - first
            primitive, xs = program.primitives[program.opcodes[i]], flat[starts[i] : starts[i + 1]]
            if not self._loops.write(slot, primitive, xs):
                self._code.compute(slot, primitive, xs)
        self._code.end()
        self._layer_loops.write_ends()

    def _write_tile(self) -> list[str]:
        """The lines that come after each tile of groups."""
        end = len(self._lines)
        self._counted.block = "tile.sums"
        self._lines += ["%tile.groups = sub i64 %tile.end, %tile"]
        self._layer_loops.write_sums()
        lines = self._lines[end:]
        del self._lines[end:]
        return lines

    def _outside(self, slot: int) -> Register:
        """A number that is in no register: one in memory, or one that all samples share."""
        found = self._layer_loops.number(slot)
        if found is not None:
            return found
        program = self._replay.plan.program
        if program.inputs <= slot < program.first_instruction:
            return self._emitter.number(program.constants[slot - program.inputs])
        return shared(self._emitter, str(self._replay.levels.row[slot]))

    def _put(self, slot: int) -> None:
        """Send a number to the outputs that it is, as soon as it is known, and to the memory of layers."""
        self._layer_loops.keep(slot)
        if slot not in self._summed and slot not in self._kept:
            return
        emitter, kind, number = self._emitter, self._emitter.number_type, self._code.number(slot)
        for place in self._summed.get(slot, ()):
            at = emitter.name()
            self._lines.append(f"{at} = getelementptr [{LANES} x double], ptr %lanes.here, i64 {place}")
            so_far = emitter.line(f"load {kind}, ptr {at}, align {8 * emitter.width}")
            total = emitter.line(f"fadd {kind} {so_far.text}, {number}")
            self._lines.append(f"store {kind} {total.text}, ptr {at}, align {8 * emitter.width}")
        for place in self._kept.get(slot, ()):
            at, here = emitter.name(), emitter.name()
            self._lines.append(f"{at} = getelementptr ptr, ptr %outputs, i64 {place}")
            array = emitter.line(f"load ptr, ptr {at}, align 8, !invariant.load !0")
            self._lines.append(f"{here} = getelementptr {kind}, ptr {array.text}, i64 %i")
            self._lines.append(f"store {kind} {number}, ptr {here}, align 8")

    def __str__(self) -> str:
        fields = ("uniform", "memory") if self.vectors else ("uniform",)
        parts = LANES // self._emitter.width
        return "\n".join(
            [
                *sorted(self._emitter.declarations),
                *self._emitter.functions.values(),
                *(
                    f"{name} = private constant [{len(table)} x i64] [{', '.join(f'i64 {x}' for x in table)}]"
                    for table, name in self._layer_loops.tables.items()
                ),
                driver.HEAD,
                "entry:",
                *self._code.entry,
                *(line.strip() for name in fields for line in driver.field(name).splitlines()),
                f"%begin = mul i64 %first, {parts}",
                f"%end = mul i64 %last, {parts}",
                *(self._tiles() if self._layer_loops.width else self._groups("%begin", "entry", "%end", "done")),
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
            *(self._place_in_tile() if self._layer_loops.width else ()),
            *self._lines,
            "%next = add i64 %i, 1",
            f"%more = icmp slt i64 %next, {last}",
            f"br i1 %more, label %loop, label %{after}",
        ]

    def _place_in_tile(self) -> list[str]:
        """Where a group's numbers of the tile lie."""
        return [
            "%group = sub i64 %i, %tile",
            "%group.place = mul i64 %group, %width",
            f"%here = getelementptr {self._emitter.number_type}, ptr %tile.memory, i64 %group.place",
        ]

    def _tiles(self) -> list[str]:
        """The loop over tiles of groups, each with its place in memory."""
        return [
            f"%width = add i64 {self._layer_loops.width}, 0",
            f"%tile.memory = getelementptr {self._emitter.number_type}, ptr %memory, i64 {self._loops.vectors}",
            "br label %tiles",
            "tiles:",
            f"%tile = phi i64 [%begin, %entry], [%tile.end, %{self._last_block_of_tile}]",
            f"%tile.full = add i64 %tile, {self._layer_loops.groups}",
            "%tile.whole = icmp slt i64 %tile.full, %end",
            "%tile.end = select i1 %tile.whole, i64 %tile.full, i64 %end",
            *self._groups("%tile", "tiles", "%tile.end", "tile.sums"),
            "tile.sums:",
            *self._lines_of_tile,
            "%tile.more = icmp slt i64 %tile.end, %end",
            "br i1 %tile.more, label %tiles, label %done",
        ]
