"""A recorded function run again with one input changed, quickly: only what depends on that input is computed.

In complex numbers one such run, with a tiny imaginary step, gives a derivative without any subtraction (Squire and
Trapp, 1998). The invariant: a rerun leaves the recorded numbers as they were.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd import interpret
from autograd.checking.recorded import NO_NUMBER, Recorded
from autograd.number_systems import complex_, floats
from autograd.primitives import Primitive

#: The imaginary step, as a part of the argument: its square is far below a rounding.
_STEP = 2.0**-70

#: Below this an imaginary step would underflow.
_SMALLEST = 1e-250


def imaginary_step(x: float) -> float:
    """The step for a derivative at ``x``; zero where there is none that is small enough."""
    if x == 0.0:
        return 1e-100
    size = abs(x)
    return min(size, 1.0) * _STEP if _SMALLEST < size < math.inf else 0.0


class Rerun:
    """A recorded program that is run again, in a number system, from one changed input."""

    def __init__(self, recorded: Recorded, m: Any) -> None:
        self.recorded = recorded
        program = recorded.program
        self._first = program.first_instruction
        # What has not changed is known already; complex arithmetic takes floats among its numbers.
        self._base = list(recorded.numbers)
        self._numbers = list(self._base)
        self._steps = [(_function(m, primitive), tuple(operands)) for primitive, operands in program.instructions()]
        self._uses: list[list[int]] = [[] for _ in self._base]
        for slot, (_, operands) in enumerate(self._steps, start=self._first):
            for o in operands:
                if o >= 0:
                    self._uses[o].append(slot)

    def downstream(self, argument: int) -> list[int]:
        """The instructions that depend on an input, in order."""
        start = self.recorded.inputs[argument]
        if start < 0:
            return []
        seen: set[int] = set()
        stack = list(self._uses[start])
        uses = self._uses
        while stack:
            slot = stack.pop()
            if slot not in seen:
                seen.add(slot)
                stack += uses[slot]
        return sorted(seen)

    def outputs(self, argument: int, number: Any, downstream: Sequence[int]) -> list[Any]:
        """The outputs with another number for one input.

        Raises:
            ValueError, ArithmeticError: an operation has no value there.
            NotImplementedError: the number system lacks a primitive on the way.
        """
        return self._picked(argument, number, downstream, self.recorded.outputs)

    def numbers_with(self, argument: int, number: Any, downstream: Sequence[int]) -> list[Any]:
        """The number of every slot, with another one for one input; it raises as ``outputs`` does."""
        return self._picked(argument, number, downstream, range(len(self._base)))

    def _picked(self, argument: int, number: Any, downstream: Sequence[int], wanted: Sequence[int]) -> list[Any]:
        numbers, base, steps, first = self._numbers, self._base, self._steps, self._first
        start = self.recorded.inputs[argument]
        slot = start
        try:
            numbers[start] = number
            for slot in downstream:
                function, operands = steps[slot - first]
                if len(operands) == 2:
                    a, b = operands
                    numbers[slot] = function(numbers[a], numbers[b])
                elif len(operands) == 1:
                    numbers[slot] = function(numbers[operands[0]])
                else:
                    numbers[slot] = function(*[None if o < 0 else numbers[o] for o in operands])
            return [numbers[o] if o >= 0 else 0.0 for o in wanted]
        finally:
            numbers[start] = base[start]
            for slot in downstream:
                numbers[slot] = base[slot]

    def by_complex_step(self, argument: int, downstream: Sequence[int]) -> list[float] | None:
        """The derivatives of all outputs by one input; ``None`` if there is none to be had in this way."""
        x = self.recorded.numbers[self.recorded.inputs[argument]]
        h = imaginary_step(x)
        if h == 0.0:
            return None
        try:
            found = self.outputs(argument, complex(x, h), downstream)
        except (*NO_NUMBER, NotImplementedError):
            return None
        slopes = [complex(z).imag / h for z in found]
        return slopes if all(map(math.isfinite, slopes)) else None


def _function(m: Any, primitive: Primitive) -> Callable[..., Any]:
    if not primitive.built_in or primitive.name in m.LACKS:
        return lambda *operands: interpret.apply(m, primitive, operands)
    function = getattr(m, primitive.name)
    if primitive.n_ary:
        return lambda *operands: function(list(operands))
    return function  # type: ignore[no-any-return]


def reruns(recorded: Recorded) -> tuple[Rerun, Rerun]:
    """Reruns in complex numbers and in floats."""
    return Rerun(recorded, complex_), Rerun(recorded, floats)
