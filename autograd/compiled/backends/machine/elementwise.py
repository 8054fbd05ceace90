"""What stands between layers: equal instructions over the numbers of a layer, one by one, as *runs*.

A run is a number of slots in order: the neurons of a layer, or the results of one primitive over other runs, element by
element, with numbers that are the same for the whole run. ``elementwise_loops`` writes each as one loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from autograd.primitives import Primitive

#: Elements from which on a run is worth a loop: fewer are as fast in registers.
LEAST_ELEMENTS = 32


class Run(NamedTuple):
    """The results of a primitive, element by element."""

    primitive: Primitive
    slots: tuple[int, ...]
    #: Per operand the slots of all elements: those of another run, or of shared numbers; or the slot that is the same
    #: for all.
    operands: tuple[tuple[int, ...] | int, ...]


class _Group:
    """A run that is not complete yet: its slots by their places."""

    def __init__(self, primitive: Primitive) -> None:
        self.primitive = primitive
        self.slots: dict[int, int] = {}


def runs_of(
    instructions: Iterable[tuple[int, Primitive, Sequence[int]]],
    layers: Iterable[tuple[int, ...]],
    *,
    is_shared: Callable[[int], bool],
) -> list[Run]:
    """The runs among some instructions, each after those that it reads.

    Args:
        instructions: slot, primitive and operands, in order.
        layers: the neurons of each layer.
        is_shared: whether a number is the same for all samples, and no constant.
    """
    instructions = list(instructions)
    operands = {slot: xs for slot, _, xs in instructions}
    alike = Counter((row, _with_shared(xs, is_shared)) for _, row, xs in instructions)
    #: The run of a slot, as something to tell it by, and the slot's place in it.
    place_of: dict[int, tuple[int, int]] = {}
    for number, neurons in enumerate(layers):
        if len(neurons) >= LEAST_ELEMENTS:
            place_of.update({slot: (-1 - number, place) for place, slot in enumerate(neurons)})
    length = Counter(number for number, _ in place_of.values())
    found: dict[object, list[int]] = {}
    groups: list[_Group] = []
    for slot, row, xs in instructions:
        inside = [place_of[x] for x in xs if x in place_of]
        if inside and len({place for _, place in inside}) == 1:
            place = inside[0][1]
        elif not inside and alike[row, _with_shared(xs, is_shared)] >= LEAST_ELEMENTS and any(map(is_shared, xs)):
            place = -1  # the next one
        else:
            continue
        kind = tuple([None if is_shared(x) else ~place_of[x][0] if x in place_of else (x,) for x in xs])
        known = found.setdefault((row, kind), [])
        if place < 0:
            place = len(groups[known[0]].slots) if known else 0
        number = next((number for number in known if place not in groups[number].slots), len(groups))
        if number == len(groups):
            groups.append(_Group(row))
            known.append(number)
        groups[number].slots[place] = slot
        place_of[slot] = number, place
    runs: list[Run] = []
    for number, group in enumerate(groups):
        run = _complete(group, operands, place_of, length)
        if run is not None:
            runs.append(run)
            length[number] = len(run.slots)
    return runs


def _with_shared(xs: Sequence[int], is_shared: Callable[[int], bool]) -> tuple[int, ...]:
    return tuple([-1 if is_shared(x) else x for x in xs])


def _complete(
    group: _Group,
    operands: Mapping[int, Sequence[int]],
    place_of: Mapping[int, tuple[int, int]],
    length: Mapping[int, int],
) -> Run | None:
    """The run of a group, if it has all elements, and so have the runs that it reads."""
    count = len(group.slots)
    if count < LEAST_ELEMENTS or sorted(group.slots) != list(range(count)):
        return None
    slots = tuple([group.slots[place] for place in range(count)])
    columns: list[tuple[int, ...] | int] = []
    for column in zip(*[operands[slot] for slot in slots], strict=True):
        if column[0] in place_of:
            if length.get(place_of[column[0]][0], 0) != count:
                return None
            columns.append(column)
        else:
            columns.append(column[0] if len(set(column)) == 1 else column)
    return Run(group.primitive, slots, tuple(columns))
