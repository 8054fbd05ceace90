"""Differences extrapolated to step zero, with an error for each (Richardson, 1911; Ridders, 1982).

The error of an entry of the table is how far it is from its neighbours. The estimates of the finest steps are believed,
and coarser ones as long as they agree with them: so a wave, a kink or a pole between the points cannot pass for a
smooth function.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import NamedTuple

from autograd.checking.noise import noise_of
from autograd.checking.shrinking_steps import FEWEST

#: Beyond so many columns a table of extrapolations gains nothing over its rounding.
COLUMNS = 6

#: How many times its spread between neighbours an entry may be off; rounding is carried apart.
_SAFETY = 4.0

#: Secants are clear of rounding if they are so many times as large.
_CLEAR = 64.0

#: How much the extrapolation magnifies rounding: sums of the absolute weights for steps that halve, of tables in powers
#: of h² (both sides) and of h (one side).
_MAGNIFIED = {2: 2.0, 1: 9.0}


def extrapolated(
    steps: Sequence[float], values: Sequence[float], roundings: Sequence[float], power: int
) -> list[tuple[float, float]]:
    """For each level the entry of its row of the table with the smallest error, and that error."""
    best: list[tuple[float, float]] = []
    before: list[float] = []
    for i, (h, value, rounding) in enumerate(zip(steps, values, roundings, strict=True)):
        row = [value]
        found, least = value, math.inf
        for j in range(1, min(i, COLUMNS) + 1):
            quotient = steps[i - j] / h
            ratio = quotient * quotient if power == 2 else quotient  # infinite, not an error, around 1e-190
            entry = row[-1] + (row[-1] - before[j - 1]) / (ratio - 1)
            spread = max(abs(entry - row[-1]), abs(entry - before[j - 1]))
            error = _SAFETY * spread + _MAGNIFIED[power] * rounding
            row.append(entry)
            if error < least:
                found, least = entry, error
        best.append((found, least))
        before = row
    return best


def believed(steps: Sequence[float], best: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """The estimate to believe, its error and its step: from the finest on, as long as coarser ones agree."""
    value, error, step = math.nan, math.inf, 0.0
    low, high = -math.inf, math.inf
    for h, (v, e) in zip(reversed(steps), reversed(best), strict=True):
        if not math.isfinite(e) or not math.isfinite(v):
            continue
        if v - e > high or v + e < low:
            break
        low, high = max(low, v - e), min(high, v + e)
        if e < error:
            value, error, step = v, e, h
    return value, error, step


def tail_of(steps: list[float], values: list[float], roundings: list[float], step: float) -> float:
    """What a table that converges too slowly still has before it, at the step that is believed.

    Where a function is smooth the differences of the first column halve at least; next to x^1.01 they hardly shrink,
    and extrapolation is no help.
    """
    if step not in steps or (at := steps.index(step)) < 2:
        return 0.0
    before, last = abs(values[at - 1] - values[at - 2]), abs(values[at] - values[at - 1])
    if last <= 4 * roundings[at] or last <= 0.75 * before:
        return 0.0
    return math.inf if last >= before else 2 * last * last / (before - last)


class Side(NamedTuple):
    """One side alone: its slope and error there, and the value it comes from, with its error."""

    slope: float
    error: float
    step: float
    limit: float
    limit_error: float
    levels: int


def one_side(side: list[tuple[float, list[float]]], i: int, given: float, sign: float) -> Side:
    """From the values beside the point alone, so that a jump at the point itself does not matter."""
    steps = [h for h, _ in side]
    values = [v[i] for _, v in side]
    if len(steps) < FEWEST:
        return Side(math.nan, math.inf, 0.0, math.nan, math.inf, len(steps))
    noises = [noise_of(given, value) for value in values]
    middles = [(a + b) / 2 for a, b in pairwise(steps)]
    secants, roundings = _secants(steps, values, noises, sign)
    slope, error, step = believed(middles, extrapolated(middles, secants, roundings, 1))
    error = max(error, tail_of(middles, secants, roundings, step))
    limit, limit_error, _ = believed(steps, extrapolated(steps, values, noises, 1))
    return Side(slope, error, step, limit, limit_error, len(steps))


def grows_without_end(side: list[tuple[float, list[float]]], i: int, given: float, sign: float) -> float:
    """±∞ if one side alone has that slope, as √x at 0; else 0.

    Its secants grow, and ever more from one to the next, down to the finest step that rounding leaves.
    """
    values = [v[i] for _, v in side]
    secants, roundings = _secants([h for h, _ in side], values, [noise_of(given, value) for value in values], sign)
    pairs = zip(secants, roundings, strict=True)
    clear = [secant for secant, _ in takewhile(lambda pair: abs(pair[0]) > _CLEAR * pair[1], pairs)]
    finer = [math.copysign(1.0, clear[0]) * secant for secant in clear[len(clear) // 2 :]] if clear else []
    climbs = [b - a for a, b in pairwise(finer)]
    if len(finer) < 2 * FEWEST or any(b < a for a, b in pairwise(climbs)) or not finer[-1] > 2 * finer[0] > 0.0:
        return 0.0
    return math.copysign(math.inf, clear[0])


def _secants(
    steps: Sequence[float], values: Sequence[float], noises: Sequence[float], sign: float
) -> tuple[list[float], list[float]]:
    """The slopes between neighbours on one side, and what rounding does to them."""
    gaps = [a - b for a, b in pairwise(steps)]
    secants = [sign * (values[k] - values[k + 1]) / gap for k, gap in enumerate(gaps)]
    return secants, [2 * noise / gap for noise, gap in zip(noises, gaps, strict=False)]
