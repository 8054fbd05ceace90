"""``compile``: a function of Values, recorded once and replayed over a batch, with its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.compiled.arguments import Arguments, arguments_of
from autograd.compiled.numpy_replay import NumpyReplay
from autograd.compiled.plan import Plan, planned
from autograd.compiled.tracing import Guard, Trace, trace
from autograd.value import Value

#: Programs kept for one shape of arguments, one per way that the comparisons went.
MOST_WAYS = 16

REDUCTIONS = ("mean", "sum", None)


class GuardError(RuntimeError):
    """Samples of one batch decide a comparison differently, so one recorded program cannot serve them all."""


class Way(NamedTuple):
    """One recording: a trace, and the plans made from it so far, each ready to run."""

    trace: Trace
    ready: dict[Any, NumpyReplay]


class _Missed(Exception):
    """All samples decided a comparison differently from the recording, and alike."""


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
    ) -> None:
        if not callable(f):
            raise TypeError(f"compile takes a function, not {f!r}")
        if reduce not in REDUCTIONS:
            raise ValueError(f"reduce is 'mean', 'sum' or None, not {reduce!r}")
        self.function = f
        self.name = getattr(f, "__name__", type(f).__name__)
        self.params = None if params is None else list(params)
        for param in self.params or ():
            if not isinstance(param, Value) or param.parents:
                raise TypeError(f"params holds leaves, the Values to differentiate by; {param!r} is none")
        self.wrt = wrt
        self.reduce = reduce
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float64, np.float32):
            raise TypeError(f"dtype is float64 or float32, not {self.dtype}")
        self._ways: dict[Any, list[Way]] = {}
        self._numbers: tuple[int, dict[int, Any]] = (-1, {})
        self.recordings = 0
        self.guards_missed = 0

    def __repr__(self) -> str:
        return f"<compiled {self.name}>"

    def __call__(self, *args: Any) -> Any:
        """The function's values: for arrays one result per sample, ``(N,)``, or ``(N, k)`` for a list of k."""
        arguments = arguments_of(args, self.dtype, self.name)
        trace, results = self._run(arguments, "values", ())
        return self._arranged(trace, results[: len(trace.outputs)], arguments.samples, stacked=True)

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
        arguments = arguments_of(args, self.dtype, self.name)
        positions = self._positions(len(args))
        columns = [c for p in positions for c in range(arguments.spans[p], arguments.spans[p + 1])]
        trace, results = self._run(arguments, "gradient", tuple(columns))
        n, batch = arguments.samples, self.reduce if arguments.samples is not None else None
        scale = 1 / n if batch == "mean" and n else 1.0
        values, guards = len(trace.outputs), len(trace.guards)
        value = self._reduced(results[0], n, batch)
        params = self._params(trace)
        flat = results[values + guards :]
        of_params = flat[: len(params)]
        parts: list[Any] = []
        if self.params is not None or self.wrt is None:
            if n is not None and batch is None:
                parts.append(np.stack([np.broadcast_to(g, (n,)) for g in of_params], axis=1) if of_params else np.zeros((n, 0)))
            else:
                parts.append(np.array([self._reduced(g, n, batch) for g in of_params], self.dtype))
        if self.wrt is not None:
            by_column = dict(zip(columns, flat[len(params) :], strict=True))
            built = []
            for position in positions:
                spread = {c: self._of_column(by_column[c], arguments.columns[c], n, batch, scale) for c in range(*arguments.spans[position : position + 2])}
                items = [spread.get(c) for c in range(arguments.spans[-1])]
                built.append(_joined(arguments.build(items)[position], arguments.key[position], n))
            parts.append(built[0] if isinstance(self.wrt, int) else tuple(built))
        return value, parts[0] if len(parts) == 1 else tuple(parts)

    def _positions(self, count: int) -> tuple[int, ...]:
        wrt = () if self.wrt is None else (self.wrt,) if isinstance(self.wrt, int) else tuple(self.wrt)
        for position in wrt:
            if not -count <= position < count:
                raise TypeError(f"wrt is {self.wrt}, but the call has {count} arguments")
        return tuple([position % count for position in wrt])

    def _params(self, trace: Trace) -> list[Value]:
        if self.params is not None:
            return self.params
        return trace.leaves if self.wrt is None else []

    def _of_column(self, found: Any, column: Any, n: int | None, batch: str | None, scale: float) -> Any:
        """The gradient by one column: for samples one number each; for a number that all share, reduced like the value."""
        if isinstance(column, np.ndarray):
            return np.broadcast_to(found, (n,)) * self.dtype.type(scale) if scale != 1.0 else np.broadcast_to(found, (n,)).copy()
        return self._reduced(found, n, batch) if n is not None and batch is not None else found

    def _reduced(self, result: Any, n: int | None, batch: str | None) -> Any:
        """An output that was summed, or is the same for all samples, as the reduction has it."""
        if isinstance(result, np.ndarray) and result.ndim:
            return result
        if n is None or batch is None:
            return float(result) if n is None else np.full(n, result, self.dtype)
        summed = isinstance(result, _Summed)
        number = float(result)
        if batch == "mean":
            return number / n if summed else number
        return number if summed else number * n

    def _run(self, arguments: Arguments, what: str, columns: tuple[int, ...]) -> tuple[Trace, list[Any]]:
        """The outputs of a plan whose guards hold for these arguments."""
        ways = self._ways.setdefault(arguments.key, [])
        n = arguments.samples
        if n == 0 and what == "gradient" and self.reduce == "mean":
            raise ValueError(f"the mean of {self.name} over no samples is not defined; give at least one sample")
        for i, way in enumerate(ways):
            try:
                results = self._try(way, arguments, what, columns)
            except _Missed:
                self.guards_missed += 1
                continue
            if i:
                ways.insert(0, ways.pop(i))
            return way.trace, results
        if len(ways) >= MOST_WAYS:
            raise GuardError(
                f"{self.name} was recorded {MOST_WAYS} times and its comparisons go yet another way; "
                "write the choice with where, or call the plain function"
            )
        way = Way(self._record(arguments), {})
        ways.insert(0, way)
        try:
            return way.trace, self._try(way, arguments, what, columns)
        except _Missed:
            raise GuardError(f"{self.name} decides differently at the same numbers when it is run again") from None

    def _record(self, arguments: Arguments) -> Trace:
        numbers = [
            (float(c[0]) if len(c) else 1.0) if isinstance(c, np.ndarray) else float(c) for c in arguments.columns
        ]
        fresh = [Value(x) for x in numbers]
        self.recordings += 1
        return trace(self.function, arguments.build(list(fresh)), fresh, self.name)

    def _try(self, way: Way, arguments: Arguments, what: str, columns: tuple[int, ...]) -> list[Any]:
        trace = way.trace
        key = what, columns
        ready = way.ready.get(key)
        if ready is None:
            ready = way.ready[key] = self._prepared(trace, arguments, what, columns)
        n = arguments.samples
        values, guards = len(trace.outputs), len(trace.guards)
        rest = ready.plan.derivatives
        reduces = what == "gradient" and n is not None and self.reduce is not None
        by_params = len(self._params(trace)) if what == "gradient" else 0
        shared = [not isinstance(arguments.columns[c], np.ndarray) for c in columns]
        reduced = [reduces] * values + [False] * guards + [reduces] * by_params + [reduces and s for s in shared]
        results = ready.run(self._inputs(trace, arguments), n or (n is None and 1) or 0, reduced, keep=[True] * len(reduced))
        assert len(reduced) == values + guards + rest
        for guard, truth in zip(trace.guards, results[values : values + guards], strict=True):
            self._check(guard, truth)
        return [
            _Summed(r) if s and ready.plan.varies(i) else r for i, (r, s) in enumerate(zip(results, reduced, strict=True))
        ] if n is not None else [float(r[0]) if isinstance(r, np.ndarray) else float(r) for r in results]

    def _prepared(self, trace: Trace, arguments: Arguments, what: str, columns: tuple[int, ...]) -> NumpyReplay:
        varying = [False] * trace.program.inputs
        for column, place in zip(arguments.columns, trace.arguments, strict=True):
            if place >= 0 and isinstance(column, np.ndarray):
                varying[place] = True
        derivatives: list[tuple[int, list[int]]] = []
        if what == "gradient":
            if not trace.one_number:
                raise TypeError(
                    f"value_and_grad needs a function that returns one number; {self.name} returned {len(trace.outputs)}"
                )
            of_leaf = dict(zip(trace.leaves, trace.leaf_inputs, strict=True))
            params = [of_leaf.get(p, -1) for p in self._params(trace)]
            derivatives.append((0, [*params, *(trace.arguments[c] for c in columns)]))
        plan: Plan = planned(trace, varying, derivatives)
        return NumpyReplay(plan, self.dtype)

    def _inputs(self, trace: Trace, arguments: Arguments) -> list[Any]:
        inputs: list[Any] = [0.0] * trace.program.inputs
        for column, place in zip(arguments.columns, trace.arguments, strict=True):
            if place >= 0:
                inputs[place] = column
        for leaf, place in zip(trace.leaves, trace.leaf_inputs, strict=True):
            inputs[place] = leaf.data
        return inputs

    def _check(self, guard: Guard, truth: Any) -> None:
        other = truth != guard.outcome
        if not np.any(other):
            return
        if np.all(other):
            raise _Missed
        wrong = np.flatnonzero(other)
        shown = ", ".join(map(str, wrong[:5])) + (" …" if len(wrong) > 5 else "")
        where = f" ({guard.line})" if guard.line else ""
        raise GuardError(
            f"{self.name}: the comparison {guard.text}{where} is {guard.outcome} for some samples and {not guard.outcome} "
            f"for {len(wrong)} of {len(other)} (samples {shown}), so no single branch is right. "
            "Write the choice with where(condition, a, b)."
        )

    def _arranged(self, trace: Trace, results: Sequence[Any], n: int | None, *, stacked: bool) -> Any:
        if n is None:
            return trace.build(list(results))
        spread = [np.broadcast_to(r, (n,)) if not isinstance(r, np.ndarray) else r for r in results]
        if trace.one_number:
            return np.array(spread[0]) if not spread[0].flags.writeable else spread[0]
        if stacked and trace.is_list:
            return np.stack(spread, axis=1)
        return trace.build([np.array(s) for s in spread])


class _Summed(float):
    """A sum over samples, told from a number that is the same for all of them."""


def _joined(tree: Any, key: Any, n: int | None) -> Any:
    """What came in as one array goes out as one."""
    if isinstance(key, tuple) and key and key[0] == "samples":
        return np.stack(_flat(tree), axis=1).reshape(n or 0, *key[1:])
    if isinstance(key, tuple) and key and key[0] == "dict":
        return {k: _joined(tree[k], part, n) for k, part in key[1]}
    if isinstance(key, tuple):
        return type(tree)([_joined(child, part, n) for child, part in zip(tree, key[1:], strict=True)])
    return tree


def _flat(tree: Any) -> list[Any]:
    return [x for child in tree for x in _flat(child)] if isinstance(tree, list) else [tree]
