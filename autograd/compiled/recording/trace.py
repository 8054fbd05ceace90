"""A trace: what was recorded of one run of a function, and how its result nests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd.compiled.recording.guards import Guard
from autograd.cotangents import Term
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


def arranged(shape: Any, items: Sequence[Any]) -> Any:
    """The items in the places that a shape numbers."""
    if isinstance(shape, dict):
        return {key: arranged(part, items) for key, part in shape.items()}
    if isinstance(shape, list | tuple):
        parts = [arranged(part, items) for part in shape]
        return parts if isinstance(shape, list) else type(shape)(*parts) if hasattr(shape, "_fields") else tuple(parts)
    return items[shape]
