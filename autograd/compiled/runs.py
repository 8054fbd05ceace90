"""How a call of a compiled function is run: on a recording that suits it, by a plan that is prepared once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np

from autograd.compiled.backends.choice import Choice, Options, choose
from autograd.compiled.prepared import Prepared, varying_inputs
from autograd.compiled.programs.derivatives import GRADIENT, VALUES, planned
from autograd.compiled.recording.argument_names import labels_of
from autograd.compiled.recording.arguments import Arguments
from autograd.compiled.recording.guards import check
from autograd.compiled.recording.recordings import Recording, Recordings
from autograd.compiled.recording.trace import Trace
from autograd.compiled.recording.tracing import trace_where_it_has_a_value
from autograd.errors import RecordingError
from autograd.value import Value

#: Samples at which recording is tried for a value of the function, before it is recorded without one.
SAMPLES_TRIED = 8


#: What came of a call: the plan whose guards hold, the sums over samples, and the outputs that are kept. Where a sum
#: that is to be a mean is not finite, the sums are two rows: those, and the same of smaller terms. A bare tuple, since
#: a named one takes a fortieth of a small call (measured).
Run: TypeAlias = tuple[Prepared, Any, list[Any]]


class Leaves(Protocol):
    """Whoever has other numbers for the leaves than their Values hold."""

    def of(self, trace: Trace) -> Any:
        """The numbers of a trace's leaves."""

    def recorded(self, record: Callable[[], Trace]) -> Trace:
        """What ``record`` returns, the Values holding the numbers meanwhile."""


class Runs:
    """Runs a function's calls, and records it anew for each shape of arguments and each way that comparisons go.

    Args:
        params: the leaves to differentiate by; ``None``: all that are captured, if ``by_captured``.
        reduce: what becomes of the samples of value and gradient.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        params: Sequence[Value] | None,
        reduce: str | None,
        options: Options,
        *,
        by_captured: bool,
    ) -> None:
        self._function = function
        self._name = name
        self._params = params
        self._reduce = reduce
        self._options = options
        self._by_captured = by_captured
        #: By the shape of the arguments.
        self.recordings: dict[Any, Recordings] = {}
        #: What came back from a pickle has leaves of its own; the function must capture no others.
        self.known_leaves: set[Value] | None = None

    def params_of(self, trace: Trace) -> Sequence[Value]:
        """The leaves to differentiate by."""
        if self._params is not None:
            return self._params
        return trace.captured if self._by_captured else []

    def run(
        self,
        arguments: Arguments,
        what: str,
        columns: tuple[int, ...] = (),
        *,
        unroll: bool = False,
        leaves: Leaves | None = None,
    ) -> Run:
        """The "values", or the "gradient" by the parameters and some columns of the arguments.

        Args:
            unroll: on a recording whose loops are written out step by step.
            leaves: who has the numbers of the leaves; the Values themselves unless told.
        """

        def record(*place: Any) -> Trace:
            return self._record(arguments, unroll, *place)

        return self.recordings_of(arguments, unroll=unroll).run(
            self._name,
            lambda recording: self._try(recording, arguments, what, columns, leaves),
            record if leaves is None else lambda *place: leaves.recorded(lambda: record(*place)),
        )

    def recordings_of(self, arguments: Arguments, *, unroll: bool) -> Recordings:
        """The recordings for arguments of this shape."""
        key = ("unrolled", arguments.key) if unroll else arguments.key
        recordings = self.recordings.get(key)
        if recordings is None:
            recordings = self.recordings[key] = Recordings()
        return recordings

    def _record(self, arguments: Arguments, unroll: bool, first: int, directions: Sequence[bool]) -> Trace:
        """The function recorded at a sample, or at one of the next if it has no value there."""
        last = max(first + 1, min(arguments.samples or 1, first + SAMPLES_TRIED))
        points = (
            [(float(c[sample]) if len(c) else 1.0) if isinstance(c, np.ndarray) else c for c in arguments.columns]
            for sample in range(first, last)
        )
        labels = labels_of(self._function, arguments.key)
        found = trace_where_it_has_a_value(
            self._function, points, labels, arguments.build, self._name, unroll=unroll, directions=directions
        )
        foreign = [] if self.known_leaves is None else [x for x in found.captured if x not in self.known_leaves]
        if foreign:
            raise RecordingError(
                f"{self._name} came back from a pickle with leaves of its own, but its code captures others, such as "
                f"{foreign[0]!r:.200}, so a new recording would not go by its params. Call it with all shapes "
                f"of arguments "
                "before pickling, or compile an object that holds its leaves, such as a model"
            )
        return found

    def _try(
        self, recording: Recording, arguments: Arguments, what: str, columns: tuple[int, ...], leaves: Leaves | None
    ) -> Run:
        prepared = recording.prepared.get((what, columns))
        if prepared is None:
            prepared = recording.prepared[what, columns] = (
                self._values(recording.trace, arguments)
                if what == "values"
                else self._gradient(recording.trace, arguments, columns, smaller=what == "smaller gradient")
            )
        n = arguments.samples
        numbers = None if leaves is None else leaves.of(recording.trace)
        prepared, sums, kept = prepared.run_with_care(arguments.columns, 1 if n is None else n, (), numbers)
        if self._reduce == "mean" and n and what == "gradient" and not prepared.is_finite(sums):
            # Of a mean, as its row has it: a second sum, of smaller terms, where the first is too large for a float.
            smaller = self._try(recording, arguments, "smaller gradient", columns, leaves)[1]
            sums = np.stack([sums, smaller])
        for i, guard in enumerate(recording.trace.guards, start=len(recording.trace.outputs)):
            check(self._name, guard, prepared.output(i, kept))
        return prepared, sums, kept

    def _values(self, trace: Trace, arguments: Arguments) -> Prepared:
        varying = varying_inputs(trace, arguments)
        return Prepared(trace, lambda careful: choose(planned(trace, VALUES, (), varying), self._options), 0)

    def _gradient(self, trace: Trace, arguments: Arguments, columns: tuple[int, ...], *, smaller: bool) -> Prepared:
        values, guards = len(trace.outputs), len(trace.guards)
        if not trace.one_number:
            raise TypeError(f"value_and_grad needs a function that returns one number; {self._name} returned {values}")
        of_leaf = dict(zip(trace.leaves, trace.leaf_inputs, strict=True))
        params = [of_leaf.get(p, -1) for p in self.params_of(trace)]
        wanted = [*params, *(trace.arguments[c] for c in columns)]
        reduces = arguments.samples is None or self._reduce is not None  # a single point is a sum of one
        shared = [not isinstance(arguments.columns[c], np.ndarray) for c in columns]
        reduced = [reduces] * values + [False] * guards + [reduces] * len(params) + [reduces and s for s in shared]
        varying = varying_inputs(trace, arguments)

        def chosen(careful: bool) -> Choice:
            plan = planned(
                trace, GRADIENT, wanted, varying,
                reduced=reduced, careful=careful, smaller=smaller,
            )  # fmt: skip
            return choose(plan, self._options)

        return Prepared(trace, chosen, len(params))
