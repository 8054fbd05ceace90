"""Faults at chosen moments: Ctrl-C wherever Python looks for it, errors of memory and of the system wherever we ask.

Python looks for signals as a function is entered and after a function that is not Python's was called (and where a loop
begins again). A profile function hears of both, so it can call the handler there, as Python would.
"""

from __future__ import annotations

import ast
import inspect
import signal
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import autograd

ROOT = Path(autograd.__file__).parents[1]
OURS = tuple(f"{ROOT / package}{'/'}" for package in ("autograd", "nn"))


#: Functions beside those of the system that ask it for nothing; and what closes a file, which an error of the system's
#: leaves closed, while one in its place would leave it open.
_ASKS_NOBODY = (
    "__exit__", "fspath", "_path_normpath", "_path_splitroot", "_path_splitroot_ex", "geteuid", "getpid", "urandom",
)  # fmt: skip


#: What makes as much as there is, which may fail in what restores too.
_MAKES_MUCH = ("copy", "frombytes", "tobytes", "tolist")


class Outcome(NamedTuple):
    """How many moments there were, whether the fault came at its own, what the operation raised, what it returned, and
    the function in which it came; without a fault, those of all moments."""

    moments: int
    came: bool
    raised: BaseException | None
    result: Any
    where: str
    functions: list[str]


def signal_handlers() -> dict[int, Any]:
    """The handler of every signal."""
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def interrupted_at(moment: int, operation: Callable[[], Any]) -> Outcome:
    """The operation with a Ctrl-C at the n-th moment, from 1, at which Python looks for signals in it; with 0 none."""
    return _with_fault(moment, operation, _interrupt, _looks_for_signals)


def failing_at(moment: int, operation: Callable[[], Any], error: type[Exception], within: str = "") -> Outcome:
    """The operation with an error at the n-th moment, from 1, at which our code calls for memory, or for the system;
    what restores does not fail, unless it makes much. Only those moments count that are in a function whose name ends
    with ``within``."""
    of_all = _asks_the_system if error is OSError else _asks_for_memory

    def asks(frame: FrameType, event: str, arg: Any) -> bool:
        return frame.f_code.co_qualname.endswith(within) and of_all(frame, event, arg)

    def fail(frame: FrameType) -> None:
        raise error(28, "made by a test") if error is OSError else error("made by a test")

    return _with_fault(moment, operation, fail, asks)


def _with_fault(
    moment: int,
    operation: Callable[[], Any],
    fault: Callable[[FrameType], None],
    counts: Callable[[FrameType, str, Any], bool],
) -> Outcome:
    count, where, begun = 0, "", False
    functions: list[str] = []

    def profile(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal count, where, begun
        begun = begun or frame.f_code is operation.__code__
        if not begun or frame.f_code is _with_fault.__code__ or not counts(frame, event, arg):
            return
        count += 1
        if not moment:
            module = frame.f_globals.get("__name__", "")
            functions.append(f"{module}:{frame.f_code.co_qualname}")
        if count == moment:
            sys.setprofile(None)
            where = frame.f_code.co_qualname
            fault(frame)

    raised, result = None, None
    sys.setprofile(profile)
    try:
        result = operation()
    except BaseException as error:
        raised = error
    finally:
        sys.setprofile(None)
    return Outcome(count, count >= moment > 0, raised, result, where, functions)


def failing_in_threads_at(moment: int, operation: Callable[[], Any]) -> Outcome:
    """The operation with an error of memory at the n-th moment, from 1, at which our code calls for memory in a thread
    that the operation starts."""
    functions: list[str] = []
    came, is_over = "", False
    lock = threading.Lock()

    def profile(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal came
        if is_over or not _asks_for_memory(frame, event, arg):
            return
        with lock:
            functions.append(frame.f_code.co_qualname)
            if len(functions) != moment:
                return
            came = functions[-1]
        raise MemoryError("made by a test")

    raised, result = None, None
    threading.setprofile(profile)
    try:
        result = operation()
    except BaseException as error:
        raised = error
    finally:
        threading.setprofile(None)
        is_over = True
    return Outcome(len(functions), bool(came), raised, result, came, functions)


def starting_no_thread_from(first: int, operation: Callable[[], Any]) -> Outcome:
    """The operation where the system starts no thread any more from the n-th on, from 1; with 0 all."""
    name = "_start_joinable_thread" if hasattr(threading, "_start_joinable_thread") else "_start_new_thread"
    start = getattr(threading, name)
    asked: list[str] = []

    def starting(*args: Any, **keywords: Any) -> Any:
        asked.append("Thread.start")
        if len(asked) >= first > 0:
            raise RuntimeError("can't start new thread")
        return start(*args, **keywords)

    raised, result = None, None
    setattr(threading, name, starting)
    try:
        result = operation()
    except BaseException as error:
        raised = error
    finally:
        setattr(threading, name, start)
    return Outcome(len(asked), len(asked) >= first > 0, raised, result, "", asked)


def _interrupt(frame: FrameType) -> None:
    handler = signal.getsignal(signal.SIGINT)
    assert callable(handler)
    handler(signal.SIGINT, frame)


def _looks_for_signals(frame: FrameType, event: str, arg: Any) -> bool:
    return event in ("call", "c_return") and not _is_finalizing(frame)


def _is_finalizing(frame: FrameType | None) -> bool:
    """Whether an error would be lost in any case, or may be: of what Python calls when an object goes, or
    when it collects (Hypothesis has it measured), and of a generator that is entered, since it may be to end it."""
    if frame is not None and frame.f_code.co_flags & inspect.CO_GENERATOR:
        return True
    while frame is not None and frame.f_code is not _with_fault.__code__:
        if frame.f_code.co_name in ("__del__", "_remove", "remove", "gc_callback"):
            return True
        frame = frame.f_back
    return False


def _asks_for_memory(frame: FrameType, event: str, arg: Any) -> bool:
    ours = frame.f_code.co_filename.startswith(OURS)
    name = getattr(arg, "__name__", "")
    if name == "__exit__":  # of a lock: it restores
        return False
    if ours and event == "c_call" and name in _MAKES_MUCH:
        return not _is_finalizing(frame)
    return ours and event in ("call", "c_call") and not _restores(frame) and not _is_finalizing(frame)


def _asks_the_system(frame: FrameType, event: str, arg: Any) -> bool:
    module = getattr(arg, "__module__", None) or type(getattr(arg, "__self__", None)).__module__
    name = getattr(arg, "__name__", None)  # CPython 3.12 tells the object alone of a with that it enters
    is_of_it = module in ("posix", "nt", "io", "_io") and name not in (None, *_ASKS_NOBODY)
    return event == "c_call" and is_of_it and not _restores(frame)


def _restores(frame: FrameType | None) -> bool:
    """Whether any function under way is in what it does after an error or at its end."""
    while frame is not None and frame.f_code is not _with_fault.__code__:
        path = frame.f_code.co_filename
        if path.startswith(OURS) and (path.endswith("interrupts.py") or frame.f_lineno in _lines_that_restore(path)):
            return True
        frame = frame.f_back
    return False


@cache
def _lines_that_restore(path: str) -> frozenset[int]:
    found: set[int] = set()
    for node in ast.walk(ast.parse(Path(path).read_text("utf-8"))):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Try):
            parts = [*node.finalbody, *node.handlers]
        elif isinstance(node, ast.FunctionDef) and node.name in ("__exit__", "off"):
            parts = [*node.decorator_list, node]
        for part in parts:
            found.update(range(part.lineno, (part.end_lineno or 0) + 1))  # type: ignore[attr-defined]
    return frozenset(found)
