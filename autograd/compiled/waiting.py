"""Waiting for a thread that records, which may wait in turn."""

from __future__ import annotations

import sys
from typing import Any

from autograd.errors import RecordingError
from autograd.locks import stands_still

#: Seconds after which a thread that has not moved is taken to wait.
PATIENCE = 10.0


def wait_for(lock: Any, thread: int, name: str) -> None:
    """Wait until a lock is free, which a thread that records a function may hold.

    Raises:
        RecordingError: that thread has not moved for a while, so it may be this one that it waits for.
    """
    frame = stands_still(lock, lambda: sys._current_frames().get(thread), lambda frame, seconds: seconds > PATIENCE)
    if frame is not None:
        raise RecordingError(
            f"{name} waits for a function that another thread records, and which stands still at "
            f"{frame.f_code.co_filename}:{frame.f_lineno}: does it wait for this thread? Call {name} once before, "
            "or the plain function there"
        )
