"""``expressions``: random formulas with shared parts, and the lists of primitives that they are made of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from autograd import TABLE, Primitive
from autograd.primitives import nowhere
from autograd.testing.building import AGAIN, CONSTANT, INPUT, NEXT, SIMPLEST, Building, Pick, Source
from autograd.testing.expression import Expression
from autograd.testing.numbers import check_bounds, check_sizes, least_size, sides
from autograd.testing.regions import Bounds, constants_of, is_condition, moving, rows_of

_COMPARISONS = tuple(row for row in TABLE.values() if row.compares)


def _takes_condition(row: Primitive) -> bool:
    return not row.n_ary and any(is_condition(row, i) for i in range(row.arity))


def _has_derivative(row: Primitive) -> bool:
    return callable(row.partials) or any(rule is not None for rule in row.partials)


_CHOOSABLE = [row for row in TABLE.values() if not row.compares]
_DIFFERENTIABLE = [row for row in _CHOOSABLE if _has_derivative(row) and not _takes_condition(row)]

#: Differentiable everywhere in their domains, to every order.
SMOOTH: tuple[str, ...] = tuple(row.name for row in _DIFFERENTIABLE if row.kinks is nowhere)
#: Those, and the ones with kinks: abs, relu, maximum, …
CONTINUOUS: tuple[str, ...] = tuple(row.name for row in _DIFFERENTIABLE if not row.jumps)
#: Every primitive: steps, ``where`` (which brings comparisons) and ``detach``, whose derivative is not that of its
#: value, are among them.
ALL: tuple[str, ...] = tuple(row.name for row in _CHOOSABLE)

#: How many steps, unless told; and how far inputs and constants reach.
MOST_NODES, REACH = 8, 2.0


# More than 60 lines: half of them tell what is drawn, and between which bounds.
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
    >>> from autograd import TABLE
    >>> print(find(expressions(), lambda f: TABLE["log"] in f.primitives))
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
    rows = _without_comparisons(primitives)
    least, most = check_sizes(min_nodes, max_nodes, "min_nodes", "max_nodes", 1, MOST_NODES)
    if isinstance(sharing, bool) or not isinstance(sharing, int | float) or not 0 <= sharing <= 1:
        raise InvalidArgument(f"sharing={sharing!r:.200} must be a number from 0.0 to 1.0")
    if inputs is not None:
        check_sizes(inputs, None, "inputs", "inputs", 1, 1)
    low, high = sides(*check_bounds(min_value, max_value), REACH)
    count = draw(st.integers(1, 3)) if inputs is None else inputs
    building = Building(count, (low, high), most)
    picks = draw(st.lists(_picks(_simplest_first(rows, (low, high)), _kinds(sharing)), min_size=least, max_size=most))
    for pick in picks:
        building.take(pick)
    building.fill(rows, least)
    if not building.steps:
        names = ", ".join(row.name for row in rows[:5]) + (", …" if len(rows) > 5 else "")
        raise InvalidArgument(
            f"none of {names} can be applied to numbers between {low!r:.200} and {high!r:.200} within {most} nodes: "
            "give other bounds by min_value and max_value, a larger max_nodes, or more primitives"
        )
    return building.expression()


def _without_comparisons(primitives: Any) -> tuple[Primitive, ...]:
    rows = rows_of("primitives", primitives, empty="an expression is made of at least one")
    for row in rows:
        if row.compares:
            raise InvalidArgument(
                f"primitives has {row.name!r:.200}, which yields no number; 'where' brings the comparisons along"
            )
    return rows


@cache
def _simplest_first(rows: tuple[Primitive, ...], bounds: Bounds) -> tuple[Primitive, ...]:
    """The rows in the order in which shrinking tries them: first those of fewer operands, which take fewer choices to
    draw, and among these the ones that take inputs as they are.
    """

    def steps(row: Primitive) -> tuple[int, int]:
        building = Building(1, bounds, MOST_NODES)
        size = least_size(row) if row.n_ary else row.arity
        comparison = _COMPARISONS[0] if _takes_condition(row) else None
        sources = (SIMPLEST,) * (size + (comparison is not None))
        building.take(Pick(row, sources, moving(row, size)[0], comparison=comparison))
        return (len(sources) + row.n_ary, len(building.steps) or MOST_NODES)

    return tuple(sorted(rows, key=steps))


@cache
def _kinds(sharing: float) -> tuple[int, ...]:
    """The kinds of operands beside the main one, each as often as it is likely; the simplest first."""
    again = round(64 * sharing)
    new = 64 - again
    return (NEXT,) * (new // 2) + (INPUT,) * (new - new // 2 - new // 8) + (CONSTANT,) * (new // 8) + (AGAIN,) * again


@cache
def _picks(rows: tuple[Primitive, ...], kinds: tuple[int, ...]) -> st.SearchStrategy[Pick]:
    which = st.integers(0, 63)
    constant = st.floats(-REACH, REACH, allow_subnormal=False)

    @st.composite
    def picks(draw: st.DrawFn) -> Pick:
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
                sources.append(Source(CONSTANT, constant=draw(constant)))
            elif i == main:
                sources.append(Source(INPUT if branch else NEXT, draw(which)))
            else:
                kind = draw(st.sampled_from(kinds))
                sources.append(Source(kind, constant=draw(constant)) if kind == CONSTANT else Source(kind, draw(which)))
        comparison = draw(st.sampled_from(_COMPARISONS)) if _takes_condition(row) else None
        return Pick(row, tuple(sources), main, branch, comparison)

    return picks()
