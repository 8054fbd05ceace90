"""A function recorded once: its program, its numbers, and the engine's derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import interpret
from autograd.eager.operands import number_of
from autograd.nesting import take_apart
from autograd.number_systems import floats
from autograd.primitives import Primitive
from autograd.program import flatten
from autograd.value import Value

#: What cannot be computed at a point, as opposed to what is broken. NumPy's warnings are among it where the user has
#: made errors of them.
NO_NUMBER = (ValueError, ArithmeticError, RuntimeWarning)


def has_formula(primitive: Primitive) -> bool:
    """Whether there is a formula of a primitive; a node whose slopes were given with its number has none."""
    return primitive.systems != ()


NOT_CHECKED_APART = (
    "Nodes made with their partials by autograd.node have no formula, so their partials are not checked one by one."
)


class Recorded:
    """The program that computed some outputs from some inputs, with the number of every slot."""

    def __init__(self, leaves: Sequence[Value], outputs: Sequence[Any]) -> None:
        roots = [output for output in outputs if isinstance(output, Value)]
        self.program, self.nodes = flatten(roots, until=frozenset(leaves))
        self.numbers: list[Any] = [number_of(node) for node in self.nodes]
        slot_of = {node: slot for slot, node in enumerate(self.nodes) if isinstance(node, Value)}
        self.inputs = [slot_of.get(leaf, -1) for leaf in leaves]
        self.outputs = [slot_of[output] if isinstance(output, Value) else -1 for output in outputs]

    def gradient(self, output: int) -> list[float]:
        """The engine's derivatives of one output by all inputs.

        Raises:
            DomainError, OverflowError: a slope on the way does not exist or is too large.
        """
        return self._gradient(output, self.inputs)

    def derivative(self, output: int, argument: int) -> float:
        """The engine's derivative by one input: only what lies on the way to it is looked at."""
        return self._gradient(output, [self.inputs[argument]])[0]

    def _gradient(self, output: int, slots: Sequence[int]) -> list[float]:
        root = self.outputs[output]
        if root < 0:
            return [0.0] * len(slots)
        wanted = [slot for slot in slots if slot >= 0]
        found = interpret.pull_back(self.program, self.numbers, {root: 1.0}, floats, wanted)
        return [0.0 if slot < 0 or found[slot] is None else float(found[slot]) for slot in slots]

    def has_formulas(self) -> bool:
        """Whether all of it can be computed at other numbers."""
        return all(map(has_formula, self.program.primitives))

    def kinks(self) -> set[int]:
        """The instructions that stand at a kink, at a jump, or at a comparison of equal numbers."""
        found = set()
        for slot, (primitive, operands) in enumerate(self.program.instructions(), start=self.program.first_instruction):
            numbers = [None if o < 0 else self.numbers[o] for o in operands]
            if at_kink(primitive, numbers):
                found.add(slot)
        return found


def at_kink(primitive: Primitive, numbers: Sequence[Any]) -> bool:
    """Whether a primitive has no derivative at these operands but by convention."""
    if primitive.compares:
        return bool(numbers[0] == numbers[1])
    return not primitive.n_ary and bool(primitive.kinks(*numbers))


def jumps_between(
    primitive: Primitive, slot: int, operands: Sequence[int], before: Sequence[Any], after: Sequence[Any]
) -> bool:
    """Whether an operation's number changes otherwise than its partials say, between two states of a program."""
    moved = [i for i, o in enumerate(operands) if o >= 0 and before[o] != after[o] and has_partial(primitive, i)]
    numbers = [None if o < 0 else before[o] for o in operands]
    slopes = partials_or_nothing(primitive, before[slot], numbers, moved)
    if None in slopes:
        return True
    expected = sum(slope * (after[operands[i]] - before[operands[i]]) for i, slope in zip(moved, slopes, strict=True))
    change = after[slot] - before[slot]
    return bool(abs(change - expected) > max(abs(change), abs(expected)) / 2)


def has_partial(primitive: Primitive, argument: int) -> bool:
    """Whether the row gives a derivative by this argument."""
    return not primitive.compares and (callable(primitive.partials) or primitive.partials[argument] is not None)


def partials_or_nothing(primitive: Primitive, z: Any, numbers: Sequence[Any], wanted: Sequence[int]) -> list[Any]:
    """The partials by the wanted arguments; ``None`` for one that does not exist here."""
    try:
        return interpret.partials(floats, primitive, z, numbers, wanted)
    except NO_NUMBER:
        if primitive.n_ary or len(wanted) == 1:
            return [None] * len(wanted)
        return [partials_or_nothing(primitive, z, numbers, [i])[0] for i in wanted]


def results_of(result: Any, what: str) -> list[Any]:
    """The numbers of what a function returned: Values, floats, anything with one ``item()``."""
    if not isinstance(result, Value) and not hasattr(result, "tolist") and hasattr(result, "item"):
        result = result.item()
    return take_apart(result, what)[0]


def as_float(x: Any) -> float:
    """The number of a Value, or the number itself."""
    return x.data if isinstance(x, Value) else float(x)
