"""Further derivatives of a batch, sample by sample, through one program: lanes are samples times seeds.

Each sample is repeated as often as there are seeds, in blocks, so that memory does not grow with the number of samples
but for results. Guards are checked before, when the values are computed.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from autograd.compiled.backends.choice import Choice, Options, choose
from autograd.compiled.prepared import Prepared, symmetric, varying_inputs
from autograd.compiled.programs.derivatives import GRADIENT, HESSIAN, HVP, JVP, VJP, Derivative, jacobian_of, planned
from autograd.compiled.recording.arguments import Arguments, arguments_of
from autograd.compiled.recording.recordings import Recording
from autograd.compiled.recording.trace import Trace, arranged

#: Numbers that the columns, seeds and results of a block may be: 8 MB.
BLOCK_NUMBERS = 1 << 20


class Batch(NamedTuple):
    """The samples of a call, which all go one recorded way, and their values."""

    name: str
    arguments: Arguments
    recording: Recording
    values: Any
    options: Options
    dtype: Any
    lock: threading.RLock

    @property
    def trace(self) -> Trace:
        """What was recorded."""
        return self.recording.trace

    def jacobian(self, position: int) -> Any:
        """The derivatives of the outputs by an argument."""
        columns = self._columns(position)
        derivative = jacobian_of(self.trace, len(columns))
        found = self._lanes(derivative, columns)
        if derivative.mode == "jvp":
            found = found.transpose(0, 2, 1)  # a lane is a column
        return self._by_output(found, lambda part: self._by_argument(part, position))

    def hessian(self, position: int) -> Any:
        """All second derivatives by an argument."""
        columns = self._columns(position)
        found = symmetric(self._lanes(HESSIAN, columns))

        def rows(first: int, shape: tuple[int, ...]) -> Any:
            first -= columns.start
            some = found[:, first : first + math.prod(shape)].reshape(len(found), *shape, len(columns))
            return self._by_argument(some, position)

        return self.arguments.arranged(position, rows)

    def hvp(self, position: int, vector: Any) -> Any:
        """The Hessian by an argument, times a vector in its shape."""
        columns = self._columns(position)
        found = self._lanes(HVP, columns, self._seeds(vector, len(columns), "the vector"))
        return self._by_argument(found[:, 0], position)

    def jvp(self, tangents: Sequence[Any]) -> Any:
        """The derivatives of the outputs along tangents, one in the shape of each argument."""
        seeds: list[Any] = []
        for i, tangent in enumerate(tangents):
            seeds += self._seeds(tangent, len(self._columns(i)), f"tangent {i}")
        found = self._lanes(JVP, range(len(seeds)), seeds)
        return self._by_output(found[:, 0], lambda part: part)

    def vjp(self, cotangent: Any) -> tuple[Any, ...]:
        """A cotangent in the shape of the result, pulled back to each argument."""
        seeds = self._seeds(cotangent, len(self.trace.outputs), "the cotangent")
        found = self._lanes(VJP, range(len(self.arguments.columns)), seeds)[:, 0]
        spans = self.arguments.spans
        return tuple([self._by_argument(found[:, a:b], i) for i, (a, b) in enumerate(pairwise(spans))])

    def _columns(self, position: int) -> range:
        return range(self.arguments.spans[position], self.arguments.spans[position + 1])

    def _by_argument(self, found: Any, position: int) -> Any:
        """Derivatives by the scalars of an argument, ``(…, scalars)``, in the shape of the argument."""
        start = self.arguments.spans[position]

        def part(first: int, shape: tuple[int, ...]) -> Any:
            first -= start
            return found[..., first : first + math.prod(shape)].reshape(*found.shape[:-1], *shape)

        return self.arguments.arranged(position, part)

    def _by_output(self, found: Any, build: Any) -> Any:
        """Derivatives of each output, ``(samples, outputs, …)``, in the shape of the result."""
        if self.trace.is_list:
            return build(found)
        return arranged(self.trace.shape, [build(found[:, i]) for i in range(found.shape[1])])

    def _seeds(self, tree: Any, count: int, what: str) -> list[Any]:
        """A tree's numbers: for each an array with one per sample, or a number for all samples."""
        found = arguments_of([tree], what)
        n = self.arguments.samples
        if found.samples not in (None, n):
            raise ValueError(
                f"{what} has {found.samples} samples, but the batch has {n}; for one vector for all samples give a list"
            )
        if len(found.columns) != count:
            raise ValueError(f"{what} has {len(found.columns)} numbers for a sample; {self.name} needs {count}")
        return [np.broadcast_to(np.asarray(column, np.float64), n or 0) for column in found.columns]

    def _lanes(self, derivative: Derivative, columns: range, seeds: Sequence[Any] = ()) -> Any:
        """The derivatives by some columns, ``(samples, seeds, derivatives)``; a matrix has its units for seeds."""
        with self.lock:
            prepared = self._prepared(derivative, columns)
            n, numbers = self.arguments.samples or 0, self.arguments.columns
            count = derivative.seeds(len(self.trace.outputs), len(columns)) if derivative.is_matrix else 1
            units = list(np.eye(count)) if derivative.is_matrix else []
            first = prepared.first_derivative
            outputs = len(prepared.replay.plan.program.outputs) - first
            found = np.empty((n, count, outputs), self.dtype)
            wide = len(numbers) + max(count if units else 0, len(seeds)) + outputs
            step = max(1, BLOCK_NUMBERS // max(1, wide * count))
            for start in range(0, n if count else 0, step):
                stop = min(start + step, n)
                block = [np.repeat(c[start:stop], count) if isinstance(c, np.ndarray) else c for c in numbers]
                lanes = [np.tile(unit, stop - start) for unit in units]
                lanes += [np.ascontiguousarray(seed[start:stop]) for seed in seeds]
                ran, _, kept = prepared.run_with_care(block, (stop - start) * count, lanes)
                for i in range(outputs):
                    number = ran.replay.output(first + i, kept, ran.uniform)
                    found[start:stop, :, i] = np.reshape(number, (-1, count)) if np.ndim(number) else number
            found += 0.0  # never -0.0, as what backward() adds up
            return found

    def _prepared(self, derivative: Derivative, columns: range) -> Prepared:
        """The plan for a derivative, on its back end; it is kept with the recording."""
        key = (derivative.name if derivative is not GRADIENT else "gradient by sample", tuple(columns))
        prepared = self.recording.prepared.get(key)
        if prepared is None:
            derivative.refuse_unless_it_exists(self.trace, self.name)
            wanted = [self.trace.arguments[c] for c in columns]
            varying = varying_inputs(self.trace, self.arguments)

            def chosen(careful: bool) -> Choice:
                # Values are among the outputs, as they tell where care is needed.
                plan = planned(self.trace, derivative, wanted, varying, careful=careful)
                return choose(plan, self.options)

            prepared = self.recording.prepared[key] = Prepared(self.trace, chosen, 0)
        return prepared
