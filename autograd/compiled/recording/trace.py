"""A trace: what was recorded of one run of a function, and how its result nests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd.compiled.recording.guards import Guard
from autograd.cotangents import Term, places_of_terms
from autograd.loops.recorder import PART, Body, LoopPrimitive
from autograd.program import Program
from autograd.value import Value


class Trace(NamedTuple):
    """A recorded run."""

    program: Program
    #: Per argument scalar, its input of the program, or -1 where the function made no use of it.
    arguments: list[int]
    #: The leaves besides arguments, and the input of each.
    leaves: list[Value]
    leaf_inputs: list[int]
    #: Those that were there before: the function made the others itself, as constants.
    captured: list[Value]
    #: The slot of each output scalar; an output that is a plain number stands in ``constants``.
    outputs: list[int]
    constants: dict[int, float]
    #: The result with the numbers of its scalars in their places.
    shape: Any
    one_number: bool
    #: True where the result is one flat list or array, which becomes an array ``(N, k)``.
    is_list: bool
    guards: list[Guard]
    #: The instructions that a derivative of the outputs passes through, as slots, parents first: of one output in the
    #: order of its ``backward()``, of several in that of the program.
    order: list[int]
    #: The terms of the cotangents that are added up in another order than that.
    terms: dict[int, list[Term]]
    #: All truths that the function got, in order.
    answers: tuple[bool, ...]


def fault_of(trace: Any) -> str:
    """What is wrong with a trace that comes out of a pickle, if anything is."""
    program = trace.program
    if type(trace) is not Trace or type(program) is not Program or not {*map(type, trace.leaves)} <= {Value}:
        return f"{type(trace).__name__} of {type(program).__name__} and {type(trace.leaves).__name__}"
    first, end, outputs = program.first_instruction, program.first_instruction + len(program), len(trace.outputs)
    used = [i for i in trace.arguments if i != -1]
    if sorted([*used, *trace.leaf_inputs]) != list(range(program.inputs)) or len(trace.leaves) != len(
        trace.leaf_inputs
    ):
        return "its inputs are not its arguments and leaves"
    places: list[tuple[Any, range]] = [(trace.outputs, range(-1, end)), (_leaves_of(trace.shape), range(outputs))]
    places += [([guard.slot, *[slot for slot, _ in guard.within]], range(end)) for guard in trace.guards]
    places += [(trace.order, range(first, end)), *places_of_terms(trace.terms, range(first, end))]
    if not all(type(i) is int and i in among for found, among in places for i in found):
        return "a place that there is not"
    if {i for i, slot in enumerate(trace.outputs) if slot < 0} != {*trace.constants}:
        return "outputs without a number"
    if not {*map(type, trace.constants.values())} <= {float} or not {*map(type, trace.answers)} <= {bool}:
        return "a constant that is no number, or an answer that is no truth"
    if not _is_in_order(program, trace.order):
        return "instructions out of order"
    has_loops = any(isinstance(row, LoopPrimitive) for row in program.primitives)
    return "a loop that does not fit its operands" if has_loops and not _loops_are_whole(program) else ""


def _loops_are_whole(program: Program) -> bool:
    """Whether loops have as many operands as their steps take, and their parts are some that come out of them."""
    comes_out: dict[int, int] = {}
    for slot, (row, at) in enumerate(program.instructions(), start=program.first_instruction):
        body = row.formula
        if isinstance(body, Body):
            comes_out[slot] = body.carries + body.results * body.steps
            if len(at) != body.carries + body.captured + body.elements * body.steps:
                return False
        elif row is PART:
            constant = at[1] - program.inputs
            if not 0 <= constant < len(program.constants):
                return False
            if program.constants[constant] not in range(comes_out.get(at[0], 0)):
                return False
        elif not comes_out.keys().isdisjoint(at):
            return False
    return True


def _is_in_order(program: Program, order: Sequence[int]) -> bool:
    """Whether each instruction comes once, and after those that it is made of."""
    place = {slot: i for i, slot in enumerate(order)}
    return len(place) == len(order) and all(
        place.get(o, -1) < i for i, slot in enumerate(order) for o in program.instruction(slot)[1]
    )


def _leaves_of(shape: Any) -> list[Any]:
    """The numbers of a shape."""
    parts = shape.values() if isinstance(shape, dict) else shape if isinstance(shape, list | tuple) else None
    return [shape] if parts is None else [leaf for part in parts for leaf in _leaves_of(part)]


def arranged(shape: Any, items: Sequence[Any]) -> Any:
    """The items in the places that a shape numbers."""
    if isinstance(shape, dict):
        return {key: arranged(part, items) for key, part in shape.items()}
    if isinstance(shape, list | tuple):
        parts = [arranged(part, items) for part in shape]
        return parts if isinstance(shape, list) else type(shape)(*parts) if hasattr(shape, "_fields") else tuple(parts)
    return items[shape]
