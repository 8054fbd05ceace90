"""What errors and reports call the numbers of a call's arguments: ``x``, ``x[0]``, ``table[1][2]``, ``data['a']``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from typing import Any


def labels_of(f: Callable[..., Any], key: Sequence[Any]) -> list[str]:
    """The name of each scalar of a function's arguments, in order.

    >>> labels_of(lambda x, table: x, [("list", "samples", "number"), ("samples", 2, 1)])
    ['x[0]', 'x[1]', 'table[0][0]', 'table[1][0]']

    Args:
        key: how each argument nests, as ``Arguments.key`` has it.
    """
    return [
        label for name, part in zip(parameter_names(f, len(key)), key, strict=True) for label in _labels(name, part)
    ]


def parameter_names(f: Callable[..., Any], number: int) -> list[str]:
    """The names of a function's first positional parameters; ``argument 0`` where it does not tell.

    >>> parameter_names(lambda x, *rest: x, 3)
    ['x', 'rest[0]', 'rest[1]']
    """
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # some functions written in C
        return [f"argument {i}" for i in range(number)]
    return list(islice(_names(parameters), number))


def _names(parameters: Any) -> Iterator[str]:
    """Those of the parameters, and then numbers for ever: that there are too many is for the call to say."""
    named = 0
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            for i in count():
                yield f"{parameter.name}[{i}]"
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            yield parameter.name
            named += 1
    for i in count(named):
        yield f"argument {i}"


def _labels(name: str, key: Any) -> list[str]:
    """The names of an argument's scalars."""
    if not isinstance(key, tuple):
        return [name]
    kind, *parts = key
    if kind == "samples":
        names = [name]
        for length in parts:
            names = [f"{prefix}[{i}]" for prefix in names for i in range(length)]
        return names
    children = [(repr(k), part) for k, part in parts[0]] if kind == "dict" else enumerate(parts)
    return [label for place, part in children for label in _labels(f"{name}[{place}]", part)]
