"""``NativeSteps``: the steps of a descent by one native call, as long as numbers are finite, guards hold and no signal
waits.

The rule is run over the builder's number system, so it becomes a program like any other; what of it depends on rate and
step alone is computed over floats beforehand, for many steps at once.
"""

from __future__ import annotations

import ctypes
import operator
import time
from array import array
from collections.abc import Callable, Sequence
from functools import partial
from struct import Struct
from typing import Any

import numpy as np

from autograd.compiled.backends.memory import address, aligned
from autograd.compiled.backends.native import driver
from autograd.compiled.backends.native.replay import STRETCH_SECONDS, NativeReplay
from autograd.compiled.backends.native.workers import Workers, yielding
from autograd.compiled.backends.reduction import CHUNK, LANES
from autograd.compiled.prepared import Prepared
from autograd.compiled.programs.building import Builder
from autograd.compiled.programs.plan import Plan, plan_of
from autograd.compiled.samples import Samples
from autograd.number_systems import floats
from autograd.primitives import TABLE

#: Seconds that a call is to take at most, between which Ctrl-C is looked for; and the most steps of one.
CALL_SECONDS, MOST_STEPS = 0.1, 1024

#: Seconds that rule, penalty and bounds are taken to take for a leaf before a step is measured: more than most do.
LEAF_SECONDS = 1e-7


class Ran:
    """What came of a run so far."""

    __slots__ = ("penalties", "pushed", "samples", "steps", "total")

    def __init__(self) -> None:
        #: How many steps were taken, of how many samples in all, and what the losses of these add up to.
        self.steps, self.samples, self.total = 0, 0, 0.0
        #: The penalty of each step.
        self.penalties = array("d")
        #: Whether a gradient of a leaf that the rule moves was other than zero.
        self.pushed = False


class NativeSteps:
    """Steps by native code, for one recording, one rule and its settings.

    Args:
        prepared: of value and gradient by the leaves, those first that are moved.
        at: where each of the trace's leaves stands among all, -1 for others.
        spans: where the columns of each array of samples begin, and the end.
        size: the most samples of a batch.
        penalty: the same of the penalty, if there is one.
        threads: how many share a batch of several chunks.

    Raises:
        NotImplementedError: native code cannot do it.
    """

    def __init__(
        self,
        prepared: Prepared,
        at: Any,
        rule: NativeRule,
        *,
        spans: Sequence[int],
        size: int,
        penalty: tuple[Prepared, Any] | None = None,
        clip_value: float | None = None,
        clip_norm: float | None = None,
        threads: int = 1,
    ) -> None:
        from autograd.compiled.backends.native.steps import FIELDS, VARIED, library

        self.prepared, self.rule, self.size = prepared, rule, size
        self._place = {name: i for i, name in enumerate(FIELDS)}
        self._entries = np.zeros(len(FIELDS), np.int64)
        self._pointer = address(self._entries)
        #: Writes the entries that differ from call to call, which stand together.
        self._write = partial(Struct(f"{len(VARIED)}q").pack_into, self._entries.data, 8 * self._place["pushed"])
        self._steps = library().function("steps", ctypes.c_void_p, result=ctypes.c_int64)
        self._work = library().function("work", ctypes.c_void_p, ctypes.c_void_p)
        self._set_gradient(at, min(threads, -(-size // CHUNK)))
        self._set_samples(spans)
        #: Arrays whose addresses are known; and the order of samples.
        self._given: Sequence[Any] = [None] * (len(spans) - 1)
        self._order, self._order_at = np.empty(0, np.int64), 0
        #: What the losses so far add up to, one by one.
        self._total: Any = np.zeros(1).data
        self._pushed, self._taken = self._place["pushed"], self._place["taken"]
        self._bounds = np.array([clip_value or 0.0, clip_norm or 0.0])
        self._set(
            total=address(np.asarray(self._total)), bound=0 if clip_value is None else address(self._bounds),
            norm=0 if clip_norm is None else address(self._bounds) + 8,
            found=address(rule.found), found_count=1 + len(rule.gradient),
            moved=rule.count, rule=rule.entry, rule_table=rule.table.pointer, rule_columns=address(rule.table.columns),
            rule_outputs=address(rule.table.outputs), rule_states=rule.states, rule_rows=rule.rows,
        )  # fmt: skip
        parts = [(prepared, at)] if penalty is None else [(prepared, at), penalty]
        #: What has leaves besides those that are moved.
        self._with_others = [one for one, places in parts if not ((places >= 0) & (places < rule.count)).all()]
        self._has_penalty = penalty is not None
        if penalty is not None:
            self._set_penalty(*penalty)

    def _set(self, **fields: int) -> None:
        for name, number in fields.items():
            self._entries[self._place[name]] = number

    def _set_gradient(self, at: Any, threads: int) -> None:
        """What runs over a batch, in so many threads, and where its sums go."""
        prepared, rule, size = self.prepared, self.rule, self.size
        replay, gather, chunks = native(prepared), prepared.gather, -(-size // CHUNK)
        point, point_code = replay.shared_entry
        summed = len(replay.summed)
        if size < replay.least or prepared.needs_numbers or not summed or chunks > driver.chunks_of_a_round(summed, 1):
            raise NotImplementedError
        if -(-size // LANES) > replay.stretch * threads:
            raise NotImplementedError
        #: The seconds of a step of so many samples, as far as they are known.
        self._seconds = STRETCH_SECONDS * -(-size // LANES) / replay.stretch + LEAF_SECONDS * len(rule.gradient)
        self._tables = [replay.new_table(prepared.uniform) for _ in range(threads)]
        table, self._workers = self._tables[0], Workers(self._tables[1:], self._work)
        self._sums = aligned((chunks * summed + LANES,))
        #: The truths of the guards that differ from sample to sample.
        self._truths = aligned((len(replay.kept) + 1, -(-size // LANES) * LANES))
        table.outputs[: len(replay.kept)] = [address(truths) for truths in self._truths[:-1]]
        for one in self._tables:
            one.set(
                sums=address(self._sums), columns=address(table.columns), strides=address(table.strides),
                outputs=address(table.outputs),
            )  # fmt: skip
        in_order = gather.all_summed
        self._places = np.array(gather.places, np.int64)
        self._segments = segments(prepared.leaf_rows, at, rule.count)
        self._guards = guards_of(prepared, dict(zip([i for i, _ in replay.kept], self._truths, strict=False)))
        self._set(
            run=replay.entry, run_table=table.pointer, sums=address(self._sums), summed=summed,
            first_summed=0 if in_order is None else in_order.start,
            places=address(self._places) if in_order is None else 0, uniform=address(prepared.uniform),
            segments=address(self._segments), segment_count=len(self._segments), point=point, point_code=point_code,
            guards=address(self._guards), guard_count=len(self._guards), workers=len(self._workers),
            worker_tables=address(self._workers.pointers), sync=address(self._workers.sync),
        )  # fmt: skip
        self._entries[self._place["yield"]] = yielding()

    def _set_samples(self, spans: Sequence[int]) -> None:
        """Where the columns of samples are, and where they are gathered if they have an order."""
        widths = np.diff(np.array(spans, np.int64))
        self._buffers = [aligned((self.size + LANES, width)) for width in widths.tolist()]
        #: Of each array its address, the numbers of a sample, and the buffer.
        self._sources = np.stack([0 * widths, widths, [address(buffer) for buffer in self._buffers]], axis=1)
        columns, table = np.array(self.prepared.varying, np.int64), self._tables[0]
        self._column_sources = np.searchsorted(spans, columns, side="right") - 1
        self._column_offsets = columns - np.array(spans, np.int64)[self._column_sources]
        table.strides[: len(columns)] = widths[self._column_sources]
        self._set(
            columns=address(table.columns), strides=address(table.strides), column_count=len(columns),
            column_sources=address(self._column_sources), column_offsets=address(self._column_offsets),
            sources=address(self._sources), source_count=len(widths),
        )  # fmt: skip

    def _set_penalty(self, penalty: Prepared, at: Any) -> None:
        replay = native(penalty)
        point, point_code = replay.shared_entry
        if replay.summed or replay.kept or not point_code:
            raise NotImplementedError
        self._penalty, self._penalties = penalty, np.zeros(MOST_STEPS)
        self._penalty_rows = ~np.array(penalty.gather.places, np.int64)
        self._penalty_segments = segments(penalty.leaf_rows, at, self.rule.count)
        self._penalty_guards = guards_of(penalty, {})
        self._set(
            point=point, penalty_code=point_code, penalty_uniform=address(penalty.uniform),
            penalties=address(self._penalties),
            penalty_rows=address(self._penalty_rows), penalty_segments=address(self._penalty_segments),
            penalty_segment_count=len(self._penalty_segments), penalty_guards=address(self._penalty_guards),
            penalty_guard_count=len(self._penalty_guards),
        )  # fmt: skip

    def run(self, samples: Samples, first: int, size: int, ran: Ran, *, rate: float, step: int) -> bool:
        """Take steps from a sample on, up to the last or as many as a call may take; whether it took them all.

        Args:
            size: the samples of a batch, not more than this was made for.
            ran: what came of it so far; the steps are noted in it.
            step: the steps before.

        Raises:
            IndexError: the order holds the index of no sample.
        """
        order, last = samples.order, samples.count
        if not all(map(operator.is_, samples.arrays, self._given)):
            self._sources[:, 0] = [address(array) for array in samples.arrays]
            self._given = samples.arrays  # they are kept, so that their addresses are theirs
        most = max(1, min(-(-(last - first) // size), MOST_STEPS, int(CALL_SECONDS / self._seconds)))
        uniforms = self.rule.uniforms(rate, step, most)
        order_at = checked = 0
        if order is not None:
            if len(self._order) < last:
                longer = np.empty(last, np.int64)
                self._order, self._order_at = longer, address(longer)
            self._order[first:last] = order[first:]
            order_at, checked = self._order_at, 0 if ran.steps else last
        self._total[0] = ran.total
        self._write(ran.pushed, 0, first, last, size, most, uniforms, order_at, checked, len(samples.arrays[0]))
        steps, begun, noted = self._steps, time.perf_counter(), len(ran.penalties)
        if self._has_penalty:
            ran.penalties.frombytes(bytes(8 * most))  # whatever can fail comes before the steps
        try:
            taken = self._workers.run(steps, self._pointer) if self._workers else steps(self._pointer)
            if taken < 0:
                samples.check()
            if taken:
                self._seconds = (time.perf_counter() - begun) / taken
            return bool(taken == most)
        finally:  # what was taken is noted, whatever failed after it
            self._note(ran, noted, min(size * self._entries.data[self._taken], last - first))

    def _note(self, ran: Ran, noted: int, samples: int) -> None:
        """Note what the last call took, as it stands in the table, after so many penalties that were noted before."""
        taken = max(self._entries.data[self._taken], 0)
        if self._has_penalty:
            memoryview(ran.penalties)[noted : noted + taken] = self._penalties.data[:taken]
            del ran.penalties[noted + taken :]
        if taken:
            self.rule.turn(taken)
            ran.steps += taken
            ran.samples += samples
            ran.total, ran.pushed = self._total[0], bool(self._entries.data[self._pushed])

    def forget_samples(self) -> None:
        """Let arrays of samples go."""
        self._given = [None] * len(self._given)

    def set_leaves(self, of: Callable[[Any], Any]) -> None:
        """Let the leaves have the numbers that ``of`` gives for a trace, where not all are moved."""
        for prepared in self._with_others:
            prepared.set_leaves(of(prepared.trace))


class NativeRule:
    """The rule of an optimizer as machine code, and the buffers of what it moves and of what it keeps.

    Args:
        count: how many numbers are moved; states: how many numbers are kept of each.
        length: of the buffers of numbers and gradients, in which others may follow.

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
        #: Loss and gradient, and the gradient alone.
        self.found = aligned((1 + length + LANES,))
        self.gradient = self.found[1 : 1 + length]
        self.table.columns[1] = address(self.gradient)
        pairs = [aligned((2, length)), *(aligned((2, count)) for _ in range(states))]
        #: The numbers, and each state, as they are now; and the buffers of the next ones.
        self.current, self._other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        self._known: tuple[float, int] | None = None
        self._uniforms: Any = None
        self._uniforms_at = 0
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
            uniforms, known = self._at_steps(rate, step, max(room, count)), (rate, step)
            self._known, self._uniforms, self._uniforms_at = known, uniforms, address(uniforms)
        return self._uniforms_at + 8 * self.rows * (step - known[1])

    def _at_steps(self, rate: float, step: int, count: int) -> Any:
        """What is the same for all numbers, over floats as in ``step()``: ``(steps, rows)``."""
        levels = self._replay.levels
        found = aligned((count, self.rows))
        found[:] = self._uniform[:, 0]
        found[:, levels.row[2 + self.states]] = rate
        found[:, levels.row[3 + self.states]] = np.arange(step + 1, step + count + 1)
        for slot in levels.ranges[0].members.tolist():
            operands = [found[:, levels.row[o]] for o in levels.operands_of(slot).tolist()]
            found[:, levels.row[slot]] = _over_floats(levels.name_of(slot), operands)
        return found


def _plan(rule: Callable[..., Any], settings: Any, states: int) -> Plan:
    """The rule as a plan over a number, its gradient and what is kept of it; rate and step are the same for all."""
    builder = Builder(4 + states)
    p, g, *state, rate, step = map(builder.slot, range(4 + states))
    moved, kept = rule(builder.m, p, g, tuple(state), rate, step, settings)
    outputs = [builder.number(x).index for x in (moved, *kept)]
    return plan_of(builder.program(outputs), 1 + states, 0, [True] * (2 + states) + [False] * 2)


def _over_floats(name: str, operands: Sequence[Any]) -> Any:
    """What a row gives for arrays of floats, to the last bit as one by one."""
    python = TABLE[name].operator if name in TABLE else ""
    over_arrays = getattr(operator, python, None) if python != "pow" else None
    if over_arrays is not None:  # of all others NumPy has the same bits
        with np.errstate(all="ignore"):
            result = over_arrays(*operands)
        if np.isfinite(result).all():
            return result
    function = _ONE_BY_ONE.get(name) or getattr(floats, name)
    return [function(*xs) for xs in zip(*[operand.tolist() for operand in operands], strict=True)]


def _sum(*xs: float) -> float:
    total = xs[0]
    for x in xs[1:]:
        total += x
    return total


#: What a program has beside rows of the table, and rows whose function is another over numbers one by one.
_ONE_BY_ONE: dict[str, Callable[..., float]] = {
    "sum": _sum,
    "where": lambda condition, x, y: x if condition else y,
}


def guards_of(prepared: Prepared, truths: dict[int, Any]) -> Any:
    """The guards of a recording, as native code reads them.

    Args:
        truths: the array of those that differ from sample to sample, by its output.
    """
    guards, replay = prepared.trace.guards, prepared.replay
    found = np.zeros((len(guards), 3), np.int64)
    for i, output in enumerate(range(replay.plan.values, replay.plan.values + len(guards))):
        if output in truths:
            at = address(truths[output])
        else:
            at = address(prepared.uniform) + 8 * int(replay.levels.row[replay.plan.program.outputs[output]])
        found[i] = at, np.float64(guards[i].outcome).view(np.int64), output in truths
    return found


def native(prepared: Prepared) -> NativeReplay:
    """The replay of what runs as native code.

    Raises:
        NotImplementedError: it does not.
    """
    if not isinstance(prepared.replay, NativeReplay):
        raise NotImplementedError
    return prepared.replay


def segments(rows: Any, at: Any, count: int) -> Any:
    """Where the first ``count`` leaves are read, as runs of consecutive ones: row, place among all, and how many."""
    here = np.flatnonzero((at >= 0) & (at < count))
    rows, at = np.asarray(rows)[here], np.asarray(at)[here]
    breaks = np.flatnonzero((np.diff(rows, prepend=-2) != 1) | (np.diff(at, prepend=-2) != 1))
    lengths = np.diff(breaks, append=len(here))
    return np.ascontiguousarray(np.stack([rows[breaks], at[breaks], lengths], axis=1).astype(np.int64))
