"""Arguments of a compiled function: what is one number per sample, what is the same for all, and how they nest.

A number is one Value, the same for every sample; an array ``(N,)`` is one Value per sample, ``(N, k)`` a list of k,
``(N, j, k)`` a list of lists. Lists, tuples and dicts nest. Without an array there is a single point.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from autograd.value import Value, plain

#: The one object that NumPy has for it, so that ``is`` compares.
DOUBLE = np.dtype(np.float64)

#: The types in a list of floats, and the keys of its items.
_FLOAT, _NUMBER = {float}, {"number"}


class Arguments(NamedTuple):
    """A call's arguments as columns, in order."""

    #: What a program is recorded for: how the arguments nest, and which are arrays.
    key: tuple[Any, ...]
    #: Samples, or ``None`` for a single point.
    samples: int | None
    #: Per scalar of the function's arguments: a float64 array with one number per sample, or a number.
    columns: list[Any]
    #: From one item per column to the arguments in their shapes.
    build: Callable[[list[Any]], list[Any]]
    #: Where each argument's columns begin, and the end.
    spans: list[int]

    def arranged(self, position: int, join: Callable[[int, tuple[int, ...]], Any]) -> Any:
        """An argument's tree, with ``join(first, shape)`` in place of each number or array.

        Args:
            join: gets the place of the first of its columns, and the shape of a sample: () is one column.
        """
        places = iter(range(self.spans[position], self.spans[position + 1]))
        tree = self.build(list(range(len(self.columns))))[position]
        return _arranged(tree, self.key[position], places, join)


def arguments_of(args: Sequence[Any], name: str) -> Arguments:
    """The columns of a call.

    Raises:
        TypeError: something is neither a number nor an array of numbers; the argument is named.
        ValueError: two arrays have different numbers of samples; both are named.
    """
    reader = _Reader(name)
    builders, keys, spans = [], [], [0]
    for i, arg in enumerate(args):
        key, build = reader.read(arg, f"argument {i} of {name}")
        keys.append(key)
        builders.append(build)
        spans.append(len(reader.columns))

    def build_all(items: list[Any]) -> list[Any]:
        return [build(items) for build in builders]

    return Arguments(tuple(keys), reader.samples, reader.columns, build_all, spans)


class ArgumentReader:
    """``arguments_of`` for the calls of one function; what it found for arrays of certain widths is kept."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: dict[tuple[Any, ...], Arguments] = {}

    def __call__(self, args: Sequence[Any]) -> Arguments:
        """The columns of a call."""
        # Arrays of doubles, the usual case, need no walk: half of the time of a small step went there (measured).
        widths = []
        samples = -1
        for arg in args:
            if arg.__class__ is not np.ndarray or arg.dtype is not DOUBLE or not 0 < arg.ndim < 3:
                return arguments_of(args, self._name)
            shape = arg.shape
            if shape[0] != samples >= 0:
                return arguments_of(args, self._name)
            samples = shape[0]
            widths.append(shape[1] if len(shape) > 1 else None)
        known = self._known.get(tuple(widths))
        if known is None:
            found = arguments_of(args, self._name)
            if len(self._known) < 1000:
                self._known[tuple(widths)] = found._replace(columns=[])
            return found
        columns: list[Any] = []
        for arg in args:
            if arg.ndim == 1:
                columns.append(arg)
            else:
                columns += list(arg.T)
        return Arguments(known.key, samples, columns, known.build, known.spans)


class _Reader:
    def __init__(self, name: str) -> None:
        self.name = name
        self.columns: list[Any] = []
        self.samples: int | None = None
        self.counted_in = ""

    def read(self, tree: Any, what: str) -> tuple[Any, Callable[[list[Any]], Any]]:
        if isinstance(tree, np.ndarray):
            return self._array(tree, what) if tree.ndim else self.read(tree.item(), what)
        number = None if isinstance(tree, Value) else plain(tree)
        if number is not None:
            return self._scalar(number, "number")
        if isinstance(tree, dict):
            parts = {key: self.read(child, f"{what}[{key!r}]") for key, child in tree.items()}
            key: Any = ("dict", tuple((k, part[0]) for k, part in parts.items()))
            return key, lambda items: {k: part[1](items) for k, part in parts.items()}
        if tree.__class__ is list and {*map(type, tree)} == _FLOAT:  # a tenth of the time that a look at each takes
            first, last = len(self.columns), len(self.columns) + len(tree)
            self.columns += tree
            return ("list", *["number"] * len(tree)), lambda items: items[first:last]
        if isinstance(tree, list | tuple):
            children = [self.read(child, f"{what}[{i}]") for i, child in enumerate(tree)]
            made: Any = type(tree)
            join = (lambda xs: made(*xs)) if hasattr(made, "_fields") else made
            return (made.__name__, *(child[0] for child in children)), lambda items: join(
                [c[1](items) for c in children]
            )
        if hasattr(tree, "__array__"):
            return self.read(np.asarray(tree), what)
        hint = "; give its number, or let the function capture it" if isinstance(tree, Value) else ""
        raise TypeError(
            f"{what} is {type(tree).__name__}{hint}; "
            "expected numbers, arrays, and nested lists, tuples and dicts of them"
        )

    def _scalar(self, column: Any, key: Any) -> tuple[Any, Callable[[list[Any]], Any]]:
        place = len(self.columns)
        self.columns.append(column)
        return key, lambda items: items[place]

    def _array(self, array: Any, what: str) -> tuple[Any, Callable[[list[Any]], Any]]:
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{what} is an array of {array.dtype}; a compiled function takes arrays of real numbers")
        if self.samples is None:
            self.samples, self.counted_in = len(array), what
        elif self.samples != len(array):
            raise ValueError(
                f"{what} has {len(array)} samples, but {self.counted_in} has {self.samples}; "
                "the first axis of every array counts samples"
            )
        if array.dtype != np.float64:
            array = array.astype(np.float64)
        if array.ndim == 1:
            return self._scalar(array, "samples")
        flat = array.reshape(len(array), -1) if array.size else array.reshape(len(array), int(np.prod(array.shape[1:])))
        first = len(self.columns)
        self.columns += list(flat.T)
        shape = array.shape[1:]
        return ("samples", *shape), lambda items: _nested(items[first : first + flat.shape[1]], shape)


def _nested(items: list[Any], shape: Sequence[int]) -> list[Any]:
    if len(shape) == 1:
        return items
    step = len(items) // shape[0] if shape[0] else 0
    return [_nested(items[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def _arranged(tree: Any, key: Any, places: Iterator[int], join: Callable[[int, tuple[int, ...]], Any]) -> Any:
    """The tree of an argument; ``places`` has those of its columns that are left."""
    if not isinstance(key, tuple):
        return join(next(places), ())
    kind, *parts = key
    if kind == "samples":
        mine = list(islice(places, math.prod(parts)))
        return join(mine[0] if mine else 0, tuple(parts))
    if kind == "dict":
        return {k: _arranged(tree[k], part, places, join) for k, part in parts[0]}
    if kind == "list" and {*parts} == _NUMBER:
        return [join(place, ()) for place in islice(places, len(parts))]
    children = [_arranged(child, part, places, join) for child, part in zip(tree, parts, strict=True)]
    return type(tree)(*children) if hasattr(tree, "_fields") else type(tree)(children)
