"""Locks that nobody waits for in vain: not in a forked process, nor for a thread that waits in turn."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any
from weakref import WeakSet

from autograd.errors import RecordingError
from autograd.interrupts import uninterrupted

#: Seconds after which a thread that has not moved is taken to wait.
PATIENCE = 10.0

_LOCKS: WeakSet[Any] = WeakSet()


def new_lock() -> Any:
    """A reentrant lock that is free in a forked process, unless it is the thread which holds it that forks."""
    lock = threading.RLock()
    _LOCKS.add(lock)
    return lock


def _in_a_forked_process() -> None:
    """Free what threads hold that are not there any more."""
    for lock in list(_LOCKS):
        if lock.acquire(blocking=False):  # it is free, or this thread's
            lock.release()
        else:
            lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_forked_process)


def wait_for(lock: Any, thread: int, name: str) -> None:
    """Wait until a lock is free, which a thread that records a function may hold.

    Raises:
        RecordingError: that thread has not moved for a while, so it may be this one that it waits for.
    """
    place: Any = None
    since = 0.0
    while True:
        with uninterrupted():  # a lock that is taken is given back
            if lock.acquire(timeout=0.05):
                lock.release()
                return
        frame = sys._current_frames().get(thread)
        if frame is None:
            return
        now = (id(frame), frame.f_lasti)
        if now != place:
            place, since = now, time.monotonic()
        elif time.monotonic() - since > PATIENCE:
            raise RecordingError(
                f"{name} waits for a function that another thread records, and which stands still at "
                f"{frame.f_code.co_filename}:{frame.f_lineno}: does it wait for this thread? Call {name} once before, "
                "or the plain function there"
            )
