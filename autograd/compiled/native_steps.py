"""``NativeSteps``: the steps of a descent by one native call, as long as numbers are finite and no signal waits.

The rule is run over the builder's number system, so it becomes a program like any other; what of it depends on rate and
step alone is computed over floats beforehand, for many steps at once.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.compiled.backends.memory import address, aligned
from autograd.compiled.backends.native import driver
from autograd.compiled.backends.native.replay import STRETCH_SECONDS, NativeReplay
from autograd.compiled.backends.reduction import CHUNK, LANES
from autograd.compiled.prepared import Prepared
from autograd.compiled.programs.building import Builder
from autograd.compiled.programs.plan import Plan, plan_of
from autograd.number_systems import floats

#: Seconds that a call is to take at most, between which Ctrl-C is looked for; and the most steps of one.
CALL_SECONDS, MOST_STEPS = 0.1, 1024

#: Seconds that rule, penalty and bounds are taken to take for a leaf before a step is measured: more than most do.
LEAF_SECONDS = 1e-7


class Call(NamedTuple):
    """What came of a native call: the losses and penalties of the steps that were taken, and whether it ended before a
    step whose numbers are not finite."""

    losses: list[float]
    penalties: list[float]
    broke_off: bool


class NativeSteps:
    """Steps by native code, for one recording, one rule and its settings.

    Args:
        prepared: of value and gradient by the leaves, those first that are moved.
        size: the most samples of a batch.
        at: where each of the trace's leaves stands among all, -1 for others.
        penalty: the same of the penalty, if there is one.

    Raises:
        NotImplementedError: native code cannot do it.
    """

    def __init__(
        self,
        prepared: Prepared,
        at: Any,
        rule: NativeRule,
        *,
        leaves: int,
        size: int,
        penalty: tuple[Prepared, Any] | None = None,
        clip_value: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        from autograd.compiled.backends.native.steps import FIELDS, library

        self._place = {name: i for i, name in enumerate(FIELDS)}
        replay = native(prepared)
        summed = prepared.gather.all_summed
        chunks = -(-size // CHUNK)
        shared = shared_entry(replay)
        if summed is None or prepared.needs_numbers or replay.kept or prepared.trace.guards:
            raise NotImplementedError
        if chunks > driver.chunks_of_a_round(len(replay.summed), 1) or -(-size // LANES) > replay.stretch:
            raise NotImplementedError
        self.prepared, self.rule = prepared, rule
        self._samples: Any = None
        #: Where loss and gradient go; and the seconds of a step of so many samples, as far as they are known.
        self.found = aligned((1 + leaves + LANES,))
        self._seconds = STRETCH_SECONDS * -(-size // LANES) / replay.stretch + LEAF_SECONDS * leaves
        self._table = replay.new_table(prepared.uniform)
        self._table.size(size)
        self._losses, self._penalties = np.zeros(MOST_STEPS), np.zeros(MOST_STEPS)
        self._sums = aligned((chunks * len(replay.summed) + LANES,))
        self._table.set(sums=address(self._sums), first_group=0)
        self._bounds = np.array([clip_value or 0.0, clip_norm or 0.0])
        self._segments = segments(prepared.leaf_rows, at, rule.count)
        self._entries = np.zeros(len(FIELDS), np.int64)
        self._pointer = address(self._entries)
        #: The entries that each call writes, which stand together.
        self._varied = slice(self._place["first"], self._place["rule_uniforms"] + 1)
        self._starts = np.zeros(len(self._table.columns), np.int64)
        self._set(
            run=replay.entry, run_table=self._table.pointer, columns=address(self._table.columns),
            starts=address(self._starts), strides=address(self._table.strides), column_count=len(replay.columns),
            sums=address(self._sums) + 8 * summed.start, summed=len(replay.summed), found=address(self.found),
            found_count=1 + leaves, uniform=address(prepared.uniform), segments=address(self._segments),
            segment_count=len(self._segments), point=shared[0], point_code=shared[1],
            penalties=address(self._penalties), losses=address(self._losses),
            bound=0 if clip_value is None else address(self._bounds),
            norm=0 if clip_norm is None else address(self._bounds) + 8,
            moved=rule.count, rule=rule.entry, rule_table=rule.table.pointer, rule_columns=address(rule.table.columns),
            rule_outputs=address(rule.table.outputs), rule_states=rule.states, rule_rows=rule.rows,
        )  # fmt: skip
        parts = [(prepared, at)] if penalty is None else [(prepared, at), penalty]
        #: What has leaves besides those that are moved.
        self._with_others = [one for one, places in parts if not ((places >= 0) & (places < rule.count)).all()]
        self._has_penalty = penalty is not None
        if penalty is not None:
            self._set_penalty(*penalty)
        rule.table.columns[1] = address(self.found) + 8
        self._steps = library().function("steps", ctypes.c_void_p, result=ctypes.c_int64)

    def _set(self, **fields: int) -> None:
        for name, number in fields.items():
            self._entries[self._place[name]] = number

    def _set_penalty(self, penalty: Prepared, at: Any) -> None:
        replay = native(penalty)
        shared, first = shared_entry(replay), penalty.first_derivative
        if replay.summed or replay.kept or penalty.trace.guards or not shared[1]:
            raise NotImplementedError
        self._penalty = penalty
        outputs = np.array(replay.plan.program.outputs, np.intp)[[0, *range(first, first + penalty.gather.size - 1)]]
        self._penalty_rows = replay.levels.row_of[outputs].astype(np.int64)
        self._penalty_segments = segments(penalty.leaf_rows, at, self.rule.count)
        self._set(
            point=shared[0], penalty_code=shared[1], penalty_uniform=address(penalty.uniform),
            penalty_rows=address(self._penalty_rows), penalty_segments=address(self._penalty_segments),
            penalty_segment_count=len(self._penalty_segments),
        )  # fmt: skip

    #: The steps of the last call, and how many were asked for.
    taken, _asked = 0, 0

    def run(
        self, columns: Sequence[Any], samples: Any, first: int, last: int, size: int, *, rate: float, step: int
    ) -> None:
        """Take steps from the first sample on, up to the last or as many as a call may take; ``call`` tells of them.

        Args:
            size: the samples of a batch, not more than this was made for.
            samples: whatever is the same object as long as the columns are the same memory.
            step: the steps before.
        """
        if samples is not self._samples:
            mine = [columns[c] for c in self.prepared.varying]
            self._starts[: len(mine)] = [address(column) for column in mine]
            self._table.strides[: len(mine)] = [column.strides[0] >> 3 for column in mine]
            self._samples = samples
        left = -(-(last - first) // size)
        most = max(1, min(left, MOST_STEPS, int(CALL_SECONDS / self._seconds)))
        uniforms = self.rule.uniforms(rate, step, most)
        self._entries[self._varied] = first, last, size, most, uniforms
        self._asked, begun = most, time.perf_counter()
        self.taken = self._steps(self._pointer)
        if self.taken:
            self._seconds = (time.perf_counter() - begun) / self.taken

    @property
    def call(self) -> Call:
        """What came of the last call."""
        taken = self.taken
        penalties = self._penalties[:taken].tolist() if self._has_penalty else []
        return Call(self._losses[:taken].tolist(), penalties, taken < self._asked)

    @property
    def pushed(self) -> bool:
        """Whether a gradient of what is moved was other than zero since this was written."""
        return bool(self._entries[self._place["pushed"]])

    @pushed.setter
    def pushed(self, so_far: bool) -> None:
        self._set(pushed=so_far)

    def set_leaves(self, of: Callable[[Any], Any]) -> None:
        """Let the leaves have the numbers that ``of`` gives for a trace, where not all are moved."""
        for prepared in self._with_others:
            prepared.set_leaves(of(prepared.trace))


class NativeRule:
    """The rule of an optimizer as machine code, and the buffers of what it moves and of what it keeps.

    Args:
        count: how many numbers are moved; states: how many numbers are kept of each.
        length: of the buffers of numbers, in which others may follow.

    Raises:
        NotImplementedError: an output of it is the same for all.
    """

    def __init__(self, rule: Callable[..., Any], settings: Any, count: int, states: int, length: int) -> None:
        from autograd.compiled.backends.machine.replay import MachineReplay

        plan = _plan(rule, settings, states)
        self._replay = MachineReplay(plan)
        if len(self._replay.kept) != 1 + states or len(self._replay.columns) != 2 + states:
            raise NotImplementedError
        self.entry = self._replay.entry
        self.count, self.states = count, states
        self._uniform = self._replay.new_uniform()
        self.rows = len(self._uniform)
        self.table = self._replay.new_table(self._uniform)
        self.table.size(count)
        pairs = [aligned((2, length)), *(aligned((2, count)) for _ in range(states))]
        #: The numbers, and each state, as they are now; and the buffers of the next ones.
        self.current, self._other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        self._known: tuple[float, int] | None = None
        self._uniforms: Any = None
        for i, (now, following) in enumerate(zip(self.current, self._other, strict=True)):
            self.table.columns[i + (i > 0)], self.table.outputs[i] = address(now), address(following)

    def turn(self, steps: int) -> None:
        """Note that the buffers have changed places so many times."""
        if steps % 2:
            self.current, self._other = self._other, self.current

    def hold(self, numbers: Any, states: Sequence[Any]) -> None:
        """Go on from these numbers and states, which may be the present ones."""
        for mine, given in zip(self.current, (numbers, *states), strict=True):
            if mine is not given:
                mine[:] = given
        if len(numbers) > self.count:  # what is not moved does not change places
            self._other[0][self.count :] = numbers[self.count :]

    def uniforms(self, rate: float, step: int, count: int) -> int:
        """The address of what is shared at each of the steps that follow; it is made for more of them at once where
        the rate stays."""
        known = self._known
        if known is None or known[0] != rate or not 0 <= step - known[1] <= len(self._uniforms) - count:
            room = MOST_STEPS if known is None or known[0] == rate else count
            self._uniforms, self._known = self._at_steps(rate, step, max(room, count)), (rate, step)
        return address(self._uniforms) + 8 * self.rows * (step - self._known[1])  # type: ignore[index]

    def _at_steps(self, rate: float, step: int, count: int) -> Any:
        """What is the same for all numbers, over floats as in ``step()``: ``(steps, rows)``."""
        levels = self._replay.levels
        found = aligned((count, self.rows))
        found[:] = self._uniform[:, 0]
        found[:, levels.row[2 + self.states]] = rate
        found[:, levels.row[3 + self.states]] = np.arange(step + 1, step + count + 1)
        for slot in levels.ranges[0].members.tolist():
            operands = [found[:, levels.row[o]].tolist() for o in levels.operands_of(slot).tolist()]
            function = _OVER_FLOATS.get(levels.name_of(slot)) or getattr(floats, levels.name_of(slot))
            found[:, levels.row[slot]] = [function(*xs) for xs in zip(*operands, strict=True)]
        return found


def _plan(rule: Callable[..., Any], settings: Any, states: int) -> Plan:
    """The rule as a plan over a number, its gradient and what is kept of it; rate and step are the same for all."""
    builder = Builder(4 + states)
    p, g, *state, rate, step = map(builder.slot, range(4 + states))
    moved, kept = rule(builder.m, p, g, tuple(state), rate, step, settings)
    outputs = [builder.number(x).index for x in (moved, *kept)]
    return plan_of(builder.program(outputs), 1 + states, 0, [True] * (2 + states) + [False] * 2)


def _sum(*xs: float) -> float:
    total = xs[0]
    for x in xs[1:]:
        total += x
    return total


#: What a program has beside rows of the table, and rows whose function is another over numbers one by one.
_OVER_FLOATS: dict[str, Callable[..., float]] = {
    "sum": _sum,
    "where": lambda condition, x, y: x if condition else y,
}


def native(prepared: Prepared) -> NativeReplay:
    """The replay of what runs as native code.

    Raises:
        NotImplementedError: it does not.
    """
    if not isinstance(prepared.replay, NativeReplay):
        raise NotImplementedError
    return prepared.replay


def shared_entry(replay: NativeReplay) -> tuple[int, int]:
    """The address of native code for the numbers that all samples share, and of its own code, 0 where there are none.

    Raises:
        NotImplementedError: there is none.
    """
    entry = replay.shared_entry
    if entry is None:  # machine code leaves them to NumPy
        from autograd.compiled.backends.interpreter.replay import interpreter, point_code

        if "dot" in replay.levels.uniform_names():
            raise NotImplementedError
        replay.code_of_shared = point_code(replay.levels)
        entry = interpreter(replay.width.numbers).address("point"), address(replay.code_of_shared)
    return entry


def segments(rows: Any, at: Any, count: int) -> Any:
    """Where the first ``count`` leaves are read, as runs of consecutive ones: row, place among all, and how many."""
    here = np.flatnonzero((at >= 0) & (at < count))
    rows, at = np.asarray(rows)[here], np.asarray(at)[here]
    breaks = np.flatnonzero((np.diff(rows, prepend=-2) != 1) | (np.diff(at, prepend=-2) != 1))
    lengths = np.diff(breaks, append=len(here))
    return np.ascontiguousarray(np.stack([rows[breaks], at[breaks], lengths], axis=1).astype(np.int64))
