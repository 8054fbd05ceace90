"""Guards: the comparisons that a recorded program rests on, and what happens where one comes out otherwise.

There is never a wrong branch in silence.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd.errors import GuardError

#: What a guard's output holds, in place of a truth, for samples that take no branch in which it was asked.
NOT_ASKED = -1.0

#: What to write where Python's ``if``, ``max`` or ``min`` decides.
INSTEAD = "where(condition, a, b), of max and min with maximum(a, b) and minimum(a, b)"


class Guard(NamedTuple):
    """A comparison whose truth Python asked for: the program is right only where it comes out the same."""

    #: The slot of the program that holds its truth.
    slot: int
    outcome: bool
    #: ``x < 0.5``, for errors.
    text: str
    line: str
    #: The branches of ``where`` in which it was asked, outermost first: the slot of the condition, and the truth that
    #: takes the branch. Only a sample that takes them all asks.
    within: tuple[tuple[int, bool], ...] = ()
    #: How many truths had been asked for before; -1 if it was asked before the recording.
    place: int = -1
    #: What is wrong where it does not hold, if no other recording would do.
    else_wrong: str = ""


class Missed(Exception):
    """All samples that ask decided a comparison differently from the recording, and alike: another recording serves."""

    def __init__(self, guard: Guard, sample: int) -> None:
        super().__init__(guard, sample)
        self.guard = guard
        #: The first of them.
        self.sample = sample


def check(name: str, guard: Guard, truth: Any) -> None:
    """Raise unless a comparison came out as recorded for all samples that ask.

    Raises:
        Missed: it came out otherwise for all of them.
        GuardError: for some of them; the comparison, the samples and the remedy are named.
        IndexError: an index is outside of its list, for some or all; the samples are named.
    """
    held = truth == guard.outcome
    if held is True or (held is not False and held.all()):  # mostly, and in a third of the time of all that follows
        return
    asks = truth != NOT_ASKED
    other = asks & (truth != guard.outcome)
    if not np.any(other):
        return
    wrong = np.flatnonzero(other)
    count = np.count_nonzero(asks)
    shown = ", ".join(map(str, wrong[:5])) + (" …" if len(wrong) > 5 else "")
    if guard.else_wrong:
        raise outside(name, guard, f", for {len(wrong)} of {count} (samples {shown})" if np.ndim(truth) else "")
    if len(wrong) == count:
        raise Missed(guard, int(wrong[0]))
    raise GuardError(
        f"{name}: the comparison {guard.text}{_at(guard)} is {guard.outcome} for some samples and "
        f"{not guard.outcome} for {len(wrong)} of {count} (samples {shown}), so no single branch is right. "
        f"Write the choice with {INSTEAD}."
    )


def outside(name: str, guard: Guard, whose: str = "") -> IndexError:
    """What to say of a guard that has to hold, whichever way was recorded."""
    return IndexError(f"{name}: {guard.else_wrong}{_at(guard)}{whose}")


def missed_again(name: str, guard: Guard) -> GuardError:
    """What to say where a comparison comes out differently from a recording that was made for these very numbers."""
    if not guard.within:
        return GuardError(f"{name} decides differently at the same numbers when it is run again")
    return GuardError(
        f"{name}: the comparison {guard.text}{_at(guard)} lies in a branch of where and was recorded as "
        f"{guard.outcome}; for the samples that take this branch it is {not guard.outcome}. "
        f"Write the choice with {INSTEAD}."
    )


def _at(guard: Guard) -> str:
    return f" ({guard.line})" if guard.line else ""
