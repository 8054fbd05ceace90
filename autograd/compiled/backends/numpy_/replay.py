"""Replay on NumPy: blocks of samples, and one NumPy call for all instructions of a kind that can run together.

Memory does not grow with the number of samples, but for inputs and results.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiled.backends.group_calls import GroupCalls
from autograd.compiled.backends.reduction import TreeSum, samples_of_a_block
from autograd.compiled.backends.replay import Replay
from autograd.compiled.programs.plan import Plan
from autograd.number_systems import arrays

#: Bytes that the rows of a block may take. Of less, NumPy's calls take most of the time; of more, the caches are too
#: small: measured, networks of 1,000 and of 3,400 rows are slower at a quarter of it and at four times as much.
BLOCK_BYTES = 1 << 22


class NumpyReplay(Replay):
    """A plan on NumPy alone."""

    name = "numpy"

    def __init__(self, plan: Plan, *, fast: bool = False) -> None:
        super().__init__(plan, with_varying=True)
        self._calls = GroupCalls(self.levels, 1, fast=fast)

    def run_samples(self, columns: Sequence[Any], uniform: Any, samples: int) -> tuple[Any, list[Any]]:
        self.check_count(columns)
        row = self.levels.row
        kept = [np.empty(samples) for _ in self.kept]
        tree = TreeSum(len(self.summed))
        rows = np.array([row[slot] for _, slot in self.summed], np.intp)
        size = min(samples_of_a_block(self.levels.rows[1], BLOCK_BYTES), max(samples, 1))
        whole = np.empty((self.levels.rows[1], size))
        with arrays.computing():
            for start in range(0, samples, size):
                stop = min(start + size, samples)
                block = whole[:, : stop - start]
                for i, column in enumerate(columns):
                    block[i] = column[start:stop]
                self._calls(block, block, uniform)
                for array, (_, slot) in zip(kept, self.kept, strict=True):
                    array[start:stop] = block[row[slot]]
                if self.summed:
                    tree.add(block[rows])
            return tree.total(), kept
