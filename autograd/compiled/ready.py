"""Plans that are ready to run, and the recordings they are made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd import recording
from autograd.compiled.arguments import Arguments
from autograd.compiled.backends import Choice
from autograd.compiled.tracing import Trace


class Ready:
    """A plan that a back end can run, and the numbers that are the same for all samples."""

    def __init__(self, trace: Trace, choice: Choice, params: int) -> None:
        self.trace = trace
        self.choice = choice
        self.replay = replay = choice.replay
        plan = replay.plan
        row = replay.levels.row
        self.uniform = replay.new_uniform()
        places = [(c, s) for c, s in enumerate(trace.arguments) if s >= 0]
        self._varying = [c for s, c in sorted((s, c) for c, s in places) if plan.varying[s]]
        self._numbers = [(row[s], c) for c, s in places if not plan.varying[s]]
        self._leaf_rows = replay.levels.row_of[np.array(trace.leaf_inputs, np.intp)]
        self._moment = -1
        self.first_derivative = plan.values + plan.guards
        #: Collects the value and the gradient by the parameters.
        values = range(min(plan.values, 1))
        self.gather = replay.gather([*values, *range(self.first_derivative, self.first_derivative + params)])

    @property
    def needs_numbers(self) -> bool:
        """Whether the call's arguments hold numbers that all samples share."""
        return bool(self._numbers)

    def refresh(self) -> None:
        """Read the leaves again if any was written since."""
        if self._moment != recording.now:
            self.uniform[self._leaf_rows, 0] = [leaf._data for leaf in self.trace.leaves]
            self._moment = int(recording.now)

    def run(self, columns: Sequence[Any], samples: int, seeds: Sequence[Any] = ()) -> tuple[Any, list[Any]]:
        """Sums and kept outputs, at the leaves' numbers of now; seeds are columns for the inputs after all others."""
        uniform = self.uniform
        self.refresh()
        for row, c in self._numbers:
            uniform[row, 0] = columns[c]
        return self.replay.run([*[columns[c] for c in self._varying], *seeds], uniform, samples)

    def output(self, i: int, kept: Sequence[Any]) -> Any:
        """An output that is not summed; a derivative is added to 0.0, as ``backward()`` does, so it is never -0.0."""
        found = self.replay.output(i, kept, self.uniform)
        return found + 0.0 if i >= self.first_derivative else found


class Way(NamedTuple):
    """One recording: a trace, and the plans made from it so far, each ready to run."""

    trace: Trace
    ready: dict[Any, Ready]


def varying_inputs(trace: Trace, arguments: Arguments) -> list[bool]:
    """Whether each input of the trace's program differs from sample to sample."""
    varying = [False] * trace.program.inputs
    for column, place in zip(arguments.columns, trace.arguments, strict=True):
        if place >= 0 and isinstance(column, np.ndarray):
            varying[place] = True
    return varying
