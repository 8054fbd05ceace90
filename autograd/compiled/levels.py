"""A program's instructions in groups that can run together, and the row of each number.

Instructions are sorted by level (the longest way from an input), then by primitive; each group reads its operands from
rows of an array and writes its results to consecutive rows. What does not differ from sample to sample has an array of
its own, the uniform one, where groups begin at multiples of four rows, so that native code can take four at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.compiled.plan import Plan
from autograd.compiled.reduction import LANES
from autograd.number_systems import arrays


class Group(NamedTuple):
    """Instructions of one primitive, whose results go to rows ``first`` … ``last - 1``."""

    name: str
    first: int
    last: int
    #: Per operand: whether it is read from the varying array, and its rows.
    operands: list[tuple[bool, list[int]]]


class Levels:
    """A plan's instructions in groups, and the row of each slot in the uniform or the varying array.

    Args:
        with_varying: whether the instructions that differ by sample are grouped too.
    """

    def __init__(self, plan: Plan, *, with_varying: bool = True) -> None:
        program, varying = plan.program, plan.varying
        slots = program.first_instruction + len(program)
        level = [0] * slots
        keys: dict[Any, list[int]] = {}
        first, starts, flat = program.first_instruction, program.starts, program.operands
        names = [primitive.name for primitive in program.primitives]
        chains, inside = _long_sums(plan)
        for i, opcode in enumerate(program.opcodes):
            slot = first + i
            if (varying[slot] and not with_varying) or slot in inside:
                continue
            if slot in chains:
                level[slot] = here = 1 + max([level[o] for o in chains[slot]])
                keys[0, here, "sum", slot] = [slot]
                continue
            operands = flat[starts[i] : starts[i + 1]]
            level[slot] = here = 1 + max([level[o] for o in operands])
            key = (varying[slot], here, names[opcode], *[varying[o] for o in operands])
            members = keys.get(key)
            if members is None:
                keys[key] = [slot]
            else:
                members.append(slot)
        self.row = row = [0] * slots
        counts = [0, 0]
        for slot in range(first):
            row[slot] = counts[varying[slot]]
            counts[varying[slot]] += 1
        #: Groups of the uniform and of the varying instructions.
        self.groups: tuple[list[Group], list[Group]] = ([], [])
        for key in sorted(keys):
            members, varies, name = keys[key], key[0], key[2]
            if not varies:
                counts[0] += -counts[0] % LANES
            begin = counts[varies]
            for place, slot in enumerate(members, start=begin):
                row[slot] = place
            counts[varies] += len(members)
            if name == "sum":
                parts = [(False, [row[o]]) for o in chains[members[0]]]
                self.groups[0].append(Group(name, begin, counts[0], parts))
                continue
            operands_of = [
                (bool(kind), [row[flat[starts[slot - first] + position]] for slot in members])
                for position, kind in enumerate(key[3:])
            ]
            self.groups[varies].append(Group(name, begin, counts[varies], operands_of))
        counts[0] += -counts[0] % LANES
        #: Rows of the uniform and of the varying array.
        self.rows = counts


#: Numbers of a sum from which on it is one instruction: one group each would cost more than the additions.
LONG_SUM = 8


def _long_sums(plan: Plan) -> tuple[dict[int, list[int]], set[int]]:
    """Chains of additions among what is uniform, whose parts nobody else wants: the last one → all that it adds up, in
    order; and the parts."""
    program, varying = plan.program, plan.varying
    first, starts, flat = program.first_instruction, program.starts, program.operands
    adds = [program.primitives[opcode].name == "add" for opcode in program.opcodes]
    if sum(adds) < LONG_SUM:
        return {}, set()
    uses = Counter(flat)
    uses.update(program.outputs)

    # How many additions lie in a row up to each, of which nobody else wants a part; 0 for what is no part.
    length = [0] * len(varying)
    for i, is_add in enumerate(adds):
        if is_add and not varying[first + i]:
            x, y = flat[starts[i] : starts[i + 1]]
            length[first + i] = 1 + max(length[x] * (uses[x] == 1), length[y] * (uses[y] == 1))
    found: dict[int, list[int]] = {}
    inside: set[int] = set()
    for slot in range(len(varying) - 1, first - 1, -1):
        if length[slot] < LONG_SUM - 1 or slot in inside:
            continue
        terms: list[int] = []
        parts: list[int] = []
        at = slot
        while True:
            x, y = flat[starts[at - first] : starts[at - first + 1]]
            # An addition's operands stand in any order; the sum so far is the one with more additions behind it.
            if length[y] * (uses[y] == 1) > length[x] * (uses[x] == 1):
                x, y = y, x
            terms.append(y)
            if not length[x] or uses[x] != 1:
                terms.append(x)
                break
            parts.append(x)
            at = x
        if len(terms) >= LONG_SUM:
            found[slot] = terms[::-1]
            inside.update(parts)
    return found, inside


class GroupCalls:
    """Groups as NumPy calls.

    Args:
        fast: neurons that share their inputs are one matrix product, whose sums NumPy takes in an order of its own.
    """

    def __init__(self, groups: Sequence[Group], *, fast: bool = False) -> None:
        self._calls: list[Callable[[Any, Any, Any], None]] = []
        for group in groups:
            product = _as_matrix_product(group) if fast and group.name == "dot" else None
            self._calls.append(product or _call(group))

    def __len__(self) -> int:
        return len(self._calls)

    def __call__(self, out: Any, varying: Any, uniform: Any) -> None:
        """Compute the rows of ``out``, arrays being ``(rows, samples)``, the uniform one ``(rows, 1)``."""
        for call in self._calls:
            call(out, varying, uniform)


def _call(group: Group) -> Callable[[Any, Any, Any], None]:
    name, first, last, _ = group
    operands = [(varies, _as_slice(rows)) for varies, rows in group.operands]
    function = getattr(arrays, name)

    def call(out: Any, varying: Any, uniform: Any) -> None:
        found = [(varying if varies else uniform)[rows] for varies, rows in operands]
        if isinstance(function, np.ufunc) and name not in _TRUTHS:
            function(*found, out=out[first:last])
        elif name == "where":
            out[first:last] = np.where(found[0] != 0, found[1], found[2])
        elif name in ("dot", "sum"):
            out[first:last] = function(found)
        else:
            out[first:last] = function(*found)

    return call


def _as_matrix_product(group: Group) -> Callable[[Any, Any, Any], None] | None:
    """The call of a layer's neurons: weights and biases that all samples share, inputs that all neurons share."""
    n = len(group.operands) // 2
    weights, inputs, start = group.operands[:n], group.operands[n : 2 * n], group.operands[2 * n :]
    shared = all(varies and len(set(rows)) == 1 for varies, rows in inputs)
    if not shared or any(varies for varies, _ in [*weights, *start]):
        return None
    rows_of_weights = np.array([rows for _, rows in weights], np.intp).T
    rows_of_inputs = _as_slice([rows[0] for _, rows in inputs])
    biases = _as_slice(start[0][1]) if start else None

    def call(out: Any, varying: Any, uniform: Any) -> None:
        result = out[group.first : group.last]
        np.matmul(uniform[rows_of_weights, 0], varying[rows_of_inputs], out=result)
        if biases is not None:
            result += uniform[biases]

    return call


_TRUTHS = ("less", "less_equal", "greater", "greater_equal")


def _as_slice(rows: list[int]) -> Any:
    """Rows as a slice where they are consecutive, which spares a copy; else as an array of indices."""
    if rows and rows == list(range(rows[0], rows[0] + len(rows))):
        return slice(rows[0], rows[0] + len(rows))
    return np.array(rows, dtype=np.intp)
