"""Signals that wait: noted while state changes, and handed to the program's own handlers afterwards, each of them."""

from __future__ import annotations

import _signal
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, ClassVar

import pytest

from autograd.interrupts import _SIGNALS, shielded, switched, uninterrupted
from tests.faults import interrupted_at, signal_handlers


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def handlers_are_those_of_before() -> Iterator[None]:
    before = signal_handlers()
    yield
    assert signal_handlers() == before


def test_ctrl_c_waits_for_the_end() -> None:
    done = []

    def block() -> None:
        with uninterrupted() as signals:
            assert not signals.pending
            ctrl_c()
            assert signals.pending
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done


def test_an_error_of_the_block_is_not_lost() -> None:
    def block(sends: bool) -> None:
        with uninterrupted():
            if sends:
                ctrl_c()
            raise ValueError("within")

    with pytest.raises(KeyboardInterrupt) as caught:
        block(True)
    assert isinstance(caught.value.__context__, ValueError)
    with pytest.raises(ValueError, match="within"):
        block(False)


def test_nested_it_waits_for_the_outermost_end() -> None:
    done = []

    def block() -> None:
        with uninterrupted() as outer:
            with uninterrupted() as inner:
                ctrl_c()
                assert inner.pending
                assert not outer.pending
            assert outer.pending
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done


def test_the_program_s_own_handlers_are_called_each_of_them() -> None:
    """Also where one of them raises, and once for each signal, as the system merges them."""
    called: list[int] = []

    def handler(number: int, frame: FrameType | None) -> None:
        called.append(number)
        raise RuntimeError(f"signal {number}")

    def block() -> None:
        with uninterrupted():
            for number in [*numbers, *numbers]:
                signal.raise_signal(number)
            assert called == []

    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGALRM] if hasattr(signal, "SIGALRM") else [signal.SIGINT]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        with pytest.raises(RuntimeError, match="signal"):
            block()
        assert called == numbers
        assert all(signal.getsignal(number) is handler for number in numbers)
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def test_a_handler_that_does_not_raise_ends_nothing() -> None:
    called = []
    before = signal.signal(signal.SIGINT, lambda *of: called.append(True))
    try:
        with uninterrupted() as signals:
            ctrl_c()
            with signals.allowed():
                assert called == [True]
                ctrl_c()
                assert called == [True, True]
        assert called == [True, True]
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_is_ignored_or_left_to_the_system_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with uninterrupted():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            ctrl_c()
    finally:
        signal.signal(signal.SIGINT, before)


def test_allowed_lets_it_through_and_holds_it_again() -> None:
    done = []
    with uninterrupted() as signals:
        try:
            with signals.allowed():
                ctrl_c()
                done.append("not reached")
        except KeyboardInterrupt:
            done.append("through")
        try:
            with signals.allowed(), uninterrupted():
                ctrl_c()
                done.append("held by the inner one")
        except KeyboardInterrupt:
            done.append("at its end")
        try:
            ctrl_c()
            done.append("held")
            with signals.allowed():
                done.append("not reached")
        except KeyboardInterrupt:
            done.append("at the beginning")
    assert done == ["through", "held by the inner one", "at its end", "held", "at the beginning"]


def test_what_came_just_before_is_not_taken_for_another_thread() -> None:
    """Where handlers may not be set, Python raises ValueError; a handler may do so too, as they are being set."""

    def handler(number: int, frame: FrameType | None) -> None:
        raise ValueError("of the handler")

    before = signal.signal(signal.SIGINT, handler)
    known = _signal.signal

    def setting(number: int, new: Any) -> Any:
        return handler(number, None) if number == signal.SIGTERM else known(number, new)

    old = signal.signal(signal.SIGTERM, handler)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_signal, "signal", setting)
            with pytest.raises(ValueError, match="of the handler"):
                uninterrupted().__enter__()
        assert signal.getsignal(signal.SIGINT) is handler
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGTERM, old)


def test_in_another_thread_it_does_nothing() -> None:
    """The main thread's handlers are not replaced by it, and nobody waits for it."""
    found: list[Any] = []

    def work() -> None:
        before = signal_handlers()
        with uninterrupted() as signals, signals.allowed():
            found.append(signal_handlers() == before)
        found.append(signal_handlers() == before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [True, True]


def test_a_handler_that_the_block_sets_stays() -> None:
    def own(number: int, frame: FrameType | None) -> None:
        raise AssertionError

    before = signal.getsignal(signal.SIGINT)
    try:
        with uninterrupted():
            signal.signal(signal.SIGINT, own)
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)


def test_ended_in_another_order_they_hold_nothing_any_more() -> None:
    """As generators may do; the handler that is left in place hands on."""
    before = signal.getsignal(signal.SIGINT)
    first, second = uninterrupted(), uninterrupted()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    try:
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
    finally:
        for number in _SIGNALS:
            if signal.getsignal(number) == first._handle:
                signal.signal(number, dict(first._replaced)[number])
    assert signal.getsignal(signal.SIGINT) is before


class Switch(switched):
    state: ClassVar = [False]

    def on(self) -> None:
        self.state[0] = True
        sys.getsizeof(self)  # a call, after which Python looks for signals

    def off(self) -> None:
        sys.getsizeof(self)
        self.state[0] = False


class Lamp:
    """A context of somebody else's, of which it matters that it is left as often as it is entered."""

    entered = 0

    def __enter__(self) -> None:
        Lamp.entered += 1

    def __exit__(self, *error: object) -> None:
        sys.getsizeof(self)
        Lamp.entered -= 1


def whole_pair() -> None:
    with uninterrupted():
        PAIR[0] += 1
        sys.getsizeof(PAIR)
        PAIR[1] += 1


PAIR = [0, 0]


def in_stretches() -> None:
    """What is done between stretches that may be interrupted is done whole."""
    with uninterrupted() as signals:
        for _ in range(3):
            PAIR[0] += 1
            try:
                with signals.allowed():
                    sys.getsizeof(PAIR)
            finally:
                sys.getsizeof(PAIR)
                PAIR[1] += 1


def switched_on() -> None:
    with Switch():
        assert Switch.state == [True]
        sys.getsizeof(PAIR)


def lit() -> None:
    with shielded(Lamp()):
        assert Lamp.entered == 1
        sys.getsizeof(PAIR)


@pytest.mark.parametrize("block", [whole_pair, in_stretches, switched_on, lit], ids=lambda block: block.__name__)
def test_at_every_moment(block: Callable[[], None]) -> None:
    """Wherever Python looks for signals: all is done, or nothing; and the handlers are the program's."""
    before, at = signal_handlers(), 0
    came = True
    while came:
        at += 1
        came = interrupted_at(at, block).came
        assert PAIR[0] == PAIR[1], at
        assert Switch.state == [False], at
        assert Lamp.entered == 0, at
        assert signal_handlers() == before, at
    assert at > 15


def test_an_ordinary_context_would_be_noticed() -> None:
    """Its end is a function, which may be interrupted before its first line."""

    def lit_as_usual() -> None:
        with Lamp():
            sys.getsizeof(PAIR)

    left_on = 0
    for at in range(1, 10):
        interrupted_at(at, lit_as_usual)
        left_on += Lamp.entered
        Lamp.entered = 0
    assert left_on
