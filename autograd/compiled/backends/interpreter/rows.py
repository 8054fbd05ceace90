"""The code for the interpreter's ``block`` as it is written: its words, and the rows of memory that they name.

Rows are used again once their number is not wanted any more, so that a program stays near the processor. References to
rows get their places at the end, when it is known how many shared numbers lie before them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

import numpy as np

from autograd.compiled.backends.interpreter.words import DOT, PRODUCT

#: References from here on are numbers of columns; there are fewer rows.
OF_COLUMNS = 1 << 30

#: Words whose references get their places at once.
_AT_ONCE = 1 << 20


#: Which words of an instruction are references, by the number of its operands: all but the operation.
_REFERENCES = [b"\0" + b"\1" * (1 + operands) for operands in range(5)]


class CodeWriter:
    """Words for the interpreter, rows of memory, and the uniform rows that are laid down for all samples.

    A reference is the number of a row, the complement of the place of a shared number, or of a column.

    Args:
        varying: whether each slot differs by sample.
        uniform_row: the row of each other slot in the uniform array.
        uses: how often the number of each slot will be asked for.
    """

    def __init__(self, varying: bytearray, uniform_row: Sequence[int], uses: list[int]) -> None:
        self._varying = varying
        self._uniform_row = uniform_row
        self.uses = uses
        self.words = array("i")
        #: Per word, 1 for a reference.
        self._is_reference = bytearray()
        #: The reference of each slot whose number lies in a row; -1 of the others.
        self.rows_of = array("i", [-1]) * len(varying)
        self.rows = 0
        self._free: list[int] = []
        #: The uniform rows of the shared numbers, place by place, and a place for each row.
        self.shared: list[int] = []
        self._place_of: dict[int, int] = {}

    def emit(self, *words: int) -> None:
        """Words that are no references."""
        self.words.extend(words)
        self._is_reference += bytes(len(words))

    def refer(self, *references: int) -> None:
        """References to operands, rows or shared numbers."""
        self.words.extend(references)
        self._is_reference += b"\1" * len(references)

    def emit_many(self, words: Sequence[int], is_reference: Iterable[int]) -> None:
        """Words of both kinds."""
        self.words.extend(words)
        self._is_reference.extend(is_reference)

    def instruction(self, operation: int, slot: int, operands: Sequence[int]) -> None:
        """An operation over the numbers of some slots, whose result is that of a slot. This is most of a program, so
        nothing else is called."""
        rows_of, varying, uses, free = self.rows_of, self._varying, self.uses, self._free
        if free:
            row = free.pop()
        else:
            row = self.rows
            self.rows = row + 1
        add = self.words.append
        add(operation)
        add(row)
        for o in operands:
            add(rows_of[o] if varying[o] else self.shared_row(self._uniform_row[o]))
        rows_of[slot] = row
        self._is_reference += _REFERENCES[len(operands)]
        for o in operands:
            left = uses[o] = uses[o] - 1
            if not left:
                reference = rows_of[o]
                if reference >= 0:
                    rows_of[o] = -1
                    if reference < OF_COLUMNS:
                        free.append(reference)

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
        """The reference to the number of a slot."""
        return self.rows_of[slot] if self._varying[slot] else self.shared_row(self._uniform_row[slot])

    def shared_row(self, row: int) -> int:
        """A reference to a row of the uniform array."""
        place = self._place_of.setdefault(row, len(self.shared))
        if place == len(self.shared):
            self.shared.append(row)
        return ~place

    def shared_run(self, slots: Sequence[int]) -> int:
        """A reference to shared numbers that lie one after the other."""
        first = len(self.shared)
        self.shared += [self._uniform_row[slot] for slot in slots]
        return ~first

    def new_row(self) -> int:
        """A row that is free."""
        if self._free:
            return self._free.pop()
        self.rows += 1
        return self.rows - 1

    def row_for(self, slot: int) -> int:
        """A row that is free; the slot's number lies there from now on."""
        row = self.rows_of[slot] = self.new_row()
        return row

    def release(self, *slots: int) -> None:
        """One use less of each; a row that nobody wants any more is free."""
        uses, rows_of = self.uses, self.rows_of
        for slot in slots:
            left = uses[slot] = uses[slot] - 1
            if not left and rows_of[slot] >= 0:
                self.free_row(rows_of[slot])
                rows_of[slot] = -1

    def free_row(self, reference: int) -> None:
        """A row that is wanted no more; a column's numbers stay where they are."""
        if reference < OF_COLUMNS:
            self._free.append(reference)

    def finished(self, vectors: int, rows_of_columns: Sequence[int], moves: Sequence[bool]) -> np.ndarray:
        """The rows of the shared numbers, then the words, with places for references.

        Args:
            vectors: of a block.
            rows_of_columns: the row of each reference to a column, and whether it moves from step to step.
        """
        words, is_reference = np.array(self.words), np.array(self._is_reference, bool)
        for start in range(0, len(words), _AT_ONCE):
            some = words[start : start + _AT_ONCE]
            at = np.flatnonzero(is_reference[start : start + _AT_ONCE])
            references = some[at].astype(np.int64)
            bits = np.ones(len(at), np.int64)
            if rows_of_columns:
                known = references >= OF_COLUMNS
                number = references[known] - OF_COLUMNS
                references[known], bits[known] = np.array(rows_of_columns)[number], 2 * np.array(moves)[number] + 1
            rows = 4 * (len(self.shared) + references * vectors) + bits
            some[at] = np.where(references < 0, 4 * ~references, rows)
        return np.concatenate([np.array(self.shared, np.int32), words])
