"""How many numbers native code takes in a register: four or eight.

Results are the same bit for bit, so it is a matter of speed alone. Not every processor that has registers of eight runs
them at once: some take them in halves, and some run slower for a while. So both are measured, once, and the outcome is
kept beside the code; where nothing can be kept, the processor's name decides.
"""

from __future__ import annotations

import ctypes
import os
import time
from functools import cache as once
from typing import NamedTuple

import numpy as np

from autograd.compiled.backends.memory import address, aligned
from autograd.compiled.backends.native import cache, jit

#: The widths that there are.
WIDTHS = (4, 8)

#: The variable that says which one, where no measurement should.
VARIABLE = "VALUEGRAD_WIDTH"

#: How many times as fast registers of eight must be, so that they are taken.
LEAST_GAIN = 1.15

#: Processors, by LLVM's names, that take registers of eight in halves.
IN_HALVES = frozenset(["znver4"])

#: Numbers that the measured loop goes over, so often in a run; and the runs, of which the fastest counts.
_NUMBERS, _ROUNDS, _RUNS = 512, 1000, 20


class Width(NamedTuple):
    """The numbers of a register, and why so many."""

    numbers: int
    reason: str

    def __str__(self) -> str:
        return f"{self.numbers} numbers a register, because {self.reason}"


def chosen() -> Width:
    """The width of native code on this machine.

    Raises:
        ValueError: ``VALUEGRAD_WIDTH`` names none.
    """
    asked = os.environ.get(VARIABLE)
    if not asked:
        return _of_this_machine()
    if asked not in map(str, WIDTHS):
        raise ValueError(f"{VARIABLE} is 4 or 8, the numbers of a register, or empty, not {asked!r}")
    return Width(int(asked), f"{VARIABLE} says so")


@once
def _of_this_machine() -> Width:
    if not jit.has_wide_registers():
        return Width(4, "the processor has no wider ones")
    key = cache.key_of(_text(), jit.circumstances())
    kept = cache.read(key, "width")
    if kept is None and not cache.can_write():
        return by_name(jit.processor())
    if kept is None:
        kept = np.float64(gain()).tobytes()
        cache.write(key, kept, "width")
    return by_gain(float(np.frombuffer(kept)[0]))


def by_name(processor: str) -> Width:
    """The width for a processor of that name that has registers of eight.

    >>> by_name("znver4").numbers, by_name("znver5").numbers
    (4, 8)
    """
    reason = f"the processor is {processor}; a measurement cannot be kept"
    return Width(4 if processor in IN_HALVES else 8, reason)


def by_gain(times: float) -> Width:
    """The width for a machine whose registers of eight are so many times as fast as those of four.

    >>> print(by_gain(1.02))
    4 numbers a register, because 8 were measured to be 1.02 times as fast
    """
    return Width(8 if times >= LEAST_GAIN else 4, f"8 were measured to be {times:.2f} times as fast")


def gain() -> float:
    """How many times as fast a loop is with registers of eight as with those of four."""
    library = jit.load(_text(), *[f"work{width}" for width in WIDTHS], keep=False)
    array = aligned((3 * _NUMBERS,))
    array[: 2 * _NUMBERS] = 0.75
    found = []
    for width in WIDTHS:  # one after the other: a processor may take some time to change its speed
        work = library.function(f"work{width}", ctypes.c_void_p)
        seconds = []
        for _ in range(_RUNS):
            start = time.perf_counter()
            work(address(array))
            seconds.append(time.perf_counter() - start)
        found.append(min(seconds))
    return found[0] / max(found[1], 1e-9)


def _text() -> str:
    """A function for each width: products and sums of two arrays go to a third, as most of a program's do."""
    return "\n".join(
        f"""define void @work{width}(ptr %x) {{
entry:
  %y = getelementptr double, ptr %x, i64 {_NUMBERS}
  %z = getelementptr double, ptr %x, i64 {2 * _NUMBERS}
  br label %round
round:
  %r = phi i64 [0, %entry], [%r.next, %round.end]
  br label %loop
loop:
  %i = phi i64 [0, %round], [%i.next, %loop]
  %x.at = getelementptr double, ptr %x, i64 %i
  %y.at = getelementptr double, ptr %y, i64 %i
  %z.at = getelementptr double, ptr %z, i64 %i
  %a = load <{width} x double>, ptr %x.at, align 8
  %b = load <{width} x double>, ptr %y.at, align 8
  %ab = fmul <{width} x double> %a, %b
  %c = fadd <{width} x double> %ab, %a
  %bb = fmul <{width} x double> %b, %b
  %d = fadd <{width} x double> %bb, %b
  %cd = fmul <{width} x double> %c, %d
  %e = fadd <{width} x double> %cd, %ab
  store <{width} x double> %e, ptr %z.at, align 8
  %i.next = add i64 %i, {width}
  %i.more = icmp slt i64 %i.next, {_NUMBERS}
  br i1 %i.more, label %loop, label %round.end
round.end:
  %r.next = add i64 %r, 1
  %r.more = icmp slt i64 %r.next, {_ROUNDS}
  br i1 %r.more, label %round, label %done
done:
  ret void
}}"""
        for width in WIDTHS
    )
