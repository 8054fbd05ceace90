"""``Objective``: a function of one vector, recorded once, as SciPy's solvers call it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, TypeAlias, TypeVar

import numpy as np

from autograd import recording
from autograd.compiled.backends import Choice, Options, checked, choose
from autograd.compiled.derivatives import (
    COLUMNS,
    GRADIENT,
    HESSIAN,
    HVP,
    JVP,
    VALUES,
    VJP,
    Derivative,
    jacobian_of,
    planned,
)
from autograd.compiled.guards import MOST_WAYS, NOT_ASKED, Missed, missed_again
from autograd.compiled.pickling import picklable
from autograd.compiled.report import Report, described
from autograd.compiled.tracing import Trace, arranged, refuse_while_recording, trace
from autograd.errors import DomainError, GuardError
from autograd.loop_recording import PART
from autograd.value import Value

_M = TypeVar("_M", bound=Callable[..., Any])


class _Ready:
    """A plan over a vector (inputs first), leaves, and perhaps seeds that differ from lane to lane."""

    def __init__(self, recorded: Trace, choice: Choice, values: int) -> None:
        self.trace = recorded
        self.choice = choice
        self.replay = replay = choice.replay
        row = replay.levels.row
        self.uniform = replay.new_uniform()
        self._numbers = self.uniform.reshape(-1)  # the same memory
        self._arguments = len(recorded.arguments)  # inputs are the first rows, arguments the first inputs
        self._leaf_rows = np.array([row[s] for s in recorded.leaf_inputs], np.intp)
        self._moment = -1
        outputs = replay.plan.program.outputs
        self._guards = range(values, values + len(recorded.guards))
        self._outcomes = np.array([g.outcome for g in recorded.guards], float)
        #: The outputs that are values, and those that are derivatives.
        self.values, self.derivatives = range(values), range(self._guards.stop, len(outputs))
        #: The rows of the outputs where nothing varies; a loop's numbers do, as those of seeds.
        self._rows = None
        if not any(replay.plan.varying[o] for o in outputs):
            self._rows = np.array([row[o] for o in outputs], np.intp)

    def run(self, x: Any, lanes: Sequence[Any] = ()) -> list[Any]:
        """The kept outputs; the uniform array holds the rest. Raises if a guard does not hold."""
        uniform = self.uniform
        if self._moment != recording.now:
            uniform[self._leaf_rows, 0] = [leaf._data for leaf in self.trace.leaves]
            self._moment = int(recording.now)
        self._numbers[: self._arguments] = x
        count = len(lanes[0]) if lanes else 1
        _, kept = self.replay.run(list(lanes), uniform, count)
        if len(self._guards):
            truths = self.found(self._guards, kept)
            other = (truths != self._outcomes) & (truths != NOT_ASKED)
            if other.any():
                raise Missed(self.trace.guards[int(other.argmax())], 0)
        return kept

    def found(self, outputs: range, kept: Sequence[Any]) -> Any:
        """A run of outputs as one array, at the first lane."""
        if self._rows is not None:
            return self._numbers.take(self._rows[outputs.start : outputs.stop])
        numbers = [self.replay.output(i, kept, self.uniform) for i in outputs]
        return np.array([x[0] if isinstance(x, np.ndarray) else x for x in numbers], np.float64)

    def derivative(self, kept: Sequence[Any], count: int) -> Any:
        """The derivative outputs, ``(count, derivatives)``; never -0.0, as those of ``backward()``."""
        found = np.empty((count, len(self.derivatives)))
        for j, i in enumerate(self.derivatives):
            found[:, j] = self.replay.output(i, kept, self.uniform)
        return found + 0.0


#: A recording, and what was made ready from it: by the derivative's name.
_Way: TypeAlias = tuple[Trace, dict[str, _Ready]]

#: What goes backward through a loop that stays one; all else goes through its steps written out.
_THROUGH_LOOPS = (VALUES, GRADIENT, VJP)


def _in_turns(method: _M) -> _M:
    """The method, for one thread at a time: all numbers of a point lie in one place."""

    @wraps(method)
    def call(self: Objective, *args: Any, **keywords: Any) -> Any:
        refuse_while_recording(self.name)
        with self._lock:
            return method(self, *args, **keywords)

    return call  # type: ignore[return-value]


class Objective:
    """A recorded function of one vector; made by ``autograd.objective``.

    Calling it gives ``(value, gradient)``, as ``scipy.optimize.minimize(fun, x0, jac=True)`` wants them. ``value``,
    ``gradient``, ``jacobian``, ``hessian``, ``hvp``, ``jvp`` and ``vjp`` give each on its own. Where a comparison goes
    another way than before, the function is recorded again, at most 16 times.
    """

    def __init__(self, f: Callable[..., Any], n: int | None = None, *, backend: str = "auto") -> None:
        if not callable(f):
            raise TypeError(f"objective takes a function, not {f!r}")
        if n is not None and (not isinstance(n, int) or n < 0):
            raise ValueError(f"n is the number of arguments, a whole number, not {n!r}")
        self.function = f
        self.name = getattr(f, "__name__", type(f).__name__)
        self.n = n
        self.options = checked(Options(backend))
        self.recordings = 0
        self.guards_missed = 0
        self._lock = threading.RLock()
        #: The recordings in which loops stay loops, and those in which they are written out.
        self._ways: dict[bool, list[_Way]] = {False: [], True: []}

    def __repr__(self) -> str:
        return f"<objective {self.name}>"

    def __reduce__(self) -> Any:
        traces = {written_out: [recorded for recorded, _ in ways] for written_out, ways in self._ways.items()}
        return _unpickled, (picklable(self.function, self.name), self.n, self.options.backend, self.name, traces)

    def __deepcopy__(self, memo: dict[int, Any]) -> Objective:
        made = Objective(copy.deepcopy(self.function, memo), self.n, backend=self.options.backend)
        made.name = self.name
        return made

    @_in_turns
    def __call__(self, x: Any) -> tuple[float, Any]:
        """The value and the gradient at a point."""
        ready, kept = self._run(GRADIENT, self._point(x))
        return float(ready.found(ready.values, kept)[0]), ready.found(ready.derivatives, kept) + 0.0

    @_in_turns
    def value(self, x: Any) -> Any:
        """The value; an array for a function that returns a list."""
        ready, kept = self._run(VALUES, self._point(x))
        found = ready.found(ready.values, kept)
        return float(found[0]) if ready.trace.one_number else found

    def gradient(self, x: Any) -> Any:
        """The gradient, ``(n,)``."""
        return self(x)[1]

    @_in_turns
    def jacobian(self, x: Any) -> Any:
        """The derivative of every output by every argument, ``(outputs, n)``; ``(n,)`` for a function of one output.

        By rows with cotangents as lanes, or by columns with tangents as lanes, whichever are fewer.
        """
        point = self._point(x)
        recorded = self._here(point)
        if recorded.one_number:
            return self.gradient(point)
        derivative = jacobian_of(recorded, len(point))
        count = derivative.seeds(len(recorded.outputs), len(point))
        ready, kept = self._run(derivative, point, list(np.eye(count)))
        found = ready.derivative(kept, count)
        return found.T.copy() if derivative is COLUMNS else found

    @_in_turns
    def jvp(self, x: Any, tangent: Any) -> Any:
        """The derivative of the outputs along a tangent, ``(outputs,)``."""
        point = self._point(x)
        ready, kept = self._run(JVP, point, self._lanes(tangent, len(point), "the tangent"))
        found = ready.derivative(kept, 1)[0]
        return float(found[0]) if ready.trace.one_number else found

    @_in_turns
    def vjp(self, x: Any, cotangent: Any) -> Any:
        """The cotangent of the outputs pulled back to the arguments, ``(n,)``."""
        point = self._point(x)
        lanes = self._lanes(cotangent, len(self._here(point).outputs), "the cotangent")
        ready, kept = self._run(VJP, point, lanes)
        return ready.derivative(kept, 1)[0]

    @_in_turns
    def hvp(self, x: Any, vector: Any) -> Any:
        """The Hessian times a vector, ``(n,)``, without the Hessian."""
        point = self._point(x)
        ready, kept = self._run(HVP, point, self._lanes(vector, len(point), "the vector"))
        return ready.derivative(kept, 1)[0]

    @_in_turns
    def hessian(self, x: Any) -> Any:
        """All second derivatives, ``(n, n)``: the Hessian times each unit vector, one a lane."""
        point = self._point(x)
        ready, kept = self._run(HESSIAN, point, list(np.eye(len(point))))
        return ready.derivative(kept, len(point))

    def report(self) -> Report:
        """What was recorded so far and how it runs: operations, back end and why, compile time, guards.

        >>> fun = Objective(lambda x: x[0] * x[0], backend="numpy")
        >>> _ = fun([3.0])
        >>> print(fun.report())
        1 recording of <lambda>, 0 guards missed
          gradient: 0 operations over 0 sample inputs, 2 shared, 3 slots; numpy, because asked for
        """
        with self._lock:
            ways = {id(known): (recorded, known) for ways in self._ways.values() for recorded, known in ways}
            programs = [
                described(what, ready.choice, recorded.guards)
                for recorded, known in ways.values()
                for what, ready in known.items()
            ]
            return Report(self.name, self.recordings, self.guards_missed, tuple(programs))

    @_in_turns
    def result(self, x: Any) -> tuple[Any, Trace]:
        """What the function returns at a point, in its shape, and the recording whose comparisons come out as there."""
        ready, kept = self._run(VALUES, self._point(x))
        return arranged(ready.trace.shape, ready.found(ready.values, kept).tolist()), ready.trace

    def _point(self, x: Any) -> Any:
        point = np.asarray(x, dtype=np.float64)
        if point.ndim != 1 or (self.n is not None and len(point) != self.n):
            expected = f"{self.n} numbers" if self.n is not None else "a list of numbers"
            raise ValueError(f"{self.name} takes {expected}, as one vector; the shape given is {point.shape}")
        if self.n is None:
            self.n = len(point)
        return point

    def _lanes(self, vector: Any, size: int, what: str) -> list[Any]:
        numbers = np.asarray(vector, dtype=np.float64).reshape(-1)
        if len(numbers) != size:
            raise ValueError(f"{what} has {len(numbers)} numbers; {self.name} has {size}")
        return list(numbers.reshape(-1, 1))

    def _here(self, point: Any) -> Trace:
        """The recording whose comparisons come out as they do at a point."""
        return self._run(VALUES, point)[0].trace

    def _record(self, point: Any, *, written_out: bool) -> _Way:
        """A new recording; one without loops serves both for those and for these."""
        has_loops = any(PART in recorded.program.primitives for recorded, _ in self._ways[False])
        if not (written_out and has_loops):
            way = self._traced(point, unroll=False)
            has_loops = PART in way[0].program.primitives
            self._ways[False].insert(0, way)
        if has_loops and written_out:
            way = self._traced(point, unroll=True)
        if written_out or not has_loops:
            self._ways[True].insert(0, way)
        return way

    def _traced(self, point: Any, *, unroll: bool) -> _Way:
        """The function recorded at a point; where it has no value there, with what IEEE arithmetic gives."""
        for without_values in (False, True):
            fresh = [Value(float(number)) for number in point]
            make = partial(_vector, fresh)
            try:
                recorded = trace(
                    self.function, make, fresh, self.name,
                    all_arguments=True, unroll=unroll, without_values=without_values,
                )  # fmt: skip
                break
            except (DomainError, OverflowError):
                if without_values:
                    raise
        self.recordings += 1
        return recorded, {}

    def _run(self, what: Derivative, point: Any, lanes: Sequence[Any] = ()) -> tuple[_Ready, list[Any]]:
        written_out = what not in _THROUGH_LOOPS
        ways = self._ways[written_out]
        for i, way in enumerate(ways):
            try:
                found = self._try(way, what, point, lanes)
            except Missed:
                self.guards_missed += 1
                continue
            if i:
                ways.insert(0, ways.pop(i))
            return found
        if len(ways) >= MOST_WAYS:
            raise GuardError(
                f"{self.name} was recorded {MOST_WAYS} times and its comparisons go yet another way; "
                "write the choices with where"
            )
        try:
            return self._try(self._record(point, written_out=written_out), what, point, lanes)
        except Missed as missed:
            raise missed_again(self.name, missed.guard) from None

    def _try(self, way: _Way, what: Derivative, point: Any, lanes: Sequence[Any]) -> tuple[_Ready, list[Any]]:
        recorded, known = way
        seeds = what.seeds(len(recorded.outputs), len(point))
        if lanes and len(lanes) != seeds:  # a way with another number of outputs, so it is not that of this point
            raise Missed(recorded.guards[0], 0)
        ready = known.get(what.name)
        if ready is None:
            if what is not VALUES and recorded.guards:
                self._try(way, VALUES, point, ())  # it may be another way's point, of which less is asked
            what.refuse_unless_it_exists(recorded, self.name)
            varying = [False] * recorded.program.inputs
            plan = planned(recorded, what, recorded.arguments, varying)
            ready = known[what.name] = _Ready(recorded, choose(plan, self.options), len(recorded.outputs))
        return ready, ready.run(point, lanes)


def _vector(fresh: list[Value]) -> list[list[Value]]:
    """The arguments: one list, made anew."""
    return [list(fresh)]


def _unpickled(
    f: Callable[..., Any], n: int | None, backend: str, name: str, traces: dict[bool, list[Trace]]
) -> Objective:
    made = Objective(f, n, backend=backend)
    made.name = name
    ready: dict[int, _Way] = {id(recorded): (recorded, {}) for ways in traces.values() for recorded in ways}
    made._ways = {written_out: [ready[id(recorded)] for recorded in ways] for written_out, ways in traces.items()}
    return made
