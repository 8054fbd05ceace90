"""Instructions of machine code one after the other, their numbers in registers; kernels for several numbers at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.number_systems.llvm import kernels
from autograd.number_systems.llvm.emitter import Emitter, Register
from autograd.primitives import Primitive


class StraightCode:
    """Instructions one after the other, their numbers in registers.

    Args:
        outside: the number of a slot that no instruction here computes.
        known: called with each slot whose number is known now.
    """

    def __init__(
        self, emitter: Emitter, outside: Callable[[int], Register], known: Callable[[int], None] = lambda slot: None
    ) -> None:
        self._emitter = emitter
        self._outside = outside
        self._known = known
        self._calls = _GatheredCalls(emitter)
        self.registers: dict[int, Register] = {}

    def operand(self, slot: int) -> Register:
        """The number of a slot."""
        if slot not in self.registers:
            if not self._calls.waits(slot):
                return self._outside(slot)
            self._finish(self._calls.wanted(slot))
        return self.registers[slot]

    def number(self, slot: int) -> str:
        """The number of a slot as text, a truth as 1.0 or 0.0."""
        return self._emitter.as_number(self.operand(slot)).text

    def set(self, slot: int, number: Register) -> None:
        """A number that is known."""
        self._finish({slot: number})

    def compute(self, slot: int, primitive: Primitive, operands: Sequence[int]) -> None:
        """An instruction of a primitive."""
        if self._calls.takes(primitive):
            self._finish(self._calls.call(slot, primitive.name, self.operand(operands[0])))
        else:
            self._finish({slot: self._emitter.apply(primitive.name, *[self.operand(o) for o in operands])})

    def end(self) -> None:
        """Make the calls that still wait."""
        self._finish(self._calls.rest())

    def _finish(self, results: dict[int, Register]) -> None:
        self.registers.update(results)
        for slot in results:
            self._known(slot)


class _GatheredCalls:
    """Kernels are called for several numbers at once, whose steps do not wait for each other.

    A call waits until enough of its kind are there, or until somebody wants its result.
    """

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._waiting: dict[str, list[tuple[int, Register]]] = {}

    def takes(self, primitive: Primitive) -> bool:
        """Whether a primitive is a kernel of one number."""
        return primitive.name in kernels.KERNELS and primitive.arity == 1

    def call(self, slot: int, name: str, x: Register) -> dict[int, Register]:
        """The results of this call and of those that waited for it; of none if this one waits now."""
        waiting = self._waiting.setdefault(name, [])
        waiting.append((slot, self._emitter.as_number(x)))
        return self._results(name) if len(waiting) == kernels.together(name) else {}

    def waits(self, slot: int) -> bool:
        """Whether the call of a slot waits."""
        return any(slot == other for calls in self._waiting.values() for other, _ in calls)

    def wanted(self, slot: int) -> dict[int, Register]:
        """The results of a call that waits, and of those that wait with it."""
        return self._results(next(name for name, calls in self._waiting.items() if slot in dict(calls)))

    def rest(self) -> dict[int, Register]:
        """The results of all that wait."""
        return {slot: number for name in list(self._waiting) for slot, number in self._results(name).items()}

    def _results(self, name: str) -> dict[int, Register]:
        """The results of all waiting calls of a kernel, in as few calls of two to some power as they can be."""
        waiting, count = self._waiting.pop(name), kernels.together(name)
        found: dict[int, Register] = {}
        while waiting:
            while len(waiting) < count:
                count //= 2
            slots, numbers = zip(*waiting[:count], strict=True)
            found.update(zip(slots, kernels.call_together(self._emitter, name, numbers), strict=True))
            waiting = waiting[count:]
        return found
