"""Two engines compared, and a referee of fifty digits for what they disagree on.

Numbers that differ by no more than 1e-12 of the larger agree, and that settles nearly all. Where terms cancel, no float
formula can promise this; then the referee decides. It needs no rule of the table: it differentiates each primitive
numerically with many digits, and puts the derivatives together by the chain rule. Beside the exact derivative it finds
its *size*: the sum of its terms' absolute values, and how far it moves when a result on the way moves by its own size.
That is what the rounding of the terms and of the results is relative to, and ours should be within 1e-12 of it.

Some rules cancel in themselves: that of gelu at its minimum, and the second derivative of hypot, 1/z - x²/z³. What is
within 1e-12 of the terms that the rule adds up, but not of the size above, is right and is counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np
from mpmath import mp

from autograd import TABLE
from autograd.number_systems import mpmath_
from tests.peers.drawing import INPUTS, Expression, Operation
from tests.peers.engines import Engine

TOLERANCE = 1e-12

_BITS = 500
_STEP = 160


def _local(operation: Operation, operands: list[Any]) -> tuple[list[Any], list[list[Any]]]:
    """First and second partials of a primitive, by central differences of many digits."""
    n = len(operands)
    h = [mp.ldexp(1, -_STEP) * max(1, abs(x)) for x in operands]

    def f(*moves: int) -> Any:
        return operation.value(mpmath_, [x + k * s for x, k, s in zip(operands, moves, h, strict=True)])

    def unit(i: int, sign: int = 1) -> list[int]:
        return [sign if j == i else 0 for j in range(n)]

    middle = f(*[0] * n)
    beside = [(f(*unit(i, -1)), f(*unit(i))) for i in range(n)]
    first = [(right - left) / (2 * h[i]) for i, (left, right) in enumerate(beside)]
    second = [[mp.zero] * n for _ in range(n)]
    for i in range(n):
        second[i][i] = (beside[i][0] - 2 * middle + beside[i][1]) / h[i] ** 2
        for j in range(i):
            corners = mp.zero
            for a in (1, -1):
                for b in (1, -1):
                    corners += a * b * f(*[a if k == i else b if k == j else 0 for k in range(n)])
            second[i][j] = second[j][i] = corners / (4 * h[i] * h[j])
    return first, second


def _terms_of_rules(operation: Operation, operands: list[Any], z: Any, first: list[Any]) -> tuple[list[Any], Any]:
    """Of first and second partials, the absolute terms that the rules of the table add up, each operand of a rule and
    its ``z`` being rounded; by differences of the rules. Only tolerances come of this, no derivative."""
    row = TABLE[operation.name]
    if operation.name == "where":
        return [abs(p) for p in first], [[mp.zero] * 3 for _ in range(3)]
    xs = [*operands, *operation.constants]

    def rules(z: Any, xs: list[Any]) -> list[Any]:
        if callable(row.partials):
            return row.partials(mpmath_, z, xs)
        return [rule(mpmath_, z, *xs) if rule else 0 for rule in row.partials]

    def slopes(points: list[tuple[Any, list[Any]]], h: Any) -> list[Any]:
        right, left = (rules(*point) for point in points)
        return [abs(a - b) / (2 * h) for a, b in zip(right, left, strict=True)]

    n = len(operands)
    h = mp.ldexp(1, -_STEP)
    by_z = slopes([(z + h, xs), (z - h, xs)], h)
    by_x = [slopes([(z, [x + s * h if k == i else x for k, x in enumerate(xs)]) for s in (1, -1)], h) for i in range(n)]
    of_first = [
        abs(first[a]) + by_z[a] * abs(z) + sum((by_x[i][a] * abs(operands[i]) for i in range(n)), mp.zero)
        for a in range(n)
    ]
    return of_first, [[by_x[b][a] + by_z[a] * of_first[b] for b in range(n)] for a in range(n)]


def _derivatives(expression: Expression, nudged: int = -1, *, by_rules: bool = False) -> tuple[Any, Any, Any, Any]:
    """Gradient and Hessian, each with the sums of absolute terms.

    Args:
        nudged: a result that is changed by 10⁻³⁰ of itself.
        by_rules: whether the terms are those that the rules of the table add up.
    """
    numbers: list[Any] = [mp.mpf(x) for x in expression.inputs]
    inputs = range(INPUTS)
    # Of each result: its derivatives by the inputs, and the same with absolute terms.
    moves = [[mp.mpf(i == j) for j in inputs] for i in inputs]
    sizes = [list(row) for row in moves]
    partials: list[Any] = []
    for operation, slots in expression.steps:
        operands = [numbers[s] for s in slots]
        first, second = _local(operation, operands)
        if operation.name == "detach":
            first = [mp.zero]
        value = operation.value(mpmath_, operands)
        if by_rules and operation.name != "detach":
            of_first, of_second = _terms_of_rules(operation, operands, value, first)
        else:
            of_first, of_second = [abs(p) for p in first], [[abs(p) for p in row] for row in second]
        if len(numbers) == nudged:
            value *= 1 + mp.mpf(10) ** -30
        numbers.append(value)
        partials.append((first, second, of_first, of_second))
        for table, factors in ((moves, first), (sizes, of_first)):
            table.append([sum((p * table[s][j] for p, s in zip(factors, slots, strict=True)), mp.zero) for j in inputs])
    last = len(numbers) - 1
    cotangents = [mp.mpf(k == last) for k in range(last + 1)]
    weights = list(cotangents)
    hessian = [[mp.zero] * INPUTS for _ in inputs]
    terms = [[mp.zero] * INPUTS for _ in inputs]
    for k in range(last, INPUTS - 1, -1):
        _, slots = expression.steps[k - INPUTS]
        first, second, of_first, of_second = partials[k - INPUTS]
        for a, s in enumerate(slots):
            cotangents[s] += cotangents[k] * first[a]
            weights[s] += weights[k] * of_first[a]
            for b, t in enumerate(slots):
                if not second[a][b] and not of_second[a][b]:
                    continue
                for i in inputs:
                    for j in inputs:
                        hessian[i][j] += cotangents[k] * second[a][b] * moves[s][i] * moves[t][j]
                        terms[i][j] += weights[k] * of_second[a][b] * sizes[s][i] * sizes[t][j]
    return moves[last], sizes[last], hessian, terms


@dataclass(frozen=True)
class Ruling:
    """Exact derivatives and their sizes: of the gradient (3) and of the Hessian (3, 3), flat, one after the other."""

    exact: list[Any]
    size: list[Any]

    def error(self, computed: np.ndarray) -> float:
        """The largest error, relative to the size."""
        largest = 0.0
        for x, exact, size in zip(computed, self.exact, self.size, strict=True):
            off = abs(mp.mpf(float(x)) - exact)
            if not mp.isfinite(off):
                return float("inf")
            if off > mp.mpf(10) ** -40:  # below that is the referee's own error
                largest = max(largest, float(off / size) if size else float("inf"))
        return largest


def referee(expression: Expression, *, by_rules: bool = False) -> Ruling:
    """The exact derivatives of an expression, and what their rounding is relative to; see the top of this file."""
    with mpmath.workprec(_BITS):

        def flat(first: list[Any], second: list[list[Any]]) -> list[Any]:
            return [*first, *(x for row in second for x in row)]

        gradient, sizes, hessian, terms = _derivatives(expression, by_rules=by_rules)
        exact, size = flat(gradient, hessian), flat(sizes, terms)
        for k in range(INPUTS, INPUTS + len(expression.steps)):
            first, _, second, _ = _derivatives(expression, nudged=k)
            for i, moved in enumerate(flat(first, second)):
                size[i] += abs(moved - exact[i]) * mp.mpf(10) ** 30
        return Ruling(exact, size)


@dataclass
class Report:
    """What a comparison found so far."""

    expressions: int = 0
    #: Numbers compared: nine second derivatives and three first ones an expression.
    numbers: int = 0
    #: Expressions with a number that differs by more than the tolerance.
    disputes: int = 0
    #: Of these: both are right but for cancellation; ours is, but for cancellation in a rule; or the peer is wrong.
    both_right: int = 0
    rule_cancels: int = 0
    peer_wrong: int = 0
    wrong: list[str] = field(default_factory=list)
    #: The largest relative difference that needed no referee; our largest error in a dispute, relative to the size.
    worst: float = 0.0
    worst_in_a_dispute: float = 0.0
    covered: Counter[str] = field(default_factory=Counter)
    blamed: Counter[str] = field(default_factory=Counter)
    #: Disputes in which the peer was furthest off.
    examples: list[str] = field(default_factory=list)

    def lines(self, name: str) -> list[str]:
        """The report in words."""
        counts = sorted(self.covered.values())
        text = [
            f"{name}: {self.expressions} expressions, {self.numbers} derivatives of first and second order",
            f"  primitives: {len(self.covered)}, each in {counts[0] if counts else 0} expressions or more",
            f"  {self.expressions - self.disputes} agree to {TOLERANCE:g}, the worst to {self.worst:.1e}",
            f"  {self.disputes} went to the referee; ours is at most {self.worst_in_a_dispute:.1e} off the exact ones",
            f"    in {self.both_right} terms cancel and both are right",
            f"    in {self.rule_cancels} the terms of a rule of ours cancel",
            f"    in {self.peer_wrong} {name} is off",
            f"  ours is wrong in {len(self.wrong)}",
        ]
        if self.blamed:
            most = ", ".join(f"{n} {k}" for n, k in self.blamed.most_common(8))
            text.append(f"  where {name} is off, the expression has most often: {most}")
        return [*text, *(f"  {line}" for line in [*self.examples[:3], *self.wrong[:10]])]


def compare(ours: Engine, theirs: Engine, expressions: Sequence[Expression], report: Report) -> None:
    """Compare two engines on some expressions, and add what is found to the report."""
    mine, other = (
        np.concatenate([first, second.reshape(len(expressions), -1)], axis=1)
        for first, second in (ours.derivatives(expressions), theirs.derivatives(expressions))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        larger = np.maximum(np.abs(mine), np.abs(other))
        apart = np.where(mine == other, 0.0, np.abs(mine - other) / larger)
    apart = np.where(np.isnan(apart), np.inf, apart)
    worst = apart.max(axis=1)
    report.expressions += len(expressions)
    report.numbers += mine.size
    report.worst = max([report.worst, *worst[worst <= TOLERANCE].tolist()])
    for n, expression in enumerate(expressions):
        names = {operation.name for operation, _ in expression.steps}
        report.covered.update(names)
        if worst[n] <= TOLERANCE:
            continue
        report.disputes += 1
        ruling = referee(expression)
        off, peer_off = ruling.error(mine[n]), ruling.error(other[n])
        cancels = off > TOLERANCE
        if cancels:
            off = referee(expression, by_rules=True).error(mine[n])
        report.worst_in_a_dispute = max(report.worst_in_a_dispute, off)
        if off > TOLERANCE:
            report.wrong.append(f"ours is off by {off:.1e}, {theirs.name} by {peer_off:.1e}: {expression}")
        elif cancels:
            report.rule_cancels += 1
        elif peer_off > TOLERANCE:
            report.peer_wrong += 1
            report.blamed.update(names)
            report.examples.append(f"{theirs.name} is off by {peer_off:.1e} of the size: {expression}")
        else:
            report.both_right += 1
