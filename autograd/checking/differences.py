"""The numeric side: slopes from function values alone, each with an estimate of its own error.

Steps run down from a tenth of the argument's size to where rounding has eaten every digit, by halves; those that leave
the domain are passed over. Differences are extrapolated to step zero (Richardson, 1911; Ridders, 1982: the error of an
entry of the table is how far it is from its neighbours) from both sides together and from each side alone, so that a
kink, a jump and the edge of a domain show. The estimates of the finest steps are believed, and coarser ones as long as
they agree with them: so a wave, a kink or a pole between the points cannot pass for a smooth function.

The invariant: an error covers the truncation and the rounding of ``f``, or is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

INFINITY = math.inf
NAN = math.nan

#: The unit roundoff: half of the distance from 1 to the next float.
ROUNDING = 2.0**-53
#: A derivative's own rounding is not known, so agreement is asked for in half of the digits of a float.
HALF_OF_THE_DIGITS = 2.0**-26

#: What an argument's step begins with, as a part of its size. No round number: periods of functions are.
_FIRST = 0.0921
#: Beyond so many columns a table of extrapolations gains nothing over its rounding.
_COLUMNS = 6
#: How many times its spread between neighbours an entry may be off; rounding is carried apart.
_SAFETY = 4.0
#: How much the extrapolation magnifies rounding: sums of the absolute weights for steps that halve, of tables in powers
#: of h² (both sides) and of h (one side).
_MAGNIFIED = {2: 2.0, 1: 9.0}
_FEWEST = 4
#: Below this part of one, steps of an absolute size have shown what they can.
_FINE = 2.0**-34
_HALVINGS = 50
#: Rounding is looked for at steps below this part of the first one.
_SCATTER_BELOW = 2.0**-18

Function = Callable[[float], "list[float] | None"]


class Slope(NamedTuple):
    """A numeric derivative: the value, its estimated error, the step it rests on, and the slopes on either side.

    ``kind`` is ``smooth``, ``kink`` (the sides differ by more than their errors), ``jump`` (so do the values), ``edge``
    (one side alone lies in the domain) or ``nothing`` (neither does). ``noise`` is what a value of the function was
    taken to be off by, ``side_error`` the larger error of the slopes on either side, ``size`` the largest value met.
    """

    value: float
    error: float
    step: float
    left: float
    right: float
    kind: str
    noise: float
    side_error: float = 0.0
    size: float = 0.0


class Samples:
    """A function of one number, with one result or several, at ever smaller steps to both sides."""

    def __init__(self, f: Function, x: float, centre: list[float]) -> None:
        self.f = f
        self.x = x
        self.centre = centre
        self.right: list[tuple[float, list[float]]] = []
        self.left: list[tuple[float, list[float]]] = []
        self._step = _FIRST * (abs(x) if abs(x) > 0.01 else 1.0)
        #: Where the steps go on when those of an absolute size come to nothing: a part of a small argument.
        self._then = _FIRST * abs(x) if 0.0 < abs(x) <= 0.01 else 0.0
        self._least = max(abs(x) * 2.0**-_HALVINGS, 1e-305)
        self._missed = 0
        self._levels = 0

    def extend(self) -> bool:
        """Sample at the next smaller step; False when there is none left."""
        if self._step < self._least or self._levels > 2 * _HALVINGS:
            return False
        h, self._levels = self._step, self._levels + 1
        both = [self._sample(self.right, h), self._sample(self.left, -h)]
        self._missed = 0 if all(both) else self._missed + 1
        enough = self._missed >= 3 or h < _FINE
        if self._then and h > 2 * self._then and enough:
            self._step, self._then = self._then, 0.0
        elif self.x == 0.0 and enough and h > 1e-280:
            self._step = h * 2.0**-4  # no size is known: down over all magnitudes
        else:
            self._step = h / 8 if self._missed >= 3 else h / 2
        return True

    def _sample(self, side: list[tuple[float, list[float]]], h: float) -> bool:
        moved = self.x + h
        step = abs(moved - self.x)  # the step that was taken, exactly
        if step == 0.0 or math.isinf(moved):
            return False
        values = self.f(moved)
        if values is None:
            return False
        side.append((step, values))
        return True


def slopes(
    f: Function,
    x: float,
    centre: list[float],
    expected: Sequence[float],
    *,
    noise: Sequence[float] | None = None,
    precision: float = 1e-9,
) -> list[Slope]:
    """The derivatives of the results of ``f`` at ``x``.

    Args:
        f: returns a list of numbers, or ``None`` outside of the domain.
        centre: ``f(x)``.
        expected: a guess for each derivative. Where the estimates come close to it within a small error, no further
            steps are made; they decide alone what is returned.
        noise: how far each result may be off by rounding, where that is known; else it is seen from the results.
        precision: the relative error that is small enough.
    """
    samples = Samples(f, x, centre)
    given = list(noise) if noise is not None else [0.0] * len(centre)
    open_: set[int] = set(range(len(centre)))
    found: dict[int, Slope] = {}
    settled = False
    while open_ and samples.extend():
        if min(len(samples.right), len(samples.left)) < _FEWEST:
            continue
        for i in sorted(open_):
            slope = _quick(samples, i, given[i], expected[i], precision)
            if slope is not None:
                found[i] = slope
                open_.discard(i)
        if open_ and all(_drowned(samples, i, given[i], expected[i]) for i in open_):
            break
        if x == 0.0 and not settled and samples.right[-1][0] < _FINE:
            settled = True  # looked at once; then on over all magnitudes
            for i in sorted(open_):
                slope = _thorough(samples, i, given[i])
                if slope.kind in ("kink", "jump") or abs(slope.value - expected[i]) <= slope.error < 1e-6 * abs(
                    expected[i]
                ):
                    found[i] = slope
                    open_.discard(i)
    for i in open_:
        if noise is None:
            given[i] = _coarseness(samples, i, expected[i])
        found[i] = _thorough(samples, i, given[i])
    return [found[i]._replace(size=_size(samples, i)) for i in range(len(centre))]


def _size(samples: Samples, i: int) -> float:
    return max(
        abs(values[i]) for values in [samples.centre, *(v for side in (samples.right, samples.left) for _, v in side)]
    )


def _pairs(samples: Samples, i: int) -> list[tuple[float, float, float, float]]:
    """Both steps and both values of each level at which both sides exist."""
    pairs = []
    right, left = samples.right, samples.left
    a = b = 0
    while a < len(right) and b < len(left):
        h, k = right[a][0], left[b][0]
        if h > 1.5 * k:
            a += 1
        elif k > 1.5 * h:
            b += 1
        else:
            pairs.append((h, k, right[a][1][i], left[b][1][i]))
            a, b = a + 1, b + 1
    return pairs


def _noise(given: float, *values: float) -> float:
    """What rounding may do to values of this size: a few roundings, unless more is known."""
    return max(given, 4 * ROUNDING * max(map(abs, values)))


def _quick(samples: Samples, i: int, given: float, expected: float, precision: float) -> Slope | None:
    """A smooth slope whose error is small and that agrees with what is expected; else ``None``, and steps go on."""
    pairs = _pairs(samples, i)
    if len(pairs) < _FEWEST:
        return None
    centre = samples.centre[i]
    steps, values, roundings = _central(pairs, given, centre)
    value, error = _extrapolated(steps, values, roundings, 2)[-1]
    size = max(abs(value), abs(expected))
    if not error <= precision * size or abs(value - expected) > error + HALF_OF_THE_DIGITS * size:
        return None
    # The difference of the slopes on both sides halves with the step where the function is smooth.
    gaps = [(plus - centre) / h - (centre - minus) / k for h, k, plus, minus in pairs[-2:]]
    seen = 4 * roundings[-1] + 1e-6 * size
    if abs(gaps[1]) > seen and abs(gaps[1]) > 0.75 * abs(gaps[0]):
        return None
    return Slope(value, error, steps[-1], value, value, "smooth", roundings[-1] * steps[-1])


def _drowned(samples: Samples, i: int, given: float, expected: float) -> bool:
    """Whether at this step rounding is as large as the slope: smaller steps add nothing."""
    pairs = _pairs(samples, i)
    if len(pairs) < 2 * _FEWEST or samples.x == 0.0:
        return False
    return all(
        _noise(given, plus, minus) / h > 0.25 * max(abs(expected), abs(plus - minus) / (h + k)) > 0.0
        for h, k, plus, minus in pairs[-2:]
    )


def _central(
    pairs: list[tuple[float, float, float, float]], given: float, centre: float
) -> tuple[list[float], list[float], list[float]]:
    """Steps, differences over both sides, and what rounding does to them."""
    steps = [(h + k) / 2 for h, k, _, _ in pairs]
    values = [(plus - minus) / (h + k) for h, k, plus, minus in pairs]
    roundings = [
        _noise(given, plus, minus, centre) / step for (_, _, plus, minus), step in zip(pairs, steps, strict=True)
    ]
    return steps, values, roundings


def _extrapolated(
    steps: Sequence[float], values: Sequence[float], roundings: Sequence[float], power: int
) -> list[tuple[float, float]]:
    """For each level the entry of its row of the table with the smallest error, and that error."""
    best: list[tuple[float, float]] = []
    before: list[float] = []
    for i, (h, value, rounding) in enumerate(zip(steps, values, roundings, strict=True)):
        row = [value]
        found, least = value, INFINITY
        for j in range(1, min(i, _COLUMNS) + 1):
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


def _believed(steps: Sequence[float], best: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """The estimate to believe, its error and its step: from the finest on, as long as coarser ones agree."""
    value, error, step = NAN, INFINITY, 0.0
    low, high = -INFINITY, INFINITY
    for h, (v, e) in zip(reversed(steps), reversed(best), strict=True):
        if not math.isfinite(e) or not math.isfinite(v):
            continue
        if v - e > high or v + e < low:
            break
        low, high = max(low, v - e), min(high, v + e)
        if e < error:
            value, error, step = v, e, h
    return value, error, step


class _Side(NamedTuple):
    """One side alone: its slope and error there, and the value it comes from, with its error."""

    slope: float
    error: float
    step: float
    limit: float
    limit_error: float
    levels: int


def _side(side: list[tuple[float, list[float]]], i: int, given: float, sign: float) -> _Side:
    """From the values beside the point alone, so that a jump at the point itself does not matter."""
    steps = [h for h, _ in side]
    values = [v[i] for _, v in side]
    if len(steps) < _FEWEST:
        return _Side(NAN, INFINITY, 0.0, NAN, INFINITY, len(steps))
    noises = [_noise(given, value) for value in values]
    gaps = [a - b for a, b in pairwise(steps)]
    middles = [(a + b) / 2 for a, b in pairwise(steps)]
    secants = [sign * (values[k] - values[k + 1]) / gaps[k] for k in range(len(gaps))]
    roundings = [2 * noise / gap for noise, gap in zip(noises, gaps, strict=False)]
    slope, error, step = _believed(middles, _extrapolated(middles, secants, roundings, 1))
    error = max(error, _tail(middles, secants, roundings, step))
    limit, limit_error, _ = _believed(steps, _extrapolated(steps, values, noises, 1))
    return _Side(slope, error, step, limit, limit_error, len(steps))


def _tail(steps: list[float], values: list[float], roundings: list[float], step: float) -> float:
    """What a table that converges too slowly still has before it, at the step that is believed.

    Where a function is smooth the differences of the first column halve at least; next to x^1.01 they hardly shrink,
    and extrapolation is no help.
    """
    if step not in steps or (at := steps.index(step)) < 2:
        return 0.0
    before, last = abs(values[at - 1] - values[at - 2]), abs(values[at] - values[at - 1])
    if last <= 4 * roundings[at] or last <= 0.75 * before:
        return 0.0
    return INFINITY if last >= before else 2 * last * last / (before - last)


def _scatter(side: list[tuple[float, list[float]]], i: int) -> float:
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
        if off[k] > 4 * _noise(0.0, side[k][1][i]) and all(
            2.5 * off[j] < off[j - 1] < 6.5 * off[j] for j in (k, k - 1, k - 2)
        ):
            break
        coarser = off[k - 4 : k]
        if sum(other > off[k] / 8 for other in coarser) >= 3 and max(coarser) < 3 * off[k]:
            worst = max(worst, off[k], *coarser)
    return 2 * worst


def _coarseness(samples: Samples, i: int, expected: float) -> float:
    """What rounding inside of an unknown function does, seen from its results: 0 unless they are coarse.

    They are where each fits into the 24 bits of single precision, and where small steps change nothing at all and large
    ones do; if that is as much as the expected slope would have it, the stairs may be those of rounding.
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
    if expected != 0.0 and values:
        h = max(abs(samples.x), 1.0)
        for k in range(40):
            for moved in (samples.x + h * 4.0**k, samples.x - h * 4.0**k):
                there = samples.f(moved) if math.isfinite(moved) else None
                if there is not None and there[i] != centre:
                    return abs(there[i] - centre)
    return 0.0


def _stair(side: list[tuple[float, list[float]]], i: int, centre: float) -> tuple[float, float] | None:
    """The smallest step that changes anything, and by how much, if many smaller ones change nothing."""
    for unchanged, (h, values) in enumerate(reversed(side)):
        if values[i] != centre:
            return (h, abs(values[i] - centre)) if unchanged >= 2 * _FEWEST else None
    return None


def _in_24_bits(x: float) -> bool:
    shifted = x * (2.0**29 + 1)  # Dekker's splitting: what is left has the upper 24 of 53 bits
    return shifted - (shifted - x) == x


def _thorough(samples: Samples, i: int, given: float) -> Slope:
    """From all steps: a slope, or a kink, a jump, an edge."""
    given = max(given, _scatter(samples.right, i), _scatter(samples.left, i))
    right = _side(samples.right, i, given, 1.0)
    left = _side(samples.left, i, given, -1.0)
    pairs = _pairs(samples, i)
    centre = samples.centre[i]
    noise = _noise(given, centre)
    if len(pairs) < _FEWEST:
        one = right if right.levels >= left.levels else left
        if one.levels < _FEWEST:
            return Slope(NAN, INFINITY, 0.0, NAN, NAN, "nothing", noise)
        return Slope(one.slope, one.error, one.step, left.slope, right.slope, "edge", noise)
    steps, values, roundings = _central(pairs, given, centre)
    value, error, step = _believed(steps, _extrapolated(steps, values, roundings, 2))
    kind = "smooth"
    for one in (right, left):
        off = abs(one.limit - centre)
        if off > one.limit_error + 8 * noise and off > 1e-6 * (abs(one.limit) + abs(centre)):
            kind = "jump"
    gap = abs(right.slope - left.slope)
    if kind == "smooth" and gap > right.error + left.error and gap > 1e-6 * max(abs(right.slope), abs(left.slope)):
        kind = "kink"
    return Slope(value, error, step, left.slope, right.slope, kind, noise, max(left.error, right.error))
