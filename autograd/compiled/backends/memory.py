"""Arrays as native code wants them: aligned, and known by their addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def aligned(shape: Sequence[int], dtype: Any = np.float64) -> Any:
    """An array of zeros whose first byte lies at a multiple of 64."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + 64, np.uint8)
    start = -address(raw) % 64
    return raw[start : start + size].view(dtype).reshape(shape)


def address(array: Any) -> int:
    """Where an array's numbers begin."""
    return array.__array_interface__["data"][0]  # type: ignore[no-any-return]


#: Numbers up to which arrays lie in one block, though whoever holds one of them then holds them all.
SHORT = 64


def arrays_of(count: int, size: int) -> tuple[list[Any], Sequence[int]]:
    """So many arrays for results, and their addresses; to ask each for its own takes longer than a short run."""
    if 0 < size <= SHORT:
        block = np.empty((count, size))
        start, stride = address(block), size * block.itemsize
        return list(block), range(start, start + count * stride, stride)
    found = [np.empty(size) for _ in range(count)]
    return found, [address(array) for array in found]
