"""Where a primitive may be tried: its domain and its kinks, over boxes of operands instead of single points.

A row states its domain as a predicate over numbers. Run over intervals, the same predicate answers for a whole box:
it holds for all of it, for none, or that is undecided. So a point can be kept a margin away from an end of the domain
or from a kink, however the row writes them, and no primitive is listed here.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from hypothesis.errors import InvalidArgument

import autograd
from autograd import Primitive
from autograd.number_systems import system_of

#: The number system that answers for a whole box at once.
intervals: Any = system_of("intervals")

#: Low and high end, for each operand.
Bounds = tuple[float, float]
Operands = tuple[float, ...]


def row_of(primitive: Any) -> Primitive:
    """The row of a primitive given by name, as a row, or as the function itself.

    >>> row_of("arctan"), row_of(autograd.tanh)
    (<primitive atan>, <primitive tanh>)

    Raises:
        InvalidArgument: it is none of these.
    """
    if isinstance(primitive, Primitive):
        return primitive
    if isinstance(primitive, str):
        try:
            return autograd.find(primitive)
        except KeyError as error:
            raise InvalidArgument(f"primitive={primitive!r:.200}: {error.args[0]}") from None
    row = getattr(primitive, "primitive", None)
    if isinstance(row, Primitive):
        return row
    name = getattr(primitive, "__name__", "")
    if callable(primitive) and name in autograd.TABLE and getattr(autograd, name, None) is primitive:
        return autograd.TABLE[name]
    raise InvalidArgument(
        f"primitive={primitive!r:.200} is no primitive: give its name, its row, or a function made by "
        f"autograd.primitive"
    )


def rows_of(what: str, given: Any, *, empty: str) -> tuple[Primitive, ...]:
    """The rows of a list of primitives, each once; ``empty`` says what is wrong with an empty list.

    Raises:
        InvalidArgument: it is no list or empty, or holds something else; ``what`` is the name of the argument.
    """
    if isinstance(given, str | Primitive) or not isinstance(given, Iterable):
        raise InvalidArgument(f"{what}={given!r:.200} must be a list of names, rows or functions")
    rows = tuple(dict.fromkeys(row_of(primitive) for primitive in given))
    if not rows:
        raise InvalidArgument(f"{what} is empty: {empty}")
    return rows


def constants_of(row: Primitive) -> list[int]:
    """The arguments that take a plain number because they have no derivative: bounds, slopes, a condition.

    A row without any derivative (a comparison, ``detach``) has none of these: its arguments are all alike.
    """
    if callable(row.partials):
        return []
    without = [i for i, rule in enumerate(row.partials) if rule is None]
    return without if len(without) < len(row.partials) else []


def moving(row: Primitive, size: int) -> list[int]:
    """The arguments that take any Value, of so many."""
    constants = constants_of(row)
    return [i for i in range(size) if i not in constants]


def is_condition(row: Primitive, argument: int) -> bool:
    """Whether an argument is a truth value."""
    return row.built_in and not row.n_ary and row.arguments[argument : argument + 1] == ("condition",)


#: Beyond so many points of a box, only its corners are looked at.
_MANY = 300


def points_of(bounds: Sequence[Bounds], per_side: int = 3) -> Iterator[Operands]:
    """A grid over a box: its ends, and evenly between."""
    if per_side ** len(bounds) > _MANY:
        per_side = 2
    sides = [
        [low] if low == high else [low + (high - low) * i / (per_side - 1) for i in range(per_side)]
        for low, high in bounds
    ]
    return itertools.product(*sides)


def holds_everywhere(predicate: Callable[..., Any], bounds: Sequence[Bounds]) -> bool:
    """Whether a predicate holds for all operands of a box.

    A predicate that intervals cannot follow (it calls ``math``) is asked at a grid of points instead.
    """
    outcome = _over(predicate, bounds)
    return all(_at(predicate, point) for point in points_of(bounds)) if outcome is None else outcome is True


def holds_somewhere(predicate: Callable[..., Any], bounds: Sequence[Bounds]) -> bool:
    """Whether a predicate may hold for some operands of a box; with the same grid as above."""
    outcome = _over(predicate, bounds)
    return any(_at(predicate, point) for point in points_of(bounds)) if outcome is None else outcome is not False


def _over(predicate: Callable[..., Any], bounds: Sequence[Bounds]) -> Any:
    """True or false for all operands of a box; ``UNDECIDED``; or ``None`` if intervals cannot be asked."""
    operands = [intervals.plain(intervals.number(sides)) for sides in bounds]
    try:
        outcome = predicate(*operands)
    except (ValueError, ArithmeticError):  # a choice by ``if``, ``and`` or ``not`` that the box leaves open
        return intervals.UNDECIDED
    except (TypeError, AttributeError):
        return None
    return outcome if outcome is intervals.UNDECIDED else bool(outcome)


def _at(predicate: Callable[..., Any], point: Operands) -> bool:
    try:
        return bool(predicate(*point))
    except (ValueError, ArithmeticError):  # where the predicate itself has no value, the primitive has none either
        return False


def in_domain(row: Primitive, operands: Operands) -> bool:
    """Whether the row has a value there."""
    return row.n_ary or _at(row.domain, operands)


def is_defined(row: Primitive, bounds: Sequence[Bounds]) -> bool:
    """Whether the row has a value and finite slopes for all operands of a box."""
    if callable(row.partials):
        return True
    if not holds_everywhere(row.domain, bounds):
        return False
    for i, rule in enumerate(row.partials):
        if rule is None or holds_everywhere(row.partial_domain(i), bounds):
            continue
        limits = [limit for limit in row.limits if limit.argument == i]
        if not limits or not all(map(math.isfinite, [limit.value for limit in limits])):
            return False
    return True


def is_smooth(row: Primitive, operands: Operands, margin: float) -> bool:
    """Whether the row is differentiable at every point within a margin of these operands, in each coordinate.

    No kink, no end of the domain and no limit of a slope lies in that box; constants of the row do not move.
    """
    if callable(row.partials):
        return True
    fixed = constants_of(row)
    box = [(x, x) if i in fixed else (x - margin, x + margin) for i, x in enumerate(operands)]
    if not holds_everywhere(row.domain, box) or holds_somewhere(row.kinks, box):
        return False
    for i, rule in enumerate(row.partials):
        if rule is not None and not holds_everywhere(row.partial_domain(i), box):
            return False
    return not any(holds_somewhere(limit.at, box) for limit in row.limits)
