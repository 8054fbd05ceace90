"""``Workers``: threads that do their shares of the batches of native steps, as long as these run."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from queue import Empty, SimpleQueue
from threading import Thread

import numpy as np

from autograd.compiled.backends.memory import aligned
from autograd.compiled.backends.native import driver
from autograd.interrupts import uninterrupted

#: What threads wait for, by its place: the number of the step that is due, -1 when there is none any more; how many
#: are done with it; and whether one could not begin.
DUE, DONE, FAILED, SYNC = 0, 8, 16, 24


class Workers:
    """Threads that each do a share of every batch.

    Args:
        tables: those of their shares.
        work: native code, ``work(table of the steps, table of a share)``.
    """

    def __init__(self, tables: Sequence[driver.Table], work: Callable[[int, int], object]) -> None:
        self._tables = tables
        self.pointers, self.sync = np.array([t.pointer for t in tables] or [0], np.int64), aligned((SYNC,), np.int64)
        self._work = work

    def __len__(self) -> int:
        return len(self._tables)

    def run(self, steps: Callable[[int], int], table: int) -> int:
        """What ``steps`` returns, the threads working meanwhile."""
        self.sync[:] = 0
        begun: list[SimpleQueue[None]] = [SimpleQueue() for _ in self._tables]
        told = zip(self._tables, begun, strict=True)
        threads = [Thread(target=self._run_one, args=(table, t.pointer, b), name="valuegrad") for t, b in told]
        with uninterrupted():
            try:
                for thread in threads:
                    thread.start()
                if not all(map(_has_begun, threads, begun)):
                    self.sync[FAILED] = 1
                return steps(table)
            finally:
                self.sync[DUE] = -1
                for thread in threads:
                    if thread.ident is not None:  # it was started
                        thread.join()

    def _run_one(self, table: int, share: int, begun: SimpleQueue[None]) -> None:
        try:
            begun.put(None)
            self._work(table, share)
        except BaseException:
            self.sync[FAILED] = 1
            raise


def _has_begun(thread: Thread, begun: SimpleQueue[None]) -> bool:
    """Wait until a thread has begun; false if it ended before, of what Python itself raised in it."""
    while thread.is_alive():
        with suppress(Empty):
            begun.get(timeout=0.05)
            return True
    return False


@cache
def yielding() -> int:
    """The address of what lets other threads have the processor; 0 where there is none."""
    name = "SwitchToThread" if os.name == "nt" else "sched_yield"
    try:
        function = getattr(ctypes.CDLL("kernel32" if os.name == "nt" else None), name)
    except (OSError, AttributeError):
        return 0
    return ctypes.cast(function, ctypes.c_void_p).value or 0
