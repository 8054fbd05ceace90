"""What machine code and interpreter share: a table of addresses for the driver, filled for each call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiled import driver
from autograd.compiled.plan import Plan
from autograd.compiled.replay import Replay


class NativeReplay(Replay):
    """A plan that native code runs."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._table: driver.Table | None = None
        self._uniform: Any = None

    def start(self, table: driver.Table) -> None:
        """Run the native code over all samples of the table."""
        raise NotImplementedError

    def new_table(self, uniform: Any) -> driver.Table:
        """A table for the numbers that all samples share."""
        return driver.Table(len(self.columns), len(self.summed), len(self.kept), uniform)

    def run_samples(self, columns: Sequence[Any], uniform: Any, samples: int) -> tuple[Any, list[Any]]:
        table = self._table
        if table is None or self._uniform is not uniform:
            table, self._uniform = self.new_table(uniform), uniform
            self._table = table
        held = []  # as long as the call lasts
        for i, column in enumerate(columns):
            if column.strides[0] != 8:
                column = np.ascontiguousarray(column)
                held.append(column)
            table.columns[i] = driver.address(column)
        kept = [np.empty(samples) for _ in self.kept]
        for i, array in enumerate(kept):
            table.outputs[i] = driver.address(array)
        table.size(samples)
        self.start(table)
        return table.total(), kept
