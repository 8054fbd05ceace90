"""What is noted while a function is recorded for replay: each condition whose truth decided the way, and its line.

The recorded program would keep the branch that it saw; so every truth that Python asked for becomes a guard, and
reading a number, which would freeze it, raises. Of ``where`` both branches are recorded: what one of them asks counts
for those samples alone that take it.
"""

from __future__ import annotations

from _thread import get_ident
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """A condition whose truth was asked for."""

    condition: Any
    outcome: bool
    line: str
    #: The conditions of the branches in which it was asked, outermost first, and the truth for which each is taken.
    within: tuple[tuple[Any, bool], ...]


class Watch:
    """The conditions whose truth was asked for, in the thread that records, and the branches that are being run."""

    __slots__ = (
        "attempts", "conditions", "directions", "in_loop", "leaves_of_steps", "outside_domain", "thread", "within",
    )  # fmt: skip

    def __init__(
        self,
        directions: Sequence[bool] = (),
        outside_domain: Callable[[Any, Sequence[float]], float] | None = None,
    ) -> None:
        #: What a primitive gives for numbers at which it has no value; with ``None`` it raises.
        self.outside_domain = outside_domain
        #: What the first conditions are to answer where a branch that is not taken asks: its own numbers say nothing.
        self.directions = directions
        self.conditions: list[Asked] = []
        self.thread = get_ident()
        #: The branches that are being run, one inside the other: the condition of each, and the truth that takes it.
        self.within: tuple[tuple[Any, bool], ...] = ()
        #: How many of them are not taken.
        self.attempts = 0
        #: Whether a step of a loop is being recorded; loops inside of it are recorded step by step.
        self.in_loop = False
        #: Leaves in one place of a loop's body, another one in each step: right only if the steps make them.
        self.leaves_of_steps: list[Any] = []

    def is_ours(self) -> bool:
        """Whether it is this thread that records."""
        return self.thread == get_ident()

    def answer(self, condition: Any, outcome: bool, line: str) -> bool:
        """The truth of a condition that was asked for here: its outcome, unless a direction says otherwise."""
        place = len(self.conditions)
        if self.attempts and place < len(self.directions):
            outcome = self.directions[place]
        self.conditions.append(Asked(condition, outcome, line, self.within))
        return outcome


#: The watch of the function that is being recorded now; ``None`` at all other times.
watch: Watch | None = None
