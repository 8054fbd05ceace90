"""``Descent``: leaves moved over batches of samples by a rule, their numbers lying in arrays from step to step.

A step is: value and gradient of the mean over a batch, a penalty's, bounds of the gradient, and the rule, which moves
all leaves at once. Values are written when that is asked for; what somebody else wrote in them meanwhile is obeyed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from copy import copy
from typing import Any

import numpy as np

from autograd.compiled.asked import Asked
from autograd.compiled.backends.choice import Options, checked
from autograd.compiled.native_steps import NativeRule, NativeSteps, Ran
from autograd.compiled.prepared import Prepared
from autograd.compiled.recording.arguments import ArgumentReader, Arguments, arguments_of
from autograd.compiled.recording.recordings import MOST_RECORDINGS, Recordings
from autograd.compiled.recording.trace import Trace
from autograd.compiled.recording.watched import refuse_amid_of_another
from autograd.compiled.runs import Run, Runs
from autograd.compiled.samples import Samples
from autograd.eager import nodes
from autograd.errors import GuardError, RecordingError
from autograd.interrupts import uninterrupted
from autograd.locks import new_lock
from autograd.number_systems import arrays
from autograd.value import Value

#: The rule of an optimizer: ``(m, p, g, state, rate, step, settings) -> (p, state)``.
Rule = Callable[[Any, Any, Any, Sequence[Any], float, int, Any], tuple[Any, Sequence[Any]]]


#: Numbers that are drawn at once, for the orders of several epochs.
DRAWN = 4096


class _TakesLong(Exception):
    """A recording is to be made, for which signals should not wait."""


class Descent:
    """Leaves that a rule moves; made by ``autograd.descent``."""

    def __init__(
        self,
        f: Callable[..., Any],
        params: Sequence[Value],
        rule: Rule,
        *,
        moved: Sequence[Value] | None = None,
        penalty: Callable[[], Any] | None = None,
        penalty_may_change: bool = False,
        clip_value: float | None = None,
        clip_norm: float | None = None,
        options: Options,
    ) -> None:
        self.name = getattr(f, "__name__", type(f).__name__)
        moved = params if moved is None else moved
        self.rule = rule
        #: The leaves, those first that the rule moves; and how many these are.
        self.params = list(dict.fromkeys([*moved, *params]))
        self._moved = len(moved)
        self._place = {leaf: i for i, leaf in enumerate(self.params)}
        self._clip_value, self._clip_norm = clip_value, clip_norm
        self._options = options = checked(options)
        #: A function of which ``outputs`` were wanted last.
        self._other: tuple[Callable[[Any], Any], Runs] | None = None
        self._runs = Runs(f, self.name, self.params, "mean", options, by_captured=False)
        self._of_penalty = None
        if penalty is not None:
            self._of_penalty = Runs(penalty, "the penalty", self.params, "mean", options, by_captured=False)
            self._recordings_of_penalty = self._of_penalty.recordings_of(_NO_ARGUMENTS, unroll=False)
        #: The penalty, if it is to be asked before it is trusted to stay what it is; and whether it is to be now.
        self._asked = Asked(penalty, self.params) if penalty is not None and penalty_may_change else None
        self._is_to_ask, self._may_record = self._asked is not None, True
        self._read_arguments = ArgumentReader(self.name)
        self._signals: uninterrupted | None = None
        self._lock = new_lock()
        #: Lets others see the numbers of now: it writes them.
        self.show: Callable[[], None] = self.write
        #: The numbers of all leaves, their gradients at the last step, and what the rule keeps of those it moves.
        self.numbers = np.zeros(len(self.params))
        self.gradient = np.zeros(len(self.params))
        self.states: list[Any] = []
        #: The steps that were taken, and the last run.
        self.steps, self.ran = 0, Ran()
        self._moment = -1
        self._threads = options.threads
        #: By the shapes of samples, the recordings, and where the columns of each array begin.
        self._layouts: dict[Any, tuple[Recordings, list[int]]] = {}
        #: The native rule, if it can be one, and for which settings.
        self._rule_of: tuple[Any, NativeRule | None] | None = None
        #: What takes steps by native code, up to which size, by the identities of what is recorded.
        self._natively: dict[tuple[int, int], tuple[Prepared, Prepared | None, int, NativeSteps | None]] = {}
        #: Traces, by their identity: where their leaves stand among all, and those that stand elsewhere.
        self._leaves: dict[int, tuple[Trace, Any, list[tuple[int, Value]]]] = {}

    def begin(self, states: Sequence[Sequence[float]], steps: int) -> None:
        """Go on from what the rule kept of each leaf that it moves, after so many steps."""
        self.states, self.steps = [np.array(state, np.float64) for state in states], steps

    def ask_again(self) -> None:
        """Ask the penalty at the next step, since somebody may have changed what it is."""
        self._is_to_ask = self._asked is not None

    def arrays(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Samples and targets as arrays.

        Raises:
            ValueError, TypeError: they hold something else than numbers, or lists of different lengths.
        """
        return np.asarray(X, np.float64), np.asarray(y, np.float64)

    def write(self, *, gradients: bool = False) -> None:
        """Write the numbers of the leaves, and perhaps their gradients at the last step, into the Values."""
        if self._signals is not None and self._signals.holds:
            self._write(gradients)
        else:
            with uninterrupted():
                self._write(gradients)

    def _write(self, gradients: bool) -> None:
        self.obey()
        nodes.now += 1
        self._moment = moment = int(nodes.now)
        for leaf, number in zip(self.params, self.numbers[: self._moved].tolist(), strict=False):
            leaf._data = number
            leaf._moment = moment
        if gradients:
            for leaf, number in zip(self.params, self.gradient.tolist(), strict=True):
                leaf._grad = number

    def numbers_of(self, leaves: Sequence[Value]) -> Any:
        """The numbers of some of the leaves."""
        self.obey()
        return self.numbers[[self._place[leaf] for leaf in leaves]]

    def obey(self) -> None:
        """Take over what was written into the leaves by others."""
        before = self._moment
        if before != nodes.now:
            self._moment = int(nodes.now)
            for i, leaf in enumerate(self.params):
                if leaf._moment > before:
                    self.numbers[i] = leaf._data

    def batches(self, X: Any, y: Any, order: Any = None) -> Samples:
        """The samples in an order, ready for ``run``; ``None`` is that of the arrays.

        Raises:
            ValueError: X and y have different numbers of samples.
        """
        return Samples((np.ascontiguousarray(X), np.ascontiguousarray(y)), order, self._read_arguments)

    def forget_samples(self) -> None:
        """Let arrays of samples go, which are held until the next ones come."""
        for *_, steps in self._natively.values():
            if steps is not None:
                steps.forget_samples()

    def orders(self, count: int, chance: random.Random) -> Callable[[], Any]:
        """What draws an order of so many samples anew at each call: by as many numbers of ``chance``, sorted."""
        _, state, _ = chance.getstate()
        same = np.random.RandomState()  # the same generator, whose state is the same
        same.set_state(("MT19937", np.array(state[:-1], np.uint32), state[-1], 0, 0.0))
        at_once = max(1, DRAWN // max(count, 1))

        def endless() -> Iterator[Any]:
            while True:
                yield from _sorting(same.random_sample((at_once, count)))

        return endless().__next__

    def run(
        self,
        samples: Samples,
        size: int,
        first: int = 0,
        *,
        rate: float,
        settings: Any = None,
        signals: uninterrupted | None = None,
    ) -> Ran:
        """Take steps, a batch of so many samples each, from the first sample given on.

        It ends at the last sample; before a step whose loss, penalty or gradient is not finite; or when a signal waits.

        Args:
            settings: what the rule reads besides.
            signals: the context in which it runs, if it does in one; while the function is recorded, and in a step that
                takes long, they do not wait.

        Raises:
            IndexError: the order holds the index of no sample.
            Exception: what the function raises as it is recorded, or GuardError. ``ran`` tells of the steps before.
        """
        if signals is None:
            with uninterrupted() as signals:
                return self.run(samples, size, first, rate=rate, settings=settings, signals=signals)
        refuse_amid_of_another(self.name, self._lock)
        with self._lock:
            self.ran, self._signals = ran, _ = Ran(), signals
            self.obey()
            while first + ran.samples < samples.count and not signals.pending:
                at = first + ran.samples
                steps = self._native(samples, size, settings)
                if steps is not None and self._run_natively(steps, samples, at, size, rate):
                    continue
                at = first + ran.samples
                if not self._step(samples, at, min(at + size, samples.count), rate, settings):
                    break
            return ran

    def losses(self, X: Any, y: Any, *, signals: uninterrupted) -> Any:
        """The function's value for each sample, at the numbers of now; nan or an infinity where it has none.

        Raises:
            Exception: as ``run``.
        """
        refuse_amid_of_another(self.name, self._lock)
        with self._lock:
            self._signals = signals
            self.obey()
            arguments = self._read_arguments((X, y))
            prepared, _, kept = self._run(self._runs, arguments, "values")
            return np.broadcast_to(prepared.output(0, kept), len(X))

    def outputs(self, f: Callable[[Any], Any], X: Any, *, signals: uninterrupted) -> Any:
        """What another function of the leaves returns for each sample, at the numbers of now: ``(N,)`` or ``(N, k)``.

        Raises:
            NotImplementedError: it returns something else than a number or a list of them, or a number that is fixed.
            Exception: as ``run``.
        """
        refuse_amid_of_another(self.name, self._lock)
        with self._lock:
            self._signals = signals
            self.obey()
            if self._other is None or self._other[0] is not f:
                name = getattr(f, "__name__", type(f).__name__)
                self._other = f, Runs(f, name, self.params, None, self._options, by_captured=False)
            prepared, _, kept = self._run(self._other[1], arguments_of((X,), self.name), "values")
            trace = prepared.trace
            if trace.constants or not (trace.one_number or trace.is_list):
                raise NotImplementedError
            found = [np.broadcast_to(prepared.output(i, kept), len(X)) for i in range(len(trace.outputs))]
            return found[0] if trace.one_number else np.stack(found, axis=1)

    def _step(self, samples: Samples, begin: int, end: int, rate: float, settings: Any) -> bool:
        """Take a step; whether its numbers are finite."""
        ran = self.ran
        if not ran.steps:
            samples.check()
        found = self._gradient(samples.batch(begin, end))
        if found is None:
            return False
        loss, penalty = found
        moved = self.gradient[: self._moved]
        p, states = self._after(moved, rate, self.steps + 1, settings)
        pushed = ran.pushed or bool(moved.any())
        numbers, before = self.numbers.copy(), (self.numbers, self.states)
        numbers[: self._moved] = p
        try:
            self.numbers, self.states = numbers, states
            ran.penalties.extend(() if penalty is None else (penalty,))
            self.steps, ran.steps, ran.samples = self.steps + 1, ran.steps + 1, ran.samples + end - begin
            ran.total, ran.pushed = ran.total + loss * (end - begin), pushed
        except BaseException:
            self.numbers, self.states = before
            raise
        return True

    def _native(self, samples: Samples, size: int, settings: Any) -> NativeSteps | None:
        """What takes steps by native code; ``None`` where that cannot serve, and before the first step."""
        layout = self._layouts.get(samples.shapes)
        if layout is None:
            one = samples.batch(0, 1)
            layout = self._layouts[samples.shapes] = self._runs.recordings_of(one, unroll=False), one.spans
        if self._is_to_ask:
            return None
        part = _prepared(layout[0])
        penalty = None if self._of_penalty is None else _prepared(self._recordings_of_penalty)
        if part is None or (penalty is None and self._of_penalty is not None):
            return None
        known = getattr(settings, "__dict__", settings)
        if self._rule_of is None or self._rule_of[0] != known:
            self._natively.clear()
            self._rule_of = copy(known), self._native_rule(settings)
        last = self._natively.get((id(part), id(penalty)))
        if last is None or last[0] is not part or last[1] is not penalty or last[2] < size:
            if len(self._natively) >= MOST_RECORDINGS:  # a penalty that somebody changes again and again
                self._natively.clear()
            last = part, penalty, size, self._native_steps(part, penalty, layout[1], size)
            self._natively[id(part), id(penalty)] = last
        return last[3]

    def _native_rule(self, settings: Any) -> NativeRule | None:
        try:
            return NativeRule(self.rule, settings, self._moved, len(self.states), len(self.params))
        except Exception:  # what it cannot do over a program it may do over arrays
            return None

    def _native_steps(
        self, part: Prepared, penalty: Prepared | None, spans: Sequence[int], size: int
    ) -> NativeSteps | None:
        rule = self._rule_of[1] if self._rule_of is not None else None
        if rule is None:
            return None
        try:
            return NativeSteps(
                part, self._places(part.trace)[0], rule, spans=spans, size=size,
                penalty=None if penalty is None else (penalty, self._places(penalty.trace)[0]),
                clip_value=self._clip_value, clip_norm=self._clip_norm, threads=self._threads,
            )  # fmt: skip
        except (NotImplementedError, ImportError):
            return None

    def _run_natively(self, steps: NativeSteps, samples: Samples, at: int, size: int, rate: float) -> bool:
        """Take as many steps as one native call takes; whether it took all that it was to take."""
        rule, ran = steps.rule, self.ran
        before = ran.steps
        rule.hold(self.numbers, self.states)
        steps.set_leaves(self.of)
        try:
            return steps.run(samples, at, size, ran, rate=rate, step=self.steps)
        finally:  # what was taken is noted, whatever failed after it
            self.numbers, *self.states = rule.current
            self.gradient = rule.gradient
            self.steps += ran.steps - before

    def _gradient(self, batch: Arguments) -> tuple[float, float | None] | None:
        """Loss and penalty of a batch, the gradient being put in its place; ``None`` where a number is not finite."""
        prepared, sums, _ = self._run(self._runs, batch, "gradient")
        found = prepared.gather(sums, prepared.uniform, batch.samples or 0, "mean")
        if not Prepared.is_finite(found):
            return None
        gradient, penalty = found[1:] + 0.0, None
        if self._of_penalty is not None:
            with_penalty = self._with_penalty(gradient)
            if with_penalty is None or not math.isfinite(with_penalty[0]) or not Prepared.is_finite(with_penalty[1]):
                return None
            penalty, gradient = with_penalty
        self._clip(gradient)
        self.gradient = gradient
        return float(found[0]), penalty

    def _with_penalty(self, gradient: Any) -> tuple[float, Any] | None:
        """The penalty, and the gradient with its own; ``None`` if it is no number."""
        asked, runs, signals = self._asked, self._of_penalty, self._signals
        if runs is not None and not self._is_to_ask:
            try:
                prepared, sums, _ = self._run(runs, _NO_ARGUMENTS, "gradient")
            except (GuardError, RecordingError):
                if asked is None:
                    raise
                self._may_record = False  # what cannot be recorded can be asked
            else:
                found = prepared.gather(sums, prepared.uniform, 0, None)
                return float(found[0]), gradient + found[1:]
        assert asked is not None
        self.show()
        with signals.allowed() if signals is not None else nullcontext():
            found = asked.add(gradient)
        if not asked.is_the_same:
            self._recordings_of_penalty.kept.clear()
        self._is_to_ask = not (asked.is_the_same and self._may_record)
        return found

    def _run(self, runs: Runs, arguments: Arguments, what: str) -> Run:
        """What came of a call at the numbers of now. If it may take long, signals do not wait, and see these."""
        kept = runs.recordings_of(arguments, unroll=False).kept
        prepared = kept[0].prepared.get((what, ())) if kept else None
        if prepared is not None and prepared.is_short(arguments.samples or 1):
            with suppress(_TakesLong):
                return runs.run(arguments, what, leaves=self)
        self.show()
        with self._signals.allowed() if self._signals is not None else nullcontext():
            return runs.run(arguments, what, leaves=self)

    def _clip(self, gradient: Any) -> None:
        """Keep the gradient of what is moved within its bounds."""
        moved, bound = gradient[: self._moved], self._clip_value
        if bound is not None:
            np.minimum(np.maximum(moved, -bound), bound, out=moved)
        bound = self._clip_norm
        if bound is not None:
            total = math.hypot(*moved.tolist())
            if total > bound:
                if math.isinf(total):  # the norm of finite gradients may be too large for a float
                    moved *= 2.0**-64
                moved /= math.hypot(*moved.tolist())
                moved *= bound

    def _after(self, gradient: Any, rate: float, step: int, settings: Any) -> tuple[Any, list[Any]]:
        """The numbers that are moved, and their states, after a step."""
        numbers = self.numbers[: self._moved]
        with np.errstate(all="ignore"):
            p, states = self.rule(arrays, numbers, gradient, tuple(self.states), rate, step, settings)
        if len(states) != len(self.states):
            raise ValueError(
                f"the rule returned {len(states)} numbers to keep for each parameter; it was given {len(self.states)}"
            )
        return p, [state if np.shape(state) == numbers.shape else np.full(numbers.shape, state) for state in states]

    # What ``Runs`` asks of whoever has the numbers of the leaves.

    def of(self, trace: Trace) -> Any:
        """The numbers of a trace's leaves."""
        at, others = self._places(trace)
        found = self.numbers[at]
        for i, leaf in others:
            found[i] = leaf._data
        return found

    def _places(self, trace: Trace) -> tuple[Any, list[tuple[int, Value]]]:
        """Where a trace's leaves stand among all, and those that are not there."""
        known = self._leaves.get(id(trace))
        if known is None or known[0] is not trace:
            at = np.array([self._place.get(leaf, -1) for leaf in trace.leaves], np.intp)
            others = [(i, trace.leaves[i]) for i in np.flatnonzero(at < 0).tolist()]
            known = self._leaves[id(trace)] = trace, at, others
        return known[1:]

    def recorded(self, record: Callable[[], Trace]) -> Trace:
        """A recording, made at the numbers of now."""
        if self._signals is not None and self._signals.holds:
            raise _TakesLong
        self.show()
        return record()


def _sorting(draws: Any) -> Any:
    """The orders that sort rows of numbers, equal ones as they stand. A stable sort takes twice as long (measured), and
    they are hardly ever equal."""
    orders = draws.argsort(axis=1)
    in_order = np.take_along_axis(draws, orders, axis=1)
    return draws.argsort(axis=1, kind="stable") if (in_order[:, 1:] == in_order[:, :-1]).any() else orders


def _prepared(recordings: Recordings) -> Prepared | None:
    """What ran last."""
    kept = recordings.kept
    return kept[0].prepared.get(("gradient", ())) if kept else None


_NO_ARGUMENTS = arguments_of((), "the penalty")
