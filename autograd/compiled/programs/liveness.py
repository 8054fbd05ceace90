"""Where a program that runs backward is *live*: the condition under which the cotangent of a number is used.

In a batch both branches of a ``where`` are computed, so what flows back from the branch that a sample did not take must
be kept out, be it ``0 * nan``. The same holds of every partial that its rule gives as a literal 0, that of ``relu``
below zero: but a factor of 0.0 keeps it out as well unless it meets an infinity or nan, and costs nothing. So these are
left to *careful* programs, which are run where the result of another is nan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from autograd.compiled.programs.building import Builder
from autograd.lanes import InLanes, has_slopes_outside
from autograd.loops.recorder import PART, Body
from autograd.primitives import TABLE, Primitive
from autograd.program import Program
from autograd.rules import is_nothing

_WHERE, _MINIMUM, _MAXIMUM, _SUB = TABLE["where"], TABLE["minimum"], TABLE["maximum"], TABLE["sub"]
_SLOPES_OF_ONE = frozenset((TABLE["add"], _SUB, TABLE["neg"]))


class Liveness:
    """The conditions, as slots of a builder, which hold 1.0 or 0.0 for each sample; ``None`` stands for *always*.

    What is wanted is used always: where nothing flowed, it is zero.

    Args:
        places: the builder's slot of each of the program's slots.
        order: the program's instructions, as slots, parents first.
        seeds: the slots whose cotangents are given.
        depends: per slot, whether it depends on something that is wanted.
        wanted: the slots whose cotangents are asked for.
        lanes: a seed → the condition under which it is given, where that is not always.
        tracks_inputs: find out when something flows to the program's inputs, in ``reaching``.
        careful: keep out what flows through any partial that is a literal 0.
    """

    def __init__(
        self,
        builder: Builder,
        program: Program,
        places: Sequence[int],
        order: Sequence[int],
        seeds: Collection[int],
        depends: bytearray,
        wanted: Collection[int],
        lanes: Mapping[int, int],
        *,
        tracks_inputs: bool,
        careful: bool,
    ) -> None:
        self._builder = builder
        self._program = program
        self._places = places
        self._order = order
        self._seeds = seeds
        self._depends = depends
        self._wanted = wanted
        self._lanes = lanes
        self._tracks_inputs = tracks_inputs
        #: The slot of a loop that was gone through → the arguments of it that something flows to → when it does.
        self._through: dict[int, Mapping[int, int | None]] = {}
        #: Per slot, the condition under which its cotangent is used.
        self.conditions: list[int | None] = [None] * len(places)
        #: An input that something flows to → the condition under which it does.
        self.reaching: dict[int, int | None] = {}
        #: Whether something may have to be kept out.
        self.has_choices = bool(lanes) or _WHERE in program.primitives
        #: The arguments of primitives through which something flows here and there, and those through which nothing
        #: ever does.
        self._partly: dict[Primitive, frozenset[int]] = {}
        self._never: dict[Primitive, frozenset[int]] = {}
        for row in program.primitives:
            partly, self._never[row] = arguments_where_nothing_flows(row)
            self._partly[row] = partly if careful or row is _WHERE else frozenset()
            self.has_choices = self.has_choices or bool(self._partly[row])
        if self.has_choices:
            self._find()

    def gone_through(self, loop: int, conditions: Mapping[int, int | None]) -> None:
        """Learn when something flows to which arguments of a loop; what feeds it is live where the loop says."""
        self._through[loop] = conditions
        self.has_choices = True
        self._find()

    def flowing(self, slot: int, primitive: Primitive, operands: Sequence[int], argument: int) -> int | None:
        """The condition under which something flows from an instruction to an argument of it; a loop keeps out by
        itself what does not flow there."""
        here = self.conditions[slot]
        if argument not in self._partly[primitive]:
            return here
        if primitive is _WHERE:
            return self._both(here, self._taken(self._places[operands[0]], argument))
        return self._both(here, self._flows_through(slot, primitive, operands, argument))

    def _find(self) -> None:
        """Follow what flows from the last instruction to the first."""
        program, lanes, depends = self._program, self._lanes, self._depends
        first, starts = program.first_instruction, program.starts
        live = self.conditions = [None] * len(self._places)
        self.reaching = {slot: lanes.get(slot) for slot in self._seeds if slot < first}
        reached, always = bytearray(len(live)), bytearray(len(live))
        for slot in self._seeds:
            reached[slot], always[slot] = 1, slot not in lanes
            live[slot] = lanes.get(slot) if slot >= first else None
        for slot in self._wanted:
            always[slot] = 1
        for slot in reversed(self._order):
            if not reached[slot]:
                continue
            i = slot - first
            primitive = program.primitives[program.opcodes[i]]
            through = self._through.get(slot)
            operands: Sequence[int] = program.operands[starts[i] : starts[i + 1]]
            if through is None and primitive.n_ary and not self._tracks_inputs:
                operands = [o for o in operands if o >= first]  # without the weights, of which there may be a thousand
            for argument, operand in enumerate(operands):
                if operand < first and (operand < 0 or not self._tracks_inputs):
                    continue  # there is nothing, or what is wanted
                if not depends[operand] or (through is not None and argument not in through):
                    continue  # nothing flows to it
                if argument in self._never[primitive]:
                    continue
                if always[operand] and operand >= first:
                    reached[operand] = 1
                    continue
                here = self.flowing(slot, primitive, operands, argument)
                if through is not None:
                    here = self._both(here, through[argument])
                if operand < first:
                    known = self.reaching
                    known[operand] = self._either(known[operand], here) if operand in known else here
                    continue
                if here is None:
                    always[operand], live[operand] = 1, None
                elif not reached[operand]:
                    live[operand] = here
                else:
                    live[operand] = self._either(live[operand], here)
                reached[operand] = 1

    def _taken(self, condition: int, argument: int) -> int | None:
        """The condition under which ``where`` takes an argument."""
        taken = self._builder.slot(condition)
        if argument == 2:
            taken = 1 - taken
        known = self._builder.constants.get(taken.index)
        return None if known == 1.0 else taken.index

    def _flows_through(self, slot: int, primitive: Primitive, operands: Sequence[int], argument: int) -> int | None:
        """The condition under which the partial by an argument is more than a literal 0."""
        builder, places = self._builder, self._places
        m = InLanes(builder.m)
        rule = primitive.rule(argument, m, ())
        assert rule is not None
        partial = rule(m, builder.slot(places[slot]), *[builder.slot(places[o]) for o in operands])
        lanes = m.flowing(partial)
        if lanes is None:  # the rule's choice is decided already: by operands that are constants
            return None
        flowing = builder.number(lanes).index
        return None if builder.constants.get(flowing) == 1.0 else flowing

    def _both(self, x: int | None, y: int | None) -> int | None:
        if x is None or y is None:
            return y if x is None else x
        return self._builder.emit(_MINIMUM, (x, y))

    def _either(self, x: int | None, y: int | None) -> int | None:
        if x is None or y is None or self._is_other(x, y):
            return None
        primitives, operands = self._builder.primitives, self._builder.operands
        if primitives[x] is primitives[y] is _MINIMUM:
            (before, taken), (as_before, other) = operands[x], operands[y]
            if before == as_before and self._is_other(taken, other):  # both branches of one choice
                return before
        return self._builder.emit(_MAXIMUM, (x, y))

    def _is_other(self, x: int, y: int) -> bool:
        """Whether one of two conditions is 1 minus the other."""
        primitives, operands, one = self._builder.primitives, self._builder.operands, self._builder.constant(1.0)
        return any(primitives[b] is _SUB and operands[b] == (one, a) for a, b in ((x, y), (y, x)))


def needs_care(program: Program, *, forward: bool) -> bool:
    """Whether derivatives of a program may come out otherwise than those of a careful one: nan, or a number beside a
    value that is nan.

    Args:
        forward: whether tangents take part, which are careful of a branch not taken, and of a tangent of zero that
            meets an infinite slope or number, only where all is: so of every row but those whose slopes are ±1.
    """
    return any(
        needs_care(row.formula.program, forward=forward)
        if isinstance(row.formula, Body)
        else row not in _SLOPES_OF_ONE
        if forward
        else row is not _WHERE and (bool(arguments_where_nothing_flows(row)[0]) or has_slopes_outside(row))
        for row in program.primitives
    )


def arguments_where_nothing_flows(row: Primitive) -> tuple[frozenset[int], frozenset[int]]:
    """The arguments of a primitive through which nothing flows at some operands, and those through which nothing ever
    flows.

    >>> arguments_where_nothing_flows(TABLE["where"])
    (frozenset({1, 2}), frozenset({0}))
    """
    return _of_a_row(row) if row.built_in else _found_out(row)  # users' rows are not held for ever


@lru_cache(None)
def _of_a_row(row: Primitive) -> tuple[frozenset[int], frozenset[int]]:
    return _found_out(row)


def _found_out(row: Primitive) -> tuple[frozenset[int], frozenset[int]]:
    rules = row.partials
    if callable(rules) or row is PART or isinstance(row.formula, Body):
        return frozenset(), frozenset()
    partly, never = set(), set()
    for argument, rule in enumerate(rules):
        builder = Builder(len(rules) + 1)
        z, *xs = [builder.slot(i) for i in range(builder.inputs)]
        m = InLanes(builder.m)
        partial = 0 if rule is None else rule(m, z, *xs)
        if is_nothing(partial):
            never.add(argument)
        elif m.flowing(partial) is not None:
            partly.add(argument)
    return frozenset(partly), frozenset(never)
