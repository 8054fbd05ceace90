"""How what is known at a result travels back to every operation that it was computed from, along their slopes.

Both analyses of rounding are this one walk, each in weights of its own: the bound sends enclosures of derivatives, the
estimate sizes of derivatives with how far these may be off. What an operation lost counts at the result as much as the
weight that arrived there says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, Self, TypeVar

from autograd.program import Program


class Weight(Protocol):
    """What arrives at a slot: how much the result changes with it."""

    def through(self, slope: Any) -> Self | None:
        """What goes on to an operand, along a slope; ``None`` where the slope lets nothing through."""

    def plus(self, other: Self) -> Self:
        """What two ways bring together."""


W = TypeVar("W", bound=Weight)


def weights(
    program: Program, output: int, weight: W, slopes: Callable[[int], Iterable[tuple[int, Any]]]
) -> list[W | None]:
    """What arrives at every slot when a weight is sent back from the output; ``None`` where nothing does.

    Args:
        slopes: instruction → slot and slope of each operand; asked only where something arrived.
    """
    first = program.first_instruction
    arrived: list[W | None] = [None] * (first + len(program))
    arrived[output] = weight
    for slot in range(len(arrived) - 1, first - 1, -1):
        here = arrived[slot]
        if here is None:
            continue
        for operand, slope in slopes(slot):
            brought = here.through(slope)
            if brought is not None:
                before = arrived[operand]
                arrived[operand] = brought if before is None else before.plus(brought)
    return arrived
