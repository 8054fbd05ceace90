"""How far rounding may have moved the numbers and the derivatives of a recorded function.

A running analysis of first order: forward, each operation adds its own rounding to what its operands bring along;
backward, each partial is computed again from numbers moved by what they may be off, which shows where its formula
magnifies that. A partial that is a literal is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograd.checking.recorded import Recorded, has_partial, partials_or_nothing
from autograd.checking.shrinking_steps import ROUNDING, UNDERFLOW
from autograd.primitives import Primitive


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
                self.off[slot] = moved + 2 * ROUNDING * abs(numbers[slot]) + UNDERFLOW

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
