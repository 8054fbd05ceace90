"""What is noted while a function is recorded for replay: each condition whose truth decided the way, and its line.

The recorded program would keep the branch that it saw; so every truth that Python asked for becomes a guard, and
reading a number, which would freeze it, raises.
"""

from __future__ import annotations

from _thread import get_ident
from typing import Any


class Watch:
    """The conditions whose truth was asked for, in the thread that records."""

    __slots__ = ("attempts", "conditions", "in_loop", "thread")

    def __init__(self) -> None:
        self.conditions: list[tuple[Any, str]] = []
        self.thread = get_ident()
        #: How many branches not taken are being run, one inside the other.
        self.attempts = 0
        #: Whether a step of a loop is being recorded; loops inside of it are recorded step by step.
        self.in_loop = False

    def is_ours(self) -> bool:
        """Whether it is this thread that records."""
        return self.thread == get_ident()


#: The watch of the function that is being recorded now; ``None`` at all other times.
watch: Watch | None = None
