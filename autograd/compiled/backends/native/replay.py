"""What machine code and interpreter share: tables of addresses for the driver, filled for each call; and threads.

Each thread takes a run of whole chunks of a round and writes the sums of its chunks to their places; so what comes out
does not depend on how many there are. A long run is cut into stretches of some hundredths of a second, between which
Ctrl-C is looked for; no call ends while a thread of its own still writes into its arrays.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numpy as np

from autograd.compiled.backends.memory import address, arrays_of
from autograd.compiled.backends.native import driver
from autograd.compiled.backends.reduction import LANES
from autograd.compiled.backends.replay import Replay
from autograd.compiled.programs.loops import size
from autograd.compiled.programs.plan import Plan
from autograd.interrupts import uninterrupted

#: Seconds that a stretch is to take, and what an operand of a sample is taken to take before the first is measured:
#: more than nearly all do.
STRETCH_SECONDS, OPERAND_SECONDS = 0.05, 4e-9

#: Groups of samples that stretches are multiples of: what the interpreter computes at once.
LEAST_STRETCH = 8


class NativeReplay(Replay):
    """A plan that native code runs.

    Raises:
        NotImplementedError: native code lacks a primitive of the program.
    """

    def __init__(self, plan: Plan, threads: int = 1) -> None:
        super().__init__(plan, with_varying=False)
        self.threads = threads
        self._tables: list[driver.Table] = []
        self._uniform: Any = None
        seconds = OPERAND_SECONDS * LANES * max(size(plan.program), 1)
        #: Groups of samples that are run without a look for Ctrl-C.
        self._stretch = max(int(STRETCH_SECONDS / seconds), LEAST_STRETCH)
        #: The fewest samples that ``entry`` is for; a run of fewer leaves the tables as they are.
        self.least = 1
        #: Groups of samples that the native code takes at once, if it knows which of the last are samples.
        self.together = 0
        #: How often the tables were filled, so that whoever knows what is in them can tell whether it still is.
        self.runs = 0
        self._shared = _code_of_shared(self) if self.has_shared else None
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    @property
    def entry(self) -> int:
        """The address of the native code, for what calls it from native code."""
        raise NotImplementedError

    @property
    def shared_entry(self) -> tuple[int, int]:
        """The address of what computes the numbers that all samples share, and of its code; 0 where there are none."""
        return self._shared.entry if self._shared is not None else (0, 0)

    def run_uniform(self, uniform: Any) -> None:
        if self._shared is not None:
            self._shared(uniform)

    @property
    def stretch(self) -> int:
        """Groups of samples that are run in some hundredths of a second."""
        return self._stretch

    @property
    def samples_of_a_stretch(self) -> int:
        return self._stretch * LANES

    @property
    def table(self) -> driver.Table | None:
        """The table of the last run."""
        return self._tables[0] if self._tables else None

    def start(self, table: driver.Table) -> int:
        """Run the native code over the chunks of the table; whether the sum of one of them is not finite."""
        raise NotImplementedError

    def new_table(self, uniform: Any) -> driver.Table:
        """A table for the numbers that all samples share."""
        return driver.Table(len(self.columns), len(self.summed), len(self.kept), uniform, self.together)

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
        kept, table.outputs[: len(self.kept)] = arrays_of(len(self.kept), samples)
        try:
            for first in table.size(samples, self.threads):
                if first != table.first:  # a small step's only round is ready: 3 of 14 microseconds (measured)
                    table.begin(first)
                if self.is_short(table):
                    self.start(table)
                elif self.threads == 1 or table.last - table.first == 1:
                    self._run_groups(table, *table.groups(table.first, table.last))
                else:
                    self._share(table)
            return table.total(), kept
        except BaseException:
            self._tables, self._uniform = [], None  # they are amid a round
            raise

    def is_short(self, table: driver.Table) -> bool:
        """Whether the present round is run in one go: by one thread, and without a look for Ctrl-C."""
        first, last = table.groups(table.first, table.last)
        one = self.threads == 1 or table.last - table.first == 1
        return one and last - first <= self._stretch

    def _run_groups(self, table: driver.Table, first: int, last: int, stop: Sequence[Any] = ()) -> None:
        """Run groups of samples in stretches, until there is something in ``stop``."""
        at = first
        while at < last and not stop:
            following = min(at + self._stretch, last)
            table.set(first_group=at, last_group=following)
            begun = time.perf_counter()
            self.start(table)  # Python looks for Ctrl-C after it
            self._measure(following - at, time.perf_counter() - begun)
            at = following
        table.set(first_group=first, last_group=last)

    def _measure(self, groups: int, seconds: float) -> None:
        """Make the next stretches as long as they should be; processors that were busy elsewhere count little."""
        wanted = groups * STRETCH_SECONDS / max(seconds, 1e-6)
        if groups == self._stretch or wanted < self._stretch:  # a short one says little of longer ones
            wanted = min(max(wanted, self._stretch / 2), self._stretch * 4)
            self._stretch = max(int(wanted / LEAST_STRETCH), 1) * LEAST_STRETCH

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
        ended: SimpleQueue[Any] = SimpleQueue()
        stop: list[bool] = []
        started: list[Any] = []
        with uninterrupted() as signals:
            try:
                for other, first, last in zip(self._tables, bounds, bounds[1:], strict=False):
                    other.columns[:], other.strides[:] = table.columns, table.strides
                    other.outputs[:] = table.outputs
                    other.set(**shared)
                    started.append(self._pool.submit(self._run_groups, other, *table.groups(first, last), stop))
                    started[-1].add_done_callback(ended.put)  # whatever it raises, and however early
                with signals.allowed():
                    for _ in started:  # not on a future, whose locks an interrupt would leave locked
                        ended.get()
            except BaseException:
                stop.append(True)
                self._pool.shutdown(cancel_futures=True)  # what it found no thread for is in its queue
                self._pool = None
                raise
        for future in started:
            future.result()


def _code_of_shared(replay: NativeReplay) -> Any:
    # Where llvmlite is missing this file is read all the same, for nothing but the class.
    from autograd.compiled.backends.native.shared import SharedCode

    return SharedCode(replay.levels)
