"""The sum over samples: one tree, whatever the back end, the block size and the number of threads.

Samples are taken in chunks of 1,024. Within a chunk, sample i goes to lane i mod 8; each lane starts at 0.0 and adds
its samples in order; the chunk's sum is ((lane 0 + lane 1) + (lane 2 + lane 3)) + ((lane 4 + lane 5) + (lane 6 + lane
7)). The sums of the chunks are added in order. Native code takes four or eight samples at a time (``native.width``),
and adds to four or eight of the lanes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LANES = 8
CHUNK = 1024


def samples_of_a_block(numbers: int, most_bytes: int, *, least: int = 16) -> int:
    """How many samples are computed at once, so many numbers each: a divisor of a chunk.

    Args:
        most_bytes: what their numbers may take; beyond it there are no more than ``least`` samples.
    """
    size = least
    while size * 2 <= min(most_bytes // (8 * max(numbers, 1)), CHUNK):
        size *= 2
    return size


class TreeSum:
    """Adds rows of numbers over samples, block after block; a block begins at a multiple of the lanes."""

    def __init__(self, rows: int) -> None:
        self._lanes = np.zeros((rows, LANES))
        self._total: Any = None
        self._in_chunk = 0

    def add(self, block: Any) -> None:
        """Add a block, ``(rows, samples)``, that lies within one chunk."""
        rows, samples = block.shape
        whole = samples - samples % LANES
        if whole:
            parts = block[:, :whole].reshape(rows, whole // LANES, LANES)
            # Along an axis that is not the last, NumPy adds one after the other.
            self._lanes = np.add.reduce(np.concatenate([self._lanes[:, None, :], parts], axis=1), axis=1)
        if samples > whole:
            self._lanes[:, : samples - whole] += block[:, whole:]
        self._in_chunk += samples
        if self._in_chunk == CHUNK:
            self._end_chunk()

    def _end_chunk(self) -> None:
        lanes = self._lanes
        pairs = lanes[:, ::2] + lanes[:, 1::2]
        fours = pairs[:, ::2] + pairs[:, 1::2]
        chunk = fours[:, 0] + fours[:, 1]
        self._total = chunk if self._total is None else self._total + chunk
        self._lanes = np.zeros_like(lanes)
        self._in_chunk = 0

    def total(self) -> Any:
        """The sums, one per row."""
        if self._in_chunk or self._total is None:
            self._end_chunk()
        return self._total
