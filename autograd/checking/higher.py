"""Derivatives of derivatives: those of order n are compared with differences of those of order n - 1.

With few inputs every partial derivative is checked by itself. With many, derivatives are taken along random directions,
each of which mixes all of them: one that is wrong shows in every direction but by a coincidence of measure zero.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from autograd.checking.differences import slopes
from autograd.checking.judging import BESIDE_THE_LARGEST, FLAT, NOTHING, Judge, method_of, nothing_at_all
from autograd.checking.recorded import NO_NUMBER, Recorded, as_float
from autograd.checking.report import Entry
from autograd.checking.rounding_estimate import Rounding
from autograd.checking.shrinking_steps import Function
from autograd.transforms import jacobian, jvp
from autograd.value import Value

#: ``gradient(numbers) -> numbers``, on floats or on Values.
Gradient = Callable[[list[Any]], list[Any]]

#: How many inputs are few, for orders 2 and 3, and how many random directions stand for all when they are many.
FEW = {2: 8, 3: 4}
_DIRECTIONS = 3


def higher_entries(
    gradient: Gradient,
    on_numbers: Gradient,
    numbers: Sequence[float],
    names: Sequence[str],
    prefix: str,
    order: int,
    judge: Judge,
    source: random.Random,
) -> list[Entry]:
    """The entries of all orders from 2 on.

    Args:
        gradient: what the engine differentiates.
        on_numbers: the same on plain numbers.
    """
    few = len(numbers) <= FEW[2]
    entries = []
    noise = _noise_of(gradient, numbers)
    for name, v in _directions(numbers, names, few, source):
        entries += _order(2, gradient, on_numbers, numbers, names, f"{prefix}{name}", v, judge, noise)
    if order == 3:
        few = len(numbers) <= FEW[3]
        directions = _directions(numbers, names, few, source)
        for k, (first, u) in enumerate(directions):
            second = _along(gradient, u)
            noise = _noise_of(second, numbers)
            # Of mixed derivatives one order of differentiation is enough; each random direction stands for itself.
            others = directions[k:] if few else [directions[(k + 1) % len(directions)]]
            for other, v in others:
                entries += _order(3, second, second, numbers, names, f"{prefix}{first}, {other}", v, judge, noise)
    return entries


def _directions(
    numbers: Sequence[float], names: Sequence[str], few: bool, source: random.Random
) -> list[tuple[str, list[float]]]:
    if few:
        return [(name, [float(j == i) for j in range(len(numbers))]) for i, name in enumerate(names)]
    return [
        (
            f"direction {k + 1}",
            [source.choice((-1.0, 1.0)) * source.uniform(0.5, 1.0) * (abs(x) or 1.0) for x in numbers],
        )
        for k in range(_DIRECTIONS)
    ]


def _along(gradient: Gradient, v: list[float]) -> Gradient:
    """The derivative of a gradient along a direction, itself a function of that kind."""

    def derivative(at: list[Any]) -> list[Any]:
        if v.count(0.0) == len(v) - 1 and 1.0 in v:
            # Backward, as ``hessian`` goes: forward, an input that stays has a slope of 0, and 0 · ∞ is nothing.
            try:
                return [row[v.index(1.0)] for row in jacobian(gradient)(list(at))]
            except NO_NUMBER:
                pass  # another entry may be the one that does not exist
        return list(jvp(gradient, (list(at),), (v,))[1])

    return derivative


def _noise_of(gradient: Gradient, numbers: Sequence[float]) -> list[float] | None:
    """How far rounding may have moved each component of a gradient; ``None`` where that is not known.

    Near one a formula loses digits that its result does not show: log(1 + u) of a small u climbs in stairs.
    """
    leaves = [Value(x) for x in numbers]
    try:
        outputs = gradient(list(leaves))
    except NO_NUMBER:
        return None
    rounding = Rounding(Recorded(leaves, outputs))
    noise = [rounding.of_output(k) for k in range(len(outputs))]
    return [n if n < math.inf else 0.0 for n in noise]


def _order(
    order: int,
    gradient: Gradient,
    on_numbers: Gradient,
    numbers: Sequence[float],
    names: Sequence[str],
    along: str,
    v: list[float],
    judge: Judge,
    noise: list[float] | None,
) -> list[Entry]:
    """The derivatives of a gradient's components along one direction."""
    labels = [f"{along}, {name}" for name in names]
    try:
        analytic = [as_float(x) for x in _along(gradient, v)(list(numbers))]
        centre = [as_float(x) for x in on_numbers(list(numbers))]
    except NO_NUMBER as error:
        verdict = "not finite" if isinstance(error, OverflowError) else "outside the domain"
        passes = verdict in judge.allow
        return [
            Entry(label, order, math.nan, math.nan, 0.0, math.inf, "", verdict, passes, str(error)) for label in labels
        ]
    found, steep = [NOTHING] * len(names), 0.0
    f, start = _on_a_line(on_numbers, numbers, v)
    if all(map(math.isfinite, centre)):
        claimed = [a if math.isfinite(a) else 0.0 for a in analytic]
        found, steep = slopes(f, start, centre, claimed, noise=noise, precision=1e-7), max(map(abs, centre))
    # Where a derivative is nothing beside those of the same direction, or beside the gradient, so is its error.
    size = max(1.0, abs(start))
    largest = max((abs(slope.value) for slope in found if math.isfinite(slope.value)), default=0.0)
    entries = []
    off: list[float] | None = None
    for k, (label, a, slope) in enumerate(zip(labels, analytic, found, strict=True)):
        nothing = nothing_at_all(start, a, slope.value)
        small = max(BESIDE_THE_LARGEST * largest, FLAT * max(steep, slope.size) / size, nothing)
        entry = judge.entry(label, order, a, slope, method_of(slope), small)
        if entry.verdict == "mismatch":
            # Its own rounding counts too: terms of 1/√(x²+c) as large as 1/x may cancel.
            off = off or _noise_of(_along(gradient, v), numbers) or [0.0] * len(names)
            entry = judge.entry(label, order, a, slope._replace(error=slope.error + 2 * off[k]), entry.method, small)
        entries.append(entry)
    return entries


def _on_a_line(on_numbers: Gradient, numbers: Sequence[float], v: list[float]) -> tuple[Function, float]:
    """A gradient as a function of one number, and where that stands: the one input that moves, or else 1."""
    moving = [i for i, part in enumerate(v) if part]
    alone = moving[0] if len(moving) == 1 else None

    def f(t: float) -> list[float] | None:
        moved = list(numbers)
        if alone is not None:
            moved[alone] = t
        else:
            for i in moving:
                moved[i] += (t - 1.0) * v[i]
        try:
            found = [as_float(x) for x in on_numbers(moved)]
        except NO_NUMBER:
            return None
        return found if all(map(math.isfinite, found)) else None

    return f, 1.0 if alone is None else numbers[alone]
