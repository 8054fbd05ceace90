"""What is summed over samples, as code for the interpreter: products, never stored, several at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd.compiled.backends.interpreter.rows import CodeWriter
from autograd.compiled.backends.interpreter.words import GATHER, GATHERED, NEURONS, OUTER
from autograd.compiled.backends.native.neurons import products_of_neurons
from autograd.compiled.backends.replay import Replay


class _Pending(NamedTuple):
    """A product to be summed: its place among the sums, and the factors; a number alone has no second one."""

    place: int
    x: int
    y: int | None


class SumsOverSamples:
    """Writes the sums; products wait until there are enough of them for one instruction."""

    def __init__(self, code: CodeWriter, replay: Replay) -> None:
        self._code = code
        self._row_of_one, self._row_of_zero = replay.row_of_one, replay.row_of_zero
        #: The place that none of the sums has.
        self._nowhere = len(replay.summed)
        self._pending: list[_Pending] = []

    def add(self, place: int, x: int, y: int | None = None) -> None:
        """Sum a number, or a product of two; each use is given back once it is written."""
        self._pending.append(_Pending(place, x, y))

    def write(self, least: int = GATHERED) -> None:
        """Write what waits, if it is that many products."""
        if len(self._pending) < least:
            return
        code = self._code
        one, zero = code.shared_row(self._row_of_one), code.shared_row(self._row_of_zero)
        while self._pending:
            some, self._pending = self._pending[:GATHERED], self._pending[GATHERED:]
            code.emit(GATHER)
            for place, x, y in some:
                code.emit(place)
                code.refer(code.reference(x), one if y is None else code.reference(y))
            for _ in range(GATHERED - len(some)):
                code.emit(self._nowhere)
                code.refer(zero, zero)
            for _, x, y in some:
                code.release(*((x,) if y is None else (x, y)))

    def write_all(self, factors: Any, places: Any) -> None:
        """Write products ``(count, 2)`` to their places, as arrays: there may be a hundred thousand."""
        slots, which = np.unique(factors, return_inverse=True)
        references = np.array([self._code.reference(slot) for slot in slots.tolist()])[which.reshape(-1)].reshape(-1, 2)
        left = self._without_neurons(references, places)
        references, places = references[left], places[left]
        zero = self._code.shared_row(self._row_of_zero)
        triples = np.empty((len(places) + -len(places) % GATHERED, 3), np.int64)
        triples[: len(places), 0], triples[: len(places), 1:] = places, references
        triples[len(places) :] = self._nowhere, zero, zero
        words = np.insert(triples.reshape(-1, 3 * GATHERED), 0, GATHER, axis=1)
        self._code.emit_many(words.reshape(-1).tolist(), (b"\0" + b"\0\1\1" * GATHERED) * len(words))

    def _without_neurons(self, references: Any, places: Any) -> Any:
        """Write the products of neurons with the same inputs, four neurons at a time; which products are left."""
        left = np.ones(len(places), bool)
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
                self._code.emit(OUTER, even)
                self._code.refer(*inputs[:even].tolist())
                for i, _ in four:
                    self._code.refer(int(references[i, 0]))
                    self._code.emit(int(places[i]))
                    left[i : i + even] = False
            neurons = neurons[NEURONS:]
        return left
