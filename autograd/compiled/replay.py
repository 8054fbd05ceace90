"""What all back ends share: the numbers that all samples share, and where the outputs of a plan are found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiled.group_calls import GroupCalls
from autograd.compiled.levels import Levels
from autograd.compiled.memory import aligned
from autograd.compiled.plan import Plan
from autograd.number_systems import arrays


class Replay:
    """A plan, ready to run; a back end says how the samples are run."""

    name = ""

    def __init__(self, plan: Plan, *, with_varying: bool) -> None:
        self.plan = plan
        self.levels = Levels(plan, with_varying=with_varying)
        program = plan.program
        #: The inputs that differ from sample to sample, in order.
        self.columns = [s for s in range(program.inputs) if plan.varying[s]]
        varying = [(i, o) for i, o in enumerate(program.outputs) if plan.varying[o]]
        #: Outputs that are summed over samples, and those with one number per sample: (output, slot).
        self.summed = [(i, o) for i, o in varying if plan.reduced[i]]
        self.kept = [(i, o) for i, o in varying if not plan.reduced[i]]
        self._place_of_summed = {i: place for place, (i, _) in enumerate(self.summed)}
        self._place_of_kept = {i: place for place, (i, _) in enumerate(self.kept)}
        #: Rows of the uniform array that hold 1.0 and 0.0 for native code.
        self.row_of_one, self.row_of_zero = self.levels.rows[0], self.levels.rows[0] + 1
        self._uniform_calls: GroupCalls | None = None

    def new_uniform(self) -> Any:
        """The array of numbers that are the same for all samples, ``(rows, 1)``, with the constants in it."""
        uniform = aligned((self.levels.rows[0] + 2, 1))
        uniform[self.row_of_one, 0] = 1.0
        for i, number in enumerate(self.plan.program.constants):
            uniform[self.levels.row[self.plan.program.inputs + i], 0] = number
        return uniform

    def run_uniform(self, uniform: Any) -> None:
        """Compute what is the same for all samples."""
        if self._uniform_calls is None:
            self._uniform_calls = GroupCalls(self.levels.groups(0))
        if self._uniform_calls:
            with arrays.computing():
                self._uniform_calls(uniform, uniform, uniform)

    def run_samples(self, columns: Sequence[Any], uniform: Any, samples: int) -> tuple[Any, list[Any]]:
        """The sums over samples, and an array for each output that is kept.

        Args:
            columns: a float64 array of samples for each of ``self.columns``.
        """
        raise NotImplementedError

    def run(self, columns: Sequence[Any], uniform: Any, samples: int) -> tuple[Any, list[Any]]:
        """The same, after what is uniform was computed."""
        self.run_uniform(uniform)
        if not self.summed and not self.kept:
            return np.zeros(0), []
        return self.run_samples(columns, uniform, samples)

    def output(self, i: int, kept: Sequence[Any], uniform: Any) -> Any:
        """An output that is not summed: one number per sample, or one number."""
        place = self._place_of_kept.get(i)
        return uniform[self.levels.row[self.plan.program.outputs[i]], 0] if place is None else kept[place]

    def gather(self, outputs: Sequence[int]) -> Gather:
        """What collects reduced outputs into one array."""
        return Gather(self, outputs)

    def place_of_summed(self, i: int) -> int | None:
        """Where an output stands among the sums; ``None`` for one that is the same for all samples."""
        return self._place_of_summed.get(i)


class Gather:
    """Reduced outputs as one array: those that were summed, and those that are the same for all samples."""

    def __init__(self, replay: Replay, outputs: Sequence[int]) -> None:
        program, row = replay.plan.program, replay.levels.row
        self.size = len(outputs)
        places = [replay.place_of_summed(i) for i in outputs]
        summed = [(k, place) for k, place in enumerate(places) if place is not None]
        uniform = [
            (k, row[program.outputs[i]])
            for k, (i, place) in enumerate(zip(outputs, places, strict=True))
            if place is None
        ]
        self._to_summed, self._from_summed = (
            np.array(x, np.intp) for x in (zip(*summed, strict=True) if summed else ((), ()))
        )
        self._to_uniform, self._from_uniform = (
            np.array(x, np.intp) for x in (zip(*uniform, strict=True) if uniform else ((), ()))
        )
        first = summed[0][1] if summed else 0
        derivatives = replay.plan.values + replay.plan.guards
        self._derivatives = np.array([i >= derivatives for i in outputs], bool)
        consecutive = not uniform and [place for _, place in summed] == list(range(first, first + len(summed)))
        #: Where the outputs stand among the sums, if they are all there, one after the other.
        self.all_summed = slice(first, first + len(summed)) if consecutive else None

    def __call__(self, sums: Any, uniform: Any, samples: int, reduce: str | None) -> Any:
        """The array, reduced over that many samples; without a reduction there is a single point."""
        if self.all_summed is not None and reduce is not None:
            found = sums[self.all_summed]
            return found / samples if reduce == "mean" else found.copy()
        result = np.empty(self.size)
        result[self._to_summed] = sums[self._from_summed]
        if reduce == "mean":
            result /= samples
        shared = uniform[self._from_uniform, 0]
        result[self._to_uniform] = shared if reduce != "sum" else shared * samples if samples else 0.0
        result[self._derivatives] += 0.0  # added to 0.0, as backward() does, so they are never -0.0
        return result
