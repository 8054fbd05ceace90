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
