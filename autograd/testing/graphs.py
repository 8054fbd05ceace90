"""``expressions``: random formulas with shared parts, defined wherever their inputs may be.

A primitive is applied as it is where its operands certainly lie in its domain, judged by the range of each operand;
elsewhere the operand is led there by a smooth function, as in log(x² + 1). So nothing that is drawn has to be rejected,
and a formula stays valid while it shrinks.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from autograd import TABLE, Primitive, interpret
from autograd.number_systems import floats, intervals
from autograd.primitives import nowhere
from autograd.testing import code
from autograd.testing.expression import Expression, Step, input_names
from autograd.testing.numbers import check_bounds, check_sizes, least_size, sides
from autograd.testing.regions import (
    Bounds,
    constants_of,
    is_condition,
    is_defined,
    moving,
    points_of,
    row_of,
)

_COMPARISONS = tuple(row for row in TABLE.values() if row.compares)


def _takes_condition(row: Primitive) -> bool:
    return not row.n_ary and any(is_condition(row, i) for i in range(row.arity))


def _has_derivative(row: Primitive) -> bool:
    return callable(row.partials) or any(rule is not None for rule in row.partials)


def _jumps(row: Primitive) -> bool:
    """Whether the row has another value beside one of its kinks: a step, or a cut."""
    near = 1e-9
    numbers = [(-1.5, -1.0, 0.0, 1.0, 1.5)] * row.arity
    for point in itertools.product(*numbers):
        if not row.domain(*point) or not row.kinks(*point):
            continue
        for signs in itertools.product((-near, 0.0, near), repeat=row.arity):
            beside = tuple(x + step for x, step in zip(point, signs, strict=True))
            if (
                row.domain(*beside)
                and abs(interpret.apply(floats, row, beside) - interpret.apply(floats, row, point)) > 0.1
            ):
                return True
    return False


_CHOOSABLE = tuple(row for row in TABLE.values() if not row.compares)

#: Differentiable everywhere in their domains, to every order.
SMOOTH: tuple[str, ...] = tuple(
    row.name for row in _CHOOSABLE if row.kinks is nowhere and _has_derivative(row) and not _takes_condition(row)
)
#: Those, and the ones with kinks: abs, relu, maximum, …
CONTINUOUS: tuple[str, ...] = tuple(
    row.name
    for row in _CHOOSABLE
    if row.name in SMOOTH or (_has_derivative(row) and not _takes_condition(row) and not _jumps(row))
)
#: Every primitive: steps, ``where`` (which brings comparisons) and ``detach``, whose derivative is not that of its
#: value, are among them.
ALL: tuple[str, ...] = tuple(row.name for row in _CHOOSABLE)

#: How many steps, unless told; and how far inputs and constants reach.
MOST_NODES, REACH = 8, 2.0
#: No step's result is larger, so that nothing overflows.
LARGE = 1e4


@st.composite
def expressions(
    draw: st.DrawFn,
    *,
    primitives: Iterable[Any] = SMOOTH,
    min_nodes: int | None = None,
    max_nodes: int | None = None,
    sharing: float = 0.25,
    inputs: int | None = None,
    min_value: float | None = None,
    max_value: float | None = None,
) -> Expression:
    """Random formulas: functions of one to three numbers, whose parts are used again and again.

    Each has a value and derivatives wherever its inputs lie between the bounds, and shrinks to one primitive on simple
    numbers.

    >>> from hypothesis import find
    >>> print(find(expressions(), lambda f: autograd.TABLE["log"] in f.primitives))
    import autograd
    <BLANKLINE>
    def f(x):
        a = autograd.square(x)
        b = a + 1.0
        c = autograd.log(b)
        return c

    Args:
        primitives: names, rows of the table, or functions made by ``autograd.primitive``. ``SMOOTH`` unless told;
            ``CONTINUOUS`` adds those with kinks, ``ALL`` adds jumps, conditions and ``detach``. What leads operands
            into a domain comes on top: ``square``, ``add``, ``mul``, ``tanh``; with ``where``, comparisons.
        min_nodes, max_nodes: bounds for the number of nodes, which are results of primitives; 1 to 8 unless told.
        sharing: from 0.0, where no result is used twice (a tree, but for its inputs), to 1.0, where every operand that
            need not be new is an earlier result.
        inputs: how many inputs; one to three unless told.
        min_value, max_value: where the inputs lie; between -2 and 2 unless told.

    Raises:
        InvalidArgument: when drawn, for unknown or no primitives, counts or bounds out of order, sharing outside of
            0 to 1, primitives that have no value within the bounds or no room among so many nodes.
    """
    rows = _rows_of(primitives)
    least, most = check_sizes(min_nodes, max_nodes, "min_nodes", "max_nodes", 1, MOST_NODES)
    if isinstance(sharing, bool) or not isinstance(sharing, int | float) or not 0 <= sharing <= 1:
        raise InvalidArgument(f"sharing={sharing!r} must be a number from 0.0 to 1.0")
    if inputs is not None:
        check_sizes(inputs, None, "inputs", "inputs", 1, 1)
    low, high = sides(*check_bounds(min_value, max_value), REACH)
    count = draw(st.integers(1, 3)) if inputs is None else inputs
    building = _Building(count, (low, high), most)
    picks = draw(st.lists(_picks(_simplest_first(rows, (low, high)), _kinds(sharing)), min_size=least, max_size=most))
    for pick in picks:
        building.take(pick)
    building.fill(rows, least)
    if not building.steps:
        names = ", ".join(row.name for row in rows[:5]) + (", …" if len(rows) > 5 else "")
        raise InvalidArgument(
            f"none of {names} can be applied to numbers between {low!r} and {high!r} within {most} nodes: "
            "give other bounds by min_value and max_value, a larger max_nodes, or more primitives"
        )
    return building.expression()


def _rows_of(primitives: Any) -> tuple[Primitive, ...]:
    if isinstance(primitives, str | Primitive) or not isinstance(primitives, Iterable):
        raise InvalidArgument(f"primitives={primitives!r} must be a list of names, rows or functions")
    rows = tuple(dict.fromkeys(row_of(primitive) for primitive in primitives))
    if not rows:
        raise InvalidArgument("primitives is empty: an expression is made of at least one")
    for row in rows:
        if row.compares:
            raise InvalidArgument(
                f"primitives has {row.name!r}, which yields no number; 'where' brings the comparisons along"
            )
    return rows


# A pick is what Hypothesis draws and shrinks: one primitive, and where each operand comes from. Picks say "the last
# result", "the second input", not which slot that is, so that a list of them stays meaningful when some are taken out.

_NEXT, _INPUT, _CONSTANT, _AGAIN = range(4)


class _Source(NamedTuple):
    """Where one operand comes from."""

    kind: int
    which: int = 0
    constant: float = 0.0


#: What every source shrinks to.
_SIMPLEST = [_Source(_NEXT)]


class _Pick(NamedTuple):
    """One step to be."""

    row: Primitive
    sources: tuple[_Source, ...]
    #: The operand that continues from the last result, or begins a branch.
    main: int
    branch: bool
    comparison: Primitive


@cache
def _simplest_first(rows: tuple[Primitive, ...], bounds: Bounds) -> tuple[Primitive, ...]:
    """The rows in the order in which they are tried while shrinking: first those that take the inputs as they are."""

    def steps(row: Primitive) -> int:
        building = _Building(1, bounds, MOST_NODES)
        size = least_size(row) if row.n_ary else row.arity
        building.take(
            _Pick(row, tuple(_SIMPLEST * (size + _takes_condition(row))), moving(row, size)[0], False, _COMPARISONS[0])
        )
        return len(building.steps) or MOST_NODES

    return tuple(sorted(rows, key=steps))


@cache
def _kinds(sharing: float) -> tuple[int, ...]:
    """The kinds of operands beside the main one, each as often as it is likely; the simplest first."""
    again = round(64 * sharing)
    new = 64 - again
    return (
        (_NEXT,) * (new // 2) + (_INPUT,) * (new - new // 2 - new // 8) + (_CONSTANT,) * (new // 8) + (_AGAIN,) * again
    )


@cache
def _picks(rows: tuple[Primitive, ...], kinds: tuple[int, ...]) -> st.SearchStrategy[_Pick]:
    which = st.integers(0, 63)
    constant = st.floats(-REACH, REACH, allow_subnormal=False)

    @st.composite
    def picks(draw: st.DrawFn) -> _Pick:
        row = draw(st.sampled_from(rows))
        size = row.arity
        if row.n_ary:
            size = draw(st.integers(least_size(row), least_size(row) + 3))
        free = moving(row, size)
        main = draw(st.sampled_from(free))
        branch = draw(st.sampled_from((False, False, False, True)))
        sources = []
        for i in range(size + (1 if _takes_condition(row) else 0)):  # a condition has two sides, the second at the end
            if i in constants_of(row) and not is_condition(row, i):
                sources.append(_Source(_CONSTANT, constant=draw(constant)))
            elif i == main:
                sources.append(_Source(_INPUT if branch else _NEXT, draw(which)))
            else:
                kind = draw(st.sampled_from(kinds))
                sources.append(
                    _Source(kind, constant=draw(constant)) if kind == _CONSTANT else _Source(kind, draw(which))
                )
        comparison = draw(st.sampled_from(_COMPARISONS)) if _takes_condition(row) else _COMPARISONS[0]
        return _Pick(row, tuple(sources), main, branch, comparison)

    return picks()


class _Guard(NamedTuple):
    """A smooth function that leads all numbers into a smaller range."""

    #: Each a primitive, and the constant it takes as a second operand.
    steps: tuple[tuple[str, float | None], ...]
    range: Callable[[Bounds], Bounds]


#: The cheaper first; nothing to do is the cheapest.
_GUARDS = (
    _Guard((), lambda r: r),
    _Guard((("tanh", None),), lambda r: (-1.0, 1.0)),
    _Guard((("square", None), ("add", 1.0)), lambda r: (1.0, 1.0 + max(map(abs, r)) ** 2)),
    _Guard((("square", None), ("add", 2.0)), lambda r: (2.0, 2.0 + max(map(abs, r)) ** 2)),
    _Guard((("tanh", None), ("mul", 0.5)), lambda r: (-0.5, 0.5)),
)


@cache
def _ways(row: Primitive, size: int) -> list[tuple[_Guard, ...]]:
    """Guards for each operand, the cheapest ways first; the operands of a list are all treated alike."""
    free = moving(row, size)
    if len(free) > 2:
        ways = [(guard,) * len(free) for guard in _GUARDS]
    else:
        ways = list(itertools.product(_GUARDS, repeat=len(free)))
    ways.sort(key=lambda way: sum(len(guard.steps) for guard in way))
    return [tuple(way[free.index(i)] if i in free else _GUARDS[0] for i in range(size)) for way in ways]


def _range_of(row: Primitive, ranges: tuple[Bounds, ...]) -> Bounds | None:
    """The range of a primitive over a box; ``None`` where it may have no value or slope, or is too large.

    Intervals enclose it. For a function they cannot follow (a user's, of ``math``), a grid is looked at instead, and
    what it shows is widened by a quarter on both sides.
    """
    if not is_defined(row, ranges):
        return None
    try:
        result = intervals.number(code.apply(intervals, row, [intervals.Interval(*bounds) for bounds in ranges]))
        low, high = result.low, result.high
    except (ValueError, ArithmeticError):
        return None
    except (TypeError, AttributeError):
        try:
            values = [interpret.apply(floats, row, point) for point in points_of(ranges, 9)]
        except (ValueError, ArithmeticError):
            return None
        margin = (max(values) - min(values)) / 4
        low, high = min(values) - margin, max(values) + margin
    return (low, high) if -LARGE <= low and high <= LARGE else None


class _Building:
    """An expression in the making: references, until all is known, are inputs 0, 1, …, steps after them, and constants
    -1, -2, …
    """

    def __init__(self, inputs: int, bounds: Bounds, most: int) -> None:
        self.inputs, self.bounds, self.most = inputs, bounds, most
        self.steps: list[Step] = []
        self.constants: list[float] = []
        self.ranges: list[Bounds] = [bounds] * inputs
        #: Results that nothing uses yet.
        self.open: list[int] = []
        #: Results that may be used again.
        self.numbers: list[int] = []

    def take(self, pick: _Pick) -> bool:
        """Add the step that a pick describes; False where it has no value or no room."""
        free = list(self.open)
        chosen = [self._main(pick, free)]
        chosen = [chosen[0] if i == pick.main else self._other(source, free) for i, source in enumerate(pick.sources)]
        condition: list[Any] = []
        if _takes_condition(pick.row):
            second = chosen.pop()
            at = next(i for i in range(pick.row.arity) if is_condition(pick.row, i))
            condition = [pick.comparison, (chosen[at], second)]
            chosen[at] = 0.0
        found = self._way(pick.row, chosen)
        if found is None:
            return False
        way, operands, result = found
        used = {x for x in [*chosen, *(condition[1] if condition else ())] if isinstance(x, int)}
        unused = [x for x in self.open if x not in used]
        cost = 1 + (1 if condition else 0)
        cost += sum(len(guard.steps) for guard, x in zip(way, chosen, strict=True) if isinstance(x, int))
        if len(self.steps) + cost + len(unused) > self.most:
            return False
        self.open = unused
        guarded: list[Any] = []
        for i, (guard, x) in enumerate(zip(way, chosen, strict=True)):
            if condition and i == at:
                guarded.append(self._step(condition[0], condition[1], (0.0, 1.0), number=False))
            elif isinstance(x, int):
                guarded.append(self._guarded(guard, x))
            else:
                guarded.append(operands[i][0])  # a constant is led into the domain at once
        self.open.append(self._step(pick.row, guarded, result))
        return True

    def fill(self, rows: tuple[Primitive, ...], least: int) -> None:
        """Add steps of whatever fits until there are so many; then add up what nothing uses."""
        while len(self.steps) + len(self.open) - 1 < least and any(
            self.take(_Pick(row, tuple(_SIMPLEST * row.arity), 0, False, _COMPARISONS[0]))
            for row in rows
            if not row.n_ary and not constants_of(row)
        ):
            pass
        while len(self.open) > 1:
            second, first = self.open.pop(), self.open.pop()
            (a, b), (c, d) = self.ranges[first], self.ranges[second]
            self.open.append(self._step(TABLE["add"], (first, second), (a + c, b + d)))

    def expression(self) -> Expression:
        """What was built."""
        slots = {-1 - i: self.inputs + i for i in range(len(self.constants))}
        steps = [
            Step(
                row,
                tuple(slots[o] if o < 0 else o if o < self.inputs else o + len(self.constants) for o in operands),
            )
            for row, operands in self.steps
        ]
        return Expression(input_names(self.inputs), tuple(self.constants), tuple(steps), *self.bounds)

    def _main(self, pick: _Pick, free: list[int]) -> int:
        source = pick.sources[pick.main]
        room = len(self.steps) + len(self.open) + 2 <= self.most
        return free.pop() if free and not (pick.branch and room) else source.which % self.inputs

    def _other(self, source: _Source, free: list[int]) -> Any:
        if source.kind == _CONSTANT:
            return source.constant
        if source.kind == _AGAIN and self.numbers:
            return self.numbers[-1 - source.which % len(self.numbers)]
        if source.kind == _NEXT and free:
            return free.pop()
        return source.which % self.inputs

    def _way(self, row: Primitive, chosen: Sequence[Any]) -> tuple[tuple[_Guard, ...], list[Bounds], Bounds] | None:
        """The cheapest guards with which the operands lie in the domain, the operands' ranges, and the result's."""
        plain = [self.ranges[x] if isinstance(x, int) else (x, x) for x in chosen]
        for operands in (plain, _with_constants_of_the_example(row, plain)):
            for way in _ways(row, len(chosen)):
                guarded = [
                    guard.range(r) if isinstance(x, int) else _constant_guarded(guard, r)
                    for guard, r, x in zip(way, operands, chosen, strict=True)
                ]
                result = _range_of(row, tuple(guarded))
                if result is not None:
                    return way, guarded, result
        return None

    def _guarded(self, guard: _Guard, x: int) -> int:
        for i, (name, constant) in enumerate(guard.steps):
            operands = (x,) if constant is None else (x, self._constant(constant))
            last = i == len(guard.steps) - 1
            x = self._step(TABLE[name], operands, guard.range(self.ranges[x]) if last else self.ranges[x])
        return x

    def _constant(self, number: float) -> int:
        self.constants.append(number)
        return -len(self.constants)

    def _step(self, row: Primitive, operands: Sequence[Any], result: Bounds, number: bool = True) -> int:
        references = tuple(o if isinstance(o, int) else self._constant(o) for o in operands)
        self.steps.append(Step(row, references))
        self.ranges.append(result)
        reference = self.inputs + len(self.steps) - 1
        if number:
            self.numbers.append(reference)
        return reference


def _constant_guarded(guard: _Guard, r: Bounds) -> Bounds:
    x = r[0]
    for name, constant in guard.steps:
        x = interpret.apply(floats, TABLE[name], [x] if constant is None else [x, constant])
    return x, x


def _with_constants_of_the_example(row: Primitive, ranges: list[Bounds]) -> list[Bounds]:
    """The constants that the table's example has, for constants that do not fit together (bounds out of order)."""
    if row.example is None:
        return ranges
    return [(row.example[0][i],) * 2 if i in constants_of(row) else r for i, r in enumerate(ranges)]  # type: ignore[misc]
