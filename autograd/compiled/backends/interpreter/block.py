"""The varying part of a plan as code for the interpreter's ``block``, made in one pass.

Chains of products that are added up become one ``dot``; products that are only summed over samples are never stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any

import numpy as np

from autograd.compiled.backends.interpreter.recorded_loops import LoopWriter
from autograd.compiled.backends.interpreter.rows import CodeWriter
from autograd.compiled.backends.interpreter.sums_over_samples import SumsOverSamples
from autograd.compiled.backends.interpreter.words import END, KEEP, LAYER, LOAD, NEURONS, PRODUCT
from autograd.compiled.backends.native.chains import Chain, as_chain, chains
from autograd.compiled.backends.native.neurons import Neuron, layers_of
from autograd.compiled.backends.native.operations import operations, twins
from autograd.compiled.backends.native.twins import Twins, twins_of
from autograd.compiled.backends.replay import Replay, places_of
from autograd.compiled.programs import loops
from autograd.compiled.programs.plan import Plan
from autograd.primitives import Primitive


class BlockCode:
    """The words of a plan's code, the rows of memory that it needs, and how many vectors a row has.

    Args:
        width: the samples of a vector.

    Raises:
        NotImplementedError: the interpreter lacks a primitive of the program.
    """

    def __init__(self, replay: Replay, width: int) -> None:
        self._replay = replay
        self._plan = plan = replay.plan
        self._program = program = plan.program
        self._first = program.first_instruction
        names = [primitive.name for primitive in program.primitives]
        #: The name of an instruction's primitive.
        self._name = [*[""] * self._first, *map(names.__getitem__, program.opcodes)].__getitem__
        #: Where the products begin that come last, and are summed over samples.
        self._end = self._first + len(program) - plan.products
        if not np.array(plan.reduced, bool)[np.array(program.outputs, np.intp) >= self._end].all():
            self._end = self._first + len(program)
        last = 2 * (self._first + len(program) - self._end)
        factors = np.array(program.operands[len(program.operands) - last :], np.int64).reshape(-1, 2)
        #: The factors of the products that come last, of those that differ by sample.
        self._products_at_the_end = factors[np.array(plan.varying[self._end :], bool)]
        #: The operands of the other instructions that differ by sample.
        self._operands = _Operands(plan, self._end)
        varying = np.array(plan.varying[self._first : self._end], bool)
        opcodes = np.array(program.opcodes)[: len(varying)][varying]
        _refuse_what_is_lacking({program.primitives[opcode] for opcode in np.unique(opcodes).tolist()})
        self._code = code = CodeWriter(plan.varying, replay.levels.row, self._count_uses())
        self._loops = LoopWriter(program, replay.columns, code.uses, code)
        self._sums = SumsOverSamples(code, replay)
        self._summed, self._kept = places_of(replay.summed, self._end), places_of(replay.kept, self._end)
        self._write()
        self.shared, self.vectors = len(code.shared), self._loops.vectors(code.rows, width)
        rows_of_columns, moves, self.rows = self._loops.placed(code.rows, self.vectors, code.words)
        #: The rows of the shared numbers, then the instructions.
        self.words = code.finished(self.vectors, rows_of_columns, moves)

    def _primitive(self, slot: int) -> Primitive:
        return self._program.primitives[self._program.opcodes[slot - self._first]]

    def _count_uses(self) -> list[int]:
        """How often each slot is an operand or an output; a factor of the products at the end is kept to the end."""
        starts, varying = self._program.starts, np.array(self._plan.varying[self._first : self._end], bool)
        counts: Any = np.diff(np.array(starts[: len(varying) + 1], np.int64))
        counted = np.repeat(varying, counts)
        operands = np.array(self._program.operands[: starts[len(varying)]])[counted]
        uses: list[int] = np.bincount(operands, minlength=self._first + len(self._program)).tolist()
        for slot in (*self._program.outputs, *np.unique(self._products_at_the_end).tolist()):
            uses[slot] += 1
        return uses

    def _write(self) -> None:
        code = self._code
        wanted_once = (np.array(code.uses) == 1) & (np.array(self._plan.varying) != 0)
        wanted_once[: self._first] = wanted_once[self._end :] = False
        chained, inside = chains(self._operands, self._name, wanted_once.tobytes().__getitem__)
        fours, in_twins = self._fours(chained), twins_of(self._plan)
        self._write_inputs()
        #: 1: nothing is left to do, 2: a sum of products, 3: one of twins, 4: look closely.
        marks = bytearray(len(self._plan.varying))
        for mark, slots in ((1, inside), (2, chained), (3, in_twins), (4, fours), (4, self._kept), (4, self._summed)):
            for slot in slots:
                marks[slot] = mark
        known = [operations().get(primitive.name, 0) for primitive in self._program.primitives]
        opcodes, starts, flat = self._program.opcodes, self._program.starts, self._program.operands
        first, write = self._first, code.instruction
        for slot in self._operands:
            mark = marks[slot]
            if mark == 1:
                continue
            i = slot - first
            operation, operands = known[opcodes[i]], flat[starts[i] : starts[i + 1]]
            if not mark and operation:
                write(operation, slot, operands)
                continue
            if mark == 2:
                self._write_sum_of_products(slot, chained[slot])
                continue
            if mark == 3:
                self._write_twin(in_twins[slot], slot, operands)
                continue
            if slot in fours:
                if code.rows_of[slot] < 0:  # the first of the four; the others are computed with it
                    self._write_layer(fours[slot])
            elif self._is_only_summed(slot):
                self._write_product_that_is_only_summed(slot, operands)
                continue
            elif slot in chained or self._name(slot) == "dot":
                self._write_sum_of_products(slot, chained[slot] if slot in chained else as_chain(operands))
            elif slot in in_twins:
                self._write_twin(in_twins[slot], slot, operands)
            elif not self._loops.write(slot, self._primitive(slot), operands):
                code.instruction(operation, slot, operands)
            self._send(slot)
        self._sums.write(1)
        if len(self._products_at_the_end):
            places = [place for place, (_, slot) in enumerate(self._replay.summed) if slot >= self._end]
            self._sums.write_all(self._products_at_the_end, np.array(places))
        code.emit(END)

    def _write_inputs(self) -> None:
        """Load the columns of samples, but those that go into columns of loops straight away."""
        code = self._code
        for place, slot in enumerate(self._replay.columns):
            if code.uses[slot] and not self._loops.is_loaded_here(slot):
                code.emit(LOAD)
                code.refer(code.row_for(slot))
                code.emit(place)
                self._send(slot)

    def _is_only_summed(self, slot: int) -> bool:
        """Whether a number is a product that goes into sums over samples and nowhere else."""
        return slot in self._summed and self._name(slot) == "mul" and self._code.uses[slot] == len(self._summed[slot])

    def _write_product_that_is_only_summed(self, slot: int, factors: Sequence[int]) -> None:
        x, y = factors
        for place in self._summed[slot]:
            self._code.uses[x] += 1
            self._code.uses[y] += 1
            self._sums.add(place, x, y)
        self._code.release(x, y)
        self._sums.write()

    def _write_sum_of_products(self, slot: int, chain: Chain) -> None:
        code, (start, pairs) = self._code, chain
        if start is not None and len(pairs) == 1:
            code.instruction(PRODUCT, slot, (start, *pairs[0]))
            return
        factors = [o for pair in pairs for o in pair]
        references = [code.reference(o) for o in factors]
        begin = None if start is None else code.reference(start)
        code.sum_of_products(code.row_for(slot), begin, references)
        code.release(*factors, *([] if start is None else [start]))

    def _send(self, slot: int) -> None:
        """Send a number to the outputs that it is."""
        for place in self._kept.get(slot, ()):
            self._code.emit(KEEP, place)
            self._code.refer(self._code.rows_of[slot])
            self._code.release(slot)
        for place in self._summed.get(slot, ()):
            self._sums.add(place, slot)
            self._sums.write()

    def _fours(self, chained: dict[int, Chain]) -> dict[int, dict[int, Neuron]]:
        """Neurons with the same inputs, taken four at a time: each of them → the four."""
        found: dict[int, dict[int, Neuron]] = {}
        for layer in layers_of(self._operands, chained, self._name, self._plan.varying.__getitem__).values():
            neurons = list(layer.items())
            for first in range(0, len(neurons) - NEURONS + 1, NEURONS):
                four = dict(neurons[first : first + NEURONS])
                found.update(dict.fromkeys(four, four))
        return found

    def _write_layer(self, four: dict[int, Neuron]) -> None:
        """Four neurons at once; one without a start begins at 0.0."""
        code, neurons = self._code, list(four.values())
        inputs = neurons[0].inputs
        code.emit(LAYER, len(inputs))
        code.refer(*[code.reference(o) for o in inputs])
        for slot, (weights, _, start) in four.items():
            row = code.row_for(slot)
            begin = code.shared_row(self._replay.row_of_zero) if start is None else code.reference(start)
            code.refer(row, begin, code.shared_run(weights))
        for _ in neurons:  # what is shared has no row to give back
            code.release(*inputs)

    def _write_twin(self, both: Twins, slot: int, operands: Sequence[int]) -> None:
        """Both twins where the first of them is wanted; at the other nothing is left to do."""
        code, (names, (first, second), operand) = self._code, both
        if slot == (first if first < second else second):
            reference = code.reference(operand)
            words = twins()[names], code.row_for(first), code.row_for(second), reference
            code.emit_many(words, b"\0\1\1\1")
        code.release(*operands)


class _Operands(Mapping[int, Sequence[int]]):
    """The operands of the instructions that differ by sample, in order, read where they stand: a list for each takes
    more memory than all else that is known of it."""

    def __init__(self, plan: Plan, end: int) -> None:
        program = plan.program
        self._flat, self._starts, self._first = program.operands, program.starts, program.first_instruction
        self._varying, self._end = plan.varying, end

    def __getitem__(self, slot: int) -> Sequence[int]:
        i = slot - self._first
        return self._flat[self._starts[i] : self._starts[i + 1]]

    def __contains__(self, slot: Any) -> bool:
        return self._first <= slot < self._end and bool(self._varying[slot])

    def __iter__(self) -> Iterator[int]:
        return compress(range(self._first, self._end), self._varying[self._first : self._end])

    def __reversed__(self) -> Iterator[int]:
        slots = range(self._first, self._end)
        return compress(reversed(slots), reversed(self._varying[self._first : self._end]))

    def __len__(self) -> int:
        return sum(self._varying[self._first : self._end])


def _refuse_what_is_lacking(primitives: Collection[Primitive]) -> None:
    """Raise NotImplementedError if there is a primitive, in a loop perhaps, that the interpreter lacks."""
    missing = {row.name for row in primitives if row.name not in operations()} - {"dot"} - loops.NAMES
    if missing:
        raise NotImplementedError(f"the interpreter has no {', '.join(sorted(missing))}")
    for row in primitives:
        loop = loops.of(row)
        if loop is not None:
            _refuse_what_is_lacking(loop.program().primitives)
