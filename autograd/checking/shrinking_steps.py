"""Values of a function at ever smaller steps to both sides of a point.

Steps run down from a tenth of the argument's size to where rounding has eaten every digit, by halves. The invariant: a
step that leaves the domain is passed over, and what is kept is the step that was taken, exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable

#: The unit roundoff: half of the distance from 1 to the next float.
ROUNDING = 2.0**-53
#: The smallest float: what a result loses where it underflows.
UNDERFLOW = 2.0**-1074

#: What an argument's step begins with, as a part of its size. No round number: periods of functions are.
_FIRST = 0.0921
#: Fewer levels than these say nothing.
FEWEST = 4

#: Below this part of one, steps of an absolute size have shown what they can.
FINE = 2.0**-34
#: How often a step is halved.
_HALVINGS = 50
#: ``f(x)``: the results, or ``None`` outside of the domain.
Function = Callable[[float], "list[float] | None"]


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
        self._then = self._parts = _FIRST * abs(x) if 0.0 < abs(x) <= 0.01 else 0.0
        self._least = max(abs(x) * 2.0**-_HALVINGS, 16 * UNDERFLOW if x else 1e-305)
        self._missed = 0
        self._levels = 0

    def extend(self) -> bool:
        """Sample at the next smaller step; False when there is none left."""
        if self._step < self._least or self._levels > 2 * _HALVINGS:
            return False
        h, self._levels = self._step, self._levels + 1
        both = [self._sample(self.right, h), self._sample(self.left, -h)]
        self._missed = 0 if all(both) else self._missed + 1
        enough = self._missed >= 3 or h < FINE
        if self._then and h > 2 * self._then and enough:
            self._step, self._then = self._then, 0.0
        elif self.x == 0.0 and enough and h > 1e-280:
            self._step = h * 2.0**-4  # no size is known: down over all magnitudes
        else:
            self._step = h / 8 if self._missed >= 3 else h / 2
        return True

    def sides(self) -> tuple[tuple[list[tuple[float, list[float]]], float], ...]:
        """What was sampled on either side, the largest step first, and the sign of the steps."""
        return (self.right, 1.0), (self.left, -1.0)

    @property
    def smaller_to_come(self) -> bool:
        """Whether steps that are parts of a small argument are still ahead."""
        return self._then > 0.0 or self._step == self._parts > 0.0

    @property
    def are_coarse(self) -> bool:
        """Whether few steps, or none, are a part of the argument, for want of smaller floats."""
        return 0.0 < abs(self.x) < 2.0**-1022

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


def pairs_of(samples: Samples, i: int) -> list[tuple[float, float, float, float]]:
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
