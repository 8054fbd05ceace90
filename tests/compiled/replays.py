"""What replays are compared with: the engine sample by sample, and the tree of sums written out in plain Python."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd import Value
from autograd.compiled.backends.native.operations import operations
from autograd.compiled.backends.reduction import CHUNK, LANES
from autograd.compiled.native_steps import NativeSteps

BACKENDS = ("numpy", "interpreter", "machine")

#: What IEEE 754 rounds correctly, and what is made of choices among such numbers: the same on every back end, bit for
#: bit, with the same derivatives.
IEEE = (
    "add", "sub", "mul", "div", "sqrt", "neg", "square", "reciprocal", "sum", "dot", "mean", "prod", "maximum",
    "minimum", "abs", "sign", "relu", "leaky_relu", "clip", "floor", "ceil", "where", "identity", "detach",
)  # fmt: skip


def steps_taken_natively(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that gets how many steps each native call takes."""
    taken: list[int] = []
    own = NativeSteps.run

    def counted(self: NativeSteps, samples: Any, first: int, size: int, ran: Any, **keywords: Any) -> bool:
        before = ran.steps
        try:
            return own(self, samples, first, size, ran, **keywords)
        finally:
            taken.append(ran.steps - before)

    monkeypatch.setattr(NativeSteps, "run", counted)
    return taken


def bits(numbers: Any) -> list[str]:
    """The bits of each number; every nan counts as the same."""
    flat = np.asarray(numbers, dtype=np.float64).reshape(-1).tolist()
    return ["nan" if x != x else struct.pack(">d", x).hex() for x in flat]


def runs_natively(primitives: Sequence[Any]) -> bool:
    """Whether interpreter and machine code have all of these rows, so that a test may ask for them."""
    written_out = {"sum", "prod", "mean", "dot", "logsumexp", "identity", "detach"}
    return all(row.name in operations() or row.name in written_out for row in primitives)


class Eager(NamedTuple):
    """Per sample: values, gradients by the parameters, gradients by the arguments."""

    values: list[float]
    by_params: list[list[float]]
    by_arguments: list[list[float]]


def eagerly(f: Callable[..., Any], rows: Sequence[Sequence[float]], params: Sequence[Value] = ()) -> Eager:
    """The function sample by sample, by the engine itself."""
    found = Eager([], [], [])
    for row in rows:
        leaves = [Value(x) for x in row]
        for param in params:
            param.grad = 0.0
        output = f(*leaves)
        if isinstance(output, Value):
            output.backward()
        found.values.append(output.data if isinstance(output, Value) else float(output))
        found.by_params.append([param.grad for param in params])
        found.by_arguments.append([leaf.grad for leaf in leaves])
    return found


def tree_sum(numbers: Sequence[float]) -> float:
    """The sum over samples as documented: chunks, lanes within a chunk, lanes added in pairs, chunks in order."""
    total: float | None = None
    for start in range(0, len(numbers), CHUNK):
        lanes = [0.0] * LANES
        for i, x in enumerate(numbers[start : start + CHUNK]):
            lanes[i % LANES] += x
        fours = [(lanes[i] + lanes[i + 1]) + (lanes[i + 2] + lanes[i + 3]) for i in (0, 4)]
        chunk = fours[0] + fours[1]
        total = chunk if total is None else total + chunk
    return 0.0 if total is None else total
