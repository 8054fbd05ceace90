"""``record_lines``: nodes made inside of it remember the user's line.

How, at no cost elsewhere: whatever makes a node calls ``recording._new`` for an empty one, and then stores the present
moment in it, ``recording.now``. Inside of ``record_lines`` the former is a function that looks for the user's line on
the stack and makes the latter a ``Moment`` that knows it: an integer of the same size, so that a leaf written too late
is still noticed. Outside, the code that runs is the very same as before. A trace function (``sys.settrace``) would have
to share its place with debuggers and coverage, and sees no frame that was entered before it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from autograd import errors
from autograd.eager import nodes
from autograd.eager.operands import Passive, number_of
from autograd.eager.unrolled import in_order
from autograd.provenance.lines import Moment, moment, user_frame
from autograd.provenance.reasons import why

_new = nodes._new


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

    It may be nested, used again, and left by an exception. While it is entered it holds for all threads; threads that
    make nodes at the same time may give each other their lines.
    """

    def __init__(self, *, raise_nonfinite: bool = False) -> None:
        self._raising = raise_nonfinite

    def __enter__(self) -> None:
        global _before
        if not _entered:
            _before = nodes.now
        _entered.append(self._raising)
        nodes._new = _maker(any(_entered))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _entered.remove(self._raising)
        if _entered:
            nodes._new = _maker(any(_entered))
            return
        nodes._new = _new
        # The same object as before if no leaf was written, so that backward() still sees at once that all is fresh.
        nodes.now = _before if _before == nodes.now else int(nodes.now)


#: Whether each context that is entered refuses what is not finite: a list, since threads leave in any order.
_entered: list[bool] = []
#: The clock when the first of them was entered.
_before = 0


def _maker(raising: bool) -> Callable[[type], Any]:
    """What stands in for ``object.__new__`` inside: it sets the clock to a moment that knows the user's line."""
    moments: dict[tuple[str, int], Moment] = {}  # one for each line, not for each node
    time = -1

    def new(value_class: type) -> Any:
        nonlocal time
        if raising:
            _refuse_nonfinite(sys._getframe(1))
        if nodes.now != time:
            time = int(nodes.now)
            moments.clear()
        frame = user_frame()
        if frame is not None:
            line = (frame.f_code.co_filename, frame.f_lineno or 0)
            if line not in moments:
                moments[line] = moment(time, *line)
            nodes.now = moments[line]
        return _new(value_class)

    return new


def _refuse_nonfinite(maker: FrameType) -> None:
    """Raise if the number is not finite that the frame, one of ``Recording``'s functions, is about to store."""
    names = maker.f_locals
    primitive, data = names["primitive"], names["data"]
    if not math.isfinite(data):
        x, y = names["x"], names.get("y")
        operands = in_order(x, y) if x.__class__ is tuple else (x,) if y is None else (x, y)
        constants = [operand for operand in operands if operand.__class__ is float]
        numbers = [number_of(operand) for operand in operands]
        reason = why(primitive, nodes.forward(primitive), data, numbers, constants)
        shown = [operand.value if operand.__class__ is Passive else operand for operand in operands]
        raise errors.nonfinite(primitive, shown, data, reason)
