"""In which order cotangents are added up where that depends on the ways that choices go.

A branch of ``where`` that is a function is called only if it is taken, so ``backward()`` walks a graph without the
other one, while a recorded program has both. So the walk is made once for each way that these choices can go. What
sends cotangents to a number is put into one order that is right for all ways; where there is none, a term stands in
several places, in each of which it counts under a condition.

Into a *block* and out of it there is no way but through its last instruction, leaves aside. So it is walked in an order
that depends on its own choices alone, and a block within it is one step of its walk.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import combinations, islice, pairwise
from typing import Any, NamedTuple

from autograd.cotangents import Term
from autograd.eager.unrolled import as_stored
from autograd.primitives import TABLE
from autograd.program import Program

_WHERE, _DOT, _DETACH = TABLE["where"], TABLE["dot"], TABLE["detach"]

#: Steps that all walks together may take; so many walks each block gets, however long they are.
MOST_STEPS, FEWEST_WALKS = 1 << 18, 8


def terms_of(
    program: Program, nodes: Sequence[Any], order: Sequence[int], roots: Sequence[int]
) -> dict[int, list[Term]]:
    """The terms of each slot's cotangent, first one first, but of those that are right as an adjoint meets them.

    Args:
        nodes: one per slot; those of ``where`` know which of their branches were functions.
        order: the instructions that the adjoint visits, as slots, parents first; if empty, all, in the program's order.
        roots: where the walk begins, one after the other: that of ``backward()``, or, for the program's order, that of
            ``flatten``.
    """
    if _WHERE not in program.primitives:
        return {}
    slots = order or range(program.first_instruction, len(nodes))
    recorded = [slot for slot in slots if nodes[slot].primitive is _WHERE and hasattr(nodes[slot], "_which")]
    if not recorded:
        return {}
    walked = operands = {slot: _flowing(program, slot) for slot in slots}
    choices = _choices(program, nodes, {slot: operands[slot] for slot in recorded}, in_order=not order)
    if not order:
        walked = {slot: [o for o in program.instruction(slot)[1][::-1] if o >= 0] for slot in slots}
    operands[len(nodes)] = walked[len(nodes)] = [*reversed(roots)]  # a last one over all roots
    choices = _that_matter(walked, choices)
    if not choices:
        return {}
    blocks = _Blocks(walked, choices)
    found = {slot: blocks.terms(slot, senders) for slot, senders in _senders(operands).items()}
    return {slot: terms for slot, terms in found.items() if terms}


class _Choice(NamedTuple):
    """A ``where`` that got a branch as a function: its condition, the truth of now, and the branches that are walked if
    it is false and if it is true."""

    condition: int
    now: bool
    sides: list[list[int]]


def _flowing(program: Program, slot: int) -> list[int]:
    """The operands of an instruction that are numbers and no constants, in the order in which its node holds them."""
    primitive, operands = program.instruction(slot)
    held: Sequence[int] = operands
    if primitive is _DETACH:
        return []
    if primitive is _WHERE:
        held = operands[1:]
    elif primitive is _DOT:
        x, y = as_stored(primitive, operands)
        held = (*x, *(y or ()))
    first, inputs = program.first_instruction, program.inputs
    return [o for o in held if o >= first or 0 <= o < inputs]


def _choices(
    program: Program, nodes: Sequence[Any], operands: Mapping[int, Sequence[int]], *, in_order: bool
) -> dict[int, _Choice]:
    """Those that got branches as functions; ``in_order`` of a program, conditions are walked too, and first."""
    found: dict[int, _Choice] = {}
    same: dict[Any, int] = {}
    for slot, flowing in operands.items():
        functions, (at, *branches) = nodes[slot]._which, program.instruction(slot)[1]
        asked = nodes[at]
        compared = [side.hex() if side.__class__ is float else id(side) for side in asked.parents]
        sides = [
            [o for i, o in enumerate(branches) if o in flowing and (i == taken or not functions[i])] for taken in (1, 0)
        ]
        sides = [[*side[::-1], at] for side in sides] if in_order else sides
        found[slot] = _Choice(same.setdefault((asked.primitive, *compared), at), asked._outcome, sides)
    return found


def _that_matter(operands: Mapping[int, Sequence[int]], choices: Mapping[int, _Choice]) -> dict[int, _Choice]:
    """The choices on which more depends than the way to one number that all branches lead to, and nothing else leads
    into."""
    user: dict[int, int] = {}
    for slot, those in operands.items():
        for o in those:
            user[o] = slot if user.get(o, slot) == slot else -1
    matter: dict[int, _Choice] = {}
    #: Where the walk from an instruction goes on, behind what is walked through nothing else; or the instruction.
    behind: dict[int, set[int]] = {}

    def found_behind(slot: int, those: Sequence[int]) -> set[int]:
        return {end for o in those if o in behind for end in (behind[o] if user[o] == slot else (o,))}

    for slot, those in operands.items():
        ends = found_behind(slot, those)
        if slot in choices:
            if_false, if_true = [found_behind(slot, side) for side in choices[slot].sides]
            if if_false != if_true:
                matter[slot] = choices[slot]
        behind[slot] = {slot} if slot in matter or len(ends) > 1 else ends
    return matter


def _senders(operands: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    """Each slot that three cotangents or more may be sent to, and where they come from: of two it makes no difference
    which is first."""
    found: dict[int, list[int]] = {}
    for slot, those in operands.items():
        for o in those:
            found.setdefault(o, []).append(slot)
    return {o: [*dict.fromkeys(those)] for o, those in found.items() if len(those) > 2}


class _Block:
    """Instructions that lie between two places of the order."""

    def __init__(self, begin: int, end: int, choices: dict[int, _Choice]) -> None:
        self.begin, self.end = begin, end
        #: Those that matter, but for those of blocks within.
        self.choices = choices
        now = {choice.condition: choice.now for choice in choices.values()}
        self.conditions, self._now = [*now], sum(truth << i for i, truth in enumerate(now.values()))
        #: The smallest block around it.
        self.around: _Block | None = None
        #: Per way, a number whose bits are the truths of the conditions, the place of each instruction that is visited.
        self.walks: dict[int, dict[int, int]] = {}

    def ways(self, most: int) -> Iterator[int]:
        """All ways, or, if these are too many, those that are nearest to that of now."""
        bits = [1 << i for i in range(len(self.conditions))]
        near = (sum(turned) for few in range(len(bits) + 1) for turned in combinations(bits, few))
        return (self._now ^ turned for turned in islice(near, most))

    def side(self, slot: int, way: int) -> list[int]:
        """The branches of a choice on this way."""
        choice = self.choices[slot]
        return choice.sides[way >> self.conditions.index(choice.condition) & 1]


class _Unit(NamedTuple):
    """Terms that stay together in what follows, last one first, so that what is visited earlier is put behind."""

    #: The instruction that sends them, or the last one of its block.
    slot: int
    place: int
    terms: list[Term]


class _Blocks:
    """The blocks in which choices matter, and the walks over each.

    Args:
        operands: of each instruction, parents first; the last one is over all roots.
    """

    def __init__(self, operands: Mapping[int, list[int]], choices: Mapping[int, _Choice]) -> None:
        self._operands = operands
        self._order = [*operands]
        self._place = {slot: place for place, slot in enumerate(operands)}
        self._most_walks = max(FEWEST_WALKS, MOST_STEPS // len(operands))
        blocks = {block.end: block for block in self._found(choices)}
        self._ends = {self._order[end] for end in blocks}
        #: For each place, the smallest block around it.
        self._around: list[_Block | None] = [None] * len(operands)
        block: _Block | None = None
        for place in reversed(range(len(operands))):
            while block is not None and block.begin > place:
                block = block.around
            if place in blocks:
                blocks[place].around, block = block, blocks[place]
            self._around[place] = block

    def _found(self, choices: Mapping[int, _Choice]) -> Iterator[_Block]:
        last_use = [0] * len(self._order)
        for end, those in enumerate(self._operands.values()):
            for o in those:
                last_use[self._place.get(o, end)] = end
        lowest: list[int] = []
        #: What lies side by side so far: where it begins, and its last use.
        runs: list[tuple[int, int]] = []
        waiting: list[int] = []
        for end, slot in enumerate(self._order):
            begin = min([lowest[self._place[o]] for o in self._operands[slot] if o in self._place], default=end)
            lowest.append(begin)
            waiting += [end] if slot in choices else []
            start, used_until = end, 0
            while start > begin:
                start, used = runs.pop()
                used_until = max(used_until, used)
            runs.append((start, max(used_until, last_use[end])))
            if start == begin and used_until <= end and waiting and waiting[-1] >= begin:
                mine = [self._order[place] for place in waiting if place >= begin]
                del waiting[-len(mine) :]
                yield _Block(begin, end, {choice: choices[choice] for choice in mine})

    def terms(self, operand: int, senders: Sequence[int]) -> list[Term]:
        """The terms of a slot's cotangent; none, if they are right as an adjoint meets them.

        Args:
            senders: the instructions that send something there, parents first.
        """
        units: list[_Unit] = []
        is_met_so = True
        for slot, following in zip(senders, [*senders[1:], None], strict=True):
            place = self._place[slot]
            units.append(_Unit(slot, place, [Term(slot)]))
            block = self._around[place]
            while block is not None and (following is None or block.end < self._place[following]):
                begin = len(units)
                while begin and units[begin - 1].place >= block.begin:
                    begin -= 1
                within = units[begin:]
                del units[begin:]
                terms = self._settled(block, operand, within) if len(within) > 1 else None
                is_met_so = is_met_so and terms is None
                if terms is None:
                    terms = within[0].terms
                    for unit in within[1:]:
                        terms.extend(unit.terms)
                units.append(_Unit(self._order[block.end], within[0].place, terms))
                block = block.around
        return [] if is_met_so else [term for unit in reversed(units) for term in reversed(unit.terms)]

    def _settled(self, block: _Block, operand: int, within: Sequence[_Unit]) -> list[Term] | None:
        """The terms of units of one block, last one first; none, if they are right as they are met."""
        if not block.walks:
            block.walks = {way: self._walk(block, way) for way in block.ways(self._most_walks)}
        units = {unit.slot: unit for unit in reversed(within)}
        found: dict[int, list[int]] = {}
        is_met_so = True
        for way, place in block.walks.items():
            there = [slot for slot in units if slot in place]
            there = [slot for slot in there if slot not in block.choices or operand in block.side(slot, way)]
            found[way] = sorted(there, key=place.__getitem__)
            is_met_so = is_met_so and found[way] == there
        if is_met_so:
            return None
        weights = {slot: len(unit.terms) for slot, unit in units.items()}
        return [
            Term(term.slot, under + term.under)
            for slot, under in reversed(_arranged([*units], found, block.conditions, weights))
            for term in units[slot].terms
        ]

    def _walk(self, block: _Block, way: int) -> dict[int, int]:
        """The instructions of a block that are visited on one way, each with its place: the first is visited first."""
        end = self._order[block.end]
        place: dict[int, int] = {}
        entered: set[int] = set()
        stack = [end]
        while stack:
            slot = stack.pop()
            if slot < 0:
                place[~slot] = -len(place)
            elif slot not in entered and slot in self._place:
                entered.add(slot)
                stack.append(~slot)
                if slot == end or slot not in self._ends:
                    stack += block.side(slot, way) if slot in block.choices else self._operands[slot]
        return place


def _arranged(
    slots: Sequence[int], found: Mapping[int, Sequence[int]], conditions: Sequence[int], weights: Mapping[int, int]
) -> list[Term]:
    """Terms that are right for all ways.

    Args:
        slots: in the order that is best where all are equally right.
        found: way → those of them that are there, in order.
        weights: what it costs to have them twice.
    """
    place = {slot: i for i, slot in enumerate(slots)}
    last = [*range(len(slots))]
    for a, b in {pair for those in found.values() for pair in pairwise(those)}:
        last[place[b]] = max(last[place[b]], place[a])
    arranged: list[Term] = []
    begin = end = 0
    for i in range(len(slots)):
        end = max(end, last[i])
        if i == end:  # none from here on comes before those
            arranged += _of_those_that_mix(slots[begin : i + 1], found, conditions, weights)
            begin = end = i + 1
    return arranged


def _of_those_that_mix(
    slots: Sequence[int], found: Mapping[int, Sequence[int]], conditions: Sequence[int], weights: Mapping[int, int]
) -> list[Term]:
    mine = set(slots)
    ways = {way: tuple([slot for slot in those if slot in mine]) for way, those in found.items()}

    def halves(bit: int) -> list[dict[int, tuple[int, ...]]]:
        return [{way: those for way, those in ways.items() if way >> bit & 1 == truth} for truth in (0, 1)]

    def orders(bit: int) -> int:
        if_false, if_true = [{*half.values()} for half in halves(bit)]
        return len(if_true) + len(if_false) if if_true and if_false else 2 * len(ways)

    decided: list[tuple[int, bool, list[Term]]] = []
    while len(one := _in_one_order(slots, {pair for those in ways.values() for pair in pairwise(those)})) < len(slots):
        bit = min(range(len(conditions)), key=orders)
        if_false, if_true = halves(bit)
        truth = len(if_true) <= len(if_false)
        fewer, ways = (if_true, if_false) if truth else (if_false, if_true)
        decided.append((conditions[bit], truth, _arranged(slots, fewer, conditions, weights)))
    terms = [*map(Term, one)]
    for condition, truth, those in reversed(decided):
        terms = _merged(those, terms, (condition, truth), weights)
    return terms


def _merged(x: list[Term], y: list[Term], case: tuple[int, bool], weights: Mapping[int, int]) -> list[Term]:
    """Terms that are those of ``x`` in a case, a condition and its truth, and those of ``y`` otherwise; of what both
    have, the weightiest is there once."""
    at = {term: j for j, term in enumerate(y)}
    once: list[tuple[int, int]] = []
    for i, term in sorted(enumerate(x), key=lambda pair: -weights[pair[1].slot]):
        j = at.get(term, -1)
        k = bisect(once, (i, j))
        if j >= 0 and (k == 0 or once[k - 1][1] < j) and (k == len(once) or j < once[k][1]):
            once.insert(k, (i, j))
    condition, truth = case
    merged: list[Term] = []
    begin_x = begin_y = 0
    for i, j in [*once, (len(x), len(y))]:
        merged += [Term(slot, ((condition, truth), *under)) for slot, under in x[begin_x:i]]
        merged += [Term(slot, ((condition, not truth), *under)) for slot, under in y[begin_y:j]]
        merged += x[i : i + 1]
        begin_x, begin_y = i + 1, j + 1
    return merged


def _in_one_order(slots: Sequence[int], pairs: set[tuple[int, int]]) -> list[int]:
    """The slots with the first of each pair before the second, otherwise as they are; too few, if there is no such
    order."""
    place = {slot: i for i, slot in enumerate(slots)}
    after: dict[int, list[int]] = {slot: [] for slot in slots}
    waits_for = dict.fromkeys(slots, 0)
    for a, b in pairs:
        after[a].append(b)
        waits_for[b] += 1
    ready = [place[slot] for slot in slots if not waits_for[slot]]
    order: list[int] = []
    while ready:
        slot = slots[heappop(ready)]
        order.append(slot)
        for b in after[slot]:
            waits_for[b] -= 1
            if not waits_for[b]:
                heappush(ready, place[b])
    return order
