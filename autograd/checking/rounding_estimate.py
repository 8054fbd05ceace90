"""How far rounding may have moved the numbers and the derivatives of a recorded function.

A running analysis of first order: forward, each operation adds its own rounding to what its operands bring along;
backward, each partial is computed again from numbers moved by what they may be off, which shows where its formula
magnifies that. A partial that is a literal is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd.checking.noise import own_rounding
from autograd.checking.propagation import weights
from autograd.checking.recorded import Recorded, has_partial, partials_or_nothing
from autograd.checking.shrinking_steps import ROUNDING
from autograd.primitives import Primitive


class Rounding:
    """Of every slot how far its number may be off, and of every partial."""

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded
        program, numbers = recorded.program, recorded.numbers
        self.off = [0.0] * len(numbers)
        #: Per instruction: slot, and partial with how far it may be off, of each operand.
        self.partials: list[list[tuple[int, tuple[float, float]]]] = []
        for slot, (primitive, operands) in enumerate(program.instructions(), start=program.first_instruction):
            edges = _edges(primitive, numbers[slot], [(o, None if o < 0 else numbers[o]) for o in operands], self.off)
            self.partials.append(edges)
            if not primitive.compares:
                moved = sum([abs(p) * self.off[o] for o, (p, _) in edges if self.off[o]])
                self.off[slot] = moved + own_rounding(numbers[slot], [numbers[o] for o in operands if o >= 0])

    def of_output(self, output: int) -> float:
        """How far the output may be off."""
        slot = self.recorded.outputs[output]
        return 0.0 if slot < 0 else self.off[slot]

    def of_gradient(self, output: int) -> list[float]:
        """How far the derivative by each input may be off."""
        recorded = self.recorded
        root, first = recorded.outputs[output], recorded.program.first_instruction
        if root < 0:
            return [0.0] * len(recorded.inputs)
        reached = weights(recorded.program, root, _Reach(1.0, 0.0), lambda slot: self.partials[slot - first])
        return [0.0 if slot < 0 else _looseness_of(reached[slot]) for slot in recorded.inputs]


class _Reach(NamedTuple):
    """How large the derivative of the output by a slot may be, all ways taken as adding up, and how far it is off."""

    size: float
    off: float

    def through(self, partial: tuple[float, float]) -> _Reach | None:
        size, off = self
        if size == off == 0.0:
            return None
        p, loose = abs(partial[0]), partial[1]
        rounding = ROUNDING * size * p if p != 1.0 else 0.0
        return _Reach(size * p, off * p + size * loose + rounding + off * loose)

    def plus(self, other: _Reach) -> _Reach:
        return _Reach(self.size + other.size, self.off + other.off)


def _looseness_of(reach: _Reach | None) -> float:
    if reach is None:
        return 0.0
    return reach.off + ROUNDING * reach.size if reach.off == reach.off else math.inf


def _edges(
    primitive: Primitive, z: Any, operands: Sequence[tuple[int, Any]], off: Sequence[float]
) -> list[tuple[int, tuple[float, float]]]:
    """Slot, and partial with how far it may be off, for each operand with a derivative."""
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
            found.append((operands[i][0], (float(partial), how_far)))
    return found


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
        there = partials_or_nothing(primitive, other, others, wanted)
        for k in open_:
            if there[k] is None:
                change = _alone(primitive, other, numbers, spans, wanted[k], partials[k])
            else:
                change = abs(there[k] - partials[k])
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
            there = partials_or_nothing(primitive, z, [*numbers[:j], moved, *numbers[j + 1 :]], [argument])[0]
            if there is not None:
                sides.append(abs(there - partial))
        change += max(sides, default=0.0)
    return change


def _span(number: Any, off: float) -> float:
    if number.__class__ is not float:
        return 0  # a condition, or a branch that is not there
    return max(off, 2 * ROUNDING * abs(number))
