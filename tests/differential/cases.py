"""Random programs of what IEEE 754 rounds correctly and of choices, and what each way of running them says at a point.

``backward()`` is what the three back ends are compared with, and ``grad``, ``gradients`` and ``evaluate``, to the last
bit. Where an operation raises there is nothing to compare: IEEE arithmetic goes on there with infinities and nan.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import TABLE, Value
from autograd.value import maker
from tests.compiled.replays import BACKENDS, IEEE, bits

#: Zeros, ones, ties, the smallest and the largest floats, and what overflows when it is doubled or squared.
NUMBERS = (
    0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, 7.0, 0.1, -0.3, 1e-8, -1e-8, 5e-324, -5e-324, 1e-309,
    2.2250738585072014e-308, 1e-300, 1e150, -1e150, 1e200, 1e300, -1e300, 1.7976931348623157e308, math.inf, -math.inf,
    math.nan, 1 - 2.0**-53, 1e16,
)  # fmt: skip
POINTS = 150
MOST_STEPS = 6
INPUTS = 2
#: Machine code is compiled for each program, and the other functions of the engine are slow: one in so many programs,
#: or points, is asked about.
ONE_IN = 4


class Step(NamedTuple):
    """A primitive over earlier results, and the constants among its operands."""

    name: str
    slots: tuple[int, ...]
    constants: tuple[tuple[int, float], ...]

    def __call__(self, numbers: Sequence[Any]) -> Any:
        operands = [numbers[slot] for slot in self.slots]
        for i, number in self.constants:
            operands[i] = number
        if self.name == "where":
            return autograd.where(operands[0] > operands[1], operands[1], operands[2])
        if self.name == "dot":
            half = len(operands) // 2
            return autograd.dot(operands[:half], operands[half:])
        if TABLE[self.name].n_ary:
            return getattr(autograd, self.name)(operands)
        return maker(TABLE[self.name])(*operands)


class RandomProgram(NamedTuple):
    """Steps over two inputs; the last one is the output."""

    steps: tuple[Step, ...]

    def __call__(self, *inputs: Any) -> Any:
        numbers = list(inputs)
        for step in self.steps:
            numbers.append(step(numbers))
        return numbers[-1]


def drawn(source: random.Random) -> RandomProgram:
    """A random program; the last result comes up more often among the operands."""
    steps: list[Step] = []
    for known in range(INPUTS, INPUTS + source.randint(2, MOST_STEPS)):
        row = TABLE[source.choice(IEEE)]
        size = row.arity if not row.n_ary else 4 if row.name == "dot" else source.randint(1, 3)
        constants: list[tuple[int, float]] = []
        if row.name != "where" and not callable(row.partials) and row.example:
            constants = [(i, row.example[0][i]) for i, rule in enumerate(row.partials) if rule is None]
        slots = [known - 1 if source.random() < 0.5 else source.randrange(known) for _ in range(size)]
        steps.append(Step(row.name, tuple(slots), tuple(constants) if row.name != "detach" else ()))
    return RandomProgram(tuple(steps))


class Report:
    """What was compared, and what came out otherwise."""

    def __init__(self) -> None:
        self.programs = self.cases = self.raising = 0
        self.wrong: list[str] = []

    def lines(self) -> list[str]:
        """The report in words."""
        return [
            f"{self.cases} cases of {self.programs} programs: {len(self.wrong)} disagree",
            f"  left out: {self.raising} points at which an operation raises",
            *[f"  {text}" for text in self.wrong[:20]],
        ]


def compare(f: RandomProgram, source: random.Random, report: Report) -> None:
    """Run a program at random points in every way, and note where one differs from ``backward()``."""
    points = [tuple([source.choice(NUMBERS) for _ in range(INPUTS)]) for _ in range(POINTS)]
    columns = [np.array(column) for column in zip(*points, strict=True)]
    expected = [_eagerly(f, point) for point in points]
    report.programs += 1
    report.raising += expected.count(None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ways = _ways(f, columns, native=report.programs % ONE_IN == 0)
    for name, found in ways.items():
        for point, right, *numbers in zip(points, expected, *found, strict=True):
            if right is not None:
                report.cases += 1
                if bits(right) != bits(numbers):
                    report.wrong.append(f"{name}: {f.steps} at {point}: {numbers} and not {right}")
    for point, right in list(zip(points, expected, strict=True))[::ONE_IN]:
        for name, slopes in _of_the_graph(f, point).items() if right is not None else ():
            report.cases += 1
            if bits(right[1:]) != bits(
                [x + 0.0 for x in slopes]
            ):  # backward() adds to 0.0, which -0.0 does not survive
                report.wrong.append(f"{name}: {f.steps} at {point}: {slopes} and not {right[1:]}")


def _eagerly(f: Callable[..., Any], point: Sequence[float]) -> list[float] | None:
    leaves = [Value(x) for x in point]
    try:
        output = f(*leaves)
        output.backward()
    except (ValueError, ArithmeticError):
        return None
    return [output.data, *(leaf.grad for leaf in leaves)]


def _of_the_graph(f: Callable[..., Any], point: Sequence[float]) -> dict[str, list[float]]:
    """The derivatives at a point that the functions of the engine find in its graph."""
    leaves = [Value(x) for x in point]
    output = f(*leaves)
    return {
        "grad": list(autograd.grad(f, range(len(point)))(*point)),
        "gradients": [slope.data for slope in autograd.gradients(output, leaves)],
        "evaluate": autograd.evaluate(output, wrt=leaves)[1],
    }


def _ways(f: Callable[..., Any], columns: Sequence[Any], *, native: bool) -> dict[str, list[Any]]:
    """Value and derivatives at all points, by the back end."""
    found: dict[str, list[Any]] = {}
    for backend in BACKENDS:
        if native or backend != "machine":
            step = autograd.compile(f.__call__, wrt=range(len(columns)), reduce=None, backend=backend)
            value, slopes = step.value_and_grad(*columns)
            found[backend] = [value, *slopes]
    return found
