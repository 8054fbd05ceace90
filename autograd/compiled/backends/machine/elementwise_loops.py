"""The text of the runs that ``elementwise`` found: a loop each, over numbers that lie in the memory of a tile.

A run that one other run alone reads is computed where it is read. Kernels of one number are called for several elements
at once, twins together; what of a run is summed over samples goes to the lanes in the same loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from autograd.compiled.backends.machine.counted_loops import CountedLoops
from autograd.compiled.backends.machine.elementwise import Run
from autograd.compiled.backends.machine.layer_loops import LayerWriter
from autograd.compiled.backends.machine.layers import Axis, Layers, axis_of
from autograd.compiled.backends.machine.operands import shared
from autograd.compiled.backends.machine.straight import StraightCode
from autograd.compiled.backends.native.twins import Twins
from autograd.compiled.backends.reduction import LANES
from autograd.number_systems.llvm import kernels
from autograd.number_systems.llvm.emitter import Emitter, Register

#: Elements that a step of a loop takes; of a kernel as many as it is called for at once.
TOGETHER = 4


class Outputs:
    """Which slots are sent where: each slot's places among the sums, and among the numbers that are kept."""

    def __init__(self, summed: Mapping[int, Sequence[int]], kept: Mapping[int, Sequence[int]]) -> None:
        self.summed, self.kept = summed, kept


class ElementwiseWriter:
    """Writes runs among the lines of a block.

    Args:
        row_of: the row of each number that all samples share.
        memory: where the numbers of runs lie.
        code: the code around them.
        twins: the instructions that one kernel computes together.
    """

    def __init__(
        self,
        layers: Layers,
        row_of: Sequence[int],
        memory: LayerWriter,
        emitter: Emitter,
        counted: CountedLoops,
        code: StraightCode,
        twins: Mapping[int, Twins],
    ) -> None:
        self._runs = layers.runs
        self._row_of = row_of
        self._memory = memory
        self._emitter = emitter
        self._counted = counted
        self._code = code
        self._twins = twins
        self._by_slots = {run.slots: run for run in self._runs.values()}
        read = [o for run in self._runs.values() for o in run.operands if o in self._by_slots]
        #: The runs that are computed where they are read, once.
        self._inside = {
            o: self._by_slots[o]
            for o in read
            if all(layers.uses[slot] == 1 for slot in o) and not _is_kernel(self._by_slots[o])
        }
        self._written: set[tuple[int, ...]] = set()
        self._scalars: dict[int, Register] = {}

    def write(self, slot: int, outputs: Outputs) -> tuple[int, ...]:
        """Write the run that begins with an instruction, if one does; those of its slots that are still to be sent."""
        run = self._runs.get(slot)
        if run is None or run.slots in self._inside or run.slots in self._written:
            return ()
        first, second = self._with_twin(run)
        runs = [first] if second is None else [first, second]
        self._written.update(one.slots for one in runs)
        self._scalars = {o: self._code.operand(o) for o in self._scalars_of(first)}
        starts = [self._memory.new_run(one.slots) for one in runs]
        sums = [self._sums_of(one, outputs) for one in runs]
        for begin, end, width in _steps(len(first.slots), self._together(first)):
            loop = self._counted.begin(begin)
            results = self._results(first, second, loop.step, width, starts)
            for one, start, axes in zip(results, starts, sums, strict=True):
                for i, number in enumerate(one):
                    self._memory.store(number, self._memory.sum_of(loop.step, 1, start + i))
                    for place, axis in axes or ():
                        self._add(number, self._memory.sum_of(self._memory.along(axis, loop.step, i), 1, place))
            self._counted.end(loop, width, end - width)
        return tuple([o for one, axes in zip(runs, sums, strict=True) if axes is None for o in one.slots])

    def _with_twin(self, run: Run) -> tuple[Run, Run | None]:
        """A run and the one that a kernel computes with it, the first twin first."""
        twins = [self._twins.get(slot) for slot in run.slots]
        pairs = [both.slots for both in twins if both is not None]
        if len(pairs) == len(twins) and len({both.names for both in twins if both is not None}) == 1:
            first, second = (self._by_slots.get(slots) for slots in zip(*pairs, strict=True))
            if first is not None and second is not None and first.slots not in self._written:
                return first, second
        return run, None

    def _results(
        self, first: Run, second: Run | None, step: str, width: int, starts: Sequence[int]
    ) -> list[list[Register]]:
        """The results of so many elements from a step on; of each run."""
        emitter = self._emitter
        if not _is_kernel(first):
            return [[emitter.as_number(self._computed(first, step, i)) for i in range(width)]]
        numbers = [emitter.as_number(self._operand(first.operands[0], step, i)) for i in range(width)]
        if second is None:
            return [kernels.call_together(emitter, [first.primitive.name], numbers)]
        at = emitter.name()
        place = self._memory.sum_of(step, 1, starts[1])
        emitter.lines.append(f"{at} = getelementptr {emitter.number_type}, ptr %here, i64 {place}")
        names = [first.primitive.name, second.primitive.name]
        found = kernels.call_together(emitter, names, numbers, at)
        return [found, [self._memory.load(at, str(i)) for i in range(width)]]

    def _computed(self, run: Run, step: str, i: int) -> Register:
        return self._emitter.apply(run.primitive.name, *[self._operand(o, step, i) for o in run.operands])

    def _operand(self, operand: tuple[int, ...] | int, step: str, i: int) -> Register:
        """An element of an operand."""
        if isinstance(operand, int):
            return self._scalars[operand]
        if operand in self._inside:
            return self._computed(self._inside[operand], step, i)
        start = self._memory.start_of(operand)
        if start is not None:
            return self._memory.load("%here", self._memory.sum_of(step, 1, start + i))
        first, axis = axis_of(np.array([self._row_of[slot] for slot in operand]))
        return shared(self._emitter, self._memory.sum_of(self._memory.along(axis, step, i), 1, first))

    def _scalars_of(self, run: Run) -> Iterator[int]:
        """The numbers that are the same for all elements."""
        for o in run.operands:
            if isinstance(o, int):
                yield o
            elif o in self._inside:
                yield from self._scalars_of(self._inside[o])

    def _together(self, run: Run) -> int:
        return kernels.together(run.primitive.name, self._emitter.width) if _is_kernel(run) else TOGETHER

    def _sums_of(self, run: Run, outputs: Outputs) -> list[tuple[int, Axis]] | None:
        """Where the elements are summed, so many times each; ``None`` where they are to be sent one by one."""
        places = [outputs.summed.get(slot, ()) for slot in run.slots]
        if len(set(map(len, places))) > 1 or any(slot in outputs.kept for slot in run.slots):
            return None
        return [axis_of(np.array(column)) for column in zip(*places, strict=True)]

    def _add(self, number: Register, place: str) -> None:
        """Add a number to its sum over samples."""
        emitter, kind = self._emitter, self._emitter.number_type
        at = emitter.name()
        emitter.lines.append(f"{at} = getelementptr [{LANES} x double], ptr %lanes.here, i64 {place}")
        so_far = emitter.line(f"load {kind}, ptr {at}, align {8 * emitter.width}")
        total = emitter.line(f"fadd {kind} {so_far.text}, {number.text}")
        emitter.lines.append(f"store {kind} {total.text}, ptr {at}, align {8 * emitter.width}")


def _is_kernel(run: Run) -> bool:
    return run.primitive.name in kernels.KERNELS and run.primitive.arity == 1


def _steps(count: int, most: int) -> Iterator[tuple[int, int, int]]:
    """So many elements as loops: where each begins and ends, and how many a step takes, a power of two."""
    begin = 0
    while begin < count:
        end = count - (count - begin) % most
        if end > begin:
            yield begin, end, most
        begin, most = end, most // 2
