"""The two walks over a program, in any number system: forward for the values, back for the derivatives.

Forward, each instruction applies its primitive to the numbers of its operands. Back, from the last to the first, each
passes its cotangent, ``∂output/∂slot``, on to its operands, times the partial of each. What comes out is decided by the
number system alone: numbers of floats, of Values a graph that can be differentiated again, of SymPy an equation, of
arrays the answers for a whole batch.

A cotangent that nothing flowed into is ``None``, not zero, so that ``0 · nan`` cannot arise from a branch that was not
taken: through a partial that its rule gives as a literal 0, nothing flows. A literal 1 costs no multiplication. A
slope that does not exist is an error only where it leads on to what is wanted: if all that it meets is such a 0, it is
not asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from autograd.application import apply, differentiable, partials
from autograd.cotangents import Cotangents, Term, depending_on
from autograd.errors import DomainError, at_slot
from autograd.program import Program, Slots
from autograd.reaching import partials_at
from autograd.rules import is_nothing

__all__ = ["apply", "partials", "pull_back", "push_forward", "run_forward"]


def run_forward(program: Program, inputs: Sequence[Any], m: Any) -> list[Any]:
    """The number of every slot: inputs, then constants, then one per instruction.

    Args:
        inputs: one number of the system per input of the program.
    """
    if len(inputs) != program.inputs:
        raise ValueError(f"the program has {program.inputs} inputs; {len(inputs)} numbers were given")
    numbers: list[Any] = [*inputs, *(m.number(constant) for constant in program.constants)]
    for primitive, operands in program.instructions():
        try:
            numbers.append(apply(m, primitive, [None if o < 0 else numbers[o] for o in operands]))
        except (DomainError, OverflowError) as error:
            at_slot(error, len(numbers))
            raise
    return numbers


def pull_back(
    program: Program,
    numbers: Sequence[Any],
    seeds: Mapping[int, Any],
    m: Any,
    wanted: Slots,
    order: Slots = (),
    terms: Mapping[int, Sequence[Term]] | None = None,
) -> list[Any]:
    """The cotangent of every slot (``None`` where nothing flows), given those of the outputs.

    Args:
        numbers: what ``run_forward`` returned.
        seeds: slot → cotangent.
        wanted: the slots whose cotangents are asked for; only instructions between them and the seeds are visited.
        order: the slots of instructions, parents first, if cotangents are not to be added up in the program's order.
        terms: the terms of the cotangents that are added up in another order than that.
    """
    found = Cotangents(m, numbers, seeds, terms or {})
    send_back(found, program, wanted, order)
    return found.all(wanted)


def send_back(found: Cotangents, program: Program, wanted: Slots, order: Slots = ()) -> None:
    """The same, on top of cotangents that are there."""
    m, numbers, depends = found.m, found.numbers, depending_on(program, wanted)
    for slot, primitive, operands in program.instructions_backward(order):
        cotangent = found.of(slot)
        if cotangent is None:
            continue
        arguments = [i for i, o in enumerate(operands) if o >= 0 and depends[o] and differentiable(primitive, i)]
        if not arguments or (m.LANES and found.sent_by_loop(slot, primitive, operands, arguments)):
            continue
        inputs = [None if o < 0 else numbers[o] for o in operands]
        for i, (partial, flowing) in zip(
            arguments, partials_at(program, slot, m, primitive, numbers, inputs, arguments, wanted), strict=True
        ):
            if not is_nothing(partial):
                product = cotangent if partial.__class__ is int and partial == 1 else cotangent * partial
                found.send(slot, operands[i], product, flowing)


def push_forward(program: Program, numbers: Sequence[Any], tangents: Mapping[int, Any], m: Any) -> list[Any]:
    """The tangent of every slot on the way to the outputs (``None`` where it does not move), given those of the inputs.

    Partials are asked for from the last instruction on, so that what leads nowhere is not asked for its own.
    """
    moving = Cotangents(m, numbers, tangents, {})
    move_forward(moving, program, tangents)
    return moving.all(program.outputs)


def move_forward(moving: Cotangents, program: Program, given: Collection[int]) -> None:
    """The same, on top of the tangents that are given."""
    m, numbers, found, depends = moving.m, moving.numbers, moving.found, depending_on(program, given)
    used = bytearray(len(numbers))
    for slot in program.outputs:
        used[slot] = 1
    slopes: dict[int, list[tuple[int, Any, Any]]] = {}
    for slot, primitive, operands in program.instructions_backward():
        if not (used[slot] and depends[slot]):
            continue
        arguments = [i for i, o in enumerate(operands) if o >= 0 and depends[o] and differentiable(primitive, i)]
        inputs = [None if o < 0 else numbers[o] for o in operands]
        partials_here = partials_at(program, slot, m, primitive, numbers, inputs, arguments, given)
        those = zip(arguments, partials_here, strict=True)
        slopes[slot] = [(operands[i], slope, lanes) for i, (slope, lanes) in those if not is_nothing(slope)]
        for operand, _, _ in slopes[slot]:
            used[operand] = 1
    for slot in reversed(slopes):
        if m.LANES and moving.moved_by_loop(slot, *program.instruction(slot)):
            continue
        for operand, slope, flowing in slopes[slot]:
            tangent = found[operand]
            if tangent is not None:
                product = tangent if slope.__class__ is int and slope == 1 else tangent * slope
                moving.send(operand, slot, product, flowing)
