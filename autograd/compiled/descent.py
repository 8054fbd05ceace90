"""``Descent``: leaves moved over batches of samples by a rule, their numbers lying in arrays from step to step.

A step is: value and gradient of the mean over a batch, a penalty's, bounds of the gradient, and the rule, which moves
all leaves at once. Values are written when that is asked for; what somebody else wrote in them meanwhile is obeyed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiled.backends.choice import Options, checked
from autograd.compiled.backends.reduction import CHUNK
from autograd.compiled.native_steps import Call, NativeRule, NativeSteps, native
from autograd.compiled.prepared import Prepared
from autograd.compiled.recording.arguments import ArgumentReader, Arguments, arguments_of
from autograd.compiled.recording.trace import Trace
from autograd.compiled.recording.watched import refuse_amid_of_another
from autograd.compiled.runs import Runs
from autograd.eager import nodes
from autograd.interrupts import uninterrupted
from autograd.locks import new_lock
from autograd.number_systems import arrays
from autograd.value import Value

#: The rule of an optimizer: ``(m, p, g, state, rate, step, settings) -> (p, state)``.
Rule = Callable[[Any, Any, Any, Sequence[Any], float, int, Any], tuple[Any, Sequence[Any]]]


#: Samples that are copied in less time than it takes to find where their columns are.
FEW = 512


class Ran:
    """What came of a run so far."""

    __slots__ = ("penalties", "pushed", "samples", "steps", "total")

    def __init__(self) -> None:
        #: How many steps were taken, of how many samples in all, and what the losses of these add up to.
        self.steps, self.samples, self.total = 0, 0, 0.0
        #: The penalty of each step.
        self.penalties: list[float] = []
        #: Whether a gradient of a leaf that the rule moves was other than zero.
        self.pushed = False


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
        options = checked(options)
        self._runs = Runs(f, self.name, self.params, "mean", options, by_captured=False)
        self._of_penalty = None
        if penalty is not None:
            self._of_penalty = Runs(
                penalty, "the penalty", self.params, "mean", options, by_captured=False, long_dots=False
            )
        self._read_arguments = ArgumentReader(self.name)
        self._signals: uninterrupted | None = None
        self._lock = new_lock()
        #: The numbers of all leaves, their gradients at the last step, and what the rule keeps of those it moves.
        self.numbers = np.zeros(len(self.params))
        self.gradient = np.zeros(len(self.params))
        self.states: list[Any] = []
        #: The steps that were taken, and the last run.
        self.steps, self.ran = 0, Ran()
        self._moment = -1
        self._threads = options.threads
        #: Samples as they were given last, and copies of samples, as they are read.
        self._whole: tuple[Any, Any, Arguments] | None = None
        self._copied: tuple[list[Any], list[Any], Arguments] | None = None
        #: What takes steps by native code, for which recordings and settings, and up to which size; and its rule.
        self._natively: tuple[Any, int, NativeSteps | None] | None = None
        self._native_rule: tuple[Any, NativeRule] | None = None
        #: Traces, by their identity: where their leaves stand among all, and those that stand elsewhere.
        self._leaves: dict[int, tuple[Trace, Any, list[tuple[int, Value]]]] = {}

    def begin(self, states: Sequence[Sequence[float]], steps: int) -> None:
        """Go on from what the rule kept of each leaf that it moves, after so many steps."""
        self.states, self.steps = [np.array(state, np.float64) for state in states], steps

    def arrays(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Samples and targets as arrays.

        Raises:
            ValueError, TypeError: they hold something else than numbers, or lists of different lengths.
        """
        return np.asarray(X, np.float64), np.asarray(y, np.float64)

    def write(self, *, gradients: bool = False) -> None:
        """Write the numbers of the leaves, and perhaps their gradients at the last step, into the Values."""
        with uninterrupted():
            self.obey()
            nodes.now += 1
            self._moment = moment = int(nodes.now)
            for leaf, number in zip(self.params, self.numbers[: self._moved].tolist(), strict=False):
                leaf._data = number
                leaf._moment = moment
            if gradients:
                for leaf, number in zip(self.params, self.gradient.tolist(), strict=True):
                    leaf._grad = number

    def obey(self) -> None:
        """Take over what was written into the leaves by others."""
        before = self._moment
        if before != nodes.now:
            self._moment = int(nodes.now)
            for i, leaf in enumerate(self.params):
                if leaf._moment > before:
                    self.numbers[i] = leaf._data

    def batches(self, X: Any, y: Any, order: Any = None) -> Arguments:
        """The samples in an order, ready for ``run`` until the next call; ``None`` is that of the arrays.

        Raises:
            IndexError: the order holds the index of no sample.
        """
        if order is None:
            whole = self._whole
            if whole is not None and whole[0] is X and whole[1] is y and whole[2].samples == len(X):
                return whole[2]
            if len(X) > FEW:
                self._whole = whole = X, y, self._read_arguments((X, y))
                return whole[2]
        else:
            order = np.ascontiguousarray(order, np.intp)
            if len(order) and order.view(np.uintp).max() >= len(X):  # a negative one is large then
                raise IndexError(f"the order goes from {order.min()} to {order.max()}; there are {len(X)} samples")
        count = len(X) if order is None else len(order)
        shapes = [(count, *array.shape[1:]) for array in (X, y)]
        if self._copied is None or self._copied[0] != shapes:
            to = [np.empty(shape) for shape in shapes]
            self._copied = shapes, to, self._read_arguments(to)
        _, to, arguments = self._copied
        for array, copy in zip((X, y), to, strict=True):
            if order is None:
                copy[:] = array
            else:
                np.take(array, order, axis=0, out=copy, mode="clip")  # in another mode it makes a copy more
        return arguments

    def orders(self, count: int, chance: random.Random) -> Callable[[], Any]:
        """What draws an order of so many samples anew at each call: by as many numbers of ``chance``, sorted."""
        _, state, _ = chance.getstate()
        same = np.random.RandomState()  # the same generator, whose state is the same
        same.set_state(("MT19937", np.array(state[:-1], np.uint32), state[-1], 0, 0.0))
        return lambda: np.argsort(same.random_sample(count), kind="stable")

    def run(
        self,
        samples: Arguments,
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
            signals: the context in which it runs, if it does in one; while the function is recorded they do not wait.

        Raises:
            Exception: what the function raises as it is recorded, or GuardError. ``ran`` tells of the steps before.
        """
        if signals is None:
            with uninterrupted() as signals:
                return self.run(samples, size, first, rate=rate, settings=settings, signals=signals)
        refuse_amid_of_another(self.name, self._lock)
        with self._lock:
            self.ran, self._signals = ran, _ = Ran(), signals
            self.obey()
            at, count = first, samples.samples or 0
            while at < count and not signals.pending:
                steps = self._native(samples, size, settings)
                if steps is not None:
                    call = self._run_natively(steps, samples, at, size, rate)
                    at += size * len(call.losses)
                    if not call.broke_off:
                        continue
                if not self._step(samples, at, min(at + size, count), rate, settings):
                    break
                at += size
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
            prepared, _, kept = self._runs.run(arguments, "values", leaves=self)
            return np.broadcast_to(prepared.output(0, kept), len(X))

    def _step(self, samples: Arguments, begin: int, end: int, rate: float, settings: Any) -> bool:
        """Take a step; whether its numbers are finite."""
        found = self._gradient(samples, begin, end)
        if found is None:
            return False
        loss, penalty = found
        moved = self.gradient[: self._moved]
        p, states = self._after(moved, rate, self.steps + 1, settings)
        pushed = self.ran.pushed or bool(moved.any())
        numbers, before = self.numbers.copy(), (self.numbers, self.states)
        numbers[: self._moved] = p
        try:
            self.numbers, self.states = numbers, states
            self._note([loss], [] if penalty is None else [penalty], [end - begin], pushed)
        except BaseException:
            self.numbers, self.states = before
            raise
        return True

    def _note(self, losses: Sequence[float], penalties: Sequence[float], sizes: Sequence[int], pushed: bool) -> None:
        """Note steps: all that there is to note, or after an error nothing."""
        ran, steps, total, samples = self.ran, len(losses), self.ran.total, self.ran.samples
        for loss, size in zip(losses, sizes, strict=True):
            total += loss * size
            samples += size
        ran.penalties += penalties
        self.steps += steps
        ran.steps += steps
        ran.total, ran.samples, ran.pushed = total, samples, pushed

    def _native(self, samples: Arguments, size: int, settings: Any) -> NativeSteps | None:
        """What takes steps by native code; ``None`` where that cannot serve, and before the first step."""
        if self._threads > 1 and size > CHUNK:
            return None
        parts = [self._prepared(self._runs, samples)]
        if self._of_penalty is not None:
            parts.append(self._prepared(self._of_penalty, _NO_ARGUMENTS))
        if None in parts:
            return None
        known = dict(vars(settings)) if hasattr(settings, "__dict__") else settings
        last = self._natively
        if last is None or last[0] != (parts, known) or last[1] < size:
            self._natively = last = (parts, known), size, self._made_native(parts, size, settings, known)
        return last[2]

    @staticmethod
    def _prepared(runs: Runs, arguments: Arguments) -> Prepared | None:
        """What ran last."""
        kept = runs.recordings_of(arguments, unroll=False).kept
        return kept[0].prepared.get(("gradient", ())) if kept else None

    def _made_native(self, parts: Sequence[Any], size: int, settings: Any, known: Any) -> NativeSteps | None:
        try:
            for part in parts:
                native(part)
            if self._native_rule is None or self._native_rule[0] != known:
                states, length = len(self.states), len(self.params)
                self._native_rule = known, NativeRule(self.rule, settings, self._moved, states, length)
            made = [(part, self._places(part.trace)[0]) for part in parts]
            return NativeSteps(
                *made[0], self._native_rule[1], leaves=len(self.params), size=size,
                penalty=made[1] if len(made) > 1 else None, clip_value=self._clip_value, clip_norm=self._clip_norm,
            )  # fmt: skip
        except Exception:  # what the rule cannot do over a program it may do over arrays
            return None

    def _run_natively(self, steps: NativeSteps, samples: Arguments, at: int, size: int, rate: float) -> Call:
        """Take as many steps as one native call takes."""
        rule, count = steps.rule, samples.samples or 0
        rule.hold(self.numbers, self.states)
        steps.set_leaves(self.of)
        steps.pushed = self.ran.pushed
        steps.taken = 0
        try:
            steps.run(samples.columns, samples, at, count, size, rate=rate, step=self.steps)
        finally:  # what was taken is noted, whatever failed after it
            call = steps.call
            rule.turn(steps.taken)
            self.numbers, *self.states = rule.current
            self.gradient = steps.found[1 : 1 + len(self.params)]
            sizes = [size] * len(call.losses)
            if at + sum(sizes) > count:
                sizes[-1] = (count - at) % size
            self._note(call.losses, call.penalties, sizes, steps.pushed)
        return call

    def _gradient(self, samples: Arguments, begin: int, end: int) -> tuple[float, float | None] | None:
        """Loss and penalty of a batch, the gradient being put in its place; ``None`` where a number is not finite."""
        whole = begin == 0 and end == samples.samples
        batch = samples
        if not whole:
            batch = samples._replace(samples=end - begin, columns=[column[begin:end] for column in samples.columns])
        prepared, sums, _ = self._runs.run(batch, "gradient", leaves=self)
        found = prepared.gather(sums, prepared.uniform, end - begin, "mean")
        if not Prepared.is_finite(found):
            return None
        gradient, penalty = found[1:] + 0.0, None
        if self._of_penalty is not None:
            prepared, sums, _ = self._of_penalty.run(_NO_ARGUMENTS, "gradient", leaves=self)
            of_penalty = prepared.gather(sums, prepared.uniform, 0, None)
            if not Prepared.is_finite(of_penalty):
                return None
            penalty = float(of_penalty[0])
            gradient += of_penalty[1:]
        self._clip(gradient)
        self.gradient = gradient
        return float(found[0]), penalty

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
        self.write()
        if self._signals is None:
            return record()
        with self._signals.allowed():
            return record()


_NO_ARGUMENTS = arguments_of((), "the penalty")
