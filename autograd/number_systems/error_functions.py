"""Bounds of erf, erfc and gelu at a float, proved in whole numbers: nothing is assumed of a library.

All three are made of erfc(t) = 2·Φ(-x) with x = √2·t, where Φ is the normal distribution function. With v = x² = 2t²
and the product p = √(2/π)·x·exp(-v/2) = 2/√π·t·exp(-t²) that is, for t ≥ 0,

    1 - p·(1 + v/3 + v²/(3·5) + v³/(3·5·7) + …)            whose terms are positive
    p / (v + 1/(1 + 2/(v + 3/(1 + 4/(v + …)))))            Laplace's continued fraction

Real numbers are whole multiples of 2⁻¹²⁸, here called units. What the sums of positive terms lose when they are rounded
downward is counted; the fraction is computed between bounds, starting with 0 and ∞ for what is left out of it. Products
and differences of whole numbers lose nothing, and each end is rounded once, to the float on its own side.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from autograd.number_systems.directed import SMALLEST

PRECISION = 128
ONE = 1 << PRECISION

# In units, rounded downward.
LOG_2 = 235865763225513294137944142764154484399
TWO_OVER_ROOT_PI = 383967533763538142977158567454335403656
ROOT_OF_TWO_OVER_PI = 271506046879672464325182014351570923903

#: The largest v of which the series is summed, where that takes as long as the fraction: 10 µs.
LARGEST = 32 << PRECISION

#: From here on erfc(t), and 2·Φ(-x) times x, are below 10⁻³⁴⁶, and so below the smallest float.
FAR = 40.0


class Bounds(NamedTuple):
    """A number from low·2⁻ˢʰⁱᶠᵗ to high·2⁻ˢʰⁱᶠᵗ."""

    low: int
    high: int
    shift: int

    def taken_from(self, whole: int) -> Bounds:
        whole <<= self.shift
        return Bounds(whole - self.high, whole - self.low, self.shift)

    def floats(self, sign: float = 1.0) -> tuple[float, float]:
        """The floats next to the number, below and above; of another sign, those next to its opposite."""
        low, high = _rounded(self.low, self.shift, upward=False), _rounded(self.high, self.shift, upward=True)
        return (low, high) if math.copysign(1.0, sign) > 0.0 else (-high, -low)


def _rounded(n: int, shift: int, *, upward: bool) -> float:
    cut = max(0, n.bit_length() - 53, shift - 1074)
    return math.ldexp(-(-n >> cut) if upward else n >> cut, cut - shift)


def erf(t: float) -> tuple[float, float]:
    """The floats next to erf(t), below and above.

    >>> erf(1.0), erf(0.0)
    ((0.8427007929497148, 0.8427007929497149), (0.0, 0.0))
    """
    return _complement(t, 2, TWO_OVER_ROOT_PI).taken_from(1).floats(t)


def erfc(t: float) -> tuple[float, float]:
    """The floats next to 1 - erf(t), below and above."""
    found = _complement(t, 2, TWO_OVER_ROOT_PI)
    return (found if t >= 0.0 else found.taken_from(2)).floats()


def gelu(x: float) -> tuple[float, float]:
    """The floats next to x·Φ(x), below and above."""
    if math.isinf(x):
        return max(x, -0.0), max(x, -0.0)
    if x <= -FAR:
        return -SMALLEST, -0.0
    found = _complement(x, 1, ROOT_OF_TWO_OVER_PI)
    low, high, shift = found if x <= 0.0 else found.taken_from(2)
    n, divisor = math.fabs(x).as_integer_ratio()
    # The divisor's length is one more than its logarithm, for the half of the product.
    return Bounds(n * low, n * high, shift + divisor.bit_length()).floats(x)


def _complement(x: float, squares: int, factor: int) -> Bounds:
    """erfc(|x|), or 2·Φ(-|x|): by how many squares of x are v, and the factor of x in p."""
    x = math.fabs(x)
    if x >= FAR:
        return Bounds(0, int(math.isfinite(x)), 1074)
    n, divisor = x.as_integer_ratio()
    digits = divisor.bit_length() - 1
    v = (squares * n * n << PRECISION) >> 2 * digits  # exactly, where it is large
    power, power_above, halvings = _exponential(v >> 1)
    low, high = _series(v, 3, 2) if v <= LARGEST else _fraction(v)
    p, p_above, shift = n * factor * power, n * (factor + 1) * power_above, digits + 2 * PRECISION + halvings
    found = Bounds(p * low, p_above * high, shift + PRECISION)
    return found.taken_from(1) if v <= LARGEST else found


def _exponential(x: int) -> tuple[int, int, int]:
    """Bounds of exp(-t)·2ⁿ in units, and n, for every t from x units to the next one."""
    n = x // LOG_2 + 1
    rest = n * LOG_2 - x  # n·log 2 - t lies between rest - 1 and rest + n
    low, high = _series(rest - 1, 1, 1)
    return low, high + 4 * (n + 1), n  # over these n + 1 units the slope is below 4


def _series(x: int, first: int, step: int) -> tuple[int, int]:
    """Bounds of 1 + t/d₁ + t²/(d₁d₂) + … in units, for every t from x units to the next one; d grows by whole steps.

    Each quotient loses less than a unit when it is rounded downward, and the terms after it what they are relative to
    it: together less than the whole sum in units, as its first divisors are smaller. What comes after a term of no unit
    is 0 and loses nothing more. The slope is no larger than the sum, so that the unit of t counts as one more rounding.
    """
    term = total = ONE
    divisor = first
    while term:
        term = (term * x >> PRECISION) // divisor
        total += term
        divisor += step
    roundings = (divisor - first) // step
    return total, total + (roundings + 1) * ((total >> PRECISION) + 2)


def _fraction(v: int) -> tuple[int, int]:
    """Bounds of 1/(v + 1/(1 + 2/(v + 3/(1 + …)))) in units, for v units exactly."""
    last = 2 * (6 + (400 << PRECISION) // v)  # for a relative width of 2⁻⁷⁰
    low, high = 0, (last << 2 * PRECISION) // v + 1
    for n in range(last - 1, -1, -1):
        numerator, denominator = max(1, n) << 2 * PRECISION, ONE if n % 2 else v
        low, high = numerator // (denominator + high), numerator // (denominator + low) + 1
    return low, high
