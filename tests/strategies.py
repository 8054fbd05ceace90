"""What the tests draw: operands from a row's own domain, and random expressions with shared parts.

Nothing here lists primitives: a row's domain chooses the boxes that its operands come from.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import strategies as st

from autograd import TABLE, Primitive
from autograd.number_systems import floats
from tests.checks import ROWS

Operands = tuple[float, ...]

#: The most operands that an n-ary row is tried with.
MOST = 5


def differentiable(row: Primitive) -> list[int]:
    """The arguments that have a partial; of an n-ary row the first two, as its rule treats all alike."""
    if callable(row.partials):
        return [0, 1]
    return [i for i, rule in enumerate(row.partials) if rule is not None]


#: ``[pow-1]``: a row and one of its differentiable arguments.
ROW_AND_ARGUMENT = [(row, i) for row in ROWS for i in differentiable(row)]


def name_of(parameter: Any) -> str:
    """The id of a parameter: ``pow`` of a row, ``pow-1`` of a row and an argument."""
    if isinstance(parameter, Primitive):
        return parameter.name
    if isinstance(parameter, tuple) and isinstance(parameter[0], Primitive):
        return "-".join([parameter[0].name, *map(str, parameter[1:])])
    return str(parameter)


@dataclass(frozen=True)
class Lattice:
    """Multiples of ``1 / per_one`` between two bounds.

    With steps that are smaller powers of two, x ± h is exact, and a kink is either hit exactly or a whole lattice
    step away.
    """

    low: int
    high: int
    per_one: int = 64

    def of(self, n: int) -> float:
        return n / self.per_one

    def strategy(self) -> st.SearchStrategy[float]:
        return st.integers(self.low * self.per_one, self.high * self.per_one).map(self.of)

    def sample(self, source: random.Random) -> float:
        return self.of(source.randint(self.low * self.per_one, self.high * self.per_one))


@dataclass(frozen=True)
class Magnitudes:
    """Floats of all sizes between two powers of two, of some signs."""

    lowest: int
    highest: int
    signs: tuple[int, ...] = (1, -1)

    def strategy(self) -> st.SearchStrategy[float]:
        mantissas = st.one_of(st.just(1.0), st.floats(1.0, 2.0, exclude_max=True))
        return st.builds(
            lambda sign, mantissa, exponent: sign * math.ldexp(mantissa, exponent),
            st.sampled_from(self.signs),
            mantissas,
            st.integers(self.lowest, self.highest),
        )

    def sample(self, source: random.Random) -> float:
        mantissa = source.uniform(1.0, 2.0)
        return source.choice(self.signs) * math.ldexp(mantissa, source.randint(self.lowest, self.highest))


Box = Lattice | Magnitudes

NEAR: tuple[Box, ...] = (Lattice(-8, 8), Lattice(-1, 1), Lattice(0, 8), Lattice(-3, 3, per_one=1))

#: Up to 2⁵⁰⁰ and down to 2⁻⁵⁰⁰: squares and products of two neither overflow nor underflow.
WIDE: tuple[Box, ...] = (
    Magnitudes(-500, 500),
    Magnitudes(-500, 500, signs=(1,)),
    Magnitudes(-500, -1),
    Magnitudes(-4, 4),
    Magnitudes(-4, 4, signs=(1,)),
    Magnitudes(0, 9),
    Magnitudes(0, 9, signs=(1,)),
)


def in_domain(row: Primitive, operands: Operands) -> bool:
    """Whether the row has a value there."""
    return row.n_ary or bool(row.domain(*operands))


def is_smooth(row: Primitive, operands: Operands, *arguments: int) -> bool:
    """Whether the partials are ordinary derivatives: no kink, no limit, and numbers of the domain on all sides."""
    if row.n_ary:
        return max(arguments) < len(operands)
    if not in_domain(row, operands) or row.kinks(*operands):
        return False
    if not all(row.partial_domain(i)(*operands) for i in arguments):
        return False
    if any(limit.argument in arguments and limit.at(*operands) for limit in row.limits):
        return False
    beside = [
        (math.nextafter(x, -math.inf), math.nextafter(x, math.inf)) if i in arguments else (x,)
        for i, x in enumerate(operands)
    ]
    return all(in_domain(row, corner) for corner in itertools.product(*beside))


def _sizes(row: Primitive, argument: int | None, most: int) -> range:
    if row.n_ary:
        return range(1 if argument is None else argument + 1, most + 1)
    return range(row.arity, row.arity + 1)


def _accepts(row: Primitive, argument: int | None, operands: Operands) -> bool:
    return in_domain(row, operands) if argument is None else is_smooth(row, operands, argument)


@cache
def _boxes_of(row: Primitive, argument: int | None, boxes: tuple[Box, ...]) -> list[Box]:
    """The boxes of which the domain takes in at least a third."""
    fitting = []
    for box in boxes:
        source = random.Random(0)
        size = _sizes(row, argument, 2)[-1]
        tries = [tuple(box.sample(source) for _ in range(size)) for _ in range(300)]
        if sum(_accepts(row, argument, operands) for operands in tries) >= 100:
            fitting.append(box)
    if not fitting:
        raise LookupError(f"no box lies in the domain of {row.name}: give the tests one that does")
    return fitting


@cache
def operands(
    row: Primitive, argument: int | None = None, boxes: tuple[Box, ...] = NEAR, most: int = MOST
) -> st.SearchStrategy[Operands]:
    """Operands from the row's domain; with an argument, where its partial is an ordinary derivative."""
    conditions = [i for i, name in enumerate(row.arguments) if name == "condition"]

    def tuples(box: Box, size: int) -> st.SearchStrategy[Operands]:
        each = [st.sampled_from((0.0, 1.0)) if i in conditions else box.strategy() for i in range(size)]
        return st.tuples(*each)

    of_all_boxes = [tuples(box, n) for box in _boxes_of(row, argument, boxes) for n in _sizes(row, argument, most)]
    return st.one_of(of_all_boxes).filter(lambda drawn: _accepts(row, argument, drawn))


SPECIAL = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0)


def special_points(row: Primitive, accept: Callable[[Operands], bool]) -> Iterator[Operands]:
    """Whole and half numbers in all combinations: where a formula that is wrong at one point only is wrong."""
    for size in (2, 3) if row.n_ary else (row.arity,):
        yield from filter(accept, itertools.product(SPECIAL, repeat=size))


# Random expressions: a list of steps, each a row and the slots of its operands, so that parts are shared (a DAG).

Step = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class Expression:
    """Steps over some inputs: each applies a row to earlier results; the last one is the output."""

    inputs: int
    steps: tuple[Step, ...]

    def evaluate(self, m: Any, inputs: Any) -> Any:
        """What the expression is in a number system, or over any namespace of functions."""
        numbers = list(inputs)
        for name, slots in self.steps:
            chosen = [numbers[slot] for slot in slots]
            function = getattr(m, name)
            numbers.append(function(chosen) if TABLE[name].n_ary else function(*chosen))
        return numbers[-1]


_SAMPLE = (-1.5, -0.25, 0.0, 0.75, 1.0)


def _points(row: Primitive) -> list[Operands]:
    return list(itertools.product(_SAMPLE, repeat=2 if row.n_ary else row.arity))


def takes_anything(row: Primitive) -> bool:
    """Whether the row has a value for any operands, all of them with a derivative."""
    constants = not callable(row.partials) and None in row.partials
    return not constants and all(in_domain(row, point) for point in _points(row))


def jumps(row: Primitive) -> bool:
    """Whether the row is a step function or has a cut."""
    function = getattr(floats, row.name)
    return not row.n_ary and any(
        abs(function(*[x + 1e-9 for x in point]) - function(*[x - 1e-9 for x in point])) > 0.1 for point in _points(row)
    )


CONTINUOUS = tuple(row.name for row in ROWS if takes_anything(row) and not jumps(row) and row.name != "atan2")
SMOOTH = tuple(
    name for name in CONTINUOUS if TABLE[name].n_ary or all(is_smooth(TABLE[name], p, 0) for p in _points(TABLE[name]))
)


@st.composite
def expressions(
    draw: st.DrawFn, names: tuple[str, ...] = CONTINUOUS, *, inputs: int | None = None, most_steps: int = 8
) -> Expression:
    """Random expressions over a few inputs whose parts are used again and again."""
    count = draw(st.integers(1, 3)) if inputs is None else inputs
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, most_steps))):
        name = draw(st.sampled_from(names))
        row = TABLE[name]
        size = 2 * draw(st.integers(1, 2)) if row.n_ary else row.arity
        known = count + len(steps)
        # The last result comes up more often, so that few are left unused.
        slot = st.one_of(st.just(known - 1), st.integers(0, known - 1))
        steps.append((name, tuple(draw(slot) for _ in range(size))))
    return Expression(count, tuple(steps))


#: Inputs of random expressions: moderate, and exactly zero or whole now and then.
moderate = st.one_of(st.floats(-2, 2), st.integers(-2, 2).map(float))
