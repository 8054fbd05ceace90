"""Random right cases, the same on every run: expressions over the whole table, at points of ordinary size."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from autograd.testing import Expression, Step
from tests.rows import ROWS, jumps_of_a_number_by_itself

#: Rows whose operands are all numbers; the others take conditions and constant parameters.
OF_NUMBERS = [row for row in ROWS if callable(row.partials) or None not in row.partials]


def expression(source: random.Random) -> Expression:
    """A few steps over one to three inputs, parts shared; it need not have a value everywhere, as drawn ones do."""
    inputs = source.randint(1, 3)
    steps: list[Step] = []
    count = source.randint(1, 8)
    while len(steps) < count:
        row = source.choice(OF_NUMBERS)
        known = inputs + len(steps)
        size = 2 * source.randint(1, 2) if row.n_ary else row.arity
        slots = [known - 1 if source.random() < 0.5 else source.randrange(known) for _ in range(size)]
        if jumps_of_a_number_by_itself(row) and len(set(slots)) < size:
            continue
        steps.append(Step(row, tuple(slots)))
    return Expression(("x", "y", "z")[:inputs], (), tuple(steps))


def number(source: random.Random) -> float:
    """Mostly anything between -3 and 3; now and then whole, where kinks and the ends of domains are."""
    return float(source.randint(-2, 2)) if source.random() < 0.15 else source.uniform(-3.0, 3.0)


def cases(count: int, seed: int) -> Iterator[tuple[Expression, list[float]]]:
    """So many expressions with points at which they have a value that is not huge."""
    source = random.Random(seed)
    while count:
        case = expression(source)
        point = [number(source) for _ in case.names]
        try:
            value = case.graph(*point).output.data
        except (ValueError, ArithmeticError):
            continue
        if math.isfinite(value) and abs(value) < 1e12:
            count -= 1
            yield case, point
