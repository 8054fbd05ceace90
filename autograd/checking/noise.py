"""How far rounding may put the values of a function off: from their size, and from how they scatter.

The invariant: an estimate may be too large, where a function is rough, but stairs and noise are never taken for slopes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from autograd.checking.shrinking_steps import FEWEST, ROUNDING, UNDERFLOW, Samples

#: Rounding is looked for at steps below this part of the first one.
_SCATTER_BELOW = 2.0**-18

#: Where a number is smaller, an exponential inside of its primitive may have underflowed; at a larger argument than the
#: second, it has left nothing.
_NEXT_TO_NOTHING, _LAST_ARGUMENT = 2.0**-1000, 2.0**11


def noise_of(given: float, *values: float) -> float:
    """What rounding may do to values of this size: a few roundings, unless more is known, and never nothing."""
    return max(given, 4 * ROUNDING * max(map(abs, values)), UNDERFLOW)


def own_rounding(z: float, operands: Iterable[float]) -> float:
    """How far the operation itself may put its number off.

    What underflows inside of it may be multiplied by an operand, as in x · σ(x).
    """
    if abs(z) >= _NEXT_TO_NOTHING:
        return 2 * ROUNDING * abs(z) + UNDERFLOW
    return UNDERFLOW * (2 + min(max(map(abs, operands), default=0.0), _LAST_ARGUMENT))


def scatter(side: list[tuple[float, list[float]]], i: int) -> float:
    """What rounding does to the values, seen from the finest steps: how far each is from the line through its
    neighbours.

    Where a function is smooth that falls by four as the step is halved, next to a root by less; what stays over five
    levels is rounding, be it that all values of the very finest steps sit on one stair. From the finest steps on, the
    search ends where a smooth stretch begins: above it there may be waves, which are no rounding.
    """
    off = []
    for (a, x), (b, y), (c, z) in zip(side, side[1:], side[2:], strict=False):
        through = z[i] + (x[i] - z[i]) * ((b - c) / (a - c))
        off.append(abs(y[i] - through))
    last = len(off) - 1
    smooth = last >= 2 and all(2.5 * off[j] < off[j - 1] < 6.5 * off[j] for j in (last, last - 1))
    worst = 0.0 if smooth else max(off[-3:], default=0.0)
    fine = _SCATTER_BELOW * side[0][0] if side else 0.0
    for k in range(len(off) - 1, 3, -1):
        if side[k + 2][0] >= fine:
            break
        if off[k] > 4 * noise_of(0.0, side[k][1][i]) and all(
            2.5 * off[j] < off[j - 1] < 6.5 * off[j] for j in (k, k - 1, k - 2)
        ):
            break
        coarser = off[k - 4 : k]
        if sum(other > off[k] / 8 for other in coarser) >= 3 and max(coarser) < 3 * off[k]:
            worst = max(worst, off[k], *coarser)
    return 2 * worst


def coarseness(samples: Samples, i: int, expected: float) -> float:
    """What rounding inside of an unknown function does, seen from its results: 0 unless they are coarse.

    They are where each fits into the 24 bits of single precision, and where small steps change nothing at all and large
    ones do; if that is as much as the expected slope would have it, the stairs may be those of rounding. Where no step
    changes anything, rounding hides no more than what changes first farther out.
    """
    centre = samples.centre[i]
    values = [values[i] for side in (samples.right, samples.left) for _, values in side]
    if any(value != centre for value in values):
        single = all(_in_24_bits(value) for value in values)
        noise = 2.0**-22 * max(map(abs, [centre, *values])) if single else 0.0
        right, left = _stair(samples.right, i, centre), _stair(samples.left, i, centre)
        if right is not None and left is not None:
            rise = max(right[1], left[1])
            claimed = abs(expected) * max(right[0], left[0])
            if rise < 4 * min(right[1], left[1]) and 0.1 * rise < claimed < 10 * rise:
                noise = max(noise, rise)
        return noise
    return _first_change(samples, i) if expected != 0.0 and values else 0.0


def _first_change(samples: Samples, i: int) -> float:
    """By how much a function that is constant near by changes where it first does so.

    At a corner that is next to nothing, and where rounding makes stairs it is one of them.
    """
    centre = samples.centre[i]

    def change(moved: float) -> float:
        there = samples.f(moved) if math.isfinite(moved) else None
        return 0.0 if there is None else abs(there[i] - centre)

    size = max(abs(samples.x), 1.0)
    for k in range(40):
        for _, sign in samples.sides():
            outer = size * 4.0**k
            found = change(samples.x + sign * outer)
            if not found:
                continue
            inner = outer / 4 if k else 0.0
            while inner < (middle := (inner + outer) / 2) < outer:
                nearer = change(samples.x + sign * middle)
                inner, outer, found = (inner, middle, nearer) if nearer else (middle, outer, found)
            return found
    return 0.0


def _stair(side: list[tuple[float, list[float]]], i: int, centre: float) -> tuple[float, float] | None:
    """The smallest step that changes anything, and by how much, if many smaller ones change nothing."""
    for unchanged, (h, values) in enumerate(reversed(side)):
        if values[i] != centre:
            return (h, abs(values[i] - centre)) if unchanged >= 2 * FEWEST else None
    return None


def _in_24_bits(x: float) -> bool:
    shifted = x * (2.0**29 + 1)  # Dekker's splitting: what is left has the upper 24 of 53 bits
    return shifted - (shifted - x) == x
