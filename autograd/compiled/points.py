"""Further derivatives of a compiled function, in the shapes that ``autograd``'s transforms return.

At a single point the program is that of an ``Objective`` over all scalars; of a batch, that of the compiled function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiled.backends.choice import Options
from autograd.compiled.batches import Batch
from autograd.compiled.objective import Objective
from autograd.compiled.recording.arguments import Arguments, arguments_of
from autograd.compiled.recording.trace import Trace, arranged
from autograd.eager import nodes
from autograd.eager.operands import in_short
from autograd.errors import StaleGraphError


class Points:
    """A function's derivatives by one of its arguments, at a single point or sample by sample.

    Of a batch each derivative is an array with samples first, in place of each number or array of the argument: of a
    function with m outputs by an argument ``(N, k)`` the Jacobian is ``(N, m, k)``, or ``(N, k)`` if it returns one
    number; the Hessian is ``(N, k, k)``. An argument ``(N,)`` adds no axis, nor does a number, which all samples share
    and whose derivatives differ by sample.

    Args:
        batch: what makes a batch of arguments that have samples.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        name: str,
        position: int,
        options: Options,
        batch: Callable[[Arguments], Batch],
    ) -> None:
        self._f = f
        self._name = name
        self._position = position
        self._options = options
        self._batch = batch
        self._objectives: dict[Any, Objective] = {}

    def _read(self, args: Sequence[Any]) -> tuple[Arguments, int]:
        """The arguments, and the position of the one to differentiate by."""
        if not -len(args) <= self._position < len(args):
            raise TypeError(f"wrt is {self._position}, but the call has {len(args)} arguments")
        return arguments_of(args, self._name), self._position % len(args)

    def _at(self, arguments: Arguments) -> tuple[Objective, Any, int, int]:
        """The function of all scalars, the point, and where the argument's scalars begin and end."""
        objective = self._objectives.get(arguments.key)
        if objective is None:
            build = arguments.build
            objective = Objective(lambda xs: self._f(*build(xs)), backend=self._options.backend)
            objective.name = self._name
            self._objectives[arguments.key] = objective
        position = self._position % (len(arguments.spans) - 1)
        return objective, np.array(arguments.columns), arguments.spans[position], arguments.spans[position + 1]

    def _in_shape(self, arguments: Arguments, first: int, last: int, numbers: Any) -> Any:
        """Numbers in the shape of the argument."""
        return self._nested(arguments, first, last, [float(x) for x in numbers])

    def jacobian(self, *args: Any) -> Any:
        """As ``autograd.jacobian``: the function's result, each number replaced by its gradient.

        >>> from autograd import compile
        >>> f = compile(lambda x: [x[0] * x[1], x[0] + x[1]], backend="numpy")
        >>> f.at_points.jacobian([2.0, 5.0])
        [[5.0, 2.0], [1.0, 1.0]]
        >>> f.at_points.jacobian(np.array([[2.0, 5.0], [3.0, 7.0]])).tolist()  # two samples
        [[[5.0, 2.0], [1.0, 1.0]], [[7.0, 3.0], [1.0, 1.0]]]
        """
        arguments, position = self._read(args)
        if arguments.samples is not None:
            return self._batch(arguments).jacobian(position)
        objective, point, first, last = self._at(arguments)
        found = np.atleast_2d(objective.jacobian(point))
        rows = [self._in_shape(arguments, first, last, row[first:last]) for row in found]
        return arranged(objective.result(point)[1].shape, rows)

    def hessian(self, *args: Any) -> Any:
        """As ``autograd.hessian``: all second derivatives.

        >>> from autograd import compile
        >>> f = compile(lambda x, k: k * x**3, backend="numpy")
        >>> f.at_points.hessian(np.array([1.0, 2.0]), 5.0)  # one number a sample
        array([30., 60.])
        """
        arguments, position = self._read(args)
        if arguments.samples is not None:
            return self._batch(arguments).hessian(position)
        objective, point, first, last = self._at(arguments)
        found = objective.hessian(point)[first:last, first:last]
        rows = [self._in_shape(arguments, first, last, row) for row in found]
        return self._nested(arguments, first, last, rows)

    def _nested(self, arguments: Arguments, first: int, last: int, rows: Sequence[Any]) -> Any:
        items: list[Any] = [None] * len(arguments.columns)
        items[first:last] = rows
        return arguments.build(items)[self._position]

    def hvp(self, *args_and_vector: Any) -> Any:
        """As ``autograd.hvp``: the Hessian times a vector, which comes last.

        The vector has the argument's shape; of a batch each of its numbers is an array ``(N,)``, or the same for all.
        """
        if len(args_and_vector) < 2:
            raise TypeError("hvp needs the function's arguments and then the vector")
        *args, vector = args_and_vector
        arguments, position = self._read(args)
        vector = in_order_of(vector, args[position], "the vector", f"argument {position} of {self._name}")
        if arguments.samples is not None:
            return self._batch(arguments).hvp(position, vector)
        objective, point, first, last = self._at(arguments)
        direction = np.zeros(len(point))
        direction[first:last] = _scalars(vector, last - first, "the vector", self._name)
        return self._in_shape(arguments, first, last, objective.hvp(point, direction)[first:last])

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        """As ``autograd.jvp``: the value and its derivative along the tangents, one per argument."""
        if len(primals) != len(tangents):
            raise ValueError(f"jvp needs one tangent per primal; there are {len(tangents)} for {len(primals)}")
        arguments, _ = self._read(primals)
        tangents = [
            in_order_of(tangent, primal, f"tangent {i}", f"argument {i} of {self._name}")
            for i, (tangent, primal) in enumerate(zip(tangents, primals, strict=True))
        ]
        if arguments.samples is not None:
            batch = self._batch(arguments)
            return batch.values, batch.jvp(tangents)
        objective, point, _, _ = self._at(arguments)
        direction = np.concatenate(
            [
                _scalars(tangent, stop - start, f"tangent {i}", self._name)
                for i, (tangent, start, stop) in enumerate(
                    zip(tangents, arguments.spans, arguments.spans[1:], strict=False)
                )
            ]
        )
        value, recorded = objective.result(point)
        return value, arranged(recorded.shape, np.atleast_1d(objective.jvp(point, direction)).tolist())

    def vjp(self, *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
        """As ``autograd.vjp``: the value, and the function that pulls a cotangent back to every argument.

        It raises StaleGraphError if a leaf that the function captures was written meanwhile.
        """
        arguments, _ = self._read(args)
        what, moment = f"what {self._name} returned", int(nodes.now)
        if arguments.samples is not None:
            copies = [c.copy() if isinstance(c, np.ndarray) else c for c in arguments.columns]
            batch = self._batch(arguments._replace(columns=copies))

            def pull_batch(cotangent: Any) -> tuple[Any, ...]:
                self._refuse_if_written(batch.trace, moment)
                return batch.vjp(in_order_of(cotangent, batch.values, "the cotangent", what))

            return batch.values, pull_batch
        objective, point, _, _ = self._at(arguments)
        value, recorded = objective.result(point)

        def pull(cotangent: Any) -> tuple[Any, ...]:
            self._refuse_if_written(recorded, moment)
            cotangent = in_order_of(cotangent, value, "the cotangent", what)
            found = objective.vjp(point, _scalars(cotangent, len(recorded.outputs), "the cotangent", self._name))
            return tuple(arguments.build(found.tolist()))

        return value, pull

    def _refuse_if_written(self, recorded: Trace, moment: int) -> None:
        """Raise StaleGraphError if a leaf was written after that moment: old and new numbers would mix."""
        for leaf in recorded.leaves:
            if leaf._moment > moment:
                raise StaleGraphError(
                    f"the leaf {in_short(leaf)} was written after {self._name} had been computed, so old and new "
                    "numbers would mix. Call vjp again after writing, or pull back before it."
                )


def in_order_of(tree: Any, like: Any, what: str, other: str) -> Any:
    """A tree whose dicts have the keys in the order of another tree's.

    Raises:
        ValueError: a dict has other keys; ``what`` and ``other`` are named.
    """
    if isinstance(tree, dict) and isinstance(like, dict):
        if set(tree) != set(like):
            raise ValueError(f"{what} has the keys {sorted(map(str, tree))}; {other} has {sorted(map(str, like))}")
        return {key: in_order_of(tree[key], like[key], f"{what}[{key!r}]", f"{other}[{key!r}]") for key in like}
    if isinstance(tree, list | tuple) and isinstance(like, list | tuple) and len(tree) == len(like):
        pairs = enumerate(zip(tree, like, strict=True))
        return [in_order_of(child, model, f"{what}[{i}]", f"{other}[{i}]") for i, (child, model) in pairs]
    return tree


def _scalars(tree: Any, count: int, what: str, name: str) -> Any:
    """A tree's numbers in order, of which there must be that many."""
    found = np.array(arguments_of([tree.tolist() if hasattr(tree, "tolist") else tree], name).columns, dtype=np.float64)
    if len(found) != count:
        raise ValueError(f"{what} has {len(found)} numbers; {name} needs {count}")
    return found
