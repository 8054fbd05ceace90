"""A function recorded once: its derivatives by the engine, how far rounding may move them, and quick replays.

A replay computes only what depends on the one input that was changed. In complex numbers, one replay with a tiny
imaginary step gives a derivative without any subtraction (Squire and Trapp, 1998).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd import interpret
from autograd.checking.differences import ROUNDING
from autograd.number_systems import complexes, floats
from autograd.operands import number_of
from autograd.primitives import Primitive
from autograd.program import flatten
from autograd.structure import take_apart
from autograd.value import Value

#: What cannot be computed at a point, as opposed to what is broken. NumPy's warnings are among it where the user has
#: made errors of them.
NO_NUMBER = (ValueError, ArithmeticError, RuntimeWarning)

#: The imaginary step, as a part of the argument: its square is far below a rounding.
_STEP = 2.0**-70
#: Below this an imaginary step would underflow.
_SMALLEST = 1e-250


class Recorded:
    """The program that computed some outputs from some inputs, with the number of every slot."""

    def __init__(self, leaves: Sequence[Value], outputs: Sequence[Any]) -> None:
        roots = [output for output in outputs if isinstance(output, Value)]
        self.program, self.nodes = flatten(roots, until=frozenset(leaves))
        self.numbers: list[Any] = [number_of(node) for node in self.nodes]
        slot_of = {node: slot for slot, node in enumerate(self.nodes) if isinstance(node, Value)}
        self.inputs = [slot_of.get(leaf, -1) for leaf in leaves]
        self.outputs = [slot_of[output] if isinstance(output, Value) else -1 for output in outputs]

    def gradient(self, output: int) -> list[float]:
        """The engine's derivatives of one output by all inputs.

        Raises:
            DomainError, OverflowError: a slope on the way does not exist or is too large.
        """
        return self._gradient(output, self.inputs)

    def derivative(self, output: int, argument: int) -> float:
        """The engine's derivative by one input: only what lies on the way to it is looked at."""
        return self._gradient(output, [self.inputs[argument]])[0]

    def _gradient(self, output: int, slots: Sequence[int]) -> list[float]:
        root = self.outputs[output]
        if root < 0:
            return [0.0] * len(slots)
        wanted = [slot for slot in slots if slot >= 0]
        found = interpret.pull_back(self.program, self.numbers, {root: 1.0}, floats, wanted)
        return [0.0 if slot < 0 or found[slot] is None else float(found[slot]) for slot in slots]

    def kinks(self) -> set[int]:
        """The instructions that stand at a kink, at a jump, or at a comparison of equal numbers."""
        found = set()
        for slot, (primitive, operands) in enumerate(self.program.instructions(), start=self.program.first_instruction):
            numbers = [None if o < 0 else self.numbers[o] for o in operands]
            if at_kink(primitive, numbers):
                found.add(slot)
        return found


def at_kink(primitive: Primitive, numbers: Sequence[Any]) -> bool:
    """Whether a primitive has no derivative at these operands but by convention."""
    if primitive.compares:
        return bool(numbers[0] == numbers[1])
    return not primitive.n_ary and bool(primitive.kinks(*numbers))


class Rounding:
    """How far rounding may have moved the numbers and the derivatives of a recorded function.

    A running analysis of first order: forward, each operation adds its own rounding to what its operands bring along;
    backward, each partial is computed again from numbers moved by what they may be off, which shows where its formula
    magnifies that. A partial that is a literal is exact.
    """

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded
        program, numbers = recorded.program, recorded.numbers
        self.off = [0.0] * len(numbers)
        self.partials: list[list[tuple[int, float, float]]] = []
        for slot, (primitive, operands) in enumerate(program.instructions(), start=program.first_instruction):
            edges = _edges(primitive, numbers[slot], [(o, None if o < 0 else numbers[o]) for o in operands], self.off)
            self.partials.append(edges)
            if not primitive.compares:
                moved = sum([abs(p) * self.off[o] for o, p, _ in edges if self.off[o]])
                self.off[slot] = moved + 2 * ROUNDING * abs(numbers[slot])

    def of_output(self, output: int) -> float:
        """How far the output may be off."""
        slot = self.recorded.outputs[output]
        return 0.0 if slot < 0 else self.off[slot]

    def of_gradient(self, output: int) -> list[float]:
        """How far the derivative by each input may be off."""
        recorded = self.recorded
        size, off = [0.0] * len(recorded.numbers), [0.0] * len(recorded.numbers)
        root = recorded.outputs[output]
        if root >= 0:
            size[root] = 1.0
        first = recorded.program.first_instruction
        for slot in range(len(recorded.numbers) - 1, first - 1, -1):
            c, e = size[slot], off[slot]
            if c == 0.0 and e == 0.0:
                continue
            for o, p, loose in self.partials[slot - first]:
                p = abs(p)
                size[o] += c * p
                off[o] += e * p + c * loose + (ROUNDING * c * p if p != 1.0 else 0.0) + e * loose
        return [
            0.0 if slot < 0 else off[slot] + ROUNDING * size[slot] if off[slot] == off[slot] else math.inf
            for slot in recorded.inputs
        ]


def _edges(
    primitive: Primitive, z: Any, operands: Sequence[tuple[int, Any]], off: Sequence[float]
) -> list[tuple[int, float, float]]:
    """Slot, partial and how far it may be off, for each operand with a derivative."""
    numbers = [number for _, number in operands]
    wanted = [
        i for i, (o, number) in enumerate(operands) if o >= 0 and number is not None and has_partial(primitive, i)
    ]
    if not wanted:
        return []
    partials = partials_or_nothing(primitive, z, numbers, wanted)
    brought = [0.0 if o < 0 else off[o] for o, _ in operands]
    moved = sum(
        [abs(partial) * brought[i] for i, partial in zip(wanted, partials, strict=True) if partial and brought[i]]
    )
    loose = looseness(primitive, z, numbers, wanted, partials, brought, moved)
    found = []
    for i, partial, how_far in zip(wanted, partials, loose, strict=True):
        if partial is not None:
            found.append((operands[i][0], float(partial), how_far))
    return found


def has_partial(primitive: Primitive, argument: int) -> bool:
    """Whether the row gives a derivative by this argument."""
    return not primitive.compares and (callable(primitive.partials) or primitive.partials[argument] is not None)


def partials_or_nothing(primitive: Primitive, z: Any, numbers: Sequence[Any], wanted: Sequence[int]) -> list[Any]:
    """The partials by the wanted arguments; ``None`` for one that does not exist here."""
    try:
        return interpret.partials(floats, primitive, z, numbers, wanted)
    except NO_NUMBER:
        if primitive.n_ary or len(wanted) == 1:
            return [None] * len(wanted)
        return [partials_or_nothing(primitive, z, numbers, [i])[0] for i in wanted]


def looseness(
    primitive: Primitive,
    z: Any,
    numbers: Sequence[Any],
    wanted: Sequence[int],
    partials: Sequence[Any],
    off: Sequence[float],
    result_off: float = 0.0,
) -> list[float]:
    """How far each partial moves when the numbers it is made of move by what they may be off."""
    loose = [0.0] * len(wanted)
    open_ = [k for k, partial in enumerate(partials) if partial is not None and partial.__class__ is not int]
    if not open_:
        return loose
    spans = [_span(number, how_far) for number, how_far in zip(numbers, off, strict=True)]
    pairs = list(zip(numbers, spans, strict=True))
    moved = [
        (z + result_off + 2 * ROUNDING * abs(z), numbers),
        (z, [(x + span if k % 2 else x - span) if span else x for k, (x, span) in enumerate(pairs)]),
        (z, [(x - span if k % 2 else x + span) if span else x for k, (x, span) in enumerate(pairs)]),
    ]
    for other, others in moved:
        again = partials_or_nothing(primitive, other, others, wanted)
        for k in open_:
            if again[k] is None:
                change = _alone(primitive, other, numbers, spans, wanted[k], partials[k])
            else:
                change = abs(again[k] - partials[k])
            loose[k] += change if change == change else math.inf
    return [loose[k] + 2 * ROUNDING * abs(partials[k]) if k in open_ else 0.0 for k in range(len(wanted))]


def _alone(
    primitive: Primitive, z: Any, numbers: Sequence[Any], spans: Sequence[float], argument: int, partial: float
) -> float:
    """The same where moving all numbers at once leaves the domain: each by itself, where it can be moved."""
    if primitive.n_ary:
        return abs(partial)
    change = 0.0
    for j, (x, span) in enumerate(zip(numbers, spans, strict=True)):
        sides = []
        for moved in (x + span, x - span) if span else ():
            again = partials_or_nothing(primitive, z, [*numbers[:j], moved, *numbers[j + 1 :]], [argument])[0]
            if again is not None:
                sides.append(abs(again - partial))
        change += max(sides, default=0.0)
    return change


def _span(number: Any, off: float) -> float:
    if number.__class__ is not float:
        return 0  # a condition, or a branch that is not there
    return max(off, 2 * ROUNDING * abs(number))


def imaginary_step(x: float) -> float:
    """The step for a derivative at ``x``; zero where there is none that is small enough."""
    if x == 0.0:
        return 1e-100
    size = abs(x)
    return min(size, 1.0) * _STEP if _SMALLEST < size < math.inf else 0.0


class Replay:
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
            return [numbers[o] if o >= 0 else 0.0 for o in self.recorded.outputs]
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
    if primitive.forward is not None or primitive.name in m.LACKS:
        return lambda *operands: interpret.apply(m, primitive, operands)
    function = getattr(m, primitive.name)
    if primitive.n_ary:
        return lambda *operands: function(list(operands))
    return function  # type: ignore[no-any-return]


def replays(recorded: Recorded) -> tuple[Replay, Replay]:
    """The replays in complex numbers and in floats."""
    return Replay(recorded, complexes), Replay(recorded, floats)


def results_of(result: Any, what: str) -> list[Any]:
    """The numbers of what a function returned: Values, floats, anything with one ``item()``."""
    if not isinstance(result, Value) and not hasattr(result, "tolist") and hasattr(result, "item"):
        result = result.item()
    return take_apart(result, what)[0]


def as_float(x: Any) -> float:
    """The number of a Value, or the number itself."""
    return x.data if isinstance(x, Value) else float(x)
