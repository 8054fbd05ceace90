"""Instructions of a plan that one kernel computes together: of the same operand, most of their steps are the same."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from autograd.compiled.programs.plan import Plan
from autograd.number_systems.llvm import kernels

IN_TWINS = frozenset([name for names in kernels.TWINS for name in names])


class Twins(NamedTuple):
    """Two instructions: their primitives, their slots, and the slot of the operand of the first."""

    names: tuple[str, str]
    slots: tuple[int, int]
    operand: int


def twins_of(plan: Plan) -> dict[int, Twins]:
    """Each instruction that differs by sample and is one of twins → both.

    >>> from autograd import Value, sech2, tanh
    >>> from autograd.compiled.programs.plan import plan_of
    >>> from autograd.program import flatten
    >>> x = Value(0.5)
    >>> program, _ = flatten([tanh(x) * sech2(x)])
    >>> twins_of(plan_of(program, 1, 0, [True]))[1]
    Twins(names=('tanh', 'sech2'), slots=(1, 2), operand=0)
    """
    program, first = plan.program, plan.program.first_instruction
    opcodes, starts, operands = np.array(program.opcodes), np.array(program.starts), np.array(program.operands)
    varying = np.array(plan.varying[first:], bool)
    known = {row.name: opcode for opcode, row in enumerate(program.primitives)}
    negatives = np.flatnonzero(opcodes == known.get("neg", -1))
    #: The slot of what is negated → what it is the negative of.
    negated = dict(zip((first + negatives).tolist(), operands[starts[negatives]].tolist(), strict=True))

    def slots_of(name: str) -> dict[int, int]:
        """The operand of each instruction of a primitive that differs by sample → its slot."""
        at = np.flatnonzero((opcodes == known.get(name, -1)) & varying)
        return dict(zip(operands[starts[at]].tolist(), (first + at).tolist(), strict=True))

    found: dict[int, Twins] = {}
    for names, (_, sign) in kernels.TWINS.items():
        others = slots_of(names[1])
        if sign < 0:
            others = {negated[x]: slot for x, slot in others.items() if x in negated}
        for x, slot in slots_of(names[0]).items() if others else ():
            other = others.get(x)
            if other is not None and slot not in found and other not in found:
                found[slot] = found[other] = Twins(names, (slot, other), x)
    return found
