"""The other ways to the same derivatives: ``backward()``, ``grad`` and ``compile``, on each back end, are to give one
answer.

The engine's own derivatives, which are compared with differences, are those of the recorded program. A way that cannot
be gone is left out: ``compile`` without NumPy, or of a function that cannot be recorded; and whatever belongs to
another value, as that of a function that draws random numbers. The invariant: no ``.grad`` is other than before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from autograd import interpret, value_system
from autograd.checking.calls import Call
from autograd.checking.differences import HALF_OF_THE_DIGITS
from autograd.checking.judging import FLAT
from autograd.checking.recorded import (
    NO_NUMBER,
    Recorded,
    as_float,
    has_formula,
    has_partial,
    partials_or_nothing,
)
from autograd.checking.report import Entry
from autograd.compiled.api import compile
from autograd.graph import topological_order
from autograd.interrupts import switched
from autograd.number_systems import floats
from autograd.primitives import Primitive
from autograd.transforms import value_and_grad
from autograd.value import Value

#: ``(flat numbers) -> one output``.
Component = Callable[[list[Any]], Any]

#: Programs of more instructions are not compiled for a check: it would take longer than the check itself.
_MOST_INSTRUCTIONS = 2_000

#: A value that is off by more times its rounding, and by more than a part of it, is no matter of rounding.
_MANY_ROUNDINGS = 1000

#: Operations that are looked at for the one that a back end computes wrongly.
_MOST_SUSPECTS = 100

_NOWHERE = math.nan


class Answer(NamedTuple):
    """The derivatives of one output by all inputs, as one way has them; nan where it refuses.

    Of a back end there is the value, if that is another one already, and what finds the operation to blame.
    """

    way: str
    derivatives: tuple[float, ...]
    backend: str = ""
    wrong_value: float | None = None
    blame: Callable[[], str] = str

    def differs(self, i: int, analytic: float, off: float, *, at_a_kink: bool) -> bool:
        """Whether it is another answer than the recorded program's, by more than rounding."""
        found = self.derivatives[i]
        if self.wrong_value is not None:
            return not at_a_kink
        if not math.isfinite(analytic) or not math.isfinite(found):
            return math.isfinite(analytic) != math.isfinite(found)
        if at_a_kink and self.way == "compile":  # another rounding is on the other side of it
            return False
        return abs(found - analytic) > 4 * off + HALF_OF_THE_DIGITS * max(abs(found), abs(analytic))

    def said(self, i: int, *, by_all: bool) -> str:
        """What it says, in words; of back ends together, if all that were asked say the same."""
        what = f"{self.derivatives[i]:.6g}" if self.wrong_value is None else f"the value {self.wrong_value:.6g}"
        if by_all or not self.backend:
            return f"{self.way} gives {what}"
        return f"compile(backend={self.backend!r}) gives {what}{self.blame()}"


def answers(call: Call, k: int, component: Component, compiled: Compilation) -> list[Answer]:
    """What each way says of one output."""
    ways = {"backward()": _by_backward, "grad": _by_grad}
    found = [(way, ask(call, k, component)) for way, ask in ways.items()]
    by_hand = [Answer(way, tuple(derivatives)) for way, derivatives in found if derivatives is not None]
    return by_hand + compiled.gradients()


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


class Compilation:
    """One output, compiled: recorded once, and run on each back end.

    Args:
        noise: how far rounding may have moved the output.
        backends: those to ask; one that is not installed is left out.
    """

    def __init__(self, call: Call, k: int, component: Component, noise: float, backends: Sequence[str]) -> None:
        self._call, self._value, self._noise = call, call.values[k], noise
        self._backends = backends if len(call.recorded.program) <= _MOST_INSTRUCTIONS else ()
        self._component = component
        self._steps: dict[str, Any] = {}

    def gradients(self) -> list[Answer]:
        """The derivatives by all inputs, on each back end."""

        def ask(step: Any, point: Any) -> tuple[Any, Any]:
            value, gradient = step.value_and_grad(point)
            return value[0], gradient[0]

        return self._asked(ask)

    def hessians(self) -> list[Answer]:
        """All second derivatives, row by row, on each back end."""
        return self._asked(lambda step, point: (step(point)[0], step.at_points.hessian(point)[0].reshape(-1)))

    def _asked(self, ask: Callable[[Any, Any], tuple[Any, Any]]) -> list[Answer]:
        """The answers of all back ends, if one has the value that the function has: of another one they tell nothing,
        as of a function that draws random numbers."""
        found: list[tuple[str, float, Any]] = []
        for backend in self._backends:
            try:
                step = self._on(backend)
                value, derivatives = ask(step, step.arrays([list(self._call.inputs.numbers)])[0])
            except (ImportError, NotImplementedError):
                continue
            except Exception:  # whatever a user's function raises while it is recorded
                if not self._steps:
                    return []
                continue
            self._steps[backend] = step
            found.append((backend, float(value), derivatives))
        if not any(_are_close(value, self._value) for _, value, _ in found):
            return []
        return [
            Answer(
                "compile", tuple(map(float, derivatives)), backend, None if _are_close(value, self._value) else value,
                partial(_blamed, self._call.recorded, backend) if len(found) > 1 else str,
            )
            for backend, value, derivatives in found
            if _are_close(value, self._value) or abs(value - self._value) > _MANY_ROUNDINGS * self._noise
        ]  # fmt: skip

    def _on(self, backend: str) -> Any:
        """The compiled function on a back end; what is recorded and planned already is taken over."""
        if backend in self._steps:
            return self._steps[backend]
        for step in self._steps.values():
            return step.on(backend)
        return compile(self._component, wrt=0, reduce=None, backend=backend)


def _blamed(recorded: Recorded, backend: str) -> str:
    """The first operation that a back end computes wrongly when it stands alone, in words; nothing if none is found."""
    program = recorded.program
    suspects = dict.fromkeys(
        (primitive, tuple([recorded.numbers[o] for o in operands]))
        for primitive, operands in program.instructions()
        if not primitive.compares and min(operands, default=-1) >= 0 and has_formula(primitive)
    )
    for primitive, numbers in islice(suspects, _MOST_SUSPECTS):
        if all(isinstance(x, float) for x in numbers) and _is_wrong(primitive, numbers, backend):
            return f" ({primitive.name} is wrong there)"
    return ""


def _is_wrong(primitive: Primitive, numbers: Sequence[float], backend: str) -> bool:
    """Whether a back end has another value or other slopes of one operation than floats have."""
    wanted = [i for i in range(len(numbers)) if has_partial(primitive, i)]
    z = interpret.apply(floats, primitive, numbers)
    slopes = partials_or_nothing(primitive, z, numbers, wanted)
    step = compile(lambda xs: interpret.apply(value_system, primitive, xs), wrt=0, reduce=None, backend=backend)
    try:
        value, found = step.value_and_grad(step.arrays([list(numbers)])[0])
    except NO_NUMBER:
        return True
    pairs = [(z, value[0]), *[(slope, found[0][i]) for i, slope in zip(wanted, slopes, strict=True)]]
    return any(x is not None and abs(x - y) > FLAT * max(abs(x), abs(y)) for x, y in pairs)


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
    compiled = [answer for answer in others if answer.backend]
    texts = {answer.said(i, by_all=True) for answer in compiled}
    by_all = len(texts) == 1 and len(compiled) == sum(bool(answer.backend) for answer in found)
    return ", ".join(dict.fromkeys(answer.said(i, by_all=by_all) for answer in others))


def is_refused(entry: Entry) -> bool:
    """Whether the engine raised: IEEE arithmetic may have found that what does not exist leads nowhere."""
    return math.isnan(entry.analytic) and (entry.verdict == "outside the domain" or bool(entry.note))
