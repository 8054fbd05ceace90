"""The recordings of a function, one for each way that its comparisons went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from autograd.compiled.recording.guards import INSTEAD, Guard, Missed, missed_again
from autograd.compiled.recording.trace import Trace, fault_of
from autograd.errors import GuardError
from autograd.unpickling import damaged

_T = TypeVar("_T")

#: Recordings kept for one shape of arguments.
MOST_RECORDINGS = 16


class Recording(NamedTuple):
    """One recording: a trace, and the plans made from it so far, each ready to run."""

    trace: Trace
    prepared: dict[Any, Any]


#: Records the function at a sample; branches of ``where`` that it does not take get to hear the truths given.
Record: TypeAlias = Callable[[int, Sequence[bool]], Trace]


class Recordings:
    """The recordings for one shape of arguments; the one that ran last comes first. A pickle holds the traces alone."""

    def __init__(self) -> None:
        self.kept: list[Recording] = []
        self.made = 0
        self.guards_missed = 0

    def __getstate__(self) -> Any:
        return [recording.trace for recording in list(self.kept)], self.made, self.guards_missed

    def __setstate__(self, state: Any) -> None:
        try:
            traces, self.made, self.guards_missed = state
            faults = [*filter(None, map(fault_of, traces)), *(repr(n) for n in state[1:] if type(n) is not int)]
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise damaged("recording", str(error)) from error
        if faults:
            raise damaged("recording", faults[0])
        self.kept = [Recording(trace, {}) for trace in traces]

    def on(self, options: Any) -> Recordings:
        """The same recordings and plans, which another back end runs."""
        made = Recordings()
        made.made, made.guards_missed = self.made, self.guards_missed
        made.kept = [
            Recording(trace, {what: plan.on(options) for what, plan in prepared.items()})
            for trace, prepared in self.kept
        ]
        return made

    def run(self, name: str, attempt: Callable[[Recording], _T], record: Record) -> _T:
        """What an attempt gives on the first recording that suits it, or else on a new one.

        Args:
            attempt: runs a recording. It raises Missed where all samples go another way, and alike.

        Raises:
            GuardError: no recording suits the samples, or there are too many.
        """
        sample, place = 0, -1
        directions: tuple[bool, ...] = ()
        for i, recording in enumerate(self.kept):
            try:
                found = attempt(recording)
            except Missed as missed:
                self.guards_missed += 1
                sample, directions = missed.sample, _directions(recording.trace, missed.guard)
                continue
            if i:
                self.kept[: i + 1] = [recording, *self.kept[:i]]
            return found
        for _ in range(MOST_RECORDINGS if len(self.kept) < MOST_RECORDINGS else 0):
            recording = Recording(record(sample, directions), {})
            self.made += 1
            try:
                found = attempt(recording)
            except Missed as missed:
                # In a branch that the sample recorded with does not take, that sample's numbers say nothing. What was
                # asked before it suits all samples by now, so it comes later each time.
                if not missed.guard.within or missed.guard.place <= place:
                    raise missed_again(name, missed.guard) from None
                self.guards_missed += 1
                place, sample, directions = (
                    missed.guard.place,
                    missed.sample,
                    _directions(recording.trace, missed.guard),
                )
                continue
            self.kept.insert(0, recording)
            return found
        raise GuardError(
            f"{name} was recorded {MOST_RECORDINGS} times and its comparisons go yet another way; "
            f"write the choice with {INSTEAD}, or call the plain function"
        )


def is_whole(recordings: Any) -> bool:
    """Whether something that comes out of a pickle is recordings, and has its state."""
    return type(recordings) is Recordings and hasattr(recordings, "kept")


def _directions(recorded: Trace, guard: Guard) -> tuple[bool, ...]:
    """What branches not taken get to hear when all samples that ask a guard answer it differently: that, and what was
    answered before."""
    place, answers = guard.place, recorded.answers
    return () if place < 0 else (*answers[:place], not guard.outcome, *answers[place + 1 :])
