"""Signals that wait while state changes: Ctrl-C raises at any moment, and would leave things half done.

Python runs the handlers of signals in the main thread, between two instructions of whatever runs there.
``uninterrupted`` puts a handler in their place that only notes, and calls the right ones at its end. That takes a
microsecond, so it stands around a step of an optimizer or a compilation, never around an operation.

A block that ends with a call, ``finally: restore()`` or a context's ``__exit__``, can be interrupted before the first
line of what is called. So what has to be restored after a long run needs a handler from before the run: ``allowed``.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # ``signal`` takes three milliseconds to import
from _thread import get_ident
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from itertools import repeat
from operator import attrgetter
from types import CodeType, FrameType, TracebackType
from typing import Any, TypeVar

_Handler = Callable[[int, FrameType | None], object]
_F = TypeVar("_F", bound=Callable[..., Any])

#: The signals that programs raise errors from: Ctrl-C, time limits, requests to end. Ctrl-C is the first to be held and
#: the last to be given back.
_SIGNALS: tuple[int, ...] = tuple(
    getattr(_signal, name)
    for name in (
        "SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGUSR1", "SIGUSR2",
    )
    if hasattr(_signal, name)
)  # fmt: skip

#: The code of functions that restore: whoever is interrupted as they are entered has not begun with it.
_LEAVING: set[CodeType] = set()


def leaving(function: _F) -> _F:
    """The function, which ends a stretch in which signals are allowed, and is itself not interrupted as it begins."""
    _LEAVING.add(function.__code__)
    return function


class uninterrupted:
    """A context in which signals wait; at its end the handlers of the program are called for those that came.

    It may be nested. Handlers run in the main thread alone, so in others it does nothing.

    >>> import signal
    >>> try:
    ...     with uninterrupted() as signals:
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("waits:", signals.pending)
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    waits: True
    interrupted
    """

    __slots__ = ("_held", "_noted", "_replaced", "_thread", "_waits")

    def __init__(self) -> None:
        #: Signals whose handler was replaced, and those handlers.
        self._replaced: list[tuple[int, _Handler]] = []
        self._noted: dict[int, FrameType | None] = {}
        self._waits = True
        self._thread = 0
        #: The handler in their place, to be known again.
        self._held: _Handler | None = None

    def __enter__(self) -> uninterrupted:
        self._thread, self._held = get_ident(), self._handle
        try:
            for number in _SIGNALS:
                handler = _signal.getsignal(number)
                if callable(handler):
                    self._replaced.append((number, handler))
                    _signal.signal(number, self._held)
        except BaseException as error:
            self._give_back()
            in_a_handler = error.__traceback__ is not None and error.__traceback__.tb_next is not None
            if in_a_handler or not isinstance(error, ValueError):  # of a signal that came just before
                raise
            self._replaced.clear()  # not the main thread
        return self

    @leaving
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._waits = True
        self._give_back()
        self._deliver()

    @property
    def pending(self) -> bool:
        """Whether a signal waits."""
        return bool(self._noted)

    @property
    def holds(self) -> bool:
        """Whether signals wait here, in this thread."""
        return self._waits and self._thread == get_ident()

    def allowed(self) -> Allowed:
        """A context within this one in which signals do not wait: for what takes long, or is the user's."""
        return Allowed(self)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        waits = self._waits or (frame is not None and frame.f_code in _LEAVING)
        if waits and self._thread == get_ident():  # a process that another thread forked goes on without this one
            self._noted[number] = frame
        else:
            dict(self._replaced)[number](number, frame)

    def _give_back(self) -> None:
        try:
            for number, handler in reversed(self._replaced):
                if _signal.getsignal(number) is self._held:
                    _signal.signal(number, handler)
        except ValueError:  # another thread than it was entered in
            pass
        self._waits = False  # whoever has put it aside, and puts it back later, is not held
        self._held = None

    def _deliver(self) -> None:
        """Call the handlers of what waits, each of them, whatever the others raise."""
        while self._noted:
            number = next(iter(self._noted))
            frame = self._noted.pop(number)
            try:
                dict(self._replaced)[number](number, frame)
            finally:
                self._deliver()


class Allowed:
    """What ``uninterrupted.allowed`` gives."""

    __slots__ = ("_signals",)

    def __init__(self, signals: uninterrupted) -> None:
        self._signals = signals

    def __enter__(self) -> None:
        self._signals._deliver()
        self._signals._waits = False  # no signal is looked for between this and the first line of the block

    @leaving
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._signals._waits = True


class switched:
    """A context that switches something ``on`` and ``off`` again, each of them whole; within it no signal waits.

    ``off`` is also called where ``on`` raised.
    """

    def __init__(self) -> None:
        self._signals = uninterrupted()
        self._allowed = self._signals.allowed()

    def on(self) -> None:
        """Switch it on."""
        raise NotImplementedError

    def off(self) -> None:
        """Switch it off, as far as it is on."""
        raise NotImplementedError

    def __enter__(self) -> None:
        self._signals.__enter__()
        try:
            self.on()
            self._allowed.__enter__()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    @leaving
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._allowed.__exit__(kind, error, traceback)
        try:
            self.off()
        finally:
            self._signals.__exit__(kind, error, traceback)


class shielded(switched):
    """A context of somebody else's, which is entered and left whole."""

    def __init__(self, context: AbstractContextManager[Any]) -> None:
        super().__init__()
        self._context = context
        self._is_entered = False

    def on(self) -> None:
        """Enter it."""
        self._context.__enter__()
        self._is_entered = True

    def off(self) -> None:
        """Leave it, if it was entered."""
        if self._is_entered:
            self._is_entered = False
            self._context.__exit__(None, None, None)


def assign(objects: Sequence[Any], name: str, values: Iterable[Any]) -> None:
    """Give an attribute of each object its value: of all of them, or after an error of none."""
    with uninterrupted():
        before = [*map(attrgetter(name), objects)]
        try:
            deque(map(setattr, objects, repeat(name), values), maxlen=0)  # half the time of a loop (measured)
        except BaseException:
            for one, value in zip(objects, before, strict=True):
                setattr(one, name, value)
            raise
