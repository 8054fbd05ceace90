"""What happens when a recorded program would take another way than the function: never a wrong branch in silence."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiled.tracing import Guard
from autograd.errors import GuardError

#: Programs kept for one shape of arguments, one per way that the comparisons went.
MOST_WAYS = 16


class Missed(Exception):
    """All samples decided a comparison differently from the recording, and alike: another recording serves them."""


missed = Missed()


def check(name: str, guard: Guard, truth: Any) -> None:
    """Raise unless a comparison came out as recorded for all samples.

    Raises:
        Missed: it came out otherwise for all of them.
        GuardError: for some of them; the comparison, the samples and the remedy are named.
    """
    other = truth != guard.outcome
    if not np.any(other):
        return
    if np.all(other):
        raise missed
    wrong = np.flatnonzero(other)
    shown = ", ".join(map(str, wrong[:5])) + (" …" if len(wrong) > 5 else "")
    where = f" ({guard.line})" if guard.line else ""
    raise GuardError(
        f"{name}: the comparison {guard.text}{where} is {guard.outcome} for some samples and "
        f"{not guard.outcome} for {len(wrong)} of {len(other)} (samples {shown}), so no single branch is right. "
        "Write the choice with where(condition, a, b)."
    )
