"""``Samples``: arrays of samples, and the order in which they make batches; no batch is made before it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiled.recording.arguments import ArgumentReader, Arguments


class Samples:
    """Arrays whose first axis counts samples, in an order; ``None`` is that of the arrays.

    Raises:
        ValueError: two arrays have different numbers of samples.
    """

    __slots__ = ("_read", "arrays", "count", "order", "shapes")

    def __init__(self, arrays: Sequence[Any], order: Any, read: ArgumentReader) -> None:
        self.arrays, self._read = arrays, read
        self.order = None if order is None else np.ascontiguousarray(order, np.int64)
        lengths = [*map(len, arrays)]
        #: How many samples the batches are made of.
        self.count = lengths[0] if order is None else len(order)
        #: What a recording is made for.
        self.shapes = tuple([array.shape[1:] for array in arrays])
        if lengths.count(lengths[0]) < len(lengths):
            read(arrays)  # which says so

    def batch(self, begin: int, end: int) -> Arguments:
        """The samples of a batch, as a call's arguments."""
        if self.order is None:
            return self._read([array[begin:end] for array in self.arrays])
        return self._read([np.take(array, self.order[begin:end], axis=0) for array in self.arrays])

    def check(self) -> None:
        """Raise an IndexError if the order holds the index of no sample."""
        order, there = self.order, len(self.arrays[0])
        if order is not None and len(order) and order.view(np.uint64).max() >= there:  # a negative one is large then
            raise IndexError(f"the order goes from {order.min()} to {order.max()}; there are {there} samples")
