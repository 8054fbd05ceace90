"""What is noted while a function is recorded for replay: each condition whose truth decided the way, and its line.

The recorded program would keep the branch that it saw; so every truth that Python asked for becomes a guard, and
reading a number, which would freeze it, raises. Of ``where`` both branches are recorded: what one of them asks counts
for those samples alone that take it.

Who asks may be another thread. What one does that works for the function belongs to the recording, and of all others
what has to do with nodes that come from the arguments or were made for it.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import nan
from types import FrameType
from typing import Any, NamedTuple

#: Those who may print a node of a recording: debuggers, what writes tracebacks, and ourselves in errors.
_DEBUGGERS = frozenset(
    ("IPython", "_pydevd_bundle", "_pytest", "bdb", "cgitb", "pdb", "pudb", "pydevd", "rich", "traceback")
)
_OURS = frozenset(("autograd", "nn"))
#: The modules of ours that call what is recorded: what asks there is the user's.
_CALLS = ("autograd.compiled.recording.watched", "autograd.compiled.recording.workers")


class Asked(NamedTuple):
    """A condition whose truth was asked for."""

    condition: Any
    outcome: bool
    line: str
    #: The conditions of the branches in which it was asked, outermost first, and the truth for which each is taken.
    within: tuple[tuple[Any, bool], ...]
    #: What is wrong where it does not hold, if that is an error whichever way was recorded.
    else_wrong: str = ""


class Watch:
    """The conditions whose truth was asked for, and the branches that are being run."""

    __slots__ = (
        "again", "as_replayed", "attempts", "conditions", "directions", "everywhere", "going_on_in", "in_loop",
        "in_step", "is_recorded", "leaves_of_steps", "mark", "raised", "refused", "started", "thread", "within",
    )  # fmt: skip

    def __init__(
        self,
        directions: Sequence[bool] = (),
        as_replayed: Callable[[Any, Sequence[float]], float] = lambda primitive, numbers: nan,
        is_recorded: Callable[[Any, Watch], bool] = lambda node, watch: False,
        *,
        everywhere: bool = False,
        again: bool = False,
    ) -> None:
        #: Whether the function has been run before, and is run once more to see whether it does the same.
        self.again = again
        #: Whether a node comes from the arguments, or from what was made for the recording.
        self.is_recorded = is_recorded
        #: What is made for the recording while other threads run is known by it: a zero of its own, as the gradient of
        #: a node, which nobody may write meanwhile.
        self.mark = 0.0 * get_ident()
        #: What a replay gives for numbers at which a primitive has no value, if that is to be no error: in the whole
        #: function, or in these threads for a while.
        self.as_replayed = as_replayed
        self.everywhere, self.going_on_in = everywhere, set[int]()
        #: What the first conditions are to answer where a branch that is not taken asks: its own numbers say nothing.
        self.directions = directions
        self.conditions: list[Asked] = []
        self.thread = get_ident()
        #: The threads that the function started, or that work for it now, and the branches in which they were asked to.
        self.started: dict[Any, tuple[tuple[Any, bool], ...]] = {}
        #: What primitives raised at numbers at which they have no value or no slope.
        self.raised: list[Exception] = []
        #: What was refused first: that somebody catches it, or another thread ends with it, is no answer for a replay.
        self.refused: Exception | None = None
        #: The branches that are being run, one inside the other: the condition of each, and the truth that takes it.
        self.within: tuple[tuple[Any, bool], ...] = ()
        #: How many of them are not taken.
        self.attempts = 0
        #: Whether a step of a loop is being recorded; loops inside of it are recorded step by step.
        self.in_loop = False
        #: Whether it may be that of a loop that stays one.
        self.in_step = False
        #: Leaves in one place of a loop's body, another one in each step: right only if the steps make them.
        self.leaves_of_steps: list[Any] = []

    def records_here(self) -> bool:
        """Whether it is this thread that records."""
        return self.thread == get_ident()

    def is_ours(self) -> bool:
        """Whether what this thread does belongs to the recording."""
        return self.records_here() or _this_thread() in self.started

    def sees(self, node: Any) -> bool:
        """Whether what this thread reads of a node would leave the recording."""
        return self.is_ours() or self.is_recorded(node, self)

    def branches(self) -> tuple[tuple[Any, bool], ...]:
        """The branches in which this thread works."""
        return self.within if self.records_here() else self.started.get(_this_thread(), ())

    def answer(self, condition: Any, outcome: bool, line: str) -> bool:
        """The truth of a condition that was asked for here: its outcome, unless a direction says otherwise."""
        place = len(self.conditions)
        if self.attempts and place < len(self.directions):
            outcome = self.directions[place]
        self.conditions.append(Asked(condition, outcome, line, self.branches()))
        return outcome

    def must_hold(self, condition: Any, line: str, else_wrong: str) -> None:
        """Note that a condition is to hold wherever this is reached."""
        self.conditions.append(Asked(condition, True, line, self.branches(), else_wrong))

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """A context in which nothing that this thread computes raises where it has no value."""
        thread = get_ident()
        is_within = thread in self.going_on_in
        self.going_on_in.add(thread)
        try:
            yield
        finally:
            if not is_within:
                self.going_on_in.discard(thread)

    def goes_on(self) -> bool:
        """Whether what has no value here is no error."""
        return self.everywhere or get_ident() in self.going_on_in

    def refusal(self, error: Exception) -> Exception:
        """An error to raise; it is kept, since whoever catches it would go on with what no replay can know."""
        self.refused = self.refused or error
        return error

    def caught(self) -> Exception | None:
        """What a primitive raised and the user's code caught: at which numbers is not known to a replay."""
        for error in self.raised:
            where = error.__traceback__  # its outermost frame is that which caught it
            if where is not None and _package(where.tb_frame) not in _OURS:
                return error
        return None

    def prints(self) -> bool:
        """Whether the text of a node, whose method asks, is for a debugger, a traceback, or an error of ours."""
        frame: FrameType | None = sys._getframe(3)
        if frame is not None and _package(frame) in _OURS and frame.f_globals["__name__"] not in _CALLS:
            return True
        while frame is not None and _package(frame) not in _OURS:
            if _package(frame) in _DEBUGGERS:
                return True
            frame = frame.f_back
        return False


def _package(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]


def _this_thread() -> Any:
    threading = sys.modules.get("threading")  # imported by whoever started one
    return threading.current_thread() if threading is not None else None


#: The watch of the function that is being recorded now; ``None`` at all other times.
watch: Watch | None = None


def noted(error: Exception, operands: Sequence[Any]) -> Exception:
    """An error to raise, of a value or a slope that there is not at these operands; a function that is recorded here
    may not go on after it."""
    if watch is not None and watch.is_ours() and any(hasattr(operand, "_moment") for operand in operands):
        watch.raised.append(error)
    return error
