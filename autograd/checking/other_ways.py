"""The other ways to the same derivatives: ``backward()``, ``grad`` and ``compile`` are to give one answer.

The engine's own derivatives, which are compared with differences, are those of the recorded program. A way that cannot
be gone is left out: ``compile`` without NumPy, or of a function that cannot be recorded; and whatever belongs to
another value, as that of a function that draws random numbers. The invariant: no ``.grad`` is other than before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from autograd.checking.calls import Call
from autograd.checking.differences import HALF_OF_THE_DIGITS
from autograd.checking.judging import FLAT
from autograd.checking.recorded import NO_NUMBER, as_float
from autograd.checking.report import Entry
from autograd.compiled.api import compile
from autograd.graph import topological_order
from autograd.interrupts import switched
from autograd.transforms import value_and_grad
from autograd.value import Value

#: ``(flat numbers) -> one output``.
Component = Callable[[list[Any]], Any]

#: Programs of more instructions are not compiled for a check: it would take longer than the check itself.
_MOST_INSTRUCTIONS = 2_000

_NOWHERE = math.nan


class Answer(NamedTuple):
    """The derivatives of one output by all inputs, as one way has them; nan where it refuses."""

    way: str
    derivatives: tuple[float, ...]

    def differs(self, i: int, analytic: float, off: float, *, at_a_kink: bool) -> bool:
        """Whether it is another answer than the recorded program's, by more than rounding."""
        found = self.derivatives[i]
        if not math.isfinite(analytic) or not math.isfinite(found):
            return math.isfinite(analytic) != math.isfinite(found)
        if at_a_kink and self.way == "compile":  # another rounding is on the other side of it
            return False
        return abs(found - analytic) > 4 * off + HALF_OF_THE_DIGITS * max(abs(found), abs(analytic))

    def said(self, i: int) -> str:
        """What it says, in words."""
        return f"{self.way} gives {self.derivatives[i]:.6g}"


def answers(call: Call, k: int, component: Component) -> list[Answer]:
    """What each way says of one output."""
    ways = {"backward()": _by_backward, "grad": _by_grad, "compile": _by_compile}
    found = [(way, ask(call, k, component)) for way, ask in ways.items()]
    return [Answer(way, tuple(derivatives)) for way, derivatives in found if derivatives is not None]


def _by_backward(call: Call, k: int, component: Component) -> list[float] | None:
    output = call.outputs[k]
    if not isinstance(output, Value):
        return None
    with _own_gradients({node for node in {*topological_order(output), *call.leaves} if isinstance(node, Value)}):
        for leaf in call.leaves:
            leaf.grad = 0.0
        try:
            output.backward()
            return [leaf.grad for leaf in call.leaves]
        except NO_NUMBER:
            return [_NOWHERE] * len(call.leaves)


class _own_gradients(switched):
    """A context after which nodes have the gradients that they had before."""

    def __init__(self, nodes: Iterable[Value]) -> None:
        super().__init__()
        self._before = [(node, node.grad) for node in nodes]

    def on(self) -> None:
        pass

    def off(self) -> None:
        for node, gradient in self._before:
            node.grad = gradient


def _by_grad(call: Call, k: int, component: Component) -> list[float] | None:
    try:
        value, gradient = value_and_grad(component)(list(call.inputs.numbers))
    except NO_NUMBER:
        return [_NOWHERE] * len(call.leaves)
    return [as_float(x) for x in gradient] if as_float(value) == call.values[k] else None


def _by_compile(call: Call, k: int, component: Component) -> list[float] | None:
    step = compiled(call, component)
    try:
        value, gradient = step.value_and_grad(list(call.inputs.numbers))
    except Exception:  # whatever a user's function raises while it is recorded
        return None
    return [float(x) for x in gradient] if _are_close(float(value), call.values[k]) else None


def compiled(call: Call, component: Component) -> Any:
    """One output, compiled; ``None`` where that cannot be or would take too long."""
    if len(call.recorded.program) > _MOST_INSTRUCTIONS:
        return None
    try:
        return compile(component, wrt=0, reduce=None, backend="numpy")
    except ModuleNotFoundError:
        return None


def second_derivatives(call: Call, k: int, component: Component) -> list[list[float]] | None:
    """The Hessian of one output, compiled."""
    step = compiled(call, component)
    numbers = list(call.inputs.numbers)
    try:
        if not _are_close(float(step(numbers)), call.values[k]):
            return None
        return [[float(x) for x in row] for row in step.at_points.hessian(numbers)]
    except Exception:  # as above
        return None


def _are_close(x: float, y: float) -> bool:
    return abs(x - y) <= FLAT * max(abs(x), abs(y))


def other_ways(found: Sequence[Answer], i: int, entry: Entry, off: float, *, at_a_kink: bool) -> str:
    """The ways that give another derivative than the others, in words.

    Where the entry's own is wrong and some way has what differences say, the wrong ones are those that have not.
    """

    def differing_from(x: float) -> list[Answer]:
        return [answer for answer in found if answer.differs(i, x, off, at_a_kink=at_a_kink)]

    others = differing_from(entry.analytic)
    if others and entry.verdict == "mismatch":
        wrong = differing_from(entry.numeric)
        if not {*others} <= {*wrong}:
            others = wrong
    return ", ".join(answer.said(i) for answer in others)


def is_refused(entry: Entry) -> bool:
    """Whether the engine raised: IEEE arithmetic may have found that what does not exist leads nowhere."""
    return math.isnan(entry.analytic) and (entry.verdict == "outside the domain" or bool(entry.note))
