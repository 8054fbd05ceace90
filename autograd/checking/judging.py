"""From two numbers and an estimated error to a verdict.

The invariant: *agree* and *mismatch* are said only where the error is small beside the derivative, beside the largest
derivative of the same function, or beside what the user allows; a difference of many errors is a mismatch all the same.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

from autograd.checking.differences import HALF_OF_THE_DIGITS, Slope
from autograd.checking.report import Edge, Entry, Report
from autograd.checking.shrinking_steps import ROUNDING, UNDERFLOW

#: An error beyond this part of the derivative cannot tell a rule that is off by one per cent from a right one.
_SMALL = 1e-3
#: What is not small may still be far too little for the difference that there is.
_MANY = 10.0
#: A kink is one if the slopes on either side are known to this part of the larger one.
_KNOWN_SIDES = 0.01
#: The slopes beside a kink are known to so many digits.
_BESIDE_A_KINK = 1e-5

#: An absolute error that is small for a derivative whose formula cancels: part of the function's size over its input's.
FLAT = 1e-9
#: An error that is small beside the largest derivative.
BESIDE_THE_LARGEST = 1e-6

#: A result changed by less, while its input doubles, is unchanged: what is smaller underflows on the way.
_UNCHANGED = 1e-300

#: A smaller slope has not the half of the digits in which agreement is asked for.
TOO_FEW_DIGITS = UNDERFLOW / HALF_OF_THE_DIGITS
#: A smaller one has lost digits already.
_SMALLEST_NORMAL = 2.0**-1022

#: No difference at all.
NOTHING = Slope(math.nan, math.inf, 0.0, math.nan, math.nan, "nothing", 0.0)


class Judge(NamedTuple):
    """What a user asked for: a factor on the estimated error, more allowances, and verdicts to let through."""

    tolerance: float
    rtol: float
    atol: float
    allow: Collection[str]

    def entry(self, name: str, order: int, analytic: float, slope: Slope, method: str, small: float = 0.0) -> Entry:
        """The entry of one derivative.

        Args:
            small: an absolute error that is small for this derivative, however small the derivative itself is.
        """
        if math.isnan(slope.value) and slope.kind != "nothing":
            slope = slope._replace(kind="nothing")
        if slope.kind in ("kink", "jump") and _is_underflow(slope):
            slope = slope._replace(kind="smooth")
        verdict, note = self._verdict(analytic, slope, max(small, TOO_FEW_DIGITS))
        numeric = slope.value
        if slope.kind in ("kink", "jump"):
            numeric = (slope.left + slope.right) / 2
        passes = verdict in ("agree", "kink") or verdict in self.allow
        return Entry(name, order, analytic, numeric, slope.step, slope.error, method, verdict, passes, note)

    def outside(self, entry: Entry, note: str) -> Entry:
        """The entry of a derivative that does not exist here."""
        verdict = "outside the domain"
        return entry._replace(verdict=verdict, passes=verdict in self.allow, note=note)

    def surely_wrong(self, edge: Edge) -> bool:
        """Whether an edge is wrong by more than the user allows, and its difference is known well."""
        size = max(abs(edge.analytic), abs(edge.numeric))
        apart = abs(edge.analytic - edge.numeric)
        return edge.verdict == "mismatch" and edge.error <= _SMALL * size and apart > self.rtol * size + self.atol

    def nowhere(self, subject: str, names: Sequence[str], error: Exception | None, note: str = "") -> Report:
        """The report where the function has no number at the point itself."""
        outside = error is not None and not isinstance(error, OverflowError)
        verdict = "outside the domain" if outside else "not finite"
        passes = verdict in self.allow
        entries = [Entry(x, 1, math.nan, math.nan, 0.0, math.inf, "", verdict, passes) for x in names]
        return Report(
            subject, entries, notes=[note or (str(error) if error else f"{subject} itself is not finite here")]
        )

    def _verdict(self, analytic: float, slope: Slope, small: float) -> tuple[str, str]:
        if not math.isfinite(analytic):
            return "not finite", ""
        if slope.kind in ("kink", "jump"):
            if slope.side_error > max(_KNOWN_SIDES * slope.side_size, FLAT * slope.size, small):
                return "ill-conditioned", "the slopes on either side are not known"
            slack = self.tolerance * (slope.side_error + _BESIDE_A_KINK * slope.side_size) + self.atol
            what = "slopes" if slope.kind == "kink" else "a jump with slopes"
            note = f"{what} {slope.left:.6g} and {slope.right:.6g}"
            return ("kink" if slope.is_between(analytic, slack) else "mismatch"), note
        if slope.kind == "nothing" or not slope.error < math.inf:
            return "ill-conditioned", "no difference could be formed"
        size = max(abs(analytic), abs(slope.value))
        apart = abs(analytic - slope.value)
        more = self.rtol * size + self.atol
        allowed = self.tolerance * (slope.error + HALF_OF_THE_DIGITS * size) + more
        if slope.error <= max(_SMALL * size, small, more):
            return ("agree" if apart <= allowed else "mismatch"), ""
        return ("mismatch" if apart > _MANY * allowed else "ill-conditioned"), ""


def _is_underflow(slope: Slope) -> bool:
    """Whether slopes on either side are so small that underflow makes them differ."""
    size = max(abs(slope.left), abs(slope.right))
    return size <= TOO_FEW_DIGITS and slope.side_error > _KNOWN_SIDES * size


def changed_note(name: str, before: Sequence[float], after: Sequence[float]) -> str:
    """What to say of a function that returned other numbers for the same inputs; nothing if it returned the same."""
    for x, y in zip(before, after, strict=True):
        if x != y:
            return (
                f"{name} returned {x!r} and then {y!r} for the same inputs; only a function that returns the same at "
                "every call can be checked."
            )
    return ""


def prefixes(name: str, outputs: int) -> list[str]:
    """What stands before the name of an input, for each output."""
    return [""] if outputs == 1 else [f"{name}[{k}] by " for k in range(outputs)]


def largest_change(found: Sequence[Slope], numbers: Sequence[float]) -> float:
    """The largest change of the function over the size of one input."""
    changes = [abs(slope.value) * max(abs(x), 1.0) for slope, x in zip(found, numbers, strict=True)]
    return max((change for change in changes if math.isfinite(change)), default=0.0)


def nothing_at_all(x: float, claimed: float, numeric: float) -> float:
    """An error that is small for any slope at ``x``, as what is smaller changes nothing that a float can hold.

    Where ``x`` is large that is so of a slope that is claimed to be zero, or what differences give: others may be told.
    """
    if claimed and abs(x) > 1.0 and not abs(claimed - numeric) <= _SMALL * abs(claimed):
        return 0.0
    return _UNCHANGED / max(abs(x), 1e-200)


def next_to_zero(x: float, largest: float) -> float:
    """Slopes at ``x`` up to this size are checked as zero is: underflow has taken digits of them, or they change a
    function, of which this is the largest value met, by far less than its rounding.
    """
    return max(_SMALLEST_NORMAL, ROUNDING / 1024 * largest) if abs(x) <= 1.0 else TOO_FEW_DIGITS


def method_of(slope: Slope) -> str:
    """How real differences came to a slope."""
    return "one-sided" if slope.kind == "edge" else "central"
