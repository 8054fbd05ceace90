"""Calls of ``backward()`` take turns: gradients lie in nodes, which threads may share, and a sum is read and written.

A call amid another in the same thread, from a signal handler or a rule of one's own, is right if they share no nodes.
"""

from __future__ import annotations

import os
import sys
from types import CodeType, FrameType
from typing import Any

from autograd.eager.operands import in_short
from autograd.graph import topological_order
from autograd.locks import new_lock, stands_still

#: Whoever holds it runs ``backward()``.
TURN = new_lock()
#: The outputs whose ``backward()`` runs: one, or those amid which it was called again.
UNDER_WAY: list[Any] = []
#: What those raised for whom a rule of the call that runs waited in vain: that call raises it too.
WAITED_FOR: list[RuntimeError] = []
#: Seconds after which a rule that waits for a lock, an event or a queue is taken to wait for another ``backward()``.
PATIENCE = 60.0
#: What is called for that.
_TAKING = frozenset(("acquire", "get", "__enter__"))


def wait(output: Any) -> None:
    """Another thread is amid ``backward()``, and may be waiting for this one, in a rule."""
    code = output._send_back.__code__
    frame = stands_still(TURN, lambda: _who_sends_back(code), _waits_for_this_thread)
    if frame is not None:
        said = (
            f"backward() of {in_short(output)} waits for backward() in another thread, where a rule stands still at "
            f"{frame.f_code.co_filename}:{frame.f_lineno}: does it wait for this thread? Call it in the rule's own "
            "thread, or when no lock is held that the rule takes, or use gradients(), which waits for nobody"
        )
        WAITED_FOR.append(RuntimeError(said))
        raise RuntimeError(said)


def refuse_to_share_nodes(output: Any) -> None:
    """A signal handler, or a rule, calls ``backward()`` amid another: each would count what the other sent."""
    ours = set(topological_order(output))
    if not all(ours.isdisjoint(topological_order(other)) for other in UNDER_WAY):
        raise RuntimeError(
            f"backward() of {in_short(output)} amid backward() of a graph that shares nodes with it, from a signal "
            "handler or a rule; call it afterwards, or use gradients(), which keeps its numbers to itself"
        )


def _who_sends_back(code: CodeType) -> FrameType | None:
    """Where the thread stands that is amid ``backward()``, which runs this code."""
    for innermost in sys._current_frames().values():
        frame: FrameType | None = innermost
        while frame is not None:
            if frame.f_code is code:
                return innermost
            frame = frame.f_back
    return None


def _waits_for_this_thread(frame: FrameType, seconds: float) -> bool:
    """Whether who stands there waits until this thread ends, or has waited for something for long."""
    threading = sys.modules.get("threading")
    if threading is None or frame.f_globals.get("__name__") != "threading":
        return seconds > PATIENCE and _takes_a_lock(frame)
    place: FrameType | None = frame
    while place is not None:
        if place.f_code is threading.Thread.join.__code__:
            joined = place.f_locals["self"]
            there = sys._current_frames().get(joined.ident)
            return joined is threading.current_thread() or (
                there is not None and there is not frame and _waits_for_this_thread(there, seconds)
            )
        place = place.f_back
    return seconds > PATIENCE


def _takes_a_lock(frame: FrameType) -> bool:
    """Whether who stands there is amid ``with lock:``, ``lock.acquire()`` or ``queue.get()``, none of it in Python."""
    import dis  # more than a millisecond, which nobody else needs

    operation, called = "", set[Any]()
    for instruction in dis.get_instructions(frame.f_code):
        if instruction.offset > frame.f_lasti:
            break
        operation = instruction.opname
        if operation in ("LOAD_METHOD", "LOAD_ATTR", "LOAD_SPECIAL"):  # the last one: of 3.14, for with
            called = {instruction.argval, instruction.argrepr}  # of the last one the latter is the name
    return operation == "BEFORE_WITH" or (operation.startswith("CALL") and not _TAKING.isdisjoint(called))


def _in_a_forked_process() -> None:
    """What ran in another thread does not go on there."""
    if not TURN._is_owned():
        UNDER_WAY.clear()
        WAITED_FOR.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_forked_process)
