"""How a function runs while it is watched: one at a time, and what threads do for it belongs to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from autograd.compiled.recording import workers
from autograd.compiled.waiting import wait_for
from autograd.eager import nodes, watching
from autograd.errors import RecordingError
from autograd.interrupts import switched
from autograd.locks import new_lock

#: The watch is one for the process, so functions are recorded one after the other.
_ONE_AT_A_TIME = new_lock()


def refuse_amid_of_another(name: str, lock: Any) -> None:
    """Refuse a call that is about to take a function's lock, where it cannot be right or would never end.

    Raises:
        RecordingError: this thread is recording a function, in which a replay's numbers would be frozen; or another
            thread is, and waits for this one.
        RuntimeError: this thread is amid of a call of the same function.
    """
    watch = watching.watch
    if watch is not None and watch.is_ours():
        raise watch.refusal(
            RecordingError(
                f"{name} is called while another function is recorded for replay; call the plain function there"
            )
        )
    _wait_for_who_records(lock, name)
    if lock._is_owned():
        raise RuntimeError(
            f"{name} is called amid of its own call, by a handler of a signal perhaps, and would change the numbers "
            "that it computes with; call it when that has ended, or compile it once more for the handler"
        )


def _wait_for_who_records(lock: Any, name: str) -> None:
    watch = watching.watch
    if watch is not None and not watch.is_ours():
        wait_for(lock, watch.thread, name)


def called_under(watch: watching.Watch, f: Callable[..., Any], args: Sequence[Any], name: str) -> Any:
    """What ``f`` returns, run under a watch.

    Raises:
        RecordingError: it read a number, whoever caught that, or went on after an error that depends on numbers.
    """
    _wait_for_who_records(_ONE_AT_A_TIME, name)
    with _ONE_AT_A_TIME, _watched(watch):
        result = f(*args)
        caught = watch.caught()
    if watch.refused is not None:
        raise watch.refused
    if caught is not None:
        raise RecordingError(
            f"{name} caught an error and went on, which a replay would do at all numbers; compare before, "
            f"and choose with where. The error: {caught}"
        )
    return result


class _watched(switched):
    """A context in which a watch is the one of the process, and knows the threads that work for the recording: those
    that it starts, and others while they do what it hands to them."""

    def __init__(self, watch: watching.Watch) -> None:
        super().__init__()
        self.watch = watch
        #: What stands in the place of something else, and that.
        self._replaced: list[tuple[Any, str, Any]] = []

    def on(self) -> None:
        """Enter it."""
        _entered.append(self)
        watching.watch = watch = self.watch
        of_others = workers.others_run()
        if of_others:
            nodes.hand_to(workers.mark(watch), "watch")
        for owner, name, new in workers.replacements(watch, of_others):
            self._replaced.append((owner, name, vars(owner)[name]))
            setattr(owner, name, new)

    def off(self) -> None:
        """Leave it, if it was entered."""
        if self in _entered:
            for owner, name, old in self._replaced:
                setattr(owner, name, old)
            nodes.hand_to(nodes.no_hook, "watch")
            watching.watch = None
            self.watch.raised.clear()  # tracebacks hold all that the function had
            _entered.remove(self)


#: The one that is entered, if one is.
_entered: list[_watched] = []


def _in_a_forked_process() -> None:
    """What another thread was recording, nobody records there."""
    for context in [*_entered]:
        if not context.watch.records_here():
            context.off()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_forked_process)
