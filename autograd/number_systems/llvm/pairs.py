"""What kernels are made of: numbers as sums of two doubles, their bits, and polynomials, lane by lane.

A pair ``high + low`` holds about twice the digits of a double (Dekker, 1971). Its low part is small beside the high
one, though not always below its last digit; a kernel that hands out ``pair.value`` rounds once more, and so stays
near half a unit in the last place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd.number_systems.llvm.emitter import Emitter, Register

Number = Any  # a Register, or a literal


class Bits:
    """The 64 bits of each lane, as an integer that wraps around."""

    __slots__ = ("emitter", "text")

    def __init__(self, emitter: Emitter, text: str) -> None:
        self.emitter = emitter
        self.text = text

    def _with(self, instruction: str, other: Bits | int) -> Bits:
        e = self.emitter
        text = other.text if isinstance(other, Bits) else e.splat(str(other), "i64")
        return Bits(e, e.line(f"{instruction} {e.bits_type} {self.text}, {text}").text)

    def __add__(self, other: Bits | int) -> Bits:
        return self._with("add", other)

    def __sub__(self, other: Bits | int) -> Bits:
        return self._with("sub", other)

    def __and__(self, other: Bits | int) -> Bits:
        return self._with("and", other)

    def __or__(self, other: Bits | int) -> Bits:
        return self._with("or", other)

    def __xor__(self, other: Bits | int) -> Bits:
        return self._with("xor", other)

    def __lshift__(self, count: int) -> Bits:
        return self._with("shl", count)

    def __rshift__(self, count: int) -> Bits:
        return self._with("lshr", count)

    def number(self) -> Register:
        """The double that has these bits."""
        e = self.emitter
        return e.line(f"bitcast {e.bits_type} {self.text} to {e.number_type}")


def bits(e: Emitter, x: Number) -> Bits:
    """The bits of a double."""
    return Bits(e, e.line(f"bitcast {e.number_type} {e.number(x).text} to {e.bits_type}").text)


def equal(e: Emitter, x: Number, y: Number) -> Register:
    """Whether two numbers are equal; a nan equals nothing."""
    return e.line(f"fcmp oeq {e.number_type} {e.number(x).text}, {e.number(y).text}", truth=True)


def with_sign_of(e: Emitter, magnitude: Number, x: Number) -> Register:
    """The magnitude with the sign of x; also of zeros."""
    return e.intrinsic("copysign", magnitude, x)


def at_most(e: Emitter, x: Number, bound: float) -> Register:
    """The smaller of a number and a bound; a nan stays."""
    return e.where(e.number(bound) < x, bound, x)


def at_least(e: Emitter, x: Number, bound: float) -> Register:
    """The larger of a number and a bound; a nan stays."""
    return e.where(e.number(bound) > x, bound, x)


def polynomial(e: Emitter, coefficients: Sequence[float], x: Register) -> Register:
    """c₀ + c₁x + c₂x² + …, neighbours joined two by two (Estrin), so that few operations wait for each other."""
    terms: list[Any] = list(coefficients)
    while len(terms) > 1:
        joined = [e.fma(terms[i + 1], x, terms[i]) for i in range(0, len(terms) - 1, 2)]
        terms = joined + terms[len(terms) & ~1 :]
        if len(terms) > 1:
            x = x * x
    return e.number(terms[0])


def horner(e: Emitter, coefficients: Sequence[float], x: Register) -> Register:
    """c₀ + x·(c₁ + x·(c₂ + …)): the fewest operations, for kernels of which several run side by side."""
    total = e.number(coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = e.fma(total, x, coefficient)
    return total


class Pair(NamedTuple):
    """The sum of two doubles, the second small beside the first."""

    emitter: Emitter
    high: Any
    low: Any

    @property
    def value(self) -> Register:
        """The nearest double."""
        return self.high + self.low  # type: ignore[no-any-return]

    def normalised(self) -> Pair:
        """The same number, its low part below the last digit of the high one."""
        return ordered_sum(self.emitter, self.high, self.low)

    def doubled(self, by: float = 2.0) -> Pair:
        """The pair times a power of two."""
        return Pair(self.emitter, self.high * by, self.low * by)

    def scaled(self, by: Any) -> Pair:
        """The pair times a power of two that differs from lane to lane."""
        return self.doubled(by)

    def plus(self, y: Number) -> Pair:
        """The pair plus a double, which may be the larger."""
        total = full_sum(self.emitter, self.high, y)
        return Pair(self.emitter, total.high, total.low + self.low)

    def plus_pair(self, y: Pair) -> Pair:
        """The sum of two pairs."""
        total = full_sum(self.emitter, self.high, y.high)
        return Pair(self.emitter, total.high, total.low + (self.low + y.low))

    def added_to(self, larger: Number) -> Pair:
        """The pair plus a double that is no smaller."""
        total = ordered_sum(self.emitter, larger, self.high)
        return Pair(self.emitter, total.high, total.low + self.low)

    def times(self, y: Pair) -> Pair:
        """The product of two pairs."""
        e = self.emitter
        product = full_product(e, self.high, y.high)
        return Pair(e, product.high, e.fma(self.high, y.low, e.fma(self.low, y.high, product.low)))

    def times_number(self, y: Number) -> Pair:
        """The pair times a double."""
        product = full_product(self.emitter, self.high, y)
        return Pair(self.emitter, product.high, self.emitter.fma(self.low, y, product.low))

    def _quotient(self, y: Pair) -> tuple[Register, Register, Register]:
        """A quotient, the remainder that it leaves, and 1 / y."""
        e = self.emitter
        inverse = 1.0 / y.high
        quotient = self.high * inverse
        return quotient, e.fma(-quotient, y.high, self.high) + e.fma(-quotient, y.low, self.low), inverse

    def over(self, y: Pair) -> Pair:
        """The quotient of two pairs: one division, and its remainder carried along."""
        quotient, remainder, inverse = self._quotient(y)
        return Pair(self.emitter, quotient, remainder * inverse)

    def divided_by(self, y: Pair) -> Register:
        """The same, rounded to a double."""
        quotient, remainder, inverse = self._quotient(y)
        return self.emitter.fma(remainder, inverse, quotient)

    def root(self) -> Pair:
        """The square root, of a positive pair."""
        e = self.emitter
        root = e.intrinsic("sqrt", self.high)
        return Pair(e, root, (e.fma(-root, root, self.high) + self.low) / (root * 2.0))


def choose(condition: Register, x: Pair, y: Pair) -> Pair:
    """One of two pairs, lane by lane."""
    e = x.emitter
    return Pair(e, e.where(condition, x.high, y.high), e.where(condition, x.low, y.low))


def single(e: Emitter, x: Number) -> Pair:
    """A double as a pair."""
    return Pair(e, e.number(x), e.number(0.0))


def ordered_sum(e: Emitter, x: Number, y: Number) -> Pair:
    """x + y exactly, if x is zero or no smaller than y."""
    total = e.number(x) + y
    return Pair(e, total, y - (total - x))


def full_sum(e: Emitter, x: Number, y: Number) -> Pair:
    """x + y exactly (Knuth)."""
    total = e.number(x) + y
    other = total - x
    return Pair(e, total, (x - (total - other)) + (y - other))


def full_product(e: Emitter, x: Number, y: Number) -> Pair:
    """x·y exactly."""
    product = e.number(x) * y
    return Pair(e, product, e.fma(x, y, -product))
