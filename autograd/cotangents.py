"""Cotangents while they are added up: as they come, or, of some slots, in an order that is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import add
from typing import Any, NamedTuple

from autograd.primitives import Primitive
from autograd.program import Program


class Term(NamedTuple):
    """What an instruction sends; it counts if conditions, as slots, have these truths."""

    slot: int
    under: tuple[tuple[int, bool], ...] = ()


def places_of_terms(terms: Any, instructions: range) -> list[tuple[Any, range]]:
    """The slots in terms that come out of a pickle, with those that they may be.

    Raises:
        TypeError, ValueError, AttributeError: they are no terms.
    """
    every = range(instructions.stop)
    found: list[tuple[Any, range]] = [(terms, every)]
    for slots, asked in [zip(*those, strict=True) for those in terms.values()]:
        found += [(slots, instructions), ([condition for those in asked for condition, _ in those], every)]
    return found


class Sums:
    """The cotangents that are added up once all their terms have been sent.

    Args:
        terms: per slot, in order.
        add: adds two numbers.
        only_if: takes a number, a condition and a truth; gives -0.0 in place of the number where that is not its truth.
    """

    def __init__(
        self,
        terms: Mapping[int, Sequence[Term]],
        add: Callable[[Any, Any], Any],
        only_if: Callable[[Any, int, bool], Any],
    ) -> None:
        self._terms, self._add, self._only_if = terms, add, only_if
        #: Per slot that waits, what came from which instruction.
        self.sent: dict[int, dict[int, list[Any]]] = {slot: {} for slot in terms}

    def put_together(self, slot: int, total: Any) -> Any:
        """The cotangent of a slot that waits no longer, on top of what was there before."""
        sent = self.sent.pop(slot)
        for sender, under in self._terms[slot]:
            for product in sent.get(sender, ()):
                for condition, truth in under:
                    product = self._only_if(product, condition, truth)
                total = product if total is None else self._add(total, product)
        return total


#: In place of the cotangent of a loop, which is that of its parts.
_OF_PARTS = object()


class Cotangents:
    """The cotangents of a program in any number system, ``None`` where nothing flowed.

    Args:
        numbers: of its slots.
        seeds: slot → cotangent.
        terms: those of the slots that are to wait for them.
        live: the lanes of the seeds, where these are not all.
    """

    def __init__(
        self,
        m: Any,
        numbers: Sequence[Any],
        seeds: Mapping[int, Any],
        terms: Mapping[int, Sequence[Term]],
        live: Mapping[int, Any] | None = None,
    ) -> None:
        self.m, self.numbers, self._has_lanes = m, numbers, m.LANES
        #: Per slot, but for what waits.
        self.found: list[Any] = [None] * len(numbers)
        for slot, seed in seeds.items():
            self.found[slot] = seed
        self._waiting: dict[int, dict[int, list[Any]]] = {}
        if terms:
            self._sums = Sums(terms, add, self._only_if)
            self._waiting = self._sums.sent
        #: Of many lanes: where a slot lies on the way that is taken, if not in all lanes.
        self._live: dict[int, Any] = dict(live or {})
        #: Per loop, what flows to, or moves, the numbers that come out of it.
        self._parts: dict[int, dict[int, Any]] = {}

    def _only_if(self, product: Any, condition: int, truth: bool) -> Any:
        return self.m.where(self.numbers[condition], *((product, -0.0) if truth else (-0.0, product)))

    def flowing(self, slot: int) -> Any:
        """The cotangent of a slot and the lanes in which there is one; ``None`` where nothing flows."""
        found = self.of(slot)
        return None if found is None else (found, self._live.get(slot))

    def of(self, slot: int) -> Any:
        """The cotangent of a slot to which all has been sent."""
        if slot in self._waiting:
            self.found[slot] = self._sums.put_together(slot, self.found[slot])
        return self.found[slot]

    def send(self, slot: int, operand: int, product: Any, flowing: Any) -> None:
        """Add what an instruction sends to an operand; ``flowing`` are the lanes in which it does, if not all."""
        found = self.found
        so_far = found[operand]
        if self._has_lanes:
            is_first = so_far is None and operand not in self._live
            product = self._where_it_flows(slot, operand, product, flowing, is_first=is_first)
        if operand in self._waiting:
            self._waiting[operand].setdefault(slot, []).append(product)
        else:
            found[operand] = product if so_far is None else so_far + product

    def _where_it_flows(self, slot: int, operand: int, product: Any, flowing: Any, *, is_first: bool) -> Any:
        """The product in the lanes in which it is sent; what is added in the others is neutral, though 0 · nan might
        flow there."""
        m, here = self.m, self._live.get(slot)
        here = flowing if here is None or here is flowing else here if flowing is None else m.minimum(here, flowing)
        there = here if is_first else self._live.get(operand)
        if there is not here:
            there = None if here is None or there is None else m.maximum(here, there)
        self._live[operand] = there
        return product if here is None else m.where(here, product, -0.0)

    def all(self, wanted: Iterable[int]) -> list[Any]:
        """Those of all slots, in the end; those that are wanted are 0.0 where nothing flowed."""
        for slot in [*self._waiting]:
            self.of(slot)
        if self._has_lanes:
            for slot in {*wanted}:
                if self._live.get(slot) is not None:
                    self.found[slot] = self.m.where(self._live[slot], self.found[slot], 0.0)
        return self.found

    def sent_by_loop(self, slot: int, primitive: Primitive, operands: Sequence[int], arguments: Sequence[int]) -> bool:
        """Send what a recorded loop sends, or keep for it what flows to a number that comes out; whether it is one."""
        if not primitive.is_loop:
            return False
        if primitive.n_ary:
            inputs = [self.numbers[o] for o in operands]
            for i, product, flowing in primitive.formula.pulled_back(self.m, inputs, self._parts[slot], arguments):
                self.send(slot, operands[i], product, flowing)
        else:
            loop, which = operands
            self.found[loop] = _OF_PARTS
            self._parts.setdefault(loop, {})[int(self.numbers[which])] = self.flowing(slot)
        return True

    def moved_by_loop(self, slot: int, primitive: Primitive, operands: Sequence[int]) -> bool:
        """Move what comes out of a recorded loop, or one of those numbers; whether it is one."""
        if not primitive.is_loop:
            return False
        if primitive.n_ary:
            inputs = [self.numbers[o] for o in operands]
            found = primitive.formula.pushed_forward(self.m, inputs, [self.flowing(o) for o in operands])
            self._parts[slot] = {which: x for which, x in enumerate(found) if x is not None}
        else:
            loop, which = operands
            moved = self._parts.get(loop, {}).get(int(self.numbers[which]))
            if moved is not None:
                self.send(loop, slot, *moved)
        return True


def depending_on(program: Program, slots: Iterable[int]) -> bytearray:
    """1 for each slot whose number depends on one of these slots, those included."""
    depends = bytearray(program.first_instruction + len(program))
    for slot in slots:
        depends[slot] = 1
    for slot, (_, operands) in enumerate(program.instructions(), start=program.first_instruction):
        if not depends[slot]:
            depends[slot] = any(o >= 0 and depends[o] for o in operands)
    return depends
