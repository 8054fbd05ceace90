"""How an expression is put together from what was drawn, so that every step has a value wherever the inputs may be.

Each reference has a range, which intervals enclose. A primitive is applied as it is where the ranges of its operands
lie in its domain; elsewhere an operand is led there by a smooth function, a guard, as in log(x² + 1).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from autograd import TABLE, Primitive, interpret
from autograd.number_systems import floats
from autograd.testing import calls_as_code
from autograd.testing.expression import Expression, Step, input_names
from autograd.testing.regions import Bounds, constants_of, intervals, is_condition, is_defined, moving, points_of

#: No step's result is larger, so that nothing overflows.
LARGE = 1e4

#: A reference (an int), or a constant.
Operand = int | float

# A pick is what Hypothesis draws and shrinks: one primitive, and where each operand comes from. Picks say "the last
# result", "the second input", not which slot that is, so that a list of them stays meaningful when some are taken out.

NEXT, INPUT, CONSTANT, AGAIN = range(4)


class Source(NamedTuple):
    """Where one operand comes from: a result that nothing uses yet, an input, a constant, or any result."""

    kind: int
    which: int = 0
    constant: float = 0.0


#: What every source shrinks to.
SIMPLEST = Source(NEXT)


class Pick(NamedTuple):
    """One step to be."""

    row: Primitive
    #: One for each operand. A condition has two sides; the second one's source stands at the end.
    sources: tuple[Source, ...]
    #: The operand that continues from the last result, or begins a branch.
    main: int
    branch: bool = False
    #: What decides a condition, for a row that has one.
    comparison: Primitive | None = None


#: A smooth function that leads all numbers into a smaller range: primitives, and the constant each takes as its second
#: operand.
Guard = tuple[tuple[Primitive, float | None], ...]

_TANH, _SQUARE, _ADD, _MUL = TABLE["tanh"], TABLE["square"], TABLE["add"], TABLE["mul"]

#: The cheaper first; nothing to do is the cheapest.
GUARDS: tuple[Guard, ...] = (
    (),
    ((_TANH, None),),
    ((_SQUARE, None), (_ADD, 1.0)),
    ((_SQUARE, None), (_ADD, 2.0)),
    ((_TANH, None), (_MUL, 0.5)),
    ((_TANH, None), (_MUL, 0.5), (_ADD, 0.5)),
)


@cache
def _through(guard: Guard, bounds: Bounds) -> list[Bounds]:
    """The range of each step of a guard, from that of the operand on, which comes first."""
    ranges = [bounds]
    for row, constant in guard:
        operands = [ranges[-1]] if constant is None else [ranges[-1], (constant, constant)]
        result = calls_as_code.apply(intervals, row, [intervals.number(operand) for operand in operands])
        ranges.append((result.low, result.high))
    return ranges


@cache
def _ways(row: Primitive, size: int) -> list[tuple[Guard, ...]]:
    """Guards for each operand, the cheapest ways first; the operands of a list are all treated alike."""
    free = moving(row, size)
    if len(free) > 2:
        ways = [(guard,) * len(free) for guard in GUARDS]
    else:
        ways = list(itertools.product(GUARDS, repeat=len(free)))
    ways.sort(key=lambda way: sum(len(guard) for guard in way))
    return [tuple(way[free.index(i)] if i in free else GUARDS[0] for i in range(size)) for way in ways]


def range_of(row: Primitive, ranges: Sequence[Bounds]) -> Bounds | None:
    """The range of a primitive over a box; ``None`` where it may have no value or slope, or is too large.

    Intervals enclose it. For a function they cannot follow (a user's, of ``math``), a grid is looked at instead, and
    what it shows is widened by a quarter on both sides.
    """
    if not is_defined(row, ranges):
        return None
    operands = [
        intervals.UNDECIDED if is_condition(row, i) else intervals.number(bounds) for i, bounds in enumerate(ranges)
    ]
    try:
        result = intervals.number(calls_as_code.apply(intervals, row, operands))
        low, high = result.low, result.high
    except (ValueError, ArithmeticError):
        return None
    except (TypeError, AttributeError):
        try:
            values = [interpret.apply(floats, row, point) for point in points_of(ranges, 9)]
        except (ValueError, ArithmeticError):
            return None
        widening = (max(values) - min(values)) / 4
        low, high = min(values) - widening, max(values) + widening
    return (low, high) if low >= -LARGE and high <= LARGE else None


class Building:
    """An expression in the making.

    Until all is known, references 0, 1, … are the inputs, those after them the steps, and -1, -2, … the constants.
    """

    def __init__(self, inputs: int, bounds: Bounds, most: int) -> None:
        self.inputs, self.bounds, self.most = inputs, bounds, most
        self.steps: list[Step] = []
        self.constants: list[float] = []
        self.ranges: list[Bounds] = [bounds] * inputs
        #: Results that nothing uses yet.
        self.open: list[int] = []
        #: Results that may be used again: all but those of comparisons.
        self.numbers: list[int] = []

    def take(self, pick: Pick) -> bool:
        """Add the step that a pick describes; False where it has no value or no room."""
        row = pick.row
        free = list(self.open)
        main = self._main(pick, free)
        chosen = [main if i == pick.main else self._chosen(source, free) for i, source in enumerate(pick.sources)]
        compared: tuple[Operand, ...] = ()
        at = -1
        if pick.comparison is not None:
            at = next(i for i in range(row.arity) if is_condition(row, i))
            compared = (chosen[at], chosen.pop())
            chosen[at] = 0.0
        found = self._way(row, chosen, at)
        if found is None:
            return False
        way, ranges, result = found
        used = {x for x in (*chosen, *compared) if isinstance(x, int)}
        unused = [x for x in self.open if x not in used]
        cost = 1 + bool(compared) + sum(len(g) for g, x in zip(way, chosen, strict=True) if isinstance(x, int))
        if len(self.steps) + cost + len(unused) > self.most:
            return False
        self.open = unused
        operands: list[Operand] = []
        for i, (guard, x, bounds) in enumerate(zip(way, chosen, ranges, strict=True)):
            if i == at and pick.comparison is not None:
                operands.append(self._step(pick.comparison, compared, (0.0, 1.0)))
            else:
                operands.append(self._guarded(guard, x) if isinstance(x, int) else bounds[0])
        self.open.append(self._step(row, operands, result))
        return True

    def fill(self, rows: Sequence[Primitive], least: int) -> None:
        """Add steps of whatever fits until there are so many; then add up what nothing uses."""
        simple = [Pick(row, (SIMPLEST,) * row.arity, 0) for row in rows if not row.n_ary and not constants_of(row)]
        while len(self.steps) + len(self.open) - 1 < least and any(map(self.take, simple)):
            pass
        while len(self.open) > 1:
            second, first = self.open.pop(), self.open.pop()
            (a, b), (c, d) = self.ranges[first], self.ranges[second]
            self.open.append(self._step(_ADD, (first, second), (a + c, b + d)))

    def expression(self) -> Expression:
        """What was built."""
        count = len(self.constants)
        steps = [
            Step(
                row, tuple(o if 0 <= o < self.inputs else o + count if o > 0 else self.inputs - 1 - o for o in operands)
            )
            for row, operands in self.steps
        ]
        return Expression(input_names(self.inputs), tuple(self.constants), tuple(steps), *self.bounds)

    def _main(self, pick: Pick, free: list[int]) -> int:
        room = len(self.steps) + len(self.open) + 2 <= self.most
        return free.pop() if free and not (pick.branch and room) else pick.sources[pick.main].which % self.inputs

    def _chosen(self, source: Source, free: list[int]) -> Operand:
        if source.kind == CONSTANT:
            return source.constant
        if source.kind == AGAIN and self.numbers:
            return self.numbers[-1 - source.which % len(self.numbers)]
        if source.kind == NEXT and free:
            return free.pop()
        return source.which % self.inputs

    def _way(
        self, row: Primitive, chosen: Sequence[Operand], condition: int
    ) -> tuple[tuple[Guard, ...], list[Bounds], Bounds] | None:
        """The cheapest guards with which the operands lie in the domain, the operands' ranges, and the result's."""
        plain = [self.ranges[x] if isinstance(x, int) else (x, x) for x in chosen]
        if condition >= 0:
            plain[condition] = (0.0, 1.0)
        for bounds in (plain, _with_constants_of_the_example(row, plain)):
            for way in _ways(row, len(chosen)):
                ranges = [
                    _through(guard, r)[-1] if isinstance(x, int) else _constant_guarded(guard, r)
                    for guard, r, x in zip(way, bounds, chosen, strict=True)
                ]
                result = range_of(row, ranges)
                if result is not None:
                    return way, ranges, result
        return None

    def _guarded(self, guard: Guard, x: int) -> int:
        ranges = _through(guard, self.ranges[x])
        for (row, constant), bounds in zip(guard, ranges[1:], strict=True):
            x = self._step(row, (x,) if constant is None else (x, constant), bounds)
        return x

    def _step(self, row: Primitive, operands: Sequence[Operand], bounds: Bounds) -> int:
        references = []
        for operand in operands:
            if isinstance(operand, int):
                references.append(operand)
            else:
                self.constants.append(operand)
                references.append(-len(self.constants))
        self.steps.append(Step(row, tuple(references)))
        self.ranges.append(bounds)
        reference = self.inputs + len(self.steps) - 1
        if not row.compares:
            self.numbers.append(reference)
        return reference


def _constant_guarded(guard: Guard, r: Bounds) -> Bounds:
    x = r[0]
    for row, constant in guard:
        x = interpret.apply(floats, row, [x] if constant is None else [x, constant])
    return x, x


def _with_constants_of_the_example(row: Primitive, ranges: list[Bounds]) -> list[Bounds]:
    """The constants that the table's example has, for constants that do not fit together (bounds out of order)."""
    if row.example is None:
        return ranges
    return [(row.example[0][i],) * 2 if i in constants_of(row) else r for i, r in enumerate(ranges)]
