"""Long sums of numbers that all samples share: one instruction each, for a group for each addition would cost more."""

from __future__ import annotations

import numpy as np

from autograd.compiled.programs.plan import Plan

#: Numbers from which on a sum is long.
LONG_SUM = 8


def long_sums(plan: Plan) -> tuple[dict[int, list[int]], set[int]]:
    """Chains of additions among what is uniform, whose parts nobody else wants: the last one → all that it adds up, in
    order; and the parts."""
    program = plan.program
    first, flat = program.first_instruction, np.array(program.operands, np.intp)
    is_add = np.array([primitive.name == "add" for primitive in program.primitives], bool)
    uniform = np.array(plan.varying[first:], np.uint8) == 0
    places = np.flatnonzero(is_add[np.array(program.opcodes, np.intp)] & uniform)
    if len(places) < LONG_SUM - 1:
        return {}, set()
    slots, adds = first + len(program), (first + places).tolist()
    uses = np.bincount(np.concatenate([flat, np.array(program.outputs, np.intp)]), minlength=slots)
    used_once: list[bool] = (uses == 1).tolist()
    at = np.array(program.starts, np.intp)[places]
    operands = dict(zip(adds, zip(flat[at].tolist(), flat[at + 1].tolist(), strict=True), strict=True))

    # How many additions lie in a row up to each, of which nobody else wants a part; 0 for what is no part.
    length = [0] * slots
    for slot, (x, y) in operands.items():
        behind_x, behind_y = length[x] if used_once[x] else 0, length[y] if used_once[y] else 0
        length[slot] = 1 + (behind_x if behind_x > behind_y else behind_y)
    found: dict[int, list[int]] = {}
    inside: set[int] = set()
    for slot in reversed(adds):
        if length[slot] < LONG_SUM - 1 or slot in inside:
            continue
        terms: list[int] = []
        parts: list[int] = []
        end = slot
        while True:
            x, y = operands[end]
            # An addition's operands stand in any order; the sum so far is the one with more additions behind it.
            if length[y] * used_once[y] > length[x] * used_once[x]:
                x, y = y, x
            terms.append(y)
            if not length[x] or not used_once[x]:
                terms.append(x)
                break
            parts.append(x)
            end = x
        if len(terms) >= LONG_SUM:
            found[slot] = terms[::-1]
            inside.update(parts)
    return found, inside
