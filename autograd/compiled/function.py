"""``Compiled``: a function of Values, recorded once and replayed over a batch, with its derivatives."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiled.backends.choice import DEFAULTS, Options, checked, choose
from autograd.compiled.batches import Batch
from autograd.compiled.pickling import picklable
from autograd.compiled.points import Points
from autograd.compiled.prepared import Ready, varying_inputs
from autograd.compiled.programs.derivatives import GRADIENT, VALUES, planned
from autograd.compiled.recording.argument_names import labels_of
from autograd.compiled.recording.arguments import ArgumentReader, Arguments
from autograd.compiled.recording.guards import check
from autograd.compiled.recording.recordings import Way, Ways
from autograd.compiled.recording.tracing import Trace, arranged, refuse_while_recording, trace_where_it_has_a_value
from autograd.compiled.repeated_call import Again, again
from autograd.compiled.report import Report, described
from autograd.errors import RecordingError
from autograd.loops.recorder import PART
from autograd.value import Value

REDUCTIONS = ("mean", "sum", None)

#: Samples at which recording is tried for a value of the function, before it is recorded without one.
SAMPLES_TRIED = 8


class Compiled:
    """A recorded function; made by ``autograd.compile``.

    Calling it gives the function's values, one per sample; ``value_and_grad`` the value, reduced over samples, and its
    gradient. Programs are recorded at the first call, one for each shape of arguments and each way that comparisons
    went.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        *,
        params: Sequence[Value] | None = None,
        wrt: int | Sequence[int] | None = None,
        reduce: str | None = "mean",
        dtype: Any = np.float64,
        options: Options = DEFAULTS,
    ) -> None:
        if not callable(f):
            raise TypeError(f"compile takes a function, not {f!r}")
        if reduce not in REDUCTIONS:
            raise ValueError(f"reduce is 'mean', 'sum' or None, not {reduce!r}")
        self.function = f
        self.name = getattr(f, "__name__", type(f).__name__)
        if isinstance(params, Value):
            raise TypeError(f"params is a list of leaves, such as model.parameters(), not {params!r}")
        self.params = None if params is None else list(params)
        for param in self.params or ():
            if not isinstance(param, Value) or param.primitive is not None:
                raise TypeError(f"params holds leaves, the Values to differentiate by; {param!r} is none")
        positions = () if wrt is None else (wrt,) if isinstance(wrt, int) else wrt
        if not all(isinstance(p, int) for p in positions):
            raise TypeError(f"wrt is the position of an argument, or a list of positions, not {wrt!r}")
        self.wrt = wrt if wrt is None or isinstance(wrt, int) else list(wrt)
        self.reduce = reduce
        self.options = checked(options)
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float64, np.float32):
            raise TypeError(f"dtype is float64 or float32, not {self.dtype}")
        self._read = ArgumentReader(self.name)
        self._points: Points | None = None
        #: Numbers that all samples share lie in one place, so calls from several threads take turns.
        self._lock = threading.RLock()
        #: What came back from a pickle has leaves of its own; the function must capture no others.
        self._known_leaves: set[Value] | None = None
        self._last: Again | None = None
        #: By the shape of the arguments.
        self._ways: dict[Any, Ways] = {}

    def __repr__(self) -> str:
        return f"<compiled {self.name}>"

    @property
    def recordings(self) -> int:
        """How often the function was recorded."""
        return sum(ways.recordings for ways in self._ways.values())

    @property
    def guards_missed(self) -> int:
        """How often a comparison came out differently from a recording."""
        return sum(ways.guards_missed for ways in self._ways.values())

    def report(self) -> Report:
        """What was recorded so far and how it runs: operations, back end and why, compile time, guards.

        >>> import numpy as np
        >>> double = Compiled(lambda x: 2.0 * x, options=Options(backend="numpy"))
        >>> double(np.array([1.0, 2.0]))
        array([2., 4.])
        >>> print(double.report())
        1 recording of <lambda>, 0 guards missed
          values: 1 operation over 1 sample input, 0 shared, 3 slots; numpy, because asked for
        """
        with self._lock:
            programs = [
                described(what, ready.choice, way.trace.guards)
                for ways in self._ways.values()
                for way in ways.kept
                for (what, _), ready in way.ready.items()
            ]
            return Report(self.name, self.recordings, self.guards_missed, tuple(programs))

    def __reduce__(self) -> Any:
        options = {
            "params": self.params, "wrt": self.wrt, "reduce": self.reduce, "dtype": self.dtype.name,
            "options": self.options,
        }  # fmt: skip
        with self._lock:
            return _unpickled, (picklable(self.function, self.name), self.name, options, dict(self._ways))

    def __deepcopy__(self, memo: dict[int, Any]) -> Compiled:
        """The copied function, not yet recorded; a plain function stays the same one, with the leaves it captures."""
        function = copy.deepcopy(self.function, memo)
        return self._like(function, self.params if function is self.function else copy.deepcopy(self.params, memo))

    def __copy__(self) -> Compiled:
        """The same function, not yet recorded."""
        return self._like(self.function, self.params)

    def _like(self, function: Any, params: list[Value] | None) -> Compiled:
        made = Compiled(
            function, params=params, wrt=self.wrt, reduce=self.reduce, dtype=self.dtype, options=self.options
        )
        made.name, made._known_leaves = self.name, self._known_leaves
        return made

    def __call__(self, *args: Any) -> Any:
        """The function's values: for arrays one result per sample, ``(N,)``, or ``(N, k)`` for a list of k."""
        refuse_while_recording(self.name)
        with self._lock:
            arguments = self._read(args)
            ready, _, kept = self._run(arguments, "values", ())
            return self._values(ready, kept, arguments.samples)

    def _values(self, ready: Ready, kept: Sequence[Any], n: int | None) -> Any:
        trace = ready.trace
        results = [ready.output(i, kept) for i in range(len(trace.outputs))]
        if n is None:
            return arranged(trace.shape, [float(np.reshape(r, ())) for r in results])
        spread = [self._for_each(r, n) for r in results]
        if trace.is_list:
            return np.stack(spread, axis=1) if spread else np.zeros((n, 0), self.dtype)
        return arranged(trace.shape, spread)

    def arrays(self, *args: Any) -> tuple[Any, ...]:
        """Samples given as nested lists, as arrays: ``[[1, 2], [3, 4]]`` becomes one of two samples.

        Raises:
            ValueError: a list holds something else than numbers, or lists of different lengths.
        """
        return tuple([np.asarray(arg, dtype=np.float64) for arg in args])

    def value_and_grad(self, *args: Any) -> tuple[Any, Any]:
        """The value, reduced over samples, and its gradient.

        Returns:
            The value: a number, or one per sample with ``reduce=None``. The gradient by ``params``: an array with one
            number per parameter, in order (``(N, P)`` with ``reduce=None``); by ``wrt``: in the shape of the argument;
            with both, the pair of them.

        Raises:
            TypeError: the function returns more than one number.
            ValueError: an empty batch has no mean.
            GuardError: samples decide a comparison differently.
        """
        refuse_while_recording(self.name)
        with self._lock:
            last = self._last
            if last is not None:
                gathered = last.run(args)
                if gathered is not None:
                    return float(gathered[0]), gathered[1:]
            return self._value_and_grad(args)

    def _value_and_grad(self, args: tuple[Any, ...]) -> tuple[Any, Any]:
        arguments, positions = self._read(args), self._positions(len(args))
        columns = tuple([c for p in positions for c in range(arguments.spans[p], arguments.spans[p + 1])])
        n = arguments.samples
        if n == 0 and self.reduce == "mean":
            raise ValueError(f"the mean of {self.name} over no samples is not defined; give at least one sample")
        ready, sums, kept = self._run(arguments, "gradient", columns)
        by_params = self.params is not None or self.wrt is None
        parts: list[Any] = []
        value: Any
        if n is None or self.reduce is not None:
            gathered = ready.gather(sums, ready.uniform, n or 0, self.reduce if n is not None else None)
            value = float(gathered[0])
            if self.wrt is None and self.dtype == np.float64:
                self._last = again(args, ready, n or 0, self.reduce)
            if by_params:
                parts.append(gathered[1:] if self.dtype == np.float64 else gathered[1:].astype(self.dtype))
        else:
            value = self._for_each(ready.output(0, kept), n)
            if by_params:
                outputs = range(ready.first_derivative, ready.first_derivative + len(self._params(ready.trace)))
                spread = [self._for_each(ready.output(i, kept), n) for i in outputs]
                parts.append(np.stack(spread, axis=1) if spread else np.zeros((n, 0), self.dtype))
        if self.wrt is not None:
            parts.append(self._by_arguments(ready, arguments, positions, columns, sums, kept))
        return value, parts[0] if len(parts) == 1 else tuple(parts)

    @property
    def at_points(self) -> Points:
        """Further derivatives, at a point or sample by sample: ``jacobian``, ``hessian``, ``hvp``, ``jvp``, ``vjp``.

        They are by the one argument that ``wrt`` names, the first unless told. At a point they return what the
        functions of these names return in ``autograd``; of a batch the same, with arrays whose first axis counts
        samples.

        >>> f = Compiled(lambda x: x[0] ** 2 * x[1], options=Options(backend="numpy"))
        >>> f.at_points.hessian([3.0, 5.0])
        [[10.0, 6.0], [6.0, 0.0]]
        >>> f.at_points.hessian(np.array([[3.0, 5.0], [1.0, 2.0]])).shape
        (2, 2, 2)
        """
        if self._points is None:
            wrt = [self.wrt or 0] if self.wrt is None or isinstance(self.wrt, int) else self.wrt
            if len(wrt) != 1:
                raise ValueError(
                    f"at_points goes by one argument, and wrt names {len(wrt)} of {self.name}; "
                    "compile it with wrt=0, or put the numbers into one argument"
                )
            self._points = Points(self.function, self.name, wrt[0], self.options, self._batch)
        return self._points

    def _batch(self, arguments: Arguments) -> Batch:
        """A batch whose samples all go the recorded way; loops are recorded step by step, for forward mode."""
        refuse_while_recording(self.name)
        with self._lock:
            ready, _, kept = self._run(arguments, "values", ())
            unroll = PART in ready.trace.program.primitives
            if unroll:
                ready, _, kept = self._run(arguments, "values", (), unroll=True)
            way = self._ways_of(arguments, unroll=unroll).kept[0]  # the last that ran
            values = self._values(ready, kept, arguments.samples)
            return Batch(self.name, arguments, way, values, self.options, self.dtype, self._lock)

    def _by_arguments(
        self,
        ready: Ready,
        arguments: Arguments,
        positions: Sequence[int],
        columns: Sequence[int],
        sums: Any,
        kept: Sequence[Any],
    ) -> Any:
        """The gradient in the shapes of the arguments that ``wrt`` names."""
        n = arguments.samples
        first = ready.first_derivative + len(self._params(ready.trace))
        items: list[Any] = [None] * len(arguments.columns)
        for k, c in enumerate(columns, start=first):
            if isinstance(arguments.columns[c], np.ndarray):
                found = self._for_each(ready.output(k, kept), n or 0)
                items[c] = found / n if self.reduce == "mean" and n else found
            elif n is None or self.reduce is not None:
                reduce = self.reduce if n is not None else None
                items[c] = float(ready.replay.gather([k])(sums, ready.uniform, n or 0, reduce)[0])
            else:
                items[c] = self._for_each(ready.output(k, kept), n)

        def joined(first: int, shape: tuple[int, ...]) -> Any:
            """What came in as one array goes out as one."""
            if not shape:
                return items[first]
            some = items[first : first + math.prod(shape)]
            return (np.stack(some, axis=1) if some else np.zeros(0)).reshape(n or 0, *shape)

        built = [arguments.arranged(p, joined) for p in positions]
        return built[0] if isinstance(self.wrt, int) else tuple(built)

    def _for_each(self, found: Any, n: int) -> Any:
        """One number per sample."""
        if isinstance(found, np.ndarray):
            return found if self.dtype == np.float64 else found.astype(self.dtype)
        return np.full(n, found, self.dtype)

    def _positions(self, count: int) -> tuple[int, ...]:
        wrt = () if self.wrt is None else (self.wrt,) if isinstance(self.wrt, int) else tuple(self.wrt)
        for position in wrt:
            if not -count <= position < count:
                raise TypeError(f"wrt is {self.wrt}, but the call has {count} arguments")
        return tuple([position % count for position in wrt])

    def _params(self, trace: Trace) -> list[Value]:
        if self.params is not None:
            return self.params
        return trace.captured if self.wrt is None else []

    def _run(
        self, arguments: Arguments, what: str, columns: tuple[int, ...], *, unroll: bool = False
    ) -> tuple[Ready, Any, list[Any]]:
        """A plan whose guards hold for these arguments, with its sums and kept outputs."""
        ways = self._ways_of(arguments, unroll=unroll)
        return ways.run(
            self.name,
            lambda way: self._try(way, arguments, what, columns),
            lambda *place: self._record(arguments, unroll, *place),
        )

    def _ways_of(self, arguments: Arguments, *, unroll: bool) -> Ways:
        key = ("unrolled", arguments.key) if unroll else arguments.key
        ways = self._ways.get(key)
        if ways is None:
            ways = self._ways[key] = Ways()
        return ways

    def _record(self, arguments: Arguments, unroll: bool, first: int, directions: Sequence[bool]) -> Trace:
        """The function recorded at a sample, or at one of the next if it has no value there."""
        last = max(first + 1, min(arguments.samples or 1, first + SAMPLES_TRIED))
        points = (
            [(float(c[sample]) if len(c) else 1.0) if isinstance(c, np.ndarray) else c for c in arguments.columns]
            for sample in range(first, last)
        )
        labels = labels_of(self.function, arguments.key)
        found = trace_where_it_has_a_value(
            self.function, points, labels, arguments.build, self.name, unroll=unroll, directions=directions
        )
        self._refuse_foreign_leaves(found)
        return found

    def _refuse_foreign_leaves(self, found: Trace) -> None:
        foreign = [] if self._known_leaves is None else [x for x in found.captured if x not in self._known_leaves]
        if foreign:
            raise RecordingError(
                f"{self.name} came back from a pickle with leaves of its own, but its code captures others, such as "
                f"{foreign[0]!r}, so a new recording would not go by its params. Call it with all shapes of arguments "
                "before pickling, or compile an object that holds its leaves, such as a model"
            )

    def _try(self, way: Way, arguments: Arguments, what: str, columns: tuple[int, ...]) -> tuple[Ready, Any, list[Any]]:
        ready = way.ready.get((what, columns))
        if ready is None:
            ready = way.ready[what, columns] = self._prepared(way.trace, arguments, what, columns)
        n = arguments.samples
        sums, kept = ready.run(arguments.columns, 1 if n is None else n)
        for i, guard in enumerate(way.trace.guards, start=len(way.trace.outputs)):
            check(self.name, guard, ready.output(i, kept))
        return ready, sums, kept

    def _prepared(self, trace: Trace, arguments: Arguments, what: str, columns: tuple[int, ...]) -> Ready:
        varying = varying_inputs(trace, arguments)
        if what == "values":
            return Ready(trace, choose(planned(trace, VALUES, (), varying), self.options), 0)
        values, guards = len(trace.outputs), len(trace.guards)
        if not trace.one_number:
            raise TypeError(f"value_and_grad needs a function that returns one number; {self.name} returned {values}")
        of_leaf = dict(zip(trace.leaves, trace.leaf_inputs, strict=True))
        params = [of_leaf.get(p, -1) for p in self._params(trace)]
        wanted = [*params, *(trace.arguments[c] for c in columns)]
        reduces = arguments.samples is None or self.reduce is not None  # a single point is a sum of one
        shared = [not isinstance(arguments.columns[c], np.ndarray) for c in columns]
        reduced = [reduces] * values + [False] * guards + [reduces] * len(params) + [reduces and s for s in shared]
        plan = planned(trace, GRADIENT, wanted, varying, reduced=reduced)
        return Ready(trace, choose(plan, self.options), len(params))


def _unpickled(function: Any, name: str, options: dict[str, Any], recorded: dict[Any, Ways]) -> Compiled:
    made = Compiled(function, **options)
    made.name, made._ways = name, recorded
    captured = [leaf for ways in recorded.values() for way in ways.kept for leaf in way.trace.captured]
    if captured:
        made._known_leaves = {*(made.params or ()), *captured}
    return made
