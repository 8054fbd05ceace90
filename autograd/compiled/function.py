"""``Compiled``: a function of Values, recorded once and replayed over a batch, with its derivatives."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.compiled.backends.choice import DEFAULTS, Options
from autograd.compiled.batches import Batch
from autograd.compiled.pickling import picklable
from autograd.compiled.points import Points
from autograd.compiled.prepared import Prepared
from autograd.compiled.recorded_function import RecordedFunction
from autograd.compiled.recording.arguments import ArgumentReader, Arguments
from autograd.compiled.recording.recordings import Recordings, is_whole
from autograd.compiled.recording.trace import arranged
from autograd.compiled.recording.watched import refuse_amid_of_another
from autograd.compiled.repeated_call import RepeatedCall, repeated_call
from autograd.compiled.runs import Runs
from autograd.loops.recorder import PART
from autograd.unpickling import damaged
from autograd.value import Value

REDUCTIONS = ("mean", "sum", None)


class Compiled(RecordedFunction):
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
        super().__init__(f, "compile", options)
        if reduce not in REDUCTIONS:
            raise ValueError(f"reduce is 'mean', 'sum' or None, not {reduce!r:.200}")
        if isinstance(params, Value):
            raise TypeError(f"params is a list of leaves, such as model.parameters(), not {params!r:.200}")
        self.params = None if params is None else list(params)
        for param in self.params or ():
            if not isinstance(param, Value) or param.primitive is not None:
                raise TypeError(f"params holds leaves, the Values to differentiate by; {param!r:.200} is none")
        positions = () if wrt is None else (wrt,) if isinstance(wrt, int) else wrt
        if not all(isinstance(p, int) for p in positions):
            raise TypeError(f"wrt is the position of an argument, or a list of positions, not {wrt!r:.200}")
        self.wrt = wrt if wrt is None or isinstance(wrt, int) else list(wrt)
        self.reduce = reduce
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float64, np.float32):
            raise TypeError(f"dtype is float64 or float32, not {self.dtype}")
        self._read = ArgumentReader(self.name)
        self._points: Points | None = None
        self._last: RepeatedCall | None = None
        self._runs = Runs(f, self.name, self.params, reduce, self.options, by_captured=wrt is None)

    def __repr__(self) -> str:
        return f"<compiled {self.name}>"

    def _all_recordings(self) -> Iterable[Recordings]:
        return self._runs.recordings.values()

    def __reduce__(self) -> Any:
        options = {
            "params": self.params, "wrt": self.wrt, "reduce": self.reduce, "dtype": self.dtype.name,
            "options": self.options,
        }  # fmt: skip
        with self._lock:
            return _unpickled, (picklable(self.function, self.name), options, dict(self._runs.recordings))

    def __deepcopy__(self, memo: dict[int, Any]) -> Compiled:
        """The copied function, not yet recorded; a plain function stays the same one, with the leaves it captures."""
        function = copy.deepcopy(self.function, memo)
        return self._like(function, self.params if function is self.function else copy.deepcopy(self.params, memo))

    def __copy__(self) -> Compiled:
        """The same function, not yet recorded."""
        return self._like(self.function, self.params)

    def on(self, backend: str) -> Compiled:
        """The same function with what is recorded and planned so far, which another back end runs."""
        made = self._like(self.function, self.params, self.options._replace(backend=backend))
        with self._lock:
            made._runs.recordings = {key: kept.on(made.options) for key, kept in self._runs.recordings.items()}
        return made

    def _like(self, function: Any, params: list[Value] | None, options: Options | None = None) -> Compiled:
        made = Compiled(
            function, params=params, wrt=self.wrt, reduce=self.reduce, dtype=self.dtype, options=options or self.options
        )
        made._runs.known_leaves = self._runs.known_leaves
        return made

    def __call__(self, *args: Any) -> Any:
        """The function's values: for arrays one result per sample, ``(N,)``, or ``(N, k)`` for a list of k."""
        refuse_amid_of_another(self.name, self._lock)
        with self._lock:
            arguments = self._read(args)
            prepared, _, kept = self._runs.run(arguments, "values")
            return self._values(prepared, kept, arguments.samples)

    def _values(self, prepared: Prepared, kept: Sequence[Any], n: int | None) -> Any:
        trace = prepared.trace
        results = [prepared.output(i, kept) for i in range(len(trace.outputs))]
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
        refuse_amid_of_another(self.name, self._lock)
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
        prepared, sums, kept = self._runs.run(arguments, "gradient", columns)
        by_params = self.params is not None or self.wrt is None
        parts: list[Any] = []
        value: Any
        if n is None or self.reduce is not None:
            gathered = prepared.gather(sums, prepared.uniform, n or 0, self.reduce if n is not None else None)
            value = float(gathered[0])
            if self.wrt is None and self.dtype == np.float64:
                self._last = repeated_call(args, prepared, n or 0, self.reduce)
            if by_params:
                parts.append(gathered[1:] if self.dtype == np.float64 else gathered[1:].astype(self.dtype))
        else:
            value = self._for_each(prepared.output(0, kept), n)
            if by_params:
                outputs = range(
                    prepared.first_derivative, prepared.first_derivative + len(self._runs.params_of(prepared.trace))
                )
                spread = [self._for_each(prepared.output(i, kept), n) for i in outputs]
                parts.append(np.stack(spread, axis=1) if spread else np.zeros((n, 0), self.dtype))
        if self.wrt is not None:
            parts.append(self._by_arguments(prepared, arguments, positions, columns, sums, kept))
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
        refuse_amid_of_another(self.name, self._lock)
        with self._lock:
            prepared, _, kept = self._runs.run(arguments, "values")
            unroll = PART in prepared.trace.program.primitives
            if unroll:
                prepared, _, kept = self._runs.run(arguments, "values", unroll=True)
            recording = self._runs.recordings_of(arguments, unroll=unroll).kept[0]  # the last that ran
            values = self._values(prepared, kept, arguments.samples)
            return Batch(self.name, arguments, recording, values, self.options, self.dtype, self._lock)

    def _by_arguments(
        self,
        prepared: Prepared,
        arguments: Arguments,
        positions: Sequence[int],
        columns: Sequence[int],
        sums: Any,
        kept: Sequence[Any],
    ) -> Any:
        """The gradient in the shapes of the arguments that ``wrt`` names."""
        n = arguments.samples
        first = prepared.first_derivative + len(self._runs.params_of(prepared.trace))
        items: list[Any] = [None] * len(arguments.columns)
        for k, c in enumerate(columns, start=first):
            if isinstance(arguments.columns[c], np.ndarray):
                found = self._for_each(prepared.output(k, kept), n or 0)
                items[c] = found / n if self.reduce == "mean" and n else found
            elif n is None or self.reduce is not None:
                reduce = self.reduce if n is not None else None
                items[c] = float(prepared.replay.gather([k])(sums, prepared.uniform, n or 0, reduce)[0])
            else:
                items[c] = self._for_each(prepared.output(k, kept), n)

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


def _unpickled(function: Any, options: dict[str, Any], recorded: dict[Any, Recordings]) -> Compiled:
    if not isinstance(recorded, dict) or not all(map(is_whole, recorded.values())):
        raise damaged("compiled function", "it has no recordings")
    if not isinstance(options, dict) or {*options} != {"params", "wrt", "reduce", "dtype", "options"}:
        raise damaged("compiled function", "its options are not those there are")
    made = Compiled(function, **options)
    made._runs.recordings = recorded
    kept = [recording for recordings in recorded.values() for recording in recordings.kept]
    captured = [leaf for recording in kept for leaf in recording.trace.captured]
    if captured:
        made._runs.known_leaves = {*(made.params or ()), *captured}
    return made
