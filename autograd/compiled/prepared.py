"""Plans that are ready to run: over the samples of a batch, or at one vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiled.backends.choice import Choice, Options, choose
from autograd.compiled.backends.memory import SHORT
from autograd.compiled.recording.arguments import Arguments
from autograd.compiled.recording.guards import NOT_ASKED, Missed
from autograd.compiled.recording.trace import Trace
from autograd.eager import nodes
from autograd.primitives import INFINITY


class Prepared:
    """A plan that a back end can run, and the numbers that are the same for all samples.

    Args:
        choose: makes the plan and chooses its back end; given True, the careful plan (``programs/liveness.py``), which
            is run in place of the other where a number comes out as nan or infinite.
    """

    def __init__(
        self, trace: Trace, choose: Callable[[bool], Choice], params: int, *, is_careful: bool = False
    ) -> None:
        self.trace = trace
        self._choose, self._params = choose, params
        self._careful: Any = None
        self.choice = choose(is_careful)
        self.replay = replay = self.choice.replay
        plan = replay.plan
        row = replay.levels.row
        self.uniform = replay.new_uniform()
        places = [(c, s) for c, s in enumerate(trace.arguments) if s >= 0]
        #: The columns of a call that differ by sample, in the order of the replay's.
        self.varying = [c for s, c in sorted((s, c) for c, s in places) if plan.varying[s]]
        self._numbers = [(row[s], c) for c, s in places if not plan.varying[s]]
        #: The row of each of the trace's leaves.
        self.leaf_rows = replay.levels.row_of[np.array(trace.leaf_inputs, np.intp)]
        self._moment = -1
        self.first_derivative = plan.values + plan.guards
        #: Collects the value and the gradient by the parameters.
        values = range(min(plan.values, 1))
        self.gather = replay.gather([*values, *range(self.first_derivative, self.first_derivative + params)])

        outputs = plan.program.outputs
        varying = {i for i, _ in (*replay.summed, *replay.kept)}
        #: The rows of the uniform array that are outputs.
        self._uniform_outputs = replay.levels.row_of[
            np.array([slot for i, slot in enumerate(outputs) if i not in varying], np.intp)
        ]

    def on(self, options: Options) -> Prepared:
        """The same plan on another back end."""

        def chosen(careful: bool) -> Choice:
            return choose((self.careful() if careful else self).replay.plan, options)

        return type(self)(self.trace, chosen, self._params)

    @property
    def needs_numbers(self) -> bool:
        """Whether the call's arguments hold numbers that all samples share."""
        return bool(self._numbers)

    def refresh(self) -> None:
        """Read the leaves again if any was written since."""
        if self._moment != nodes.now:
            self.uniform[self.leaf_rows, 0] = [leaf._data for leaf in self.trace.leaves]
            self._moment = int(nodes.now)

    def set_leaves(self, numbers: Any) -> None:
        """Let the leaves have these numbers until they are read again."""
        self.uniform[self.leaf_rows, 0], self._moment = numbers, -1

    def run(
        self, columns: Sequence[Any], samples: int, seeds: Sequence[Any] = (), leaves: Any = None
    ) -> tuple[Any, list[Any]]:
        """Sums and kept outputs, at the numbers of the leaves, which are those of now unless given; seeds are columns
        for the inputs after all others."""
        uniform = self.uniform
        if leaves is None:
            self.refresh()
        else:
            self.set_leaves(leaves)
        for row, c in self._numbers:
            uniform[row, 0] = columns[c]
        return self.replay.run([*[columns[c] for c in self.varying], *seeds], uniform, samples)

    def run_with_care(
        self, columns: Sequence[Any], samples: int, seeds: Sequence[Any] = (), leaves: Any = None
    ) -> tuple[Prepared, Any, list[Any]]:
        """What ran, this or the careful plan, and what came of it."""
        sums, kept = self.run(columns, samples, seeds, leaves)
        if self.needs_care(sums, kept):
            return self.careful().run_with_care(columns, samples, seeds, leaves)  # type: ignore[no-any-return]
        return self, sums, kept

    def is_short(self, samples: int) -> bool:
        """Whether a run over that many samples takes some hundredths of a second at most."""
        return samples <= self.replay.samples_of_a_stretch

    def needs_care(self, sums: Any, kept: Sequence[Any]) -> bool:
        """Whether a number came out as nan or infinite, so that derivatives may be others."""
        if not self.replay.plan.may_need_care:
            return False
        if len(kept) > 1 and len(kept[0]) <= SHORT:  # one question costs less than one for each
            kept = [np.concatenate(kept)]
        return not all(map(self.is_finite, [self.uniform[self._uniform_outputs, 0], sums, *kept]))

    @staticmethod
    def is_finite(numbers: Any) -> bool:
        """Whether all numbers of an array of one dimension are finite: the largest and the smallest are, among which
        NumPy counts nan. That is half of the time of asking each, and gives no warning (measured)."""
        if not len(numbers):
            return True
        return bool(numbers[numbers.argmax()] < INFINITY and numbers[numbers.argmin()] > -INFINITY)

    def careful(self) -> Any:
        """The plan that is right there too; it is made once."""
        if self._careful is None:
            self._careful = type(self)(self.trace, self._choose, self._params, is_careful=True)
        return self._careful

    def output(self, i: int, kept: Sequence[Any]) -> Any:
        """An output that is not summed; a derivative is added to 0.0, as ``backward()`` does, so it is never -0.0."""
        found = self.replay.output(i, kept, self.uniform)
        return found + 0.0 if i >= self.first_derivative else found


class PreparedAtPoint(Prepared):
    """A plan over one vector, whose numbers are the first inputs, in order; seeds differ from lane to lane.

    A solver calls it thousands of times, so numbers are read and written as arrays.
    """

    def __init__(
        self, trace: Trace, choose: Callable[[bool], Choice], params: int = 0, *, is_careful: bool = False
    ) -> None:
        super().__init__(trace, choose, params, is_careful=is_careful)
        self._numbers_of_all = self.uniform.reshape(-1)  # the same memory
        self._vector = self._numbers_of_all[: len(trace.arguments)]
        plan, row = self.replay.plan, self.replay.levels.row
        outputs = plan.program.outputs
        #: The outputs that are values, and those that are derivatives.
        self.values, self.derivatives = range(plan.values), range(self.first_derivative, len(outputs))
        self._guards = range(plan.values, self.first_derivative)
        self._outcomes = np.array([g.outcome for g in trace.guards], float)
        #: The rows of the outputs where nothing varies; a loop's numbers do, as those of seeds.
        self._rows = None
        if not any(plan.varying[o] for o in outputs):
            self._rows = np.array([row[o] for o in outputs], np.intp)

    def at(self, x: Any, lanes: Sequence[Any] = ()) -> tuple[PreparedAtPoint, list[Any]]:
        """What ran, this or a careful one, and the kept outputs; its uniform array holds the rest. Raises Missed if a
        guard does not hold."""
        self.refresh()
        self._vector[:] = x
        sums, kept = self.replay.run(list(lanes), self.uniform, len(lanes[0]) if lanes else 1)
        if len(self._guards):
            truths = self.found(self._guards, kept)
            other = (truths != self._outcomes) & (truths != NOT_ASKED)
            if other.any():
                raise Missed(self.trace.guards[int(other.argmax())], 0)
        if self.needs_care(sums, kept):
            return self.careful().at(x, lanes)  # type: ignore[no-any-return]
        return self, kept

    def found(self, outputs: range, kept: Sequence[Any]) -> Any:
        """A run of outputs as one array, at the first lane."""
        if self._rows is not None:
            return self._numbers_of_all.take(self._rows[outputs.start : outputs.stop])
        numbers = [self.replay.output(i, kept, self.uniform) for i in outputs]
        return np.array([x[0] if isinstance(x, np.ndarray) else x for x in numbers], np.float64)

    def derivative(self, kept: Sequence[Any], count: int) -> Any:
        """The derivative outputs, ``(count, derivatives)``."""
        found = np.empty((count, len(self.derivatives)))
        for j, i in enumerate(self.derivatives):
            found[:, j] = self.output(i, kept)
        return found


def symmetric(found: Any) -> Any:
    """Hessians, ``(…, n, n)``, in which, as in those of ``autograd.hessian``, a mixed derivative that is not one number
    in both orders, other than by rounding, is nan in both places."""
    if not Prepared.is_finite(found.reshape(-1)):
        mirrored = found.swapaxes(-1, -2)
        found[(found != mirrored) & ~(np.isfinite(found) & np.isfinite(mirrored))] = np.nan
    return found


def varying_inputs(trace: Trace, arguments: Arguments) -> list[bool]:
    """Whether each input of the trace's program differs from sample to sample."""
    varying = [False] * trace.program.inputs
    for column, place in zip(arguments.columns, trace.arguments, strict=True):
        if place >= 0 and isinstance(column, np.ndarray):
            varying[place] = True
    return varying
