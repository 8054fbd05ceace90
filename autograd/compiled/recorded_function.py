"""A function that is recorded when it is called, and the report of it: what ``Compiled`` and ``Objective`` share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import iscoroutinefunction
from typing import Any

from autograd.compiled.backends.choice import Options, checked
from autograd.compiled.recording.recordings import Recordings
from autograd.compiled.report import Report, described
from autograd.locks import new_lock


class RecordedFunction:
    """A function and the recordings of it so far.

    Args:
        maker: the name of the function that makes it, for errors.
    """

    def __init__(self, f: Callable[..., Any], maker: str, options: Options) -> None:
        if not callable(f):
            raise TypeError(f"{maker} takes a function, not {f!r:.200}")
        if iscoroutinefunction(f):
            raise TypeError(f"{maker} takes a function that returns numbers, not the coroutine function {f!r:.200}")
        self.function = f
        self.name = getattr(f, "__name__", type(f).__name__)
        self.options = checked(options)
        #: Numbers that all samples share, or all numbers of a point, lie in one place, so threads take turns.
        self._lock = new_lock()

    def _all_recordings(self) -> Iterable[Recordings]:
        raise NotImplementedError

    @property
    def recordings(self) -> int:
        """How often the function was recorded."""
        return sum(recordings.made for recordings in self._all_recordings())

    @property
    def guards_missed(self) -> int:
        """How often a comparison came out differently from a recording."""
        return sum(recordings.guards_missed for recordings in self._all_recordings())

    def report(self) -> Report:
        """What was recorded so far and how it runs: operations, back end and why, compile time, guards.

        >>> import numpy as np
        >>> from autograd import compile
        >>> double = compile(lambda x: 2.0 * x, backend="numpy")
        >>> double(np.array([1.0, 2.0]))
        array([2., 4.])
        >>> print(double.report())
        1 recording of <lambda>, 0 guards missed
          values: 1 operation over 1 sample input, 0 shared, 3 slots; numpy, because asked for
        """
        with self._lock:
            programs = [
                described(what, prepared.choice, recording.trace.guards)
                for recordings in self._all_recordings()
                for recording in recordings.kept
                for (what, *_), prepared in recording.prepared.items()
            ]
            return Report(self.name, self.recordings, self.guards_missed, tuple(programs))
