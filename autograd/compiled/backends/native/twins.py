"""Instructions of a plan that one kernel computes together: of the same operand, most of their steps are the same."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from autograd.compiled.programs.plan import Plan
from autograd.number_systems.llvm import kernels
from autograd.program import Program

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
    program = plan.program
    wanted = {i: row.name for i, row in enumerate(program.primitives) if row.name in IN_TWINS}
    #: Primitive, operand, and the sign that it is taken with → slot.
    slot_of: dict[tuple[str, int, int], int] = {}
    for i in np.flatnonzero(np.isin(np.array(program.opcodes), list(wanted))).tolist() if wanted else ():
        slot, name, x = program.first_instruction + i, wanted[program.opcodes[i]], program.operands[program.starts[i]]
        if plan.varying[slot]:
            slot_of[name, x, 1] = slot
            if _name_of(program, x) == "neg":
                slot_of[name, program.operands[program.starts[x - program.first_instruction]], -1] = slot
    found: dict[int, Twins] = {}
    for (first, x, _), slot in [(key, slot) for key, slot in slot_of.items() if key[2] == 1]:
        for names, (_, sign) in kernels.TWINS.items():
            other = slot_of.get((names[1], x, sign)) if first == names[0] else None
            if other is not None and not {slot, other} & found.keys():
                found[slot] = found[other] = Twins(names, (slot, other), x)
    return found


def _name_of(program: Program, slot: int) -> str:
    """The primitive of an instruction; empty of an input and a constant."""
    i = slot - program.first_instruction
    return program.primitives[program.opcodes[i]].name if i >= 0 else ""
