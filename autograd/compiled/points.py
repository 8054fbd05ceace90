"""Further derivatives of a compiled function at a single point, in the shapes that ``autograd``'s transforms return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiled.arguments import Arguments, arguments_of
from autograd.compiled.backends import Options
from autograd.compiled.objective import Objective
from autograd.compiled.tracing import arranged


class Points:
    """A function's derivatives by one of its arguments; the program is that of an ``Objective`` over its scalars."""

    def __init__(self, f: Callable[..., Any], name: str, position: int, options: Options) -> None:
        self._f = f
        self._name = name
        self._position = position
        self._options = options
        self._objectives: dict[Any, Objective] = {}

    def _at(self, args: Sequence[Any]) -> tuple[Objective, Any, int, int, Arguments]:
        """The function of all scalars, the point, where the argument's scalars begin and end, and the arguments."""
        arguments = arguments_of(args, self._name)
        if arguments.samples is not None:
            raise TypeError(
                f"{self._name}: this derivative is of a single point; give numbers and lists, or write "
                "array.tolist(). For a batch use value_and_grad with reduce=None, output by output"
            )
        if not -len(args) <= self._position < len(args):
            raise TypeError(f"wrt is {self._position}, but the call has {len(args)} arguments")
        objective = self._objectives.get(arguments.key)
        if objective is None:
            build = arguments.build
            objective = Objective(lambda xs: self._f(*build(xs)), backend=self._options.backend)
            objective.name = self._name
            self._objectives[arguments.key] = objective
        position = self._position % len(args)
        first, last = arguments.spans[position], arguments.spans[position + 1]
        return objective, np.array(arguments.columns), first, last, arguments

    def _in_shape(self, arguments: Arguments, first: int, last: int, numbers: Any) -> Any:
        """Numbers in the shape of the argument."""
        items: list[Any] = [0.0] * len(arguments.columns)
        items[first:last] = [float(x) for x in numbers]
        return arguments.build(items)[self._position]

    def jacobian(self, *args: Any) -> Any:
        """As ``autograd.jacobian``: the function's result, each number replaced by its gradient."""
        objective, point, first, last, arguments = self._at(args)
        found = np.atleast_2d(objective.jacobian(point))
        rows = [self._in_shape(arguments, first, last, row[first:last]) for row in found]
        return arranged(objective.shape, rows)

    def hessian(self, *args: Any) -> Any:
        """As ``autograd.hessian``: all second derivatives."""
        objective, point, first, last, arguments = self._at(args)
        found = objective.hessian(point)[first:last, first:last]
        rows = [self._in_shape(arguments, first, last, row) for row in found]
        return self._nested(arguments, first, last, rows)

    def _nested(self, arguments: Arguments, first: int, last: int, rows: Sequence[Any]) -> Any:
        items: list[Any] = [None] * len(arguments.columns)
        items[first:last] = rows
        return arguments.build(items)[self._position]

    def hvp(self, *args_and_vector: Any) -> Any:
        """As ``autograd.hvp``: the Hessian times a vector, which comes last."""
        if len(args_and_vector) < 2:
            raise TypeError("hvp needs the function's arguments and then the vector")
        *args, vector = args_and_vector
        objective, point, first, last, arguments = self._at(args)
        direction = np.zeros(len(point))
        direction[first:last] = _scalars(vector, last - first, "the vector", self._name)
        return self._in_shape(arguments, first, last, objective.hvp(point, direction)[first:last])

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        """As ``autograd.jvp``: the value and its derivative along the tangents, one per argument."""
        if len(primals) != len(tangents):
            raise ValueError(f"jvp needs one tangent per primal; there are {len(tangents)} for {len(primals)}")
        objective, point, _, _, arguments = self._at(primals)
        direction = np.concatenate(
            [
                _scalars(tangent, stop - start, f"tangent {i}", self._name)
                for i, (tangent, start, stop) in enumerate(
                    zip(tangents, arguments.spans, arguments.spans[1:], strict=False)
                )
            ]
        )
        value, tangent = objective.value(point), objective.jvp(point, direction)
        return tuple(arranged(objective.shape, np.atleast_1d(x).tolist()) for x in (value, tangent))

    def vjp(self, *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
        """As ``autograd.vjp``: the value, and the function that pulls a cotangent back to every argument."""
        objective, point, _, _, arguments = self._at(args)
        value = arranged(objective.shape, np.atleast_1d(objective.value(point)).tolist())

        def pull(cotangent: Any) -> tuple[Any, ...]:
            count = objective.outputs(point)
            found = objective.vjp(point, _scalars(cotangent, count, "the cotangent", self._name))
            return tuple(arguments.build(found.tolist()))

        return value, pull


def _scalars(tree: Any, count: int, what: str, name: str) -> Any:
    """A tree's numbers in order, of which there must be that many."""
    found = np.array(arguments_of([tree.tolist() if hasattr(tree, "tolist") else tree], name).columns, dtype=np.float64)
    if len(found) != count:
        raise ValueError(f"{what} has {len(found)} numbers; {name} needs {count}")
    return found
