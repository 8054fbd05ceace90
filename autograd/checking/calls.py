"""A function of the engine called: once on fresh Values, recorded, and then on other numbers.

The invariant: every call has Values of its own, so that nothing of the user's is written.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from autograd.checking.differences import HALF_OF_THE_DIGITS, ONE_SLOPE, Slope, slopes
from autograd.checking.inputs import Inputs
from autograd.checking.judging import FLAT
from autograd.checking.recorded import NO_NUMBER, Recorded, as_float, results_of
from autograd.checking.shrinking_steps import ROUNDING
from autograd.eager.record_lines import record_lines
from autograd.value import Value


class Call:
    """One call of a function of the engine, recorded, and the function on plain numbers."""

    def __init__(self, f: Callable[..., Any], inputs: Inputs, name: str) -> None:
        self.f = f
        self.inputs = inputs
        self.name = name
        self.leaves = [Value(x, label) for x, label in zip(inputs.numbers, inputs.names, strict=True)]
        with record_lines():
            self.outputs = results_of(f(*inputs.for_the_engine(self.leaves)), f"the result of {name}")
        self.values = [as_float(output) for output in self.outputs]
        self.roots = [output for output in self.outputs if isinstance(output, Value)]
        self.recorded = Recorded(self.leaves, self.outputs)

    def at(self, numbers: Sequence[float]) -> list[float] | None:
        """The outputs at other numbers; ``None`` where there are none."""
        try:
            result = self.f(*self.inputs.for_the_engine([Value(x) for x in numbers]))
            values = [as_float(x) for x in results_of(result, f"the result of {self.name}")]
        except NO_NUMBER:
            return None
        return values if all(map(math.isfinite, values)) and len(values) == len(self.values) else None


#: A number an input was set to, and the outputs there.
Seen = list[tuple[float, "list[float] | None"]]


def of_the_function(
    call: Call, i: int, expected: Sequence[float], noise: list[float], seen: Seen | None = None
) -> list[Slope]:
    """The slopes by one input from calls of the function, which are added to ``seen``."""
    numbers = list(call.inputs.numbers)

    def f(number: float) -> list[float] | None:
        numbers[i] = number
        values = call.at(numbers)
        if seen is not None:
            seen.append((number, values))
        return values

    return slopes(f, call.inputs.numbers[i], call.values, expected, noise=noise)


def function_agrees(
    call: Call, found: list[list[Slope]], off: list[list[float]], noise: list[float], source: random.Random
) -> bool:
    """Whether the function itself changes along random directions as the slopes say.

    Each input moves by a random part of its own size, and in a second direction by a random part of one, where it is
    smaller than that; inputs that stand at a kink stay.
    """
    numbers = call.inputs.numbers
    moving = [
        i for i in range(len(numbers)) if all(row[i].kind == "smooth" and row[i].error < math.inf for row in found)
    ]
    if not moving:
        return True
    for least in (0.0, 1.0):
        if least and all(abs(numbers[i]) >= 1.0 or numbers[i] == 0.0 for i in moving):
            break
        direction = {
            i: source.choice((1.0, -1.0)) * source.uniform(0.5, 1.0) * (max(abs(numbers[i]), least) or 1.0)
            for i in moving
        }
        if not _agrees_along(call, direction, found, off, noise):
            return False
    return True


def _agrees_along(
    call: Call, direction: dict[int, float], found: list[list[Slope]], off: list[list[float]], noise: list[float]
) -> bool:
    numbers = list(call.inputs.numbers)

    def f(t: float) -> list[float] | None:
        moved = list(numbers)
        for i, v in direction.items():
            moved[i] += (t - 1.0) * v
        return call.at(moved)

    expected, allowed, more_noise, small, flat = [], [], [], [], []
    for row, row_off, value, n in zip(found, off, call.values, noise, strict=True):
        terms = [v * row[i].value for i, v in direction.items()]
        expected.append(math.fsum(terms))
        size = sum(map(abs, terms))
        allowed.append(sum(abs(v) * row[i].error for i, v in direction.items()) + HALF_OF_THE_DIGITS * size)
        # Each moved input is rounded.
        more_noise.append(n + ROUNDING * sum(abs(row[i].value * numbers[i]) for i in direction))
        largest = max(map(abs, terms))
        flat.append(largest <= 4 * max(abs(v) * row_off[i] for i, v in direction.items()))
        small.append(max(1e-3 * largest, FLAT * abs(value), FLAT * n / ROUNDING if flat[-1] else 0.0))
    for k, slope in enumerate(slopes(f, 1.0, call.values, expected, noise=more_noise, precision=1e-7)):
        if slope.kind not in ONE_SLOPE or not abs(slope.value - expected[k]) <= slope.error + allowed[k]:
            return False
        if not slope.error <= max(small[k], FLAT * slope.size if flat[k] else 0.0):
            return False
    return True
