"""Locks that a forked process finds free, unless it is the thread which holds one that forks."""

from __future__ import annotations

import os
from _thread import RLock
from _weakref import ref  # the module ``weakref`` takes most of a millisecond to import
from typing import Any

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


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_forked_process)
