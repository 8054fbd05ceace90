"""The rows of the table as parameters of tests: their names, their arguments, and points where they are tried."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

from autograd import TABLE, Primitive
from autograd.number_systems.source import Inline, Text, operands_of, slopes
from autograd.testing.regions import Operands, in_domain

#: Every row that computes a number; comparisons yield a truth value and are tested apart.
ROWS = [row for row in TABLE.values() if not row.compares]


def is_constant(row: Primitive, argument: int) -> bool:
    """Whether an argument has no derivative."""
    return not callable(row.partials) and row.partials[argument] is None


def differentiable(row: Primitive) -> list[int]:
    """The arguments that have a partial; of an n-ary row the first two, as its rule treats all alike."""
    return [0, 1] if callable(row.partials) else [i for i in range(row.arity) if not is_constant(row, i)]


#: ``[pow-1]``: a row and one of its differentiable arguments.
ROW_AND_ARGUMENT = [(row, i) for row in ROWS for i in differentiable(row)]


def is_flat(row: Primitive) -> bool:
    """Whether every slope is the literal zero."""
    writer = Inline()
    found = [] if row.n_ary else slopes(row, writer.m, Text("z", writer), operands_of(row, writer))
    return bool(found) and all(slope is None or str(slope) == "0" for slope in found)


#: Steps: flat where they have a slope.
STEPS = [row for row in ROWS if differentiable(row) and is_flat(row)]


def jumps_of_a_number_by_itself(row: Primitive) -> bool:
    """Whether it jumps wherever its operands are one number, as a remainder does, which no difference can see."""
    return row.jumps and row.arity > 1 and all(row.kinks(*[x] * row.arity) for x in (-1.5, 0.3, 2.0))


def name_of(parameter: Any) -> str:
    """The id of a parameter: ``pow`` of a row, ``pow-1`` of a row and an argument."""
    if isinstance(parameter, Primitive):
        return parameter.name
    if isinstance(parameter, tuple) and isinstance(parameter[0], Primitive):
        return "-".join([parameter[0].name, *map(str, parameter[1:])])
    return str(parameter)


def has_partials(row: Primitive, operands: Operands, *arguments: int) -> bool:
    """Whether the rules of the partials hold there: in the domain, at no kink and at no limit."""
    if not in_domain(row, operands) or row.kinks(*operands):
        return False
    if not all(row.partial_domain(i)(*operands) for i in arguments):
        return False
    return not any(limit.argument in arguments and limit.at(*operands) for limit in row.limits)


def is_smooth(row: Primitive, operands: Operands, *arguments: int) -> bool:
    """Whether the partials are ordinary derivatives: no kink, no limit, and numbers of the domain on all sides."""
    if row.n_ary:
        return max(arguments) < len(operands)
    if not has_partials(row, operands, *arguments):
        return False
    beside = [
        (math.nextafter(x, -math.inf), math.nextafter(x, math.inf)) if i in arguments else (x,)
        for i, x in enumerate(operands)
    ]
    return all(in_domain(row, corner) for corner in itertools.product(*beside))


SPECIAL = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0)


def special_points(row: Primitive, accept: Callable[[Operands], bool]) -> Iterator[Operands]:
    """Whole and half numbers in all combinations: where a formula that is wrong at one point only is wrong."""
    for size in (2, 3) if row.n_ary else (row.arity,):
        yield from filter(accept, itertools.product(SPECIAL, repeat=size))
