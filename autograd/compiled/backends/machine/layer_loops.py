"""The text of the layers that ``layers`` chose: loops over neurons and inputs, not a line for each weight.

Inputs, neurons and cotangents lie in memory, a vector each, for a *tile* of groups of samples; products that are only
summed over samples, the gradients of weights, are added up once a tile, so that a sum is loaded and stored once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from autograd.compiled.backends.machine.counted_loops import CountedLoops
from autograd.compiled.backends.machine.layers import Axis, Grid, Layer, Layers, Products
from autograd.compiled.backends.machine.operands import column, shared
from autograd.compiled.backends.machine.straight import StraightCode
from autograd.compiled.backends.native.jit import has_wide_registers
from autograd.compiled.backends.reduction import LANES
from autograd.number_systems.llvm.emitter import Emitter, Register

#: Neurons that are computed at once: their sums do not wait for each other.
TOGETHER = 12

#: Neurons and inputs whose products are summed at once: eight sums fit into 16 registers, and 24 into 32.
ACROSS, ALONG = 4, 2
ACROSS_32, ALONG_32 = 8, 3

#: Sums from which on they are so far from the processor that it is worth taking as many at once as registers hold.
MANY_SUMS = 4096

#: Bytes that a tile may take: those nearest to the processor, or as many times what the sums take, which each tile
#: loads and stores; and the groups of samples that it has at least and at most.
TILE_BYTES, TIMES_SUMS, LEAST_GROUPS, MOST_GROUPS = 40 << 10, 2, 4, 32


class Portion(NamedTuple):
    """Some of many that are taken ``width`` at a time."""

    first: int
    last: int
    width: int


class LayerWriter:
    """Writes layers among the lines of a block.

    Args:
        code: the code around them.
    """

    def __init__(self, layers: Layers, emitter: Emitter, counted: CountedLoops, code: StraightCode) -> None:
        self._layers = layers
        self._emitter = emitter
        self._counted = counted
        self._code = code
        #: Vectors of memory that a group of samples takes.
        self.width = 0
        #: The vector of each slot that lies in memory.
        self._places: dict[int, int] = {}
        self._runs: dict[tuple[int, ...], int] = {}
        #: The places that are made ready for a number.
        self._reserved: dict[int, list[int]] = {}
        #: Places that go up unevenly, and the name of their table.
        self.tables: dict[tuple[int, ...], str] = {}

    def number(self, slot: int) -> Register | None:
        """A number that lies in memory, or in a column that layers read; ``None`` for any other."""
        place = self._places.get(slot)
        if place is not None:
            return self.load("%here", str(place))
        place = self._layers.columns.get(slot)
        return None if place is None else column(self._emitter, self._emitter.name(), str(place))

    def reserve(self, columns: Collection[int]) -> None:
        """Make room for what the sums over a tile read, as far as straight code computes it: put there at once."""
        elsewhere = self._layers.inside.union(columns)
        for products in self._layers.products:
            for slots in (products.inputs, products.cotangents):
                if slots not in self._runs and elsewhere.isdisjoint(slots):
                    self._runs[slots] = self.width
                    for slot in slots:
                        self._reserved.setdefault(slot, []).append(self.width)
                        self.width += 1

    def keep(self, slot: int) -> None:
        """Put a number where there is room for it, if there is; it lies in memory from now on."""
        places = self._reserved.pop(slot, ())
        for place in places:
            self.store(Register(self._emitter, self._code.number(slot)), str(place))
        if places:
            self._code.registers.pop(slot, None)
            self._places[slot] = places[0]

    def write(self, slot: int) -> tuple[int, ...]:
        """Write the layer that begins with an instruction, if one does; its neurons."""
        layer = self._layers.layers.get(slot)
        if layer is None:
            return ()
        inputs, neurons = self._run_of(layer.inputs), self.new_run(layer.neurons)
        for some in _portions(len(layer.neurons), TOGETHER):
            self._neurons(layer, some, inputs, neurons)
        return layer.neurons

    def write_ends(self) -> None:
        """Write what the sums over a tile need of each group."""
        for products in self._layers.products:
            self._run_of(products.inputs)
            self._run_of(products.cotangents)

    def write_sums(self) -> None:
        """Write the sums of products over the groups of a tile."""
        parts = LANES // self._emitter.width
        self._emitter.lines += [f"%last.group.{part} = sub i64 %tile.groups, {parts - part}" for part in range(parts)]
        for products in self._layers.products:
            neurons, inputs = len(products.cotangents), len(products.inputs)
            is_large = neurons * inputs >= MANY_SUMS and has_wide_registers()
            most_across, most_along = (ACROSS_32, ALONG_32) if is_large else (ACROSS, ALONG)
            for across in _portions(neurons, most_across):
                for along in _portions(inputs, most_along):
                    self._sums(products, across, along)

    def _neurons(self, layer: Layer, some: Portion, inputs: int, neurons: int) -> None:
        """A loop over neurons, and within it one over inputs."""
        emitter, counted, width = self._emitter, self._counted, some.width
        outer = counted.begin(some.first)
        rows = [self._place(layer.weights, outer.step, j) for j in range(width)]
        if layer.starts is None:
            x = self.load("%here", str(inputs))
            begun = [emitter.apply("mul", shared(emitter, row), x) for row in rows]
        else:
            begun = [shared(emitter, self._place(layer.starts, outer.step, j)) for j in range(width)]
        sums = begun
        skipped = int(layer.starts is None)
        if len(layer.inputs) > skipped:
            starts = [emitter.name() for _ in rows]
            emitter.lines += [
                f"{start} = getelementptr double, ptr %uniform, i64 {row}"
                for start, row in zip(starts, rows, strict=True)
            ]
            inner = counted.begin(skipped)
            names = [f"%{inner.label}.sum{j}" for j in range(width)]
            x = self.load("%here", self.sum_of(inner.step, 1, inputs))
            further = self.along(layer.weights.right, inner.step, 0)
            sums = []
            for name, start in zip(names, starts, strict=True):
                weight = shared(emitter, further, start)
                sums.append(emitter.apply("add", Register(emitter, name), emitter.apply("mul", weight, x)))
            counted.carry(inner, names, [number.text for number in begun], [number.text for number in sums])
            counted.end(inner, 1, len(layer.inputs) - 1)
        for j, number in enumerate(sums):
            self.store(number, self.sum_of(outer.step, 1, neurons + j))
        counted.end(outer, width, some.last - width)

    def _sums(self, products: Products, across: Portion, along: Portion) -> None:
        """Loops over neurons and inputs, and within them one over the groups of the tile."""
        counted, grid = self._counted, products.sums
        inputs, cotangents = self._runs[products.inputs], self._runs[products.cotangents]
        down, right = counted.begin(across.first), counted.begin(along.first)
        rows = [self._place(grid, down.step, k) for k in range(across.width)]
        further = [self.along(grid.right, right.step, i) for i in range(along.width)]
        places = [self._emitter.line(f"add i64 {row}, {i}").text for row in rows for i in further]
        of_cotangent, of_input = self.sum_of(down.step, 1, cotangents), self.sum_of(right.step, 1, inputs)
        xs = [self.sum_of(of_input, 1, i) for i in range(along.width)]
        cs = [self.sum_of(of_cotangent, 1, k) for k in range(across.width)]
        for part in range(LANES // self._emitter.width):
            self._sums_of_lanes(part, places, [(c, x) for c in cs for x in xs])
        counted.end(right, along.width, along.last - along.width)
        counted.end(down, across.width, across.last - across.width)

    def _sums_of_lanes(self, part: int, places: Sequence[str], factors: Sequence[tuple[str, str]]) -> None:
        """A loop over the groups of the tile that belong to a part of the lanes: products added to the sums at these
        places, of factors that lie at these."""
        emitter, counted, kind, width = self._emitter, self._counted, self._emitter.number_type, self._emitter.width
        sums = [emitter.name() for _ in places]
        for at, place in zip(sums, places, strict=True):
            emitter.lines += [
                f"{at}.all = getelementptr [{LANES} x double], ptr %lanes, i64 {place}",
                f"{at} = getelementptr {kind}, ptr {at}.all, i64 {part}",
            ]
        begun = [emitter.line(f"load {kind}, ptr {at}, align {8 * width}").text for at in sums]
        groups = counted.begin(part)
        names = [f"%{groups.label}.sum{j}" for j in range(len(places))]
        at = emitter.name()
        emitter.lines += [
            f"{at}.place = mul i64 {groups.step}, %width",
            f"{at} = getelementptr {kind}, ptr %tile.memory, i64 {at}.place",
        ]
        numbers = {place: self.load(at, place) for place in dict.fromkeys(place for pair in factors for place in pair)}
        following = [
            emitter.apply("add", Register(emitter, name), emitter.apply("mul", numbers[c], numbers[x])).text
            for name, (c, x) in zip(names, factors, strict=True)
        ]
        counted.carry(groups, names, begun, following)
        counted.end(groups, LANES // width, f"%last.group.{part}")
        for at, number in zip(sums, following, strict=True):
            emitter.lines.append(f"store {kind} {number}, ptr {at}, align {8 * width}")

    def start_of(self, slots: tuple[int, ...]) -> int | None:
        """The first vector of slots that lie one after the other."""
        return self._runs.get(slots)

    def new_run(self, slots: tuple[int, ...]) -> int:
        """Vectors one after the other; what is stored there lies in memory now."""
        start = self._runs[slots] = self.width
        self.width += len(slots)
        for i, slot in enumerate(slots):
            self._places.setdefault(slot, start + i)
        return start

    def _run_of(self, slots: tuple[int, ...]) -> int:
        """Where numbers lie one after the other in memory; they are put there if they do not yet."""
        if slots in self._runs:
            for slot in slots:
                if slot in self._reserved:  # its kernel waits for others
                    self._code.number(slot)
            return self._runs[slots]
        places = [self._places.get(slot) for slot in slots]
        if None not in places and places == list(range(places[0] or 0, (places[0] or 0) + len(slots))):
            self._runs[slots] = places[0] or 0
            return self._runs[slots]
        columns = self._layers.places_of_columns(slots)
        if columns is not None and places.count(None) == len(slots):
            start = self.new_run(slots)
            run = self._counted.begin(0)
            place = self.sum_of(self.along(columns.right, run.step, 0), 1, columns.first)
            number = column(self._emitter, f"%{run.label}.column", place)
            self.store(number, self.sum_of(run.step, 1, start))
            self._counted.end(run, 1, len(slots) - 1)
            return start
        numbers = [Register(self._emitter, self._code.number(slot)) for slot in slots]
        start = self.new_run(slots)
        for i, (slot, number) in enumerate(zip(slots, numbers, strict=True)):
            self.store(number, str(start + i))
            self._code.registers.pop(slot, None)
        return start

    def _place(self, grid: Grid, step: str, further: int) -> str:
        """The place of neuron ``step + further``, for the first input."""
        return self.sum_of(self.along(grid.down, step, further), 1, grid.first)

    def along(self, axis: Axis, step: str, further: int) -> str:
        """How far up a place is at ``step + further``."""
        if axis.table is None:
            return self.sum_of(step, axis.step, further * axis.step)
        name = self.tables.setdefault(axis.table, f"@places.{len(self.tables)}")
        at = self._emitter.name()
        self._emitter.lines.append(f"{at} = getelementptr i64, ptr {name}, i64 {self.sum_of(step, 1, further)}")
        return self._emitter.line(f"load i64, ptr {at}, align 8, !invariant.load !0").text

    def sum_of(self, step: str, by: int, first: int) -> str:
        """``step * by + first``."""
        scaled = step if by == 1 else self._emitter.line(f"mul i64 {step}, {by}").text
        return scaled if not first else self._emitter.line(f"add i64 {scaled}, {first}").text

    def load(self, base: str, place: str) -> Register:
        at = self._emitter.name()
        self._emitter.lines.append(f"{at} = getelementptr {self._emitter.number_type}, ptr {base}, i64 {place}")
        return self._emitter.line(f"load {self._emitter.number_type}, ptr {at}, align {8 * self._emitter.width}")

    def store(self, number: Register, place: str) -> None:
        at, kind = self._emitter.name(), self._emitter.number_type
        self._emitter.lines += [
            f"{at} = getelementptr {kind}, ptr %here, i64 {place}",
            f"store {kind} {number.text}, ptr {at}, align {8 * self._emitter.width}",
        ]

    @property
    def groups(self) -> int:
        """Groups of samples in a tile; each tile begins with the first lane."""
        width, sums = self._emitter.width, sum(len(p.cotangents) * len(p.inputs) for p in self._layers.products)
        most = max(TILE_BYTES, TIMES_SUMS * 8 * LANES * sums)
        found = max(LEAST_GROUPS, min(MOST_GROUPS, most // (8 * width * max(self.width, 1))))
        return found - found % (LANES // width)


def _portions(count: int, most: int) -> list[Portion]:
    """So many in equal parts of at most ``most``, as far as that goes, and the rest.

    >>> _portions(10, 6), _portions(32, 12)
    ([Portion(first=0, last=10, width=5)], [Portion(first=0, last=22, width=11), Portion(first=22, last=32, width=10)])
    """
    width = -(-count // -(-count // most))
    many = count - count % width
    return [some for some in (Portion(0, many, width), Portion(many, count, count - many)) if some.width]
