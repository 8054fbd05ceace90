"""What all back ends share: the numbers that all samples share, and where the outputs of a plan are found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiled.backends.group_calls import GroupCalls
from autograd.compiled.backends.levels import Levels
from autograd.compiled.backends.memory import aligned
from autograd.compiled.programs.plan import Plan
from autograd.number_systems import arrays
from autograd.number_systems.common import SMALLER

#: Numbers that NumPy computes in some hundredths of a second, at 5 ns or less each.
MOST_NUMBERS = 10_000_000


class Replay:
    """A plan, ready to run; a back end says how the samples are run."""

    name = ""

    def __init__(self, plan: Plan, *, with_varying: bool) -> None:
        self.plan = plan
        #: Seconds until native code could be called, and whether it came from the disk.
        self.compile_seconds, self.is_cached = 0.0, False
        #: How many numbers a register of native code holds, and why; ``None`` where the code is NumPy's.
        self.width: Any = None
        self.levels = Levels(plan, with_varying=with_varying)
        program = plan.program
        #: The inputs that differ from sample to sample, in order.
        self.columns = [s for s in range(program.inputs) if plan.varying[s]]
        outputs = np.array(program.outputs, np.intp)
        varies, reduced = self.levels.varying[outputs] != 0, np.array(plan.reduced, bool)
        summed, kept = np.flatnonzero(varies & reduced), np.flatnonzero(varies & ~reduced)
        #: Outputs that are summed over samples, and those with one number per sample: (output, slot).
        self.summed: list[tuple[int, int]] = list(zip(summed.tolist(), outputs[summed].tolist(), strict=True))
        self.kept: list[tuple[int, int]] = list(zip(kept.tolist(), outputs[kept].tolist(), strict=True))
        #: Where each output stands among the sums; -1 for the others.
        self.places_of_summed = np.full(len(outputs), -1)
        self.places_of_summed[summed] = np.arange(len(summed))
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

    @property
    def samples_of_a_stretch(self) -> int:
        """Samples that take some hundredths of a second at most, as far as that is known."""
        return MOST_NUMBERS // (len(self.plan.program) or 1)

    @property
    def has_shared(self) -> bool:
        """Whether there is something to compute that is the same for all samples."""
        return len(self.levels.ranges[0][2]) > 0

    def run_uniform(self, uniform: Any) -> None:
        """Compute what is the same for all samples."""
        if self._uniform_calls is None:
            self._uniform_calls = GroupCalls(self.levels, 0)
        if self._uniform_calls:
            with arrays.computing():
                self._uniform_calls(uniform, uniform, uniform)

    def run_samples(self, columns: Sequence[Any], uniform: Any, samples: int) -> tuple[Any, list[Any]]:
        """The sums over samples, and an array for each output that is kept.

        Args:
            columns: a float64 array of samples for each of ``self.columns``.

        Raises:
            ValueError: there are more or fewer columns than that.
        """
        raise NotImplementedError

    def check_count(self, columns: Sequence[Any]) -> None:
        """Refuse columns that are not as many as the plan has: native code would read beyond them."""
        if len(columns) != len(self.columns):
            raise ValueError(
                f"{len(columns)} columns of samples for a program of {len(self.columns)}; "
                "give one for each input that differs from sample to sample"
            )

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


def places_of(outputs: Sequence[tuple[int, int]], end: int | None = None) -> dict[int, list[int]]:
    """Slot → its places among these outputs, ``(output, slot)`` each; only of slots before the end, if one is given."""
    found: dict[int, list[int]] = {}
    for place, (_, slot) in enumerate(outputs):
        if end is None or slot < end:
            found.setdefault(slot, []).append(place)
    return found


class Gather:
    """Reduced outputs as one array: those that were summed, and those that are the same for all samples."""

    def __init__(self, replay: Replay, outputs: Sequence[int]) -> None:
        self.size = len(outputs)
        wanted = np.array(outputs, np.intp)
        places = replay.places_of_summed[wanted]
        self._to_summed, self._to_uniform = np.flatnonzero(places >= 0), np.flatnonzero(places < 0)
        self._from_summed = places[self._to_summed]
        slots = np.array(replay.plan.program.outputs, np.intp)[wanted[self._to_uniform]]
        self._from_uniform = replay.levels.row_of[slots]
        self._derivatives = wanted >= replay.plan.values + replay.plan.guards
        first = int(places[0]) if len(places) else 0
        consecutive = np.array_equal(places, np.arange(first, first + len(places))) and first >= 0
        #: Where each output stands: among the sums, or, below 0, the complement of a row that all samples share.
        self.places = places.copy()
        self.places[self._to_uniform] = ~self._from_uniform
        #: Where the outputs stand among the sums, if they are all there, one after the other.
        self.all_summed = slice(first, first + len(places)) if consecutive else None

    def __call__(self, sums: Any, uniform: Any, samples: int, reduce: str | None) -> Any:
        """The array, reduced over that many samples; without a reduction there is a single point.

        Args:
            sums: of the samples; or two rows, those sums and the same of smaller terms, for a mean.
        """
        if sums.ndim == 2:
            sums, reduce = _means(sums[0], sums[1], samples), None
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


def _means(sums: Any, smaller: Any, samples: int) -> Any:
    """The means, by the sums of smaller terms where the others are not finite."""
    with arrays.computing():
        return np.where(np.isfinite(sums), sums / samples, smaller / samples / SMALLER)
