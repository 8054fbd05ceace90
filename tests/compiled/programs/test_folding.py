"""What is folded while a program is written: the same bits, by the laws that the rows of the table state."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from autograd import TABLE, Primitive, interpret
from autograd.compiled.backends.choice import Options, choose
from autograd.compiled.programs.building import Builder, Slot
from autograd.compiled.programs.plan import plan_of
from autograd.number_systems import arrays
from tests.compiled.replays import BACKENDS, bits
from tests.rows import name_of

NUMBERS = (
    0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, 0.25, -4.0, 1.5, 0.1, 5e-324, 2.0**-1022, 2.0**1022,
    1.7976931348623157e308, math.inf, -math.inf, math.nan,
)  # fmt: skip

FIXED = [row for row in TABLE.values() if not row.n_ary]
OF_LAWS = [row for row in FIXED if row.simplifies is not None or row.neutral or row.idempotent or row.commutes]

#: How an operand may be given: a number that nothing is known of, its negative, a comparison; or a constant.
UNKNOWN: dict[str, Callable[[Builder, Slot], Any]] = {
    "number": lambda b, x: x,
    "negative": lambda b, x: -x,
    "truth": lambda b, x: b.m.less(x, 0.75),
}


def ways(row: Primitive) -> Iterator[tuple[Any, ...]]:
    """Every way to give the operands, a constant by its float; constants in one place at the most, or 0 and 1."""
    for kinds in itertools.product([*UNKNOWN, "constant"], repeat=row.arity):
        places = [i for i, kind in enumerate(kinds) if kind == "constant"]
        for constants in itertools.product(NUMBERS if len(places) < 2 else (0.0, -0.0, 1.0), repeat=len(places)):
            given = list(kinds)
            for place, constant in zip(places, constants, strict=True):
                given[place] = constant  # type: ignore[call-overload]
            yield tuple(given)


def grid(row: Primitive) -> list[Any]:
    """All operands of a row that are made of these numbers, as columns of samples."""
    columns = np.meshgrid(*[np.array(NUMBERS)] * row.arity)
    return [np.ascontiguousarray(column.reshape(-1)) for column in columns]


def run(builder: Builder, numbers: Sequence[Slot], columns: Sequence[Any], backend: str) -> list[Any]:
    """These numbers of a program that was written, on a back end."""
    program = builder.program([x.index for x in numbers])
    replay = choose(plan_of(program, len(numbers), 0, [True] * program.inputs), Options(backend)).replay
    uniform = replay.new_uniform()
    _, kept = replay.run(columns, uniform, len(columns[0]))
    return [np.broadcast_to(replay.output(i, kept, uniform), columns[0].shape) for i in range(len(numbers))]


def both(row: Primitive, given: Sequence[Any], columns: Sequence[Any]) -> tuple[Any, Any]:
    """The number of the program that is written, and that of the primitive itself, in IEEE arithmetic."""
    builder = Builder(row.arity)
    operands = [
        builder.number(UNKNOWN[how](builder, builder.slot(i)) if how in UNKNOWN else how) for i, how in enumerate(given)
    ]
    written, *known = run(builder, [builder.apply(row.name, *operands), *operands], columns, "numpy")
    with arrays.computing():
        return written, interpret.apply(arrays, row, known)


@pytest.mark.parametrize("row", OF_LAWS, ids=name_of)
def test_the_same_bits_whatever_is_known(row: Primitive) -> None:
    columns = grid(row)
    for given in ways(row):
        written, expected = both(row, given, columns)
        if row.name == "pow":  # small powers as products, within 2 units in the last place as any other power
            same = (written == expected) | (np.isnan(written) & np.isnan(expected))
            with np.errstate(invalid="ignore", over="ignore"):
                near = np.abs(written - expected) <= 4 * np.spacing(np.abs(expected))
            assert (same | near).all(), given
        else:
            assert bits(written) == bits(expected), given


@pytest.mark.parametrize("row", OF_LAWS, ids=name_of)
def test_what_the_row_says_is_folded(row: Primitive) -> None:
    builder = Builder(3)
    c, x, y = map(builder.slot, range(3))
    emit = builder.emit
    for place, neutral in enumerate(row.neutral):
        if neutral is not None:
            operands = (builder.constant(neutral), x.index) if place == 0 else (x.index, builder.constant(neutral))
            assert emit(row, operands) == x.index
            assert emit(row, (y.index, y.index)) != y.index or row.idempotent
    if row.idempotent:
        assert emit(row, (c.index,) * (row.arity - 2) + (x.index, x.index)) == x.index
    if row.commutes:
        assert emit(row, (x.index, y.index)) == emit(row, (y.index, x.index))


#: Made of two numbers that nothing is known of, x and y, and of a truth, t.
Law = Callable[[Any, Slot, Slot, Slot], Any]
#: Per row, what its laws are asked of, and what they make of it.
LAWS: dict[str, list[tuple[Law, Law]]] = {
    "add": [
        (lambda m, x, y, t: x + -y, lambda m, x, y, t: x - y),
        (lambda m, x, y, t: -x + y, lambda m, x, y, t: y - x),
    ],
    "sub": [(lambda m, x, y, t: x - -y, lambda m, x, y, t: x + y)],
    "mul": [
        (lambda m, x, y, t: x * -1, lambda m, x, y, t: -x),
        (lambda m, x, y, t: -1 * x, lambda m, x, y, t: -x),
        (lambda m, x, y, t: t * 0, lambda m, x, y, t: m.number(0)),
    ],
    "div": [
        (lambda m, x, y, t: x / 8, lambda m, x, y, t: x * 0.125),
        (lambda m, x, y, t: x / -2, lambda m, x, y, t: x * -0.5),
    ],
    "neg": [(lambda m, x, y, t: m.neg(m.neg(x)), lambda m, x, y, t: x)],
    "pow": [
        (lambda m, x, y, t: x**0, lambda m, x, y, t: m.number(1)),
        (lambda m, x, y, t: x**2, lambda m, x, y, t: x * x),
        (lambda m, x, y, t: x**3, lambda m, x, y, t: x * x * x),
        (lambda m, x, y, t: x**-1, lambda m, x, y, t: 1 / x),
        (lambda m, x, y, t: x**-2, lambda m, x, y, t: (1 / x) * (1 / x)),
    ],
    "where": [
        (lambda m, x, y, t: m.where(m.number(1), x, y), lambda m, x, y, t: x),
        (lambda m, x, y, t: m.where(m.number(0), x, y), lambda m, x, y, t: y),
        (lambda m, x, y, t: m.where(t, 1, 0), lambda m, x, y, t: t),
    ],
    "minimum": [
        (lambda m, x, y, t: t & 1, lambda m, x, y, t: t),
        (lambda m, x, y, t: m.number(0) & t, lambda m, x, y, t: m.number(0)),
        (lambda m, x, y, t: t & (x < y) & 1, lambda m, x, y, t: t & (x < y)),
    ],
    "maximum": [
        (lambda m, x, y, t: t | 0, lambda m, x, y, t: t),
        (lambda m, x, y, t: m.number(1) | t, lambda m, x, y, t: m.number(1)),
        (lambda m, x, y, t: (t | (x < y)) & 1, lambda m, x, y, t: t | (x < y)),
    ],
}


def test_the_laws_of_every_row_are_tried() -> None:
    assert set(LAWS) == {row.name for row in FIXED if row.simplifies is not None}


@pytest.mark.parametrize("name", LAWS)
def test_every_law_makes_what_it_says(name: str) -> None:
    for law, simpler in LAWS[name]:
        builder = Builder(2)
        x, y = builder.slot(0), builder.slot(1)
        t = builder.m.greater(x, y)
        assert law(builder.m, x, y, t).index == simpler(builder.m, x, y, t).index


def test_laws_leave_alone_what_ieee_forbids() -> None:
    builder = Builder(2)
    x, y = builder.slot(0), builder.slot(1)
    t = x < y
    made = {
        (x * 0).index,
        (x - x).index,
        (x + 0.0).index,
        (x - -0.0).index,
        (x / 3).index,
        builder.m.where(t, 1, -0.0).index,
    }
    assert len(made) == 6
    assert not made & {x.index, t.index, *builder.constants}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("row", [row for row in FIXED if row.never_minus_zero], ids=name_of)
def test_what_is_never_minus_zero_is_so_on_every_back_end(row: Primitive, backend: str) -> None:
    builder = Builder(row.arity)
    (found,) = run(builder, [builder.apply(row.name, *map(builder.slot, range(row.arity)))], grid(row), backend)
    assert not np.signbit(found[found == 0]).any()


@pytest.mark.parametrize(("known", "branch"), [(1.0, 1), (0.0, 2)])
def test_a_choice_whose_condition_is_known_is_no_instruction(known: float, branch: int) -> None:
    builder = Builder(3)
    condition = builder.constant(known)
    assert builder.emit(TABLE["where"], (condition, 1, 2)) == branch
