"""The recordings of a function, one for each way that its comparisons went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from autograd.compiled.recording.guards import Missed, missed_again
from autograd.compiled.recording.tracing import Guard, Trace
from autograd.errors import GuardError

_T = TypeVar("_T")

#: Recordings kept for one shape of arguments.
MOST_WAYS = 16


class Way(NamedTuple):
    """One recording: a trace, and the plans made from it so far, each ready to run."""

    trace: Trace
    ready: dict[Any, Any]


#: Records the function at a sample; branches of ``where`` that it does not take get to hear the truths given.
Record: TypeAlias = Callable[[int, Sequence[bool]], Trace]


class Ways:
    """The recordings for one shape of arguments; the one that ran last comes first. A pickle holds the traces alone."""

    def __init__(self) -> None:
        self.kept: list[Way] = []
        self.recordings = 0
        self.guards_missed = 0

    def __getstate__(self) -> Any:
        return [way.trace for way in list(self.kept)], self.recordings, self.guards_missed

    def __setstate__(self, state: Any) -> None:
        traces, self.recordings, self.guards_missed = state
        self.kept = [Way(trace, {}) for trace in traces]

    def run(self, name: str, attempt: Callable[[Way], _T], record: Record) -> _T:
        """What an attempt gives on the first recording that suits it, or else on a new one.

        Args:
            attempt: runs a recording. It raises Missed where all samples go another way, and alike.

        Raises:
            GuardError: no recording suits the samples, or there are too many.
        """
        sample, place = 0, -1
        directions: tuple[bool, ...] = ()
        for i, way in enumerate(self.kept):
            try:
                found = attempt(way)
            except Missed as missed:
                self.guards_missed += 1
                sample, directions = missed.sample, _directions(way.trace, missed.guard)
                continue
            if i:
                self.kept.insert(0, self.kept.pop(i))
            return found
        for _ in range(MOST_WAYS if len(self.kept) < MOST_WAYS else 0):
            way = Way(record(sample, directions), {})
            self.recordings += 1
            try:
                found = attempt(way)
            except Missed as missed:
                # In a branch that the sample recorded with does not take, that sample's numbers say nothing. What was
                # asked before it suits all samples by now, so it comes later each time.
                if not missed.guard.within or missed.guard.place <= place:
                    raise missed_again(name, missed.guard) from None
                self.guards_missed += 1
                place, sample, directions = missed.guard.place, missed.sample, _directions(way.trace, missed.guard)
                continue
            self.kept.insert(0, way)
            return found
        raise GuardError(
            f"{name} was recorded {MOST_WAYS} times and its comparisons go yet another way; "
            "write the choice with where, or call the plain function"
        )


def _directions(recorded: Trace, guard: Guard) -> tuple[bool, ...]:
    """What branches not taken get to hear when all samples that ask a guard answer it differently: that, and what was
    answered before."""
    place, answers = guard.place, recorded.answers
    return () if place < 0 else (*answers[:place], not guard.outcome, *answers[place + 1 :])
