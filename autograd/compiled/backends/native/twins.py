"""Instructions of a plan that one kernel computes together: of the same operand, most of their steps are the same."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from autograd.compiled.programs.plan import Plan
from autograd.number_systems.llvm import kernels
from autograd.program import Program


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
    Pair(names=('tanh', 'sech2'), slots=(1, 2), operand=0)
    """
    program = plan.program
    in_twins = {name for names in kernels.TWINS for name in names}
    wanted = {i: row.name for i, row in enumerate(program.primitives) if row.name in in_twins}
    if len(wanted) < 2:
        return {}
    #: Primitive, operand, and what that is multiplied with → slot.
    slot_of: dict[tuple[str, int, float], int] = {}
    for i in np.flatnonzero(np.isin(np.array(program.opcodes), list(wanted))).tolist():
        slot, name, x = program.first_instruction + i, wanted[program.opcodes[i]], program.operands[program.starts[i]]
        if plan.varying[slot]:
            slot_of[name, x, 1.0] = slot
            slot_of[name, *_as_product(program, x)] = slot
    found: dict[int, Twins] = {}
    for (name, x, own), slot in slot_of.items():
        for names, (_, factor) in kernels.TWINS.items():
            other = slot_of.get((names[1], x, factor)) if (name, own) == (names[0], 1.0) else None
            if other is not None:
                found[slot] = found[other] = Twins(names, (slot, other), x)
    return found


def _as_product(program: Program, slot: int) -> tuple[int, float]:
    """The slot and the constant of which a number is the product, if it is one; itself and 1.0 of any other."""
    i = slot - program.first_instruction
    if i >= 0 and program.primitives[program.opcodes[i]].name == "mul":
        x, y = program.operands[program.starts[i] : program.starts[i + 1]]
        for factor, other in ((x, y), (y, x)):
            if program.inputs <= factor < program.first_instruction:
                return other, program.constants[factor - program.inputs]
    return slot, 1.0
