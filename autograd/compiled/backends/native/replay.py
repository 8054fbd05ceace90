"""What machine code and interpreter share: tables of addresses for the driver, filled for each call; and threads.

Each thread takes a run of whole chunks of a round and writes the sums of its chunks to their places; so what comes out
does not depend on how many there are.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from autograd.compiled.backends.memory import address
from autograd.compiled.backends.native import driver
from autograd.compiled.backends.replay import Replay
from autograd.compiled.programs.plan import Plan


class NativeReplay(Replay):
    """A plan that native code runs."""

    def __init__(self, plan: Plan, threads: int = 1) -> None:
        super().__init__(plan, with_varying=False)
        self.threads = threads
        self._tables: list[driver.Table] = []
        self._uniform: Any = None
        #: How often the tables were filled, so that whoever knows what is in them can tell whether it still is.
        self.runs = 0
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    @property
    def table(self) -> driver.Table | None:
        """The table of the last run."""
        return self._tables[0] if self._tables else None

    def start(self, table: driver.Table) -> int:
        """Run the native code over the chunks of the table; whether the sum of one of them is nan."""
        raise NotImplementedError

    def new_table(self, uniform: Any) -> driver.Table:
        """A table for the numbers that all samples share."""
        return driver.Table(len(self.columns), len(self.summed), len(self.kept), uniform)

    def run_samples(self, columns: Sequence[Any], uniform: Any, samples: int) -> tuple[Any, list[Any]]:
        self.check_count(columns)
        if self._uniform is not uniform:
            self._tables, self._uniform = [self.new_table(uniform)], uniform
        self.runs += 1
        table = self._tables[0]
        columns = [c if not c.strides[0] & 7 else np.ascontiguousarray(c) for c in columns]  # fields of records
        count = len(columns)
        table.columns[:count] = [address(column) for column in columns]
        table.strides[:count] = [column.strides[0] >> 3 for column in columns]
        kept = [np.empty(samples) for _ in self.kept]
        for i, array in enumerate(kept):
            table.outputs[i] = address(array)
        for first in table.size(samples, self.threads):
            if first != table.first:  # a small step's only round is ready: 3 of 14 microseconds (measured)
                table.begin(first)
            if self.threads == 1 or table.last - table.first == 1:
                self.start(table)
            else:
                self._share(table)
        return table.total(), kept

    def _share(self, table: driver.Table) -> None:
        """Run the chunks of a round in several threads, a run of them each."""
        if self._pool is None or self._process != os.getpid():  # a forked process has none of its parent's threads
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="valuegrad")
            self._process = os.getpid()
        chunks = table.last - table.first
        count = min(self.threads, chunks)
        while len(self._tables) < count:
            self._tables.append(self.new_table(self._uniform))
        bounds = [table.first + chunks * i // count for i in range(count + 1)]
        shared = {name: int(table.entries[driver.FIELDS.index(name)]) for name in ("samples", "sums")}
        started = []
        for i, other in enumerate(self._tables[:count]):
            other.columns[:], other.strides[:] = table.columns, table.strides
            other.outputs[:] = table.outputs
            other.set(**shared, first_chunk=bounds[i], last_chunk=bounds[i + 1])
            started.append(self._pool.submit(self.start, other))
        for future in started:
            future.result()
