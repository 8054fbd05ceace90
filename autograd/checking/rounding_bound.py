"""``rounding_error``: how far rounding may have moved the result of a graph, proved from one backward pass.

Let node i compute ``v̂ᵢ = fᵢ(v̂) + δᵢ`` from the computed operands, where ``fᵢ`` is the exact primitive and ``δᵢ`` what
this one operation lost: its *local* error, with a bound ``dᵢ``. Three steps make a proof of that.

1. Forward, a *box* for each node: the exact primitive over the boxes of the operands (in the number system of
   intervals), made wider by ``dᵢ``. For every t from 0 to 1, the numbers ``wᵢ(t) = fᵢ(w(t)) + t·δᵢ`` lie in the boxes,
   by induction; w(0) is the exact computation and w(1) the one that was made.
2. Backward, the cotangents over the boxes: each interval Aᵢ holds ``∂output/∂vᵢ`` at every w(t).
3. ``d output/dt = Σ ∂output/∂vᵢ · δᵢ``, so that integrating over t gives ``|computed - exact| ≤ Σ max|Aᵢ|·dᵢ``.

To first order that is ``Σ |∂output/∂vᵢ|·dᵢ`` with the cotangents at the computed numbers; the quotient of the two sums
is the factor which bounds all higher orders. Corners (``relu``, ``abs``, ``maximum``) are allowed: there w(t) still has
a derivative for almost every t, between those of the pieces. Jumps are not, and where a box meets one, or the edge of a
domain, or an infinite slope, nothing is proved and the bound is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from math import inf, nextafter
from types import SimpleNamespace
from typing import Any, NamedTuple

from autograd.checking.local_errors import distance, exact_error
from autograd.checking.propagation import weights
from autograd.checking.rounding_report import Contribution, RoundingBound
from autograd.errors import DomainError, operands_in_words
from autograd.interpret import apply, partials
from autograd.number_systems import floats, system_of
from autograd.number_systems.enclosures import UNDECIDED, Interval
from autograd.primitives import TABLE, Primitive
from autograd.program import Program, flatten
from autograd.provenance.lines import line_of
from autograd.value import Value, plain, refuse_if_stale

#: What cannot be continued: a domain left, an infinity met, a primitive that has no intervals.
_FAILURES = (ValueError, ArithmeticError, TypeError, NotImplementedError)


def rounding_error(output: Any) -> RoundingBound:
    """A proven bound on the rounding error of a computed Value, and the nodes that contribute most.

    The error is the difference from what exact arithmetic makes of the same leaves and plain numbers, which count as
    exact, as does every choice that the user's own ``if`` made. What is taken on trust is that ``+ - × ÷ √`` are
    rounded correctly (IEEE 754), and that the C library is as accurate as ``number_systems.enclosures.ULPS`` says. The
    bound is ``first_order · factor``; it is infinite, with the reason and the node, where a rounding error may reach
    the edge of a domain, an infinite slope, or a jump such as an undecided ``where``. Time is linear in the size of the
    graph, about 15 µs a node; the partials of a declared primitive are taken as they are declared.

    In the median the bound is 6 times the true error over 10,000 random expressions of all primitives (10 times where
    the result is not exact; most of it is what the C library might have lost and did not), and 2 times over expressions
    of arithmetic that cancel.

    >>> x = Value(1e-9)
    >>> print(rounding_error((1.0 + x) - 1.0))
    1.000000082740371e-09 ± 8.3e-17 (relative 8.3e-08; first order × 1)
      100.0%  add = 1
    >>> rounding_error(Value(0.5) * 3.0).bound
    0.0

    Raises:
        TypeError: the output is no Value.
        StaleGraphError: a leaf was written after the result had been computed.
    """
    if not isinstance(output, Value):
        if plain(output) is not None:
            raise TypeError(f"rounding_error takes a Value, which knows how it was computed; {output!r:.200} does not")
        raise TypeError(f"rounding_error takes one Value, not {type(output).__name__}")
    program, nodes = flatten([output])
    refuse_if_stale([node for node in nodes[program.first_instruction :] if isinstance(node, Value)])
    return _Analysis(program, nodes).result()


class _Cotangent(NamedTuple):
    """∂output/∂slot: an interval over the boxes, and at the computed numbers."""

    over: Any
    at: float

    def through(self, slope: tuple[Any, Any]) -> _Cotangent | None:
        over, at = slope
        if over.__class__ is int and over == 0:
            return None
        return _Cotangent(self.over if over.__class__ is int and over == 1 else self.over * over, self.at * at)

    def plus(self, other: _Cotangent) -> _Cotangent:
        return _Cotangent(self.over + other.over, self.at + other.at)


class _Unbounded(Exception):
    """Nothing can be proved, for a reason and at a slot."""

    def __init__(self, reason: str, slot: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.slot = slot


class _Analysis:
    """The boxes, local errors and cotangents of one program."""

    def __init__(self, program: Program, nodes: Sequence[Any]) -> None:
        self.m: Any = system_of("intervals")
        self.strict = _strict(self.m)
        # The error of a detached number reaches the result as well, though no derivative flows there.
        flowing = tuple([TABLE["identity"] if p is TABLE["detach"] else p for p in program.primitives])
        self.program = Program(
            flowing,
            program.opcodes,
            program.starts,
            program.operands,
            program.constants,
            program.inputs,
            program.outputs,
        )
        self.steps = list(self.program.instructions())
        self.nodes = nodes
        self.numbers = [getattr(node, "data", getattr(node, "outcome", node)) for node in nodes]
        self.output = program.outputs[0]
        self.boxes: list[Any] = []
        #: Slot → bound on what the node's own rounding lost, where that is not zero.
        self.local: dict[int, float] = {}

    def result(self) -> RoundingBound:
        value: float = self.numbers[self.output]
        try:
            self._go_forward()
            amounts, first = self._go_back()
        except _Unbounded as found:
            return RoundingBound(value, inf, math.nan, inf, [], found.reason, self.nodes[found.slot])
        # fsum is correct to its last digit, and the next float makes good for that one.
        total = math.fsum(amounts.values())
        bound = nextafter(total, inf) if total else 0.0
        factor = bound / first if first else (inf if bound else 1.0)
        return RoundingBound(value, bound, first, factor, self._contributions(amounts, bound))

    def _go_forward(self) -> None:
        """Boxes and local errors; raises for what a box may not meet."""
        m, numbers, boxes, local = self.m, self.numbers, self.boxes, self.local
        for slot in range(self.program.first_instruction):
            if math.isnan(numbers[slot]):
                raise _Unbounded("a leaf is nan", slot)
            boxes.append(m.number(numbers[slot]))
        for slot, (primitive, operands) in enumerate(self.steps, start=self.program.first_instruction):
            inside, computed = _of(operands, boxes), _of(operands, numbers)
            try:
                box = self._apply(primitive, inside)
                if primitive.compares:
                    boxes.append(box)
                    continue
                self._refuse_jumps(primitive, inside)
                z = numbers[slot]
                if not math.isfinite(z):
                    raise ValueError(f"its value is {z}")
                d = exact_error(primitive, z, computed)
                if d is None:
                    d = distance(z, self._apply(primitive, [self._point(x) for x in computed]))
                    if math.isinf(d):
                        raise OverflowError
            except _FAILURES as error:
                raise _Unbounded(_in_words(m, primitive, error, inside), slot) from None
            if d:
                local[slot] = d
                box = Interval(nextafter(box.low - d, -inf), nextafter(box.high + d, inf))
            boxes.append(box)

    def _apply(self, primitive: Primitive, operands: list[Any]) -> Any:
        if primitive.built_in:
            return apply(self.m, primitive, operands)
        return self.m.number(apply(self.strict, primitive, operands))

    def _point(self, x: Any) -> Any:
        return x if x is None or x.__class__ is bool else self.m.number(x)

    def _refuse_jumps(self, primitive: Primitive, inside: list[Any]) -> None:
        """Raise ValueError where the value may jump, or may change with an operand that has no derivative."""
        m = self.m
        if primitive is TABLE["where"]:
            if inside[0] is UNDECIDED:
                raise ValueError("rounding errors leave its condition undecided")
            return
        if not callable(primitive.partials) and None in primitive.partials:
            for name, rule, box in zip(primitive.arguments, primitive.partials, inside, strict=False):
                if rule is None and self._moves(box):
                    raise ValueError(f"{name} is not exact, and has no derivative")
        if primitive.jumps and any(map(self._moves, inside)) and primitive.kinks(*map(m.plain, inside)) is not False:
            raise ValueError("it may jump within the rounding errors of its operands")

    def _go_back(self) -> tuple[dict[int, float], float]:
        """Slot → what its rounding adds to the error at most; and the sum of that to first order."""
        cotangents = weights(self.program, self.output, _Cotangent(self.m.number(1.0), 1.0), self._slopes)
        amounts: dict[int, float] = {}
        first_order = []
        for slot, d in self.local.items():
            cotangent = cotangents[slot]
            if cotangent is None:
                continue
            size = self.m.abs(cotangent.over).high
            if not math.isfinite(size):
                raise _Unbounded("the slope of the result may be infinite within the rounding errors", slot)
            if size:
                amounts[slot] = nextafter(size * d, inf)
            first_order.append(math.fabs(cotangent.at) * d)
        return amounts, math.fsum(first_order)

    def _slopes(self, slot: int) -> Iterable[tuple[int, tuple[Any, Any]]]:
        """The slopes over the boxes and at the computed numbers; an operand without error does not move, whatever its
        slope."""
        primitive, operands = self.steps[slot - self.program.first_instruction]
        moving = [i for i, o in enumerate(operands) if o >= 0 and self._moves(self.boxes[o])]
        if primitive.compares or not moving:
            return ()
        try:
            over = partials(self.m, primitive, self.boxes[slot], _of(operands, self.boxes), moving)
            at = partials(floats, primitive, self.numbers[slot], _of(operands, self.numbers), moving)
        except _FAILURES as error:
            raise _Unbounded(_in_words(self.m, primitive, error), slot) from None
        return zip([operands[i] for i in moving], zip(over, at, strict=True), strict=True)

    def _moves(self, box: Any) -> bool:
        """Whether an operand has an error: a condition and an exact number have none."""
        return box.__class__ is Interval and box.low != box.high

    def _contributions(self, amounts: dict[int, float], bound: float) -> list[Contribution]:
        found = []
        for slot, amount in sorted(amounts.items(), key=lambda item: -item[1]):
            node = self.nodes[slot]
            name = node.primitive.name
            found.append(Contribution(name, node.label, line_of(node), amount / bound, amount, node))
        return found


def _of(operands: Iterable[int], numbers: Sequence[Any]) -> list[Any]:
    """The numbers of an instruction's operands; ``None`` for a branch that was never called."""
    return [None if o < 0 else numbers[o] for o in operands]


def _in_words(m: Any, primitive: Primitive, error: Exception, operands: Sequence[Any] = ()) -> str:
    """What went wrong at a primitive; of its value, without the line of the user's that runs now."""
    name = primitive.name
    if isinstance(error, OverflowError):
        return f"{name} or its slope may be too large for a float" + _given(primitive, operands)
    if isinstance(error, DomainError) and operands:
        inside = primitive.n_ary or primitive.domain(*map(m.plain, operands)) is True
        why = f": {error.__cause__}" if inside or not primitive.needs else f" needs {primitive.needs}"
        return name + why + _given(primitive, operands)
    text = str(error)
    return text if text.startswith(name) else f"{name}: {text}"


def _given(primitive: Primitive, operands: Sequence[Any]) -> str:
    return f"; {operands_in_words(primitive, operands)}" if operands else ""


def _strict(m: Any) -> Any:
    """The system without a hull of two branches: what a declared primitive chooses by must be decided."""

    def where(condition: Any, x: Any, y: Any) -> Any:
        if condition is UNDECIDED:
            raise ValueError("rounding errors leave a choice inside of it undecided")
        return m.where(condition, x, y)

    return SimpleNamespace(**{**vars(m), "where": where})
