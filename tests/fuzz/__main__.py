"""Try readers with texts bent out of shape: ``python -m tests.fuzz table 1000``, or all: ``python -m tests.fuzz``.

Two numbers more are which of several processes this is, from 0, and how many there are: each tries so many other cases.

The process has a limit on its memory, and each case one on its time, so that a short text that asks for much is found.
Hypothesis is led to cases that reach more lines of the reader; most cases are then parts of those, put together at
random, which takes a tenth of the time, and what reaches a new line is more often taken apart again.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings, target

from tests.fuzz.readers import READERS

#: Bytes that the readers may take besides what the process has at its start; the texts are of some kilobytes.
MEMORY = 400 << 20
#: Seconds of the processor that a case may take.
SECONDS = 10.0
#: Cases that Hypothesis chooses; and those of one search, after which another begins, since it remembers all of them.
CHOSEN, CASES = 3000, 1000
#: Lines that are looked at of a case that Hypothesis did not choose: a loop goes over the same ones.
MOST_LINES = 300


class TookTooLong(BaseException):
    """A case was not done in time."""


def run(name: str, cases: int, part: int = 0, parts: int = 1) -> int:
    """How many cases a reader was tried with; the first that is no good raises.

    Args:
        part, parts: which of how many processes this is; each tries other cases.
    """
    reader, done = READERS[name], 0
    most_chosen = CHOSEN // parts
    lines = Lines(reader.files)
    kept: list[Any] = []

    def case(text: Any) -> None:
        reached = lines.reached
        with lines.watched(every=True) as seen:
            read(text)
        if lines.reached > reached or not done % 20:
            kept.append(text)
        target(float(len(seen)))

    def read(text: Any) -> None:
        nonlocal done
        done += 1
        message = ""
        try:
            with _limited(SECONDS):
                reader.read(text)
        except reader.errors as error:
            message = " ".join(str(error).split())
        except TookTooLong:
            print(f"{name}: more than {SECONDS:g} s for {text!r}", file=sys.stderr, flush=True)
            os._exit(1)  # nothing that Hypothesis would try again, at as many seconds each
        assert len(message) < reader.characters, f"{len(message)} characters: {message[:1000]}"
        assert message.isprintable(), repr(message)

    for search in range(1, cases + 1):
        if done >= min(cases, most_chosen):
            break
        chosen = settings(
            max_examples=min(CASES, most_chosen, cases - done),
            database=None,
            deadline=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.target, Phase.shrink],
        )
        chosen(seed(search + 1000 * part)(given(reader.texts)(case)))()
    source = random.Random(f"{name} {part}" if part else name)
    while done < cases:
        text = _of_parts(source.choice(kept), source.choice(kept), source)
        reached = lines.reached
        try:
            with lines.watched():
                read(text)
        except Exception as error:
            error.add_note(f"the case is {text!r}")
            raise
        if lines.reached > reached:
            kept += [text] * 20
    return done


def _of_parts(one: Any, other: Any, source: random.Random) -> Any:
    """The beginning of one text and the end of another, with a piece left out or repeated; of a tuple, its text."""
    if isinstance(one, tuple):
        return _of_parts(one[0], other[0], source), *[
            source.choice(pair) for pair in zip(one[1:], other[1:], strict=True)
        ]
    made = one[: source.randint(0, len(one))] + other[source.randint(0, len(other)) :]
    first = source.randint(0, len(made))
    last = first + source.randint(0, 8)
    return (made[:first] + made[first:last] * source.choice((0, 2, 2, 3)) + made[last:])[:20_000]


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def too_long(*_: Any) -> None:
        raise TookTooLong

    signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


class Lines:
    """The lines of some modules that were reached."""

    def __init__(self, files: tuple[Any, ...]) -> None:
        self._names = {module.__file__ for module in files}
        self._reached: dict[CodeType, set[int]] = {}
        #: Functions of which all lines were reached; they run as fast as ever.
        self._whole: set[CodeType] = set()

    @property
    def reached(self) -> int:
        """How many."""
        return sum(map(len, self._reached.values()))

    @contextlib.contextmanager
    def watched(self, *, every: bool = False) -> Iterator[set[tuple[CodeType, int]]]:
        """What is run meanwhile; each line of it is told, or those alone that may be new."""
        names, reached, whole = self._names, self._reached, self._whole
        seen = set[tuple[CodeType, int]]()

        left = MOST_LINES

        def line(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal left
            seen.add((frame.f_code, frame.f_lineno))
            left -= 1
            frame.f_trace_lines = every or left > 0
            return line

        def call(frame: FrameType, event: str, _: Any) -> Any:
            code = frame.f_code
            return line if code.co_filename in names and (every or (left > 0 and code not in whole)) else None

        sys.settrace(call if names else None)
        try:
            yield seen
        finally:
            sys.settrace(None)
            for code, number in seen:
                reached.setdefault(code, set()).add(number)
            for code in {code for code, _ in seen}:
                # The line of ``def`` is no line that is run.
                if reached[code] >= {number for *_, number in code.co_lines() if number} - {code.co_firstlineno}:
                    whole.add(code)


def main() -> None:
    names = [sys.argv[1]] if len(sys.argv) > 1 else list(READERS)
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    part, parts = map(int, sys.argv[3:5]) if len(sys.argv) > 4 else (0, 1)
    with open("/proc/self/statm", encoding="ascii") as file:
        limit = int(file.read().split()[0]) * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in names:
            print(f"{name}: {run(name, cases, part, parts)} cases", flush=True)
        os.chdir(os.sep)


if __name__ == "__main__":
    main()
