"""The varying part of a plan as code for the interpreter's ``block``, made in one pass.

Rows of the block are used again once their number is not wanted any more, so that a program stays near the processor.
Chains of products that are added up become one ``dot``; products that are only summed over samples are never stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiled.backends.interpreter.loops import OF_COLUMNS, LoopCode
from autograd.compiled.backends.interpreter.operations import operations
from autograd.compiled.backends.interpreter.words import (
    DOT,
    END,
    GATHER,
    GATHERED,
    KEEP,
    LAYER,
    LOAD,
    NEURONS,
    OUTER,
    PRODUCT,
)
from autograd.compiled.backends.native.chains import Chain, as_chain, chains
from autograd.compiled.backends.native.layers import Neuron, layers_of, products_of_neurons
from autograd.compiled.backends.replay import Replay, places_of
from autograd.compiled.programs import loops


class BlockCode:
    """Words for the interpreter, rows of memory, and the uniform rows that are laid down for all samples.

    Raises:
        NotImplementedError: the interpreter lacks a primitive of the program.
    """

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._plan = plan = replay.plan
        self.program = program = plan.program
        self._first = program.first_instruction
        self._names = [primitive.name for primitive in program.primitives]
        self._operands: dict[int, Sequence[int]] = {}
        self._uses = [0] * (self._first + len(program))
        #: Where the products begin that come last, and are summed over samples.
        self._end = self._first + len(program) - plan.products
        if not np.array(plan.reduced, bool)[np.array(program.outputs, np.intp) >= self._end].all():
            self._end = self._first + len(program)
        for i in np.flatnonzero(np.array(plan.varying[self._first : self._end], np.uint8)).tolist():
            operands = program.operands[program.starts[i] : program.starts[i + 1]].tolist()
            self._operands[self._first + i] = operands
            for o in operands:
                self._uses[o] += 1
        for output in program.outputs:
            self._uses[output] += 1
        last = 2 * (self._first + len(program) - self._end)
        factors = np.array(program.operands[len(program.operands) - last :], np.int64).reshape(-1, 2)
        #: The factors of the products that come last, of those that differ by sample.
        self._products_at_the_end = factors[np.array(plan.varying[self._end :], bool)]
        for slot in np.unique(self._products_at_the_end).tolist():
            self._uses[slot] += 1  # it is kept to the end
        #: The uniform rows of the shared numbers, place by place, and a place for each row.
        self._shared: list[int] = []
        self._place_of: dict[int, int] = {}
        self.rows_of: dict[int, int] = {}
        self._free: list[int] = []
        self.rows = 0
        self.words_so_far: list[int] = []
        self._is_reference: list[bool] = []
        #: Products to be summed over samples: place among the sums, the two factors, and a slot to release.
        self._pending: list[tuple[int, int, int, int | None]] = []
        self._loops = LoopCode(self)
        self._write()
        self.shared = len(self._shared)
        self.vectors = self._loops.vectors()
        of_columns, moves, self.rows = self._loops.placed(self.rows, self.vectors, self.words_so_far)
        words, is_reference = np.array(self.words_so_far, np.int64), np.array(self._is_reference, bool)
        bits = np.ones(len(words), np.int64)
        if of_columns:
            number = words - OF_COLUMNS
            known = is_reference & (number >= 0)
            words[known], bits[known] = np.array(of_columns)[number[known]], 2 * np.array(moves)[number[known]] + 1
        rows = 4 * (self.shared + words * self.vectors) + bits
        words = np.where(is_reference, np.where(words < 0, 4 * ~words, rows), words)
        #: The rows of the shared numbers, then the instructions.
        self.words = np.concatenate([np.array(self._shared, np.int64), words]).astype(np.int32)

    def emit(self, *words: int) -> None:
        """Words that are no references."""
        self.words_so_far += words
        self._is_reference += [False] * len(words)

    def refer(self, *references: int) -> None:
        """References to operands, rows or shared numbers; they get their places at the end."""
        self.words_so_far += references
        self._is_reference += [True] * len(references)

    def sum_of_products(self, row: int, start: int | None, factors: Sequence[int]) -> None:
        """Write start + x₁y₁ + x₂y₂ + … into a row; a start of ``None`` is none."""
        if start is not None and len(factors) == 2:
            self.emit(PRODUCT)
            self.refer(row, start, *factors)
            return
        self.emit(DOT)
        self.refer(row)
        self.emit(-1) if start is None else self.refer(start)
        self.emit(len(factors) // 2)
        self.refer(*factors)

    def reference(self, slot: int) -> int:
        if self._plan.varying[slot]:
            return self.rows_of[slot]
        return self._shared_row(self._replay.levels.row[slot])

    def _shared_row(self, row: int) -> int:
        place = self._place_of.setdefault(row, len(self._shared))
        if place == len(self._shared):
            self._shared.append(row)
        return ~place

    def _shared_run(self, slots: Sequence[int]) -> int:
        """A reference to shared numbers that lie one after the other."""
        first = len(self._shared)
        self._shared += [self._replay.levels.row[slot] for slot in slots]
        return ~first

    def new_row(self) -> int:
        if self._free:
            return self._free.pop()
        self.rows += 1
        return self.rows - 1

    def release(self, *slots: int) -> None:
        """One use less of each; a row that nobody wants any more is free."""
        for slot in slots:
            self._uses[slot] -= 1
            if not self._uses[slot] and slot in self.rows_of:
                self.free_row(self.rows_of.pop(slot))

    def free_row(self, reference: int) -> None:
        """A row that is wanted no more; a column's numbers stay where they are."""
        if reference < OF_COLUMNS:
            self._free.append(reference)

    def operands_of(self, slot: int) -> Sequence[int]:
        """The operands of an instruction that differs by sample."""
        return self._operands[slot]

    def _write(self) -> None:
        varying, opcodes = self._plan.varying, self._plan.program.opcodes
        known = operations()
        missing = sorted(
            {
                n
                for n in {self._names[opcodes[s - self._first]] for s in self._operands}
                if n not in known and n != "dot" and n not in loops.NAMES
            }
        )
        if missing:
            raise NotImplementedError(f"the interpreter has no {', '.join(missing)}")
        self._loops.expect(self._replay.columns, self._uses)
        sums, inside = chains(self._operands, self._name, lambda slot: self._uses[slot] == 1)
        fours = self._fours(sums)
        summed = places_of(self._replay.summed, self._end)
        kept = places_of(self._replay.kept, self._end)
        for place, slot in enumerate(self._replay.columns):
            if self._uses[slot] and not self._loops.is_loaded_here(slot):
                self.rows_of[slot] = self.new_row()
                self.emit(LOAD)
                self.refer(self.rows_of[slot])
                self.emit(place)
                self._send(slot, summed, kept)
        for slot in range(self._first, self._end):
            if not varying[slot] or slot in inside:
                continue
            operands = self._operands[slot]
            if slot in fours:
                if slot not in self.rows_of:  # the first of the four; the others were computed with it
                    self._layer(fours[slot])
                self._send(slot, summed, kept)
                continue
            if slot in summed and self._name(slot) == "mul" and self._uses[slot] == len(summed[slot]):
                x, y = operands
                for place in summed[slot]:
                    self._uses[x] += 1
                    self._uses[y] += 1
                    self._pending.append((place, x, y, None))
                self.release(x, y)
                self._gather(GATHERED)
                continue
            if slot in sums or self._name(slot) == "dot":
                start, pairs = sums[slot] if slot in sums else as_chain(operands)
                factors = [o for pair in pairs for o in pair]
                references = [self.reference(o) for o in factors]
                begin = None if start is None else self.reference(start)
                row = self.new_row()
                self.sum_of_products(row, begin, references)
                self.rows_of[slot] = row
                self.release(*factors, *([] if start is None else [start]))
            elif not self._loops.write(slot):
                references = [self.reference(o) for o in operands]
                row = self.new_row()
                self.emit(known[self._name(slot)])
                self.refer(row, *references)
                self.rows_of[slot] = row
                self.release(*operands)
            self._send(slot, summed, kept)
        self._gather(1)
        self._gather_at_the_end()
        self.emit(END)

    def _name(self, slot: int) -> str:
        return self._names[self._plan.program.opcodes[slot - self._first]]

    def _send(self, slot: int, summed: dict[int, list[int]], kept: dict[int, list[int]]) -> None:
        """Send a number to the outputs that it is."""
        for place in kept.get(slot, ()):
            self.emit(KEEP, place)
            self.refer(self.rows_of[slot])
            self.release(slot)
        for place in summed.get(slot, ()):
            self._pending.append((place, slot, -1, slot))
            self._gather(GATHERED)

    def _gather(self, least: int) -> None:
        """Sum what is pending over samples, if it is that many products."""
        if len(self._pending) < least:
            return
        one, zero = (self._shared_row(row) for row in (self._replay.row_of_one, self._replay.row_of_zero))
        nowhere = len(self._replay.summed)
        while self._pending:
            some, self._pending = self._pending[:GATHERED], self._pending[GATHERED:]
            self.emit(GATHER)
            for place, x, y, _ in some:
                self.emit(place)
                self.refer(self.reference(x), one if y < 0 else self.reference(y))
            for _ in range(GATHERED - len(some)):
                self.emit(nowhere)
                self.refer(zero, zero)
            for _, x, y, slot in some:
                self.release(*((x, y) if slot is None else (slot,)))

    def _gather_at_the_end(self) -> None:
        """Sum the products that come last over samples; there may be a hundred thousand, so arrays do it."""
        factors = self._products_at_the_end
        if not len(factors):
            return
        slots, which = np.unique(factors, return_inverse=True)
        references = np.array([self.reference(slot) for slot in slots.tolist()])[which.reshape(-1)].reshape(-1, 2)
        places = np.array([place for place, (_, slot) in enumerate(self._replay.summed) if slot >= self._end])
        left = np.ones(len(factors), bool)
        self._outer(references, places, left)
        references, places = references[left], places[left]
        zero = self._shared_row(self._replay.row_of_zero)
        triples = np.empty((len(places) + -len(places) % GATHERED, 3), np.int64)
        triples[: len(places), 0], triples[: len(places), 1:] = places, references
        triples[len(places) :] = len(self._replay.summed), zero, zero
        words = np.insert(triples.reshape(-1, 3 * GATHERED), 0, GATHER, axis=1)
        of_one = [False] + [False, True, True] * GATHERED
        self.words_so_far += words.reshape(-1).tolist()
        self._is_reference += of_one * len(words)

    def _outer(self, references: Any, places: Any, left: Any) -> None:
        """Sum the products of neurons with the same inputs, four neurons at a time; mark what is left to do."""
        found = products_of_neurons(references[:, 0], places)
        neurons = [(first, last) for first, last in found if references[first:last].min() >= 0]
        while len(neurons) >= NEURONS:
            four = neurons[:NEURONS]
            first, last = four[0]
            inputs = references[first:last, 1]
            if not all(np.array_equal(references[i:j, 1], inputs) for i, j in four):
                neurons = neurons[1:]
                continue
            even = len(inputs) - len(inputs) % 2
            if even:
                self.emit(OUTER, even)
                self.refer(*inputs[:even].tolist())
                for i, _ in four:
                    self.refer(int(references[i, 0]))
                    self.emit(int(places[i]))
                    left[i : i + even] = False
            neurons = neurons[NEURONS:]

    def _fours(self, sums: dict[int, Chain]) -> dict[int, dict[int, Neuron]]:
        """Neurons with the same inputs, taken four at a time: each of them → the four."""
        found: dict[int, dict[int, Neuron]] = {}
        for layer in layers_of(self._operands, sums, self._name, self._plan.varying.__getitem__).values():
            neurons = list(layer.items())
            for first in range(0, len(neurons) - NEURONS + 1, NEURONS):
                four = dict(neurons[first : first + NEURONS])
                found.update(dict.fromkeys(four, four))
        return found

    def _layer(self, four: dict[int, Neuron]) -> None:
        """Four neurons at once; one without a start begins at 0.0."""
        neurons = list(four.values())
        inputs = neurons[0].inputs
        self.emit(LAYER, len(inputs))
        self.refer(*[self.reference(o) for o in inputs])
        for slot, (weights, _, start) in four.items():
            self.rows_of[slot] = self.new_row()
            begin = self._shared_row(self._replay.row_of_zero) if start is None else self.reference(start)
            self.refer(self.rows_of[slot], begin, self._shared_run(weights))
        for _ in neurons:  # what is shared has no row to give back
            self.release(*inputs)
