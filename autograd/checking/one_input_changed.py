"""A recorded function run again with one input changed, quickly: only what depends on that input is computed.

In complex numbers one such run, with a tiny imaginary step, gives a derivative without any subtraction (Squire and
Trapp, 1998). The invariant: a rerun leaves the recorded numbers as they were.

A run for each input takes inputs times operations. So derivatives are first taken by such a step in each operation
alone, multiplied along every way (``OneOperation``): all inputs at once. Runs follow where these do not settle it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd import interpret
from autograd.checking.propagation import weights
from autograd.checking.recorded import NO_NUMBER, Recorded
from autograd.checking.shrinking_steps import UNDERFLOW
from autograd.number_systems import complex_, floats
from autograd.primitives import Primitive
from autograd.program import Program

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


def underflow_of(h: float, slope: float) -> float:
    """How far underflow may put a slope by a complex step off, if it leaves the most of it."""
    off = 4 * UNDERFLOW / h if h else 0.0
    return off if off < 0.1 * abs(slope) else 0.0


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


class OneOperation:
    """The derivatives of a recorded program by all inputs at once, from complex steps within each operation."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        program = recorded.program
        self._first = program.first_instruction
        compares = [primitive.compares for primitive in program.primitives]
        self._moves = (
            [True] * program.inputs + [False] * len(program.constants) + [not compares[o] for o in program.opcodes]
        )
        of_primitive = [_own_slopes(primitive) for primitive in program.primitives]
        self._slopes = [
            self._of_one(of_primitive[opcode], operands)
            for opcode, (_, operands) in zip(program.opcodes, program.instructions(), strict=True)
        ]

    def _of_one(self, slopes: Callable[..., list[float]], operands: Sequence[int]) -> list[tuple[int, float]]:
        """Slot and slope of each operand that an input may move; a slope is nan where there is none to be had."""
        wanted = [i for i, o in enumerate(operands) if o >= 0 and self._moves[o]]
        numbers = [None if o < 0 else self._recorded.numbers[o] for o in operands]
        return [(operands[i], slope) for i, slope in zip(wanted, slopes(numbers, wanted), strict=True)]

    def derivatives(self, output: int) -> list[float]:
        """The derivatives of an output; nan where an operation on the way has none."""
        recorded = self._recorded
        root = recorded.outputs[output]
        if root < 0:
            return [0.0] * len(recorded.inputs)
        found = weights(recorded.program, root, _Derivative(1.0), lambda slot: self._slopes[slot - self._first])
        return [0.0 if slot < 0 or (weight := found[slot]) is None else float(weight) for slot in recorded.inputs]


class _Derivative(float):
    """A derivative on its way back."""

    def through(self, slope: float) -> _Derivative:
        return _Derivative(self * slope)

    def plus(self, other: _Derivative) -> _Derivative:
        return _Derivative(self + other)


def _own_slopes(primitive: Primitive) -> Callable[[Sequence[Any], Sequence[int]], list[float]]:
    """What gives the slopes of a primitive by the arguments asked for."""
    function = _function(complex_, primitive)
    if primitive.name in _LINEAR and primitive.built_in:
        return lambda numbers, wanted: [_LINEAR[primitive.name](numbers, i) for i in wanted]

    def slopes(numbers: Sequence[Any], wanted: Sequence[int]) -> list[float]:
        found = []
        for i in wanted:
            h = imaginary_step(numbers[i])
            try:
                moved = function(*numbers[:i], complex(numbers[i], h), *numbers[i + 1 :])
                found.append(complex(moved).imag / h)
            except (*NO_NUMBER, NotImplementedError, TypeError, AttributeError):  # a user's may not know complex
                found.append(math.nan)
        return found

    return slopes


def _partner(numbers: Sequence[Any], i: int, pairs: int) -> float:
    """What an argument of ``dot`` is multiplied with; the start with 1."""
    return 1.0 if i == 2 * pairs else numbers[(i + pairs) % (2 * pairs)]


#: The slopes of what is linear in each of its arguments, of which there may be thousands.
_LINEAR: dict[str, Callable[[Sequence[Any], int], float]] = {
    "sum": lambda numbers, i: 1.0,
    "mean": lambda numbers, i: 1.0 / len(numbers),
    "dot": lambda numbers, i: _partner(numbers, i, len(numbers) // 2),
}


def leading_to(program: Program, slots: Iterable[int]) -> bytearray:
    """1 for each slot that one of these depends on, or is."""
    found = bytearray(program.first_instruction + len(program))
    for slot in slots:
        found[slot] = 1
    for slot, _, operands in program.instructions_backward():
        if found[slot]:
            for o in operands:
                if o >= 0:
                    found[o] = 1
    return found


def reruns(recorded: Recorded) -> tuple[Rerun, Rerun]:
    """Reruns in complex numbers and in floats."""
    return Rerun(recorded, complex_), Rerun(recorded, floats)
