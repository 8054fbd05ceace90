"""Sums of products found among instructions: what native code runs as one ``dot``, or as a neuron of a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple


class Chain(NamedTuple):
    """start + x₁y₁ + x₂y₂ + …, left to right; a start of ``None`` is none."""

    start: int | None
    pairs: list[tuple[int, int]]


def as_chain(operands: Sequence[int]) -> Chain:
    """A ``dot`` as a chain of products."""
    n = len(operands) // 2
    start = operands[-1] if len(operands) % 2 else None
    return Chain(start, list(zip(operands[:n], operands[n : 2 * n], strict=True)))


def chains(
    operands: Mapping[int, Sequence[int]], name: Callable[[int], str], wanted_once: Callable[[int], bool]
) -> tuple[dict[int, Chain], set[int]]:
    """The sums of products that nobody else wants in parts: last instruction → chain; and all the parts.

    Args:
        operands: of each instruction that may be part of one, in order.
        name: the primitive of an instruction; of anything else some other text.
        wanted_once: whether a number is one of these instructions, an operand once, and no output.
    """
    found: dict[int, Chain] = {}
    inside: set[int] = set()
    slots: Iterator[int] = reversed(operands)  # type: ignore[arg-type]  # a dict, or what is like one
    for slot in slots:
        if name(slot) != "add" or slot in inside:
            continue
        factors: list[Sequence[int]] = []
        parts: list[int] = []
        start: int | None = slot
        while start is not None and (start == slot or (name(start) == "add" and wanted_once(start))):
            x, y = operands[start]  # an addition's operands stand in any order
            if name(y) != "mul" or not wanted_once(y):
                x, y = y, x
                if name(y) != "mul" or not wanted_once(y):
                    break
            if start != slot:
                parts.append(start)
            factors.append(operands[y])
            parts.append(y)
            start = x
        if not factors:
            continue
        if start is not None and name(start) == "mul" and wanted_once(start):
            factors.append(operands[start])
            parts.append(start)
            start = None
        found[slot] = Chain(start, [(x, y) for x, y in reversed(factors)])
        inside.update(parts)
    return found, inside
