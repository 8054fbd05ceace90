"""Instructions of machine code one after the other, their numbers in registers; kernels for several numbers at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from autograd.compiled.backends.native.twins import Twins
from autograd.number_systems.llvm import kernels
from autograd.number_systems.llvm.emitter import Emitter, Register
from autograd.primitives import Primitive


class StraightCode:
    """Instructions one after the other, their numbers in registers.

    Args:
        outside: the number of a slot that no instruction here computes.
        known: called with each slot whose number is known now.
        twins: the instructions that one kernel computes together.
    """

    def __init__(
        self,
        emitter: Emitter,
        outside: Callable[[int], Register],
        known: Callable[[int], None] = lambda slot: None,
        twins: Mapping[int, Twins] | None = None,
    ) -> None:
        self._emitter = emitter
        self._outside = outside
        self._known = known
        self._twins: Mapping[int, Twins] = twins or {}
        self._calls = _GatheredCalls(emitter)
        self.registers: dict[int, Register] = {}

    def operand(self, slot: int) -> Register:
        """The number of a slot."""
        if slot not in self.registers:
            if self._calls.waits(slot):
                self._finish(self._calls.wanted(slot))
            place = self._calls.stored.get(slot)
            if place is not None:
                self.registers[slot] = self._loaded(place)
            elif slot not in self.registers:
                return self._outside(slot)
        return self.registers[slot]

    def _loaded(self, place: int) -> Register:
        at, kind = self._emitter.name(), self._emitter.number_type
        self._emitter.lines.append(f"{at} = getelementptr {kind}, ptr %twins, i64 {place}")
        return self._emitter.line(f"load {kind}, ptr {at}, align {8 * self._emitter.width}")

    def number(self, slot: int) -> str:
        """The number of a slot as text, a truth as 1.0 or 0.0."""
        return self._emitter.as_number(self.operand(slot)).text

    def set(self, slot: int, number: Register) -> None:
        """A number that is known."""
        self._finish({slot: number})

    def compute(self, slot: int, primitive: Primitive, operands: Sequence[int]) -> None:
        """An instruction of a primitive."""
        twins = self._twins.get(slot)
        if twins is not None:
            if twins.slots[1] not in self._calls.stored and not self._calls.waits(slot):
                self._finish(self._calls.call(twins.slots, twins.names, self.operand(twins.operand)))
        elif self._calls.takes(primitive):
            self._finish(self._calls.call((slot,), (primitive.name,), self.operand(operands[0])))
        else:
            self._finish({slot: self._emitter.apply(primitive.name, *[self.operand(o) for o in operands])})

    def end(self) -> None:
        """Make the calls that still wait."""
        self._finish(self._calls.rest())

    @property
    def entry(self) -> list[str]:
        """The lines for what twins store, at the head of the function."""
        count, emitter = len(self._calls.stored), self._emitter
        return [f"%twins = alloca {emitter.number_type}, i64 {count}, align {8 * emitter.width}"] if count else []

    def _finish(self, results: dict[int, Register | None]) -> None:
        self.registers.update({slot: number for slot, number in results.items() if number is not None})
        for slot in results:
            self._known(slot)


class _GatheredCalls:
    """Kernels are called for several numbers at once, whose steps do not wait for each other.

    A call waits until enough of its kind are there, or until somebody wants its result. Of twins the second result,
    which is wanted later, is stored: in registers it would be moved three times.
    """

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        #: The names of a kernel, or of twins → the slots of the results, and the operand, of each call.
        self._waiting: dict[tuple[str, ...], list[tuple[tuple[int, ...], Register]]] = {}
        #: Where the result of each second twin is stored.
        self.stored: dict[int, int] = {}

    def takes(self, primitive: Primitive) -> bool:
        """Whether a primitive is a kernel of one number."""
        return primitive.name in kernels.KERNELS and primitive.arity == 1

    def call(self, slots: tuple[int, ...], names: tuple[str, ...], x: Register) -> dict[int, Register | None]:
        """The results of this call and of those that waited for it; of none if this one waits now."""
        waiting = self._waiting.setdefault(names, [])
        waiting.append((slots, self._emitter.as_number(x)))
        return self._results(names) if len(waiting) == self._together(names) else {}

    def _together(self, names: tuple[str, ...]) -> int:
        return kernels.together(names[0], self._emitter.width)

    def waits(self, slot: int) -> bool:
        """Whether the call of a slot waits."""
        return any(slot in slots for calls in self._waiting.values() for slots, _ in calls)

    def wanted(self, slot: int) -> dict[int, Register | None]:
        """The results of a call that waits, and of those that wait with it."""
        waits = (names for names, calls in self._waiting.items() if any(slot in slots for slots, _ in calls))
        return self._results(next(waits))

    def rest(self) -> dict[int, Register | None]:
        """The results of all that wait."""
        return {slot: number for names in list(self._waiting) for slot, number in self._results(names).items()}

    def _results(self, names: tuple[str, ...]) -> dict[int, Register | None]:
        """The results of all waiting calls of a kernel, in as few calls of two to some power as they can be."""
        waiting, count = self._waiting.pop(names), self._together(names)
        found: dict[int, Register | None] = {}
        while waiting:
            while len(waiting) < count:
                count //= 2
            slots, numbers = zip(*waiting[:count], strict=True)
            second = ""
            if len(names) > 1:
                second = self._emitter.name()
                kind, begin = self._emitter.number_type, len(self.stored)
                self._emitter.lines.append(f"{second} = getelementptr {kind}, ptr %twins, i64 {begin}")
                self.stored.update((other, begin + i) for i, (_, other) in enumerate(slots))
                found.update(dict.fromkeys(other for _, other in slots))
            firsts = [first for first, *_ in slots]
            found.update(zip(firsts, kernels.call_together(self._emitter, names, numbers, second), strict=True))
            waiting = waiting[count:]
        return found
