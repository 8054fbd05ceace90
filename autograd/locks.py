"""Locks that a forked process finds free, unless it is the thread which holds one that forks; waiting for them, unless
that is hopeless; and imports of modules when they are first needed, which a fork waits for."""

from __future__ import annotations

import os
import time
from _thread import RLock
from _weakref import ref  # the module ``weakref`` takes most of a millisecond to import
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from autograd.interrupts import leaving, uninterrupted

_LOCKS: set[ref[Any]] = set()


def new_lock() -> Any:
    """A reentrant lock."""
    lock = RLock()
    _LOCKS.add(ref(lock, _LOCKS.discard))
    return lock


def _in_a_forked_process() -> None:
    """Free what threads hold that are not there any more."""
    for lock in filter(None, [reference() for reference in list(_LOCKS)]):
        if lock.acquire(blocking=False):  # it is free, or this thread's
            lock.release()
        else:
            lock._at_fork_reinit()


def stands_still(
    lock: Any, frame_of_holder: Callable[[], FrameType | None], is_hopeless: Callable[[FrameType, float], bool]
) -> FrameType | None:
    """Wait until a lock is free; or where its holder stands, once that is hopeless after so many seconds there."""
    place: Any = None
    since = 0.0
    while True:
        with uninterrupted():  # a lock that is taken is given back
            if lock.acquire(timeout=0.05):
                lock.release()
                return None
        frame = frame_of_holder()
        if frame is None:  # it has just ended, or not yet begun
            continue
        now = (id(frame), frame.f_lasti)
        if now != place:
            place, since = now, time.monotonic()
        if is_hopeless(frame, time.monotonic() - since):
            return frame


#: Of an import that a fork breaks off, Python's own lock would stay taken for ever.
_IMPORTS = new_lock()


class importing(uninterrupted):
    """A context in which modules are imported: NumPy cannot be imported again where that was broken off."""

    __slots__ = ()

    def __enter__(self) -> importing:
        super().__enter__()
        try:
            _IMPORTS.acquire()
        except BaseException:
            super().__exit__(None, None, None)
            raise
        return self

    @leaving
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _IMPORTS.release()
        super().__exit__(kind, error, traceback)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_forked_process)
    os.register_at_fork(before=_IMPORTS.acquire, after_in_parent=_IMPORTS.release, after_in_child=_IMPORTS.release)
