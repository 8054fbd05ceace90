"""Random expressions for the comparison with other engines: plain ``random``, as 100,000 of them must be cheap.

Each step applies a primitive to any earlier results, so parts are shared. Operands keep clear of kinks, of the ends of
domains and of what is no finite number: there the engines follow conventions of their own, which tests elsewhere pin.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd import TABLE
from autograd.number_systems import floats

INPUTS = 3
STEPS = 6


class Operation(NamedTuple):
    """A primitive as it is drawn: how many operands vary, and the constants that follow them."""

    name: str
    size: int
    constants: tuple[float, ...] = ()

    def value(self, m: Any, operands: Sequence[Any]) -> Any:
        """Its value in a number system."""
        if self.name == "where":
            condition, x, y = operands
            return m.where(m.greater(condition, 0), x, y)
        arguments = [*operands, *map(m.number, self.constants)]
        return getattr(m, self.name)(arguments) if TABLE[self.name].n_ary else getattr(m, self.name)(*arguments)


#: Parameters of the rows that have them: those of the peers' defaults where they have no choice.
CONSTANTS = {
    "clip": (-0.5, 0.75),
    "leaky_relu": (0.125,),
    "elu": (1.25,),
    "selu": (1.0507009873554805, 1.6732632423543772),
}
#: How many operands a row of any number of them is drawn with.
COUNTS = {"dot": 4, "logsumexp": 3, "mean": 3, "prod": 3, "sum": 3}

OPERATIONS = tuple(
    Operation(row.name, COUNTS.get(row.name, row.arity) - len(CONSTANTS.get(row.name, ())), CONSTANTS.get(row.name, ()))
    for row in TABLE.values()
    if not row.compares
)


class Expression(NamedTuple):
    """Steps over three inputs; the last one is the output."""

    steps: tuple[tuple[Operation, tuple[int, ...]], ...]
    inputs: tuple[float, ...]

    def evaluate(self, apply: Callable[[Operation, list[Any]], Any], inputs: Sequence[Any]) -> list[Any]:
        """Every result, inputs first."""
        numbers = list(inputs)
        for operation, slots in self.steps:
            numbers.append(apply(operation, [numbers[slot] for slot in slots]))
        return numbers

    def __str__(self) -> str:
        lines = [f"x{i} = {x!r}" for i, x in enumerate(self.inputs)]
        for i, (operation, slots) in enumerate(self.steps, start=len(self.inputs)):
            arguments = [*(f"x{slot}" for slot in slots), *map(repr, operation.constants)]
            lines.append(f"x{i} = {operation.name}({', '.join(arguments)})")
        return "; ".join(lines)


#: Results beyond this are not drawn: the next exponential would overflow in one engine and not in another.
LARGEST = 1e3
#: Where a kink lies within this distance, rounding decides on which side of it an engine is.
CLEAR = 9  # decimal places


def is_clear(operation: Operation, operands: Sequence[float]) -> bool:
    """Whether value and partials are ordinary there and a little beside."""
    row = TABLE[operation.name]
    rounded = [round(x, CLEAR) for x in operands]
    if operation.name == "where":
        return rounded[0] != 0
    if row.n_ary:
        return True
    for point in (operands, rounded):
        xs = (*point, *operation.constants)
        if not row.domain(*xs) or row.kinks(*xs) or any(limit.at(*xs) for limit in row.limits):
            return False
        if not all(row.partial_domain(i)(*xs) for i in range(operation.size)):
            return False
    return True


def draw(source: random.Random, operations: Sequence[Operation]) -> Expression:
    """A random expression at random inputs, all results finite and clear of kinks."""
    while True:
        inputs = tuple([source.uniform(-2.0, 2.0) for _ in range(INPUTS)])
        numbers = list(inputs)
        steps: list[tuple[Operation, tuple[int, ...]]] = []
        for _ in range(20 * STEPS):
            operation = source.choice(operations)
            known = len(numbers)
            # The last result comes up more often, so that few are left unused.
            slots = tuple(
                [known - 1 if source.random() < 0.4 else source.randrange(known) for _ in range(operation.size)]
            )
            operands = [numbers[slot] for slot in slots]
            if not is_clear(operation, operands):
                continue
            try:
                value = operation.value(floats, operands)
            except OverflowError:
                continue
            if not math.isfinite(value) or abs(value) > LARGEST:
                continue
            numbers.append(value)
            steps.append((operation, slots))
            if len(steps) == STEPS:
                return Expression(tuple(steps), inputs)
