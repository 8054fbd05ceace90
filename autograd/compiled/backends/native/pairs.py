"""Instructions of a plan that one kernel computes together: of the same operand, most of their steps are the same."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from autograd.compiled.programs.plan import Plan
from autograd.number_systems.llvm import kernels


class Pair(NamedTuple):
    """Two instructions: their primitives and their slots."""

    names: tuple[str, str]
    slots: tuple[int, int]


def pairs_of(plan: Plan) -> dict[int, Pair]:
    """Each instruction that differs by sample and is one of a pair → the pair.

    >>> from autograd import Value, sech2, tanh
    >>> from autograd.compiled.programs.plan import plan_of
    >>> from autograd.program import flatten
    >>> x = Value(0.5)
    >>> program, _ = flatten([tanh(x) * sech2(x)])
    >>> pairs_of(plan_of(program, 1, 0, [True]))[1]
    Pair(names=('tanh', 'sech2'), slots=(1, 2))
    """
    program = plan.program
    of_pairs = {name for names in kernels.PAIRS for name in names}
    wanted = {i: row.name for i, row in enumerate(program.primitives) if row.name in of_pairs}
    if len(wanted) < 2:
        return {}
    slot_of: dict[tuple[str, int], int] = {}
    for i in np.flatnonzero(np.isin(np.array(program.opcodes), list(wanted))).tolist():
        slot = program.first_instruction + i
        if plan.varying[slot]:
            slot_of[wanted[program.opcodes[i]], program.operands[program.starts[i]]] = slot
    found: dict[int, Pair] = {}
    for (name, operand), slot in slot_of.items():
        for first, second in kernels.PAIRS:
            other = slot_of.get((second, operand)) if name == first else None
            if other is not None:
                found[slot] = found[other] = Pair((first, second), (slot, other))
    return found
