"""Try readers with texts bent out of shape: ``python -m tests.fuzz table 1000``, or all: ``python -m tests.fuzz``.

The process has a limit on its memory, and each case one on its time, so that a short text that asks for much is found.
Hypothesis is led to cases that reach more lines of the reader; most cases are then parts of those, put together at
random, which takes a tenth of the time.
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
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings, target

from tests.fuzz.readers import READERS

#: Bytes that the readers may take besides what the process has at its start; the texts are of some kilobytes.
MEMORY = 400 << 20
#: Seconds of the processor that a case may take.
SECONDS = 10.0
#: Cases that Hypothesis chooses; and those of one search, after which another begins, since it remembers all of them.
CHOSEN, CASES = 3000, 1000


class TookTooLong(BaseException):
    """A case was not done in time."""


def run(name: str, cases: int) -> int:
    """How many cases a reader was tried with; the first that is no good raises."""
    reader, done = READERS[name], 0
    kept: list[Any] = []
    reached = set[tuple[str, int]]()

    def case(text: Any) -> None:
        with _lines_of(reader.files) as seen:
            read(text)
        if not seen <= reached or not done % 20:
            kept.append(text)
        reached.update(seen)
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
        if done >= min(cases, CHOSEN):
            break
        chosen = settings(
            max_examples=min(CASES, CHOSEN, cases - done),
            database=None,
            deadline=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.target, Phase.shrink],
        )
        chosen(seed(search)(given(reader.texts)(case)))()
    source = random.Random(name)
    while done < cases:
        text = _of_parts(source.choice(kept), source.choice(kept), source)
        try:
            read(text)
        except Exception as error:
            error.add_note(f"the case is {text!r}")
            raise
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


@contextlib.contextmanager
def _lines_of(files: tuple[Any, ...]) -> Iterator[set[tuple[str, int]]]:
    """The lines of these modules that are run meanwhile."""
    names, seen = {module.__file__ for module in files}, set[tuple[str, int]]()

    def line(frame: FrameType, event: str, _: Any) -> Any:
        seen.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    sys.settrace(lambda frame, event, _: line if frame.f_code.co_filename in names else None)
    try:
        yield seen
    finally:
        sys.settrace(None)


def main() -> None:
    names = [sys.argv[1]] if len(sys.argv) > 1 else list(READERS)
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with open("/proc/self/statm", encoding="ascii") as file:
        limit = int(file.read().split()[0]) * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in names:
            print(f"{name}: {run(name, cases)} cases", flush=True)
        os.chdir(os.sep)


if __name__ == "__main__":
    main()
