"""The two walks over a program, in any number system: forward for the values, back for the derivatives.

A cotangent is ``∂output/∂slot``; one that nothing flowed into is ``None``, not zero, so that ``0 · nan`` cannot arise
from a branch that was not taken. Literal partials 0, 1 and -1 cost no multiplication.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autograd.errors import DomainError, at_slot, failure, slope_failure
from autograd.primitives import Limit, Primitive
from autograd.program import Program


def apply(m: Any, primitive: Primitive, operands: Sequence[Any]) -> Any:
    """The value of a primitive in a number system.

    Raises:
        DomainError, OverflowError: as the number system has it, with primitive and operands named.
        NotImplementedError: the system lacks the primitive, or what a user's primitive is made of; the reason is
            given.
    """
    if not primitive.built_in:
        if primitive.systems is not None and m.NAME not in primitive.systems:
            raise NotImplementedError(
                f"{primitive.name} is declared for {', '.join(primitive.systems)} only, not {m.NAME}"
            )
        if not m.LANES and not primitive.domain(*map(m.plain, operands)):
            raise failure(primitive, operands, ValueError("outside the domain"))
        function, arguments = primitive.formula, [m, *operands]
    elif primitive.name in m.LACKS:
        raise NotImplementedError(f"number system {m.NAME} has no {primitive.name}: {m.LACKS[primitive.name]}")
    else:
        function = getattr(m, primitive.name)
        arguments = [list(operands)] if primitive.n_ary else list(operands)
    try:
        return function(*arguments)
    except (ValueError, ArithmeticError) as error:
        raise failure(primitive, operands, error) from error
    except AttributeError as error:
        _refuse_if_lacking(m, primitive.name, error)
        raise


def partials(
    m: Any,
    primitive: Primitive,
    z: Any,
    operands: Sequence[Any],
    wanted: Iterable[int],
    shown: Sequence[Any] | None = None,
) -> list[Any]:
    """∂z/∂operand for each wanted argument, with the limits that the row states.

    Args:
        shown: the operands as an error should show them, with their labels.

    Raises:
        DomainError: a partial does not exist at these operands.
        OverflowError: it does, and is too large.
        NotImplementedError: its rule needs a primitive that the system lacks; the reason is given.
    """
    if callable(primitive.partials):
        every = primitive.partials(m, z, list(operands))
        return [every[i] for i in wanted]
    return [_partial(m, primitive, z, operands, i, shown or operands) for i in wanted]


def _partial(m: Any, primitive: Primitive, z: Any, operands: Sequence[Any], argument: int, shown: Sequence[Any]) -> Any:
    assert not callable(primitive.partials)
    rule = primitive.partials[argument]
    if rule is None:
        return 0
    if m.LANES:
        partial = rule(m, z, *operands)
        for limit in _limits(primitive, argument):
            partial = m.where(limit.at(*operands), limit.value, partial)
        return partial
    try:
        return rule(m, z, *operands)
    except (ValueError, ArithmeticError, AttributeError) as error:
        plain = [m.plain(operand) for operand in operands]
        try:
            for limit in _limits(primitive, argument):
                if limit.at(*plain):
                    return m.limit(limit.value, primitive, operands)
        except ValueError as unknown:  # an infinite slope where there is no infinity; an interval around the end point
            raise slope_failure(primitive, argument, shown) from unknown
        if isinstance(error, AttributeError):
            _refuse_if_lacking(m, f"the slope of {primitive.name}", error)
            raise
        raise slope_failure(primitive, argument, shown, too_large=isinstance(error, OverflowError)) from error


def _limits(primitive: Primitive, argument: int) -> list[Limit]:
    return [limit for limit in primitive.limits if limit.argument == argument]


def _refuse_if_lacking(m: Any, what: str, error: AttributeError) -> None:
    """Say so if the attribute that was not there is a primitive which the number system lacks."""
    name, lacks = m.NAME, m.LACKS
    if error.obj is m and error.name in lacks:
        raise NotImplementedError(
            f"{what} needs {error.name}, which number system {name} lacks: {lacks[error.name]}"
        ) from error


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
    program: Program, numbers: Sequence[Any], seeds: Mapping[int, Any], m: Any, wanted: Iterable[int]
) -> list[Any]:
    """The cotangent of every slot (``None`` where nothing flows), given those of the outputs.

    Args:
        numbers: what ``run_forward`` returned.
        seeds: slot → cotangent.
        wanted: the slots whose cotangents are asked for; only instructions between them and the seeds are visited.
    """
    cotangents: list[Any] = [None] * len(numbers)
    for slot, seed in seeds.items():
        cotangents[slot] = seed
    depends = _depending_on(program, wanted)
    #: Of a batch: where a slot lies on the way that is taken, if not in all lanes.
    live: dict[int, Any] = {}
    for slot, primitive, operands in program.instructions_backward():
        cotangent = cotangents[slot]
        if cotangent is None:
            continue
        arguments = [i for i, o in enumerate(operands) if o >= 0 and depends[o] and _differentiable(primitive, i)]
        if not arguments:
            continue
        inputs = [None if o < 0 else numbers[o] for o in operands]
        for i, partial in zip(arguments, _partials_at(slot, m, primitive, numbers, inputs, arguments), strict=True):
            if partial.__class__ is int and partial == 0:
                continue
            product = cotangent if partial.__class__ is int and partial == 1 else cotangent * partial
            so_far = cotangents[operands[i]]
            if m.LANES:
                here = _live_through(m, primitive, i, inputs, live.get(slot))
                if here is not None:  # what is added in the other lanes is neutral, though 0 · nan might flow there
                    product = m.where(here, product, -0.0)
                    there = here if so_far is None else live.get(operands[i])
                    live[operands[i]] = None if there is None else m.maximum(here, there)
                else:
                    live[operands[i]] = None
            cotangents[operands[i]] = product if so_far is None else so_far + product
    return cotangents


def _live_through(m: Any, primitive: Primitive, argument: int, operands: Sequence[Any], live: Any) -> Any:
    """1.0 in the lanes in which an operand is used by a result that is used itself where ``live`` says."""
    if primitive.name != "where":
        return live
    taken = m.where(operands[0], 1.0, 0.0) if argument == 1 else m.where(operands[0], 0.0, 1.0)
    return taken if live is None else m.minimum(live, taken)


def push_forward(program: Program, numbers: Sequence[Any], tangents: Mapping[int, Any], m: Any) -> list[Any]:
    """The tangent of every slot (``None`` where it does not move), given those of the inputs."""
    moving: list[Any] = [None] * len(numbers)
    for slot, tangent in tangents.items():
        moving[slot] = tangent
    for slot, (primitive, operands) in enumerate(program.instructions(), start=program.first_instruction):
        arguments = [
            i for i, o in enumerate(operands) if o >= 0 and moving[o] is not None and _differentiable(primitive, i)
        ]
        inputs = [None if o < 0 else numbers[o] for o in operands]
        for i, partial in zip(arguments, _partials_at(slot, m, primitive, numbers, inputs, arguments), strict=True):
            if partial.__class__ is int and partial == 0:
                continue
            tangent = moving[operands[i]]
            product = tangent if partial.__class__ is int and partial == 1 else tangent * partial
            moving[slot] = product if moving[slot] is None else moving[slot] + product
    return moving


def _partials_at(
    slot: int, m: Any, primitive: Primitive, numbers: Sequence[Any], inputs: Sequence[Any], wanted: Sequence[int]
) -> list[Any]:
    """The partials of an instruction; an error knows its slot."""
    try:
        return partials(m, primitive, numbers[slot], inputs, wanted)
    except (DomainError, OverflowError) as error:
        at_slot(error, slot)
        raise


def _differentiable(primitive: Primitive, argument: int) -> bool:
    return callable(primitive.partials) or primitive.partials[argument] is not None


def _depending_on(program: Program, slots: Iterable[int]) -> bytearray:
    """1 for each slot whose number depends on one of these slots, those included."""
    depends = bytearray(program.first_instruction + len(program))
    for slot in slots:
        depends[slot] = 1
    for slot, (_, operands) in enumerate(program.instructions(), start=program.first_instruction):
        if not depends[slot]:
            depends[slot] = any(o >= 0 and depends[o] for o in operands)
    return depends
