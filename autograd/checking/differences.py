"""The numeric side: slopes from function values alone, each with an estimate of its own error.

Differences are extrapolated to step zero from both sides together and from each side alone, so that a kink, a jump and
the edge of a domain show. The invariant: an error covers the truncation and the rounding of ``f``, or is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from autograd.checking.extrapolation import COLUMNS, believed, extrapolated, grows_without_end, one_side
from autograd.checking.noise import coarseness, noise_of, own_rounding, scatter
from autograd.checking.shrinking_steps import FEWEST, FINE, Function, Samples, pairs_of

#: A derivative's own rounding is not known, so agreement is asked for in half of the digits of a float.
HALF_OF_THE_DIGITS = 2.0**-26


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

    @property
    def side_size(self) -> float:
        """The larger slope on either side, of those that are finite."""
        return max((abs(side) for side in (self.left, self.right) if math.isfinite(side)), default=0.0)

    def is_between(self, claimed: float, slack: float) -> bool:
        """Whether a claimed slope lies between those on either side."""
        return min(self.left, self.right) - slack <= claimed <= max(self.left, self.right) + slack


#: ``bound(x)``: how far rounding may have moved each result, proved; ``None`` where nothing is known.
Bound = Callable[[float], "Sequence[float] | None"]
#: The kinds that have one slope.
ONE_SLOPE = ("smooth", "edge")
#: A slope is called flat if rounding hides no more than this part of the claimed one.
_HIDDEN = 1e-3
#: Beyond this part of the values, an error is not that of a smooth function.
_ROUGH = 1e-9
#: Where a smooth function that is constant in floats begins to change, it does so by far fewer roundings.
_SUDDEN = 2.0**20


def slopes(
    f: Function,
    x: float,
    centre: list[float],
    expected: Sequence[float],
    *,
    noise: Sequence[float] | None = None,
    bound: Bound | None = None,
    precision: float = 1e-9,
) -> list[Slope]:
    """The derivatives of the results of ``f`` at ``x``.

    Args:
        f: returns a list of numbers, or ``None`` outside of the domain.
        centre: ``f(x)``.
        expected: a guess for each derivative. Where the estimates come close to it within a small error, no further
            steps are made; they decide alone what is returned.
        noise: how far each result may be off by rounding, where that is known; else it is seen from the results.
        bound: proves the same at a number, where it can; asked where the finest steps change nothing.
        precision: the relative error that is small enough.
    """
    samples = Samples(f, x, centre)
    given = list(noise) if noise is not None else [0.0] * len(centre)
    open_: set[int] = set(range(len(centre)))
    found: dict[int, Slope] = {}
    settled = False
    while open_ and samples.extend():
        if min(len(samples.right), len(samples.left)) < FEWEST:
            continue
        for i in sorted(open_):
            slope = _zero(samples, i) if expected[i] == 0.0 else None
            slope = slope or _quick(samples, i, given[i], expected[i], precision)
            if slope is not None:
                found[i] = slope
                open_.discard(i)
        if open_ and all(_drowned(samples, i, given[i], expected[i]) for i in open_):
            break
        if x == 0.0 and not settled and samples.right[-1][0] < FINE:
            settled = True  # looked at once; then on over all magnitudes
            for i in sorted(open_):
                slope = _thorough(samples, i, given[i])
                if slope.kind in ("kink", "jump") or abs(slope.value - expected[i]) <= slope.error < 1e-6 * abs(
                    expected[i]
                ):
                    found[i] = slope
                    open_.discard(i)
    for i in open_:
        flat = None
        if expected[i] == 0.0:
            flat = _flat(samples, i, given[i])
        elif bound is not None:
            flat = _proved_flat(samples, i, expected[i], bound)
        if flat is None and noise is None:
            given[i] = max(coarseness(samples, i, expected[i]), own_rounding(centre[i], [x]))
        found[i] = flat or _thorough(samples, i, given[i])
    return [_if_told(found[i]._replace(size=_size(samples, i)), samples.are_coarse) for i in range(len(centre))]


def _if_told(slope: Slope, are_coarse: bool) -> Slope:
    """The slope, of which nothing is known if the steps are coarse and show no smooth function."""
    if are_coarse and slope.error > max(_HIDDEN * abs(slope.value), _ROUGH * slope.size):
        return slope._replace(error=math.inf)
    return slope


def _size(samples: Samples, i: int) -> float:
    return max(
        abs(values[i]) for values in [samples.centre, *(v for side in (samples.right, samples.left) for _, v in side)]
    )


def _quick(samples: Samples, i: int, given: float, expected: float, precision: float) -> Slope | None:
    """A smooth slope whose error is small and that agrees with what is expected; else ``None``, and steps go on."""
    pairs = pairs_of(samples, i)[-COLUMNS - 2 :]  # the last row of the table needs no more
    if len(pairs) < FEWEST:
        return None
    centre = samples.centre[i]
    steps, values, roundings = _central(pairs, given, centre)
    value, error = extrapolated(steps, values, roundings, 2)[-1]
    size = max(abs(value), abs(expected))
    if not error <= precision * size or abs(value - expected) > error + HALF_OF_THE_DIGITS * size:
        return None
    # The difference of the slopes on both sides halves with the step where the function is smooth.
    gaps = [(plus - centre) / h - (centre - minus) / k for h, k, plus, minus in pairs[-2:]]
    seen = 4 * roundings[-1] + 1e-6 * size
    if abs(gaps[1]) > seen and abs(gaps[1]) > 0.75 * abs(gaps[0]):
        return None
    return Slope(value, error, steps[-1], value, value, "smooth", roundings[-1] * steps[-1])


def _zero(samples: Samples, i: int) -> Slope | None:
    """The slope of what is exactly zero wherever it was looked at: zero, and known exactly; else ``None``."""
    sides = [*samples.right, *samples.left]
    if samples.smaller_to_come or samples.centre[i] != 0.0 or any(values[i] != 0.0 for _, values in sides):
        return None
    return Slope(0.0, 0.0, min(samples.right[-1][0], samples.left[-1][0]), 0.0, 0.0, "smooth", 0.0)


def _flat(samples: Samples, i: int, given: float) -> Slope | None:
    """The slope of what is constant around the point, and no slope that rounding hides: zero, and known exactly.

    Either nothing changes as far as the domain goes, or all at once: a smooth function of which rounding leaves a
    constant has to begin with changes of a few roundings.
    """
    flat = _unmoved(samples, i)
    if flat is None or given > noise_of(0.0, samples.centre[i]):
        return None
    for side, sign in samples.sides():
        level = _level(samples, side, i)
        if any(values[i] == samples.centre[i] for _, values in side[:-level]):
            return None
        if level < len(side) and not _begins_suddenly(samples, i, sign, side[-level][0], side[-level - 1][0]):
            return None
    return flat


def _proved_flat(samples: Samples, i: int, expected: float, bound: Bound) -> Slope | None:
    """The slope of what the finest steps do not change, zero, if it is proved that rounding hides no slope as expected
    by far."""
    flat = _unmoved(samples, i)
    if flat is None:
        return None
    ends = [samples.x + sign * side[-_level(samples, side, i)][0] for side, sign in samples.sides() if side]
    proved = [bound(x) for x in (samples.x, *ends)]
    error = math.fsum(math.inf if found is None else found[i] for found in proved) / flat.step
    return flat._replace(error=error) if error < _HIDDEN * abs(expected) else None


def _unmoved(samples: Samples, i: int) -> Slope | None:
    """Zero over the largest of the finest steps that change nothing, if there are such steps on each side."""
    sides = [(side, _level(samples, side, i)) for side, _ in samples.sides() if side]
    if not sides or min(level for _, level in sides) < FEWEST:
        return None
    step = min(side[-level][0] for side, level in sides)
    return Slope(0.0, 0.0, step, 0.0, 0.0, "smooth" if len(sides) == 2 else "edge", 0.0)


def _level(samples: Samples, side: list[tuple[float, list[float]]], i: int) -> int:
    """How many of the finest steps change nothing."""
    changed = (level for level, (_, values) in enumerate(reversed(side)) if values[i] != samples.centre[i])
    return next(changed, len(side))


def _begins_suddenly(samples: Samples, i: int, sign: float, constant: float, changed: float) -> bool:
    """Whether a function that is constant up to one step changes by far more than roundings from a little beyond."""
    centre = samples.centre[i]
    while changed > 2 * constant:
        middle = math.sqrt(constant) * math.sqrt(changed)
        values = samples.f(samples.x + sign * middle)
        if values is None:
            return False
        constant, changed = (middle, changed) if values[i] == centre else (constant, middle)
    for step in (changed, 2 * changed):
        values = samples.f(samples.x + sign * step)
        if values is not None and abs(values[i] - centre) > _SUDDEN * noise_of(0.0, centre, values[i]):
            return True
    return False


def _drowned(samples: Samples, i: int, given: float, expected: float) -> bool:
    """Whether at this step rounding is as large as the slope: smaller steps add nothing."""
    pairs = pairs_of(samples, i)
    if len(pairs) < 2 * FEWEST or samples.x == 0.0 or samples.smaller_to_come:
        return False
    return all(
        noise_of(given, plus, minus) / h > 0.25 * max(abs(expected), abs(plus - minus) / (h + k)) > 0.0
        for h, k, plus, minus in pairs[-2:]
    )


def _central(
    pairs: list[tuple[float, float, float, float]], given: float, centre: float
) -> tuple[list[float], list[float], list[float]]:
    """Steps, differences over both sides, and what rounding does to them."""
    steps = [(h + k) / 2 for h, k, _, _ in pairs]
    values = [(plus - minus) / (h + k) for h, k, plus, minus in pairs]
    roundings = [
        noise_of(given, plus, minus, centre) / step for (_, _, plus, minus), step in zip(pairs, steps, strict=True)
    ]
    return steps, values, roundings


def _thorough(samples: Samples, i: int, given: float) -> Slope:
    """From all steps: a slope, or a kink, a jump, an edge."""
    known = given
    given = max(given, scatter(samples.right, i), scatter(samples.left, i))
    right = one_side(samples.right, i, given, 1.0)
    left = one_side(samples.left, i, given, -1.0)
    pairs = pairs_of(samples, i)
    centre = samples.centre[i]
    noise = noise_of(given, centre)
    if len(pairs) < FEWEST:
        one = right if right.levels >= left.levels else left
        if one.levels < FEWEST:
            return Slope(math.nan, math.inf, 0.0, math.nan, math.nan, "nothing", noise)
        return Slope(one.slope, one.error, one.step, left.slope, right.slope, "edge", noise)
    steps, values, roundings = _central(pairs, given, centre)
    value, error, step = believed(steps, extrapolated(steps, values, roundings, 2))
    kind = "smooth"
    for one in (right, left):
        off = abs(one.limit - centre)
        if off > one.limit_error + 8 * noise and off > 1e-6 * (abs(one.limit) + abs(centre)):
            kind = "jump"
    gap = abs(right.slope - left.slope)
    if kind == "smooth" and gap > right.error + left.error and gap > 1e-6 * max(abs(right.slope), abs(left.slope)):
        kind = "kink"
    if kind == "smooth" and (found := _beside_an_infinite_slope(samples, i, known)) is not None:
        (left_slope, right_slope), side_error = found
        return Slope(value, math.inf, step, left_slope, right_slope, "kink", noise, side_error)
    return Slope(value, error, step, left.slope, right.slope, kind, noise, max(left.error, right.error))


def _beside_an_infinite_slope(samples: Samples, i: int, given: float) -> tuple[tuple[float, float], float] | None:
    """The slopes left and right where just one of them is infinite, and the error of the other."""
    sides = [*reversed(samples.sides())]
    found = [grows_without_end(side, i, given, sign) for side, sign in sides]
    if all(found) or not any(found):
        return None
    flat = found.index(0.0)
    side, sign = sides[flat]
    one = one_side(side, i, max(given, scatter(side, i)), sign)
    found[flat] = one.slope
    return (found[0], found[1]), one.error
