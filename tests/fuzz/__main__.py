"""Try readers with texts bent out of shape: ``python -m tests.fuzz table 1000``, or all: ``python -m tests.fuzz``.

The process has a limit on its memory, and each case one on its time, so that a short text that asks for much is found.
Hypothesis is led to cases that reach more lines of the reader.
"""

from __future__ import annotations

import contextlib
import os
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
#: Cases of one search, after which another begins: Hypothesis remembers all cases of a search.
CASES = 1000


class TookTooLong(BaseException):
    """A case was not done in time."""


def run(name: str, cases: int) -> int:
    """How many cases a reader was tried with; the first that is no good raises."""
    reader, done = READERS[name], 0

    def case(text: Any) -> None:
        nonlocal done
        done += 1
        message = ""
        try:
            with _limited(SECONDS), _lines_of(reader.files) as seen:
                reader.read(text)
        except reader.errors as error:
            message = " ".join(str(error).split())
        except TookTooLong:
            print(f"{name}: more than {SECONDS:g} s for {text!r}", file=sys.stderr, flush=True)
            os._exit(1)  # nothing that Hypothesis would try again, at as many seconds each
        assert len(message) < reader.characters, f"{len(message)} characters: {message[:1000]}"
        assert message.isprintable(), repr(message)
        target(float(len(seen)))

    for search in range(1, cases + 1):
        if done >= cases:
            break
        chosen = settings(
            max_examples=min(CASES, cases - done),
            database=None,
            deadline=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.target, Phase.shrink],
        )
        chosen(seed(search)(given(reader.texts)(case)))()
    return done


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
