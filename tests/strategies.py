"""How the tests draw the operands of a row: on a lattice, where differences are exact, or of all magnitudes.

Which part of the numbers lies in a row's domain is found as ``autograd.testing`` finds it; no row is listed here.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

from autograd import Primitive
from autograd.testing.numbers import Box, fitting_box, tries
from autograd.testing.regions import Operands, in_domain, is_condition
from tests.rows import is_smooth

#: The most operands that an n-ary row is tried with.
MOST = 5


@dataclass(frozen=True)
class Lattice:
    """Multiples of ``1 / per_one``, none larger than ``reach``.

    With steps that are smaller powers of two, x ± h is exact, and a kink is either hit exactly or a whole lattice
    step away.
    """

    reach: float
    per_one: int = 64

    def nearest(self, x: float) -> float:
        return round(x * self.per_one) / self.per_one

    def between(self, low: float, high: float) -> st.SearchStrategy[float]:
        steps = st.integers(math.ceil(low * self.per_one), math.floor(high * self.per_one))
        return steps.map(lambda n: n / self.per_one)


@dataclass(frozen=True)
class Magnitudes:
    """Floats of all sizes between two powers of two."""

    lowest: int
    highest: int

    @property
    def reach(self) -> float:
        return 2.0**self.highest

    def nearest(self, x: float) -> float:
        return math.copysign(max(abs(x), 2.0**self.lowest), x)

    def between(self, low: float, high: float) -> st.SearchStrategy[float]:
        return st.one_of([self._of_sign(s, end) for s, end in ((1, high), (-1, -low)) if end >= 2.0**self.lowest])

    def _of_sign(self, sign: int, end: float) -> st.SearchStrategy[float]:
        mantissas = st.one_of(st.just(1.0), st.floats(1.0, 2.0, exclude_max=True))
        exponents = st.integers(self.lowest, math.frexp(end)[1] - 1)
        return st.builds(lambda mantissa, exponent: sign * math.ldexp(mantissa, exponent), mantissas, exponents)


Scale = Lattice | Magnitudes

NEAR: tuple[Scale, ...] = (Lattice(8), Lattice(1), Lattice(3, per_one=1))

#: Up to 2⁵⁰⁰ and down to 2⁻⁵⁰⁰: squares and products of two neither overflow nor underflow.
WIDE: tuple[Scale, ...] = (
    Magnitudes(-500, 500),
    Magnitudes(-500, 0),
    Magnitudes(-8, 0),
    Magnitudes(-4, 5),
    Magnitudes(0, 10),
)


@cache
def operands(
    row: Primitive, argument: int | None = None, scales: tuple[Scale, ...] = NEAR, most: int = MOST
) -> st.SearchStrategy[Operands]:
    """Operands from the row's domain; with an argument, where its partial is an ordinary derivative."""
    sizes = range(1 if argument is None else argument + 1, most + 1) if row.n_ary else [row.arity]

    def accepts(point: Operands) -> bool:
        return in_domain(row, point) if argument is None else is_smooth(row, point, argument)

    found = []
    for scale in scales:

        def on_scale(box: Box, source: random.Random, scale: Scale = scale) -> Iterable[Operands]:
            return [tuple(map(scale.nearest, point)) for point in tries(row, box, source)]

        for size in sizes:
            box = fitting_box([(-scale.reach, scale.reach)] * size, accepts, on_scale)
            if box is not None:
                found.append(_tuples(row, box, scale))
    if not found:
        raise LookupError(f"no scale has numbers in the domain of {row.name}: give the tests one that does")
    return st.one_of(found).filter(accepts)


def _tuples(row: Primitive, box: Box, scale: Scale) -> st.SearchStrategy[Operands]:
    return st.tuples(
        *[st.sampled_from((0.0, 1.0)) if is_condition(row, i) else scale.between(*side) for i, side in enumerate(box)]
    )
