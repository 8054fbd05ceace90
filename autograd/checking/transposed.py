"""Derivatives that are right but for their order: those of a square matrix, transposed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autograd.checking.inputs import Inputs
from autograd.checking.report import Entry

#: To this part of the largest entry, derivatives agree with those of the transposed matrix.
_AGREE = 1e-5


def notes_on_transposed(given: Inputs, prefixes: Sequence[str], entries: Sequence[Entry]) -> list[str]:
    """A note for each square matrix, among the inputs or the Jacobian itself, whose derivatives are transposed."""
    notes = []
    size = len(given)
    for k, prefix in enumerate(prefixes):
        row = entries[k * size : (k + 1) * size]
        for root, first, n in given.square_matrices():
            if _is_transposed([row[first + n * i : first + n * (i + 1)] for i in range(n)]):
                notes.append(f"The derivatives {prefix or 'by '}{root} are those of its transpose.")
    if 1 < len(prefixes) == size and _is_transposed([entries[k * size : (k + 1) * size] for k in range(size)]):
        notes.append("The Jacobian is transposed.")
    return notes


def _is_transposed(matrix: Sequence[Sequence[Entry]]) -> bool:
    """Whether a matrix of derivatives, of which some are wrong, is right if it is transposed."""
    flat = [entry for row in matrix for entry in row]
    if all(entry.verdict != "mismatch" for entry in flat):
        return False
    largest = max(abs(entry.numeric) for entry in flat)
    pairs = [(entry.analytic, matrix[j][i].numeric) for i, row in enumerate(matrix) for j, entry in enumerate(row)]
    return math.isfinite(largest) and all(abs(x - y) <= _AGREE * largest for x, y in pairs)
