"""What a slope leads to: one that does not exist is an error only where something flows on from it to what is wanted.

That is found out where asking for it has failed, so it costs nothing elsewhere. Systems of many lanes find the same by
their numbers: nan there, which a literal 0 further on keeps out.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from autograd import lanes
from autograd.application import differentiable, partials
from autograd.eager.operands import number_of
from autograd.errors import DomainError, at_slot
from autograd.number_systems import floats
from autograd.primitives import Primitive
from autograd.program import Program, flatten
from autograd.rules import is_nothing


def partials_at(
    program: Program,
    slot: int,
    m: Any,
    primitive: Primitive,
    numbers: Sequence[Any],
    inputs: Sequence[Any],
    arguments: Sequence[int],
    wanted: Container[int],
) -> list[tuple[Any, Any]]:
    """The partials of an instruction, each with the lanes in which something flows; an error knows its slot.

    One that does not exist is 0 if nothing flows on from its operand to what is wanted.
    """
    if m.LANES:
        if hasattr(m, "slopes"):
            return m.slopes(primitive, numbers[slot], inputs, arguments)  # type: ignore[no-any-return]
        return lanes.partials(m, primitive, numbers[slot], inputs, arguments)
    try:
        return [(partial, None) for partial in partials(m, primitive, numbers[slot], inputs, arguments)]
    except (DomainError, OverflowError) as error:
        operands = program.instruction(slot)[1]
        asked = [i for i in arguments if _reaches(program, numbers, m, operands[i], wanted)]
        if len(asked) == len(arguments):
            at_slot(error, slot)
            raise
    found: dict[int, tuple[Any, Any]] = {}
    if asked:
        slopes = partials_at(program, slot, m, primitive, numbers, inputs, asked, wanted)
        found = dict(zip(asked, slopes, strict=True))
    return [found.get(i, (0, None)) for i in arguments]


def reaches_a_leaf(node: Any) -> bool:
    """Whether something that flows into a node flows on to a leaf."""
    program, nodes = flatten([node])
    return _reaches(program, [number_of(one) for one in nodes], floats, program.outputs[0], range(program.inputs))


def _reaches(program: Program, numbers: Sequence[Any], m: Any, slot: int, wanted: Container[int]) -> bool:
    """Whether something that flows into a slot flows on to one of those that are wanted."""
    seen, stack = {slot}, [slot]
    while stack:
        slot = stack.pop()
        if slot in wanted:
            return True
        if slot < program.first_instruction:
            continue
        primitive, operands = program.instruction(slot)
        inputs = [None if o < 0 else numbers[o] for o in operands]
        for i, o in enumerate(operands):
            if o >= 0 and o not in seen and not _stops(m, primitive, numbers[slot], inputs, i):
                seen.add(o)
                stack.append(o)
    return False


def _stops(m: Any, primitive: Primitive, z: Any, inputs: Sequence[Any], argument: int) -> bool:
    """Whether nothing flows through a partial; through one that does not exist, something would."""
    if not differentiable(primitive, argument):
        return True
    try:
        return is_nothing(partials(m, primitive, z, inputs, [argument])[0])
    except (ValueError, ArithmeticError, NotImplementedError):
        return False
