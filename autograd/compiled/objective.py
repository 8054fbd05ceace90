"""``Objective``: a function of one vector, recorded once, as SciPy's solvers call it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from autograd.compiled.backends.choice import Choice, Options, choose
from autograd.compiled.compressed import Compressed
from autograd.compiled.pickling import picklable
from autograd.compiled.prepared import PreparedAtPoint, symmetric
from autograd.compiled.programs.derivatives import (
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
from autograd.compiled.recorded_function import RecordedFunction
from autograd.compiled.recording.guards import Missed, outside
from autograd.compiled.recording.recordings import Recording, Recordings, is_whole
from autograd.compiled.recording.trace import Trace, arranged
from autograd.compiled.recording.tracing import trace_where_it_has_a_value
from autograd.compiled.recording.watched import refuse_amid_of_another
from autograd.loops.recorder import PART
from autograd.unpickling import damaged

_M = TypeVar("_M", bound=Callable[..., Any])
_T = TypeVar("_T")

#: What goes backward through a loop that stays one; all else goes through its steps written out.
_THROUGH_LOOPS = (VALUES, GRADIENT, VJP)


def _in_turns(method: _M) -> _M:
    """The method, for one thread at a time: all numbers of a point lie in one place."""

    @wraps(method)
    def call(self: Objective, *args: Any, **keywords: Any) -> Any:
        refuse_amid_of_another(self.name, self._lock)
        with self._lock:
            return method(self, *args, **keywords)

    return call  # type: ignore[return-value]


class Objective(RecordedFunction):
    """A recorded function of one vector; made by ``autograd.objective``.

    Calling it gives ``(value, gradient)``, as ``scipy.optimize.minimize(fun, x0, jac=True)`` wants them. ``value``,
    ``gradient``, ``jacobian``, ``hessian``, ``hvp``, ``jvp`` and ``vjp`` give each on its own. Where a comparison goes
    another way than before, the function is recorded again, at most 16 times.

    Args:
        sparse: ``jacobian`` and ``hessian`` are SciPy's sparse arrays.
    """

    def __init__(
        self, f: Callable[..., Any], n: int | None = None, *, backend: str = "auto", sparse: bool = False
    ) -> None:
        super().__init__(f, "objective", Options(backend))
        self.sparse = sparse
        #: By derivative and program: how few runs give all that can be other than zero.
        self._compressed: dict[tuple[str, int], Compressed] = {}
        if n is not None and (not isinstance(n, int) or n < 0):
            raise ValueError(f"n is the number of arguments, a whole number, not {n!r:.200}")
        self.n = n
        #: The recordings in which loops stay loops, and, of functions that have some, those with loops written out.
        self._recordings, self._written_out = Recordings(), Recordings()

    def __repr__(self) -> str:
        return f"<objective {self.name}>"

    def _all_recordings(self) -> Iterable[Recordings]:
        return self._recordings, self._written_out

    def __reduce__(self) -> Any:
        function = picklable(self.function, self.name)
        with self._lock:
            settings = self.n, self.options.backend, self.name, self.sparse
            return _unpickled, (function, *settings, self._recordings, self._written_out)

    def __deepcopy__(self, memo: dict[int, Any]) -> Objective:
        return self._like(copy.deepcopy(self.function, memo))

    def __copy__(self) -> Objective:
        """The same function, not yet recorded."""
        return self._like(self.function)

    def _like(self, function: Any) -> Objective:
        made = Objective(function, self.n, backend=self.options.backend, sparse=self.sparse)
        made.name = self.name
        return made

    @_in_turns
    def __call__(self, x: Any) -> tuple[float, Any]:
        """The value and the gradient at a point."""
        return self._value_and_gradient(self._point(x))

    def _value_and_gradient(self, point: Any) -> tuple[float, Any]:
        prepared, kept = self._run(GRADIENT, point)
        return float(prepared.found(prepared.values, kept)[0]), prepared.found(prepared.derivatives, kept) + 0.0

    @_in_turns
    def value(self, x: Any) -> Any:
        """The value; an array for a function that returns a list."""
        prepared, kept = self._run(VALUES, self._point(x))
        found = prepared.found(prepared.values, kept)
        return float(found[0]) if prepared.trace.one_number else found

    def gradient(self, x: Any) -> Any:
        """The gradient, ``(n,)``."""
        return self(x)[1]

    @_in_turns
    def jacobian(self, x: Any) -> Any:
        """The derivative of every output by every argument, ``(outputs, n)``; ``(n,)`` for a function of one output.

        By rows with cotangents as lanes, or by columns with tangents as lanes, whichever are fewer. With ``sparse`` a
        ``scipy.sparse.csr_array``, of a function of one output too.
        """
        point = self._point(x)
        if self.sparse:
            return self._on_one(JVP, point, lambda recording: self._try_compressed(recording, JVP, point))
        recorded = self._here(point)
        if recorded.one_number:
            return self._value_and_gradient(point)[1]
        derivative = jacobian_of(recorded, len(point))
        count = derivative.seeds(len(recorded.outputs), len(point))
        prepared, kept = self._run(derivative, point, np.eye(count))
        found = prepared.derivative(kept, count)
        return found.T.copy() if derivative is COLUMNS else found

    @_in_turns
    def jvp(self, x: Any, tangent: Any) -> Any:
        """The derivative of the outputs along a tangent, ``(outputs,)``."""
        point = self._point(x)
        found, trace = self._along(JVP, point, self._seed(tangent, len(point), "the tangent"))
        return float(found[0]) if trace.one_number else found

    @_in_turns
    def vjp(self, x: Any, cotangent: Any) -> Any:
        """The cotangent of the outputs pulled back to the arguments, ``(n,)``."""
        point = self._point(x)
        return self._along(VJP, point, self._seed(cotangent, len(self._here(point).outputs), "the cotangent"))[0]

    @_in_turns
    def hvp(self, x: Any, vector: Any) -> Any:
        """The Hessian times a vector, ``(n,)``, without the Hessian."""
        point = self._point(x)
        return self._along(HVP, point, self._seed(vector, len(point), "the vector"))[0]

    @_in_turns
    def hessian(self, x: Any) -> Any:
        """All second derivatives, ``(n, n)``: the Hessian times each unit vector, one a lane. With ``sparse`` a
        ``scipy.sparse.csr_array``."""
        point = self._point(x)
        if self.sparse:
            return self._on_one(HVP, point, lambda recording: self._try_compressed(recording, HVP, point))
        prepared, kept = self._run(HESSIAN, point, np.eye(len(point)))
        return symmetric(prepared.derivative(kept, len(point)))

    @_in_turns
    def result(self, x: Any) -> tuple[Any, Trace]:
        """What the function returns at a point, in its shape, and the recording whose comparisons come out as there."""
        prepared, kept = self._run(VALUES, self._point(x))
        return arranged(prepared.trace.shape, prepared.found(prepared.values, kept).tolist()), prepared.trace

    def _point(self, x: Any) -> Any:
        point = np.asarray(x, dtype=np.float64)
        if point.ndim != 1 or (self.n is not None and len(point) != self.n):
            expected = f"{self.n} numbers" if self.n is not None else "a list of numbers"
            raise ValueError(f"{self.name} takes {expected}, as one vector; the shape given is {point.shape}")
        return point

    def _seed(self, vector: Any, size: int, what: str) -> Any:
        numbers = np.asarray(vector, dtype=np.float64).reshape(-1)
        if len(numbers) != size:
            raise ValueError(f"{what} has {len(numbers)} numbers; {self.name} has {size}")
        return numbers

    def _along(self, what: Derivative, point: Any, seed: Any) -> tuple[Any, Trace]:
        prepared, kept = self._run(what, point, seed)
        return prepared.found(prepared.derivatives, kept) + 0.0, prepared.trace

    def _here(self, point: Any) -> Trace:
        """The recording whose comparisons come out as they do at a point."""
        return self._run(VALUES, point)[0].trace

    def _record(self, point: Any, unroll: bool, first: int, directions: Sequence[bool]) -> Trace:
        found = trace_where_it_has_a_value(
            self.function, [point.tolist()], [""] * len(point), _one_list, self.name,
            all_arguments=True, unroll=unroll, directions=directions,
        )  # fmt: skip
        self.n = len(point)
        return found

    def _run(self, what: Derivative, point: Any, seeds: Any = ()) -> tuple[PreparedAtPoint, list[Any]]:
        """What ran, and the kept outputs."""
        return self._on_one(what, point, lambda recording: self._try(recording, what, point, seeds))

    def _on_one(self, what: Derivative, point: Any, attempt: Callable[[Recording], _T]) -> _T:
        """What an attempt gives on the recording that suits the point."""
        recordings = self._recordings
        if what not in _THROUGH_LOOPS:
            if not recordings.kept:
                self._here(point)  # it tells whether there are loops
            if any(PART in recording.trace.program.primitives for recording in recordings.kept):
                recordings = self._written_out
        unroll = recordings is self._written_out
        return recordings.run(self.name, attempt, lambda *place: self._record(point, unroll, *place))

    def _try(self, recording: Recording, what: Derivative, point: Any, seeds: Any) -> tuple[PreparedAtPoint, list[Any]]:
        recorded, known = recording
        if len(seeds) != what.seeds(
            len(recorded.outputs), len(point)
        ):  # a way with another number of outputs, so it is not that of this point
            raise Missed(recorded.guards[0], 0)
        prepared = known.get((what.name,))
        if prepared is None:
            if what is not VALUES and recorded.guards:
                self._try(recording, VALUES, point, ())  # it may be another way's point, of which less is asked
            what.refuse_unless_it_exists(recorded, self.name)
            varying = [False] * recorded.program.inputs

            def chosen(careful: bool) -> Choice:
                one_lane = not what.is_matrix
                plan = planned(recorded, what, recorded.arguments, varying, one_lane=one_lane, careful=careful)
                return choose(plan, self.options)

            prepared = known[what.name,] = PreparedAtPoint(recorded, chosen)
        try:
            return prepared.at(point, seeds)
        except Missed as missed:
            if missed.guard.else_wrong:
                raise outside(self.name, missed.guard) from None
            raise

    def _try_compressed(self, recording: Recording, what: Derivative, point: Any) -> Any:
        """A sparse Jacobian or Hessian."""
        recorded = recording.trace
        compressed = self._compressed.get((what.name, id(recorded.program)))
        if compressed is None or not compressed.products:
            self._try(recording, VALUES, point, ())  # it may be another way's point
        if compressed is None:
            what.refuse_unless_it_exists(recorded, self.name)
            compressed = self._compressed[what.name, id(recorded.program)] = Compressed(recorded, what)

        def along(what: Derivative, seed: Any) -> Any:
            prepared, kept = self._try(recording, what, point, seed)
            return prepared.found(prepared.derivatives, kept)

        return compressed.matrix(along)


def _one_list(fresh: list[Any]) -> list[list[Any]]:
    return [fresh]


def _unpickled(
    f: Callable[..., Any],
    n: int | None,
    backend: str,
    name: str,
    sparse: bool,
    recordings: Recordings,
    written_out: Recordings,
) -> Objective:
    if not is_whole(recordings) or not is_whole(written_out):
        raise damaged("objective", "it has no recordings")
    made = Objective(f, n, backend=backend, sparse=sparse)
    made.name, made._recordings, made._written_out = name, recordings, written_out
    return made
