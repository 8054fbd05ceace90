"""Random right cases, the same on every run: expressions over the whole table, at points of ordinary size."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from autograd import TABLE, Value
from tests.checks import PUBLIC, as_float
from tests.strategies import ROWS, Expression

#: Rows whose operands are all numbers; the others take conditions and constant parameters.
NAMES = tuple(row.name for row in ROWS if callable(row.partials) or None not in row.partials)


def expression(source: random.Random) -> Expression:
    """A few steps over one to three inputs, parts shared."""
    inputs = source.randint(1, 3)
    steps: list[tuple[str, tuple[int, ...]]] = []
    for _ in range(source.randint(1, 8)):
        name = source.choice(NAMES)
        known = inputs + len(steps)
        size = 2 * source.randint(1, 2) if TABLE[name].n_ary else TABLE[name].arity
        slots = [known - 1 if source.random() < 0.5 else source.randrange(known) for _ in range(size)]
        steps.append((name, tuple(slots)))
    return Expression(inputs, tuple(steps))


def number(source: random.Random) -> float:
    """Mostly anything between -3 and 3; now and then whole, where kinks and the ends of domains are."""
    return float(source.randint(-2, 2)) if source.random() < 0.15 else source.uniform(-3.0, 3.0)


def cases(count: int, seed: int) -> Iterator[tuple[Expression, list[float]]]:
    """So many expressions with points at which they have a value that is not huge."""
    source = random.Random(seed)
    while count:
        case, point = expression(source), []
        point = [number(source) for _ in range(case.inputs)]
        try:
            value = as_float(case.evaluate(PUBLIC, [Value(x) for x in point]))
        except (ValueError, ArithmeticError):
            continue
        if math.isfinite(value) and abs(value) < 1e12:
            count -= 1
            yield case, point
