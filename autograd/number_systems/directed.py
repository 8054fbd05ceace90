"""Floats with a known side: what an operation loses when it is rounded, and bounds below and above its exact result.

Error-free transformations (Dekker, 1971; Knuth, 1969): for ``+``, ``-`` and ``·`` the rounding error of a float
operation is itself a float, and is found by float operations.
"""

from __future__ import annotations

import math
from math import inf, nextafter

SMALLEST = 5e-324
_SPLITTER = 134217729.0  # 2²⁷ + 1 cuts a float into two halves of 26 bits


def product_error(x: float, y: float) -> float:
    """``x·y`` less its float, exactly; nan where that is no float (near underflow and overflow).

    >>> 0.1 * 3.0, product_error(0.1, 3.0)
    (0.30000000000000004, -2.7755575615628914e-17)
    """
    p = x * y
    if not 1e-290 < math.fabs(p) < 1e290:
        return 0.0 if x == 0.0 or y == 0.0 else _error_far_out(x, y, p)
    return lost_in_product(x, y)  # nan if a split overflows


def _error_far_out(x: float, y: float, p: float) -> float:
    """The same near underflow and overflow."""
    from fractions import Fraction  # hardly ever, and ``import autograd`` does without

    if not math.isfinite(p):
        return math.nan
    error = Fraction(x) * Fraction(y) - Fraction(p)
    return float(error) if float(error) == error else math.nan


def lost_in_product(x: float, y: float) -> float:
    """The same without asking: near underflow not exact, near overflow nan."""
    p = x * y
    a = x * _SPLITTER
    a_high = a - (a - x)
    a_low = x - a_high
    b = y * _SPLITTER
    b_high = b - (b - y)
    b_low = y - b_high
    return ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


def product_below(x: float, y: float) -> float:
    """The float below ``x·y``; zero if that is certain, and ``0·∞`` is 0."""
    p = x * y
    if p == 0.0 or p != p:
        return 0.0 if x == 0.0 or y == 0.0 or (x > 0.0) == (y > 0.0) else -SMALLEST
    return nextafter(p, -inf)


def product_above(x: float, y: float) -> float:
    """The float above ``x·y``; zero if that is certain, and ``0·∞`` is 0."""
    p = x * y
    if p == 0.0 or p != p:
        return 0.0 if x == 0.0 or y == 0.0 or (x > 0.0) != (y > 0.0) else SMALLEST
    return nextafter(p, inf)


def quotient_below(x: float, y: float) -> float:
    """The float below ``x/y``; a divisor is not zero."""
    if y == 1.0:
        return x
    q = x / y
    if q == 0.0:
        return 0.0 if x == 0.0 or (x > 0.0) == (y > 0.0) else -SMALLEST
    return nextafter(q, -inf) if q == q else -inf


def quotient_above(x: float, y: float) -> float:
    """The float above ``x/y``; a divisor is not zero."""
    if y == 1.0:
        return x
    q = x / y
    if q == 0.0:
        return 0.0 if x == 0.0 or (x > 0.0) != (y > 0.0) else SMALLEST
    return nextafter(q, inf) if q == q else inf


def above(x: float) -> float:
    """The next float above a positive number that was rounded once; zero stays."""
    return nextafter(x, inf) if x else x
