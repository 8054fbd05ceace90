"""``record_lines``: nodes made inside of it remember the user's line.

How, at no cost elsewhere: inside of it, each node is handed to a hook as soon as it is made. The hook looks for the
user's line on the stack, and makes of the moment of the node's birth a ``Moment`` that knows it: the same number, so
that a leaf written too late is still noticed. A trace function (``sys.settrace``) would have to share its place with
debuggers and coverage, and sees no frame that was entered before it.
"""

from __future__ import annotations

import math
import os
from _thread import get_ident
from types import TracebackType
from typing import Any

from autograd import errors
from autograd.eager import nodes
from autograd.eager.makers import forward
from autograd.eager.operands import number_of
from autograd.interrupts import leaving, switched
from autograd.locks import new_lock
from autograd.provenance.lines import Moment, moment, user_frame
from autograd.provenance.reasons import why


class record_lines:
    """A context in which every node made remembers the line of the user's code that made it.

    ``line_of(node)`` tells it, and so do errors and reports. Inside of the engine and of ``nn``, the line is the one
    that called them. Making a node takes three to five times as long inside; outside, nothing changes.

    >>> from autograd import Value, line_of
    >>> x = Value(0.0, "x")
    >>> with record_lines():
    ...     y = x.exp()
    ...     z = y.sqrt()
    >>> line_of(y)[-2:], line_of(z)[-2:]
    (':2', ':3')

    With ``raise_nonfinite``, the first node whose number is nan or infinite raises at its line, as operations outside
    of their domain do always; ``find_nonfinite`` finds it afterwards.

    >>> with record_lines(raise_nonfinite=True):
    ...     y * 1e308 * 10.0
    Traceback (most recent call last):
        ...
    autograd.errors.NonFiniteError: mul gave inf; x is 1e+308, y is 10.0 (<doctest ...>:2): 1e+308 · 10.0 is too ...
    where x = mul(exp('x'), 1e+308)

    It may be nested, used again, and left by an exception. While it is entered it holds for all threads.
    """

    def __init__(self, *, raise_nonfinite: bool = False) -> None:
        self._raising = raise_nonfinite

    def __enter__(self) -> None:
        _Entered(self._raising).__enter__()

    @leaving
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        found = None
        for context in [*_entered]:  # the last of this thread, or else of any: a generator may go on in another
            if context.raising == self._raising and (found is None or context.thread == get_ident()):
                found = context
        if found is not None:
            found.__exit__(kind, error, traceback)


class _Entered(switched):
    """A context that was entered, by which thread, and whether it refuses what is not finite."""

    def __init__(self, raising: bool) -> None:
        super().__init__()
        self.raising = raising
        self.thread = get_ident()

    def on(self) -> None:
        with _TURN:
            _entered.append(self)
            _hand_nodes_to_hook()

    def off(self) -> None:
        with _TURN:
            if self in _entered:
                _entered.remove(self)
            _hand_nodes_to_hook()


#: A list, since threads leave in any order.
_entered: list[_Entered] = []
_TURN = new_lock()


def _hand_nodes_to_hook() -> None:
    raising = [context.raising for context in _entered]
    nodes.hand_to(_hook(any(raising)) if raising else nodes.no_hook, "lines")


def _in_a_forked_process() -> None:
    """Threads that are not there any more leave no context."""
    _entered[:] = [context for context in _entered if context.thread == get_ident()]
    _hand_nodes_to_hook()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_forked_process)


def _hook(raising: bool) -> nodes.Hook:
    """What each node is handed to inside."""
    moments: dict[tuple[str, int], Moment] = {}  # one for each line, not for each node

    def note_line(node: Any) -> None:
        if raising and not math.isfinite(node._data):
            raise _nonfinite(node)
        frame = user_frame()
        if frame is not None:
            line = (frame.f_code.co_filename, frame.f_lineno or 0)
            born = moments.get(line)
            if born is None or born != node._moment:
                born = moments[line] = moment(node._moment, *line)
            node._moment = born

    return note_line


def _nonfinite(node: Any) -> errors.NonFiniteError:
    """The error for a node whose number is not finite."""
    operands, primitive = node._operands(), node.primitive
    constants = [operand for operand in operands if operand.__class__ is float]
    numbers = [number_of(operand) for operand in operands]
    reason = why(primitive, forward(primitive), node._data, numbers, constants)
    return errors.nonfinite(primitive, node.parents, node._data, reason)
