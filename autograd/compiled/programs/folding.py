"""Instructions that need not be made: what they compute is a constant, or another slot holds it already.

What may be done is said by the rows of the table: operations on constants, neutral numbers, and the laws that
``simplifies`` states. Only what IEEE arithmetic allows stands there, so that no bit changes: never ``x * 0``, ``x - x``
or ``x + 0.0``, which nan, infinity and -0.0 forbid.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from autograd import interpret
from autograd.compiled.programs.instructions import Instructions
from autograd.number_systems import floats
from autograd.primitives import TABLE, Primitive


def value_of(primitive: Primitive, operands: Sequence[float | None]) -> float | None:
    """The value at some numbers; ``None`` where floats refuse to compute it."""
    try:
        return float(interpret.apply(floats, primitive, operands))
    except (ValueError, ArithmeticError):
        return None


def _joins_truths(row: Primitive) -> bool:
    """Whether it is "and" or "or", where its operands are 1.0 and 0.0."""
    if row.arity != 2:
        return False
    values = [value_of(row, pair) for pair in itertools.product((0.0, 1.0), repeat=2)]
    return values in ([0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 1.0])


_NEG = TABLE["neg"]

#: Primitives by whose instructions something is known: what is a truth, or is one if all its operands are; negatives.
TELLING = frozenset([row for row in TABLE.values() if row.compares or row is _NEG or _joins_truths(row)])


class Folding:
    """What is known of slots beforehand, and what follows; the number system that the laws of rows see.

    Its numbers are bare slots, since a law is asked of every instruction that has a constant among its operands.

    Args:
        emit: makes an instruction, folded again.
    """

    def __init__(self, written: Instructions, emit: Callable[[Primitive, tuple[int, ...]], int]) -> None:
        self._emit = emit
        #: Slots that hold 1.0 or 0.0, and the negatives of other slots.
        self.truths: set[int] = set()
        self._negatives: dict[int, int] = {}
        self._constant, self._telling = written.constant, written.telling
        self.known, self.negated, self.is_truth = written.constants.get, self._negatives.get, self.truths.__contains__

    def number(self, x: float) -> int:
        """The slot of a literal."""
        return self._constant(float(x))

    def learn(self, slot: int, primitive: Primitive, operands: tuple[int, ...]) -> None:
        """Take note of a new instruction of one of ``TELLING``."""
        if primitive is _NEG:
            self._negatives[slot] = operands[0]
            self._telling.add(slot)
        elif primitive.compares or self.truths.issuperset(operands):
            self.truths.add(slot)

    def folded(self, primitive: Primitive, operands: tuple[int, ...]) -> int | None:
        """The slot that holds an instruction's number without it, if there is one.

        There is none if the primitive is not idempotent and no operand is telling.
        """
        if primitive.idempotent and operands[-1] == operands[-2]:
            return operands[-1]
        known = list(map(self.known, operands))
        if None not in known:
            number = value_of(primitive, known)
            return None if number is None else self._constant(number)
        if primitive.neutral:
            place = known[0] is None
            number, neutral = known[place], primitive.neutral[place]
            if number == neutral is not None and str(number) == str(neutral):  # not 0.0 for -0.0
                return operands[not place]
        law = primitive.simplifies
        return None if law is None else law(self, *operands)


def _primitive(row: Primitive) -> Callable[..., int]:
    return lambda self, *operands: self._emit(row, operands)


for _row in TABLE.values():
    if not _row.n_ary:
        setattr(Folding, _row.name, _primitive(_row))
