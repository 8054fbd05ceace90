"""What one operation lost when its result was rounded: its local error.

For + - × ÷ √ and sums of them it is computed exactly (``exact_errors``); for all other rows it is the distance to the
interval that holds the exact value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import inf, nextafter
from typing import Any

from autograd.checking import exact_errors
from autograd.primitives import Primitive


def distance(z: float, exact: Any) -> float:
    """The largest distance of a float from the numbers of an interval, rounded up."""
    d = max(exact.high - z, z - exact.low, 0.0)
    return nextafter(d, inf) if d else 0.0


def exact_error(primitive: Primitive, z: float, operands: Sequence[Any]) -> float | None:
    """|z - exact|, rounded upward, of one IEEE operation or a sum of such; ``None`` for all other rows."""
    exactly = getattr(exact_errors, primitive.name, None) if primitive.built_in else None
    lost = exactly(z, operands) if exactly else math.nan
    return None if math.isnan(lost) else lost
