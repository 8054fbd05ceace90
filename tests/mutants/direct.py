"""Tests called as the plain functions that they are: a tenth of what pytest takes to collect and run them.

Most mutants die here. What needs more than a call (fixtures, classes, examples in docstrings) is left to pytest, which
every mutant that is still alive has to face.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest

#: How much longer than it computes a test may take by the clock, on a machine that is busy.
STANDING = 10


class Case(NamedTuple):
    """A test with its parameters."""

    name: str
    call: Callable[[], Any]
    parameters: tuple[Any, ...]


class Stage(NamedTuple):
    """Tests that are called as functions, or, with ``pytest``, the rest of these files, which only pytest can run."""

    files: tuple[str, ...]
    #: Only tests whose parameters name one of these rows, if there are any.
    rows: tuple[str, ...] = ()
    pytest: bool = False
    #: No tests whose parameters name one of these.
    apart: tuple[str, ...] = ()
    #: Only these, in this order, if there are any.
    names: tuple[str, ...] = ()
    #: None of these functions, with any parameters.
    without: frozenset[str] = frozenset()

    def has(self, case: Case) -> bool:
        """Whether the stage asks for a test of one of its files."""
        if case.name.split("[")[0] in self.without or (self.rows and not is_about(case, self.rows)):
            return False
        return not (case.parameters and is_about(case, self.apart))


class TooLong(BaseException):
    """A test took longer than it may."""


def cases_of(file: str, without: Sequence[str] = ()) -> Iterator[Case]:
    """The tests of a file that are complete as functions, each as often as it has parameters."""
    for name, function in functions_of(file).items():
        if any(part in name for part in without):
            continue
        tables = [_table(mark) for mark in getattr(function, "pytestmark", [])]
        for i, rows in enumerate(itertools.product(*[rows for _, rows in tables])):
            arguments: dict[str, Any] = {}
            for (names, _), row in zip(tables, rows, strict=True):
                arguments |= dict(zip(names, row, strict=True))
            call = lambda f=function, a=arguments: f(**a)  # noqa: E731 - bound now
            yield Case(f"{name}[{i}]", call, tuple(arguments.values()))


def functions_of(file: str) -> dict[str, Callable[..., Any]]:
    """The test functions that need nothing but their parameters, by the names that pytest gives them."""
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    found = {}
    for name, function in vars(module).items():
        if name.startswith("test_") and inspect.isfunction(function):
            marks = getattr(function, "pytestmark", [])
            known = {argument for mark in marks if mark.name == "parametrize" for argument in _table(mark)[0]}
            plain = all(mark.name == "parametrize" for mark in marks)
            if plain and set(inspect.signature(function).parameters) == known:
                found[f"{file}::{name}"] = function
    return found


def _table(mark: Any) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names and the rows of a ``parametrize``."""
    names, values = mark.args[:2]
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    values = [value.values if hasattr(value, "marks") else value for value in values]
    single = len(names) == 1
    return names, [
        (value,) if single and not isinstance(value, type(pytest.param())) else tuple(value) for value in values
    ]


def is_about(case: Case, rows: Sequence[str]) -> bool:
    """Whether a parameter is one of these rows of the table, or a tuple that begins with it, or its name."""
    for parameter in case.parameters:
        first = (
            parameter[0]
            if isinstance(parameter, tuple) and parameter and not hasattr(parameter, "partials")
            else parameter
        )
        if getattr(first, "name", first) in rows:
            return True
    return not case.parameters


def patience(limit: float) -> None:
    """Send SIGPROF after so many seconds of the processor, SIGALRM after ``STANDING`` times as many; 0 for neither."""
    signal.setitimer(signal.ITIMER_PROF, limit)
    signal.setitimer(signal.ITIMER_REAL, STANDING * limit)


def run(case: Case, limit: float) -> str | None:
    """What went wrong, or nothing.

    Args:
        limit: the seconds of the processor that the test may take; ``STANDING`` times as many by the clock, as a test
            may also wait in vain.
    """

    def stop(*_: Any) -> None:
        raise TooLong

    before = [signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)]
    patience(limit)
    try:
        case.call()
    except TooLong:
        return "too long"
    except pytest.skip.Exception:
        return None
    except (Exception, pytest.fail.Exception) as error:
        return f"{type(error).__name__}"
    finally:
        patience(0)
        for number, handler in zip((signal.SIGPROF, signal.SIGALRM), before, strict=True):
            signal.signal(number, handler)
    return None


def seconds_of(case: Case) -> float | None:
    """How much of the processor's time a test takes, however busy the machine is; ``None`` if it fails."""
    start = time.process_time()
    return time.process_time() - start if run(case, 600.0) is None else None


def entered_by(stage: Stage) -> dict[str, list[str]]:
    """The outermost functions of the engine that each test of a stage enters, with all of its parameters, in a process
    of its own, where nothing is remembered from other tests; under "" those that importing the tests enters.

    Where it is not known, as the process died or the test watches calls itself, there is no entry.
    """
    seen: set[str] = set()
    engine = f"{os.getcwd()}/"

    def note(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(f"{engine}autograd/"):
            seen.add(f"{code.co_filename.removeprefix(engine)} {code.co_qualname.split('.')[0]}")

    sys.setprofile(note)
    threading.setprofile(note)
    tests: dict[str, list[Case]] = {}
    for case in filter(stage.has, itertools.chain.from_iterable(map(cases_of, stage.files))):
        tests.setdefault(case.name.split("[")[0], []).append(case)
    found = {"": [*seen]}
    for name, cases in tests.items():
        receive, send = os.pipe()
        pid = os.fork()
        if not pid:
            for case in cases:
                run(case, 600.0)
            if sys.getprofile() is note:
                os.write(send, json.dumps([*seen]).encode())
            os._exit(0)
        os.close(send)
        with open(receive, encoding="utf-8") as said:
            if text := said.read():
                found[name] = json.loads(text)
        os.waitpid(pid, 0)
    sys.setprofile(None)
    threading.setprofile(None)
    return found


def killer_among(
    stage: Stage, seconds: dict[str, float], quick: float, limit: Callable[[float], float], done: set[str]
) -> str | None:
    """The first test of a stage that fails: of those named first, else file by file, in each the fastest first.

    Args:
        seconds: what each test takes; those that take more than ``quick`` are left out.
        done: the tests that need not run again, those that run now included afterwards.
    """
    for file in stage.files:
        cases = {
            case.name: case
            for case in cases_of(file)
            if seconds.get(case.name, quick + 1) <= quick and case.name not in done and stage.has(case)
        }
        for name in stage.names or sorted(cases, key=seconds.__getitem__):
            if name in cases:
                done.add(name)
                wrong = run(cases[name], limit(seconds[name]))
                if wrong is not None:
                    return f"{name} ({wrong})"
    return None
