"""A call repeated with the arrays of the call before: they need no look, only the parameters do.

Training calls a step with the same arrays thousands of times, and of a small step that is most of the time (measured:
15 of 24 microseconds). The numbers in the arrays are read anew each time; only their places are known already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiled.recording.arguments import DOUBLE


class RepeatedCall:
    """A reduced value with its gradient by parameters, for arrays whose addresses are in a native replay's table."""

    __slots__ = (
        "_args", "_divisor", "_has_shared", "_may_need_care", "_outputs", "_prepared", "_replay", "_runs", "_shapes",
        "_sums", "_table",
    )  # fmt: skip

    def __init__(self, args: Sequence[Any], prepared: Any, divisor: Any, outputs: slice) -> None:
        self._args = tuple(args)
        self._shapes = [arg.shape for arg in args]
        self._prepared = prepared
        self._replay = prepared.replay
        self._table = self._replay.table
        self._runs = self._replay.runs
        self._divisor = divisor
        self._may_need_care = prepared.replay.plan.may_need_care
        self._outputs = outputs
        self._has_shared = self._replay.has_shared
        #: Of a single chunk, the sums themselves, where the native code writes them.
        self._sums = self._table.total()[outputs] if self._table.chunks == 1 else None

    def run(self, args: Sequence[Any]) -> Any:
        """The value and the gradient in one array; ``None`` where care is needed, a sum is not finite that is to be a
        mean, or these are other arrays than in the call before."""
        if len(args) != len(self._args):
            return None
        for arg, before, shape in zip(args, self._args, self._shapes):  # noqa: B905 - a keyword takes a fiftieth of it
            if arg is not before or arg.shape != shape or arg.dtype is not DOUBLE:
                return None
        replay = self._replay
        if replay.runs != self._runs:  # other arrays were run meanwhile
            return None
        self._prepared.refresh()
        if self._has_shared:
            replay.run_uniform(self._prepared.uniform)
        broken = replay.start(self._table)
        total = self._sums
        if total is None:
            total = self._table.total()[self._outputs]
            broken = not self._prepared.is_finite(total)
        if broken and (self._may_need_care or self._divisor is not None):
            return None
        return total.copy() if self._divisor is None else total / self._divisor


def repeated_call(args: Sequence[Any], prepared: Any, samples: int, reduce: str | None) -> RepeatedCall | None:
    """What runs the same call once more; ``None`` where it needs more than that."""
    replay = prepared.replay
    outputs = prepared.gather.all_summed
    arrays = all(arg.__class__ is np.ndarray and arg.dtype is DOUBLE and not arg.strides[0] & 7 for arg in args)
    if outputs is None or not arrays or not samples or reduce is None or prepared.needs_numbers or replay.kept:
        return None
    table = getattr(replay, "table", None)
    if (
        table is None
        or samples < replay.least
        or table.chunks > table.room
        or not replay.is_short(table)
        or prepared.trace.guards
    ):
        return None
    # An array of no dimensions divides in two thirds of the time that a Python number takes.
    return RepeatedCall(args, prepared, np.array(float(samples)) if reduce == "mean" else None, outputs)
